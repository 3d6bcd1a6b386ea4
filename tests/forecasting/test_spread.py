"""Bands of the day process: from the first weeks of a series on, and through weeks that are hard to forecast."""

import numpy as np
import pytest

from watthour.forecasting.gaussian_process.day_process.spread import Spread

LEVELS = (0.05, 0.5, 0.95)
HOURS, LAG = 24, 2


def inside(errors: np.ndarray, days: range) -> np.ndarray:
    """Return the share of each day's errors in the 90 % band made of the days up to two before it."""
    n = len(errors)
    index, features, doubt = np.arange(n, dtype=np.float64), np.zeros((n, 0)), np.zeros_like(errors)
    spread = Spread.fit(index, errors, features, LAG, doubt)
    asked = np.array(days)
    band = spread.quantiles(asked, features[asked], asked - LAG, LEVELS, doubt[asked])
    return np.asarray(((errors[asked] >= band[..., 0]) & (errors[asked] <= band[..., -1])).mean(axis=1))


def errors_of(sizes: np.ndarray, seed: int) -> np.ndarray:
    """Return errors of days whose hours err together."""
    rng = np.random.default_rng(seed)
    n = len(sizes)
    return sizes[:, None] * (0.7 * rng.standard_normal((n, 1)) + 0.7 * rng.standard_normal((n, HOURS)))


@pytest.mark.parametrize("days", [range(32, 62), range(62, 92), range(92, 122)])
def test_bands_of_a_young_series_hold_nine_tenths(days: range) -> None:
    shares = [inside(errors_of(np.full(130, size), seed), days).mean() for seed in range(3) for size in (0.01, 0.04)]

    assert 0.86 <= np.mean(shares) <= 0.94


def test_months_that_are_hard_to_forecast_are_held_like_the_easy_ones() -> None:
    months = np.stack([inside(errors_of(sizes_that_swing(seed), seed + 1), range(200, 500)) for seed in (2, 4)])
    months = months.reshape(2, -1, 30).mean(axis=2)

    assert 0.88 <= months.mean() <= 0.92
    assert months.std(axis=1).mean() < 0.03  # 0.035 by slower bands that do not come back by themselves


def sizes_that_swing(seed: int) -> np.ndarray:
    """Return the sizes of the errors of days, which grow and shrink within weeks."""
    rng = np.random.default_rng(seed)
    swing = np.zeros(500)
    for day in range(1, len(swing)):
        swing[day] = 0.95 * swing[day - 1] + 0.2 * rng.standard_normal()
    return 0.02 * np.exp(swing)
