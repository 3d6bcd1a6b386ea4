"""Which channels there are."""

from fastapi import APIRouter

from watthour.api.contract import problems
from watthour.api.schemas.readings import ChannelList
from watthour.api.state import ApiState
from watthour.workflows import view

router = APIRouter(prefix="/api/v1", tags=["readings"])


@router.get("/channels", summary="All channels", responses=problems())
async def channels(state: ApiState) -> ChannelList:
    """List every channel with its quantity, unit and the span of its readings."""

    def look() -> ChannelList:
        return ChannelList.model_validate(view.channel_list(state.app.store))

    return await state.warm.get("channels", look, lifetime_s=state.limits.state_lifetime_s)
