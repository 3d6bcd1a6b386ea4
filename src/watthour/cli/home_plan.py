"""`watthour home equip` and `watthour home plan`: what can be shifted in a home, and when it is to run."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now
from watthour.cli.plan import checked, how_good, show_choices
from watthour.cli.tables import read_table
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN = "docs/how-to/plan-a-day.md shows a whole file."
Home = Annotated[str, typer.Argument(help="The home's name or id.")]


def equip(
    home: Home,
    file: Annotated[Path | None, typer.Argument(help="What can be shifted, as TOML or JSON; without: show it.")] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Forget it: the home is not planned any more.")] = False,
) -> None:
    """Say what can be shifted in a home, in place of what was said before; docs/how-to/plan-a-day.md shows how."""
    from watthour.api.schemas.equipment import HomeEquipment
    from watthour.workflows.equipment import equipment_of, set_equipment
    from watthour.workflows.homes import home_named

    if file is not None and remove:
        remedy = "Give one of them."
        raise InvalidInput("--remove", str(file), "there is a file as well", remedy=remedy)
    said = None if file is None else checked(HomeEquipment, read_table(file, what="equipment", remedy=_SHOWN)).said()
    with opened() as app:
        site = home_named(app.store, home)
        if remove:
            was_there = app.equipment_file.forget(site.id)
            typer.echo(f"{site.name} has no equipment{' any more' if was_there else ''}.", err=True)
        elif said is None:
            equipment_of(app.equipment_file, site)
            show_json(dict(app.equipment_file.said(site.id) or {}))
        else:
            names = [each.name for each in set_equipment(app.store, app.equipment_file, site, said).things]
            typer.echo(f"{site.name} plans {', '.join(names)}. `watthour home plan {site.id}` tells when.", err=True)


def plan(
    home: Home,
    *,
    choices: Annotated[bool, typer.Option("--choices", help="Also plans from the cheapest to the cleanest.")] = False,
    anew: Annotated[bool, typer.Option("--new", help="Plan anew, even where a plan is in force.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell when everything in a home is to run, why, and what it costs; the first time the plan is made."""
    from watthour.workflows.home_plan import Asked
    from watthour.workflows.home_plan_content import plan_told
    from watthour.workflows.homes import home_named

    now = utc_now()
    with opened() as app:
        site = home_named(app.store, home)
        if choices or anew:
            content = app.planner.plan(site, Asked(with_choices=choices), now=now)
        else:
            content = app.planner.current(site, now=now)
    found = plan_told(content, now=now)
    if as_json:
        show_json(found)
        return
    _show(found)


def _show(found: Mapping[str, Any]) -> None:
    zone = found["time_zone"]
    rows = [_row(each, zone) for each in found["runs"]]
    show_table((f"run ({zone})", "is", "begins", "ends", "kWh", found["currency"], "why"), rows)
    for thing in found["things"]:
        if thing["kind"] in ("battery", "heat"):
            typer.echo(f"{thing['name']}: {thing['reason']}")
    for miss in found["misses"]:
        typer.echo(f"{miss['name']}: {miss['words']}", err=True)
    typer.echo()
    figures = (
        ("cost", number(found["cost"], 2), number(found["at_once"]["cost"], 2)),
        ("kg CO2e", number(found["carbon_kg"], 2), number(found["at_once"]["carbon_kg"], 2)),
    )
    hours = len(found["time"]) * found["step_minutes"] / 60
    show_table((f"over {hours:g} h", "planned", "all at once"), figures)
    typer.echo(how_good(found), err=True)
    if found["choices"]:
        typer.echo()
        show_choices(found)
    for remark in found["remarks"]:
        typer.echo(remark, err=True)
    if found["is_simulated"]:
        typer.echo("This home is invented.", err=True)


def _row(each: Mapping[str, Any], zone: str) -> tuple[object, ...]:
    times = [None if each[edge] is None else local_time(each[edge], zone) for edge in ("start", "end")]
    state = f"{each['state']} (not measured)" if each["is_estimated"] and each["state"] == "done" else each["state"]
    return each["id"], state, *times, number(each["energy_kwh"], 2), number(each["cost"], 2), each["reason"]
