"""Weather of days as it was known at each request."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.weather import DAILY, POSSIBLE_C
from watthour.forecasting.calendar import day_starts
from watthour.forecasting.gaussian_process.history import KnownChannels
from watthour.forecasting.panel import mean_known
from watthour.forecasting.vintages import HOUR_US

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.local_days import DayRequests, Mask
    from watthour.forecasting.gaussian_process.points import CovariatePoint
    from watthour.forecasting.vintages import Array, Instants

LAGS = 5  # the day itself and the four days before it
EXTREMES = tuple(DAILY)  # highest and lowest temperature, then highest and lowest wet bulb
VARIABLES = (*EXTREMES, "temperature_2m", "relative_humidity_2m", "dew_point_2m")
_HOURS = 24
_FEWEST_HOURS = 6  # of a day; three-hourly weather models give eight
_FURTHEST_FROM_OTHERS_C = 19.4  # a point that differs more from the median of all points is misread
_YEAR = 365


class WeatherLevel(IntEnum):
    """How much of the weather of a day is known; its value is how many of ``EXTREMES`` count."""

    NONE = 0
    TEMPERATURE = 2  # but no humidity
    ALL = 4


def day_weather(history: History, points: Sequence[CovariatePoint], requests: DayRequests) -> Array:
    """Return the weather known at each request, (requests, points, LAGS, 4 extremes) [degC]; NaN where unknown.

    A day's weather is what was measured where that was known at the issue time, else its latest forecast. All points
    are of one feed.
    """
    days = requests.day[:, None] - np.arange(LAGS)
    if not points:
        return np.empty((len(requests.day), 0, LAGS, len(EXTREMES)))
    starts = day_starts(days.reshape(-1), history.context.time_zone).reshape(days.shape)
    known = KnownChannels.of(
        history, [channel for point in points for channel in point.channels.values()], feed=points[0].feed
    )
    found = [_at_point(known, point.channels, starts, requests) for point in points]
    return _without_misreadings(np.stack(found, axis=1))


def points_filled(weather: Array, offsets: Array) -> Array:
    """Fill single points from the others that are known.

    Args:
        weather: (requests, points, LAGS, 4) [degC].
        offsets: how far each point usually is from the mean of all, (requests, points, 4) [K].
    """
    centre = mean_known(weather, axis=1)
    return np.where(np.isfinite(weather), weather, centre[:, None] + offsets[:, :, None])


def days_before_filled(weather: Array) -> Array:
    """Fill days before from the day after them; weather is (requests, points, LAGS, 4) [degC]."""
    whole = weather.copy()
    for lag in range(1, LAGS):
        whole[:, :, lag] = np.where(np.isfinite(whole[:, :, lag]), whole[:, :, lag], whole[:, :, lag - 1])
    return whole


def estimates(weather: Array) -> tuple[Mask, Mask]:
    """Return which requests have weather that is estimated: of single points, of days before; (requests,) each.

    Only temperatures are looked at, and requests whose own day nobody forecast have neither.

    Args:
        weather: (requests, points, LAGS, 4) [degC], not filled.
    """
    known = np.asarray(np.isfinite(weather[..., : WeatherLevel.TEMPERATURE]).all(axis=-1))
    some = np.asarray(known.any(axis=1))
    has_day = some[:, 0]
    has_points, has_days = (np.asarray(each.all(axis=1)) for each in (known[:, :, 0], some[:, 1:]))
    return has_day & ~has_points, has_day & ~has_days


def running_offsets(weather: Array) -> Array:
    """Return each point's mean difference from all points over the first 0, 1, .. n requests, (n + 1, points, 4) [K].

    Zero where it was never known.
    """
    away = (weather - mean_known(weather, axis=1)[:, None])[:, :, 0]
    known = np.isfinite(away)
    total, count = (np.cumsum(each, axis=0) for each in (np.where(known, away, 0.0), known))
    none = np.zeros((1, *away.shape[1:]))
    return np.concatenate([none, np.where(count > 0, total / np.maximum(count, 1), 0.0)])


def points_reporting(weather: Array) -> Mask:
    """Return which points to use: known on half of the days with any weather, and some still known in the last year.

    Weather is (requests, points, LAGS, 4) in order of time, the answer (points,).

    Known is a point whose temperatures are. Where none of those reports any more, the sources have changed and the
    last year alone decides.
    """
    known = np.asarray(np.isfinite(weather[:, :, 0, : WeatherLevel.TEMPERATURE]).all(axis=-1), dtype=np.float64)
    some = known.max(axis=1, initial=0)
    known, some = known[some > 0], some[some > 0]  # a provider that ended is judged by the days it reported
    overall, lately = (known[-span:].sum(axis=0) >= max(some[-span:].sum() / 2, 1) for span in (len(known), _YEAR))
    return np.asarray(overall if (overall & lately).any() else lately, dtype=np.bool_)


def levels_known(weather: Array) -> Instants:
    """Return how much of the filled weather of each request is known at every point, as ``WeatherLevel``.

    Weather is (requests, points, LAGS, 4), the answer (requests,).
    """
    level = np.zeros(len(weather), dtype=np.int64)
    if weather.shape[1]:
        for each in (WeatherLevel.TEMPERATURE, WeatherLevel.ALL):
            level[np.isfinite(weather[..., :each]).all(axis=(1, 2, 3))] = each
    return level


def wet_bulb(temperature: Array, humidity: Array) -> Array:
    """Return the wet-bulb temperature [degC] from air temperature [degC] and relative humidity [%].

    Any shape.

    Valid for 5 to 99 % and -20 to 50 degC at sea level.
    Source: Stull, J. Appl. Meteor. Climatol. 50 (2011), doi:10.1175/JAMC-D-11-0143.1.
    """
    humidity = np.clip(humidity, 5, 99)
    return np.asarray(
        temperature * np.arctan(0.151977 * np.sqrt(humidity + 8.313659))
        + np.arctan(temperature + humidity)
        - np.arctan(humidity - 1.676331)
        + 0.00391838 * humidity**1.5 * np.arctan(0.023101 * humidity)
        - 4.686035
    )


def relative_humidity(temperature: Array, dew_point: Array) -> Array:
    """Return relative humidity [%] from temperature and dew point [degC], by the Magnus formula.

    Any shape.

    Source: Alduchov and Eskridge, J. Appl. Meteor. 35 (1996), equation 25.
    """
    vapour, saturated = (np.exp(17.625 * celsius / (243.04 + celsius)) for celsius in (dew_point, temperature))
    return np.asarray(100 * vapour / saturated)


def _at_point(known: KnownChannels, channels: dict[str, str], starts: Instants, requests: DayRequests) -> Array:
    """Return the extremes of days that start at instants, (requests, LAGS), at one point, (requests, LAGS, 4)."""
    extremes = np.full((*starts.shape, len(EXTREMES)), np.nan)
    for number, name in enumerate(EXTREMES):
        if name in channels:
            extremes[..., number] = known.latest(channels[name], starts, requests.issued[:, None])
    if "temperature_2m" in channels and np.isnan(extremes).any():
        extremes = np.where(np.isfinite(extremes), extremes, _from_hours(known, channels, starts, requests))
    return extremes


def _from_hours(known: KnownChannels, channels: dict[str, str], starts: Instants, requests: DayRequests) -> Array:
    first = -(-starts // HOUR_US) * HOUR_US  # weather stands at full hours of UTC; days of India begin in between
    times = first[..., None] + np.arange(_HOURS) * HOUR_US
    at = requests.issued[:, None, None]

    def hourly(variable: str) -> Array:
        return known.latest(channels.get(variable, ""), times, at)

    temperature, humidity = hourly("temperature_2m"), hourly("relative_humidity_2m")
    if np.isnan(humidity).any():
        humidity = np.where(np.isfinite(humidity), humidity, relative_humidity(temperature, hourly("dew_point_2m")))
    extremes = []
    for values in (temperature, wet_bulb(temperature, humidity)):
        there = np.isfinite(values)
        enough = there.sum(axis=-1) >= _FEWEST_HOURS
        extremes += [
            np.where(enough, np.where(there, values, -np.inf).max(axis=-1), np.nan),
            np.where(enough, np.where(there, values, np.inf).min(axis=-1), np.nan),
        ]
    return np.stack(extremes, axis=-1)


def _without_misreadings(weather: Array) -> Array:
    weather = np.where((weather < POSSIBLE_C[0]) | (weather > POSSIBLE_C[1]), np.nan, weather)
    # The median of all points; unknown points sort last and are left out of the count.
    ordered = np.sort(weather, axis=1)
    count = np.isfinite(weather).sum(axis=1, keepdims=True)
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0), axis=1)
    return np.where(np.abs(weather - middle) > _FURTHEST_FROM_OTHERS_C, np.nan, weather)
