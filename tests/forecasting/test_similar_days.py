"""Similar days: quantiles of what was measured on days that followed days like the last ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import Forecast, History
from watthour.core.frames import LEVELS, Forecasts, Readings
from watthour.core.window import DAY, HOUR
from watthour.forecasting import similar_days
from watthour.forecasting.fleet import issues_at
from watthour.forecasting.similar_days import SimilarDays, distances_of

FIRST = datetime(2023, 1, 2, tzinfo=UTC)  # a Monday


def history(values: np.ndarray, *, zone: str = "UTC", step: timedelta = HOUR) -> History:
    times = pl.Series("time", [FIRST + n * step for n in range(len(values))], dtype=pl.Datetime("us", "UTC"))
    table = pl.DataFrame({"time": times, "value": values}).filter(pl.col("value").is_not_nan())
    rows = Readings.cast(world.readings(world.DEMAND, table["time"], table["value"].to_numpy(), lag=step))
    return History(FIRST + len(values) * step, world.place(zone, step), rows, Forecasts.create_empty())


def asked(past: History, hours: int) -> Forecast:
    issues = issues_at(past, [past.as_of], hours)
    return SimilarDays().fit(past, issues).predict(past, issues)


def at_level(told: Forecast, level: float) -> np.ndarray:
    return told.values.filter(pl.col("level") == level).sort("time")["value"].to_numpy()


def noise(days: int) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 0.05, (days, 24))


@pytest.mark.parametrize("is_late", [True, False])
def test_a_day_is_like_those_that_followed_such_an_evening(*, is_late: bool) -> None:
    """After a late evening nobody is at home the next day; which evenings are late follows no weekday."""
    days = 90
    late = np.random.default_rng(3).random(days) < 0.5
    late[-1] = is_late
    values = 1 + noise(days)
    values[late, 20:] += 2
    values[1:][~late[:-1], 8:18] += 3
    told = at_level(asked(history(values.ravel()), 24), 0.5)
    assert told[9:17] == pytest.approx(1.0 if is_late else 4.0, abs=0.2)


def test_days_off_are_told_from_days_off_also_days_ahead() -> None:
    """The first day ahead is a Saturday."""
    days = 7 * 12 + 5
    values = 1 + noise(days)
    is_off = np.arange(days) % 7 >= 5
    values[is_off] += 4
    told = at_level(asked(history(values.ravel()), 72), 0.5).reshape(3, 24).mean(axis=1)
    assert told == pytest.approx([5, 5, 1], abs=0.3)


@pytest.mark.parametrize("is_even", [True, False])
def test_days_of_the_same_means_are_told_apart_hour_by_hour(*, is_even: bool) -> None:
    """Something runs every other hour, and what comes at noon of the next day depends on which."""
    days = 90
    even = np.random.default_rng(4).random(days) < 0.5
    even[-1] = is_even
    values = 1 + noise(days)
    values[:, ::2] += np.where(even, 3, 0)[:, None]
    values[:, 1::2] += np.where(even, 0, 3)[:, None]
    values[1:][even[:-1], 11:13] += 9
    told = at_level(asked(history(values.ravel()), 24), 0.5)
    assert told[11:13].mean() == pytest.approx(11.5 if is_even else 2.5, abs=1.6)


@pytest.mark.parametrize("hours_missing", [0, 6])
def test_parts_of_the_day_are_of_the_local_clock_also_where_days_end_in_the_evening(
    monkeypatch: pytest.MonkeyPatch, hours_missing: int
) -> None:
    """Here the kind of day counts in the middle of the day alone, and nothing else does; a Saturday is asked."""
    monkeypatch.setattr(similar_days, "DISTANCES", dict.fromkeys(similar_days.DISTANCES, (0.0,) * 4))
    for name in ("AGE", "LOG_AGE", "SAME_WEEKDAY"):
        monkeypatch.setattr(similar_days, name, (0.0,) * 4)
    monkeypatch.setattr(similar_days, "SAME_KIND", (0.0, 0.0, 50.0, 0.0))
    days = 7 * 12 + 5
    values = 1 + noise(days)
    values[np.arange(days) % 7 >= 5] += 4
    past = history(values.ravel()[: days * 24 - hours_missing])
    told = at_level(asked(past, 24 + hours_missing), 0.5)[hours_missing:]
    assert told[10:16] == pytest.approx(5, abs=0.3)
    assert np.delete(told, range(10, 16)) == pytest.approx(1, abs=0.3)


def test_distances_are_least_for_days_like_the_last_and_need_no_whole_days() -> None:
    rows = np.concatenate([np.full((3, 24), 1.0), np.full((3, 24), 9.0), np.full((3, 24), 1.0)]) + noise(9)
    rows[7, 3:9] = np.nan
    found = distances_of(rows).mean(axis=1)
    assert distances_of(rows)[-1, :6] == pytest.approx(0)
    assert found[[2, 7]].max() < found[[3, 4, 5]].min()


def test_gaps_are_left_out_and_an_old_past_is_named() -> None:
    values = np.tile(np.arange(24.0), 40)
    values[24 * 10 : 24 * 12] = np.nan
    assert at_level(asked(history(values), 24), 0.5) == pytest.approx(np.arange(24), abs=1.5)
    later = history(np.concatenate([values, np.full(24 * 9, np.nan)]))
    assert "No recent value was known for 24 of 24 intervals" in " ".join(asked(later, 24).missing_inputs)


def test_steps_of_hours_or_half_hours_are_the_same_days() -> None:
    values = 1 + np.random.default_rng(2).random((60, 24))
    hours, halves = (at_level(asked(history(np.repeat(values.ravel(), n), step=HOUR / n), 24 * n), 0.5) for n in (1, 2))
    assert np.corrcoef(hours, halves[::2])[0, 1] > 0.8
    assert len(halves) == 48


def test_quantiles_are_those_of_values_measured() -> None:
    values = np.where(np.random.default_rng(7).random((80, 24)) < 0.5, 0.0, 6.0)
    told = asked(history(values.ravel()), 24)
    assert {round(x, 6) for x in at_level(told, 0.05)} == {0.0}
    assert {round(x, 6) for x in at_level(told, 0.95)} == {6.0}
    assert len(LEVELS) == 11


def test_short_pasts_and_long_steps_are_refused_with_a_cure() -> None:
    with pytest.raises(NotEnoughHistory, match=r"5 of the last days of .* are known; similar_days needs 14"):
        asked(history(np.arange(24.0 * 5)), 24)
    with pytest.raises(InvalidInput, match=r"similar_days cannot forecast .* in this step.*trend_season"):
        asked(history(np.arange(60.0), step=DAY), 7)
