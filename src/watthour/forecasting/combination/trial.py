"""What the candidates would have said of the last weeks of series, each learned once before them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from watthour.core import metrics
from watthour.core.errors import NotEnoughHistory, WatthourError
from watthour.core.frames import LEVELS, Quality, Targets
from watthour.forecasting.catalogue import SIMILAR
from watthour.forecasting.catalogue import recipe as named
from watthour.forecasting.features import actuals
from watthour.forecasting.fleet import Plan, attempted, covariates_as_asked, fit_all, forecast_all, pooled_growth
from watthour.forecasting.steps import step_of
from watthour.forecasting.vintages import DAY_US, datetimes, instants

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, Forecaster, History, Recipe
    from watthour.forecasting.fleet import Histories, Progress, TargetsBySeries
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

TREES = "gradient_boosting"
GLOBAL = "global_model"
FROM_MANY = (TREES, GLOBAL)  # kinds of models that can learn from many series at once
_FEWEST_TOGETHER = 4  # series, of which a global model is tried beside those of each
CANDIDATES = (
    "day_process",
    "hour_process",
    "day_regression",
    "trend_season",
    "recent_days",
    "similar_days",
    TREES,
    "persistence_ensemble",
    "seasonal_naive",
)
# Four weeks of days ahead from half a year of days, eight zones of Texas at two times: 1.38, 1.44 and 1.48 of the
# loss of trend_season. Trees do better on hours; similar series were taken to be as good as they are.
_USUAL_LOSSES = {"seasonal_naive": 1.4, "persistence_ensemble": 1.4, TREES: 1.2, SIMILAR: 1.2, GLOBAL: 1.2}
ON_RIVAL = ("operator", "operator_debiased")  # where somebody else publishes a forecast of the series
SCORED = ("pinball", "mae", "mape_percent", "coverage90_percent", "n")
_MIDDLE = LEVELS.index(0.5)
_FEWEST_PERIODS, _USUAL_PERIODS, _MOST_PERIODS = 7, 28, 84  # tried
_PARTS, _PARTS_OF_LONG = 4, 12  # on a quarter of a short past, a twelfth of a long one
_MOST_ISSUES = 28  # of those periods, evenly spaced: what costs is the number asked
_WINDOWS, _PER_WINDOW = 8, 3  # long horizons tried one after the other, and issues within each
# Of the intervals tried, of a member: it drops out where it says nothing, as a rival before it publishes.
_MOST_UNANSWERED = 0.5


def usual_losses(names: Sequence[str]) -> Array:
    """Return what members lose on other series, (members,), in parts of the best."""
    return np.array([_USUAL_LOSSES.get(name, 1.0) for name in names])


def candidates_of(context: Context, *, n_together: int = 1) -> tuple[str, ...]:
    """Return the models that may be able to forecast a channel.

    Args:
        context: of the channel.
        n_together: series that are learned together.
    """
    many = (GLOBAL,) if n_together >= _FEWEST_TOGETHER and step_of(context) < DAY_US else ()
    return (*CANDIDATES, *many, *((SIMILAR,) if context.similar else ()), *(ON_RIVAL if context.rivals else ()))


def member_recipe(name: str) -> Recipe:
    """Return how a member is made: trees as quickly as they are grown on many series."""
    return named(name, pooled_growth() if name == TREES else {})


def period_of(context: Context) -> int:
    """Return how far forecasts of a channel are apart if nobody says: a day, or a step that is longer [us]."""
    return max(DAY_US, step_of(context))


def reach_of(issued: Instants, time: Instants, step: int, period: int) -> int:
    """Return how many periods forecasts reach, of targets, (n,) each, at least one."""
    return -(-int((time + step - issued).max()) // period) if len(time) else 1


def trials_of(pasts: Histories, issues: TargetsBySeries) -> dict[str, Plan]:
    """Return the trial of each series that is long enough for one; arguments as ``trial_of``."""
    found = {name: trial_of(past, issues[name]) for name, past in pasts.items()}
    return {name: trial for name, trial in found.items() if trial is not None}


def trial_of(history: History, issues: dy.DataFrame[Targets]) -> Plan | None:
    """Plan the trial of a series on the last of its past issues; None where too little is known.

    Args:
        history: what is known.
        issues: of the past, all measured.
    """
    times = history.readings.filter(pl.col("channel") == history.context.channel.id)["time"]
    if issues.is_empty() or times.is_empty():
        return None
    period, step = period_of(history.context), step_of(history.context)
    time, issued = instants(issues["time"]), instants(issues["issued_at"])
    end = int(time.max()) + step
    reach = reach_of(issued, time, step, period)
    n_known = (end - int(instants(times).min())) // period
    longest = max(_USUAL_PERIODS, min(n_known // _PARTS_OF_LONG, _MOST_PERIODS), _WINDOWS * reach)
    n_periods = min(n_known // _PARTS, longest)
    if n_periods < max(_FEWEST_PERIODS, reach):
        return None
    is_asked = issued >= end - n_periods * period
    if not is_asked.any():
        return None
    cut = int(issued[is_asked].min())
    possible = np.unique(issued[is_asked])
    is_asked &= np.isin(issued, possible[:: -_stride(len(possible), reach)])
    is_learned = time + step <= cut
    over = np.ones(len(issued), dtype=np.bool_)  # only issues all of whose intervals had been measured
    over[np.isin(issued, issued[~is_learned])] = False
    learned = Targets.cast(issues.filter(pl.Series(over)))
    if learned.is_empty():
        return None
    asked = Targets.cast(issues.filter(is_asked))
    seen = covariates_as_asked(history, asked)
    return Plan(seen, seen.known_at(datetimes(np.array([cut]))[0]), learned, asked)


def _stride(n_issues: int, reach: int) -> int:
    """Return of how many issues one is asked; never whole weeks, so that every weekday is."""
    stride = max(-(-n_issues // _MOST_ISSUES), reach // _PER_WINDOW, 1)
    return stride + (stride % 7 == 0)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What each candidate said of a trial, and why those said nothing that could not."""

    asked: dy.DataFrame[Targets]
    actual: Array  # (n,)
    quantiles: Mapping[str, Array]  # by candidate, (n, ``LEVELS``)
    silent: Mapping[str, WatthourError]

    def of(self, candidates: Sequence[str]) -> Answers:
        """Return what some of the candidates said."""
        said = {name: each for name, each in self.quantiles.items() if name in candidates}
        return Answers(self.asked, self.actual, said, self.silent)


def tried(
    candidates: Mapping[str, Sequence[str]],
    pasts: Histories,
    trials: Mapping[str, Plan],
    *,
    is_pooled: bool,
    workers: int,
    progress: Progress,
) -> dict[str, Answers]:
    """Return, for each series, what its candidates said of its trial.

    Args:
        candidates: of each series.
        pasts: what is known of each.
        trials: of each, by ``trials_of``.
        is_pooled: trees learn from all series together.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
    """
    said: dict[str, dict[str, Array]] = {name: {} for name in trials}
    silent: dict[str, dict[str, WatthourError]] = {name: {} for name in trials}
    for model in dict.fromkeys(each for name in trials for each in candidates[name]):
        mine = {name: trial for name, trial in trials.items() if model in candidates[name]}
        learned = fit_all(
            member_recipe(model),
            {name: trial.known for name, trial in mine.items()},
            {name: trial.learned for name, trial in mine.items()},
            is_pooled=is_pooled,
            workers=workers,
            progress=progress is True,
        )
        models = {name: one for name, one in learned.items() if not isinstance(one, WatthourError)}
        told = forecast_all(
            models,
            {name: mine[name].past for name in models},
            {name: mine[name].asked for name in models},
            workers=workers,
        )
        for name, one in {**learned, **told}.items():
            if isinstance(one, WatthourError):
                silent[name][model] = one
                continue
            answer, is_own = quantiles_of(told[name], mine[name].asked)  # type: ignore[arg-type]  # no error
            unanswered = 1 - is_own.mean()
            if unanswered > _MOST_UNANSWERED:
                silent[name][model] = NotEnoughHistory(
                    f"It could not forecast {unanswered:.0%} of the intervals.",
                    remedy="Bring what it needs, or leave it out.",
                )
            else:
                said[name][model] = np.where(is_own[:, None], answer, np.nan)
    return {
        name: Answers(trial.asked, actuals(pasts[name], trial.asked), said[name], silent[name])
        for name, trial in trials.items()
    }


def fit_some(
    recipe: Recipe,
    names: Sequence[str],
    pasts: Histories,
    issues: TargetsBySeries,
    *,
    is_pooled: bool,
    workers: int,
    progress: Progress,
) -> dict[str, Forecaster | WatthourError]:
    """Return a model for some of the series, or why there is none; one that can learns from all series for them.

    Args:
        recipe: how to make them.
        names: of those series.
        pasts: what is known of every series.
        issues: of each, to learn from.
        is_pooled: trees learn from all series together.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
    """
    learned = list(pasts) if is_pooled and recipe.name in FROM_MANY else names
    fitted = fit_all(
        recipe,
        {name: pasts[name] for name in learned},
        {name: issues[name] for name in learned},
        is_pooled=is_pooled,
        workers=workers,
        progress=progress,
    )
    return {name: fitted[name] for name in names}


def quantiles_of(forecast: Forecast, asked: dy.DataFrame[Targets]) -> tuple[Array, Mask]:
    """Return the quantiles of each target, (n, ``LEVELS``), and which are the forecaster's own, not a stand-in's."""
    wide = forecast.values.pivot("level", index=["issued_at", "time", "quality"], values="value")
    rows = asked.select("issued_at", "time").join(wide, on=["issued_at", "time"], how="left", maintain_order="left")
    quantiles = rows.select([str(level) for level in LEVELS]).cast(pl.Float64).to_numpy()
    stands_in = (rows["quality"].fill_null(0).to_numpy() & int(Quality.ESTIMATED)) != 0
    return quantiles, np.isfinite(quantiles).all(axis=1) & ~stands_in


def scores_of(said: Mapping[str, Array], actual: Array) -> list[dict[str, Any]]:
    """Return how good each forecaster was on the intervals that all of them answered, the best first.

    Args:
        said: quantiles by forecaster, (n, ``LEVELS``).
        actual: (n,) what came.
    """
    common = np.isfinite(actual)
    for quantiles in said.values():
        common &= np.isfinite(quantiles).all(axis=1)
    rows: list[dict[str, Any]] = []
    for name, quantiles in said.items():
        mine = quantiles[common]
        found = metrics.scores(
            actual[common], mine[:, _MIDDLE], mine[:, 0], mine[:, -1], unit=None, quantiles=mine, levels=LEVELS
        )
        kept = {each: float(found[each]) for each in SCORED if each != "n"}
        rows.append({"model": name, **kept, "n": int(found["n"])})
    return sorted((row for row in rows if math.isfinite(row["pinball"])), key=lambda row: row["pinball"])


def tried_alone(
    answer: Callable[[], Forecast], asked: dy.DataFrame[Targets]
) -> tuple[Array, Mask, Forecast | WatthourError]:
    """Return what a forecaster says of targets; where it refuses or breaks down nothing, and why."""
    forecast = attempted(answer)
    if isinstance(forecast, WatthourError):
        return np.full((asked.height, len(LEVELS)), np.nan), np.zeros(asked.height, dtype=np.bool_), forecast
    return (*quantiles_of(forecast, asked), forecast)
