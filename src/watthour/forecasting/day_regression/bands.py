"""Bands from how far the same forecasts were off on the days before, in parts of how far off they were expected to be.

Every band belongs to its issue: it knows the misses of just the days that were known by then, the last ones counting
most, so it follows a market that grows wilder or calmer.

Source: weights as in Barber et al., Conformal prediction beyond exchangeability, Annals of Statistics 51 (2023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.quantiles import normal_scores, plotting_positions
from watthour.forecasting.vintages import MEDIAN

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array, Instants

HALFLIFE = 60.0  # days after which a miss counts half
LOOK_BACK = 365  # days
_FEWEST_DAYS = 14  # with fewer, misses are taken as normal
_NEIGHBOURS = ((0, 1.0), (-1, 0.5), (1, 0.5))  # hours on the clock whose misses count, and how much


def miss_quantiles(misses: Array, days: Instants, asked: Instants, n_known: Instants) -> Array:
    """Return the quantiles of the misses each request knows of, at ``LEVELS``: (m, hours, levels); the median is zero.

    Args:
        misses: of known days, hour by hour, in parts of the expected deviation, (d, hours, any); NaN where none.
        days: in ascending order, (d,).
        asked: the day each request asks for, (m,).
        n_known: how many of the first days each request knows, (m,).
    """
    hours = misses.shape[1]
    found = np.empty((len(asked), hours, len(LEVELS)))
    normal = normal_scores(LEVELS)
    for row, (day, count) in enumerate(zip(asked.tolist(), n_known.tolist(), strict=True)):
        near = slice(int(np.searchsorted(days, day - LOOK_BACK)), count)
        weights = 0.5 ** ((day - days[near]) / HALFLIFE)
        known = misses[near]
        if np.isfinite(known).any(axis=(1, 2)).sum() < _FEWEST_DAYS:
            found[row] = normal
            continue
        found[row] = _of_request(known, weights)
    level = np.array(LEVELS)
    return np.where(level == MEDIAN, 0.0, np.where(level < MEDIAN, np.minimum(found, 0), np.maximum(found, 0)))


def _of_request(misses: Array, weights: Array) -> Array:
    """Return the weighted quantiles of misses, (d, hours, any), hour by hour, (hours, levels)."""
    hours = misses.shape[1]
    effective = weights.sum() ** 2 / (weights**2).sum()
    outward = np.clip(0.5 + (np.array(LEVELS) - 0.5) * (effective + 1) / effective, 0.001, 0.999)
    found = np.empty((hours, len(LEVELS)))
    for hour in range(hours):
        near = [((hour + apart) % hours, share) for apart, share in _NEIGHBOURS[:hours]]
        values = np.concatenate([misses[:, column].ravel() for column, _ in near])
        of_value = np.concatenate([np.repeat(weights * share, misses.shape[2]) for _, share in near])
        there = np.isfinite(values)
        ordered, of_each, position = plotting_positions(values[there], of_value[there])
        found[hour] = np.interp(outward * of_each.sum(), position, ordered)
    return found
