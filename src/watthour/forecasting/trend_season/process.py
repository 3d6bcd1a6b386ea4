"""Forecasts of rows from all rows before them, for many origins from one factor, and the learning of the constants.

With K = L L' in order of time, the forecast of row t from the rows before k is L[t, :k] v[:k], where v are the
innovations, and its variance is K[t, t] less the squares of L[t, :k].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import DAYS_IN_YEAR
from watthour.forecasting.gaussian_process.conditioning import inverse_of
from watthour.forecasting.trend_season.kernel import NAMES, covariance, with_gradient

if TYPE_CHECKING:
    from watthour.forecasting.trend_season.kernel import Rows
    from watthour.forecasting.vintages import Array, Instants

MOST_SURPRISING = 4.0  # innovations beyond so many deviations count as this: outages and spikes
_UNKNOWN = 1e8  # variance of a row that was not measured
_PRIOR = {  # each constant before anything is learned, and the deviation of its logarithm
    "level": (1.0, 1.0),
    "level_days": (2000.0, 1.0),
    "trend": (0.2, 1.0),
    "year": (0.7, 1.0),
    "year_width": (0.8, 0.4),
    "year_days": (100_000.0, 0.7),
    "week": (0.3, 1.0),
    "week_days": (600.0, 0.7),
    "slow": (0.3, 0.7),
    "slow_days": (25.0, 1.2),
    "fast": (0.4, 0.7),
    "fast_days": (3.0, 0.7),
    "noise": (0.15, 1.0),
}
# What came once may be no season: with a width free to shrink, weeks of outage come again a year later.
_SEEN_TWICE, _WIDTH_SEEN_ONCE = 2.0, 0.15  # [years]
_FIRM = 4.0  # bounds of the search, in these deviations


class Filter:
    """Rows and what was measured of them, conditioned in order of time."""

    def __init__(self, constants: Array, rows: Rows, values: Array) -> None:
        """Condition rows on their values, (n, c) of c series with the same constants; NaN was not measured."""
        self._spread = covariance(constants, rows)
        self._factor, self._innovations = _conditioned(self._spread, values)

    def forecasts(self, origins: Instants, at: Instants) -> tuple[Array, Array]:
        """Return the mean, (m, c), and the variance, (m,), of rows ``at``, each from the rows before its origin."""
        mean, variance = np.empty((len(at), self._innovations.shape[1])), np.empty(len(at))
        for origin in np.unique(origins).tolist():
            mine = np.flatnonzero(origins == origin)
            weights = self._factor[at[mine], :origin]
            mean[mine] = weights @ self._innovations[:origin]
            variance[mine] = self._spread[at[mine], at[mine]] - (weights**2).sum(axis=1)
        return mean, np.maximum(variance, 1e-9)

    def amended(self, begin: int, values: Array, at: Instants) -> tuple[Array, Array]:
        """Return what ``forecasts`` does, from the rows before ``begin`` and other values of those after: (k, c)."""
        asked = np.concatenate([np.arange(begin, begin + len(values)), at])
        weights = self._factor[asked, :begin]
        before = weights @ self._innovations[:begin]
        spread = self._spread[np.ix_(asked, asked)] - weights @ weights.T
        n_new = len(values)
        mean, variance = before[n_new:], np.diag(spread)[n_new:]
        if n_new:
            factor, found = _conditioned(spread[:n_new, :n_new], values - before[:n_new])
            share = np.linalg.solve(factor, spread[:n_new, n_new:]).T
            mean, variance = mean + share @ found, variance - (share**2).sum(axis=1)
        return mean, np.maximum(variance, 1e-9)

    def tamed(self) -> Array:
        """Return the values, (n, c), with what surprised more than ``MOST_SURPRISING`` cut, to learn constants from."""
        return np.asarray(self._factor @ self._innovations)


def _conditioned(spread: Array, values: Array) -> tuple[Array, Array]:
    """Return the factor of a covariance, and the innovations of each row in deviations, (n, c)."""
    missing = np.isnan(values).any(axis=1)
    factor = np.linalg.cholesky(spread + np.diag(_UNKNOWN * missing))
    found = np.zeros_like(values)
    for k in np.flatnonzero(~missing).tolist():
        surprise = (values[k] - factor[k, :k] @ found[:k]) / factor[k, k]
        found[k] = np.clip(surprise, -MOST_SURPRISING, MOST_SURPRISING)
    return np.asarray(factor, dtype=np.float64), found


def learn(rows: Rows, values: Array, start: Array | None = None, *, most_steps: int = 25) -> Array:
    """Return the constants of largest posterior probability, as logarithms in the order of ``NAMES``.

    Args:
        rows: in order of time.
        values: (n, c) of c series that share the constants, none missing.
        start: where the search begins.
        most_steps: of the search.
    """
    from scipy.linalg import lapack  # slow to import
    from scipy.optimize import minimize

    centre, deviation = _prior(rows)

    def loss(constants: Array) -> tuple[float, Array]:
        spread, slopes = with_gradient(constants, rows)
        factor, failed = lapack.dpotrf(spread, lower=1)
        if failed:
            return 1e10, np.zeros_like(constants)
        inverse = inverse_of(factor)
        weights = inverse @ values
        there = values.shape[1] * inverse - weights @ weights.T
        off = (constants - centre) / deviation
        value = 0.5 * np.sum(values * weights) + values.shape[1] * np.log(np.diag(factor)).sum() + 0.5 * off @ off
        slope = np.array([0.5 * np.vdot(there, slopes[name]) if name in slopes else 0.0 for name in NAMES])
        return float(value), slope + off / deviation

    bounds = list(zip(centre - _FIRM * deviation, centre + _FIRM * deviation, strict=True))
    first = centre if start is None else start
    found = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": most_steps})
    return np.asarray(found.x, dtype=np.float64)


def _prior(rows: Rows) -> tuple[Array, Array]:
    """Return the logarithms of the constants before anything is learned, and how far they may be off."""
    centre, deviation = np.array([_PRIOR[name] for name in NAMES]).T
    for name, least in (("slow_days", 2 * rows.base), ("fast_days", rows.base / 2)):
        centre[NAMES.index(name)] = max(centre[NAMES.index(name)], least)
    if np.ptp(rows.middle) < _SEEN_TWICE * DAYS_IN_YEAR:
        deviation[NAMES.index("year_width")] = _WIDTH_SEEN_ONCE
    return np.log(centre), deviation
