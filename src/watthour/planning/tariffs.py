"""What a kWh costs and earns by contract: values that cannot be wrong; prices and bills are made of them elsewhere.

Money is in the tariff's currency, prices per kWh, clock times local: those of the tariff's time zone, else the home's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from math import gcd, isfinite
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput
from watthour.core.place import is_time_zone, no_time_zone
from watthour.core.window import DAY
from watthour.planning.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTES = 1440  # of a day by the clock
HOLIDAY = 7  # a kind of day beside Monday (0) to Sunday (6)
EVERY_DAY = frozenset(range(8))
DAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays", "holidays")
LARGEST_TAX = 200.0  # [%]
_LEAP_YEAR = 2024
_MINUTE = timedelta(minutes=1)
_HOUR_MINUTES = 60

MonthDay = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Band:
    """A price of a time-of-use tariff and when it holds."""

    name: str
    price: float  # [currency/kWh]
    hours: tuple[tuple[int, int], ...] = ((0, MINUTES),)  # spans of the local clock, the end left out [min]
    days: frozenset[int] = EVERY_DAY  # Monday is 0; ``HOLIDAY`` counts where any band of the tariff names holidays
    season: tuple[MonthDay, MonthDay] | None = None  # first and last day, both included; may pass the end of the year

    def holds_on(self, day: MonthDay) -> bool:
        """Tell whether a day of the year is in its season."""
        if self.season is None:
            return True
        first, last = self.season
        return first <= day <= last if first <= last else day >= first or day <= last


@dataclass(frozen=True, slots=True)
class Flat:
    """One price at all times."""

    price: float  # [currency/kWh]


@dataclass(frozen=True, slots=True)
class TimeOfUse:
    """Prices by season, kind of day and local clock.

    Raises:
        InvalidInput: at some time of a year no band holds, or two do.
    """

    bands: tuple[Band, ...]
    names_holidays: bool = False  # holidays are a kind of day of their own; else they are the weekday they fall on

    def __post_init__(self) -> None:
        if not self.bands:
            raise InvalidInput("bands", (), "there is no band", remedy="Give at least one, with a price.")
        for day, kind, active in self._kinds_of_days():
            _check_day(day, kind, active)

    @property
    def grain(self) -> timedelta:
        """The longest step within which the price never changes."""
        edges = (edge for band in self.bands for span in band.hours for edge in span)
        return gcd(*edges, MINUTES) * _MINUTE

    def _kinds_of_days(self) -> Iterator[tuple[MonthDay, int, tuple[Band, ...]]]:
        """Go through the days of a leap year; of those on which the same bands hold, the first."""
        seen: set[tuple[int, ...]] = set()
        kinds = range(HOLIDAY + 1) if self.names_holidays else range(HOLIDAY)
        for number in range(366):
            at = date(_LEAP_YEAR, 1, 1) + number * DAY
            day = (at.month, at.day)
            for kind in kinds:
                active = tuple(n for n, band in enumerate(self.bands) if kind in band.days and band.holds_on(day))
                if active not in seen:
                    seen.add(active)
                    yield day, kind, tuple(self.bands[n] for n in active)


class BlockPeriod(StrEnum):
    """After which the energy of a block tariff is counted anew."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Tier:
    """A price up to so much energy of the period."""

    price: float  # [currency/kWh]
    up_to_kwh: float | None = None  # None: all beyond


@dataclass(frozen=True, slots=True)
class Blocks:
    """Prices by how much of a local day or month has been used.

    Raises:
        InvalidInput: the tiers do not follow each other, or the last one ends.
    """

    tiers: tuple[Tier, ...]
    period: BlockPeriod = BlockPeriod.MONTH

    def __post_init__(self) -> None:
        ends = [tier.up_to_kwh for tier in self.tiers]
        if not ends or ends[-1] is not None:
            remedy = "Leave up_to_kwh out of the last tier: it holds for all beyond the one before."
            raise InvalidInput("tiers", ends, "what is used beyond the last tier has no price", remedy=remedy)
        limits = [0.0, *(end for end in ends[:-1] if end is not None)]
        if len(limits) != len(ends) or any(after <= before for before, after in pairwise(limits)):
            remedy = "Give each tier but the last an up_to_kwh that is above that of the tier before."
            raise InvalidInput("tiers", ends, "the tiers do not follow each other", remedy=remedy)

    @property
    def edges(self) -> tuple[float, ...]:
        """Where each tier begins, and infinity, in kWh."""
        return (0.0, *(tier.up_to_kwh for tier in self.tiers if tier.up_to_kwh is not None), float("inf"))


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A price that follows a channel: ``factor`` times its price and ``markup``, within ``floor`` and ``cap``.

    Raises:
        InvalidInput: the factor is not above zero, or the floor is above the cap.
    """

    channel: str  # id
    factor: float = 1.0  # [-]
    markup: float = 0.0  # [currency/kWh]
    floor: float | None = None  # [currency/kWh]
    cap: float | None = None  # [currency/kWh]

    def __post_init__(self) -> None:
        if self.factor <= 0:
            remedy = "Give 1, or what is multiplied for losses, such as 1.03."
            raise InvalidInput("factor", self.factor, "it must be above zero", remedy=remedy)
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise InvalidInput("floor", self.floor, f"it is above the cap of {self.cap:g}", remedy="Swap them.")


Rate = Flat | TimeOfUse | Blocks | Dynamic


@dataclass(frozen=True, slots=True)
class Flow:
    """What is paid for energy of one direction, and which channel meters it."""

    rate: Rate
    tax_included: bool = False  # the rate is with the taxes; else they come on top
    meter: str | None = None  # id of the channel; None: the load of the home


@dataclass(frozen=True, slots=True)
class Fee:
    """What is paid per kWh drawn beside the energy, such as for the grid."""

    name: str
    price: float  # [currency/kWh]


class Per(StrEnum):
    """What a standing charge is counted by."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is paid whatever is used; of a month in parts, by its days."""

    price: float  # [currency]
    per: Per = Per.DAY


@dataclass(frozen=True, slots=True)
class Demand:
    """What is paid for the highest mean power of each local month.

    Raises:
        InvalidInput: the metering interval does not divide an hour.
    """

    price: float  # [currency/kW of a month]
    interval: timedelta = timedelta(minutes=15)  # over which the tariff's meter takes the mean
    free_kw: float = 0.0  # of the peak, for which nothing is paid

    def __post_init__(self) -> None:
        minutes = self.interval / _MINUTE
        if minutes <= 0 or _HOUR_MINUTES % minutes:
            problem = "the metering interval must divide an hour"
            raise InvalidInput("interval", minutes, problem, remedy="Give 15, 30 or 60 minutes.")
        for name, value in (("price", self.price), ("free_kw", self.free_kw)):
            if value < 0:
                raise InvalidInput(name, value, "it must not be negative", remedy="Give zero or more.")


@dataclass(frozen=True, slots=True)
class Tariff:
    """All that a contract says of money.

    Raises:
        InvalidInput: something said cannot be; names the field.
    """

    name: str
    currency: str  # ISO 4217
    drawn: Flow
    fed_in: Flow | None = None  # None: nothing is paid for it
    fees: tuple[Fee, ...] = ()
    standing: Standing | None = None
    demand: Demand | None = None
    tax_percent: float = 0.0  # on all that is paid, but not on what is earned [%]
    time_zone: str | None = None  # of its clock; None: the home's. Meters that ignore summer time: such as Etc/GMT
    holidays: str | None = None  # code of the calendar its holidays are of; None: the home's

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            remedy = "Give its ISO 4217 code, such as EUR, GBP or USD."
            raise InvalidInput("currency", self.currency, "there is no such currency", remedy=remedy)
        if not 0 <= self.tax_percent <= LARGEST_TAX:
            problem = f"it must lie between 0 and {LARGEST_TAX:g}"
            raise InvalidInput("tax_percent", self.tax_percent, problem, remedy="Give percent, such as 20.")
        if self.time_zone is not None and not is_time_zone(self.time_zone):
            raise no_time_zone(self.time_zone)
        for where, value in self.amounts():
            if not isfinite(value):
                raise InvalidInput(where, value, "it is no amount of money", remedy="Give a number.")

    @property
    def tax_factor(self) -> float:
        """What a price before taxes is multiplied with."""
        return 1 + self.tax_percent / 100

    @property
    def names_holidays(self) -> bool:
        """Whether holidays have prices of their own."""
        flows = (self.drawn, *((self.fed_in,) if self.fed_in else ()))
        return any(isinstance(flow.rate, TimeOfUse) and flow.rate.names_holidays for flow in flows)

    def amounts(self) -> Iterator[tuple[str, float]]:
        """Go through everything that is money, each with the field that says it."""
        yield from self.energy_prices()
        yield from ((f"fees[{n}].price", fee.price) for n, fee in enumerate(self.fees, 1))
        if self.standing is not None:
            yield "standing.price", self.standing.price
        if self.demand is not None:
            yield "demand.price", self.demand.price

    def energy_prices(self) -> Iterator[tuple[str, float]]:
        """Go through the prices of energy that the tariff itself says, each with its field."""
        for side, flow in (("import", self.drawn), ("export", self.fed_in)):
            match flow.rate if flow else None:
                case Flat(price):
                    yield f"{side}.price", price
                case TimeOfUse(bands):
                    yield from ((f"{side}.bands[{n}].price", band.price) for n, band in enumerate(bands, 1))
                case Blocks(tiers):
                    yield from ((f"{side}.tiers[{n}].price", tier.price) for n, tier in enumerate(tiers, 1))

    def channels(self) -> tuple[str, ...]:
        """Return the channels of prices that it follows."""
        rates = [flow.rate for flow in (self.drawn, self.fed_in) if flow is not None]
        return tuple(dict.fromkeys(rate.channel for rate in rates if isinstance(rate, Dynamic)))


def clock_text(minute: int) -> str:
    """Return a minute of the day as a clock shows it.

    >>> clock_text(390), clock_text(1440)
    ('06:30', '24:00')
    """
    return f"{minute // _HOUR_MINUTES:02}:{minute % _HOUR_MINUTES:02}"


def _check_day(day: MonthDay, kind: int, bands: tuple[Band, ...]) -> None:
    """Refuse a kind of day of which some minute has no price or two."""
    spans = sorted((start, end, band.name) for band in bands for start, end in band.hours)
    when = f"on {DAY_NAMES[kind]}, such as around {day[0]:02}-{day[1]:02}"
    at, before = 0, ""
    for start, end, name in [*spans, (MINUTES, MINUTES, "")]:
        if start > at:
            problem = f"no price holds {when}, from {clock_text(at)} to {clock_text(start)}"
            remedy = "Give a band for it, or a longer one: together they must cover every day of a leap year."
            raise InvalidInput("bands", f"{clock_text(at)}-{clock_text(start)}", problem, remedy=remedy)
        if start < at:
            problem = f"two prices hold {when}, at {clock_text(start)}: {before} and {name}"
            raise InvalidInput("bands", name, problem, remedy="Change the hours, days or season of one of them.")
        at, before = end, name
