"""What is worth knowing about a home, or a device in it."""

from typing import Annotated

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId, PartId
from watthour.api.schemas.insights import DeviceInsightsAnswer, HomeInsightsAnswer, InsightsQuestion
from watthour.api.state import ApiState
from watthour.workflows import view
from watthour.workflows.homes import devices_of, home_named, part_named

router = APIRouter(prefix="/api/v1/homes", tags=["homes"])

Asked = Annotated[InsightsQuestion, Query()]


@router.get("/{home}/insights", summary="Insights of a home", responses=problems(404))
async def home_insights(state: ApiState, home: HomeId, asked: Asked) -> HomeInsightsAnswer:
    """Tell what is odd, what is always on, who uses most, when the peaks were, and what changed, with the evidence."""

    def look() -> HomeInsightsAnswer:
        from watthour.workflows.insights import home_insights as insights_of

        site, now = home_named(state.app.store, home), state.now()
        found = insights_of(
            state.app.store, site, now=now, days=asked.days, false_alarms_per_week=asked.false_alarms_per_week
        )
        return HomeInsightsAnswer.model_validate(view.home_insights_entry(site, found, now))

    return await state.compute.run(look)


@router.get("/{home}/devices/{device}/insights", summary="Insights of a device", responses=problems(404))
async def device_insights(state: ApiState, home: HomeId, device: PartId, asked: Asked) -> DeviceInsightsAnswer:
    """Tell how often it was used, what is odd, what it draws while idle, and what it adds to the mains."""

    def look() -> DeviceInsightsAnswer:
        from watthour.workflows.insights import device_insights as insights_of

        site, now = home_named(state.app.store, home), state.now()
        part = part_named("device", device, devices_of(state.app.store, site))
        found = insights_of(
            state.app.store, site, part, now=now, days=asked.days, false_alarms_per_week=asked.false_alarms_per_week
        )
        return DeviceInsightsAnswer.model_validate(view.device_insights_entry(site, part, found, now))

    return await state.compute.run(look)
