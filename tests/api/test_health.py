from __future__ import annotations

import time as clock
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
from builders import home_channel, home_site
from fakes.influxdb import TOKEN, Written, influxdb_writes
from fakes.regions import region
from town import NOW, forecasts

from watthour.core.carbon import Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.errors import StoreError
from watthour.core.frames import Forecasts, Quality, Readings
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.settings import load_settings
from watthour.simulation.simtown import DEMAND

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pytest
    from starlette.testclient import TestClient

    from watthour.bootstrap import App
    from watthour.core.channel import Channel
    from watthour.settings import Settings

NY = region("ny")
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
    settings = {waiting["name"]: waiting["setting"] for waiting in told["standing_by"]}
    assert settings == {"watttime": "WATTTIME_USERNAME", "electricity_maps": "ELECTRICITY_MAPS_API_KEY"}
    assert "watthour carbon register" in told["standing_by"][0]["remedy"]
    assert told["carbon_series"] == []


def carbon_reading(app: App, channel: Channel, time: datetime) -> None:
    app.store.register([NY.site], [channel])
    row = {"channel": channel.id, "time": time, "available_at": time, "recorded_at": NOW, "value": 231.0, "quality": 0}
    app.store.append(Readings.validate(pl.DataFrame([row]), cast=True))


def test_carbon_says_what_is_fresh_and_with_which_age(town: App, town_client: TestClient) -> None:
    watttime = carbon_channel(NY.site, "watttime", CarbonKind(Basis.MARGINAL, Scope.DIRECT), HOUR)
    mix = carbon_channel(NY.site, "mix", CarbonKind(Basis.AVERAGE, Scope.DIRECT, Side.PRODUCTION), HOUR)
    carbon_reading(town, watttime, NOW.replace(minute=0) - 30 * HOUR)

    told = town_client.get("/ready").json()

    assert told["carbon"] == "stale"  # and not only that nothing stands by
    (series,) = told["carbon_series"]
    assert (series["channel"], series["region"], series["source"]) == (watttime.id, "ny", "watttime")
    assert (series["age_hours"], series["fresh"], series["simulated"]) == (29.5, False, False)

    carbon_reading(town, mix, NOW.replace(minute=0) - 30 * HOUR)  # which is published a day later

    told = town_client.get("/ready").json()
    assert told["carbon"] == "ok"
    assert {each["source"]: each["fresh"] for each in told["carbon_series"]} == {"mix": True, "watttime": False}


def test_a_home_alone_is_not_asked_to_register_for_carbon_figures(empty: App, client: TestClient) -> None:
    empty.store.register([home_site()], [home_channel("power")])
    row = {"channel": "home.flat.power", "time": NOW - HOUR, "available_at": NOW, "recorded_at": NOW, "value": 1.0}
    empty.store.append(Readings.validate(pl.DataFrame([{**row, "quality": 0}]), cast=True))

    told = client.get("/ready").json()

    assert (told["carbon"], told["standing_by"], told["carbon_series"]) == ("unused", [], [])


def test_a_home_whose_owner_has_begun_with_carbon_figures_is_told_what_is_missing(
    empty: App, open_client: Callable[..., TestClient], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.store.register([home_site()], [home_channel("power")])
    row = {"channel": "home.flat.power", "time": NOW - HOUR, "available_at": NOW, "recorded_at": NOW, "value": 1.0}
    empty.store.append(Readings.validate(pl.DataFrame([{**row, "quality": 0}]), cast=True))
    monkeypatch.setenv("WATTTIME_USERNAME", "lovelace")

    told = open_client(replace(empty, settings=load_settings(home=settings.home))).get("/ready").json()

    assert told["carbon"] == "standby"
    assert told["standing_by"][0]["setting"] == "WATTTIME_PASSWORD"


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
    monkeypatch.setenv("ELECTRICITY_MAPS_API_KEY", "kq7-of-nobody")
    found = told("lovelace", "correct-horse-7")
    assert (found["carbon"], found["standing_by"]) == ("missing", [])  # an account, and nothing has come yet


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


def test_writing_to_influxdb_is_seen_in_health_and_counted_in_metrics(
    town: App, open_client: Callable[..., TestClient], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Written()
    with influxdb_writes(written) as server:
        monkeypatch.setenv("WATTHOUR_INFLUXDB_SINK_URL", server.base_url)
        monkeypatch.setenv("WATTHOUR_INFLUXDB_SINK_TOKEN", TOKEN)
        monkeypatch.setenv("WATTHOUR_INFLUXDB_SINK_CHANNELS", "grid.simtown.demand")
        app = replace(town, settings=load_settings(home=settings.home))
        client = open_client(app)
        (sink,) = client.get("/api/v1/health").json()["sinks"]
        assert (sink["state"], sink["last_success_at"], sink["points"]) == ("elsewhere", None, 0)
        written.refuses = DEMAND.id
        with app.forwarding() as forwards:
            assert forwards
            until(lambda: client.get("/api/v1/health").json()["sinks"][0]["state"] == "failing")
            assert "write of line protocol failed" in client.get("/health").json()["sinks"][0]["problem"]
            written.refuses = ""
            until(lambda: client.get("/api/v1/health").json()["sinks"][0]["state"] == "ok")
        n_points = len(written.of(DEMAND.id))
        assert n_points > 400
        shown = samples(client.get("/metrics").text)
    assert shown['sink_points_total{sink="influxdb"}'] == n_points
    assert shown['sink_failures_total{sink="influxdb"}'] >= 1
    assert shown['sink_last_success_timestamp_seconds{sink="influxdb"}'] > 0
    assert TOKEN not in client.get("/health").text


def until(is_so: Callable[[], bool]) -> None:
    give_up_at = clock.monotonic() + 60
    while not is_so():
        assert clock.monotonic() < give_up_at, "it did not come to that"
        clock.sleep(0.05)
