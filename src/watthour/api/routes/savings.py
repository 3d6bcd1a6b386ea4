"""What the planned runs of a home have saved."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.savings import HomeSavings, SavingsQuestion
from watthour.api.state import ApiState
from watthour.core.errors import NotEnoughHistory

router = APIRouter(prefix="/api/v1/homes/{home}", tags=["savings"])

Asked = Annotated[SavingsQuestion, Query()]
_NO_RUNS = "no run of a planned thing is known yet"
_CURE = "Say what can be planned in this home: `watthour home equip`."


@router.get("/savings", summary="What plans have saved", responses=problems(404))
async def home_savings(state: ApiState, home: HomeId, asked: Asked) -> HomeSavings:
    """Tell what runs cost, beside begun at once and as usual; only what was done counts, and no energy is saved."""
    raise NotEnoughHistory(_NO_RUNS, remedy=_CURE)


@router.get(
    "/savings.csv",
    summary="What plans have saved, as CSV",
    response_class=Response,
    responses={
        **problems(404),
        200: {
            "description": "The rows of `savings`, with those compared with in columns such as `at_once_cost`.",
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "kind,name,day,cost\nappliance,dishwasher,...\n"}
            },
        },
    },
)
async def home_savings_csv(state: ApiState, home: HomeId, asked: Asked) -> Response:
    """Answer with the same rows as a table."""
    raise NotEnoughHistory(_NO_RUNS, remedy=_CURE)
