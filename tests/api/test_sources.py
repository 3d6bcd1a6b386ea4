"""Sources over HTTP: tried, added, heard without a restart, listed with their state, removed."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from builders import home_channel, home_site
from fakes.broker import LocalBroker, free_port
from fakes.eia import KEY
from fakes.server import Answer, Request, as_json, serve
from town import NOW

from watthour.bootstrap import App
from watthour.core.channel import Site, SiteKind
from watthour.core.heard import Heard, Tells, Thing, Told
from watthour.core.place import Place
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.testclient import TestClient

    from watthour.settings import Settings

LONGEST_S = 30.0
SECRET = "a-secret-of-the-broker"  # noqa: S105 - of a broker that ends with the test


def p1(request: Request) -> Answer:
    """Answer as a HomeWizard P1 meter."""
    return {
        "/api": as_json({"serial": "3c39e7aabbcc", "product_type": "HWE-P1", "product_name": "P1 meter"}),
        "/api/v1/data": as_json({"active_power_w": 543.0, "total_power_import_kwh": 13779.3}),
    }.get(request.path, as_json({}, 404))


@pytest.fixture
def meter() -> Iterator[str]:
    with serve(p1) as server:
        yield server.base_url.removeprefix("http://")


def of_kind(client: TestClient, kind: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = client.get("/api/v1/sources").json()["sources"]
    return next((each for each in found if each["kind"] == kind), {})


def wait_for(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + LONGEST_S
    while not is_so():
        assert monotonic() < ends_at, "it did not come to be in time"
        sleep(0.05)


def test_every_kind_that_can_be_added_says_what_it_asks(client: TestClient) -> None:
    said = client.get("/api/v1/sources").json()
    assert said["sources"] == []
    kinds = {each["kind"]: each for each in said["kinds"]}
    assert {"mqtt", "homewizard", "shelly", "eia"} <= kinds.keys()
    types = {field["name"]: field["type"] for field in kinds["mqtt"]["fields"]}
    assert types == {
        "host": "text",
        "port": "number",
        "username": "text",
        "password": "secret",
        "tls": "yes_no",
        "announce": "yes_no",
    }


def test_a_device_is_tried_and_nothing_is_kept(client: TestClient, settings: Settings, meter: str) -> None:
    answer = client.post("/api/v1/sources/test", json={"kind": "homewizard", "settings": {"hosts": meter}})
    tried = answer.json()
    assert (answer.status_code, tried["works"], tried["words"]) == (200, True, "1 device speaks here: P1 meter.")
    assert {each["key"] for each in tried["things"]} == {
        "homewizard/3c39e7aabbcc/net",
        "homewizard/3c39e7aabbcc/import",
    }
    assert of_kind(client, "homewizard") == {}
    assert not (settings.home / "sources.json").exists()


@pytest.mark.parametrize(
    ("more", "said", "cure"),
    [
        ({}, "It answers, but tells no power and no energy.", "Choose a device that measures power"),
        (
            {"active_power_w": "hot"},
            "It answers, but tells no power and no energy that can be read.",
            "Look at its own",
        ),
    ],
)
def test_a_device_that_answers_and_measures_nothing_is_not_called_silent(
    client: TestClient, more: dict[str, object], said: str, cure: str
) -> None:
    who = {"product_type": "HWE-WTR", "product_name": "Watermeter", "serial": "3c39e7ddeeff", "api_version": "v1"}
    with serve(lambda asked: as_json(who if asked.path == "/api" else {"total_liter_m3": 12.5, **more})) as server:
        host = server.base_url.removeprefix("http://")
        tried = client.post("/api/v1/sources/test", json={"kind": "homewizard", "settings": {"hosts": host}}).json()
    assert (tried["works"], tried["words"]) == (False, said)
    assert cure in tried["remedy"]


def test_a_device_that_does_not_answer_is_said_with_the_cure(client: TestClient) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    tried = client.post("/api/v1/sources/test", json={"kind": "shelly", "settings": {"hosts": nobody}}).json()
    assert not tried["works"]
    assert tried["words"].startswith(nobody)
    assert "has power" in tried["remedy"]
    assert tried["field"] == "hosts"


@pytest.mark.parametrize(
    ("kind", "said", "named"),
    [
        ("homewizard", {"hosts": "8.8.8.8"}, "not in the home's own network"),
        ("shelly", {"hosts": "169.254.169.254"}, "not in the home's own network"),
        ("shelly", {"hosts": "[::ffff:8.8.8.8]"}, "not in the home's own network"),
        ("homewizard", {"hosts": "http://192.168.1.20/"}, "is no name or address"),
        ("homewizard", {}, "it is missing"),
        ("homewizard", {"hosts": " , "}, "it is missing"),
        ("shelly", {"hosts": []}, "it is missing"),
        ("mqtt", {"host": " "}, "it is missing"),
        ("mqtt", {"host": "127.0.0.1", "port": 99999}, "less than or equal to 65535"),
        ("mqtt", {"hots": "127.0.0.1"}, "there is no such setting"),
        ("fax", {"host": "127.0.0.1"}, "there is no such kind"),
    ],
)
def test_what_cannot_be_is_refused_in_words(client: TestClient, kind: str, said: object, named: str) -> None:
    for path in ("/api/v1/sources/test", "/api/v1/sources"):
        refused = client.post(path, json={"kind": kind, "settings": said})
        assert refused.status_code == 400
        assert named in refused.json()["detail"]
        assert refused.json()["remedy"]


def test_a_page_of_another_site_adds_nothing(client: TestClient) -> None:
    foreign = {"Origin": "https://example.org"}
    asked = {"kind": "mqtt", "settings": {"host": "127.0.0.1"}}
    assert client.post("/api/v1/sources", json=asked, headers=foreign).status_code == 403
    assert client.post("/api/v1/sources/test", json=asked, headers=foreign).status_code == 403
    assert client.delete("/api/v1/sources?kind=mqtt", headers=foreign).status_code == 403


def test_a_secret_is_kept_for_the_owner_alone_and_never_answered(
    client: TestClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"host": "127.0.0.1", "port": free_port(), "username": "me", "password": SECRET}
    tried = client.post("/api/v1/sources/test", json={"kind": "mqtt", "settings": said})
    assert not tried.json()["works"]
    assert client.post("/api/v1/sources", json={"kind": "mqtt", "settings": said}).status_code == 201
    wrong = client.post("/api/v1/sources/test", json={"kind": "mqtt", "settings": {**said, "password": [SECRET]}})
    assert wrong.status_code == 400
    listed = client.get("/api/v1/sources")
    shown = capsys.readouterr()
    for text in (tried.text, wrong.text, listed.text, shown.out, shown.err):
        assert SECRET not in text
    file = settings.home / "sources.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["sources"]["mqtt"]["password"] == SECRET


def test_a_device_that_was_added_is_heard_without_a_restart_and_one_that_is_unplugged_is_said(
    client: TestClient, empty: App
) -> None:
    empty.store.register([replace(home_site(), main_channel=None)], [])
    with empty.listening():
        with serve(p1) as server:
            host = server.base_url.removeprefix("http://")
            added = client.post("/api/v1/sources", json={"kind": "homewizard", "settings": {"hosts": host}})
            assert added.status_code == 201
            wait_for(lambda: of_kind(client, "homewizard").get("state") == "ok")
            found = of_kind(client, "homewizard")
            assert (found["origin"], found["hosts"], found["values_of_last_hour"]) == ("added", [host], 2)
            assert found["words"] == "Connected; 1 device speaks."
            thing = {"thing": "homewizard/3c39e7aabbcc/import", "home": "flat", "is_main": True}
            assert client.post("/api/v1/listening/things", json=thing).json()["channel"] == "home.flat.energy"
            assert of_kind(client, "homewizard")["feeds"] == [{"channel": "home.flat.energy", "site": "flat"}]
            turns = empty.listener._lines[0]._turns  # type: ignore[attr-defined]  # of a polled source
        turns[0].due_at = 0.0  # it is asked again at once, and not in ten seconds
        wait_for(lambda: of_kind(client, "homewizard")["state"] == "failed")
        gone = of_kind(client, "homewizard")
        assert host in gone["words"]
        assert "has power" in gone["remedy"]
        assert gone["last_heard_at"] is not None
        assert client.delete("/api/v1/sources?kind=homewizard").status_code == 200
        wait_for(lambda: not empty.listener.states)
    assert of_kind(client, "homewizard") == {}
    unknown = client.delete("/api/v1/sources?kind=homewizard")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:watthour:problem:unknown-name")
    assert empty.store.sites()[0].main_channel == "home.flat.energy"


def test_a_broker_is_tried_added_and_its_end_is_said(client: TestClient, empty: App) -> None:
    broker = LocalBroker()
    broker.start()
    said = {"host": "127.0.0.1", "port": broker.port, "username": "user", "password": SECRET}
    is_over = threading.Event()

    def talk() -> None:
        at = NOW.timestamp()
        text = json.dumps({"method": "NotifyStatus", "params": {"ts": at, "switch:0": {"apower": 20.5}}})
        while not is_over.wait(0.1):
            broker.publish([("plug/events/rpc", text)])

    talking = threading.Thread(target=talk, daemon=True)
    talking.start()
    try:
        asked = {"kind": "mqtt", "settings": said, "seconds": 2}
        tried = client.post("/api/v1/sources/test", json=asked).json()
        assert tried["works"]
        assert tried["words"].startswith("1 device speaks here: ")
        with empty.listening():
            assert client.post("/api/v1/sources", json={"kind": "mqtt", "settings": said}).status_code == 201
            wait_for(lambda: of_kind(client, "mqtt").get("state") == "ok")
            is_over.set()
            talking.join()
            broker.stop()
            wait_for(lambda: of_kind(client, "mqtt")["state"] == "failed")
            assert f"127.0.0.1:{broker.port}" in of_kind(client, "mqtt")["words"]
    finally:
        is_over.set()
        talking.join()
        broker.close()


def test_a_thing_that_misses_its_time_is_silent(empty: App, open_client: Callable[..., TestClient]) -> None:
    plug = Thing("homewizard/1/socket", "homewizard/1", "Socket", "plug", timedelta(seconds=10))
    empty.own_sources.add("homewizard", _options("127.0.0.1:9"))
    empty.store.register([home_site()], [home_channel("power")])
    line = empty.listener._lines[0]
    line._state = replace(line.state, is_connected=True, last_heard_at=NOW)  # type: ignore[attr-defined]  # of a polled source
    empty.listener._threads.append(threading.current_thread())  # as if it listened
    empty.listener._now = lambda: NOW
    empty.listener.take("homewizard", Heard((Told(plug, Tells.POWER, 20.5, NOW),)))
    client = open_client(empty, now=lambda: NOW + timedelta(seconds=50))
    assert client.post("/api/v1/listening/things", json={"thing": plug.key, "channel": "home.flat.power"}).is_success
    assert of_kind(client, "homewizard")["state"] == "ok"
    later = open_client(empty, now=lambda: NOW + timedelta(seconds=70))
    assert of_kind(later, "homewizard")["state"] == "silent"
    assert of_kind(later, "homewizard")["words"] == "Connected, but silent: Socket."


def _options(host: str) -> Any:  # noqa: ANN401 - options of any kind
    from watthour.sources.own import checked_source

    return checked_source("homewizard", {"hosts": host})


def test_a_second_device_comes_beside_the_first_and_goes_by_itself(client: TestClient) -> None:
    for host in ("192.168.1.20", "192.168.1.21"):
        assert client.post("/api/v1/sources", json={"kind": "shelly", "settings": {"hosts": host}}).status_code == 201
    assert of_kind(client, "shelly")["hosts"] == ["192.168.1.20", "192.168.1.21"]
    assert client.delete("/api/v1/sources", params={"kind": "shelly", "host": "192.168.1.20"}).status_code == 200
    assert of_kind(client, "shelly")["hosts"] == ["192.168.1.21"]


def test_a_device_that_was_removed_is_not_listed_for_what_the_log_says_of_it(client: TestClient, empty: App) -> None:
    client.post("/api/v1/sources", json={"kind": "shelly", "settings": {"hosts": "192.168.1.20"}})
    hour = Window(NOW - HOUR, NOW)
    empty.store.note_run(SourceRun("shelly", NOW - HOUR, NOW, hour, RunState.FAILED, 0, problem="it cannot be reached"))
    assert of_kind(client, "shelly")["hosts"] == ["192.168.1.20"]
    assert client.delete("/api/v1/sources?kind=shelly").status_code == 200
    assert client.get("/api/v1/sources").json()["sources"] == []


def test_what_the_settings_say_is_not_added_beside_them(
    empty: App, open_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_SHELLY_HOSTS", "192.168.1.30")
    client = open_client(App(load_settings(home=empty.settings.home), empty.store, empty.registry))
    found = of_kind(client, "shelly")
    assert (found["origin"], found["address"], found["hosts"]) == ("settings", "192.168.1.30", [])
    refused = client.post("/api/v1/sources", json={"kind": "shelly", "settings": {"hosts": "192.168.1.31"}})
    assert refused.status_code == 400
    assert "watthour.toml" in refused.json()["detail"]


def test_a_key_that_was_added_lets_a_region_be_followed_at_once(client: TestClient, empty: App) -> None:
    context = empty.find("ny")
    assert context is not None
    before = empty.connectors
    assert not empty.can_follow(context)
    assert client.post("/api/v1/sources", json={"kind": "eia", "settings": {"api_key": KEY}}).status_code == 201
    assert empty.can_follow(context)
    assert empty.connectors is not before
    assert empty.connectors is empty.connectors
    assert KEY not in client.get("/api/v1/sources").text
    assert of_kind(client, "eia")["state"] == "never"


def test_a_damaged_file_is_said_without_its_secrets(client: TestClient, settings: Settings) -> None:
    file = settings.home / "sources.json"
    file.write_text(json.dumps({"version": 1, "sources": {"mqtt": {"host": 1, "password": SECRET}}}))
    answer = client.get("/api/v1/sources")
    assert answer.status_code == 400
    assert "sources.json" in answer.text
    assert SECRET not in answer.text
    file.unlink()
    assert client.get("/api/v1/sources").status_code == 200


def test_sources_of_one_kind_say_what_each_is_for(town: App, open_client: Callable[..., TestClient]) -> None:
    home = Site("simtown_home", "Home in Simtown (simulated)", SiteKind.HOME, Place("UTC"), is_simulated=True)
    town.store.register([home], [])
    for name in ("simulation:simtown_home", "simulation:simtown_home:live"):
        town.store.note_run(SourceRun(name, NOW, NOW, Window(NOW - DAY, NOW), RunState.OK, 1))
    found = open_client(town, now=lambda: NOW).get("/api/v1/sources").json()["sources"]
    assert [each["label"] for each in found] == [
        "Simulation: Simtown (region)",
        "Simulation: Home in Simtown (home)",
        "Simulation, live",
    ]


def test_regions_and_files_are_listed_with_their_last_run(town_client: TestClient) -> None:
    (found,) = town_client.get("/api/v1/sources").json()["sources"]
    assert (found["name"], found["state"], found["simulated"]) == ("simulation:simtown", "ok", True)
    assert found["last_run_at"] is not None
    assert found["values_of_last_hour"] == 1
