"""What the planned runs of a home have saved."""

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.savings import HomeSavings, SavingsQuestion
from watthour.api.state import ApiState, State
from watthour.api.times import window_of
from watthour.core.window import local_midnight
from watthour.workflows import view
from watthour.workflows.homes import home_named

if TYPE_CHECKING:
    from watthour.core.channel import Site
    from watthour.workflows.savings import Savings

router = APIRouter(prefix="/api/v1/homes/{home}", tags=["savings"])

Asked = Annotated[SavingsQuestion, Query()]


@router.get("/savings", summary="What plans have saved", responses=problems(404))
async def home_savings(state: ApiState, home: HomeId, asked: Asked) -> HomeSavings:
    """Tell what runs cost, beside begun at once and as usual; only what was done counts, and no energy is saved."""

    def look() -> HomeSavings:
        return HomeSavings.model_validate(view.savings_entry(*_found(state, home, asked)))

    return await state.compute.run(look)


@router.get(
    "/savings.csv",
    summary="What plans have saved, as CSV",
    response_class=Response,
    responses={
        **problems(404),
        200: {
            "description": "The rows of `savings`; `at_once` and `usual` are in columns such as `at_once_cost`.",
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "kind,name,device\nappliance,dishwasher,…\n"}
            },
        },
    },
)
async def home_savings_csv(state: ApiState, home: HomeId, asked: Asked) -> Response:
    """Answer with the same rows as a table."""

    def look() -> tuple[str, str]:
        site, found = _found(state, home, asked)
        return site.id, view.savings_csv(site, found)

    name, text = await state.compute.run(look)
    headers = {"Content-Disposition": f'attachment; filename="{name}-savings.csv"'}
    return Response(text, media_type="text/csv", headers=headers)


def _found(state: State, home: str, asked: SavingsQuestion) -> "tuple[Site, Savings]":
    """Return the ledger of a home: without a begin from the first of the month, by the clock of the home."""
    from watthour.workflows.savings import home_savings as savings_of

    app, now = state.app, state.now()
    site = home_named(app.store, home)
    zone = site.place.time_zone
    first = local_midnight(now.astimezone(ZoneInfo(zone)).date().replace(day=1), zone)
    window = window_of(asked.start or first, asked.end, now, zone)
    return site, savings_of(app.store, app.tariffs, app.equipment_file, site, window, by=asked.by, now=now)
