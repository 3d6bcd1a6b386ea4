"""Electricity Maps over real HTTP: kinds, estimates, plans and zones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from fakes.electricity_maps import KEY, ZONE, ElectricityMaps, fake_electricity_maps
from fakes.regions import region
from fakes.server import as_json, limited
from pydantic import SecretStr

from watthour.core.carbon import Basis, CarbonKind, Scope, Side, kind_of
from watthour.core.errors import InvalidInput, NotConfigured, PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.frames import Quality
from watthour.core.place import Place
from watthour.core.window import DAY, HOUR, Window
from watthour.sources import electricity_maps as maps
from watthour.sources.connectors import Connectors
from watthour.sources.http import RateLimit, RetryPolicy
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.server import FakeServer

NOW = datetime(2026, 11, 21, 15, 42, tzinfo=UTC)
LIVE = Window(NOW - 5 * DAY, NOW + 4 * DAY)
NY = region("ny")
LIFECYCLE = "grid.ny.carbon.electricity_maps.average.consumption.lifecycle"
OPTIONS = maps.ElectricityMapsOptions(api_key=SecretStr(KEY))
RECORDED = Path(__file__).parents[1] / "recorded" / "electricity_maps.json"


@pytest.fixture
def state() -> ElectricityMaps:
    return ElectricityMaps(NOW)


@pytest.fixture
def server(state: ElectricityMaps) -> Iterator[FakeServer]:
    with fake_electricity_maps(state) as server:
        yield server


def opened(server: FakeServer, **options: Any) -> maps.ElectricityMapsClient:  # noqa: ANN401 - any option
    said = OPTIONS.model_copy(update={"url": server.base_url, **options})
    return maps.open_client(
        said, rate_limit=RateLimit(1e9), retry=RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.05)
    )


@pytest.fixture
def source(server: FakeServer) -> maps.ElectricityMaps:
    return maps.ElectricityMaps(NY, opened(server))


def test_a_recorded_hour_is_read_and_an_estimate_is_marked() -> None:
    latest = json.loads(RECORDED.read_text(encoding="utf-8"))["latest"]
    channel = maps.ElectricityMaps(NY, maps.ElectricityMapsClient(None, OPTIONS)).channels()[0]  # type: ignore[arg-type]  # nothing is asked

    parsed = maps.parse(maps.rows_in(latest), {"carbonIntensity": channel}, scope="lifecycle", now=NOW)

    (row,) = parsed.readings.to_dicts()
    assert (row["time"], row["value"]) == (datetime(2024, 3, 6, 19, tzinfo=UTC), 216.0)
    assert row["quality"] == Quality.ESTIMATED


def test_a_round_brings_the_last_day_this_hour_and_the_forecast(
    server: FakeServer, source: maps.ElectricityMaps
) -> None:
    delivery = source.fetch(LIVE, now=NOW)

    readings = delivery.readings
    assert (readings.height, set(readings["channel"])) == (25, {LIFECYCLE})
    estimated = readings.filter((pl.col("quality") & int(Quality.ESTIMATED)) > 0)["time"]
    assert estimated.to_list() == [NOW.replace(hour=hour, minute=0) for hour in (12, 13, 14, 15)]
    assert delivery.forecasts.height == 25
    assert set(delivery.forecasts["issued_at"]) == {NOW - timedelta(minutes=7)}
    assert set(delivery.forecasts["model"]) == {"electricity_maps"}
    paths = [request.path for request in server.requests]
    assert paths == [f"/carbon-intensity/{endpoint}" for endpoint in ("history", "latest", "forecast")]
    assert not any(KEY in request.target for request in server.requests)


@pytest.mark.parametrize(("asked", "scope"), [("lifecycle", Scope.LIFECYCLE), ("direct", Scope.DIRECT)])
def test_its_channel_says_what_was_asked_for(server: FakeServer, asked: str, scope: Scope) -> None:
    source = maps.ElectricityMaps(NY, opened(server, emission_factor_type=asked))

    (channel,) = source.channels()

    assert kind_of(channel) == ("electricity_maps", CarbonKind(Basis.AVERAGE, scope, Side.CONSUMPTION))
    assert channel.unit_in_words == "gCO2e/kWh"
    assert set(source.fetch(LIVE, now=NOW).readings["channel"]) == {channel.id}


def test_other_emissions_than_asked_for_are_not_kept(state: ElectricityMaps, source: maps.ElectricityMaps) -> None:
    state.counts = "direct"

    with pytest.raises(PayloadChanged, match="asked for lifecycle emissions, it answers of direct"):
        source.fetch(Window(NOW - 3 * HOUR, NOW), now=NOW)


def test_an_estimate_that_is_measured_later_is_a_new_version(
    state: ElectricityMaps, source: maps.ElectricityMaps
) -> None:
    store = MemoryStore()
    ingest(source, store, LIVE, now=NOW, live=True)
    state.measured_until = NOW + HOUR

    report = ingest(source, store, LIVE, now=NOW + timedelta(minutes=5), live=True)

    assert report.new_rows == 4
    hour = NOW.replace(hour=14, minute=0)
    assert store.read([LIFECYCLE], Window(hour, hour + HOUR), NOW)["quality"][0] & Quality.ESTIMATED
    assert not store.read([LIFECYCLE], Window(hour, hour + HOUR))["quality"][0] & Quality.ESTIMATED


def test_a_missing_value_stays_missing(state: ElectricityMaps, source: maps.ElectricityMaps) -> None:
    gap = NOW.replace(hour=10, minute=0)
    state.missing = {gap}

    readings = source.fetch(LIVE, now=NOW).readings

    assert readings.filter(pl.col("time") == gap)["value"].to_list() == [None]
    assert readings["value"].null_count() == 1


@pytest.mark.parametrize("status", [401, 403])
def test_what_the_plan_leaves_out_is_set_aside_once_and_the_rest_is_kept(
    state: ElectricityMaps, source: maps.ElectricityMaps, status: int
) -> None:
    state.left_out, state.denies_with = {"forecast"}, status
    store = MemoryStore()

    for minutes in (0, 5):
        ingest(source, store, LIVE, now=NOW + timedelta(minutes=minutes), live=True)

    assert store.read([LIFECYCLE], LIVE).height == 25
    refused = store.quarantined()
    assert refused["rule"].to_list() == ["is_in_the_plan"]
    assert json.loads(refused["row"][0]) == {"endpoint": "carbon-intensity/forecast", "zone": ZONE}


def test_a_key_without_the_zone_is_explained(state: ElectricityMaps, source: maps.ElectricityMaps) -> None:
    state.left_out, state.denies_with = {"latest", "history", "forecast"}, 401

    with pytest.raises(SourceRejected, match="may see nothing of the place of New York") as refused:
        source.fetch(LIVE, now=NOW)
    assert "ELECTRICITY_MAPS_API_KEY" in str(refused.value)


def test_a_wrong_key_is_said_and_not_shown(server: FakeServer) -> None:
    client = opened(server, api_key=SecretStr("wrong-key-7"))

    with pytest.raises(SourceRejected, match="Invalid auth-token") as refused:
        maps.ElectricityMaps(NY, client).fetch(LIVE, now=NOW)
    assert "wrong-key-7" not in str(refused.value)


def test_an_endpoint_that_fails_costs_no_rows_of_the_others(
    state: ElectricityMaps, source: maps.ElectricityMaps
) -> None:
    state.broken = {"latest"}
    store = MemoryStore()

    with pytest.raises(SourceUnavailable, match="502"):
        ingest(source, store, LIVE, now=NOW)
    assert store.read([LIFECYCLE], LIVE).height == 24


def test_who_limits_us_is_asked_later(server: FakeServer, source: maps.ElectricityMaps) -> None:
    server.faults.extend([limited("600")] * 3)

    with pytest.raises(SourceUnavailable, match="10 minutes"):
        source.fetch(LIVE, now=NOW)


def test_the_past_is_asked_ten_days_at_a_time(server: FakeServer, source: maps.ElectricityMaps) -> None:
    window = Window(NOW.replace(minute=0) - 25 * DAY, NOW.replace(minute=0) - 2 * DAY)

    readings = source.fetch(window, now=NOW).readings

    assert readings.height == readings["time"].n_unique() == 23 * 24
    assert [request.path for request in server.requests] == ["/carbon-intensity/past-range"] * 3


def test_the_coordinates_of_a_region_must_lie_in_its_own_zone(state: ElectricityMaps, server: FakeServer) -> None:
    state.zone = "US-NW-PGE"

    with pytest.raises(InvalidInput, match="US-NW-PGE, which is not NYIS") as refused:
        maps.ElectricityMaps(NY, opened(server)).fetch(LIVE, now=NOW)
    assert "[sources.electricity_maps.zones]" in str(refused.value)
    state.zone = ZONE
    named = maps.ElectricityMaps(NY, opened(server, zones={"ny": ZONE}))  # the cure
    assert named.fetch(LIVE, now=NOW).readings.height == 25
    assert server.requests[-1].one("zone") == ZONE


def test_an_answer_of_another_zone_is_not_kept(state: ElectricityMaps, server: FakeServer) -> None:
    state.zone = "US-CAL-CISO"

    with pytest.raises(PayloadChanged, match="asked for US-NY-NYIS, it answers of US-CAL-CISO"):
        maps.ElectricityMaps(NY, opened(server, zones={"ny": ZONE})).fetch(LIVE, now=NOW)


def test_a_site_without_coordinates_needs_a_zone_by_name(server: FakeServer) -> None:
    nowhere = replace(NY, site=replace(NY.site, place=Place("America/New_York")))

    with pytest.raises(InvalidInput, match=r"sources\.electricity_maps\.zones"):
        maps.ElectricityMaps(nowhere, opened(server)).fetch(LIVE, now=NOW)


def test_another_step_is_said(state: ElectricityMaps, source: maps.ElectricityMaps) -> None:
    state.granularity = "15_minutes"

    with pytest.raises(PayloadChanged, match="15_minutes"):
        source.fetch(Window(NOW - 3 * HOUR, NOW), now=NOW)


def test_hours_that_are_not_measured_can_be_left_out(server: FakeServer) -> None:
    maps.ElectricityMaps(NY, opened(server, estimations=False)).fetch(LIVE, now=NOW)

    assert {request.one("disableEstimations") for request in server.requests} == {"true"}


def test_the_shares_come_where_they_are_asked_for(state: ElectricityMaps, server: FakeServer) -> None:
    state.missing = {NOW.replace(hour=10, minute=0)}
    readings = maps.ElectricityMaps(NY, opened(server, power_breakdown=True)).fetch(LIVE, now=NOW).readings

    told = {name: rows["value"] for (name,), rows in readings.group_by("channel")}
    assert set(told["grid.ny.generation_share.fossil_free"]) == {61.0}
    assert told["grid.ny.generation_share.renewable"].null_count() == 1


def test_without_a_key_it_stands_by(server: FakeServer) -> None:
    for key in ("", "your_key_here", "changeme", "xxx"):
        with pytest.raises(NotConfigured, match="ELECTRICITY_MAPS_API_KEY"):
            opened(server, api_key=SecretStr(key))
    assert isinstance(Connectors({}).lacks("electricity_maps"), NotConfigured)
    named = [source.name for source in Connectors({"electricity_maps": OPTIONS}).followed(NY)]
    assert "electricity_maps:ny" in named


@pytest.mark.parametrize("where", ["granularity", "zone", "counts", "row"])
def test_a_key_that_an_answer_repeats_reaches_no_error_no_run_and_no_quarantine(
    state: ElectricityMaps, server: FakeServer, where: str
) -> None:
    store = MemoryStore()
    if where == "row":
        broken = {"zone": ZONE, "datetime": f"of {KEY}", "carbonIntensity": 5, "isEstimated": False}
        server.faults.append(as_json({"zone": ZONE, "history": [broken]}))
        ingest(maps.ElectricityMaps(NY, opened(server)), store, LIVE, now=NOW)
        assert "***" in store.quarantined()["row"][0]
    else:
        setattr(state, where, KEY)
        with pytest.raises((PayloadChanged, InvalidInput)) as told:
            ingest(maps.ElectricityMaps(NY, opened(server)), store, LIVE, now=NOW)
        assert "***" in str(told.value)
        assert KEY not in str(told.value)
    assert KEY not in str(store.runs()) + store.quarantined().write_json()
