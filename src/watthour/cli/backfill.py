"""`watthour backfill`: years of history from the sources."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from watthour.cli.context import chosen_region, midnight, opened, parse_day
from watthour.cli.output import bar, show_table, utc_now

YEARS = timedelta(days=2 * 366)


def backfill(
    region: Annotated[str | None, typer.Argument(help="Any name of the region; default: the one in the settings.")] = None,
    *,
    since: Annotated[str | None, typer.Option("--from", help="First day; default: two years ago.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last day; default: today.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source; default: all of the region.")] = None,
) -> None:
    """Fetch past demand, weather and forecasts, each known when its source's rule says.

    Asking twice changes nothing; a gap is refilled; a revision is kept beside the old value.
    """
    from watthour.bootstrap import sources_for  # noqa: PLC0415 - polars is slow to import
    from watthour.core.errors import InvalidInput  # noqa: PLC0415 - as below
    from watthour.core.window import DAY, Window  # noqa: PLC0415 - kept together with the imports above
    from watthour.workflows import ingest  # noqa: PLC0415 - as above

    now = utc_now()
    end = midnight(parse_day("--to", until)) + DAY if until else now
    start = midnight(parse_day("--from", since)) if since else end - YEARS
    if start >= end:
        raise InvalidInput("--from", since, "it is not before --to", remedy="Give an earlier day.")
    rows: list[tuple[str, str, str]] = []
    with opened() as app:
        place = chosen_region(app, region)
        sources = sources_for(place, app.settings)
        wanted = [each for each in sources if source is None or each.name.startswith(source)]
        if not wanted:
            names = ", ".join(each.name for each in sources)
            raise InvalidInput("--source", source, "the region has no such source", remedy=f"It has: {names}.")
        for each in wanted:
            with bar(each.name, (end - start).total_seconds()) as advance:
                report = ingest.backfill(
                    each,
                    app.store,
                    Window(start, end),
                    now=now,
                    progress=lambda done, sofar, advance=advance: advance(  # type: ignore[misc]  # a lambda's default has no type
                        (done.end - done.start).total_seconds(), f"{sofar.new_rows:,} new rows"
                    ),
                )
            rows.append((each.name, f"{report.new_rows:,}", f"{report.refused_rows:,}"))
    show_table(("source", "new rows", "refused rows"), rows)
