"""One invented home beside the invented region: its past as a source, and marked in every row."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from watthour.core.channel import Channel, Device, DeviceKind, Site, SiteKind, Zone, home_limits, usual_flexibility
from watthour.core.forecast import Context
from watthour.core.frames import INSTANT, Events, Forecasts, Quality, Readings, Refused
from watthour.core.place import Place
from watthour.core.ports import Delivery
from watthour.core.units import Quantity, Unit
from watthour.core.vintage import stamp
from watthour.core.window import DAY, Window
from watthour.simulation.home import Meant, SimulatedHome, Tariff, Traits
from watthour.simulation.simtown import SITE as TOWN
from watthour.simulation.sky import day_of, sky_of
from watthour.simulation.steps import joined, together
from watthour.simulation.town import SimulatedRegion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    import dataframely as dy

    from watthour.simulation.home import HomeDay
    from watthour.simulation.noise import Array
    from watthour.simulation.sky import Sky
    from watthour.simulation.steps import Numbers, Steps

STEP = timedelta(minutes=15)
_STEP_S = 900

HOME = Site(
    id="simtown_home",
    name="Home in Simtown (simulated)",
    kind=SiteKind.HOME,
    place=Place(TOWN.place.time_zone, holidays=TOWN.place.holidays),  # nowhere: no service is asked for its weather
    zone=TOWN.id,  # whose carbon intensity holds in it
    main_channel="home.simtown_home.power",
    is_simulated=True,
)
_KITCHEN, _LAUNDRY, _LIVING_ROOM, _OUTSIDE = (
    Zone(f"{HOME.prefix}.{word}", HOME.id, name)
    for word, name in (
        ("kitchen", "Kitchen"),
        ("laundry", "Laundry"),
        ("living_room", "Living room"),
        ("outside", "Outside"),
    )
)
ZONES = (_KITCHEN, _LAUNDRY, _LIVING_ROOM, _OUTSIDE)
TRAITS = Traits(
    people=3,
    works_out=0.6,
    wakes_at=6.7,
    fridge_w=85.0,
    standby_w=38.0,
    lights_w=110.0,
    kinds=frozenset(
        {
            DeviceKind.KETTLE,
            DeviceKind.OVEN,
            DeviceKind.HOB,
            DeviceKind.WASHING_MACHINE,
            DeviceKind.TUMBLE_DRYER,
            DeviceKind.DISHWASHER,
            DeviceKind.TELEVISION,
            DeviceKind.COMPUTER,
            DeviceKind.HEAT_PUMP,
            DeviceKind.EV_CHARGER,
        }
    ),
    solar_kwp=5.0,
    battery_kwh=7.5,
    heat_loss_kw_per_k=0.14,
    tariff=Tariff(0.26, 0.15),
)
_DEVICES: Mapping[DeviceKind, tuple[str, Zone | None, float | None]] = {
    DeviceKind.FRIDGE: ("Fridge", _KITCHEN, 90.0),
    DeviceKind.OVEN: ("Oven", _KITCHEN, 2600.0),
    DeviceKind.HOB: ("Hob", _KITCHEN, 1900.0),
    DeviceKind.KETTLE: ("Kettle", _KITCHEN, 2800.0),
    DeviceKind.DISHWASHER: ("Dishwasher", _KITCHEN, 2100.0),
    DeviceKind.WASHING_MACHINE: ("Washing machine", _LAUNDRY, 2200.0),
    DeviceKind.TUMBLE_DRYER: ("Tumble dryer", _LAUNDRY, 2500.0),
    DeviceKind.TELEVISION: ("Television", _LIVING_ROOM, 150.0),
    DeviceKind.COMPUTER: ("Computer", _LIVING_ROOM, 150.0),
    DeviceKind.ROUTER: ("Router", _LIVING_ROOM, None),
    DeviceKind.LIGHTS: ("Lights", None, None),
    DeviceKind.OTHER: ("Always on", None, None),
    DeviceKind.HEAT_PUMP: ("Heat pump", _OUTSIDE, 1700.0),
    DeviceKind.EV_CHARGER: ("Car charger", _OUTSIDE, 7200.0),
    DeviceKind.SOLAR: ("Solar roof", _OUTSIDE, 5000.0),
    DeviceKind.BATTERY: ("Battery", _OUTSIDE, 3000.0),
}
_WORDS = {DeviceKind.OTHER: "always_on"}  # in ids; else the kind itself


def _device(kind: DeviceKind, name: str, zone: Zone | None, rating_w: float | None) -> Device:
    name_of_id = f"{HOME.prefix}.{_WORDS.get(kind, kind)}"
    where = None if zone is None else zone.id
    return Device(name_of_id, HOME.id, name, kind, rating_w, usual_flexibility(kind), where)


DEVICES: Mapping[DeviceKind, Device] = {
    kind: _device(kind, name, zone, rating_w) for kind, (name, zone, rating_w) in _DEVICES.items()
}


def _power(name: str, device: Device | None) -> Channel:
    return Channel(
        id=f"{name}.power",
        site=HOME.id,
        quantity=Quantity.POWER,
        unit=Unit.KW,
        resolution=STEP,
        device=None if device is None else device.id,
        zone=None,
        is_simulated=True,
        limits=home_limits(Unit.KW, STEP),
    )


MAINS = _power(HOME.prefix, None)
CHANNELS: Mapping[DeviceKind, Channel] = {kind: _power(device.id, device) for kind, device in DEVICES.items()}
SIMTOWN_HOME = Context(HOME, MAINS)


FOLLOWED = 0.8  # share of the runs that begin as planned though nobody accepted them; the others are as by habit
_FOLLOWING = 9  # what a generator is for


@dataclass(frozen=True, slots=True)
class PlannedBegin:
    """When one plan lets a device begin, and whether a person had accepted that."""

    made_at: datetime  # the plan
    start: datetime | None  # None: it rests
    is_accepted: bool = False


@dataclass(frozen=True, slots=True)
class PlannedUse:
    """A use of a device that plans hold."""

    device: str  # its id
    earliest: datetime
    begins: tuple[PlannedBegin, ...]  # by each plan, in the order in which they were made


def _no_plans(_window: Window) -> Sequence[PlannedUse]:
    return ()


@dataclass(frozen=True, slots=True)
class SimtownHome:
    """The invented home as a source; what it says of an interval never depends on when or how it is asked.

    Most of what its plans let begin begins as planned: all that is accepted, and of the rest the share ``FOLLOWED``.
    What a plan says counts from when it was made: what had begun by then stays.
    """

    context: Context = SIMTOWN_HOME
    plans: Callable[[Window], Sequence[PlannedUse]] = _no_plans  # of what can begin in a window, by its earliest begin
    home: SimulatedHome = field(default_factory=lambda: SimulatedHome(0, traits=TRAITS))
    region: SimulatedRegion = field(default_factory=SimulatedRegion)

    @property
    def name(self) -> str:
        """Name of the source in the log."""
        return f"simulation:{HOME.id}"

    def sites(self) -> Sequence[Site]:
        """Return the invented home."""
        return (HOME,)

    def zones(self) -> Sequence[Zone]:
        """Return its rooms."""
        return ZONES

    def devices(self) -> Sequence[Device]:
        """Return what is in it."""
        return tuple(DEVICES.values())

    def channels(self) -> Sequence[Channel]:
        """Return the power of the home and of each device."""
        return (MAINS, *CHANNELS.values())

    def tariff(self) -> Mapping[str, Any]:
        """Return what energy costs in it, as a person would say it."""
        price = TRAITS.tariff
        night = f"{price.night_from:02}:00-{price.night_to:02}:00"
        day = f"{price.night_to:02}:00-{price.night_from:02}:00"
        bands = [{"name": "night", "price": price.night, "hours": [night]}]
        bands.append({"name": "day", "price": price.day, "hours": [day]})
        said = {"name": "Day and night (simulated)", "currency": "USD"}
        return {
            **said,
            "import": {"kind": "time_of_use", "bands": bands},
            "export": {"kind": "flat", "price": 0.06},
        }

    def equipment(self) -> Mapping[str, Any]:
        """Return what can be shifted in it, as a person would say it."""
        ids = {kind: device.id for kind, device in DEVICES.items()}
        return {
            "appliances": [
                {
                    "name": "dishwasher",
                    "device": ids[DeviceKind.DISHWASHER],
                    "profile_kw": [2.0, 0.3, 0.1, 1.9, 0.2],
                    "earliest": "12:00",
                    "deadline": "06:00",
                },
                {
                    "name": "washing machine",
                    "device": ids[DeviceKind.WASHING_MACHINE],
                    "profile_kw": [1.9, 0.6, 0.2, 0.2, 0.3],
                    "earliest": "08:00",
                    "deadline": "22:00",
                },
            ],
            "batteries": [
                {
                    "name": "battery",
                    "device": ids[DeviceKind.BATTERY],
                    "capacity_kwh": TRAITS.battery_kwh,
                    "max_charge_kw": 3,
                    "max_discharge_kw": 3,
                    "wear_price": 0.02,
                }
            ],
            "cars": [
                {
                    "name": "car",
                    "device": ids[DeviceKind.EV_CHARGER],
                    "energy_kwh": 8,
                    "max_charge_kw": 7.2,
                    "min_charge_kw": 1.4,
                    "arrival": "18:00",
                    "departure": "07:00",
                }
            ],
            "solar": {"channel": CHANNELS[DeviceKind.SOLAR].id},
            "weights": {"money": 1.0, "carbon": 0.05, "peak": 0.0},
        }

    def day_at(self, instant: datetime) -> HomeDay:
        """Return the day in which an instant lies."""
        return self._days(instant, instant)[0]

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the readings of the window that exist at ``now``."""
        first = -(-int(window.start.timestamp()) // _STEP_S)
        last = min(-(-int(window.end.timestamp()) // _STEP_S), int(now.timestamp()) // _STEP_S)
        if last <= first:
            return _delivery(Readings.create_empty())
        edges = _STEP_S * np.arange(first, last + 1)
        parts = self._parts(_instant(edges[0]), _instant(edges[-1]))
        rows = [_rows(MAINS, edges, together(list(parts.values())).mean_watts(edges))]
        rows += [_rows(CHANNELS[kind], edges, part.mean_watts(edges)) for kind, part in parts.items()]
        stamped = stamp(pl.concat(rows), pl.col("time") + STEP, now=now, watched_from=watched_from)
        return _delivery(Readings.validate(stamped.select(Readings.column_names())))

    def uses(self, window: Window, *, now: datetime) -> dy.DataFrame[Events]:
        """Return the uses of devices that began in the window and have ended by ``now``."""
        rows = [
            (DEVICES[use.kind].id, _instant(use.start), _instant(use.end), round(use.kwh, 4))
            for day in self._days(window.start, window.end)
            for use in day.uses
            if window.start <= _instant(use.start) < window.end and _instant(use.end) <= now
        ]
        schema = {"device": pl.String(), "start": INSTANT, "end": INSTANT, "energy_kwh": pl.Float64()}
        frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
            available_at=pl.col("end"),
            recorded_at=pl.lit(now).cast(INSTANT),
            quality=pl.lit(int(Quality.SIMULATED), pl.Int16),
        )
        return Events.validate(frame.select(Events.column_names()))

    def _days(self, start: datetime, end: datetime) -> list[HomeDay]:
        zone = HOME.place.time_zone
        first, last = day_of(start, zone), day_of(end, zone)
        skies = [sky_of(first + place * DAY, self.region) for place in range((last - first).days + 1)]
        uses = self.plans(Window(_instant(skies[0].start), _instant(skies[-1].end)))
        return [self.home.day(sky, _of_day(uses, sky)) for sky in skies]

    def _parts(self, start: datetime, end: datetime) -> dict[DeviceKind, Steps]:
        days = self._days(start, end)
        return {kind: joined([day.parts[kind] for day in days]) for kind in days[0].parts}


def _of_day(uses: Sequence[PlannedUse], sky: Sky) -> dict[DeviceKind, Sequence[Meant]]:
    """Return what is meant of the first planned use of each device on a day, as its plans came."""
    found: dict[DeviceKind, Sequence[Meant]] = {}
    for kind, device in DEVICES.items():
        mine = (use for use in uses if use.device == device.id and sky.start <= use.earliest.timestamp() < sky.end)
        if (first := next(mine, None)) is not None:
            is_followed = _is_followed(kind, sky.day)
            found[kind] = [_meant(each, is_followed=is_followed) for each in first.begins]
    return found


def _meant(told: PlannedBegin, *, is_followed: bool) -> Meant:
    is_lived = told.start is not None and (told.is_accepted or is_followed)
    begin = int(told.start.timestamp()) if told.start is not None and is_lived else None
    return Meant(math.ceil(told.made_at.timestamp()), begin)


def _is_followed(kind: DeviceKind, day: date) -> bool:
    """Tell whether what is planned of a kind on a day is done so by itself, the same whenever it is asked."""
    number = sorted(DEVICES).index(kind)
    return bool(np.random.default_rng((_FOLLOWING, day.toordinal(), number)).random() < FOLLOWED)


def _delivery(readings: dy.DataFrame[Readings]) -> Delivery:
    return Delivery(readings, Forecasts.create_empty(), Refused.create_empty())


def _rows(channel: Channel, edges: Numbers, watts: Array) -> pl.DataFrame:
    return pl.DataFrame(
        {"channel": channel.id, "time": pl.Series(edges[:-1] * 1_000_000).cast(INSTANT), "value": watts.round(1) / 1000}
    ).with_columns(quality=pl.lit(int(Quality.SIMULATED), pl.Int16))


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
