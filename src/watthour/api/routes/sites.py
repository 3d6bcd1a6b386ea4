"""Sites of one's own: described, looked at, changed and removed."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from watthour.api.contract import problems
from watthour.api.schemas.sites import (
    HolidayCalendars,
    HolidayCountry,
    NewChannel,
    NewPoint,
    NewSite,
    OptionalHolidays,
    RemovedSite,
    SiteChange,
    SiteEntry,
    SiteList,
)
from watthour.api.state import ApiState, State
from watthour.core.channel import Site
from watthour.core.place import Point
from watthour.forecasting.holiday_calendars import calendars, likely_calendar
from watthour.forecasting.optional_calendars import OPTIONAL
from watthour.workflows import view
from watthour.workflows.own_sites import ChannelWords, SiteWords, add_site, change_site, remove_site
from watthour.workflows.sites import site_named

router = APIRouter(prefix="/api/v1", tags=["sites"])

SiteId = Annotated[str, Path(max_length=100, description="Id or name of the site.", examples=["summer_house"])]


@router.get("/sites", summary="All sites of the store", responses=problems())
async def sites(state: ApiState) -> SiteList:
    """List every site with its place, its series, its weather and its model."""
    app = state.app
    return await state.compute.run(
        lambda: SiteList.model_validate(view.site_list(app.store, app.registry, app.directories, app.settings.sites))
    )


@router.post("/sites", status_code=201, summary="Add a site", responses=problems(403, 413, 507))
async def new_site(state: ApiState, asked: NewSite) -> SiteEntry:
    """Describe a home or anything larger whose load is, or will be, in files; with coordinates its weather follows."""
    words = SiteWords(
        **asked.model_dump(exclude={"points", "channels"}),
        points=_points(asked.points),
        channels=channel_words_of(asked.channels),
    )
    return await _written(state, lambda: add_site(state.app.store, state.app.directories, words))


@router.get("/sites/{site}", summary="One site", responses=problems(404))
async def one_site(state: ApiState, site: SiteId) -> SiteEntry:
    """Tell where it is, what is measured there, and what is missing for a forecast."""
    return await state.compute.run(lambda: _entry(state, site_named(state.app.store, site)))


@router.patch("/sites/{site}", summary="Change a site", responses=problems(403, 404, 413, 507))
async def changed_site(state: ApiState, site: SiteId, asked: SiteChange) -> SiteEntry:
    """Change what is named and leave the rest; a channel with readings keeps its unit and step."""
    changes: dict[str, object] = asked.model_dump(exclude_unset=True, exclude={"points", "channels"})
    if "points" in asked.model_fields_set:
        changes["points"] = _points(asked.points)
    app = state.app
    channels = channel_words_of(asked.channels)
    return await _written(
        state,
        lambda: change_site(app.store, app.directories, site, changes, channels=channels, settled=app.settings.sites),
    )


@router.delete("/sites/{site}", summary="Remove a site", responses=problems(403, 404, 507))
async def removed_site(
    state: ApiState,
    site: SiteId,
    *,
    delete_readings: Annotated[
        bool,
        Query(
            description="Also delete its readings and forecasts, permanently. By default, a site with readings stays."
        ),
    ] = False,
) -> RemovedSite:
    """Remove a site with its series, weather and forecasts; its saved models stay."""
    app = state.app

    def remove() -> Site:
        settled = app.settings.sites
        return remove_site(app.store, app.kept_files, site, with_readings=delete_readings, settled=settled)

    gone = await state.compute.run(remove)
    state.warm.drop()
    return RemovedSite(id=gone.id, name=gone.name)


@router.get("/holidays", summary="Calendars of public holidays", responses=problems())
async def holiday_calendars(
    state: ApiState,
    time_zone: Annotated[
        str | None,
        Query(max_length=64, description="Time zone whose country is wanted.", examples=["Australia/Sydney"]),
    ] = None,
) -> HolidayCalendars:
    """List every calendar, the one that is likely where this clock is kept, and those that can be joined to it."""

    def look() -> HolidayCalendars:
        countries = [HolidayCountry(code=code, parts=list(parts)) for code, parts in calendars().items()]
        optional = [OptionalHolidays(code=each.code, name=each.name, says=each.says) for each in OPTIONAL.values()]
        likely = likely_calendar(time_zone) if time_zone else None
        return HolidayCalendars(likely=likely, countries=countries, optional=optional)

    return await state.compute.run(look)


async def _written(state: State, write: Callable[[], Site]) -> SiteEntry:
    entry = await state.compute.run(lambda: _entry(state, write()))
    state.warm.drop()
    return entry


def _entry(state: State, site: Site) -> SiteEntry:
    app = state.app
    return SiteEntry.model_validate(view.site_entry(app.store, app.registry, app.directories, site, app.settings.sites))


def _points(points: Sequence[NewPoint]) -> list[Point]:
    return [Point(**point.model_dump()) for point in points]


def channel_words_of(channels: Sequence[NewChannel]) -> list[ChannelWords]:
    """Return channels as they are described in requests in the words of the workflows."""
    return [ChannelWords(each.name, each.unit, timedelta(seconds=each.resolution_seconds)) for each in channels]
