"""Homes with their zones and devices, described by people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import device, events, home_channel, home_site, readings, region_site
from places import Towns

from watthour.core.channel import DeviceKind, Flexibility
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.units import Quantity
from watthour.core.window import HOUR
from watthour.store.memory import MemoryStore
from watthour.workflows.homes import (
    DeviceWords,
    HomeWords,
    add_device,
    add_home,
    add_zone,
    change_device,
    change_home,
    channels_of,
    devices_of,
    home_named,
    remove_device,
    remove_zone,
    zones_of,
)
from watthour.workflows.kept_files import KeptFiles
from watthour.workflows.own_sites import channel_words, remove_site
from watthour.workflows.places import places_named, the_place
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from pathlib import Path

TOWNS = Towns()
WASHER = DeviceWords("Washing machine", "washing_machine", rating_w=2100.0, channels=[channel_words("power:W:1h")])


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    add_home(store, [], TOWNS, HomeWords("Flat", time_zone="Europe/Paris", channels=[channel_words("power:kW:1h")]))
    return store


class TestAddingAHome:
    def test_its_town_tells_time_zone_holidays_and_coordinates_to_a_tenth_of_a_degree(self) -> None:
        place = add_home(MemoryStore(), [], TOWNS, HomeWords("Maison", place="Lyon")).place
        assert (place.time_zone, place.holidays) == ("Europe/Paris", "FR")
        assert (place.latitude, place.longitude) == (45.7, 4.8)

    def test_what_is_said_goes_before_what_the_town_tells(self) -> None:
        words = HomeWords("Maison", place="Lyon", latitude=45.94, longitude=5.01, holidays="DE", time_zone="UTC")
        place = add_home(MemoryStore(), [], TOWNS, words).place
        assert (place.time_zone, place.holidays, place.latitude, place.longitude) == ("UTC", "DE", 45.9, 5.0)

    def test_one_coordinate_is_not_mixed_with_that_of_the_town(self) -> None:
        with pytest.raises(InvalidInput, match="longitude"):
            add_home(MemoryStore(), [], TOWNS, HomeWords("Maison", place="Lyon", latitude=45.9))

    def test_a_home_somewhere_is_none(self) -> None:
        with pytest.raises(InvalidInput, match=r"not said where.*--place Lyon"):
            add_home(MemoryStore(), [], TOWNS, HomeWords("Maison"))

    def test_it_moves_to_another_town(self, store: MemoryStore) -> None:
        place = change_home(store, [], TOWNS, "flat", {"place": "Springfield, Illinois"}).place
        assert (place.time_zone, place.latitude, place.holidays) == ("America/Chicago", 39.8, "US")

    def test_a_change_of_something_else_leaves_its_place(self, store: MemoryStore) -> None:
        change_home(store, [], TOWNS, "flat", {"place": "Lyon"})
        assert change_home(store, [], TOWNS, "Flat", {"name": "Loft"}).place.latitude == 45.7

    def test_a_region_is_no_home(self, store: MemoryStore) -> None:
        store.register([region_site()], [])
        with pytest.raises(InvalidInput, match="region, not a home"):
            home_named(store, "ny")
        with pytest.raises(UnknownSite, match="Did you mean flat"):
            home_named(store, "flatt")


class TestTowns:
    def test_several_of_one_name_are_listed_and_none_is_chosen(self) -> None:
        with pytest.raises(InvalidInput, match=r"2 places.*Say which.*Missouri.*166,810 people.*Illinois"):
            the_place(TOWNS, "springfield")

    @pytest.mark.parametrize("text", ["Springfield, Illinois", "Springfield,illinois,US", "springfield, US, IL"])
    def test_what_follows_the_comma_tells_them_apart(self, text: str) -> None:
        found = places_named(TOWNS, text)
        assert [place.part for place in found] == ([] if text.endswith("IL") else ["Illinois"])

    def test_the_very_name_goes_before_names_that_begin_like_it(self) -> None:
        assert {place.name for place in places_named(TOWNS, "Springfield")} == {"Springfield"}
        assert the_place(TOWNS, "Springfield Ga").name == "Springfield Gardens"

    def test_a_town_nobody_knows_is_said(self) -> None:
        with pytest.raises(InvalidInput, match=r"no place of this name.*larger town nearby"):
            the_place(TOWNS, "Atlantis")


class TestDevices:
    def test_a_device_is_found_by_its_names_and_its_channel_by_its_id(self, store: MemoryStore) -> None:
        kept = add_device(store, "flat", WASHER)
        assert (kept.id, kept.kind, kept.rating_w) == (
            "home.flat.washing_machine",
            DeviceKind.WASHING_MACHINE,
            2100.0,
        )
        (power,) = channels_of(store, kept)
        assert (power.id, power.device) == ("home.flat.washing_machine.power", kept.id)
        assert find_context(store, [], power.id).channel == power

    def test_flexibility_is_what_is_usual_for_its_kind_unless_said(self, store: MemoryStore) -> None:
        assert add_device(store, "flat", WASHER).flexibility is Flexibility.SHIFTABLE
        fixed = add_device(store, "flat", DeviceWords("Dryer", "tumble dryer", flexibility="fixed"))
        assert fixed.flexibility is Flexibility.FIXED
        assert change_device(store, "flat", "washing machine", {"kind": "kettle"}).flexibility is Flexibility.FIXED
        assert change_device(store, "flat", "dryer", {"kind": "dishwasher"}).flexibility is Flexibility.FIXED

    def test_only_what_is_named_changes(self, store: MemoryStore) -> None:
        add_zone(store, "flat", "Kitchen")
        kept = add_device(store, "flat", replace(WASHER, zone="kitchen"))
        changed = change_device(store, "flat", "WASHING_MACHINE", {"rating_w": None, "name": "Washer"})
        assert changed == replace(kept, rating_w=None, name="Washer")
        assert change_device(store, "flat", "Washer", {"zone": None}).zone is None
        assert len(channels_of(store, changed)) == 1

    def test_the_home_stays_forecast_by_its_mains(self, store: MemoryStore) -> None:
        add_device(store, "flat", WASHER)
        assert find_context(store, [], "flat").channel.id == "home.flat.power"

    def test_a_device_alone_is_not_the_load_of_a_home(self) -> None:
        store = MemoryStore()
        add_home(store, [], TOWNS, HomeWords("Flat", time_zone="UTC"))
        add_device(store, "flat", WASHER)
        with pytest.raises(InvalidInput, match="no main channel"):
            find_context(store, [], "flat")

    @pytest.mark.parametrize(
        ("changed", "field", "hint"),
        [
            ({"name": "Power", "id": None}, "id", "already a name of home.flat.power"),
            ({"name": " "}, "name", "1 to 100 letters"),
            ({"name": "家"}, "id", "--id"),
            ({"kind": "washing"}, "kind", "Did you mean washing_machine"),
            ({"flexibility": "movable"}, "flexibility", "fixed, shiftable, interruptible, adjustable"),
            ({"rating_w": -5.0}, "rating_w", "Give watts"),
            ({"rating_w": float("nan")}, "rating_w", "Give watts"),
            ({"zone": "Attic"}, "zone", "none yet"),
            ({"channels": [channel_words("power:degX:1h")]}, "unit", "kWh"),
            ({"channels": [channel_words("power:W:7min")]}, "resolution", ""),
        ],
    )
    def test_what_cannot_be_is_named_with_its_cure_and_nothing_is_kept(
        self, store: MemoryStore, changed: dict[str, Any], field: str, hint: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            add_device(store, "flat", replace(WASHER, **changed))
        assert caught.value.field == field
        assert hint in str(caught.value)
        assert devices_of(store, home_named(store, "flat")) == []
        assert [channel.id for channel in store.channels()] == ["home.flat.power"]

    def test_a_name_is_taken_once(self, store: MemoryStore) -> None:
        add_device(store, "flat", WASHER)
        with pytest.raises(InvalidInput, match="already a name of Washing machine"):
            add_device(store, "flat", replace(WASHER, id="washer", name="washing MACHINE"))
        with pytest.raises(InvalidInput, match="already a name of Washing machine"):
            add_zone(store, "flat", "Laundry", word="washing_machine")

    def test_two_homes_may_have_the_same_devices(self, store: MemoryStore) -> None:
        add_home(store, [], TOWNS, HomeWords("Barn", time_zone="UTC"))
        ids = [add_device(store, home, WASHER).id for home in ("flat", "barn")]
        assert ids == ["home.flat.washing_machine", "home.barn.washing_machine"]

    def test_a_device_with_readings_or_uses_is_removed_only_when_that_is_said(self, store: MemoryStore) -> None:
        kept = add_device(store, "flat", WASHER)
        store.append_events(events((kept.id, 1, 2, 0.8)))
        with pytest.raises(InvalidInput, match=r"has uses in.*--delete-readings"):
            remove_device(store, "flat", "washing_machine")
        store.append(readings(1.0, channel=f"{kept.id}.power"))
        with pytest.raises(InvalidInput, match=r"Washing machine has readings in home\.flat\.washing_machine\.power"):
            remove_device(store, "flat", "washing_machine")
        assert channels_of(store, remove_device(store, "flat", "washing_machine", with_readings=True)) == []
        assert store.devices() == []

    def test_a_home_with_uses_is_removed_only_when_that_is_said(self, store: MemoryStore, tmp_path: Path) -> None:
        kept = add_device(store, "flat", replace(WASHER, channels=[]))
        store.append_events(events((kept.id, 1, 2, 0.8)))
        with pytest.raises(InvalidInput, match=r"Flat has uses in home\.flat\.washing_machine.*--delete-readings"):
            remove_site(store, KeptFiles.of(tmp_path), "flat")
        remove_site(store, KeptFiles.of(tmp_path), "flat", with_readings=True)
        assert (store.sites(), store.devices()) == ([], [])

    def test_what_is_forecast_of_a_home_is_not_removed_with_a_device(self, store: MemoryStore) -> None:
        meter, power = device("meter"), replace(home_channel("meter.power"), device="home.flat.meter")
        store.register([replace(home_site(), main_channel=power.id)], [power], devices=[meter])
        with pytest.raises(InvalidInput, match=r"is what is forecast of Flat.*--main power"):
            remove_device(store, "flat", "meter")

    def test_a_simulated_home_is_not_changed(self, store: MemoryStore) -> None:
        store.register([replace(home_site("town"), is_simulated=True)], [])
        with pytest.raises(InvalidInput, match="simulated"):
            add_device(store, "town", WASHER)


class TestZones:
    def test_a_zone_has_its_own_channels_and_those_of_the_devices_in_it(self, store: MemoryStore) -> None:
        channels = [channel_words("temperature:degC:15min"), channel_words("occupancy:%:15min")]
        kitchen = add_zone(store, "flat", "Kitchen", channels=channels)
        add_device(store, "flat", replace(WASHER, zone="Kitchen"))
        assert {channel.id: channel.quantity for channel in channels_of(store, kitchen)} == {
            "home.flat.kitchen.occupancy": Quantity.OCCUPANCY,
            "home.flat.kitchen.temperature": Quantity.TEMPERATURE,
            "home.flat.washing_machine.power": Quantity.POWER,
        }

    def test_what_is_in_a_zone_stays_when_it_goes(self, store: MemoryStore) -> None:
        add_zone(store, "flat", "Kitchen", channels=[channel_words("temperature:degC:1h")])
        add_device(store, "flat", replace(WASHER, zone="Kitchen"))
        remove_zone(store, "flat", "kitchen")
        home = home_named(store, "flat")
        assert zones_of(store, home) == []
        assert [each.zone for each in devices_of(store, home)] == [None]
        assert len(channels_of(store, home)) == 3
        with pytest.raises(InvalidInput, match="no such zone"):
            remove_zone(store, "flat", "kitchen")

    def test_a_thermometer_is_not_the_load_of_a_home(self) -> None:
        store = MemoryStore()
        add_home(store, [], TOWNS, HomeWords("Flat", time_zone="UTC"))
        add_zone(store, "flat", "Kitchen", channels=[channel_words("temperature:degC:1h")])
        store.append(readings(20.0, channel="home.flat.kitchen.temperature"))
        with pytest.raises(InvalidInput, match="no main channel"):
            find_context(store, [], "flat")


def test_a_channel_keeps_its_step_in_a_home(store: MemoryStore) -> None:
    store.append(readings(1.0, channel="home.flat.power"))
    with pytest.raises(InvalidInput, match="it has readings in kW"):
        change_home(store, [], TOWNS, "flat", {}, channels=[channel_words("power:W:30min")])
    assert next(channel.resolution for channel in store.channels()) == HOUR
