"""How errors of single intervals go together, so that a day known in part corrects the rest of it and the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from watthour.forecasting.gaussian_process.local_days import is_complete

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array

_HALFLIFE = 400.0  # days
_LARGEST = 0.1  # of log load an error counts at most
_FEWEST_DAYS = 50  # that two covariances are learnt from
_HOURS = 24
_AT_ONCE = 64  # days whose regressions are solved together


@dataclass(frozen=True, slots=True, eq=False)
class ErrorRegression:
    """Ridge regression of the error of a day on the errors of the intervals already known."""

    within: Array  # (n, n) covariance of the errors of one day
    across: Array  # (n, n) covariance of the errors of a day (rows) with those of the next (columns)

    RIDGE: ClassVar[float] = 4e-5  # variance of log load of an hour; 0.6 % of the load

    @classmethod
    def fit(cls, one_ahead: Array, two_ahead: Array) -> Self:
        """Learn from online errors of consecutive days, forecast from the day before and from two days before.

        Each (days, n), NaN where unknown. What is learnt from too few days is zero.
        """
        first, second, usable = _clipped(one_ahead, two_ahead)
        weights = 0.5 ** (np.arange(len(first))[::-1] / _HALFLIFE)
        pairs = usable[:-1] & usable[1:]
        if pairs.sum() < _FEWEST_DAYS:
            return cls(*np.zeros((2, first.shape[1], first.shape[1])))
        within = (first * (weights * usable)[:, None]).T @ first / (weights * usable).sum()
        share = (weights[1:] * pairs)[:, None]
        across = (first[:-1] * share).T @ second[1:] / share.sum()
        return cls(within, across)

    def of_next_day(self, errors: Array) -> Array:
        """Return the expected errors of days, (m, n), from those of the days before them, NaN where unknown."""
        return self._regress(errors, self.across)

    def of_same_day(self, errors: Array) -> Array:
        """Return the expected errors of days, (m, n), from those of their own intervals, NaN where unknown."""
        return self._regress(errors, self.within)

    def _regress(self, errors: Array, target: Array) -> Array:
        expected = np.zeros_like(errors)
        patterns, which = np.unique(np.isfinite(errors), axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            known = np.asarray(pattern)
            if known.any():
                rows = which.reshape(-1) == number
                expected[rows] = _predict(errors[np.ix_(rows, known)], self.within, target, known)
        return expected


def corrections_online(one_ahead: Array, two_ahead: Array, n_known: int, lag: int) -> Array:
    """Return what the first intervals of a day let expect of each day's errors, learnt online, (days, n).

    Row d is regressed on the first ``n_known`` errors of day d itself if the lag is one day, else on those of the day
    before, by what the days up to d - ``lag`` have taught.

    Args:
        one_ahead: online errors of consecutive days forecast from the day before, (days, n), NaN where unknown.
        two_ahead: likewise from two days before.
        n_known: intervals known of the day after the last whole one.
        lag: days from the last day known whole.
    """
    n_days, n = one_ahead.shape
    first, second, usable = _clipped(one_ahead, two_ahead)
    found = np.zeros((n_days, n))
    growth = 2.0 ** ((np.arange(n_days) - n_days) / _HALFLIFE)  # a weighted mean knows no common factor
    weight, pair_weight = growth * usable, growth * (usable & np.roll(usable, 1))
    pair_weight[0] = 0.0
    enough = np.cumsum(pair_weight > 0) >= _FEWEST_DAYS
    eves = one_ahead if lag == 1 else np.concatenate([np.full((1, n), np.nan), one_ahead[:-1]])
    known, before = first[:, :n_known], np.concatenate([np.zeros((1, n_known)), first[:-1, :n_known]])
    sums = np.zeros((n_known, n_known)), np.zeros((n_known, n))
    for start in range(0, n_days - lag, _AT_ONCE):
        learnt = np.arange(start, min(start + _AT_ONCE, n_days - lag))
        to_weight, to_pair_weight = np.cumsum(weight)[learnt], np.cumsum(pair_weight)[learnt]
        within = sums[0] + np.cumsum(weight[learnt, None, None] * _outer(known[learnt], known[learnt]), axis=0)
        if lag == 1:
            target = sums[1] + np.cumsum(weight[learnt, None, None] * _outer(known[learnt], first[learnt]), axis=0)
        else:
            pairs = _outer(before[learnt], second[learnt])
            target = sums[1] + np.cumsum(pair_weight[learnt, None, None] * pairs, axis=0)
        sums = within[-1], target[-1]
        rows = learnt[enough[learnt]]
        if len(rows):
            here = enough[learnt]
            target_weight = to_weight if lag == 1 else to_pair_weight
            found[rows + lag] = _predict_each(
                eves[rows + lag, :n_known],
                within[here] / to_weight[here, None, None],
                target[here] / target_weight[here, None, None],
            )
    return found


def _predict(errors: Array, within: Array, target: Array, known: Mask) -> Array:
    """Return the expected errors, (m, n), from those of known intervals, (m, known)."""
    # The ridge is that of hours: neighbours within an hour share it.
    ridge = ErrorRegression.RIDGE * target.shape[1] / _HOURS
    own = within[np.ix_(known, known)] + ridge * np.eye(int(known.sum()))
    return np.asarray(np.clip(errors, -_LARGEST, _LARGEST) @ np.linalg.solve(own, target[known]))


def _predict_each(errors: Array, within: Array, target: Array) -> Array:
    """Return the expected errors of days, (m, n), each from those of its known intervals by its own regression.

    Args:
        errors: (m, known), NaN where unknown.
        within: (m, known, known).
        target: (m, known, n).
    """
    there = np.isfinite(errors)
    own = within * (there[:, :, None] & there[:, None, :])
    own += ErrorRegression.RIDGE * target.shape[2] / _HOURS * np.eye(errors.shape[1])
    clipped = np.where(there, np.clip(errors, -_LARGEST, _LARGEST), 0.0)
    return np.asarray((np.linalg.solve(own, clipped[:, :, None]) * target).sum(axis=1))


def _outer(a: Array, b: Array) -> Array:
    return a[:, :, None] * b[:, None, :]


def _clipped(one_ahead: Array, two_ahead: Array) -> tuple[Array, Array, Mask]:
    """Return both errors clipped, zero where a day is not known whole, and which days are."""
    usable = is_complete(one_ahead) & is_complete(two_ahead)
    first, second = (
        np.where(usable[:, None], np.clip(errors, -_LARGEST, _LARGEST), 0.0) for errors in (one_ahead, two_ahead)
    )
    return first, second, usable
