"""Features of every target, from nothing but what was known at its own issue time.

All issue times are worked at once: what was known is laid out as one matrix per channel (issues by intervals), and
features are gathered from it. A value unknown at issue is null, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.forecasting.calendar import calendar_features, same_clock
from watthour.forecasting.panel import Panel, deviation_known, first_known, mean_known
from watthour.forecasting.vintages import HOUR_US, Vintages, forecast_vintages, measurement_vintages
from watthour.forecasting.weather import Weather, weather_features

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import Context, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

MEMORY = timedelta(days=36)  # how far before an issue the features look back
_BACK_HOURS = 36 * 24
_LAGS_HOURS = (1, 24, 48, 168)
_WEEKS = 5
_DAYS = 28
_RATIO_BELIEVED = (0.5, 2.0)  # an operator is never off by half; what is outside is a fault in the data


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The demand and the operator's forecast of some issues, as they were known."""

    panel: Panel
    back: int
    demand: Array  # (I, back)
    operator: Array | None  # (I, back + ahead)

    def demand_at(self, intervals: Instants) -> Array:
        return self.panel.pick(self.demand, self.back, intervals)


def features(
    history: History, targets: dy.DataFrame[Targets], *, weather: bool = True, operator: bool = True
) -> pl.DataFrame:
    """Return one row per target: ``issued_at``, ``time`` and its features, null where unknown at issue.

    Args:
        history: all versions of everything.
        targets: what is asked, each at its own issue time.
        weather: with the weather of the context's points.
        operator: with the operator's own forecast, where the context has one.
    """
    context = history.context
    demand = measurement_vintages(history, context.channel)
    rival = (
        forecast_vintages(history, context.channel, model=context.operator) if operator and context.operator else None
    )
    sky = Weather.of(history) if weather else None
    parts: list[pl.DataFrame] = []
    for panel in Panel.chunks(targets, context):
        known = _known(panel, demand, rival)
        columns = calendar_features(panel.time, context)
        reference = _demand_features(known, context, columns)
        if known.operator is not None:
            _operator_features(known, context, columns)
        if sky is not None:
            columns |= weather_features(sky, panel, context, reference)
        parts.append(pl.DataFrame({"row": panel.rows, **columns}))
    if not parts:
        return targets.select("issued_at", "time")
    table = pl.concat(parts, how="diagonal").sort("row").drop("row").fill_nan(None)
    return pl.concat([targets.select("issued_at", "time"), table], how="horizontal")


def feature_names(table: pl.DataFrame) -> list[str]:
    """Return the names of the features in a table of ``features``."""
    return [name for name in table.columns if name not in ("issued_at", "time")]


def actuals(history: History, targets: dy.DataFrame[Targets]) -> Array:
    """Return what came of each target, by the last version known; NaN where nothing did."""
    last = np.full(targets.height, np.iinfo(np.int64).max)
    return measurement_vintages(history, history.context.channel).known(targets["time"].to_physical().to_numpy(), last)


def _known(panel: Panel, demand: Vintages, rival: Vintages | None) -> _Known:
    back = panel.per(_BACK_HOURS)
    ahead = max(1, int((panel.interval - panel.edge[panel.issue]).max()) + 1)
    operator = None
    if rival is not None:
        operator = rival.known(panel.grid(back, ahead), panel.issued[:, None])
        operator[operator <= 0] = np.nan
    return _Known(panel, back, panel.measured(demand, back), operator)


def _demand_features(known: _Known, context: Context, columns: dict[str, Array]) -> Instants:
    """Add what recent demand says; return the interval of the last known same clock hour of each target."""
    panel, demand = known.panel, known.demand
    for hours in _LAGS_HOURS:
        columns[f"demand_lag_{hours}h"] = known.demand_at(panel.interval - panel.per(hours))
    last_column = demand.shape[1] - 1 - np.isfinite(demand)[:, ::-1].argmax(axis=1)
    recent = {hours: _window(demand, last_column, panel.per(hours)) for hours in (24, 168)}
    week_before = _window(demand, last_column - panel.per(144), panel.per(24))
    by_issue = {
        "demand_last": np.take_along_axis(demand, last_column[:, None], axis=1)[:, 0],
        "demand_rolling_mean_24h": mean_known(recent[24], at_least=panel.per(12)),
        "demand_rolling_std_24h": deviation_known(recent[24], at_least=panel.per(12)),
        "demand_rolling_mean_168h": mean_known(recent[168], at_least=panel.per(84)),
        "demand_rolling_std_168h": deviation_known(recent[168], at_least=panel.per(84)),
        "demand_rolling_mean_24h_week_before": mean_known(week_before, at_least=panel.per(12)),
    }
    columns |= {name: values[panel.issue] for name, values in by_issue.items()}
    last = panel.edge - known.back + last_column
    columns["demand_age_hours"] = (panel.interval - last[panel.issue]) * (panel.step / HOUR_US)
    columns["demand_age_hours"][np.isnan(columns["demand_last"])] = np.nan
    days = _same_clock_days(panel, context)
    same_hour = known.demand_at(days)
    columns["demand_same_hour_last"], which = first_known(same_hour)
    columns["demand_same_hour_mean_7d"] = mean_known(same_hour[:, :7], at_least=3)
    columns["demand_same_hour_mean_28d"] = mean_known(same_hour, at_least=7)
    weeks = known.demand_at(_same_clock_weeks(panel, context))
    columns["demand_same_weekday_last"], _ = first_known(weeks)
    columns["demand_same_weekday_mean_4w"] = mean_of_first(weeks, 4)
    return np.where(which >= 0, np.take_along_axis(days, np.maximum(which, 0)[:, None], axis=1)[:, 0], -1)


def _operator_features(known: _Known, context: Context, columns: dict[str, Array]) -> None:
    """Add the operator's forecast as issued, and how it erred of late."""
    panel, operator = known.panel, known.operator
    assert operator is not None  # noqa: S101 - the caller looked
    forecast = panel.pick(operator, known.back, panel.interval)
    ratio = known.demand / operator[:, : known.back]
    ratio[(ratio < _RATIO_BELIEVED[0]) | (ratio > _RATIO_BELIEVED[1])] = np.nan
    errors = np.log(ratio)
    same_hour = panel.pick(errors, known.back, _same_clock_days(panel, context))
    weeks = panel.pick(errors, known.back, _same_clock_weeks(panel, context))
    last_column = errors.shape[1] - 1 - np.isfinite(errors)[:, ::-1].argmax(axis=1)
    columns["operator_forecast"] = forecast
    columns["operator_ratio_28d"] = mean_known(np.exp(same_hour), at_least=7)
    columns["operator_error_same_hour_last"], _ = first_known(same_hour)
    columns["operator_error_same_hour_7d"] = mean_known(same_hour[:, :7], at_least=3)
    columns["operator_error_same_hour_28d"] = mean_known(same_hour, at_least=7)
    columns["operator_error_same_weekday"] = mean_of_first(weeks, 4)
    for hours in (24, 168):
        mean = mean_known(_window(errors, last_column, panel.per(hours)), at_least=panel.per(hours / 2))
        columns[f"operator_error_{hours}h"] = mean[panel.issue]
    span = panel.interval[:, None] + np.arange(-panel.per(12), panel.per(12) + 1)
    around = panel.pick(operator, known.back, span)
    columns["operator_around"] = forecast / mean_known(around, at_least=panel.per(12))
    columns["operator_change"] = forecast / columns["demand_same_hour_last"]


def mean_of_first(values: Array, count: int) -> Array:
    """Return the mean of each row's first ``count`` known values."""
    known = np.isfinite(values)
    return mean_known(np.where(known.cumsum(axis=1) <= count, values, np.nan))


def _window(values: Array, last_column: Instants, width: int) -> Array:
    """Return the ``width`` columns of each row that end with its own last column; NaN before the first."""
    column = last_column[:, None] + np.arange(1 - width, 1)
    return np.where(column >= 0, np.take_along_axis(values, np.maximum(column, 0), axis=1), np.nan)


def _same_clock_days(panel: Panel, context: Context) -> Instants:
    """Return the intervals at the same local clock time on the last 28 days that can be known, the latest first."""
    ahead = panel.interval - panel.edge[panel.issue] + 1
    nearest = np.maximum(-(-ahead // panel.per(24)), 1)
    days = nearest[:, None] + np.arange(_DAYS)
    return same_clock(panel.time[:, None], days, context.time_zone) // panel.step


def _same_clock_weeks(panel: Panel, context: Context) -> Instants:
    """Return the intervals at the same local clock time in the last weeks that can be known, the latest first."""
    ahead = panel.interval - panel.edge[panel.issue] + 1
    nearest = np.maximum(-(-ahead // panel.per(168)), 1)
    days = 7 * (nearest[:, None] + np.arange(_WEEKS))
    return same_clock(panel.time[:, None], days, context.time_zone) // panel.step
