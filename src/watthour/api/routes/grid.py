"""What a site will use: its forecast for a day, and how well forecasts did."""

from collections.abc import Callable, Hashable
from datetime import date, time
from functools import partial
from time import perf_counter
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query, Response

from watthour.api.answers import A, answer_bytes, served_or_none, warm_answer
from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.schemas.grid import ForecastQuestion, GridForecast, GridScores, ScoresQuestion
from watthour.api.schemas.past import GridHistory, GridWeek, WeekQuestion
from watthour.api.state import ApiState, State, context_of
from watthour.api.times import day as checked_day
from watthour.core.errors import WatthourError
from watthour.core.forecast import Context
from watthour.workflows import view

router = APIRouter(prefix="/api/v1/grid", tags=["grid"])

WARM_UP_S = 120.0  # on a busy machine

RegionName = Annotated[
    str, Path(description="Any name of the region: its id, EIA's codes, the operator's name.", examples=["ny"])
]


@router.get(
    "/{region}/forecast",
    summary="A local day's demand: forecast, 90 % interval, rivals, actuals",
    response_model=GridForecast,
    responses=problems(404, 409),
)
async def grid_forecast(state: ApiState, region: RegionName, asked: Annotated[ForecastQuestion, Query()]) -> Response:
    """Answer with tomorrow, or with any past day as it was forecast then."""
    begun = perf_counter()
    outcome = "failed"
    try:
        answer = await _forecast(state, await context_of(state, region), checked_day("day", asked.day))
        outcome = "ok"
    finally:
        state.metrics.observe("forecast", outcome, perf_counter() - begun)
    return answer


@router.get(
    "/{region}/scores",
    summary="Scores of the forecasts and the baselines",
    response_model=GridScores,
    responses=problems(404, 409),
)
async def grid_scores(state: ApiState, region: RegionName, asked: Annotated[ScoresQuestion, Query()]) -> Response:
    """Score every forecaster on the same hours, by lead time."""
    look = partial(view.grid_scores, state.app.store, days=asked.days, now=state.now())
    return await _until(state, region, asked.end, ("scores", asked.days), GridScores, look)


@router.get(
    "/{region}/week",
    summary="Seven local days: measured values and day-ahead forecasts",
    response_model=GridWeek,
    responses=problems(404, 409),
)
async def grid_week(state: ApiState, region: RegionName, asked: Annotated[WeekQuestion, Query()]) -> Response:
    """Answer with the forecasts that were kept; a day without one has its readings alone."""
    look = partial(view.grid_week, state.app.store, now=state.now(), issue_clock=_issue_clock(state))
    return await _until(state, region, asked.end, ("week",), GridWeek, look)


@router.get(
    "/{region}/history",
    summary="Errors day by day, and the share of readings below each level of the forecasts",
    response_model=GridHistory,
    responses=problems(404, 409),
)
async def grid_history(state: ApiState, region: RegionName, asked: Annotated[ScoresQuestion, Query()]) -> Response:
    """Judge the day-ahead forecasts that were kept of each of the last days."""
    look = partial(
        view.grid_history, state.app.store, days=asked.days, now=state.now(), issue_clock=_issue_clock(state)
    )
    return await _until(state, region, asked.end, ("history", asked.days), GridHistory, look)


async def warm_up(state: State) -> None:
    """Load the models and make tomorrow's answers, so that the first caller does not wait for it.

    Models that forecast come first; those that answer ``POST /predict`` follow as far as there is room for them.
    """
    log = structlog.get_logger("watthour.api")
    roles = await state.compute.run(state.models.roles, timeout_s=WARM_UP_S)
    first = [role for role in roles if role.serves == "forecast"]
    room = max(0, state.limits.models - len(first))
    for role in (*first, *[role for role in roles if role.serves == "predict"][:room]):
        try:
            await state.compute.run(partial(state.models.serving_or_none, role), timeout_s=WARM_UP_S)
            if role.serves == "forecast":
                await _forecast(state, role.context, None)
        except (WatthourError, Refusal) as error:
            log.info("not warmed up", model=role.name, problem=str(error))


async def _until(
    state: State,
    region: str,
    asked_end: date | None,
    question: tuple[Hashable, ...],
    schema: type[A],
    look: Callable[..., object],
) -> Response:
    """Answer about the local days up to one, from the store alone."""
    context, end = await context_of(state, region), checked_day("end", asked_end)
    return await warm_answer(
        state, [context], (*question, end), lambda: answer_bytes(schema, look(context=context, end=end))
    )


async def _forecast(state: State, context: Context, day: date | None) -> Response:
    def look() -> bytes:
        content = view.grid_forecast(
            state.app.store,
            state.app.registry,
            context,
            day,
            now=state.now(),
            served=served_or_none(state, context),
            issue_clock=_issue_clock(state),
        )
        return answer_bytes(GridForecast, content)

    return await warm_answer(state, [context], ("forecast", day), look)


def _issue_clock(state: State) -> time:
    return time(state.app.settings.issue_hour)
