"""Answers about channels that are kept warm until something new is known of them."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from fastapi import Response

from watthour.api.schemas.base import Answer
from watthour.api.serving import Role
from watthour.api.state import State
from watthour.core.errors import ModelError
from watthour.core.forecast import Context
from watthour.workflows.forecast import Served

RUNS_LOOKED_AT = 8  # a run that took long ends after younger ones

A = TypeVar("A", bound=Answer)


async def warm_answer(
    state: State,
    contexts: Sequence[Context],
    question: tuple[Hashable, ...],
    look: Callable[[], bytes],
    *,
    parts: Sequence[str] = (),
) -> Response:
    """Answer from what is kept, unless new data, a new forecast or another champion came since.

    Args:
        state: of the application.
        contexts: what the answer is about.
        question: what is asked of it.
        look: makes the answer.
        parts: ids of further channels that it is made from.
    """
    channels = tuple(dict.fromkeys([*(context.channel.id for context in contexts), *parts]))
    epoch = await state.warm.get(
        ("epoch", channels), lambda: _epoch(state, contexts, channels), lifetime_s=state.limits.state_lifetime_s
    )
    key = (channels, *question, epoch)
    content = await state.warm.get(key, look, lifetime_s=state.limits.answer_lifetime_s)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})


def served_or_none(state: State, context: Context) -> Served | None:
    """Return the loaded champion; where it cannot be loaded, the forecast itself says why and what stands in."""
    try:
        return state.models.serving_or_none(Role(context, "forecast"))
    except ModelError:
        return None


def answer_bytes(schema: type[A], content: object) -> bytes:
    """Check an answer against its description and write it."""
    return schema.model_validate(content).model_dump_json().encode()


def _epoch(state: State, contexts: Sequence[Context], channels: Sequence[str]) -> tuple[object, ...]:
    """Return what changes whenever an answer could: the newest readings, runs and forecasts, and the champions."""
    runs, spans = state.app.store.runs(limit=RUNS_LOOKED_AT), state.app.store.spans()
    return (
        tuple((run.source, run.started_at, run.ended_at) for run in runs),
        tuple(spans.get(channel) for channel in channels),  # rows that are sent have no run
        tuple(state.models.version(Role(context, "forecast")) for context in contexts),
        state.now().replace(minute=0, second=0, microsecond=0),
    )
