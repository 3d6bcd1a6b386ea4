from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from watthour.core.plausibility import (
    PAST_DAYS,
    are_forecasts_unlike_before,
    are_temperatures_unlike_before,
    is_unlike_before,
    past_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

N_DAYS = 60
HOURS = np.arange(24 * N_DAYS)
ASKED = slice(24 * (N_DAYS - 1), None)  # the last day, asked at 12 o'clock of the day before


def load() -> Array:
    """Two months with a clock, weekends and warm and cool weeks, and some noise."""
    rng = np.random.default_rng(3)
    day = HOURS // 24
    level = 1000 * (1 + 0.12 * np.sin(2 * np.pi * day / 19) - 0.1 * (day % 7 >= 5))
    return np.asarray(level * (1 + 0.25 * np.sin(2 * np.pi * HOURS / 24)) * rng.normal(1, 0.02, len(HOURS)))


def judged(values: Array, before: Array | None = None) -> NDArray[np.bool_]:
    known = load() if before is None else before
    past = slice(0, ASKED.start - 12)
    issued = np.full(24, ASKED.start - 12)
    return are_forecasts_unlike_before(HOURS[ASKED], issued, values, HOURS[past], known[past], step=1, day=24)


def one_hour(factor: float) -> Callable[[Array], Array]:
    return lambda values: np.where(np.arange(24) == 17, factor * values, values)


@pytest.mark.parametrize(
    ("fault", "n_doubted"),
    [
        (lambda values: 1000 * values, 24),
        (lambda values: 2 * values, 24),
        (lambda values: 0.5 * values, 24),
        (lambda values: values / 1000, 24),
        (lambda values: -values, 24),
        (lambda values: 0 * values, 24),
        (lambda values: 1e300 * values, 24),
        (one_hour(10), 1),
        (one_hour(1e-3), 1),
        (one_hour(-1), 1),
        (lambda values: values, 0),
        (lambda values: 1.1 * values, 0),
        (lambda values: np.roll(values, 3), 0),  # late by hours: wrong, but not impossible
    ],
)
def test_a_forecast_that_cannot_be_is_doubted_and_another_is_not(
    fault: Callable[[Array], Array], n_doubted: int
) -> None:
    assert judged(fault(load()[ASKED])).sum() == n_doubted


def test_nothing_is_doubted_before_a_week_of_load_is_known() -> None:
    known = np.where(HOURS < 24 * (N_DAYS - 7), np.nan, load())
    assert not judged(1000 * load()[ASKED], known).any()


def test_nothing_is_doubted_where_load_may_be_negative() -> None:
    assert not judged(1000 * load()[ASKED], load() - 1000).any()


def test_a_load_that_varies_more_is_allowed_more() -> None:
    rng = np.random.default_rng(5)
    wild = load() * np.repeat(np.exp(rng.normal(0, 0.5, N_DAYS)), 24)
    calm = load()
    assert judged(2 * calm[ASKED]).all()
    assert not judged(2 * wild[ASKED], wild).any()


def test_only_load_from_before_the_issue_is_looked_at() -> None:
    known_until = np.array([48, 48])
    past = past_of(np.array([50, 70]), known_until, HOURS, HOURS.astype(float), step=1, day=24)
    assert past.shape == (2, PAST_DAYS)
    assert past[:, 0].tolist() == [26.0, 46.0]
    assert np.isnan(past[0, 2:]).all()


def test_values_of_one_day_are_judged_together() -> None:
    past = np.full((4, PAST_DAYS), 100.0)
    values = np.array([100.0, 101.0, 250.0, 251.0])
    assert is_unlike_before(values, past, np.array([0, 0, 1, 1])).tolist() == [False, False, True, True]
    assert is_unlike_before(values[[0, 1, 2]], past[:3], np.array([0, 0, 0])).tolist() == [False, False, True]


def temperature(mean: float) -> Array:
    return np.asarray(mean + 4 * np.sin(2 * np.pi * (HOURS - 9) / 24) + 3 * np.sin(2 * np.pi * HOURS / 24 / 11))


def doubted_days(values: Array, first_new_day: int = 40) -> list[int]:
    """Return the doubted ones of days of measurements, each judged with those before it."""
    is_new = 24 * first_new_day <= HOURS
    found = are_temperatures_unlike_before(HOURS, HOURS // 24, values, is_new, step=1, day=24)
    return sorted(set((HOURS[found] // 24).tolist()))


@pytest.mark.parametrize("mean", [-5.0, 0.0, 12.0, 25.0])
def test_degrees_fahrenheit_as_celsius_are_doubted_as_long_as_the_week_before_is_believed(mean: float) -> None:
    true = temperature(mean)
    false = np.where(HOURS // 24 >= 45, 1.8 * true + 32, true)
    assert doubted_days(true) == []
    assert doubted_days(false)[:10] == list(range(45, 55))
    assert doubted_days(false)[-1] < 45 + 20  # a new level that stays is believed in the end


def test_a_cold_front_is_no_fault() -> None:
    assert doubted_days(temperature(8.0) - 14.0 * (HOURS // 24 >= 45)) == []


def test_a_run_that_contradicts_the_one_before_is_doubted_and_the_next_good_one_is_not() -> None:
    true = temperature(20.0)
    span = np.arange(24 * 40, 24 * 44)
    times = np.concatenate([HOURS[: 24 * 40], span, span, span])
    issued = np.concatenate([HOURS[: 24 * 40] // 24, np.full(96, 40), np.full(96, 41), np.full(96, 42)])
    false = np.where(issued == 41, true[times] - 18.0, true[times])
    found = are_temperatures_unlike_before(times, issued, false, np.ones(len(times), dtype=bool), step=1, day=24)
    assert set(issued[found].tolist()) == {41}
    assert found.sum() == 96
