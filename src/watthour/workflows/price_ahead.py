"""A price as far as it is published, and as it is forecast beyond."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.quality import is_trusted
from watthour.core.units import Unit, conversion
from watthour.core.window import Window, floor
from watthour.planning.prices import Market
from watthour.workflows.forecast import answer_with_fallback, recall
from watthour.workflows.known_ahead import asked_of
from watthour.workflows.similar import history_beside
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.channel import Channel
    from watthour.core.ports import ModelRegistry, Store
    from watthour.planning.prices import Array

_LEVELS = (0.05, 0.5, 0.95)
_MICROSECOND = timedelta(microseconds=1)
_TOLERANCE = 1e-9


def market_between(store: Store, registry: ModelRegistry, channel: Channel, window: Window, *, now: datetime) -> Market:
    """Return the prices of a channel over a window: published, and else forecast by the model that serves.

    What is neither stays unknown, such as where too little of the past is known to forecast from, which is said.
    """
    market = published_between(store, channel, window, now)
    step = channel.resolution
    unknown = np.isnan(market.values)
    if not unknown.any():
        return market
    first = int(np.argmax(unknown))  # a hole that was not published, or what is beyond
    span = Window(market.start + first * step, market.start + len(unknown) * step)
    try:
        found = _forecast(store, registry, channel, span, now)
    except NotEnoughHistory as error:
        return replace(market, why_unknown=f"What is not published of {channel.id} cannot be forecast: {error}")
    values, lower, upper = (np.where(unknown, np.concatenate([part[:first], mine]), part) for part, mine in zip(
        (market.values, market.lower, market.upper), found, strict=True))  # fmt: skip
    return Market(market.start, step, values, unknown & ~np.isnan(values), lower, upper)


def published_between(store: Store, channel: Channel, window: Window, now: datetime) -> Market:
    """Return what is published of a price over a window, widened to whole intervals; NaN where nothing is."""
    step = channel.resolution
    start = floor(window.start, step)
    wide = Window(start, start + -(-(window.end - start) // step) * step)
    return Market.published(start, step, _per_kwh(channel) * on_grid(store, channel, wide, now))


def on_grid(store: Store, channel: Channel, window: Window, now: datetime) -> Array:
    """Return the trusted readings of each interval of a window, NaN where there is none."""
    rows = pl.DataFrame(store.read([channel.id], window, now)).filter(is_trusted()).drop_nulls("value")
    values = np.full((window.end - window.start) // channel.resolution, np.nan)
    step = channel.resolution // _MICROSECOND
    since = (rows["time"] - window.start).dt.total_microseconds().to_numpy()
    place = since // step
    inside = (since % step == 0) & (place >= 0) & (place < len(values))
    values[place[inside]] = rows["value"].to_numpy()[inside]
    return values


def on_steps(values: Array, start: datetime, resolution: timedelta, window: Window, step: timedelta) -> Array:
    """Return the mean over each step of a window of values that hold for intervals; NaN where a part is not known.

    Args:
        values: of intervals; NaN: not known.
        start: of the first interval.
        resolution: length of an interval.
        window: a whole number of steps.
        step: of the answer.
    """
    is_known = ~np.isnan(values)
    edges = np.arange(len(values) + 1) * (resolution / step)
    asked = (window.start - start) / step + np.arange((window.end - window.start) // step + 1)
    sums, known = (
        np.diff(np.interp(asked, edges, np.concatenate([[0.0], np.cumsum(each)]) * (resolution / step)))
        for each in (np.where(is_known, values, 0.0), is_known)
    )
    return np.where(known > 1.0 - _TOLERANCE, sums, np.nan)


def _forecast(
    store: Store, registry: ModelRegistry, channel: Channel, span: Window, now: datetime
) -> tuple[Array, Array, Array]:
    """Return the median of a price and the ends of its 90 % band; raises NotEnoughHistory where nothing can be."""
    context = find_context(store, (), channel.id)
    asked = asked_of(store, context, span, now)
    history = recall(store, context, span, now)
    similar = partial(history_beside, store, context, span, now)
    answer = answer_with_fallback(history, asked, registry=registry, similar=similar)
    rows = pl.DataFrame(answer.values).filter(pl.col("level").is_in(_LEVELS))
    wide = rows.pivot(on="level", on_columns=_LEVELS, index="time", values="value").sort("time")
    times = pl.DataFrame({"time": asked["time"]}).join(wide, on="time", how="left", maintain_order="left")
    lower, median, upper = (_per_kwh(channel) * times[str(level)].to_numpy() for level in _LEVELS)
    return median, lower, upper


def _per_kwh(channel: Channel) -> float:
    factor, _offset = conversion(channel.unit, Unit.CURRENCY_PER_KWH)
    return factor
