"""`watthour home`: homes with their rooms and devices, added, looked at and changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import opened, parse_day
from watthour.cli.home_appliances import appliances
from watthour.cli.home_history import history
from watthour.cli.home_insights import insights
from watthour.cli.home_plan import equip, plan
from watthour.cli.home_savings import savings
from watthour.cli.home_told import told
from watthour.cli.home_usage import usage
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, show_json, show_table, utc_now
from watthour.cli.sites import (  # typer reads annotations at run time
    Channels,
    DeleteReadings,
    Holidays,
    Latitude,
    Longitude,
    Main,
    as_holidays,
    channel_span,
    channel_step,
    degrees,
    or_none,
    show_next,
    show_site,
)
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.bootstrap import App
    from watthour.core.channel import Device, Site
    from watthour.core.place import FoundPlace

MOST_EVENTS = 100_000  # uses in one table
Home = Annotated[str, typer.Argument(help="The home's name or id.")]
Place = Annotated[
    str | None,
    typer.Option(help='The town it is in, such as "Lyon" or "Lyon, France": tells time zone, weather and holidays.'),
]
TimeZone = Annotated[str | None, typer.Option(help="Its time zone, such as Europe/Paris; told by the town, if any.")]
Kind = Annotated[str | None, typer.Option(help="What it is: washing_machine, heat_pump, solar, ... or other.")]
Rating = Annotated[
    str | None, typer.Option("--rating", help="Most it draws or makes, in watts, such as 2100, or none.")
]
Flexible = Annotated[
    str | None,
    typer.Option(
        "--flexibility",
        help="fixed, shiftable, interruptible or adjustable; default: what is usual for its kind.",
    ),
]
ZoneName = Annotated[str | None, typer.Option("--zone", help="The zone it stands in, or none.")]
PartChannels = Annotated[
    list[str] | None,
    typer.Option("--channel", help="What is measured: name:unit:step, such as power:W:1min. May be repeated."),
]
ShortName = Annotated[str | None, typer.Option("--id", help="Its short name in commands; default: made from the name.")]


def build() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Homes: their rooms, devices and meters.")
    for name, command in (("add", add), ("list", list_homes), ("show", show), ("change", change), ("remove", remove)):
        group.command(name)(command)
    group.command("events")(events)
    group.command("insights")(insights)
    group.command("appliances")(appliances)
    group.command("told")(told)
    group.command("usage")(usage)
    group.command("history")(history)
    group.command("equip")(equip)
    group.command("plan")(plan)
    group.command("savings")(savings)
    devices = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Devices of a home.")
    for name, device in (("add", add_device), ("change", change_device), ("remove", remove_device)):
        devices.command(name)(device)
    zones = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Rooms, floors or other parts of a home.")
    for name, zone in (("add", add_zone), ("remove", remove_zone)):
        zones.command(name)(zone)
    group.add_typer(devices, name="device")
    group.add_typer(zones, name="zone")
    return group


def add(  # noqa: PLR0913 - each is an option of the command
    name: Annotated[str, typer.Argument(help='What you call it, such as "Summer house".')],
    *,
    place: Place = None,
    time_zone: TimeZone = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    holidays: Holidays = None,
    channel: Channels = None,
    main: Main = None,
    site_id: ShortName = None,
    as_json: AsJson = False,
) -> None:
    """Add a home: its town, or its time zone, is all that is needed. Coordinates are kept to 0.1 degree.

    The town is looked up at Open-Meteo; without a network give --time-zone, and --latitude and --longitude if you like.
    """
    from watthour.workflows.homes import HomeWords, add_home
    from watthour.workflows.own_sites import channel_words

    if place is None and time_zone is None:
        place = _asked("The town it is in, such as Lyon, France")
    with opened() as app:
        if place is None and time_zone is not None:
            holidays = as_holidays(holidays, time_zone)
        words = HomeWords(
            name,
            None if place is None else _chosen(app, place),
            time_zone,
            site_id,
            degrees("latitude", latitude),
            degrees("longitude", longitude),
            holidays,
            channels=[channel_words(text) for text in channel or []],
            main=main,
        )
        home = add_home(app.store, app.directories, app.gazetteer, words)
        _show(app, home, as_json=as_json)


def list_homes(*, as_json: AsJson = False) -> None:
    """List all homes with their devices, readings and model."""
    from watthour.workflows import view

    with opened() as app:
        content = view.home_list(app.store, app.registry, app.directories, app.settings.sites)
    if as_json:
        show_json(content)
        return
    homes: Sequence[Mapping[str, Any]] = content["homes"]  # type: ignore[assignment]  # a list, by the view
    if not homes:
        typer.echo("There are no homes yet: `watthour home add` adds one.", err=True)
        return
    rows = []
    for entry in homes:
        main = next((each for each in entry["channels"] if each["id"] == entry["main_channel"]), None)
        readings = channel_span(main, entry["time_zone"]) if main is not None else "none"
        described = (entry["id"], entry["name"], entry["time_zone"], len(entry["zones"]), len(entry["devices"]))
        rows.append((*described, readings, entry["model"] or "none"))
    show_table(("home", "name", "time zone", "zones", "devices", "readings", "model"), rows)


def show(home: Home, *, as_json: AsJson = False) -> None:
    """Show a home: where it is, its zones, devices and channels, and what to do next."""
    from watthour.workflows.homes import home_named

    with opened() as app:
        _show(app, home_named(app.store, home), as_json=as_json)


def change(  # noqa: PLR0913 - each is an option of the command
    home: Home,
    *,
    new_name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    place: Place = None,
    time_zone: TimeZone = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    holidays: Holidays = None,
    channel: Channels = None,
    main: Main = None,
    as_json: AsJson = False,
) -> None:
    """Change the description of a home; what you do not name stays the same."""
    from watthour.workflows.homes import change_home
    from watthour.workflows.own_sites import channel_words

    texts = {"name": new_name, "time_zone": time_zone, "main": main}
    changes: dict[str, Any] = {field: text for field, text in texts.items() if text is not None}
    if holidays is not None:
        changes["holidays"] = or_none(holidays)
    for field, text in (("latitude", latitude), ("longitude", longitude)):
        if text is not None:
            changes[field] = degrees(field, text)
    if not changes and not channel and place is None:
        raise InvalidInput("home", home, "no change is given", remedy="Name what to change, such as --place Lyon.")
    with opened() as app:
        if place is not None:
            changes["place"] = _chosen(app, place)
        channels = [channel_words(text) for text in channel or []]
        settled = app.settings.sites
        site = change_home(app.store, app.directories, app.gazetteer, home, changes, channels=channels, settled=settled)
        _show(app, site, as_json=as_json)


def remove(home: Home, *, delete_readings: DeleteReadings = False) -> None:
    """Remove a home; one with readings or uses is removed only with --delete-readings. Its saved models stay."""
    from watthour.workflows.homes import home_named
    from watthour.workflows.own_sites import remove_site

    with opened() as app:
        found = home_named(app.store, home)
        settled = app.settings.sites
        site = remove_site(app.store, app.kept_files, found.id, with_readings=delete_readings, settled=settled)
    typer.echo(f"Removed {site.id} ({site.name}).", err=True)


def events(
    home: Home,
    *,
    start: Annotated[str | None, typer.Option("--from", help="First local day; default: the day before --to.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last local day, included; default: today.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="One device alone, by name or id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the uses of devices that began on some days: when each ran, and what it used."""
    from zoneinfo import ZoneInfo

    from watthour.core.window import DAY, Window, local_midnight
    from watthour.workflows import view
    from watthour.workflows.homes import devices_of, home_named, part_named

    with opened() as app:
        site = home_named(app.store, home)
        found = devices_of(app.store, site)
        found = found if device is None else [part_named("device", device, found)]
        zone = site.place.time_zone
        last = parse_day("--to", end) if end else utc_now().astimezone(ZoneInfo(zone)).date()
        first = parse_day("--from", start) if start else last - DAY
        if first > last:
            raise InvalidInput("--from", start, f"it lies after {last}", remedy="Give the earlier day first.")
        window = Window(local_midnight(first, zone), local_midnight(last + DAY, zone))
        content = view.home_events(app.store, site, found, window, limit=MOST_EVENTS)
    if as_json:
        show_json(content)
        return
    uses: Sequence[Mapping[str, Any]] = content["events"]  # type: ignore[assignment]  # a list, by the view
    show_table(
        ("device", f"start ({zone})", "end", "kWh"),
        [
            (use["device"], local_time(use["start"], zone), local_time(use["end"], zone), use["energy_kwh"])
            for use in uses
        ],
    )
    if content["next"] is not None:
        typer.echo(
            f"There are more, from {local_time(str(content['next']), zone)} on: name fewer days or one device.",
            err=True,
        )


def add_device(  # noqa: PLR0913 - each is an option of the command
    home: Home,
    name: Annotated[str, typer.Argument(help='What you call it, such as "Washing machine".')],
    *,
    kind: Kind = None,
    rating: Rating = None,
    flexibility: Flexible = None,
    zone: ZoneName = None,
    channel: PartChannels = None,
    device_id: ShortName = None,
    as_json: AsJson = False,
) -> None:
    """Add a device of a home. Channels named here are measured at it, such as home.flat.washing_machine.power."""
    from watthour.workflows.homes import DeviceWords, add_device
    from watthour.workflows.own_sites import channel_words

    channels = [channel_words(text) for text in channel or []]
    words = DeviceWords(name, kind or "other", device_id, _watts(rating), flexibility, or_none(zone), channels)
    with opened() as app:
        _show_device(app, add_device(app.store, home, words), as_json=as_json)


def change_device(  # noqa: PLR0913 - each is an option of the command
    home: Home,
    device: Annotated[str, typer.Argument(help="The device's name or id.")],
    *,
    new_name: Annotated[str | None, typer.Option("--name", help="Its new name; its id stays.")] = None,
    kind: Kind = None,
    rating: Rating = None,
    flexibility: Flexible = None,
    zone: ZoneName = None,
    channel: PartChannels = None,
    as_json: AsJson = False,
) -> None:
    """Change the description of a device; what you do not name stays the same."""
    from watthour.workflows.homes import change_device
    from watthour.workflows.own_sites import channel_words

    texts = {"name": new_name, "kind": kind, "flexibility": flexibility}
    changes: dict[str, Any] = {field: text for field, text in texts.items() if text is not None}
    if rating is not None:
        changes["rating_w"] = _watts(rating)
    if zone is not None:
        changes["zone"] = or_none(zone)
    if not changes and not channel:
        raise InvalidInput("device", device, "no change is given", remedy="Name what to change, such as --rating 2100.")
    with opened() as app:
        channels = [channel_words(text) for text in channel or []]
        _show_device(app, change_device(app.store, home, device, changes, channels=channels), as_json=as_json)


def remove_device(
    home: Home,
    device: Annotated[str, typer.Argument(help="The device's name or id.")],
    *,
    delete_readings: DeleteReadings = False,
) -> None:
    """Remove a device with its channels; one with readings or uses only with --delete-readings."""
    from watthour.workflows.homes import remove_device

    with opened() as app:
        gone = remove_device(app.store, home, device, with_readings=delete_readings, links=app.links)
    typer.echo(f"Removed {gone.id} ({gone.name}).", err=True)


def add_zone(
    home: Home,
    name: Annotated[str, typer.Argument(help='What you call it, such as "Kitchen" or "First floor".')],
    *,
    channel: PartChannels = None,
    zone_id: ShortName = None,
) -> None:
    """Add a room, a floor or another part of a home; its load is the sum of what is measured in it.

    Channels named here are measured in it, such as temperature:degC:15min or occupancy:%:15min.
    """
    from watthour.workflows.homes import add_zone
    from watthour.workflows.own_sites import channel_words

    with opened() as app:
        channels = [channel_words(text) for text in channel or []]
        zone = add_zone(app.store, home, name, word=zone_id, channels=channels)
    typer.echo(f"Added {zone.id} ({zone.name}).", err=True)


def remove_zone(home: Home, zone: Annotated[str, typer.Argument(help="The zone's name or id.")]) -> None:
    """Remove a zone; devices and channels in it stay."""
    from watthour.workflows.homes import remove_zone

    with opened() as app:
        gone = remove_zone(app.store, home, zone)
    typer.echo(f"Removed {gone.id} ({gone.name}).", err=True)


def _show(app: App, home: Site, *, as_json: bool) -> None:
    from watthour.workflows import view

    entry = view.home_entry(app.store, app.registry, app.directories, home, app.settings.sites)
    if as_json:
        show_json(entry)
        return
    show_site(entry)
    devices: Sequence[Mapping[str, Any]] = entry["devices"]  # type: ignore[assignment]  # a list, by the view
    zones: Sequence[Mapping[str, Any]] = entry["zones"]  # type: ignore[assignment]  # likewise
    names = {zone["id"]: zone["name"] for zone in zones}
    if zones:
        show_table(("zone", "name", "devices", "channels"), [_zone_row(zone) for zone in zones])
    if devices:
        rows = [_device_row(device, names) for device in devices]
        show_table(("device", "name", "kind", "rating W", "flexibility", "zone", "channels"), rows)
    show_next(app, home)


def _zone_row(zone: Mapping[str, Any]) -> tuple[object, ...]:
    return (zone["id"], zone["name"], len(zone["devices"]), ", ".join(zone["channels"]) or "none")


def _device_row(device: Mapping[str, Any], zones: Mapping[str, str]) -> tuple[object, ...]:
    channels = ", ".join(each["id"] for each in device["channels"]) or "none"
    rating = "" if device["rating_w"] is None else f"{device['rating_w']:g}"
    zone = zones.get(device["zone"] or "", "")
    return (device["id"], device["name"], device["kind"], rating, device["flexibility"], zone, channels)


def _show_device(app: App, device: Device, *, as_json: bool) -> None:
    from watthour.workflows import view
    from watthour.workflows.homes import channels_of
    from watthour.workflows.sites import site_named

    entry = view.device_entry(device, channels_of(app.store, device), app.store.spans())
    if as_json:
        show_json(entry)
        return
    rows = [
        (field.replace("_w", " W"), "none" if entry[field] is None else entry[field])
        for field in ("name", "kind", "rating_w", "flexibility", "zone")
    ]
    channels: Sequence[Mapping[str, Any]] = entry["channels"]  # type: ignore[assignment]  # a list, by the view
    zone = site_named(app.store, device.site).place.time_zone
    rows += [(f"channel {c['id']}", f"{c['unit']}, {channel_step(c)}, {channel_span(c, zone)}") for c in channels]
    show_table(("", device.id), rows)


def _chosen(app: App, place: str) -> str:
    """Return the town that is meant; where several have the name and somebody is there, that one is asked."""
    from watthour.workflows.places import in_words, places_named

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return place
    found: Sequence[FoundPlace] = places_named(app.gazetteer, place)
    if len(found) < 2:  # noqa: PLR2004 - nothing to choose from
        return place
    for number, each in enumerate(found, start=1):
        typer.echo(f"{number:3} {in_words(each)}", err=True)
    chosen: int = typer.prompt("Which", type=int, default=1, err=True)
    if not 1 <= chosen <= len(found):
        raise InvalidInput("place", chosen, "there is no such number", remedy=f"Choose 1 to {len(found)}.")
    return found[chosen - 1].in_words


def _watts(text: str | None) -> float | None:
    """Read a rating.

    Raises:
        InvalidInput: it is not a number.
    """
    if (said := or_none(text)) is None:
        return None
    try:
        return float(said)
    except ValueError:
        raise InvalidInput("rating", text, "it is not a number", remedy="Give watts, such as 2100.") from None


def _asked(question: str) -> str:
    """Ask where the home is.

    Raises:
        InvalidInput: nobody is there to be asked.
    """
    if sys.stdin.isatty():
        return str(typer.prompt(question))
    remedy = "Give it with --place, such as --place Lyon, or give --time-zone, such as --time-zone Europe/Paris."
    raise InvalidInput("place", None, "it is not said where the home is", remedy=remedy)
