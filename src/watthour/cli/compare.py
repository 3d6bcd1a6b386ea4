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
        list[str] | None, typer.Option(help="Only these models; can be given several times. Default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let every kind of model forecast the last days of a channel, each learned once before them, and score them.

    All are scored on the same intervals. One that cannot learn the channel is left out, and it is said why.
    """
    from watthour.core.forecast import issue_clock_of
    from watthour.core.units import digits_for
    from watthour.forecasting.catalogue import ALONE
    from watthour.workflows.contest import contest

    with opened() as app:
        context = chosen_context(app, region)
        hour = app.settings.issue_hour if issue_hour is None else issue_hour
        with steps(f"compare {context.site.id}") as progress:
            found = contest(
                app.store,
                context,
                recipe or list(ALONE),
                n_days=days,
                issue_clock=issue_clock_of(hour),
                now=utc_now(),
                progress=progress,
            )
    if as_json:
        show_json(
            {
                "channel": found.channel,
                "from": found.first.isoformat(),
                "to": found.last.isoformat(),
                "protocol": found.protocol,
                "unit": context.channel.unit_in_words,
                "rows": list(found.rows),
                "left_out": found.left_out,
            }
        )
        return
    for name, why in found.left_out.items():
        typer.echo(f"{name} is left out. {why}", err=True)
    unit, digits = context.channel.unit_in_words, digits_for([row["pinball"] for row in found.rows])
    typer.echo(f"{found.channel}, {found.first} to {found.last}. {found.protocol}")
    show_table(
        ("recipe", f"pinball [{unit}]", f"MAE [{unit}]", "MAPE [%]", "90 % covers [%]", "seconds"),
        [
            (
                row["recipe"],
                number(row["pinball"], digits),
                number(row["mae"], digits),
                number(row["mape_percent"], 2),
                number(row["coverage90_percent"], 1),
                number(row["seconds"], 1),
            )
            for row in found.rows
        ],
    )
