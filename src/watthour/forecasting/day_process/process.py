"""Gaussian process regression over days, conditioned on just what each forecast may know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from watthour.forecasting.day_process.asks import is_whole

if TYPE_CHECKING:
    from watthour.forecasting.day_process.asks import Mask
    from watthour.forecasting.day_process.kernel import DayInputs
    from watthour.forecasting.vintages import Array, Instants


class Kernel(Protocol):
    """Likeness of days."""

    def __call__(self, a: DayInputs, b: DayInputs) -> Array:
        """Return the covariance of days a (n) and b (m), shape (n, m), without noise."""
        ...

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class Process:
    """Days whose 24 values are known, factored once; one factor serves all hours and every issue time.

    The Cholesky factor of days in order of time holds the factors of all earlier spans, so a forecast that may know
    only the first p days uses its first p rows.
    """

    kernel: Kernel
    days: DayInputs  # n days in order of time
    mean: Array  # (24,)
    factor: Array  # (n, n) lower triangular
    whitened: Array  # (n, 24)

    @classmethod
    def fit(cls, kernel: Kernel, days: DayInputs, values: Array, mean: Array) -> Process:
        """Factor the covariance of days with known values, shape (n, 24)."""
        covariance = kernel(days, days)
        covariance[np.diag_indices_from(covariance)] += kernel.noise_of(days)
        factor = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        whitened = solve_triangular(factor, values - mean, lower=True, check_finite=False)
        return cls(kernel, days, mean, factor, np.asarray(whitened))

    def online(self, lag: int) -> Array:
        """Return what would have been forecast for each day from the days at least ``lag`` before it, (n, 24)."""
        index = self.days.calendar.index
        known = index[None, :] <= index[:, None] - lag
        return np.asarray((self.factor * known) @ self.whitened + self.mean)

    def predict(self, asked: DayInputs, n_known: Instants, later: Later) -> Array:
        """Return the expected values of asked days (m), each from what it may know, shape (m, 24).

        Args:
            asked: inputs of the asked days.
            n_known: how many of the first days each ask may know, (m,).
            later: days after the last factored one, and which of them each ask knows; used by asks that know all.
        """
        cross = solve_triangular(self.factor, self.kernel(self.days, asked), lower=True, check_finite=False)
        allowed = np.arange(len(self.factor))[:, None] < n_known[None, :]
        expected = (cross * allowed).T @ self.whitened
        if later.known.any():
            expected = expected + self._correction(asked, cross, later)
        return np.asarray(expected + self.mean)

    def _correction(self, asked: DayInputs, cross: Array, later: Later) -> Array:
        """Return what the days since the factored ones add, by the Schur complement."""
        beside = solve_triangular(self.factor, self.kernel(self.days, later.days), lower=True, check_finite=False)
        own = self.kernel(later.days, later.days) - beside.T @ beside
        own[np.diag_indices_from(own)] += self.kernel.noise_of(later.days)
        shared = self.kernel(asked, later.days) - cross.T @ beside  # (m, r)
        base = beside.T @ self.whitened + self.mean  # (r, 24)
        added = np.zeros((len(shared), base.shape[1]))
        for ask, known in enumerate(later.known):
            if known.any():
                surprise = later.values[ask, known] - base[known]
                added[ask] = shared[ask, known] @ cho_solve(cho_factor(own[np.ix_(known, known)]), surprise)
        return added


@dataclass(frozen=True, slots=True)
class Later:
    """Days after those a process was factored on, as each ask knows them."""

    days: DayInputs  # r days
    values: Array  # (m, r, 24)
    known: Mask  # (m, r) all 24 hours known


@dataclass(frozen=True, slots=True)
class HourErrors:
    """How errors of single hours go together, so that a day known in part corrects the rest of it and the next.

    Regression of the error of a day on the errors of the hours already known, ridge-shrunk.
    """

    within: Array  # (24, 24) covariance of the errors of one day
    across: Array  # (24, 24) covariance of the errors of a day (rows) with those of the next (columns)

    RIDGE: ClassVar[float] = 4e-5  # variance of log load; 0.6 % of the load

    @classmethod
    def fit(cls, one_ahead: Array, two_ahead: Array, halflife_days: float = 400.0) -> HourErrors:
        """Learn from online errors of consecutive days, forecast from the day before and from two days before."""
        weights = 0.5 ** (np.arange(len(one_ahead))[::-1] / halflife_days)
        first, second = (np.clip(errors, -0.1, 0.1) for errors in (one_ahead, two_ahead))
        usable = is_whole(first) & is_whole(second)
        weighted = first * (weights * usable)[:, None]
        within = np.nan_to_num(weighted).T @ np.nan_to_num(first) / (weights * usable).sum()
        pairs = usable[:-1] & usable[1:]
        share = (weights[1:] * pairs)[:, None]
        across = np.nan_to_num(first[:-1] * share).T @ np.nan_to_num(second[1:]) / share.sum()
        return cls(within, across)

    def of_next_day(self, errors: Array) -> Array:
        """Return the expected errors of days from the known errors of the days before them, NaN where unknown."""
        return self._regress(errors, self.across)

    def of_same_day(self, errors: Array) -> Array:
        """Return the expected errors of days from those of their hours already known, NaN where unknown, (m, 24)."""
        return self._regress(errors, self.within)

    def _regress(self, errors: Array, target: Array) -> Array:
        expected = np.zeros_like(errors)
        patterns, which = np.unique(np.isfinite(errors), axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            known = np.asarray(pattern)
            if known.any():
                rows = which.reshape(-1) == number
                own = self.within[np.ix_(known, known)] + self.RIDGE * np.eye(int(known.sum()))
                weights = np.linalg.solve(own, target[known])
                expected[rows] = np.clip(errors[np.ix_(rows, known)], -0.1, 0.1) @ weights
        return expected
