"""Gaussian process regression over days: one factor serves all intervals of the day and every issue time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import PrefixFactor, schur_complement, weights_of, whiten

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.inputs import DayInputs
    from watthour.forecasting.gaussian_process.day_process.kernel import Kernel
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_BLOCK = 128  # days whose covariances fit a processor's cache


@dataclass(frozen=True, slots=True, eq=False)
class UpdateDays:
    """Days after those a process was factored on, as each request knows them."""

    days: DayInputs  # r days
    values: Array  # (m, r, intervals) NaN where unknown
    known: Mask  # (m, r) nearly all intervals known

    def take(self, rows: Instants) -> UpdateDays:
        """Return the same days as some of the requests, by position (k,), know them."""
        return UpdateDays(self.days, self.values[rows], self.known[rows])


@dataclass(frozen=True, slots=True, eq=False)
class DayRegression:
    """Days whose values are known, factored once."""

    kernel: Kernel
    days: DayInputs  # n days in order of time
    factor: PrefixFactor  # its columns are the intervals of the day

    @classmethod
    def fit(cls, kernel: Kernel, days: DayInputs, values: Array) -> Self:
        """Factor the covariance of days with known values, (n, intervals).

        Raises:
            LinAlgError: the covariance of the days is not positive definite.
        """
        return cls(kernel, days, PrefixFactor.fit(_lower_covariance(kernel, days), kernel.noise_of(days), values))

    def online(self, lag: int) -> Array:
        """Return what would have been forecast for each day from the days at least ``lag`` before it.

        Shape (n, intervals); NaN where there are none.
        """
        index = self.days.calendar.index
        return self.factor.online(np.searchsorted(index, index - lag, side="right"))

    def n_known(self, last_known: Array) -> Instants:
        """Return how many of the first days are over with some last days, (m,)."""
        return np.searchsorted(self.days.calendar.index, last_known, side="right")

    def predict(self, asked: DayInputs, n_known: Instants, updates: UpdateDays) -> Array:
        """Return the expected values of asked days (m), each from what it may know, shape (m, intervals).

        Args:
            asked: inputs of the asked days.
            n_known: how many of the first days each request may know, (m,).
            updates: days after the last factored one; used by requests that know all factored ones.
        """
        whitened_cross = whiten(self.factor.lower, self.kernel(self.days, asked))
        expected = self.factor.expected(whitened_cross, n_known)
        if updates.known.any():
            expected = expected + self._correction(asked, whitened_cross, updates)
        return expected

    def _correction(self, asked: DayInputs, whitened_cross: Array, updates: UpdateDays) -> Array:
        """Return what the days since the factored ones add, by the Schur complement, (m, intervals)."""
        n_all = np.full(len(updates.days.weather), len(self.factor.lower))
        whitened_updates = whiten(self.factor.lower, self.kernel(self.days, updates.days))
        own = schur_complement(self.kernel(updates.days, updates.days), whitened_updates)
        noise = self.kernel.noise_of(updates.days)
        shared = self.kernel(asked, updates.days) - whitened_cross.T @ whitened_updates  # (m, r)
        base = self.factor.expected(whitened_updates, n_all)  # (r, intervals)
        added = np.zeros((len(shared), base.shape[1]))
        for request, known in enumerate(updates.known):
            if known.any():
                innovations = updates.values[request, known] - base[known]
                factor = PrefixFactor.fit(own[np.ix_(known, known)], noise[known], innovations, has_mean=False)
                added[request] = shared[request, known] @ weights_of(factor)
        return added


def _lower_covariance(kernel: Kernel, days: DayInputs) -> Array:
    """Return the covariance of days with themselves, (n, n), zero above the blocks of its diagonal."""
    n_days = len(days.calendar.index)
    covariance = np.zeros((n_days, n_days))
    for start in range(0, n_days, _BLOCK):
        stop = min(start + _BLOCK, n_days)
        here = np.arange(stop)
        covariance[start:stop, :stop] = kernel(days.take(here[start:]), days.take(here))
    return covariance
