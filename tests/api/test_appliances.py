"""Appliances of a home over HTTP and at the command line, told from what its meter sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from nilm.made_network import made_files
from town import NOW

from watthour.core.frames import Measure
from watthour.core.window import DAY
from watthour.nilm.serve import ServedNetwork

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from watthour.bootstrap import App

PATH = "/api/v1/homes/flat/appliances"
CHANNEL = "home.flat.power"


def watts(minute: int) -> float:
    """Return the power of a home with a kettle for two minutes every four hours."""
    return 250.0 + minute % 7 / 7 + (2000.0 if minute % 240 in (30, 31) else 0.0)


@pytest.fixture
def flat(client: TestClient, empty: App) -> TestClient:
    """A home whose meter has told its power each half minute of the last day and a half."""
    empty.__dict__["appliance_network"] = ServedNetwork.from_files(made_files())
    said = {
        "name": "Flat",
        "time_zone": "Europe/Berlin",
        "channels": [{"name": "power", "unit": "kW", "resolution_seconds": 900}],
    }
    added = client.post("/api/v1/homes", json=said)
    assert added.status_code < 300, added.text
    begin = NOW - timedelta(hours=36)
    rows = [
        {
            "channel": CHANNEL,
            "time": (begin + timedelta(seconds=30 * n)).isoformat(),
            "measure": str(Measure.POWER),
            "value": watts(n // 2),
        }
        for n in range(36 * 120)
    ]
    for first in range(0, len(rows), 2000):
        sent = client.post("/api/v1/readings", json={"samples": rows[first : first + 2000]})
        assert sent.status_code < 300, sent.text
    return client


def test_the_last_day_is_told_by_appliance_and_what_is_left_is_other(flat: TestClient) -> None:
    answer = flat.get(PATH)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["home"], said["step_seconds"], said["powers"]) == ("flat", 60, None)
    assert said["told_percent"] > 99
    kettle, fridge = said["appliances"]
    assert (kettle["name"], len(kettle["runs"]), kettle["is_on"]) == ("kettle", 6, False)
    assert kettle["energy_kwh"] == pytest.approx(0.4, rel=0.05)
    assert kettle["runs"][0]["energy_kwh"] == pytest.approx(0.067, rel=0.05)
    assert (fridge["power_watts"], fridge["is_on"]) == (pytest.approx(90), True)
    assert said["other"]["power_watts"] == pytest.approx(160, abs=2)
    shares = [each["share_percent"] for each in (kettle, fridge, said["other"])]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert said["trained_on"] == ["a made house, CC0"]


def test_each_step_is_told_where_that_is_asked_for(flat: TestClient) -> None:
    start, end = (NOW - timedelta(hours=6)).isoformat(), (NOW - timedelta(hours=4)).isoformat()
    said = flat.get(PATH, params={"start": start, "end": end, "with_powers": True}).json()
    powers = said["powers"]
    assert len(powers["time"]) == len(powers["mains"]) == len(powers["appliances"]["kettle"]) == 120
    for n, whole in enumerate(powers["mains"]):
        parts = powers["other"][n] + sum(of[n] for of in powers["appliances"].values())
        assert parts == pytest.approx(whole, abs=0.3)


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"start": "2026-01-01", "end": "2026-03-01"}, 400, "up to 31 days"),
        ({"start": "2026-11-01", "end": "2026-11-02"}, 409, "at least once a minute"),
    ],
)
def test_what_cannot_be_told_is_said_with_the_cure(
    flat: TestClient, params: dict[str, str], status: int, said: str
) -> None:
    answer = flat.get(PATH, params=params)
    assert answer.status_code == status, answer.text
    assert said in f"{answer.json()['detail']} {answer.json()['remedy']}"


def test_a_home_that_nobody_knows_is_404(flat: TestClient) -> None:
    assert flat.get("/api/v1/homes/nowhere/appliances").status_code == 404


def test_a_day_is_a_day_of_the_home(flat: TestClient) -> None:
    day = (NOW - DAY).date().isoformat()
    said = flat.get(PATH, params={"start": day, "end": day}).json()
    assert (said["start"], said["end"]) == ("2026-11-19T23:00:00Z", "2026-11-20T23:00:00Z")
