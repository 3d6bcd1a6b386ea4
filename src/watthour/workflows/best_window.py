"""When something that runs for a while has the least of a series: how much less than at once, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SURE, LIKELY = 0.9, 2 / 3  # probabilities from which a difference is called so
_BAND = (0.05, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A forecast, interval by interval, and its joint paths where they are known."""

    times: Sequence[datetime]  # starts of the intervals, without holes
    step: timedelta
    expected: Array  # (times,); NaN: not forecast
    paths: Array | None = None  # (paths, times), equally likely

    @property
    def end(self) -> datetime:
        """Where it ends."""
        return self.times[-1] + self.step

    def share(self, start: datetime, duration: timedelta) -> Array:
        """Return which part of a run lies in each interval, (times,); their sum is 1."""
        overlaps = [
            max(0.0, (min(time + self.step, start + duration) - max(time, start)) / duration) for time in self.times
        ]
        return np.array(overlaps)

    def mean(self, start: datetime, duration: timedelta) -> float:
        """Return the expected mean over a run; NaN where an interval of it is not forecast."""
        return _weighted(self.share(start, duration), self.expected)


@dataclass(frozen=True, slots=True)
class Run:
    """One way to place a run."""

    start: datetime
    end: datetime
    mean: float  # expected over it [unit of the series]


@dataclass(frozen=True, slots=True)
class Difference:
    """How much less one run has than another."""

    expected: float  # [unit of the series]
    lower: float | None  # 90 % interval
    upper: float | None
    probability: float | None  # that it is less at all [0-1]


@dataclass(frozen=True, slots=True)
class BestWindow:
    """The best start, the one at once, and the best that does not overlap the first."""

    best: Run
    at_once: Run | None  # None: it is not forecast, or would end after the deadline
    saving: Difference | None  # of the best against at once
    runner_up: Run | None
    ahead_of_runner_up: Difference | None

    @property
    def certainty(self) -> str:
        """How sure it is that waiting is better: ``now``, ``sure``, ``likely``, ``unsure`` or ``unknown``."""
        if self.at_once is not None and self.best.start == self.at_once.start:
            return "now"
        probability = None if self.saving is None else self.saving.probability
        if probability is None:
            return "unknown"
        return "sure" if probability >= SURE else "likely" if probability >= LIKELY else "unsure"


def best_window(course: Course, duration: timedelta, *, earliest: datetime, deadline: datetime) -> BestWindow:
    """Return when a run of a duration between two instants has the least expected mean.

    It may begin at the earliest instant, as an interval begins, or so that it ends with one: a mean of steps is least
    at one of these.

    Args:
        course: the forecast.
        duration: of the run.
        earliest: it begins no earlier.
        deadline: it has ended by then.

    Raises:
        InvalidInput: it does not fit in, or nothing of it is forecast.
    """
    last = min(deadline, course.end) - duration
    if last < earliest:
        room = "before the forecast ends" if course.end < deadline else "before the deadline"
        raise InvalidInput(
            "deadline",
            deadline.isoformat(timespec="minutes"),
            f"a run of {duration} from {earliest.isoformat(timespec='minutes')} does not end {room}",
            remedy="Give a later deadline, an earlier start or a shorter duration.",
        )
    begins = {earliest, last, *course.times, *(time + course.step - duration for time in course.times)}
    starts = sorted(start for start in begins if earliest <= start <= last)
    runs = [Run(start, start + duration, course.mean(start, duration)) for start in starts]
    known = [run for run in runs if np.isfinite(run.mean)]
    if not known:
        problem = "no run that fits in lies in hours that are forecast"
        raise InvalidInput("earliest", earliest.isoformat(timespec="minutes"), problem, remedy="Ask for other hours.")
    best = min(known, key=lambda run: (run.mean, run.start))
    at_once = next((run for run in known if run.start == earliest), None)
    others = [run for run in known if run.end <= best.start or run.start >= best.end]
    second = min(others, key=lambda run: (run.mean, run.start), default=None)
    return BestWindow(
        best,
        at_once,
        None if at_once is None or at_once == best else difference(course, best, at_once),
        second,
        None if second is None else difference(course, best, second),
    )


def difference(course: Course, less: Run, more: Run) -> Difference:
    """Return how much less one run has than another; band and probability where joint paths are known."""
    if course.paths is None:
        return Difference(more.mean - less.mean, None, None, None)
    weights = course.share(more.start, more.end - more.start) - course.share(less.start, less.end - less.start)
    used = weights != 0
    found = course.paths[:, used] @ weights[used]
    low, high = np.quantile(found, _BAND)
    is_less = float((found > 0).mean() + (found == 0).mean() / 2)
    return Difference(more.mean - less.mean, float(low), float(high), is_less)


def _weighted(weights: Array, values: Array) -> float:
    used = weights > 0
    return float(weights[used] @ values[used]) if used.any() else float("nan")
