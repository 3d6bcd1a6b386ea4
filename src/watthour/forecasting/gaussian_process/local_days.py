"""Local days as rows and the intervals of their clock as columns, and how days are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from watthour.forecasting.calendar import clock_offsets, day_starts, local_days
from watthour.forecasting.vintages import DAY_US, HOUR_US, instants

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import Context
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

Mask: TypeAlias = NDArray[np.bool_]

_LONGEST_DAY_US = 25 * HOUR_US


def is_complete(values: Array) -> Mask:
    """Return which rows of (..., columns) have a value in every column, one dimension less."""
    return np.asarray(np.isfinite(values).all(axis=-1), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class DayGrid:
    """The intervals of local days: one row per day, one column per interval of the clock.

    A clock that is advanced skips some columns of that day; one that is put back passes some twice.
    """

    time_zone: str
    step: int  # [microseconds]

    @classmethod
    def of(cls, context: Context) -> Self:
        """Return the grid of a context's channel."""
        return cls(context.time_zone, round(context.resolution.total_seconds() * 1_000_000))

    @property
    def n_intervals(self) -> int:
        """Columns of a day."""
        return DAY_US // self.step

    @property
    def per_hour(self) -> float:
        """Columns of an hour."""
        return HOUR_US / self.step

    def columns_of(self, times: Instants) -> Instants:
        """Return the column of each instant, of any shape."""
        return (times + clock_offsets(times, self.time_zone)) % DAY_US // self.step

    def slots(self, days: Instants) -> tuple[Instants, Instants]:
        """Return the start of each interval of days and its column, (days, 25 hours of slots); -1 is past the day."""
        starts, ends = (day_starts(each, self.time_zone)[..., None] for each in (days, days + 1))
        times = starts + np.arange(_LONGEST_DAY_US // self.step) * self.step
        return times, np.where(times < ends, self.columns_of(times), -1)

    def by_clock(self, values: Array, columns: Instants) -> Array:
        """Return values of slots by column, (..., days, n): the mean of a repeated interval, NaN for a skipped one.

        Args:
            values: (..., days, slots).
            columns: of ``slots``, whose shape is that of the last dimensions of ``values``.
        """
        n = self.n_intervals
        ordinary = (columns[..., :n] == np.arange(n)).all(axis=-1) & (columns[..., n:] == -1).all(axis=-1)
        found = values[..., :n].copy()
        odd = np.broadcast_to(~ordinary, found.shape[:-1])
        if odd.any():
            found[odd] = self._means(values[odd], np.broadcast_to(columns, values.shape)[odd])
        return found

    def skipped(self, days: Instants) -> Mask:
        """Return which intervals the clock skips on each day, (days, n)."""
        _, columns = self.slots(days)
        return np.isnan(self.by_clock(np.where(columns >= 0, 1.0, np.nan), columns))

    def _means(self, values: Array, columns: Instants) -> Array:
        n, rows = self.n_intervals, np.arange(len(values))[:, None]
        there = np.isfinite(values) & (columns >= 0)
        cells = (rows * n + columns)[there]
        total = np.bincount(cells, values[there], len(values) * n)
        count = np.bincount(cells, minlength=len(values) * n)
        means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return np.asarray(means.reshape(len(values), n))


@dataclass(frozen=True, slots=True, eq=False)
class DayRequests:
    """Local days and the instants each is asked at; instants are microseconds since 1970, days count from 1970."""

    day: Instants  # (m,)
    issued: Instants  # (m,)
    known_until: Instants  # (m,)

    @classmethod
    def of(cls, targets: dy.DataFrame[Targets], time_zone: str) -> tuple[Self, Instants]:
        """Return the distinct requests in order of issue and day, and the request of each target, (targets,)."""
        issued, known_until, time = (instants(targets[name]) for name in ("issued_at", "known_until", "time"))
        triples = np.stack([issued, local_days(time, time_zone), np.minimum(issued, known_until)], axis=1)
        requests, belongs = np.unique(triples, axis=0, return_inverse=True)
        return cls(requests[:, 1], requests[:, 0], requests[:, 2]), belongs.reshape(-1)

    @classmethod
    def at(cls, day: int, instant: int) -> Self:
        """Return one request of which everything until its issue counts as known."""
        return cls(np.array([day]), np.array([instant]), np.array([instant]))

    def last_over(self, time_zone: str) -> Instants:
        """Return the last local day that was over when measurements end, (m,)."""
        return local_days(self.known_until, time_zone) - 1

    def take(self, rows: Instants) -> DayRequests:
        """Return some of the requests, by position (r,)."""
        return DayRequests(self.day[rows], self.issued[rows], self.known_until[rows])

    def followed_by(self, others: DayRequests) -> DayRequests:
        """Return both, these first."""
        return DayRequests(
            np.concatenate([self.day, others.day]),
            np.concatenate([self.issued, others.issued]),
            np.concatenate([self.known_until, others.known_until]),
        )

    def usual_of_each_day(self, time_zone: str) -> DayRequests:
        """Return one request of each day, in order of days: the one on the usual schedule, else the last."""
        is_usual = np.zeros(len(self.day), dtype=np.bool_)
        if len(self.day):
            is_usual[_most_frequent(IssueSchedule.groups(self, time_zone))[1]] = True
        order = np.lexsort((np.arange(len(self.day)), is_usual, self.day))
        _, last = np.unique(self.day[order][::-1], return_index=True)
        return self.take(order[::-1][last])


@dataclass(frozen=True, slots=True)
class IssueSchedule:
    """When days are asked for, on the local clock of that day or of a day before it."""

    issued_days_before: int
    issued_clock_us: int
    known_days_before: int
    known_clock_us: int

    @classmethod
    def groups(cls, requests: DayRequests, time_zone: str) -> list[tuple[IssueSchedule, Instants]]:
        """Return the schedules by which requests are asked, each with the rows of its requests."""
        clocks = []
        for instant in (requests.issued, requests.known_until):
            local = instant + clock_offsets(instant, time_zone)
            clocks += [requests.day - local // DAY_US, local % DAY_US]
        found, which = np.unique(np.stack(clocks, axis=1), axis=0, return_inverse=True)
        return [(cls(*clock), np.flatnonzero(which.reshape(-1) == row)) for row, clock in enumerate(found.tolist())]

    @classmethod
    def usual(cls, requests: DayRequests, time_zone: str) -> IssueSchedule:
        """Return the schedule of most requests."""
        return _most_frequent(cls.groups(requests, time_zone))[0]

    def requests(self, days: Instants, time_zone: str) -> DayRequests:
        """Return the usual request of each day, (m,)."""

        def instant(days_before: int, clock_us: int) -> Instants:
            guess = (days - days_before) * DAY_US + clock_us
            return guess - clock_offsets(guess - clock_offsets(guess, time_zone), time_zone)

        return DayRequests(
            days,
            instant(self.issued_days_before, self.issued_clock_us),
            instant(self.known_days_before, self.known_clock_us),
        )

    def earlier(self, n_days: int) -> IssueSchedule:
        """Return the schedule that asks so many days before."""
        return replace(
            self,
            issued_days_before=self.issued_days_before + n_days,
            known_days_before=self.known_days_before + n_days,
        )

    @property
    def lag(self) -> int:
        """Days from the last day known whole to the day asked for."""
        return self.known_days_before + 1


def _most_frequent(groups: list[tuple[IssueSchedule, Instants]]) -> tuple[IssueSchedule, Instants]:
    return max(groups, key=lambda group: len(group[1]))
