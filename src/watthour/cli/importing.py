"""`watthour import`: files and directories into the store."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import bar, show_json, show_table, utc_now
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from watthour.bootstrap import App, TableOptions
    from watthour.core.ports import Source
    from watthour.core.window import Window

ASKED = {
    "unit": "Unit of the values, such as MW",
    "time_zone": "Time zone of the times, such as America/New_York",
    "time_column": "Column with the times",
    "value_column": "Column with the values",
}


def import_files(  # noqa: PLR0913 - each is an option of the command
    paths: Annotated[list[Path], typer.Argument(help="Files, or directories of them.")],
    *,
    region: Annotated[str | None, typer.Option(help="Whose they are, where a file does not say; any name.")] = None,
    channel: Annotated[str | None, typer.Option(help="Any table: the channel to fill, such as grid.ny.demand.")] = None,
    unit: Annotated[str | None, typer.Option(help="Any table: the unit of its values, such as MW.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Any table: zone of times without offset.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Any table: the column with the times.")] = None,
    value_column: Annotated[str | None, typer.Option(help="Any table: the column with the values.")] = None,
    named_by: Annotated[
        str, typer.Option(help="Any table: the times name the `start` or `end` of intervals.")
    ] = "start",
    as_json: AsJson = False,
) -> None:
    """Bring files in: EIA's six-month balance files, known research tables, or any CSV or Parquet with --channel.

    Importing a file twice changes nothing. Rows that cannot be are kept aside with the rule they broke.
    """
    from watthour.bootstrap import TableOptions
    from watthour.workflows.ingest import backfill

    options = TableOptions(channel, unit, time_zone, time_column, value_column, named_by)
    now = utc_now()
    reports: list[dict[str, object]] = []
    with opened() as app:
        found = [(path, source, window) for path in paths for source, window in _recognised(app, path, region, options)]
        for path in paths:
            if names := app.unknown_files(path, region):
                typer.echo(f"Left aside, for no known layout: {', '.join(names)}.", err=True)
        known = {site.id for site in app.store.sites()}
        for site in {site.id: site for _path, source, _window in found for site in source.sites()}.values():
            if site.id not in known and all(each.find(site.id) is None for each in app.directories):
                typer.echo(f"New {site.kind}: {site.id}, on the clock of {site.place.time_zone}.", err=True)
        total = sum((window.end - window.start).total_seconds() for _path, _source, window in found)
        with bar("import", total) as advance:
            for path, source, window in found:
                report = backfill(
                    source,
                    app.store,
                    window,
                    now=now,
                    chunk=window.end - window.start,
                )
                advance((window.end - window.start).total_seconds(), source.name)
                reports.append(
                    {
                        "file": str(path),
                        "source": source.name,
                        "new_rows": report.new_rows,
                        "refused_rows": report.refused_rows,
                    }
                )
    if as_json:
        show_json(reports)
        return
    show_table(
        ("source", "new rows", "refused rows"),
        [(r["source"], f"{r['new_rows']:,}", f"{r['refused_rows']:,}") for r in reports],
    )
    if any(report["refused_rows"] for report in reports):
        typer.echo("Refused rows are kept with the rule they broke: `watthour doctor` shows the newest.", err=True)


def _recognised(app: App, path: Path, region: str | None, options: TableOptions) -> list[tuple[Source, Window]]:
    """Return what a file holds; on a terminal, what it cannot say itself is asked."""
    while True:
        try:
            return app.file_sources(path, region, options)
        except InvalidInput as error:
            if error.field not in ASKED or options.channel is None or not _can_ask():
                raise
            typer.echo(str(error), err=True)
            options = replace(options, **{error.field: typer.prompt(ASKED[error.field])})


def _can_ask() -> bool:
    return sys.stdin.isatty()
