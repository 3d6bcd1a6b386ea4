"""Quantiles of weighted values, and those of a standard normal that stand in for errors nobody has seen yet."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from watthour.forecasting.vintages import Array


def normal_scores(levels: Iterable[float]) -> Array:
    """Return the quantiles of a standard normal at some levels, (levels,)."""
    return np.array([NormalDist().inv_cdf(level) for level in levels])


HALF_NORMAL = normal_scores(0.5 + (k + 0.5) / 200 for k in range(100))  # equally likely sizes of standard normal errors


def plotting_positions(values: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Return values in ascending order, their weights, and the weight up to the middle of each, all (n,).

    The last over the sum of the weights is the level each value is the quantile of.

    Source: Hazen, Transactions of the ASCE 77 (1914), for equal weights.
    """
    order = np.argsort(values)
    ordered = weights[order]
    return values[order], ordered, np.cumsum(ordered) - ordered / 2


def mean_of_quantiles(quantiles: Array) -> Array:
    """Return the means, (n,), of distributions given by their quantiles, (n, ``LEVELS``).

    Between the levels the quantiles are joined by straight lines; beyond the last ones the tails are exponential.
    """
    levels = np.array(LEVELS)
    within = ((quantiles[:, 1:] + quantiles[:, :-1]) / 2) @ np.diff(levels)
    above = (quantiles[:, -1] - quantiles[:, -2]) / np.log((1 - levels[-2]) / (1 - levels[-1]))
    below = (quantiles[:, 1] - quantiles[:, 0]) / np.log(levels[1] / levels[0])
    return np.asarray(within + (1 - levels[-1]) * (quantiles[:, -1] + above) + levels[0] * (quantiles[:, 0] - below))
