"""What a home draws now and what it used today."""

from fastapi import APIRouter

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.usage import HomeUsageAnswer
from watthour.api.state import ApiState
from watthour.workflows import view
from watthour.workflows.homes import home_named
from watthour.workflows.usage import home_usage

router = APIRouter(prefix="/api/v1/homes", tags=["homes"])


@router.get("/{home}/usage", summary="What a home uses now and used today", responses=problems(404))
async def usage(state: ApiState, home: HomeId) -> HomeUsageAnswer:
    """Tell the power and the energy of the home, its zones and its devices, and how old each figure is."""

    def look() -> HomeUsageAnswer:
        store = state.app.store
        site = home_named(store, home)
        return HomeUsageAnswer.model_validate(view.usage_entry(site, home_usage(store, site, now=state.now())))

    return await state.compute.run(look)
