"""Readings, as they were known at any instant."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from watthour.api.contract import problems
from watthour.api.schemas.readings import ReadingPage, ReadingsQuestion
from watthour.api.state import ApiState, State
from watthour.api.times import instant, window_of
from watthour.core.window import Window
from watthour.workflows import view

router = APIRouter(prefix="/api/v1", tags=["readings"])

ROWS_OF_JSON, ROWS_OF_CSV = 1000, 100_000  # unless the caller says how many
ROWS_OF_PIECE = 5000


@router.get(
    "/readings",
    summary="Readings of a channel",
    response_model=ReadingPage,
    responses={
        **problems(404),
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
    if asked.format == "json":
        return Response(await state.compute.run(lambda: _page(state, asked)), media_type="application/json")
    rows, then = await state.compute.run(lambda: _rows(state, asked))
    headers = {"Content-Disposition": f'attachment; filename="{asked.channel}.csv"'}  # known, so a plain name
    if then is not None:
        headers["X-Next"] = then.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return StreamingResponse(_csv(state, rows), media_type="text/csv", headers=headers)


def _page(state: State, asked: ReadingsQuestion) -> str:
    window, as_of = _window(state, asked)
    limit = asked.limit or ROWS_OF_JSON
    content = view.reading_page(state.app.store, asked.channel, window, as_of=as_of, limit=limit, now=state.now())
    return ReadingPage.model_validate(content).model_dump_json()


def _rows(state: State, asked: ReadingsQuestion) -> tuple[pl.DataFrame, datetime | None]:
    window, as_of = _window(state, asked)
    limit = asked.limit or ROWS_OF_CSV
    _, rows, then = view.readings_between(
        state.app.store, asked.channel, window, as_of=as_of, limit=limit, now=state.now()
    )
    return rows, then


def _window(state: State, asked: ReadingsQuestion) -> tuple[Window, datetime | None]:
    """Return the span that is meant, days by the clock of the channel's site, and the instant it is seen from."""
    channel = view.known_channel(state.app.store, asked.channel)
    zone = next(site.place.time_zone for site in state.app.store.sites() if site.id == channel.site)
    window = window_of(asked.start, asked.end, state.now(), zone)
    return window, instant("as_of", asked.as_of) if asked.as_of else None


async def _csv(state: State, rows: pl.DataFrame) -> AsyncIterator[str]:
    """Write a table piece by piece, so that a long one takes no more memory as text than a short one."""
    yield ",".join(view.CSV_COLUMNS) + "\n"
    for first in range(0, rows.height, ROWS_OF_PIECE):
        yield await state.compute.run(partial(view.readings_csv, rows.slice(first, ROWS_OF_PIECE)))
