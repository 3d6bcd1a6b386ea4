"""Which channels are the load of a site, a zone or a device."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import device, home_channel, home_site, region_site

from watthour.core.channel import Channel, Zone
from watthour.core.loads import loads_of_device, loads_of_zone, main_channel, main_load
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR

HOME = replace(home_site(), main_channel=None)
POWER = home_channel("power")
ENERGY = Channel("home.flat.energy", "flat", Quantity.ENERGY, Unit.KWH, HOUR)
PRICE = Channel("home.flat.price", "flat", Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency="EUR")
KETTLE = device("kettle")
OF_KETTLE = replace(POWER, id="home.flat.kettle.power", device=KETTLE.id)
OF_KITCHEN = replace(POWER, id="home.flat.kitchen.power", zone="home.flat.kitchen")
PHASES = [replace(POWER, id=f"home.flat.phase_{name}") for name in "abc"]


@pytest.mark.parametrize(
    ("channels", "main"),
    [
        ([], None),
        ([POWER], POWER),
        ([PRICE], None),
        ([PRICE, POWER], POWER),
        ([POWER, ENERGY], ENERGY),
        ([OF_KETTLE, OF_KITCHEN], None),
        ([OF_KETTLE, POWER], POWER),
        (PHASES, None),
        ([replace(POWER, site="other")], None),
        ([replace(POWER, variable="temperature_2m")], None),
    ],
)
def test_a_site_stands_for_its_only_channel_or_its_only_load(channels: list[Channel], main: Channel | None) -> None:
    assert main_channel(HOME, channels) == main


def test_a_market_is_forecast_by_its_only_price() -> None:
    market = replace(region_site("be"), main_channel=None)
    price = replace(PRICE, id="grid.be.price", site="be")
    assert main_channel(market, [price]) == price
    assert main_channel(market, [price, replace(price, id="grid.be.imbalance")]) is None


def test_what_is_named_goes_before_all_others_and_a_price_is_no_load() -> None:
    assert main_channel(replace(HOME, main_channel=POWER.id), [ENERGY, POWER]) == POWER
    priced = replace(HOME, main_channel=PRICE.id)
    assert main_channel(priced, [ENERGY, PRICE]) == PRICE
    assert main_load(priced, [ENERGY, PRICE]) == ENERGY
    assert main_load(priced, [PRICE]) is None


def test_a_device_is_the_sum_of_its_phases_and_one_of_two_units() -> None:
    phases = [replace(OF_KETTLE, id=f"home.flat.kettle.{name}") for name in "ab"]
    assert loads_of_device(KETTLE, [*phases, POWER]) == phases
    energy = replace(ENERGY, id="home.flat.kettle.energy", device=KETTLE.id)
    assert loads_of_device(KETTLE, [OF_KETTLE, energy]) == [energy]
    energies = [replace(energy, id=f"{energy.id}_{name}") for name in "abc"]  # a meter tells both of each phase
    assert loads_of_device(KETTLE, [*phases, *energies]) == energies


def test_a_zone_is_what_is_measured_of_it_and_the_devices_in_it_each_once() -> None:
    zone, inside = Zone("home.flat.kitchen", "flat", "Kitchen"), replace(KETTLE, zone="home.flat.kitchen")
    energy = replace(ENERGY, id="home.flat.kettle.energy", device=KETTLE.id)
    assert loads_of_zone(zone, [inside], [POWER, OF_KITCHEN, OF_KETTLE, energy]) == [OF_KITCHEN, energy]
    assert loads_of_zone(zone, [KETTLE], [POWER, OF_KETTLE]) == []


def test_all_meters_of_a_zone_count_whatever_their_units_and_each_meter_once() -> None:
    zone = Zone("home.flat.kitchen", "flat", "Kitchen")
    sockets = replace(ENERGY, id="home.flat.kitchen.sockets_energy", zone=zone.id)
    lights = replace(POWER, id="home.flat.kitchen.lights_power", zone=zone.id)
    assert loads_of_zone(zone, [], [sockets, lights]) == [sockets, lights]
    same = replace(POWER, id="home.flat.kitchen.sockets_power", zone=zone.id)
    assert loads_of_zone(zone, [], [same, sockets, lights]) == [sockets, lights]
    faster = replace(lights, id="home.flat.kitchen.oven_power", resolution=HOUR / 4)
    assert loads_of_zone(zone, [], [lights, faster]) == [lights, faster]
    whole = replace(ENERGY, id="home.flat.kitchen.energy", zone=zone.id)
    assert loads_of_zone(zone, [], [OF_KITCHEN, whole]) == [whole]
