from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from town import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.testclient import TestClient

    from watthour.bootstrap import App
    from watthour.core.window import Window

READINGS = "/api/v1/readings"
DEMAND = "grid.simtown.demand"


def test_channels_say_their_unit_and_span(town_client: TestClient) -> None:
    channels = {entry["id"]: entry for entry in town_client.get("/api/v1/channels").json()["channels"]}
    demand = channels[DEMAND]
    assert (demand["quantity"], demand["unit"], demand["resolution_seconds"]) == ("energy", "MWh", 3600)
    assert demand["simulated"] is True
    assert demand["first_time"] < demand["last_time"]


def test_readings_come_in_order_with_when_they_became_known(town_client: TestClient) -> None:
    asked = {"channel": DEMAND, "start": "2026-11-20T00:00:00Z", "end": "2026-11-20T03:00:00Z"}
    page = town_client.get(READINGS, params=asked).json()
    assert [row["time"] for row in page["readings"]] == [f"2026-11-20T0{hour}:00:00Z" for hour in range(3)]
    assert page["unit"] == "MWh"
    assert page["next"] is None
    assert all(row["available_at"] > row["time"] for row in page["readings"])
    assert "simulated" in page["readings"][0]["quality"]


def test_pages_follow_each_other_without_gap_or_repeat(town_client: TestClient) -> None:
    asked = {"channel": DEMAND, "start": "2026-11-19T00:00:00Z", "end": "2026-11-20T00:00:00Z", "limit": "7"}
    times: list[str] = []
    while True:
        page = town_client.get(READINGS, params=asked).json()
        times += [row["time"] for row in page["readings"]]
        if page["next"] is None:
            break
        asked["start"] = page["next"]
    assert times == [f"2026-11-19T{hour:02}:00:00Z" for hour in range(24)]


def test_what_was_not_known_then_is_not_shown(town_client: TestClient) -> None:
    asked = {"channel": DEMAND, "start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}
    then = town_client.get(READINGS, params={**asked, "as_of": "2026-11-20T12:00:00Z"}).json()
    assert 0 < len(then["readings"]) < 24


def test_without_a_window_the_last_day_is_answered(town_client: TestClient) -> None:
    page = town_client.get(READINGS, params={"channel": DEMAND}).json()
    assert page["readings"][-1]["time"] < NOW.isoformat()
    assert 20 <= len(page["readings"]) <= 24


def test_csv_has_the_same_rows(town_client: TestClient) -> None:
    asked = {"channel": DEMAND, "start": "2026-11-20T00:00:00Z", "end": "2026-11-20T05:00:00Z"}
    answer = town_client.get(READINGS, params={**asked, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{DEMAND}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    page = town_client.get(READINGS, params=asked).json()
    assert [(row["time"], float(row["value"])) for row in rows] == [(r["time"], r["value"]) for r in page["readings"]]


def test_a_cut_csv_says_where_to_go_on(town_client: TestClient) -> None:
    asked = {"channel": DEMAND, "start": "2026-11-20T00:00:00Z", "end": "2026-11-20T05:00:00Z", "limit": "2"}
    answer = town_client.get(READINGS, params={**asked, "format": "csv"})
    assert answer.headers["x-next"] == "2026-11-20T02:00:00Z"


@pytest.mark.parametrize(
    "asked",
    [
        {"start": "2026-11-20T05:00:00Z", "end": "2026-11-20T05:00:00Z"},
        {"start": "2026-11-21T00:00:00Z", "end": "2026-11-20T00:00:00Z"},
        {"start": "0001-01-01T00:00:00+14:00"},
        {"end": "9999-12-31T23:59:59-12:00"},
        {"as_of": "0001-01-01T00:00:00Z"},
    ],
)
def test_a_window_that_cannot_be_is_refused(town_client: TestClient, asked: dict[str, str]) -> None:
    answer = town_client.get(READINGS, params={"channel": DEMAND, **asked})
    assert answer.status_code == 400
    assert answer.json()["remedy"]


def test_an_unknown_channel_is_refused_and_the_list_named(town_client: TestClient) -> None:
    answer = town_client.get(READINGS, params={"channel": "grid.atlantis.demand"})
    assert answer.status_code == 404
    assert "/api/v1/channels" in answer.json()["remedy"]


def test_days_are_those_of_the_site_and_included_whole(town_client: TestClient) -> None:
    asked = {"channel": DEMAND, "start": "2026-11-18", "end": "2026-11-19"}
    rows = town_client.get(READINGS, params=asked).json()["readings"]
    assert (rows[0]["time"], rows[-1]["time"], len(rows)) == ("2026-11-18T05:00:00Z", "2026-11-20T04:00:00Z", 48)


def test_an_instant_and_a_day_can_be_mixed(town_client: TestClient) -> None:
    asked = {"channel": DEMAND, "start": "2026-11-19T12:00:00Z", "end": "2026-11-19"}
    rows = town_client.get(READINGS, params=asked).json()["readings"]
    assert (rows[0]["time"], rows[-1]["time"]) == ("2026-11-19T12:00:00Z", "2026-11-20T04:00:00Z")


def test_a_csv_is_not_cut_after_a_thousand_rows(town_client: TestClient) -> None:
    channel = {"channel": "grid.simtown.demand", "start": "2020-01-01", "end": "2026-11-21"}
    n_json = len(town_client.get(READINGS, params={**channel, "limit": "100000"}).json()["readings"])
    answer = town_client.get(READINGS, params={**channel, "format": "csv"})
    assert len(answer.text.splitlines()) == n_json + 1
    assert "x-next" not in answer.headers


def test_a_long_window_is_read_piece_by_piece(
    town: App, town_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"channel": DEMAND, "start": "1990-01-01", "end": "2026-11-20", "limit": "30"}
    whole = town_client.get(READINGS, params={**asked, "limit": "100000"}).json()["readings"]
    hours: list[int] = []
    read = town.store.read

    def watched(channels: list[str], window: Window, as_of: datetime | None = None) -> object:
        hours.append(window.hours)
        return read(channels, window, as_of)

    monkeypatch.setattr("watthour.workflows.view.readings.FEWEST_READ", 24)
    monkeypatch.setattr(town.store, "read", watched)
    page = town_client.get(READINGS, params=asked).json()
    assert max(hours) == 31
    assert page["readings"] == whole[:30]
    assert page["next"] == whole[30]["time"]


@pytest.mark.parametrize("day", ["2026-11-31", "1950-01-01", "2026-11-20T00:00:00", "yesterday"])
def test_a_start_that_is_no_day_and_no_instant_is_refused(town_client: TestClient, day: str) -> None:
    answer = town_client.get(READINGS, params={"channel": DEMAND, "start": day})
    assert answer.status_code in {400, 422}
    assert answer.json()["field"] == "start"
