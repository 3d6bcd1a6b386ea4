"""Things that tell by themselves: what is heard, and which of them are kept."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.schemas.listening import (
    THING,
    AddedThing,
    Listening,
    NewThing,
    PastOfChannel,
    PastQuestion,
    PastState,
    RemovedThing,
)
from watthour.api.state import ApiState
from watthour.workflows import view
from watthour.workflows.links import Link
from watthour.workflows.listening import ThingWords, add_thing
from watthour.workflows.recall_task import Recall, RecallIsRunning

router = APIRouter(prefix="/api/v1", tags=["homes"])

ThingKey = Annotated[str, Query(max_length=500, description="Key of the thing.", examples=[THING])]


@router.get("/listening", summary="What devices tell by themselves", responses=problems())
async def listening(state: ApiState) -> Listening:
    """Tell which brokers and devices this process hears, what it has found there, and what could not be read."""

    def look() -> Listening:
        listener = state.app.listener
        return Listening.model_validate(
            {
                "lines": view.line_states(listener.states),
                "things": view.found_things(listener.found()),
                "faults": view.fault_counts(listener.faults()),
            }
        )

    return await state.compute.run(look)


@router.post(
    "/listening/things", status_code=201, summary="Keep what a thing tells", responses=problems(403, 404, 413, 507)
)
async def new_thing(state: ApiState, asked: NewThing) -> AddedThing:
    """Let a thing that was heard fill a channel, or make it a new device of a home: energy if it counts, else power."""
    words = ThingWords(
        asked.thing,
        asked.channel,
        asked.home,
        asked.name,
        asked.kind,
        timedelta(seconds=asked.step_seconds),
        asked.zone,
        is_main=asked.is_main,
    )

    def add() -> Link:
        return add_thing(state.app.store, state.app.links, state.app.listener.found(), words)

    link = await state.compute.run(add)
    state.warm.drop()
    return AddedThing(thing=asked.thing, channel=link.channel)


@router.post(
    "/listening/past",
    status_code=HTTPStatus.ACCEPTED,
    summary="Bring in the past of what was added",
    responses=problems(403, 404, 409, 413),
)
async def new_past(state: ApiState, asked: PastQuestion) -> PastState:
    """Ask Home Assistant's statistics or InfluxDB for the last days in the background; readings that are there stay."""
    try:
        begun = await state.compute.run(lambda: state.app.recalls.start(asked.days, asked.thing, now=state.now()))
    except RecallIsRunning as error:
        raise Refusal(HTTPStatus.CONFLICT, "past-is-running", error.problem, remedy=error.remedy) from error
    return _shown(begun)


@router.get("/listening/past", summary="Progress of bringing in the past", responses=problems())
async def past(state: ApiState) -> PastState:
    """Tell how much of it is done, then what it has brought, or the problem."""
    return _shown(state.app.recalls.last)


@router.delete("/listening/things", summary="Keep a thing no longer", responses=problems(403, 404))
async def removed_thing(state: ApiState, thing: ThingKey) -> RemovedThing:
    """Keep what a thing tells no longer; its channel and what it has stay."""
    link = await state.compute.run(lambda: state.app.links.remove(thing))
    return RemovedThing(thing=thing, channel=link.channel)


def _shown(recall: Recall) -> PastState:
    return PastState(
        state=recall.state,
        share=recall.share,
        begin=None if recall.window is None else recall.window.start,
        end=None if recall.window is None else recall.window.end,
        channels=[
            PastOfChannel(
                channel=each.channel,
                new=each.new,
                refused=each.refused,
                findings=[finding.text for finding in each.findings],
            )
            for each in recall.filled
        ],
        problem=recall.problem,
        remedy=recall.remedy,
    )
