"""One set of trees for many series: what all of them teach, with intervals of each one's own.

Targets are departures from a series' own recent level in parts of it, so rows of a flat and of a factory can stand in
one table. Trees of many series learn more than those of one, and are grown once instead of once per series.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl

from watthour.core.errors import WatthourError
from watthour.core.frames import LEVELS, Targets
from watthour.forecasting.baselines import FittedRule, PersistenceEnsemble
from watthour.forecasting.calibrate import Spread
from watthour.forecasting.gradient_boosting import FittedGradientBoosting, fewest_rows, splits_of
from watthour.forecasting.period_effects import PeriodEffects
from watthour.forecasting.training_matrix import NORMAL, TrainingMatrix, TrainingSet
from watthour.forecasting.trees import Trees
from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.forecasting.gradient_boosting import GradientBoosting
    from watthour.forecasting.vintages import Array

    Advance = Callable[[], None]

# For many series.
GROWTH: dict[str, object] = {"n_trees": 100, "learning_rate": 0.12, "n_leaves": 31, "fewest_in_leaf": 100}
_MOST_ROWS = 100_000  # of targets learned from; more make no better trees
_ENSEMBLE = "demand_same_weekday_mean_4w"

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def each(work: Callable[[_Item], _Made], items: Iterable[_Item], *, workers: int, advance: Advance) -> list[_Made]:
    """Do some work on each item, on as many threads as asked, and tell after each one.

    Returns what was made, in order.
    """
    made: list[_Made] = []
    with ThreadPoolExecutor(workers) as pool:
        for one in pool.map(work, items):
            made.append(one)
            advance()
    return made


def fit_pooled(
    recipe: GradientBoosting,
    pasts: Sequence[History],
    issues: Sequence[dy.DataFrame[Targets]],
    *,
    workers: int,
    advance: Advance,
) -> list[FittedGradientBoosting]:
    """Grow one set of trees on the past issues of many series, and return it as one model per series.

    Of very many rows some are left out: issues of each series, evenly spaced. Series too short to learn from are
    answered by what the others taught. With too few rows in all of them, each is fitted alone.

    Args:
        recipe: how to grow the trees; the operator's forecast plays no part.
        pasts: what was known of each series, all of one step and one time zone.
        issues: of each series, to learn from.
        workers: series worked at the same time.
        advance: called after each series.
    """
    weather = recipe.weather and any(past.context.covariates for past in pasts)
    effects = [PeriodEffects.of(past) for past in pasts]
    shown = [effect.without(past) for effect, past in zip(effects, pasts, strict=True)]
    stride = _stride(sum(each_issues.height for each_issues in issues))

    def learn(number: int) -> TrainingSet | None:
        chosen = _every(issues[number], stride)
        return None if chosen.is_empty() else TrainingSet.of(shown[number], chosen, weather=weather, operator=False)

    found = each(learn, range(len(pasts)), workers=workers, advance=advance)
    sets = {number: training for number, training in enumerate(found) if training is not None and len(training.time)}
    context = pasts[0].context
    if sum(training.n_usual for training in sets.values()) < fewest_rows(context.resolution):
        return [recipe.fit(past, asked) for past, asked in zip(pasts, issues, strict=True)]
    pool = TrainingSet.pooled(list(sets.values()))
    trees, shared = Trees.grow_pooled(
        replace(recipe, n_threads=max(recipe.n_threads, workers)), pool, context.time_zone
    )
    own = dict(zip(sets, trees, strict=True))
    stand_in = _ensemble(pool, context.time_zone)
    return [
        FittedGradientBoosting(
            recipe,
            (own.get(number, shared),),
            stand_in,
            {} if asked.is_empty() else splits_of(asked, context.time_zone, context.resolution),
            effects[number],
        )
        for number, asked in enumerate(issues)
    ]


def predict_pooled(
    models: Sequence[FittedGradientBoosting],
    pasts: Sequence[History],
    targets: Sequence[dy.DataFrame[Targets]],
    *,
    workers: int,
    advance: Advance,
) -> list[Forecast | WatthourError]:
    """Forecast many series in one call of their trees; of a series that cannot be forecast, return why."""
    numbers = range(len(models))
    pasts = [model.effects.without(past) for model, past in zip(models, pasts, strict=True)]
    tables = each(lambda k: models[k].features_of(pasts[k], targets[k]), numbers, workers=workers, advance=advance)
    ready = _tree_quantiles(models, pasts, targets, tables)

    def answer(number: int) -> Forecast | WatthourError:
        try:
            told = models[number].answer(pasts[number], targets[number], tables[number], ready[number])
            return models[number].effects.put_back(told, pasts[number].context)
        except WatthourError as error:
            return error

    return each(answer, numbers, workers=workers, advance=advance)


def _tree_quantiles(
    models: Sequence[FittedGradientBoosting],
    pasts: Sequence[History],
    targets: Sequence[dy.DataFrame[Targets]],
    tables: Sequence[pl.DataFrame],
) -> list[Array]:
    """Return (targets, ``LEVELS``) what the best trees of each model say, all that share their trees at once."""
    quantiles = [np.full((asked.height, len(LEVELS)), np.nan) for asked in targets]
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, model in enumerate(models):
        if model.trees:
            groups.setdefault(tuple(model.trees[0].texts.values()), []).append(number)
    for numbers in groups.values():
        first = models[numbers[0]].trees[0]
        designs = [TrainingMatrix.of(tables[k], operator=first.operator, names=first.features) for k in numbers]
        raw = first.raw_quantiles(np.concatenate([design.matrix for design in designs]))
        ends = np.cumsum([len(design.matrix) for design in designs])
        for k, design, rows in zip(numbers, designs, np.split(raw, ends[:-1]), strict=True):
            times = instants(targets[k]["time"])
            quantiles[k] = models[k].trees[0].calibrated(rows, design, tables[k], times, pasts[k].context.time_zone)
    return quantiles


def _stride(n_rows: int) -> int:
    """Return of how many issues one is learned from; never whole weeks, so that every weekday is."""
    stride = max(1, -(-n_rows // _MOST_ROWS))
    return stride + (stride % 7 == 0)


def _every(issues: dy.DataFrame[Targets], stride: int) -> dy.DataFrame[Targets]:
    """Return every so manieth issue, the last one first among them."""
    if stride == 1 or issues.is_empty():
        return issues
    return Targets.cast(issues.filter((pl.col("issued_at").rank("dense", descending=True) - 1) % stride == 0))


def _ensemble(training: TrainingSet, time_zone: str) -> FittedRule:
    """Return the mean of the last four same weekdays with the errors it made on all series of a pool."""
    usual = training.kind == NORMAL
    forecast = training.matrix[usual, training.names.index(_ENSEMBLE)]
    errors = training.target[usual] + 1 - forecast  # both are in parts of the level; the target is less the level
    return FittedRule(PersistenceEnsemble(), Spread.learn(errors, training.time[usual], time_zone, LEVELS))
