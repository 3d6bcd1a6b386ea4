"""Days from which on a load lies higher or lower than before, seen from the errors of the days up to them alone.

A term of the kernel is what has come to the level since the first day: it grows by a variance on each day that shifts,
so days on both sides of a shift tell little of each other's level, and the new one is learned from new days. One odd
day is no shift. Nothing is decided by a later day, so every forecast of a past day stands as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.hour_process.hour_regression import RobustFactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.vintages import Array, Instants

SEEN_AT = (1, 5, 9, 13, 17, 21)  # hours of the clock that stand for all
_FEWEST_HOURS = 3
_SETTLING_DAYS = 60  # whose errors say little, since little was known
_MOST = 40
_SURPRISING = {2: 7.0, 5: 2.5, 7: 1.5}  # days in a row, and how many deviations their mean error is large
_EACH = 0.4  # of that, which the error of each of these days has at least


@dataclass(frozen=True, slots=True, eq=False)
class DaysAtHour:
    """What is known of days at one hour of the clock, given nothing or earlier days."""

    rows: Instants  # (k,) which of the days
    covariance: Array  # (k, k) without noise and shifts
    noise: Array  # (k,)
    values: Array  # (k,)


@dataclass(frozen=True, slots=True, eq=False)
class LevelShifts:
    """Shifts of the level over n days in order of time."""

    variance: Array  # (n,) that has come to the level since the day before the first
    ratios: Array  # (n,) of each day the middle hour's one-day-ahead error, in parts of what was expected of it
    errors: Array  # (n,) the same, of the values
    last: int  # the last day that shifted, or the last one too early to be looked at

    @classmethod
    def find(cls, hours: Sequence[DaysAtHour], n_days: int, *, before: LevelShifts | None = None) -> Self:
        """Look for shifts one after another, each with those before it taken for granted.

        Args:
            hours: of the clock, those in ``SEEN_AT``.
            n_days: how many days there are.
            before: what was found on the days before, whose errors count too; their values are those that the
                ones of ``hours`` are given.
        """
        variance = np.zeros(n_days)
        seen_ratios, seen_errors = (np.empty(0), np.empty(0)) if before is None else (before.ratios, before.errors)
        n_before = len(seen_ratios)
        last = _SETTLING_DAYS if before is None else before.last
        for _ in range(_MOST + 1):
            ratios, errors = np.full((2, n_days, len(hours)), np.nan)
            for column, hour in enumerate(hours):
                covariance = hour.covariance + shared(variance[hour.rows], variance[hour.rows])
                found = RobustFactor.fit(covariance, hour.noise, hour.values, has_mean=before is None)
                ratios[hour.rows, column] = found.innovations / found.deviation
                errors[hour.rows, column] = found.innovations
            ratio, error = (
                np.concatenate([seen, _middle(own)]) for seen, own in ((seen_ratios, ratios), (seen_errors, errors))
            )
            shift = _first(ratio, max(last, n_before - 1), last)
            if shift is None:
                break
            day, n_together = shift
            variance[day - n_before :] += error[day - n_together + 1 : day + 1].mean() ** 2
            last = day
        return cls(variance, ratio, error, last)


def shared(a: Array, b: Array) -> Array:
    """Return how much of what came to the level two sets of days have in common, (n, m)."""
    return np.minimum(a[:, None], b[None, :])


def _middle(values: Array) -> Array:
    """Return the median of the known hours of each day, (n,); NaN where too few are known."""
    found = np.full(len(values), np.nan)
    enough = np.isfinite(values).sum(axis=1) >= _FEWEST_HOURS
    if enough.any():
        found[enough] = np.nanmedian(values[enough], axis=1)
    return found


def _first(ratios: Array, after: int, last: int) -> tuple[int, int] | None:
    """Return the first day after another on which a shift is seen, and of how many days together.

    Args:
        ratios: (n,).
        after: days up to this one are settled.
        last: the last day that shifted, and the ones before it, say nothing.
    """
    for day in range(after + 1, len(ratios)):
        for n_together, size in _SURPRISING.items():
            if day - n_together < last:
                continue
            together = ratios[day - n_together + 1 : day + 1]
            mean = together.mean()
            if abs(mean) > size and (together * np.sign(mean) > _EACH * size).all():
                return day, n_together
    return None
