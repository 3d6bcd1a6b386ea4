"""How far off forecasts of each lead were on past days, and bands that are as wide as that.

The factor of days in order of time holds what would have been expected of each day from any span of days before it,
so the errors of all leads cost little. Quantiles are those of the errors of the last weeks, recent ones counting
more, beside some normal ones.

Source: Gibbs and Candes, Adaptive Conformal Inference Under Distribution Shift, NeurIPS 34 (2021), arXiv:2106.00170;
here by the weighted quantile of past errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.quantiles import HALF_NORMAL, plotting_positions

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.hour_process.hour_regression import HourRegression
    from watthour.forecasting.vintages import Array, Instants

LEADS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 14, 28])  # days from the last known one
SETTLING_DAYS = 100  # whose errors say little, since little was known
_HALFLIFE = 10.0  # days after which an error counts half
_PRIOR_DAYS = 5.0  # that normal errors count for
_LARGEST = 8.0  # deviations that an error counts at most
_SHARES = np.abs(2 * np.array(LEVELS) - 1)  # of the errors within the band that ends at each level
_SIDES = np.sign(np.array(LEVELS) - 0.5)


def past_errors(
    regression: HourRegression, days: Instants, prior: Array, noise: Array, shifts: Array, *, first: int
) -> Array:
    """Return errors of days at one hour, over what was expected of their size, (n + r - first, leads); NaN if unknown.

    Args:
        regression: of n training days and r later ones.
        days: their numbers, (n + r,).
        prior: variance of each without noise and shifts, (n + r,).
        noise: (n + r,).
        shifts: variance that has come to the level, (n + r,).
        first: the first day to be looked at; one of the training days only if there are no later ones.
    """
    trained, later = regression.trained.factor, regression.updates.factor
    n_trained, n_later = regression.whitened_updates.shape
    if len(days) == first:
        return np.empty((0, len(LEADS)))
    rows = np.concatenate([regression.whitened_updates.T, later.lower], axis=1) if n_later else trained.lower[first:]
    whitened = np.concatenate([trained.whitened[:, 0], later.whitened[:, 0]])
    ones = np.concatenate([trained.whitened_ones, np.zeros(n_later)])
    last_known = np.searchsorted(days, days[first:, None] - LEADS, side="right") - 1  # (rows, leads)
    sums = (np.cumsum(rows * each, axis=1) for each in (whitened, ones, rows))
    told, of_ones, explained = (np.take_along_axis(each, last_known, axis=1) for each in sums)
    actual = rows @ whitened
    if n_later:  # whose values were whitened without what the mean of the training days says
        actual += trained.means[-1, 0] * (1 - rows @ ones)
    expected = told + trained.means[np.minimum(last_known + 1, n_trained), 0] * (1 - of_ones)
    variance = prior[first:, None] + shifts[last_known] - explained + noise[first:, None]
    ratios = (actual[:, None] - expected) / np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny))
    is_settled = (last_known >= 0) & (np.arange(first, len(days)) >= SETTLING_DAYS)[:, None]
    return np.where(is_settled, ratios, np.nan)


def band(ratios: Array, ages: Instants) -> Array:
    """Return by how many deviations each level lies from the middle, (levels,).

    Args:
        ratios: errors of days, over what was expected of their size, (days, 24); NaN where unknown.
        ages: of the days, (days,).
    """
    there = np.isfinite(ratios)
    of_day = 0.5 ** (ages / _HALFLIFE) * there.any(axis=1)
    per_hour = (of_day / np.maximum(there.sum(axis=1), 1))[:, None] * there
    sizes = np.concatenate([np.minimum(np.abs(ratios[there]), _LARGEST), HALF_NORMAL])
    weights = np.concatenate([per_hour[there], np.full(len(HALF_NORMAL), _PRIOR_DAYS / len(HALF_NORMAL))])
    ordered, _, position = plotting_positions(sizes, weights)
    share = position / weights.sum()
    away = np.interp(_SHARES, np.concatenate([[0.0], share]), np.concatenate([[0.0], ordered]))
    return np.asarray(_SIDES * away)
