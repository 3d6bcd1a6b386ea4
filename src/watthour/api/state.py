"""What every route works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from watthour.api.compute import Compute, Limits, Warm
from watthour.api.metrics import Metrics
from watthour.api.serving import Models
from watthour.bootstrap import App


@dataclass(frozen=True, slots=True)
class State:
    """The opened application, the clock, and what the API keeps warm."""

    app: App
    now: Callable[[], datetime]
    limits: Limits
    compute: Compute
    warm: Warm
    models: Models
    metrics: Metrics


def state_of(request: Request) -> State:
    """Return the state of the application that got this request."""
    state: State = request.app.state.watthour
    return state


ApiState = Annotated[State, Depends(state_of)]
