"""`watthour backtest`: how a recipe would have done, issue by issue, on what was known then."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import chosen_context, opened, parse_day
from watthour.cli.options import ISSUE_HOUR, AsJson, RegionName
from watthour.cli.output import bar, number, show_json, show_table, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from watthour.core.errors import WatthourError
    from watthour.core.forecast import Context


RECIPES_HELP = (
    "Models to compare; can be given several times. Default: simple rules, and the kind of model that serves or, where "
    "none does, the settings' `recipe`."
)


class Retrain(StrEnum):
    """When a backtest learns afresh."""

    WEEK = "week"
    MONTH = "month"
    NEVER = "never"


def backtest(  # noqa: PLR0913 - each is an option of the command
    region: RegionName = None,
    *,
    since: Annotated[str, typer.Option("--from", help="First local day.")],
    until: Annotated[str, typer.Option("--to", help="Last local day.")],
    recipe: Annotated[list[str] | None, typer.Option(help=RECIPES_HELP)] = None,
    issue_hour: Annotated[int | None, typer.Option(min=0, max=24, help=ISSUE_HOUR)] = None,
    known_hour: Annotated[
        int | None,
        typer.Option(
            min=0, max=23, help="Demand is known to this hour of the day before; default: the hour of issue, as live."
        ),
    ] = None,
    retrain: Annotated[Retrain, typer.Option(help="How often to retrain.")] = Retrain.MONTH,
    workers: Annotated[int, typer.Option(min=1, help="How many periods are worked at the same time, in threads.")] = 1,
    keep: Annotated[bool, typer.Option(help="Keep the forecasts in the store, marked as made afterwards.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forecast each day of a period as it would have been then, and score every forecaster on the same intervals.

    A recipe that cannot answer is left out, and days that cannot be forecast leave gaps; both are said.
    """
    from watthour.core.errors import InvalidInput, NotEnoughHistory
    from watthour.core.units import digits_for
    from watthour.core.window import DAY, Window, local_day
    from watthour.forecasting.backtest import backtest as run
    from watthour.forecasting.catalogue import recipe_alone as named_recipe
    from watthour.forecasting.catalogue import usual_recipe
    from watthour.forecasting.rival import without_silent_rivals
    from watthour.workflows.compare import backtest_scores, days_left_out, kept_rows
    from watthour.workflows.known_ahead import learning_history
    from watthour.workflows.score import MOSTLY
    from watthour.workflows.train import YEARS

    first, last = parse_day("--from", since), parse_day("--to", until)
    days = [first + n * DAY for n in range((last - first).days + 1)]
    now = utc_now()
    with opened() as app:
        context = chosen_context(app, region)
        rivals = ["operator_debiased"] if context.rival is not None else []
        issue_clock, known_clock = _clocks(context, app.settings.issue_hour, issue_hour, known_hour)
        serving = app.registry.champion(context.channel.id)
        kinds = {each.version: each.recipe for each in app.registry.manifests(context.channel.id)}
        names = recipe or list(
            dict.fromkeys(
                [
                    "seasonal_naive",
                    *rivals,
                    kinds.get(serving or "", usual_recipe(context.channel, app.settings.recipe)),
                ]
            )
        )
        span = Window(local_day(first, context.time_zone).start - YEARS, local_day(last, context.time_zone).end)
        history = learning_history(app.store, context, span, now)
        recipes = {name: named_recipe(name, None) for name in names}
        recipes, notes = without_silent_rivals(recipes, history, days, least=0.0 if recipe else MOSTLY)
        for note in notes:  # before the long work
            typer.echo(note, err=True)
        n_told = len(notes)
        tables: dict[str, pl.DataFrame] = {}
        silent: list[WatthourError] = []
        for name, each in recipes.items():
            try:
                with bar(name, len(days)) as advance:
                    tables[name] = run(
                        each,
                        history,
                        days,
                        issue_clock=issue_clock,
                        known_clock=known_clock,
                        retrain=retrain.value,
                        progress=partial(_tell, advance),
                        workers=workers,
                    )
            except (InvalidInput, NotEnoughHistory) as error:
                silent.append(error)
                notes.append(f"{name} is left out. {error.problem.rstrip('.')}.")
                continue
            notes += [f"{name} {words}" for words in days_left_out(tables[name], days, context.time_zone)]
            if keep:
                app.store.append_forecasts(kept_rows(tables[name], context.channel.id, name, now))
    if not tables:
        remedy = "Bring what they need with `watthour backfill`, or compare other recipes or days."
        raise silent[0] if silent else NotEnoughHistory(" ".join(notes), remedy=remedy)
    rows: list[dict[str, Any]] = backtest_scores(tables, context.channel.unit)
    if as_json:
        show_json({"region": context.site.id, "from": since, "to": until, "rows": rows, "notes": notes})
        return
    for note in notes[n_told:]:
        typer.echo(note, err=True)
    unit, digits = context.channel.unit_in_words, digits_for([row["mae"] for row in rows])
    columns = ("mae", "mape_percent", "bias", "rmse", "coverage90_percent")
    show_table(
        ("recipe", "intervals", f"MAE [{unit}]", "MAPE [%]", f"bias [{unit}]", f"RMSE [{unit}]", "90 % covers [%]"),
        [
            (
                row["recipe"],
                f"{row['n']:,}",
                *(number(row[name], 2 if name == "mape_percent" else digits) for name in columns),
            )
            for row in rows
        ],
    )


def _clocks(
    context: Context, set_hour: int, asked_hour: int | None, known_hour: int | None
) -> tuple[time | None, time | None]:
    """Return when forecasts are issued and to when the channel is known, as ``day_ahead_targets`` takes them."""
    from watthour.core.errors import InvalidInput
    from watthour.workflows.known_ahead import clock_asked

    issue_clock = clock_asked(context.channel, asked_hour, set_hour)
    if issue_clock is None and known_hour is not None:
        problem, remedy = "with --issue-hour 24 everything before the day is known", "Give only one of the two."
        if asked_hour is None:
            problem = (
                f"days of {context.channel.id}, which is told ahead, are issued as they begin, all before being known"
            )
            remedy = "Leave it out, or name the hour of issue on the day before too, such as --issue-hour 10."
        raise InvalidInput("--known-hour", known_hour, problem, remedy=remedy)
    return issue_clock, issue_clock if known_hour is None else time(known_hour)


def _tell(advance: Callable[[float, str], None], n_days: int) -> None:
    advance(n_days, f"{n_days} more days")
