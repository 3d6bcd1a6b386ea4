"""Weather as it was known at issue: the latest run that could be read, weighted over the points of a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import CALENDAR, day_starts, local_days, local_hours
from watthour.forecasting.panel import mean_known
from watthour.forecasting.vintages import forecast_vintages_by_channel, measurement_vintages_by_channel

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
    """One variable at one point: measured, and foretold."""

    weight: float
    measured: Vintages | None
    foretold: Vintages | None

    def known(self, times: Instants, panel: Panel, *, step: int) -> Array:
        """Return the measurement where it was known at issue, else the latest forecast; one row per issue."""
        known = np.full(times.shape, np.nan)
        if self.foretold is not None:
            known = self.foretold.between(times, panel.issued[:, None])
        if self.measured is not None:
            seen = self.measured.known(times, panel.issued[:, None])
            is_over = times + step <= panel.known_until[:, None]
            known = np.where(is_over & np.isfinite(seen), seen, known)
        return known


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """All weather of a context, variable by variable."""

    points: Mapping[str, Sequence[PointWeather]]

    @classmethod
    def of(cls, history: History) -> Weather:
        """Take the weather channels of a history apart; what has no name of ours keeps its own."""
        names = [*history.readings["channel"].unique(), *history.forecasts["channel"].unique()]
        points = {channel: point for channel in sorted(set(names)) if (point := _point_of(channel, history.context))}
        seen, said = (
            measurement_vintages_by_channel(history, list(points)),
            forecast_vintages_by_channel(history, list(points)),
        )
        ours = {suffix: name for name, suffix in HOURLY.items()}
        variables: dict[str, list[PointWeather]] = {name: [] for name in (*HOURLY, *DAILY)}
        for channel, (suffix, weight) in points.items():
            one = PointWeather(weight, seen.get(channel), said.get(channel))
            variables.setdefault(ours.get(suffix, suffix), []).append(one)
        return cls(variables)

    @property
    def hourly(self) -> list[str]:
        """The variables that are not a day's extremes."""
        return [name for name in self.points if name not in DAILY]

    def panel(self, name: str, times: Instants, panel: Panel, *, step: int) -> Array | None:
        """Return a variable's mean over the points that are known, by their weights; None where it has no channel."""
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


def _point_of(channel: str, context: Context) -> tuple[str, float] | None:
    """Return what a channel says of which share of the load, if it belongs to a weather point of the context."""
    for prefix, weight in context.weather:
        if channel.startswith(f"{prefix}."):
            return channel.removeprefix(f"{prefix}."), weight
    return None


def is_weather(feature: str) -> bool:
    """Tell whether a feature comes from the weather, or is another thing known in advance."""
    return feature not in CALENDAR and not feature.startswith(("demand_", "operator_"))


def weather_features(weather: Weather, panel: Panel, context: Context, reference: Instants) -> dict[str, Array]:
    """Return the weather of each target and before it.

    Args:
        weather: the channels.
        panel: the issues.
        context: for the local clock.
        reference: the interval whose demand is the last known at the same clock time, to compare temperatures with.
    """
    columns = _daily_features(weather, panel, context)
    ahead = int((panel.interval - panel.edge[panel.issue]).max()) + 1
    back = panel.per(_REACH_BACK_HOURS)
    nearest = int(np.minimum((panel.interval - panel.edge[panel.issue]).min(), 0))
    unknown = np.full(len(panel.time), np.nan)
    for name in weather.hourly:
        reach = back - nearest if name == "temperature" else -nearest
        values = weather.panel(name, panel.grid(reach, ahead), panel, step=panel.step)
        if values is None:
            columns[name] = unknown
            continue
        columns[name] = panel.pick(values, reach, panel.interval)
        if name == "temperature":
            for hours in (6, 24, 72):
                span = np.arange(panel.per(hours))
                columns[f"temperature_mean_{hours}h"] = mean_known(
                    panel.pick(values, reach, panel.interval[:, None] - span), at_least=len(span) // 2
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
    length = 24 * 3_600_000_000  # a day's extremes are known when it is over; 23 and 25 hours differ by one
    column = day - edge_day[panel.issue] - first
    columns: dict[str, Array] = {}
    for name in DAILY:
        values = weather.panel(name, starts, panel, step=length)
        if values is not None:
            columns[name] = values[panel.issue, column]
            for before in range(1, _DAYS_BEFORE + 1):
                columns[f"{name}_{before}d_before"] = values[panel.issue, column - before]
    return columns


def _or_from_extremes(columns: Mapping[str, Array], panel: Panel, context: Context) -> Array:
    """Return the hourly temperature; where only the day's extremes are known, a cosine between them."""
    if "temperature_max" not in columns or "temperature_min" not in columns:
        return columns["temperature"]
    high, low = columns["temperature_max"], columns["temperature_min"]
    hour = local_hours(panel.time, context.time_zone)
    curve = (high + low) / 2 + (high - low) / 2 * np.cos(np.pi * (hour - WARMEST_HOUR) / COLDEST_TO_WARMEST)
    return np.where(np.isnan(columns["temperature"]), curve, columns["temperature"])
