"""EIA's API v2: the parser on recorded rows, and the whole path over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.eia import KEY, eia_rows, fake_eia
from fakes.regions import region
from fakes.server import BAD_GATEWAY, CUT_SHORT, HANGS_UP, html, limited
from pydantic import SecretStr

from watthour.core.errors import InvalidInput, NotConfigured, PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.frames import Quality
from watthour.core.quality import flag_forecasts
from watthour.core.window import HOUR, Window, local_day
from watthour.sources import eia
from watthour.sources.eia import Eia, EiaFuelMix, EiaOptions, parse_fuel_mix, parse_region_data
from watthour.sources.eia_930 import energy_channel
from watthour.sources.elia import contexts
from watthour.sources.http import RateLimit, RetryPolicy

if TYPE_CHECKING:
    from watthour.core.ports import Delivery
    from watthour.sources.http import HttpClient

RECORDED = Path(__file__).parents[1] / "recorded"
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
NEW_YORK = region("NYIS")
DAY = local_day(datetime(2019, 7, 20, tzinfo=UTC).date(), NEW_YORK.time_zone)
QUICK = RetryPolicy(attempts=3, first_wait=0.001, longest_wait=0.5)


def recorded_rows(name: str) -> list[object]:
    answer = json.loads((RECORDED / name).read_text())
    return list(answer["response"]["data"])


def client_to(base_url: str, key: str = KEY) -> HttpClient:
    options = EiaOptions(api_key=SecretStr(key), url=base_url)
    return eia.open_client(options, rate_limit=RateLimit(1e9), retry=QUICK)


def hours_of(window: Window, *, demand: float = 20_000.0) -> pl.DataFrame:
    """Demand and the operator's forecast of each hour of a window, as EIA names hours."""
    ends = pl.datetime_range(window.start + HOUR, window.end, "1h", time_zone="UTC", eager=True)
    count = pl.int_range(len(ends), eager=True)
    return eia_rows(
        pl.DataFrame({"period": ends, "demand_mwh": demand + count, "day_ahead_forecast_mwh": demand - count}), "NYIS"
    )


def demand_of(delivery: Delivery) -> list[tuple[datetime, float | None]]:
    return list(delivery.readings.filter(pl.col("channel") == "grid.ny.demand").select("time", "value").iter_rows())


def test_an_hour_is_named_by_its_start() -> None:
    parsed = parse_region_data(recorded_rows("eia_region_data.json"), NEW_YORK, now=NOW)
    values = dict(parsed.readings.select("time", "value").iter_rows())
    assert values[datetime(2019, 7, 20, 19, tzinfo=UTC)] == 30130.0  # EIA: 2019-07-20T20, text
    assert values[datetime(2019, 7, 20, 21, tzinfo=UTC)] == 30396.0  # EIA: 2019-07-20T22, a number


def test_a_gap_stays_a_gap_and_an_hour_not_published_yet_is_no_row() -> None:
    parsed = parse_region_data(recorded_rows("eia_region_data.json"), NEW_YORK, now=NOW)
    values = dict(parsed.readings.select("time", "value").iter_rows())
    assert values[datetime(2019, 7, 20, 20, tzinfo=UTC)] is None
    assert datetime(2019, 7, 20, 22, tzinfo=UTC) not in values


def test_a_zero_is_kept_raw() -> None:
    parsed = parse_region_data(recorded_rows("eia_region_data.json"), NEW_YORK, now=NOW)
    assert 0.0 in parsed.readings["value"].to_list()


def test_demand_is_known_two_hours_after_its_hour_ended() -> None:
    parsed = parse_region_data(recorded_rows("eia_region_data.json"), NEW_YORK, now=NOW)
    late = (parsed.readings["published"] - parsed.readings["time"]).unique().to_list()
    assert late == [timedelta(hours=3)]


def test_the_operators_forecast_is_issued_at_seven_on_the_local_day_before() -> None:
    parsed = parse_region_data(recorded_rows("eia_region_data.json"), NEW_YORK, now=NOW)
    assert parsed.forecasts["issued_at"].unique().to_list() == [datetime(2019, 7, 19, 11, 5, tzinfo=UTC)]
    assert parsed.forecasts["value"].to_list() == [29323.0, 29871.0]  # a null is no forecast
    assert set(parsed.forecasts["model"]) == {"operator"}


def test_a_local_day_ends_at_local_midnight_for_the_forecasts_issue() -> None:
    row = {"respondent": "NYIS", "type": "DF", "value": "1", "value-units": "megawatthours"}
    last = {**row, "period": "2019-07-21T04"}  # 23:00 to 24:00 in New York
    first = {**row, "period": "2019-07-21T05"}
    parsed = parse_region_data([last, first], NEW_YORK, now=NOW)
    assert [f"{issued:%d}" for issued in parsed.forecasts["issued_at"]] == ["19", "20"]


def test_a_forecast_posted_early_belongs_to_the_last_hour_of_issue_that_passed() -> None:
    row = {"period": "2019-07-20T20", "respondent": "NYIS", "type": "DF", "value": "1", "value-units": "megawatthours"}
    early = [datetime(2019, 7, 19, hour, tzinfo=UTC) for hour in (9, 10)]
    issues = [parse_region_data([row], NEW_YORK, now=now).forecasts["issued_at"].item() for now in early]
    assert issues == [datetime(2019, 7, 18, 11, 5, tzinfo=UTC)] * 2


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"period": "yesterday", "value": "1"}, "time_is_readable"),
        ({"period": "2019-07-20T20", "value": "n/a"}, "value_is_a_number"),
        ({"period": "2019-07-20T20", "value": "NaN"}, "value_is_a_number"),
        ({"period": "2019-07-20T20", "value": "1", "value-units": None}, "unit_is_named"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_the_rule_it_broke(row: dict[str, str], rule: str) -> None:
    parsed = parse_region_data(
        [{"respondent": "NYIS", "type": "D", "value-units": "megawatthours", **row}], NEW_YORK, now=NOW
    )
    assert parsed.readings.is_empty()
    assert parsed.refused["rule"].to_list() == [rule]
    assert row["period"] in parsed.refused["row"].item()


def test_thousands_separators_are_read() -> None:
    row = {"period": "2019-07-20T20", "respondent": "NYIS", "type": "D", "value": "30,130", "value-units": "MWh"}
    assert parse_region_data([row], NEW_YORK, now=NOW).readings["value"].to_list() == [30130.0]


@pytest.mark.parametrize(
    "row", [{"period": "2019-07-20T20"}, "text", {"period": "2019-07-20T20", "respondent": "NYIS", "value": 1}]
)
def test_rows_of_another_shape_are_a_changed_payload(row: object) -> None:
    with pytest.raises(PayloadChanged):
        parse_region_data([row], NEW_YORK, now=NOW)


def test_another_unit_is_a_changed_payload() -> None:
    row = {"period": "2019-07-20T20", "respondent": "NYIS", "type": "D", "value": 30, "value-units": "gigawatthours"}
    with pytest.raises(PayloadChanged, match="gigawatthours"):
        parse_region_data([row], NEW_YORK, now=NOW)


def test_a_row_without_its_unit_column_is_a_changed_payload_and_no_guess() -> None:
    row = {"period": "2019-07-20T20", "respondent": "NYIS", "type": "D", "value": 30}
    with pytest.raises(PayloadChanged, match="value-units"):
        parse_region_data([row], NEW_YORK, now=NOW)


def test_demand_says_what_its_values_can_be() -> None:
    channels = {channel.id: channel for channel in Eia(NEW_YORK, client_to("http://127.0.0.1:1")).channels()}
    assert channels["grid.ny.demand"] == NEW_YORK.channel
    limits = channels["grid.ny.interchange"].limits
    assert limits == channels["grid.ny.net_generation"].limits
    assert (limits.low, limits.high) == (-720_000.0, 720_000.0)  # an exchange goes both ways, and may be large


def test_generation_by_fuel_in_a_wrong_unit_is_outside_of_what_can_be() -> None:
    channels = {channel.id: channel for channel in EiaFuelMix(NEW_YORK, client_to("http://127.0.0.1:1")).channels()}
    gas, storage = (channels[f"grid.ny.generation.{fuel}"].limits for fuel in ("gas", "pumped_storage"))
    assert (gas.low, gas.high) == (-3_600.0, 72_000.0)  # New York's gas makes 3,000 to 14,000 MWh
    assert (storage.low, storage.high) == (-72_000.0, 72_000.0)


@pytest.mark.parametrize(("code", "fuel", "made"), [("OVEC", "coal", 2_200.0), ("BPAT", "hydro", 16_500.0)])
def test_a_region_may_make_far_more_than_it_uses(code: str, fuel: str, made: float) -> None:
    limits = energy_channel(region(code), f"generation.{fuel}").limits
    assert limits.high is not None
    assert made < limits.high


def test_the_fuel_mix_goes_to_a_channel_per_source_and_a_new_code_to_its_own() -> None:
    parsed = parse_fuel_mix(recorded_rows("eia_fuel_type_data.json"), NEW_YORK)
    last = parsed.readings.filter(pl.col("time") == datetime(2022, 7, 10, 0, tzinfo=UTC))
    assert dict(last.select("channel", "value").iter_rows()) == {
        "grid.ny.generation.gas": 8827.0,
        "grid.ny.generation.pumped_storage": -5.0,  # charging
        "grid.ny.generation.h2_x": 3.0,
    }


def test_demand_and_forecast_come_over_http() -> None:
    with fake_eia(hours_of(DAY)) as server:
        delivery = Eia(NEW_YORK, client_to(server.base_url)).fetch(DAY, now=NOW)
    assert len(demand_of(delivery)) == delivery.forecasts.height == 24
    assert demand_of(delivery)[0] == (DAY.start, 20_000.0)
    assert demand_of(delivery)[-1] == (DAY.end - HOUR, 20_023.0)
    assert delivery.refused.is_empty()
    assert set(delivery.readings["quality"]) == {int(Quality.ASSUMED)}


def test_the_query_is_shifted_like_the_hours_and_names_its_series() -> None:
    with fake_eia(hours_of(DAY)) as server:
        Eia(NEW_YORK, client_to(server.base_url)).fetch(DAY, now=NOW)
        request = server.requests[0]
    assert (request.one("start"), request.one("end")) == ("2019-07-20T05", "2019-07-21T04")
    assert request.query["facets[type][]"] == ["D", "NG", "TI", "DF"]
    assert KEY not in request.target


def test_a_window_that_begins_within_an_hour_excludes_that_hour() -> None:
    with fake_eia(hours_of(DAY)) as server:
        window = Window(DAY.start + HOUR / 2, DAY.start + 2.5 * HOUR)
        delivery = Eia(NEW_YORK, client_to(server.base_url)).fetch(window, now=NOW)
    assert [time for time, _ in demand_of(delivery)] == [DAY.start + HOUR, DAY.start + 2 * HOUR]


@pytest.mark.parametrize("total_as_text", [True, False])
@pytest.mark.parametrize("warns_on_top", [True, False])
def test_pages_add_up(*, total_as_text: bool, warns_on_top: bool) -> None:
    window = Window(DAY.start, DAY.start + 40 * HOUR)
    with fake_eia(
        hours_of(window),
        most=7,
        values_as_text=not total_as_text,
        total_as_text=total_as_text,
        warns_on_top=warns_on_top,
    ) as server:
        delivery = Eia(NEW_YORK, client_to(server.base_url)).fetch(window, now=NOW)
        assert len(server.requests) == 12
    assert [value for _, value in demand_of(delivery)] == [20_000.0 + hour for hour in range(40)]
    assert delivery.forecasts.height == 40


def test_rows_of_another_respondent_are_left_out() -> None:
    rows = [
        *recorded_rows("eia_region_data.json"),
        {"period": "2019-07-20T20", "respondent": "NY", "type": "D", "value": 1, "value-units": "megawatthours"},
    ]
    assert 1.0 not in parse_region_data(rows, NEW_YORK, now=NOW).readings["value"].to_list()


@pytest.mark.parametrize("fault", [BAD_GATEWAY, CUT_SHORT, HANGS_UP, limited(), limited("0")])
def test_a_fault_in_the_middle_of_the_pages_is_healed(fault: object) -> None:
    with fake_eia(hours_of(DAY), most=20) as server:
        server.faults.extend([html(500), fault])  # type: ignore[list-item]  # parametrised
        delivery = Eia(NEW_YORK, client_to(server.base_url)).fetch(DAY, now=NOW)
    assert len(demand_of(delivery)) == 24


@pytest.mark.parametrize("key", ["", "   "])
def test_a_missing_key_says_where_to_register_and_how_to_do_without(key: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        eia.open_client(EiaOptions(api_key=SecretStr(key)))
    assert "https://www.eia.gov/opendata/register.php" in str(caught.value)
    assert "six-month files" in caught.value.remedy


def test_a_wrong_key_is_asked_once_and_never_shown() -> None:
    wrong = "0123456789abcdef0123456789abcdef"
    with fake_eia(hours_of(DAY)) as server:
        with pytest.raises(SourceRejected) as caught:
            Eia(NEW_YORK, client_to(server.base_url, wrong)).probe(now=NOW)
        assert len(server.requests) == 1
    assert "EIA_API_KEY" in str(caught.value)
    assert "https://www.eia.gov/opendata/register.php" in str(caught.value)
    assert wrong not in str(caught.value)  # though the server repeats it


def test_a_probe_with_the_right_key_says_nothing() -> None:
    with fake_eia(hours_of(DAY)) as server:
        Eia(NEW_YORK, client_to(server.base_url)).probe(now=NOW)
        EiaFuelMix(NEW_YORK, client_to(server.base_url)).probe(now=NOW)
        assert all(request.one("length") == "1" for request in server.requests)


def test_a_region_eia_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="EIA does not know it"):
        Eia(contexts()[0], client_to("http://127.0.0.1:1")).fetch(DAY, now=NOW)


@pytest.mark.parametrize(
    "body", [{"response": {}}, {}, [], {"response": {"data": [], "total": "many"}}, {"response": []}]
)
def test_an_answer_of_another_shape_is_a_changed_payload(body: object) -> None:
    with pytest.raises(PayloadChanged):
        eia._content(body, 0)


def test_an_error_with_a_good_status_is_still_an_error() -> None:
    with pytest.raises(SourceRejected, match="Invalid data"):
        eia._content({"error": "Invalid data", "code": 400}, 0)


def test_rows_that_were_promised_and_do_not_come_are_asked_another_time() -> None:
    with (
        fake_eia(hours_of(DAY), most=0) as server,
        pytest.raises(SourceUnavailable, match="announced 48 rows and sent 0"),
    ):
        Eia(NEW_YORK, client_to(server.base_url)).fetch(DAY, now=NOW)


def test_no_rows_are_an_empty_delivery() -> None:
    with fake_eia(hours_of(DAY).head(0)) as server:
        delivery = Eia(NEW_YORK, client_to(server.base_url)).fetch(DAY, now=NOW)
    assert delivery.readings.is_empty()
    assert delivery.forecasts.is_empty()


def test_live_rows_are_known_when_they_came() -> None:
    with fake_eia(hours_of(DAY)) as server:
        source = Eia(NEW_YORK, client_to(server.base_url))
        delivery = source.fetch(DAY, now=DAY.end + HOUR, watched_from=DAY.start + 12 * HOUR)
    demand = delivery.readings.filter(pl.col("channel") == "grid.ny.demand").sort("time")
    assert demand["available_at"].to_list()[:9] == [DAY.start + (hour + 3) * HOUR for hour in range(9)]
    assert set(demand["available_at"].to_list()[9:]) == {DAY.end + HOUR}
    assert demand["quality"].to_list() == [int(Quality.ASSUMED)] * 9 + [0] * 15


def test_demand_of_an_hour_that_has_not_begun_is_refused() -> None:
    with fake_eia(hours_of(DAY)) as server:
        source = Eia(NEW_YORK, client_to(server.base_url))
        delivery = source.fetch(DAY, now=DAY.start + 20 * HOUR)
    assert len(demand_of(delivery)) == 21
    assert delivery.refused["rule"].to_list() == ["known_only_after_it_began"] * 3


def test_a_new_energy_source_has_a_channel_once_it_was_met() -> None:
    rows = pl.DataFrame(recorded_rows("eia_fuel_type_data.json"), strict=False).select(
        pl.concat_str("period", pl.lit(":00")).str.to_datetime("%Y-%m-%dT%H:%M", time_zone="UTC").alias("period"),
        "respondent",
        pl.col("fueltype").alias("code"),
        pl.col("value").cast(pl.Float64),
    )
    window = Window(datetime(2022, 7, 9, 23, tzinfo=UTC), datetime(2022, 7, 10, 1, tzinfo=UTC))
    with fake_eia(hours_of(DAY), fuel_rows=rows) as server:
        source = EiaFuelMix(NEW_YORK, client_to(server.base_url))
        delivery = source.fetch(window, now=NOW)
    assert delivery.readings.height == 6
    assert set(delivery.readings["channel"]) <= {channel.id for channel in source.channels()}
    assert "grid.ny.generation.h2_x" in {channel.id for channel in source.channels()}


@pytest.mark.shared_data
def test_a_real_year_of_new_york_comes_over_http_as_it_was_published(shared_data: Path) -> None:
    table = pl.read_parquet(shared_data / "grid" / "ny_demand.parquet").filter(pl.col("period").dt.year() == 2019)
    year = Window(datetime(2018, 12, 31, 23, tzinfo=UTC), datetime(2019, 12, 31, 23, tzinfo=UTC))
    with fake_eia(eia_rows(table, "NYIS")) as server:
        delivery = Eia(NEW_YORK, client_to(server.base_url)).fetch(year, now=NOW)
        assert len(server.requests) == 4
    demand = delivery.readings.sort("time")
    expected = table.sort("period").with_columns(time=pl.col("period") - HOUR)
    assert demand["time"].to_list() == expected["time"].to_list()
    assert demand["value"].to_list() == expected["demand_mwh"].cast(pl.Float64).to_list()
    assert demand.filter(pl.col("value") == 0)["time"].to_list() == [datetime(2019, 4, 18, 3, tzinfo=UTC)]
    assert delivery.forecasts.height == table["day_ahead_forecast_mwh"].drop_nulls().len()
    zeros = flag_forecasts(delivery.forecasts, [NEW_YORK.channel]).filter(pl.col("value") == 0)
    assert ((zeros["quality"] & int(Quality.ZERO)) != 0).all()
