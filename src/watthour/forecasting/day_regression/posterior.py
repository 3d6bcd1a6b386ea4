"""What days known let expect of others: the process over known days, continued by those that came since it was fitted.

The Cholesky factor of days in order of time holds those of all earlier spans; so one factor gives every forecast of
the past and of the future, each from the days that its own issue knew. A day that came as nobody would have expected it
says less of the days after it: its noise grows with how far it was from what the days before it let expect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import PrefixFactor, schur_complement, whiten

if TYPE_CHECKING:
    from watthour.forecasting.day_regression.kernel import Inputs, Kernel
    from watthour.forecasting.vintages import Array, Instants


_DOUBT = 0.5  # power of a day's squared miss, in parts of the expected one, by which its noise grows
_LEAST_MISS = 0.3  # such a squared miss counts at least


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Means and standard deviations of days."""

    mean: Array  # (m, intervals)
    deviation: Array  # (m,)

    def doubts(self, values: Array) -> Array:
        """Return how many times the usual noise days have whose values, (m, intervals), came instead: (m,)."""
        squared = ((values - self.mean) ** 2).mean(axis=1) / self.deviation**2
        return np.asarray(np.maximum(squared, _LEAST_MISS) ** _DOUBT)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The days a model was fitted on, factored once."""

    kernel: Kernel
    days: Inputs  # n
    factor: PrefixFactor

    @classmethod
    def of(cls, kernel: Kernel, days: Inputs, values: Array, lag: int) -> Self:
        """Factor days with their values, (n, intervals), whose mean is zero; misses are those of ``lag`` days ahead."""
        covariance = kernel(days, days)
        noise = np.full(len(days.day), kernel.noise)
        usual = cls(kernel, days, PrefixFactor.fit(covariance, noise, values, has_mean=False))
        noise *= usual.online(lag).doubts(values)
        return cls(kernel, days, PrefixFactor.fit(covariance, noise, values, has_mean=False))

    def online(self, lag: int) -> Expected:
        """Return what would have been expected of all these days from the days at least ``lag`` before."""
        n_known = np.searchsorted(self.days.day, self.days.day - lag, side="right")
        cross = _first(self.factor.lower.T, n_known)
        left = self.kernel.variance(self.days) + self.kernel.noise - (cross**2).sum(axis=0)
        return Expected(np.asarray(cross.T @ self.factor.whitened), _deviation(left))


@dataclass(frozen=True, slots=True, eq=False)
class Continued:
    """The same with the days that came since, r of them."""

    trained: Trained
    later: Inputs
    cross: Array  # (n, r) covariances of the trained days with the later ones, whitened
    factor: PrefixFactor  # of what the trained days leave open of the later ones

    @classmethod
    def of(cls, trained: Trained, later: Inputs, values: Array, lag: int) -> Self:
        """Add days with their values, (r, intervals); misses are those of ``lag`` days ahead."""
        kernel = trained.kernel
        cross = whiten(trained.factor.lower, kernel(trained.days, later))
        left = schur_complement(kernel(later, later), cross)
        base = cross.T @ trained.factor.whitened
        noise = np.full(len(later.day), kernel.noise)
        usual = cls(trained, later, cross, PrefixFactor.fit(left, noise, values - base, has_mean=False))
        noise *= usual.online(lag).doubts(values)
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
        first, second = _first(cross, n_trained), _first(new, n_later)
        mean = first.T @ self.trained.factor.whitened + second.T @ self.factor.whitened
        left = variance - (first**2).sum(axis=0) - (second**2).sum(axis=0)
        return Expected(np.asarray(mean), _deviation(left))


def _first(cross: Array, n_known: Instants) -> Array:
    """Return whitened covariances, (n, m), with just the first so many of each column, zero in the others."""
    return np.asarray(cross * (np.arange(len(cross))[:, None] < n_known))


def _deviation(variance: Array) -> Array:
    return np.asarray(np.sqrt(np.maximum(variance, 1e-9)))
