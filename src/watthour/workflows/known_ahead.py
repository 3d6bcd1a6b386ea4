"""What is published before its time, such as the prices of tomorrow, and forecasts of what comes after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import INSTANT, Forecasts
from watthour.core.quality import is_trusted
from watthour.core.window import Window

if TYPE_CHECKING:
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.ports import Store


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


def issued_by(values: dy.DataFrame[Forecasts], now: datetime) -> dy.DataFrame[Forecasts]:
    """Return forecasts as made now at the latest: of what is published ahead, models are asked as at its end."""
    return Forecasts.cast(values.with_columns(issued_at=pl.min_horizontal("issued_at", pl.lit(now).cast(INSTANT))))
