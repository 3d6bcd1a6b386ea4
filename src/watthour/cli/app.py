"""The table of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from watthour import __version__
from watthour.cli import (
    backfill,
    backtest,
    doctor,
    forecast,
    importing,
    ingest,
    init,
    models,
    regions,
    scores,
    train,
    up,
)


def _show_version(is_wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if is_wanted:
        typer.echo(f"watthour {__version__}")
        raise typer.Exit


def _start(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the full trace of an error; may stand anywhere.")
    ] = False,
) -> None:
    """Energy intelligence from the appliance to the grid."""


def _build() -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=True)
    commands.callback()(_start)
    commands.command("init")(init.init)
    commands.command("doctor")(doctor.doctor)
    commands.command("regions")(regions.regions)
    commands.command("import")(importing.import_files)
    commands.command("backfill")(backfill.backfill)
    commands.command("ingest")(ingest.ingest)
    commands.command("train")(train.train)
    commands.command("forecast")(forecast.forecast)
    commands.command("backtest")(backtest.backtest)
    commands.command("scores")(scores.scores)
    commands.add_typer(models.build(), name="models")
    commands.command("up")(up.up)
    return commands


app = _build()
