"""Loads, operator's forecasts and weather of days as they were known at each ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import day_starts
from watthour.forecasting.day_process.asks import HOURS, bridged, by_clock, hours_of
from watthour.forecasting.vintages import HOUR_US, forecast_vintages, measurement_vintages

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.day_process.asks import Asks, Mask
    from watthour.forecasting.vintages import Array, Instants

LAGS = 5  # the day itself and the four days before it
EXTREMES = ("temperature_max", "temperature_min", "wet_bulb_max", "wet_bulb_min")
_FEWEST_HOURS = 6  # of a day; three-hourly weather models give eight
_POSSIBLE_C = (-45.0, 50.0)
_FURTHEST_FROM_OTHERS_C = 19.4  # a place that differs more from the median of all places is misread
_YEAR = 365
_HALF_SATURATED = 50.0  # relative humidity where nothing is known of it [%]


def known_loads(history: History, asks: Asks, days: Instants) -> Array:
    """Return the demand of days as known at each ask, (asks, days, 24 clock hours); NaN where unknown."""
    times, clock = hours_of(days, history.context.time_zone)
    values = measurement_vintages(history, history.context.channel).known(times[None], asks.issued[:, None, None])
    over = times[None] + HOUR_US <= asks.known_until[:, None, None]
    return by_clock(np.where(over & (values > 0), values, np.nan), clock)


def operator_forecasts(history: History, asks: Asks) -> Array:
    """Return the operator's forecast of each ask's day as known at its issue, (asks, 24); NaN where none."""
    if history.context.operator is None:
        return np.full((len(asks.day), HOURS), np.nan)
    times, clock = hours_of(asks.day, history.context.time_zone)
    said = forecast_vintages(history, history.context.channel, model=history.context.operator)
    values = said.known(times, asks.issued[:, None])
    return bridged(by_clock(np.where(values > 0, values, np.nan), clock))


def day_weather(history: History, asks: Asks) -> Array:
    """Return the weather known at each ask, degC, (asks, places, LAGS, 4 extremes); NaN where unknown.

    A day's weather is what was measured where that was known at the issue time, else its latest forecast.
    """
    days = asks.day[:, None] - np.arange(LAGS)
    present = set(history.readings["channel"].unique()) | set(history.forecasts["channel"].unique())
    places = [_at_place(history, prefix, present, days, asks) for prefix, _ in history.context.weather]
    if not places:
        return np.empty((len(asks.day), 0, LAGS, len(EXTREMES)))
    return _without_misreadings(np.stack(places, axis=1))


def filled(weather: Array, offsets: Array | None = None) -> tuple[Array, Array]:
    """Fill single places from the others, and past days from the day after them; return it and the offsets used.

    A place's offset is its mean difference from all places, learnt once and reused. An ask whose own day nobody
    forecast stays NaN.

    Args:
        weather: (asks, places, LAGS, 4), degC.
        offsets: of an earlier call, (places, 4).
    """
    centre = mean_known(weather, axis=1)
    if offsets is None:
        offsets = np.nan_to_num(mean_known((weather - centre[:, None])[:, :, 0], axis=0))
    whole = np.where(np.isfinite(weather), weather, centre[:, None] + offsets[None, :, None, :])
    for lag in range(1, LAGS):
        whole[:, :, lag] = np.where(np.isfinite(whole[:, :, lag]), whole[:, :, lag], whole[:, :, lag - 1])
    return whole, offsets


def places_reporting(weather: Array) -> Mask:
    """Return which places to use: known on half of the days with any weather, and some still known in the last year.

    Where none of those reports any more, the sources have changed and the last year alone decides.
    """
    known = np.asarray(np.isfinite(weather[:, :, 0]).all(axis=-1), dtype=np.float64)
    some = known.max(axis=1, initial=0)
    overall, lately = (known[-span:].sum(axis=0) >= max(some[-span:].sum() / 2, 1) for span in (len(known), _YEAR))
    return np.asarray(overall if (overall & lately).any() else lately, dtype=np.bool_)


def is_forecast(weather: Array) -> Mask:
    """Return of which asks the weather is known at every place, (asks,)."""
    known = np.isfinite(weather).all(axis=(1, 2, 3)) & (weather.shape[1] > 0)
    return np.asarray(known, dtype=np.bool_)


def wet_bulb(temperature: Array, humidity: Array) -> Array:
    """Return the wet-bulb temperature [degC] from air temperature [degC] and relative humidity [%].

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

    Source: Alduchov and Eskridge, J. Appl. Meteor. 35 (1996), equation 25.
    """
    vapour, saturated = (np.exp(17.625 * celsius / (243.04 + celsius)) for celsius in (dew_point, temperature))
    return np.asarray(100 * vapour / saturated)


def mean_known(values: Array, axis: int) -> Array:
    """Return the mean over what is known, NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _at_place(history: History, prefix: str, present: set[str], days: Instants, asks: Asks) -> Array:
    """Return the extremes of days (asks, LAGS) at one place, (asks, LAGS, 4)."""
    zone = history.context.time_zone
    midnights = day_starts(days.reshape(-1), zone).reshape(days.shape)
    extremes = np.full((*days.shape, len(EXTREMES)), np.nan)
    for number, name in enumerate(EXTREMES):
        if f"{prefix}.{name}" in present:
            extremes[..., number] = _known(history, f"{prefix}.{name}", midnights, asks.issued[:, None])
    if f"{prefix}.temperature_2m" in present:
        hourly = _from_hours(history, prefix, present, midnights, asks)
        extremes = np.where(np.isfinite(extremes), extremes, hourly)
    return extremes


def _from_hours(history: History, prefix: str, present: set[str], midnights: Instants, asks: Asks) -> Array:
    times = midnights[..., None] + np.arange(HOURS) * HOUR_US
    at = asks.issued[:, None, None]

    def known(variable: str) -> Array:
        channel = f"{prefix}.{variable}"
        return _known(history, channel, times, at) if channel in present else np.full(times.shape, np.nan)

    temperature, humidity = known("temperature_2m"), known("relative_humidity_2m")
    humidity = np.where(np.isfinite(humidity), humidity, relative_humidity(temperature, known("dew_point_2m")))
    wet = wet_bulb(temperature, np.where(np.isfinite(humidity), humidity, _HALF_SATURATED))
    enough = np.isfinite(temperature).sum(axis=-1) >= _FEWEST_HOURS
    sides = [
        np.where(np.isfinite(values), values, sign * -np.inf).max(axis=-1)
        if sign > 0
        else np.where(np.isfinite(values), values, np.inf).min(axis=-1)
        for values in (temperature, wet)
        for sign in (1, -1)
    ]
    return np.stack([np.where(enough, side, np.nan) for side in sides], axis=-1)


def _known(history: History, channel: str, times: Instants, at: Instants) -> Array:
    seen = measurement_vintages(history, channel).known(times, at)
    return np.where(np.isfinite(seen), seen, forecast_vintages(history, channel).known(times, at))


def _without_misreadings(weather: Array) -> Array:
    weather = np.where((weather < _POSSIBLE_C[0]) | (weather > _POSSIBLE_C[1]), np.nan, weather)
    # The median of all places; unknown places sort last and are left out of the count.
    ordered = np.sort(weather, axis=1)
    count = np.isfinite(weather).sum(axis=1, keepdims=True)
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0), axis=1)
    return np.where(np.abs(weather - middle) > _FURTHEST_FROM_OTHERS_C, np.nan, weather)
