"""NESO's carbon intensity over real HTTP, with every shape its answers come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from fakes.server import CUT_SHORT, limited
from fakes.uk_carbon import SHARES, UkCarbon, fake_uk_carbon

from watthour.core.carbon import kind_of
from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.frames import Maker
from watthour.core.ports import RunState
from watthour.core.window import DAY, HOUR, Window, local_day
from watthour.sources import uk_carbon
from watthour.sources.connectors import Connectors, ConnectorSites
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.parts import Parsed
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.server import FakeServer

    from watthour.core.forecast import Context

NOW = datetime(2026, 11, 21, 15, 42, tzinfo=UTC)
HALF = timedelta(minutes=30)
LIVE = Window(NOW.replace(minute=0) - 3 * HOUR, NOW + 4 * DAY)
INTENSITY = "grid.gb.carbon.neso.average.consumption.direct"
RECORDED = Path(__file__).parents[1] / "recorded" / "uk_carbon.json"


def site(name: str) -> Context:
    found = ConnectorSites().find(name)
    assert found is not None
    return found


GB, LONDON = site("Great Britain"), site("gb-13")


@pytest.fixture
def state() -> UkCarbon:
    return UkCarbon(NOW)


@pytest.fixture
def server(state: UkCarbon) -> Iterator[FakeServer]:
    with fake_uk_carbon(state) as server:
        yield server


def opened(server: FakeServer) -> HttpClient:
    retry = RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.05)
    return uk_carbon.open_client(uk_carbon.UkCarbonOptions(url=server.base_url), rate_limit=RateLimit(1e9), retry=retry)


@pytest.fixture
def source(server: FakeServer) -> uk_carbon.UkCarbon:
    return uk_carbon.UkCarbon(GB, opened(server))


@pytest.fixture
def london(server: FakeServer) -> uk_carbon.UkCarbonRegional:
    return uk_carbon.UkCarbonRegional(LONDON, opened(server))


def recorded(name: str) -> list[dict[str, Any]]:
    return uk_carbon.rows_in(json.loads(RECORDED.read_text(encoding="utf-8"))[name])


def test_a_half_hour_is_named_by_its_start_and_has_what_was() -> None:
    now = datetime(2018, 1, 20, 15, tzinfo=UTC)
    parsed = uk_carbon.parse_intensity(recorded("national"), GB.site, now)

    assert parsed.readings.select("time", "value").rows() == [
        (datetime(2018, 1, 20, 12, 0, tzinfo=UTC), 263.0),
        (datetime(2018, 1, 20, 12, 30, tzinfo=UTC), None),  # not told: a gap, never a zero
        (datetime(2018, 1, 20, 13, 0, tzinfo=UTC), 271.0),
    ]
    assert set(parsed.readings["channel"]) == {INTENSITY}


def test_it_is_an_average_of_what_is_used_and_counts_co2_alone() -> None:
    channel = uk_carbon.intensity_of(GB.site)

    assert kind_of(channel) == ("neso", uk_carbon.KIND)
    assert channel.unit_in_words == "gCO2/kWh"


def test_a_forecast_of_what_has_passed_is_none_as_issued(source: uk_carbon.UkCarbon) -> None:
    forecasts = source.fetch(LIVE, now=NOW).forecasts

    made = NOW.replace(minute=30)
    assert set(forecasts["issued_at"]) == {made}
    assert (forecasts["time"].min(), forecasts.height) == (made, 96)
    assert set(forecasts["model"]) == {"operator"}
    assert set(forecasts["maker"]) == {str(Maker.RIVAL)}
    assert set(forecasts["value"]) == {266.0}


def test_actual_values_shares_and_forecasts_come_from_one_round(server: FakeServer, source: uk_carbon.UkCarbon) -> None:
    readings = source.fetch(LIVE, now=NOW).readings

    assert readings.filter(pl.col("channel") == INTENSITY).height == 7  # of 12:00 to 15:30
    assert readings["channel"].n_unique() == 1 + len(SHARES)
    gas = readings.filter(pl.col("channel") == "grid.gb.generation_share.gas")
    assert set(gas["value"]) == {30.1}
    assert readings.filter(pl.col("channel") == "grid.gb.generation_share.coal")["value"].to_list() == [0.0] * 7
    assert [request.path.split("/")[1] for request in server.requests] == ["intensity", "generation", "intensity"]


def test_half_hours_that_are_not_told_yet_are_no_gaps(state: UkCarbon, source: uk_carbon.UkCarbon) -> None:
    state.untold = {NOW.replace(hour=15, minute=0), NOW.replace(hour=13, minute=0)}

    readings = source.fetch(LIVE, now=NOW).readings.filter(pl.col("channel") == INTENSITY)

    assert readings.height == 6
    assert readings["value"].to_list() == [263.0, 263.0, None, 263.0, 263.0, 263.0]


def test_more_than_a_fortnight_is_asked_in_pieces_and_no_half_hour_twice(
    server: FakeServer, source: uk_carbon.UkCarbon
) -> None:
    window = Window(NOW.replace(minute=0) - 40 * DAY, NOW.replace(minute=0))

    readings = source.fetch(window, now=NOW).readings.filter(pl.col("channel") == INTENSITY)

    assert readings.height == readings["time"].n_unique() == 40 * 48
    assert [request.path.split("/")[1] for request in server.requests].count("intensity") == 3


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_days_on_which_the_clock_changes_have_their_hours(
    state: UkCarbon, source: uk_carbon.UkCarbon, day: str
) -> None:
    window = local_day(datetime.fromisoformat(day).date(), "Europe/London")

    readings = source.fetch(window, now=NOW).readings.filter(pl.col("channel") == INTENSITY)

    assert readings.height == 2 * window.hours == {"2026-03-29": 46, "2026-10-25": 50}[day]
    assert (readings["time"].min(), readings["time"].max()) == (window.start, window.end - HALF)
    del state


def test_one_half_hour_may_come_without_a_list(state: UkCarbon, source: uk_carbon.UkCarbon) -> None:
    state.is_single = True
    start = NOW.replace(minute=0) - HOUR

    assert source.fetch(Window(start, start + HALF), now=NOW).readings.height == 1 + len(SHARES)
    assert uk_carbon.parse_shares(recorded("one_mix"), GB.site).readings.height == 3


@pytest.mark.parametrize("shape", ["object", "list", "flat", "named"])
def test_the_half_hours_of_a_region_are_found_in_every_shape(
    state: UkCarbon, london: uk_carbon.UkCarbonRegional, shape: str
) -> None:
    state.regional_shape = shape

    forecasts = london.fetch(LIVE, now=NOW).forecasts

    assert forecasts["value"].to_list() == [100.0 + n for n in range(97)]
    assert set(forecasts["channel"]) == {"grid.gb_london.carbon.neso.average.consumption.direct"}


@pytest.mark.parametrize("shape", ["object", "list", "named"])
def test_the_half_hours_of_another_region_are_kept_under_no_name(
    state: UkCarbon, london: uk_carbon.UkCarbonRegional, shape: str
) -> None:
    state.regional_shape, state.answers_of = shape, 4
    with pytest.raises(PayloadChanged, match="asked for region 13, it answers of region 4"):
        london.fetch(LIVE, now=NOW)


@pytest.mark.parametrize(("shape", "words"), [("several", "answers of region 14"), ("unnamed", "answers of several")])
def test_several_regions_are_never_one_series(
    state: UkCarbon, london: uk_carbon.UkCarbonRegional, shape: str, words: str
) -> None:
    state.regional_shape = shape
    with pytest.raises(PayloadChanged, match=words):
        london.fetch(LIVE, now=NOW)


def test_a_region_is_never_the_whole_country() -> None:
    half = {"from": "2026-11-21T10:00Z", "to": "2026-11-21T10:30Z", "intensity": {"forecast": 1, "actual": 90}}
    with pytest.raises(PayloadChanged, match="asked for Great Britain, it answers of region 13"):
        uk_carbon.rows_in({"data": [{"regionid": 13, "data": [half]}]})


def test_of_a_region_nothing_is_called_measured(london: uk_carbon.UkCarbonRegional, server: FakeServer) -> None:
    delivery = london.fetch(LIVE, now=NOW)

    assert delivery.readings.is_empty()
    assert server.requests[0].path == "/regional/intensity/2026-11-21T15:30Z/fw48h/regionid/13"


def test_an_answer_without_data_is_nothing_and_no_zero(state: UkCarbon, source: uk_carbon.UkCarbon) -> None:
    state.is_empty = True
    store = MemoryStore()

    ingest(source, store, LIVE, now=NOW)

    assert store.spans() == {}
    assert [run.state for run in store.runs()] == [RunState.EMPTY]


def test_a_fuel_that_nobody_knows_yet_has_its_own_channel(state: UkCarbon, source: uk_carbon.UkCarbon) -> None:
    state.shares = {**SHARES, "Fusion (new)": 1.5}
    store = MemoryStore()

    ingest(source, store, LIVE, now=NOW)

    assert store.read(["grid.gb.generation_share.fusion_new"], LIVE)["value"].to_list() == [1.5] * 7


def test_what_cannot_be_read_is_set_aside_and_the_rest_is_kept() -> None:
    rows = [
        {"from": "2026-11-21T10:00Z", "to": "2026-11-21T10:30Z", "intensity": {"forecast": 1, "actual": 90}},
        {"from": "2026-11-21T10:30Z", "to": "2026-11-21T11:30Z", "intensity": {"forecast": 1, "actual": 90}},
        {"from": "2026-11-21T10:45Z", "to": "2026-11-21T11:15Z", "intensity": {"forecast": 1, "actual": 90}},
        {"from": "yesterday", "to": "today", "intensity": {"forecast": 1, "actual": 90}},
        {"from": "2026-11-21T12:00Z", "to": "2026-11-21T12:30Z", "intensity": {"forecast": 1, "actual": "much"}},
    ]

    parsed = uk_carbon.parse_intensity(rows, GB.site, NOW)

    assert parsed.readings.height == 1
    assert parsed.refused["rule"].to_list() == [
        "is_a_half_hour",
        "is_a_half_hour",
        "time_is_readable",
        "value_is_a_number",
    ]


@pytest.mark.parametrize(
    "answer", [[], 5, None, {"data": [1]}, {"data": [{"from": "x"}]}, {"data": {"regionid": 3}}], ids=str
)
def test_another_shape_is_said(answer: object) -> None:
    with pytest.raises(PayloadChanged):
        uk_carbon.rows_in(answer)


@pytest.mark.parametrize(
    "rows", [[{"from": "x", "to": "y"}], [{"from": "x", "to": "y", "intensity": 5, "generationmix": 5}]]
)
def test_a_half_hour_without_what_it_should_hold_is_said(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(PayloadChanged, match="no intensity"):
        uk_carbon.parse_intensity(rows, GB.site, NOW)
    with pytest.raises(PayloadChanged, match="no generationmix"):
        uk_carbon.parse_shares(rows, GB.site)


def test_an_error_is_said_in_the_providers_words_whatever_its_status(
    server: FakeServer, source: uk_carbon.UkCarbon
) -> None:
    with pytest.raises(SourceRejected, match="maximum date range"):
        source._ask("/intensity/2026-01-01T00:00Z/2026-02-01T00:00Z", lambda _rows: Parsed())
    with pytest.raises(SourceRejected, match="wrong"):
        uk_carbon.rows_in({"error": {"code": "500", "message": "wrong"}})
    del server


@pytest.mark.parametrize("fault", [limited(), CUT_SHORT], ids=["429", "cut short"])
def test_what_can_heal_is_asked_again(server: FakeServer, source: uk_carbon.UkCarbon, fault: Any) -> None:  # noqa: ANN401 - an Answer
    server.faults.append(fault)

    assert source.fetch(LIVE, now=NOW).forecasts.height == 96


def test_shares_that_fail_cost_no_intensity(state: UkCarbon, source: uk_carbon.UkCarbon) -> None:
    state.broken = {"generation"}
    store = MemoryStore()

    with pytest.raises(SourceUnavailable, match="503"):
        ingest(source, store, LIVE, now=NOW)

    assert store.read([INTENSITY], LIVE).height == 7
    assert store.forecasts([INTENSITY], LIVE).height == 96


def test_great_britain_is_followed_without_a_key_and_its_regions_are_asked_for_alone() -> None:
    connectors = Connectors({})

    assert [source.name for source in connectors.followed(GB)] == ["open_meteo_forecast:gb", "uk_carbon:gb"]
    assert connectors.can_follow(GB)
    assert [source.name for source in connectors.followed(LONDON)] == ["uk_carbon_regional:gb_london"]
    assert not connectors.can_follow(LONDON)
    assert connectors.tells_by_itself(LONDON)
    assert (GB.rival, GB.channel.id) == ("operator", INTENSITY)
