"""Recent days: quantiles of what was measured at the same clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import Forecast, History
from watthour.core.frames import LEVELS, Forecasts, Readings
from watthour.core.window import DAY, HOUR
from watthour.forecasting.fleet import issues_at
from watthour.forecasting.recent_days import MEMORIES, RecentDays, remembered, weighted_quantiles


def history(values: np.ndarray, *, zone: str = "UTC", first: datetime = datetime(2023, 1, 1, tzinfo=UTC)) -> History:
    times = pl.Series("time", [first + n * HOUR for n in range(len(values))], dtype=pl.Datetime("us", "UTC"))
    table = pl.DataFrame({"time": times, "value": values}).filter(pl.col("value").is_not_nan())
    rows = Readings.cast(world.readings(world.DEMAND, table["time"], table["value"].to_numpy(), lag=HOUR))
    return History(first + len(values) * HOUR, world.place(zone, HOUR), rows, Forecasts.create_empty())


def asked(past: History, hours: int) -> Forecast:
    issues = issues_at(past, [past.as_of], hours)
    return RecentDays().fit(past, issues).predict(past, issues)


def at_level(told: Forecast, level: float) -> np.ndarray:
    return told.values.filter(pl.col("level") == level).sort("time")["value"].to_numpy()


def test_quantiles_lie_between_the_middles_of_the_weights() -> None:
    values = np.array([[3.0, 1.0, np.nan, 2.0], [np.nan] * 4])
    found = weighted_quantiles(values, np.array([[1.0, 2.0, 9.0, 1.0]] * 2))
    # the middles of 1, 2 and 3 lie at 0.25, 0.625 and 0.875 of the whole weight, which is that of 16 / 6 equal values
    outward = 0.5 + (np.array(LEVELS) - 0.5) * (1 + 2 * 6 / 16)
    assert found[0] == pytest.approx(np.interp(outward, [0.25, 0.625, 0.875], [1, 2, 3]))
    assert np.isnan(found[1]).all()


def test_two_usual_values_stay_two_instead_of_a_mean_that_never_comes() -> None:
    days = 60
    sunny = np.random.default_rng(4).random(days) < 0.5
    values = np.full((days, 24), 10.0)
    values[sunny, 11:14] = -15.0
    told = asked(history(values.ravel()), 24)
    assert at_level(told, 0.1)[12] == pytest.approx(-15, abs=0.5)
    assert at_level(told, 0.9)[12] == pytest.approx(10, abs=0.5)
    assert np.ptp([at_level(told, level)[3] for level in LEVELS]) < 1


def test_a_new_level_is_followed_within_days() -> None:
    rng = np.random.default_rng(2)
    values = 50 + 10 * np.sin(2 * np.pi * np.arange(24 * 90) / 24) + rng.normal(0, 0.5, 24 * 90)
    values[24 * 82 :] -= 30
    told = asked(history(values), 24)
    usual = 20 + 10 * np.sin(2 * np.pi * np.arange(24) / 24)
    assert np.abs(at_level(told, 0.5) - usual).mean() < 3


def test_what_follows_the_week_is_remembered_by_weekday() -> None:
    days = np.arange(140)
    values = np.repeat(20.0 + 5 * (days % 7), 24) + np.random.default_rng(3).normal(0, 0.2, 24 * len(days))
    told = at_level(asked(history(values), 168), 0.5).reshape(7, 24).mean(axis=1)
    assert told == pytest.approx(20 + 5 * ((len(days) + np.arange(7)) % 7), abs=1)


def test_a_memory_that_follows_moves_old_days_to_the_level_of_now() -> None:
    rows = np.concatenate([np.zeros((20, 24)), np.full((1, 24), 8.0)])
    leads = np.array([1, 2])
    still, follows = (remembered(each, rows, leads) for each in (MEMORIES[0], MEMORIES[3]))
    middle = LEVELS.index(0.5)
    assert still[:, :, middle].max() < 2
    assert follows[:, :, middle].min() == pytest.approx(8)


def test_a_day_keeps_its_shape_when_the_clock_is_changed() -> None:
    zone, first = ZoneInfo("Europe/Paris"), datetime(2023, 1, 31, 23, tzinfo=UTC)
    clock = np.array([(first + n * HOUR).astimezone(zone).hour for n in range(24 * 53)])
    past = history(np.where((clock >= 17) & (clock < 20), 5.0, 1.0), zone="Europe/Paris", first=first)
    told = asked(past, 72).values.filter(pl.col("level") == 0.5).sort("time")
    local = told.with_columns(pl.col("time").dt.convert_time_zone("Europe/Paris"))
    peaks = local.filter(pl.col("value") > 3)["time"]
    assert local["time"].dt.base_utc_offset().n_unique() == 1
    assert local["time"].dt.dst_offset().n_unique() == 2
    assert peaks.dt.hour().to_list() == [17, 18, 19] * 3


def test_gaps_are_left_out_and_an_old_past_is_named() -> None:
    values = np.tile(np.arange(24.0), 40)
    values[24 * 10 : 24 * 12] = np.nan
    past = history(values)
    assert at_level(asked(past, 24), 0.5) == pytest.approx(np.arange(24), abs=1.5)
    assert asked(past, 24).missing_inputs == ()
    later = history(np.concatenate([values, np.full(24 * 9, np.nan)]))
    told = asked(later, 24)
    assert "No recent value was known for 24 of 24 intervals" in " ".join(told.missing_inputs)
    assert at_level(told, 0.5) == pytest.approx(np.arange(24), abs=1.5)


def test_short_pasts_and_long_steps_are_refused_with_a_cure() -> None:
    short = history(np.arange(24.0 * 5))
    with pytest.raises(NotEnoughHistory, match=r"5 of the last days of .* are known; recent_days needs 14"):
        asked(short, 24)
    start = datetime(2023, 1, 1, tzinfo=UTC)
    times = pl.Series("time", [start + timedelta(days=n) for n in range(60)], dtype=pl.Datetime("us", "UTC"))
    rows = Readings.cast(world.readings(world.DEMAND, times, np.arange(60.0), lag=DAY))
    days = History(start + 60 * DAY, world.place("UTC", DAY), rows, Forecasts.create_empty())
    with pytest.raises(InvalidInput, match=r"recent_days cannot forecast .* in this step.*trend_season"):
        asked(days, 7)
