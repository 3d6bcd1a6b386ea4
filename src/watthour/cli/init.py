"""`watthour init`: ask what there is and write the settings file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, cast

import typer

from watthour.cli.output import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.core.errors import WatthourError
    from watthour.core.forecast import Context
    from watthour.workflows.trying import Asked

_AFTER_THE_OPERATOR = 11  # local clock, in all zones of Europe
_ANY_OF = {"eia": "ny", "entsoe": "fr"}  # asked to check a key that is given for another region than the one followed


@dataclass(frozen=True, slots=True)
class _Key:
    """What the provider of a region's load wants to be given, in words."""

    card: str  # of the catalogue
    name: str
    article: str
    shortest: int  # [characters]
    usual: int  # [characters]
    without: str  # what can be done without one


_KEYS = (
    _Key("eia", "EIA key", "an", 16, 40, "without one, you can import files"),
    _Key("entsoe", "ENTSO-E token", "an", 16, 36, "without one, nothing of this zone comes but its weather"),
)


def init(
    *,
    region: Annotated[
        str | None, typer.Option(help="The region to follow; any of its names, or a country of Europe.")
    ] = None,
    eia_key_file: Annotated[
        Path | None, typer.Option(help="A file with your EIA key; the key itself is never given on the command line.")
    ] = None,
    entsoe_token_file: Annotated[
        Path | None, typer.Option(help="A file with your ENTSO-E token, for a zone of Europe.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the web pages.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; use the given options and the defaults.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing settings file.")] = False,
) -> None:
    """Ask what you have and write the settings file."""
    from watthour.core.errors import InvalidInput
    from watthour.settings import FILE_NAME, home_directory

    home = home_directory()
    path = home / FILE_NAME
    if path.exists() and not force:
        problem = "there is a settings file already"
        raise InvalidInput("settings file", str(path), problem, remedy="Edit it, or replace it with --force.")
    context = _context(region or "ny") if region or yes else _asked_context()
    site, given = context.site, {"eia": eia_key_file, "entsoe": entsoe_token_file}
    lines, keyed, is_european = [], "", _brings_its_load(_KEYS[1], context)
    for kind in _KEYS:
        file = given[kind.card]
        is_needed = _brings_its_load(kind, context)
        key = file.read_text(encoding="utf-8").strip() if file else ""
        if key and (refusal := _refusal(key, kind, context)) is not None:
            raise refusal
        if is_needed and not key and not yes:
            key = _asked_key(kind, context)
        lines += [f'{kind.card}_api_key = "{key}"'] if key else [f"# {kind.card}_api_key = "] * is_needed
        if key or is_needed:
            keyed = f", {'with' if key else 'without'} {kind.article} {kind.name}"
    head = [
        "# Settings of Watthour; docs/reference/settings.md explains all of them. The environment overrides this file.",
        f'regions = ["{site.id}"]',
        *([f"port = {port}"] if port is not None else []),
        *([f"issue_hour = {_AFTER_THE_OPERATOR}  # the operator's forecast is due at 10:00"] * is_european),
    ]
    home.mkdir(parents=True, exist_ok=True)
    _write_private(path, "\n".join([*head, *lines]) + "\n")
    typer.echo(f"Wrote {path}: region {site.id} ({site.name}){keyed}.")
    typer.echo(f"Next: {_next(context, is_keyed='without' not in keyed, path=path)}, then `watthour up`.")


def _next(context: Context, *, is_keyed: bool, path: Path) -> str:
    """Return what comes after the settings are written."""
    if is_keyed:
        return "`watthour backfill`"
    if context.site.code("eia") is not None:
        return f"`watthour import EIA930_BALANCE_*.csv --region {context.site.id}`"
    return f"get a token ({_registration(_KEYS[1])}) and write it into {path} as entsoe_api_key; `watthour backfill`"


def _brings_its_load(kind: _Key, context: Context) -> bool:
    from watthour.sources.catalogue import CATALOGUE

    return CATALOGUE[kind.card].serves(context)


def _asked_context() -> Context:
    """Ask which region, until it is one."""
    from watthour.core.errors import InvalidInput

    while True:
        question = "Which region of the USA, or country of Europe? (`watthour regions` lists all)"
        try:
            return _context(typer.prompt(question, default="ny"))
        except InvalidInput as error:
            typer.echo(f"{error}", err=True)


def _asked_key(kind: _Key, context: Context) -> str:
    """Ask for a key, until it is one or there is none."""
    typer.echo(f"A free {kind.name} gives live data ({_registration(kind)}); {kind.without}.")
    while True:
        question = f"{kind.name} (not shown; leave empty for none)"
        key = str(typer.prompt(question, default="", hide_input=True, show_default=False)).strip()
        if not key or (refusal := _refusal(key, kind, context)) is None:
            return key
        typer.echo(f"{refusal}", err=True)


def _registration(kind: _Key) -> str:
    from watthour.sources.catalogue import CATALOGUE

    return CATALOGUE[kind.card].asks[0].hint


def _refusal(key: str, kind: _Key, context: Context) -> WatthourError | None:
    """Return why a key cannot be used; None if the provider takes it, or cannot be asked at the moment."""
    from importlib import import_module

    from pydantic import SecretStr

    from watthour.core.errors import InvalidInput, NotConfigured, SourceError, SourceRejected
    from watthour.sources.catalogue import CATALOGUE, connector, options_class
    from watthour.sources.http import RetryPolicy

    field = kind.name
    if len(key) < kind.shortest:
        problem = f"it has {len(key)} characters, but {kind.article} {kind.name} has {kind.usual}"
        return InvalidInput(field, "(hidden)", problem, remedy=f"Copy it whole. {_registration(kind)}.")
    card = CATALOGUE[kind.card]
    url = os.environ.get(f"WATTHOUR_{card.block.upper()}_URL")
    try:
        options = options_class(card).model_validate({"api_key": SecretStr(key), **({"url": url} if url else {})})
        client = import_module(card.module).open_client(options, retry=RetryPolicy(attempts=1))
        asked = context if card.serves(context) else _context(_ANY_OF[kind.card])
        cast("Callable[..., Asked]", connector(kind.card))(asked, client).probe(now=utc_now())
    except NotConfigured as error:
        return InvalidInput(field, "(hidden)", error.problem.partition(": ")[2], remedy=error.remedy)
    except SourceRejected as error:
        return InvalidInput(field, "(hidden)", error.problem, remedy=error.remedy)
    except SourceError as error:  # no refusal: the key is kept, and the first round tells
        typer.echo(f"The {kind.name} could not be checked now: {error.problem}.", err=True)
    return None


def _context(name: str) -> Context:
    """Return the region of this name.

    Raises:
        UnknownSite: no directory knows it.
    """
    from watthour.bootstrap import site_directories
    from watthour.store.memory import MemoryStore
    from watthour.workflows.sites import find_context

    return find_context(MemoryStore(), site_directories(), name)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    building = path.with_suffix(".new")
    building.unlink(missing_ok=True)
    with os.fdopen(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    building.replace(path)
