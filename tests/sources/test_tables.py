"""Ordinary files of any place: every layout of one series says the same, and what is open is asked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from layouts import NARROW, NO_BREAK, Layout, local_hours, write

from watthour.core.channel import Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.place import Place
from watthour.core.units import Unit
from watthour.core.window import HOUR
from watthour.grid.regions import Regions
from watthour.sources.connectors import ConnectorSites
from watthour.sources.csv import Mapping, read_table
from watthour.sources.files import file_sources, preview
from watthour.sources.table_channels import Known
from watthour.sources.table_options import TableOptions
from watthour.sources.tables import cells

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.sources.previews import Preview

BRUSSELS = "Europe/Brussels"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
DIRECTORIES = (Regions(), ConnectorSites())
MINE = TableOptions(channel="grid.mine.demand", time_zone=BRUSSELS)


def find(name: str) -> Context | None:
    return next((found for each in DIRECTORIES if (found := each.find(name)) is not None), None)


KNOWN = Known(find)


def series(n_rows: int, step: timedelta = HOUR, start: datetime | None = None) -> tuple[list[datetime], list[float]]:
    start = start or datetime(2021, 1, 1, tzinfo=UTC) - HOUR
    return local_hours(start, n_rows, step, BRUSSELS), [
        round(9000 + 1000 * ((n * 7) % 24) / 24 + n * 0.37, 2) for n in range(n_rows)
    ]


def brought(path: Path, options: TableOptions = MINE) -> Delivery:
    ((source, window),) = file_sources(path, None, options, KNOWN)
    return source.fetch(window, now=NOW)


def seen(path: Path, options: TableOptions = MINE) -> Preview:
    found = preview(path, None, options, KNOWN)
    assert found is not None
    return found


def said(path: Path, options: TableOptions = MINE) -> tuple[list[datetime], list[float | None]]:
    delivery = brought(path, options)
    assert delivery.refused.is_empty(), delivery.refused
    return delivery.readings["time"].to_list(), delivery.readings["value"].to_list()


def text(tmp_path: Path, words: str, name: str = "table.csv") -> Path:
    path = tmp_path / name
    path.write_text(words, encoding="utf-8")
    return path


LAYOUTS = {
    "US spreadsheet": Layout(date="%m/%d/%Y", clock="%I:%M %p", thousands=","),
    "French": Layout(";", ",", NARROW, date="%d/%m/%Y", columns="two", encoding="utf-8-sig"),
    "German": Layout(";", ",", ".", date="%d.%m.%Y", above=("Netzlast 2021", ""), below=("Summe;;123",)),
    "ENTSO-E": Layout(",", date="%d.%m.%Y", columns="interval"),
    "Excel Unicode text": Layout("\t", ",", NO_BREAK, date="%d-%m-%Y", encoding="utf-16", line_end="\r\n"),
    "Swiss": Layout(";", ".", "\u2019", date="%d.%m.%y"),
    "hours 1 to 24": Layout(date="%m/%d/%Y", columns="hour_ending"),
    "a day per row": Layout(date="%d/%m/%Y", columns="wide"),
    "newest first": Layout("|", newest_first=True),
    "no header": Layout(header=False, date="%Y/%m/%d"),
    "month names": Layout(";", ",", date="%d %b %Y", clock="%H:%M:%S"),
    "compact": Layout("\t", date="%Y%m%d", clock="%H%M"),
    "sep line": Layout(";", above=("sep=;",), line_end="\r\n"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_says_the_same_to_the_last_digit(tmp_path: Path, name: str) -> None:
    times, values = series(24 * 40)
    path = write(tmp_path / "load.csv", LAYOUTS[name], times, values, HOUR)
    found = said(path, TableOptions(channel="grid.mine.demand", time_zone=BRUSSELS, unit="MW"))
    assert found == ([time.astimezone(UTC) for time in times], values)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    layout=st.builds(
        Layout,
        separator=st.sampled_from([",", ";", "\t", "|"]),
        decimal=st.sampled_from([".", ","]),
        thousands=st.sampled_from(["", ",", ".", " ", "'", NARROW, NO_BREAK, "\u2019"]),
        date=st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m/%d/%y", "%d-%b-%Y", "%Y/%m/%d"]),
        clock=st.sampled_from(["%H:%M", "%I:%M %p", "%H:%M:%S", "%I:%M:%S %p"]),
        columns=st.sampled_from(["one", "two", "interval", "wide"]),
        above=st.sampled_from([(), ("Report",), ("Report of loads", "made by hand")]),
        encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
        newest_first=st.booleans(),
        line_end=st.sampled_from(["\n", "\r\n"]),
    ),
    first_day=st.integers(0, 700),
    step=st.sampled_from([HOUR, HOUR / 2, HOUR / 4]),
)
def test_any_combination_of_habits_is_read_alike(
    tmp_path: Path, layout: Layout, first_day: int, step: timedelta
) -> None:
    assume(layout.thousands != layout.decimal)
    start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=first_day)
    n_rows = int(timedelta(days=33) / step)
    naive = [start + n * step for n in range(n_rows)]
    values = [round(900 + (n * 7919 % 4001) / 3, 2) for n in range(n_rows)]
    path = write(tmp_path / "load.csv", layout, naive, values, step)
    options = TableOptions(channel="grid.mine.demand", time_zone="UTC", times_in="UTC", unit="MW")
    assert said(path, options) == (naive, values)


def test_two_columns_with_a_unit_in_the_header_need_no_option_but_place_and_clock(tmp_path: Path) -> None:
    times, values = series(48)
    path = write(tmp_path / "Load 2021.csv", Layout(date="%m/%d/%Y", clock="%I:%M %p"), times, values, HOUR)
    found = seen(path, TableOptions(date_order="mdy"))
    assert (found.unit, found.value_column, found.time_columns, found.step) == ("MW", "Load (MW)", ("Timestamp",), HOUR)
    assert [(question.field, question.choices) for question in found.questions] == [
        ("channel", ("grid.load_2021.demand",)),
        ("time_zone", ()),
    ]
    assert (found.n_rows, found.n_refused) == (48, 0)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Load (MW)", "MW"),
        ("Load [kWh]", "kWh"),
        ("Actual Total Load [MW] - BZN|BE", "MW"),
        ("power_w", "W"),
        ("Demand, GW", "GW"),
        ("Consumption kWh", "kWh"),
        ("Load", None),
    ],
)
def test_the_unit_is_read_off_the_header(tmp_path: Path, name: str, unit: str | None) -> None:
    rows = "".join(f'2021-01-01 {hour:02}:00,"{hour}"\n' for hour in range(24))
    found = seen(text(tmp_path, f'time,"{name}"\n{rows}'), TableOptions(channel="home.me.power", time_zone="UTC"))
    assert found.unit == unit
    assert ("unit" in {question.field for question in found.questions}) is (unit is None)


def test_gigawatts_come_in_as_megawatts(tmp_path: Path) -> None:
    path = text(tmp_path, "time,Load (GW)\n" + "".join(f"2021-01-01T{hour:02}:00Z,9.5\n" for hour in range(24)))
    assert set(said(path)[1]) == {9500.0}


def test_dates_that_fit_both_orders_are_asked_for_and_the_option_answers(tmp_path: Path) -> None:
    path = text(tmp_path, "time,Load (MW)\n" + "".join(f"01/02/2021 {hour:02}:00,5\n" for hour in range(24)))
    with pytest.raises(InvalidInput, match="--date-order") as caught:
        brought(path)
    assert caught.value.field == "date_order"
    assert said(path, TableOptions("grid.mine.demand", time_zone="UTC", date_order="dmy"))[0][0].month == 2
    assert said(path, TableOptions("grid.mine.demand", time_zone="UTC", date_order="mdy"))[0][0].month == 1


def test_dates_of_twelve_days_are_decided_by_the_even_steps_of_the_series(tmp_path: Path) -> None:
    for order, month in (("%d/%m/%Y", 3), ("%m/%d/%Y", 3)):
        times = [datetime(2021, 3, 1, tzinfo=UTC) + number * HOUR for number in range(24 * 12)]
        path = write(tmp_path / "load.csv", Layout(date=order), times, [5.0] * len(times), HOUR)
        assert {time.month for time in said(path, TableOptions("grid.mine.demand", time_zone="UTC"))[0]} == {month}


def test_three_digits_after_a_mark_are_asked_for_where_nothing_tells(tmp_path: Path) -> None:
    path = text(
        tmp_path, "time;Load (MW)\n" + "".join(f"2021-01-01 {hour:02}:00;9.{hour + 100}\n" for hour in range(24))
    )
    with pytest.raises(InvalidInput, match="--decimal") as caught:
        brought(path)
    assert caught.value.field == "decimal"
    options = TableOptions("grid.mine.demand", time_zone="UTC")
    assert said(path, replace(options, decimal="comma"))[1][0] == 9100.0
    assert said(path, replace(options, decimal="point"))[1][0] == 9.1


def test_a_day_that_ends_at_24_names_ends(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-0{day} {hour:02}:00,{hour}\n" for day in (1, 2) for hour in range(1, 25))
    times, values = said(text(tmp_path, "time,Load (MW)\n" + rows), TableOptions("grid.mine.demand", time_zone="UTC"))
    assert times[0] == datetime(2021, 1, 1, tzinfo=UTC)
    assert (len(times), values[:2]) == (48, [1.0, 2.0])


@pytest.mark.parametrize("kind", ["wall clock", "local time of the end"])
def test_hours_named_by_their_end_lose_none_at_the_autumn_change(tmp_path: Path, kind: str) -> None:
    times = local_hours(datetime(2021, 10, 30, 22, tzinfo=UTC), 25, HOUR, BRUSSELS)
    ends = [
        time.replace(tzinfo=None) + HOUR
        if kind == "wall clock"
        else (time.astimezone(UTC) + HOUR).astimezone(time.tzinfo)
        for time in times
    ]
    rows = "".join(f"{end:%Y-%m-%d %H:%M},{number}\n" for number, end in enumerate(ends))
    path = text(tmp_path, "Hour Ending,Load (MW)\n" + rows)
    assert said(path) == ([time.astimezone(UTC) for time in times], [float(number) for number in range(25)])


@pytest.mark.parametrize("day", [datetime(2021, 3, 27, 23, tzinfo=UTC), datetime(2021, 10, 30, 22, tzinfo=UTC)])
def test_counted_periods_follow_days_of_23_and_25_hours(tmp_path: Path, day: datetime) -> None:
    times = local_hours(day - timedelta(days=2), 24 * 5, HOUR, BRUSSELS)
    lines, before, count = [], None, 0
    for number, time in enumerate(times):
        count = count + 1 if time.date() == before else 1
        before = time.date()
        lines.append(f"{time:%d/%m/%Y},{count},{number}\n")
    path = text(tmp_path, "Date,Period,Load (MW)\n" + "".join(lines))
    assert said(path)[0] == [time.astimezone(UTC) for time in times]


def test_settlement_periods_beside_days_with_names_of_months_are_half_hours(tmp_path: Path) -> None:
    rows = "".join(f"{day:02}-OCT-2021,{period},{period}\n" for day in (5, 6) for period in range(1, 49))
    times, _values = said(text(tmp_path, "SETTLEMENT_DATE,SETTLEMENT_PERIOD,ND\n" + rows), replace(MINE, unit="MW"))
    assert times[0] == datetime(2021, 10, 4, 22, tzinfo=UTC)
    assert {after - before for before, after in pairwise(times)} == {HOUR / 2}


def test_an_empty_cell_of_the_hour_that_spring_skips_is_no_fault(tmp_path: Path) -> None:
    rows = "".join(f"28.03.2021 {hour:02}:00,{'' if hour == 2 else hour}\n" for hour in range(24))
    assert len(said(text(tmp_path, "Time,Load (MW)\n" + rows))[0]) == 23


def test_a_bar_in_the_cells_of_a_comma_table_splits_nothing(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-01 {hour:02}:00,BZN|EE,{hour}\n" for hour in range(24))
    assert seen(text(tmp_path, "Time,Area,Load (MW)\n" + rows)).separator == "comma"


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "n_rows"),
    [("total_load_FI_60min_2020_clock_changes", 50), ("total_load_DE-LU_15min_2021_clock_changes", 194)],
)
def test_the_real_files_of_a_portal_are_read_through_both_changes_of_the_clock(
    shared_data: Path, name: str, n_rows: int
) -> None:
    path = shared_data / "europe" / "fixtures" / "gui_csv" / f"{name}.csv"
    delivery = brought(path)
    assert delivery.refused.is_empty()
    assert delivery.readings.height == n_rows


def test_clocks_written_with_an_h_beside_the_date_are_hours_and_not_days(tmp_path: Path) -> None:
    rows = "".join(f"{day:02}/01/2021\t{hour:02}h30\t{9000 + hour}\n" for day in (20, 21) for hour in range(24))
    found = seen(text(tmp_path, "Date\tHeures\tConsommation (MW)\n" + rows))
    assert (found.step, found.n_rows, found.n_refused) == (HOUR, 48, 0)
    assert found.time_columns == ("Date", "Heures")


def test_offsets_and_abbreviations_need_no_time_zone(tmp_path: Path) -> None:
    zones = ["CEST", "CEST", "CEST", "CET", "CET"]
    clocks = [0, 1, 2, 2, 3]
    rows = "".join(f"2021-10-31 0{clock}:00,{zone},{clock}\n" for clock, zone in zip(clocks, zones, strict=True))
    path = text(tmp_path, "Time,Zone,Load (MW)\n" + rows)
    start = datetime(2021, 10, 30, 22, tzinfo=UTC)
    assert brought(path).readings["time"].to_list() == [start + number * HOUR for number in range(5)]


def test_a_header_that_names_utc_is_believed_beside_the_clock_of_the_site(tmp_path: Path) -> None:
    rows = "".join(f"2021-07-01 {hour:02}:00,{hour}\n" for hour in range(24))
    path = text(tmp_path, "Time (UTC),Load (MW)\n" + rows)
    assert said(path)[0][0] == datetime(2021, 7, 1, tzinfo=UTC)


def test_several_values_are_asked_for_and_forecasts_are_named(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-01 {hour:02}:00,{hour},{hour + 1},{hour + 2}\n" for hour in range(24))
    path = text(tmp_path, "Time,North (MW),South (MW),Forecast (MW)\n" + rows)
    with pytest.raises(InvalidInput, match=r"--value-column: North \(MW\), South \(MW\)") as caught:
        brought(path)
    assert caught.value.field == "value_column"
    options = TableOptions("grid.mine.demand", time_zone="UTC", value_column="South (MW)")
    assert said(path, options)[1][0] == 1.0
    assert any("Forecast (MW)" in note for note in seen(path).notes)


@pytest.mark.parametrize(
    "header", ["Time,ND,TSD,ENGLAND_WALES_DEMAND,WIND_GENERATION", "Time,Net,Gross,Total load,Price"]
)
def test_a_name_that_sounds_like_a_load_does_not_decide_between_columns_as_large(tmp_path: Path, header: str) -> None:
    rows = "".join(f"2021-01-01 {n:02}:00,{26000 + n},{28000 + n},{23000 + n},{9000 + n}\n" for n in range(24))
    (question,) = seen(text(tmp_path, f"{header}\n{rows}"), replace(MINE, unit="MW")).questions
    assert question.field == "value_column"
    assert list(question.choices) == header.split(",")[1:4]
    path = text(tmp_path, f"{header}\n{rows}")
    assert not seen(path, replace(MINE, unit="MW", value_column=question.choices[0])).questions


@pytest.mark.parametrize(
    "header", ["Time,Load (MW),Forecast (MW),Net (MW)", "Time,Total load,Outlook forecast,Losses", "Time,demand,ND,TSD"]
)
def test_a_column_that_is_called_the_load_or_is_far_larger_is_the_load(tmp_path: Path, header: str) -> None:
    rows = "".join(f"2021-01-01 {hour:02}:00,{26000 + hour},{25000 + hour},{900 + hour}\n" for hour in range(24))
    found = seen(text(tmp_path, f"{header}\n{rows}"), replace(MINE, unit="MW"))
    assert (found.value_column, found.questions) == (header.split(",")[1], ())


def test_times_without_offset_are_read_by_the_clock_of_a_site_that_exists(tmp_path: Path) -> None:
    rows = "".join(f"2021-07-01 {hour:02}:00,{hour}\n" for hour in range(24))
    path = text(tmp_path, f"Time,Power (kW)\n{rows}")
    beach = Site("beach", "Beach house", SiteKind.HOME, Place("Australia/Sydney"), main_channel="home.beach.power")
    known = Known(find, sites=(beach,))
    for options in (TableOptions(channel="home.beach.power"), TableOptions(site="Beach house")):
        found = preview(path, None, options, known)
        assert found is not None
        assert (found.questions, found.time_zone) == ((), "Australia/Sydney")
        assert any("clock of Beach house, Australia/Sydney" in note for note in found.notes)
        ((source, window),) = file_sources(path, None, options, known)
        assert source.fetch(window, now=NOW).readings["time"][0] == datetime(2021, 6, 30, 14, tzinfo=UTC)
    assert [question.field for question in seen(path, TableOptions(channel="home.other.power")).questions] == [
        "time_zone"
    ]


def test_a_name_that_means_a_known_region_says_which(tmp_path: Path) -> None:
    rows = "".join(f"2021-07-01 {hour:02}:00,{30000 + hour}\n" for hour in range(24))
    path = text(tmp_path, f"Time,Load (MW)\n{rows}")
    assert (
        "texas is ERCOT (grid.erco.demand), a region that Watthour knows"
        in seen(path, TableOptions(site="texas")).notes
    )
    assert not any("that Watthour knows" in note for note in seen(path, TableOptions(site="erco")).notes)
    mine = TableOptions(site="My town", time_zone=BRUSSELS)
    assert not any("that Watthour knows" in note for note in seen(path, mine).notes)


def test_the_hour_that_ercot_marks_with_dst_is_the_second_of_two(tmp_path: Path) -> None:
    clocks = ["01:00", "02:00", "02:00 DST", *(f"{hour:02}:00" for hour in range(3, 25))]
    rows = "".join(f"11/01/2020 {clock},{30000 + n}\n" for n, clock in enumerate(clocks))
    path = text(tmp_path, f"HourEnding,ERCOT (MW)\n{rows}")
    times, values = said(path, TableOptions("grid.mine.demand", time_zone="America/Chicago", date_order="mdy"))
    assert times == [datetime(2020, 11, 1, 5, tzinfo=UTC) + n * HOUR for n in range(25)]
    assert values == [30000.0 + n for n in range(25)]


@pytest.mark.parametrize("second", ["2B", "02X", "2*"])
def test_an_hour_that_is_numbered_twice_in_autumn_is_two_hours(tmp_path: Path, second: str) -> None:
    first = "2A" if second == "2B" else "02"
    hours = ["1", first, second, *map(str, range(3, 25))]
    rows = "".join(f"2020-11-01,{hour},{30000 + n}\n" for n, hour in enumerate(hours))
    days = "".join(f"2020-11-02,{hour},{30100 + hour}\n" for hour in range(1, 25))
    path = text(tmp_path, f"Date,HE,Load (MW)\n{rows}{days}")
    times, values = said(path, TableOptions("grid.mine.demand", time_zone="America/New_York"))
    assert times == [datetime(2020, 11, 1, 4, tzinfo=UTC) + n * HOUR for n in range(49)]
    assert values[:25] == [30000.0 + n for n in range(25)]


@pytest.mark.parametrize(("decimal", "separator", "digits"), [(",", ";", 6), (".", ",", 10), (".", ",", 4)])
def test_numbers_that_a_spreadsheet_wrote_for_dates_are_times(
    tmp_path: Path, decimal: str, separator: str, digits: int
) -> None:
    rows = [f"{45350 + n / 24:.{digits}f}{separator}{30000 + 2000 * (n % 5)}" for n in range(72)]
    path = text(tmp_path, f"Date{separator}Load (MW)\n" + "\n".join(rows).replace(".", decimal) + "\n")
    found = seen(path)
    assert (found.time_columns, found.step, found.n_refused) == (("Date",), HOUR, 0)
    assert any("days of a spreadsheet" in note for note in found.notes)
    assert said(path)[0] == [datetime(2024, 2, 27, 23, tzinfo=UTC) + n * HOUR for n in range(72)]


def test_a_column_of_loads_is_not_taken_for_dates_of_a_spreadsheet(tmp_path: Path) -> None:
    rows = "".join(f"{n},{30000 + 9000 * (n % 7)}\n" for n in range(48))
    with pytest.raises(InvalidInput, match="no column holds dates"):
        seen(text(tmp_path, f"Row,Load (MW)\n{rows}"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_large_file_is_previewed_by_its_beginning_and_imported_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr(cells, "SAMPLE_BYTES", 5000)
    start = datetime(2021, 1, 1, tzinfo=UTC)
    rows = "".join(f"{start + n * HOUR:%Y-%m-%dT%H:%MZ},{9000 + n}\n" for n in range(1000))
    path = tmp_path / "large.csv"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_text(f"{mark}Time,Load (MW)\n{rows}", encoding=encoding)
    found = preview(path, None, MINE, KNOWN, is_sample=True)
    assert found is not None
    assert (50 < found.n_rows < 300, found.n_refused, found.step) == (True, 0, HOUR)
    assert any(f"first {found.n_rows} rows of about 1,001" in note for note in found.notes)
    assert (found.is_sample, seen(path).is_sample) == (True, False)
    assert seen(path).n_rows == brought(path).readings.height == 1000


def test_a_text_of_more_rows_than_a_table_may_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "SAMPLE_BYTES", 5000)
    monkeypatch.setattr(cells, "MOST_ROWS", 900)
    path = text(tmp_path, "Time,Load (MW)\n" + "2021-01-01T00:00Z,1\n" * 1000)
    for is_sample in (True, False):
        with pytest.raises(InvalidInput, match=r"1,001 rows, and a table is read up to 900") as caught:
            preview(path, None, MINE, KNOWN, is_sample=is_sample)
        assert caught.value.field == "file"


def test_a_forecast_beside_the_load_comes_in_as_a_rivals(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-01 {hour:02}:00,{hour},{hour + 1}\n" for hour in range(24))
    path = text(tmp_path, "Time,Load (MW),Forecast (MW)\n" + rows)
    options = TableOptions("grid.mine.demand", time_zone="UTC", forecast_column="Forecast (MW)")
    with pytest.raises(InvalidInput, match="--issued-at") as caught:
        brought(path, options)
    assert caught.value.field == "issued_at"
    delivery = brought(
        path, TableOptions("grid.mine.demand", time_zone="UTC", forecast_column="Forecast (MW)", issued_at="06:00")
    )
    assert delivery.readings["value"].to_list() == [float(hour) for hour in range(24)]
    forecasts = delivery.forecasts
    assert forecasts["value"].to_list() == [float(hour + 1) for hour in range(24)]
    assert set(forecasts["maker"]) == {"rival"}
    assert set(forecasts["issued_at"]) == {datetime(2020, 12, 31, 6, tzinfo=UTC)}
    assert set(forecasts["quality"]) == {1}  # assumed


def test_a_file_of_forecasts_alone_has_its_own_times_of_issue(tmp_path: Path) -> None:
    rows = "".join(
        f"2021-01-0{day} 06:00,2021-01-04 {hour:02}:00,{hour + day}\n" for day in (2, 3) for hour in range(24)
    )
    path = text(tmp_path, "Issued,Time,Forecast (MW)\n" + rows)
    options = TableOptions(forecast_of="grid.mine.demand", time_zone="UTC", issued_column="Issued", time_column="Time")
    delivery = brought(path, options)
    assert delivery.readings.is_empty()
    assert delivery.forecasts.height == 48
    assert set(delivery.forecasts["issued_at"]) == {datetime(2021, 1, day, 6, tzinfo=UTC) for day in (2, 3)}


def test_a_table_of_which_most_cannot_be_read_is_refused_whole(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-01 {hour:02}:00,{'x' if hour > 5 else hour}\n" for hour in range(24))
    path = text(tmp_path, "time,value\n" + rows)
    with pytest.raises(InvalidInput, match=r"18 of its 24 rows.*value_is_a_number 18.*nothing was imported"):
        brought(path, TableOptions("grid.mine.demand", "MW", "UTC"))


def test_a_wrong_unit_is_refused_with_the_cure(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-01T{hour:02}:00Z,{1500 + hour}\n" for hour in range(24))
    path = text(tmp_path, "time,value\n" + rows)
    with pytest.raises(InvalidInput, match=r"24 of its 24 values are outside the possible range.*--unit") as caught:
        brought(path, TableOptions("home.me.power", "kW", "UTC"))
    assert caught.value.field == "unit"
    assert said(path, TableOptions("home.me.power", "W", "UTC"))[1][0] == 1500.0  # kept in W


ODD = {
    "empty": b"",
    "blank lines": b"\n\n \n",
    "header only": b"time,value\n",
    "one word": b"hello",
    "one column": b"a\nb\nc\n",
    "binary": bytes(range(256)) * 8,
    "excel": b"PK\x03\x04" + b"\0" * 50,
    "old excel": b"\xd0\xcf\x11\xe0" + b"\0" * 50,
    "parquet torn": b"PAR1" + b"\0" * 20,
    "null characters": b"time,value\n2021-01-01 00:00,\x001\n",
    "long cell": b"time,value\n2021-01-01 00:00," + b"9" * 200_000 + b"\n",
    "open quote": b'time,value\n2021-01-01 00:00,"1\n2021-01-01 01:00,2\n',
    "no dates": b"a,b\n1,2\n3,4\n",
    "year 9999": b"time,value\n9999-12-31 23:00,1\n9999-12-31 22:00,2\n9999-12-31 21:00,2\n",
    "many commas": b"time,value\n" + b"," * 5000 + b"\n",
    "half utf-16": b"\xff\xfet\0i\0m",
}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "it is an Excel workbook"),
        (b"PK\x03\x04" + b"\0" * 26 + b"load.csv", "it is an archive of other files"),
        (b"<html><table><tr><td>time</td><td>kWh</td></tr></table></html>", "it is a web page"),  # called .xls by some
        (b'[{"time": "2021-01-01T00:00Z", "kwh": 1}]', "it is JSON"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "load.xls"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=problem):
        brought(path, TableOptions("grid.mine.demand", "MW", "UTC"))


def test_a_unit_in_each_cell_is_said_with_the_way_out(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-01T{hour:02}:00Z,{300 + hour}.5 Wh\n" for hour in range(24))
    with pytest.raises(InvalidInput, match=r"Used has a unit in each cell, 300.5 Wh.* take the unit out"):
        brought(text(tmp_path, "time,Used\n" + rows), TableOptions("home.me.energy", time_zone="UTC"))


def test_an_infinite_value_is_refused_and_no_sign_of_energy_fed_in(tmp_path: Path) -> None:
    rows = "".join(f"2021-01-01T{hour:02}:00Z,{'-inf' if hour == 7 else 300}\n" for hour in range(24))
    path = text(tmp_path, "time,power_w\n" + rows)
    delivery = brought(path, TableOptions("home.me.power", time_zone="UTC"))
    assert delivery.readings.height == 23
    assert delivery.refused["rule"].to_list() == ["value_is_a_number"]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_a_file_that_is_no_table_is_an_error_with_a_cure(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"odd.{suffix}"
    path.write_bytes(ODD[name])
    with pytest.raises(InvalidInput) as caught:
        brought(path, TableOptions("grid.mine.demand", "MW", "UTC"))
    assert caught.value.remedy
    assert "polars" not in str(caught.value).lower()
    assert "infer_schema" not in str(caught.value)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=400), st.text("0123456789,;.:/- \t\n\"'ABmT", max_size=400).map(str.encode))
)
def test_no_content_at_all_ends_in_anything_but_readings_or_our_own_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    with suppress(InvalidInput):
        delivery = brought(path, TableOptions("grid.mine.demand", "MW", "UTC"))
        assert delivery.readings.height + delivery.refused.height > 0


def test_parquet_of_any_types_is_read_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"  # named otherwise
    times = [datetime(2021, 1, 1, hour) for hour in range(4)]  # noqa: DTZ001 - naive on purpose
    table = pl.DataFrame({"time": times, "row_number": ["a", "b", "c", "d"], "Load (MW)": [1, 2, None, 4]})
    for kind in (pl.Int128, pl.Decimal(20, 3), pl.Float32, pl.UInt8):
        odd = table.with_columns(
            pl.col("Load (MW)").cast(kind),
            pl.col("row_number").cast(pl.Categorical),
            nested=pl.lit([1, 2]),
            binary=pl.lit(b"1"),
        )
        odd.write_parquet(path)
        assert said(path, TableOptions("grid.mine.demand", time_zone="UTC"))[1] == [1.0, 2.0, None, 4.0]


def test_a_column_named_row_number_is_a_column_like_others(tmp_path: Path) -> None:
    rows = "".join(f"{hour},2021-01-01 {hour:02}:00,{hour}.5\n" for hour in range(24))
    path = text(tmp_path, "row_number,time,load\n" + rows)
    assert said(path, TableOptions("grid.mine.demand", "MW", "UTC"))[1][:2] == [0.5, 1.5]


def test_a_hint_that_cannot_be_is_named_with_what_can(tmp_path: Path) -> None:
    path = text(tmp_path, "time,load\n2021-01-01 00:00,1\n")
    for mapping in (
        Mapping(Unit.MW, decimal="dot"),
        Mapping(Unit.MW, date_order="ydm"),
        Mapping(Unit.MW, separator="x"),
    ):
        with pytest.raises(InvalidInput, match="Say "):
            read_table(path, mapping)


def test_dates_none_of_which_exists_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,load MW\n" + "".join(f"45/13/2021 {hour:02}:00,{hour}\n" for hour in range(3)))
    with pytest.raises(InvalidInput) as refused:
        file_sources(path, None, MINE, KNOWN)
    assert refused.value.field in {"file", "time_column"}


def test_a_length_of_time_in_a_parquet_file_is_no_value(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"time": [timedelta(hours=1)] * 3, "load MW": [1.0, 2.0, 3.0]}).write_parquet(path)
    with pytest.raises(InvalidInput):
        file_sources(path, None, MINE, KNOWN)


def test_a_small_parquet_file_of_very_many_rows_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame(
        {"time": pl.repeat(0, 6_000_001, eager=True), "load MW": pl.repeat(1.0, 6_000_001, eager=True)}
    ).write_parquet(path)
    with pytest.raises(InvalidInput, match="rows"):
        file_sources(path, None, MINE, KNOWN)
