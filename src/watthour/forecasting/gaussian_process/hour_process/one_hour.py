"""One hour of the clock over days: Gaussian process regression that no single odd day can upset.

The Cholesky factor of days in order of time holds the factors of all earlier spans, so a forecast that may know only
the first days uses its first rows. An hour that was missed by far counts for less afterwards: the noise of each day
grows with its one-day-ahead error, which needs nothing later than the day itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from watthour.forecasting.vintages import Array  # noqa: TC001 - dataclass fields

_ODD = 3.0  # standard deviations from which an error is held against the day rather than the model
_PASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """Days of known load, factored."""

    lower: Array  # (n, n)
    whitened: Array  # (n,)
    surprise: Array  # (n,) one-day-ahead errors
    deviation: Array  # (n,) expected of them

    @classmethod
    def of(cls, covariance: Array, noise: Array, values: Array) -> Factor:
        """Factor a covariance without noise, and whiten the values less their mean."""
        weights = np.ones(len(values))
        for weighing in range(_PASSES + 1):
            noisy = covariance.copy()
            noisy[np.diag_indices_from(noisy)] += noise * weights
            lower = np.asarray(np.linalg.cholesky(noisy))
            diagonal = np.diag(lower)
            whitened = np.asarray(solve_triangular(lower, values, lower=True, check_finite=False))
            surprise = whitened * diagonal
            deviation = np.sqrt(np.maximum(diagonal**2 - noise * weights, 0) + noise)
            if weighing < _PASSES:
                weights = np.maximum(1, (surprise / deviation / _ODD) ** 2)
        return cls(lower, whitened, surprise, deviation)


@dataclass(frozen=True, slots=True, eq=False)
class OneHour:
    """Training days at one hour, and days known since."""

    mean: float
    base: Factor  # of n training days
    beside: Array  # (n, r) whitened covariance of the training days with the later ones
    later: Factor  # of r later days, given the training days

    @classmethod
    def fit(cls, covariance: Array, noise: Array, values: Array) -> OneHour:
        """Learn from training days in order of time."""
        mean = float(values.mean())
        nothing = Factor.of(np.empty((0, 0)), np.empty(0), np.empty(0))
        return cls(mean, Factor.of(covariance, noise, values - mean), np.empty((len(values), 0)), nothing)

    def then(self, cross: Array, own: Array, noise: Array, values: Array) -> OneHour:
        """Return the same with days known since.

        Args:
            cross: covariance of the training days with them, (n, r).
            own: theirs without noise, (r, r).
            noise: their noise, (r,).
            values: their log load, (r,).
        """
        beside = self._whiten(cross)
        surprise = values - self.mean - beside.T @ self.base.whitened
        return OneHour(self.mean, self.base, beside, Factor.of(own - beside.T @ beside, noise, surprise))

    def predict(
        self, cross: Array, cross_later: Array, variance: Array, n_known: int, n_later: int
    ) -> tuple[Array, Array]:
        """Return mean and variance without noise of asked days, each (m,).

        Args:
            cross: covariance of the training days with the asked ones, (n, m).
            cross_later: that of the later days, (r, m).
            variance: of the asked days, (m,).
            n_known: how many training days count.
            n_later: how many later days count; none unless all training days do.
        """
        seen = self._whiten(cross)
        conditional = (cross_later - self.beside.T @ seen)[:n_later]
        seen = seen[:n_known]
        mean = self.mean + seen.T @ self.base.whitened[:n_known]
        left = variance - (seen * seen).sum(axis=0)
        if n_later:
            lower = self.later.lower[:n_later, :n_later]
            more = np.asarray(solve_triangular(lower, conditional, lower=True, check_finite=False))
            mean = mean + more.T @ self.later.whitened[:n_later]
            left = left - (more * more).sum(axis=0)
        return mean, np.maximum(left, 0)

    def _whiten(self, cross: Array) -> Array:
        return np.asarray(solve_triangular(self.base.lower, cross, lower=True, check_finite=False))
