"""Compare models on a channel's past, in a process of its own."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.schemas.comparison import (
    ComparedModels,
    ComparisonBegun,
    ComparisonQuestion,
    ComparisonRegion,
    ComparisonState,
)
from watthour.api.state import ApiState
from watthour.core.errors import InvalidInput
from watthour.forecasting.catalogue import ALONE
from watthour.workflows.comparison_process import ComparisonIsRunning
from watthour.workflows.sites import name_of

router = APIRouter(prefix="/api/v1", tags=["models"])


@router.post(
    "/compare",
    summary="Compare models on the last days of a channel",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(403, 404, 409),
)
async def compare(state: ApiState, asked: Annotated[ComparisonQuestion, Query()]) -> ComparisonBegun:
    """Begin what `watthour compare` does and return at once; one runs at a time."""
    unknown = next((each for each in asked.recipe if each not in ALONE), None)
    if unknown is not None:
        problem = "no such model to compare on a channel's past"
        raise InvalidInput("recipe", unknown, problem, remedy=f"Choose one of: {', '.join(ALONE)}.")
    context = await state.compute.run(lambda: state.models.context(asked.region))
    options = ["--days", str(asked.days), *(word for each in asked.recipe for word in ("--recipe", each))]
    if asked.issue_hour is not None:
        options += ["--issue-hour", str(asked.issue_hour)]
    if asked.validation_days is not None:
        options += ["--validation-days", str(asked.validation_days)]
    try:
        state.app.comparisons.start(name_of(context), options)
    except ComparisonIsRunning as error:
        raise Refusal(HTTPStatus.CONFLICT, "comparison-is-running", error.problem, remedy=error.remedy) from error
    return ComparisonBegun(region=context.site.id, state="running")


@router.get("/compare", summary="Progress and result of a comparison", responses=problems(404))
async def comparison(state: ApiState, asked: Annotated[ComparisonRegion, Query()]) -> ComparisonState:
    """Tell the model at work while it runs, then the table or the problem."""
    context = await state.compute.run(lambda: state.models.context(asked.region))
    known = state.app.comparisons.of(name_of(context))
    return ComparisonState(
        region=context.site.id,
        state=known.state,
        step=known.step,
        problem=known.problem,
        found=None if known.found is None else ComparedModels.model_validate(known.found),
    )
