"""`watthour ingest`: what is new since last time."""

from __future__ import annotations

import typer

from watthour.cli.context import chosen_regions, opened
from watthour.cli.options import RegionNames  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_table, utc_now


def ingest(
    regions: RegionNames = None,
) -> None:
    """Fetch what is new, and what the last days still lacked."""
    from watthour.bootstrap import sources_for  # noqa: PLC0415 - polars is slow to import
    from watthour.workflows.rounds import poll  # noqa: PLC0415 - as above

    now = utc_now()
    rows: list[tuple[str, str, str, str]] = []
    failures = []
    with opened() as app:
        for place in chosen_regions(app, regions or []):
            for polled in poll(sources_for(place, app.settings), app.store, now=now):
                if polled.error is not None:
                    failures.append(polled.error)
                    rows.append((place.id, polled.source, "failed", ""))
                elif polled.report is not None:
                    counts = (f"{polled.report.new_rows:,}", f"{polled.report.refused_rows:,}")
                    rows.append((place.id, polled.source, *counts))
    show_table(("region", "source", "new rows", "refused rows"), rows)
    for failure in failures[:-1]:
        typer.echo(f"Error: {failure}", err=True)
    if failures:
        raise failures[-1]
