"""`watthour issues` and `watthour export`: what was forecast on past days, as a list and as CSV."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import chosen_context, opened, parse_day
from watthour.cli.options import AsJson, RegionName  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table, utc_now

if TYPE_CHECKING:
    from datetime import date, datetime

    from watthour.core.forecast import Context

WEEK = 7  # days that are meant if none are named

FirstDay = Annotated[str | None, typer.Option("--from", help="First local day; default: a week before the last.")]
LastDay = Annotated[str | None, typer.Option("--to", help="Last local day, included; default: today.")]


def issues(region: RegionName = None, *, start: FirstDay = None, end: LastDay = None, as_json: AsJson = False) -> None:
    """List the forecasts that were issued on some days, newest first: when, by which model, and what they cover."""
    from watthour.workflows.view import issue_list

    now = utc_now()
    with opened() as app:
        context = chosen_context(app, region)
        found: list[dict[str, Any]] = issue_list(app.store, context, _days(context, start, end, now), now=now)
    if as_json:
        show_json(found)
        return
    show_table(
        ("issued at", "model", "from", "to", "intervals", "made"),
        [
            (
                issue["issued_at"],
                issue["model_version"],
                issue["window"]["start"],
                issue["window"]["end"],
                issue["intervals"],
                "afterwards" if issue["reconstructed"] else "live",
            )
            for issue in found
        ],
    )
    if not found:
        typer.echo("No forecast was issued on these days.", err=True)


def export(region: RegionName = None, *, start: FirstDay = None, end: LastDay = None) -> None:
    """Print the day-ahead forecasts kept of some days, and what was measured, as CSV."""
    from datetime import time

    from watthour.workflows.view import day_columns, day_rows, kept_day

    now = utc_now()
    missing: list[str] = []
    with opened() as app:
        context = chosen_context(app, region)
        days = _days(context, start, end, now)
        lines = csv.writer(sys.stdout, lineterminator="\n")
        lines.writerow(day_columns(context))
        for day in days:
            content = kept_day(app.store, context, day, now=now, issue_clock=time(app.settings.issue_hour))
            if content is None:
                missing.append(day.isoformat())
                continue
            lines.writerows(day_rows(content, context))
    if missing:
        typer.echo(f"No forecast was kept of {len(missing)} days, the first of them {missing[0]}.", err=True)


def _days(context: Context, start: str | None, end: str | None, now: datetime) -> list[date]:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from watthour.workflows.view import days_between

    last = parse_day("--to", end) if end else now.astimezone(ZoneInfo(context.time_zone)).date()
    first = parse_day("--from", start) if start else last - timedelta(days=WEEK - 1)
    return days_between(first, last)
