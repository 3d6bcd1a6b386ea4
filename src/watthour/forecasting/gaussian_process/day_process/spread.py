"""How far off a forecast may be: a scale from recent errors, weather and calendar, and the quantiles around it.

Conformal in spirit: the quantiles are those of the errors that the same forecaster made online, each divided by the
scale it had then, over the last year that each request may know. Where the days since then left the 90 % band more
often than one time in ten, all quantiles move out, where less often, in.

Source: Gibbs and Candes, Adaptive Conformal Inference Under Distribution Shift, NeurIPS 34 (2021), arXiv:2106.00170.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.panel import mean_known
from watthour.forecasting.quantiles import normal_scores

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_SMALLEST = 0.002  # of log load; an error below 0.2 % is as good as none
_FLOOR = 1e-4
_FAST, _SLOW, _BY_INTERVAL = 10.0, 60.0, 90.0  # half-lives [days] of the running mean errors
_WINDOW = 365  # days of errors the quantiles come from
_BURN_IN = 30  # days before which the running means say little
_PRIOR = {1: 0.2, 2: 0.8}  # shares of the fast and slow mean error before any data; sum to 1, so that a scale is a size
_RIDGE = 5.0
_SIGMA = math.sqrt(math.pi / 2)  # of normal errors, in parts of their mean size
_OF_DOUBT = 0.5  # of a change that was seen but not counted on, as a scale
_BAND = (0.05, 0.95)
_STEP = 0.5  # by which a day wholly outside of its band widens the next ones, log of the width
_KEPT = 0.98  # of the widening from one day to the next
_WIDENING = (math.log(0.5), math.log(3.0))  # at least and at most
_RENEWED = 7  # days after which the bands that days are counted against are worked out anew
_BLOCKS, _REACH = 6, 12  # blocks of a day with quantiles of their own; a block's errors reach a twelfth of a day beyond


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Online errors of past days, and the regression that turns what is known of a day into a scale."""

    index: Array  # (n,) day numbers
    errors: Array  # (n, intervals) log actual minus log forecast
    weights: Array  # (t + 1, 3 + k) learnt from the first 0, 1, .. t days
    scales: Array  # (n, intervals) as they were expected online
    widening: Array  # (n + 1,) log of what the quantiles are multiplied with after the first 0, 1, .. n days

    @classmethod
    def fit(cls, index: Array, errors: Array, features: Array, lag: int, doubt: Array) -> Self:
        """Learn from the online errors of days in order of time; ``lag`` days are unknown at each issue.

        Args:
            index: day numbers, (n,).
            errors: (n, intervals), NaN where unknown.
            features: (n, k).
            lag: days from the last day known whole to the day asked for.
            doubt: how large that part of a change is which was seen, but not counted on, (n, intervals).
        """
        n_known = np.searchsorted(index, index - lag, side="right")
        known = np.arange(len(index))[None, :] < n_known[:, None]
        sizes = np.abs(errors)
        terms = _terms(index, sizes, known, features, index)
        log_size = np.log(np.maximum(sizes, _SMALLEST))[:, _has_errors(errors)].mean(axis=1)
        weights = _weights(terms, log_size)
        scales = _wider(_scales(terms, weights[n_known], _interval_shape(index, sizes, known, index)), doubt)
        return cls(index, errors, weights, scales, _widening(np.zeros(1), errors / scales, n_known))

    def quantiles(
        self, index: Array, features: Array, last_known: Array, levels: tuple[float, ...], doubt: Array
    ) -> Array:
        """Return how far each level lies from the forecast, in log load, shape (m, intervals, levels).

        Args:
            index: day numbers of the asked days, (m,).
            features: their features, (m, k).
            last_known: the last day number whose error each request may know, (m,).
            levels: of the quantiles.
            doubt: as in ``fit``, (m, intervals).
        """
        scale = _wider(self.scale_of(index, features, self.index[None, :] <= last_known[:, None]), doubt)
        n_known = np.searchsorted(self.index, last_known, side="right")
        ratios = self.errors / self.scales
        offsets = np.empty((len(index), ratios.shape[1], len(levels)))
        for n_days in np.unique(n_known):
            offsets[n_known == n_days] = _quantiles(ratios, n_days, levels)
        return offsets * (scale * np.exp(self.widening[n_known])[:, None])[:, :, None]

    def extended(self, index: Array, errors: Array, features: Array, lag: int, doubt: Array) -> Spread:
        """Return the same spread with the errors of later days added; arguments as in ``fit``.

        Of r later days: the index is (r,), errors and doubt are (r, intervals) and features (r, k).
        """
        both = replace(self, index=np.concatenate([self.index, index]), errors=np.concatenate([self.errors, errors]))
        known = both.index[None, :] <= index[:, None] - lag
        scales = np.concatenate([self.scales, _wider(both.scale_of(index, features, known), doubt)])
        widening = _widening(self.widening, both.errors / scales, known.sum(axis=1))
        return replace(both, scales=scales, widening=widening)

    def scale_of(self, index: Array, features: Array, known: Mask) -> Array:
        """Return the scale of asked days from the days each may know, (m, intervals)."""
        sizes = np.abs(self.errors)
        n_learnt = np.minimum(known.sum(axis=1), len(self.weights) - 1)
        terms = _terms(index, sizes, known, features, self.index)
        return _scales(terms, self.weights[n_learnt], _interval_shape(index, sizes, known, self.index))


def _wider(scales: Array, doubt: Array) -> Array:
    """Return scales of days that also cover what may or may not last of a change, (m, intervals)."""
    return np.asarray(np.hypot(scales, _OF_DOUBT * doubt))


def _weights(terms: Array, log_size: Array) -> Array:
    """Return the ridge regression of log sizes on terms, learnt from the first 0, 1, .. n days, (n + 1, terms)."""
    n_terms = terms.shape[1]
    usable = np.isfinite(log_size) & np.isfinite(terms).all(axis=1) & (np.arange(len(terms)) >= _BURN_IN)
    prior = np.zeros(n_terms)
    prior[list(_PRIOR)] = list(_PRIOR.values())
    learnt, left = np.where(usable[:, None], terms, 0.0), np.where(usable, log_size - terms @ prior, 0.0)
    gram = np.cumsum(learnt[:, :, None] * learnt[:, None, :], axis=0)
    moment = np.cumsum(learnt * left[:, None], axis=0)
    found = np.linalg.solve(gram + np.diag([1e-6, *[_RIDGE] * (n_terms - 1)]), moment[:, :, None])[:, :, 0]
    return np.concatenate([prior[None], prior + found])


def _scales(terms: Array, weights: Array, shape: Array) -> Array:
    return np.asarray(np.exp((terms * weights).sum(axis=1)[:, None] + shape))


def _widening(before: Array, ratios: Array, n_known: Instants) -> Array:
    """Return the log of the widening after the first 0, 1, .. n days, (n + 1,), given that of the first ones.

    Args:
        before: (k + 1,).
        ratios: errors in parts of their scale, (n, intervals).
        n_known: how many of the days each of the last n - k days may know, (n - k,).
    """
    first = len(before) - 1
    found = np.concatenate([before, np.zeros(len(ratios) - first)])
    bands: dict[int, Array] = {}
    for day, n_days in enumerate(n_known.tolist(), start=first):
        found[day + 1] = found[day]
        there = np.isfinite(ratios[day])
        if day < _BURN_IN or not there.any():
            continue
        renewed = n_days // _RENEWED * _RENEWED
        if renewed not in bands:
            bands[renewed] = _quantiles(ratios, renewed, _BAND)
        lower, upper = (np.exp(found[n_days]) * bands[renewed]).T
        outside = (ratios[day] < np.minimum(lower, 0)) | (ratios[day] > np.maximum(upper, 0))
        surprise = outside[there].mean() - (1 - _BAND[1] + _BAND[0])
        found[day + 1] = np.clip(_KEPT * found[day] + _STEP * surprise, *_WIDENING)
    return found


def _quantiles(ratios: Array, n_days: int, levels: tuple[float, ...]) -> Array:
    """Return quantiles of the ratios of the first days around each interval, (intervals, levels).

    Those of normal errors where none is known.
    """
    ratios = ratios[_BURN_IN:n_days][-_WINDOW:]
    n = ratios.shape[1]
    offsets = np.tile(_SIGMA * normal_scores(levels), (n, 1))
    block, reach = max(1, round(n / _BLOCKS)), round(n / _REACH)
    for start in range(0, n, block):
        pool = ratios[:, np.arange(start - reach, start + block + reach) % n]
        pool = pool[np.isfinite(pool)]
        if pool.size:
            offsets[start : start + block] = np.quantile(pool, levels)
    return offsets


def _terms(asked: Array, sizes: Array, known: Mask, features: Array, index: Array) -> Array:
    day_size = mean_known(sizes)[:, None]
    running = [np.log(_running(asked, day_size, known, index, days)[:, 0] + _FLOOR) for days in (_FAST, _SLOW)]
    return np.column_stack([np.ones(len(asked)), *running, features])


def _interval_shape(asked: Array, sizes: Array, known: Mask, index: Array) -> Array:
    shape = np.log(_running(asked, sizes, known, index, _BY_INTERVAL) + _FLOOR)
    return np.asarray(shape - shape[:, _has_errors(sizes)].mean(axis=1, keepdims=True))


def _has_errors(errors: Array) -> Mask:
    """Return which intervals have an error on any day, (intervals,); those known at issue have none."""
    return np.asarray(np.isfinite(errors).any(axis=0))


def _running(asked: Array, sizes: Array, known: Mask, index: Array, halflife: float) -> Array:
    """Return exponentially weighted means of the sizes each request may know, shape (m, columns)."""
    age = np.maximum(asked.astype(np.int64)[:, None] - index.astype(np.int64)[None, :], 0)
    weights = (0.5 ** (np.arange(int(age.max(initial=0)) + 1) / halflife))[age]
    weights *= known
    there = np.isfinite(sizes)
    total = weights @ np.where(there, sizes, 0.0)
    return np.asarray(total / np.maximum(weights @ there, 1e-300) + 1e-12)
