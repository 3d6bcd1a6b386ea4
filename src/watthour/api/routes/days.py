"""Many days at once: kept forecasts as JSON or CSV, and the list of all that were issued."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from watthour.api.contract import problems
from watthour.api.routes.grid import RegionName
from watthour.api.schemas.days import DaysQuestion, ForecastDay, ForecastDays, ForecastIssues, IssuesQuestion
from watthour.api.state import ApiState, State, context_of
from watthour.api.times import day as checked_day
from watthour.core.forecast import Context
from watthour.core.window import DAY
from watthour.workflows import view

router = APIRouter(prefix="/api/v1/grid", tags=["grid"])

WEEK = 7  # days that are answered if none are named


@router.get(
    "/{region}/forecasts",
    summary="Stored forecasts and measured values of many days",
    response_model=ForecastDays,
    responses={
        **problems(404, 409),
        200: {
            "description": "The days in order, as JSON or CSV, sent day by day.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "time,local_time,issued_at,model_version,reconstructed,value,lower,upper,operator,"
                    "seasonal_naive,actual,actual_quality\n"
                    "2026-11-20T05:00:00Z,2026-11-20T00:00-05:00,2026-11-19T13:00:00Z,day_process-20261119T060000-ab12cd,"
                    "false,15240.0,14810.0,15720.0,15310.0,14980.0,15102.0,assumed\n",
                }
            },
        },
    },
)
async def grid_forecasts(state: ApiState, region: RegionName, asked: Annotated[DaysQuestion, Query()]) -> Response:
    """Answer with the day-ahead forecast that was kept of each day; a day without one is named in `missing_days`."""
    context = await context_of(state, region)
    days = _days(context, asked.start, asked.end, state.now())

    def look(day: date) -> dict[str, object] | None:
        clock = time(state.app.settings.issue_hour)
        return view.kept_day(state.app.store, context, day, now=state.now(), issue_clock=clock)

    first = await state.compute.run(lambda: look(days[0]))  # what is wrong is said before anything is sent

    async def contents() -> AsyncIterator[tuple[date, dict[str, object] | None]]:
        yield days[0], first
        for day in days[1:]:
            yield day, await _look(state, look, day)

    if asked.format == "json":
        return StreamingResponse(_json(context, contents()), media_type="application/json")
    name = f"{context.channel.id}-{days[0]}-{days[-1]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_csv(context, contents()), media_type="text/csv", headers=headers)


@router.get(
    "/{region}/forecast/issues",
    summary="List of issued forecasts: when, by which model, for which time",
    responses=problems(404, 409),
)
async def grid_forecast_issues(
    state: ApiState, region: RegionName, asked: Annotated[IssuesQuestion, Query()]
) -> ForecastIssues:
    """List every forecast that was issued on some days, newest first."""
    context = await context_of(state, region)
    days = _days(context, asked.start, asked.end, state.now())
    issues = await state.compute.run(lambda: view.issue_list(state.app.store, context, days, now=state.now()))
    return ForecastIssues.model_validate(
        {
            "region": context.site.id,
            "channel": context.channel.id,
            "days": {"first": days[0], "last": days[-1]},
            "issues": issues,
        }
    )


async def _look(state: State, look: Callable[[date], dict[str, object] | None], day: date) -> dict[str, object] | None:
    return await state.compute.run(lambda: look(day))


def _days(context: Context, start: date | None, end: date | None, now: datetime) -> list[date]:
    """Return the days a caller means: without an end up to today, without a start a week."""
    start, end = checked_day("start", start), checked_day("end", end)
    last = end or now.astimezone(ZoneInfo(context.time_zone)).date()
    return view.days_between(start or last - (WEEK - 1) * DAY, last)


async def _json(context: Context, contents: AsyncIterator[tuple[date, dict[str, object] | None]]) -> AsyncIterator[str]:
    """Write ``ForecastDays`` piece by piece, so that a year of quarter hours takes no more memory than a day."""
    head = {"region": context.site.id, "channel": context.channel.id, "unit": context.channel.unit_in_words}
    yield json.dumps(head)[:-1] + ',"days":['
    missing: list[str] = []
    is_first = True
    async for day, content in contents:
        if content is None:
            missing.append(day.isoformat())
            continue
        yield ("" if is_first else ",") + ForecastDay.model_validate(content).model_dump_json()
        is_first = False
    yield f'],"missing_days":{json.dumps(missing)}}}'


async def _csv(context: Context, contents: AsyncIterator[tuple[date, dict[str, object] | None]]) -> AsyncIterator[str]:
    yield _lines([view.day_columns(context)])
    async for _day, content in contents:
        if content is not None:
            yield _lines(view.day_rows(content, context))


def _lines(rows: list[tuple[object, ...]] | list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
