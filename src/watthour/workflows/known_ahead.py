"""What is published before its time, such as the prices of tomorrow, and forecasts of what comes after that."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.forecast import day_ahead_targets, issue_clock_of, targets
from watthour.core.frames import INSTANT, Forecasts, Readings, Targets
from watthour.core.price import Auction, auction_of
from watthour.core.quality import is_trusted
from watthour.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.forecast import Context, History
    from watthour.core.ports import Store

_NOON = time(12)


def told_until(store: Store, channel: Channel, now: datetime) -> datetime:
    """Return up to when a channel is known at most: to the present, or of prices to the end of those published.

    An interval that is kept without a value, or with one that is not trusted, is not published.
    """
    span = store.spans().get(channel.id) if channel.is_told_ahead else None
    if span is None or span[1] + channel.resolution <= now:
        return now
    kept = store.read([channel.id], Window(now - channel.resolution, span[1] + channel.resolution), now)
    told = [at for (at,) in kept.filter(is_trusted(), pl.col("value").is_not_null()).select("time").rows()]
    return max(now, max(told) + channel.resolution) if told else now


def asked_of(store: Store, context: Context, window: Window, now: datetime) -> dy.DataFrame[Targets]:
    """Return the intervals of a window as models are asked for them: what is not published yet, as of its beginning.

    Those that are published are asked as of the present, from what was over by then.
    """
    known = told_until(store, context.channel, now)
    if window.start >= known:
        spans = [(window, known)]
    elif known == now or window.end <= known:
        spans = [(window, now)]
    else:
        spans = [(Window(window.start, known), now), (Window(known, window.end), known)]
    parts = [targets(span, at, resolution=context.resolution, time_zone=context.time_zone) for span, at in spans]
    return Targets.cast(pl.concat(parts))


def asked_on_eves(days: Sequence[date], context: Context, issue_clock: time | None) -> dy.DataFrame[Targets]:
    """Return past local days as models are asked for them at a clock time of the day before.

    What is published ahead is asked as each day begins: all before it is published by the eve.
    """
    clock = clock_of_eves(context.channel, issue_clock)
    return day_ahead_targets(
        days, context.time_zone, resolution=context.resolution, issue_clock=clock, known_clock=clock
    )


def clock_of_eves(channel: Channel, issue_clock: time | None) -> time | None:
    """Return the clock time of the day before as of which days are asked; None: each as it begins, as of prices."""
    return None if channel.is_told_ahead else issue_clock


def clock_asked(channel: Channel, asked_hour: int | None, usual_hour: int) -> time | None:
    """Return when past days are issued: at the hour that a person names, of any channel; else at the usual hour.

    None: each as it begins. That is usual of prices, and hour 24 asks for it.
    """
    return clock_of_eves(channel, issue_clock_of(usual_hour)) if asked_hour is None else issue_clock_of(asked_hour)


def issued_by(values: dy.DataFrame[Forecasts], now: datetime) -> dy.DataFrame[Forecasts]:
    """Return forecasts as made now at the latest: of what is published ahead, models are asked as at its end."""
    return Forecasts.cast(values.with_columns(issued_at=pl.min_horizontal("issued_at", pl.lit(now).cast(INSTANT))))


def issued_on_eves(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Return forecasts of past days as they would have been made: of prices, when the auction closed at the latest."""
    if not context.channel.is_told_ahead:
        return rows
    return rows.with_columns(issued_at=pl.min_horizontal("issued_at", closing(context)))


def learning_history(store: Store, context: Context, window: Window, now: datetime) -> History:
    """Return what is known of a window as models learn from it and are tried on it."""
    return _as_before_publication(store.history(context, window, now))


def _as_before_publication(history: History) -> History:
    """Return a history of prices without what was said of an interval after the auction of its price had closed.

    An operator that tells its wind and sun of tomorrow in the evening is of no use for tomorrow's prices.
    """
    context = history.context
    if not context.channel.is_told_ahead:
        return history
    ahead = [each.channel for each in context.covariates]
    in_time = ~pl.col("channel").is_in(ahead) | (pl.col("available_at") <= closing(context))
    return replace(
        history,
        readings=Readings.cast(history.readings.filter(in_time)),
        forecasts=Forecasts.cast(history.forecasts.filter(in_time)),
    )


def closing(context: Context) -> pl.Expr:
    """Return when the auction of the price of each ``time`` closed; where that is not known, at noon of the eve."""
    auction = auction_of(context.site) or Auction(_NOON, context.time_zone)
    day = pl.col("time").dt.convert_time_zone(auction.time_zone).dt.date()
    local = (day - pl.duration(days=1)).dt.combine(auction.closes).dt.replace_time_zone(auction.time_zone)
    return local.dt.convert_time_zone("UTC").cast(INSTANT)
