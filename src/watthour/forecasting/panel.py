"""Issues side by side: one row per issue time, one column per interval, so that features are matrix operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.steps import check_targets, interval_numbers, numbered_starts, phase_of, step_of
from watthour.forecasting.vintages import DAY_US, HOUR_US, instants

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from watthour.core.forecast import Context
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants, Vintages

ISSUES_AT_ONCE = 1024  # of hourly channels: keeps a panel of five weeks below 10 MB


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """I issues and the R targets asked of them.

    Intervals are counted in steps of the channel's resolution, as ``interval_numbers`` does. ``edge`` is the first
    interval that was not over when measurements end.
    """

    step: int  # resolution [microseconds]
    phase: int  # where the grid of intervals stands, of ``phase_of``
    time_zone: str
    issued: Instants  # (I,) the instants of issue
    known_until: Instants  # (I,)
    edge: Instants  # (I,)
    issue: Instants  # (R,) which issue each target belongs to
    time: Instants  # (R,) start of each target [microseconds]
    interval: Instants  # (R,) the same, counted in steps
    rows: Instants  # (R,) where each target stands in the frame that was asked

    @classmethod
    def chunks(cls, targets: dy.DataFrame[Targets], context: Context) -> Iterator[Self]:
        """Yield the targets as panels of some issues each; the shorter the step, the fewer.

        Raises:
            InvalidInput: the targets are not intervals of the context's channel.
        """
        check_targets(targets, context)
        step = step_of(context)
        columns = [instants(targets[name]) for name in ("issued_at", "known_until", "time")]
        phase = phase_of(columns[2], step, context.time_zone) if targets.height else 0
        pairs, which = _distinct(columns[0], columns[1])
        order = np.argsort(which, kind="stable")
        at_once = max(1, ISSUES_AT_ONCE * min(step, HOUR_US) // HOUR_US)
        for start in range(0, len(pairs), at_once):
            low, high = np.searchsorted(which[order], [start, start + at_once])
            rows = order[low:high]
            issued, known_until = pairs[start : start + at_once].T
            known_until = np.minimum(issued, known_until)
            zone, time = context.time_zone, columns[2][rows]
            edge, interval = (interval_numbers(each, step, phase, zone) for each in (known_until, time))
            yield cls(step, phase, zone, issued, known_until, edge, which[rows] - start, time, interval, rows)

    def interval_of(self, times: Instants) -> Instants:
        """Return the interval that each instant, of any shape, lies in."""
        return interval_numbers(times, self.step, self.phase, self.time_zone)

    def start(self, intervals: Instants) -> Instants:
        """Return the instants at which intervals, of any shape, begin [microseconds]."""
        return numbered_starts(intervals, self.step, self.phase, self.time_zone)

    def per(self, hours: float) -> int:
        """Return how many intervals a number of hours has, at least one."""
        return max(1, round(hours * HOUR_US / self.step))

    def measured(self, values: Vintages, back: int) -> Array:
        """Return the measurements known at each issue, of the ``back`` intervals that were over: (I, back)."""
        if self.step >= DAY_US:
            return values.known(self.grid(back), self.issued[:, None])
        return values.windows(self.start(self.edge - back), back, self.step, self.issued)

    def grid(self, back: int, ahead: int = 0) -> Instants:
        """Return the starts of the intervals around the edge of each issue: (I, back + ahead) [microseconds]."""
        return self.start(self.edge[:, None] + np.arange(-back, ahead))

    def pick(self, panel: Array, back: int, intervals: Instants) -> Array:
        """Return, per target, the panel's values at intervals counted from 1970; NaN outside the panel.

        Args:
            panel: (I, columns), one row per issue.
            back: by how many intervals the panel begins before the edge.
            intervals: (R,), or (R, k) for k of each target; the answer has their shape.
        """
        issue = self.issue.reshape(-1, *[1] * (intervals.ndim - 1))
        column = intervals - self.edge[issue] + back
        inside = (column >= 0) & (column < panel.shape[1])
        return np.where(inside, panel[issue, np.where(inside, column, 0)], np.nan)


def _distinct(issued: Instants, known_until: Instants) -> tuple[Instants, Instants]:
    """Return the different pairs in ascending order, and which of them each row has."""
    order = np.lexsort((known_until, issued))
    pairs = np.stack([issued, known_until], axis=1)[order]
    is_new = np.ones(len(pairs), dtype=bool)
    is_new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    which = np.empty(len(pairs), dtype=np.int64)
    which[order] = np.cumsum(is_new) - 1
    return pairs[is_new], which


def mean_known(values: Array, *, axis: int = -1, at_least: int = 1) -> Array:
    """Return the mean of what is known along an axis, one dimension less; NaN where fewer than ``at_least`` are."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count >= at_least, total / np.maximum(count, 1), np.nan)


def middle_known(values: Array, *, at_least: int = 1) -> Array:
    """Return the lower median of what each row of (..., k) knows, (...); NaN where that is less than ``at_least``."""
    count = np.isfinite(values).sum(axis=-1)
    middle = np.take_along_axis(np.sort(values, axis=-1), np.maximum(count - 1, 0)[..., None] // 2, axis=-1)[..., 0]
    return np.where(count >= at_least, middle, np.nan)


def first_known(values: Array) -> tuple[Array, Instants]:
    """Return each row's first known value and its column, both (...) of (..., k); NaN and -1 where none is."""
    known = np.isfinite(values)
    column = known.argmax(axis=-1)
    some = known.any(axis=-1)
    value = np.take_along_axis(values, column[..., None], axis=-1)[..., 0]
    return np.where(some, value, np.nan), np.where(some, column, -1)


def deviation_known(values: Array, *, at_least: int = 2) -> Array:
    """Return the standard deviation of each row's known values, NaN where fewer than ``at_least`` are.

    Values are (..., k), the answer (...).
    """
    centre = mean_known(values, at_least=at_least)
    return np.sqrt(mean_known((values - centre[..., None]) ** 2, at_least=at_least))
