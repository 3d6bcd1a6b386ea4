"""What the errors of a day tell of the next: its last hours above all go on past midnight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array

_UNIT = 0.01
_RIDGE = 20.0  # days' worth of doubt
_SETTLING_DAYS = 100  # whose errors say little, since little was known
_FEWEST_DAYS = 50
_LARGEST = 3.0  # standard deviations an error counts at most
_FEWEST_HOURS = 20  # of yesterday


@dataclass(frozen=True, slots=True, eq=False)
class Innovations:
    """One-day-ahead errors of days in order of time, hour by hour."""

    number: Array  # (n,) days since 1970
    errors: Array  # (n, 24) clipped; 0 where unknown
    known: Array  # (n, 24)

    @classmethod
    def of(cls, number: Array, errors: Array, deviations: Array) -> Innovations:
        """Take errors of days, (n,), and what was expected of their size, both (n, 24), NaN where unknown."""
        known = np.isfinite(errors)
        ratios = np.clip(np.where(known, errors / deviations, 0), -_LARGEST, _LARGEST)
        return cls(number, np.where(known, ratios * deviations, 0), known.astype(np.float64))

    def first(self, n_days: int) -> Innovations:
        """Return those of the first days."""
        return Innovations(self.number[:n_days], self.errors[:n_days], self.known[:n_days])

    def to_whole_day(self) -> Innovations:
        """Return those up to the last day of which nearly all hours are known."""
        whole = np.flatnonzero(self.known.sum(axis=1) >= _FEWEST_HOURS)
        return self.first(int(whole[-1]) + 1 if len(whole) else 0)

    def next_day(self) -> tuple[Array, Array]:
        """Return what is to be added to the day after the last one, and what its deviation shrinks to, each (24,).

        Regression of each hour's error on yesterday's: the same hour, the late evening, the afternoon, the morning.
        """
        day = np.arange(_SETTLING_DAYS, len(self.number))
        day = day[self.number[day] - self.number[day - 1] == 1]
        if len(day) < _FEWEST_DAYS:
            return np.zeros(24), np.ones(24)
        terms, known = self._terms(), self.known[day]
        before, errors = terms[day - 1], self.errors[day]
        gram = np.einsum("dhi,dhj,dh->hij", before, before, known) + _RIDGE * np.eye(terms.shape[2])
        moment = np.einsum("dhi,dh->hi", before, errors)  # unknown errors are 0
        weights = np.linalg.solve(gram, moment[:, :, None])[:, :, 0]
        left = (errors - np.einsum("dhi,hi->dh", before, weights)) * known
        was = np.maximum((errors**2).sum(axis=0), np.finfo(np.float64).tiny)
        shrinks_to = np.sqrt(np.minimum((left**2).sum(axis=0) / was, 1))
        return np.einsum("hi,hi->h", terms[-1], weights), shrinks_to

    def _terms(self) -> Array:
        """Return what each day's errors say of the next, (n, 24, 4)."""
        spans = [self.errors[:, 21:], self.errors[:, 15:21], self.errors[:, :12]]
        means = [np.repeat(span.mean(axis=1)[:, None], 24, axis=1) for span in spans]
        return np.stack([self.errors, *means], axis=2) / _UNIT
