"""Sources: listed with how they stand, tried, added and removed without a restart."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.schemas.sources import (
    AddedSource,
    RemovedSource,
    SourceList,
    SourceQuestion,
    SourceTrial,
    TriedSource,
)
from watthour.api.state import ApiState, State
from watthour.bootstrap import kinds_of_sources
from watthour.workflows import view
from watthour.workflows.trying import Tried

router = APIRouter(prefix="/api/v1", tags=["sources"])

LONGEST_TRIAL_S = 25.0  # [s]

SourceKindName = Annotated[str, Query(max_length=50, description="Its block of the settings.", examples=["homewizard"])]


@router.get("/sources", summary="What is connected, and when it last spoke", responses=problems())
async def sources(state: ApiState) -> SourceList:
    """List every source with its state in words, what it fills and what is heard there; and what can be added."""

    def look() -> SourceList:
        app, now = state.app, state.now()
        found = view.source_list(app.store, app.listener, app.set_sources(), app.lines, state.models.shown(), now=now)
        return SourceList.model_validate({"now": now, "sources": found, "kinds": kinds_of_sources()})

    return await state.compute.run(look)


@router.post("/sources/test", summary="Try a source", responses=problems(403, 413, 502))
async def tried_source(state: ApiState, asked: SourceTrial) -> TriedSource:
    """Connect for a few seconds and tell what was seen; nothing is kept, and no secret is answered."""
    tried = await _tried(state, asked)
    return TriedSource.model_validate(
        {
            "works": tried.works,
            "words": tried.words,
            "remedy": tried.remedy,
            "field": tried.field,
            "things": view.found_things(tried.found),
        }
    )


@router.post("/sources", status_code=201, summary="Add a source", responses=problems(403, 413, 502, 507))
async def new_source(state: ApiState, asked: SourceQuestion) -> AddedSource:
    """Keep a source and take it up within seconds; of devices that are asked another one comes beside the first."""
    await state.compute.run(lambda: state.app.add_source(asked.kind, asked.settings))
    state.warm.drop()
    return AddedSource(
        kind=asked.kind, label=next(each["title"] for each in kinds_of_sources() if each["kind"] == asked.kind)
    )


@router.delete("/sources", summary="Remove a source", responses=problems(403, 404))
async def removed_source(
    state: ApiState,
    kind: SourceKindName,
    host: Annotated[
        str | None, Query(max_length=200, description="One of its devices alone.", examples=["192.168.1.20"])
    ] = None,
) -> RemovedSource:
    """Hear a source that was added no longer; what it brought stays."""
    await state.compute.run(lambda: state.app.own_sources.remove(kind, host))
    state.warm.drop()
    return RemovedSource(kind=kind)


async def _tried(state: State, asked: SourceTrial) -> Tried:
    """Try it beside the event loop and beside the API's own threads, a few at a time."""
    if state.trials.locked():
        raise Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "busy",
            "Other sources are being tried at the moment.",
            remedy="Try again in a few seconds.",
            headers={"Retry-After": "5"},
        )

    def work() -> Tried:
        return state.app.try_source(asked.kind, asked.settings, seconds=asked.seconds, now=state.now())

    async with state.trials:
        try:
            return await asyncio.wait_for(asyncio.to_thread(work), LONGEST_TRIAL_S)
        except TimeoutError:
            remedy = "Check its address, and that it can be reached from this machine."
            return Tried(works=False, words=f"It did not answer within {LONGEST_TRIAL_S:g} seconds.", remedy=remedy)
