"""The equipment of a home, and the plan that is made of it."""

from typing import Annotated

from fastapi import APIRouter, Path

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.equipment import EquipmentAnswer, HomeEquipment, RemovedEquipment
from watthour.api.schemas.home_plan import HomePlan, NewPlan, RunDecision
from watthour.api.state import ApiState

router = APIRouter(prefix="/api/v1/homes/{home}", tags=["plan"])

RunId = Annotated[str, Path(max_length=200, description="Id of the run.", examples=["dishwasher-20261122-1"])]


@router.get("/equipment", summary="What a home has that can be shifted", responses=problems(404))
async def equipment(state: ApiState, home: HomeId) -> EquipmentAnswer:
    """Tell the equipment as it was said."""
    raise NotImplementedError


@router.put("/equipment", summary="Say what a home has that can be shifted", responses=problems(403, 404, 413, 507))
async def set_equipment(state: ApiState, home: HomeId, asked: HomeEquipment) -> EquipmentAnswer:
    """Keep the equipment in place of what there was; the next plan is made with it."""
    raise NotImplementedError


@router.delete("/equipment", summary="Forget the equipment of a home", responses=problems(403, 404, 507))
async def removed_equipment(state: ApiState, home: HomeId) -> RemovedEquipment:
    """Take it away: the home is not planned any more; the plans of the past stay."""
    raise NotImplementedError


@router.get("/plan", summary="The plan of a home", responses=problems(404, 409))
async def home_plan(state: ApiState, home: HomeId) -> HomePlan:
    """Tell the plan in force; where there is none, the first is made."""
    raise NotImplementedError


@router.post("/plan", summary="Plan a home anew", responses=problems(403, 404, 409, 413, 507))
async def new_home_plan(state: ApiState, home: HomeId, asked: NewPlan) -> HomePlan:
    """Plan by what is known now and what is wished otherwise, and tell the new plan at once."""
    raise NotImplementedError


@router.post("/plan/runs/{run}", summary="Accept or skip a run", responses=problems(403, 404, 409, 413, 507))
async def decided_run(state: ApiState, home: HomeId, run: RunId, asked: RunDecision) -> HomePlan:
    """Keep what a person decides about a run; where it is skipped, the rest is planned anew."""
    raise NotImplementedError
