"""`watthour ingest`: what is new since last time."""

from __future__ import annotations

import typer

from watthour.cli.context import chosen_contexts, opened
from watthour.cli.options import RegionNames  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_table, utc_now
from watthour.core.errors import NotConfigured, WatthourError


def ingest(
    regions: RegionNames = None,
) -> None:
    """Fetch what is new, and what the last days still lacked."""
    from watthour.workflows.rounds import poll

    now = utc_now()
    rows: list[tuple[str, str, str, str]] = []
    failures: list[WatthourError] = []
    with opened() as app:
        for context in chosen_contexts(app, regions or []):
            try:
                sources = app.sources_for(context)
            except NotConfigured as error:  # the other sites are asked all the same
                failures.append(error)
                rows.append((context.site.id, "", "not set up", ""))
                continue
            for polled in poll(sources, app.store, now=now):
                if polled.error is not None:
                    failures.append(polled.error)
                    rows.append((context.site.id, polled.source, "failed", ""))
                elif polled.report is not None:
                    counts = (f"{polled.report.new_rows:,}", f"{polled.report.refused_rows:,}")
                    rows.append((context.site.id, polled.source, *counts))
    show_table(("region", "source", "new rows", "refused rows"), rows)
    for failure in failures[:-1]:
        typer.echo(f"Error: {failure}", err=True)
    if failures:
        raise failures[-1]
