"""Homes with their zones, devices and uses; towns by name; and rows that meters send."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from watthour.api.answers import answer_bytes
from watthour.api.contract import problems
from watthour.api.problems import FieldProblem, Refusal, shown
from watthour.api.received import check_count, keep, kept_rows
from watthour.api.routes.sites import channel_words_of
from watthour.api.schemas.homes import (
    DeviceChange,
    DeviceEntry,
    DeviceList,
    EventPage,
    EventsQuestion,
    HomeChange,
    HomeEntry,
    HomeList,
    KeptRows,
    NewDevice,
    NewHome,
    NewZone,
    PlaceList,
    RemovedPart,
    SentRows,
    ZoneEntry,
    ZoneList,
)
from watthour.api.state import ApiState, State
from watthour.api.times import instant, window_of
from watthour.core.channel import Device, Site, Zone
from watthour.workflows import homes as work
from watthour.workflows import view
from watthour.workflows.places import holidays_of, places_named
from watthour.workflows.receive import Received

router = APIRouter(prefix="/api/v1", tags=["homes"])

MOST_TOLD = 100  # refused rows that are named where none could be kept

HomeId = Annotated[str, Path(max_length=100, description="Id or name of the home.", examples=["summer_house"])]
PartId = Annotated[
    str, Path(max_length=200, description="Id, last word of the id, or name.", examples=["washing_machine"])
]
DeleteReadings = Annotated[
    bool,
    Query(description="Also delete its readings and uses, permanently. By default, a device that has some stays."),
]


@router.get("/homes", summary="All homes", response_model=HomeList, responses=problems())
async def homes(state: ApiState) -> Response:
    """List every home with its zones and devices."""
    app = state.app
    content = await state.compute.run(
        lambda: answer_bytes(HomeList, view.home_list(app.store, app.registry, app.directories, app.settings.sites))
    )
    return Response(content, media_type="application/json")


@router.post("/homes", status_code=201, summary="Add a home", responses=problems(403, 413, 502, 507))
async def new_home(state: ApiState, asked: NewHome) -> HomeEntry:
    """Describe a home by its time zone or its town; devices, zones and readings can follow."""
    said = asked.model_dump(exclude={"channels"})
    app = state.app
    words = work.HomeWords(**said, channels=channel_words_of(asked.channels))
    return await _written(state, lambda: work.add_home(app.store, app.directories, app.gazetteer, words))


@router.get("/homes/{home}", summary="One home", responses=problems(404))
async def one_home(state: ApiState, home: HomeId) -> HomeEntry:
    """Tell where it is, what is in it, what is measured there, and what is missing for a forecast."""
    return await state.compute.run(lambda: _entry(state, work.home_named(state.app.store, home)))


@router.patch("/homes/{home}", summary="Change a home", responses=problems(403, 404, 413, 502, 507))
async def changed_home(state: ApiState, home: HomeId, asked: HomeChange) -> HomeEntry:
    """Change what is named and leave the rest; a channel with readings keeps its unit and step."""
    changes: dict[str, object] = asked.model_dump(exclude_unset=True, exclude={"channels"})
    app = state.app
    channels = channel_words_of(asked.channels)
    settled = app.settings.sites
    change = partial(work.change_home, app.store, app.directories, app.gazetteer, home, changes)
    return await _written(state, lambda: change(channels=channels, settled=settled))


@router.get("/homes/{home}/devices", summary="Devices of a home", responses=problems(404))
async def devices(state: ApiState, home: HomeId) -> DeviceList:
    """List the devices with their kind, rating, flexibility, zone and channels."""
    return DeviceList(devices=(await one_home(state, home)).devices)


@router.post("/homes/{home}/devices", status_code=201, summary="Add a device", responses=problems(403, 404, 413, 507))
async def new_device(state: ApiState, home: HomeId, asked: NewDevice) -> DeviceEntry:
    """Describe a device, and what is measured at it."""
    words = work.DeviceWords(**asked.model_dump(exclude={"channels"}), channels=channel_words_of(asked.channels))
    return await _device(state, lambda: work.add_device(state.app.store, home, words))


@router.patch("/homes/{home}/devices/{device}", summary="Change a device", responses=problems(403, 404, 413, 507))
async def changed_device(state: ApiState, home: HomeId, device: PartId, asked: DeviceChange) -> DeviceEntry:
    """Change what is named and leave the rest; its id stays."""
    changes: dict[str, object] = asked.model_dump(exclude_unset=True, exclude={"channels"})
    channels = channel_words_of(asked.channels)
    return await _device(state, lambda: work.change_device(state.app.store, home, device, changes, channels=channels))


@router.delete("/homes/{home}/devices/{device}", summary="Remove a device", responses=problems(403, 404, 507))
async def removed_device(
    state: ApiState, home: HomeId, device: PartId, *, delete_readings: DeleteReadings = False
) -> RemovedPart:
    """Remove a device with its channels and uses."""
    app = state.app
    return await _removed(
        state, lambda: work.remove_device(app.store, home, device, with_readings=delete_readings, links=app.links)
    )


@router.get("/homes/{home}/zones", summary="Zones of a home", responses=problems(404))
async def zones(state: ApiState, home: HomeId) -> ZoneList:
    """List the rooms, floors or other parts with what is in them."""
    return ZoneList(zones=(await one_home(state, home)).zones)


@router.post("/homes/{home}/zones", status_code=201, summary="Add a zone", responses=problems(403, 404, 413, 507))
async def new_zone(state: ApiState, home: HomeId, asked: NewZone) -> ZoneEntry:
    """Name a room, a floor or another part of a home, and what is measured in it."""
    store = state.app.store
    channels = channel_words_of(asked.channels)

    def add() -> ZoneEntry:
        zone = work.add_zone(store, home, asked.name, word=asked.id, channels=channels)
        entry = view.zone_entry(zone, store.devices(), work.channels_of(store, zone))
        return ZoneEntry.model_validate(entry)

    entry = await state.compute.run(add)
    state.warm.drop()
    return entry


@router.delete("/homes/{home}/zones/{zone}", summary="Remove a zone", responses=problems(403, 404, 507))
async def removed_zone(state: ApiState, home: HomeId, zone: PartId) -> RemovedPart:
    """Remove a zone; devices and channels in it stay, in no zone."""
    return await _removed(state, lambda: work.remove_zone(state.app.store, home, zone))


@router.get("/homes/{home}/events", summary="Uses of devices", responses=problems(404))
async def events(state: ApiState, home: HomeId, asked: Annotated[EventsQuestion, Query()]) -> EventPage:
    """Answer with the uses that began in a window, each as it was known at `as_of`; follow `next` for more."""

    def look() -> EventPage:
        store = state.app.store
        site = work.home_named(store, home)
        found = work.devices_of(store, site)
        if asked.device is not None:
            found = [work.part_named("device", asked.device, found)]
        window = window_of(asked.start, asked.end, state.now(), site.place.time_zone)
        as_of = instant("as_of", asked.as_of) if asked.as_of else None
        return EventPage.model_validate(view.home_events(store, site, found, window, limit=asked.limit, as_of=as_of))

    return await state.compute.run(look)


@router.get("/places", summary="Towns by name", responses=problems(502))
async def places(
    state: ApiState,
    name: Annotated[
        str,
        Query(
            min_length=1,
            max_length=100,
            description="A town; its part of the country or its country may follow a comma.",
            examples=["Lyon, France"],
        ),
    ],
) -> PlaceList:
    """List the towns that a name can mean, the largest first, with the time zone and the holidays there."""

    def look() -> PlaceList:
        found = places_named(state.app.gazetteer, name)
        return PlaceList.model_validate(view.place_list(found, [holidays_of(place) for place in found]))

    return await state.compute.run(look)


@router.post("/readings", summary="Send readings and samples", responses=problems(403, 413, 507), tags=["readings"])
async def send_readings(state: ApiState, asked: SentRows) -> KeptRows:
    """Keep rows durably and tell which were refused, with the cure; sending them again changes nothing.

    Where none of the rows can be kept the answer is 400 and names the first of them.
    """
    check_count(asked)
    done = await state.receiving.run(partial(keep, state, asked))
    if done.refused and not done.accepted:
        raise _all_refused(done)
    return kept_rows(done)


def _all_refused(done: Received) -> Refusal:
    """Return why none of the rows could be kept: each of the first with what is wrong and the cure."""
    first = done.refused[0]
    refusal = Refusal(
        HTTPStatus.BAD_REQUEST,
        "all-rows-refused",
        f"None of the {len(done.refused):,} rows can be kept. {first.table}.{first.row}.{first.field}: {first.problem}",
        remedy=first.remedy,
    )
    refusal.problem.field = f"{first.table}.{first.row}.{first.field}"
    refusal.problem.value = shown(first.value)
    refusal.problem.errors = [
        FieldProblem(
            field=f"{each.table}.{each.row}.{each.field}",
            problem=f"{each.problem}. {each.remedy}",
            value=shown(each.value),
        )
        for each in done.refused[:MOST_TOLD]
    ]
    return refusal


async def _written(state: State, write: Callable[[], Site]) -> HomeEntry:
    entry = await state.compute.run(lambda: _entry(state, write()))
    state.warm.drop()
    return entry


async def _device(state: State, write: Callable[[], Device]) -> DeviceEntry:
    def work_and_look() -> DeviceEntry:
        device, store = write(), state.app.store
        return DeviceEntry.model_validate(view.device_entry(device, work.channels_of(store, device), store.spans()))

    entry = await state.compute.run(work_and_look)
    state.warm.drop()
    return entry


async def _removed(state: State, remove: Callable[[], Zone | Device]) -> RemovedPart:
    gone = await state.compute.run(remove)
    state.warm.drop()
    return RemovedPart(id=gone.id, name=gone.name)


def _entry(state: State, home: Site) -> HomeEntry:
    app = state.app
    return HomeEntry.model_validate(view.home_entry(app.store, app.registry, app.directories, home, app.settings.sites))
