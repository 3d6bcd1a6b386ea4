"""Boosted trees on the logarithm of the ratio of a series to a blend of its last day and its last week.

They see the calendar, the last days and weeks in parts of that blend, and of what is known ahead the value, the mean of
the day around it, and how both differ from those of the last days; also what the series was made of on the last days.
What the last hours say fades within a day: the first day ahead, the second and those after it have trees of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from watthour.forecasting.companions import companion_features
from watthour.forecasting.features import actuals, feature_names, features
from watthour.forecasting.panel import Panel, mean_known
from watthour.forecasting.vintages import DAY_US, HOUR_US, MEDIAN, instants
from watthour.forecasting.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

_YESTERDAY, _WEEK = "demand_same_hour_last", "demand_same_hour_mean_7d"
_NOT_LEVELS = ("demand_age_hours", "demand_rolling_std_24h", "demand_rolling_std_168h")
_LEVEL = "demand_rolling_mean_168h"
_LEAD_HOURS = 6  # that share a weight in the blend
_DAY_HOURS, _LAST_PART = 24, 2  # leads that share trees; from the third day on all do
_FEWEST_ROWS = 400
_HALFLIFE = 730.0  # days after which a row counts half
_DAYS = 7


@dataclass(frozen=True, eq=False)
class RatioTrees:
    """Grown trees, and the blend that their answer is a departure from."""

    texts: Mapping[int, str]  # LightGBM's own, by the first day of lead that they are for
    features: tuple[str, ...]
    blend: tuple[float, ...]  # share of yesterday in the blend, by lead

    @classmethod
    def grow(cls, logs: History, issues: dy.DataFrame[Targets], n_trees: int) -> Self | None:
        """Learn from past issues of a series of logarithms; None where these are few."""
        import lightgbm

        if issues.is_empty():
            return None
        table, actual = _table(logs, issues), actuals(logs, issues)
        blend = _blend_of(table, actual, leads_of(issues))
        reference = _reference(table, leads_of(issues), blend)
        names = tuple(feature_names(table))
        target = actual - reference
        days = instants(issues["time"]) / DAY_US
        matrix, part = _matrix(table, names, reference), _days_of(issues)
        texts: dict[int, str] = {}
        for each in np.unique(part).tolist():
            good = np.isfinite(target) & (part == each)
            if good.sum() < _FEWEST_ROWS:
                continue
            weight = 0.5 ** ((days[good].max() - days[good]) / _HALFLIFE)
            rows = lightgbm.Dataset(matrix[good], target[good], weight=weight, params=_parameters())
            texts[each] = lightgbm.train(_parameters(), rows, num_boost_round=n_trees).model_to_string()
        return cls(texts, names, tuple(blend.tolist())) if texts else None

    def medians(self, logs: History, targets: dy.DataFrame[Targets]) -> Array:
        """Return the logarithm of each target, (n,); NaN where the last days are not known."""
        table = _table(logs, targets)
        reference = _reference(table, leads_of(targets), np.array(self.blend))
        matrix = _matrix(table, self.features, reference)
        firsts = np.array(sorted(self.texts))
        part = np.maximum(np.searchsorted(firsts, _days_of(targets), side="right") - 1, 0)
        departure = np.full(len(matrix), np.nan)
        for each in np.unique(part).tolist():
            rows = part == each
            departure[rows] = self._boosters[int(firsts[each])].predict(matrix[rows], num_threads=1)
        return np.asarray(reference + departure)

    def as_json(self) -> dict[str, Any]:
        """Return all but the trees themselves as plain data."""
        return {"features": self.features, "blend": self.blend}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], texts: Mapping[int, str]) -> Self:
        """Build them again from plain data and LightGBM's texts."""
        return cls(texts, tuple(kept["features"]), tuple(kept["blend"]))

    @cached_property
    def _boosters(self) -> dict[int, Any]:
        import lightgbm

        return {first: lightgbm.Booster(model_str=text) for first, text in self.texts.items()}


def _table(logs: History, targets: dy.DataFrame[Targets]) -> pl.DataFrame:
    """Return the usual features of each target, its lead, how what is known ahead differs, and what it was made of."""
    table = features(logs, targets, operator=False)
    weather = Weather.of(logs)
    columns = {"lead_hours": leads_of(targets).astype(np.float64)}
    for panel in Panel.chunks(targets, logs.context):
        found = companion_features(logs, panel)
        for name in weather.hourly:
            found |= _changes(weather, name, panel)
        for column, values in found.items():
            columns.setdefault(column, np.full(targets.height, np.nan))[panel.rows] = values
    return table.with_columns(pl.Series(name, values).fill_nan(None) for name, values in columns.items())


def _changes(weather: Weather, name: str, panel: Panel) -> dict[str, Array]:
    """Return, of one variable, the mean of the day around each target, and the changes since the last days: (R,)."""
    a_day = panel.per(24)
    ahead = int((panel.interval - panel.edge[panel.issue]).max()) + 1
    back = panel.per(24 * (_DAYS + 1))
    values = weather.intervals(name, panel, back, ahead)
    if values is None:
        return {}
    nearest = np.maximum(-(-(panel.interval - panel.edge[panel.issue] + 1) // a_day), 1)
    before = panel.interval[:, None] - a_day * (nearest[:, None] + np.arange(_DAYS))
    now, last = panel.pick(values, back, panel.interval), panel.pick(values, back, before)
    around = panel.interval[:, None] + np.arange(-(a_day // 2), a_day - a_day // 2)
    day = mean_known(panel.pick(values, back, around), at_least=a_day // 4)
    past = values[:, :back]
    return {
        f"{name}_day": day,
        f"{name}_change_1d": now - last[:, 0],
        f"{name}_change_7d": now - mean_known(last, at_least=3),
        f"{name}_day_change_1d": day - mean_known(past[:, -a_day:], at_least=a_day // 2)[panel.issue],
        f"{name}_day_change_7d": day - mean_known(past[:, -a_day * _DAYS :], at_least=a_day)[panel.issue],
    }


def leads_of(targets: dy.DataFrame[Targets]) -> Instants:
    """Return how many whole hours each target lies after the end of what was measured, (n,)."""
    end = np.minimum(instants(targets["issued_at"]), instants(targets["known_until"]))
    return np.asarray((instants(targets["time"]) - end) // HOUR_US)


def _days_of(targets: dy.DataFrame[Targets]) -> Instants:
    """Return for which day ahead each target is, (n,), from 0; those after the second are one."""
    return np.clip(leads_of(targets) // _DAY_HOURS, 0, _LAST_PART)


def _part(leads: Instants, n_parts: int) -> Instants:
    return np.clip(leads // _LEAD_HOURS, 0, n_parts - 1)


def _blend_of(table: pl.DataFrame, actual: Array, leads: Instants) -> Array:
    """Return the share of yesterday, (parts of the lead,), that comes nearest to what came, by least squares."""
    yesterday, week = (table[name].to_numpy() for name in (_YESTERDAY, _WEEK))
    known = np.isfinite(actual) & np.isfinite(yesterday) & np.isfinite(week)
    n_parts = int(leads.max()) // _LEAD_HOURS + 1
    part, moved = _part(leads[known], n_parts), (yesterday - week)[known]
    asked = np.bincount(part, moved * (actual - week)[known], minlength=n_parts)
    there = np.bincount(part, moved**2, minlength=n_parts)
    return np.clip(np.divide(asked, there, out=np.zeros(n_parts), where=there > 0), 0.0, 1.0)


def _reference(table: pl.DataFrame, leads: Instants, blend: Array) -> Array:
    yesterday, week = (table[name].to_numpy() for name in (_YESTERDAY, _WEEK))
    share = blend[_part(leads, len(blend))]
    return np.asarray(share * yesterday + (1 - share) * week)


def _matrix(table: pl.DataFrame, names: tuple[str, ...], reference: Array) -> Array:
    """Return features, (n, names + 1): levels as their difference from the reference, and that from the last week."""
    columns = []
    for name in names:
        column = table[name].to_numpy() if name in table.columns else np.full(table.height, np.nan)
        is_level = name.startswith("demand_") and name not in (*_NOT_LEVELS, _LEVEL)
        columns.append(column - reference if is_level else column)
    return np.stack([*columns, reference - table[_LEVEL].to_numpy()], axis=1)


def _parameters() -> dict[str, object]:
    return {
        "objective": "quantile",
        "alpha": MEDIAN,
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": 60,
        "max_bin": 63,
        "feature_fraction": 0.4,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "num_threads": 1,
        "seed": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
