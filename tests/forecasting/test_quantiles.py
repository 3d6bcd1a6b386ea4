"""Quantiles of weighted values, and the scale of a band by past misses."""

from __future__ import annotations

import numpy as np
import pytest

from watthour.core.frames import LEVELS
from watthour.forecasting.conformal import band_scale, misses_of, widened
from watthour.forecasting.quantiles import mean_of_quantiles, normal_scores, plotting_positions

LIMITS = (0.1, 10.0)


def test_equal_weights_give_the_quantiles_of_hazen() -> None:
    values = np.random.default_rng(1).normal(size=37)
    ordered, _, position = plotting_positions(values, np.full(37, 2.0))
    levels = np.array([0.05, 0.5, 0.9])
    assert np.interp(levels, position / 74, ordered) == pytest.approx(np.quantile(values, levels, method="hazen"))


def test_weights_stay_with_their_values() -> None:
    ordered, weights, position = plotting_positions(np.array([3.0, 1.0, 2.0]), np.array([4.0, 1.0, 2.0]))
    assert (ordered.tolist(), weights.tolist()) == ([1, 2, 3], [1, 2, 4])
    assert position.tolist() == [0.5, 2.0, 5.0]


@pytest.mark.parametrize("deviation", [0.5, 1.0, 3.0])
def test_a_band_is_scaled_to_cover_what_it_says(deviation: float) -> None:
    """Errors of a normal are held against the band of the standard normal."""
    n = 4000
    bands = np.tile(normal_scores(LEVELS), (n, 1))
    actual = deviation * np.random.default_rng(2).normal(size=n)
    misses = misses_of(actual, bands)
    scale = band_scale(misses, np.ones(n), total=float(n), squares=float(n), prior=5.0, limits=LIMITS)
    assert scale == pytest.approx(deviation, rel=0.05)
    wider = widened(bands, scale)
    inside = (actual >= wider[:, LEVELS.index(0.05)]) & (actual <= wider[:, LEVELS.index(0.95)])
    assert inside.mean() == pytest.approx(0.9, abs=0.01)


def test_a_miss_is_counted_in_parts_of_its_own_half() -> None:
    bands = np.zeros((2, len(LEVELS)))
    bands[:, LEVELS.index(0.05)], bands[:, LEVELS.index(0.95)] = -2.0, 4.0
    assert misses_of(np.array([-1.0, 6.0]), bands).tolist() == [0.5, 1.5]


def test_without_misses_the_band_stays_as_it_is() -> None:
    scale = band_scale(np.empty(0), np.empty(0), total=0.0, squares=0.0, prior=5.0, limits=LIMITS)
    assert scale == pytest.approx(1.0, abs=0.01)


def test_a_scale_stays_within_its_limits() -> None:
    misses = np.full(50, 100.0)
    assert band_scale(misses, np.ones(50), total=50.0, squares=50.0, prior=5.0, limits=LIMITS) == 10.0


def test_the_mean_of_quantiles_is_that_of_the_distribution_skewed_or_not() -> None:
    level = np.array(LEVELS)
    exponential, uniform = -np.log(1 - level), level
    means = mean_of_quantiles(np.stack([exponential, uniform, 3 + uniform]))
    assert means == pytest.approx([1.0, 0.5, 3.5], abs=0.02)
