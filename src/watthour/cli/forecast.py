"""`watthour forecast`: tomorrow, or any day, as a table."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any

import typer

from watthour.cli.context import chosen_context, opened, parse_day
from watthour.cli.options import AsJson, RegionName  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, steps, utc_now


def forecast(
    region: RegionName = None,
    *,
    day: Annotated[str | None, typer.Option(help="Local day, such as 2024-07-31; default: tomorrow.")] = None,
    keep: Annotated[bool, typer.Option(help="Make and store a live forecast first, if there are new data.")] = True,
    as_json: AsJson = False,
) -> None:
    """Forecast what a site will use, interval by interval, with its 90 % interval and the rivals beside it."""
    from watthour.workflows.forecast import forecast as issue
    from watthour.workflows.view import grid_forecast, is_followed

    now = utc_now()
    with opened() as app:
        context = chosen_context(app, region)
        with steps(f"forecast {context.site.id}") as say:
            if day is None and keep and is_followed(app.store, context, now):
                say("issuing")
                issue(app.store, app.registry, context, now=now)
            say("reading")
            wanted = parse_day("--day", day) if day else None
            page: dict[str, Any] = grid_forecast(
                app.store, app.registry, context, wanted, now=now, issue_clock=time(app.settings.issue_hour)
            )
    if as_json:
        show_json(page)
        return
    _show(page)


def _show(page: dict[str, Any]) -> None:
    from watthour.core.units import digits_for

    simulated = " (SIMULATED)" if page["region"]["simulated"] else ""
    typer.echo(f"{page['region']['name']}{simulated}, {page['day']}: {page['headline']}", err=True)
    digits = digits_for([point["value"] for point in page["points"]])
    rivals = list(page["points"][0]["rivals"]) if page["points"] else []
    columns = ("value", "lower", "upper", *rivals, "seasonal_naive", "actual")
    show_table(
        ("local time", page["unit"], "5 %", "95 %", *rivals, "last week", "actual"),
        [
            (point["local_time"][:16], *(number({**point, **point["rivals"]}[column], digits) for column in columns))
            for point in page["points"]
        ],
    )
    made = "reconstructed from what was known" if page["reconstructed"] else "issued"
    typer.echo(
        f"{page['model_version']}, {made} at {page['issued_at']}; readings known to {page['known_until']}.", err=True
    )
    for words in (page["fallback"], *page["missing_inputs"]):
        if words:
            typer.echo(f"Note: {words}", err=True)
