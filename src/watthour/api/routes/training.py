"""Train a site's model now, in a process of its own."""

from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.schemas.training import TrainingBegun, TrainingState, TrainQuestion
from watthour.api.state import ApiState, State
from watthour.core.errors import WatthourError
from watthour.core.forecast import Context
from watthour.workflows.rounds import issue
from watthour.workflows.sites import name_of
from watthour.workflows.training_process import TrainingIsRunning
from watthour.workflows.view import is_followed

router = APIRouter(prefix="/api/v1", tags=["models"])


@router.post(
    "/train",
    summary="Train a challenger now; it serves only if it is better",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(403, 404, 409),
)
async def train(state: ApiState, asked: Annotated[TrainQuestion, Query()]) -> TrainingBegun:
    """Begin a training as the schedule would and return at once; one runs at a time."""
    context = await state.compute.run(lambda: state.models.context(asked.region))
    begin_training(state, context)
    return TrainingBegun(region=context.site.id, state="running")


@router.get("/train", summary="Progress and result of a training", responses=problems(404))
async def training(state: ApiState, asked: Annotated[TrainQuestion, Query()]) -> TrainingState:
    """Tell the step while it runs, then the verdict or the problem."""
    context = await state.compute.run(lambda: state.models.context(asked.region))
    known = state.app.trainings.of(name_of(context))
    return TrainingState(
        region=context.site.id, state=known.state, step=known.step, problem=known.problem, verdict=known.verdict
    )


def begin_training(state: State, context: Context) -> None:
    """Begin a training in the background; after it, a forecast is issued with the model that serves then.

    Raises:
        Refusal: another one is running.
    """
    try:
        state.app.trainings.start(name_of(context), then=lambda: _refresh(state, context))
    except TrainingIsRunning as error:
        raise Refusal(HTTPStatus.CONFLICT, "training-is-running", error.problem, remedy=error.remedy) from error


def _refresh(state: State, context: Context) -> None:
    """Issue a forecast with the model that serves now; of an archive the page makes it by itself."""
    app, now = state.app, state.now()
    if not is_followed(app.store, context, now):
        return
    try:
        issue(app.store, app.registry, state.models.context(name_of(context)), now=now)
    except WatthourError as error:
        structlog.get_logger("watthour.api").info("not refreshed", region=context.site.id, problem=str(error))
