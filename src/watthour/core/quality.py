"""Doubt about readings: the raw value stays, and a flag says why it is not believed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import Forecasts, Quality, Readings

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

    from watthour.core.channel import Channel

# New York and PJM never repeat an hour more than twice in a row, ISO New England thrice.
FROZEN_AFTER = timedelta(hours=6)
_FEWEST_EQUAL = 6


def is_trusted(column: str = "quality") -> pl.Expr:
    """Return an expression that is true where a value carries no flag of doubt.

    >>> pl.select(pl.lit(int(Quality.ASSUMED)).alias("quality")).filter(is_trusted()).height
    1
    """
    return (pl.col(column) & int(Quality.DOUBTED)) == 0


def flag(
    readings: dy.DataFrame[Readings], channels: Iterable[Channel], before: dy.DataFrame[Readings] | None = None
) -> dy.DataFrame[Readings]:
    """Add quality flags to readings that cannot be right; no value is changed.

    Args:
        readings: of any of the channels; one version per interval.
        channels: what their values can be.
        before: what is already known of the intervals just before, so that a value frozen across two fetches shows.
    """
    limits = pl.DataFrame(
        [
            (
                channel.id,
                channel.limits.low,
                channel.limits.high,
                channel.limits.is_never_constant,
                _equal_in_a_row(channel),
            )
            for channel in channels
        ],
        schema={
            "channel": pl.String,
            "low": pl.Float64,
            "high": pl.Float64,
            "varies": pl.Boolean,
            "equal_in_a_row": pl.Int64,
        },
        orient="row",
    )
    marked = pl.concat(
        [
            *([before.select(Readings.column_names(), is_new=pl.lit(value=False))] if before is not None else []),
            readings.select(Readings.column_names(), is_new=pl.lit(value=True)),
        ]
    ).sort("channel", "time", "available_at")
    run = pl.struct("channel", "value").rle_id()
    is_zero = pl.col("varies") & (pl.col("value") == 0)
    repeats = pl.col("value").is_not_null() & (pl.len().over(run) >= pl.col("equal_in_a_row"))
    is_frozen = pl.col("varies") & repeats & ~is_zero
    is_outside = ((pl.col("value") < pl.col("low")) | (pl.col("value") > pl.col("high"))) & ~is_zero
    flagged = marked.join(limits, on="channel", how="left", maintain_order="left").with_columns(
        quality=(
            pl.col("quality")
            | _when(is_zero, Quality.ZERO)
            | _when(is_frozen, Quality.FROZEN)
            | _when(is_outside, Quality.OUT_OF_RANGE)
        ).cast(pl.Int16)
    )
    return Readings.cast(flagged.filter("is_new").select(Readings.column_names()))


def flag_forecasts(forecasts: dy.DataFrame[Forecasts], channels: Iterable[Channel]) -> dy.DataFrame[Forecasts]:
    """Doubt forecasts of zero where zero cannot be: whoever forecasts no load at all has not forecast."""
    never_zero = [channel.id for channel in channels if channel.limits.is_never_constant]
    is_zero = pl.col("channel").is_in(never_zero) & (pl.col("value") == 0)
    quality = (pl.col("quality") | _when(is_zero, Quality.ZERO)).cast(pl.Int16)
    return Forecasts.cast(forecasts.with_columns(quality=quality))


def _when(doubt: pl.Expr, quality: Quality) -> pl.Expr:
    return pl.when(doubt.fill_null(value=False)).then(int(quality)).otherwise(0)


def look_back(channels: Iterable[Channel]) -> timedelta:
    """Return how far before a delivery a frozen value may have begun."""
    return max((_equal_in_a_row(channel) * channel.resolution for channel in channels), default=FROZEN_AFTER)


def _equal_in_a_row(channel: Channel) -> int:
    """Return how many equal values in a row are doubted."""
    return max(_FEWEST_EQUAL, -(-FROZEN_AFTER // channel.resolution))
