"""From samples as meters send them to means of even steps: every sample holds until the next one, for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Times: TypeAlias = NDArray[np.int64]
    Powers: TypeAlias = NDArray[np.float32]

LEAST_KNOWN = 0.5  # of a step, for its mean to stand for it


def step_means(time: Times, power: Powers, step_s: int, hold_s: int) -> tuple[Times, Powers]:
    """Return the mean power of each step of which at least half is known, with the begin of the step.

    Steps are counted from 1970-01-01T00:00Z. A sample holds until the next one, and no longer than ``hold_s``: a sensor
    that fell silent leaves a gap.

    Args:
        time: (n,) increasing [s since 1970].
        power: (n,) from each time on; NaN where unknown [W].
        step_s: length of a step [s].
        hold_s: how long a sample holds at most [s].

    >>> begin, mean = step_means(np.array([0, 6, 60]), np.array([100, 200, 50], dtype=np.float32), 10, 6)
    >>> begin.tolist(), mean.tolist()
    ([0, 60], [140.0, 50.0])
    """
    known = np.isfinite(power)
    if not known.any():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    until = np.minimum(np.append(time[1:], time[-1] + hold_s), time + hold_s)
    begin, end, held = time[known], until[known], power[known].astype(np.float64)
    steps = _touched(begin, end, step_s)
    edges = np.concatenate([steps, steps + step_s])
    known_s = _until(edges, begin, end, np.ones_like(held))
    energy = _until(edges, begin, end, held)
    covered = known_s[len(steps) :] - known_s[: len(steps)]
    enough = covered >= LEAST_KNOWN * step_s
    mean = (energy[len(steps) :] - energy[: len(steps)])[enough] / covered[enough]
    return steps[enough], mean.astype(np.float32)


def _touched(begin: Times, end: Times, step_s: int) -> Times:
    """Return the begins of the steps that spans touch, each once."""
    first, last = begin // step_s, (end - 1) // step_s
    most = int((last - first).max())
    touched = np.concatenate([np.minimum(first + more, last) for more in range(most + 1)])
    touched.sort(kind="stable")  # of two lines in order: fast
    is_new = np.concatenate([[True], np.diff(touched) > 0])
    return np.asarray(touched[is_new] * step_s)


def _until(edges: Times, begin: Times, end: Times, rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the integral of rates, each of which holds from a begin to its end, up to some instants."""
    parts = (end - begin) * rate
    before = np.concatenate([[0.0], np.cumsum(parts)])
    place = np.searchsorted(begin, edges, side="right") - 1  # the span in which an instant lies, or that before it
    inside = np.clip(edges - begin[place], 0, end[place] - begin[place])
    return np.where(place >= 0, before[place] + inside * rate[place], 0.0)


def from_samples(columns: dict[str, tuple[Times, Powers]], step_s: int, hold_s: int) -> tuple[Times, dict[str, Powers]]:
    """Return several meters, each with its own samples, on one line of steps: those in which the first one is known.

    Args:
        columns: (times, powers) of each meter; the first is that of the mains.
        step_s: length of a step [s].
        hold_s: how long a sample holds at most [s].
    """
    (mains, (time, power)), *others = columns.items()
    begin, mean = step_means(time, power, step_s, hold_s)
    on_line = {mains: mean}
    for name, (own_time, own_power) in others:
        own_begin, own_mean = step_means(own_time, own_power, step_s, hold_s)
        on_line[name] = np.full(len(begin), np.nan, dtype=np.float32)
        _, here, there = np.intersect1d(begin, own_begin, assume_unique=True, return_indices=True)
        on_line[name][here] = own_mean[there]
    return begin, on_line
