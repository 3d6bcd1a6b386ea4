from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput
from watthour.core.forecast import day_ahead_targets
from watthour.core.frames import Targets
from watthour.core.window import DAY, HOUR, local_day
from watthour.forecasting.calendar import clock_offsets, day_starts, local_days
from watthour.forecasting.steps import check_targets, require_resolution
from watthour.forecasting.vintages import DAY_US, instants

if TYPE_CHECKING:
    import dataframely as dy

QUARTER = timedelta(minutes=15)
DAYS = [date(2023, 3, 11) + timedelta(days=n) for n in range(4)]


def asked(step: timedelta, zone: str = world.ZONE) -> dy.DataFrame[Targets]:
    return day_ahead_targets(DAYS, zone, resolution=step, issue_clock=time(8), known_clock=None)


@pytest.mark.parametrize("step", [timedelta(minutes=5), QUARTER, HOUR, DAY])
def test_targets_of_the_channels_step_pass(step: timedelta) -> None:
    check_targets(asked(step), world.context(step))


@pytest.mark.parametrize(("made", "channel"), [(QUARTER, HOUR), (HOUR, timedelta(minutes=5)), (HOUR, DAY)])
def test_targets_of_another_step_are_refused(made: timedelta, channel: timedelta) -> None:
    with pytest.raises(InvalidInput, match="resolution of the channel"):
        check_targets(asked(made), world.context(channel))


def test_some_hours_of_a_day_may_be_asked_alone() -> None:
    hours = asked(HOUR)
    check_targets(Targets.cast(hours.filter(hours["time"].dt.hour().is_in([3, 4, 9]))), world.CONTEXT)


def test_hours_may_begin_at_the_half_hour_of_utc() -> None:
    zone = "Asia/Kolkata"
    check_targets(asked(HOUR, zone), world.place(zone))


def test_a_step_that_divides_no_day_is_refused() -> None:
    with pytest.raises(InvalidInput, match="does not divide a day"):
        check_targets(asked(HOUR), world.context(timedelta(minutes=7)))


def test_a_model_names_the_steps_it_can() -> None:
    require_resolution(world.CONTEXT, (HOUR,), "hourly")
    with pytest.raises(InvalidInput, match=r"hourly cannot forecast grid.here.demand.*60 minutes"):
        require_resolution(world.context(QUARTER), (HOUR,), "hourly")


@pytest.mark.parametrize("zone", ["America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_local_days_begin_where_the_core_says(zone: str) -> None:
    days = [date(2017, 1, 1) + timedelta(days=n) for n in range(730)]  # Sao Paulo changed its clocks at midnight
    starts = instants(pl.Series([local_day(day, zone).start for day in days]))
    numbers = np.array([(day - date(1970, 1, 1)).days for day in days])
    assert (day_starts(numbers, zone) == starts).all()
    assert (local_days(starts, zone) == numbers).all()
    assert (local_days(starts - 1, zone) == numbers - 1).all()
    assert set(np.diff(starts) % DAY_US) <= {0, DAY_US // 24, 23 * DAY_US // 24, DAY_US // 48, 47 * DAY_US // 48}


@pytest.mark.parametrize(("zone", "day"), [("Asia/Amman", date(2021, 10, 29)), ("Asia/Gaza", date(2018, 10, 27))])
def test_of_two_midnights_a_day_begins_at_the_first(zone: str, day: date) -> None:
    days = [day + timedelta(days=n) for n in range(-2, 3)]
    numbers = np.array([(each - date(1970, 1, 1)).days for each in days])
    starts = instants(pl.Series([local_day(each, zone).start for each in days]))
    assert (day_starts(numbers, zone) == starts).all()


@pytest.mark.parametrize("zone", ["Asia/Tehran", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_clocks_that_change_in_the_middle_of_an_hour_are_followed_to_the_quarter(zone: str) -> None:
    quarters = pl.datetime_range(
        datetime(2015, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC), "15m", eager=True
    ).dt.replace_time_zone("UTC")
    local = quarters.dt.convert_time_zone(zone).dt.replace_time_zone(None).dt.replace_time_zone("UTC")
    assert (clock_offsets(instants(quarters), zone) == instants(local) - instants(quarters)).all()
