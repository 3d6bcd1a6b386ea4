"""Quantities, the units they are kept in, and the conversions connectors need."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Quantity(StrEnum):
    """What is measured or forecast."""

    POWER = "power"
    ENERGY = "energy"
    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    PRECIPITATION = "precipitation"
    SNOWFALL = "snowfall"
    CLOUD_COVER = "cloud_cover"
    WIND_SPEED = "wind_speed"
    PRESSURE = "pressure"
    IRRADIANCE = "irradiance"
    PRICE = "price"
    CARBON_INTENSITY = "carbon_intensity"
    CARBON_INDEX = "carbon_index"  # rank among the hours of a region, 0 cleanest; no amount of CO2
    GENERATION_SHARE = "generation_share"  # part of a region's electricity that comes from one fuel
    OCCUPANCY = "occupancy"  # share of an interval in which somebody was there


class Unit(StrEnum):
    """Units on the wire and in the store; a connector converts once, at the edge."""

    MWH = "MWh"
    KWH = "kWh"
    MW = "MW"
    KW = "kW"
    W = "W"
    GW = "GW"  # of files; kept in MW
    GWH = "GWh"  # of files; kept in MWh
    WH = "Wh"  # of files; kept in kWh
    CELSIUS = "degC"
    FAHRENHEIT = "degF"
    KELVIN = "K"
    PERCENT = "%"
    MILLIMETRE = "mm"
    CENTIMETRE = "cm"
    METRE_PER_SECOND = "m/s"
    KILOMETRE_PER_HOUR = "km/h"
    HECTOPASCAL = "hPa"
    WATT_PER_SQUARE_METRE = "W/m2"
    CURRENCY_PER_KWH = "currency/kWh"
    CURRENCY_PER_MWH = "currency/MWh"
    GRAM_PER_KWH = "gCO2e/kWh"  # all greenhouse gases
    GRAM_CO2_PER_KWH = "gCO2/kWh"  # carbon dioxide alone; never turned into the other, nor compared with it


_OF_QUANTITY: dict[Quantity, tuple[Unit, ...]] = {
    Quantity.POWER: (Unit.MW, Unit.KW, Unit.W),
    Quantity.ENERGY: (Unit.MWH, Unit.KWH),
    Quantity.TEMPERATURE: (Unit.CELSIUS,),
    Quantity.HUMIDITY: (Unit.PERCENT,),
    Quantity.PRECIPITATION: (Unit.MILLIMETRE,),
    Quantity.SNOWFALL: (Unit.CENTIMETRE,),
    Quantity.CLOUD_COVER: (Unit.PERCENT,),
    Quantity.WIND_SPEED: (Unit.METRE_PER_SECOND,),
    Quantity.PRESSURE: (Unit.HECTOPASCAL,),
    Quantity.IRRADIANCE: (Unit.WATT_PER_SQUARE_METRE,),
    Quantity.PRICE: (Unit.CURRENCY_PER_KWH, Unit.CURRENCY_PER_MWH),
    Quantity.CARBON_INTENSITY: (Unit.GRAM_PER_KWH, Unit.GRAM_CO2_PER_KWH),
    Quantity.CARBON_INDEX: (Unit.PERCENT,),
    Quantity.GENERATION_SHARE: (Unit.PERCENT,),
    Quantity.OCCUPANCY: (Unit.PERCENT,),
}


def units_of(quantity: Quantity) -> tuple[Unit, ...]:
    """Return the units a quantity can be kept in; a connector converts what comes in others.

    >>> [str(unit) for unit in units_of(Quantity.ENERGY)]
    ['MWh', 'kWh']
    """
    return _OF_QUANTITY[quantity]


# unit -> (base unit, factor, offset): base = factor * value + offset. Exact by definition (SI brochure, 9th ed.).
_TO_BASE: dict[Unit, tuple[str, float, float]] = {
    Unit.GWH: ("J", 3.6e12, 0.0),
    Unit.MWH: ("J", 3.6e9, 0.0),
    Unit.KWH: ("J", 3.6e6, 0.0),
    Unit.WH: ("J", 3.6e3, 0.0),
    Unit.GW: ("W", 1e9, 0.0),
    Unit.MW: ("W", 1e6, 0.0),
    Unit.KW: ("W", 1e3, 0.0),
    Unit.W: ("W", 1.0, 0.0),
    Unit.KELVIN: ("degC", 1.0, -273.15),
    Unit.CELSIUS: ("degC", 1.0, 0.0),
    Unit.FAHRENHEIT: ("degC", 5 / 9, -160 / 9),
    Unit.MILLIMETRE: ("mm", 1.0, 0.0),
    Unit.CENTIMETRE: ("mm", 10.0, 0.0),
    Unit.METRE_PER_SECOND: ("m/s", 1.0, 0.0),
    Unit.KILOMETRE_PER_HOUR: ("m/s", 1 / 3.6, 0.0),
    Unit.CURRENCY_PER_MWH: (Unit.CURRENCY_PER_KWH, 1e-3, 0.0),
}


def conversion(source: Unit, target: Unit) -> tuple[float, float]:
    """Return ``(factor, offset)`` with ``target = factor * source + offset``.

    >>> factor, offset = conversion(Unit.FAHRENHEIT, Unit.CELSIUS)
    >>> round(factor * 212 + offset, 6)
    100.0

    Raises:
        ValueError: the two units measure different things.
    """
    if source == target:
        return 1.0, 0.0
    base_s, factor_s, offset_s = _TO_BASE.get(source, (source, 1.0, 0.0))
    base_t, factor_t, offset_t = _TO_BASE.get(target, (target, 1.0, 0.0))
    if base_s != base_t:
        message = f"{source} cannot be turned into {target}: they measure different things"
        raise ValueError(message)
    return factor_s / factor_t, (offset_s - offset_t) / factor_t


def converts(source: Unit, target: Unit) -> bool:
    """Tell whether two units measure the same."""
    try:
        conversion(source, target)
    except ValueError:
        return False
    return True


def quantities_of(unit: Unit) -> list[Quantity]:
    """Return what is kept in a unit or, if nothing is, in units it converts to.

    >>> quantities_of(Unit.GW)
    [<Quantity.POWER: 'power'>]
    """
    found = [quantity for quantity in Quantity if unit in units_of(quantity)]
    return found or [quantity for quantity in Quantity if any(converts(unit, kept) for kept in units_of(quantity))]


def kept_unit(unit: Unit, quantity: Quantity) -> Unit:
    """Return the unit in which values that come in another are kept.

    >>> str(kept_unit(Unit.GW, Quantity.POWER)), str(kept_unit(Unit.WH, Quantity.ENERGY))
    ('MW', 'kWh')
    """
    smaller = {Unit.WH: Unit.KWH}.get(unit, unit)
    return smaller if smaller in units_of(quantity) else units_of(quantity)[0]


_PRICE = re.compile(r"(?:^|(?<=[\s_,\[(]))(€|£|[A-Za-z]{3})\s?/\s?([km]wh)(?![a-z])", re.IGNORECASE)
_PER = {"kwh": Unit.CURRENCY_PER_KWH, "mwh": Unit.CURRENCY_PER_MWH}
_SIGNS = {"€": "EUR", "£": "GBP"}  # that of the dollar is used for a dozen currencies


def price_unit(text: str, *, is_whole: bool = False) -> tuple[Unit, str] | None:
    """Return the unit of a price and its currency, where a text names them; as the whole of it if asked so.

    >>> price_unit("Price (€/MWh)"), price_unit("Price (€/MWh)", is_whole=True), price_unit("MWh")
    ((<Unit.CURRENCY_PER_MWH: 'currency/MWh'>, 'EUR'), None, None)
    """
    price = _PRICE.fullmatch(text.strip()) if is_whole else _PRICE.search(text.strip())
    return None if price is None else (_PER[price[2].casefold()], _SIGNS.get(price[1], price[1].upper()))


def digits_for(values: Iterable[float | None]) -> int:
    """Return how many decimals show values of this size to three digits or more.

    >>> digits_for([17_340.2]), digits_for([0.52, None])
    (0, 3)
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return next((digits for digits, least in ((0, 100.0), (1, 10.0), (2, 1.0)) if largest >= least), 3)


_LARGER = {Unit.MWH: "GWh", Unit.MW: "GW", Unit.KWH: "MWh", Unit.KW: "MW", Unit.W: "kW"}
_READS_BETTER_FROM = 10_000.0
_PER_LARGER = 1000.0


@dataclass(frozen=True, slots=True)
class ShownIn:
    """How the numbers of one picture and its sentence are written."""

    unit: str
    divisor: float  # of a value in the unit it is kept in
    digits: int

    def write(self, value: float) -> str:
        """Write a value that is kept in the channel's unit, without the unit's name."""
        return f"{value / self.divisor:,.{self.digits}f}"


def shown_in(unit: Unit, values: Iterable[float | None], *, currency: str | None = None) -> ShownIn:
    """Return the unit in which values of this size read well: GW instead of MW from 10,000 on.

    >>> shown_in(Unit.MWH, [17_340.2]).write(17_340.2), shown_in(Unit.MWH, [17_340.2]).unit
    ('17.34', 'GWh')
    >>> shown_in(Unit.MW, [9_812.0]).write(9_812.0), shown_in(Unit.MW, [9_812.0]).unit
    ('9,812', 'MW')
    >>> shown_in(Unit.CURRENCY_PER_MWH, [57.2], currency="EUR").unit
    'EUR/MWh'
    """
    known = [abs(value) for value in values if value is not None]
    if unit in _LARGER and max(known, default=0.0) >= _READS_BETTER_FROM:
        digits = 1 + digits_for(value / _PER_LARGER for value in known)  # ten of the unit it is kept in stay in sight
        return ShownIn(_LARGER[unit], _PER_LARGER, digits)
    return ShownIn(str(unit).replace("currency", currency or "currency"), 1.0, digits_for(known))
