"""Sites, the zones and devices in them, and the channels of readings they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput
from watthour.core.units import Quantity, Unit, units_of

if TYPE_CHECKING:
    from watthour.core.place import Place, Point

_CHANNEL_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_HOME_PEAK_KW = 100.0  # a 400 A service at 240 V; no home draws more
_LARGEST_OVER_LOAD = 20.0  # generation or exchange of a region, over the highest load it can have
_CURRENCY = re.compile(r"[A-Z]{3}")


class SiteKind(StrEnum):
    """What a site is."""

    HOME = "home"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Site:
    """A home or a region: a place with channels, and in a home zones and devices."""

    id: str
    name: str
    kind: SiteKind
    place: Place
    zone: str | None = None  # grid zone it belongs to, whose prices and carbon intensity hold there, such as "BE"
    operator: str | None = None  # who runs its grid
    main_channel: str | None = None  # id of the channel that is its whole load, forecast unless another is named
    points: tuple[Point, ...] = ()  # where its weather is asked for; none: at its own place
    stations: tuple[Point, ...] = ()  # of published weather tables, used where imported
    codes: tuple[tuple[str, str], ...] = ()  # provider and what it calls the site, such as ("eia", "NYIS")
    is_simulated: bool = False

    def code(self, provider: str) -> str | None:
        """Return what a provider calls the site, None where it does not know it."""
        return dict(self.codes).get(provider)

    @property
    def prefix(self) -> str:
        """How the ids of its channels begin, such as ``grid.ny``."""
        return f"{'grid' if self.kind is SiteKind.REGION else 'home'}.{self.id}"


class DeviceKind(StrEnum):
    """What a thing in a home is."""

    WASHING_MACHINE = "washing_machine"
    DISHWASHER = "dishwasher"
    TUMBLE_DRYER = "tumble_dryer"
    FRIDGE = "fridge"
    FREEZER = "freezer"
    OVEN = "oven"
    HOB = "hob"
    KETTLE = "kettle"
    MICROWAVE = "microwave"
    TELEVISION = "television"
    COMPUTER = "computer"
    ROUTER = "router"
    LIGHTS = "lights"
    FAN = "fan"
    WATER_HEATER = "water_heater"
    ELECTRIC_HEATER = "electric_heater"
    HEAT_PUMP = "heat_pump"
    AIR_CONDITIONER = "air_conditioner"
    EV_CHARGER = "ev_charger"
    BATTERY = "battery"
    SOLAR = "solar"
    CIRCUIT = "circuit"  # a fuse's part of the home, with all that hangs on it
    SENSOR = "sensor"  # tells temperature or presence
    OTHER = "other"


FEEDS_IN = frozenset({DeviceKind.SOLAR, DeviceKind.BATTERY, DeviceKind.EV_CHARGER})  # kinds that may


class Flexibility(StrEnum):
    """What may be done with the time and the power of a device's use."""

    FIXED = "fixed"  # runs when people need it
    SHIFTABLE = "shiftable"  # may start earlier or later; once started it runs to its end
    INTERRUPTIBLE = "interruptible"  # may also be paused and go on later
    ADJUSTABLE = "adjustable"  # may also run at a part of its power


_USUAL_FLEXIBILITY = {
    DeviceKind.WASHING_MACHINE: Flexibility.SHIFTABLE,
    DeviceKind.DISHWASHER: Flexibility.SHIFTABLE,
    DeviceKind.TUMBLE_DRYER: Flexibility.SHIFTABLE,
    DeviceKind.WATER_HEATER: Flexibility.INTERRUPTIBLE,
    DeviceKind.HEAT_PUMP: Flexibility.ADJUSTABLE,
    DeviceKind.AIR_CONDITIONER: Flexibility.ADJUSTABLE,
    DeviceKind.EV_CHARGER: Flexibility.ADJUSTABLE,
    DeviceKind.BATTERY: Flexibility.ADJUSTABLE,
}


def usual_flexibility(kind: DeviceKind) -> Flexibility:
    """Return what may be done with most devices of a kind, where nobody says otherwise.

    >>> str(usual_flexibility(DeviceKind.DISHWASHER)), str(usual_flexibility(DeviceKind.KETTLE))
    ('shiftable', 'fixed')
    """
    return _USUAL_FLEXIBILITY.get(kind, Flexibility.FIXED)


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a home, such as a room or a floor; its load is the sum of what its channels measure."""

    id: str  # such as home.flat.kitchen
    site: str
    name: str


@dataclass(frozen=True, slots=True)
class Device:
    """A thing at a site that uses, makes or stores energy, or a sensor.

    Raises:
        InvalidInput: the rating cannot be.
    """

    id: str  # such as home.flat.washing_machine; the ids of its channels begin with it
    site: str
    name: str
    kind: DeviceKind = DeviceKind.OTHER
    rating_w: float | None = None  # most it draws, makes or takes by its name plate [W]
    flexibility: Flexibility = Flexibility.FIXED
    zone: str | None = None  # id of the zone it stands in

    def __post_init__(self) -> None:
        if self.rating_w is not None and not (isfinite(self.rating_w) and self.rating_w > 0):
            problem = f"the rating of {self.name} must be a power above zero"
            raise InvalidInput("rating_w", self.rating_w, problem, remedy="Give watts, such as 2000, or leave it out.")


def may_feed_in(device: Device | None, *, is_fed_home: bool) -> bool:
    """Tell whether the power of a channel may be negative.

    Args:
        device: at which it is measured; None: the whole home, or a zone.
        is_fed_home: something in its home feeds in.
    """
    return is_fed_home if device is None or device.kind is DeviceKind.CIRCUIT else device.kind in FEEDS_IN


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel's values can be at all; what is outside is kept, and doubted."""

    low: float | None = None  # [unit of the channel]
    high: float | None = None  # [unit of the channel]
    is_never_constant: bool = False  # zero, and the same value many times in a row, are faults of the meter

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            remedy = "Give the lower limit first."
            raise InvalidInput("limits", (self.low, self.high), "the lower limit is above the higher", remedy=remedy)


def home_limits(unit: Unit, resolution: timedelta) -> Limits:
    """Return what the mains of a home can draw or feed in at all.

    >>> home_limits(Unit.KWH, timedelta(minutes=30)).high
    50.0
    """
    scale = {Unit.KW: 1.0, Unit.W: 1000.0, Unit.MW: 0.001}
    hours = resolution / timedelta(hours=1)
    energy = {Unit.KWH: hours, Unit.MWH: hours / 1000}
    most = _HOME_PEAK_KW * (scale | energy).get(unit, float("inf"))
    return Limits(-most, most)


def beside_load_limits(load: Limits) -> Limits:
    """Return what the generation, the exchange or a part of a region can be at all, from the limits of its load.

    A small region may hold a large plant: Ohio Valley's load stays below 0.2 GW, and its plants make 2.2.

    >>> beside_load_limits(Limits(3_600.0, 36_000.0)).high
    720000.0
    """
    return Limits() if load.high is None else Limits(-_LARGEST_OVER_LOAD * load.high, _LARGEST_OVER_LOAD * load.high)


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity at one place, such as ``grid.ny.demand``; its unit holds for every reading and forecast of it.

    A channel that is known ahead and drives the load of its site, such as the temperature of a city, says so by
    ``variable``; see ``core.forecast.Covariate``.

    Raises:
        InvalidInput: the id, the unit or the currency cannot be.
    """

    id: str
    site: str
    quantity: Quantity
    unit: Unit
    resolution: timedelta
    device: str | None = None  # id of the device it is measured at; None: all of the site, or of the zone
    is_simulated: bool = False
    limits: Limits = Limits()
    currency: str | None = None  # of a price: ISO 4217, such as "EUR"
    variable: str | None = None  # what it is as a covariate of its site's load, such as "temperature_2m"
    point: str = ""  # where in the site, such as a city
    weight: float = 1.0  # part of the site's load at that point, beside the weights of its other points [-]
    zone: str | None = None  # id of the zone of the home in which it is measured

    @property
    def is_of_whole_site(self) -> bool:
        """Whether it speaks of the site as such, not of a device or a zone in it."""
        return self.device is None and self.zone is None

    @property
    def is_load(self) -> bool:
        """Whether it is power or energy that is drawn or fed in."""
        return self.quantity in (Quantity.POWER, Quantity.ENERGY)

    @property
    def is_told_ahead(self) -> bool:
        """Whether its values are published before their time, as prices of the next day are; no measurement is."""
        return self.quantity is Quantity.PRICE

    @property
    def unit_in_words(self) -> str:
        """The unit of its values; that of a price names the currency, such as ``EUR/MWh``."""
        return str(self.unit).replace("currency", self.currency or "currency")

    def __post_init__(self) -> None:
        if not _CHANNEL_ID.fullmatch(self.id):
            problem = "a channel id is lower-case words joined by dots"
            raise InvalidInput("channel", self.id, problem, remedy="Write it as home.kitchen.power.")
        if self.resolution <= timedelta(0):
            problem = f"the intervals of {self.id} must be longer than zero"
            raise InvalidInput("resolution", str(self.resolution), problem, remedy="Give 15 minutes or an hour.")
        if self.weight < 0:
            raise InvalidInput(
                "weight", self.weight, f"{self.id} has a negative weight", remedy="Give a share from 0 to 1."
            )
        if self.unit not in units_of(self.quantity):
            problem = f"{self.id} is {self.quantity}, which is not kept in {self.unit}"
            raise InvalidInput("unit", str(self.unit), problem, remedy=f"Use {', '.join(units_of(self.quantity))}.")
        if (self.quantity is Quantity.PRICE) != (self.currency is not None) or (
            self.currency is not None and not _CURRENCY.fullmatch(self.currency)
        ):
            problem = f"{self.id} is {self.quantity}: a price needs a currency, and nothing else may have one"
            raise InvalidInput("currency", self.currency, problem, remedy="Give the ISO code, such as EUR.")
