"""One hour of the clock over days: Gaussian process regression that no single odd day can upset.

An hour that was missed by far counts for less afterwards: the noise of each day grows with its one-day-ahead
innovation, which needs nothing later than the day itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import PrefixFactor, schur_complement, whiten

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array

_ODD = 3.0  # standard deviations from which an innovation is held against the day rather than the model
_PASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class RobustFactor:
    """Days of known load, factored, odd ones with a larger noise."""

    factor: PrefixFactor
    innovations: Array  # (n,) one-day-ahead errors; NaN of a first day whose mean is unknown
    deviation: Array  # (n,) expected of them

    @classmethod
    def fit(cls, covariance: Array, noise: Array, values: Array, *, has_mean: bool = True) -> Self:
        """Factor a covariance without noise, (n, n), and whiten the values of its days, (n,).

        Raises:
            LinAlgError: the covariance is not positive definite.
        """
        weights = np.ones(len(values))
        for weighing in range(_PASSES + 1):
            factor = PrefixFactor.fit(covariance, noise * weights, values[:, None], has_mean=has_mean)
            innovations = factor.innovations()[:, 0]
            deviation = np.sqrt(np.maximum(np.diag(factor.lower) ** 2 - noise * weights, 0) + noise)
            if weighing < _PASSES:
                weights = np.fmax(1, (innovations / deviation / _ODD) ** 2)
        return cls(factor, innovations, deviation)


@dataclass(frozen=True, slots=True, eq=False)
class HourRegression:
    """Training days at one hour, and days known since."""

    trained: RobustFactor  # of n training days
    whitened_updates: Array  # (n, r) whitened covariance of the training days with the later ones
    updates: RobustFactor  # of r later days, given the training days

    @classmethod
    def fit(cls, covariance: Array, noise: Array, values: Array) -> Self:
        """Learn from training days in order of time; arguments as in ``RobustFactor.fit``.

        Args:
            covariance: without noise, (n, n).
            noise: of the days, (n,).
            values: (n,).
        """
        nothing = RobustFactor.fit(np.empty((0, 0)), np.empty(0), np.empty(0), has_mean=False)
        return cls(RobustFactor.fit(covariance, noise, values), np.empty((len(values), 0)), nothing)

    def updated(self, cross: Array, own: Array, noise: Array, values: Array) -> HourRegression:
        """Return the same with days known since.

        Args:
            cross: covariance of the training days with them, (n, r).
            own: theirs without noise, (r, r).
            noise: their noise, (r,).
            values: (r,).
        """
        whitened, own, values = self.given(cross, own, values)
        return HourRegression(self.trained, whitened, RobustFactor.fit(own, noise, values, has_mean=False))

    def given(self, cross: Array, own: Array, values: Array) -> tuple[Array, Array, Array]:
        """Return the whitened covariance with later days, and their covariance and values given the training days.

        Arguments as in ``updated``.
        """
        factor = self.trained.factor
        whitened = whiten(factor.lower, cross)
        expected = factor.expected(whitened, np.full(len(values), len(factor.lower)))[:, 0]
        return whitened, schur_complement(own, whitened), values - expected

    def predict(
        self, cross: Array, cross_updates: Array, variance: Array, n_known: int, n_updates: int
    ) -> tuple[Array, Array]:
        """Return mean and variance without noise of asked days, each (m,); NaN where no day is known.

        Args:
            cross: covariance of the training days with the asked ones, (n, m).
            cross_updates: that of the later days, (r, m).
            variance: of the asked days, (m,).
            n_known: how many training days count.
            n_updates: how many later days count; none unless all training days do.
        """
        factor = self.trained.factor
        whitened = whiten(factor.lower, cross)
        mean = factor.expected(whitened, np.full(len(variance), n_known))[:, 0]
        left = variance - (whitened[:n_known] ** 2).sum(axis=0)
        if n_updates:
            conditional = (cross_updates - self.whitened_updates.T @ whitened)[:n_updates]
            later = self.updates.factor
            more = whiten(later.lower[:n_updates, :n_updates], conditional)
            mean = mean + more.T @ later.whitened[:n_updates, 0]
            left = left - (more * more).sum(axis=0)
        return mean, np.maximum(left, 0)
