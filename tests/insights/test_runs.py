"""A device that is seldom on is judged by its runs: an ordinary wash is not odd, a dryer that heats without end is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from made_home import PER_DAY, PER_HOUR, START, STEP, Array, MadeHome, make_home

from watthour.core.errors import InvalidInput
from watthour.core.frames import Events
from watthour.core.window import DAY, HOUR, Window
from watthour.insights.anomalies import Oddities, oddities, oddities_of_device, oddities_of_uses
from watthour.insights.load import Unknown

if TYPE_CHECKING:
    from watthour.insights.runs import OddRun

N_DAYS = 112


def washer(seed: int = 3) -> Array:
    """Return the power of a washing machine that runs twice a week, on days and at hours as they come."""
    rng, power = np.random.default_rng(seed), np.zeros(N_DAYS * PER_DAY)
    for week in range(N_DAYS // 7):
        for day in rng.choice(7, 2, replace=False):
            first = (7 * week + int(day)) * PER_DAY + int(rng.uniform(9, 20) * PER_HOUR)
            heat = int(rng.integers(3, 6))
            power[first : first + heat], power[first + heat : first + heat + 12] = 2000, 300
    return power


def judged(power: Array, *, step: timedelta = HOUR) -> Oddities:
    found = oddities_of_device(MadeHome(N_DAYS, {"device": power}).load("device", step=step))
    assert isinstance(found, Oddities)
    return found


def at(step: int) -> datetime:
    return START + step * STEP


def test_ordinary_uses_are_not_odd_though_most_hours_are_without_any() -> None:
    n_told = by_hours = 0
    for part, seed in (("kitchen", 1), ("kitchen", 5), ("dishwasher", 5)):
        power = make_home(seed, n_days=N_DAYS).parts[part]
        found = judged(power)
        assert found.anomalies == ()
        assert (found.n_runs or 0) > 15
        n_told += len(found.runs)
        hours = oddities(MadeHome(N_DAYS, {"device": power}).load("device"), is_home=False)
        by_hours += len(hours.anomalies) if isinstance(hours, Oddities) else 0
    assert n_told == 0
    assert by_hours > 9  # in twelve weeks


def test_a_run_that_lasts_longer_than_usual_is_told_once_with_what_is_usual() -> None:
    power = washer()
    begin = 100 * PER_DAY + 11 * PER_HOUR
    power[100 * PER_DAY : 101 * PER_DAY] = 0
    power[begin : begin + 8 * PER_HOUR] = 2000
    (found,) = judged(power, step=STEP).runs
    assert (found.start, found.end, found.is_over) == (at(begin), at(begin) + 8 * HOUR, True)
    assert found.kind in {"duration", "energy"}
    assert found.energy_kwh == pytest.approx(16)
    assert found.usual < found.measured
    assert found.usual <= (found.usual_high or 0) < found.measured
    assert found.once_in_weeks > 20


@pytest.mark.parametrize("hours", [10, 24 * 10])
def test_a_dryer_that_heats_without_end_is_told_while_it_does(hours: int) -> None:
    power = washer()
    power[-hours * PER_HOUR :] = 2000
    found = judged(power).runs[-1]
    assert found.kind in {"duration", "energy"}
    assert found.is_over is False
    assert found.end == START + N_DAYS * DAY
    assert found.energy_kwh == pytest.approx(2 * hours, rel=0.2)


def test_a_run_at_night_is_odd_and_says_when_it_usually_begins() -> None:
    power = np.zeros(N_DAYS * PER_DAY)
    for day in range(0, N_DAYS, 2):
        power[day * PER_DAY + 18 * PER_HOUR + day % 8 :][: 2 * PER_HOUR] = 1500
    night = 103 * PER_DAY + 3 * PER_HOUR
    power[night : night + 2 * PER_HOUR] = 1500
    (found,) = judged(power).runs
    assert (found.kind, found.start) == ("clock", at(night))
    assert (round(found.measured), round(found.usual), found.usual_high) == (3, 18, None)


def test_many_runs_in_a_day_are_told_as_one() -> None:
    rng, power = np.random.default_rng(1), np.zeros(N_DAYS * PER_DAY)
    for day in range(N_DAYS):
        for clock in rng.uniform(7, 21, 9 if day == 104 else 1):
            power[day * PER_DAY + int(clock * PER_HOUR) :][: PER_HOUR // 4] = 2000
    (found,) = [each for each in judged(power, step=STEP).runs if each.kind == "count"]
    assert found.start.date() == at(104 * PER_DAY + PER_HOUR).date()
    assert found.measured >= 4
    assert found.usual == 1


def test_a_device_that_is_not_used_for_weeks_is_told_also_once_it_is_again() -> None:
    power = washer(1)
    power[-24 * PER_DAY :] = 0
    (still,) = judged(power).runs
    assert (still.kind, still.is_over, still.end) == ("pause", False, START + N_DAYS * DAY)
    assert still.measured >= 24
    power[-2 * PER_DAY : -2 * PER_DAY + PER_HOUR] = 2000
    over = [each for each in judged(power).runs if each.kind == "pause"]
    assert [(each.is_over, round(each.measured) >= 22) for each in over] == [(True, True)]


@pytest.mark.parametrize("is_row", [True, False])
def test_weeks_without_readings_are_no_weeks_without_a_run(is_row: bool) -> None:  # noqa: FBT001 - a parameter of the test
    load = MadeHome(N_DAYS, {"device": washer(1)}).load("device")
    is_silent = pl.col("time").is_between(at(88 * PER_DAY), at(108 * PER_DAY))
    silent = load.table.with_columns(power_w=pl.when(~is_silent).then("power_w"))
    found = oddities_of_device(replace(load, table=silent if is_row else silent.drop_nulls("power_w")))
    assert isinstance(found, Oddities)
    assert [each for each in found.runs if each.kind == "pause"] == []


def test_what_runs_for_longer_than_a_quarter_of_its_time_is_judged_by_its_hours() -> None:
    home = make_home(5, n_days=N_DAYS)
    begin = 100 * PER_DAY + 2 * PER_HOUR
    draw = home.parts["fridge"].max()
    home.parts["fridge"][begin : begin + 6 * PER_HOUR] = draw  # its door is open
    for step in (HOUR, STEP):
        found = judged(home.parts["fridge"], step=step)
        assert (found.n_runs, found.runs) == (None, ())
        assert any(each.start < at(begin) + 6 * HOUR and each.end > at(begin) for each in found.anomalies)


def test_a_wash_that_pauses_for_less_than_an_hour_is_one_run() -> None:
    power = np.zeros(N_DAYS * PER_DAY)
    for day in range(0, N_DAYS, 2):
        first = day * PER_DAY + 20 * PER_HOUR
        power[first : first + 3] = power[first + 12 : first + 15] = 2000
    found = judged(power, step=STEP)
    assert (found.n_runs, found.runs) == (14, ())


def test_a_run_that_is_longer_by_the_steps_of_the_meter_alone_is_not_odd() -> None:
    power = np.zeros(N_DAYS * PER_DAY)
    for day in range(N_DAYS):  # an hour and a bit, which touches three hours of the clock on one day alone
        minute = 11 if day == 100 else 0
        power[day * PER_DAY + 9 * PER_HOUR + minute :][: PER_HOUR + 2] = 1000
    assert judged(power).runs == ()


def uses(days: list[int], *, hours: float = 1.0) -> pl.DataFrame:
    begins = pl.Series([START + day * DAY + 9 * HOUR for day in days], dtype=pl.Datetime("us", "UTC"))
    ends = begins + timedelta(hours=hours)
    return pl.DataFrame({"device": "d", "start": begins, "end": ends, "energy_kwh": float(hours)}).with_columns(
        available_at=ends, recorded_at=ends, quality=pl.lit(0, pl.Int16)
    )


def of_uses(rows: pl.DataFrame) -> tuple[OddRun, ...]:
    log = Window(START, START + N_DAYS * DAY)
    found = oddities_of_uses(Events.validate(rows), log, "Europe/Paris")
    assert isinstance(found, Oddities)
    assert found.n_runs == rows.filter(pl.col("start") >= datetime(2024, 1, 28, 23, tzinfo=UTC)).height
    assert found.first_day == date(2024, 1, 29)
    return found.runs


def test_a_log_of_uses_is_judged_like_readings() -> None:
    usual = uses(list(range(0, N_DAYS, 2)))
    assert of_uses(usual) == ()
    long = pl.concat([usual, uses([101], hours=12)]).sort("start")
    (found,) = of_uses(long)
    assert (found.end - found.start, found.is_over) == (12 * HOUR, True)
    (pause,) = of_uses(uses(list(range(0, 90, 2))))
    assert (pause.kind, pause.is_over) == ("pause", False)


def test_too_few_runs_and_too_few_days_are_said() -> None:
    few = np.zeros(N_DAYS * PER_DAY)
    for day in (3, 20, 40, 95):
        few[day * PER_DAY : day * PER_DAY + PER_HOUR] = 1000
    said = oddities_of_device(MadeHome(N_DAYS, {"device": few}).load("device"))
    assert isinstance(said, Unknown)
    assert "3 runs are known before 2024-01-29, the first day judged, and 8 are needed" in said.problem
    log = Window(START, START + 10 * DAY)
    short = oddities_of_uses(Events.validate(uses(list(range(10)))), log, "Europe/Paris")
    assert isinstance(short, Unknown)
    assert "10 days are known, and 21 before" in short.problem
    none = oddities_of_uses(Events.create_empty(), log, "Europe/Paris")
    assert isinstance(none, Unknown)
    with pytest.raises(InvalidInput):
        oddities_of_uses(Events.create_empty(), log, "Europe/Paris", days=0)
