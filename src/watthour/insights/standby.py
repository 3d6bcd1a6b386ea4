"""The load that never goes away: what a home draws while everybody sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.window import HOUR
from watthour.insights.load import Load, Unknown, median, median_span, quantile

if TYPE_CHECKING:
    from datetime import date

NIGHT = (1.0, 5.0)  # local clock [h]
FEWEST_NIGHTS = 7
_KNOWN_SHARE = 0.75  # of a night
_LOW = 0.1  # quantile within a night: a fridge rests more than a tenth of the time
_FINE = timedelta(minutes=15)  # steps that are short enough to see a fridge rest
_YEAR_HOURS = 8766.0


@dataclass(frozen=True, slots=True)
class Standby:
    """The least that is drawn around the clock."""

    power_w: float
    low_w: float  # 95 % interval of the median over the nights
    high_w: float
    share: float | None  # of all energy that was used in the same days; None: none was, or some was fed in
    kwh_per_year: float
    n_nights: int
    first_day: date
    last_day: date
    holds_cycling: bool  # intervals are so long that devices that cycle, such as a fridge, are in it with their mean


def standby(load: Load) -> Standby | Unknown:
    """Return the median over the nights of the lowest tenth of the powers between 01:00 and 05:00, local.

    The low quantile within a night leaves out what runs for a part of it; the median over nights what ran all of one.
    What is drawn around the clock is not more than the mean of the rest of the day, unless something feeds in then.
    """
    if load.step > HOUR:
        return Unknown("no readings in steps of an hour or shorter are known", "Add a channel in such steps.")
    begin, end = NIGHT
    expected = (end - begin) * (HOUR / load.step)
    nights = (
        load.table.filter(pl.col("clock") >= begin, pl.col("clock") < end)
        .drop_nulls("power_w")
        .group_by("day")
        .agg(pl.col("power_w"))
        .filter(pl.col("power_w").list.len() >= _KNOWN_SHARE * expected)
        .sort("day")
    )
    if nights.height < FEWEST_NIGHTS:
        return Unknown(
            f"{nights.height} nights are known, and {FEWEST_NIGHTS} are needed", "Wait, or import older readings."
        )
    lows = nights["power_w"].map_elements(
        lambda powers: float(quantile(powers.to_numpy().reshape(-1, 1), _LOW)[0]), return_dtype=pl.Float64
    )
    least = lows.to_numpy()
    power = median(least)
    mean = load.table["power_w"].mean()
    feeds_in = bool((load.table["power_w"] < 0).any())
    by_day = load.table.filter(~pl.col("clock").is_between(begin, end, closed="left"))["power_w"].mean()
    if not feeds_in and isinstance(by_day, float) and power > by_day:
        return Unknown(
            f"it draws {power:.0f} W all night, more than the {by_day:.0f} W of the rest of the day, "
            "so nights do not tell what is always on",
            "Connect a meter or plug to what runs at night, such as a car charger or a boiler; it is told by itself.",
        )
    days = nights["day"].to_list()
    return Standby(
        power,
        *median_span(least),
        share=power / mean if isinstance(mean, float) and mean > 0 and not feeds_in else None,
        kwh_per_year=power * _YEAR_HOURS / 1000,
        n_nights=nights.height,
        first_day=days[0],
        last_day=days[-1],
        holds_cycling=load.step > _FINE,
    )
