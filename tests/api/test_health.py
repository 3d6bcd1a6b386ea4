from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
from town import NOW, forecasts

from watthour.core.errors import StoreError
from watthour.core.frames import Forecasts, Quality, Readings
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.settings import load_settings
from watthour.simulation.simtown import DEMAND

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from starlette.testclient import TestClient

    from watthour.bootstrap import App
    from watthour.settings import Settings

NAMES = {
    "prediction_requests_total",
    "prediction_latency_seconds",
    "predicted_demand_mwh",
    "model_mae_mwh",
    "model_mape_percent",
    "drift_share",
    "drift_detected",
    "data_freshness_hours",
    "retrain_triggered_total",
}


def samples(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def fail(app: App, source: str, problem: str) -> None:
    run = SourceRun(source, NOW, NOW, Window(NOW - DAY, NOW), RunState.FAILED, 0, problem=problem)
    app.store.note_run(run)


def test_alive_asks_nobody(client: TestClient, empty: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(empty.store, "spans", lambda: 1 / 0)
    assert client.get("/health").json()["status"] == "alive"


def test_without_demand_it_is_not_ready_and_says_why(client: TestClient) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert "no readings of any home or region" in answer.json()["detail"]
    assert "watthour home add" in answer.json()["remedy"]
    assert "watthour" in answer.json()["remedy"]


def test_with_demand_it_is_ready(town_client: TestClient) -> None:
    told = town_client.get("/ready").json()
    assert (told["status"], told["regions"], told["homes"], told["degraded"]) == ("ready", ["simtown"], [], [])


def test_a_carbon_source_without_an_account_stands_by_and_says_what_to_set(town_client: TestClient) -> None:
    told = town_client.get("/ready").json()
    assert told["carbon"] == "standby"
    (waiting,) = told["standing_by"]
    assert (waiting["name"], waiting["setting"]) == ("watttime", "WATTTIME_USERNAME")
    assert "watthour carbon register" in waiting["remedy"]


def test_placeholders_are_no_account(
    settings: Settings, town: App, open_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(username: str, password: str) -> dict[str, Any]:
        monkeypatch.setenv("WATTTIME_USERNAME", username)
        monkeypatch.setenv("WATTTIME_PASSWORD", password)
        app = replace(town, settings=load_settings(home=settings.home))
        found: dict[str, Any] = open_client(app).get("/ready").json()
        return found

    assert told("your_username_here", "changeme")["carbon"] == "standby"
    assert told("lovelace", "your_password")["standing_by"][0]["setting"] == "WATTTIME_PASSWORD"
    assert (told("lovelace", "correct-horse-7")["carbon"], told("lovelace", "correct-horse-7")["standing_by"]) == (
        "ok",
        [],
    )


def test_a_failing_source_is_named_as_degraded(town: App, town_client: TestClient) -> None:
    fail(town, "eia", "eia: answered 503. Try again later.")
    answer = town_client.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["degraded"] == [{"name": "eia", "problem": "eia: answered 503. Try again later."}]


def test_a_store_that_cannot_be_read_is_not_ready(
    town: App, town_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise StoreError("disk I/O error at /srv/watthour.db", remedy="Check the disk.")

    monkeypatch.setattr(town.store, "spans", broken)
    answer = town_client.get("/ready")
    assert answer.status_code == 503
    assert "/srv" not in answer.text


def test_every_public_metric_is_declared(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    declared = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}
    assert declared >= NAMES


def test_a_metric_without_a_value_is_absent_and_not_zero(client: TestClient) -> None:
    assert samples(client.get("/metrics").text) == {}


def test_predictions_are_counted_and_timed(town_client: TestClient) -> None:
    assert town_client.get("/api/v1/grid/simtown/forecast").status_code == 200
    assert town_client.get("/api/v1/grid/ny/forecast").status_code == 409
    counted = samples(town_client.get("/metrics").text)
    assert counted['prediction_requests_total{outcome="ok",route="forecast"}'] == 1
    assert counted['prediction_requests_total{outcome="failed",route="forecast"}'] == 1
    assert counted['prediction_latency_seconds_count{route="forecast"}'] == 2


def test_errors_freshness_and_the_hour_now_running_are_shown(town_client: TestClient) -> None:
    shown = samples(town_client.get("/metrics").text)
    assert shown['predicted_demand_mwh{region="simtown",route="forecast"}'] == 5000.0
    assert shown['model_mae_mwh{model="ours",region="simtown"}'] > 0
    assert shown['model_mape_percent{model="operator",region="simtown"}'] > 0
    assert 1 < shown['data_freshness_hours{channel="grid.simtown.demand"}'] < 6


def test_errors_in_per_cent_of_what_comes_near_zero_are_absent(town: App, town_client: TestClient) -> None:
    rows = pl.DataFrame(town.store.read([DEMAND.id], Window(NOW - 60 * DAY, NOW)))
    low = rows.with_columns(value=pl.lit(0.0), available_at=pl.lit(NOW), recorded_at=pl.lit(NOW))
    shown = low.filter(pl.col("time").dt.hour() < 6)
    town.store.append(Readings.cast(shown.select(rows.columns)))
    told = samples(town_client.get("/metrics").text)
    assert told['model_mae_mwh{model="ours",region="simtown"}'] > 0
    assert not [name for name in told if name.startswith("model_mape_percent")]


def test_status_names_sources_regions_and_ways_to_connect(town: App, town_client: TestClient) -> None:
    fail(town, "eia", "eia: answered 503")
    status = town_client.get("/api/v1/status").json()
    assert status["simulated"] is True
    assert [region["id"] for region in status["regions"]] == ["simtown"]
    assert {source["name"]: source["state"] for source in status["sources"]}["eia"] == "failed"
    assert {option["id"] for option in status["connect"]} == {"eia_key", "eia_files", "entsoe_token"}


def test_status_counts_what_is_kept_but_not_used(town: App, town_client: TestClient) -> None:
    assert town_client.get("/api/v1/status").json()["doubted"] == []
    said = forecasts(NOW - HOUR, model="operator", value=5e6, hours=24).filter(pl.col("level") == 0.5)
    town.store.append_forecasts(Forecasts.cast(said.with_columns(quality=pl.lit(int(Quality.UNUSUAL), pl.Int16))))
    (entry,) = town_client.get("/api/v1/status").json()["doubted"]
    assert entry["region"] == "simtown"
    assert entry["what"] == "Operator's forecast of grid.simtown.demand"
    assert entry["count"] == 24
    assert entry["words"].endswith("values are kept but not used: far from what was usual just before (24)")
