"""Temperature around each day as it was known at an instant, and what the load of each hour depends on of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.weather import POSSIBLE_C
from watthour.forecasting.gaussian_process.local_days import DayGrid
from watthour.forecasting.vintages import (
    HOUR_US,
    Vintages,
    forecast_vintages_by_channel,
    measurement_vintages_by_channel,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.gaussian_process.points import CovariatePoint
    from watthour.forecasting.vintages import Array, Instants

HOURS = 24
BEFORE, AFTER = 7, 1  # days of temperature around a day that its load depends on
SPAN = BEFORE + 1 + AFTER
VARIABLE = "temperature_2m"
DEGREES = 10 / 1.8  # one unit of distance in the kernel is 10 degF [degC]
N_FEATURES = 13
_FEWEST_HOURS = 18  # of the day itself


def windows(
    history: History, points: Sequence[CovariatePoint], days: Instants, at: Instants, known_until: Instants
) -> Array:
    """Return the temperature from BEFORE days before each day to AFTER days after it, (n, 9, 24 clock hours) [degC].

    The mean over the weather points that are known, by their weights. Where measured and known it is the measurement,
    else the latest forecast or fact known in advance. A day that is itself unknown is NaN throughout; around a known
    one, what is unknown after it is estimated by the last known value, and what is unknown before it by that of the
    same hour of the day after.

    Args:
        history: what was known.
        points: where temperature is known, and the share of the load there.
        days: local days, (n,).
        at: the instant of which the knowledge is, (n,).
        known_until: measurements count only where their hour ended by then, (n,).
    """
    around = days[:, None] + np.arange(-BEFORE, AFTER + 1)
    if not len(days):
        return np.empty((0, SPAN, HOURS))
    first, last = int(around.min()), int(around.max())
    grid = DayGrid(history.context.time_zone, HOUR_US)
    times, clock = grid.slots(np.arange(first, last + 1))
    asked = times[around - first]
    total, weight = np.zeros(asked.shape), np.zeros(asked.shape)
    channels, nothing = [point.channels[VARIABLE] for point in points], Vintages.of(history.readings.clear())
    measurements, forecasts = (
        look_up(history, channels) for look_up in (measurement_vintages_by_channel, forecast_vintages_by_channel)
    )
    for point, channel in zip(points, channels, strict=True):
        measured = measurements.get(channel, nothing).known(asked, at[:, None, None])
        measured[asked + HOUR_US > known_until[:, None, None]] = np.nan
        values = np.where(
            np.isfinite(measured), measured, forecasts.get(channel, nothing).between(asked, at[:, None, None])
        )
        known = (values > POSSIBLE_C[0]) & (values < POSSIBLE_C[1])
        total += np.where(known, point.weight * values, 0)
        weight += np.where(known, point.weight, 0)
    mean = np.where(weight > 0, total / np.where(weight > 0, weight, 1), np.nan)
    return _filled(grid.by_clock(mean, clock[around - first]))


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


def _filled(window: Array) -> Array:
    known = np.isfinite(window[:, BEFORE]).sum(axis=1) >= _FEWEST_HOURS
    window = np.where(known[:, None, None], window, np.nan)
    flat = window.reshape(len(window), SPAN * HOURS)
    for hour in range(BEFORE * HOURS + 1, flat.shape[1]):
        flat[:, hour] = np.where(np.isfinite(flat[:, hour]), flat[:, hour], flat[:, hour - 1])
    for hour in range((BEFORE + 1) * HOURS - 2, BEFORE * HOURS - 1, -1):  # a day whose first hours are unknown
        flat[:, hour] = np.where(np.isfinite(flat[:, hour]), flat[:, hour], flat[:, hour + 1])
    for hour in range(BEFORE * HOURS - 1, -1, -1):
        flat[:, hour] = np.where(np.isfinite(flat[:, hour]), flat[:, hour], flat[:, hour + HOURS])
    return flat.reshape(window.shape)
