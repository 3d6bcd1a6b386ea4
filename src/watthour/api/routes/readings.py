"""Readings, as they were known at any instant."""

import csv
import io
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from watthour.api.contract import problems
from watthour.api.schemas.readings import Reading, ReadingPage, ReadingsQuestion
from watthour.api.state import ApiState, State
from watthour.api.times import instant, window_of
from watthour.workflows import view

router = APIRouter(prefix="/api/v1", tags=["readings"])

CSV_COLUMNS = ("time", "value", "available_at", "recorded_at", "quality")


@router.get(
    "/readings",
    summary="Readings of a channel",
    response_model=ReadingPage,
    responses={
        **problems(),
        200: {
            "description": "Readings in the order of time, as JSON or CSV.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "time,value,available_at,recorded_at,quality\n"
                    "2026-11-20T00:00:00Z,16020.0,2026-11-20T03:00:00Z,2026-11-20T03:05:00Z,assumed\n",
                }
            },
        },
    },
)
async def readings(state: ApiState, asked: Annotated[ReadingsQuestion, Query()]) -> Response:
    """Answer with the last version of each reading that was known at `as_of`; follow `next` for more."""
    return await state.compute.run(lambda: _readings(state, asked))


def _readings(state: State, asked: ReadingsQuestion) -> Response:
    now = state.now()
    window = window_of(asked.start, asked.end, now)
    as_of = instant("as_of", asked.as_of) if asked.as_of else None
    content = view.reading_page(state.app.store, asked.channel, window, as_of=as_of, limit=asked.limit, now=now)
    page = ReadingPage.model_validate(content)
    if asked.format == "json":
        return Response(page.model_dump_json(), media_type="application/json")
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(asked.channel)}"'}
    if page.next is not None:
        headers["X-Next"] = _text(page.next)
    return Response(_csv(page.readings), media_type="text/csv", headers=headers)


def _csv(rows: list[Reading]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        value = "" if row.value is None else row.value
        times = (_text(row.time), value, _text(row.available_at), _text(row.recorded_at))
        writer.writerow((*times, " ".join(row.quality)))
    return text.getvalue()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _file_name(channel: str) -> str:
    """Return a name of only what a header and every file system take; the channel is known, so it has no others."""
    return f"{channel}.csv"
