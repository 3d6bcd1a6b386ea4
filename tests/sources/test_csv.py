from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.frames import Quality, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR, Window
from watthour.sources.csv import CsvSource, Mapping, parse_table, read_table, step_of
from watthour.sources.delivery import deliver
from watthour.sources.tables.cells import cells_of
from watthour.sources.tables.understand import understand

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.ports import Delivery

NOW = datetime(2024, 12, 1, tzinfo=UTC)
LOAD = Channel("grid.test.demand", "test", Quantity.ENERGY, Unit.MWH, HOUR)
EVER = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
NEW_YORK = Mapping(unit=Unit.MWH, time_zone="America/New_York")


def parse(times: list[str], values: list[str], mapping: Mapping = NEW_YORK, channel: Channel = LOAD) -> Delivery:
    readings, refused = parse_table(pl.DataFrame({"time": times, "value": values}), channel, mapping)
    return deliver("csv:test", EVER, readings=readings, refused=refused, now=NOW, watched_from=None, schema=Readings)


def step(times: list[str]) -> timedelta | None:
    return step_of(understand(cells_of(pl.DataFrame({"time": times, "value": ["1"] * len(times)})), NEW_YORK.hints))


def hours(delivery: Delivery) -> list[int]:
    return [time.hour for time in delivery.readings["time"].to_list()]


def test_local_times_become_utc() -> None:
    delivery = parse(["2024-07-01 00:00", "2024-07-01 01:00"], ["10", "11"])
    assert hours(delivery) == [4, 5]
    assert delivery.readings["value"].to_list() == [10.0, 11.0]


def test_times_without_a_zone_are_an_error_that_names_the_option() -> None:
    with pytest.raises(InvalidInput, match="--time-zone") as caught:
        parse(["2024-07-01 00:00"], ["10"], Mapping(unit=Unit.MWH))
    assert caught.value.field == "time_zone"


@pytest.mark.parametrize(
    "text", ["2024-07-01T04:00:00Z", "2024-07-01T00:00:00-04:00", "2024-07-01 00:00-04:00", "2024-07-01T04Z"]
)
def test_times_with_an_offset_need_no_zone(text: str) -> None:
    assert hours(parse([text], ["10"], Mapping(unit=Unit.MWH))) == [4]


def test_the_autumn_hour_comes_twice() -> None:
    delivery = parse(["2024-11-03 00:00", "2024-11-03 01:00", "2024-11-03 01:00", "2024-11-03 02:00"], list("1234"))
    assert hours(delivery) == [4, 5, 6, 7]
    assert delivery.readings["value"].to_list() == [1.0, 2.0, 3.0, 4.0]
    assert delivery.refused.is_empty()


def test_the_autumn_hour_comes_twice_in_a_file_that_is_newest_first() -> None:
    delivery = parse(["2024-11-03 02:00", "2024-11-03 01:00", "2024-11-03 01:00", "2024-11-03 00:00"], list("4321"))
    assert hours(delivery) == [4, 5, 6, 7]
    assert delivery.readings["value"].to_list() == [1.0, 2.0, 3.0, 4.0]
    assert delivery.refused.is_empty()


def test_a_local_time_the_spring_clock_skips_is_refused() -> None:
    delivery = parse(["2024-03-10 01:00", "2024-03-10 02:00", "2024-03-10 03:00"], list("123"))
    assert hours(delivery) == [6, 7]
    assert delivery.refused["rule"].to_list() == ["time_exists"]
    assert '"2024-03-10 02:00"' in delivery.refused["row"][0]


def test_duplicate_and_backward_times_are_refused_and_kept_with_their_rule() -> None:
    times = ["2024-07-01 00:00", "2024-07-01 01:00", "2024-07-01 01:00", "2024-07-01 02:00", "2024-06-30 23:00"]
    delivery = parse(times, list("12345"))
    assert delivery.readings["value"].to_list() == [1.0, 2.0, 4.0]
    assert delivery.refused["rule"].to_list() == ["time_is_unique", "time_goes_forward"]


def test_text_in_a_value_is_refused_and_a_gap_stays_a_gap() -> None:
    times = [f"2024-07-01 0{hour}:00" for hour in range(5)]
    delivery = parse(times, ["1", "about ten", "", "NA", "inf"])
    assert delivery.readings["value"].to_list() == [1.0, None, None]
    assert delivery.refused["rule"].to_list() == ["value_is_a_number", "value_is_a_number"]


def test_an_unreadable_time_is_refused() -> None:
    delivery = parse(["2024-07-01 00:00", "yesterday"], ["1", "2"])
    assert delivery.refused["rule"].to_list() == ["time_is_readable"]


def test_a_time_that_names_the_end_is_shifted_once() -> None:
    mapping = Mapping(unit=Unit.MWH, time_zone="UTC", named_by="end")
    assert hours(parse(["2024-07-01 01:00"], ["10"], mapping)) == [0]


def test_power_becomes_the_energy_of_its_interval() -> None:
    channel = Channel("home.main.energy", "home", Quantity.ENERGY, Unit.KWH, timedelta(minutes=30))
    mapping = Mapping(unit=Unit.KW, time_zone="UTC")
    assert parse(["2024-07-01 00:00"], ["3"], mapping, channel).readings["value"].to_list() == [1.5]


def test_a_unit_that_measures_something_else_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="measure different things"):
        parse(["2024-07-01 00:00"], ["10"], Mapping(unit=Unit.CELSIUS, time_zone="UTC"))


def test_backfilled_rows_are_assumed_known_after_their_interval() -> None:
    mapping = Mapping(unit=Unit.MWH, time_zone="UTC", published_after=timedelta(hours=2))
    row = parse(["2024-07-01 00:00"], ["10"], mapping).readings.row(0, named=True)
    assert row["available_at"] == datetime(2024, 7, 1, 3, tzinfo=UTC)
    assert row["quality"] == Quality.ASSUMED


def test_columns_without_a_usual_name_must_be_named() -> None:
    table = pl.DataFrame({"when": ["2024-07-01 00:00"], "noted": ["2024-07-02 00:00"], "here": ["1"], "there": ["2"]})
    with pytest.raises(InvalidInput, match=r"--time-column.*when, noted"):
        parse_table(table, LOAD, NEW_YORK)
    with pytest.raises(InvalidInput, match=r"--value-column.*here, there"):
        parse_table(table, LOAD, Mapping(Unit.MWH, "when", time_zone="America/New_York"))
    mapping = Mapping(Unit.MWH, "when", "there", "America/New_York")
    assert parse_table(table, LOAD, mapping)[0]["value"].to_list() == [2.0]


def test_an_unknown_zone_or_column_is_named() -> None:
    with pytest.raises(InvalidInput, match="IANA"):
        parse(["2024-07-01 00:00"], ["1"], Mapping(Unit.MWH, time_zone="New York"))
    with pytest.raises(InvalidInput, match="no such column"):
        parse(["2024-07-01 00:00"], ["1"], Mapping(Unit.MWH, value_column="power", time_zone="UTC"))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_becomes_the_readings_of_a_window(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"load.{suffix}"
    table = pl.DataFrame({"time": [datetime(2024, 7, 1, hour) for hour in range(4)], "value": [1.0, 2.0, None, 4.0]})  # noqa: DTZ001 - naive on purpose
    table.write_csv(path) if suffix == "csv" else table.write_parquet(path)
    site = Site("test", "Test", SiteKind.REGION, Place("UTC"))
    source = CsvSource(path, site, LOAD, Mapping(unit=Unit.MWH, time_zone="UTC"))
    window = Window(datetime(2024, 7, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, 4, tzinfo=UTC))
    assert source.fetch(window, now=NOW).readings["value"].to_list() == [2.0, None, 4.0]


def test_a_file_that_is_missing_or_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        read_table(tmp_path / "absent.csv", NEW_YORK)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"not parquet")
    with pytest.raises(InvalidInput, match="lines have only one column"):
        read_table(broken, NEW_YORK)


def test_energy_becomes_the_mean_power_of_its_interval() -> None:
    channel = Channel("home.main.power", "main", Quantity.POWER, Unit.KW, timedelta(minutes=15))
    mapping = Mapping(unit=Unit.KWH, time_zone="UTC")
    assert parse(["2024-07-01 00:00"], ["0.5"], mapping, channel).readings["value"].to_list() == [2.0]


def test_the_step_of_a_table_is_the_one_most_rows_keep() -> None:
    times = ["2024-07-01 00:00", "2024-07-01 00:15", "2024-07-01 00:30", "2024-07-01 02:00", "2024-07-01 02:15"]
    assert step(times) == timedelta(minutes=15)
    assert step(times[:2]) is None
    with pytest.raises(InvalidInput, match="divides a day"):
        step([f"2024-07-01 00:{minute:02}" for minute in (0, 7, 14, 21)])


def test_a_value_that_is_known_before_its_interval_may_come_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("time,value\n2024-12-02T00:00Z,5\n")
    source = CsvSource(path, Site("test", "Test", SiteKind.REGION, Place("UTC")), LOAD, Mapping(unit=Unit.MWH))
    assert source.fetch(EVER, now=NOW).readings["value"].to_list() == [5.0]
