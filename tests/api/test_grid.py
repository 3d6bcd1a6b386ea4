from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import street
from town import NOW, VERSION, forecasts

from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, Window
from watthour.workflows import view

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

FORECAST = "/api/v1/grid/simtown/forecast"
SCORES = "/api/v1/grid/simtown/scores"


def new_run(app: App, minutes: int) -> None:
    """Note that something came in."""
    at = NOW + timedelta(minutes=minutes)
    app.store.note_run(SourceRun("forecast:grid.simtown.demand", at, at, Window(at, at + DAY), RunState.OK, 1))


def test_tomorrow_is_the_day_that_is_shown(town_client: TestClient) -> None:
    answer = town_client.get(FORECAST)
    assert answer.status_code == 200
    day = answer.json()
    assert (day["day"], day["unit"], day["model_version"]) == ("2026-11-22", "MWh", VERSION)
    assert day["region"]["simulated"] is True
    assert len(day["points"]) == 24
    first = day["points"][0]
    assert (first["time"], first["local_time"]) == ("2026-11-22T05:00:00Z", "2026-11-22T00:00:00-05:00")
    assert first["lower"] < first["value"] < first["upper"]
    assert first["operator"] is not None
    assert first["actual"] is None


def test_a_day_of_the_past_shows_what_came(town_client: TestClient) -> None:
    day = town_client.get(FORECAST, params={"day": "2026-11-20"}).json()
    assert all(point["actual"] is not None for point in day["points"])
    assert {row["model"] for row in day["scores_of_day"]["rows"]} >= {"ours", "operator"}


def test_any_name_of_the_region_finds_it(town_client: TestClient) -> None:
    assert town_client.get("/api/v1/grid/Simulated/forecast").json()["region"]["id"] == "simtown"


@pytest.mark.parametrize("day", ["1850-01-01", "2100-01-01", "9999-12-31", "2027-06-01"])
def test_a_day_beyond_all_data_is_refused_with_the_range(town_client: TestClient, day: str) -> None:
    answer = town_client.get(FORECAST, params={"day": day})
    assert answer.status_code == 400
    assert answer.json()["field"] == "day"


def test_a_region_without_demand_is_409_and_says_what_to_bring(town_client: TestClient) -> None:
    answer = town_client.get("/api/v1/grid/ny/forecast")
    assert answer.status_code == 409
    assert "watthour" in answer.json()["remedy"]


def test_a_warm_answer_is_not_computed_again(town_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = town_client.get(FORECAST)
    monkeypatch.setattr(view, "grid_forecast", lambda *_, **__: pytest.fail("computed again"))
    assert town_client.get(FORECAST).content == first.content


def test_a_new_forecast_is_shown_at_once(town: App, town_client: TestClient) -> None:
    before = town_client.get(FORECAST).json()
    town.store.append_forecasts(forecasts(NOW - timedelta(minutes=5), value=6000.0))
    new_run(town, -5)
    after = town_client.get(FORECAST).json()
    assert after["issued_at"] > before["issued_at"]


def test_the_scores_stand_beside_the_baselines(town_client: TestClient) -> None:
    scores = town_client.get(SCORES, params={"days": 7}).json()
    assert scores["region"] == "simtown"
    assert scores["window"] == {"start": "2026-11-15", "end": "2026-11-21"}
    assert {"ours", "operator", "seasonal_naive"} <= {row["model"] for row in scores["rows"]}


def test_where_we_have_not_forecast_others_are_scored_alone(town_client: TestClient) -> None:
    scores = town_client.get(SCORES, params={"end": "2026-11-05", "days": 3})
    assert scores.status_code == 200
    assert "ours" not in {row["model"] for row in scores.json()["rows"]}


def test_too_slow_is_a_504_problem(town: App, open_client: Callable[..., TestClient]) -> None:
    from watthour.api.compute import Limits

    answer = open_client(town, limits=Limits(timeout_s=0.0)).get(FORECAST)
    assert answer.status_code == 504
    assert "Retry-After" in answer.headers


def test_the_day_is_shown_as_issued_at_the_hour_of_the_settings(
    town: App, open_client: Callable[..., TestClient]
) -> None:
    for hours in (0, 2):
        town.store.append_forecasts(forecasts(NOW.replace(hour=13 + hours, minute=0) - DAY, value=6000.0 + hours))
    late = replace(town, settings=town.settings.model_copy(update={"issue_hour": 10}))
    day = open_client(late).get(FORECAST, params={"day": "2026-11-21"}).json()
    assert day["issued_at"] == "2026-11-20T15:00:00Z"


def test_a_week_is_seven_days_up_to_tomorrow(town_client: TestClient) -> None:
    week = town_client.get("/api/v1/grid/simtown/week").json()
    assert week["window"] == {"start": "2026-11-16", "end": "2026-11-22"}
    assert [day["issued_at"] is not None for day in week["days"]] == [False, False, False, False, True, True, True]
    assert len(week["points"]) == 168


def test_the_history_has_a_row_per_day_and_counts_what_was_met(town_client: TestClient) -> None:
    history = town_client.get("/api/v1/grid/simtown/history", params={"days": 7}).json()
    assert [day["day"] for day in history["days"]][-1] == "2026-11-21"
    scored = [day for day in history["days"] if day["rows"]]
    assert [day["day"] for day in scored] == ["2026-11-20"]
    assert history["reliability"]["n"] >= 24
    assert {row["level_percent"] for row in history["reliability"]["rows"]} == {5.0, 50.0, 95.0}


@pytest.mark.parametrize(("route", "field"), [("week?end=2100-01-01", "end"), ("history?days=999", None)])
def test_days_that_cannot_be_are_refused(town_client: TestClient, route: str, field: str | None) -> None:
    answer = town_client.get(f"/api/v1/grid/simtown/{route}")
    assert answer.status_code in {400, 422}
    assert answer.json().get("field") == field or answer.status_code == 422


def test_a_home_on_its_first_days_is_forecast_beside_similar_homes_and_says_so(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    street.fill(empty.store)
    day = open_client(empty, now=lambda: street.NOW).get("/api/v1/grid/new/forecast").json()
    assert (day["model_version"], day["model_label"]) == ("similar_series", "Similar series")
    assert day["missing_inputs"][0].startswith("This rests on 36 hours of its own past and on 3 similar series")
    assert day["fallback"].startswith("Similar series answers: ")
    assert all(point["lower"] < point["value"] < point["upper"] for point in day["points"])
