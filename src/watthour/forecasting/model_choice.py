"""Which model suits which series: all that can learn it, compared on the last weeks before its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from watthour.core.errors import WatthourError
from watthour.core.window import DAY
from watthour.forecasting.backtest import scores, with_actuals
from watthour.forecasting.catalogue import recipe as named
from watthour.forecasting.fleet import fit_all, forecast_all, pooled_growth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.forecast import Context, Forecaster, History, Recipe
    from watthour.forecasting.fleet import Histories, Plan, Progress, Protocol, TargetsBySeries
    from watthour.forecasting.series_table import SeriesTable

AUTO = "auto"
TREES = "gradient_boosting"  # the kind of model that can learn from many series at once
CANDIDATES = ("day_process", "hour_process", TREES, "persistence_ensemble", "seasonal_naive")
MOST_SERIES = 12  # compared each by itself; of more, so many are compared and decide for all
_RULE = "persistence_ensemble"  # for a series that the chosen model cannot learn
_MOST_DAYS, _FEWEST_DAYS, _PARTS = 28, 7, 4  # compared on a quarter of a short past
_MOST_UNANSWERED = 0.05  # of the intervals compared, of a model that counts as able to answer
_SCORED = ("pinball", "mae", "coverage90_percent", "n")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The recipe of each series, what the comparison found, and one sentence on each series."""

    recipes: Mapping[str, Recipe]
    table: pl.DataFrame  # series, model, chosen, pinball, mae, coverage90_percent, n, note
    reasons: Mapping[str, str]
    is_pooled: bool  # trees learn from all series of the table together

    @classmethod
    def of_one(cls, recipe: Recipe, names: Sequence[str], *, is_pooled: bool) -> Choice:
        """Return the choice of somebody who named the model."""
        return cls(dict.fromkeys(names, recipe), _as_table([]), {}, is_pooled)

    @property
    def is_compared(self) -> bool:
        """Whether the models were compared, not named."""
        return bool(self.reasons)


def choose(
    table: SeriesTable, pasts: Histories, protocol: Protocol, *, is_local: bool, workers: int, progress: Progress
) -> Choice:
    """Compare the models that can learn each series on the last weeks of what is known, and return the best of each.

    The best has the least mean quantile loss (``pinball``), which counts the forecast and its band alike. Each learns
    once before those weeks and forecasts every day of them. Of more than ``MOST_SERIES`` series so many, evenly
    spaced in order of name, are compared and decide for all.

    Args:
        table: for the names of the series in words.
        pasts: what is known of each series.
        protocol: when they forecast those weeks, and how far.
        is_local: trees learn each series alone.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
    """
    is_pooled = not (is_local and len(pasts) > 1)
    plans = {name: plan for name, past in pasts.items() if (plan := _plan(past, protocol)) is not None}
    is_sample = len(plans) > MOST_SERIES
    if is_sample:
        chosen = np.linspace(0, len(plans) - 1, MOST_SERIES).round().astype(int)
        names = sorted(plans)
        plans = {names[k]: plans[names[k]] for k in chosen}
    rows = _compared(table, pasts, plans, is_pooled=is_pooled, workers=workers, progress=progress)
    best = _best_of_all(rows) if is_sample else None
    recipes, reasons = {}, {}
    for name in pasts:
        own = rows.get(name, [])
        winner = best or _best(own)
        if winner is None:
            winner = TREES if len(pasts) > 1 and is_pooled else _RULE
            reasons[name] = f"There is too little history to compare models, so {winner} was chosen."
        elif best is not None:
            reasons[name] = _reason_of_all(rows, best, len(pasts))
        else:
            reasons[name] = _reason(own, winner, plans[name])
        recipes[name] = _recipe(winner)
    marked = [{**row, "chosen": row["model"] == recipes[name].name} for name, own in rows.items() for row in own]
    return Choice(recipes, _as_table(marked), reasons, is_pooled)


def fit_chosen(
    choice: Choice, pasts: Histories, issues: TargetsBySeries, *, workers: int, progress: Progress
) -> tuple[dict[str, Forecaster | WatthourError], Choice]:
    """Fit the chosen model of each series, and return them with the choice as it was carried out.

    A series that its model cannot learn is given to the mean of the last four same weekdays, where models were
    compared; where one was named, its error is returned.
    """
    found: dict[str, Forecaster | WatthourError] = {}
    recipes, reasons = dict(choice.recipes), dict(choice.reasons)
    for recipe in dict.fromkeys(choice.recipes[name] for name in pasts):
        mine = [name for name in pasts if choice.recipes[name] == recipe]
        learned = list(pasts) if recipe.name == TREES and choice.is_pooled else mine
        fitted = fit_all(
            recipe,
            {name: pasts[name] for name in learned},
            {name: issues[name] for name in learned},
            is_pooled=choice.is_pooled,
            workers=workers,
            progress=progress,
        )
        found |= {name: fitted[name] for name in mine}
    failed = [name for name, one in found.items() if isinstance(one, WatthourError)] if choice.is_compared else []
    if failed:
        second = named(_RULE)
        rescued = fit_all(
            second,
            {name: pasts[name] for name in failed},
            {name: issues[name] for name in failed},
            is_pooled=False,
            workers=workers,
            progress=False,
        )
        for name, one in rescued.items():
            if not isinstance(one, WatthourError):
                reasons[name] = f"{recipes[name].name} could not learn this series, so {_RULE} is used."
                found[name], recipes[name] = one, second
    return {name: found[name] for name in pasts}, replace(choice, recipes=recipes, reasons=reasons)


def used_variables(recipe: Recipe, context: Context) -> frozenset[str] | None:
    """Return the variables of covariates that a kind of model looks at; None means all there are."""
    if not getattr(recipe, "uses_covariates", True):
        return frozenset()
    if recipe.name == "day_process":
        from watthour.forecasting.gaussian_process.day_process.weather import VARIABLES

        return frozenset(VARIABLES)
    if recipe.name == "hour_process":
        from watthour.forecasting.gaussian_process.hour_process.temperature import temperature_of

        return frozenset(temperature_of(context))
    return None


def _recipe(name: str) -> Recipe:
    return named(name, pooled_growth() if name == TREES else {})


def _plan(past: History, protocol: Protocol) -> Plan | None:
    """Return what to learn from and what to forecast of the last weeks; None where too little is known."""
    first = past.readings.filter(pl.col("channel") == past.context.channel.id)["time"].min()
    if first is None:
        return None
    reach = protocol.days(past.context.resolution)
    longest = max(_MOST_DAYS, reach + _FEWEST_DAYS - 1)  # so that a long horizon is asked some times too
    n_days = min((past.as_of - first) // DAY // _PARTS, longest)  # type: ignore[operator]  # a time
    if n_days < max(_FEWEST_DAYS, reach):
        return None
    plan = protocol.plan(past, n_days)
    return plan if plan.learned.height else None


def _compared(
    table: SeriesTable,
    pasts: Histories,
    plans: Mapping[str, Plan],
    *,
    is_pooled: bool,
    workers: int,
    progress: Progress,
) -> dict[str, list[dict[str, object]]]:
    """Return, for each series, a row for each model: its scores on the intervals that all answered, or why not."""
    beside: dict[str, list[pl.DataFrame]] = {name: [] for name in plans}
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in plans}

    def left_out(name: str, model: str, note: str) -> None:
        rows[name].append({"series": name, "model": model, **dict.fromkeys(_SCORED), "note": note})

    for model in CANDIDATES if plans else ():
        learned = fit_all(
            _recipe(model),
            {name: plan.known for name, plan in plans.items()},
            {name: plan.learned for name, plan in plans.items()},
            is_pooled=is_pooled,
            workers=workers,
            progress=progress is True,
        )
        models = {name: one for name, one in learned.items() if not isinstance(one, WatthourError)}
        told = forecast_all(
            models,
            {name: pasts[name] for name in models},
            {name: plans[name].asked for name in models},
            workers=workers,
        )
        for name, one in {**learned, **told}.items():
            if isinstance(one, WatthourError):
                left_out(name, model, table.problem(name, one))
                continue
            answer = with_actuals(told[name], pasts[name], plans[name].asked)  # type: ignore[arg-type]  # no error
            unanswered = answer["value"].null_count() / max(answer.height, 1)
            if unanswered > _MOST_UNANSWERED:
                left_out(name, model, f"It could not forecast {unanswered:.0%} of the intervals.")
            else:
                beside[name].append(answer.with_columns(model=pl.lit(model)))
    for name, answers in beside.items():
        if answers:
            found = scores(pl.concat(answers)).filter(pl.col("pinball").is_finite())
            rows[name] += [
                {"series": name, **row, "note": None} for row in found.select("model", *_SCORED).iter_rows(named=True)
            ]
    return rows


def _losses(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Return the loss of each model that was scored, least first."""
    losses = {str(row["model"]): cast("float", row["pinball"]) for row in rows if row["pinball"] is not None}
    return dict(sorted(losses.items(), key=lambda each: each[1]))


def _best(rows: Sequence[Mapping[str, object]]) -> str | None:
    return next(iter(_losses(rows)), None)


def _relative(rows: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, float]:
    """Return each model's mean loss over the series, in parts of that of a rule that answers all, least first."""
    shares: dict[str, list[float]] = {}
    for own in rows.values():
        losses = _losses(own)
        if losses.get(_RULE):
            for model, loss in losses.items():
                shares.setdefault(model, []).append(loss / losses[_RULE])
    enough = 0.75 * len(shares.get(_RULE, ()))  # of the series compared
    means = {model: float(np.mean(each)) for model, each in shares.items() if len(each) >= enough}
    return dict(sorted(means.items(), key=lambda each: each[1]))


def _best_of_all(rows: Mapping[str, Sequence[Mapping[str, object]]]) -> str:
    return next(iter(_relative(rows)), _RULE)


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


def _reason(rows: Sequence[Mapping[str, object]], winner: str, plan: Plan) -> str:
    mine = next(row for row in rows if row["model"] == winner and row["pinball"] is not None)
    n_days = plan.asked["issued_at"].n_unique()
    return (
        f"{winner} won on {n_days} forecasts of the last weeks: {_by_how_much(_losses(rows))}; "
        f"MAE {mine['mae']:.4g}, its 90 % band covered {mine['coverage90_percent']:.0f} %."
    )


def _reason_of_all(rows: Mapping[str, Sequence[Mapping[str, object]]], best: str, n_series: int) -> str:
    losses = _relative(rows)
    how_much = _by_how_much(losses) if losses else "no series could be compared"
    return f"{best} won for all {n_series} series, {len(rows)} of which were compared: {how_much}."


def _as_table(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    schema = {
        "series": pl.String,
        "model": pl.String,
        "chosen": pl.Boolean,
        "pinball": pl.Float64,
        "mae": pl.Float64,
        "coverage90_percent": pl.Float64,
        "n": pl.Int64,
        "note": pl.String,
    }
    return pl.DataFrame([{key: row.get(key) for key in schema} for row in rows], schema=schema).sort(
        "series", "pinball", nulls_last=True
    )
