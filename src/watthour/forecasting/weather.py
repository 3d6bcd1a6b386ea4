"""Covariates as they were known at issue: of weather the latest run that could be read, weighted over its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import CALENDAR_OF_ALL, day_starts, local_days, local_hours
from watthour.forecasting.panel import mean_known
from watthour.forecasting.vintages import (
    DAY_US,
    HOUR_US,
    forecast_vintages_by_channel,
    measurement_vintages_by_channel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.forecast import Context, History
    from watthour.forecasting.panel import Panel
    from watthour.forecasting.vintages import Array, Instants, Vintages

# What we call it -> what Open-Meteo, and so the channel, calls it.
HOURLY = {
    "temperature": "temperature_2m",
    "apparent_temperature": "apparent_temperature",
    "humidity": "relative_humidity_2m",
    "dew_point": "dew_point_2m",
    "wind_speed": "wind_speed_10m",
    "cloud_cover": "cloud_cover",
    "solar_radiation": "shortwave_radiation",
    "precipitation": "precipitation",
}
DAILY = ("temperature_max", "temperature_min", "wet_bulb_max", "wet_bulb_min")  # of a station's local day
COMFORT = 18.3  # 65 degF, the base of the U.S. National Weather Service's degree days [degC]
WARMEST_HOUR, COLDEST_TO_WARMEST = 15, 12.0  # of a clear day's temperature curve
_REACH_BACK_HOURS = 96
_DAYS_BEFORE = 2


@dataclass(frozen=True, slots=True, eq=False)
class PointWeather:
    """One variable at one point: its measurements, and its forecasts."""

    weight: float  # of the point [-]
    measurements: Vintages | None
    forecasts: Vintages | None

    @property
    def step(self) -> int:
        """How far its values usually lie apart; days and months are not all of one length [microseconds]."""
        apart = [np.diff(each.times) for each in (self.measurements, self.forecasts) if each is not None]
        return max((round(float(np.median(each))) for each in apart if len(each)), default=DAY_US)

    def known(self, times: Instants, panel: Panel, *, step: int) -> Array:
        """Return the measurement where it was known at issue, else the latest forecast: as ``times``, (I, k)."""
        known = np.full(times.shape, np.nan)
        if self.forecasts is not None:
            known = self.forecasts.between(times, panel.issued[:, None])
        if self.measurements is not None:
            seen = self.measurements.known(times, panel.issued[:, None])
            is_over = times + step <= panel.known_until[:, None]
            known = np.where(is_over & np.isfinite(seen), seen, known)
        return known


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """All covariates of a context, variable by variable."""

    points: Mapping[str, Sequence[PointWeather]]

    @classmethod
    def of(cls, history: History) -> Weather:
        """Collect the covariates of a history that have any rows; a variable not in ``HOURLY`` keeps its name."""
        covariates = sorted(history.context.covariates, key=lambda covariate: covariate.channel)
        channels = [covariate.channel for covariate in covariates]
        measurements = measurement_vintages_by_channel(history, channels)
        forecasts = forecast_vintages_by_channel(history, channels)
        names = {variable: name for name, variable in HOURLY.items()}
        variables: dict[str, list[PointWeather]] = {name: [] for name in (*HOURLY, *DAILY)}
        for covariate in covariates:
            seen, foreseen = measurements.get(covariate.channel), forecasts.get(covariate.channel)
            if seen is not None or foreseen is not None:
                name = names.get(covariate.variable, covariate.variable)
                variables.setdefault(name, []).append(PointWeather(covariate.weight, seen, foreseen))
        return cls(variables)

    @property
    def hourly(self) -> list[str]:
        """The variables that are not a day's extremes."""
        return [name for name in self.points if name not in DAILY]

    def panel(self, name: str, times: Instants, panel: Panel, *, step: int) -> Array | None:
        """Return a variable's mean over the points that are known, by their weights; None where it has no channel.

        Times are (I, k), one row per issue, and so is the answer.
        """
        if not self.points[name]:
            return None
        total = np.zeros(times.shape)
        weight = np.zeros(times.shape)
        for point in self.points[name]:
            values = point.known(times, panel, step=step)
            known = np.isfinite(values)
            total += np.where(known, point.weight * values, 0)
            weight += point.weight * known
        return np.where(weight > 0, total / np.where(weight > 0, weight, 1), np.nan)

    def intervals(self, name: str, panel: Panel, back: int, ahead: int) -> Array | None:
        """Return a variable in the intervals around the edge of each issue: (I, back + ahead); None as in ``panel``.

        An interval longer than the step of the variable has the mean of its hours, where at least half are known.
        """
        if panel.step <= max([HOUR_US, *(point.step for point in self.points[name])]):
            return self.panel(name, panel.grid(back, ahead), panel, step=panel.step)
        starts = panel.grid(back, ahead + 1)
        hours = np.arange(int(np.diff(starts, axis=1).max()) // HOUR_US) * HOUR_US
        times = starts[:, :-1, None] + hours
        values = self.panel(name, times.reshape(len(times), -1), panel, step=HOUR_US)
        if values is None:
            return None
        is_inside = times < starts[:, 1:, None]
        return mean_known(np.where(is_inside, values.reshape(times.shape), np.nan), at_least=panel.step // HOUR_US // 2)


def is_weather(feature: str) -> bool:
    """Tell whether a feature comes from the weather, or is another thing known in advance."""
    return feature not in CALENDAR_OF_ALL and not feature.startswith(("demand_", "operator_"))


def weather_features(weather: Weather, panel: Panel, context: Context, reference: Instants) -> dict[str, Array]:
    """Return the weather of each target and before it, each column (R,).

    Args:
        weather: the channels.
        panel: the issues.
        context: for the local clock.
        reference: (R,) the interval whose demand is the last known at the same clock time, to compare temperatures
            with.
    """
    columns = _daily_features(weather, panel, context)
    ahead = int((panel.interval - panel.edge[panel.issue]).max()) + 1
    back = panel.per(_REACH_BACK_HOURS)
    nearest = int(np.minimum((panel.interval - panel.edge[panel.issue]).min(), 0))
    unknown = np.full(len(panel.time), np.nan)
    for name in weather.hourly:
        reach = back - nearest if name == "temperature" else -nearest
        values = weather.intervals(name, panel, reach, ahead)
        if values is None:
            columns[name] = unknown
            continue
        columns[name] = panel.pick(values, reach, panel.interval)
        if name == "temperature":
            for hours in (6, 24, 72):
                span = np.arange(panel.per(hours))
                columns[f"temperature_mean_{hours}h"] = mean_known(
                    panel.pick(values, reach, panel.interval[:, None] - span), at_least=max(1, len(span) // 2)
                )
            columns["temperature_change"] = columns[name] - panel.pick(values, reach, reference)
    columns["temperature"] = _or_from_extremes(columns, panel, context)
    temperature = columns["temperature"]
    columns["temp_squared"] = temperature**2
    columns["cooling_degree_hours"] = np.maximum(temperature - COMFORT, 0)
    columns["heating_degree_hours"] = np.maximum(COMFORT - temperature, 0)
    return columns


def _daily_features(weather: Weather, panel: Panel, context: Context) -> dict[str, Array]:
    """Return the extremes of each target's local day and of the days before it."""
    day = local_days(panel.time, context.time_zone)
    edge_day = local_days(panel.issued, context.time_zone)
    first, last = int((day - edge_day[panel.issue]).min()) - _DAYS_BEFORE, int((day - edge_day[panel.issue]).max())
    days = edge_day[:, None] + np.arange(first, last + 1)
    starts = day_starts(days, context.time_zone)
    column = day - edge_day[panel.issue] - first
    columns: dict[str, Array] = {}
    for name in DAILY:
        values = weather.panel(name, starts, panel, step=DAY_US)  # known when the day is over
        if values is not None:
            columns[name] = values[panel.issue, column]
            for before in range(1, _DAYS_BEFORE + 1):
                columns[f"{name}_{before}d_before"] = values[panel.issue, column - before]
    return columns


def _or_from_extremes(columns: Mapping[str, Array], panel: Panel, context: Context) -> Array:
    """Return the temperature; where only the day's extremes are known, a cosine between them, or their middle."""
    if "temperature_max" not in columns or "temperature_min" not in columns:
        return columns["temperature"]
    high, low = columns["temperature_max"], columns["temperature_min"]
    estimate = (high + low) / 2
    if panel.step < DAY_US:
        hour = local_hours(panel.time, context.time_zone)
        estimate = estimate + (high - low) / 2 * np.cos(np.pi * (hour - WARMEST_HOUR) / COLDEST_TO_WARMEST)
    return np.where(np.isnan(columns["temperature"]), estimate, columns["temperature"])
