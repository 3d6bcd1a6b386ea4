"""Home Assistant's statistics over its WebSocket API: what is read, and what is said when it cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from builders import home_channel, home_site, hour, hours
from fakes.home_assistant import TOKEN, FakeHomeAssistant, home_assistant, metadata
from pydantic import SecretStr
from structlog.testing import capture_logs

from watthour.core.errors import NotConfigured, PayloadChanged, SourceError, SourceRejected, SourceUnavailable
from watthour.core.frames import Quality
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR, Window
from watthour.sources.home_assistant import HomeAssistantOptions, open_line
from watthour.sources.home_assistant.statistics import Statistics, energy_roles
from watthour.sources.recorded import Recorded
from watthour.store.memory import MemoryStore
from watthour.workflows.links import Link, Links
from watthour.workflows.listening import Listener
from watthour.workflows.recall import archive_of, fill_past

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from watthour.core.heard import Heard

NOW = hour(30)
GRID, OVEN, ROOM = "sensor.grid_import", "sensor.oven_power", "sensor.room_temperature"
LISTED = [
    metadata(GRID, "Wh", "energy", counts=True),
    metadata(OVEN, "kW", "power", counts=False),
    metadata(ROOM, "°F", "temperature", counts=False),
    metadata("sensor.damp", "%", None, counts=False),
    metadata("sensor.phone_battery", "%", None, counts=False),
    metadata("sensor.gas", "m³", "volume", counts=True),
    metadata("sensor.wind_direction", "°", None, counts=False) | {"mean_type": 2},
]
PREFERENCES = {
    "energy_sources": [{"type": "grid", "flow_from": [{"stat_energy_from": GRID}], "flow_to": []}],
    "device_consumption": [{"stat_consumption": "sensor.washer_energy"}],
}
STATES = [
    {"entity_id": "sensor.damp", "attributes": {"device_class": "humidity"}},
    {"entity_id": "sensor.phone_battery", "attributes": {"device_class": "battery"}},
]
LONGEST_S = 5.0


def by_hour(*values: float | None, start: int = 0) -> list[tuple[datetime, float | None]]:
    return [(hour(start + number), value) for number, value in enumerate(values)]


@pytest.fixture
def fake() -> Iterator[FakeHomeAssistant]:
    rows = {
        ("hour", GRID): by_hour(*(2.0 * n for n in range(30))),
        ("hour", OVEN): by_hour(500.0, 1500.0, start=28),
        ("hour", ROOM): by_hour(20.0, start=28),
        ("hour", "sensor.damp"): by_hour(55.0, start=28),
        ("5minute", OVEN): [(hour(28) + n * timedelta(minutes=5), 600.0) for n in range(24)],
    }
    with home_assistant(listed=LISTED, preferences=PREFERENCES, states=STATES, rows=rows) as found:
        yield found


def statistics(fake: FakeHomeAssistant, token: str = TOKEN) -> Statistics:
    return Statistics(fake.url, token, patience_s=2.0)


def told(heard: Heard) -> dict[tuple[str, str], float]:
    return {(each.thing.key, str(each.tells)): each.value for each in heard.told}


def test_everything_that_can_be_read_is_listed_with_its_last_value(fake: FakeHomeAssistant) -> None:
    heard = statistics(fake).latest(NOW)
    assert told(heard) == {
        (f"home_assistant/{GRID}", "counter"): 58.0,
        (f"home_assistant/{OVEN}", "power"): 1500.0,
        (f"home_assistant/{ROOM}", "temperature"): 20.0,
        ("home_assistant/sensor.damp", "humidity"): 55.0,
    }
    assert {each.time for each in heard.told} == {None}  # shown, and no samples
    assert heard.told[0].thing.name == f"{GRID} (grid import)"
    assert fake.asked[-1]["units"] == {"energy": "kWh", "power": "W", "temperature": "°C"}


@pytest.mark.parametrize("entity", ["sensor.watthour_flat_energy_this_month", "sensor.renamed_by_a_person"])
def test_what_we_have_told_home_assistant_is_no_meter(fake: FakeHomeAssistant, entity: str) -> None:
    fake.listed = [*LISTED, metadata(entity, "kWh", "energy", counts=True)]
    fake.states = [*STATES, {"entity_id": entity, "state": "151.2", "attributes": {"told_by": "Watthour"}}]
    found = {each.id for each in statistics(fake)._listed()}
    assert GRID in found
    assert entity not in found


def test_the_energy_dashboard_says_which_meter_is_the_grids_in_its_old_and_its_new_form() -> None:
    old = {"type": "grid", "flow_from": [{"stat_energy_from": "a"}], "flow_to": [{"stat_energy_to": "b"}]}
    new = {"type": "grid", "stat_energy_from": "c", "stat_energy_to": None}
    rest = [
        {"type": "battery", "stat_energy_from": "d", "stat_energy_to": "e"},
        {"type": "gas", "stat_energy_from": "g"},
    ]
    devices = [{"stat_consumption": "f"}]
    assert dict(energy_roles({"energy_sources": [old, new, *rest], "device_consumption": devices})) == {
        "a": "grid import",
        "b": "grid export",
        "c": "grid import",
        "d": "battery discharging",
        "e": "battery charging",
        "f": "device",
    }


def test_a_home_without_an_energy_dashboard_is_read_all_the_same(fake: FakeHomeAssistant) -> None:
    fake.preferences = None
    assert len(statistics(fake).latest(NOW).told) == 4


@pytest.mark.parametrize(
    ("fault", "token", "error", "words"),
    [
        (None, "wrong", SourceRejected, "does not accept the token"),
        ("no_json", TOKEN, PayloadChanged, "no JSON"),
        ("too_old", TOKEN, SourceRejected, "2025.10.1 does not know recorder/list_statistic_ids"),
        ("hangs_up", TOKEN, SourceUnavailable, "ended the connection"),
        ("drips", TOKEN, SourceUnavailable, "did not answer within 0.5 seconds"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure_and_without_the_token(
    fake: FakeHomeAssistant, fault: str | None, token: str, error: type[SourceError], words: str
) -> None:
    fake.fault = fault
    with pytest.raises(error, match=words) as raised:
        Statistics(fake.url, token, patience_s=0.5).latest(NOW)
    assert raised.value.remedy
    assert token not in str(raised.value)


def test_one_that_is_not_there_is_said() -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        Statistics("http://127.0.0.1:9", TOKEN, patience_s=0.5).latest(NOW)


def test_the_past_of_something_unknown_is_refused_by_its_name(fake: FakeHomeAssistant) -> None:
    with pytest.raises(SourceRejected, match=r"no statistics of sensor\.gone"):
        statistics(fake).told(["home_assistant/sensor.gone"], hours(0, 5), is_past=True)
    followed = statistics(fake).told(["home_assistant/sensor.gone"], hours(0, 5), is_past=False)
    assert [(fault.topic, fault.rule) for fault in followed.heard.faults] == [("sensor.gone", "statistic_is_known")]


def test_the_token_comes_from_the_settings_or_a_file_that_nobody_else_can_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o644)
    options = HomeAssistantOptions(url="http://127.0.0.1:1", token_file=path)
    with pytest.raises(NotConfigured, match="chmod 600") as refused:
        open_line(options)
    assert TOKEN not in str(refused.value)
    path.chmod(0o600)
    assert isinstance(open_line(options), Recorded)
    assert isinstance(open_line(options.model_copy(update={"token_file": None, "token": SecretStr(TOKEN)})), Recorded)
    with pytest.raises(NotConfigured, match="no key is set"):
        open_line(HomeAssistantOptions(url="http://127.0.0.1:1"))
    assert open_line(HomeAssistantOptions()) is None
    assert TOKEN not in repr(options)


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    energy = replace(home_channel("energy"), quantity=Quantity.ENERGY, unit=Unit.KWH)
    found.register([home_site()], [energy, home_channel("power")])
    return found


def line_to(fake: FakeHomeAssistant) -> Recorded:
    return Recorded("home_assistant", statistics(fake), timedelta(seconds=0.05), clock=lambda: NOW)


def fill(store: MemoryStore, fake: FakeHomeAssistant, name: str, channel: str, window: Window) -> int:
    key = f"home_assistant/{name}"
    links = {key: Link(channel, name)}
    ((archive, keys),) = archive_of([line_to(fake)], links).values()
    (filled,) = fill_past(store, links, archive, keys, window, now=NOW)
    return filled.new


def values(store: MemoryStore, channel: str) -> dict[float, float | None]:
    rows = store.read([channel], hours(-2000, 100)).select("time", "value")
    return {(at - hour(0)) / HOUR: value if value is None else round(value, 9) for at, value in rows.iter_rows()}


def test_the_past_of_a_sum_becomes_readings_that_are_assumed_to_have_been_known(
    fake: FakeHomeAssistant, store: MemoryStore
) -> None:
    assert fill(store, fake, GRID, "home.flat.energy", hours(0, 30)) == 29
    assert fill(store, fake, GRID, "home.flat.energy", hours(0, 30)) == 0
    assert values(store, "home.flat.energy") == {float(n): 2.0 for n in range(1, 30)}
    known = store.read(["home.flat.energy"], hours(1, 2)).select("available_at", "quality").row(0)
    assert known == (hour(2), int(Quality.ASSUMED))


def test_a_sum_that_is_begun_anew_or_corrected_makes_no_energy(fake: FakeHomeAssistant, store: MemoryStore) -> None:
    fake.rows["hour", GRID] = by_hour(500.0, 502.0, 0.5, 2.5, 9000.0, 9001.0)
    fill(store, fake, GRID, "home.flat.energy", hours(0, 30))
    assert values(store, "home.flat.energy") == {1.0: 2.0, 2.0: 0.5, 3.0: 2.0, 5.0: 1.0}


def test_a_mean_holds_for_its_hour_and_a_missing_hour_is_a_gap(fake: FakeHomeAssistant, store: MemoryStore) -> None:
    fake.rows["hour", OVEN] = [*by_hour(500.0, 1500.0), *by_hour(250.0, None, 750.0, 100.0, start=3)]
    fill(store, fake, OVEN, "home.flat.power", hours(0, 30))
    found = values(store, "home.flat.power")
    assert {at: value for at, value in found.items() if value is not None} == {0.0: 0.5, 1.0: 1.5, 3.0: 0.25, 5.0: 0.75}


def test_quarters_of_an_hour_made_of_hours_are_estimated(fake: FakeHomeAssistant, store: MemoryStore) -> None:
    store.register([], [replace(home_channel("oven.power"), resolution=timedelta(minutes=15))])
    fill(store, fake, OVEN, "home.flat.oven.power", hours(0, 30))
    read = store.read(["home.flat.oven.power"], hours(0, 30))
    assert read["value"].round(9).to_list()[:4] == [0.5] * 4
    assert set(read["quality"]) == {int(Quality.ASSUMED | Quality.ESTIMATED)}


def test_a_long_past_is_asked_for_in_pieces(fake: FakeHomeAssistant, store: MemoryStore) -> None:
    fake.rows["hour", GRID] = by_hour(*(1.0 * n for n in range(24 * 70 + 30)), start=-24 * 70)
    assert fill(store, fake, GRID, "home.flat.energy", hours(-24 * 70, 30)) == 24 * 70 + 29
    asked = [each for each in fake.asked if each["type"].endswith("during_period")]
    assert len(asked) == 3
    assert {each["period"] for each in asked} == {"hour"}


def test_readings_that_are_there_stay(fake: FakeHomeAssistant, store: MemoryStore) -> None:
    fill(store, fake, GRID, "home.flat.energy", hours(10, 20))
    fake.rows["hour", GRID] = by_hour(*(4.0 * n for n in range(30)))
    assert fill(store, fake, GRID, "home.flat.energy", hours(0, 30)) == 20
    found = values(store, "home.flat.energy")
    assert {found[float(n)] for n in range(11, 20)} == {2.0}
    assert found[5.0] == found[25.0] == 4.0


def listened(line: Recorded, listener: Listener, until: int) -> None:
    """Let a line hand over until so many answers have come."""
    stopping = Event()
    thread = Thread(target=line.listen, args=(lambda heard: listener.take(line.name, heard), stopping), daemon=True)
    thread.start()
    ends_at = monotonic() + LONGEST_S
    while line.state.n_messages < until and monotonic() < ends_at:
        stopping.wait(0.01)
    stopping.set()
    thread.join(LONGEST_S)
    assert not thread.is_alive()


def test_what_comes_is_followed_in_steps_of_five_minutes(
    fake: FakeHomeAssistant, store: MemoryStore, tmp_path: Path
) -> None:
    links = Links(tmp_path)
    links.add(f"home_assistant/{OVEN}", Link("home.flat.power", "Oven"))
    line = line_to(fake)
    listener = Listener(store, [line], links, clock=lambda: NOW)
    listened(line, listener, 2)
    assert store.samples(["home.flat.power"], hours(0, 40)).height == 24
    listener.settle(is_last=True)
    assert values(store, "home.flat.power")[28.0] == 0.6
    assert line.state.is_connected


def test_what_was_missed_while_we_were_away_is_asked_for_first(
    fake: FakeHomeAssistant, store: MemoryStore, tmp_path: Path
) -> None:
    links = Links(tmp_path)
    links.add(f"home_assistant/{OVEN}", Link("home.flat.power", "Oven"))
    fake.rows["5minute", OVEN] = [(hour(n / 12), 600.0) for n in range(24 * 12, 30 * 12)]
    line = line_to(fake)
    line.resume({f"home_assistant/{OVEN}": hour(25)})
    listener = Listener(store, [line], links, clock=lambda: NOW)
    listened(line, listener, 3)
    assert store.samples(["home.flat.power"], hours(0, 40)).height == 5 * 12


def test_a_connection_that_breaks_is_said_once_and_made_again(
    fake: FakeHomeAssistant, store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watthour.sources.recorded._REST_S", 0.05)
    fake.fault = "hangs_up"
    line = line_to(fake)
    listener = Listener(store, [line], Links(tmp_path), clock=lambda: NOW)
    stopping = Event()
    with capture_logs() as logs:
        thread = Thread(target=line.listen, args=(lambda heard: listener.take(line.name, heard), stopping), daemon=True)
        thread.start()
        ends_at = monotonic() + LONGEST_S
        while len(fake.asked) < 9 and monotonic() < ends_at:
            stopping.wait(0.01)
        broken = line.state
        fake.fault = None
        while line.state.problem is not None and monotonic() < ends_at:
            stopping.wait(0.01)
        stopping.set()
        thread.join(LONGEST_S)
    assert (broken.is_connected, broken.problem is None) == (False, False)
    assert (line.state.is_connected, line.state.problem) == (True, None)
    assert [entry["event"] for entry in logs if entry["event"] != "answers_again"] == ["not_answered"]
    assert len(listener.found()) == 4


HALL = "binary_sensor.hall_motion"
PRESENT: list[dict[str, Any]] = [
    {"entity_id": HALL, "state": "on", "attributes": {"device_class": "motion", "friendly_name": "Hall"}},
    {"entity_id": "binary_sensor.door", "state": "on", "attributes": {"device_class": "door"}},
    {"entity_id": "binary_sensor.cellar", "state": "unavailable", "attributes": {"device_class": "occupancy"}},
    {"entity_id": "binary_sensor.broken"},
]
CHANGES = [
    (hour(-240), "off"),
    (hour(-239.5), "on"),
    (hour(-238.5), "off"),
    (hour(-230), "on"),
    (hour(10), "off"),
    (hour(20.25), "on"),
    (hour(20.75), "off"),
    (hour(21.5), "unavailable"),
    (hour(28), "off"),
    (hour(28.5), "on"),
]


@pytest.fixture
def presence(fake: FakeHomeAssistant, store: MemoryStore) -> str:
    fake.states, fake.changes[HALL] = [*STATES, *PRESENT], CHANGES
    share = replace(home_channel("hall.occupancy"), quantity=Quantity.OCCUPANCY, unit=Unit.PERCENT)
    store.register([], [share])
    return share.id


def test_sensors_of_presence_are_listed_beside_the_statistics(fake: FakeHomeAssistant, presence: str) -> None:
    heard = statistics(fake).latest(NOW)
    assert told(heard)[f"home_assistant/{HALL}", "occupancy"] == 1.0
    assert len(heard.told) == 5  # no door, and nothing that is not known now
    assert "Hall" in {each.thing.name for each in heard.told}
    assert presence


def test_the_past_of_presence_becomes_shares_as_far_back_as_its_changes_are_kept(
    fake: FakeHomeAssistant, store: MemoryStore, presence: str
) -> None:
    assert fill(store, fake, HALL, presence, hours(-24 * 60, 30)) > 0
    assert fill(store, fake, HALL, presence, hours(-24 * 60, 30)) == 0
    found = {at: value for at, value in values(store, presence).items() if value is not None}
    assert [found[at] for at in (-240.0, -239.0, -238.0)] == [50.0, 50.0, 0.0]
    assert min(found) == -240.0
    assert -100.0 not in found  # of days without a change nobody knows whether the sensor was there
    assert (found[20.0], found[21.0], found[28.0]) == (50.0, 0.0, 50.0)
    assert set(store.read([presence], hours(20, 21))["quality"]) == {int(Quality.ASSUMED)}


def test_presence_is_followed_and_known_to_hold_between_its_changes(
    fake: FakeHomeAssistant, store: MemoryStore, tmp_path: Path, presence: str
) -> None:
    links = Links(tmp_path)
    links.add(f"home_assistant/{HALL}", Link(presence, "Hall"))
    line = line_to(fake)
    listener = Listener(store, [line], links, clock=lambda: NOW)
    listened(line, listener, 2)
    kept = store.samples([presence], hours(0, 40))
    minute = timedelta(minutes=1)
    assert kept.select("time", "value").rows() == [(hour(28), 0.0), (hour(28.5), 1.0), (NOW - minute, 1.0)]
    listener.settle(is_last=True)
    assert values(store, presence) == {28.0: 50.0}


def test_a_home_assistant_without_a_history_of_states_tells_its_statistics_all_the_same(
    fake: FakeHomeAssistant, store: MemoryStore, tmp_path: Path, presence: str
) -> None:
    fake.fault = "no_history"
    links = Links(tmp_path)
    links.add(f"home_assistant/{OVEN}", Link("home.flat.power", "Oven"))
    line = line_to(fake)
    listener = Listener(store, [line], links, clock=lambda: NOW)
    listened(line, listener, 2)
    assert store.samples(["home.flat.power"], hours(0, 40)).height == 24
    assert line.state.problem is None
    assert {rule for rule, _topic in listener.faults()} == {"history_is_switched_on"}
    assert presence


@pytest.mark.parametrize("answer", [[], {HALL: "on"}, {HALL: [{"s": "on"}, {"s": "on", "lu": "x"}, 7]}])
def test_a_history_in_another_form_is_said_or_refused_row_by_row(
    fake: FakeHomeAssistant, presence: str, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeHomeAssistant, "_history", lambda *_asked: answer)
    recorder, key = statistics(fake), f"home_assistant/{HALL}"
    if isinstance(answer, dict) and isinstance(answer[HALL], list):
        heard = recorder.told([key], hours(20, 30), is_past=True).heard
        assert [fault.rule for fault in heard.faults] == ["row_has_its_time"] * 2
        assert heard.told == ()
    else:
        with pytest.raises(PayloadChanged, match="in another form"):
            recorder.told([key], hours(20, 30), is_past=True)
    assert presence


@pytest.mark.shared_data
def test_the_sums_of_a_recorded_export_are_read_as_home_assistant_counts_them(
    fake: FakeHomeAssistant, store: MemoryStore, shared_data: Path
) -> None:
    path = (
        shared_data / "home" / "fixtures" / "ha_statistics" / "config__test_counter_no_delta__expected_after_import.tsv"
    )
    if not path.is_file():
        pytest.skip("needs the recorded exports of Home Assistant's statistics")
    lines = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    name = lines[0][0]
    own = [line for line in lines if line[0] == name]
    start = datetime.strptime(own[0][2], "%d.%m.%Y %H:%M").replace(tzinfo=UTC)
    fake.listed = [metadata(name, "kWh", "energy", counts=True)]
    fake.rows["hour", name] = [(start + n * HOUR, float(line[3])) for n, line in enumerate(own)]
    fill(store, fake, name, "home.flat.energy", Window(start, start + len(own) * HOUR))
    made = store.read(["home.flat.energy"], Window(start, start + len(own) * HOUR))
    assert made["value"].to_list() == [float(line[5]) for line in own if line[5]]


def test_statistics_may_be_named() -> None:
    assert HomeAssistantOptions.model_validate({"statistics": "sensor.a, sensor.b"}).statistics == (
        "sensor.a",
        "sensor.b",
    )
    for url in ("ftp://a", "http://me:secret@a", "a"):
        with pytest.raises(ValueError, match="no address"):
            HomeAssistantOptions(url=url)
    assert TOKEN not in HomeAssistantOptions(token=SecretStr(TOKEN)).model_dump_json()
