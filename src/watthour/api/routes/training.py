"""Train a site's model now, in a process of its own."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.schemas.training import HomesTraining, TrainingBegun, TrainingState, TrainQuestion
from watthour.api.state import ApiState, State
from watthour.core.errors import WatthourError
from watthour.core.forecast import Context
from watthour.workflows.rounds import issue
from watthour.workflows.shared_model import is_trained_together
from watthour.workflows.sites import contexts, name_of
from watthour.workflows.training_process import ALL_HOMES, Training, TrainingIsRunning
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
    known = progress_of(state, context)
    return TrainingState(
        region=context.site.id, state=known.state, step=known.step, problem=known.problem, verdict=known.verdict
    )


@router.post(
    "/train/homes",
    summary="Train all homes together now",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(403, 404, 409),
)
async def train_homes(state: ApiState) -> HomesTraining:
    """Begin as the schedule would and return at once: a model for each home, and one for homes with little history."""
    homes = await state.compute.run(lambda: _homes(state))
    if not homes:
        remedy = "Add one with POST /api/v1/homes or `watthour home add`, then send its readings."
        raise Refusal(HTTPStatus.NOT_FOUND, "no-home", "There is no home with readings.", remedy=remedy)
    _begin(state, ALL_HOMES, homes)
    return _homes_training(state, homes)


@router.get("/train/homes", summary="Progress and result of the training of all homes", responses=problems())
async def homes_training(state: ApiState) -> HomesTraining:
    """Tell the step while it runs, then the verdict or the problem."""
    return _homes_training(state, await state.compute.run(lambda: _homes(state)))


def begin_training(state: State, context: Context) -> None:
    """Begin a training in the background, of a home that of all homes; after it, forecasts are issued anew.

    Raises:
        Refusal: another one is running.
    """
    together = is_trained_together(context)
    _begin(state, _name(context), _homes(state) if together else [context])


def progress_of(state: State, context: Context) -> Training:
    """Return how far the training is that ``begin_training`` begins."""
    return state.app.trainings.of(_name(context))


def _name(context: Context) -> str:
    return ALL_HOMES if is_trained_together(context) else name_of(context)


def _homes(state: State) -> list[Context]:
    app = state.app
    return [context for context in contexts(app.store, app.directories, ()) if is_trained_together(context)]


def _homes_training(state: State, homes: Sequence[Context]) -> HomesTraining:
    known = state.app.trainings.of(ALL_HOMES)
    return HomesTraining(
        homes=[context.site.id for context in homes],
        state=known.state,
        step=known.step,
        problem=known.problem,
        verdict=known.verdict,
    )


def _begin(state: State, name: str, trained: Sequence[Context]) -> None:
    def refresh() -> None:
        for context in trained:
            _refresh(state, context)

    try:
        state.app.trainings.start(name, then=refresh)
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
