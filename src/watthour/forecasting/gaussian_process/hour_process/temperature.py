"""Temperature around each day as it was known at an instant, and what the load of each hour depends on of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from watthour.core.weather import POSSIBLE_C
from watthour.forecasting.gaussian_process.local_days import DayGrid
from watthour.forecasting.gaussian_process.points import CovariatePoint, points_of
from watthour.forecasting.vintages import (
    HOUR_US,
    Vintages,
    forecast_vintages_by_channel,
    measurement_vintages_by_channel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.forecast import Context, History
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

HOURS = 24
BEFORE, AFTER = 7, 1  # days of temperature around a day that its load depends on
SPAN = BEFORE + 1 + AFTER
VARIABLE = "temperature_2m"
DEGREES = 10 / 1.8  # one unit of distance in the kernel is 10 degF [degC]
N_FEATURES = 13
_FEWEST_HOURS = 18  # of the day itself
_HOTTEST_C = 60.0  # never measured in the shade on Earth
_NAMES = (
    *("temperature", "airtemperature", "outdoortemperature", "outsidetemperature", "ambienttemperature"),
    *("temp", "airtemp", "outdoortemp", "outsidetemp", "ambienttemp", "temperature2m", "drybulb", "drybulbtemperature"),
)


@dataclass(frozen=True, slots=True)
class Thermometers:
    """Where temperature is known, the share of the load there, and in what unit; without any, days have none."""

    points: tuple[CovariatePoint, ...]
    is_fahrenheit: bool = False

    @classmethod
    def of(cls, history: History) -> Self:
        """Return the points with a temperature, by its own name or else by one that says so.

        A table's column of any such name may be in degF: it is, if it ever was warmer than any place on Earth in degC.
        """
        variables = temperature_of(history.context)
        points = points_of(history.context, variables)
        if VARIABLE in variables:
            return cls(points)
        channels = [channel for point in points for channel in point.channels.values()]
        warmest = history.readings.filter(pl.col("channel").is_in(channels))["value"].max()
        return cls(points, isinstance(warmest, float) and warmest > _HOTTEST_C)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"points": [point.as_json() for point in self.points], "is_fahrenheit": self.is_fahrenheit}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Build it again."""
        return cls(tuple(CovariatePoint.from_json(point) for point in kept["points"]), kept["is_fahrenheit"])


def temperature_of(context: Context) -> tuple[str, ...]:
    """Return the variable of a context that is the temperature of the air, by its name; none if there is none."""
    variables = [each.variable for each in context.covariates]
    if VARIABLE in variables:
        return (VARIABLE,)
    plain = {each: each.lower().replace("_", "").replace(" ", "") for each in variables}
    return tuple(each for each in variables if plain[each] in _NAMES)[:1]


def windows(history: History, thermometers: Thermometers, days: Instants, at: Instants, known_until: Instants) -> Array:
    """Return ``windows_as_known``, ``filled``; arguments as there."""
    return filled(windows_as_known(history, thermometers, days, at, known_until))


def windows_as_known(
    history: History, thermometers: Thermometers, days: Instants, at: Instants, known_until: Instants
) -> Array:
    """Return the temperature from BEFORE days before each day to AFTER days after it, (n, 9, 24 clock hours) [degC].

    The mean over the weather points that are known, by their weights. Where measured and known it is the measurement,
    else the latest forecast or fact known in advance, else NaN.

    Args:
        history: what was known.
        thermometers: where temperature is known; all is zero without any.
        days: local days, (n,).
        at: the instant of which the knowledge is, (n,).
        known_until: measurements count only where their hour ended by then, (n,).
    """
    around = days[:, None] + np.arange(-BEFORE, AFTER + 1)
    if not len(days) or not thermometers.points:
        return np.zeros((len(days), SPAN, HOURS))
    first, last = int(around.min()), int(around.max())
    grid = DayGrid(history.context.time_zone, HOUR_US)
    times, clock = grid.slots(np.arange(first, last + 1))
    asked = times[around - first]
    mean = temperatures(history, thermometers, asked, at[:, None, None], known_until[:, None, None])
    return grid.by_clock(mean, clock[around - first])


def temperatures(
    history: History, thermometers: Thermometers, times: Instants, at: Instants, known_until: Instants
) -> Array:
    """Return the mean of the points that are known of hours, as known at instants, in the shape of all; NaN if none is.

    Args:
        history: what was known.
        thermometers: where temperature is known.
        times: starts of hours.
        at: the instant of which the knowledge is.
        known_until: measurements count only where their hour ended by then.
    """
    shape = np.broadcast_shapes(times.shape, at.shape)
    total, weight = np.zeros(shape), np.zeros(shape)
    channels = [next(iter(point.channels.values())) for point in thermometers.points]
    nothing = Vintages.of(history.readings.clear())
    measurements, forecasts = (
        look_up(history, channels) for look_up in (measurement_vintages_by_channel, forecast_vintages_by_channel)
    )
    for point, channel in zip(thermometers.points, channels, strict=True):
        measured = measurements.get(channel, nothing).known(times, at)
        measured = np.where(times + HOUR_US > known_until, np.nan, measured)
        values = np.where(np.isfinite(measured), measured, forecasts.get(channel, nothing).between(times, at))
        if thermometers.is_fahrenheit:
            values = (values - 32) / 1.8
        known = (values > POSSIBLE_C[0]) & (values < POSSIBLE_C[1])
        total += np.where(known, point.weight * values, 0)
        weight += np.where(known, point.weight, 0)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1), np.nan)


def temperature_features(window: Array) -> Array:
    """Return what the load of each hour depends on of the temperature around it, (n, 24, N_FEATURES).

    Means of now, 2-5, 6-23, 24-47, 48-95 and 96-167 hours ago; how much warmer it will be in 1-3 and 4-8 hours; the
    range of the day and of the last 24 hours; the day's lowest and its afternoon against now; the last hour's change.
    """
    n = len(window)
    flat = window.reshape(n, SPAN * HOURS)
    sums = np.concatenate([np.zeros((n, 1)), np.cumsum(flat, axis=1)], axis=1)
    hour = BEFORE * HOURS + np.arange(HOURS)

    def ago(nearest: int, end: int) -> Array:
        return np.asarray((sums[:, hour - nearest + 1] - sums[:, hour - end + 1]) / (end - nearest))

    def ahead(nearest: int, end: int) -> Array:
        return np.asarray((sums[:, hour + end] - sums[:, hour + nearest]) / (end - nearest))

    def all_day(values: Array) -> Array:
        return np.repeat(values[:, None], HOURS, axis=1)

    now, day = ago(0, 2), window[:, BEFORE]
    trailing = np.lib.stride_tricks.sliding_window_view(flat, HOURS, axis=1)[:, hour - HOURS + 1]
    columns = [
        now,
        ago(2, 6),
        ago(6, 24),
        ago(24, 48),
        ago(48, 96),
        ahead(1, 4) - now,
        all_day(day.max(axis=1) - day.min(axis=1)),
        ago(96, 168),
        trailing.max(axis=2) - trailing.min(axis=2),
        ahead(4, 9) - now,
        all_day(day.min(axis=1)) - now,
        flat[:, hour] - flat[:, hour - 1],
        all_day(day[:, 10:17].mean(axis=1)) - now,
    ]
    return np.stack(columns, axis=2) / DEGREES


def has_temperature(window: Array) -> Mask:
    """Return which days have a temperature, (n,)."""
    return np.asarray(np.isfinite(window).all(axis=(1, 2)), dtype=np.bool_)


def answerable_hours(window: Array) -> Mask:
    """Return the hours of days that can be forecast, (n, 24): all if most are known, else up to the last known one.

    The end of a horizon may lie in the morning of its last day.
    """
    known = np.isfinite(window[:, BEFORE])
    is_between = np.logical_or.accumulate(known, axis=1) & np.logical_or.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(is_between | (known.sum(axis=1) >= _FEWEST_HOURS)[:, None], dtype=np.bool_)


def filled(window: Array, *, fewest_hours: int = _FEWEST_HOURS) -> Array:
    """Return windows, (n, 9, 24), without gaps; NaN throughout where too few hours of the day itself are known.

    What is unknown after it is estimated by the last known value, and what is unknown before it by that of the same
    hour of the day after.
    """
    known = np.isfinite(window[:, BEFORE]).sum(axis=1) >= fewest_hours
    window = np.where(known[:, None, None], window, np.nan)
    flat = window.reshape(len(window), SPAN * HOURS)
    for hour in range(BEFORE * HOURS + 1, flat.shape[1]):
        flat[:, hour] = np.where(np.isfinite(flat[:, hour]), flat[:, hour], flat[:, hour - 1])
    for hour in range((BEFORE + 1) * HOURS - 2, BEFORE * HOURS - 1, -1):  # a day whose first hours are unknown
        flat[:, hour] = np.where(np.isfinite(flat[:, hour]), flat[:, hour], flat[:, hour + 1])
    for hour in range(BEFORE * HOURS - 1, -1, -1):
        flat[:, hour] = np.where(np.isfinite(flat[:, hour]), flat[:, hour], flat[:, hour + HOURS])
    return flat.reshape(window.shape)
