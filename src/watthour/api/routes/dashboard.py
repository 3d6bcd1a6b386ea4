"""The answers that dashboards of a household's appliances ask for."""

from collections.abc import Callable, Hashable
from datetime import datetime, time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response

from watthour.api.answers import A, T, answer_bytes, json_of, known_home, n_told, served_or_none, warm_part
from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.routes.usage import usage_of
from watthour.api.schemas.dashboard import Appliances, Dashboard, DevicePage, KnownDevices, WeekForecast, WhichHome
from watthour.api.state import ApiState, State
from watthour.core.errors import NotEnoughHistory
from watthour.workflows import view
from watthour.workflows.homes import devices_of, home_named, part_named
from watthour.workflows.leads import MOST_DAYS_AHEAD, measured_coverage
from watthour.workflows.usage import HomeUsage
from watthour.workflows.view import household as work

if TYPE_CHECKING:
    from watthour.workflows.insights import DeviceInsights, HomeInsights

router = APIRouter(prefix="/api", tags=["dashboard"])

_A_DAY_S = 86_400.0
_TOO_SHORT = "Null where fewer than 168 intervals of past days could be forecast again so far ahead and compared."
_SUM_OF_DEVICES = (
    "Null: the home is forecast as the sum of its devices, and a sum has no interval that could be measured."
)

Asked = Annotated[WhichHome, Query()]
DeviceName = Annotated[
    str,
    Path(max_length=200, description="Id, last word of the id, or name of the device.", examples=["washing_machine"]),
]


@router.get("/dashboard", summary="A home at a glance", response_model=Dashboard, responses=problems(404))
async def dashboard(state: ApiState, asked: Asked) -> Response:
    """Tell what a home draws now, will use in the next 24 hours, who uses most, and what is worth knowing."""
    of, store = await _household(state, asked), state.app.store

    def insights_of() -> "HomeInsights":
        from watthour.workflows.insights import home_insights

        return home_insights(store, of.home, now=work.presence(store, of, state.now()))

    ahead = await _ahead(state, of)
    insights = await _warm(state, of, ("home_insights", of.home.id), insights_of)
    usage = await _usage(state, of)
    planner = state.app.planner
    plan = await state.compute.run(
        lambda: planner.in_force(of.home, now=state.now()) if planner.is_possible(of.home, now=state.now()) else None
    )
    look = partial(view.dashboard, store, of, usage=usage, ahead=ahead, insights=insights, plan=plan)
    return await _answer(state, of, Dashboard, lambda: look(now=state.now()))


@router.get("/devices", summary="Devices of a home", response_model=KnownDevices, responses=problems(404))
async def known_devices(state: ApiState, asked: Asked) -> Response:
    """List the devices with where they stand and whether they are on."""
    of = await _household(state, asked)
    usage = await _usage(state, of)
    return await _answer(state, of, KnownDevices, lambda: view.device_list(state.app.store, of, usage))


@router.get(
    "/device/{device_id}/insights",
    summary="What to know of a device",
    response_model=DevicePage,
    responses=problems(404),
)
async def device_page(state: ApiState, device_id: DeviceName, asked: Asked) -> Response:
    """Tell whether it uses more than before, how much of it while working, and what could be done."""
    of, store = await _household(state, asked), state.app.store
    device = part_named("device", device_id, await state.compute.run(lambda: devices_of(store, of.home)))

    def known() -> "tuple[DeviceInsights, work.Trend | None]":
        from watthour.workflows.insights import device_insights

        now = work.presence(store, of, state.now())
        return device_insights(store, of.home, device, now=now), work.trend(store, of.home, device, now)

    ahead = await _ahead(state, of)
    insights, trend = await _warm(state, of, ("device_insights", device.id), known)
    look = partial(view.device_page, store, of, device, insights, trend, ahead)
    return await _answer(state, of, DevicePage, lambda: look(now=state.now()))


@router.get(
    "/forecast", summary="The next seven days of a home", response_model=WeekForecast, responses=problems(404, 409)
)
async def week_ahead(state: ApiState, asked: Asked) -> Response:
    """Forecast seven local days with the highest hour of each, and how far such forecasts held."""
    of = await _household(state, asked)
    ahead = await _ahead(state, of, whole_days=True)
    if not ahead.hours:
        problem = " ".join(ahead.problems) or f"the readings of {of.home.name} have steps longer than an hour"
        remedy = "Send readings to POST /api/v1/readings, or add them with `watthour import FILE`."
        raise NotEnoughHistory(problem, remedy=remedy)
    coverage, present = await _coverage(state, of, ahead)
    response = await _answer(state, of, WeekForecast, lambda: view.week_ahead(ahead, coverage, present))
    if len(coverage) < MOST_DAYS_AHEAD:
        response.headers["Watthour-Confidence"] = _TOO_SHORT if of.is_measured else _SUM_OF_DEVICES
    if ahead.left_out:
        response.headers["Watthour-Left-Out"] = ", ".join(ahead.left_out)
    return response


@router.get("/appliances", summary="Devices and what they use", response_model=Appliances, responses=problems(404))
async def appliances(state: ApiState, asked: Asked) -> Response:
    """List the devices with their power now and on average, and what may be done with the time of their use."""
    of, store = await _household(state, asked), state.app.store
    means = await _warm(
        state,
        of,
        ("mean_powers", of.home.id),
        lambda: work.mean_powers(store, of, work.presence(store, of, state.now())),
    )
    usage = await _usage(state, of)
    return await _answer(state, of, Appliances, lambda: view.appliances(store, of, usage, means))


async def _household(state: State, asked: WhichHome) -> work.Household:
    """Return the home that is named, or else the usual one."""
    app = state.app

    def find() -> work.Household:
        home = (
            next(iter(work.usual_homes(app.store)), None) if asked.home is None else home_named(app.store, asked.home)
        )
        if home is None:
            remedy = "Add one with POST /api/v1/homes or `watthour home add`, then send its readings."
            raise Refusal(HTTPStatus.NOT_FOUND, "no-home", "There is no home.", remedy=remedy)
        return work.household_of(app.store, app.directories, home)

    return await state.warm.get(
        ("household", asked.home), find, lifetime_s=state.limits.state_lifetime_s, state=n_told(state)
    )


async def _ahead(state: State, of: work.Household, *, whole_days: bool = False) -> work.HomeAhead:
    app = state.app

    def look() -> work.HomeAhead:
        served = partial(served_or_none, state)
        return work.home_ahead(app.store, app.registry, of, now=state.now(), whole_days=whole_days, served=served)

    return await _warm(state, of, ("home_ahead", of.home.id, whole_days), look)


async def _coverage(state: State, of: work.Household, ahead: work.HomeAhead) -> tuple[dict[int, float], datetime]:
    """Return the measured coverage of a home's forecasts by days ahead, once a day, and when its present is."""
    store = state.app.store
    present = await state.compute.run(lambda: work.presence(store, of, state.now()))
    if ahead.main is None:
        return {}, present
    context, found = ahead.main
    version = found["model_version"]

    def look() -> dict[int, float]:
        clock = time(state.app.settings.issue_hour)
        return measured_coverage(store, state.app.registry, context, version, now=present, issue_clock=clock)

    first = (await state.compute.run(store.spans))[context.channel.id][0]
    day = present.astimezone(ZoneInfo(context.time_zone)).date()
    measured = await state.warm.get(
        ("coverage", context.channel.id), look, lifetime_s=_A_DAY_S, state=(day, first, version), name="coverage"
    )
    return measured, present


async def _warm(state: State, of: work.Household, question: tuple[Hashable, ...], look: Callable[[], T]) -> T:
    """Return what is kept of a home, unless a reading, a use or a model of it came since."""
    contexts = [each.context for each in of.entities if each.is_stored]
    return await warm_part(state, contexts, question, look, parts=of.channels, logs=of.devices)


async def _answer(state: State, of: work.Household, schema: type[A], look: Callable[[], object]) -> Response:
    """Answer with exactly the fields that are asked for; the headers say which home it is, and if it is simulated."""
    response = json_of(await state.compute.run(lambda: answer_bytes(schema, look())))
    response.headers["Watthour-Home"] = of.home.id
    response.headers["Watthour-Simulated"] = str(of.home.is_simulated).lower()
    return response


async def _usage(state: State, of: work.Household) -> HomeUsage:
    return await usage_of(state, await known_home(state, of.home.id))
