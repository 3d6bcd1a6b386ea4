"""`watthour init`: ask what there is and write the settings file."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from watthour.core.channel import Site


def init(
    *,
    region: Annotated[str | None, typer.Option(help="The region to follow; any of its names.")] = None,
    eia_key_file: Annotated[
        Path | None, typer.Option(help="A file holding the key of EIA; a key never stands on the command line.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the pages.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take what is said and the defaults.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing settings file.")] = False,
) -> None:
    """Ask what you have and write the settings file."""
    from watthour.core.errors import InvalidInput
    from watthour.settings import FILE_NAME, home_directory
    from watthour.sources.eia import REGISTRATION
    from watthour.sources.options import is_placeholder

    home = home_directory()
    path = home / FILE_NAME
    if path.exists() and not force:
        problem = "there is a settings file already"
        raise InvalidInput("settings file", str(path), problem, remedy="Edit it, or replace it with --force.")
    name = region or ("ny" if yes else typer.prompt("Which region? (`watthour regions` lists all)", default="ny"))
    site = _site(name)
    key = eia_key_file.read_text(encoding="utf-8").strip() if eia_key_file else ""
    needs_key = site.code("eia") is not None
    if needs_key and not key and not yes:
        typer.echo(f"Live data comes with a free key of EIA ({REGISTRATION}); without one, files can be imported.")
        key = typer.prompt("Key of EIA (not shown; empty: none)", default="", hide_input=True, show_default=False)
    if key and is_placeholder(key):
        raise InvalidInput("key of EIA", "(hidden)", "this is a placeholder", remedy=f"Register at {REGISTRATION}.")
    lines = [
        "# Settings of Watthour; docs/reference/settings.md explains all of them. The environment overrides this file.",
        f'regions = ["{site.id}"]',
        *([f"port = {port}"] if port is not None else []),
        *([f'eia_api_key = "{key}"'] if key else ["# eia_api_key = "] * needs_key),
    ]
    home.mkdir(parents=True, exist_ok=True)
    _write_private(path, "\n".join(lines) + "\n")
    typer.echo(f"Wrote {path}: region {site.id} ({site.name}), {'with' if key else 'without'} a key of EIA.")
    following = (
        "watthour backfill" if key or not needs_key else f"watthour import EIA930_BALANCE_*.csv --region {site.id}"
    )
    typer.echo(f"Next: `{following}`, then `watthour up`.")


def _site(name: str) -> Site:
    """Return the site of this name.

    Raises:
        UnknownSite: no directory knows it.
    """
    from watthour.bootstrap import site_directories
    from watthour.store.memory import MemoryStore
    from watthour.workflows.sites import find_context

    return find_context(MemoryStore(), site_directories(), name).site


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    building = path.with_suffix(".new")
    building.unlink(missing_ok=True)
    with os.fdopen(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    building.replace(path)
