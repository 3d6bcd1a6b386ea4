"""When to run what."""

from time import monotonic

from fastapi import APIRouter

from watthour.api.contract import problems
from watthour.api.schemas.plan import PlanAnswer, PlanQuestion
from watthour.api.state import ApiState

router = APIRouter(prefix="/api/v1", tags=["plan"])

TIME_LIMIT_S = 8.0


@router.post("/plan", summary="When to run what", responses=problems(413))
async def plan(state: ApiState, asked: PlanQuestion) -> PlanAnswer:
    """Plan appliances, batteries, cars and heat together, each choice with its reason.

    Wishes that contradict each other are answered with 400: which, and what to relax. Where no plan is found in time
    it is 503 `no-plan-found`, with what makes it easier; where several plans wait already, 503 `busy`.
    """
    patience_ends_at = monotonic() + state.limits.timeout_s

    def look() -> PlanAnswer:
        from watthour.workflows.plan import make_plan, plan_entry

        limit_s = min(TIME_LIMIT_S, patience_ends_at - monotonic())  # what has waited has less
        planned = make_plan(
            asked.problem(), with_choices=asked.with_choices, time_limit_s=limit_s, currency=asked.currency
        )
        return PlanAnswer.model_validate(plan_entry(planned))

    return await state.planning.run(look, patience_s=state.limits.planning_patience_s)
