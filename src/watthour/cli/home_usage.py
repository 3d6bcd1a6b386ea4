"""`watthour home usage`: what a home draws now, and what it used today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, utc_now

if TYPE_CHECKING:
    from watthour.workflows.usage import HomeUsage, PartUsage


def usage(home: Annotated[str, typer.Argument(help="The home's name or id.")], *, as_json: AsJson = False) -> None:
    """Tell what a home, its zones and its devices draw now, and used today and yesterday."""
    from watthour.workflows import view
    from watthour.workflows.homes import home_named
    from watthour.workflows.usage import home_usage

    with opened() as app:
        site = home_named(app.store, home)
        found = home_usage(app.store, site, now=utc_now())
    if as_json:
        show_json(view.usage_entry(site, found, found.at))
        return
    columns = ("", "W now", "seconds ago", "kWh today", "to this time yesterday", "yesterday", "today with readings")
    show_table(columns, [_row(part, found) for part in found.parts])


def _row(part: PartUsage, found: HomeUsage) -> tuple[object, ...]:
    age = None if part.heard_at is None else (found.at - part.heard_at).total_seconds()
    share = None if part.known_share_today is None else f"{100 * part.known_share_today:.0f} %"
    return (
        part.name,
        number(part.power_w, 0),
        "" if age is None else f"{age:.0f}{' (late)' if part.is_late else ''}",
        *(number(each, 2) for each in (part.today_kwh, part.yesterday_same_time_kwh, part.yesterday_kwh)),
        share,
    )
