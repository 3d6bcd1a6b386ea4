"""Quantiles of the intervals ahead from what many series had in common, for each of them and for any new one.

Rows of all series stand in one table, each in parts of its own recent level. Small networks learn all quantiles of
them; trees learn the median and the mean, which are averaged with those of the networks and move their quantiles.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory, WatthourError
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import step_in_words
from watthour.forecasting.calibrate import sorted_quantiles
from watthour.forecasting.conformal import band_scale, misses_of, widened
from watthour.forecasting.features import actuals
from watthour.forecasting.global_model.network import Network, train
from watthour.forecasting.global_model.rows import BACK, LOGGED, NAMES, REFERENCE, Rows, rows_of
from watthour.forecasting.quantile_forecast import describe_intervals, nothing_known, quantile_forecast
from watthour.forecasting.quantiles import mean_of_quantiles
from watthour.forecasting.steps import check_targets, require_part_of_a_day, step_of
from watthour.forecasting.vintages import DAY_US, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.forecasting.vintages import Array

NAME = "global_model"
_WORDS, _NUMBERS, _MEDIAN, _MEAN = "global_model.json", "networks.npz", "median.txt", "mean.txt"
_FORMAT = 2
_MOST_ROWS = 300_000  # learned from; more gain little
_FEWEST_ROWS = 400
_ROWS_OF_ALL_TREES = 20_000  # with fewer rows fewer trees are grown, which learn faster
_FEWEST_TREES = 0.2  # share of all
_YOUNG = (1, 2, 4, 7, 12, 20)  # days that some rows are learned with, as if the series were young
_MIDDLE = LEVELS.index(0.5)
_HALF = 0.5  # share of the trees in the median and in the mean
_WIDEN = (0.6, 1.6)  # times the upper half of the band, so that the mean is met
_PRIOR_ROWS = 400.0  # that the shared width of the band counts for beside the errors of a series
_LIMITS = (0.7, 1.6)
_NEW_DAYS = (1, 3, 7, 14, 28, BACK)  # that may be known of a series from which nothing was learned
_LAST_DAYS = 28  # of the series left out, on which is measured how wide the band of a new one has to be
_MOST_CROSSED = 16  # series of which each half is left out in turn; of more one half is enough
_NEW_LIMITS = (0.9, 2.0)
_LOGGED = np.array([NAMES.index(name) for name in LOGGED])
_STEEP = 5.0
_PLACE = {name: k for k, name in enumerate(NAMES)}


@dataclass(frozen=True, slots=True)
class GlobalModel:
    """How it learns."""

    n_networks: int = 2
    units: tuple[int, ...] = (64, 32)
    n_epochs: float = 8.0
    pace: float = 0.002
    n_trees: int = 250
    learning_rate: float = 0.06
    n_leaves: int = 31
    n_threads: int = 1
    seed: int = 1
    every_young: int = 24  # issues of which one is learned once more with each number of days of a young series

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedGlobalModel:
        """Learn from the past issues of one series; see ``fit_many``."""
        return self.fit_many([history], [issues])[0]

    def fit_many(self, pasts: Sequence[History], issues: Sequence[dy.DataFrame[Targets]]) -> list[FittedGlobalModel]:
        """Learn from the past issues of many series, and return one model for each; they share what was learned.

        Raises:
            InvalidInput: the step is a day or longer.
            NotEnoughHistory: too little is known of all of them together.
        """
        context = pasts[0].context
        step = require_part_of_a_day(context, NAME)
        stride = _stride(sum(each.height for each in issues))
        found = [_lesson(past, _every(asked, stride, 0)) for past, asked in zip(pasts, issues, strict=True)]
        young = [
            lesson
            for number, (past, asked) in enumerate(zip(pasts, issues, strict=True))
            for k, days in enumerate(_YOUNG)
            if not (some := _every(asked, stride * self.every_young, number + 4 * k)).is_empty()
            and (lesson := _lesson(past, some, days)) is not None
        ]
        lessons = [lesson for lesson in found if lesson is not None]
        n_rows = sum(len(lesson.target) for lesson in lessons)
        if n_rows < _FEWEST_ROWS:
            raise NotEnoughHistory(
                f"{n_rows} intervals of the past can be learned from; {NAME} needs {_FEWEST_ROWS}",
                remedy="Add more history or more series, or use a baseline such as seasonal_naive.",
            )
        shared = self._shared([*lessons, *young], step, len(lessons))
        return [
            FittedGlobalModel(shared, {} if lesson is None else {past.context.channel.id: shared.width_of(lesson)})
            for past, lesson in zip(pasts, found, strict=True)
        ]

    def widths_of_new(
        self, pasts: Sequence[History], issues: Sequence[dy.DataFrame[Targets]]
    ) -> tuple[tuple[float, float], ...]:
        """Return what the band of a series from which nothing is learned is to be multiplied with, by days known of it.

        Every second series is left out, and so are the last four weeks of the others; what is learned from the rest is
        asked for those weeks of the series left out, as if they had just begun. Of few series the others are left out
        then. A single series is left out of its own last weeks alone.

        Args:
            pasts: as of ``fit_many``.
            issues: likewise.

        Returns:
            Days known, and the factor; nothing where too little is known to measure it.
        """
        ends = [int(instants(asked["time"]).max()) for asked in issues if not asked.is_empty()]
        cut = max(ends, default=0) - _LAST_DAYS * DAY_US
        before = [Targets.cast(asked.filter(pl.Series(instants(asked["time"]) < cut))) for asked in issues]
        after = [Targets.cast(asked.filter(pl.Series(instants(asked["issued_at"]) >= cut))) for asked in issues]
        halves = [slice(None)] if len(pasts) == 1 else [slice(1, None, 2), slice(0, None, 2)]
        misses: dict[int, list[Array]] = {days: [] for days in _NEW_DAYS}
        for left_out in halves if len(pasts) <= _MOST_CROSSED else halves[:1]:
            others = left_out if len(pasts) == 1 else halves[1 - halves.index(left_out)]
            try:
                shared = self.fit_many(pasts[others], before[others])[0].shared
            except NotEnoughHistory:
                continue
            for days, found in misses.items():
                lessons = (
                    _lesson(past, asked, days) for past, asked in zip(pasts[left_out], after[left_out], strict=True)
                )
                found += [shared.misses_of(lesson) for lesson in lessons if lesson is not None]
        return tuple((float(days), _width_of_new(found)) for days, found in misses.items() if found)

    def _shared(self, lessons: Sequence[_Lesson], step: int, n_series: int) -> Shared:
        table = np.concatenate([lesson.rows.features for lesson in lessons])
        target = np.concatenate([lesson.target for lesson in lessons])
        even, square = (np.concatenate([lesson.weights(power) for lesson in lessons]) for power in (1, 2))
        inputs = inputs_of(table)
        networks = tuple(
            train(
                inputs,
                target,
                even / even.mean(),
                units=self.units,
                n_epochs=self.n_epochs,
                pace=self.pace,
                rng=np.random.default_rng(self.seed + k),
            )
            for k in range(self.n_networks)
        )
        median, mean = self._grown(table, target, even, "l1"), self._grown(table, target, square, "l2")
        return Shared(self, step, n_series, networks, median, mean)

    def _grown(self, table: Array, target: Array, weight: Array, objective: str) -> str:
        """Return LightGBM's text of trees."""
        import lightgbm  # slow to import

        n_trees = self.n_trees if objective == "l1" else self.n_trees // 2  # a mean is learned sooner
        fewer = min(1.0, max(len(target) / _ROWS_OF_ALL_TREES, _FEWEST_TREES))
        parameters: dict[str, object] = {
            "objective": objective,
            "learning_rate": self.learning_rate / fewer**0.5,
            "num_leaves": self.n_leaves,
            "min_data_in_leaf": int(np.clip(len(target) // 800, 20, 200)),
            "feature_fraction": 0.4,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 10.0,
            "max_bin": 127,
            "num_threads": self.n_threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        rows = lightgbm.Dataset(table, target, weight=weight / weight.mean(), feature_name=list(NAMES))
        return str(lightgbm.train(parameters, rows, round(n_trees * fewer)).model_to_string())


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """Rows of one series whose values came."""

    rows: Rows
    target: Array  # (n,) departure from the reference in parts of the level

    def weights(self, power: int) -> Array:
        """Return weights under which each series counts as its errors of a plain rule do, (n,)."""
        rule = self.rows.features[:, _PLACE["weekday_mean_4"]]
        error = np.abs(self.target + reference_of(self.rows.features) - rule) ** power
        known = error[np.isfinite(error)]
        usual = float(known.mean()) if len(known) else 1.0
        return np.full(len(self.target), 1 / max(usual, 0.1**power))


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What was learned from all series."""

    recipe: GlobalModel
    step: int  # [microseconds]
    n_series: int
    networks: tuple[Network, ...]
    median: str  # trees, in LightGBM's text
    mean: str

    def quantiles(self, table: Array) -> Array:
        """Return (n, ``LEVELS``) quantiles in parts of the level, of rows of features."""
        inputs, reference = inputs_of(table), reference_of(table)
        said = sorted_quantiles(np.mean([network.quantiles(inputs) for network in self.networks], axis=0))
        middle, mean = said[:, _MIDDLE], mean_of_quantiles(said)
        middle = middle + _HALF * (self._trees(self.median, table) - middle)
        mean = mean + _HALF * (self._trees(self.mean, table) - mean)
        return met(said, middle, mean) + reference[:, None]

    def width_of(self, lesson: _Lesson) -> float:
        """Return what the band of a series is to be multiplied with, after the errors it made."""
        known = self.misses_of(lesson)
        n = float(len(known))
        return band_scale(known, np.ones(len(known)), total=n, squares=n, prior=_PRIOR_ROWS, limits=_LIMITS)

    def misses_of(self, lesson: _Lesson) -> Array:
        """Return how far the values of a series lay from the middle, in parts of half the band, (n,)."""
        told = self.quantiles(lesson.rows.features)
        misses = misses_of(lesson.target + reference_of(lesson.rows.features), told)
        return np.asarray(misses[np.isfinite(misses)])

    def _trees(self, text: str, table: Array) -> Array:
        import lightgbm  # slow to import

        return np.asarray(lightgbm.Booster(model_str=text).predict(table, num_threads=1))

    def files(self) -> dict[str, bytes]:
        """Return it as LightGBM's text, JSON and numbers."""
        words = {
            "format": _FORMAT,
            "recipe": asdict(self.recipe),
            "step": self.step,
            "n_series": self.n_series,
            "features": list(NAMES),
        }
        buffer = io.BytesIO()
        arrays = {
            name: each for k, network in enumerate(self.networks) for name, each in network.arrays(f"{k}_").items()
        }
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return {
            _WORDS: json.dumps(words).encode(),
            _NUMBERS: buffer.getvalue(),
            _MEDIAN: self.median.encode(),
            _MEAN: self.mean.encode(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its files."""
        words: dict[str, Any] = json.loads(files[_WORDS])
        recipe = GlobalModel(**{**words["recipe"], "units": tuple(words["recipe"]["units"])})
        with np.load(io.BytesIO(files[_NUMBERS]), allow_pickle=False) as archive:
            arrays = dict(archive)
        networks = tuple(Network.of_arrays(arrays, f"{k}_") for k in range(recipe.n_networks))
        return cls(recipe, words["step"], words["n_series"], networks, files[_MEDIAN].decode(), files[_MEAN].decode())


@dataclass(frozen=True, slots=True, eq=False)
class FittedGlobalModel:
    """What was learned from all series, and how wide the bands of some of them are."""

    shared: Shared
    widths: Mapping[str, float]  # by channel: times the shared band
    new_widths: tuple[tuple[float, float], ...] = ()  # of any other: days known of it, and times the shared band

    @property
    def features(self) -> tuple[str, ...]:
        """What it looks at."""
        return NAMES

    @property
    def remarks(self) -> tuple[str, ...]:
        """What it was learned from."""
        return (f"It was learned from {self.shared.n_series} series together.",)

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue, of this or any other series of the same step.

        Raises:
            InvalidInput: the step is another one, or the targets are not intervals of the channel.
            NotEnoughHistory: nothing is known at any issue.
        """
        return self.answer(history, targets, self.rows(history, targets))

    def rows(self, history: History, targets: dy.DataFrame[Targets]) -> Rows:
        """Return what was known at the issue of each target."""
        context = history.context
        if step_of(context) != self.shared.step:
            problem = f"this model was trained on steps of {step_in_words(timedelta(microseconds=self.shared.step))}"
            remedy = "Train one for this resolution: `watthour train`."
            raise InvalidInput("resolution", step_in_words(context.resolution), problem, remedy=remedy)
        check_targets(targets, context)
        if not len(measurement_vintages(history, context.channel.id).times):
            raise nothing_known(targets, context)
        return rows_of(history, targets)

    def answer(
        self, history: History, targets: dy.DataFrame[Targets], rows: Rows, told: Array | None = None
    ) -> Forecast:
        """Return the forecast of rows, from quantiles in parts of the level where they are known already."""
        told = self.shared.quantiles(rows.features) if told is None else told
        wide = widened(told, self._width(history, targets)[:, None])
        room = rows.highest - rows.lowest
        inside = np.clip(wide, (rows.lowest - room)[:, None], (rows.highest + room)[:, None])
        quantiles = inside * rows.level[:, None]
        if not (measurement_vintages(history, history.context.channel.id).values < 0).any():
            quantiles = np.maximum(quantiles, 0)
        share = rows.features[:, _PLACE["share_known"]]
        missing = []
        if (late := ~np.isfinite(rows.features[:, _PLACE["day_1"]])).any():
            missing.append(
                f"Nothing was known of the day before for {describe_intervals(targets, late, history.context)}."
            )
        quantiles[share <= 0] = np.nan
        return quantile_forecast(targets, quantiles, history.context, model=NAME, missing_inputs=missing)

    def _width(self, history: History, targets: dy.DataFrame[Targets]) -> Array:
        """Return what the shared band is multiplied with for each target, (n,)."""
        channel = history.context.channel.id
        if channel in self.widths or not self.new_widths:
            return np.full(targets.height, self.widths.get(channel, 1.0))
        first = int(measurement_vintages(history, channel).times.min())
        known = np.maximum((instants(targets["issued_at"]) - first) / DAY_US, 1e-3)
        days, factors = np.array(self.new_widths).T
        return np.asarray(np.interp(np.log(known), np.log(days), factors))

    def files(self) -> Mapping[str, bytes]:
        """Return what was learned from all, and what is this series' own, as files."""
        own = json.dumps({"widths": dict(self.widths), "new_widths": self.new_widths}).encode()
        return {**self.shared.files(), "own.json": own}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its files."""
        own = json.loads(files["own.json"])
        new = tuple((days, factor) for days, factor in own.get("new_widths", ()))  # not in files of earlier versions
        return cls(Shared.from_files(files), own["widths"], new)


def predict_many(
    models: Sequence[FittedGlobalModel], pasts: Sequence[History], targets: Sequence[dy.DataFrame[Targets]]
) -> list[Forecast | WatthourError]:
    """Forecast many series whose models share what they learned, asking it once; of one that cannot be, return why."""
    rows: list[Rows | WatthourError] = []
    for model, past, asked in zip(models, pasts, targets, strict=True):
        try:
            rows.append(model.rows(past, asked))
        except WatthourError as error:  # it must not stop the others
            rows.append(error)
    tables = [each.features for each in rows if isinstance(each, Rows)]
    told: Iterator[Array] = iter(())
    if tables:
        quantiles = models[0].shared.quantiles(np.concatenate(tables))
        told = iter(np.split(quantiles, np.cumsum([len(table) for table in tables])[:-1]))
    found: list[Forecast | WatthourError] = []
    for model, past, asked, mine in zip(models, pasts, targets, rows, strict=True):
        if isinstance(mine, WatthourError):
            found.append(mine)
            continue
        try:
            found.append(model.answer(past, asked, mine, next(told)))
        except WatthourError as error:
            found.append(error)
    return found


def inputs_of(table: Array) -> Array:
    """Return features as a network sees them, (n, F): levels on a nearly logarithmic scale."""
    inputs = table.copy()
    inputs[:, _LOGGED] = np.arcsinh(_STEEP * inputs[:, _LOGGED])
    return inputs


def reference_of(table: Array) -> Array:
    """Return what departures are from, (n,), in parts of the level: the usual value, or else the level."""
    usual, plain = table[:, _PLACE[REFERENCE]], table[:, _PLACE["mean_28d"]]
    usual = np.where(np.isfinite(usual), usual, plain)
    return np.where(np.isfinite(usual), usual, 1.0).astype(np.float64)


def met(quantiles: Array, median: Array, mean: Array) -> Array:
    """Return quantiles, (n, ``LEVELS``), moved to a median, the upper half widened or narrowed to meet a mean, (n,)."""
    gap = quantiles - quantiles[:, _MIDDLE][:, None]
    upper = np.where(np.arange(len(LEVELS)) > _MIDDLE, gap, 0)
    lower = gap - upper
    wanted = mean - median - mean_of_quantiles(lower)
    factor = np.clip(wanted / np.maximum(mean_of_quantiles(upper), 1e-9), *_WIDEN)
    return np.asarray(median[:, None] + lower + upper * factor[:, None])


def _lesson(past: History, asked: dy.DataFrame[Targets], days: int | None = None) -> _Lesson | None:
    """Return what can be learned of issues of a series, as if only its last days were known; None where nothing can."""
    if asked.is_empty() or not len(measurement_vintages(past, past.context.channel.id).times):
        return None
    rows = rows_of(past, asked) if days is None else rows_of(past, asked, most_days=days)
    target = actuals(past, asked) / rows.level - reference_of(rows.features)
    known = np.isfinite(target) & (rows.features[:, _PLACE["share_known"]] > 0)
    return _Lesson(rows.take(known), target[known]) if known.any() else None


def _width_of_new(misses: Sequence[Array]) -> float:
    """Return the factor of the band that holds over series, each of which counts alike; errors of a day go together."""
    weights = np.concatenate([np.full(len(each), _LAST_DAYS / len(each)) for each in misses])
    total = float(_LAST_DAYS * len(misses))
    return band_scale(
        np.concatenate(misses), weights, total=total, squares=total, prior=float(_LAST_DAYS), limits=_NEW_LIMITS
    )


def _stride(n_rows: int) -> int:
    """Return of how many issues one is learned from; never whole weeks, so that every weekday is."""
    stride = max(1, -(-n_rows // _MOST_ROWS))
    return stride + (stride % 7 == 0)


def _every(issues: dy.DataFrame[Targets], stride: int, first: int) -> dy.DataFrame[Targets]:
    """Return every so manieth issue, the last one first among them."""
    if issues.is_empty():
        return issues
    place = pl.col("issued_at").rank("dense", descending=True) - 1
    return Targets.cast(issues.filter(place % stride == first % stride))
