"""WattTime over real HTTP, with everything that goes wrong there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.regions import region
from fakes.server import BAD_GATEWAY, CUT_SHORT, html, limited
from fakes.watttime import PASSWORD, USER, Watttime, fake_watttime
from pydantic import SecretStr

from watthour.core.errors import InvalidInput, NotConfigured, PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.place import Place
from watthour.core.ports import RunState
from watthour.core.window import DAY, Window
from watthour.sources import watttime
from watthour.sources.connectors import Connectors
from watthour.sources.eia import EiaOptions
from watthour.sources.http import Bearer, CallBudget, RateLimit, RetryPolicy
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.server import Answer, FakeServer

    from watthour.sources.parts import Parsed

NOW = datetime(2026, 11, 21, 15, 32, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAST = Window(NOW - 3 * HOUR, NOW - HOUR)
LIVE = Window(NOW - 3 * HOUR, NOW + DAY)
NY = region("ny")
MARGINAL, INDEX = "grid.ny.carbon.watttime.marginal.direct", "grid.ny.carbon.watttime.index"
OPTIONS = watttime.WatttimeOptions(username=SecretStr(USER), password=SecretStr(PASSWORD))


@pytest.fixture
def state() -> Watttime:
    return Watttime(NOW)


@pytest.fixture
def server(state: Watttime) -> Iterator[FakeServer]:
    with fake_watttime(state) as server:
        yield server


def opened(server: FakeServer, **options: object) -> watttime.WatttimeClient:
    said = OPTIONS.model_copy(update={"url": server.base_url, **options})
    retry = RetryPolicy(attempts=3, first_wait=0.001, longest_wait=0.05)
    return watttime.open_client(said, rate_limit=RateLimit(1e9), retry=retry)


@pytest.fixture
def source(server: FakeServer) -> watttime.Watttime:
    return watttime.Watttime(NY, opened(server))


def test_pounds_per_megawatt_hour_become_grams_per_kilowatt_hour(source: watttime.Watttime) -> None:
    readings = source.fetch(PAST, now=NOW).readings

    assert readings.height == 24
    assert set(readings["channel"]) == {MARGINAL}
    assert readings["value"].to_list() == pytest.approx([453.59237] * 24)


def test_a_live_poll_brings_the_rank_of_the_hour_and_the_forecast_of_a_day(source: watttime.Watttime) -> None:
    delivery = source.fetch(LIVE, now=NOW)

    rank = delivery.readings.filter(pl.col("channel") == INDEX)
    assert rank["value"].to_list() == [37.0]  # percent, not converted
    assert rank["time"].to_list() == [NOW.replace(minute=30)]
    forecasts = delivery.forecasts
    assert (forecasts.height, set(forecasts["channel"]), set(forecasts["model"])) == (288, {MARGINAL}, {"watttime"})
    assert set(forecasts["issued_at"]) == {NOW.replace(minute=30)}


def test_what_it_measured_of_hours_to_come_is_refused(
    state: Watttime, source: watttime.Watttime, monkeypatch: pytest.MonkeyPatch
) -> None:
    del state
    parse = watttime.parse

    def late(answer: object, *args: object, **options: object) -> Parsed:
        found = parse(answer, *args, **options)  # type: ignore[arg-type]  # handed on as they are
        return replace(found, readings=found.readings.with_columns(pl.col("time") + 3 * HOUR))

    monkeypatch.setattr(watttime, "parse", late)
    delivery = source.fetch(LIVE, now=NOW)

    assert (delivery.readings["time"] <= NOW).all()
    assert delivery.refused["rule"].to_list() == ["not_before_it_began"] * 37
    assert delivery.forecasts.height == 288


def test_one_login_serves_many_requests_and_carries_no_secret_in_addresses(
    state: Watttime, server: FakeServer, source: watttime.Watttime
) -> None:
    source.fetch(LIVE, now=NOW)

    assert state.n_logins == 1
    assert not any(PASSWORD in request.target or "token" in request.target for request in server.requests)


def test_a_token_that_has_ended_brings_one_fresh_login(
    state: Watttime, server: FakeServer, source: watttime.Watttime
) -> None:
    source.fetch(PAST, now=NOW)
    state.end_tokens()
    before = len(server.requests)

    assert source.fetch(PAST, now=NOW).readings.height == 24
    assert state.n_logins == 2
    assert [request.path for request in server.requests[before:]].count("/login") == 1


def test_a_storm_of_refusals_ends_after_one_fresh_login(state: Watttime, source: watttime.Watttime) -> None:
    state.is_storm = True

    with pytest.raises(SourceRejected, match="answered 401"):
        source.fetch(PAST, now=NOW)
    assert state.n_logins == 2


@pytest.mark.parametrize("end", ["ü", "\r\nX-Other: 1", "\x00"])
def test_a_token_that_no_header_can_hold_is_named(state: Watttime, source: watttime.Watttime, end: str) -> None:
    state.token_end = end

    with pytest.raises(PayloadChanged, match="no token that can be sent back"):
        source.fetch(PAST, now=NOW)


def test_a_token_is_renewed_before_it_ends() -> None:
    seconds = [0.0]
    given = iter(["one", "two"])
    bearer = Bearer(lambda: next(given), lifetime_s=watttime.TOKEN_LIFETIME_S, clock=lambda: seconds[0])

    assert [bearer.token(), bearer.token()] == ["one", "one"]
    seconds[0] = 29 * 60.0  # a minute before the provider ends it
    assert bearer.token() == "two"
    bearer.refused("one")  # by a thread that began with the old one
    assert bearer.token() == "two"


def test_a_wrong_password_is_said_with_the_cure_and_without_the_password(server: FakeServer) -> None:
    client = opened(server, password=SecretStr("wrong-horse-9"))

    with pytest.raises(SourceRejected, match="WATTTIME_PASSWORD") as refused:
        watttime.Watttime(NY, client).fetch(PAST, now=NOW)
    assert "wrong-horse-9" not in str(refused.value)


def test_a_plan_without_the_region_is_explained_by_region_and_plan(state: Watttime, source: watttime.Watttime) -> None:
    state.allowed = set()

    with pytest.raises(SourceRejected, match="includes nothing of NYISO_NYC, where New York lies") as refused:
        source.fetch(LIVE, now=NOW)
    assert "CAISO_NORTH" in str(refused.value)
    assert "Invalid scope" in str(refused.value)


def test_what_the_plan_leaves_out_is_set_aside_once_and_the_rest_is_kept(
    state: Watttime, source: watttime.Watttime
) -> None:
    state.allowed = {"signal-index"}
    store = MemoryStore()

    ingest(source, store, LIVE, now=NOW, live=True)
    ingest(source, store, LIVE, now=NOW + HOUR, live=True)

    assert set(store.spans()) == {INDEX}
    refused = store.quarantined()
    assert set(refused["rule"]) == {"is_in_the_plan"}
    assert refused.height == 2  # historical and forecast


def test_a_block_page_of_a_gateway_is_no_crash(server: FakeServer, source: watttime.Watttime) -> None:
    server.faults.append(html(403))

    with pytest.raises(SourceRejected, match="answered 403"):
        source.fetch(PAST, now=NOW)


@pytest.mark.parametrize(
    "fault", [limited(), limited("0"), BAD_GATEWAY, CUT_SHORT], ids=["429", "429 with Retry-After", "502", "cut short"]
)
def test_what_can_heal_is_asked_again(server: FakeServer, source: watttime.Watttime, fault: Answer) -> None:
    server.faults.append(fault)

    assert source.fetch(PAST, now=NOW).readings.height == 24


def test_who_tells_us_to_wait_long_is_asked_another_time(server: FakeServer, source: watttime.Watttime) -> None:
    server.faults.append(limited("900"))

    with pytest.raises(SourceUnavailable, match="15 minutes"):
        source.fetch(PAST, now=NOW)
    assert len(server.requests) == 1


def test_a_unit_that_is_not_known_is_refused_and_never_guessed(state: Watttime, source: watttime.Watttime) -> None:
    state.units = "t_co2_per_gwh"
    with pytest.raises(PayloadChanged, match="t_co2_per_gwh"):
        source.fetch(PAST, now=NOW)
    state.units = "kg_co2_per_mwh"
    assert set(source.fetch(PAST, now=NOW).readings["value"]) == {1000.0}


def test_a_missing_value_stays_missing(state: Watttime, source: watttime.Watttime) -> None:
    gap = NOW.replace(hour=13, minute=0)
    state.missing = {gap}

    readings = source.fetch(PAST, now=NOW).readings

    assert readings.filter(pl.col("time") == gap)["value"].to_list() == [None]
    assert readings["value"].null_count() == 1


def test_warnings_of_the_provider_are_set_aside_with_its_words(state: Watttime, source: watttime.Watttime) -> None:
    state.warnings = [{"type": "EXAMPLE_WARNING", "message": "imputed"}]

    delivery = source.fetch(PAST, now=NOW)

    assert delivery.readings.height == 24
    assert delivery.refused["rule"].to_list() == ["provider_warns"]
    assert "imputed" in delivery.refused["row"][0]


def test_a_thousand_warnings_are_set_aside_as_a_few_and_a_count(state: Watttime, source: watttime.Watttime) -> None:
    state.warnings = [{"type": f"WARNING_{n}", "message": "x" * 10_000} for n in range(1000)]

    refused = source.fetch(PAST, now=NOW).refused

    assert refused.height == watttime.MOST_WARNINGS + 1
    assert max(len(row) for row in refused["row"]) <= 300
    assert refused["row"].to_list().count("and 995 more") == 1


def test_an_answer_of_another_signal_is_not_kept(state: Watttime, source: watttime.Watttime) -> None:
    state.signal = "health_damage"

    with pytest.raises(PayloadChanged, match="asked for co2_moer, it answers of health_damage"):
        source.fetch(PAST, now=NOW)


def test_it_counts_co2_alone_and_says_so(source: watttime.Watttime) -> None:
    assert [channel.unit_in_words for channel in source.channels()] == ["gCO2/kWh", "%"]


def test_the_region_of_a_place_is_asked_once(server: FakeServer, source: watttime.Watttime) -> None:
    source.fetch(PAST, now=NOW)
    source.fetch(PAST, now=NOW)

    assert [request.path for request in server.requests].count("/v3/region-from-loc") == 1


@pytest.mark.parametrize(
    ("broken", "n_readings", "n_forecasts"),
    [("historical", 1, 288), ("signal-index", 36, 288), ("forecast", 37, 0)],
)
def test_an_endpoint_that_fails_costs_no_rows_of_the_others_and_is_a_failure(
    state: Watttime, source: watttime.Watttime, broken: str, n_readings: int, n_forecasts: int
) -> None:
    state.broken = {broken}
    store = MemoryStore()

    with pytest.raises(SourceUnavailable, match="answered 503"):
        ingest(source, store, LIVE, now=NOW, live=True)

    assert store.read([MARGINAL, INDEX], LIVE).height == n_readings
    assert store.forecasts([MARGINAL], LIVE).height == n_forecasts
    (run,) = store.runs()
    assert (run.state, run.new_rows) == (RunState.FAILED, n_readings + n_forecasts)
    assert "answered 503" in str(run.problem)
    state.broken = set()
    ingest(source, store, LIVE, now=NOW + timedelta(minutes=1), live=True)
    assert store.read([MARGINAL, INDEX], LIVE).height == 37


def test_names_and_passwords_have_letters_of_any_language(state: Watttime, server: FakeServer) -> None:
    state.user = "jürgen"
    client = opened(server, username=SecretStr("jürgen"))

    assert watttime.Watttime(NY, client).fetch(PAST, now=NOW).readings.height == 24
    with pytest.raises(NotConfigured, match="no user name has a colon"):
        opened(server, username=SecretStr("jür:gen"))


def test_an_account_at_watttime_alone_is_asked_for_a_region_whose_demand_lacks_a_key() -> None:
    connectors = Connectors({"watttime": OPTIONS})

    assert "watttime:ny" in [source.name for source in connectors.followed(NY)]
    assert {name: error.field for name, error in connectors.waited_for(NY).items()} == {
        "eia": "EIA_API_KEY",
        "eia_fuel_mix": "EIA_API_KEY",
    }
    assert not connectors.can_follow(NY)
    assert connectors.tells_by_itself(NY)


def test_an_answer_of_another_region_is_not_kept(state: Watttime, server: FakeServer) -> None:
    client = opened(server, regions={"ny": "CAISO_NORTH"})  # the answers speak of NYISO_NYC

    with pytest.raises(PayloadChanged, match="asked for CAISO_NORTH, it answers of NYISO_NYC"):
        watttime.Watttime(NY, client).fetch(PAST, now=NOW)
    del state


def test_a_site_without_coordinates_needs_a_region_by_name(server: FakeServer) -> None:
    nowhere = replace(NY, site=replace(NY.site, place=Place("America/New_York")))

    with pytest.raises(InvalidInput, match=r"sources\.watttime\.regions"):
        watttime.Watttime(nowhere, opened(server)).fetch(PAST, now=NOW)
    client = opened(server, regions={"ny": "NYISO_NYC"})
    assert watttime.Watttime(nowhere, client).fetch(PAST, now=NOW).readings.height == 24


def test_a_long_past_is_asked_month_by_month_and_no_point_twice(server: FakeServer, source: watttime.Watttime) -> None:
    window = Window(NOW.replace(minute=30) - 40 * DAY, NOW.replace(minute=30))

    readings = source.fetch(window, now=NOW + DAY).readings

    assert [request.path for request in server.requests].count("/v3/historical") == 2
    assert readings.height == 40 * 288
    assert readings["time"].n_unique() == readings.height


def test_the_budget_of_an_hour_is_counted_and_not_overdrawn() -> None:
    seconds = [0.0]
    budget = CallBudget("watttime", 2, option="WATTHOUR_WATTTIME_CALLS_PER_HOUR", clock=lambda: seconds[0])
    budget.wait()
    seconds[0] = 1800.0
    budget.wait()

    with pytest.raises(SourceUnavailable, match="budget of 2 requests an hour") as refused:
        budget.wait()
    assert "30 minutes" in str(refused.value)
    assert "WATTHOUR_WATTTIME_CALLS_PER_HOUR" in str(refused.value)
    assert budget.n_spent == 2
    seconds[0] = 3601.0
    budget.wait()


def test_without_an_account_it_stands_by_and_the_others_are_asked() -> None:
    eia_key = {"eia": EiaOptions(api_key=SecretStr("k3y-of-eia"))}
    names = [source.name for source in Connectors(eia_key).followed(NY)]

    assert "eia:ny" in names
    assert "watttime:ny" not in names
    with_account = Connectors({**eia_key, "watttime": OPTIONS})
    assert "watttime:ny" in [source.name for source in with_account.followed(NY)]


@pytest.mark.parametrize("password", ["", "your_password_here", "changeme", "xxx"])
def test_placeholders_are_no_password(password: str) -> None:
    with pytest.raises(NotConfigured, match="WATTTIME_PASSWORD") as refused:
        watttime.open_client(OPTIONS.model_copy(update={"password": SecretStr(password)}))
    assert "watthour carbon register" in str(refused.value)


def test_an_account_is_opened_once_and_a_name_that_is_taken_is_said(server: FakeServer) -> None:
    options = OPTIONS.model_copy(update={"url": server.base_url})
    who = {"password": "a-horse-8", "email": "grace@example.org", "organisation": "private"}

    assert watttime.register(options, username="grace", **who) == "grace"
    (sent,) = server.requests
    assert (sent.path, sent.sent["org"]) == ("/register", "private")
    with pytest.raises(SourceRejected, match="Failed to create user") as refused:
        watttime.register(options, username=USER, **who)
    assert "a-horse-8" not in str(refused.value)
