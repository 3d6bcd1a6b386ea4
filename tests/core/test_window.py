from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from watthour.core.window import Window, local_day, local_instant

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
