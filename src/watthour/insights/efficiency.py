"""What can be said of a home's efficiency by its own past: no mark, no comparison with other homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.window import HOUR
from watthour.insights.load import Load, Unknown
from watthour.insights.weather import daily_means, degree_days

if TYPE_CHECKING:
    from watthour.insights.load import Array

DAYS = 28  # the recent time
FEWEST_RECENT, FEWEST_PAST = 14, 56  # known days
_KNOWN_SHARE = 0.9  # of a day
_BEYOND = 2.0  # [degC] by which recent days may leave the temperatures of the past


@dataclass(frozen=True, slots=True)
class AtSameTemperature:
    """The energy of recent days beside what the home's own past used on such days at such temperatures."""

    kwh_per_day: float
    expected_kwh_per_day: float
    change_percent: float
    low_percent: float  # 95 % interval of the change
    high_percent: float
    n_days: int
    n_past_days: int


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Figures that can be given without knowing anything but the home's own load."""

    kwh_per_day: float  # mean over the recent days
    load_factor: float | None  # mean over the highest hour of the recent days [-]
    base_load_share: float | None  # standby of all energy [-]; None: standby is not known
    against_past: AtSameTemperature | None
    against_past_problem: str | None  # why it cannot be told
    n_days: int


def efficiency(load: Load, temperature: pl.DataFrame | None, base_load_share: float | None) -> Efficiency | Unknown:
    """Return the figures of the last 28 known days.

    ``against_past`` fits the daily energy of the days before by a level, degrees below 15, degrees above 22 and days
    off (least squares), and compares the recent days with what that expects; its interval holds the scatter of days,
    widened where neighbouring days are alike.

    Args:
        load: of the whole home.
        temperature: ``time`` and ``value`` outdoors [degC]; None: it is not measured.
        base_load_share: of ``standby``.
    """
    days = _daily(load)
    if days.height < FEWEST_RECENT:
        return Unknown(
            f"{days.height} whole days are known, and {FEWEST_RECENT} are needed", "Wait, or import older readings."
        )
    recent = days.tail(DAYS)
    highest = recent["highest_w"].max()
    mean_w = float(recent["kwh"].sum()) * 1000 / (24 * recent.height)
    against, problem = _against_past(days, load.time_zone, temperature)
    return Efficiency(
        mean_w * 24 / 1000,
        mean_w / highest if isinstance(highest, float) and highest > 0 and load.step <= HOUR else None,
        base_load_share,
        against,
        problem,
        recent.height,
    )


def _daily(load: Load) -> pl.DataFrame:
    """Return the energy of the days that are known; small gaps count as the rest of their day."""
    expected = 24 * (HOUR / load.step)
    return (
        load.table.group_by("day")
        .agg(
            kwh=pl.col("power_w").mean() * 24 / 1000,
            highest_w=pl.col("power_w").max(),
            known=pl.col("power_w").count(),
            is_off=pl.col("is_off").first(),
        )
        .filter(pl.col("known") >= _KNOWN_SHARE * expected)
        .sort("day")
    )


def _against_past(
    days: pl.DataFrame, time_zone: str, temperature: pl.DataFrame | None
) -> tuple[AtSameTemperature | None, str | None]:
    if temperature is None or temperature.is_empty():
        return None, "the temperature outdoors is not known"
    known = days.join(daily_means(temperature, time_zone), on="day").sort("day")
    recent, past = known.tail(DAYS), known.head(max(known.height - DAYS, 0))
    if past.height < FEWEST_PAST:
        return (
            None,
            f"{past.height} days before the last {DAYS} are known with their temperature, {FEWEST_PAST} are needed",
        )
    low, high = past["degrees"].quantile(0.02), past["degrees"].quantile(0.98)
    middle = recent["degrees"].median()
    if not isinstance(middle, float) or low is None or high is None or not low - _BEYOND <= middle <= high + _BEYOND:
        return None, "the past was never as cold or as warm as the last days"
    columns, used = _columns(past), past["kwh"].to_numpy()
    weights, *_ = np.linalg.lstsq(columns, used, rcond=None)
    left = used - columns @ weights
    expected = float(np.mean(_columns(recent) @ weights))
    if expected <= 0:
        return None, "the past expects no use at all"
    measured = float(recent["kwh"].mean())  # type: ignore[arg-type]  # of numbers, and there are some
    alike = float(np.clip(np.corrcoef(left[:-1], left[1:])[0, 1], 0, 0.9)) if left.std() > 0 else 0.0
    error = left.std(ddof=columns.shape[1]) * np.sqrt((1 / recent.height + 1 / past.height) * (1 + alike) / (1 - alike))
    change, half = measured / expected - 1, 1.96 * error / expected
    lowest, highest = 100 * (change - half), 100 * (change + half)
    return AtSameTemperature(measured, expected, 100 * change, lowest, highest, recent.height, past.height), None


def _columns(days: pl.DataFrame) -> Array:
    degrees = days["degrees"].to_numpy()
    columns = [np.ones(len(degrees)), days["is_off"].to_numpy().astype(np.float64)]
    return np.column_stack([*columns, degree_days(degrees)])
