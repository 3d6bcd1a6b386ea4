"""The carbon intensity of regions: what is known, now, over some days, and in the hours ahead."""

from datetime import timedelta
from functools import partial
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query, Response

from watthour.api.answers import answer_bytes, json_of, served_or_none, warm_part
from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.schemas.carbon import CarbonCurrent, CarbonHistory, CarbonHistoryQuestion, CarbonRegions
from watthour.api.schemas.carbon_ahead import (
    CarbonAsked,
    CarbonBestWindow,
    CarbonForecast,
    CarbonForecastQuestion,
    CarbonTrend,
    CarbonTrendQuestion,
    CarbonWindowQuestion,
)
from watthour.api.state import ApiState, State
from watthour.api.times import window_of
from watthour.core.errors import WatthourError
from watthour.core.forecast import Context
from watthour.core.window import HOUR
from watthour.workflows import view
from watthour.workflows.asked_times import duration_of, moment
from watthour.workflows.carbon_series import CarbonSeries, series_asked
from watthour.workflows.sites import find_context

router = APIRouter(prefix="/api/v1/carbon", tags=["carbon"])

CarbonRegionName = Annotated[
    str,
    Path(
        max_length=100, description="Any name of the region: its id, EIA's codes, the operator's name.", examples=["ny"]
    ),
]


@router.get("/regions", summary="Regions whose carbon intensity is known", responses=problems())
async def carbon_regions(state: ApiState) -> CarbonRegions:
    """List each region's series of carbon figures, each with its kind."""
    return await state.compute.run(lambda: CarbonRegions.model_validate(view.carbon_regions(state.app.store)))


@router.get("/{region}/current", summary="A region's carbon intensity now", responses=problems(404))
async def carbon_current(state: ApiState, region: CarbonRegionName) -> CarbonCurrent:
    """Tell the last good value of each series with its age, and the mix of fuels behind it; never zero for missing."""
    app = state.app

    def look() -> CarbonCurrent:
        site = view.carbon_region(app.store, app.directories, region)
        return CarbonCurrent.model_validate(view.carbon_current(app.store, site, now=state.now()))

    return await state.compute.run(look)


@router.get("/{region}/history", summary="A region's carbon intensity over some days", responses=problems(404))
async def carbon_history(
    state: ApiState, region: CarbonRegionName, asked: Annotated[CarbonHistoryQuestion, Query()]
) -> CarbonHistory:
    """Tell one series interval by interval; a gap is null. Follow `next` for more."""
    app = state.app

    def look() -> CarbonHistory:
        site = view.carbon_region(app.store, app.directories, region)
        now = state.now()
        window = window_of(asked.start, asked.end, now, site.place.time_zone)
        content = view.carbon_history(app.store, site, window, channel=asked.channel, limit=asked.limit, now=now)
        return CarbonHistory.model_validate(content)

    return await state.compute.run(look)


@router.get(
    "/{region}/forecast",
    summary="A region's carbon intensity in the hours ahead",
    response_model=CarbonForecast,
    responses=problems(404, 409),
)
async def carbon_forecast(
    state: ApiState, region: CarbonRegionName, asked: Annotated[CarbonForecastQuestion, Query()]
) -> Response:
    """Forecast up to 96 hours with quantiles, the age of what it rests on, and how good such forecasts have been."""
    app = state.app
    ahead = await _ahead(state, region, asked)

    def look() -> bytes:
        content = view.carbon_forecast(app.store, app.registry, ahead, hours=asked.hours, now=state.now())
        return answer_bytes(CarbonForecast, content)

    question = ("carbon_forecast", asked.source, asked.hours)
    return json_of(await warm_part(state, [ahead.context], question, look, described=ahead.issued_at))


@router.get("/{region}/trend", summary="Whether it is getting cleaner or dirtier", responses=problems(404, 409))
async def carbon_trend(
    state: ApiState, region: CarbonRegionName, asked: Annotated[CarbonTrendQuestion, Query()]
) -> CarbonTrend:
    """Compare the next hours with now, and with what is usual at their time of day."""
    ahead = await _ahead(state, region, asked)
    content = await state.compute.run(
        lambda: view.carbon_trend(state.app.store, ahead, hours=asked.hours, now=state.now())
    )
    return CarbonTrend.model_validate(content)


@router.get("/{region}/best-window", summary="When a run would be cleanest", responses=problems(404, 409))
async def carbon_best_window(
    state: ApiState, region: CarbonRegionName, asked: Annotated[CarbonWindowQuestion, Query()]
) -> CarbonBestWindow:
    """Find when a run has the least expected carbon, what that saves against starting at once, and how sure it is."""
    duration, now = duration_of(asked.duration), state.now()
    ahead = await _ahead(state, region, asked)
    zone = ahead.site.place.time_zone
    content = await state.compute.run(
        lambda: view.carbon_best_window(
            state.app.store,
            ahead,
            duration,
            hours=asked.hours,
            earliest=moment("earliest", asked.earliest, zone, now),
            deadline=moment("deadline", asked.deadline, zone, now),
            now=now,
        )
    )
    return CarbonBestWindow.model_validate(content)


async def warm_up(state: State) -> None:
    """Forecast each region whose carbon intensity is known, so that the first caller does not wait for it."""
    found = await state.compute.run(lambda: view.carbon_regions(state.app.store))
    for region in CarbonRegions.model_validate(found).regions:
        try:
            await _ahead(state, region.region, CarbonAsked(channel=None, source=view.OURS))
        except (WatthourError, Refusal) as error:
            structlog.get_logger("watthour.api").info("not warmed up", carbon=region.region, problem=str(error))


async def _ahead(state: State, region: str, asked: CarbonAsked) -> view.CarbonAhead:
    """Return the forecast that is asked, kept until something new is known: all that is told of it stands on one."""
    app = state.app

    def named() -> tuple[CarbonSeries, Context]:
        site = view.carbon_region(app.store, app.directories, region)
        series = series_asked(app.store, site, asked.channel)
        return series, find_context(app.store, app.directories, series.channel.id)

    name = ("carbon_series", region, asked.channel)
    series, context = await state.warm.get(name, named, lifetime_s=state.limits.state_lifetime_s)

    def look() -> view.CarbonAhead:
        return view.carbon_ahead(
            app.store,
            app.registry,
            app.directories,
            context.site,
            channel=series.channel.id,
            source=asked.source,
            now=state.now(),
            served=partial(served_or_none, state),
        )

    question = ("carbon_ahead", asked.source)
    return await warm_part(state, [context], question, look, lifetime_s=HOUR / timedelta(seconds=1))
