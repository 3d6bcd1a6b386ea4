"""`watthour train`: a challenger, its scores, and the verdict."""

from __future__ import annotations

import json
from datetime import time
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import chosen_contexts, opened
from watthour.cli.options import AsJson, RegionNames  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, steps, utc_now
from watthour.core.errors import InvalidInput, WatthourError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.forecast import Context
    from watthour.workflows.past import PastReport
    from watthour.workflows.train import TrainReport


def train(
    regions: RegionNames = None,
    *,
    recipe: Annotated[str | None, typer.Option(help="Which kind of model; default: the settings' `recipe`.")] = None,
    parameters: Annotated[
        str | None, typer.Option(help='Parameters of the recipe as JSON, such as {"seed": 1}.')
    ] = None,
    past_days: Annotated[
        int,
        typer.Option(
            min=0, max=3660, help="Days back of which to keep what the model that serves would have said, afterwards."
        ),
    ] = 365,
    only_past: Annotated[
        bool, typer.Option("--only-past", help="Train nothing; only keep what `--past-days` says, where it is missing.")
    ] = False,
    homes: Annotated[
        bool,
        typer.Option(
            "--homes", help="Train all homes, or those named, together: a model for each, and one for new homes."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a new model; it serves only if it is better on days that neither has learned from, and its band holds."""
    from watthour.forecasting.catalogue import USUAL, usual_recipe
    from watthour.forecasting.catalogue import recipe_alone as named_recipe
    from watthour.workflows.past import keep_past
    from watthour.workflows.rounds import retrain
    from watthour.workflows.sites import name_of

    if homes:
        _check_alone(recipe=recipe, parameters=parameters, only_past=only_past)
        _train_homes(regions or [], as_json=as_json)
        return
    options = _parameters(parameters)
    found: list[dict[str, object]] = []
    failures: list[WatthourError] = []
    with opened() as app:
        otherwise = named_recipe(USUAL, None) if recipe is None else None
        for context in chosen_contexts(app, regions or []):
            found.append({"region": context.site.id, "channel": context.channel.id})
            made = named_recipe(recipe or usual_recipe(context.channel, app.settings.recipe), options)
            try:
                if not only_past:
                    with steps(f"train {name_of(context)}") as say:
                        report = retrain(
                            app.store,
                            app.registry,
                            context,
                            made,
                            now=utc_now(),
                            frozen_days=app.settings.frozen_days,
                            issue_hour=app.settings.issue_hour,
                            otherwise=otherwise,
                            progress=say,
                        )
                    found[-1] |= _described(report)
                    if not as_json:
                        _show(context, report)
            except WatthourError as error:  # the other sites are trained all the same
                found.pop()
                failures.append(error)
                continue
            try:
                with steps(f"the past of {name_of(context)}") as say:  # what serves is decided, and said, by now
                    past = keep_past(
                        app.store,
                        app.registry,
                        context,
                        clock=utc_now,
                        issue_clock=time(app.settings.issue_hour),
                        most_days=past_days,
                        progress=say,
                    )
            except WatthourError as error:
                if only_past:
                    found.pop()
                    failures.append(error)
                else:  # the training is a success all the same
                    cure = f"`watthour train {name_of(context)} --only-past` tries again."
                    typer.echo(f"The past days of {context.site.name} were not all forecast: {error} {cure}", err=True)
                continue
            found[-1]["past"] = {"new_days": past.new_days, "missing_days": past.missing_days}
            if not as_json:
                _show_past(context, past)
    if as_json:
        show_json(found)
    _raise(failures)


def _check_alone(**options: object) -> None:
    """Refuse options that homes trained together would not follow."""
    for name, value in options.items():
        if value:
            option = "--" + name.replace("_", "-")
            problem = "homes that are trained together have their own way"
            raise InvalidInput(option, value, problem, remedy=f"Leave out --homes or {option}.")


def _train_homes(names: Sequence[str], *, as_json: bool) -> None:
    from watthour.workflows.shared_model import train_shared

    with opened() as app, steps("train --homes") as say:
        reports = train_shared(
            app.store,
            app.registry,
            chosen_contexts(app, names),
            now=utc_now(),
            issue_clock=time(app.settings.issue_hour),
            progress=say,
        )
    if as_json:
        show_json(
            [
                {
                    "model": report.manifest.name,
                    "version": report.manifest.version,
                    "decision": str(report.verdict.decision),
                    "reasons": list(report.verdict.reasons),
                    "homes": {
                        home: {name: dict(each) for name, each in s.items()} for home, s in report.scores.items()
                    },
                    "own": {home: _described(each) for home, each in report.own.items()},
                    "left_out": dict(report.left_out),
                }
                for report in reports
            ]
        )
        return
    for report in reports:
        learned = f"{report.manifest.version}, learned from {len(report.scores)} homes,"
        typer.echo(f"For homes without a model of their own: {learned} is {report.verdict.decision}.")
        typer.echo(" ".join(report.verdict.reasons))
        rows = [
            (home, name, number(each["mae"], 4), number(each["coverage90_percent"], 2))
            for home, found in report.scores.items()
            for name, each in [*found.items(), *_own_scores(report.own.get(home))]
        ]
        show_table(("home", "on the frozen days", "MAE", "90 % covers [%]"), rows)
        for home, own in report.own.items():
            typer.echo(f"{home}: its own {own.manifest.version} is {own.verdict.decision}.")
            typer.echo(" ".join(own.verdict.reasons))
        for home, why in report.left_out.items():
            typer.echo(f"{home} was left out: {why}", err=True)


def _own_scores(own: TrainReport | None) -> list[tuple[str, Mapping[str, float]]]:
    return [] if own is None else [("its own", own.scores["challenger"])]


def _raise(failures: Sequence[WatthourError]) -> None:
    for failure in failures[:-1]:
        typer.echo(f"Error: {failure}", err=True)
    if failures:
        raise failures[-1]


def _described(report: TrainReport) -> dict[str, object]:
    return {
        "version": report.manifest.version,
        "decision": str(report.verdict.decision),
        "reasons": list(report.verdict.reasons),
        "frozen": {"start": report.frozen.start.isoformat(), "end": report.frozen.end.isoformat()},
        "scores": {name: dict(scores) for name, scores in report.scores.items()},
    }


def _show(context: Context, report: TrainReport) -> None:
    from watthour.core.units import digits_for

    typer.echo(f"{context.site.name}: {report.manifest.version} is {report.verdict.decision}.")
    typer.echo(" ".join(report.verdict.reasons))
    unit, digits = context.channel.unit_in_words, digits_for([scores["mae"] for scores in report.scores.values()])
    columns = ("mae", "mape_percent", "bias", "coverage90_percent")
    show_table(
        ("on the frozen days", f"MAE [{unit}]", "MAPE [%]", f"bias [{unit}]", "90 % covers [%]"),
        [
            (name, *(number(scores.get(column), 2 if "percent" in column else digits) for column in columns))
            for name, scores in report.scores.items()
        ],
    )


def _show_past(context: Context, past: PastReport) -> None:
    left = f"; {past.missing_days} are left" if past.missing_days else ""
    typer.echo(
        f"{context.site.name}: what the model would have said is kept for {past.new_days} more past days, "
        f"made afterwards{left}."
    )


def _parameters(text: str | None) -> dict[str, object] | None:
    if text is None:
        return None
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InvalidInput(
            "--parameters", text, f"this is not valid JSON: {error}", remedy='Write {"name": value}.'
        ) from error
    if not isinstance(content, dict):
        raise InvalidInput("--parameters", text, "this is not a JSON object", remedy='Write {"name": value}.')
    return content
