"""Gradient-boosted trees: one set for all lead times, a set per quantile, on top of the operator's forecast or alone.

What the trees learn is the departure from a reference in units of a scale: from the operator's de-biased forecast,
in parts of it; or from the mean of the same hour over the last known days, in parts of the recent level of demand.
So growth and level need no learning.

Source: Ke et al., LightGBM (2017), NeurIPS 30; quantiles made honest as in Romano, Patterson and Candes, Conformalized
Quantile Regression (2019), arXiv:1905.03222.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

import lightgbm
import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import HOUR, Window
from watthour.forecasting.answer import answer
from watthour.forecasting.baselines import level_of
from watthour.forecasting.calendar import local_days
from watthour.forecasting.calibrate import Spread, between_levels, uncrossed
from watthour.forecasting.features import actuals, feature_names, features
from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy
    import polars as pl

    from watthour.core.forecast import Context, Forecast, History
    from watthour.forecasting.vintages import Array, Instants

_MODEL = "model.json"
_FEWEST_ROWS = 24 * 28
_BLOCK_DAYS = 7  # validation is every fifth week, so that all seasons are in it
_BLOCKS = 5
_ENERGY = ("demand_", "operator_forecast")  # features in energy are divided by the scale ...
_NOT_ENERGY = ("demand_age_hours",)  # ... but this


@dataclass(frozen=True, slots=True)
class GradientBoosting:
    """How to grow the trees."""

    operator: bool = True  # stack on the operator's forecast where the context has one
    weather: bool = True
    levels: tuple[float, ...] = (0.05, 0.2, 0.5, 0.8, 0.95)  # those with trees of their own; the rest lie between
    n_trees: int = 1000  # at most; the validation weeks decide
    learning_rate: float = 0.04
    n_leaves: int = 31
    fewest_in_leaf: int = 40
    patience: int = 50  # trees without a gain before growing ends
    half_life_days: float = 730.0  # what is this old counts half
    n_threads: int = 1
    seed: int = 7

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "gradient_boosting"

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedGradientBoosting:
        """Learn from past issues.

        Raises:
            NotEnoughHistory: fewer than four weeks of hours to learn from.
        """
        with_operator = self.operator and history.context.operator is not None
        design = Design.of(history, issues, weather=self.weather, operator=with_operator)
        actual = actuals(history, issues)
        target = (actual - design.reference) / design.scale
        good = np.isfinite(target)
        if with_operator and good.sum() < _FEWEST_ROWS:
            return replace(self, operator=False).fit(history, issues)
        if good.sum() < _FEWEST_ROWS:
            raise NotEnoughHistory(
                f"only {int(good.sum())} hours of {history.context.channel} can be learned from",
                remedy=f"At least {_FEWEST_ROWS} are needed; until then a baseline serves.",
            )
        return self._grow(design.only(good), target[good], Targets.cast(issues.filter(good)), history.context)

    def _grow(
        self, design: Design, target: Array, issues: dy.DataFrame[Targets], context: Context
    ) -> FittedGradientBoosting:
        times = instants(issues["time"])
        day = local_days(times, context.time_zone)
        block = day // _BLOCK_DAYS
        held = block % _BLOCKS == int(block.max()) % _BLOCKS
        weight = 0.5 ** ((day.max() - day) / self.half_life_days)
        models: dict[float, str] = {}
        unseen = np.full((int(held.sum()), len(self.levels)), np.nan)
        importance: dict[str, float] = dict.fromkeys(design.names, 0.0)
        for k, level in enumerate(self.levels):
            trial = self._boost(
                level, design.only(~held), target[~held], weight[~held], (design.only(held), target[held])
            )
            unseen[:, k] = trial.predict(design.matrix[held], num_iteration=trial.best_iteration)
            n_trees = max(20, round(1.1 * trial.best_iteration))
            final = self._boost(level, design, target, weight, n_trees=n_trees)
            models[level] = final.model_to_string()
            for name, gain in zip(design.names, final.feature_importance("gain"), strict=True):
                importance[name] += float(gain)
        unseen = uncrossed(unseen)
        spread = self._calibration(target[held], unseen, times[held], context)
        splits = {"train": _span(issues), "validation": _span(Targets.cast(issues.filter(held)))}
        return FittedGradientBoosting(self, tuple(design.names), models, spread, splits, importance)

    def _boost(
        self,
        level: float,
        design: Design,
        target: Array,
        weight: Array,
        held: tuple[Design, Array] | None = None,
        n_trees: int | None = None,
    ) -> lightgbm.Booster:
        parameters = {
            "objective": "quantile",
            "alpha": level,
            "learning_rate": self.learning_rate,
            "num_leaves": self.n_leaves,
            "min_data_in_leaf": self.fewest_in_leaf,
            "feature_fraction": 0.7,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "num_threads": self.n_threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        rows = lightgbm.Dataset(design.matrix, target, weight=weight, feature_name=design.names, free_raw_data=False)
        if held is None:
            return lightgbm.train(parameters, rows, num_boost_round=n_trees or self.n_trees)
        return lightgbm.train(
            parameters,
            rows,
            num_boost_round=self.n_trees,
            valid_sets=[lightgbm.Dataset(held[0].matrix, held[1], reference=rows)],
            callbacks=[lightgbm.early_stopping(self.patience, verbose=False)],
        )

    def _calibration(self, target: Array, unseen: Array, times: Instants, context: Context) -> Spread:
        """Learn by how much each quantile must move, in widths of the interval, to be honest on unseen weeks."""
        width = _width(unseen)
        return Spread.learn((target[:, None] - unseen) / width, times, context.time_zone, self.levels)


@dataclass(frozen=True, slots=True, eq=False)
class FittedGradientBoosting:
    """Grown trees, and by how much their quantiles must be moved to be honest."""

    recipe: GradientBoosting
    features: tuple[str, ...]
    models: Mapping[float, str]  # level -> LightGBM's own text format
    spread: Spread
    splits: Mapping[str, Window]
    importance: Mapping[str, float]
    _grown: dict[float, lightgbm.Booster] = field(default_factory=dict, repr=False)

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its issue."""
        with_operator = any(name.startswith("operator_") for name in self.features)
        design = Design.of(history, targets, weather=self.recipe.weather, operator=with_operator, names=self.features)
        quantiles = self.quantiles(design, instants(targets["time"]), history.context.time_zone)
        return answer(targets, quantiles, history.context, model=self.recipe.name)

    def quantiles(self, design: Design, times: Instants, time_zone: str) -> Array:
        """Return the quantiles of each row of a design, one column per level of ``LEVELS``."""
        levels = self.recipe.levels
        raw = np.stack([self._booster(level).predict(design.matrix, num_threads=1) for level in levels], axis=1)
        raw = uncrossed(raw)
        honest = uncrossed(raw + self.spread.at(times, time_zone) * _width(raw))
        wanted = between_levels(honest, levels, LEVELS)
        return design.reference[:, None] + wanted * design.scale[:, None]

    def files(self) -> Mapping[str, bytes]:
        """Return LightGBM's text files and one JSON file."""
        kept = {
            "recipe": asdict(self.recipe),
            "features": self.features,
            "spread": self.spread.as_json(),
            "splits": {name: [span.start.isoformat(), span.end.isoformat()] for name, span in self.splits.items()},
            "importance": dict(self.importance),
        }
        trees = {f"level_{level}.txt": text.encode() for level, text in self.models.items()}
        return {_MODEL: json.dumps(kept).encode(), **trees}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its files."""
        kept: dict[str, Any] = json.loads(files[_MODEL])
        recipe = GradientBoosting(**{**kept["recipe"], "levels": tuple(kept["recipe"]["levels"])})
        return cls(
            recipe,
            tuple(kept["features"]),
            {level: files[f"level_{level}.txt"].decode() for level in recipe.levels},
            Spread.from_json(kept["spread"]),
            {name: Window(*map(datetime.fromisoformat, span)) for name, span in kept["splits"].items()},
            kept["importance"],
        )

    def _booster(self, level: float) -> lightgbm.Booster:
        if level not in self._grown:
            self._grown[level] = lightgbm.Booster(model_str=self.models[level])
        return self._grown[level]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What the trees see of each target, and what their answer is measured from and in."""

    names: list[str]
    matrix: Array
    reference: Array
    scale: Array

    @classmethod
    def of(
        cls,
        history: History,
        targets: dy.DataFrame[Targets],
        *,
        weather: bool,
        operator: bool,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Build it from the features; ``names`` are those a fitted model knows."""
        return cls.from_table(
            features(history, targets, weather=weather, operator=operator), operator=operator, names=names
        )

    @classmethod
    def from_table(cls, table: pl.DataFrame, *, operator: bool, names: Sequence[str] | None = None) -> Self:
        """Build it from a table of features."""
        level = level_of(table)
        if operator:
            forecast = table["operator_forecast"].to_numpy()
            scale = reference = forecast * np.nan_to_num(table["operator_ratio_28d"].to_numpy(), nan=1.0)
        else:
            reference, scale = table["demand_same_hour_mean_7d"].to_numpy(), level
        names = list(names or feature_names(table))
        columns = []
        for name in names:
            column = table[name].to_numpy() if name in table.columns else np.full(table.height, np.nan)
            is_energy = name.startswith(_ENERGY) and name not in _NOT_ENERGY
            columns.append(column / level if is_energy else column)
        return cls(names, np.stack(columns, axis=1), reference, scale)

    def only(self, rows: Array) -> Design:
        """Return some of the rows."""
        return Design(self.names, self.matrix[rows], self.reference[rows], self.scale[rows])


def _width(quantiles: Array) -> Array:
    """Return the width of each row's widest interval, never nothing."""
    return np.maximum(quantiles[:, -1:] - quantiles[:, :1], 1e-6)


def _span(issues: dy.DataFrame[Targets]) -> Window:
    return Window(cast("datetime", issues["time"].min()), cast("datetime", issues["time"].max()) + HOUR)
