from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from watthour.core.errors import InvalidInput
from watthour.core.window import HOUR, Window, floor, local_day, local_instant, within_data

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_a_window_excludes_its_end() -> None:
    window = Window(START, START + timedelta(hours=2))
    assert window.start in window
    assert window.end not in window
    assert window.hours == 2


def test_a_window_needs_aware_ordered_ends() -> None:
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2024, 1, 1), START)  # noqa: DTZ001 - naive on purpose
    with pytest.raises(ValueError, match="empty"):
        Window(START, START)


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 10), 23), (date(2024, 3, 11), 24), (date(2024, 11, 3), 25)])
def test_a_local_day_has_23_24_or_25_hours(day: date, hours: int) -> None:
    assert local_day(day, "America/New_York").hours == hours


def test_a_repeated_clock_time_means_its_first_pass() -> None:
    assert local_instant(date(2024, 11, 3), time(1, 30), "America/New_York") == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)


def test_an_instant_is_put_back_to_the_grid_it_lies_in() -> None:
    assert floor(START + timedelta(minutes=90), HOUR) == START + HOUR
    assert floor(START + HOUR, HOUR) == START + HOUR
    half_past = START + timedelta(minutes=30)  # as the days of India begin
    assert floor(START + HOUR, HOUR, since=half_past) == half_past


@pytest.mark.parametrize("year", [1979, 2100, 9999])
def test_what_no_data_can_speak_of_is_refused_with_a_cure_that_works(year: int) -> None:
    with pytest.raises(InvalidInput, match="there are no data for that time") as caught:
        within_data("day", date(year, 12, 31))
    for allowed in (int(word.strip(".")) for word in caught.value.remedy.split() if word.strip(".").isdigit()):
        assert within_data("day", date(allowed, 12, 31)).year == allowed
