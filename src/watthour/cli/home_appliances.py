"""`watthour home appliances`: which appliances run, told from the mains alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from watthour.cli.context import opened, parse_day
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping


def appliances(
    home: Annotated[str, typer.Argument(help="The home's name or id.")],
    *,
    start: Annotated[str | None, typer.Option("--from", help="First local day; default: the last 24 hours.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last local day, included; default: until now.")] = None,
    with_powers: Annotated[bool, typer.Option("--with-powers", help="With --json: the power of each step.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell which appliances ran and what they used, estimated from the mains; what is left is shown as other."""
    from watthour.core.window import DAY, Window, local_midnight
    from watthour.workflows.appliances import appliances_at_home
    from watthour.workflows.homes import home_named
    from watthour.workflows.view.told_appliances import appliances_entry

    now = utc_now()
    with opened() as app:
        site = home_named(app.store, home)
        zone = site.place.time_zone
        until = now if end is None else min(now, local_midnight(parse_day("--to", end) + timedelta(days=1), zone))
        since = until - DAY if start is None else local_midnight(parse_day("--from", start), zone)
        if since >= until:
            raise InvalidInput("--from", start, "it lies after the end", remedy="Give the earlier day first.")
        window = Window(since.astimezone(ZoneInfo("UTC")), until)
        network = app.appliance_network
        told = appliances_at_home(app.store, app.links.all(), site, window, network)
        content = appliances_entry(site, window, told, network.description, with_powers=with_powers)
    if as_json:
        show_json(content)
        return
    _show(content, zone)


def _show(content: Mapping[str, Any], zone: str) -> None:
    rows: list[tuple[object, ...]] = [
        (
            each["name"],
            {True: "on", False: "off", None: "-"}[each["is_on"]],
            number(each["power_watts"], 0),
            number(each["energy_kwh"], 2),
            number(each["share_percent"]),
            len(each["runs"]),
        )
        for each in content["appliances"]
    ]
    other = content["other"]
    used = (number(other["power_watts"], 0), number(other["energy_kwh"], 2), number(other["share_percent"]))
    rows.append(("other", "-", *used, "-"))
    show_table(("appliance", "state", "power [W]", "energy [kWh]", "of the mains [%]", "runs"), rows)
    until = "never" if content["told_until"] is None else local_time(content["told_until"], zone)
    share = number(content["told_percent"])
    typer.echo(f"Estimated from the mains for {share} % of the time, last until {until} ({zone}).", err=True)
    for remark in content["remarks"]:
        typer.echo(remark, err=True)
