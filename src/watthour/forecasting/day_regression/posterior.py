"""What days known let expect of others: the process over known days, continued by those that came since it was fitted.

The Cholesky factor of days in order of time holds those of all earlier spans; so one factor gives every forecast of
the past and of the future, each from the days that its own issue knew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import PrefixFactor, schur_complement, whiten

if TYPE_CHECKING:
    from watthour.forecasting.day_regression.kernel import Inputs, Kernel
    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Means and standard deviations of days."""

    mean: Array  # (m, intervals)
    deviation: Array  # (m,)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The days a model was fitted on, factored once."""

    kernel: Kernel
    days: Inputs  # n
    factor: PrefixFactor

    @classmethod
    def of(cls, kernel: Kernel, days: Inputs, values: Array) -> Self:
        """Factor days with their values, (n, intervals), whose mean is zero."""
        noise = np.full(len(days.day), kernel.noise)
        return cls(kernel, days, PrefixFactor.fit(kernel(days, days), noise, values, has_mean=False))

    def online(self, lag: int) -> Expected:
        """Return what would have been expected of each day, (n,), from the days at least ``lag`` before."""
        n_known = np.searchsorted(self.days.day, self.days.day - lag, side="right")
        first = self.factor.lower.T * (np.arange(len(n_known))[:, None] < n_known)
        left = self.kernel.variance(self.days) + self.kernel.noise - (first**2).sum(axis=0)
        return Expected(np.asarray(first.T @ self.factor.whitened), np.sqrt(np.maximum(left, 1e-9)))


@dataclass(frozen=True, slots=True, eq=False)
class Continued:
    """The same with the days that came since, r of them."""

    trained: Trained
    later: Inputs
    cross: Array  # (n, r) covariances of the trained days with the later ones, whitened
    factor: PrefixFactor  # of what the trained days leave open of the later ones

    @classmethod
    def of(cls, trained: Trained, later: Inputs, values: Array) -> Self:
        """Add days with their values, (r, intervals)."""
        kernel = trained.kernel
        cross = whiten(trained.factor.lower, kernel(trained.days, later))
        left = schur_complement(kernel(later, later), cross)
        base = cross.T @ trained.factor.whitened
        noise = np.full(len(later.day), kernel.noise)
        return cls(trained, later, cross, PrefixFactor.fit(left, noise, values - base, has_mean=False))

    def predict(self, asked: Inputs, n_trained: Instants, n_later: Instants) -> Expected:
        """Return what is expected of m days, each from the first so many trained days, and then so many later ones."""
        kernel = self.trained.kernel
        cross = whiten(self.trained.factor.lower, kernel(self.trained.days, asked))
        new = whiten(self.factor.lower, kernel(self.later, asked) - self.cross.T @ cross)
        return self._expected(cross, new, kernel.variance(asked) + kernel.noise, n_trained, n_later)

    def online(self, lag: int) -> Expected:
        """Return what would have been expected of each later day, (r,), from the days at least ``lag`` before."""
        kernel, trained, later = self.trained.kernel, self.trained.days.day, self.later.day
        return self._expected(
            self.cross,
            self.factor.lower.T,
            kernel.variance(self.later) + kernel.noise,
            np.searchsorted(trained, later - lag, side="right"),
            np.searchsorted(later, later - lag, side="right"),
        )

    def _expected(self, cross: Array, new: Array, variance: Array, n_trained: Instants, n_later: Instants) -> Expected:
        first = cross * (np.arange(len(cross))[:, None] < n_trained)
        second = new * (np.arange(len(new))[:, None] < n_later)
        mean = first.T @ self.trained.factor.whitened + second.T @ self.factor.whitened
        left = variance - (first**2).sum(axis=0) - (second**2).sum(axis=0)
        return Expected(np.asarray(mean), np.sqrt(np.maximum(left, 1e-9)))
