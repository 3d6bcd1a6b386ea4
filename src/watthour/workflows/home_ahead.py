"""What is foreseen of a home for a plan, step by step: prices, carbon, load and sun, and what of it is not known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.channel import DeviceKind
from watthour.core.errors import InvalidInput, NotEnoughHistory, UnknownName
from watthour.core.loads import loads_of_device, main_load
from watthour.core.names import id_for
from watthour.core.quality import is_trusted
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import DAY, HOUR, Window, floor, local_midnight
from watthour.forecasting.outlook import MEMORY, Clock, Outlook, outlook
from watthour.workflows.carbon_series import carbon_at, no_carbon_words
from watthour.workflows.entities import entities, main_without
from watthour.workflows.equipment import device_of
from watthour.workflows.homes import channels_of, devices_of
from watthour.workflows.kept_tariffs import tariff_of
from watthour.workflows.price_ahead import on_steps
from watthour.workflows.tariffs import home_prices, meter_of, metered_kwh, metered_steps
from watthour.workflows.view.ahead import MOST_HOURS, look_ahead
from watthour.workflows.view.carbon_ahead import carbon_ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.assets import Array
    from watthour.core.channel import Channel, Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.forecast import History
    from watthour.core.ports import ModelRegistry, Store
    from watthour.planning.prices import Mask, Prices
    from watthour.workflows.entities import Entity
    from watthour.workflows.equipment import Equipment
    from watthour.workflows.kept_tariffs import Tariffs

STEP = timedelta(minutes=15)
_SIGN_FROM = 366 * DAY  # before the present, whose readings of the sun tell its sign
_KIND_OF = {"HomeCar": DeviceKind.EV_CHARGER, "HomeBattery": DeviceKind.BATTERY, "HomeHeat": DeviceKind.HEAT_PUMP}
_BY_DAY = (9, 15)  # local hours
_FRESH = 2 * DAY  # readings of a device that ended earlier are not taken out of the load
_MEDIAN = 0.5
_LEAST_STEPS = 4


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a plan of a home finds what it needs."""

    store: Store
    registry: ModelRegistry
    directories: Sequence[SiteDirectory]
    tariffs: Tariffs


@dataclass(frozen=True, slots=True, eq=False)
class HomeAhead:
    """The steps of a plan and what is foreseen of them."""

    now: datetime  # at which it was foreseen
    window: Window
    currency: str
    import_price: Array  # [currency/kWh]
    export_price: Array
    is_price_forecast: Mask
    carbon: Array | None  # [gCO2e/kWh]; None: not known
    outlook: Outlook  # load and sun
    peak_price: float = 0.0
    peak_so_far_kw: float = 0.0
    remarks: list[str] = field(default_factory=list)
    assumed: set[str] = field(default_factory=set)  # names of batteries of which nothing tells what they hold


def first_step(now: datetime) -> datetime:
    """Return when the first step of a plan begins: the next quarter of an hour."""
    begun = floor(now.astimezone(UTC), STEP)
    return begun if begun == now else begun + STEP


def look_at_home(sources: Sources, home: Site, equipment: Equipment, *, hours: int, now: datetime) -> HomeAhead:
    """Return what is foreseen of a home, as far as its prices are known.

    Raises:
        UnknownName: the home has no tariff, or none yet.
        NotEnoughHistory: no price of the hours ahead is known.
    """
    start = first_step(now)
    remarks: list[str] = []
    prices = home_prices(sources.store, sources.registry, sources.tariffs, home, hours=hours + 1, now=now, step=STEP)
    offset = (start - prices.window.start) // STEP
    n_steps = _known_steps(sources, home, prices, offset, int(hours * HOUR / STEP), remarks)
    part = slice(offset, offset + n_steps)
    window = Window(start, start + n_steps * STEP)
    outlook = _load_and_sun(sources, home, equipment, window, now, remarks)
    peak_price, peak_so_far = _peak(sources, home, prices, now, remarks)
    return HomeAhead(
        now,
        window,
        prices.currency,
        prices.import_[part],
        np.nan_to_num(prices.export[part]),
        prices.is_forecast[part],
        _carbon(sources, home, window, now, remarks),
        outlook,
        peak_price,
        peak_so_far,
        remarks,
    )


def _known_steps(sources: Sources, home: Site, prices: Prices, offset: int, n_wished: int, remarks: list[str]) -> int:
    """Return how many steps are planned: up to the first whose price is not known."""
    remarks += prices.remarks
    unknown = np.flatnonzero(np.isnan(prices.import_[offset : offset + n_wished]))
    n_steps = int(unknown[0]) if len(unknown) else n_wished
    if n_steps < _LEAST_STEPS:
        at = prices.window.start + (offset + n_steps) * STEP
        currency = tariff_of(sources.tariffs, home, at).currency
        if currency != prices.currency:
            clock = f"{at.astimezone(ZoneInfo(home.place.time_zone)):%Y-%m-%d %H:%M}"
            problem = f"the tariff is in {prices.currency} until {clock}, and in {currency} since: no plan is in both"
            raise NotEnoughHistory(problem, remedy=f"Ask for a plan again at {clock}, or later.")
        remedy = "`watthour doctor` shows which source of prices delivers nothing; a tariff of one's own needs none."
        raise NotEnoughHistory("the price of the hours ahead is not known", remedy=remedy)
    if n_steps < n_wished:
        remarks.append(f"Prices are known for {n_steps * STEP / HOUR:g} h only, so no more is planned.")
    if np.isnan(prices.export[offset : offset + n_steps]).any():
        remarks.append("What is earned by feeding in is not known of some steps, and counts as nothing there.")
    return n_steps


def _load_and_sun(
    sources: Sources, home: Site, equipment: Equipment, window: Window, now: datetime, remarks: list[str]
) -> Outlook:
    """Return the load of a home without what is planned, and its sun; what a load feeds in is sun."""
    store = sources.store
    sun = None if equipment.solar is None else _Sun.of(store, home, equipment.solar, now)
    solar = None if sun is None else _solar(sources, home, sun, window, now, remarks)
    if sun is None and equipment.solar is not None:
        remarks.append(f"The sun cannot be foreseen ({home.name} has no channel {equipment.solar}), and is left out.")
    main = main_load(home, channels_of(store, home))
    if main is None:
        remarks.append(
            f"Nothing measures the whole of {home.name}: the plan is of what is shifted alone, and so are cost and "
            "carbon."
        )
        return _together(None, solar, home, window)
    without, left_in = _planned_channels(store, home, equipment, main, now)
    if left_in:
        remarks.append(
            f"The load that is foreseen holds the usual use of {', '.join(left_in)} as well, as nothing measures it "
            f"by itself.{_device_to_name(store, home, equipment)}"
        )
    if sun is not None and _is_apart(sun.channel, main, store, now):
        found = _rest_of_load(sources, home, without, sun, window, now, remarks)
        if found is not None:
            return _together(found, solar, home, window)
    found = _rest_of_load(sources, home, without, None, window, now, remarks)
    if found is None:
        return _together(None, solar, home, window)
    if sun is not None:
        remarks.append(
            f"The sun cannot be taken out of the load of {home.name} ({sun.channel.id} is in steps that do not fit "
            f"those of {main.id}, or too old), so the load is what the sun leaves of it, and only what is left over "
            "counts as sun."
        )
    return _together(found, None, home, window)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is known of a load or the sun for a plan."""

    ahead: Array  # the forecast of each step of the plan [kW]
    past: Array  # what was measured in each step before it; NaN: not known [kW]


def _together(load: _Seen | None, sun: _Seen | None, home: Site, window: Window) -> Outlook:
    """Return what load and sun do together; where too little of the past is known for that, what each is forecast."""
    clock = Clock(window.start, STEP, (window.end - window.start) // STEP, home.place.time_zone)
    nothing = _Seen(np.zeros(clock.n_steps), np.zeros(MEMORY // STEP))
    load = load or nothing
    found = outlook(load.past, None if sun is None else sun.past, clock)
    if found is not None:
        return found
    given = 0.0 if sun is None else sun.ahead
    none = np.zeros((0, clock.n_steps))
    return Outlook(np.maximum(load.ahead, 0.0), np.maximum(-load.ahead, 0.0) + given, none, none, np.zeros(0))


@dataclass(frozen=True, slots=True)
class _Sun:
    """What measures the sun of a home."""

    channel: Channel
    is_drawn: bool  # what it gives counts below zero, as something drawn less than nothing

    @classmethod
    def of(cls, store: Store, home: Site, name: str, now: datetime) -> _Sun | None:
        """Return it with the sign that its readings by day have; None: the channel is gone."""
        channel = next((each for each in channels_of(store, home) if each.id == name), None)
        if channel is None:
            return None
        rows = pl.DataFrame(store.read([name], Window(now - _SIGN_FROM, now), now)).filter(is_trusted())
        hour = pl.col("time").dt.convert_time_zone(home.place.time_zone).dt.hour()
        by_day = rows.filter(hour.is_between(*_BY_DAY, closed="left"))["value"].drop_nulls()
        return cls(channel, float(by_day.sum()) < 0)


def _rest_of_load(
    sources: Sources,
    home: Site,
    without: Sequence[Channel],
    sun: _Sun | None,
    window: Window,
    now: datetime,
    remarks: list[str],
) -> _Seen | None:
    """Return the load without some channels and the sun; None: it cannot be foreseen."""
    out = [*without, *([] if sun is None else [sun.channel])]
    given: frozenset[str] = frozenset() if sun is None or sun.is_drawn else frozenset([sun.channel.id])
    try:
        entity = main_without(
            sources.store, sources.directories, home, list({each.id: each for each in out}.values()), given=given
        )
        return _foreseen(sources, entity, window, now)
    except (NotEnoughHistory, InvalidInput) as error:
        if without:
            remarks.append(
                f"The load could not be foreseen without what is planned ({error.problem}), so it holds its usual use."
            )
            return _rest_of_load(sources, home, (), sun, window, now, remarks)
        if sun is None:
            remarks.append(
                f"The load of {home.name} cannot be foreseen ({error.problem}): the plan is of what is shifted alone, "
                "and so are cost and carbon."
            )
        return None


def _planned_channels(
    store: Store, home: Site, equipment: Equipment, main: Channel, now: datetime
) -> tuple[list[Channel], list[str]]:
    """Return what measures the things that are planned, and the names of things nothing fit measures."""
    channels = channels_of(store, home)
    found, left_in = [], []
    for thing in equipment.things:
        device = device_of(store, home, thing.device)
        loads = [] if device is None else loads_of_device(device, channels)
        fit = [each for each in loads if _is_apart(each, main, store, now)]
        found += fit
        if not fit or len(fit) < len(loads):
            left_in.append(thing.name)
    return list({each.id: each for each in found}.values()), left_in


def _device_to_name(store: Store, home: Site, equipment: Equipment) -> str:
    """Return how things that name no device can name one that is measured; empty: there is none of their kind."""
    channels, found = channels_of(store, home), []
    for thing in equipment.things:
        kind = _KIND_OF.get(type(thing).__name__, id_for(thing.name))
        measured = [each for each in devices_of(store, home) if each.kind == kind and loads_of_device(each, channels)]
        if thing.device is None and measured:
            found.append(f'device = "{measured[0].id.removeprefix(home.prefix + ".")}" for {thing.name}')
    return f" Say in the equipment what measures it: {', '.join(found)}." if found else ""


def _is_apart(channel: Channel, main: Channel, store: Store, now: datetime) -> bool:
    """Tell whether what a channel measures can be taken out of the load: in steps that fit, and until lately."""
    span = store.spans().get(channel.id)
    is_fresh = span is not None and now - span[1] <= _FRESH
    does_fit = channel.resolution <= main.resolution and not main.resolution % channel.resolution
    return is_fresh and does_fit and channel.id != main.id


def _solar(sources: Sources, home: Site, sun: _Sun, window: Window, now: datetime, remarks: list[str]) -> _Seen | None:
    """Return what the sun gives; what its inverter draws by night is none of it."""
    try:
        entity = entities(sources.store, sources.directories, home, channels=[sun.channel.id])[0]
        found = _foreseen(sources, entity, window, now)
    except (NotEnoughHistory, UnknownName, InvalidInput) as error:
        remarks.append(f"The sun cannot be foreseen ({error.problem}), and is left out.")
        return None
    sign = -1.0 if sun.is_drawn else 1.0
    return _Seen(np.maximum(sign * found.ahead, 0.0), np.maximum(sign * found.past, 0.0))


def _foreseen(sources: Sources, entity: Entity, window: Window, now: datetime) -> _Seen:
    """Return the forecast power of something in each step of a plan, and what was measured of it.

    Raises:
        NotEnoughHistory: an hour of it is not foreseen.
    """
    hours = min(-(-(window.end - now) // HOUR) + 2, MOST_HOURS)
    made = look_ahead(sources.store, sources.registry, entity, hours=int(hours), now=now)
    channel = entity.context.channel
    rows = made.issue.rows.filter(pl.col("model") == made.issue.model, pl.col("level") == _MEDIAN)
    latest = rows.sort("issued_at").unique("time", keep="last").sort("time")
    if made.is_archive:
        problem = f"the readings of {entity.name} ended long ago"
        raise NotEnoughHistory(problem, remedy="`watthour doctor` shows what delivers no new data.")
    is_energy = channel.quantity is Quantity.ENERGY
    factor, _ = conversion(channel.unit, Unit.KWH if is_energy else Unit.KW)
    factor /= (channel.resolution / HOUR) if is_energy else 1.0
    ahead = _on_steps(latest["time"].to_list(), latest["value"].to_numpy() * factor, channel.resolution, window)
    return _Seen(ahead, factor * _measured(made.history, window.start))


def _measured(history: History, until: datetime) -> Array:
    """Return the trusted readings of something in each step before a plan, in its unit; NaN: not known."""
    channel, span = history.context.channel, Window(until - MEMORY, until)
    rows = (
        history.latest()
        .filter(pl.col("channel") == channel.id, is_trusted(), pl.col("time") > span.start - channel.resolution)
        .drop_nulls("value")
        .sort("time")
    )
    if rows.is_empty():
        return np.full(MEMORY // STEP, np.nan)
    begin: datetime = rows["time"][0]
    place = (rows["time"] - begin).dt.total_microseconds().to_numpy() // (
        channel.resolution // timedelta(microseconds=1)
    )
    n_before = max(-(-(begin - span.start) // channel.resolution), 0)
    values = np.full(max(n_before + int(place[-1]) + 1, 1 + (until - span.start) // channel.resolution + 1), np.nan)
    values[n_before + place] = rows["value"].to_numpy()
    return on_steps(values, begin - n_before * channel.resolution, channel.resolution, span, STEP)


def _on_steps(times: Sequence[datetime], values: Array, length: timedelta, window: Window) -> Array:
    """Return the mean of a series in each step of a window.

    Raises:
        NotEnoughHistory: it does not cover the window.
    """
    start = min(times, default=window.start)
    places = [(time - start) // length for time in times]
    known = np.full(max(places, default=-1) + 1, np.nan)
    known[places] = np.where(np.isfinite(values), values, np.nan)
    means = on_steps(known, start, length, window, STEP)
    if np.isnan(means).any():
        missing = window.start + int(np.argmax(np.isnan(means))) * STEP
        problem = f"nothing is foreseen of {missing:%Y-%m-%d %H:%M} UTC"
        raise NotEnoughHistory(problem, remedy="Bring in more of the past.")
    return means


def _carbon(sources: Sources, home: Site, window: Window, now: datetime, remarks: list[str]) -> Array | None:
    """Return the carbon intensity of what is imported, by the region of the home's grid zone. [gCO2e/kWh]."""
    series = carbon_at(sources.store, home)
    if series is None:
        remarks.append(f"{no_carbon_words(sources.store, home)} So money alone is planned: docs/how-to/plan-a-day.md.")
        return None
    region = next(each for each in sources.store.sites() if each.id == series.channel.site)
    try:
        ahead = carbon_ahead(
            sources.store, sources.registry, sources.directories, region, channel=series.channel.id, now=now
        )
        return np.maximum(_on_steps(list(ahead.course.times), ahead.course.expected, ahead.course.step, window), 0.0)
    except NotEnoughHistory as error:
        remarks.append(f"The carbon of the hours ahead is not known ({error.problem}), so money alone is planned.")
        return None


def _peak(sources: Sources, home: Site, prices: Prices, now: datetime, remarks: list[str]) -> tuple[float, float]:
    """Return what a kW of a higher peak costs, and the highest import of the month so far, or what is free. [kW]."""
    if not prices.peaks:
        return 0.0, 0.0
    term = prices.peaks[0]
    zone = home.place.time_zone
    begin = local_midnight(now.astimezone(ZoneInfo(zone)).date().replace(day=1), zone)
    try:
        meter = meter_of(sources.store, home, tariff_of(sources.tariffs, home, now).drawn)
        whole = metered_steps(sources.store, meter, Window(begin, now)) if now > begin else None
        used = np.array([]) if whole is None else metered_kwh(sources.store, meter, whole, now)
        known = used[~np.isnan(used)] / (meter.resolution / HOUR)
    except UnknownName:
        known = np.array([])
    if not len(known):
        remarks.append("The peak of the month so far is not known, so any peak counts as new.")
    highest = float(known.max()) if len(known) else 0.0
    return term.price_per_kw, max(term.free_kw, highest, 0.0)
