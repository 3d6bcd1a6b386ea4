"""What a home, a zone or a device used over some days."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from watthour.api.answers import answer_bytes, json_of, known_home, warm_part_of_home
from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.history import HistoryQuestion, PastUseAnswer
from watthour.api.state import ApiState
from watthour.api.times import day
from watthour.workflows import view
from watthour.workflows.usage import past_use

router = APIRouter(prefix="/api/v1/homes", tags=["homes"])


@router.get(
    "/{home}/history",
    summary="What a home, a zone or a device used",
    response_model=PastUseAnswer,
    responses=problems(404),
)
async def home_history(state: ApiState, home: HomeId, asked: Annotated[HistoryQuestion, Query()]) -> Response:
    """Tell energy and mean power of each interval, hour or day, and how much of it is known; a gap is null."""
    of = await known_home(state, home)
    last = day("end", asked.end) or state.now().astimezone(ZoneInfo(of.site.place.time_zone)).date()
    first = day("start", asked.start) or last

    def look() -> bytes:
        parts = {"device": asked.device, "zone": asked.zone}
        past = past_use(state.app.store, of.site, first=first, last=last, now=state.now(), step=asked.step, **parts)
        return answer_bytes(PastUseAnswer, view.history_entry(of.site, past))

    question = ("history", first, last, asked.step, asked.device, asked.zone)
    return json_of(await warm_part_of_home(state, of, question, look))
