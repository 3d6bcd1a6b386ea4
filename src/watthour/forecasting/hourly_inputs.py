"""The 20 plain features of one hour: weather, calendar, and the load before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import INSTANT
from watthour.core.quality import is_trusted
from watthour.core.window import HOUR
from watthour.forecasting.calendar import calendar_features
from watthour.forecasting.steps import require_resolution
from watthour.forecasting.vintages import (
    HOUR_US,
    datetimes,
    forecast_vintages_by_channel,
    instant,
    instants,
    measurement_vintages_by_channel,
)
from watthour.forecasting.weather import COMFORT, HOURLY

if TYPE_CHECKING:
    from watthour.core.forecast import Context, History
    from watthour.forecasting.vintages import Array, Instants

NAME = "twenty_features"
_NAMES = (
    *("temperature", "apparent_temperature", "humidity", "wind_speed", "cloud_cover", "solar_radiation"),
    "precipitation",
)
WEATHER = {name: HOURLY[name] for name in _NAMES}  # our name -> the variable of the covariate
CALENDAR = ("hour_of_day", "day_of_week", "month", "is_weekend", "is_holiday")
LAGS = (
    "demand_lag_1h",
    "demand_lag_24h",
    "demand_lag_168h",
    "demand_rolling_mean_24h",
    "demand_rolling_std_24h",
)
DERIVED = ("temp_squared", "cooling_degree_hours", "heating_degree_hours")
FEATURES = (*WEATHER, *CALENDAR, *LAGS, *DERIVED)
WEEK, DAY = 168, 24  # [h]
FEWEST_IN_A_DAY = 18  # hours that a mean of 24 needs


def feature_table(history: History) -> pl.DataFrame:
    """Return one row per hour: ``time``, the 20 features and ``demand``; no feature needs more than its hour's start.

    Weather is the measured one where there is one, else the newest forecast that was out when the hour began.

    Raises:
        InvalidInput: the channel is not hourly.
    """
    require_resolution(history.context, (HOUR,), NAME)
    demand = _demand_by_hour(history)
    before = pl.col("demand").shift(1)
    table = demand.with_columns(
        demand_lag_1h=before,
        demand_lag_24h=pl.col("demand").shift(DAY),
        demand_lag_168h=pl.col("demand").shift(WEEK),
        demand_rolling_mean_24h=before.rolling_mean(DAY, min_samples=FEWEST_IN_A_DAY),
        demand_rolling_std_24h=before.rolling_std(DAY, min_samples=FEWEST_IN_A_DAY),
    )
    times = instants(demand["time"])
    lasting = np.full_like(times, instant(history.as_of))
    columns = {**hourly_weather(history, times, times, lasting), **hourly_calendar(times, history.context)}
    return table.with_columns(pl.Series(name, column).fill_nan(None) for name, column in columns.items()).select(
        "time", *FEATURES, "demand"
    )


def hourly_weather(history: History, times: Instants, foreseen_at: Instants, measured_by: Instants) -> dict[str, Array]:
    """Return the site's weather, the mean of its points by their weights, and what follows from it.

    Args:
        history: all versions of everything.
        times: the hours, of any shape [microseconds].
        foreseen_at: forecasts are those known at these instants.
        measured_by: measurements are those known at these instants, and go before forecasts.

    Returns:
        One array of the shape of ``times`` per name of ``WEATHER`` and ``DERIVED``; NaN where nothing is known.
    """
    covariates = [covariate for covariate in history.context.covariates if covariate.variable in WEATHER.values()]
    channels = [covariate.channel for covariate in covariates]
    measurements = measurement_vintages_by_channel(history, channels)
    forecasts = forecast_vintages_by_channel(history, channels)
    columns: dict[str, Array] = {}
    for name, variable in WEATHER.items():
        total, weights = np.zeros(times.shape), np.zeros(times.shape)
        for covariate in (each for each in covariates if each.variable == variable):
            values = np.full(times.shape, np.nan)
            if covariate.channel in measurements:
                values = measurements[covariate.channel].known(times, measured_by)
            if covariate.channel in forecasts:
                foreseen = forecasts[covariate.channel].between(times, foreseen_at)
                values = np.where(np.isnan(values), foreseen, values)
            total += np.where(np.isnan(values), 0.0, covariate.weight * values)
            weights += np.where(np.isnan(values), 0.0, covariate.weight)
        columns[name] = np.divide(total, weights, out=np.full(times.shape, np.nan), where=weights > 0)
    temperature = columns["temperature"]
    return {
        **columns,
        "temp_squared": temperature**2,
        "cooling_degree_hours": np.maximum(temperature - COMFORT, 0.0),
        "heating_degree_hours": np.maximum(COMFORT - temperature, 0.0),
    }


def hourly_calendar(times: Instants, context: Context) -> dict[str, Array]:
    """Return the features of ``CALENDAR`` for hours of any shape."""
    whole = calendar_features(times.ravel(), context)
    return {name: whole[name].reshape(times.shape) for name in CALENDAR}


def _demand_by_hour(history: History) -> pl.DataFrame:
    """Return trusted load on an unbroken grid of hours: ``time, demand``; gaps are null."""
    known = history.latest().filter(
        pl.col("channel") == history.context.channel.id,
        pl.col("value").is_not_null(),
        is_trusted(),
    )
    if known.is_empty():
        return pl.DataFrame(schema={"time": INSTANT, "demand": pl.Float64})
    first, last = instants(known["time"])[[0, -1]]
    grid = pl.DataFrame({"time": datetimes(np.arange(first, last + HOUR_US, HOUR_US))})
    return grid.join(known.select("time", demand="value"), on="time", how="left", maintain_order="left")
