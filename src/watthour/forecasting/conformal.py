"""By how much a 90 % band is to be widened or narrowed so that it covers what it says.

Source: Gibbs and Candes, Adaptive Conformal Inference Under Distribution Shift, NeurIPS 34 (2021), arXiv:2106.00170;
here by the weighted quantile of past misses, so that an answer depends on nothing else that is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.quantiles import HALF_NORMAL, normal_scores, plotting_positions

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array

_LOWER, _MIDDLE, _UPPER = (LEVELS.index(level) for level in (0.05, 0.5, 0.95))
_SHARE = 0.9  # of the measurements within the band
_OF_A_BAND_THAT_HOLDS = HALF_NORMAL / normal_scores([0.95])


def misses_of(actual: Array, quantiles: Array) -> Array:
    """Return how far values, (...), lay from the middle of quantiles, (..., ``LEVELS``), in parts of that half."""
    middle = quantiles[..., _MIDDLE]
    away = actual - middle
    half = np.where(away < 0, middle - quantiles[..., _LOWER], quantiles[..., _UPPER] - middle)
    return np.asarray(np.abs(away) / np.maximum(half, 1e-9))


def band_scale(
    misses: Array, weights: Array, *, total: float, squares: float, prior: float, limits: tuple[float, float]
) -> float:
    """Return what the distances from the middle are to be multiplied with: a weighted quantile of misses.

    The share moves outwards as conformal prediction asks, by the effective number of groups, as those of one day or
    issue err together; the more so, the more these count beside a band that holds.

    Args:
        misses: (n,) as ``misses_of`` returns them.
        weights: (n,) how much each counts.
        total: the sum of the weights of the groups.
        squares: the sum of their squares.
        prior: how much the misses of a band that holds count beside them.
        limits: of what is returned.
    """
    everything = total + prior
    n_groups = everything**2 / (squares + prior)
    wanted = _SHARE * (1 + total / everything / n_groups)
    values = np.concatenate([misses, _OF_A_BAND_THAT_HOLDS])
    weights = np.concatenate([weights, np.full(len(_OF_A_BAND_THAT_HOLDS), prior / len(_OF_A_BAND_THAT_HOLDS))])
    ordered, _, position = plotting_positions(values, weights)
    return float(np.clip(np.interp(wanted * weights.sum(), position, ordered), *limits))


def widened(quantiles: Array, factor: float | Array) -> Array:
    """Return quantiles, (n, ``LEVELS``), at so many times their distance from the middle."""
    middle = quantiles[:, [_MIDDLE]]
    return np.asarray(middle + (quantiles - middle) * factor)
