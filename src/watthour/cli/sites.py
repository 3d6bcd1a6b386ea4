"""`watthour site`: sites of one's own, added, looked at, changed and removed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, show_json, show_table
from watthour.core.errors import InvalidInput
from watthour.core.weather import NONE_SO_EARLY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.bootstrap import App
    from watthour.core.channel import Site

NONE = "none"  # takes a value away

Name = Annotated[str, typer.Argument(help="The site's name or id.")]
Latitude = Annotated[str | None, typer.Option(help="Degrees north, such as 48.85, or none.")]
Longitude = Annotated[str | None, typer.Option(help="Degrees east, such as 2.35, or none.")]
Holidays = Annotated[
    str | None, typer.Option(help="Calendar of public holidays, such as FR, AU-NSW or TR+ramadan, or none.")
]
Zone = Annotated[str | None, typer.Option(help="The grid zone it belongs to, such as BE, or none.")]
Points = Annotated[
    list[str] | None,
    typer.Option(
        "--point", help="A place whose weather is used, for a large region: lyon:45.76:4.84:0.3. May be repeated."
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel", help="A series: name:unit:step, such as power:kW:30min or price:EUR/MWh:1h. May be repeated."
    ),
]
DeleteReadings = Annotated[
    bool, typer.Option("--delete-readings", help="Also delete its readings and forecasts, permanently.")
]
Main = Annotated[str | None, typer.Option(help="Name of the channel that is forecast; default: the first.")]


def build() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Sites of your own: add, list, show, change, remove."
    )
    for name, command in (("add", add), ("list", list_sites), ("show", show), ("change", change), ("remove", remove)):
        group.command(name)(command)
    return group


def add(  # noqa: PLR0913 - each is an option of the command
    name: Annotated[str, typer.Argument(help='What you call it, such as "Summer house".')],
    *,
    kind: Annotated[str | None, typer.Option(help="home: a household; region: anything larger.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Its time zone, such as Europe/Paris.")] = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    holidays: Holidays = None,
    zone: Zone = None,
    point: Points = None,
    channel: Channels = None,
    main: Main = None,
    site_id: Annotated[
        str | None, typer.Option("--id", help="Its short name in commands; default: made from the name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a home, a building, a town or a zone of a grid: any place whose load you have in files.

    If it has coordinates, its weather forecasts are fetched from Open-Meteo as soon as it has readings.
    """
    from watthour.workflows.own_sites import SiteWords, add_site, channel_words, point_words

    kind = kind or _asked("kind", "Is it a home or a region?", "home")
    time_zone = time_zone or _asked("time_zone", "Its time zone", "Europe/Paris")
    holidays = as_holidays(holidays, time_zone)
    words = SiteWords(
        name,
        kind,
        time_zone,
        site_id,
        degrees("latitude", latitude),
        degrees("longitude", longitude),
        or_none(holidays),
        or_none(zone),
        [point_words(text) for text in point or []],
        [channel_words(text) for text in channel or []],
        main,
    )
    with opened() as app:
        site = add_site(app.store, app.directories, words)
        _show(app, site, as_json=as_json)


def change(  # noqa: PLR0913 - each is an option of the command
    name: Name,
    *,
    new_name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Its time zone, such as Europe/Paris.")] = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    holidays: Holidays = None,
    zone: Zone = None,
    point: Points = None,
    channel: Channels = None,
    main: Main = None,
    as_json: AsJson = False,
) -> None:
    """Change the description of a site; what you do not name stays the same.

    New points replace all points; --point none removes them. A channel with readings keeps its unit and step.
    """
    from watthour.workflows.own_sites import change_site, channel_words, point_words

    texts = {"name": new_name, "time_zone": time_zone, "main": main}
    changes: dict[str, Any] = {field: text for field, text in texts.items() if text is not None}
    changes |= {field: or_none(text) for field, text in (("holidays", holidays), ("zone", zone)) if text is not None}
    for field, text in (("latitude", latitude), ("longitude", longitude)):
        if text is not None:
            changes[field] = degrees(field, text)
    if point:
        changes["points"] = [point_words(text) for text in point if text != NONE]
    if not changes and not channel:
        raise InvalidInput("site", name, "no change is given", remedy="Name what to change, such as --holidays FR.")
    with opened() as app:
        channels = [channel_words(text) for text in channel or []]
        settled = app.settings.sites
        site = change_site(app.store, app.directories, name, changes, channels=channels, settled=settled)
        _show(app, site, as_json=as_json)


def list_sites(*, as_json: AsJson = False) -> None:
    """List the sites of the store with their readings, step, unit, weather and model."""
    from watthour.workflows import view

    with opened() as app:
        content = view.site_list(app.store, app.registry, app.directories, app.settings.sites)
    if as_json:
        show_json(content)
        return
    sites: Sequence[Mapping[str, Any]] = content["sites"]  # type: ignore[assignment]  # a list, by the view
    if not sites:
        typer.echo("There are no sites yet: `watthour site add` adds one.", err=True)
        return
    show_table(
        ("site", "name", "kind", "time zone", "readings", "step", "unit", "weather", "model"),
        [_row(entry) for entry in sites],
    )


def show(name: Name, *, as_json: AsJson = False) -> None:
    """Show a site: where it is, its channels, its weather, its model, and what to do next."""
    from watthour.workflows.sites import site_named

    with opened() as app:
        _show(app, site_named(app.store, name), as_json=as_json)


def remove(
    name: Name,
    *,
    delete_readings: DeleteReadings = False,
) -> None:
    """Remove a site; one with readings is removed only with --delete-readings. Its saved models stay."""
    from watthour.workflows.own_sites import remove_site

    with opened() as app:
        settled = app.settings.sites
        site = remove_site(app.store, app.kept_files, name, with_readings=delete_readings, settled=settled)
    typer.echo(f"Removed {site.id} ({site.name}).", err=True)


def _show(app: App, site: Site, *, as_json: bool) -> None:
    from watthour.workflows import view

    entry = view.site_entry(app.store, app.registry, app.directories, site, app.settings.sites)
    if as_json:
        show_json(entry)
        return
    show_site(entry)
    _show_steps(entry)


def show_site(entry: Mapping[str, Any]) -> None:
    """Print what is told of a site, row by row."""
    lists = ("channels", "points", "zones", "devices", "next")
    shown = {**entry, "weather": _weather(str(entry["weather"]))}
    rows = [(field.replace("_", " "), _written(value)) for field, value in shown.items() if field not in lists]
    rows += [
        (f"weather point {p['id']}", f"{p['latitude']}, {p['longitude']}, weight {p['weight']:g}")
        for p in _rows(entry, "points")
    ]
    rows += [
        (f"channel {c['id']}", f"{c['unit']}, {channel_step(c)}, {channel_span(c, entry['time_zone'])}")
        for c in _rows(entry, "channels")
    ]
    show_table(("", entry["id"]), rows)


def show_next(app: App, site: Site) -> None:
    """Tell what can be done next for a site."""
    from watthour.workflows import view

    _show_steps(view.site_entry(app.store, app.registry, app.directories, site, app.settings.sites))


def _show_steps(entry: Mapping[str, Any]) -> None:
    for step in _rows(entry, "next"):
        typer.echo(f"Next: {step['text']} `{step['command']}`", err=True)


def _rows(entry: Mapping[str, Any], field: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = entry[field]
    return found


def _row(entry: Mapping[str, Any]) -> tuple[object, ...]:
    main = next((each for each in entry["channels"] if each["id"] == entry["main_channel"]), None)
    described = (entry["id"], entry["name"], entry["kind"], entry["time_zone"])
    measured = (
        (channel_span(main, entry["time_zone"]), channel_step(main), main["unit"])
        if main is not None
        else ("none", "", "")
    )
    return (*described, *measured, _weather(entry["weather"]), entry["model"] or "none")


def _weather(state: str) -> str:
    return NONE_SO_EARLY if state == "too_early" else state


def channel_span(channel: Mapping[str, Any], zone: str) -> str:
    """Write the local days of which a channel has readings."""
    if not channel["first_time"]:
        return "no readings"
    first, last = (local_time(channel[edge], zone)[:10] for edge in ("first_time", "last_time"))
    return f"{first} to {last}"


def channel_step(channel: Mapping[str, Any]) -> str:
    """Write the length of a channel's intervals."""
    minutes = channel["resolution_seconds"] / 60
    return f"{minutes:g} min"


def _written(value: object) -> str:
    if value is None:
        return NONE
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def or_none(text: str | None) -> str | None:
    """Return what is said; the word none takes a value away."""
    return None if text is None or text.strip().casefold() == NONE else text


def degrees(field: str, text: str | None) -> float | None:
    """Read a coordinate.

    Raises:
        InvalidInput: it is not a number.
    """
    if (said := or_none(text)) is None:
        return None
    try:
        return float(said)
    except ValueError:
        remedy = "Give decimal degrees, north and east positive, such as 48.85."
        raise InvalidInput(field, text, "it is not a number", remedy=remedy) from None


def as_holidays(said: str | None, time_zone: str) -> str | None:
    """Return the calendar that is said; where none is, the likely one is offered, never taken by itself."""
    if said is not None:
        return said
    from watthour.forecasting.holiday_calendars import likely_calendar

    likely = likely_calendar(time_zone)
    if sys.stdin.isatty():
        return str(typer.prompt("Public holidays (such as FR, AU-NSW, TR+ramadan, or none)", default=likely or NONE))
    hint = f", such as --holidays {likely}" if likely else ""
    typer.echo(f"No holiday calendar is set{hint}: a public holiday is forecast like any other day.", err=True)
    return None


def _asked(field: str, question: str, example: str) -> str:
    """Ask for what is missing.

    Raises:
        InvalidInput: nobody is there to be asked.
    """
    if sys.stdin.isatty():
        return str(typer.prompt(question))
    option = field.replace("_", "-")
    raise InvalidInput(field, None, "it is missing", remedy=f"Give it with --{option}, such as --{option} {example}.")
