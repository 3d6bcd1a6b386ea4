"""What a channel and a place can be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from watthour.core.channel import Channel, Limits
from watthour.core.errors import InvalidInput
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit

HOUR = timedelta(hours=1)


def test_an_id_is_lower_case_words_joined_by_dots() -> None:
    with pytest.raises(InvalidInput, match="lower-case words"):
        Channel("Kitchen", "home", Quantity.POWER, Unit.KW, HOUR)


def test_a_temperature_in_mwh_is_refused_with_the_units_it_can_have() -> None:
    with pytest.raises(InvalidInput, match=r"unit = 'MWh'.*temperature.*Use degC"):
        Channel("grid.ny.air", "ny", Quantity.TEMPERATURE, Unit.MWH, HOUR)


@pytest.mark.parametrize("currency", [None, "euro", ""])
def test_a_price_has_a_currency(currency: str | None) -> None:
    with pytest.raises(InvalidInput, match="currency"):
        Channel("grid.be.price", "be", Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency=currency)


def test_nothing_else_has_a_currency() -> None:
    with pytest.raises(InvalidInput, match="currency"):
        Channel("grid.be.demand", "be", Quantity.POWER, Unit.MW, HOUR, currency="EUR")


@pytest.mark.parametrize(("latitude", "longitude"), [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0)])
def test_a_place_lies_on_the_globe(latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidInput, match="itude"):
        Place("UTC", latitude, longitude)


@pytest.mark.parametrize("name", ["Bad/Zone", "Paris", "", "Europe", "../etc/passwd"])
def test_a_place_keeps_a_clock_that_exists(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"time_zone.*Europe/Brussels"):
        Place(name)


def test_limits_steps_and_weights_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidInput, match="limits"):
        Limits(5.0, 1.0)
    with pytest.raises(InvalidInput, match="resolution"):
        Channel("home.main.power", "main", Quantity.POWER, Unit.KW, timedelta(0))
    with pytest.raises(InvalidInput, match="weight"):
        Channel("home.main.power", "main", Quantity.POWER, Unit.KW, HOUR, weight=-1.0)
