"""Sites and the channels of readings they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
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
    """A home or a region: a place with channels."""

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


@dataclass(frozen=True, slots=True)
class Device:
    """A thing at a site that uses, makes or stores energy."""

    id: str
    site: str
    name: str


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
    device: str | None = None
    is_simulated: bool = False
    limits: Limits = Limits()
    currency: str | None = None  # of a price: ISO 4217, such as "EUR"
    variable: str | None = None  # what it is as a covariate of its site's load, such as "temperature_2m"
    point: str = ""  # where in the site, such as a city
    weight: float = 1.0  # part of the site's load at that point, beside the weights of its other points [-]

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
