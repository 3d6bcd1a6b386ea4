"""What is published before its time, such as the prices of tomorrow, and forecasts of what comes after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import INSTANT, Forecasts

if TYPE_CHECKING:
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.ports import Store


def told_until(store: Store, channel: Channel, now: datetime) -> datetime:
    """Return up to when a channel is known at most: to the present, or of prices to the end of those published."""
    span = store.spans().get(channel.id) if channel.is_told_ahead else None
    return now if span is None else max(now, span[1] + channel.resolution)


def issued_by(values: dy.DataFrame[Forecasts], now: datetime) -> dy.DataFrame[Forecasts]:
    """Return forecasts as made now at the latest: of what is published ahead, models are asked as at its end."""
    return Forecasts.cast(values.with_columns(issued_at=pl.min_horizontal("issued_at", pl.lit(now).cast(INSTANT))))
