"""A/B trials of two versions of a channel's model: begun, looked at, stopped."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathOf

from watthour.api.contract import problems
from watthour.api.schemas.trials import ChannelTrial, TrialQuestion
from watthour.api.state import ApiState, State
from watthour.core.forecast import Context
from watthour.workflows import trial

router = APIRouter(prefix="/api/v1/models", tags=["models"])

ChannelName = Annotated[
    str, PathOf(min_length=1, max_length=100, description="A channel, or any name of a site.", examples=["ny"])
]


@router.get("/{channel}/ab", summary="The A/B trial of a channel's model", responses=problems(404))
async def model_trial(state: ApiState, channel: ChannelName) -> ChannelTrial:
    """Show the trial that runs, or else the last one, with the scores of both versions on the same intervals."""
    return await _told(state, channel)


@router.post(
    "/{channel}/ab",
    summary="Begin an A/B trial",
    status_code=HTTPStatus.CREATED,
    responses=problems(403, 404, 413),
)
async def new_model_trial(state: ApiState, channel: ChannelName, asked: TrialQuestion) -> ChannelTrial:
    """Let a version forecast beside the one that serves and answer a share of the hours.

    A trial that runs ends, unless only its share changes.
    """

    def begin(context: Context) -> None:
        trial.begin(
            state.app.registry,
            context,
            asked.version,
            share=asked.share,
            now=state.now(),
            asked_by=asked.asked_by,
        )

    return await _told(state, channel, begin)


@router.delete("/{channel}/ab", summary="Stop the A/B trial", responses=problems(403, 404))
async def ended_model_trial(state: ApiState, channel: ChannelName) -> ChannelTrial:
    """End the trial that runs and show its scores; from then on the champion answers alone."""
    return await _told(state, channel, lambda context: trial.end(state.app.registry, context, now=state.now()))


async def _told(state: State, channel: str, change: Callable[[Context], object] | None = None) -> ChannelTrial:
    """Change the trial of a channel, if that is asked, and tell how it stands."""

    def look() -> ChannelTrial:
        context = state.models.context(channel)
        if change is not None:
            change(context)
            state.models.forget()
        content = trial.told(state.app.store, state.app.registry, context, now=state.now())
        return ChannelTrial.model_validate(content)

    return await state.compute.run(look)
