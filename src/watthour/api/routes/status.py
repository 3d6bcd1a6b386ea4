"""What is here and what could be connected."""

from fastapi import APIRouter

from watthour import __version__
from watthour.api.contract import problems
from watthour.api.schemas.status import Status
from watthour.api.state import ApiState
from watthour.workflows import view

LOOK_LIFETIME_S = 5.0  # looking at the store writes to it, and the log of runs is long
ARRIVALS_LIFETIME_S = 600.0  # half a year of readings is compared, and a few days are needed to find anything

router = APIRouter(prefix="/api/v1", tags=["status"])


@router.get(
    "/status", summary="Sites, how fresh their data are, and sources that could be connected", responses=problems()
)
async def status(state: ApiState) -> Status:
    """List the regions, the sources with their failures, and the ways to real data that are not used yet."""
    app, shown = state.app, state.models.shown
    kept = await state.warm.get("store", lambda: view.store_state(app.store), lifetime_s=LOOK_LIFETIME_S)
    fills = await state.warm.get("fill", lambda: app.pasts(shown(), state.now()), lifetime_s=LOOK_LIFETIME_S)

    arrived = await state.warm.get(
        "arrivals", lambda: view.arrival_findings(app.store, shown()), lifetime_s=ARRIVALS_LIFETIME_S
    )

    def look() -> Status:
        content = view.status(
            app.store,
            shown(),
            now=state.now(),
            version=__version__,
            connect=app.connections(),
            store_state=kept,
            fills=fills,
        )
        doubts = view.doubts(app.store, shown(), now=state.now())
        return Status.model_validate({**content, "doubted": doubts, "arrivals": arrived})

    return await state.warm.get("status", look, lifetime_s=state.limits.state_lifetime_s)
