"""Answers about channels that are kept warm until something new is known of them."""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from fastapi import Response

from watthour.api.schemas.base import Answer
from watthour.api.serving import Role
from watthour.api.state import State
from watthour.core.errors import ModelError
from watthour.core.forecast import Context
from watthour.core.ports import Store
from watthour.core.window import Window
from watthour.workflows.forecast import Served

_EVER = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
RUNS_LOOKED_AT = 8  # a run that took long ends after younger ones

A = TypeVar("A", bound=Answer)
T = TypeVar("T")


async def warm_answer(
    state: State,
    contexts: Sequence[Context],
    question: tuple[Hashable, ...],
    look: Callable[[], bytes],
    *,
    parts: Sequence[str] = (),
    logs: Sequence[str] = (),
) -> Response:
    """Answer from what is kept, unless new data, a new forecast or another champion came since; see ``warm_part``."""
    return json_of(await warm_part(state, contexts, question, look, parts=parts, logs=logs))


async def warm_part(
    state: State,
    contexts: Sequence[Context],
    question: tuple[Hashable, ...],
    look: Callable[[], T],
    *,
    parts: Sequence[str] = (),
    logs: Sequence[str] = (),
) -> T:
    """Return what is kept of an answer, or of a part of one, unless something new is known since.

    Args:
        state: of the application.
        contexts: what the answer is about.
        question: what is asked of it; its first word is the name under which ``/metrics`` counts it.
        look: makes the answer.
        parts: ids of further channels that it is made from.
        logs: ids of devices from whose uses it is made.
    """
    channels = tuple(dict.fromkeys([*(context.channel.id for context in contexts), *parts]))
    epoch = await state.warm.get(
        ("epoch", channels, tuple(logs)),
        lambda: _epoch(state, contexts, channels, logs),
        lifetime_s=state.limits.state_lifetime_s,  # of what other processes write
        state=getattr(state.app.store, "n_told", None),  # what this one has acknowledged counts at once
    )
    return await state.warm.get(
        (channels, *question),
        look,
        lifetime_s=state.limits.answer_lifetime_s,
        state=epoch,
        name=str(question[0]),
    )


def json_of(content: bytes) -> Response:
    """Answer with JSON that the caller may keep, but must ask for again."""
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})


def served_or_none(state: State, context: Context) -> Served | None:
    """Return the loaded model that answers; where it cannot be loaded, the forecast says why and what stands in."""
    try:
        return state.models.answering(Role(context, "forecast"), state.now())
    except ModelError:
        return None


def answer_bytes(schema: type[A], content: object) -> bytes:
    """Check an answer against its description and write it."""
    return schema.model_validate(content).model_dump_json().encode()


def _epoch(
    state: State, contexts: Sequence[Context], channels: Sequence[str], logs: Sequence[str]
) -> tuple[Hashable, ...]:
    """Return what changes whenever an answer could: the newest readings, runs, forecasts and uses, champions, trials.

    All of it is asked of the store and the registry, so that what another process writes is seen as well.
    """
    runs, spans = state.app.store.runs(limit=RUNS_LOOKED_AT), state.app.store.spans()
    return (
        tuple((run.source, run.started_at, run.ended_at) for run in runs),
        tuple(spans.get(channel) for channel in channels),  # rows that are sent have no run
        _uses(state.app.store, logs),
        tuple(state.models.version(Role(context, "forecast")) for context in contexts),
        tuple(state.models.trial(Role(context, "forecast")) for context in contexts),
        state.now().replace(minute=0, second=0, microsecond=0),
    )


def _uses(store: Store, devices: Sequence[str]) -> Hashable:
    """Return how many uses of devices are known and which was written last."""
    if not devices:
        return None
    known = store.events(devices, _EVER)
    return known.height, known["recorded_at"].max()
