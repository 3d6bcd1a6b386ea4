"""What is heard: nothing is kept before a person says so, then samples at once and readings when intervals end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from builders import home_channel, home_site, hour, hours

from watthour.core.errors import InvalidInput, StoreLocked
from watthour.core.heard import Fault, Heard, LineState, Tells, Thing, Told
from watthour.core.ports import RunState
from watthour.store.memory import MemoryStore
from watthour.workflows.homes import DeviceWords, add_device, add_zone, remove_device
from watthour.workflows.links import FILE_NAME, Link, Links
from watthour.workflows.listening import MOST_FAULTS, MOST_FOUND, Listener, ThingWords, add_thing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

PLUG = Thing("shelly/plug/switch:0", "shelly/plug", "Plug", "plug", timedelta(minutes=1))
METER = Thing("homewizard/1/net", "homewizard/1", "P1 meter", "meter", timedelta(minutes=1))
IMPORT = Thing("homewizard/1/import", "homewizard/1", "P1 meter import", "meter", timedelta(seconds=10))
SENSOR = Thing("zigbee2mqtt/hall/temperature", "zigbee2mqtt/hall", "hall", "sensor")
QUARTER = timedelta(minutes=15)


class Clock:
    def __init__(self) -> None:
        self.now = hour(0)

    def __call__(self) -> datetime:
        return self.now


class Line:
    """A line that says what a test hands over."""

    name = "mqtt"

    def __init__(self) -> None:
        self.state = LineState("mqtt", is_connected=True)

    def listen(self, take: Callable[[Heard], None], stopping: Event) -> None:
        take(Heard((Told(PLUG, Tells.POWER, 5.0, hour(0)),)))
        stopping.wait()


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    found.register([home_site()], [home_channel("power")])
    return found


@pytest.fixture
def links(tmp_path: Path) -> Links:
    return Links(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listener(store: MemoryStore, links: Links, clock: Clock) -> Listener:
    return Listener(store, [Line()], links, clock=clock)


def told(thing: Thing, tells: Tells, value: float, at_hours: float | None) -> Heard:
    return Heard((Told(thing, tells, value, None if at_hours is None else hour(at_hours)),))


def tell_counter(listener: Listener, clock: Clock, start: float, end: float, *, per_hour: float = 4.0) -> None:
    """Let a plug count evenly, a sample a minute."""
    for minute in range(round(start * 60), round(end * 60) + 1):
        clock.now = hour(minute / 60)
        listener.take("mqtt", told(PLUG, Tells.COUNTER, 100 + per_hour * minute / 60, minute / 60))


def values(store: MemoryStore, channel: str, start: float, end: float) -> dict[float, float | None]:
    rows = store.read([channel], hours(start, end))
    return {
        (time - hour(0)) / timedelta(hours=1): value if value is None else round(value, 9)
        for time, value in rows.select("time", "value").iter_rows()
    }


def test_nothing_is_kept_of_a_thing_before_a_person_adds_it(listener: Listener, store: MemoryStore) -> None:
    listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, 0))
    (found,) = listener.found()
    assert (found.thing, found.channel, found.values[Tells.POWER].value) == (PLUG, None, 20.0)
    assert store.samples(["home.flat.power"], hours(-1, 1)).is_empty()
    assert store.devices() == []


def test_a_device_that_is_removed_takes_the_link_of_its_thing_along(
    listener: Listener, store: MemoryStore, links: Links
) -> None:
    listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, 0))
    add_thing(store, links, listener.found(), ThingWords(PLUG.key, home="flat", name="Fridge"))
    remove_device(store, "flat", "Fridge", with_readings=True, links=links)
    assert links.all() == {}
    assert [each.channel for each in listener.found()] == [None]


def test_adding_a_thing_makes_a_device_and_its_channel(listener: Listener, store: MemoryStore, links: Links) -> None:
    listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, 0))
    listener.take("mqtt", told(PLUG, Tells.COUNTER, 1.0, 0))
    words = ThingWords(PLUG.key, home="Flat", name="Washing machine", kind="washing machine")
    link = add_thing(store, links, listener.found(), words)
    assert link == Link("home.flat.washing_machine.energy", "Washing machine", 60.0)
    (device,) = store.devices()
    assert (device.id, device.name, str(device.kind), str(device.flexibility)) == (
        "home.flat.washing_machine",
        "Washing machine",
        "washing_machine",
        "shiftable",
    )
    (channel,) = [each for each in store.channels() if each.device == device.id]
    assert (channel.id, str(channel.unit), channel.resolution) == (link.channel, "kWh", QUARTER)
    assert listener.found()[0].channel == link.channel


def test_a_thing_that_only_tells_power_gets_a_channel_of_power(
    listener: Listener, store: MemoryStore, links: Links
) -> None:
    listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, 0))
    assert (
        add_thing(store, links, listener.found(), ThingWords(PLUG.key, home="flat")).channel == "home.flat.plug.power"
    )


def test_a_counter_becomes_the_energy_of_intervals_once_they_have_ended(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    listener.take("mqtt", told(PLUG, Tells.COUNTER, 100.0, 0))
    channel = add_thing(store, links, listener.found(), ThingWords(PLUG.key, home="flat", name="Fridge")).channel
    tell_counter(listener, clock, 0, 0.2)
    assert listener.settle() == 0
    tell_counter(listener, clock, 0.2, 0.75)
    assert listener.settle() > 0
    assert values(store, channel, 0, 24) == {0.0: 1.0, 0.25: 1.0, 0.5: 1.0}
    tell_counter(listener, clock, 0.75, 1.25)
    listener.settle()
    assert values(store, channel, 0, 24) == {0.0: 1.0, 0.25: 1.0, 0.5: 1.0, 0.75: 1.0, 1.0: 1.0}
    assert listener.settle() == 0
    assert store.versions([channel], hours(0, 24)).height == 5


def test_readings_are_known_when_the_sample_that_ends_their_interval_came(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    listener.take("mqtt", told(PLUG, Tells.COUNTER, 100.0, 0))
    channel = add_thing(store, links, listener.found(), ThingWords(PLUG.key, home="flat")).channel
    tell_counter(listener, clock, 0, 0.5)
    listener.settle()
    known = store.read([channel], hours(0, 1)).select("time", "available_at").rows()
    assert known == [(hour(0), hour(0.25)), (hour(0.25), hour(0.5))]


def test_samples_that_come_late_correct_the_intervals_they_belong_to(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    listener.take("mqtt", told(PLUG, Tells.POWER, 1000.0, 0))
    channel = add_thing(store, links, listener.found(), ThingWords(PLUG.key, home="flat")).channel
    minutes = [*range(31), *range(45, 76)]
    for minute in minutes:
        clock.now = hour(minute / 60)
        listener.take("mqtt", told(PLUG, Tells.POWER, 1000.0, minute / 60))
    listener.settle()
    assert values(store, channel, 0, 2) == {0.0: 1.0, 0.25: 1.0, 0.75: 1.0, 1.0: 1.0}
    clock.now = hour(1.3)
    listener.take("mqtt", Heard(tuple(Told(PLUG, Tells.POWER, 3000.0, hour(n / 60)) for n in range(31, 45))))
    listener.settle()
    late = values(store, channel, 0, 2)
    assert late[0.5] is not None
    assert 2.7 < late[0.5] < 3.0
    assert {time: value for time, value in late.items() if time != 0.5} == {0.0: 1.0, 0.25: 1.0, 0.75: 1.0, 1.0: 1.0}


def test_a_process_that_ended_between_sample_and_reading_is_taken_up(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    listener.take("mqtt", told(PLUG, Tells.COUNTER, 100.0, 0))
    channel = add_thing(store, links, listener.found(), ThingWords(PLUG.key, home="flat")).channel
    tell_counter(listener, clock, 0, 1)
    assert values(store, channel, 0, 2) == {}
    after = Listener(store, [], links, clock=clock)
    after.start()
    after.stop()
    assert values(store, channel, 0, 2) == {0.0: 1.0, 0.25: 1.0, 0.5: 1.0, 0.75: 1.0}


def test_a_value_of_unknown_time_is_shown_and_not_kept(listener: Listener, store: MemoryStore, links: Links) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, None))
    assert listener.found()[0].values[Tells.POWER].time is None
    assert store.samples(["home.flat.power"], hours(-9, 9)).is_empty()


def test_the_same_again_changes_nothing(listener: Listener, store: MemoryStore, links: Links) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    for _ in range(2):
        listener.take("mqtt", Heard((*told(PLUG, Tells.POWER, 20.0, 0).told, *told(PLUG, Tells.POWER, 20.0, 0).told)))
    kept = store.samples(["home.flat.power"], hours(-1, 1))
    assert kept.select("value", "measure").rows() == [(20.0, "power")]


def test_a_store_that_is_locked_is_said_to_the_line_and_nothing_is_half_done(
    listener: Listener, store: MemoryStore, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    with monkeypatch.context() as patched:

        def locked(_samples: object) -> int:
            raise StoreLocked("another process is writing", remedy="Wait.")

        patched.setattr(store, "append_samples", locked)
        with pytest.raises(StoreLocked):
            listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, 0))
    assert listener.found()[0].values == {}
    listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, 0))
    assert store.samples(["home.flat.power"], hours(-1, 1)).height == 1


def test_a_link_to_a_channel_that_was_removed_does_not_stop_the_others(
    listener: Listener, store: MemoryStore, links: Links
) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    links.add(METER.key, Link("home.flat.gone", "Meter"))
    listener.take("mqtt", Heard((*told(PLUG, Tells.POWER, 1, 0).told, *told(METER, Tells.POWER, 2, 0).told)))
    assert store.samples(["home.flat.power"], hours(-1, 1)).height == 1
    assert listener.settle() == 0


def test_a_fault_is_quarantined_once_and_then_counted(listener: Listener, store: MemoryStore) -> None:
    fault = Fault("zigbee2mqtt/plug", "payload_is_json", "hello")
    listener.take("mqtt", Heard(faults=(fault, fault)))
    listener.take("mqtt", Heard(faults=(fault, Fault("zigbee2mqtt/plug", "value_is_finite", "NaN"))))
    rows = store.quarantined().sort("rule").select("source", "rule", "row").rows()
    assert [row[:2] for row in rows] == [("mqtt", "payload_is_json"), ("mqtt", "value_is_finite")]
    assert json.loads(rows[0][2]) == {"topic": "zigbee2mqtt/plug", "payload": "hello"}
    assert listener.faults() == {
        ("payload_is_json", "zigbee2mqtt/plug"): 3,
        ("value_is_finite", "zigbee2mqtt/plug"): 1,
    }


def test_a_flood_of_things_and_faults_does_not_grow_for_ever(listener: Listener, store: MemoryStore) -> None:
    many = tuple(
        Told(Thing(f"tasmota/{n}/energy", f"tasmota/{n}", str(n)), Tells.POWER, 1.0, hour(0))
        for n in range(MOST_FOUND + 50)
    )
    faults = tuple(Fault(f"zigbee2mqtt/{n}", "payload_is_json", "x") for n in range(MOST_FAULTS + 50))
    listener.take("mqtt", Heard(many, faults))
    assert len(listener.found()) == MOST_FOUND
    assert len(listener.faults()) == MOST_FAULTS
    assert store.quarantined(limit=10_000).height == MOST_FAULTS


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (ThingWords("shelly/other"), "thing"),
        (ThingWords(SENSOR.key, channel="home.flat.power"), "channel"),
        (ThingWords(SENSOR.key, home="flat", zone="Cellar"), "zone"),
        (ThingWords(PLUG.key), "home"),
        (ThingWords(PLUG.key, home="nowhere"), "home"),
        (ThingWords(PLUG.key, home="flat", kind="spaceship"), "kind"),
        (ThingWords(PLUG.key, home="flat", name="???"), "id"),
        (ThingWords(PLUG.key, home="flat", step=timedelta(minutes=7)), "resolution"),
        (ThingWords(PLUG.key, channel="home.flat.nothing"), "channel"),
    ],
)
def test_what_cannot_be_added_is_refused_with_the_cure_and_leaves_nothing(
    listener: Listener, store: MemoryStore, links: Links, words: ThingWords, field: str
) -> None:
    listener.take("mqtt", told(PLUG, Tells.POWER, 20.0, 0))
    listener.take("mqtt", told(SENSOR, Tells.TEMPERATURE, 20.0, 0))
    with pytest.raises(InvalidInput) as refused:
        add_thing(store, links, listener.found(), words)
    assert refused.value.field == field
    assert refused.value.remedy
    assert store.devices() == []
    assert links.all() == {}


def test_two_things_that_tell_the_same_are_not_mixed_in_a_channel(
    listener: Listener, store: MemoryStore, links: Links
) -> None:
    for thing, tells in ((PLUG, Tells.POWER), (METER, Tells.POWER), (IMPORT, Tells.COUNTER)):
        listener.take("mqtt", told(thing, tells, 1.0, 0))
    add_thing(store, links, listener.found(), ThingWords(METER.key, channel="home.flat.power"))
    with pytest.raises(InvalidInput, match=r"homewizard/1/net fills home\.flat\.power already with its power"):
        add_thing(store, links, listener.found(), ThingWords(PLUG.key, channel="home.flat.power"))
    add_thing(store, links, listener.found(), ThingWords(IMPORT.key, channel="home.flat.power"))
    assert set(links.all()) == {METER.key, IMPORT.key}


def test_a_link_that_is_removed_ends_the_keeping_and_leaves_what_there_is(
    listener: Listener, store: MemoryStore, links: Links
) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    listener.take("mqtt", told(PLUG, Tells.POWER, 1, 0))
    assert links.remove(PLUG.key).channel == "home.flat.power"
    listener.take("mqtt", told(PLUG, Tells.POWER, 1, 0.5))
    assert store.samples(["home.flat.power"], hours(-1, 1)).height == 1
    with pytest.raises(InvalidInput, match="it fills no channel"):
        links.remove(PLUG.key)


def test_a_link_that_another_process_adds_is_seen_at_once(
    listener: Listener, store: MemoryStore, tmp_path: Path
) -> None:
    listener.take("mqtt", told(PLUG, Tells.POWER, 1, 0))
    Links(tmp_path).add(PLUG.key, Link("home.flat.power", "Plug"))
    listener.take("mqtt", told(PLUG, Tells.POWER, 1, 0.5))
    assert store.samples(["home.flat.power"], hours(-1, 1)).height == 1


def test_a_damaged_file_of_links_is_said_with_the_cure(listener: Listener, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(InvalidInput, match="listen --found"):
        listener.take("mqtt", told(PLUG, Tells.POWER, 1, 0))


def test_a_listener_that_only_looks_keeps_nothing(store: MemoryStore, links: Links) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    finder = Listener(store, [Line()], links, is_only_looking=True)
    finder.start()
    finder.take("mqtt", Heard(faults=(Fault("a", "payload_is_json", "x"),)))
    finder.stop()
    assert finder.found()[0].values[Tells.POWER].value == 5.0
    assert store.samples(["home.flat.power"], hours(-1, 1)).is_empty()
    assert store.quarantined().is_empty()
    assert store.runs() == []


def test_the_log_says_how_a_line_did(listener: Listener, store: MemoryStore, links: Links, clock: Clock) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    line = listener._lines[0]
    assert isinstance(line, Line)
    listener._note_lines()
    listener.take("mqtt", told(PLUG, Tells.POWER, 1, 0))
    clock.now = hour(0.5)
    listener._note_lines()
    assert store.runs() == []
    clock.now = hour(1)
    listener._note_lines()
    line.state = LineState("mqtt", problem="the broker cannot be reached")
    clock.now = hour(1.1)
    listener._note_lines()
    clock.now = hour(1.2)
    listener._note_lines()
    runs = [(run.source, run.state, run.new_rows, run.problem) for run in store.runs()]
    assert runs == [
        ("mqtt", RunState.FAILED, 0, "the broker cannot be reached"),
        ("mqtt", RunState.OK, 1, None),
    ]


def test_net_power_is_negative_only_where_the_home_has_something_that_feeds_in(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    listener.take("mqtt", told(METER, Tells.POWER, -500.0, 0))
    channel = add_thing(store, links, listener.found(), ThingWords(METER.key, channel="home.flat.power")).channel

    def half_an_hour(start: float) -> None:
        for second in range(0, 1801, 60):
            listener.take("mqtt", told(METER, Tells.POWER, -500.0, start + second / 3600))
        clock.now = hour(start + 0.5)
        listener.settle()

    half_an_hour(0)
    half_an_hour(0.5)
    assert values(store, channel, 0, 3) == {}
    assert set(store.quarantined()["rule"]) == {"power_is_negative"}
    add_device(store, "flat", DeviceWords("Roof", "solar"))
    half_an_hour(2)
    half_an_hour(2.5)
    assert values(store, channel, 2, 3) == {2.0: -0.5}


def test_what_could_not_be_made_is_made_the_next_time(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener.take("mqtt", told(PLUG, Tells.COUNTER, 100.0, 0))
    channel = add_thing(store, links, listener.found(), ThingWords(PLUG.key, home="flat")).channel
    tell_counter(listener, clock, 0, 0.5)
    with monkeypatch.context() as patched:

        def locked(_readings: object) -> int:
            raise StoreLocked("another process is writing", remedy="Wait.")

        patched.setattr(store, "append", locked)
        with pytest.raises(StoreLocked):
            listener.settle()
    assert listener.settle() == 2
    assert values(store, channel, 0, 1) == {0.0: 1.0, 0.25: 1.0}


def test_samples_carry_when_they_were_written(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    links.add(PLUG.key, Link("home.flat.power", "Plug"))
    clock.now = hour(3)
    listener.take("mqtt", told(PLUG, Tells.POWER, 1, 0))
    assert store.samples(["home.flat.power"], hours(-1, 1)).select(pl.col("time", "recorded_at")).row(0) == (
        hour(0),
        hour(3),
    )


def test_a_thermometer_fills_the_channel_of_its_room_with_means(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    add_zone(store, "flat", "Kitchen")
    listener.take("mqtt", told(SENSOR, Tells.TEMPERATURE, -2.0, 0))
    words = ThingWords(SENSOR.key, home="flat", zone="Kitchen", step=timedelta(hours=1))
    channel = add_thing(store, links, listener.found(), words).channel
    assert channel == "home.flat.kitchen.temperature"
    assert [each.zone for each in store.channels() if each.id == channel] == ["home.flat.kitchen"]
    for at, degrees in ((0, -2.0), (1, 2.0), (2, 2.0), (4.5, 30.0), (5, 30.0), (6, 31.0)):
        clock.now = hour(at)
        listener.take("mqtt", told(SENSOR, Tells.TEMPERATURE, degrees, at))
    listener.settle(is_last=True)
    assert values(store, channel, 0, 9) == {0.0: 0.0, 1.0: 2.0, 4.0: None, 5.0: 30.5}  # silence of 2.5 hours is a gap
    assert store.quarantined().is_empty()


def test_presence_becomes_the_share_of_the_time_in_which_somebody_was_there(
    listener: Listener, store: MemoryStore, links: Links, clock: Clock
) -> None:
    motion = Thing("zigbee2mqtt/hall/occupancy", "zigbee2mqtt/hall", "hall")
    listener.take("mqtt", told(motion, Tells.OCCUPANCY, 1.0, 0))
    words = ThingWords(motion.key, home="flat", step=timedelta(hours=1))
    channel = add_thing(store, links, listener.found(), words).channel
    (device,) = store.devices()
    assert (channel, str(device.kind)) == ("home.flat.hall.occupancy", "sensor")
    for at, somebody in ((0, 1.0), (0.25, 0.0), (9, 1.0), (10, 0.0), (30, 1.0)):
        clock.now = hour(at)
        listener.take("mqtt", told(motion, Tells.OCCUPANCY, somebody, at))
    listener.settle(is_last=True)
    made = values(store, channel, 0, 40)
    assert made == {0.0: 25.0, **dict.fromkeys([float(n) for n in range(1, 9)], 0.0), 9.0: 100.0}
