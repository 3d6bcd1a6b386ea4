"""What was known of a short series and of similar ones at an issue, as days that end where measurements do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.calendar import holidays_around
from watthour.forecasting.trend_season.known import Clock
from watthour.forecasting.vintages import measurement_vintages

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

BACK = 84  # days that tell the usual day of a series
ORIGINS_BACK = 182  # days before those on which similar series are cut
OWN_BACK = 56  # days of its own past that a short series is seen with
N_TYPES = 3  # working days, Saturdays, Sundays and holidays
_GLITCH = 5.0  # times as far above its mean as the highest value of most similar series is above theirs
_MOST_GLITCHES = 0.1  # of the known values
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_WEEK, _SATURDAY, _SUNDAY = 7, 5, 6


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Days before an issue, (n, slots) each; the last ends where measurements do, and NaN is unknown."""

    clock: Clock
    edge: int  # number of the first day that was not over
    own: Array  # (n, slots)
    others: Array  # (D, n, slots)
    channels: tuple[str, ...]  # (D,) of the others

    @classmethod
    def of(cls, history: History, issued: int, known_until: int, channels: tuple[str, ...]) -> Self:
        """Return what was known at an issue of a history's channel and of others."""
        context = history.context
        clock = Clock.of(history).ending_at(known_until)
        edge = clock.edge_row(known_until)
        first = edge - BACK - ORIGINS_BACK
        tables = [
            clock.known(measurement_vintages(history, channel), issued, known_until, first)[1]
            for channel in (context.channel.id, *channels)
        ]
        others = np.stack(tables[1:])
        return cls(clock, edge, _without_glitches(tables[0], others), others, channels)

    @property
    def n_slots(self) -> int:
        """Intervals of a day."""
        return int(self.own.shape[1])

    @property
    def n_own_days(self) -> float:
        """How many days of its own are known of the last ``OWN_BACK``, parts of days included."""
        return float(np.isfinite(self.own[-OWN_BACK:]).sum() / self.n_slots)

    def types(self, first: int, n: int) -> Instants:
        """Return the kind of each slot of days, (n, slots), the first by its distance to the edge."""
        numbers = self.edge + first + np.arange(n)
        passed = (np.arange(self.n_slots) + self.clock.turn) // self.n_slots  # a day may begin before midnight
        dates = numbers[:, None] + passed
        weekday = (dates + _EPOCH_WEEKDAY) % _WEEK
        found = np.where(weekday == _SUNDAY, 2, np.where(weekday == _SATURDAY, 1, 0))
        found[np.isin(dates, holidays_around(dates, self.clock.holidays))] = 2
        return found

    def late_own(self) -> int:
        """Return how many intervals before the issue were not known yet of the short series."""
        return _late(self.own)

    def late_others(self) -> int:
        """Return how many were not known yet of most others."""
        return int(np.median([_late(each) for each in self.others])) if len(self.others) else 0


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """The usual day of each series by kind of day, and how far a value is usually from it: (D, kinds, slots)."""

    value: Array
    deviation: Array

    @classmethod
    def of(cls, days: Array, types: Instants, half_life: float = 28.0) -> Self:
        """Learn it from days, (D, n, slots), of some kinds, (n, slots); the later ones count more."""
        counts = 0.5 ** (np.arange(days.shape[1])[::-1] / half_life)
        known = np.isfinite(days)
        filled = np.where(known, days, 0.0)
        everything, total = (known * counts[None, :, None]).sum(axis=1), (filled * counts[None, :, None]).sum(axis=1)
        middle = total / np.where(everything > 0, everything, np.nan)
        values, deviations = [], []
        for kind in range(N_TYPES):
            weights = known * (counts[:, None] * (types == kind))
            count = weights.sum(axis=1)
            value = ((filled * weights).sum(axis=1) + 0.5 * middle) / (count + 0.5)
            away = np.abs(filled - value[:, None])
            values.append(value)
            deviations.append(np.where(count > 0, (away * weights).sum(axis=1) / np.maximum(count, 1e-9), np.nan))
        deviation = np.stack(deviations, axis=1)
        there = np.isfinite(deviation)
        usual = np.where(there, deviation, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        return cls(np.stack(values, axis=1), np.where(there, deviation, usual[:, None]))

    @property
    def size(self) -> Array:
        """The mean size of the values of each series, (D,)."""
        return np.asarray(np.abs(self.value).mean(axis=(1, 2)))


def enough_known(days: Array, fewest_days: float) -> Mask:
    """Return which series, of (D, n, slots), have so many known days, and each slot at least once.

    One of nothing but zeros has no level to which others could be brought, and is none of them.
    """
    known = np.isfinite(days)
    is_enough = known.sum(axis=(1, 2)) >= fewest_days * days.shape[2]
    is_alive = np.where(known, days, 0.0).any(axis=(1, 2))
    return np.asarray(is_enough & is_alive & np.all(known.any(axis=1), axis=1))


def without_last(days: Array, n_intervals: int) -> Array:
    """Return days, (..., n, slots), of which the last intervals are not known yet."""
    if not n_intervals:
        return days
    flat = days.reshape(*days.shape[:-2], -1).copy()
    flat[..., -n_intervals:] = np.nan
    return flat.reshape(days.shape)


def _without_glitches(own: Array, others: Array) -> Array:
    """Return days, (n, slots), less values that no meter of this kind tells: one would set the level of a few days.

    Args:
        own: (n, slots) of the short series.
        others: (D, n, slots) of similar ones, whose highest values beside their means say what there is.
    """
    sizes = np.abs(others.reshape(len(others), -1))
    known = np.isfinite(sizes)
    mean = np.where(known, sizes, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    highest = np.where(known, sizes, 0.0).max(axis=1, initial=0.0)[mean > 0] / mean[mean > 0]
    values = np.sort(np.abs(own[np.isfinite(own)]))[::-1]
    most = int(_MOST_GLITCHES * len(values))
    if not len(highest) or not most:
        return own
    below = (values.sum() - np.cumsum(values)[:most]) / (len(values) - 1 - np.arange(most))  # mean of all lower ones
    is_glitch = (below > 0) & (values[:most] > _GLITCH * float(np.median(highest)) * below)
    if not is_glitch.any():
        return own
    return np.where(np.abs(own) >= values[np.flatnonzero(is_glitch)[-1]], np.nan, own)


def _late(days: Array) -> int:
    known = np.flatnonzero(np.isfinite(days.ravel()))
    return days.size - 1 - int(known[-1]) if len(known) else days.size
