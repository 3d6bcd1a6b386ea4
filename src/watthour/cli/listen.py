"""`watthour listen`: what devices tell by themselves is heard, found, added and kept."""

from __future__ import annotations

import signal
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import opened, read_settings
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table
from watthour.core.errors import InvalidInput, NotConfigured

if TYPE_CHECKING:
    from datetime import timedelta
    from types import FrameType

    from watthour.bootstrap import App
    from watthour.workflows.listening import Found, Listener, ThingWords

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
    elif found:
        with opened() as app:
            _show(_heard(app, seconds), as_json=as_json)
    else:
        _run()


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
            "`watthour source add` adds a broker or a device. Or set host under [sources.mqtt], or hosts under "
            "[sources.homewizard] or [sources.shelly], in watthour.toml."
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
