"""`watthour backfill`: years of history from the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import chosen_context, ended_by_sigterm, midnight, opened, parse_day
from watthour.cli.options import RegionName  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import bar, show_table, utc_now
from watthour.core.errors import InvalidInput, SourceError
from watthour.core.weather import FIRST_ISSUED, NONE_SO_EARLY, weather_points
from watthour.core.window import DAY, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.workflows.ingest import IngestReport


def backfill(
    region: RegionName = None,
    *,
    since: Annotated[
        str | None, typer.Option("--from", help="First day; default: two years ago, or the first of the site's files.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Last day; default: today, or the last of the site's files.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only this source; default: all that models learn from.")] = None,
) -> None:
    """Fetch past demand, weather and forecasts, each with the time at which it was published.

    Running it twice changes nothing; gaps are filled; a revised value is kept beside the old one.
    """
    from watthour.workflows import ingest
    from watthour.workflows.rounds import FIRST_PAST
    from watthour.workflows.weather_rounds import past_of

    now = utc_now()
    rows: list[tuple[str, str, str]] = []
    failures: list[SourceError] = []
    with ended_by_sigterm(), opened() as app:
        context = chosen_context(app, region)
        past = past_of(app.store, context, now, by_files=app.comes_by_files(context))
        end = midnight(parse_day("--to", until)) + DAY if until else past.end
        first = end - FIRST_PAST if until else past.start
        start = midnight(parse_day("--from", since)) if since else first
        if start >= end:
            raise InvalidInput("--from", since, "it is not before --to", remedy="Give an earlier day.")
        sources = app.past_sources(context, source)
        if not sources:
            problem = "no source has past data of this site"
            raise InvalidInput("region", context.site.id, problem, remedy="Import a file: `watthour import FILE`.")
        for each in sources:
            try:
                with bar(each.name, (end - start).total_seconds()) as advance:
                    report = ingest.backfill(each, app.store, Window(start, end), now=now, progress=_tell(advance))
            except SourceError as error:  # the other sources are asked all the same
                failures.append(error)
                rows.append((each.name, "failed", ""))
                continue
            rows.append((each.name, f"{report.new_rows:,}", f"{report.refused_rows:,}"))
    show_table(("source", "new rows", "refused rows"), rows)
    if end <= FIRST_ISSUED and weather_points(context.site):
        typer.echo(f"Weather: {NONE_SO_EARLY}; the forecasts of this site do without.", err=True)
    for failure in failures[:-1]:
        typer.echo(f"Error: {failure}", err=True)
    if failures:
        raise failures[-1]


def _tell(advance: Callable[[float, str], None]) -> Callable[[Window, IngestReport], None]:
    return lambda done, so_far: advance((done.end - done.start).total_seconds(), f"{so_far.new_rows:,} new rows")
