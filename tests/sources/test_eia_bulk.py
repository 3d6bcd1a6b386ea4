"""EIA's keyless six-month files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from fakes.files import fake_files
from fakes.regions import region

from watthour.core.errors import InvalidInput, PayloadChanged
from watthour.core.window import HOUR, Window
from watthour.sources import eia_bulk
from watthour.sources.eia_bulk import EiaBulk, EiaBulkOptions, file_names, parse_balance, respondents_in
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy

FILE = Path(__file__).parents[1] / "recorded" / "EIA930_BALANCE_2020_Jul_Dec.csv"
POWERSOUTH = region("AEC")
FIRST = datetime(2020, 7, 1, 5, tzinfo=UTC)  # the hour that ends at 6:00 UTC
NOW = datetime(2026, 11, 21, tzinfo=UTC)
# As EIA writes them since 2025; hydro, solar and wind were one column each before.
NEW_HEADER = (
    '"Balancing Authority","Data Date","Hour Number","Local Time at End of Hour","UTC Time at End of Hour",'
    '"Demand Forecast (MW)","Demand (MW)","Net Generation (MW)","Total Interchange (MW)","Sum(Valid DIBAs) (MW)",'
    '"Demand (MW) (Imputed)","Demand (MW) (Adjusted)",'
    '"Net Generation (MW) from Hydropower Excluding Pumped Storage","Net Generation (MW) from Pumped Storage",'
    '"Net Generation (MW) from Solar without Integrated Battery Storage",'
    '"Net Generation (MW) from Solar with Integrated Battery Storage",'
    '"Net Generation (MW) from Solar witho Integrated Battery Storage (Adjusted)",'
    '"Net Generation (MW) from Wind without Integrated Battery Storage","Net Generation (MW) from Battery Storage",'
    '"Net Generation (MW) from Tides","Region"\n'
)


def client_to(base_url: str, retry: RetryPolicy | None = None) -> HttpClient:
    return eia_bulk.open_client(EiaBulkOptions(url=base_url), rate_limit=RateLimit(1e9), retry=retry)


def new_file(*rows: str) -> bytes:
    return (NEW_HEADER + "".join(row + "\n" for row in rows)).encode()


def values(readings: pl.DataFrame, series: str) -> dict[datetime, float | None]:
    return dict(readings.filter(pl.col("channel") == f"grid.aec.{series}").select("time", "value").iter_rows())


def test_an_hour_is_named_by_its_start() -> None:
    demand = values(parse_balance(FILE, POWERSOUTH, now=NOW).readings, "demand")
    assert demand[FIRST] == 497.0
    assert demand[FIRST + 8 * HOUR] == 569.0  # 2:00:00 PM


def test_a_gap_stays_a_gap_though_eia_has_filled_it() -> None:
    assert values(parse_balance(FILE, POWERSOUTH, now=NOW).readings, "demand")[FIRST + HOUR] is None


def test_thousands_separators_are_read() -> None:
    forecasts = parse_balance(FILE, POWERSOUTH, now=NOW).forecasts
    assert forecasts["value"].to_list() == [1060.0, 990.0, 1170.0]
    assert forecasts["issued_at"].unique().to_list() == [datetime(2020, 6, 30, 12, 5, tzinfo=UTC)]  # 07:05 Central


def test_each_source_of_energy_has_its_channel() -> None:
    readings = parse_balance(FILE, POWERSOUTH, now=NOW).readings
    at_first = dict(readings.filter(pl.col("time") == FIRST).select("channel", "value").iter_rows())
    assert at_first == {
        "grid.aec.demand": 497.0,
        "grid.aec.net_generation": 681.0,
        "grid.aec.interchange": 184.0,
        "grid.aec.generation.coal": 139.0,
        "grid.aec.generation.gas": 536.0,
        "grid.aec.generation.hydro": 1.0,
        "grid.aec.generation.other": 5.0,
    }


def test_the_headers_of_2025_are_read_as_well() -> None:
    row = (
        "AEC,07/01/2025,1,07/01/2025 1:00:00 AM,07/01/2025 6:00:00 AM,500,497,681,184,184,1,2,10,-3,20,21,99,30,-4,7,SE"
    )
    readings = parse_balance(new_file(row), POWERSOUTH, now=NOW).readings
    mix = {
        channel.removeprefix("grid.aec.generation."): value
        for channel, value in readings.select("channel", "value").iter_rows()
    }
    assert {name: mix[name] for name in mix if not name.startswith("grid.")} == {
        "hydro": 10.0,
        "pumped_storage": -3.0,
        "solar": 20.0,
        "solar_with_battery": 21.0,
        "wind": 30.0,
        "battery": -4.0,
        "tides": 7.0,
    }


@pytest.mark.parametrize(
    "said",
    ["07/01/2025 6:00:00 AM", "7/1/2025 6:00", "07/01/2025 06:00:00", "2025-07-01 06:00:00", "2025-07-01T06:00:00"],
)
def test_times_are_read_however_the_file_writes_them(said: str) -> None:
    content = new_file(f"AEC,07/01/2025,1,,{said},500,497" + "," * 14)
    assert parse_balance(content, POWERSOUTH, now=NOW).readings["time"].to_list() == [
        datetime(2025, 7, 1, 5, tzinfo=UTC)
    ]


def test_a_file_with_unreadable_times_is_a_changed_payload() -> None:
    with pytest.raises(PayloadChanged, match="yesterday"):
        parse_balance(new_file("AEC,07/01/2025,1,,yesterday,500,497" + "," * 14), POWERSOUTH, now=NOW)


def test_rows_that_cannot_be_read_are_refused_with_the_rule_they_broke() -> None:
    good = "AEC,07/01/2025,1,,07/01/2025 6:00:00 AM,500,abc" + "," * 14
    late = "AEC,07/01/2025,2,,soon,,498" + "," * 14
    parsed = parse_balance(new_file(good, late), POWERSOUTH, now=NOW)
    by_channel = dict(parsed.refused.select("channel", "rule").iter_rows())
    assert by_channel["grid.aec.demand"] == "time_is_readable"
    assert ("grid.aec.demand", "value_is_a_number") in set(parsed.refused.select("channel", "rule").iter_rows())
    assert '"value":"abc"' in "".join(parsed.refused["row"])


def test_a_file_names_its_regions() -> None:
    assert respondents_in(FILE) == ["AEC", "TIDC"]


def test_only_the_regions_own_rows_are_taken() -> None:
    assert set(parse_balance(FILE, region("TIDC"), now=NOW).readings["time"]) == {FIRST + 2 * HOUR}


@pytest.mark.parametrize("content", [b"", b"time,value\n1,2\n", b"\x00\xff\xfe"])
def test_something_else_is_no_six_month_file(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="EIA930_BALANCE"):
        parse_balance(content, POWERSOUTH, now=NOW)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"EIA930_BALANCE_2020_Jan_Jun\.csv"):
        EiaBulk(POWERSOUTH, paths=(tmp_path / "EIA930_BALANCE_2020_Jan_Jun.csv",)).span()


def test_local_files_tell_their_span() -> None:
    assert EiaBulk(POWERSOUTH, paths=(FILE,)).span() == Window(FIRST, FIRST + 9 * HOUR)


def test_a_region_the_files_do_not_hold_is_said() -> None:
    with pytest.raises(InvalidInput, match="no row is of NYIS"):
        EiaBulk(region("ny"), paths=(FILE,)).span()


def test_local_files_are_a_source() -> None:
    source = EiaBulk(POWERSOUTH, paths=(FILE, FILE))
    delivery = source.fetch(source.span(), now=NOW)
    assert delivery.readings.filter(pl.col("channel") == "grid.aec.demand").height == 3
    assert delivery.forecasts.height == 3
    assert delivery.refused.is_empty()


def test_a_window_excludes_its_end() -> None:
    delivery = EiaBulk(POWERSOUTH, paths=(FILE,)).fetch(Window(FIRST + HOUR, FIRST + 8 * HOUR), now=NOW)
    assert set(delivery.readings["time"]) == {FIRST + HOUR}


def test_a_window_names_the_files_that_hold_it() -> None:
    window = Window(datetime(2015, 1, 1, tzinfo=UTC), datetime(2016, 7, 1, 6, tzinfo=UTC))
    assert file_names(window, "America/Chicago") == [
        "EIA930_BALANCE_2015_Jul_Dec.csv",
        "EIA930_BALANCE_2016_Jan_Jun.csv",
        "EIA930_BALANCE_2016_Jul_Dec.csv",
    ]


def test_files_are_downloaded_once_for_all_pieces_of_a_backfill() -> None:
    with fake_files({FILE.name: FILE.read_bytes()}) as server:
        source = EiaBulk(POWERSOUTH, client=client_to(server.base_url))
        for start in (FIRST, FIRST + HOUR):
            assert source.fetch(Window(start, start + HOUR), now=NOW).readings.height == 7
        assert [request.path for request in server.requests] == [f"/{FILE.name}"]
        source.fetch(Window(FIRST, FIRST + HOUR), now=NOW + HOUR)
        assert len(server.requests) == 2


def test_a_half_year_that_is_not_offered_yet_is_no_fault_and_an_old_one_is() -> None:
    with fake_files({}) as server:
        client = client_to(server.base_url, RetryPolicy(attempts=1))
        source = EiaBulk(POWERSOUTH, client=client)
        assert source.fetch(Window(NOW - HOUR, NOW), now=NOW).readings.is_empty()
        with pytest.raises(PayloadChanged, match=r"EIA930_BALANCE_2020_Jul_Dec\.csv is not offered"):
            source.fetch(Window(FIRST, FIRST + HOUR), now=NOW)
        with pytest.raises(PayloadChanged):
            source.probe(now=NOW)


def test_a_new_source_of_energy_has_a_channel_once_it_was_met() -> None:
    row = "AEC,07/01/2025,1,,07/01/2025 6:00:00 AM,500,497,681,184,184,1,2,10,-3,20,21,99,30,-4,7,SE"
    with fake_files({"EIA930_BALANCE_2025_Jul_Dec.csv": new_file(row)}) as server:
        source = EiaBulk(POWERSOUTH, client=client_to(server.base_url))
        start = datetime(2025, 7, 1, 5, tzinfo=UTC)
        delivery = source.fetch(Window(start, start + HOUR), now=NOW)
    assert "grid.aec.generation.tides" in set(delivery.readings["channel"])
    assert set(delivery.readings["channel"]) <= {channel.id for channel in source.channels()}


@pytest.mark.shared_data
def test_eias_own_sample_is_read(shared_data: Path) -> None:
    sample = shared_data / "grid" / "fixtures" / "eia_v2" / "eia930_balance_sample.csv"
    source = EiaBulk(POWERSOUTH, paths=(sample,))
    delivery = source.fetch(source.span(), now=NOW)
    assert values(delivery.readings, "demand")[FIRST + 8 * HOUR] == 569.0
    assert len(values(delivery.readings, "demand")) == 9
    assert delivery.refused.is_empty()
