"""When to run what."""

from fastapi import APIRouter

from watthour.api.contract import problems
from watthour.api.schemas.plan import PlanAnswer, PlanQuestion
from watthour.api.state import ApiState

router = APIRouter(prefix="/api/v1", tags=["plan"])

TIME_LIMIT_S = 8.0


@router.post("/plan", summary="When to run what", responses=problems(413))
async def plan(state: ApiState, asked: PlanQuestion) -> PlanAnswer:
    """Plan appliances, batteries, cars and heat together, each choice with its reason.

    Wishes that contradict each other are answered with 400: which, and what to relax.
    """

    def look() -> PlanAnswer:
        from watthour.workflows.plan import make_plan, plan_entry

        planned = make_plan(asked.problem(), with_choices=asked.with_choices, time_limit_s=TIME_LIMIT_S)
        return PlanAnswer.model_validate(plan_entry(planned))

    return await state.compute.run(look)
