"""What trees see of each target, what their answer is measured from and in, and how they learn to do without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.frames import Targets
from watthour.forecasting.calendar import SEASON
from watthour.forecasting.features import actuals, feature_names, features
from watthour.forecasting.stand_in import level_of
from watthour.forecasting.vintages import HOUR_US, instants
from watthour.forecasting.weather import is_weather

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import History
    from watthour.forecasting.vintages import Array, Instants

    Mask = NDArray[np.bool_]

NORMAL, BLIND, STALE = 0, 1, 2  # everything as usual; no weather; demand days older than usual
_ENERGY = ("demand_", "operator_forecast")  # features in energy are divided by the recent level ...
_NOT_ENERGY = ("demand_age_hours",)  # ... but this
_EVERY = 6  # one day in six is learned once more without weather, and another one with old demand
_TWO_YEARS = 2 * 365 - 10  # before that the season is not told from the year
_MASKED = 0.1  # share of demand's features hidden in those


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A matrix of features with what an answer of the trees is a departure from, and in what it is measured."""

    names: list[str]
    matrix: Array
    reference: Array
    scale: Array

    @classmethod
    def of(cls, table: pl.DataFrame, *, operator: bool, names: Sequence[str] | None = None) -> Self:
        """Build it from a table of features.

        Args:
            table: of ``features``.
            operator: measure from the operator's de-biased forecast and in parts of it; else from the recent level of
                demand and in parts of that, where at least a week of the same hours is known.
            names: the features a fitted model knows; None takes all.
        """
        level = level_of(table)
        if operator:
            ratio = np.nan_to_num(table["operator_ratio_28d"].to_numpy(), nan=1.0)
            reference = scale = table["operator_forecast"].to_numpy() * ratio
        else:
            reference = scale = np.where(table["demand_same_hour_mean_28d"].is_null().to_numpy(), np.nan, level)
        names = list(names or feature_names(table))
        columns: list[Array] = []
        for name in names:
            column = table[name].to_numpy() if name in table.columns else np.full(table.height, np.nan)
            is_energy = name.startswith(_ENERGY) and name not in _NOT_ENERGY
            columns.append(column / level if is_energy else column)
        return cls(names, np.stack(columns, axis=1), reference, scale)


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Rows to learn from: the targets as they were, and some once more with something missing."""

    design: Design
    target: Array
    time: Instants
    kind: Instants  # NORMAL, BLIND or STALE
    usual_age: float  # of the last known demand [hours]
    sky: tuple[str, ...]  # features of the weather that are mostly known

    @classmethod
    def of(cls, history: History, issues: dy.DataFrame[Targets], *, weather: bool, operator: bool) -> Self:
        """Gather what can be learned from past issues."""
        rng = np.random.default_rng(len(issues))
        day = (issues["issued_at"].rank("dense") - 1).to_numpy().astype(np.int64)
        usual = features(history, issues, weather=weather, operator=operator)
        in_advance = [name for name in feature_names(usual) if is_weather(name)]
        sky = tuple(name for name in in_advance if usual[name].null_count() < usual.height / 2)
        parts, asked, kinds = [usual], [pl.DataFrame(issues)], [np.full(len(issues), NORMAL)]
        stale = pl.DataFrame(issues).with_columns(_days_back(day)).filter(pl.Series(day % _EVERY == 0))
        if stale.height:
            lesson = features(history, Targets.cast(stale), weather=weather, operator=operator)
            parts.append(_masked(lesson, rng))
            asked.append(stale)
            kinds.append(np.full(stale.height, STALE))
        if sky:
            once_more = pl.Series(day % _EVERY == _EVERY // 2)
            hidden = [pl.lit(None, pl.Float64).alias(name) for name in in_advance]
            parts.append(_masked(usual.filter(once_more).with_columns(hidden), rng))
            asked.append(pl.DataFrame(issues).filter(once_more))
            kinds.append(np.full(parts[-1].height, BLIND))
        table, rows = pl.concat(parts, how="diagonal"), Targets.cast(pl.concat(asked).select(Targets.column_names()))
        days = (asked[0]["time"].max() - asked[0]["time"].min()).days  # type: ignore[operator, union-attr]  # instants
        names = [name for name in feature_names(table) if days >= _TWO_YEARS or name not in SEASON]
        design = Design.of(table, operator=operator, names=names)
        target = (actuals(history, rows) - design.reference) / design.scale
        good = np.isfinite(target)
        age = usual["demand_age_hours"].drop_nulls()
        return cls(
            Design(design.names, design.matrix[good], design.reference[good], design.scale[good]),
            target[good],
            instants(rows["time"])[good],
            np.concatenate(kinds)[good],
            float(age.quantile(0.995) or 0.0) if len(age) else 0.0,
            sky,
        )

    @property
    def n_usual(self) -> int:
        """How many rows are as they were."""
        return int((self.kind == NORMAL).sum())


def _days_back(day: Instants) -> pl.Expr:
    """Return an earlier end of known demand: one to six days, in turn."""
    return pl.col("known_until") - pl.Series((1 + day // _EVERY % 6) * 24 * HOUR_US).cast(pl.Duration("us"))


def _masked(table: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Hide some features of demand here and there, so that the trees learn what to do where one is unknown."""
    names = [name for name in table.columns if name.startswith("demand_") and name not in _NOT_ENERGY]
    keep = rng.random((table.height, len(names))) >= _MASKED
    kept = ("demand_same_hour_mean_28d", "demand_rolling_mean_168h")  # what the answer is measured from and in
    hidden = [
        pl.when(pl.Series(keep[:, k])).then(pl.col(name)).alias(name)
        for k, name in enumerate(names)
        if name not in kept
    ]
    return table.with_columns(hidden)
