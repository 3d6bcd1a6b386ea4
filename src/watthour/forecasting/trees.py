"""Sets of boosted trees, one per quantile, grown on most weeks, stopped and made honest on the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import lightgbm
import numpy as np
import polars as pl

from watthour.core.frames import LEVELS
from watthour.forecasting.calendar import local_days
from watthour.forecasting.calibrate import Spread, between_levels, sorted_quantiles, wider
from watthour.forecasting.design import BLIND, NORMAL, STALE, Design
from watthour.forecasting.vintages import MEDIAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from watthour.forecasting.design import Lessons
    from watthour.forecasting.gradient_boosting import GradientBoosting
    from watthour.forecasting.vintages import Array, Instants

_BLOCKS = 5  # every fifth block of days is held out, so that all seasons are in it ...
_BLOCK_DAYS, _BLOCK_DAYS_OF_SHORT = 28, 7  # ... long ones, as trees remember a week by its neighbours
_LONG_DAYS = 400
_FEWEST_TREES = 20
_FEWEST_UNSEEN = 24 * 7  # hours from which a condition can have its own intervals
_OLDER_HOURS = 12.0  # demand older than usual by this is called stale
_KINDS = {"normal": NORMAL, "blind": BLIND, "stale": STALE}


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Grown trees, and by how much their quantiles must be moved to be honest: as usual, without weather, stale."""

    operator: bool  # whether their answer is a departure from the operator's forecast
    features: tuple[str, ...]
    texts: Mapping[float, str]  # level -> LightGBM's own text format
    spreads: Mapping[str, Spread]
    usual_age: float
    sky: tuple[str, ...]  # features of the weather they are used to
    importance: Mapping[str, float]
    _grown: dict[float, lightgbm.Booster] = field(default_factory=dict, repr=False)

    @classmethod
    def grow(cls, recipe: GradientBoosting, lessons: Lessons, time_zone: str, *, operator: bool) -> Self:
        """Grow the trees of each level: once to find how many, once more on everything."""
        day = local_days(lessons.time, time_zone)
        held = held_out(day)
        weight = 0.5 ** ((day.max() - day) / recipe.half_life_days)
        learned, watched = ~held, held & (lessons.kind == NORMAL)
        unseen = np.full((int(held.sum()), len(recipe.levels)), np.nan)
        texts: dict[float, str] = {}
        gains = np.zeros(len(lessons.design.names))
        for k, level in enumerate(recipe.levels):
            trial = _boost(recipe, level, lessons, learned, weight, watched=watched)
            unseen[:, k] = trial.predict(lessons.design.matrix[held], num_iteration=trial.best_iteration)
            n_trees = max(_FEWEST_TREES, round(1.1 * trial.best_iteration))
            final = _boost(recipe, level, lessons, np.ones(len(held), dtype=bool), weight, n_trees=n_trees)
            texts[level] = final.model_to_string()
            gains += final.feature_importance("gain")
        spreads = _spreads(recipe, lessons, held, sorted_quantiles(unseen), time_zone)
        importance = dict(zip(lessons.design.names, (gains / max(gains.sum(), 1e-9)).tolist(), strict=True))
        names = tuple(lessons.design.names)
        return cls(operator, names, texts, spreads, lessons.usual_age, lessons.sky, importance)

    def quantiles(self, table: pl.DataFrame, times: Instants, time_zone: str) -> Array:
        """Return the quantiles of each row of features, one column per level of ``LEVELS``; NaN where none can be."""
        design = Design.of(table, operator=self.operator, names=self.features)
        levels = list(self.texts)
        told = [np.asarray(self._booster(level).predict(design.matrix, num_threads=1)) for level in levels]
        raw = sorted_quantiles(np.stack(told, axis=1))
        moves = self.spreads["normal"].at(times, time_zone)
        for name, is_so in (("blind", self.is_blind(table)), ("stale", self.is_stale(table))):
            if is_so.any() and name in self.spreads:
                moves = np.where(is_so[:, None], wider(moves, self.spreads[name].at(times, time_zone), levels), moves)
        wanted = between_levels(sorted_quantiles(raw + moves * width(raw)), levels, LEVELS)
        return design.reference[:, None] + wanted * design.scale[:, None]

    def is_blind(self, table: pl.DataFrame) -> NDArray[np.bool_]:
        """Tell of which rows most of the weather is unknown that used to be known."""
        if not self.sky:
            return np.zeros(table.height, dtype=bool)
        known = [name for name in self.sky if name in table.columns]
        n_known = table.select(pl.sum_horizontal(pl.lit(0), pl.col(known).is_not_null())).to_series()
        return (n_known < len(self.sky) / 2).to_numpy()

    def is_stale(self, table: pl.DataFrame) -> NDArray[np.bool_]:
        """Tell for which rows the last known demand is older than usual."""
        age = table["demand_age_hours"].to_numpy()
        return np.asarray(~(age <= self.usual_age + _OLDER_HOURS))

    def as_json(self) -> dict[str, Any]:
        """Return all but the trees as plain data."""
        return {
            "operator": self.operator,
            "features": self.features,
            "levels": list(self.texts),
            "spreads": {name: spread.as_json() for name, spread in self.spreads.items()},
            "usual_age": self.usual_age,
            "sky": self.sky,
            "importance": dict(self.importance),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], texts: Mapping[float, str]) -> Self:
        """Build them again from plain data and LightGBM's texts."""
        return cls(
            kept["operator"],
            tuple(kept["features"]),
            {level: texts[level] for level in kept["levels"]},
            {name: Spread.from_json(spread) for name, spread in kept["spreads"].items()},
            kept["usual_age"],
            tuple(kept["sky"]),
            kept["importance"],
        )

    def _booster(self, level: float) -> lightgbm.Booster:
        if level not in self._grown:
            self._grown[level] = lightgbm.Booster(model_str=self.texts[level])
        return self._grown[level]


def held_out(days: Instants) -> NDArray[np.bool_]:
    """Tell which local days are held out: every fifth four weeks, of a short history every fifth week; the last too."""
    length = _BLOCK_DAYS if days.max() - days.min() >= _LONG_DAYS else _BLOCK_DAYS_OF_SHORT
    return np.asarray((days.max() - days) // length % _BLOCKS == 0)


def width(quantiles: Array) -> Array:
    """Return the width of each row's widest interval, never nothing."""
    return np.maximum(quantiles[:, -1:] - quantiles[:, :1], 1e-6)


def _boost(
    recipe: GradientBoosting,
    level: float,
    lessons: Lessons,
    rows: NDArray[np.bool_],
    weight: Array,
    *,
    watched: NDArray[np.bool_] | None = None,
    n_trees: int | None = None,
) -> lightgbm.Booster:
    """Grow trees for one level on some rows; with ``watched`` rows, until these gain no more."""
    matrix, target = lessons.design.matrix, lessons.target
    parameters = {
        "objective": "quantile",
        "alpha": level,
        "learning_rate": recipe.learning_rate,
        "num_leaves": recipe.n_leaves,
        "min_data_in_leaf": recipe.fewest_in_leaf,
        "feature_fraction": 0.6,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "num_threads": recipe.n_threads,
        "seed": recipe.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    names = lessons.design.names
    learned = lightgbm.Dataset(matrix[rows], target[rows], weight=weight[rows], feature_name=names)
    if watched is None:
        return lightgbm.train(parameters, learned, num_boost_round=n_trees or recipe.n_trees)
    return lightgbm.train(
        parameters,
        learned,
        num_boost_round=recipe.n_trees,
        valid_sets=[lightgbm.Dataset(matrix[watched], target[watched], reference=learned)],
        callbacks=[lightgbm.early_stopping(recipe.patience, verbose=False)],
    )


def _spreads(
    recipe: GradientBoosting, lessons: Lessons, held: NDArray[np.bool_], unseen: Array, time_zone: str
) -> dict[str, Spread]:
    """Learn by how much each quantile must move, in widths of the interval, to be honest on unseen weeks."""
    misses = (lessons.target[held][:, None] - unseen) / width(unseen)
    usual = lessons.kind[held] == NORMAL
    misses[np.ix_(usual, np.array(recipe.levels) == MEDIAN)] = 0  # the point is the trees'; months unseen would move it
    kind, time = lessons.kind[held], lessons.time[held]
    return {
        name: Spread.learn(misses[kind == code], time[kind == code], time_zone, recipe.levels)
        for name, code in _KINDS.items()
        if code == NORMAL or (kind == code).sum() >= _FEWEST_UNSEEN
    }
