from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from town import NOW, VERSION, forecasts

from watthour.api.schemas.days import ForecastDays, ForecastIssues
from watthour.core.frames import Forecasts

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.bootstrap import App

DAYS = "/api/v1/grid/simtown/forecasts"
ISSUES = "/api/v1/grid/simtown/forecast/issues"
DAY = "/api/v1/grid/simtown/forecast"


def test_many_days_say_the_same_as_each_day_alone(town_client: TestClient) -> None:
    answer = town_client.get(DAYS, params={"start": "2026-11-20", "end": "2026-11-22"})
    assert answer.status_code == 200
    found = answer.json()
    ForecastDays.model_validate(found)
    assert [day["day"] for day in found["days"]] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert (found["region"], found["channel"], found["unit"]) == ("simtown", "grid.simtown.demand", "MWh")
    for day in found["days"]:
        alone = town_client.get(DAY, params={"day": day["day"]}).json()
        assert day["points"] == alone["points"]
        assert (day["issued_at"], day["model_version"]) == (alone["issued_at"], alone["model_version"])


def test_a_day_of_which_nothing_was_kept_is_named_not_invented(town_client: TestClient) -> None:
    found = town_client.get(DAYS, params={"start": "2026-11-15", "end": "2026-11-20"}).json()
    assert [day["day"] for day in found["days"]] == ["2026-11-20"]
    assert found["missing_days"] == [f"2026-11-{day}" for day in range(15, 20)]


def test_without_days_the_last_week_is_answered(town_client: TestClient) -> None:
    found = town_client.get(DAYS).json()
    assert len(found["days"]) + len(found["missing_days"]) == 7
    assert found["days"][-1]["day"] == "2026-11-21"


def test_days_as_csv_have_a_line_per_interval_and_a_column_per_rival(town_client: TestClient) -> None:
    asked = {"start": "2026-11-20", "end": "2026-11-21"}
    answer = town_client.get(DAYS, params={**asked, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="grid.simtown.demand-2026-11-20-2026-11-21.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    points = [point for day in town_client.get(DAYS, params=asked).json()["days"] for point in day["points"]]
    assert [row["time"] for row in rows] == [point["time"] for point in points]
    for name in ("value", "lower", "upper", "operator", "seasonal_naive", "actual"):
        assert [float(row[name]) if row[name] else None for row in rows] == [point[name] for point in points], name
    assert {row["model_version"] for row in rows} == {VERSION}
    assert {row["reconstructed"] for row in rows} == {"false"}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"start": "2026-11-22", "end": "2026-11-20"}, "start"),
        ({"start": "2025-11-20", "end": "2026-11-21"}, "end"),
        ({"start": "1950-01-01"}, "start"),
        ({"end": "9999-12-31"}, "end"),
    ],
)
@pytest.mark.parametrize("path", [DAYS, ISSUES])
def test_days_that_cannot_be_asked_for_are_refused_with_a_cure(
    town_client: TestClient, path: str, asked: dict[str, str], field: str
) -> None:
    answer = town_client.get(path, params=asked)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert answer.json()["remedy"]


def test_the_cure_for_too_many_days_works(town_client: TestClient) -> None:
    answer = town_client.get(ISSUES, params={"start": "2025-11-20", "end": "2026-11-21"})
    end = answer.json()["remedy"].rpartition("end = ")[2].rstrip(".")
    assert town_client.get(ISSUES, params={"start": "2025-11-20", "end": end}).status_code == 200


def test_issues_are_listed_newest_first_with_what_they_cover(town_client: TestClient) -> None:
    answer = town_client.get(ISSUES)
    assert answer.status_code == 200
    ForecastIssues.model_validate(answer.json())
    issues = answer.json()["issues"]
    assert [issue["issued_at"] for issue in issues] == [f"2026-11-{day}T13:00:00Z" for day in (21, 20, 19)]
    assert {issue["model_version"] for issue in issues} == {VERSION}
    assert issues[0]["window"] == {"start": "2026-11-21T13:00:00Z", "end": "2026-11-23T13:00:00Z"}
    assert (issues[0]["intervals"], issues[0]["baseline"], issues[0]["reconstructed"]) == (48, False, False)


def test_only_issues_of_the_days_that_are_asked_for_are_listed(town_client: TestClient) -> None:
    found = town_client.get(ISSUES, params={"start": "2026-11-20", "end": "2026-11-20"}).json()
    assert [issue["issued_at"] for issue in found["issues"]] == ["2026-11-20T13:00:00Z"]


def test_a_baseline_is_listed_only_where_it_stood_in(town: App, town_client: TestClient) -> None:
    live, alone = NOW.replace(hour=13, minute=0), NOW.replace(hour=14, minute=0)
    for issued_at in (live, alone):
        for model in ("seasonal_naive", "persistence_ensemble"):
            town.store.append_forecasts(forecasts(issued_at, model=model))
    issues = town_client.get(ISSUES, params={"start": "2026-11-21", "end": "2026-11-21"}).json()["issues"]
    assert [(issue["issued_at"], issue["model_version"], issue["baseline"]) for issue in issues] == [
        ("2026-11-21T14:00:00Z", "persistence_ensemble", True),
        ("2026-11-21T13:00:00Z", VERSION, False),
    ]


def test_an_issue_made_afterwards_says_so(town: App, town_client: TestClient) -> None:
    then = NOW.replace(hour=13, minute=0) - timedelta(days=10)
    made = forecasts(then).with_columns(quality=pl.lit(1, pl.Int16))
    town.store.append_forecasts(Forecasts.validate(made))
    (issue,) = town_client.get(ISSUES, params={"start": "2026-11-11", "end": "2026-11-11"}).json()["issues"]
    assert issue["reconstructed"]
