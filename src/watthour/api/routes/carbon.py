"""The carbon intensity of regions: what is known, now, and over some days."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from watthour.api.contract import problems
from watthour.api.schemas.carbon import CarbonCurrent, CarbonHistory, CarbonHistoryQuestion, CarbonRegions
from watthour.api.state import ApiState
from watthour.api.times import window_of
from watthour.workflows import view

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
