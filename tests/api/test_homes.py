"""Homes over HTTP: described, looked at, and the rows their meters send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from builders import events, hour
from places import Towns
from town import NOW

from watthour.core.window import HOUR, Window
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

HOMES = "/api/v1/homes"
ROWS = "/api/v1/readings"
POWER = "home.flat.power"
CHANNEL = {"name": "power", "unit": "kW", "resolution_seconds": 3600}
FLAT: dict[str, Any] = {"name": "Flat", "time_zone": "Europe/Paris", "channels": [CHANNEL]}
WASHER: dict[str, Any] = {
    "name": "Washing machine",
    "kind": "washing_machine",
    "rating_w": 2100,
    "channels": [{"name": "power", "unit": "W", "resolution_seconds": 60}],
}


@pytest.fixture
def home(client: TestClient, empty: App) -> TestClient:
    """The API over a store with a flat, in which no town but those of the tests is known."""
    empty.__dict__["gazetteer"] = Towns()
    assert client.post(HOMES, json=FLAT).status_code == 201
    return client


def rows(n_rows: int, *, first: int = 0) -> list[dict[str, object]]:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    times = [start + timedelta(hours=first + n) for n in range(n_rows)]
    return [{"channel": POWER, "time": time.isoformat(), "value": float(first + n)} for n, time in enumerate(times)]


class TestDescribing:
    def test_a_home_is_added_listed_and_changed(self, home: TestClient) -> None:
        added = home.post(HOMES, json={"name": "Maison", "place": "Lyon"}).json()
        assert (added["id"], added["kind"], added["time_zone"], added["holidays"]) == (
            "maison",
            "home",
            "Europe/Paris",
            "FR",
        )
        assert (added["latitude"], added["longitude"]) == (45.7, 4.8)
        assert [entry["id"] for entry in home.get(HOMES).json()["homes"]] == ["flat", "maison"]
        moved = home.patch(f"{HOMES}/maison", json={"place": "Springfield, Illinois", "name": "House"}).json()
        assert (moved["name"], moved["time_zone"]) == ("House", "America/Chicago")
        assert home.get(f"{HOMES}/House").json() == moved
        assert home.get("/api/v1/sites/maison").json()["latitude"] == 39.8

    def test_devices_and_zones_are_added_shown_changed_and_removed(self, home: TestClient) -> None:
        zone = home.post(f"{HOMES}/flat/zones", json={"name": "Kitchen", "channels": [{**CHANNEL, "name": "kitchen"}]})
        assert (zone.status_code, zone.json()["channels"]) == (201, ["home.flat.kitchen.kitchen"])
        added = home.post(f"{HOMES}/flat/devices", json={**WASHER, "zone": "Kitchen"})
        assert added.status_code == 201
        washer = added.json()
        assert (washer["id"], washer["flexibility"], washer["zone"]) == (
            "home.flat.washing_machine",
            "shiftable",
            "home.flat.kitchen",
        )
        assert home.get(f"{HOMES}/flat/devices").json() == {"devices": [washer]}
        (kitchen,) = home.get(f"{HOMES}/flat/zones").json()["zones"]
        assert kitchen["channels"] == ["home.flat.kitchen.kitchen", "home.flat.washing_machine.power"]
        changed = home.patch(f"{HOMES}/flat/devices/washing_machine", json={"rating_w": None, "zone": None}).json()
        assert changed == {**washer, "rating_w": None, "zone": None}
        assert home.delete(f"{HOMES}/flat/zones/Kitchen").json() == {"id": "home.flat.kitchen", "name": "Kitchen"}
        assert home.delete(f"{HOMES}/flat/devices/Washing%20machine").status_code == 200
        entry = home.get(f"{HOMES}/flat").json()
        assert (entry["zones"], entry["devices"]) == ([], [])
        assert [channel["id"] for channel in entry["channels"]] == ["home.flat.kitchen.kitchen", POWER]

    def test_a_device_with_uses_is_removed_only_when_that_is_said(self, home: TestClient, empty: App) -> None:
        home.post(f"{HOMES}/flat/devices", json=WASHER)
        empty.store.append_events(events(("home.flat.washing_machine", 1, 2, 0.8)))
        refused = home.delete(f"{HOMES}/flat/devices/washing_machine")
        assert (refused.status_code, "delete_readings=true" in refused.json()["remedy"]) == (400, True)
        gone = home.delete(f"{HOMES}/flat/devices/washing_machine", params={"delete_readings": True})
        assert gone.status_code == 200

    @pytest.mark.parametrize(
        ("path", "body", "status", "field", "hint"),
        [
            ("", {"name": "Maison"}, 400, "place", "--place Lyon"),
            ("", {"name": "Maison", "place": "Springfield"}, 400, "place", "Springfield, Illinois, United States"),
            ("", {"name": "Maison", "place": "Atlantis"}, 400, "place", "larger town"),
            ("", FLAT, 400, "name", "my_flat"),
            ("/barn/devices", WASHER, 404, "home", "watthour home list"),
            ("/flat/devices", {**WASHER, "kind": "washer"}, 422, "kind", "/docs"),
            ("/flat/devices", {**WASHER, "zone": "Attic"}, 404, "zone", "none yet"),
            ("/flat/zones", {"name": "Power", "id": "power"}, 400, "id", "watthour home show flat"),
        ],
    )
    def test_what_cannot_be_is_told_with_its_cure(
        self, home: TestClient, path: str, body: dict[str, Any], status: int, field: str, hint: str
    ) -> None:
        answer = home.post(f"{HOMES}{path}", json=body)
        assert (answer.status_code, answer.json()["field"]) == (status, field)
        assert hint in answer.json()["remedy"]

    def test_towns_are_listed_with_what_tells_them_apart(self, home: TestClient) -> None:
        found = home.get("/api/v1/places", params={"name": "springfield"}).json()["places"]
        assert [(place["part"], place["holidays"]) for place in found] == [("Missouri", "US"), ("Illinois", "US")]
        assert found[0]["in_words"] == "Springfield, Missouri, United States (37.2, -93.3, 166,810 people)"
        assert home.get("/api/v1/places", params={"name": "Atlantis"}).json() == {"places": []}


class TestUses:
    def test_they_come_page_by_page_in_the_order_of_their_start(self, home: TestClient, empty: App) -> None:
        home.post(f"{HOMES}/flat/devices", json=WASHER)
        home.post(f"{HOMES}/flat/devices", json={"name": "Kettle", "kind": "kettle"})
        washer, kettle = "home.flat.washing_machine", "home.flat.kettle"
        empty.store.append_events(events((washer, 1, 2, 0.8), (kettle, 1, 1.1, None), (kettle, 5, 5.1, 0.1)))
        asked: dict[str, Any] = {"start": "2024-01-01T00:00:00Z", "end": "2024-01-02T00:00:00Z", "limit": 1}
        first = home.get(f"{HOMES}/flat/events", params=asked).json()
        assert [(use["device"], use["energy_kwh"]) for use in first["events"]] == [(kettle, None), (washer, 0.8)]
        rest = home.get(f"{HOMES}/flat/events", params={**asked, "start": first["next"]}).json()
        assert [use["start"] for use in rest["events"]] == ["2024-01-01T05:00:00Z"]
        assert rest["next"] is None
        one = home.get(f"{HOMES}/flat/events", params={**asked, "limit": 9, "device": "kettle"}).json()
        assert len(one["events"]) == 2
        then = home.get(f"{HOMES}/flat/events", params={**asked, "as_of": "2024-01-01T00:30:00Z"}).json()
        assert then["events"] == []

    def test_a_device_of_nobody_is_told(self, home: TestClient) -> None:
        answer = home.get(f"{HOMES}/flat/events", params={"device": "kettle"})
        assert (answer.status_code, answer.json()["field"]) == (404, "device")

    @pytest.mark.parametrize(
        ("method", "path", "field"),
        [
            ("GET", "/flat/devices/ketle/insights", "device"),
            ("GET", "/flat/events?device=ketle", "device"),
            ("GET", "/flat/forecast?device=ketle", "device"),
            ("GET", "/flat/forecast?zone=ketle", "zone"),
            ("GET", "/flat/forecast?channel=ketle", "channel"),
            ("PATCH", "/flat/devices/ketle", "device"),
            ("DELETE", "/flat/devices/ketle", "device"),
            ("DELETE", "/flat/zones/ketle", "zone"),
        ],
    )
    def test_an_unknown_part_is_not_found_whatever_is_asked_of_it(
        self, home: TestClient, method: str, path: str, field: str
    ) -> None:
        home.post(f"{HOMES}/flat/devices", json={"name": "Kettle"})
        home.post(f"{HOMES}/flat/zones", json={"name": "Kettle corner", "id": "kettle_corner"})
        answer = home.request(method, HOMES + path, json={"name": "Pot"} if method == "PATCH" else None)
        problem = answer.json()
        assert (answer.status_code, problem["field"], problem["value"]) == (404, field, "ketle")
        assert problem["type"] == "urn:watthour:problem:unknown-name"
        assert "home.flat." in problem["remedy"]


class TestSending:
    def test_ten_thousand_rows_are_kept_and_known_when_they_come_again(self, home: TestClient) -> None:
        sent = rows(10_000)
        told = [home.post(ROWS, json={"readings": sent}).json() for _ in range(2)]
        assert [each.pop("doubted")[0]["count"] for each in told] == [10_000 - 101] * 2  # those above 100 kW
        assert told == [{"accepted": 10_000, "new": n_new, "refused": []} for n_new in (10_000, 0)]

    def test_a_page_shows_what_was_just_sent(self, home: TestClient) -> None:
        def newest() -> object:
            week = home.get("/api/v1/grid/flat/week", params={"end": "2026-11-21"}).json()
            return [point["actual"] for point in week["points"] if point["time"].startswith("2026-11-21T12:00")]

        start = datetime(2026, 11, 1, tzinfo=UTC)
        sent = [{"channel": POWER, "time": f"{start + timedelta(hours=n):%FT%TZ}", "value": 0.3} for n in range(493)]
        assert home.post(ROWS, json={"readings": sent[:-1]}).json()["new"] == 492
        assert newest() == [None]
        assert home.post(ROWS, json={"readings": sent}).json()["new"] == 1
        assert newest() == [0.3]

    def test_one_more_is_refused_and_nothing_is_kept(self, home: TestClient) -> None:
        answer = home.post(ROWS, json={"readings": rows(10_000), "samples": [{}]})
        assert answer.status_code == 413
        assert "10,001 rows" in answer.json()["detail"]
        assert "several requests of at most 10,000" in answer.json()["remedy"]
        assert home.get("/api/v1/channels").json()["channels"][0]["first_time"] is None

    def test_rows_are_refused_one_by_one(self, home: TestClient) -> None:
        sent = [*rows(2), {**rows(1)[0], "channel": "home.flat.pover"}]
        answer = home.post(ROWS, json={"readings": sent})
        assert answer.status_code == 200
        told = answer.json()
        assert (told["accepted"], told["new"]) == (2, 2)
        assert told["refused"] == [
            {
                "table": "readings",
                "row": 2,
                "field": "channel",
                "value": "home.flat.pover",
                "problem": "there is no such channel",
                "remedy": "Did you mean home.flat.power? /api/v1/channels lists all channels.",
            }
        ]

    def test_when_nothing_can_be_kept_it_is_no_success(self, home: TestClient) -> None:
        sample = {"channel": POWER, "time": "2026-11-21T12:00:00", "measure": "power", "value": 1.0}
        answer = home.post(ROWS, json={"samples": [sample, {**sample, "time": 5}]})
        problem = answer.json()
        assert (answer.status_code, problem["field"], problem["value"]) == (
            400,
            "samples.0.time",
            "2026-11-21T12:00:00",
        )
        assert "Write its offset" in problem["remedy"]
        assert [fault["field"] for fault in problem["errors"]] == ["samples.0.time", "samples.1.time"]

    @pytest.mark.parametrize(
        ("body", "status"),
        [(b"[]", 422), (b"no json", 422), (b'{"readings": [1]}', 422), (b'{"rows": []}', 422), (b"{}", 200)],
    )
    def test_a_body_of_another_form_is_refused(self, home: TestClient, body: bytes, status: int) -> None:
        assert home.post(ROWS, content=body, headers={"content-type": "application/json"}).status_code == status

    def test_what_is_not_finite_is_refused_with_its_row_and_the_others_are_kept(self, home: TestClient) -> None:
        row = '{"channel": "home.flat.power", "time": "2026-11-0%dT18:00:00Z", "value": %s}'
        rows = ", ".join(row % (day, value) for day, value in ((1, "NaN"), (2, "0.4"), (3, "-Infinity"), (4, "1e999")))
        content = f'{{"readings": [{rows}]}}'
        answer = home.post(ROWS, content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
        assert [(each["row"], each["field"]) for each in answer.json()["refused"]] == [
            (0, "value"),
            (2, "value"),
            (3, "value"),
        ]

    def test_watts_sent_as_kilowatts_are_said_where_a_forecast_is_asked_for(self, home: TestClient) -> None:
        watts = [{**row, "value": 300_000.0 + 7_000.0 * (place % 48)} for place, row in enumerate(rows(600))]
        told = home.post(ROWS, json={"readings": watts}).json()
        (doubted,) = told["doubted"]
        assert (told["accepted"], doubted["rule"], doubted["count"]) == (600, "out_of_range", 600)
        assert doubted["problem"] == "outside what is possible"
        assert "home.flat.power is in kW" in doubted["remedy"]
        answer = home.get(f"{HOMES}/flat/forecast")
        assert answer.status_code == 409
        assert (
            "readings are kept but not used, because they cannot be right. Are they in kW?" in answer.json()["remedy"]
        )

    def test_half_a_character_is_refused_with_its_row_and_the_others_are_kept(self, home: TestClient) -> None:
        body = json.dumps({"readings": [{**rows(1)[0], "channel": "\ud800"}, {"\ud800": 1}, *rows(1)]})
        answer = home.post(ROWS, content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
        assert [row["field"] for row in answer.json()["refused"]] == ["channel", "channel"]

    def test_what_is_no_number_in_json_is_refused(self, home: TestClient) -> None:
        body = json.dumps({"readings": [{**rows(1)[0], "value": float("nan")}]})
        answer = home.post(ROWS, content=body, headers={"content-type": "application/json"})
        assert answer.status_code in {400, 422}
        assert home.get("/api/v1/channels").json()["channels"][0]["first_time"] is None


def test_samples_that_were_sent_are_readings_soon(home: TestClient, empty: App) -> None:
    home.post(f"{HOMES}/flat/devices", json=WASHER)
    washer = "home.flat.washing_machine.power"
    samples: list[dict[str, object]] = [
        {"channel": washer, "time": (NOW - timedelta(minutes=n)).isoformat(), "measure": "power", "value": 500}
        for n in range(4)
    ]
    assert home.post(ROWS, json={"samples": samples}).json()["new"] == 4
    deadline = time.monotonic() + 20
    while not (kept := empty.store.read([washer], Window(NOW - HOUR, NOW))["value"].to_list()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert kept == [500.0, 500.0, 500.0]


SERVER = """
import sys, uvicorn
from watthour.api.app import create_app
from watthour.api.compute import Limits
from watthour.bootstrap import open_app
from watthour.settings import load_settings
app = open_app(load_settings(home=sys.argv[1]))
api = create_app(app, limits=Limits(is_warmed_up=False))
class Told(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)
Told(uvicorn.Config(api, host="127.0.0.1", port=0, log_level="warning")).run()
"""


@pytest.mark.xdist_group("up")
def test_a_kill_loses_no_row_that_was_acknowledged(tmp_path: Path) -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("WATTHOUR", "DATABASE"))}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    acknowledged: list[int] = []
    first = 0
    for wait_s in (0.3, 0.7):
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"

        def send(address: str = address) -> None:
            nonlocal first
            with httpx2.Client(base_url=address, timeout=30) as sender:
                sender.post(HOMES, json=FLAT)
                try:
                    while True:
                        answer = sender.post(ROWS, json={"readings": rows(20, first=first)})
                        assert answer.json()["refused"] == []
                        acknowledged.extend(range(first, first + 20))
                        first += 20
                except httpx2.TransportError:
                    return  # it was killed

        sender = threading.Thread(target=send)
        sender.start()
        deadline = time.monotonic() + 60
        n_before = len(acknowledged)
        while len(acknowledged) == n_before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(wait_s)
        server.send_signal(signal.SIGKILL)
        server.wait()
        sender.join()
        server.stdout.close()
    with closing(open_store(f"sqlite:///{tmp_path / 'watthour.db'}")) as store:
        kept = store.read([POWER], Window(hour(-100_000), hour(100_000)))["value"].to_list()
    assert len(acknowledged) >= 40
    assert set(acknowledged) <= {int(value) for value in kept}
    assert len(kept) % 20 == 0


def test_the_status_tells_homes_from_regions(home: TestClient, town_client: TestClient) -> None:
    home.post(ROWS, json={"readings": rows(3)})
    told = {each["id"]: each["kind"] for each in town_client.get("/api/v1/status").json()["regions"]}
    assert told == {"flat": "home", "simtown": "region"}
