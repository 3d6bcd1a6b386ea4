"""What every route works with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from watthour.api.compute import Compute, Limits, Warm
from watthour.api.metrics import Metrics
from watthour.api.serving import Models
from watthour.bootstrap import App
from watthour.core.forecast import Context


@dataclass(frozen=True, slots=True)
class State:
    """The opened application, the clock, and what the API keeps warm."""

    app: App
    now: Callable[[], datetime]
    limits: Limits
    compute: Compute
    receiving: Compute  # of its own, so that no page waits for rows that wait for the disk
    planning: Compute  # of its own, so that heavy plans hold up nothing else
    warm: Warm
    models: Models
    metrics: Metrics
    trials: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))  # of sources, at once


def state_of(request: HTTPConnection) -> State:
    """Return the state of the application that got this request or opened this line."""
    state: State = request.app.state.watthour
    return state


async def context_of(state: State, name: str) -> Context:
    """Return what is forecast under a name; the look into the store is kept as long as other state is.

    Raises:
        UnknownSite: nothing goes by this name.
    """
    lifetime_s = state.limits.state_lifetime_s
    return await state.warm.get(("context", name), lambda: state.models.context(name), lifetime_s=lifetime_s)


ApiState = Annotated[State, Depends(state_of)]
