"""Gaussian process regression over days: one factor serves all intervals of the day and every issue time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import PrefixFactor, schur_complement, whiten
from watthour.forecasting.gaussian_process.day_process.changes import (
    LastDays,
    kinds_of,
    prefixes_with_changes,
    usual_scales,
)
from watthour.forecasting.gaussian_process.day_process.dips import LEFT_OUT_VAR, WINDOW, first_dip

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.inputs import DayInputs
    from watthour.forecasting.gaussian_process.day_process.kernel import Kernel
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_MOST_EVENTS = 8  # days of which are left out, of the factored ones
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
    """Days whose values are known, factored once, and once more without each event that they show to be over."""

    kernel: Kernel
    days: DayInputs  # n days in order of time
    values: Array  # (n, intervals) NaN where unknown
    factor: PrefixFactor  # its columns are the intervals of the day
    left_out: Instants  # (k,) which of the days teach nothing

    @classmethod
    def fit(cls, kernel: Kernel, days: DayInputs, values: Array) -> Self:
        """Factor the covariance of days with known values, (n, intervals).

        Raises:
            LinAlgError: the covariance of the days is not positive definite.
        """
        factor = PrefixFactor.fit(_lower_covariance(kernel, days), kernel.noise_of(days), values)
        return cls(kernel, days, values, factor, np.empty(0, dtype=np.int64))

    def without(self, rows: Instants) -> DayPosterior:
        """Return the same to which some more days, by position, teach nothing."""
        key = tuple(rows.tolist())
        if not key:
            return self
        if key not in self._without:
            noise, values, left_out = (
                self.kernel.noise_of(self.days),
                self.values.copy(),
                np.union1d(self.left_out, rows),
            )
            noise[left_out] += LEFT_OUT_VAR
            values[left_out] = np.nanmean(self.values[: left_out[0]], axis=0)
            factor = PrefixFactor.fit(_lower_covariance(self.kernel, self.days), noise, values)
            self._without[key] = replace(self, factor=factor, left_out=left_out)
        return self._without[key]

    def online(self, lag: int) -> Expectation:
        """Return what would have been forecast for each day from the days at least ``lag`` before it.

        Shape (n, intervals); NaN where there are none.
        """
        index = self.days.calendar.index
        n_known = np.searchsorted(index, index - lag, side="right")
        found = np.empty((3, *self.values.shape))
        for regression, here in self._of_requests(n_known):
            found[:, here] = regression.online_here(n_known[here], here)
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
        expected = np.empty((3, len(n_known), self.values.shape[1]))
        for regression, here in self._of_requests(n_known):
            expected[:, here] = regression.predict_alike(asked.take(here), n_known[here], updates.take(here))
        return Expectation(*expected)

    def _of_requests(self, n_known: Instants) -> list[tuple[DayPosterior, Instants]]:
        """Return the regressions on which requests of so many days, (m,), stand, and which requests, by position."""
        since = np.array([n for n, _ in self._after_events], dtype=np.int64)
        which = np.searchsorted(since, n_known, side="right")
        stages = [self, *(regression for _, regression in self._after_events)]
        return [(stages[n], np.flatnonzero(which == n)) for n in np.unique(which)]

    @cached_property
    def _after_events(self) -> list[tuple[int, DayPosterior]]:
        """The same without the days of events, each from so many known days on, one more event in each."""
        found: list[tuple[int, DayPosterior]] = []
        last, since = self, 0
        while len(found) < _MOST_EVENTS:
            dip = first_dip(last.factor.lower, last._surprises, last._scales, since=since)
            if dip is None:
                break
            last, since = last.without(dip.rows), dip.since
            found.append((since, last))
        return found

    def online_here(self, n_known: Instants, rows: Instants) -> Array:
        """Return what is expected of some factored days, by position, each from the first so many, as they stand here.

        Shape (3, rows, intervals).
        """
        cross = self.factor.lower[rows].T
        found = _as_expected(self.factor.expected(cross, n_known))
        for position in np.flatnonzero(self._has_changes[n_known]):
            row = rows[[position]]
            found[:, position] += self._changes(int(n_known[position]), cross[:, [position]], self._kinds[row])[:, 0]
        return found

    def predict_alike(self, asked: DayInputs, n_known: Instants, updates: UpdateDays) -> Array:
        """Return what is expected of asked days as the factored ones stand here, (3, m, intervals).

        Arguments as of ``predict``.
        """
        whitened_cross = whiten(self.factor.lower, self.kernel(self.days, asked))
        expected, kinds = _as_expected(self.factor.expected(whitened_cross, n_known)), kinds_of(asked.calendar)
        is_updated = updates.known.any(axis=1)
        for n in np.unique(n_known[self._has_changes[n_known] & ~is_updated]):
            here = (n_known == n) & ~is_updated
            expected[:, here] += self._changes(int(n), whitened_cross[:, here], kinds[here])
        if not is_updated.any():
            return expected
        added, seen_over = self._correction(asked, whitened_cross, updates)
        expected += added
        for trained, of_request in seen_over.items():
            here = np.array(list(of_request))
            rest = replace(updates.take(here), known=np.stack(list(of_request.values())))
            expected[:, here] = self.without(np.array(trained, dtype=np.int64)).predict_alike(
                asked.take(here), n_known[here], rest
            )
        return expected

    def _correction(
        self, asked: DayInputs, whitened_cross: Array, updates: UpdateDays
    ) -> tuple[Array, dict[tuple[int, ...], dict[int, Mask]]]:
        """Return what the days since the factored ones add, by the Schur complement, (3, m, intervals).

        The second says which requests see an event that is over: by its factored days, for each request the other days
        it may still stand on, (r,).
        """
        n_all = np.full(len(updates.days.weather), len(self.factor.lower))
        whitened_updates = whiten(self.factor.lower, self.kernel(self.days, updates.days))
        own = schur_complement(self.kernel(updates.days, updates.days), whitened_updates)
        noise = self.kernel.noise_of(updates.days)
        shared = self.kernel(asked, updates.days) - whitened_cross.T @ whitened_updates  # (m, r)
        base = self.factor.expected(whitened_updates, n_all)  # (r, intervals)
        asked_kinds, kinds = kinds_of(asked.calendar), kinds_of(updates.days.calendar)
        last_days, scale = self._last_days(len(self.days.weather)), float(self._scales[-1])
        n_last, first_last = len(last_days.lower), len(self.factor.lower) - len(last_days.lower)
        added = np.zeros((3, len(shared), base.shape[1]))
        seen_over: dict[tuple[int, ...], dict[int, Mask]] = {}
        for request, known in enumerate(updates.known):
            if known.any():
                innovations = updates.values[request, known] - base[known]
                factor = PrefixFactor.fit(own[np.ix_(known, known)], noise[known], innovations, has_mean=False)
                cross = whiten(factor.lower, shared[request, known])
                both = last_days.extended(
                    whitened_updates[-WINDOW:, known], factor.lower, factor.whitened, kinds[known]
                )
                dip = first_dip(both.lower, both.surprises, np.full(len(both.lower) + 1, scale), since=n_last)
                if dip is not None:
                    rest = known.copy()
                    rest[np.flatnonzero(known)[dip.rows[dip.rows >= n_last] - n_last]] = False
                    trained = tuple((first_last + dip.rows[dip.rows < n_last]).tolist())
                    seen_over.setdefault(trained, {})[request] = rest
                    continue
                cross_of_both = np.concatenate([whitened_cross[-WINDOW:, request], cross])[-WINDOW:]
                changed = both.last().expected(scale, cross_of_both[:, None], asked_kinds[[request]])
                added[:, request] = _as_expected(cross @ factor.whitened) + np.concatenate(changed)
        return added, seen_over

    def _changes(self, n_known: int, whitened_cross: Array, kinds: Array) -> Array:
        """Return what changes among the first days add to asked days, (3, m, intervals)."""
        cross = whitened_cross[max(n_known - WINDOW, 0) : n_known]
        return np.stack(self._last_days(n_known).expected(float(self._scales[n_known]), cross, kinds))

    def _last_days(self, n_known: int) -> LastDays:
        here = slice(max(n_known - WINDOW, 0), n_known)
        return LastDays(self.factor.lower[here, here], self._surprises[here], self._kinds[here])

    @cached_property
    def _without(self) -> dict[tuple[int, ...], DayPosterior]:
        """The same without some more days, by these."""
        return {}

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
