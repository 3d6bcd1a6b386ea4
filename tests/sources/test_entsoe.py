"""ENTSO-E: documents as they are published, the oddities of the platform over real HTTP, and the zones' history."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.entsoe import (
    TOKEN,
    Platform,
    acknowledgement,
    document,
    fake_entsoe,
    period,
    price_series,
    series,
    zipped,
)
from fakes.server import BAD_GATEWAY, Answer, limited, serve
from pydantic import SecretStr

from watthour.core.errors import NotConfigured, PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.frames import OPERATOR
from watthour.core.ports import RunState
from watthour.core.units import Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.grid.zones import BiddingZones
from watthour.sources import entsoe
from watthour.sources.elia import contexts
from watthour.sources.entsoe import (
    QUARTER,
    SPLIT,
    Entsoe,
    EntsoeGeneration,
    EntsoeOptions,
    EntsoePrices,
    EntsoeWindSolar,
    parse_prices,
    price_channel,
)
from watthour.sources.entsoe_documents import at_step, points_of, series_of
from watthour.sources.http import RateLimit, RetryPolicy
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.server import FakeServer

    from watthour.core.forecast import Context
    from watthour.sources.http import HttpClient

RECORDED = Path(__file__).parents[1] / "recorded"
MIDNIGHT = datetime(2026, 7, 1, 22, tzinfo=UTC)  # of the second, in Brussels
NOW = MIDNIGHT + 2 * DAY + 12.5 * HOUR
PLATFORM = Platform(MIDNIGHT - 2 * DAY, MIDNIGHT + 5 * DAY, NOW)


def zone(name: str) -> Context:
    context = BiddingZones().find(name)
    assert context is not None
    return context


FRANCE, GERMANY = zone("France"), zone("Germany")
PRICE = price_channel(FRANCE.site)


@pytest.fixture
def platform() -> Platform:
    return replace(PLATFORM, missing=set(), zones=set())


@pytest.fixture
def server(platform: Platform) -> Iterator[FakeServer]:
    with fake_entsoe(platform) as running:
        yield running


def client_of(server: FakeServer, token: str = TOKEN, *, attempts: int = 2) -> HttpClient:
    options = EntsoeOptions(api_key=SecretStr(token), url=server.base_url)
    retry = RetryPolicy(attempts=attempts, first_wait=0.001, longest_wait=0.01)
    return entsoe.open_client(options, rate_limit=RateLimit(1e9), retry=retry)


def values(rows: pl.DataFrame) -> dict[datetime, float | None]:
    return dict(rows.sort("time").select("time", "value").iter_rows())


def quantities(content: bytes) -> pl.DataFrame:
    return points_of(series_of(content), "quantity", ["psrType"]).with_columns(
        value=pl.col("raw").cast(pl.Float64, strict=False), channel=pl.lit("grid.fr.demand")
    )


def prices(content: bytes, now: datetime = NOW) -> tuple[pl.DataFrame, pl.DataFrame]:
    return parse_prices(series_of(content), PRICE, now=now)


# documents


def test_a_point_is_named_by_the_start_of_its_interval() -> None:
    told = period(MIDNIGHT, MIDNIGHT + 2 * HOUR, "PT60M", [(1, "5"), (2, "6")], "quantity")
    assert values(quantities(document(series(told)))) == {MIDNIGHT: 5.0, MIDNIGHT + HOUR: 6.0}


def test_a_point_that_repeats_the_one_before_is_left_out_and_filled_to_the_end_of_its_period_alone() -> None:
    first = period(MIDNIGHT, MIDNIGHT + 5 * HOUR, "PT60M", [(1, "5"), (4, "7")], "quantity")
    second = period(MIDNIGHT + 6 * HOUR, MIDNIGHT + 8 * HOUR, "PT60M", [(2, "9")], "quantity")
    found = values(quantities(document(series(first + second, "A03"))))
    assert [found.get(MIDNIGHT + n * HOUR) for n in range(8)] == [5, 5, 5, 7, 7, None, None, 9]


def test_in_another_curve_a_point_that_is_not_there_is_not_known() -> None:
    told = period(MIDNIGHT, MIDNIGHT + 3 * HOUR, "PT60M", [(1, "5"), (3, "7")], "quantity")
    assert values(quantities(document(series(told, "A01")))) == {MIDNIGHT: 5.0, MIDNIGHT + 2 * HOUR: 7.0}


@pytest.mark.parametrize("position", ["0", "25", "-1", "one", "", "99999999999999999999"])
def test_a_point_outside_of_its_period_has_no_time(position: str) -> None:
    told = period(MIDNIGHT, MIDNIGHT + DAY, "PT60M", [(1, "5")], "quantity").replace(
        "<position>1<", f"<position>{position}<"
    )
    assert quantities(document(series(told, "A03")))["time"].to_list() == [None]


@pytest.mark.parametrize(("resolution", "end"), [("P1Y", DAY), ("PT7M", HOUR), ("PT0M", DAY), ("PT1M", 400 * DAY)])
def test_a_period_that_cannot_be_cut_as_it_says_is_not_read(resolution: str, end: timedelta) -> None:
    told = period(MIDNIGHT, MIDNIGHT + end, resolution, [(1, "5")], "quantity")
    assert quantities(document(series(told, "A03")))["time"].null_count() == 1


def test_a_day_of_23_and_of_25_hours_has_as_many_points() -> None:
    for begin, n_hours in ((datetime(2026, 3, 28, 23, tzinfo=UTC), 23), (datetime(2026, 10, 24, 22, tzinfo=UTC), 25)):
        end = begin + n_hours * HOUR
        told = period(begin, end, "PT60M", [(1, "5"), (n_hours, "6")], "quantity")
        found = values(quantities(document(series(told, "A03"))))
        assert (len(found), max(found)) == (n_hours, end - HOUR)


def test_finer_points_are_averaged_where_all_are_there_and_go_before_coarser_ones() -> None:
    hours = period(MIDNIGHT, MIDNIGHT + 3 * HOUR, "PT60M", [(1, "1"), (2, "2"), (3, "3")], "quantity")
    quarters = period(
        MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR, "PT15M", [(n, str(10 * n)) for n in range(1, 8)], "quantity"
    )
    found = at_step(quantities(document(series(hours), series(quarters))), HOUR, ["channel"])
    assert values(found) == {MIDNIGHT: 1.0, MIDNIGHT + HOUR: 25.0, MIDNIGHT + 2 * HOUR: 3.0}


def test_a_zip_file_of_documents_is_read_whole() -> None:
    parts = [period(MIDNIGHT + n * DAY, MIDNIGHT + (n + 1) * DAY, "PT60M", [(1, str(n))], "quantity") for n in (0, 1)]
    found = quantities(zipped(*(document(series(part)) for part in parts)))
    assert values(found) == {MIDNIGHT: 0.0, MIDNIGHT + DAY: 1.0}


def test_a_zip_file_that_would_grow_too_large_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watthour.sources.entsoe_documents.MOST_UNZIPPED", 100)
    with pytest.raises(PayloadChanged, match="larger than 100 bytes"):
        series_of(zipped(document()))


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"<html>", b"", b"{}", b"\xff\xfe\x00", b"<Cat/>"])
def test_something_else_is_no_document(content: bytes) -> None:
    with pytest.raises(PayloadChanged):
        series_of(content)


def test_a_document_that_declares_entities_is_not_read() -> None:
    types = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'
    bomb = b'<?xml version="1.0"?>' + types + b"<GL_MarketDocument>&c;</GL_MarketDocument>"
    with pytest.raises(PayloadChanged, match="declares types"):
        series_of(bomb)


def test_a_document_nested_without_end_is_not_read() -> None:
    with pytest.raises(PayloadChanged, match="nested too deeply"):
        series_of(b"<GL_MarketDocument>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</GL_MarketDocument>")


@pytest.mark.parametrize("status", [200, 400])
def test_no_data_is_no_error_at_either_status(status: int) -> None:
    assert series_of(acknowledgement(status=status).body) == []


def test_another_fault_with_the_code_of_no_data_is_an_error() -> None:
    with pytest.raises(SourceRejected, match="exceeds allowed limit"):
        series_of(acknowledgement("The amount of requested data exceeds allowed limit").body)


# load


def test_the_load_is_measured_and_its_forecast_is_the_operators_of_ten_the_day_before(server: FakeServer) -> None:
    delivery = Entsoe(FRANCE, client_of(server)).fetch(Window(MIDNIGHT, MIDNIGHT + 4 * DAY), now=NOW)
    assert delivery.refused.is_empty()
    assert delivery.readings["time"].max() == MIDNIGHT + 2 * DAY + 11 * HOUR  # the hour that is running is not over
    of_load = delivery.forecasts.filter(channel="grid.fr.demand")
    assert set(of_load["model"]) == {OPERATOR}
    day = of_load.filter(pl.col("time").is_between(MIDNIGHT, MIDNIGHT + DAY, closed="left"))
    assert set(day["issued_at"]) == {MIDNIGHT - 14 * HOUR}
    assert set(delivery.forecasts["channel"]) == {"grid.fr.demand", "grid.fr.ahead.load"}


def test_quarter_hours_are_kept_where_the_zone_has_them_and_averaged_where_not(
    server: FakeServer, platform: Platform
) -> None:
    platform.step = QUARTER
    window = Window(MIDNIGHT, MIDNIGHT + HOUR)
    client = client_of(server)
    assert Entsoe(FRANCE, client).fetch(window, now=NOW).readings["value"].to_list() == [40_193.5]
    of_germany = Entsoe(GERMANY, client).fetch(window, now=NOW).readings
    assert of_germany["value"].to_list() == [40_192.0, 40_193.0, 40_194.0, 40_195.0]


def test_hours_of_a_zone_with_quarter_hours_are_refused_and_not_taken_apart(server: FakeServer) -> None:
    window = Window(MIDNIGHT - DAY, MIDNIGHT)
    store = MemoryStore()
    with_hours = ingest(Entsoe(GERMANY, client_of(server)), store, window, now=NOW)
    assert set(store.quarantined()["rule"]) == {"interval_is_no_longer_than_the_channels", "has_what_was_due"}
    assert store.spans().keys() == set()
    assert with_hours.refused_rows > 24


def test_a_zone_of_which_nothing_comes_is_no_success(server: FakeServer, platform: Platform) -> None:
    platform.missing = {"A65"}
    store = MemoryStore()
    ingest(Entsoe(FRANCE, client_of(server)), store, Window(NOW - DAY, NOW), now=NOW)
    (run,) = store.runs()
    assert run.state is RunState.FAILED
    assert "has_what_was_due" in str(run.problem)
    row = json.loads(store.quarantined()["row"][0])
    assert row["zone"] == "10YFR-RTE------C"


@pytest.mark.parametrize("status", [200, 400])
def test_nothing_of_long_ago_is_no_failure(server: FakeServer, platform: Platform, status: int) -> None:
    platform.status_of_nothing = status
    store = MemoryStore()
    ingest(Entsoe(FRANCE, client_of(server)), store, Window(NOW - 400 * DAY, NOW - 390 * DAY), now=NOW)
    assert [run.state for run in store.runs()] == [RunState.EMPTY]


def test_long_windows_are_asked_for_year_by_year(server: FakeServer) -> None:
    source = EntsoePrices(FRANCE, client_of(server))
    delivery = source.fetch(Window(MIDNIGHT - 800 * DAY, MIDNIGHT + DAY), now=NOW)
    assert len(server.requests) == 3
    assert delivery.readings["time"].min() == PLATFORM.start


def test_before_the_split_the_load_of_germany_is_not_that_of_the_common_zone(
    server: FakeServer, platform: Platform
) -> None:
    platform.start, platform.step = SPLIT - 2 * DAY, QUARTER
    window = Window(SPLIT - DAY, SPLIT + DAY)
    load = Entsoe(GERMANY, client_of(server)).fetch(window, now=NOW).readings
    assert load["time"].min() == SPLIT
    assert platform.zones == {"10Y1001A1001A82H"}


@pytest.mark.parametrize("name", ["Germany", "Austria"])
def test_before_the_split_the_price_is_that_of_the_common_zone(
    server: FakeServer, platform: Platform, name: str
) -> None:
    platform.start = SPLIT - 2 * DAY
    found = EntsoePrices(zone(name), client_of(server)).fetch(Window(SPLIT - DAY, SPLIT + DAY), now=NOW).readings
    assert found.height == 2 * 96
    assert platform.zones == {"10Y1001A1001A63L", str(zone(name).site.code("entsoe"))}


# the zone


@pytest.mark.parametrize("kind", [Entsoe, EntsoeGeneration, EntsoeWindSolar, EntsoePrices])
def test_what_is_of_another_zone_is_refused_and_kept_under_no_name(
    server: FakeServer,
    platform: Platform,
    kind: type[Entsoe | EntsoeGeneration | EntsoeWindSolar | EntsoePrices],
) -> None:
    source, window = kind(FRANCE, client_of(server)), Window(MIDNIGHT, MIDNIGHT + DAY)
    of_france = source.fetch(window, now=NOW)
    assert "zone_is_the_one_asked" not in set(of_france.refused["rule"])
    assert of_france.readings.height + of_france.forecasts.height > 0
    platform.answers_of = "10YES-REE------0"
    delivery = source.fetch(window, now=NOW)
    assert delivery.readings.is_empty()
    assert delivery.forecasts.is_empty()
    rows = delivery.refused.filter(rule="zone_is_the_one_asked")["row"].to_list()
    assert rows
    assert all(platform.answers_of in row and "10YFR-RTE------C" in row for row in rows)


def test_a_price_from_one_zone_to_another_is_that_of_neither() -> None:
    told = price_series(
        period(MIDNIGHT, MIDNIGHT + HOUR, "PT60M", [(1, "5")], "price.amount"), zone="10YFR-RTE------C"
    ).replace("10YFR-RTE------C</out_", "10YES-REE------0</out_")
    with serve(lambda _request: Answer(200, document(told, kind="Publication"))) as server:
        delivery = EntsoePrices(FRANCE, client_of(server)).fetch(Window(MIDNIGHT, MIDNIGHT + HOUR), now=NOW)
    assert delivery.readings.is_empty()
    assert delivery.refused["rule"][0] == "zone_is_the_one_asked"


@pytest.mark.parametrize("start", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_period_outside_of_the_calendar_costs_its_own_points_alone(start: str) -> None:
    good = period(MIDNIGHT, MIDNIGHT + HOUR, "PT60M", [(1, "5")], "quantity")
    broken = good.replace(f"<start>{MIDNIGHT:%Y-%m-%dT%H:%MZ}<", f"<start>{start}<")
    assert broken != good
    with serve(lambda _request: Answer(200, document(series(good + broken)))) as server:
        delivery = Entsoe(FRANCE, client_of(server)).fetch(Window(MIDNIGHT, MIDNIGHT + HOUR), now=NOW)
    assert delivery.readings["value"].to_list() == [5.0]
    assert set(delivery.refused["rule"]) == {"time_is_readable"}


# generation


def test_each_type_of_plants_has_its_channel_and_pumping_is_negative(server: FakeServer, platform: Platform) -> None:
    platform.step = QUARTER
    source = EntsoeGeneration(GERMANY, client_of(server))
    readings = source.fetch(Window(MIDNIGHT, MIDNIGHT + HOUR), now=NOW).readings
    found = dict(readings.select(pl.col("channel").str.split(".").list.last(), "value").iter_rows())
    assert found == {"gas": 593.5, "pumped_storage": -30.0, "nuclear": 1193.5, "solar": 243.5}


def test_a_type_that_is_not_known_yet_has_a_channel_of_its_own() -> None:
    told = period(MIDNIGHT, MIDNIGHT + HOUR, "PT60M", [(1, "5")], "quantity")
    with serve(lambda _request: Answer(200, document(series(told, psrType="B77")))) as server:
        source = EntsoeGeneration(FRANCE, client_of(server))
        delivery = source.fetch(Window(MIDNIGHT, MIDNIGHT + HOUR), now=NOW)
    assert set(delivery.readings["channel"]) == {"grid.fr.generation.b77"}
    assert "grid.fr.generation.b77" in {channel.id for channel in source.channels()}


def test_a_power_in_another_unit_is_refused() -> None:
    told = period(MIDNIGHT, MIDNIGHT + HOUR, "PT60M", [(1, "5")], "quantity")
    odd = series(told, quantity_Measure_Unit__name="KWT")
    with serve(lambda _request: Answer(200, document(odd))) as server:
        delivery = Entsoe(FRANCE, client_of(server)).fetch(Window(MIDNIGHT, MIDNIGHT + HOUR), now=MIDNIGHT + 3 * HOUR)
    assert delivery.readings.is_empty()
    assert "power_is_in_megawatts" in set(delivery.refused["rule"])


# wind and sun


def test_forecasts_of_wind_and_sun_are_of_18_the_day_before_and_of_8_on_the_day(server: FakeServer) -> None:
    source = EntsoeWindSolar(FRANCE, client_of(server))
    delivery = source.fetch(Window(MIDNIGHT + DAY, MIDNIGHT + 2 * DAY), now=NOW)
    assert {channel.variable for channel in source.channels()} == {
        "known_solar",
        "known_wind_offshore",
        "known_wind_onshore",
    }
    sun = delivery.forecasts.filter(channel="grid.fr.ahead.solar")
    issued = sun.group_by("issued_at").agg(pl.col("time").min(), n=pl.len()).sort("issued_at").rows()
    eight = MIDNIGHT + DAY + 8 * HOUR
    assert issued == [(MIDNIGHT + DAY - 6 * HOUR, MIDNIGHT + DAY, 24), (eight, eight, 16)]


def test_an_intraday_forecast_is_taken_from_8_on_and_a_zone_may_have_none(
    server: FakeServer, platform: Platform
) -> None:
    source = EntsoeWindSolar(FRANCE, client_of(server))
    today = Window(MIDNIGHT + 2 * DAY, MIDNIGHT + 3 * DAY)
    early = source.fetch(today, now=MIDNIGHT + 2 * DAY + 7 * HOUR).forecasts
    assert set(early["issued_at"]) == {MIDNIGHT + 2 * DAY - 6 * HOUR}
    platform.missing = {"A69"}
    assert source.fetch(today, now=NOW).refused.is_empty()


# prices


def test_prices_are_known_on_the_day_before(server: FakeServer) -> None:
    rows = EntsoePrices(FRANCE, client_of(server)).fetch(Window(MIDNIGHT, MIDNIGHT + DAY), now=NOW).readings
    assert rows.height == 96
    assert set(rows["available_at"]) == {MIDNIGHT - 10 * HOUR}
    assert (PRICE.unit_in_words, PRICE.unit, PRICE.id) == ("EUR/MWh", Unit.CURRENCY_PER_MWH, "grid.fr.price")


def test_a_price_that_is_there_before_its_hour_is_known_when_it_came(server: FakeServer, platform: Platform) -> None:
    early = MIDNIGHT - 10.5 * HOUR  # half past one, of the day before
    platform.now = early
    rows = EntsoePrices(FRANCE, client_of(server)).fetch(Window(MIDNIGHT, MIDNIGHT + DAY), now=early).readings
    assert set(rows["available_at"]) == {early}


def test_an_hourly_price_is_that_of_each_quarter_hour_and_quarter_hours_go_before_it() -> None:
    hours = period(MIDNIGHT, MIDNIGHT + 2 * HOUR, "PT60M", [(1, "51.6"), (2, "47")], "price.amount")
    quarters = period(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, "PT15M", [(1, "1"), (2, "2"), (4, "4")], "price.amount")
    found, _ = prices(document(price_series(hours), price_series(quarters), kind="Publication"))
    assert list(values(found).values()) == [51.6] * 4 + [1.0, 2.0, 2.0, 4.0]


def test_a_recorded_answer_over_the_change_to_quarter_hours_is_two_whole_days() -> None:
    content = (RECORDED / "entsoe_A44.xml").read_bytes()
    found, refused = prices(content, datetime(2025, 10, 1, 23, tzinfo=UTC))
    known = values(found)
    change = datetime(2025, 9, 30, 22, tzinfo=UTC)
    assert refused.is_empty()
    assert len(known) == 192
    assert [known[change - DAY + n * QUARTER] for n in (0, 3, 4, 11, 12, 27, 28, 95)] == [
        *(61.4, 61.4, 58.2, 58.2, 57.0, 57.0, 112.35, 140.0)
    ]
    assert [known[change + n * QUARTER] for n in (0, 1, 3, 4, 52, 59, 94, 95)] == [
        *(70.0, 68.5, 68.5, 66.0, -0.01, 0.0, 0.0, 81.3)
    ]


def test_published_documents_are_read_to_the_last_point(shared_data: Path) -> None:
    published = shared_data / "europe" / "fixtures" / "entsoe"
    spanish, refused = prices((published / "ES_day_ahead_price.xml").read_bytes())
    assert (spanish.height, refused.height) == (4 * 96, 0)  # 230 points are sent, two days of hours and two of quarters
    for name, n_points in (("NO-NO5_production-negatives", 235), ("DK-DK2_consumption_forecast", 96)):
        found = quantities((published / f"{name}.xml").read_bytes())
        assert (found["time"].null_count(), found["value"].null_count(), found.height) == (0, 0, n_points)
    hours = at_step(quantities((published / "wind_solar_forecast_FI_DAY_AHEAD.xml").read_bytes()), HOUR, ["psrType"])
    assert hours.height == 2 * 3 * 24


def test_of_two_auctions_the_common_one_counts() -> None:
    one, two = (period(MIDNIGHT, MIDNIGHT + HOUR, "PT60M", [(1, text)], "price.amount") for text in ("50", "99"))
    both = document(price_series(two, sequence="2"), price_series(one, sequence="1"), kind="Publication")
    assert set(prices(both)[0]["value"]) == {50.0}
    assert prices(document(price_series(two, sequence="2"), kind="Publication"))[0].is_empty()


def test_a_day_of_zeros_that_is_still_to_come_is_no_price() -> None:
    tomorrow = MIDNIGHT + 3 * DAY
    zeros = document(price_series(period(tomorrow, tomorrow + DAY, "PT15M", [(1, "0")], "price.amount")))
    found, refused = prices(zeros)
    assert found.is_empty()
    assert set(refused["rule"]) == {"a_day_of_zeros_to_come_is_no_price"}
    assert prices(zeros, now=tomorrow + 2 * DAY)[0].height == 96  # what is past has been so


def test_an_hour_of_zeros_of_tomorrow_is_a_price() -> None:
    tomorrow = MIDNIGHT + 3 * DAY
    told = period(tomorrow, tomorrow + DAY, "PT60M", [(1, "12.5"), (12, "0"), (15, "-3")], "price.amount")
    assert sorted(set(prices(document(price_series(told)))[0]["value"])) == [-3.0, 0.0, 12.5]


def test_a_price_in_another_currency_is_refused() -> None:
    told = period(MIDNIGHT, MIDNIGHT + HOUR, "PT60M", [(1, "210")], "price.amount")
    found, refused = prices(document(price_series(told, currency="PLN")))
    assert found.is_empty()
    assert set(refused["rule"]) == {"currency_is_that_of_the_channel"}


def test_prices_of_today_that_are_not_there_are_told(server: FakeServer, platform: Platform) -> None:
    platform.missing = {"A44"}
    store = MemoryStore()
    ingest(EntsoePrices(FRANCE, client_of(server)), store, Window(NOW - DAY, NOW + 2 * DAY), now=NOW)
    assert store.runs()[0].state is RunState.FAILED


def test_belgium_has_its_prices_here_and_its_load_from_its_operator(server: FakeServer) -> None:
    (belgium,) = contexts()
    rows = EntsoePrices(belgium, client_of(server)).fetch(Window(MIDNIGHT, MIDNIGHT + DAY), now=NOW).readings
    assert set(rows["channel"]) == {"grid.be.price"}


# the way there


def test_a_missing_token_or_a_placeholder_says_where_to_get_one() -> None:
    for token in ("", "your_token_here"):
        with pytest.raises(NotConfigured, match=r"transparency@entsoe\.eu"):
            entsoe.open_client(EntsoeOptions(api_key=SecretStr(token)))


def test_a_refused_token_is_not_tried_again_and_stands_nowhere(server: FakeServer) -> None:
    wrong = "0b7d/wrong+token=1"
    store = MemoryStore()
    with pytest.raises(SourceRejected, match="Check ENTSOE_API_KEY") as told:
        ingest(Entsoe(FRANCE, client_of(server, wrong)), store, Window(MIDNIGHT, NOW), now=NOW)
    assert len(server.requests) == 1
    assert server.requests[0].one("securityToken") == wrong
    for text in (str(told.value), repr(told.value.__context__), str(store.runs()[0].problem)):
        assert wrong not in text
        assert "0b7d" not in text


def test_a_token_that_is_echoed_is_struck_out(server: FakeServer) -> None:
    echo = acknowledgement(f"Not valid: /api?securityToken={TOKEN}&amp;x=1")
    server.faults.append(echo)
    with pytest.raises(SourceRejected) as told:
        Entsoe(FRANCE, client_of(server)).probe(now=NOW)
    assert TOKEN not in str(told.value)
    assert "***" in str(told.value)


def test_no_log_of_the_commands_shows_an_address_with_a_token(
    server: FakeServer, capfd: pytest.CaptureFixture[str]
) -> None:
    from watthour.cli.logs import log_to_stderr

    log_to_stderr()
    server.faults.append(BAD_GATEWAY)
    Entsoe(FRANCE, client_of(server)).probe(now=NOW)
    assert TOKEN not in "".join(capfd.readouterr())


def test_a_ban_is_waited_for_without_asking(server: FakeServer) -> None:
    client = client_of(server)
    server.faults.append(Answer(429, b"<html>Too many requests</html>"))
    with pytest.raises(SourceUnavailable, match="10 minutes"):
        Entsoe(FRANCE, client).probe(now=NOW)
    for source in (Entsoe(FRANCE, client), EntsoePrices(GERMANY, client)):
        with pytest.raises(SourceUnavailable, match="Ask again in 10 minutes"):
            source.probe(now=NOW)
    assert len(server.requests) == 1


def test_a_short_limit_is_waited_for_and_asked_again(server: FakeServer) -> None:
    server.faults.append(limited("0"))
    Entsoe(FRANCE, client_of(server)).probe(now=NOW)
    assert len(server.requests) == 2


def test_an_answer_that_breaks_off_is_said(server: FakeServer) -> None:
    server.faults.append(Answer(passes=True, keeps=0.5))
    with pytest.raises(PayloadChanged, match="part of one"):
        Entsoe(FRANCE, client_of(server)).probe(now=NOW)


def test_answers_in_zip_files_and_with_repeated_points_left_out_give_the_same(
    server: FakeServer, platform: Platform
) -> None:
    source, window = Entsoe(FRANCE, client_of(server)), Window(MIDNIGHT, MIDNIGHT + DAY)
    plain = source.fetch(window, now=NOW)
    platform.is_zipped, platform.curve = True, "A03"
    assert source.fetch(window, now=NOW).readings.equals(plain.readings)
