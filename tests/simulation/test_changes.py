from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from watthour.core.forecast import History
from watthour.core.frames import Quality
from watthour.core.window import Window
from watthour.simulation.changes import CHANGES, Change, planted
from watthour.simulation.simtown import DEMAND, SIMTOWN
from watthour.simulation.town import SimulatedRegion

START = date(2023, 4, 12)  # a Wednesday


@pytest.fixture(scope="module")
def history() -> History:
    span = Window(datetime(2023, 1, 10, tzinfo=UTC), datetime(2023, 8, 20, tzinfo=UTC))
    told = SimulatedRegion().fetch(span, now=span.end)
    return History(span.end, SIMTOWN, told.readings, told.forecasts)


def shares(history: History, change: Change) -> pl.DataFrame:
    """Return what is left of each local day's load, and what is marked simulated of it."""
    after = planted(history, change, START).readings.filter(pl.col("channel") == DEMAND.id)
    both = history.readings.filter(pl.col("channel") == DEMAND.id).join(after, on=["channel", "time"], suffix="_after")
    day = pl.col("time").dt.convert_time_zone(SIMTOWN.time_zone).dt.date()
    return (
        both.group_by(day=day)
        .agg(share=pl.col("value_after").sum() / pl.col("value").sum(), changed=pl.col("quality_after").max())
        .sort("day")
        .with_columns(age=(pl.col("day") - pl.lit(START)).dt.total_days())
    )


def share_at(table: pl.DataFrame, age: int) -> float:
    return float(table.filter(pl.col("age") == age)["share"][0])


def test_a_step_lowers_every_day_from_the_first_on(history: History) -> None:
    found = shares(history, CHANGES["step"])
    before, after = (found.filter(when)["share"] for when in (pl.col("age") < 0, pl.col("age") >= 0))
    assert (before.min(), before.max()) == pytest.approx((1.0, 1.0))
    assert (after.min(), after.max()) == pytest.approx((0.92, 0.92))


def test_a_ramp_is_there_whole_after_its_days(history: History) -> None:
    found = shares(history, CHANGES["ramp"])
    assert share_at(found, 0) == pytest.approx(1 - 0.08 / 14)
    assert share_at(found, 6) == pytest.approx(0.96)
    assert share_at(found, 13) == pytest.approx(0.92) == share_at(found, 30)


def test_a_shutdown_makes_sundays_of_working_days_and_goes_back(history: History) -> None:
    found = shares(history, CHANGES["shutdown"])
    sunday = share_at(found, 4)
    assert sunday == pytest.approx(0.92)
    assert share_at(found, 5) < sunday - 0.02  # Monday
    assert share_at(found, 5) < share_at(found, 5 + 56) < share_at(found, 5 + 84) < 1
    assert share_at(found, 42 + 56) == pytest.approx(1.0)


def test_changed_readings_are_marked_and_nothing_else_changes(history: History) -> None:
    changed = planted(history, CHANGES["step"], START)
    flags = shares(history, CHANGES["step"])
    assert (flags.filter(pl.col("age") >= 0)["changed"] & int(Quality.SIMULATED)).min() == int(Quality.SIMULATED)
    others = pl.col("channel") != DEMAND.id
    assert changed.readings.filter(others).equals(history.readings.filter(others))
    assert changed.forecasts.equals(history.forecasts)
    assert changed.readings.height == history.readings.height
