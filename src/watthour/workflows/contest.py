"""Every recipe on a channel's last days: each learned once before them, and asked day by day as it would have been."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core import metrics
from watthour.core.errors import InvalidInput, ModelFailed, NotEnoughHistory, WatthourError
from watthour.core.window import DAY, Window, local_midnight
from watthour.workflows.compare import actuals
from watthour.workflows.known_ahead import learning_history
from watthour.workflows.train import YEARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime, time

    import dataframely as dy

    from watthour.core.forecast import Context, Forecaster, History, Recipe
    from watthour.core.frames import Targets
    from watthour.core.ports import Store

REFERENCE = "persistence_ensemble"  # whose error skill is measured by; it always takes part
SCORES = ("pinball", "mae", "rmse", "mape_percent", "coverage90_percent", "skill_percent", "n")
MOST_VALIDATION_DAYS = 14
_FEWEST_ANSWERED = 0.5  # of the intervals, of a recipe that is compared
_DAYS_AT_ONCE = 7  # between two looks at the clock
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Contest:
    """How every recipe did on the same intervals, the least quantile loss first, and why the others did not.

    ``chosen`` has the greatest skill on the days from ``validated_from`` to the eve of ``first``, none of which is
    scored: the largest share of the quantile loss of ``REFERENCE`` that is saved. None where these days say nothing.
    """

    channel: str
    first: date
    last: date
    protocol: str
    rows: tuple[dict[str, Any], ...]  # recipe, ``SCORES``, mase, validation_skill_percent, seconds
    left_out: dict[str, str]  # recipe -> why, in words
    chosen: str | None = None
    validated_from: date | None = None


def contest(  # noqa: PLR0913 - what, whom, which days, when, and how long
    store: Store,
    context: Context,
    recipes: Sequence[str],
    *,
    n_days: int,
    issue_clock: time | None,
    now: datetime,
    progress: Callable[[str], None],
    n_validation_days: int | None = None,
    most_seconds: float = math.inf,
) -> Contest:
    """Let recipes forecast the last local days of a channel, each learned once before the first of them.

    Demand is known to the hour of issue on the day before, as live. One recipe that fails or is too slow does not stop
    the others.

    Args:
        store: where the channel's past is.
        context: what is forecast.
        recipes: names of the catalogue.
        n_days: how many days are scored.
        issue_clock: local clock time of issue on the day before; None: each day is issued as it begins.
        now: the present.
        progress: told of each recipe before it begins, and how far it is.
        n_validation_days: how many days before them say which recipe is chosen; as many, but at most
            ``MOST_VALIDATION_DAYS``, if not said; none with 0, or where only one recipe is compared.
        most_seconds: after which a recipe is left out, looked at between weeks.

    Raises:
        InvalidInput: there are no days.
        NotEnoughHistory: nothing is known of the channel, or no recipe can learn it.
    """
    from watthour.forecasting.backtest import scores
    from watthour.forecasting.catalogue import recipe_alone
    from watthour.forecasting.rival import without_silent_rivals

    if n_days < 1:
        raise InvalidInput("days", n_days, "at least one day is needed", remedy="Give a whole number of at least 1.")
    n_before = n_validation_days
    if n_before is None:  # of one recipe there is nothing to choose, and it may learn to the eve of the scored days
        n_before = min(n_days, MOST_VALIDATION_DAYS) if len({*recipes} - {REFERENCE}) > 1 else 0
    history, days = _last_days(store, context, n_before + n_days, now)
    first = days[n_before]
    made = {name: recipe_alone(name) for name in dict.fromkeys((*recipes, REFERENCE))}
    able, notes = without_silent_rivals(made, history, days)
    left_out = {note.partition(" ")[0]: note.partition(". ")[2] for note in notes}
    tables: dict[str, pl.DataFrame] = {}
    seconds: dict[str, float] = {}
    for name, each in able.items():
        begun = perf_counter()
        try:
            table = _forecasts(each, history, days, issue_clock, progress, most_seconds)
        except WatthourError as error:
            left_out[name] = f"{error.problem.rstrip('.')}."
            continue
        answered = 1 - table["value"].null_count() / max(table.height, 1)
        if answered < _FEWEST_ANSWERED:
            left_out[name] = f"It answered only {answered:.0%} of the intervals."
            continue
        tables[name], seconds[name] = table.with_columns(model=pl.lit(name)), perf_counter() - begun
    if not set(tables) & set(recipes):
        names: dict[str, list[str]] = {}  # many lack the same, which is said once
        for name, words in left_out.items():
            names.setdefault(words, []).append(name)
        why = " ".join(f"{', '.join(each)}: {words}" for words, each in names.items())
        raise NotEnoughHistory(
            f"no model can learn {context.channel.id} before {days[0]}. {why}",
            remedy=_how_much_would_do(history, days, n_days, follows=n_validation_days is None and n_before > 0),
        )
    is_scored = pl.col("time") >= local_midnight(first, context.time_zone)
    against = REFERENCE if REFERENCE in tables else None
    together = pl.concat(tables.values())
    skills = _skills(scores(together.filter(~is_scored))) if n_before else {}
    scale = _error_of_last_week(history, first)
    rows = [
        {
            "recipe": row["model"],
            **{name: row.get(name) for name in SCORES},
            "mase": row["mae"] / scale if scale else math.nan,
            "validation_skill_percent": skills.get(row["model"]),
            "seconds": round(seconds[row["model"]], 2),
        }
        for row in scores(together.filter(is_scored), against=against).sort("pinball").iter_rows(named=True)
    ]
    chosen = max(skills, key=lambda name: skills[name]) if skills else None
    issued = "as each day begins" if issue_clock is None else f"at {issue_clock:%H:%M} local time of the day before"
    protocol = (
        f"Issued {issued}, what is forecast being known to then; learned once before {days[0]}; scored on the "
        "intervals that all of them forecast."
    )
    if chosen is not None:
        protocol += (
            f" Chosen is the one that saved most of the quantile loss of {REFERENCE} from {days[0]} to "
            f"{days[n_before - 1]}; these days are not scored."
        )
    return Contest(
        context.channel.id, first, days[-1], protocol, tuple(rows), left_out, chosen, days[0] if skills else None
    )


def _how_much_would_do(history: History, days: Sequence[date], n_days: int, *, follows: bool) -> str:
    """Return the cure: how many more days are needed, and how many can be compared with those that are known.

    Args:
        history: what is known.
        days: to choose on and to score.
        n_days: to score.
        follows: fewer days to score make fewer days to choose on.
    """
    from watthour.forecasting.backtest import first_forecast_day

    bring = "Bring more of it with `watthour backfill` or `watthour import`"
    first = first_forecast_day(history)
    missing = (first - days[0]).days
    if missing <= 0:
        return f"{bring}, or compare fewer days."
    able = len(days) - missing  # the last days, before which models can learn
    n_before = len(days) - n_days
    fewer = max(able // 2, able - MOST_VALIDATION_DAYS) if follows else able - n_before
    more = "1 more day is" if missing == 1 else f"{missing} more days are"
    needed = f"{more} needed to compare {n_days} days{f' and to choose on {n_before} before them' if n_before else ''}"
    if fewer >= 1:
        return f"{needed}; with what is known `--days {fewer}` can be compared now. {bring}, or wait."
    least = (2 if follows else n_before + 1) - able
    return f"{needed}, {least} more to compare a single one. {bring}, or wait."


def _forecasts(
    recipe: Recipe,
    history: History,
    days: Sequence[date],
    issue_clock: time | None,
    progress: Callable[[str], None],
    most_seconds: float,
) -> pl.DataFrame:
    """Return a recipe's forecasts of some days; one of an extra is slow, and is asked for a week at a time.

    Raises:
        WatthourError: it cannot learn the channel, took too long, or broke down.
    """
    from watthour.forecasting.backtest import backtest
    from watthour.forecasting.catalogue import RECIPES

    progress(recipe.name)
    if not getattr(recipe, "uses_covariates", True):
        history = history.without_covariates()
    once = _LearnedOnce(recipe)
    begun, parts = perf_counter(), []
    at_once = len(days) if RECIPES[recipe.name].extra is None else _DAYS_AT_ONCE
    for n_done in range(0, len(days), at_once):
        if n_done and (spent := perf_counter() - begun) > most_seconds:
            raise ModelFailed(
                f"it was stopped after {spent:.0f} seconds, with {n_done} of {len(days)} days done",
                remedy="Compare fewer days, or allow more seconds.",
            )
        if n_done:
            progress(f"{recipe.name}, {n_done} of {len(days)} days")
        part = days[n_done : n_done + at_once]
        try:
            table = backtest(once, history, part, issue_clock=issue_clock, known_clock=issue_clock, retrain="never")
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:  # of a library's own
            raise ModelFailed.by(error) from error
        parts.append(table)
    return pl.concat(parts)


@dataclass(slots=True)
class _LearnedOnce:
    """A recipe that learns when it is first asked to, and gives the same forecaster afterwards."""

    recipe: Recipe
    fitted: Forecaster | None = None

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return self.recipe.name

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> Forecaster:
        """Return what was learned."""
        if self.fitted is None:
            self.fitted = self.recipe.fit(history, issues)
        return self.fitted


def _skills(scored: pl.DataFrame) -> Mapping[str, float]:
    """Return the share of the quantile loss of ``REFERENCE`` that each saved [%]; nothing where it says nothing."""
    losses = dict(scored.select("model", "pinball").iter_rows())
    reference = losses.get(REFERENCE, math.nan)
    return metrics.known({name: 100 * metrics.skill(loss, reference) for name, loss in losses.items()})


def _error_of_last_week(history: History, first: date) -> float:
    """Return the mean absolute error of the same time last week before a day: what ``mase`` is in parts of."""
    known = actuals(history).filter(pl.col("time") < local_midnight(first, history.context.time_zone))
    step = history.context.resolution
    before = known.select(pl.col("time") + max(_WEEK, step), before="value")
    both = known.join(before, on="time")
    return metrics.mae(both["value"], both["before"])


def _last_days(store: Store, context: Context, n_days: int, now: datetime) -> tuple[History, list[date]]:
    """Return what is known of a channel, and its last whole local days.

    Raises:
        NotEnoughHistory: nothing is known.
    """
    span = store.spans().get(context.channel.id)
    if span is None:
        raise NotEnoughHistory(
            f"{context.channel.id} has no readings",
            remedy="Add readings with `watthour backfill` or `watthour import`.",
        )
    history = learning_history(store, context, Window(span[1] - YEARS, span[1] + 2 * DAY), now)
    end: datetime = actuals(history)["time"][-1] + context.resolution
    last = end.astimezone(ZoneInfo(context.time_zone)).date() - timedelta(days=1)
    return history, [last - n * DAY for n in range(n_days - 1, -1, -1)]
