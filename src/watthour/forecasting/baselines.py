"""The rivals every model must beat: the same hour last week, and the mean of the last four same weekdays."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.calibrate import Spread
from watthour.forecasting.features import actuals, features
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy
    import polars as pl

    from watthour.core.forecast import Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array

_FILE = "baseline.json"
_HOURS_IN_WEEK = 168
MEDIAN = 0.5
# From the best that is possible to the last resort; what each column of the features is called by a person.
_CHAIN = {
    "demand_same_weekday_mean_4w": "the mean of the last four same weekdays",
    "demand_same_weekday_last": "the same hour last week",
    "demand_same_hour_last": "the same hour of the last known day",
}
_UNLEARNED = 0.1  # a tenth of the level, where no past error is known


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """One number per target, and the level of demand by which its errors are measured."""

    values: Array
    level: Array
    missing_inputs: tuple[str, ...] = ()
    fallback: str | None = None


class Rule(Protocol):
    """A forecast that needs no learning but for its intervals."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        ...

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return a number for each target from what was known at its issue."""
        ...


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """Tomorrow is like the same local hour one season ago."""

    season: int = _HOURS_IN_WEEK  # hours: a day or a week

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "seasonal_naive"

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
        """Learn the width of its intervals."""
        return fit_rule(self, history, issues)

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return the last known value at the same clock hour, of the same weekday if the season is a week."""
        column = "demand_same_weekday_last" if self.season == _HOURS_IN_WEEK else "demand_same_hour_last"
        return chained(column, history, targets)


@dataclass(frozen=True, slots=True)
class PersistenceEnsemble:
    """Tomorrow is like the mean of the last four same weekdays.

    Source: the persistence ensemble of Emami, Sahu and Graf, BuildingsBench (2023), arXiv:2307.00142.
    """

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "persistence_ensemble"

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
        """Learn the width of its intervals."""
        return fit_rule(self, history, issues)

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return the mean of the last four known values at the same hour of the same weekday."""
        return chained("demand_same_weekday_mean_4w", history, targets)


@dataclass(frozen=True, slots=True, eq=False)
class FittedRule:
    """A rule and the errors it is known to make."""

    rule: Rule
    spread: Spread

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target, with the quantiles of the rule's past errors around it."""
        points = self.rule.points(history, targets)
        errors = around_point(self.spread.at(instants(targets["time"]), history.context.time_zone))
        quantiles = points.values[:, None] + errors * points.level[:, None]
        return quantile_forecast(
            targets,
            quantiles,
            history.context,
            model=self.rule.name,
            missing_inputs=points.missing_inputs,
            fallback=points.fallback,
        )

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        kept = {"name": self.rule.name, "parameters": asdict(self.rule), "spread": self.spread.as_json()}  # type: ignore[call-overload]  # every rule is a dataclass
        return {_FILE: json.dumps(kept).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        from watthour.forecasting.catalogue import rule  # noqa: PLC0415 - the catalogue names us

        kept = json.loads(files[_FILE])
        return cls(rule(kept["name"], kept["parameters"]), Spread.from_json(kept["spread"]))


def fit_rule(rule: Rule, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
    """Learn how wrong a rule was in the past."""
    if issues.is_empty():
        return FittedRule(rule, _unlearned())
    points = rule.points(history, issues)
    errors = (actuals(history, issues) - points.values) / points.level
    zone = history.context.time_zone
    if not np.isfinite(errors).any():
        return FittedRule(rule, _unlearned())
    return FittedRule(rule, Spread.learn(errors, instants(issues["time"]), zone, LEVELS))


def chained(column: str, history: History, targets: dy.DataFrame[Targets], table: pl.DataFrame | None = None) -> Points:
    """Return a column of the features, and where it is unknown the next best of the chain of baselines."""
    if table is None:
        table = features(history, targets, weather=False, operator=False)
    return stand_in(table[column].to_numpy(), _CHAIN[column], history, targets, table)


def stand_in(
    values: Array, wanted: str, history: History, targets: dy.DataFrame[Targets], table: pl.DataFrame
) -> Points:
    """Fill unknown numbers with the best baseline that is possible, and say so.

    Args:
        values: one per target, NaN where unknown.
        wanted: what they are, in words.
        history: for the place's clock.
        targets: what is asked.
        table: the features of the targets.
    """
    missing_inputs: list[str] = []
    for name, words in _CHAIN.items():
        filled = np.isnan(values) & np.isfinite(table[name].to_numpy())
        if filled.any():
            values = np.where(filled, table[name].to_numpy(), values)
            where = describe_intervals(targets, filled, history.context)
            missing_inputs.append(f"Unknown for {where}: {wanted}; {words} stands in.")
    return Points(values, level_of(table), tuple(missing_inputs), missing_inputs[0] if missing_inputs else None)


def level_of(table: pl.DataFrame) -> Array:
    """Return the recent level of demand of each target, by which errors are measured; never zero."""
    level = np.abs(table["demand_rolling_mean_168h"].to_numpy())
    for name in ("demand_rolling_mean_24h", "demand_same_hour_last", "demand_last"):
        level = np.where(np.isfinite(level), level, np.abs(table[name].to_numpy()))
    return np.where(level == 0, 1.0, level)


def around_point(errors: Array) -> Array:
    """Return error quantiles that keep the point the median: a habitual error widens its side only."""
    level = np.array(LEVELS)
    return np.where(level < MEDIAN, np.minimum(errors, 0), np.where(level > MEDIAN, np.maximum(errors, 0), 0.0))


def _unlearned() -> Spread:
    from statistics import NormalDist  # noqa: PLC0415 - hardly ever needed

    row = [_UNLEARNED * NormalDist().inv_cdf(level) for level in LEVELS]
    return Spread(LEVELS, np.broadcast_to(np.array(row), (24, 12, len(LEVELS))).copy())
