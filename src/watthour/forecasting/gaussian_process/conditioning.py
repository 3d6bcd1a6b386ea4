"""Conditioning Gaussian processes over days on just what each forecast may know.

The Cholesky factor of days in order of time holds the factors of all earlier spans, so a forecast that may know only
the first p days uses its first p rows. Days known since are added by the Schur complement. The mean is that of the
days that are known, so what a later day held cannot move a forecast.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations 2.22-2.25 and A.12.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watthour.forecasting.vintages import Array, Instants

Real = TypeVar("Real", np.float32, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class PrefixFactor:
    """Factored days: columns of values share one covariance of days."""

    lower: Array  # (n, n)
    whitened: Array  # (n, columns) the inverse of the factor times the values
    whitened_ones: Array  # (n,) the same of ones, by which any mean can be taken off later
    means: Array  # (n + 1, columns) of the known values of the first so many days; NaN of none

    @classmethod
    def fit(cls, covariance: Array, noise: Array, values: Array, *, has_mean: bool = True) -> Self:
        """Factor a covariance without noise, (n, n), and whiten the values of its days, (n, columns).

        A value that is NaN is replaced by what is expected of it from the days before, moved by how far off the known
        values beside it are; its day's row must have a known value.

        Args:
            covariance: of days in order of time.
            noise: variance of each day, (n,).
            values: of each day.
            has_mean: whether the values have a mean to be learnt, else it is zero.

        Raises:
            LinAlgError: the covariance is not positive definite.
        """
        noisy = covariance.copy()
        noisy[np.diag_indices_from(noisy)] += noise
        lower = np.asarray(np.linalg.cholesky(noisy), dtype=np.float64)
        ones = whiten(lower, np.ones(len(lower)))
        means = running_means(values) if has_mean else np.zeros((len(values) + 1, values.shape[1]))
        return cls(lower, _whiten_known(lower, ones, means, values), ones, means)

    def expected(self, whitened_cross: Array, n_known: Instants) -> Array:
        """Return what is expected of asked days, each from the first so many days, (m, columns); NaN from none.

        Args:
            whitened_cross: of their covariances with the factored days, (n, m).
            n_known: (m,).
        """
        allowed = whitened_cross * (np.arange(len(self.lower))[:, None] < n_known[None, :])
        means = self.means[n_known]
        return np.asarray(allowed.T @ self.whitened + means * (1 - allowed.T @ self.whitened_ones)[:, None])

    def online(self, n_known: Instants) -> Array:
        """Return what would have been expected of each factored day from the first so many, (n, columns)."""
        return self.expected(self.lower.T, n_known)

    def innovations(self) -> Array:
        """Return how far each day was from what the days before it let expect, (n, columns); NaN on the first."""
        means = self.means[:-1]
        return np.asarray(np.diag(self.lower)[:, None] * (self.whitened - means * self.whitened_ones[:, None]))


def whiten(lower: Array, values: Array) -> Array:
    """Return the inverse of a lower factor times values, (n, ...)."""
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(lower, values, lower=True, check_finite=False))


def inverse_of(lower: NDArray[Real]) -> NDArray[Real]:
    """Return the inverse of a matrix of a lower Cholesky factor, (n, n), in single or double precision like it."""
    from scipy.linalg import lapack

    potri = lapack.spotri if lower.dtype == np.float32 else lapack.dpotri
    half = np.tril(potri(lower, lower=1)[0])
    full = half + half.T
    full[np.diag_indices(len(full))] *= 0.5
    return np.asarray(full)


def schur_complement(own: Array, whitened_cross_covariance: Array) -> Array:
    """Return the covariance of days, (r, r), given factored ones; their cross covariance is whitened, (n, r)."""
    return np.asarray(own - whitened_cross_covariance.T @ whitened_cross_covariance)


def running_means(values: Array) -> Array:
    """Return the mean of the known values of the first 0, 1, .. n rows, (n + 1, columns); NaN of none."""
    known = np.isfinite(values)
    total, count = (np.cumsum(each, axis=0) for each in (np.where(known, values, 0.0), known))
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.concatenate([np.full((1, values.shape[1]), np.nan), means])


def _whiten_known(lower: Array, ones: Array, means: Array, values: Array) -> Array:
    """Whiten values row by row where one is missing, at once between such rows."""
    values, whitened = values.copy(), np.empty_like(values)
    starts = [0, *np.flatnonzero(np.isnan(values).any(axis=1)).tolist(), len(values)]
    for start, stop in pairwise(starts):
        if start < stop:
            gap = np.isnan(values[start])
            if gap.any():
                mean = means[start] if start else means[1]
                expected = mean + lower[start, :start] @ (whitened[:start] - mean * ones[:start, None])
                values[start] = expected + _between(values[start] - expected)
            here = slice(start, stop)
            rest = values[here] - lower[here, :start] @ whitened[:start]
            whitened[here] = whiten(lower[here, here], rest)
    return whitened


def _between(row: Array) -> Array:
    """Fill unknown values on straight lines between the known ones, beyond the ends with the nearest."""
    known = np.flatnonzero(np.isfinite(row))
    return np.interp(np.arange(len(row)), known, row[known])
