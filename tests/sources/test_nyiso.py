"""NYISO's own day-ahead forecasts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest
from fakes.files import fake_files
from fakes.regions import region

from watthour.core.errors import PayloadChanged
from watthour.core.window import HOUR, Window, local_day
from watthour.sources import nyiso
from watthour.sources.http import RateLimit
from watthour.sources.nyiso import Nyiso, NyisoOptions, parse_isolf
from watthour.sources.nyiso_files import TIME_ZONE

FILE = Path(__file__).parents[1] / "recorded" / "nyiso_isolf_20250219.csv"
DAY = date(2025, 2, 19)
NEW_YORK = region("NYIS")
NOW = datetime(2025, 2, 18, 15, tzinfo=UTC)
POSTED = datetime(2025, 2, 18, 12, 55, tzinfo=UTC)  # 07:55 in New York


def source_at(base_url: str) -> Nyiso:
    return Nyiso(NEW_YORK, nyiso.open_client(NyisoOptions(url=base_url), rate_limit=RateLimit(1e9)))


def file_of(*hours: str) -> str:
    """A file whose total counts its rows from 1000 on."""
    rows = [f'"{hour}",10,{1000 + number}' for number, hour in enumerate(hours)]
    return "\n".join(['"Time Stamp","West","NYISO"', *rows])


def total(forecasts: pl.DataFrame) -> dict[datetime, float]:
    return dict(forecasts.filter(pl.col("channel") == "grid.ny.demand").select("time", "value").iter_rows())


def test_an_hour_is_named_by_its_local_beginning() -> None:
    forecasts, refused = parse_isolf(FILE.read_text(), DAY, NEW_YORK, now=NOW)
    assert total(forecasts) == {
        datetime(2025, 2, 19, 5, tzinfo=UTC): 18054.0,
        datetime(2025, 2, 19, 6, tzinfo=UTC): 17636.0,
        datetime(2025, 2, 25, 4, tzinfo=UTC): 16465.0,
    }
    assert refused.is_empty()


def test_every_zone_has_its_channel() -> None:
    forecasts, _ = parse_isolf(FILE.read_text(), DAY, NEW_YORK, now=NOW)
    first = dict(forecasts.filter(pl.col("time") == forecasts["time"].min()).select("channel", "value").iter_rows())
    assert first["grid.ny.demand.zone_j"] == 5527.0  # New York City
    assert first["grid.ny.demand.zone_k"] == 2257.0  # Long Island
    assert len(first) == 12
    zones = sum(value for channel, value in first.items() if "zone" in channel)
    assert zones == pytest.approx(first["grid.ny.demand"], abs=3)


def test_the_file_of_a_day_is_issued_the_morning_before() -> None:
    forecasts, _ = parse_isolf(FILE.read_text(), DAY, NEW_YORK, now=NOW)
    assert set(forecasts["issued_at"]) == {POSTED}
    assert set(forecasts["model"]) == {"operator"}


def test_a_file_that_is_here_earlier_is_issued_in_the_hour_it_was_seen() -> None:
    forecasts, _ = parse_isolf(FILE.read_text(), DAY, NEW_YORK, now=datetime(2025, 2, 18, 12, 40, tzinfo=UTC))
    assert set(forecasts["issued_at"]) == {datetime(2025, 2, 18, 12, tzinfo=UTC)}


def test_the_autumn_hour_that_comes_twice_is_told_apart_by_its_order() -> None:
    text = file_of("11/02/2025 00:00", "11/02/2025 01:00", "11/02/2025 01:00", "11/02/2025 02:00")
    forecasts, refused = parse_isolf(text, date(2025, 11, 2), NEW_YORK, now=NOW)
    assert total(forecasts) == {datetime(2025, 11, 2, 4 + hour, tzinfo=UTC): 1000.0 + hour for hour in range(4)}
    assert refused.is_empty()


def test_the_autumn_hour_that_comes_once_leaves_a_gap() -> None:
    text = file_of("11/02/2025 00:00", "11/02/2025 01:00", "11/02/2025 02:00")
    forecasts, _ = parse_isolf(text, date(2025, 11, 2), NEW_YORK, now=NOW)
    assert [f"{time:%H}" for time in total(forecasts)] == ["04", "05", "07"]


def test_the_spring_hour_that_the_clock_skips_is_refused() -> None:
    text = file_of("03/09/2025 01:00", "03/09/2025 02:00", "03/09/2025 03:00")
    forecasts, refused = parse_isolf(text, date(2025, 3, 9), NEW_YORK, now=NOW)
    assert [f"{time:%H}" for time in total(forecasts)] == ["06", "07"]
    assert set(refused["rule"]) == {"time_exists"}


def test_what_cannot_be_read_is_refused_and_an_empty_cell_is_no_forecast() -> None:
    text = file_of("soon", "02/19/2025 01:00") + '\n"02/19/2025 02:00",n/a,'
    forecasts, refused = parse_isolf(text, DAY, NEW_YORK, now=NOW)
    assert list(total(forecasts).values()) == [1001.0]
    assert sorted(refused["rule"]) == ["time_is_readable", "time_is_readable", "value_is_a_number"]


def test_a_file_without_hours_brings_nothing() -> None:
    forecasts, refused = parse_isolf(file_of(), DAY, NEW_YORK, now=NOW)
    assert forecasts.is_empty()
    assert refused.is_empty()


@pytest.mark.parametrize(
    "text", ["", "<html><body>Not found</body></html>", '"Time Stamp","West"\n"02/19/2025 00:00",5\n']
)
def test_a_file_with_other_columns_is_a_changed_payload(text: str) -> None:
    with pytest.raises(PayloadChanged, match="2025-02-19"):
        parse_isolf(text, DAY, NEW_YORK, now=NOW)


def test_the_forecast_of_tomorrow_comes_over_http() -> None:
    with fake_files({"20250219isolf.csv": FILE.read_bytes()}) as server:
        source = source_at(server.base_url)
        delivery = source.fetch(local_day(DAY, TIME_ZONE), now=NOW, watched_from=NOW - timedelta(days=9))
        source.probe(now=NOW)
    assert total(delivery.forecasts) == {
        datetime(2025, 2, 19, 5, tzinfo=UTC): 18054.0,
        datetime(2025, 2, 19, 6, tzinfo=UTC): 17636.0,
    }
    assert set(delivery.forecasts["available_at"]) == {NOW}
    assert {channel.id for channel in source.channels()} == set(delivery.forecasts["channel"])


def test_a_file_that_is_not_posted_yet_is_no_fault() -> None:
    with fake_files({}) as server:
        source = source_at(server.base_url)
        assert source.fetch(local_day(DAY, TIME_ZONE), now=NOW).forecasts.is_empty()


def test_a_week_without_any_file_is_a_changed_payload() -> None:
    with fake_files({}) as server:
        source = source_at(server.base_url)
        with pytest.raises(PayloadChanged, match="none of 6 days"):
            source.fetch(Window(NOW - timedelta(days=5), NOW), now=NOW)


def test_files_further_ahead_than_tomorrow_are_not_asked_for() -> None:
    with fake_files({}) as server:
        source = source_at(server.base_url)
        source.fetch(Window(NOW, NOW + timedelta(days=6)), now=NOW)
        assert [request.path for request in server.requests] == ["/20250218isolf.csv", "/20250219isolf.csv"]


def test_older_days_come_from_the_months_archive_asked_for_once() -> None:
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("20250219isolf.csv", FILE.read_text())
        archive.writestr("20250220isolf.csv", file_of("02/20/2025 00:00"))
    with fake_files({"20250201isolf_csv.zip": packed.getvalue()}) as server:
        source = source_at(server.base_url)
        now = datetime(2026, 11, 21, tzinfo=UTC)
        window = Window(local_day(DAY, TIME_ZONE).start, local_day(date(2025, 2, 20), TIME_ZONE).end)
        delivery = source.fetch(window, now=now)
        source.fetch(Window(window.start, window.start + HOUR), now=now)
        assert [request.path for request in server.requests] == ["/20250201isolf_csv.zip"]
    assert len(total(delivery.forecasts)) == 3
    assert set(delivery.forecasts["issued_at"]) == {POSTED, POSTED + timedelta(days=1)}


def test_an_archive_that_is_none_is_a_changed_payload() -> None:
    with fake_files({"20250201isolf_csv.zip": b"<html></html>"}) as server:
        source = source_at(server.base_url)
        with pytest.raises(PayloadChanged, match="not a ZIP"):
            source.fetch(local_day(DAY, TIME_ZONE), now=datetime(2026, 11, 21, tzinfo=UTC))


@pytest.mark.shared_data
def test_nyisos_own_file_is_read(shared_data: Path) -> None:
    text = (shared_data / "grid" / "fixtures" / "nyiso" / "20250219isolf.csv").read_text()
    forecasts, refused = parse_isolf(text, DAY, NEW_YORK, now=NOW)
    assert forecasts.height == 6 * 24 * 12
    assert refused.is_empty()
