"""`watthour init`: ask what there is and write the settings file."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.output import utc_now

if TYPE_CHECKING:
    from watthour.core.channel import Site
    from watthour.core.errors import WatthourError
    from watthour.core.forecast import Context

SHORTEST_KEY = 16  # [characters] keys of EIA have 40


def init(
    *,
    region: Annotated[str | None, typer.Option(help="The region to follow; any of its names.")] = None,
    eia_key_file: Annotated[
        Path | None, typer.Option(help="A file with your EIA key; the key itself is never given on the command line.")
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
    site = _site(region or "ny") if region or yes else _asked_site()
    key = eia_key_file.read_text(encoding="utf-8").strip() if eia_key_file else ""
    needs_key = site.code("eia") is not None
    if key and (refusal := _refusal(key, site)) is not None:
        raise refusal
    if needs_key and not key and not yes:
        key = _asked_key(site)
    lines = [
        "# Settings of Watthour; docs/reference/settings.md explains all of them. The environment overrides this file.",
        f'regions = ["{site.id}"]',
        *([f"port = {port}"] if port is not None else []),
        *([f'eia_api_key = "{key}"'] if key else ["# eia_api_key = "] * needs_key),
    ]
    home.mkdir(parents=True, exist_ok=True)
    _write_private(path, "\n".join(lines) + "\n")
    typer.echo(f"Wrote {path}: region {site.id} ({site.name}), {'with' if key else 'without'} an EIA key.")
    following = (
        "watthour backfill" if key or not needs_key else f"watthour import EIA930_BALANCE_*.csv --region {site.id}"
    )
    typer.echo(f"Next: `{following}`, then `watthour up`.")


def _asked_site() -> Site:
    """Ask which region, until it is one."""
    from watthour.core.errors import InvalidInput

    while True:
        try:
            return _site(typer.prompt("Which region? (`watthour regions` lists all)", default="ny"))
        except InvalidInput as error:
            typer.echo(f"{error}", err=True)


def _asked_key(site: Site) -> str:
    """Ask for a key of EIA, until it is one or there is none."""
    from watthour.sources.eia import REGISTRATION

    typer.echo(f"A free EIA key gives live data ({REGISTRATION}); without one, you can import files.")
    while True:
        question = "EIA key (not shown; leave empty for none)"
        key = str(typer.prompt(question, default="", hide_input=True, show_default=False)).strip()
        if not key or (refusal := _refusal(key, site)) is None:
            return key
        typer.echo(f"{refusal}", err=True)


def _refusal(key: str, site: Site) -> WatthourError | None:
    """Return why a key cannot be used; None if EIA takes it, or cannot be asked at the moment."""
    from pydantic import SecretStr

    from watthour.core.errors import InvalidInput, NotConfigured, SourceError, SourceRejected
    from watthour.sources import eia
    from watthour.sources.http import RetryPolicy

    if len(key) < SHORTEST_KEY:
        problem = f"it has {len(key)} characters, but an EIA key has 40"
        return InvalidInput(
            "key of EIA", "(hidden)", problem, remedy=f"Copy the whole key, or register at {eia.REGISTRATION}."
        )
    try:
        options = eia.EiaOptions(api_key=SecretStr(key), url=os.environ.get("WATTHOUR_EIA_URL") or eia.BASE_URL)
        client = eia.open_client(options, retry=RetryPolicy(attempts=1))
        eia.Eia(_context(site.id), client).probe(now=utc_now())
    except NotConfigured as error:
        return InvalidInput("key of EIA", "(hidden)", error.problem.partition(": ")[2], remedy=error.remedy)
    except SourceRejected as error:
        return InvalidInput("key of EIA", "(hidden)", error.problem, remedy=error.remedy)
    except SourceError as error:  # no refusal: the key is kept, and the first round tells
        typer.echo(f"The key could not be checked now: {error.problem}.", err=True)
    return None


def _site(name: str) -> Site:
    """Return the site of this name.

    Raises:
        UnknownSite: no directory knows it.
    """
    return _context(name).site


def _context(name: str) -> Context:
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
