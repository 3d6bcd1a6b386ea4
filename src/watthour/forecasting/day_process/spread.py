"""How far off a forecast may be: a scale from recent errors, weather and calendar, and the quantiles around it.

Conformal in spirit: the quantiles are those of the errors that the same forecaster made online, each divided by the
scale it had then, over the last year that each ask may know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from watthour.forecasting.day_process.asks import Mask
    from watthour.forecasting.vintages import Array

_SMALLEST = 0.002  # of log load; an error below 0.2 % is as good as none
_FLOOR = 1e-4
_FAST, _SLOW, _HOURLY = 10.0, 60.0, 90.0  # half-lives [days] of the running mean errors
_WINDOW = 365  # days of errors the quantiles come from
_BURN_IN = 90  # days before which the running means say little
_PRIOR = {1: 0.2, 2: 0.5}  # how much of the fast and slow mean error is believed before any data
_BLOCK, _REACH = 4, 2  # quantiles per block of hours, from the errors of it and of the hours beside it


@dataclass(frozen=True, slots=True)
class Spread:
    """Online errors of past days, and the regression that turns what is known of a day into a scale."""

    index: Array  # (n,) day numbers
    errors: Array  # (n, 24) log actual minus log forecast
    features: Array  # (n, k)
    weights: Array  # (3 + k,)
    scales: Array  # (n, 24)

    @classmethod
    def fit(cls, index: Array, errors: Array, features: Array, lag: int) -> Spread:
        """Learn from the online errors of days in order of time; ``lag`` days are unknown at each issue."""
        sizes = np.abs(errors)
        known = index[None, :] <= index[:, None] - lag
        terms = _terms(index, sizes, known, features, index)
        log_size = np.log(np.maximum(sizes, _SMALLEST)).mean(axis=1)
        usable = np.isfinite(log_size) & np.isfinite(terms).all(axis=1) & (np.arange(len(index)) >= _BURN_IN)
        prior = np.zeros(terms.shape[1])
        for column, value in _PRIOR.items():
            prior[column] = value
        ridge = np.diag([1e-6, *([5.0] * (terms.shape[1] - 1))])
        learnt = terms[usable]
        weights = prior + np.linalg.solve(learnt.T @ learnt + ridge, learnt.T @ (log_size[usable] - learnt @ prior))
        scales = np.exp((terms @ weights)[:, None] + _hour_shape(index, sizes, known, index))
        return cls(index, errors, features, weights, scales)

    def quantiles(self, index: Array, features: Array, last_known: Array, levels: tuple[float, ...]) -> Array:
        """Return how far each level lies from the forecast, in log load, shape (m, 24, levels).

        Args:
            index: day numbers of the asked days, (m,).
            features: their features, (m, k).
            last_known: the last day number whose error each ask may know, (m,).
            levels: of the quantiles.
        """
        sizes = np.abs(self.errors)
        known = self.index[None, :] <= last_known[:, None]
        terms = _terms(index, sizes, known, features, self.index)
        scale = np.exp((terms @ self.weights)[:, None] + _hour_shape(index, sizes, known, self.index))
        ratios = self.errors / self.scales
        ratios[:_BURN_IN] = np.nan
        offsets = np.zeros((len(index), 24, len(levels)))
        for ask in range(len(index)):
            recent = ratios[known[ask]][-_WINDOW:]
            for start in range(0, 24, _BLOCK):
                hours = np.arange(start - _REACH, start + _BLOCK + _REACH) % 24
                pool = recent[:, hours]
                pool = pool[np.isfinite(pool)]
                if pool.size:
                    offsets[ask, start : start + _BLOCK] = np.quantile(pool, levels)
        return offsets * scale[:, :, None]

    def extended(self, index: Array, errors: Array, features: Array, lag: int) -> Spread:
        """Return the same spread with the errors of later days added."""
        both = np.concatenate([self.index, index])
        sizes = np.abs(np.concatenate([self.errors, errors]))
        known = both[None, :] <= index[:, None] - lag
        terms = _terms(index, sizes, known, features, both)
        scales = np.exp((terms @ self.weights)[:, None] + _hour_shape(index, sizes, known, both))
        return Spread(
            both,
            np.concatenate([self.errors, errors]),
            np.concatenate([self.features, features]),
            self.weights,
            np.concatenate([self.scales, scales]),
        )


def _terms(asked: Array, sizes: Array, known: Mask, features: Array, index: Array) -> Array:
    day_size = _mean_known(sizes)
    running = [
        np.log(_running(asked, day_size[:, None], known, index, halflife)[:, 0] + _FLOOR) for halflife in (_FAST, _SLOW)
    ]
    return np.column_stack([np.ones(len(asked)), *running, features])


def _hour_shape(asked: Array, sizes: Array, known: Mask, index: Array) -> Array:
    shape = np.log(_running(asked, sizes, known, index, _HOURLY) + _FLOOR)
    return np.asarray(shape - shape.mean(axis=1, keepdims=True))


def _running(asked: Array, sizes: Array, known: Mask, index: Array, halflife: float) -> Array:
    """Return exponentially weighted means of the sizes each ask may know, shape (m, columns)."""
    age = np.maximum(asked[:, None] - index[None, :], 0)
    weights = known * 0.5 ** (age / halflife)
    there = np.isfinite(sizes)
    total = weights @ np.where(there, sizes, 0.0)
    return np.asarray(total / np.maximum(weights @ there, 1e-300) + 1e-12)


def _mean_known(sizes: Array) -> Array:
    there = np.isfinite(sizes)
    count = there.sum(axis=1)
    return np.asarray(np.where(count > 0, np.where(there, sizes, 0).sum(axis=1) / np.maximum(count, 1), np.nan))
