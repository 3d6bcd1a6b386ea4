"""Issues side by side: one row per issue time, one column per interval, so that features are matrix operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from watthour.core.forecast import Context
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants, Vintages

ISSUES_AT_ONCE = 1024  # keeps a panel of five weeks of hours below 10 MB


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Some issues and what is asked of each.

    Intervals are counted from 1970 in steps of the channel's resolution. ``edge`` is the first interval that was not
    over when measurements end.
    """

    step: int  # resolution [microseconds]
    issued: Instants  # (I,) the instants of issue
    known_until: Instants  # (I,)
    edge: Instants  # (I,)
    issue: Instants  # (R,) which issue each target belongs to
    time: Instants  # (R,) start of each target [microseconds]
    interval: Instants  # (R,) the same, counted in steps
    rows: Instants  # (R,) where each target stands in the frame that was asked

    @classmethod
    def chunks(cls, targets: dy.DataFrame[Targets], context: Context) -> Iterator[Self]:
        """Yield the targets as panels of at most ``ISSUES_AT_ONCE`` issues."""
        step = int(context.resolution.total_seconds() * 1_000_000)
        columns = [instants(targets[name]) for name in ("issued_at", "known_until", "time")]
        pairs, which = np.unique(np.stack(columns[:2], axis=1), axis=0, return_inverse=True)
        order = np.argsort(which, kind="stable")
        for start in range(0, len(pairs), ISSUES_AT_ONCE):
            low, high = np.searchsorted(which[order], [start, start + ISSUES_AT_ONCE])
            rows = order[low:high]
            time = columns[2][rows]
            issued, known_until = pairs[start : start + ISSUES_AT_ONCE].T
            known_until = np.minimum(issued, known_until)
            yield cls(step, issued, known_until, known_until // step, which[rows] - start, time, time // step, rows)

    def per(self, hours: float) -> int:
        """Return how many intervals a number of hours has, at least one."""
        return max(1, round(hours * 3_600_000_000 / self.step))

    def measured(self, values: Vintages, back: int, ahead: int = 0) -> Array:
        """Return measurements as known at each issue, from ``back`` intervals before the edge to ``ahead`` after it."""
        grid = self.grid(back, ahead)
        known = values.known(grid, self.issued[:, None])
        known[grid + self.step > self.known_until[:, None]] = np.nan
        return known

    def grid(self, back: int, ahead: int = 0) -> Instants:
        """Return the starts of the intervals around the edge of each issue [microseconds], one row per issue."""
        return (self.edge[:, None] + np.arange(-back, ahead)) * self.step

    def pick(self, panel: Array, back: int, intervals: Instants) -> Array:
        """Return, per target, the panel's values at intervals counted from 1970; NaN outside the panel.

        Args:
            panel: one row per issue.
            back: by how many intervals the panel begins before the edge.
            intervals: one row per target, one or more columns.
        """
        issue = self.issue.reshape(-1, *[1] * (intervals.ndim - 1))
        column = intervals - self.edge[issue] + back
        inside = (column >= 0) & (column < panel.shape[1])
        return np.where(inside, panel[issue, np.where(inside, column, 0)], np.nan)


def mean_known(values: Array, *, at_least: int = 1) -> Array:
    """Return the mean of each row's known values, NaN where fewer than ``at_least`` are."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0).sum(axis=-1)
    return np.where(count >= at_least, total / np.maximum(count, 1), np.nan)


def first_known(values: Array) -> tuple[Array, Instants]:
    """Return each row's first known value and its column; NaN and -1 where none is."""
    known = np.isfinite(values)
    column = known.argmax(axis=-1)
    some = known.any(axis=-1)
    value = np.take_along_axis(values, column[..., None], axis=-1)[..., 0]
    return np.where(some, value, np.nan), np.where(some, column, -1)


def deviation_known(values: Array, *, at_least: int = 2) -> Array:
    """Return the standard deviation of each row's known values, NaN where fewer than ``at_least`` are."""
    centre = mean_known(values, at_least=at_least)
    return np.sqrt(mean_known((values - centre[..., None]) ** 2, at_least=at_least))
