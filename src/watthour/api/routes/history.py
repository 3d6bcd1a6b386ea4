"""What a home, a zone or a device used over some days."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.history import HistoryQuestion, PastUseAnswer
from watthour.api.state import ApiState
from watthour.api.times import day
from watthour.workflows import view
from watthour.workflows.homes import home_named
from watthour.workflows.usage import past_use

router = APIRouter(prefix="/api/v1/homes", tags=["homes"])


@router.get("/{home}/history", summary="What a home, a zone or a device used", responses=problems(404))
async def home_history(state: ApiState, home: HomeId, asked: Annotated[HistoryQuestion, Query()]) -> PastUseAnswer:
    """Tell energy and mean power of each interval, hour or day, and how much of it is known; a gap is null."""

    def look() -> PastUseAnswer:
        store, now = state.app.store, state.now()
        site = home_named(store, home)
        last = day("end", asked.end) or now.astimezone(ZoneInfo(site.place.time_zone)).date()
        first = day("start", asked.start) or last
        parts = {"device": asked.device, "zone": asked.zone}
        past = past_use(store, site, first=first, last=last, now=now, step=asked.step, **parts)
        return PastUseAnswer.model_validate(view.history_entry(site, past))

    return await state.compute.run(look)
