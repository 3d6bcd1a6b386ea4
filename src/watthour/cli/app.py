"""The table of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watthour import __version__
from watthour.cli import (
    backfill,
    backtest,
    carbon,
    compare,
    days,
    doctor,
    forecast,
    home,
    importing,
    ingest,
    init,
    listen,
    models,
    nilm,
    plan,
    regions,
    scores,
    sites,
    source,
    tariff,
    train,
    up,
)

if TYPE_CHECKING:
    from collections.abc import Callable


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
        bool, typer.Option("--debug", help="Show the full trace of an error; works anywhere on the line.")
    ] = False,
) -> None:
    """Energy intelligence from the appliance to the grid."""


def _build() -> typer.Typer:
    commands = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=True
    )
    commands.callback()(_start)
    table: tuple[tuple[str, Callable[..., None], str], ...] = (
        ("init", init.init, "Ask what you have and write the settings."),
        ("doctor", doctor.doctor, "What works, what is stale, what is missing."),
        ("regions", regions.regions, "List the regions by all their names."),
        ("import", importing.import_files, "Import EIA's files, or any table."),
        ("backfill", backfill.backfill, "Fetch past demand, weather and forecasts."),
        ("ingest", ingest.ingest, "Fetch what is new."),
        ("train", train.train, "Train a model; it serves only if it is better."),
        ("forecast", forecast.forecast, "Tomorrow, or any day, hour by hour."),
        ("backtest", backtest.backtest, "How models would have done, day by day."),
        ("compare", compare.compare, "Every kind of model on a channel's own past."),
        ("scores", scores.scores, "How good the forecasts were, by lead time."),
        ("plan", plan.plan, "When to run what: appliances, battery, car, heat."),
        ("issues", days.issues, "Which forecasts were issued, and when."),
        ("export", days.export, "Kept forecasts and measurements as CSV."),
        ("listen", listen.listen, "Hear what devices tell by MQTT or in the home's network."),
        ("up", up.up, "Start everything: pages, API and schedule."),
    )
    for name, command, summary in table:
        commands.command(name, short_help=summary)(command)
    commands.add_typer(home.build(), name="home")
    commands.add_typer(sites.build(), name="site")
    commands.add_typer(source.build(), name="source")
    commands.add_typer(carbon.build(), name="carbon")
    commands.add_typer(tariff.build(), name="tariff")
    commands.add_typer(models.build(), name="models")
    commands.add_typer(nilm.build(), name="nilm")
    return commands


app = _build()
