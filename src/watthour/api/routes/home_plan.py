"""The equipment of a home, and the plan that is made of it."""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.routes.plan import TIME_LIMIT_S
from watthour.api.schemas.equipment import EquipmentAnswer, HomeEquipment, RemovedEquipment
from watthour.api.schemas.home_plan import HomePlan, NewPlan, RunDecision
from watthour.api.schemas.plan import at_home
from watthour.api.state import ApiState, State
from watthour.core.channel import Site
from watthour.core.plan import Weights
from watthour.workflows import equipment as work
from watthour.workflows.home_plan import Asked, Asking
from watthour.workflows.home_plan_content import plan_told
from watthour.workflows.homes import home_named

router = APIRouter(prefix="/api/v1/homes/{home}", tags=["plan"])

RunId = Annotated[str, Path(max_length=200, description="Id of the run.", examples=["dishwasher-20261122-1"])]


@router.get(
    "/equipment",
    summary="What a home has that can be shifted",
    response_model_exclude_unset=True,
    responses=problems(404),
)
async def equipment(state: ApiState, home: HomeId) -> EquipmentAnswer:
    """Tell the equipment as it was said."""
    app = state.app

    def look() -> EquipmentAnswer:
        site = home_named(app.store, home)
        work.equipment_of(app.equipment_file, site)  # what is kept can be read, or it is said why not
        return _equipment(site, app.equipment_file.said(site.id) or {})

    return await state.compute.run(look)


@router.put(
    "/equipment",
    summary="Say what a home has that can be shifted",
    response_model_exclude_unset=True,
    responses=problems(403, 404, 413, 507),
)
async def set_equipment(state: ApiState, home: HomeId, asked: HomeEquipment) -> EquipmentAnswer:
    """Keep the equipment in place of what there was; the next plan is made with it."""
    app = state.app

    def keep() -> EquipmentAnswer:
        site, said = home_named(app.store, home), asked.said()
        work.set_equipment(app.store, app.equipment_file, site, said)
        return _equipment(site, said)

    return await state.compute.run(keep)


@router.delete("/equipment", summary="Forget the equipment of a home", responses=problems(403, 404, 507))
async def removed_equipment(state: ApiState, home: HomeId) -> RemovedEquipment:
    """Take it away: the home is not planned any more; the plans of the past stay."""
    app = state.app

    def forget() -> RemovedEquipment:
        site = home_named(app.store, home)
        return RemovedEquipment(home=site.id, was_there=app.equipment_file.forget(site.id))

    return await state.compute.run(forget)


@router.get("/plan", summary="The plan of a home", responses=problems(404, 409))
async def home_plan(state: ApiState, home: HomeId) -> HomePlan:
    """Tell the plan in force; where there is none, the first is made."""
    planner = state.app.planner
    return await _planned(
        state, home, lambda site, limit_s: planner.current(site, now=state.now(), time_limit_s=limit_s)
    )


@router.post("/plan", summary="Plan a home anew", responses=problems(403, 404, 409, 413, 507))
async def new_home_plan(state: ApiState, home: HomeId, asked: NewPlan) -> HomePlan:
    """Plan by what is known now and what is wished otherwise, and tell the new plan at once."""

    def plan(site: Site, limit_s: float) -> Mapping[str, Any]:
        return state.app.planner.plan(site, _asked(asked, site), now=state.now(), time_limit_s=limit_s)

    return await _planned(state, home, plan)


@router.post("/plan/runs/{run}", summary="Accept or skip a run", responses=problems(403, 404, 409, 413, 507))
async def decided_run(state: ApiState, home: HomeId, run: RunId, asked: RunDecision) -> HomePlan:
    """Keep what a person decides about a run; where it is skipped, the rest is planned anew."""

    def decide(site: Site, limit_s: float) -> Mapping[str, Any]:
        return state.app.planner.decide(site, run, asked.decision, now=state.now(), time_limit_s=limit_s)

    return await _planned(state, home, decide)


async def _planned(state: State, home: str, make: Callable[[Site, float], Mapping[str, Any]]) -> HomePlan:
    """Answer with a plan that is made where heavy plans hold up nothing else."""
    patience_ends_at = monotonic() + state.limits.timeout_s

    def look() -> HomePlan:
        limit_s = min(TIME_LIMIT_S, patience_ends_at - monotonic())  # what has waited has less
        content = make(home_named(state.app.store, home), limit_s)
        return HomePlan.model_validate(plan_told(content, now=state.now()))

    return await state.planning.run(look, patience_s=state.limits.planning_patience_s)


def _equipment(site: Site, said: Mapping[str, Any]) -> EquipmentAnswer:
    return EquipmentAnswer(home=site.id, equipment=HomeEquipment.model_validate(said))


def _asked(asked: NewPlan, site: Site) -> Asked:
    zone = ZoneInfo(site.place.time_zone)
    changes = tuple(
        Asking(each.name, at_home(each.earliest, zone), at_home(each.deadline, zone), each.skip)
        for each in asked.changes
    )
    weights = None if asked.weights is None else Weights(**asked.weights.model_dump())
    return Asked(asked.hours, weights, changes, asked.with_choices, asked.keep)
