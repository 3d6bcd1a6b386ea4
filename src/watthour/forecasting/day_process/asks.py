"""Local days as asked at issue times, and how they are usually asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from watthour.forecasting.calendar import clock_offsets, day_starts, local_days, local_hours
from watthour.forecasting.vintages import DAY_US, HOUR_US, instants

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

Mask: TypeAlias = NDArray[np.bool_]

HOURS = 24
_LONGEST_DAY = 25


@dataclass(frozen=True, slots=True, eq=False)
class Asks:
    """Local days and the instants each is asked at; instants are microseconds since 1970, days count from 1970."""

    day: Instants  # (m,)
    issued: Instants  # (m,)
    known_until: Instants  # (m,)

    @classmethod
    def of(cls, targets: dy.DataFrame[Targets], time_zone: str) -> tuple[Self, Instants]:
        """Return the distinct asks in order of issue and day, and the ask that each target belongs to."""
        issued, known_until, time = (instants(targets[name]) for name in ("issued_at", "known_until", "time"))
        triples = np.stack([issued, local_days(time, time_zone), np.minimum(issued, known_until)], axis=1)
        asks, belongs = np.unique(triples, axis=0, return_inverse=True)
        return cls(asks[:, 1], asks[:, 0], asks[:, 2]), belongs.reshape(-1)

    def last_whole(self, time_zone: str) -> Instants:
        """Return the last local day that was over when measurements end, (m,)."""
        return local_days(self.known_until, time_zone) - 1

    def take(self, rows: Instants) -> Asks:
        """Return some of the asks."""
        return Asks(self.day[rows], self.issued[rows], self.known_until[rows])

    def and_then(self, others: Asks) -> Asks:
        """Return both, these first."""
        return Asks(
            np.concatenate([self.day, others.day]),
            np.concatenate([self.issued, others.issued]),
            np.concatenate([self.known_until, others.known_until]),
        )


@dataclass(frozen=True, slots=True)
class Habit:
    """How days are usually asked, on the local clock of a day before them."""

    issued_days_before: int
    issued_clock_us: int
    known_days_before: int
    known_clock_us: int

    @classmethod
    def of(cls, asks: Asks, time_zone: str) -> Habit:
        """Return the habit of the last ask."""
        clocks = []
        for instant in (asks.issued[-1:], asks.known_until[-1:]):
            local = int((instant + clock_offsets(instant, time_zone))[0])
            clocks += [int(asks.day[-1]) - local // DAY_US, local % DAY_US]
        return cls(*clocks)

    def asks(self, days: Instants, time_zone: str) -> Asks:
        """Return the usual ask of each day."""

        def instant(days_before: int, clock_us: int) -> Instants:
            guess = (days - days_before) * DAY_US + clock_us
            return guess - clock_offsets(guess - clock_offsets(guess, time_zone), time_zone)

        return Asks(
            days,
            instant(self.issued_days_before, self.issued_clock_us),
            instant(self.known_days_before, self.known_clock_us),
        )

    @property
    def lag(self) -> int:
        """Days from the last day known whole to the day asked for."""
        return self.known_days_before + 1

    @property
    def n_known_hours(self) -> int:
        """Hours known of the day after the last whole one."""
        return self.known_clock_us // HOUR_US


def hours_of(days: Instants, time_zone: str) -> tuple[Instants, Instants]:
    """Return the instants of each day's hours and their local clock hours, (days, 25); hour -1 is past the day."""
    starts, ends = (day_starts(each, time_zone)[:, None] for each in (days, days + 1))
    times = starts + np.arange(_LONGEST_DAY) * HOUR_US
    clock = local_hours(times.reshape(-1), time_zone).reshape(times.shape)
    return times, np.where(times < ends, clock, -1)


def by_clock(values: Array, clock: Instants) -> Array:
    """Return values of 25 slots by clock hour, (..., days, 24): a repeated hour's mean, a skipped one NaN."""
    total = np.zeros((*values.shape[:-1], HOURS))
    count = np.zeros_like(total)
    known = np.isfinite(values)
    for hour in range(HOURS):
        inside = (clock == hour) & known
        total[..., hour] = np.where(inside, values, 0).sum(axis=-1)
        count[..., hour] = inside.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def is_whole(values: Array) -> Mask:
    """Return which days have a value in every hour, one dimension less."""
    return np.asarray(np.isfinite(values).all(axis=-1), dtype=np.bool_)


def bridged(loads: Array) -> Array:
    """Fill an hour whose two neighbours of the same day are known with their mean, and one at a day's end likewise."""
    before, after = np.roll(loads, 1, axis=-1), np.roll(loads, -1, axis=-1)
    before[..., 0], after[..., -1] = after[..., 0], before[..., -1]
    return np.where(np.isfinite(loads), loads, (before + after) / 2)
