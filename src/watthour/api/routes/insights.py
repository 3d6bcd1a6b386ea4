"""What is worth knowing about a home, or a device in it."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response

from watthour.api.answers import answer_bytes, json_of, known_home, warm_part_of_home
from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId, PartId
from watthour.api.schemas.insights import DeviceInsightsAnswer, HomeInsightsAnswer, InsightsQuestion
from watthour.api.state import ApiState
from watthour.workflows import view
from watthour.workflows.homes import part_named

if TYPE_CHECKING:
    from watthour.workflows.insights import DeviceInsights, HomeInsights

router = APIRouter(prefix="/api/v1/homes", tags=["homes"])

Asked = Annotated[InsightsQuestion, Query()]


@router.get(
    "/{home}/insights", summary="Insights of a home", response_model=HomeInsightsAnswer, responses=problems(404)
)
async def home_insights(state: ApiState, home: HomeId, asked: Asked) -> Response:
    """Tell what is odd, what is always on, who uses most, when the peaks were, and what changed, with the evidence."""
    of = await known_home(state, home)
    days, rate = asked.days, asked.false_alarms_per_week

    def look() -> "HomeInsights":
        from watthour.workflows.insights import home_insights as insights_of

        return insights_of(state.app.store, of.site, now=state.now(), days=days, false_alarms_per_week=rate)

    found = await warm_part_of_home(state, of, ("insights", days, rate), look)
    entry = view.home_insights_entry
    return json_of(
        await state.compute.run(lambda: answer_bytes(HomeInsightsAnswer, entry(of.site, found, state.now())))
    )


@router.get(
    "/{home}/devices/{device}/insights",
    summary="Insights of a device",
    response_model=DeviceInsightsAnswer,
    responses=problems(404),
)
async def device_insights(state: ApiState, home: HomeId, device: PartId, asked: Asked) -> Response:
    """Tell how often it was used, what is odd, what it draws while idle, and what it adds to the mains."""
    of = await known_home(state, home)
    part = part_named("device", device, of.devices)
    days, rate = asked.days, asked.false_alarms_per_week

    def look() -> "DeviceInsights":
        from watthour.workflows.insights import device_insights as insights_of

        return insights_of(state.app.store, of.site, part, now=state.now(), days=days, false_alarms_per_week=rate)

    found = await warm_part_of_home(state, of, ("insights", part.id, days, rate), look)
    entry = view.device_insights_entry
    return json_of(
        await state.compute.run(lambda: answer_bytes(DeviceInsightsAnswer, entry(of.site, part, found, state.now())))
    )
