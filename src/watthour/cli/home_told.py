"""`watthour home told`: what others, such as Home Assistant, are told of a home."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now

if TYPE_CHECKING:
    from watthour.core.bulletin import Entry

_UNITS = {"power_ahead": "kW", "energy_ahead": "kWh", "energy": "kWh", "emissions": "kg", "saved_emissions": "kg"}


def told(home: Annotated[str, typer.Argument(help="The home's name or id.")], *, as_json: AsJson = False) -> None:
    """Show what Home Assistant is told of a home, and of what is unknown the reason; nothing is sent."""
    from watthour.workflows.home_bulletin import home_bulletin
    from watthour.workflows.homes import home_named

    with opened() as app:
        site = home_named(app.store, home)
        bulletin = home_bulletin(app.desk, site, now=utc_now())
        is_told = app.is_announcing and not site.is_simulated
    if as_json:
        show_json({"home": bulletin.home, "announced": is_told, "entries": [asdict(each) for each in bulletin.entries]})
        return
    zone = site.place.time_zone
    show_table(
        ("name", "value", "unit", ""),
        [(each.name, _value(each, zone), _unit(each), each.more.get("why", "")) for each in bulletin.entries],
    )
    if not is_told:
        why = "a simulated home is told nobody" if site.is_simulated else "nobody is told"
        typer.echo(f"Now {why}: docs/how-to/home-assistant.md says how to switch it on.", err=True)


def _value(entry: Entry, zone: str) -> str:
    if isinstance(entry.value, bool):
        return "yes" if entry.value else "no"
    if isinstance(entry.value, datetime):
        return local_time(entry.value.isoformat(), zone)
    return number(entry.value, 4 if entry.matter == "price" else 2)


def _unit(entry: Entry) -> str:
    return entry.unit or _UNITS.get(str(entry.matter), "")
