"""`watthour home history`: what a home, a zone or a device used over some days."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now


def history(
    home: Annotated[str, typer.Argument(help="The home's name or id.")],
    *,
    device: Annotated[str | None, typer.Option("--device", help="A device, by name or id.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="A zone, by name or id.")] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, help="Days up to today: 1 by its intervals, up to 8 by hours.")
    ] = 7,
    as_json: AsJson = False,
) -> None:
    """Tell what was used, with how much of it is known."""
    from zoneinfo import ZoneInfo

    from watthour.workflows import view
    from watthour.workflows.homes import home_named
    from watthour.workflows.usage import past_use

    with opened() as app:
        site, now = home_named(app.store, home), utc_now()
        last = now.astimezone(ZoneInfo(site.place.time_zone)).date()
        first = last - timedelta(days - 1)
        past = past_use(app.store, site, first=first, last=last, now=now, device=device, zone=zone)
    if as_json:
        show_json(view.history_entry(site, past))
        return
    zone_name = site.place.time_zone
    rows = [
        (
            local_time(span.start, zone_name),
            number(span.power_w, 0),
            number(span.kwh, 3),
            f"{100 * span.known_share:.0f} %",
        )
        for span in past.spans
    ]
    show_table((f"{past.name} ({zone_name})", "W on average", "kWh", "with readings"), rows)
