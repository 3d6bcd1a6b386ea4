"""`watthour compare`: every recipe on a channel's own last days."""

from __future__ import annotations

from typing import Annotated

import typer

from watthour.cli.context import chosen_context, opened
from watthour.cli.options import ISSUE_HOUR, AsJson, RegionName
from watthour.cli.output import number, show_json, show_table, steps, utc_now


def compare(
    region: RegionName = None,
    *,
    days: Annotated[int, typer.Option(min=1, help="How many of the last days are forecast.")] = 28,
    issue_hour: Annotated[
        int | None,
        typer.Option(min=0, max=24, help=ISSUE_HOUR),
    ] = None,
    recipe: Annotated[
        list[str] | None, typer.Option(help="Only these models; can be given several times. Default: the quick ones.")
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="The same as a list such as auto_ets,prophet; `all` are all that there are.")
    ] = None,
    validation_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=366,
            help="How many days before them choose a model. Default: as many, at most 14; 0 for one model.",
        ),
    ] = None,
    most_seconds: Annotated[int, typer.Option(min=1, help="A model that takes longer is left out.")] = 600,
    as_json: AsJson = False,
) -> None:
    """Let every kind of model forecast the last days of a channel, each learned once before them, and score them.

    All are scored on the same intervals, beside the mean of the last four same weekdays (persistence_ensemble). One
    that cannot learn the channel, or takes too long, is left out, and it is said why. Models of the extras `stats` and
    `deep` are slow, and run where they are asked for.
    """
    from watthour.core.units import digits_for
    from watthour.forecasting.catalogue import ALONE, AT_ONCE
    from watthour.workflows.contest import contest
    from watthour.workflows.known_ahead import clock_asked

    listed = [name.strip() for name in (models or "").split(",") if name.strip()]
    wanted = [*(recipe or []), *(ALONE if listed == ["all"] else listed)] or list(AT_ONCE)
    with opened() as app:
        context = chosen_context(app, region)
        with steps(f"compare {context.site.id}") as progress:
            found = contest(
                app.store,
                context,
                wanted,
                n_days=days,
                issue_clock=clock_asked(context.channel, issue_hour, app.settings.issue_hour),
                now=utc_now(),
                progress=progress,
                n_validation_days=validation_days,
                most_seconds=most_seconds,
            )
    unit = context.channel.unit_in_words
    if as_json:
        show_json(
            {
                "channel": found.channel,
                "from": found.first.isoformat(),
                "to": found.last.isoformat(),
                "protocol": found.protocol,
                "unit": unit,
                "rows": list(found.rows),
                "left_out": found.left_out,
                "chosen": found.chosen,
                "validated_from": found.validated_from and found.validated_from.isoformat(),
            }
        )
        return
    for name, why in found.left_out.items():
        typer.echo(f"{name} is left out. {why}", err=True)
    digits = digits_for([row["pinball"] for row in found.rows])
    typer.echo(f"{found.channel}, {found.first} to {found.last}. {found.protocol}")
    show_table(
        (
            *("recipe", f"pinball [{unit}]", f"MAE [{unit}]", f"RMSE [{unit}]", "MASE", "MAPE [%]"),
            *("90 % covers [%]", "skill [%]", "skill before [%]", "seconds", "note"),
        ),
        [
            (
                row["recipe"],
                *(number(row[name], digits) for name in ("pinball", "mae", "rmse")),
                *(number(row[name], 2) for name in ("mase", "mape_percent")),
                *(number(row[name], 1) for name in ("coverage90_percent", "skill_percent", "validation_skill_percent")),
                number(row["seconds"], 1),
                "chosen" if row["recipe"] == found.chosen else "",
            )
            for row in found.rows
        ]
        + [(name, *["-"] * 9, why) for name, why in found.left_out.items()],
    )
