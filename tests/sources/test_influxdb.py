"""InfluxDB 3 by SQL, with its real client: what is read, what cannot break out of a query, and what is said."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from builders import home_channel, home_site, hour, hours
from pydantic import SecretStr, ValidationError

pytest.importorskip("influxdb_client_3", reason="needs the extra iot")

from fakes.influxdb import DATABASE, TOKEN, FakeInfluxdb, influxdb
from pyarrow import flight

from watthour.core.errors import NotConfigured, PayloadChanged, SourceError, SourceRejected, SourceUnavailable
from watthour.core.window import HOUR
from watthour.sources.influxdb import InfluxdbOptions, open_line, recorder
from watthour.sources.influxdb.recorder import Database, Layout, Tables, quoted
from watthour.sources.mqtt.message import UNITS
from watthour.sources.recorded import Recorded
from watthour.store.memory import MemoryStore
from watthour.workflows.links import Link, Links
from watthour.workflows.listening import Listener
from watthour.workflows.recall import archive_of, fill_past

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from watthour.core.heard import Heard

NOW = hour(30)
EVIL = 'x"; DROP TABLE "kWh"; --'
LONGEST_S = 5.0


def rows(entity: str, *values: tuple[float, float | None], **more: object) -> list[dict[str, Any]]:
    """Rows as Home Assistant writes them, from hours and values."""
    return [{"time": hour(at), "domain": "sensor", "entity_id": entity, "value": value, **more} for at, value in values]


@pytest.fixture
def server() -> Iterator[FakeInfluxdb]:
    with influxdb() as found:
        grid = {"device_class_str": "energy", "state_class_str": "total_increasing", "friendly_name_str": "Grid"}
        found.write("kWh", rows("grid", *((n / 4, 100 + n / 8) for n in range(121)), **grid))
        stored = {"device_class_str": "energy", "state_class_str": "measurement", "friendly_name_str": "Battery"}
        found.write("kWh", rows("battery_stored", (29.0, 5.0), **stored))
        found.write("W", rows("oven", (28.0, 1000.0), (28.5, None), (29.0, 0.0), friendly_name_str="Oven"))
        damp = rows("bath", (29.0, 61.0), device_class_str="humidity")
        found.write("%", [*damp, *rows("phone", (29.0, 80.0), device_class_str="battery")])
        found.write("lux", rows("roof", (29.0, 400.0)))
        found.write("meters", [{"time": hour(29), "room": "hall", "watts": 42.0}])
        yield found


def tables(server: FakeInfluxdb, *layouts: Layout, token: str = TOKEN, database: str = DATABASE) -> Tables:
    return Tables(Database(server.url, database, token), layouts)


def told(heard: Heard) -> dict[tuple[str, str], float]:
    return {(each.thing.key, str(each.tells)): each.value for each in heard.told}


def test_tables_of_home_assistant_are_found_with_the_last_value_of_each_thing(server: FakeInfluxdb) -> None:
    heard = tables(server).latest(NOW + HOUR)
    assert told(heard) == {
        ("influxdb/sensor.grid/kWh", "counter"): 115.0,
        ("influxdb/sensor.oven/W", "power"): 0.0,
        ("influxdb/sensor.bath/%", "humidity"): 61.0,
    }
    assert {each.thing.name for each in heard.told} == {"Grid", "Oven", "sensor.bath"}
    assert {each.thing.key: each.time for each in heard.told}["influxdb/sensor.grid/kWh"] == hour(30)


def test_what_we_have_told_home_assistant_is_no_meter(server: FakeInfluxdb) -> None:
    before = told(tables(server).latest(NOW + HOUR))
    counter = {"device_class_str": "energy", "state_class_str": "total"}
    server.write("kWh", rows("watthour_flat_energy_this_month", (29.0, 151.2), **counter))
    server.write("kWh", rows("renamed_by_a_person", (29.0, 151.2), told_by_str="Watthour", **counter))
    assert told(tables(server).latest(NOW + HOUR)) == before
    server.write("kWh", rows("a_meter", (29.0, 151.2), **counter))
    assert told(tables(server).latest(NOW + HOUR)).keys() - before.keys() == {
        ("influxdb/sensor.a_meter/kWh", "counter")
    }


def test_a_table_of_another_layout_is_read_as_the_settings_say(server: FakeInfluxdb) -> None:
    own = Layout("meters", "W", "watts", ("room",))
    assert ("influxdb/hall/meters", "power") in told(tables(server, own).latest(NOW))
    found = tables(server, own).told(["influxdb/hall/meters"], hours(20, 30), is_past=True)
    assert told(found.heard) == {("influxdb/hall/meters", "power"): 42.0}
    with pytest.raises(SourceRejected, match="the table meters has no column kw"):
        tables(server, Layout("meters", "W", "kw", ("room",))).latest(NOW)
    with pytest.raises(SourceRejected, match=r"no table metres.*There are: .*meters"):
        tables(server, Layout("metres", "W", "watts", ("room",))).latest(NOW)


@pytest.mark.parametrize("field", ["database", "table", "value", "names"])
@pytest.mark.parametrize("name", [EVIL, "a'b", "a;b", "", "x" * 101, "a\nb"])
def test_a_name_that_is_no_plain_name_is_refused_in_the_settings(field: str, name: str) -> None:
    block: dict[str, Any] = {"table": "meters", "unit": "W", "names": ["room"]}
    if field == "database":
        said: dict[str, Any] = {"database": name}
    else:
        said = {"tables": [block | {field: [name] if field == "names" else name}]}
    with pytest.raises(ValidationError, match="no plain name"):
        InfluxdbOptions.model_validate(said)


def test_a_name_in_the_database_cannot_break_out_of_a_query(
    server: FakeInfluxdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(UNITS, EVIL, UNITS["W"])  # a table that would be taken for one of ours
    server.write(EVIL, rows("odd", (29.0, 7.0)))
    before = server.tables()
    heard = tables(server).latest(NOW + HOUR)
    assert told(heard)[f"influxdb/sensor.odd/{EVIL}", "power"] == 7.0
    assert server.tables() == before
    assert quoted('a"b') == '"a""b"'
    for name in ("", "a\x00b", "a\nb", "x" * 201):
        with pytest.raises(SourceRejected, match="no name of a table"):
            quoted(name)


@pytest.mark.parametrize("entity", ["x' OR '1'='1", 'x" OR "1"="1', 'x\'; DROP TABLE "kWh"; --', "$t0_0"])
def test_the_name_of_a_thing_cannot_break_out_of_a_query(server: FakeInfluxdb, entity: str) -> None:
    before = server.tables()
    found = tables(server).told([f"influxdb/sensor.{entity}/kWh"], hours(0, 40), is_past=True)
    assert found.heard.told == ()
    assert server.asked[-1]["params"]["t0_1"] == entity
    assert entity not in server.asked[-1]["sql_query"] or entity == "$t0_0"
    assert server.tables() == before


def test_too_many_rows_for_one_answer_are_asked_for_in_pieces(
    server: FakeInfluxdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_MOST_ROWS", 10)
    line = Recorded("influxdb", tables(server), timedelta(seconds=1), clock=lambda: NOW)
    parts = list(line.past(["influxdb/sensor.grid/kWh"], hours(0, 30)))
    seen = [each.time for part in parts for each in part.heard.told]
    assert seen == [hour(n / 4) for n in range(120)]
    assert len(parts) > 12
    assert parts[-1].window.end == hour(30)


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    found.register([home_site()], [home_channel("power")])
    return found


def test_the_past_of_a_counter_becomes_readings(server: FakeInfluxdb, store: MemoryStore) -> None:
    key = "influxdb/sensor.grid/kWh"
    links = {key: Link("home.flat.power", "Grid")}
    line = Recorded("influxdb", tables(server), timedelta(seconds=1), clock=lambda: NOW)
    ((archive, keys),) = archive_of([line], links).values()
    done: list[int] = []
    (filled,) = fill_past(
        store, links, archive, keys, hours(0, 31), now=NOW, progress=lambda _part, so_far: done.append(so_far.new)
    )
    assert done == [23, 30]  # a day at a time
    assert filled.new == 30
    made = store.read(["home.flat.power"], hours(0, 31))
    assert set(made["value"].round(9)) == {0.5}
    assert store.runs("influxdb")[0].new_rows == 30
    with pytest.raises(SourceRejected, match=r"nothing that is called sensor\.grid \[Wh\]"):
        fill_past(
            store,
            {"influxdb/sensor.grid/Wh": Link("home.flat.power", "")},
            archive,
            ["influxdb/sensor.grid/Wh"],
            hours(0, 5),
            now=NOW,
        )
    assert store.runs("influxdb")[0].problem is not None


def test_what_comes_is_followed(server: FakeInfluxdb, store: MemoryStore, tmp_path: Path) -> None:
    links = Links(tmp_path)
    links.add("influxdb/sensor.oven/W", Link("home.flat.power", "Oven"))
    now = [NOW]
    line = Recorded("influxdb", tables(server), timedelta(seconds=0.02), clock=lambda: now[0])
    listener = Listener(store, [line], links, clock=lambda: now[0])
    stopping = Event()
    thread = Thread(target=line.listen, args=(lambda heard: listener.take(line.name, heard), stopping), daemon=True)
    thread.start()

    def wait_for(n_samples: int) -> Sequence[datetime]:
        ends_at = monotonic() + LONGEST_S
        while monotonic() < ends_at:
            found = store.samples(["home.flat.power"], hours(0, 50))
            if found.height >= n_samples:
                break
            stopping.wait(0.01)
        return found["time"].to_list()

    assert wait_for(2) == [hour(28), hour(29)]
    server.write("W", rows("oven", (30.01, 500.0)))
    now[0] = hour(30.02)
    assert wait_for(3)[-1] == hour(30.01)
    stopping.set()
    thread.join(LONGEST_S)
    assert not thread.is_alive()
    assert line.state.is_connected


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"token": "apiv3_other_token"}, SourceRejected, "does not accept the token"),
        ({"database": "other"}, SourceRejected, "has no database other"),
        ({"fault": flight.FlightUnavailableError("gone")}, SourceUnavailable, "does not answer"),
        ({"fault": flight.FlightTimedOutError("slow")}, SourceUnavailable, "does not answer"),
        ({"fault": flight.FlightServerError(f"odd {TOKEN}")}, PayloadChanged, r"odd \*\*\*"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure_and_without_the_token(
    server: FakeInfluxdb, change: dict[str, Any], error: type[SourceError], words: str
) -> None:
    server.fault = change.pop("fault", None)
    with pytest.raises(error, match=words) as raised:
        tables(server, **change).latest(NOW)
    assert raised.value.remedy
    assert "apiv3" not in str(raised.value)


def test_one_that_is_not_there_is_said() -> None:
    with pytest.raises(SourceUnavailable, match="does not answer"):
        Tables(Database("http://127.0.0.1:9", DATABASE, TOKEN)).latest(NOW)


def test_the_settings_name_a_server_and_a_token(tmp_path: Path) -> None:
    assert open_line(InfluxdbOptions()) is None
    assert isinstance(open_line(InfluxdbOptions(url="http://127.0.0.1:1", token=SecretStr(TOKEN))), Recorded)
    with pytest.raises(NotConfigured, match="INFLUXDB_TOKEN"):
        open_line(InfluxdbOptions(url="http://127.0.0.1:1"))
    with pytest.raises(NotConfigured, match="it cannot be read"):
        open_line(InfluxdbOptions(url="http://127.0.0.1:1", token_file=tmp_path / "none"))
    for url in ("http://a/b", "a:8181", "http://me:x@a"):
        with pytest.raises(ValidationError, match="no address"):
            InfluxdbOptions(url=url)
    with pytest.raises(ValidationError, match="no such unit"):
        InfluxdbOptions.model_validate({"tables": [{"table": "t", "unit": "VA", "names": ["a"]}]})
