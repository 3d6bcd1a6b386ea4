"""What is here and what could be connected."""

from fastapi import APIRouter

from watthour import __version__
from watthour.api.contract import problems
from watthour.api.schemas.status import Status
from watthour.api.state import ApiState
from watthour.workflows import view

router = APIRouter(prefix="/api/v1", tags=["status"])


@router.get("/status", summary="What is here, how fresh, and what could be connected", responses=problems())
async def status(state: ApiState) -> Status:
    """List the regions, the sources with their failures, and the ways to real data that are not used yet."""
    app = state.app

    def look() -> Status:
        shown, now = state.models.shown(), state.now()
        content = view.status(app.store, shown, now=now, version=__version__, connect=app.connections())
        return Status.model_validate({**content, "doubted": view.doubts(app.store, shown, now=now)})

    return await state.warm.get("status", look, lifetime_s=state.limits.state_lifetime_s)
