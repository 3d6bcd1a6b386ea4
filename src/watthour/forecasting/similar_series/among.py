"""Which series of a table are short, and the long ones beside them that may be similar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import polars as pl

from watthour.core.forecast import SimilarChannel
from watthour.core.frames import Readings
from watthour.core.window import DAY
from watthour.forecasting.similar_series.learning import FEWEST_OTHERS
from watthour.forecasting.similar_series.model import MOST_OTHERS, SEEN_DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

    from watthour.core.forecast import History

LONG_DAYS = 84  # of a past that helps others; in a table a shorter one is helped
ENDED_DAYS = 56  # without a value: too little of the last ``LONG_DAYS`` is known to help others


def with_similar(pasts: Mapping[str, History], *, even_long: bool = False) -> dict[str, History]:
    """Return histories by name, the short ones of them with what is known of the long ones beside them.

    Steps of a day or longer are left as they are, and so is everything where too few series are long.

    Args:
        pasts: what is known of each series.
        even_long: also where a past is long.
    """
    spans = {name: span_of(past) for name, past in pasts.items()}
    long = sorted((name for name in pasts if spans[name] >= LONG_DAYS * DAY), key=lambda name: -spans[name])
    if len(long) < FEWEST_OTHERS or any(past.context.resolution >= DAY for past in pasts.values()):
        return dict(pasts)
    helped = [name for name in pasts if (even_long or name not in long) and not pasts[name].context.similar]
    found = dict(pasts)
    for name in helped:
        since = pasts[name].as_of - ENDED_DAYS * DAY
        others = [other for other in long if other != name and _last_of(pasts[other], since) > since][:MOST_OTHERS]
        found[name] = beside(pasts[name], {other: pasts[other] for other in others})
    return found


def beside(past: History, others: Mapping[str, History]) -> History:
    """Return what is known of a series with what is known of others, by their names in words."""
    similar = tuple(SimilarChannel(other.context.channel.id, name) for name, other in others.items())
    since = past.as_of - SEEN_DAYS * DAY
    rows = [
        other.readings.filter(pl.col("channel") == other.context.channel.id, pl.col("time") >= since)
        for other in others.values()
    ]
    return replace(
        past,
        context=replace(past.context, similar=similar),
        readings=Readings.cast(pl.concat([past.readings, *rows])),
    )


def as_fitted(past: History, pasts: Mapping[str, History], channels: Collection[str]) -> History:
    """Return what is known of a series with what is known of the channels its model takes for similar."""
    if not channels or past.context.similar:
        return past
    return beside(past, {name: other for name, other in pasts.items() if other.context.channel.id in channels})


def span_of(past: History) -> timedelta:
    """Return the time from the first known value of a series to its end."""
    mine = past.readings.filter(pl.col("channel") == past.context.channel.id, pl.col("value").is_not_null())
    first = cast("datetime | None", mine["time"].min())
    return past.as_of - (first or past.as_of)


def _last_of(past: History, otherwise: datetime) -> datetime:
    """Return the time of the last known value of a series."""
    mine = past.readings.filter(pl.col("channel") == past.context.channel.id, pl.col("value").is_not_null())
    return cast("datetime | None", mine["time"].max()) or otherwise
