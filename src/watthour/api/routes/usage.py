"""What a home draws now and what it used today."""

from fastapi import APIRouter, Response

from watthour.api.answers import KnownHome, answer_bytes, json_of, known_home, warm_part_of_home
from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.usage import HomeUsageAnswer
from watthour.api.state import ApiState, State
from watthour.workflows import view
from watthour.workflows.usage import HomeUsage, home_usage

router = APIRouter(prefix="/api/v1/homes", tags=["homes"])


@router.get(
    "/{home}/usage",
    summary="What a home uses now and used today",
    response_model=HomeUsageAnswer,
    responses=problems(404),
)
async def usage(state: ApiState, home: HomeId) -> Response:
    """Tell the power and the energy of the home, its zones and its devices, and how old each figure is."""
    of = await known_home(state, home)
    found = await usage_of(state, of)
    look = view.usage_entry
    return json_of(await state.compute.run(lambda: answer_bytes(HomeUsageAnswer, look(of.site, found, state.now()))))


async def usage_of(state: State, of: KnownHome) -> HomeUsage:
    """Return what is kept of the usage of a home, unless a reading or a sample came since."""

    def look() -> HomeUsage:
        return home_usage(state.app.store, of.site, now=state.now())

    return await warm_part_of_home(state, of, ("usage",), look, is_of_samples=True)
