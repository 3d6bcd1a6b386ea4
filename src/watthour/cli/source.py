"""`watthour source`: what is connected, and adding, trying and removing it without a restart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table, utc_now
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.workflows.trying import Tried

NOT_WORKING = 1  # exit code of a test that failed

Kind = Annotated[str, typer.Argument(help="mqtt, homewizard, shelly, ...; `watthour source kinds` lists them.")]
Said = Annotated[
    list[str] | None, typer.Option("--set", help="An option, such as host=192.168.1.10; once for each. No secrets.")
]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret-file", help="A secret option and the file that holds it, such as password=broker.txt."),
]
Seconds = Annotated[float, typer.Option("--for", min=1.0, help="How long to listen at most, in seconds.")]


def build() -> typer.Typer:
    """Return the group of commands."""
    commands = typer.Typer(no_args_is_help=True, help="What is connected: list, test, add and remove sources.")
    commands.command("list", help="List what is set up, and what it fills.")(list_sources)
    commands.command("kinds", help="List what can be added, with its options.")(kinds)
    commands.command("test", help="Connect for a few seconds and say what was seen; nothing is kept.")(try_out)
    commands.command("add", help="Test a source and keep it; a running `watthour up` takes it up by itself.")(add)
    commands.command("remove", help="Remove a source that was added; what it brought stays.")(remove)
    return commands


def list_sources(*, as_json: AsJson = False) -> None:
    """List what is set up, and what it fills; whether it is connected is known to the process that listens."""
    from watthour.workflows import view
    from watthour.workflows.sites import contexts

    with opened() as app:
        shown = contexts(app.store, app.directories, app.settings.regions)
        found = view.source_list(app.store, app.listener, app.set_sources(), app.lines, shown, now=utc_now())
    if as_json:
        show_json({"sources": found})
        return
    if not found:
        typer.echo("Nothing is connected yet. `watthour source kinds` lists what can be added.", err=True)
        return
    rows = [
        (
            each["name"],
            each["label"],
            each["address"] or "",
            each["problem"] or each["words"],
            (each["last_heard_at"] or each["last_run_at"] or "never")[:16].replace("T", " "),
            ", ".join(feed["channel"] or feed["site"] for feed in each["feeds"]) or "nothing",
        )
        for each in found
    ]
    show_table(("source", "is", "at", "state", "last, UTC", "fills"), rows)


def kinds(*, as_json: AsJson = False) -> None:
    """List what can be added, with its options."""
    from watthour.bootstrap import kinds_of_sources

    found = kinds_of_sources()
    if as_json:
        show_json({"kinds": found})
        return
    rows = [
        (
            each["kind"],
            each["title"],
            ", ".join(f"{field['name']}{'' if field['required'] else ' (optional)'}" for field in each["fields"]),
        )
        for each in found
    ]
    show_table(("kind", "is", "options"), rows)


def try_out(
    kind: Kind, *, said: Said = None, secrets: Secrets = None, seconds: Seconds = 6.0, as_json: AsJson = False
) -> None:
    """Connect for a few seconds and say what was seen; nothing is kept."""
    from watthour.workflows import view

    tried = _try(kind, _options(kind, said, secrets), seconds)
    if as_json:
        things = view.found_things(tried.found)
        show_json(
            {"works": tried.works, "words": tried.words, "remedy": tried.remedy, "field": tried.field, "things": things}
        )
    else:
        _tell(tried)
    if not tried.works:
        sys.exit(NOT_WORKING)


def add(
    kind: Kind,
    *,
    said: Said = None,
    secrets: Secrets = None,
    seconds: Seconds = 6.0,
    untested: Annotated[bool, typer.Option("--untested", help="Keep it without a test.")] = False,
) -> None:
    """Test a source and keep it; a running `watthour up` takes it up by itself."""
    options = _options(kind, said, secrets)
    if not untested:
        tried = _try(kind, options, seconds)
        _tell(tried)
        if not tried.works:
            typer.echo("It was not added; --untested adds it all the same.", err=True)
            sys.exit(NOT_WORKING)
    with opened() as app:
        app.add_source(kind, options)
    typer.echo(f"Added {kind}. `watthour up` takes it up within seconds; `watthour source list` shows it.", err=True)


def remove(
    kind: Kind, *, host: Annotated[str | None, typer.Option(help="One of its devices alone, by address.")] = None
) -> None:
    """Remove a source that was added; what it brought stays."""
    with opened() as app:
        app.own_sources.remove(kind, host)
    typer.echo(f"Removed {kind}{f' {host}' if host else ''}; what it brought stays.", err=True)


def _try(kind: str, options: dict[str, object], seconds: float) -> Tried:
    with opened() as app:
        return app.try_source(kind, options, seconds=seconds, now=utc_now())


def _tell(tried: Tried) -> None:
    typer.echo(" ".join(filter(None, (tried.words, tried.remedy))), err=not tried.works)


def _options(kind: str, said: Sequence[str] | None, secrets: Sequence[str] | None) -> dict[str, object]:
    """Return what is said of a source, with the secrets read from their files.

    Raises:
        InvalidInput: a word is no option with its value, or a file cannot be read.
    """
    from watthour.bootstrap import kinds_of_sources

    kinds: list[dict[str, Any]] = list(kinds_of_sources())
    hidden = {
        field["name"] for each in kinds if each["kind"] == kind for field in each["fields"] if field["type"] == "secret"
    }
    found: dict[str, object] = {}
    for word in said or ():
        name, equals, value = word.partition("=")
        if not equals:
            raise InvalidInput("--set", word, "it is no option with its value", remedy="Write --set host=192.168.1.10.")
        if name in hidden:
            problem = "a secret on the command line can be read by everybody on this machine"
            raise InvalidInput("--set", f"{name}=(hidden)", problem, remedy=f"Write --secret-file {name}=FILE.")
        found[name] = value
    for word in secrets or ():
        name, _equals, path = word.partition("=")
        try:
            found[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problem = f"the file cannot be read ({type(error).__name__})"
            raise InvalidInput("--secret-file", word, problem, remedy="Write --secret-file password=FILE.") from error
    return found
