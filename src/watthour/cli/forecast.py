"""`watthour forecast`: tomorrow, or any day, as a table."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any

import typer

from watthour.cli.context import chosen_context, opened, parse_day
from watthour.cli.options import AsJson, RegionName  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, steps, utc_now
from watthour.core.errors import InvalidInput

_COLUMNS = ("value", "lower", "upper", "seasonal_naive")


def forecast(
    region: RegionName = None,
    *,
    day: Annotated[str | None, typer.Option(help="Local day, such as 2024-07-31; default: tomorrow.")] = None,
    hours: Annotated[
        int | None, typer.Option(help="Instead of a day: so many hours from now on, 1 to 168. Shown, not kept.")
    ] = None,
    channel: Annotated[list[str] | None, typer.Option(help="A channel of the site; once for each.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="A device of the home; once for each.")] = None,
    zone: Annotated[
        list[str] | None, typer.Option(help="A zone of the home, the sum of its channels; once for each.")
    ] = None,
    keep: Annotated[bool, typer.Option(help="Make and store a live forecast first, if there are new data.")] = True,
    as_json: AsJson = False,
) -> None:
    """Forecast what a site will use, interval by interval, with its 90 % interval and the rivals beside it."""
    from watthour.workflows.forecast import forecast as issue
    from watthour.workflows.view import grid_forecast, is_followed

    if hours is not None or channel or device or zone:
        _hours_ahead(region, day, 24 if hours is None else hours, (channel, device, zone), as_json=as_json)
        return
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


def _hours_ahead(
    name: str | None, day: str | None, hours: int, parts: tuple[list[str] | None, ...], *, as_json: bool
) -> None:
    """Show the hours ahead of a site or of what is named in it."""
    from watthour.workflows.entities import entities, find_site
    from watthour.workflows.view import ahead_of_all

    if day is not None:
        problem = "a day cannot be asked together with --hours, --channel, --device or --zone"
        raise InvalidInput("--day", day, problem, remedy="Leave one of them out.")
    now = utc_now()
    channels, devices, zones = (part or () for part in parts)
    with opened() as app:
        site = find_site(app.store, app.directories, name) if name else chosen_context(app, None).site
        asked = entities(app.store, app.directories, site, channels=channels, devices=devices, zones=zones)
        answer: dict[str, Any] = ahead_of_all(app.store, app.registry, site, asked, hours=hours, now=now)
    if as_json:
        show_json(answer)
        return
    for found in answer["forecasts"]:
        _show_ahead(found, answer["time_zone"])
    for missing in answer["not_forecast"]:
        typer.echo(f"{missing['name']} cannot be forecast: {missing['problem']}. {missing['remedy']}", err=True)


def _show_ahead(found: dict[str, Any], zone: str) -> None:
    from watthour.core.units import digits_for

    simulated = " (SIMULATED)" if found["simulated"] else ""
    typer.echo(
        f"{found['name']}{simulated}: {' + '.join(found['channels']) or 'log of uses'}, by the clock of {zone}",
        err=True,
    )
    if found["days"]:
        _show_uses(found)
    else:
        digits = digits_for([point["value"] for point in found["points"]])
        show_table(
            ("local time", found["unit"], "5 %", "95 %", "last week"),
            [
                (point["local_time"][:16], *(number(point[name], digits) for name in _COLUMNS))
                for point in found["points"]
            ],
        )
    old = "too old to follow: the hours after the last reading are shown" if found["archive"] else "stale"
    age = f", {found['data_age_hours']:g} h ago" if found["data_age_hours"] is not None else ""
    words = f" ({old})" if found["archive"] or found["stale"] else ""
    until = "none" if found["known_until"] is None else local_time(found["known_until"], zone)
    known = f"readings known to {until}{age}{words}"
    typer.echo(f"{found['model_label']}, issued at {local_time(found['issued_at'], zone)}; {known}.", err=True)
    for words in (found["fallback"], *found["missing_inputs"]):
        if words:
            typer.echo(f"Note: {words}", err=True)


def _show_uses(found: dict[str, Any]) -> None:
    """Show when a device that is seldom on may run, and what its days may use: its hours one by one say little."""
    show_table(
        ("local time", "runs, %", "kWh expected"),
        [
            (point["local_time"][:16], number(100 * point["probability"], 0), number(point["expected_kwh"], 3))
            for point in found["points"]
        ],
    )
    show_table(
        ("local day", "runs, %", "uses", "kWh expected", "5 %", "95 %"),
        [
            (
                str(each["day"]),
                number(100 * each["probability"], 0),
                number(each["starts"], 1),
                *(number(each[name], 2) for name in ("expected_kwh", "lower_kwh", "upper_kwh")),
            )
            for each in found["days"]
        ],
    )


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
            (
                point["local_time"][:16],
                *(number({**point, **point["rivals"]}[column], digits) for column in columns),
            )
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
