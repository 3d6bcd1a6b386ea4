"""Bands from how far the same forecasts were off on the days before, in parts of how far off they were expected to be.

Every band belongs to its issue: it knows the misses of just the days that were known by then, the last ones counting
most, so it follows a market that grows wilder or calmer.

Source: weights as in Barber et al., Conformal prediction beyond exchangeability, Annals of Statistics 51 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.quantiles import normal_scores
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
    ascending = _Ascending.of(misses)
    found = np.empty((len(asked), misses.shape[1], len(LEVELS)))
    normal = normal_scores(LEVELS)
    for row, (day, count) in enumerate(zip(asked.tolist(), n_known.tolist(), strict=True)):
        near = slice(int(np.searchsorted(days, day - LOOK_BACK)), count)
        weights = 0.5 ** ((day - days[near]) / HALFLIFE)
        if np.isfinite(misses[near]).any(axis=(1, 2)).sum() < _FEWEST_DAYS:
            found[row] = normal
            continue
        found[row] = ascending.quantiles(near, weights)
    level = np.array(LEVELS)
    return np.where(level == MEDIAN, 0.0, np.where(level < MEDIAN, np.minimum(found, 0), np.maximum(found, 0)))


@dataclass(frozen=True, slots=True, eq=False)
class _Ascending:
    """The misses that count for each hour of the clock, in ascending order, so that each request need not sort them."""

    values: Array  # (n, hours); NaN stands last
    rows: Instants  # (n, hours) the day of each
    shares: Array  # (n, hours) how much each counts, beside the weight of its day

    @classmethod
    def of(cls, misses: Array) -> Self:
        """Sort misses, (d, hours, any)."""
        n_days, hours, n_each = misses.shape
        near = [(np.roll(misses, -apart, axis=1), share) for apart, share in _NEIGHBOURS[:hours]]
        values = np.concatenate([each.transpose(0, 2, 1).reshape(-1, hours) for each, _ in near])
        shares = np.repeat([share for _, share in near], n_days * n_each)[:, None] * np.isfinite(values)
        rows = np.tile(np.repeat(np.arange(n_days), n_each), len(near))
        order = np.argsort(values, axis=0)  # NaN last
        return cls(np.take_along_axis(values, order, axis=0), rows[order], np.take_along_axis(shares, order, axis=0))

    def quantiles(self, days: slice, weights: Array) -> Array:
        """Return the weighted quantiles of the misses of some days, hour by hour: (hours, levels).

        Args:
            days: rows of them.
            weights: of these.
        """
        effective = weights.sum() ** 2 / (weights**2).sum()
        outward = np.clip(0.5 + (np.array(LEVELS) - 0.5) * (effective + 1) / effective, 0.001, 0.999)
        found = np.empty((self.values.shape[1], len(LEVELS)))
        of_day = np.zeros(int(self.rows.max()) + 1)
        of_day[days] = weights
        for hour in range(len(found)):
            of_each = self.shares[:, hour] * of_day[self.rows[:, hour]]
            there = of_each > 0
            of_each = of_each[there]
            position = np.cumsum(of_each) - of_each / 2  # as ``plotting_positions``
            found[hour] = np.interp(outward * of_each.sum(), position, self.values[there, hour])
        return found
