"""What every store promises of homes: zones, devices, their uses, and what meters tell at instants."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from builders import device, events, home_channel, home_site, hour, hours, readings, samples

from watthour.core.channel import DeviceKind, Flexibility, Zone
from watthour.core.errors import InvalidInput
from watthour.core.frames import Events, Measure, Samples
from watthour.core.window import Window

if TYPE_CHECKING:
    from watthour.core.ports import Store

EVER = Window(hour(-10_000), hour(10_000))
KITCHEN = Zone("home.flat.kitchen", "flat", "Kitchen")
WASHER = replace(
    device("washer"),
    kind=DeviceKind.WASHING_MACHINE,
    rating_w=2100.0,
    flexibility=Flexibility.SHIFTABLE,
    zone=KITCHEN.id,
)
POWER = home_channel("power")
OF_WASHER = replace(home_channel("washer.power"), device=WASHER.id, zone=KITCHEN.id)


@pytest.fixture
def home(store: Store) -> Store:
    """Return a store that knows a flat with a kitchen, a washing machine in it, and two channels."""
    store.register([home_site()], [POWER, OF_WASHER], zones=[KITCHEN], devices=[WASHER])
    return store


class TestParts:
    def test_everything_said_comes_back_sorted_by_id(self, home: Store) -> None:
        kettle, attic = device("kettle"), Zone("home.flat.attic", "flat", "Attic")
        home.register([], [], zones=[attic], devices=[kettle])
        assert home.devices() == [kettle, WASHER]
        assert home.zones() == [attic, KITCHEN]
        assert home.channels() == [POWER, OF_WASHER]

    def test_what_is_said_again_differently_is_changed(self, home: Store) -> None:
        home.register([], [], zones=[replace(KITCHEN, name="Galley")], devices=[replace(WASHER, zone=None)])
        assert home.zones() == [replace(KITCHEN, name="Galley")]
        assert home.devices() == [replace(WASHER, zone=None)]

    def test_what_is_new_must_not_be_kept_already(self, home: Store) -> None:
        with pytest.raises(InvalidInput, match=r"already a name of Washer.*watthour home show flat"):
            home.register([], [], devices=[WASHER], are_new=True)
        with pytest.raises(InvalidInput, match=r"already a name of Kitchen"):
            home.register([], [], zones=[KITCHEN], are_new=True)

    def test_a_device_cannot_take_the_id_of_a_zone(self, home: Store) -> None:
        with pytest.raises(InvalidInput, match="already a name of Kitchen"):
            home.register([], [], devices=[replace(WASHER, id=KITCHEN.id)])

    def test_a_device_stays_at_its_site(self, home: Store) -> None:
        with pytest.raises(InvalidInput, match="kept at flat"):
            home.register([home_site("barn")], [], devices=[replace(WASHER, site="barn", zone=None)])
        assert [site.id for site in home.sites()] == ["flat"]

    @pytest.mark.parametrize("part", [replace(WASHER, id="home.flat.x", zone="home.flat.attic"), device("x", "barn")])
    def test_a_device_belongs_to_a_known_site_and_zone(self, home: Store, part: object) -> None:
        with pytest.raises(InvalidInput, match=r"site|zone"):
            home.register([], [], devices=[part])  # type: ignore[list-item]  # one of two devices
        assert home.devices() == [WASHER]

    @pytest.mark.parametrize("field", ["device", "zone"])
    def test_a_channel_names_a_device_and_a_zone_of_its_own_site(self, home: Store, field: str) -> None:
        other, hall = device("washer", "barn"), Zone("home.barn.hall", "barn", "Hall")
        home.register([home_site("barn")], [], devices=[other], zones=[hall])
        wrong = {"device": {"device": other.id}, "zone": {"zone": hall.id}}[field]
        with pytest.raises(InvalidInput, match=f"{field} that flat does not have"):
            home.register([], [replace(home_channel("new.power"), **wrong)])  # type: ignore[arg-type]  # both are ids
        assert len(home.channels()) == 2

    def test_a_channel_that_names_no_device_and_no_zone_keeps_those_it_has(self, home: Store) -> None:
        home.register([], [replace(OF_WASHER, device=None, zone=None)])
        assert home.channels()[1] == OF_WASHER

    def test_a_new_channel_belongs_to_the_device_or_zone_it_is_named_after(self, home: Store) -> None:
        home.register([], [home_channel("washer.energy"), home_channel("kitchen.sockets"), home_channel("other.power")])
        found = {channel.id: (channel.device, channel.zone) for channel in home.channels()}
        assert found["home.flat.washer.energy"] == (WASHER.id, None)
        assert found["home.flat.kitchen.sockets"] == (None, KITCHEN.id)
        assert found["home.flat.other.power"] == (None, None)


class TestSamples:
    def test_what_was_put_in_comes_out_sorted(self, home: Store) -> None:
        rows = samples((POWER.id, 0.25, 230.5), (POWER.id, 0.0, -1.5), (OF_WASHER.id, 0.0, 3e9))
        counter = samples((POWER.id, 0.0, 12.5), measure=Measure.COUNTER)
        assert home.append_samples(Samples.validate(pl.concat([rows, counter]))) == 4
        found = home.samples([OF_WASHER.id, POWER.id], EVER)
        assert found.equals(pl.concat([rows, counter]).sort("channel", "time", "measure"))
        assert home.samples([POWER.id], hours(0, 0.25))["value"].to_list() == [12.5, -1.5]

    def test_appending_twice_changes_nothing_and_the_first_value_of_an_instant_stays(self, home: Store) -> None:
        assert home.append_samples(samples((POWER.id, 0.0, 1.0))) == 1
        assert home.append_samples(samples((POWER.id, 0.0, 1.0), (POWER.id, 1.0, 2.0), recorded_at=hour(99))) == 1
        assert home.append_samples(samples((POWER.id, 0.0, 7.0))) == 0
        assert home.samples([POWER.id], EVER)["value"].to_list() == [1.0, 2.0]

    def test_nothing_known_is_an_empty_table(self, home: Store) -> None:
        for found in (home.samples([POWER.id], EVER), home.samples(["home.no.power"], EVER), home.samples([], EVER)):
            assert found.is_empty()
            assert Samples.is_valid(found)
        assert home.append_samples(samples()) == 0

    def test_a_channel_nobody_registered_is_refused_and_nothing_is_kept(self, home: Store) -> None:
        with pytest.raises(InvalidInput, match=r"home\.flat\.nothing.*not registered"):
            home.append_samples(samples((POWER.id, 0.0, 1.0), ("home.flat.nothing", 0.0, 1.0)))
        assert home.samples([POWER.id], EVER).is_empty()


class TestEvents:
    def test_what_was_put_in_comes_out(self, home: Store) -> None:
        rows = events((WASHER.id, 1, 2.5, 0.8), (WASHER.id, 30, 31, None))
        assert home.append_events(rows) == 2
        assert home.events([WASHER.id], EVER).equals(rows)

    def test_a_use_belongs_to_the_window_it_began_in(self, home: Store) -> None:
        home.append_events(events((WASHER.id, 1, 9, 1.0), (WASHER.id, 9, 12, 2.0)))
        assert home.events([WASHER.id], hours(0, 9))["energy_kwh"].to_list() == [1.0]

    def test_appending_twice_changes_nothing(self, home: Store) -> None:
        rows = events((WASHER.id, 1, 2.5, 0.8), (WASHER.id, 30, 31, None))
        home.append_events(rows)
        assert home.append_events(rows) == 0
        assert home.append_events(events((WASHER.id, 1, 2.5, 0.8), available_at=hour(50))) == 0

    def test_what_is_said_later_is_a_new_version_and_the_old_one_stays_what_was_known(self, home: Store) -> None:
        home.append_events(events((WASHER.id, 1, 2, None), available_at=hour(2)))
        assert home.append_events(events((WASHER.id, 1, 3, 0.9), available_at=hour(3))) == 1
        then = home.events([WASHER.id], EVER, as_of=hour(2.5))
        assert then.select("end", "energy_kwh").rows() == [(hour(2), None)]
        assert home.events([WASHER.id], EVER).select("end", "energy_kwh").rows() == [(hour(3), 0.9)]

    def test_another_word_for_the_same_instant_became_known_when_it_was_recorded(self, home: Store) -> None:
        home.append_events(events((WASHER.id, 1, 2, 0.5), available_at=hour(2)))
        late = events((WASHER.id, 1, 2, 0.7), available_at=hour(2), recorded_at=hour(40))
        assert home.append_events(late) == 1
        assert home.append_events(late) == 0
        known = [home.events([WASHER.id], EVER, as_of=hour(at))["energy_kwh"].to_list() for at in (39, 40)]
        assert known == [[0.5], [0.7]]

    def test_uses_are_sorted_by_device_and_start(self, home: Store) -> None:
        home.register([], [], devices=[device("kettle")])
        home.append_events(events((WASHER.id, 5, 6, 1.0), ("home.flat.kettle", 7, 8, 0.1), (WASHER.id, 1, 2, 1.0)))
        found = home.events([WASHER.id, "home.flat.kettle"], EVER)
        assert found.select("device", "start").rows() == [
            ("home.flat.kettle", hour(7)),
            (WASHER.id, hour(1)),
            (WASHER.id, hour(5)),
        ]

    def test_nothing_known_is_an_empty_table(self, home: Store) -> None:
        for found in (home.events([WASHER.id], EVER), home.events(["home.no.washer"], EVER), home.events([], EVER)):
            assert found.is_empty()
            assert Events.is_valid(found)
        assert home.append_events(events()) == 0

    def test_a_device_nobody_registered_is_refused_and_nothing_is_kept(self, home: Store) -> None:
        with pytest.raises(InvalidInput, match=r"home\.flat\.nothing.*not registered.*Register the device"):
            home.append_events(events((WASHER.id, 1, 2, 1.0), ("home.flat.nothing", 1, 2, 1.0)))
        assert home.events([WASHER.id], EVER).is_empty()


class TestForgetting:
    def test_a_site_goes_with_its_zones_devices_and_channels(self, home: Store) -> None:
        home.forget([POWER.id, OF_WASHER.id], ["flat"])
        assert (home.sites(), home.zones(), home.devices(), home.channels()) == ([], [], [], [])

    def test_samples_and_uses_are_kept_unless_said(self, home: Store) -> None:
        home.append_samples(samples((OF_WASHER.id, 0.0, 1.0)))
        home.append_events(events((WASHER.id, 1, 2, 1.0)))
        with pytest.raises(InvalidInput, match=OF_WASHER.id):
            home.forget([OF_WASHER.id])
        home.forget([OF_WASHER.id], with_readings=True)
        with pytest.raises(InvalidInput, match="its uses would be lost"):
            home.forget([], devices=[WASHER.id])
        with pytest.raises(InvalidInput, match="its uses would be lost"):
            home.forget([POWER.id], ["flat"])
        home.forget([], devices=[WASHER.id], with_readings=True)
        home.register([], [OF_WASHER], devices=[WASHER])
        assert home.samples([OF_WASHER.id], EVER).is_empty()
        assert home.events([WASHER.id], EVER).is_empty()

    def test_a_device_stays_while_it_has_a_channel(self, home: Store) -> None:
        with pytest.raises(InvalidInput, match=r"device.*still has the channel home\.flat\.washer\.power"):
            home.forget([], devices=[WASHER.id])
        assert home.devices() == [WASHER]

    def test_what_was_in_a_zone_stays_when_the_zone_goes(self, home: Store) -> None:
        home.append(readings(1.0, channel=OF_WASHER.id))
        home.forget([], zones=[KITCHEN.id])
        assert home.zones() == []
        assert home.devices() == [replace(WASHER, zone=None)]
        assert home.channels()[1] == replace(OF_WASHER, zone=None)
        assert home.read([OF_WASHER.id], EVER).height == 1


class TestAtOnce:
    def test_the_same_samples_and_uses_are_kept_once(self, home: Store) -> None:
        told = samples(*((POWER.id, float(at), 1.0) for at in range(50)))
        uses = events(*((WASHER.id, at, at + 1, 0.5) for at in range(20)))
        with ThreadPoolExecutor(4) as threads:
            n_samples = threads.map(lambda _: home.append_samples(told), range(4))
            n_uses = threads.map(lambda _: home.append_events(uses), range(4))
            assert (sum(n_samples), sum(n_uses)) == (50, 20)
        assert home.events([WASHER.id], EVER).height == 20

    def test_a_new_device_is_added_by_one_alone(self, home: Store) -> None:
        def add(_: int) -> bool:
            try:
                home.register([], [], devices=[device("kettle")], are_new=True)
            except InvalidInput:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            assert sorted(threads.map(add, range(4))) == [False, False, False, True]
