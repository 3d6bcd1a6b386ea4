"""Home Assistant's statistics and InfluxDB over HTTP: tried, added, and their past brought in."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from builders import home_site
from fakes.home_assistant import TOKEN, FakeHomeAssistant, home_assistant, metadata
from town import NOW

from watthour.core.errors import InvalidInput
from watthour.core.window import DAY, HOUR, Window
from watthour.sources import own
from watthour.sources.catalogue import addable, options_class
from watthour.workflows.recall_task import Recall, Recalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.testclient import TestClient

    from watthour.bootstrap import App
    from watthour.core.heard import Heard
    from watthour.settings import Settings

LONGEST_S = 30.0
GRID, OVEN = "sensor.p1_import", "sensor.oven_power"
THING = f"home_assistant/{GRID}"
BEGIN = NOW.replace(minute=0, second=0, microsecond=0) - 20 * DAY
KWH = [0.2 + 0.1 * (hour % 24) for hour in range(20 * 24)]


def counted() -> list[tuple[datetime, float | None]]:
    return [(BEGIN + number * HOUR, round(sum(KWH[: number + 1]), 6)) for number in range(len(KWH))]


def grid_of(*names: str) -> dict[str, Any]:
    return {"energy_sources": [{"type": "grid", "stat_energy_from": name} for name in names]}


@pytest.fixture
def fake() -> Iterator[FakeHomeAssistant]:
    listed = [metadata(GRID, "kWh", "energy", counts=True), metadata(OVEN, "W", "power", counts=False)]
    rows = {("hour", GRID): counted(), ("hour", OVEN): [(NOW - HOUR, 800.0)]}
    with home_assistant(listed=listed, preferences=grid_of(GRID), rows=rows) as found:
        yield found


@pytest.fixture(autouse=True)
def _same_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recorders be asked for the last days of the town, and not of today."""
    from watthour.sources.recorded import Recorded

    clock = {"clock": lambda: NOW}
    monkeypatch.setattr(Recorded.__init__, "__kwdefaults__", clock)


def said(fake: FakeHomeAssistant, **more: str) -> dict[str, Any]:
    return {"kind": "home_assistant", "settings": {"url": fake.url, "token": TOKEN, **more}}


def wait_for(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + LONGEST_S
    while not is_so():
        assert monotonic() < ends_at, "it did not come to be in time"
        sleep(0.02)


def past(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/listening/past").json()
    return found


def test_the_form_asks_for_address_and_token(client: TestClient) -> None:
    kinds = {each["kind"]: each for each in client.get("/api/v1/sources").json()["kinds"]}
    asked = [(each["name"], each["type"], each["required"]) for each in kinds["home_assistant"]["fields"]]
    assert asked == [("url", "text", True), ("token", "secret", True)]
    asked = [(each["name"], each["type"], each["required"]) for each in kinds["influxdb"]["fields"]]
    assert asked == [("url", "text", True), ("token", "secret", True), ("database", "text", False)]
    assert {kind for kind, each in kinds.items() if each["has_past"] and each["is_of_homes"]} == {
        "home_assistant",
        "influxdb",
    }


def test_a_trial_says_how_many_sensors_there_are_and_which_is_the_grids_meter(
    client: TestClient, settings: Settings, fake: FakeHomeAssistant
) -> None:
    tried = client.post("/api/v1/sources/test", json=said(fake)).json()
    assert tried["works"]
    assert tried["words"] == f"It answers: 2 sensors are recorded there, the grid's meter is {GRID}."
    assert [(each["key"], each["grid_meter"]) for each in tried["things"]] == [
        (THING, True),  # though it is the last by its key
        (f"home_assistant/{OVEN}", False),
    ]
    assert not (settings.home / "sources.json").exists()


def test_two_meters_of_the_grid_are_said_to_be_parts(client: TestClient, fake: FakeHomeAssistant) -> None:
    other = "sensor.p1_import_low"
    fake.listed.append(metadata(other, "kWh", "energy", counts=True))
    fake.rows["hour", other] = counted()
    fake.preferences = grid_of(GRID, other)
    tried = client.post("/api/v1/sources/test", json=said(fake)).json()
    assert tried["works"]
    assert f"the grid's meters are {GRID}, {other}" in tried["words"]
    assert "none alone measures the whole home" in tried["remedy"]


def test_one_that_knows_no_grid_meter_or_has_recorded_nothing_says_so(
    client: TestClient, fake: FakeHomeAssistant
) -> None:
    fake.preferences = None
    tried = client.post("/api/v1/sources/test", json=said(fake)).json()
    assert tried["words"] == "It answers: 2 sensors are recorded there."
    assert "choose it after adding" in tried["remedy"]
    fake.rows.clear()
    tried = client.post("/api/v1/sources/test", json=said(fake)).json()
    assert (tried["works"], tried["things"]) == (True, [])
    assert "has recorded no power" in tried["words"]


@pytest.mark.parametrize(
    ("fault", "token", "words", "cure", "field"),
    [
        (None, "a-wrong-one-a1b2c3", "Home Assistant does not accept the token.", "new long-lived access", "token"),
        ("too_old", TOKEN, "2025.10.1 does not know recorder/list_statistic_ids", "Update Home Assistant to", None),
        ("no_json", TOKEN, "sends no JSON objects", "Check its address", "url"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure_and_the_setting_to_blame(
    client: TestClient, fake: FakeHomeAssistant, fault: str | None, token: str, words: str, cure: str, field: str | None
) -> None:
    fake.fault = fault
    answer = client.post("/api/v1/sources/test", json=said(fake, token=token))
    tried = answer.json()
    assert (answer.status_code, tried["works"]) == (200, False)
    assert words in tried["words"]
    assert not tried["words"].casefold().startswith("home_assistant")
    assert cure in tried["remedy"]
    assert tried["field"] == field
    assert token not in answer.text


@pytest.mark.parametrize(
    ("settings_said", "field", "words"),
    [
        ({"url": "http://8.8.8.8:8123", "token": TOKEN}, "url", "not in the home's own network"),
        ({"url": "https://8.8.8.8", "token": TOKEN}, "url", "not in the home's own network"),
        ({"url": "http://169.254.169.254", "token": TOKEN}, "url", "not in the home's own network"),
        ({"url": "https://[::ffff:169.254.169.254]", "token": TOKEN}, "url", "not in the home's own network"),
        ({"url": "http://127.0.0.1:99999", "token": TOKEN}, "url", "port"),
        ({"url": "homeassistant.local", "token": TOKEN}, "url", "it is no address of Home Assistant"),
        ({"url": "http://127.0.0.1:8123"}, "token", "it is missing"),
        ({"url": "http://127.0.0.1:8123", "token": "your_token_here"}, "token", "placeholder"),
        ({"url": "http://127.0.0.1:8123", "token": TOKEN, "token_file": "/etc/passwd"}, "token_file", "no such"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    client: TestClient, settings_said: dict[str, str], field: str, words: str
) -> None:
    for path in ("/api/v1/sources/test", "/api/v1/sources"):
        answer = client.post(path, json={"kind": "home_assistant", "settings": settings_said})
        refused = answer.json()
        assert (answer.status_code, refused["field"]) == (400, field)
        assert words in refused["detail"].casefold() or words in refused["detail"]
        assert refused["remedy"]
        assert TOKEN not in answer.text


@pytest.mark.parametrize(
    ("url", "address", "is_taken"),
    [
        ("https://home.example.org", "8.8.8.8", True),
        ("https://home.example.org", "100.64.1.2", True),  # of a private network over the internet
        ("http://home.example.org", "8.8.8.8", False),
        ("https://home.example.org", "169.254.169.254", False),
        ("https://home.example.org", "::ffff:169.254.169.254", False),
        ("http://homeassistant.local:8123", "192.168.1.10", True),
    ],
)
def test_a_public_name_is_taken_with_https_alone(
    monkeypatch: pytest.MonkeyPatch, url: str, address: str, *, is_taken: bool
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_more: [(0, 0, 0, "", (address, 0))])
    for kind in ("home_assistant", "influxdb"):
        options = own.checked_source(kind, {"url": url, "token": TOKEN})
        with nullcontext() if is_taken else pytest.raises(InvalidInput, match="not in the home's own network"):
            own.check_is_near(kind, options)


def test_no_form_asks_for_a_file_of_this_machine() -> None:
    for kind, card in addable().items():
        for ask in card.asks:
            assert "Path" not in str(options_class(card).model_fields[ask.option].annotation), (kind, ask.option)


def test_a_meter_is_added_and_its_past_is_brought_in_so_that_tomorrow_can_be_forecast(
    client: TestClient, empty: App, fake: FakeHomeAssistant
) -> None:
    empty.store.register([replace(home_site(), main_channel=None)], [])
    with empty.listening():
        assert client.post("/api/v1/sources", json=said(fake)).status_code == 201
        wait_for(lambda: bool(client.get("/api/v1/listening").json()["things"]))
        first = client.get("/api/v1/listening").json()["things"][0]
        assert (first["key"], first["grid_meter"]) == (THING, True)
        thing = {"thing": THING, "home": "flat", "is_main": True, "step_seconds": 3600}
        assert client.post("/api/v1/listening/things", json=thing).json()["channel"] == "home.flat.energy"
        assert client.get("/api/v1/homes/flat/forecast").status_code == 409
        assert past(client)["state"] == "idle"
        begun = client.post("/api/v1/listening/past", json={"days": 30, "thing": THING})
        assert (begun.status_code, begun.json()["state"]) == (202, "running")
        wait_for(lambda: past(client)["state"] != "running")
    done = past(client)
    assert (done["state"], done["share"], done["problem"]) == ("done", 1.0, None)
    assert [(each["channel"], each["new"]) for each in done["channels"]] == [("home.flat.energy", len(KWH) - 1)]
    kept = empty.store.read(["home.flat.energy"], Window(BEGIN, NOW)).drop_nulls("value")
    assert kept["value"].round(6).to_list() == [round(each, 6) for each in KWH[1:]]
    ahead = client.get("/api/v1/homes/flat/forecast", params={"hours": 24})
    assert ahead.status_code == 200, ahead.text
    assert len(ahead.json()["forecasts"][0]["points"]) == 24


def test_nothing_that_has_a_past_is_said_with_the_cure(client: TestClient, empty: App) -> None:
    refused = client.post("/api/v1/listening/past", json={})
    assert refused.status_code == 400
    assert "watthour source add" in refused.json()["remedy"]
    unknown = client.post("/api/v1/listening/past", json={"thing": THING})
    assert (unknown.status_code, unknown.json()["value"]) == (404, THING)
    from watthour.workflows.links import Link

    empty.links.add("shelly/plug/switch:0", Link("home.flat.power", "Plug"))
    no_past = client.post("/api/v1/listening/past", json={"thing": "shelly/plug/switch:0"})
    assert no_past.status_code == 400
    assert "its past cannot be asked for" in no_past.json()["detail"]
    assert client.post("/api/v1/listening/past", json={"days": 0}).status_code in {400, 422}
    foreign = {"Origin": "https://example.org"}
    assert client.post("/api/v1/listening/past", json={}, headers=foreign).status_code == 403


def test_a_second_past_waits_for_the_first_and_one_that_fails_says_why(
    client: TestClient, empty: App, fake: FakeHomeAssistant
) -> None:
    empty.store.register([replace(home_site(), main_channel=None)], [])
    empty.add_source("home_assistant", said(fake)["settings"])
    empty.listener.take("home_assistant", _look(fake))
    thing = {"thing": THING, "home": "flat", "is_main": True}
    assert client.post("/api/v1/listening/things", json=thing).status_code == 201
    empty.recalls._last = Recall("running")
    second = client.post("/api/v1/listening/past", json={"days": 10})
    assert (second.status_code, second.json()["type"]) == (409, "urn:watthour:problem:past-is-running")
    empty.recalls._last = Recall()
    fake.fault = "hangs_up"
    assert client.post("/api/v1/listening/past", json={"days": 10}).status_code == 202
    wait_for(lambda: past(client)["state"] == "failed")
    assert "ended the connection" in past(client)["problem"]
    assert past(client)["remedy"]


def test_a_past_that_is_stopped_keeps_what_came(empty: App, fake: FakeHomeAssistant) -> None:
    empty.store.register([replace(home_site(), main_channel=None)], [])
    empty.add_source("home_assistant", said(fake)["settings"])
    empty.listener.take("home_assistant", _look(fake))
    from watthour.workflows.listening import ThingWords, add_thing

    add_thing(empty.store, empty.links, empty.listener.found(), ThingWords(THING, home="flat", is_main=True))
    recalls = Recalls(empty.store, empty.links, empty.archives)
    recalls._stopping.set()
    recalls.start(60, now=NOW)
    wait_for(lambda: recalls.last.state == "failed")
    assert recalls.last.problem == "it was stopped"


def _look(fake: FakeHomeAssistant) -> Heard:
    from watthour.sources.home_assistant.statistics import Statistics

    return Statistics(fake.url, TOKEN).latest(NOW)


def test_influxdb_is_tried_and_a_wrong_token_or_database_is_said(client: TestClient) -> None:
    pytest.importorskip("influxdb_client_3", reason="needs the extra iot")
    from fakes.influxdb import DATABASE, influxdb
    from fakes.influxdb import TOKEN as DATABASE_TOKEN

    with influxdb() as server:
        row = {"time": NOW - HOUR, "domain": "sensor", "entity_id": "grid", "value": 115.0}
        server.write("kWh", [row])

        def tried(**more: str) -> dict[str, Any]:
            settings = {"url": server.url, "token": DATABASE_TOKEN, **more}
            answer = client.post("/api/v1/sources/test", json={"kind": "influxdb", "settings": settings})
            assert DATABASE_TOKEN not in answer.text
            found: dict[str, Any] = answer.json()
            return found

        assert tried()["words"] == "It answers: 1 sensor is recorded there."
        assert tried(database=DATABASE)["works"]
        wrong = tried(token="apiv3_wrong-of-nobody")  # noqa: S106 - of nobody
        assert (wrong["works"], "does not accept the token" in wrong["words"]) == (False, True)
        assert "influxdb3 create token" in wrong["remedy"]
        assert wrong["field"] == "token"
        missing = tried(database="other")
        assert (missing["works"], "has no database other" in missing["words"]) == (False, True)
        assert "(database)" in missing["remedy"]
        assert missing["field"] == "database"
        gone = tried(url="http://127.0.0.1:9")
        assert (gone["works"], gone["words"], gone["field"]) == (False, "http://127.0.0.1:9 does not answer.", "url")
