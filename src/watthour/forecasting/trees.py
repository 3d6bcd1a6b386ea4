"""Sets of boosted trees, one per quantile, grown on most weeks, stopped and made honest on the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import lightgbm  # noqa: TID253 - this module is nothing else, and is imported where trees are used
import numpy as np
import polars as pl

from watthour.core.frames import LEVELS
from watthour.forecasting.calibrate import Spread, between_levels, sorted_quantiles, wider
from watthour.forecasting.training_matrix import NORMAL, STALE, WITHOUT_WEATHER, TrainingMatrix
from watthour.forecasting.vintages import MEDIAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from watthour.forecasting.training_matrix import TrainingSet
    from watthour.forecasting.vintages import Array, Instants

    Mask = NDArray[np.bool_]

_FEWEST_TREES = 20
_FEWEST_UNSEEN_DAYS = 7  # from which a condition can have its own intervals
_FEWEST_UNSEEN_ROWS = 24
_OLDER_HOURS = 12.0  # demand older than usual by this is called stale
_KINDS = {"normal": NORMAL, "without_weather": WITHOUT_WEATHER, "stale": STALE}
_MOST_LEVELS = 10.0  # of a target in a pool, in parts of the level
_DIGITS = 8  # kept of a move
_OWN_MISSES = 200.0  # of a series in a pool, at which its own count as much as those of all


@dataclass(frozen=True, slots=True)
class GrowthParameters:
    """How trees are grown."""

    levels: tuple[float, ...] = (0.05, 0.5, 0.95)  # those with trees of their own; the rest lie between
    n_trees: int = 600  # at most; the held-out weeks decide
    learning_rate: float = 0.06
    n_leaves: int = 15
    fewest_in_leaf: int = 40
    patience: int = 40  # trees without a gain before growing ends
    half_life_days: float = 730.0  # what is this old counts half
    n_threads: int = 1
    seed: int = 7


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Grown trees, and by how much their quantiles move to be honest: as usual, without weather, with old demand."""

    operator: bool  # whether their answer is a departure from the operator's forecast
    features: tuple[str, ...]
    texts: Mapping[float, str]  # level -> LightGBM's own text format
    spreads: Mapping[str, Spread]
    usual_age: float  # of the last known demand [hours]
    weather_features: tuple[str, ...]  # those they are used to
    importance: Mapping[str, float]
    _boosters: dict[float, lightgbm.Booster] = field(default_factory=dict, repr=False)

    @classmethod
    def grow(cls, growth: GrowthParameters, training: TrainingSet, time_zone: str, *, operator: bool) -> Self:
        """Grow the trees of each level: once to find how many, once more on everything."""
        held = training.held_out
        unseen, n_trees = _trial(growth, training, held)
        everything = _dataset(training, np.ones(len(held), dtype=bool), growth)
        texts: dict[float, str] = {}
        gains = np.zeros(len(training.names))
        for level, count in zip(growth.levels, n_trees, strict=True):
            final = lightgbm.train(_parameters(growth, level), everything, num_boost_round=count)
            texts[level] = final.model_to_string()
            gains += final.feature_importance("gain")
        return cls(
            operator=operator,
            features=tuple(training.names),
            texts=texts,
            spreads=_spreads(growth.levels, training, held, _misses(growth.levels, training, held, unseen), time_zone),
            usual_age=float(training.usual_age[0]),
            weather_features=training.weather_features,
            importance=_shares(training.names, gains),
        )

    @classmethod
    def grow_pooled(cls, growth: GrowthParameters, training: TrainingSet, time_zone: str) -> tuple[list[Self], Self]:
        """Grow one set of trees on the rows of many series.

        Returns it once per series, with intervals of its own, and once as it holds for a series not learned from.

        All trees of ``growth.n_trees`` are grown: with many series nothing is learned by heart, and the rows held out
        only make the quantiles honest. A target of more than ten times the level teaches no more than one of ten: it
        comes from a series that was nearly off the week before, and says nothing of the others.

        The quantiles move by what all series ask for at an hour and month, and by a constant
        of each series on top, which counts by how many of its own rows were held out.
        """
        held = training.held_out
        bounded = np.clip(training.target, -_MOST_LEVELS, _MOST_LEVELS)
        learned = _dataset(replace(training, target=bounded), ~held, growth)
        boosters = {
            level: lightgbm.train(_parameters(growth, level), learned, num_boost_round=growth.n_trees)
            for level in growth.levels
        }
        gains = sum(
            (booster.feature_importance("gain") for booster in boosters.values()), np.zeros(len(training.names))
        )
        shared = cls(
            operator=False,
            features=tuple(training.names),
            texts={level: booster.model_to_string() for level, booster in boosters.items()},
            spreads={},
            usual_age=float(np.median(training.usual_age)),
            weather_features=training.weather_features,
            importance=_shares(training.names, gains),
        )
        unseen = shared.raw_quantiles(training.matrix[held])
        misses = _misses(growth.levels, training, held, unseen)
        spreads = _spreads(growth.levels, training, held, misses, time_zone)
        own = _own_spreads(spreads, training, held, misses, time_zone)
        trees = [
            replace(shared, spreads=moved, usual_age=float(age))
            for moved, age in zip(own, training.usual_age, strict=True)
        ]
        return trees, replace(shared, spreads=spreads)

    def quantiles(self, table: pl.DataFrame, times: Instants, time_zone: str) -> Array:
        """Return (rows, ``LEVELS``) quantiles of rows of features; NaN where none can be [unit of the channel]."""
        design = TrainingMatrix.of(table, operator=self.operator, names=self.features)
        raw = self.raw_quantiles(design.matrix)
        return self.calibrated(raw, design, table, times, time_zone)

    def raw_quantiles(self, matrix: Array) -> Array:
        """Return (rows, levels of the trees) departures from the reference in parts of the scale, not yet honest."""
        columns = [np.asarray(self._booster(level).predict(matrix, num_threads=1)) for level in self.texts]
        return sorted_quantiles(np.stack(columns, axis=1))

    def calibrated(
        self, raw: Array, design: TrainingMatrix, table: pl.DataFrame, times: Instants, time_zone: str
    ) -> Array:
        """Return (rows, ``LEVELS``) honest quantiles from the trees' own [unit of the channel].

        Args:
            raw: of ``raw_quantiles``.
            design: the matrix they were asked of.
            table: the features it was made from.
            times: starts of the intervals.
            time_zone: of the place.
        """
        levels = list(self.texts)
        moves = self.spreads["normal"].at(times, time_zone)
        for name, is_so in (("without_weather", self.is_without_weather(table)), ("stale", self.is_stale(table))):
            if is_so.any() and name in self.spreads:
                moves = np.where(is_so[:, None], wider(moves, self.spreads[name].at(times, time_zone), levels), moves)
        wanted = between_levels(sorted_quantiles(raw + moves * width(raw)), levels, LEVELS)
        return design.reference[:, None] + wanted * design.scale[:, None]

    def is_without_weather(self, table: pl.DataFrame) -> Mask:
        """Tell of which rows most of the weather is unknown that used to be known: (rows,)."""
        if not self.weather_features:
            return np.zeros(table.height, dtype=bool)
        known = [name for name in self.weather_features if name in table.columns]
        n_known = table.select(pl.sum_horizontal(pl.lit(0), pl.col(known).is_not_null())).to_series()
        return (n_known < len(self.weather_features) / 2).to_numpy()

    def is_stale(self, table: pl.DataFrame) -> Mask:
        """Tell for which rows the last known demand is older than usual: (rows,)."""
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
            "weather_features": self.weather_features,
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
            tuple(kept["weather_features"]),
            kept["importance"],
        )

    def _booster(self, level: float) -> lightgbm.Booster:
        if level not in self._boosters:
            self._boosters[level] = lightgbm.Booster(model_str=self.texts[level])
        return self._boosters[level]


def width(quantiles: Array) -> Array:
    """Return (rows, 1) the width of each row's widest interval, never nothing."""
    return np.maximum(quantiles[:, -1:] - quantiles[:, :1], 1e-6)


def _trial(growth: GrowthParameters, training: TrainingSet, held: Mask) -> tuple[Array, list[int]]:
    """Grow on the rows that are not held out until the held-out ones gain no more.

    Returns the quantiles of the held-out rows (rows, levels) and how many trees each level needs on all rows.
    """
    learned = _dataset(training, ~held, growth)
    watched = held & (training.kind == NORMAL)
    unseen = np.full((int(held.sum()), len(growth.levels)), np.nan)
    n_trees: list[int] = []
    for k, level in enumerate(growth.levels):
        trial = lightgbm.train(
            _parameters(growth, level),
            learned,
            num_boost_round=growth.n_trees,
            valid_sets=[lightgbm.Dataset(training.matrix[watched], training.target[watched], reference=learned)],
            callbacks=[lightgbm.early_stopping(growth.patience, verbose=False)],
        )
        unseen[:, k] = trial.predict(training.matrix[held], num_iteration=trial.best_iteration)
        n_trees.append(max(_FEWEST_TREES, round(1.1 * trial.best_iteration)))
    return sorted_quantiles(unseen), n_trees


def _dataset(training: TrainingSet, rows: Mask, growth: GrowthParameters) -> lightgbm.Dataset:
    """Return LightGBM's data set of some rows, old ones with less weight; rows of a pool that is young, with none.

    LightGBM finds quantiles of unweighted rows twice as fast.
    """
    age = training.age_days[rows]
    is_young_pool = len(training.usual_age) > 1 and age.max(initial=0) < growth.half_life_days / 2
    weight = None if is_young_pool else 0.5 ** (age / growth.half_life_days)
    return lightgbm.Dataset(
        training.matrix[rows],
        training.target[rows],
        weight=weight,
        feature_name=list(training.names),
        params=_parameters(growth, MEDIAN),
    )


def _parameters(growth: GrowthParameters, level: float) -> dict[str, object]:
    """Return LightGBM's parameters of one quantile."""
    return {
        "objective": "quantile",
        "alpha": level,
        "learning_rate": growth.learning_rate,
        "num_leaves": growth.n_leaves,
        "min_data_in_leaf": growth.fewest_in_leaf,
        "feature_fraction": 0.6,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "num_threads": growth.n_threads,
        "seed": growth.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _shares(names: Sequence[str], gains: Array) -> dict[str, float]:
    """Return each feature's share of the gain of all."""
    return dict(zip(names, (gains / max(gains.sum(), 1e-9)).tolist(), strict=True))


def _misses(levels: Sequence[float], training: TrainingSet, held: Mask, unseen: Array) -> Array:
    """Return (held-out rows, levels) by how much each quantile was missed, in widths of the interval."""
    misses = (training.target[held][:, None] - unseen) / width(unseen)
    usual = training.kind[held] == NORMAL
    misses[np.ix_(usual, np.array(levels) == MEDIAN)] = 0  # the point is the trees'; months unseen would move it
    return np.asarray(misses)


def _spreads(
    levels: Sequence[float], training: TrainingSet, held: Mask, misses: Array, time_zone: str
) -> dict[str, Spread]:
    """Learn by how much each quantile must move, in widths of the interval, to be honest on unseen weeks."""
    kind, time = training.kind[held], training.time[held]
    fewest = max(_FEWEST_UNSEEN_DAYS * training.rows_per_day, _FEWEST_UNSEEN_ROWS)
    return {
        name: Spread.learn(misses[kind == code], time[kind == code], time_zone, levels)
        for name, code in _KINDS.items()
        if code == NORMAL or (kind == code).sum() >= fewest
    }


def _own_spreads(
    spreads: Mapping[str, Spread], training: TrainingSet, held: Mask, misses: Array, time_zone: str
) -> Iterator[dict[str, Spread]]:
    """Yield, for each series of a pool, the spreads of all moved by what its own held-out rows ask for on top."""
    levels = np.array(spreads["normal"].levels)
    usual = training.kind[held] == NORMAL
    left = misses[usual] - spreads["normal"].at(training.time[held][usual], time_zone)
    series = training.series[held][usual]
    for number in range(len(training.usual_age)):
        own = left[series == number]
        moves = np.zeros(len(levels))
        if len(own):
            outward = np.clip(0.5 + (levels - 0.5) * (len(own) + 1) / len(own), 0, 1)
            asked = np.array([np.quantile(own[:, k], outward[k]) for k in range(len(levels))])
            moves = np.where(levels == MEDIAN, 0.0, asked * len(own) / (len(own) + _OWN_MISSES))
        yield {name: replace(spread, table=(spread.table + moves).round(_DIGITS)) for name, spread in spreads.items()}
