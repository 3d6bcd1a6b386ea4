"""What plans have saved, over HTTP: as JSON and as a table, and what is said where nothing can be told."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from priced_home import NOW, rows
from saving_home import DAY_AND_NIGHT, DISHES, EQUIPMENT, N_PLANNED, N_UNPLANNED, furnish, powers
from starlette.testclient import TestClient
from town import IMPATIENT, URL

from watthour.api.app import create_app
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.bootstrap import App

HOME = "/api/v1/homes/flat"


@pytest.fixture
def flat(empty: App) -> Iterator[TestClient]:
    furnish(empty.store)
    with TestClient(create_app(empty, now=lambda: NOW, limits=IMPATIENT), base_url=URL) as opened:
        yield opened


@pytest.fixture
def equipped(flat: TestClient, empty: App) -> TestClient:
    empty.tariffs.keep("flat", DAY_AND_NIGHT)
    empty.equipment_file.keep("flat", EQUIPMENT)
    return flat


def test_without_a_tariff_or_equipment_it_says_what_to_do(flat: TestClient, empty: App) -> None:
    for path in ("savings", "savings.csv"):
        answer = flat.get(f"{HOME}/{path}")
        assert (answer.status_code, "watthour tariff set flat" in answer.text) == (404, True)
    empty.tariffs.keep("flat", DAY_AND_NIGHT)
    answer = flat.get(f"{HOME}/savings")
    assert (answer.status_code, "watthour home equip flat" in answer.text) == (404, True)
    assert flat.get("/api/v1/homes/nowhere/savings").status_code == 404


def test_this_month_is_told_run_by_run_with_both_comparisons(equipped: TestClient) -> None:
    told = equipped.get(f"{HOME}/savings").json()
    assert (told["home"], told["currency"], told["by"], told["is_simulated"]) == ("flat", "EUR", "run", False)
    assert (told["start"], told["end"]) == ("2026-10-31T23:00:00Z", "2026-11-21T15:30:00Z")
    assert told["carbon"] == "average of production, direct emissions"
    last = told["rows"][-1]
    assert (last["planned_start"], last["start"]) == ("2026-11-21T01:00:00Z", "2026-11-21T01:00:00Z")
    assert (last["cost"], last["at_once"]) == (
        0.168,
        {"start": "2026-11-20T17:30:00Z", "cost": 0.408, "carbon_kg": 0.36},
    )
    assert last["usual"] == {"start": "2026-11-20T20:00:00Z", "cost": 0.288, "carbon_kg": 0.3}
    assert (last["saved_money"], last["saved_usual_money"], last["saved_carbon_kg"]) == (0.24, 0.12, 0.12)
    total = told["total"]
    assert (total["n_runs"], total["kind"], total["name"]) == (N_PLANNED + N_UNPLANNED, "all", None)
    assert total["saved_money"] == pytest.approx(N_PLANNED * 0.24)
    assert total["at_once"]["cost"] - total["cost"] == pytest.approx(total["saved_money"])


def test_days_and_months_have_a_row_each(equipped: TestClient) -> None:
    days = equipped.get(f"{HOME}/savings?by=day&start=2026-11-18&end=2026-11-19").json()
    assert [(row["day"], row["n_runs"], row["name"]) for row in days["rows"]] == [
        ("2026-11-18", 1, None),
        ("2026-11-19", 1, None),
    ]
    months = equipped.get(f"{HOME}/savings?by=month&start=2026-10-01").json()
    assert [row["day"] for row in months["rows"]] == ["2026-10-01", "2026-11-01"]
    assert months["rows"][0]["start"] == "2026-09-30T22:00:00Z"
    assert equipped.get(f"{HOME}/savings?by=week").status_code == 422
    assert equipped.get(f"{HOME}/savings?start=2026-12-01").status_code == 400
    assert equipped.get(f"{HOME}/savings?start=2027-01-01&end=2027-01-02").status_code == 400


def test_the_table_holds_the_same_rows(equipped: TestClient) -> None:
    answer = equipped.get(f"{HOME}/savings.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="flat-savings.csv"' in answer.headers["content-disposition"]
    table = list(csv.DictReader(StringIO(answer.text)))
    rows = equipped.get(f"{HOME}/savings").json()["rows"]
    assert len(table) == len(rows) == N_PLANNED + N_UNPLANNED
    for line, row in zip(table, rows, strict=True):
        assert line["start"] == row["start"]
        assert float(line["saved_money"]) == row["saved_money"]
        assert float(line["at_once_cost"]) == row["at_once"]["cost"]
        assert line["usual_cost"] == ("" if row["usual"] is None else str(row["usual"]["cost"]))
        assert (line["planned_start"], line["is_estimated"]) == (row["planned_start"] or "", "false")


def test_a_run_that_is_done_as_the_planner_said_is_told_the_morning_after(empty: App) -> None:
    """From the plan over the readings of the night to the ledger, by nothing but what each of them keeps."""
    furnish(empty.store, with_plans=False)
    present = [NOW]
    patient = replace(IMPATIENT, timeout_s=60.0)  # two cores may be busy with other tests
    with TestClient(create_app(empty, now=lambda: present[0], limits=patient), base_url=URL) as client:
        assert client.put(f"{HOME}/tariff", json={"tariff": DAY_AND_NIGHT}).status_code == 200
        assert client.put(f"{HOME}/equipment", json=EQUIPMENT | {"hours": 24}).status_code == 200
        plan = client.post(f"{HOME}/plan", json={})
        assert plan.status_code == 200, plan.text
        run = next(each for each in plan.json()["runs"] if each["name"] == "dishwasher")
        start = datetime.fromisoformat(run["start"])
        present[0] = NOW + 16 * HOUR
        since = NOW.replace(minute=0)
        empty.store.append(rows(DISHES, since, powers(DISHES, since, {start: 0.6}, until=present[0])))
        told = client.get(f"{HOME}/savings?start=2026-11-21").json()
    (row,) = (each for each in told["rows"] if each["n_planned"])
    assert (row["planned_start"], row["start"]) == (run["start"], run["start"])
    assert (row["at_once"]["start"], row["at_once"]["cost"]) == (run["earliest"], pytest.approx(1.2 * 0.34))
    assert row["saved_money"] == pytest.approx(1.2 * 0.34 - 1.2 * 0.14)
    assert (row["regret_money"], row["captured"], row["carbon_kg"]) == (
        0.0,
        1.0,
        None,
    )  # that night's carbon has not been told yet
    assert row["usual"]["start"] == "2026-11-21T20:00:00Z"
