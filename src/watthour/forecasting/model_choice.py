"""The notebook's default: the models that suit each series together, or of many series the one that suits them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from watthour.core.errors import WatthourError
from watthour.core.window import DAY
from watthour.forecasting.catalogue import SIMILAR
from watthour.forecasting.catalogue import recipe as named
from watthour.forecasting.combination.model import NAME, Combination, FittedCombination, fit_combinations, untried
from watthour.forecasting.combination.trial import (
    FROM_MANY,
    GLOBAL,
    ON_RIVAL,
    TREES,
    candidates_of,
    fit_some,
    member_recipe,
    scores_of,
    trials_of,
    tried,
)
from watthour.forecasting.fleet import fit_all
from watthour.forecasting.similar_series.among import span_of, with_similar
from watthour.forecasting.similar_series.model import FittedSimilarSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watthour.core.forecast import Context, Forecaster, Recipe
    from watthour.forecasting.combination.trial import Answers
    from watthour.forecasting.fleet import Histories, Plan, Progress, TargetsBySeries

    InWords = Callable[[str, WatthourError], str]
    Found = dict[str, Forecaster | WatthourError]

AUTO = "auto"
MOST_SERIES = 16  # combined each by itself; of more, so many are compared and one model is chosen for all
_RULE = "persistence_ensemble"  # for a series that the chosen model cannot learn
_LAGS_OF_TREES = 7 * DAY  # from when on trees that others taught know more of a series than its last day
_NEAR = 1.15  # of the loss of the best: an average with one as good as that gains
_MOST_BESIDE = 2  # each costs a fit of every series
_OF_LONG_STEPS = "trend_season"  # for one too short to compare models on: four values of a rule are months or years


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The recipe of each series, what the comparison found, and one sentence on each series."""

    recipes: Mapping[str, Recipe]
    table: pl.DataFrame  # series, model, chosen, weight, pinball, mae, coverage90_percent, n, note
    reasons: Mapping[str, str]
    is_pooled: bool  # trees learn from all series of the table together

    @classmethod
    def of_one(cls, recipe: Recipe, names: Sequence[str], *, is_pooled: bool) -> Choice:
        """Return the choice of somebody who named the model."""
        return cls(dict.fromkeys(names, recipe), _as_table([]), {}, is_pooled)


def fit_auto(
    in_words: InWords,
    pasts: Histories,
    issues: TargetsBySeries,
    *,
    is_local: bool,
    workers: int,
    progress: Progress,
) -> tuple[Found, Choice]:
    """Compare the models that can learn each series on its last weeks, and return a combination of the best of them.

    Each learns once before those weeks and forecasts every issue in them. Where the global model is the best of all
    series together or comes near it, each series has it together with the two best that learn a series by itself, and
    with any model that did better than these there. Of more than ``MOST_SERIES`` series so many, evenly spaced in order
    of name, are compared, the first three of these are for all, and without them the best single model. A series of
    less than twelve weeks learns from similar ones as well, if there are longer ones. One that cannot be compared, or
    that the chosen model cannot learn, is given to the mean of the last four same weekdays.

    Args:
        in_words: says what is wrong with a series of some name.
        pasts: what is known of each series.
        issues: of each, to learn from.
        is_local: trees learn each series alone.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
    """
    is_pooled = not (is_local and len(pasts) > 1)
    pasts = dict(pasts) if is_local else with_similar(pasts)
    trials = trials_of(pasts, issues)
    possible = sorted(trials)
    found: Found = {}
    recipes: dict[str, Recipe] = {}
    reasons: dict[str, str] = {}
    chosen = np.linspace(0, len(possible) - 1, min(MOST_SERIES, len(possible))).round().astype(int)
    compared = {possible[k]: trials[possible[k]] for k in chosen}
    answers = _tried(pasts, compared, is_pooled=is_pooled, workers=workers, progress=progress)
    rows = _scored(in_words, answers)
    losses = _relative_to_rule(rows)
    several = _with_the_global(losses)
    together, members = trials, cast("tuple[str, ...]", ())
    is_for_all = len(possible) > MOST_SERIES
    if is_for_all:
        best = next(iter(losses), _RULE)
        recipes |= dict.fromkeys(pasts, member_recipe(best))
        reasons = dict.fromkeys(pasts, _reason_for_all(losses, len(pasts)) + _with(several[1:]))
        rows = [{**row, "chosen": row["model"] == best, "weight": float(row["model"] == best)} for row in rows]
        members = (*(several or (best,)), SIMILAR)
        if not several:
            together = {name: trials[name] for name in possible if pasts[name].context.similar}
    if together:
        combined = fit_combinations(
            Combination(members),
            pasts,
            issues,
            together,
            is_pooled=is_pooled,
            workers=workers,
            progress=progress,
            said=None if is_for_all else _narrowed(answers, rows, several),
        )
        for name, own in combined.items():
            if isinstance(own, FittedCombination):
                found[name], recipes[name] = own, Combination(members)
                if not (is_for_all and several) or pasts[name].context.similar:
                    reasons[name] = _reason(own)
                rows = _with_shares(in_words, rows, name, own, is_new=bool(pasts[name].context.similar))
    for name in pasts:
        if name not in trials and (pasts[name].context.similar or name not in recipes):
            second = _untried(pasts[name].context, has_trees=len(pasts) > 1 and is_pooled)
            recipes[name] = member_recipe(second)
            reasons[name] = f"There is too little history to compare models, so {second} was chosen."
    choice = Choice(recipes, _as_table(rows), reasons, is_pooled)
    found |= fit_named(choice, {name: pasts[name] for name in pasts if name not in found}, issues, workers, progress)
    if is_pooled:
        beside_trees = _with_trees(found, pasts, issues, workers, progress)
        found |= beside_trees
        recipes |= dict.fromkeys(beside_trees, Combination((SIMILAR, TREES)))
        words = f"There is too little history to compare models, so {SIMILAR} and {TREES} were chosen together."
        reasons |= dict.fromkeys(beside_trees, words)
    _rescue(found, recipes, reasons, in_words, pasts, issues)
    return {name: found[name] for name in pasts}, choice


def _untried(context: Context, *, has_trees: bool) -> str:
    """Return the model of a series that is too short to compare models on."""
    if context.similar:
        return SIMILAR
    if context.resolution > DAY:
        return _OF_LONG_STEPS
    return TREES if has_trees else _RULE


def _rescue(
    found: Found,
    recipes: dict[str, Recipe],
    reasons: dict[str, str],
    in_words: InWords,
    pasts: Histories,
    issues: TargetsBySeries,
) -> None:
    """Give the series that their model could not learn to a rule, and say why."""
    errors = {name: one for name, one in found.items() if isinstance(one, WatthourError)}
    rescued = fit_all(
        named(_RULE),
        {name: pasts[name] for name in errors},
        {name: issues[name] for name in errors},
        is_pooled=False,
        workers=1,
        progress=False,
    )
    for name, one in rescued.items():
        if not isinstance(one, WatthourError):
            why = in_words(name, errors[name]).rstrip(".")
            reasons[name] = f"{recipes[name].name} could not learn this series, so {_RULE} is used: {why}."
            found[name], recipes[name] = one, named(_RULE)


def _with_trees(
    found: Found, pasts: Histories, issues: TargetsBySeries, workers: int, progress: Progress
) -> dict[str, FittedCombination]:
    """Return the series of a week or more that are forecast beside similar ones, together with trees of all series."""
    beside = {name: one for name, one in found.items() if isinstance(one, FittedSimilarSeries)}
    weeks = [name for name in beside if span_of(pasts[name]) >= _LAGS_OF_TREES]
    if not weeks:
        return {}
    trees = fit_some(member_recipe(TREES), weeks, pasts, issues, is_pooled=True, workers=workers, progress=progress)
    return {
        name: untried({SIMILAR: beside[name], TREES: one}, pasts[name])
        for name, one in trees.items()
        if not isinstance(one, WatthourError)
    }


def fit_named(
    choice: Choice, pasts: Histories, issues: TargetsBySeries, workers: int, progress: Progress
) -> dict[str, Forecaster | WatthourError]:
    """Return the model that was chosen for each series, or why there is none."""
    found: Found = {}
    if any(recipe.name == SIMILAR for recipe in choice.recipes.values()):
        pasts = with_similar(pasts, even_long=not choice.reasons)
    for recipe in dict.fromkeys(choice.recipes[name] for name in pasts):
        mine = [name for name in pasts if choice.recipes[name] == recipe]
        found |= fit_some(recipe, mine, pasts, issues, is_pooled=choice.is_pooled, workers=workers, progress=progress)
    return {name: found[name] for name in pasts}


def shares_of(model: Forecaster, recipe: Recipe) -> dict[str, float]:
    """Return what a fitted model is made of, by name of the catalogue, and with which weights."""
    return dict(model.weights) if isinstance(model, FittedCombination) else {recipe.name: 1.0}


def used_variables(models: Sequence[str], context: Context) -> frozenset[str] | None:
    """Return the variables of covariates that models of the catalogue look at together; None means all there are."""
    found: set[str] = set()
    for name in models:
        recipe = named(name)
        variables_of = getattr(recipe, "variables_of", None)
        if variables_of is not None:
            found |= set(variables_of(context))
        elif getattr(recipe, "uses_covariates", True):
            return None
    return frozenset(found)


def _tried(
    pasts: Histories,
    trials: Mapping[str, Plan],
    *,
    is_pooled: bool,
    workers: int,
    progress: Progress,
) -> dict[str, Answers]:
    """Return what every candidate said of the trial of each of some series."""
    n_together = len(trials) if is_pooled else 1
    candidates = {name: candidates_of(pasts[name].context, n_together=n_together) for name in trials}
    return tried(candidates, pasts, trials, is_pooled=is_pooled, workers=workers, progress=progress)


def _scored(in_words: InWords, answers: Mapping[str, Answers]) -> list[dict[str, object]]:
    """Return, for each series, a row for each candidate: its scores, or why it has none."""
    rows: list[dict[str, object]] = []
    for name, said in answers.items():
        rows += [
            {"series": name, "chosen": False, "weight": 0.0, **row} for row in scores_of(said.quantiles, said.actual)
        ]
        rows += _silent(in_words, name, said.silent)
    return rows


def _narrowed(
    answers: Mapping[str, Answers], rows: Sequence[Mapping[str, object]], several: Sequence[str]
) -> dict[str, Answers]:
    """Return what was said by some models, by those that did better in a series than all of them, and by a rule.

    All that are a little worse take more from a combination together than each adds, and the weeks of one series are
    too few to tell that; those of all series are not.

    Args:
        answers: of all candidates, by series.
        rows: their scores.
        several: models that are best on all series together; of none, all candidates stay.
    """
    if not several:
        return dict(answers)
    kept = {}
    for name, said in answers.items():
        losses = {str(row["model"]): row["pinball"] for row in rows if row["series"] == name and "pinball" in row}
        least = min((cast("float", losses[model]) for model in several if model in losses), default=np.inf)
        better = [model for model, loss in losses.items() if cast("float", loss) < least]
        kept[name] = said.of([*several, SIMILAR, *ON_RIVAL, _RULE, *better])
    return kept


def _rows(in_words: InWords, name: str, model: FittedCombination) -> list[dict[str, object]]:
    """Return a row for each candidate of a series."""
    shares = model.weights
    return [
        {"series": name, **row, "weight": shares.get(row["model"], 0.0), "chosen": row["model"] in shares}
        for row in model.compared
        if row["model"] != NAME
    ] + _silent(in_words, name, model.silent)


def _with_shares(
    in_words: InWords,
    rows: Sequence[dict[str, object]],
    name: str,
    model: FittedCombination,
    *,
    is_new: bool,
) -> list[dict[str, object]]:
    """Return rows of comparisons with the shares in the combination of a series; if it has none, perhaps new ones."""
    if is_new and all(row["series"] != name for row in rows):
        return [*rows, *_rows(in_words, name, model)]
    return [_weighted(row, model) if row["series"] == name else row for row in rows]


def _weighted(row: Mapping[str, object], model: FittedCombination) -> dict[str, object]:
    """Return a row of the comparison with the share that its model has in a combination."""
    share = model.weights.get(str(row["model"]), 0.0)
    return {**row, "weight": share, "chosen": share > 0}


def _silent(in_words: InWords, name: str, silent: Mapping[str, WatthourError]) -> list[dict[str, object]]:
    return [
        {"series": name, "model": model, "chosen": False, "weight": 0.0, "note": in_words(name, error)}
        for model, error in silent.items()
    ]


def _relative_to_rule(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Return each model's mean loss over the series, in parts of that of a rule that answers all, least first."""
    by_series: dict[object, dict[str, float]] = {}
    for row in rows:
        if row.get("pinball") is not None:
            by_series.setdefault(row["series"], {})[str(row["model"])] = cast("float", row["pinball"])
    shares: dict[str, list[float]] = {}
    for losses in by_series.values():
        if losses.get(_RULE):
            for model, loss in losses.items():
                shares.setdefault(model, []).append(loss / losses[_RULE])
    enough = 0.75 * len(shares.get(_RULE, ()))  # of the series compared
    means = {model: float(np.mean(each)) for model, each in shares.items() if len(each) >= enough}
    return dict(sorted(means.items(), key=lambda each: each[1]))


def _with_the_global(losses: Mapping[str, float]) -> tuple[str, ...]:
    """Return the global model and the best of a series by itself that come near, the best of all first: they differ.

    There are none where the global model does not come near the best itself, or trees are best.

    Args:
        losses: of each model, the least first.
    """
    best = next(iter(losses), None)
    near = [name for name, loss in losses.items() if best is not None and loss <= _NEAR * losses[best]]
    beside = [name for name in near if name not in FROM_MANY][:_MOST_BESIDE]
    if GLOBAL not in near or best == TREES or not beside:
        return ()
    return tuple(sorted((GLOBAL, *beside), key=lambda name: losses[name]))


def _reason_for_all(losses: Mapping[str, float], n_series: int) -> str:
    """Say which model was best on the series that were compared; arguments as ``_with_the_global``."""
    by_how_much = _by_how_much(losses) if losses else "no series could be compared"
    best = next(iter(losses), _RULE)
    return f"{best} won for all {n_series} series, {MOST_SERIES} of which were compared: {by_how_much}."


def _with(others: Sequence[str]) -> str:
    """Say with which models the best one is combined in each series."""
    return f" It is combined with {' and '.join(others)}, weighted for each series by itself." if others else ""


def _by_how_much(losses: Mapping[str, float]) -> str:
    """Say how far the first loss is below the second."""
    (_, least), *others = losses.items()
    if not others:
        return "no other model could forecast it"
    second, loss = others[0]
    gain = 100 * (1 - least / loss) if loss > 0 else 0.0
    if gain < 0.05:  # noqa: PLR2004 - rounds to nothing
        return f"it is as good as the next, {second}"
    return f"its quantile loss is {gain:.1f} % below that of the next, {second}"


def _reason(model: FittedCombination) -> str:
    """Say which members a combination has, with which weights, and how much it is better than the best of them."""
    rows = {row["model"]: row for row in model.compared}
    shares = model.weights
    weeks = f"on {model.n_tried} earlier forecast{'s' if model.n_tried > 1 else ''}"
    if NAME not in rows:
        (winner,) = list(shares)[:1]
        losses = {name: row["pinball"] for name, row in rows.items()}
        by_how_much, mine = _by_how_much(losses), rows[winner]
        words = f"{winner} won {weeks}: {by_how_much}"
    else:
        mine = rows.pop(NAME)
        best = min(rows.values(), key=lambda row: cast("float", row["pinball"]))
        gain = 100 * (1 - mine["pinball"] / best["pinball"]) if best["pinball"] else 0.0
        side = "below" if gain >= 0 else "above"
        parts = [f"{name} {share:.0%}" for name, share in shares.items()]
        listed = f"{', '.join(parts[:-1])} and {parts[-1]}"
        than = f"{abs(gain):.1f} % {side} that of the best single model, {best['model']}"
        words = f"A combination of {listed} is taken: {weeks} its quantile loss is {than}"
    return f"{words}; MAE {mine['mae']:.4g}, its 90 % band covered {mine['coverage90_percent']:.0f} %."


def _as_table(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    schema = {
        "series": pl.String,
        "model": pl.String,
        "chosen": pl.Boolean,
        "weight": pl.Float64,
        "pinball": pl.Float64,
        "mae": pl.Float64,
        "coverage90_percent": pl.Float64,
        "n": pl.Int64,
        "note": pl.String,
    }
    return pl.DataFrame([{key: row.get(key) for key in schema} for row in rows], schema=schema).sort(
        "series", "pinball", nulls_last=True
    )
