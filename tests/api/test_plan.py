"""Plans over HTTP."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

import pytest

from watthour.core.errors import NoPlanFound

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.workflows.plan import Planned

PLAN = "/api/v1/plan"
ASKED: dict[str, Any] = {
    "start": "2026-11-22T18:00:00",
    "time_zone": "Europe/Berlin",
    "step_minutes": 60,
    "import_price": [0.4, 0.2, 0.1, 0.3],
    "carbon": [100, 200, 400, 300],
    "load_kw": 0.5,
    "appliances": [{"name": "washer", "power_kw": 1.0, "minutes": 60, "deadline": "2026-11-22T22:00:00"}],
    "batteries": [{"capacity_kwh": 4, "stored_kwh": 1, "max_charge_kw": 2, "max_discharge_kw": 2}],
    "cars": [{"energy_kwh": 4, "max_charge_kw": 7, "min_charge_kw": 1.4, "departure": "2026-11-22T21:00:00+01:00"}],
    "heats": [
        {
            "name": "tank",
            "capacity_kwh_per_k": 0.2,
            "loss_kw_per_k": 0.002,
            "max_power_kw": 2,
            "temperature_c": 50,
            "lowest_c": 45,
            "highest_c": 60,
        }
    ],
    "with_choices": True,
}


def test_a_plan_is_answered_with_its_reasons_and_its_choices(client: TestClient) -> None:
    answer = client.post(PLAN, json=ASKED)
    assert answer.status_code == 200
    found = answer.json()
    assert found["time"][0] == "2026-11-22T17:00:00Z"
    things = {each["name"]: each for each in found["things"]}
    assert set(things) == {"washer", "battery", "car", "tank"}
    assert things["washer"]["reason"].startswith("starts 20:00: cheapest 1 h before 22:00")
    assert things["washer"]["spans"] == [{"start": "2026-11-22T19:00:00Z", "end": "2026-11-22T20:00:00Z"}]
    assert things["car"]["power_kw"][3] == 0.0
    assert found["status"] == "solved"
    bought = sum(price * kw for price, kw in zip(ASKED["import_price"], found["import_kw"], strict=True))
    assert found["cost"] == pytest.approx(bought, abs=1e-5)
    assert found["choices"][0]["words"] == "the cheapest"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"import_price": []}, 422, "import_price"),
        ({"import_prices": [0.1]}, 422, "import_prices"),
        ({"load_kw": [0.5, 0.5]}, 400, "load_kw"),
        ({"weights": {"money": 0}}, 400, "weights"),
        ({"time_zone": "Europe/Berln"}, 400, "time_zone"),
        ({"start": "0001-01-01T00:00:00+14:00"}, 400, "start"),
        ({"appliances": [{"name": "a", "power_kw": 1.0}]}, 400, "appliances.a.minutes"),
        (
            {"appliances": [{"name": "a", "power_kw": 1, "minutes": 60, "profile_kw": [1]}]},
            400,
            "appliances.a.profile_kw",
        ),
        ({"appliances": [{"name": f"a{k}", "power_kw": 1, "minutes": 60} for k in range(41)]}, 422, "appliances"),
        (
            {"batteries": [{**ASKED["batteries"][0], "charge_efficiency": 1.3}]},
            400,
            "batteries.battery.charge_efficiency",
        ),
        ({"cars": [{**ASKED["cars"][0], "energy_kwh": 90}]}, 400, "cars.car.energy_kwh"),
        ({"import_limit_kw": 0.2}, 400, "wishes"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_name(
    client: TestClient, change: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post(PLAN, json={**ASKED, **change})
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert answer.json()["remedy"]


def test_heavy_plans_hold_up_nothing_else_and_more_than_a_few_are_sent_away(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, begun = threading.Event(), threading.Semaphore(0)

    def plans_long(*_said: object, **_more: object) -> Planned:
        begun.release()
        release.wait(20)
        raise NoPlanFound("no plan was found", remedy="Ask for less.")

    monkeypatch.setattr("watthour.workflows.plan.make_plan", plans_long)
    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(client.post, PLAN, json=ASKED) for _ in range(8)]
        try:
            assert begun.acquire(timeout=20)
            refused = [done.result() for done in itertools.islice(as_completed(asked, timeout=20), 5)]
            other = client.get("/api/v1/status")
            assert not begun.acquire(timeout=0.1)  # the others wait
        finally:
            release.set()
        answers = [each.result() for each in asked]
    assert other.status_code == 200
    assert [each.json()["type"] for each in refused] == ["urn:watthour:problem:busy"] * 5
    assert all("Retry-After" in each.headers for each in refused)
    assert sorted(each.json()["type"] for each in answers).count("urn:watthour:problem:no-plan-found") == 3
