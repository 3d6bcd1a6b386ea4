"""Doubt about readings: the raw value stays, and a flag says why it is not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import SiteKind
from watthour.core.frames import Quality, Readings
from watthour.core.region import regions
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import dataframely as dy

    from watthour.core.channel import Channel, Site

FROZEN_AFTER = 6  # equal hours in a row; New York and PJM never repeat more than twice, ISO New England thrice
HOME_PEAK_KW = 100.0  # a 400 A service at 240 V; no home draws more
# Low and high of what a thermometer, hygrometer, ... near cities has ever shown. Source: WMO extremes archive, widened.
_WEATHER_RANGE: dict[Quantity, tuple[float, float]] = {
    Quantity.TEMPERATURE: (-70.0, 65.0),
    Quantity.HUMIDITY: (0.0, 101.0),
    Quantity.PRECIPITATION: (0.0, 320.0),
    Quantity.SNOWFALL: (0.0, 100.0),
    Quantity.CLOUD_COVER: (0.0, 100.0),
    Quantity.WIND_SPEED: (0.0, 115.0),
    Quantity.PRESSURE: (500.0, 1090.0),
    Quantity.IRRADIANCE: (0.0, 1500.0),
}


def flag(
    readings: dy.DataFrame[Readings],
    channels: Iterable[Channel],
    sites: Iterable[Site],
    before: dy.DataFrame[Readings] | None = None,
) -> dy.DataFrame[Readings]:
    """Add quality flags to readings that cannot be right; no value is changed.

    Args:
        readings: of any of the channels; one version per interval.
        channels: their quantities, units and resolutions.
        sites: where they are; a region's known peak bounds its demand.
        before: what is already known of the intervals just before, so that a value frozen across two fetches shows.
    """
    bounds = _bounds(channels, {site.id: site for site in sites})
    limits = pl.DataFrame(
        [(channel, *limit) for channel, limit in bounds.items()],
        schema={"channel": pl.String, "low": pl.Float64, "high": pl.Float64, "zero": pl.Boolean},
        orient="row",
    )
    marked = pl.concat(
        [
            *([before.select(Readings.column_names(), is_new=pl.lit(value=False))] if before is not None else []),
            readings.select(Readings.column_names(), is_new=pl.lit(value=True)),
        ]
    ).sort("channel", "time", "available_at")
    run = pl.struct("channel", "value").rle_id()
    is_zero = pl.col("zero") & (pl.col("value") == 0)
    is_frozen = pl.col("zero") & (pl.len().over(run) >= FROZEN_AFTER) & pl.col("value").is_not_null() & ~is_zero
    is_outside = ~pl.col("value").is_between("low", "high") & ~is_zero
    flagged = marked.join(limits, on="channel", how="left", maintain_order="left").with_columns(
        quality=(
            pl.col("quality")
            | _when(is_zero, Quality.ZERO)
            | _when(is_frozen, Quality.FROZEN)
            | _when(is_outside, Quality.OUT_OF_RANGE)
        ).cast(pl.Int16)
    )
    return Readings.cast(flagged.filter("is_new").select(Readings.column_names()))


def _when(doubt: pl.Expr, quality: Quality) -> pl.Expr:
    return pl.when(doubt.fill_null(value=False)).then(int(quality)).otherwise(0)


def _bounds(channels: Iterable[Channel], sites: Mapping[str, Site]) -> dict[str, tuple[float, float, bool]]:
    """Return per channel its lowest and highest possible value, and whether zero is impossible."""
    peaks = {region.id: region.peak_mwh for region in regions()}
    bounds: dict[str, tuple[float, float, bool]] = {}
    for channel in channels:
        site = sites.get(channel.site)
        if channel.quantity in _WEATHER_RANGE:
            bounds[channel.id] = (*_WEATHER_RANGE[channel.quantity], False)
        elif channel.id.endswith(".demand"):
            peak = peaks.get(channel.site, float("inf"))
            # Nowhere does a region's load fall below a tenth of its peak: NYIS 35 %, the smallest utilities about 20 %.
            low = 0.1 * peak if peak < float("inf") else 0.0
            bounds[channel.id] = (low, peak, True)
        elif site is not None and site.kind == SiteKind.HOME:
            hours = channel.resolution.total_seconds() / 3600
            scale = {Unit.KW: 1.0, Unit.W: 1000.0, Unit.KWH: hours}.get(channel.unit)
            if scale is not None:
                bounds[channel.id] = (-HOME_PEAK_KW * scale, HOME_PEAK_KW * scale, False)
    return bounds
