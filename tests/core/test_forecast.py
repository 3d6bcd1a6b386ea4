"""What is asked of a forecaster: every interval of the step, on days of 23, 24 and 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from watthour.core.errors import InvalidInput
from watthour.core.forecast import day_ahead_targets, targets
from watthour.core.window import DAY, Window, local_day

NEW_YORK = "America/New_York"
SHORT, LONG, USUAL = date(2024, 3, 10), date(2024, 11, 3), date(2024, 7, 1)


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
@pytest.mark.parametrize(("day", "n_hours"), [(SHORT, 23), (USUAL, 24), (LONG, 25)])
def test_a_local_day_has_all_its_intervals(minutes: int, day: date, n_hours: int) -> None:
    step = timedelta(minutes=minutes)
    asked = day_ahead_targets([day], NEW_YORK, resolution=step, issue_clock=time(8), known_clock=None)
    window = local_day(day, NEW_YORK)
    assert asked.height == n_hours * 60 // minutes
    assert (asked["time"].min(), asked["time"].max()) == (window.start, window.end - step)
    assert asked["time"].diff().drop_nulls().unique().to_list() == [step]


def test_a_daily_step_asks_for_local_days() -> None:
    asked = day_ahead_targets([SHORT, LONG], NEW_YORK, resolution=DAY, issue_clock=time(8), known_clock=None)
    assert asked["time"].to_list() == [local_day(SHORT, NEW_YORK).start, local_day(LONG, NEW_YORK).start]
    window = Window(local_day(SHORT, NEW_YORK).start, local_day(SHORT + DAY, NEW_YORK).end)
    both = targets(window, window.start, resolution=DAY, time_zone=NEW_YORK)
    assert both["time"].to_list() == [local_day(day, NEW_YORK).start for day in (SHORT, SHORT + DAY)]


def test_issue_and_known_clock_are_local_and_of_the_day_before() -> None:
    asked = day_ahead_targets([SHORT], NEW_YORK, resolution=DAY, issue_clock=time(8), known_clock=time(6))
    assert asked["issued_at"].to_list() == [datetime(2024, 3, 9, 13, tzinfo=UTC)]
    assert asked["known_until"].to_list() == [datetime(2024, 3, 9, 11, tzinfo=UTC)]


def test_a_clock_time_that_is_skipped_or_repeated_has_an_instant() -> None:
    asked = day_ahead_targets(
        [SHORT + DAY, LONG + DAY], NEW_YORK, resolution=DAY, issue_clock=time(2, 30), known_clock=time(1, 30)
    )
    assert asked["issued_at"].to_list() == [
        datetime(2024, 3, 10, 7, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 7, 30, tzinfo=UTC),
    ]
    assert asked["known_until"].to_list() == [
        datetime(2024, 3, 10, 6, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
    ]


def test_a_window_is_asked_in_steps_from_its_start() -> None:
    window = Window(datetime(2024, 7, 1, tzinfo=UTC), datetime(2024, 7, 1, 1, tzinfo=UTC))
    asked = targets(window, window.start, resolution=timedelta(minutes=15), time_zone="UTC")
    assert asked["time"].dt.minute().to_list() == [0, 15, 30, 45]
    assert asked.select(pl.col("known_until") == pl.col("issued_at")).to_series().all()


@pytest.mark.parametrize("minutes", [0, -15, 7, 2880])
def test_a_step_that_does_not_divide_a_day_is_refused(minutes: int) -> None:
    step = timedelta(minutes=minutes)
    with pytest.raises(InvalidInput, match="resolution"):
        day_ahead_targets([USUAL], "UTC", resolution=step, issue_clock=time(8), known_clock=None)
