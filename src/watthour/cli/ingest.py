"""`watthour ingest`: what is new since last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from watthour.cli.context import chosen_contexts, ended_by_sigterm, opened
from watthour.cli.options import RegionNames  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_table, utc_now
from watthour.core.errors import NotConfigured, WatthourError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.bootstrap import App
    from watthour.core.forecast import Context


def ingest(
    regions: RegionNames = None,
) -> None:
    """Fetch what is new, and what was still missing in the last days."""
    from watthour.workflows.asking import poll

    now = utc_now()
    rows: list[tuple[str, str, str, str]] = []
    failures: list[WatthourError] = []
    with ended_by_sigterm(), opened() as app:
        for context in _asked(app, regions or []):
            try:
                sources = app.sources_for(context)
            except NotConfigured as error:  # the other sites are asked all the same
                failures.append(error)
                rows.append((context.site.id, "", "not set up", ""))
                continue
            for name, lacking in app.waited_for(context).items():
                failures.append(lacking)
                rows.append((context.site.id, f"{name}:{context.site.id}", "not set up", ""))
            for polled in poll(sources, app.store, now=now):
                if polled.error is not None:
                    failures.append(polled.error)
                    rows.append((context.site.id, polled.source, "failed", ""))
                elif polled.report is not None:
                    counts = (f"{polled.report.new_rows:,}", f"{polled.report.refused_rows:,}")
                    rows.append((context.site.id, polled.source, *counts))
    show_table(("region", "source", "new rows", "refused rows"), rows)
    said = list({str(failure): failure for failure in failures}.values())  # one key may be missing of several sources
    for failure in said[:-1]:
        typer.echo(f"Error: {failure}", err=True)
    if said:
        raise said[-1]


def _asked(app: App, names: Sequence[str]) -> list[Context]:
    """Return the sites that are named; without names those that can be asked, or that the settings name."""
    found = chosen_contexts(app, names)
    if names:
        return found
    wanted = {context.site.id for name in app.settings.regions if (context := app.find(name)) is not None}
    asked = [
        context
        for context in found
        if app.can_follow(context)
        or context.site.id in wanted
        or (app.comes_by_files(context) and app.sources_for(context))
    ]
    left = [context.site.id for context in found if context not in asked]
    if left:
        typer.echo(f"Not asked, as none of their sources is set up: {', '.join(left)}.", err=True)
    return asked
