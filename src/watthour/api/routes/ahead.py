"""The hours ahead of any site, and of the channels, devices and zones in it."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from watthour.api.answers import answer_bytes, served_or_none, warm_answer
from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.ahead import AheadQuestion, SiteAhead
from watthour.api.state import ApiState, State
from watthour.core.channel import Site
from watthour.workflows import view
from watthour.workflows.entities import Entity, entities, find_site
from watthour.workflows.homes import home_named

router = APIRouter(prefix="/api/v1", tags=["forecasts"])

SiteName = Annotated[str, Path(max_length=100, description="Id or name of the site.", examples=["ny"])]


@router.get(
    "/homes/{home}/forecast",
    summary="The hours ahead of a home, its devices and zones",
    response_model=SiteAhead,
    responses=problems(404, 409),
)
async def home_forecast(state: ApiState, home: HomeId, asked: Annotated[AheadQuestion, Query()]) -> Response:
    """Forecast from the latest readings, whose age is told; ask for many channels, devices and zones at once."""
    return await _ahead(state, lambda: home_named(state.app.store, home), ("home", home), asked)


@router.get(
    "/sites/{site}/forecast",
    summary="The hours ahead of any site and of its channels",
    response_model=SiteAhead,
    responses=problems(404, 409),
)
async def site_forecast(state: ApiState, site: SiteName, asked: Annotated[AheadQuestion, Query()]) -> Response:
    """Forecast from the latest readings, as for a home; a region's local day with all beside it is under `grid`."""
    app = state.app
    return await _ahead(state, lambda: find_site(app.store, app.directories, site), ("site", site), asked)


async def _ahead(state: State, find: Callable[[], Site], name: tuple[str, str], asked: AheadQuestion) -> Response:
    app = state.app
    question = (*name, tuple(asked.channel), tuple(asked.device), tuple(asked.zone))

    def those() -> tuple[Site, tuple[Entity, ...]]:
        site = find()
        named = {"channels": asked.channel, "devices": asked.device, "zones": asked.zone}
        return site, tuple(entities(app.store, app.directories, site, **named))

    site, found = await state.warm.get(("entities", *question), those, lifetime_s=state.limits.state_lifetime_s)

    def look() -> bytes:
        content = view.ahead_of_all(
            app.store,
            app.registry,
            site,
            found,
            hours=asked.hours,
            now=state.now(),
            served=partial(served_or_none, state),
        )
        return answer_bytes(SiteAhead, content)

    contexts = [each.context for each in found if each.is_stored]
    parts = [channel.id for each in found for channel in each.parts]
    logs = [each.device for each in found if each.device is not None]
    return await warm_answer(state, contexts, ("ahead", *question, asked.hours), look, parts=parts, logs=logs)
