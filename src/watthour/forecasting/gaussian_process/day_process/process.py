"""Gaussian process regression over days: one factor serves all intervals of the day and every issue time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import PrefixFactor, schur_complement, whiten
from watthour.forecasting.gaussian_process.day_process.changes import (
    WINDOW,
    LastDays,
    kinds_of,
    prefixes_with_changes,
    usual_scales,
)

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
class Expectation:
    """What is expected of m days, each (m, intervals)."""

    values: Array
    unchanged: Array  # as if no change had come that the inputs do not explain
    doubt: Array  # how large that part of a change is which was seen, but is not counted on


@dataclass(frozen=True, eq=False)
class DayPosterior:
    """What known days let expect of any other, factored once."""

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

    def online(self, lag: int) -> Expectation:
        """Return what would have been forecast for each day from the days at least ``lag`` before it.

        Shape (n, intervals); NaN where there are none.
        """
        index = self.days.calendar.index
        n_known = np.searchsorted(index, index - lag, side="right")
        found = _as_expected(self.factor.online(n_known))
        for row in np.flatnonzero(self._has_changes[n_known]):
            found[:, row] += self._changes(int(n_known[row]), self.factor.lower[[row]].T, self._kinds[[row]])[:, 0]
        return Expectation(*found)

    def n_known(self, last_known: Array) -> Instants:
        """Return how many of the first days are over with some last days, (m,)."""
        return np.searchsorted(self.days.calendar.index, last_known, side="right")

    def predict(self, asked: DayInputs, n_known: Instants, updates: UpdateDays) -> Expectation:
        """Return the expected values of asked days (m), each from what it may know, shape (m, intervals).

        Args:
            asked: inputs of the asked days.
            n_known: how many of the first days each request may know, (m,).
            updates: days after the last factored one; used by requests that know all factored ones.
        """
        whitened_cross = whiten(self.factor.lower, self.kernel(self.days, asked))
        expected, kinds = _as_expected(self.factor.expected(whitened_cross, n_known)), kinds_of(asked.calendar)
        is_updated = updates.known.any(axis=1)
        for n in np.unique(n_known[self._has_changes[n_known] & ~is_updated]):
            here = (n_known == n) & ~is_updated
            expected[:, here] += self._changes(int(n), whitened_cross[:, here], kinds[here])
        if is_updated.any():
            expected += self._correction(asked, whitened_cross, updates)
        return Expectation(*expected)

    def _correction(self, asked: DayInputs, whitened_cross: Array, updates: UpdateDays) -> Array:
        """Return what the days since the factored ones add, by the Schur complement, (3, m, intervals)."""
        n_all = np.full(len(updates.days.weather), len(self.factor.lower))
        whitened_updates = whiten(self.factor.lower, self.kernel(self.days, updates.days))
        own = schur_complement(self.kernel(updates.days, updates.days), whitened_updates)
        noise = self.kernel.noise_of(updates.days)
        shared = self.kernel(asked, updates.days) - whitened_cross.T @ whitened_updates  # (m, r)
        base = self.factor.expected(whitened_updates, n_all)  # (r, intervals)
        asked_kinds, kinds = kinds_of(asked.calendar), kinds_of(updates.days.calendar)
        last_days, scale = self._last_days(len(self.days.weather)), float(self._scales[-1])
        added = np.zeros((3, len(shared), base.shape[1]))
        for request, known in enumerate(updates.known):
            if known.any():
                innovations = updates.values[request, known] - base[known]
                factor = PrefixFactor.fit(own[np.ix_(known, known)], noise[known], innovations, has_mean=False)
                cross = whiten(factor.lower, shared[request, known])
                both = last_days.extended(
                    whitened_updates[-WINDOW:, known], factor.lower, factor.whitened, kinds[known]
                )
                cross_of_both = np.concatenate([whitened_cross[-WINDOW:, request], cross])[-WINDOW:]
                changed = both.expected(scale, cross_of_both[:, None], asked_kinds[[request]])
                added[:, request] = _as_expected(cross @ factor.whitened) + np.concatenate(changed)
        return added

    def _changes(self, n_known: int, whitened_cross: Array, kinds: Array) -> Array:
        """Return what changes among the first days add to asked days, (3, m, intervals)."""
        cross = whitened_cross[max(n_known - WINDOW, 0) : n_known]
        return np.stack(self._last_days(n_known).expected(float(self._scales[n_known]), cross, kinds))

    def _last_days(self, n_known: int) -> LastDays:
        here = slice(max(n_known - WINDOW, 0), n_known)
        return LastDays(self.factor.lower[here, here], self._surprises[here], self._kinds[here])

    @cached_property
    def _surprises(self) -> Array:
        """How far each day was from what the days before it let expect, in parts of the kernel's standard deviation."""
        return np.nan_to_num(self.factor.innovations() / np.diag(self.factor.lower)[:, None])

    @cached_property
    def _scales(self) -> Array:
        return usual_scales(self._surprises)

    @cached_property
    def _has_changes(self) -> Mask:
        return prefixes_with_changes(self.factor.lower, self._surprises, self._scales)

    @cached_property
    def _kinds(self) -> Array:
        return kinds_of(self.days.calendar)


def _as_expected(values: Array) -> Array:
    """Return the fields of an expectation without any change, of one dimension more."""
    return np.stack([values, values, np.zeros_like(values)])


def _lower_covariance(kernel: Kernel, days: DayInputs) -> Array:
    """Return the covariance of days with themselves, (n, n), zero above the blocks of its diagonal."""
    n_days = len(days.calendar.index)
    covariance = np.zeros((n_days, n_days))
    for start in range(0, n_days, _BLOCK):
        stop = min(start + _BLOCK, n_days)
        here = np.arange(stop)
        covariance[start:stop, :stop] = kernel(days.take(here[start:]), days.take(here))
    return covariance
