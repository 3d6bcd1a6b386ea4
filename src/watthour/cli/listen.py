"""`watthour listen`: what devices tell by themselves is heard, found, added and kept."""

from __future__ import annotations

import signal
from dataclasses import asdict
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Annotated, cast

import typer

from watthour.cli.context import opened, read_settings
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import bar, show_json, show_table, utc_now
from watthour.core.errors import InvalidInput, NotConfigured
from watthour.core.window import DAY, Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from types import FrameType

    from watthour.bootstrap import App
    from watthour.workflows.listening import Found, Listener, ThingWords
    from watthour.workflows.recall import Filled

_LOOK_S = 0.2


def listen(  # noqa: PLR0913 - each is an option of the command
    *,
    found: Annotated[bool, typer.Option("--found", help="List what is heard within a while, and leave.")] = False,
    seconds: Annotated[float, typer.Option("--for", min=0.1, help="The while, in seconds.")] = 15.0,
    add: Annotated[
        str | None, typer.Option(help="Key of a thing, as --found shows it, whose values shall be kept.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="The channel that it fills; or name a home for a new device.")] = None,
    home: Annotated[str | None, typer.Option(help="The home to which it is added as a new device.")] = None,
    main: Annotated[
        bool, typer.Option("--main", help="It measures the whole home: it fills the channel that is forecast.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of the new device; default: as it calls itself.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="What the new device is, such as washing_machine, heat_pump or solar.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="The room where the device stands, or of which a sensor tells.")
    ] = None,
    step: Annotated[str, typer.Option(help="Step of its readings, such as 15min or 1h.")] = "15min",
    remove: Annotated[str | None, typer.Option(help="Key of a thing whose values shall not be kept any more.")] = None,
    past: Annotated[
        int | None,
        typer.Option(
            min=1, help="Bring in the last so many days of what was added, from Home Assistant or InfluxDB, and leave."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hear what devices tell an MQTT broker or answer in the home's network; `watthour up` does the same by itself.

    Nothing is kept of a thing before it is added. Without an option it listens until it is ended.
    """
    from watthour.workflows.listening import ThingWords

    if remove is not None:
        with opened() as app:
            link = app.links.remove(remove)
        typer.echo(f"{remove} fills {link.channel} no longer; what the channel has stays.", err=True)
    elif add is not None:
        _add(ThingWords(add, to, home, name, kind, _step(step), zone, is_main=main), seconds)
    elif past is not None:
        _recall(past, as_json=as_json)
    elif found:
        with opened() as app:
            _show(_heard(app, seconds), as_json=as_json)
    else:
        _run()


def _recall(days: int, *, as_json: bool) -> None:
    """Bring in the past of everything that was added and that somebody has recorded."""
    from watthour.workflows.recall import asked_archives, fill_past

    now = utc_now()
    window = Window(now - days * DAY, now)
    rows: list[dict[str, object]] = []
    with opened() as app:
        links = app.links.all()
        for name, (archive, keys) in asked_archives(app.archives(), links).items():
            channels = {links[key].channel for key in keys}
            with bar(name, (window.end - window.start).total_seconds() * len(channels)) as advance:
                tell = _teller(advance)
                for each in fill_past(app.store, links, archive, keys, window, now=now, progress=tell):
                    findings = [finding.text for finding in each.findings]
                    rows.append({"source": name, **asdict(each), "findings": findings})
    if as_json:
        show_json({"channels": rows})
        return
    show_table(
        ("source", "channel", "new readings", "refused values"),
        [(str(row["source"]), str(row["channel"]), f"{row['new']:,}", f"{row['refused']:,}") for row in rows],
    )
    for row in rows:
        for finding in cast("list[str]", row["findings"]):
            typer.echo(f"{row['channel']}: {finding}", err=True)


def _teller(advance: Callable[[float, str], None]) -> Callable[[Window, Filled], None]:
    return lambda part, so_far: advance(
        (part.end - part.start).total_seconds(), f"{so_far.channel}: {so_far.new:,} new readings"
    )


def _run() -> None:
    """Listen until a signal ends it."""
    from watthour.bootstrap import open_app
    from watthour.cli.logs import configure_logging

    settings = read_settings()
    log = configure_logging(settings)
    ending = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    with open_app(settings) as app:
        _check_lines(app.listener)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        with app.listening() as hears:
            if not hears:
                remedy = "End it first; `watthour up` listens by itself, and one process per home directory is enough."
                raise InvalidInput("home", str(settings.home), "another process listens already", remedy=remedy)
            n_links = len(app.links.all())
            log.info("hearing", sources=[state.source for state in app.listener.states], things=n_links)
            while not ending.wait(_LOOK_S):
                pass
            log.info("stopping")
    log.info("stopped")


def _step(text: str) -> timedelta:
    from watthour.workflows.own_sites import channel_words

    return channel_words(f"power:kW:{text}").resolution


def _add(words: ThingWords, seconds: float) -> None:
    from watthour.workflows.listening import add_thing

    with opened() as app:
        heard = _heard(app, seconds, until=words.key)
        link = add_thing(app.store, app.links, heard, words)
    typer.echo(
        f"{words.key} fills {link.channel} from now on, while `watthour up` or `watthour listen` runs.", err=True
    )


def _heard(app: App, seconds: float, *, until: str | None = None) -> list[Found]:
    """Listen for a while, or until a thing was heard, and return what was found."""
    finder = app.finder()
    _check_lines(finder)
    typer.echo(f"Listening for {seconds:g} seconds ...", err=True)
    finder.start()
    ends_at = monotonic() + seconds
    try:
        while monotonic() < ends_at:
            Event().wait(_LOOK_S)
            if until is not None and any(each.thing.key == until and each.values for each in finder.found()):
                break
        states = finder.states
    finally:
        finder.stop()
    for state in states:
        if state.problem is not None:
            typer.echo(f"{state.source}: {state.problem}. {state.remedy}", err=True)
    return finder.found()


def _check_lines(listener: Listener) -> None:
    """Refuse to listen where nothing is set.

    Raises:
        NotConfigured: no broker and no device is named.
    """
    if not listener.states:
        remedy = (
            "`watthour source add` adds a broker or a device. Or set host under [sources.mqtt], hosts under "
            "[sources.homewizard] or [sources.shelly], or url under [sources.home_assistant] or [sources.influxdb], in "
            "watthour.toml."
        )
        raise NotConfigured("sources.mqtt.host", None, "nothing to listen to is set", remedy=remedy)


def _show(found: list[Found], *, as_json: bool) -> None:
    from watthour.workflows import view

    entries = view.found_things(found)
    if as_json:
        show_json({"things": entries})
        return
    if not entries:
        typer.echo("Nothing was heard. Devices that tell changes alone may need longer: --for 60.", err=True)
        return
    rows = [
        (each["key"], each["name"], ", ".join(value["text"] for value in each["values"]), each["channel"] or "none")
        for each in entries
    ]
    show_table(("thing", "name", "told last", "fills"), rows)
    typer.echo("Add one: `watthour listen --add THING --home HOME --name NAME`.", err=True)
