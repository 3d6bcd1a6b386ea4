"""Faults of a feed that no single value shows: shifted in time, on another scale, its columns exchanged.

Readings are compared with somebody else's forecast of them, day by day. A shift is the slope of their difference on the
change of the forecast over time: a load that comes an hour late is off by minus what the forecast changes in an hour.
What is usual for the pair is what it was before, so that a forecast that always misses the morning does not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

_DAY_HOURS = 24.0
_MOSTLY = 0.8  # of the intervals of a day that must be known
_FIT = (0.5, 2.0)  # of the forecast, between which a reading says something about time
_WINDOW = 5  # usable days that decide
_USUAL = 120  # usable days before, of which what is usual is the median
_FEWEST_USUAL = 14
_ASIDE = 2 * 7  # days before and after a change, by which it is told which of the two changed
_LEAST_JUMP_HOURS, _JUMP_EXPLAINS = 0.6, 0.55  # a shift that begins; the share of the difference that it explains
_LEAST_STEADY_HOURS, _STEADY_EXPLAINS, _STEADY_DAYS = 0.22, 0.2, 28  # one that was always there
_LEAST_FACTOR = 1.6  # a scale that begins
_NEW_SCALE_DAYS = 60
_ROUND = (1000.0, 500.0, 250.0, 100.0, 50.0, 25.0, 10.0)
_FEWEST_ROUND = 120  # values of which the rounding says something
_FEWEST_DIFFERENT = 3  # values of a day, likewise
_ALL_BUT = 0.005  # of the values, that may be off the rounding


class Fault(StrEnum):
    """What is wrong with a pair of readings and forecast."""

    SHIFT = "shift"  # one of the two speaks of another time
    SCALE = "scale"  # one of the two is on another scale
    EXCHANGED = "exchanged"  # each stands where the other belongs


class Side(StrEnum):
    """Which of the two changed."""

    READINGS = "readings"
    FORECAST = "forecast"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that some days show; days are numbers since 1970 on the local clock."""

    fault: Fault
    side: Side
    first_day: int
    last_day: int  # that shows it
    is_over: bool  # whether later days are well again
    size: float  # hours by which it comes too late (negative: too early), the factor, or the step of the rounding
    sure: float | None  # 0 to 1: the share of the difference that it explains; None of an exchange, which explains none
    is_steady: bool = False  # whether it was there from the first day on


@dataclass(frozen=True, slots=True, eq=False)
class DayPairs:
    """Readings and forecast laid out by local day and interval, NaN where unknown."""

    days: Instants  # (d,) consecutive numbers
    measured: Array  # (d, n)
    forecast: Array  # (d, n)

    @property
    def hours(self) -> float:
        """Length of an interval."""
        return _DAY_HOURS / float(self.measured.shape[1])

    @classmethod
    def lay_out(cls, local_starts: Instants, measured: Array, forecast: Array, *, step: int, day: int) -> DayPairs:
        """Lay pairs out; of an hour that the clock repeats the later counts.

        Args:
            local_starts: what the clock on the wall shows when each interval begins, (n,).
            measured: (n,).
            forecast: (n,).
            step: of the intervals, in the same unit.
            day: likewise.
        """
        number, column = local_starts // day, local_starts % day // step
        first = int(number.min()) if len(number) else 0
        shape = (int(number.max()) - first + 1 if len(number) else 0, day // step)
        laid = np.full((2, *shape), np.nan)
        laid[0, number - first, column] = measured
        laid[1, number - first, column] = forecast
        return cls(first + np.arange(shape[0]), laid[0], laid[1])


def find_faults(pairs: DayPairs) -> list[Finding]:
    """Return the faults of a pair, in order of their first day.

    While the two stand in each other's place, what seems another time is the difference between the two.
    """
    exchanges = find_exchanges(pairs)
    shifts = [
        each
        for each in find_shifts(pairs)
        if each.is_steady or not any(other.first_day <= each.first_day <= other.last_day for other in exchanges)
    ]
    return sorted([*shifts, *find_scales(pairs), *exchanges], key=lambda each: (each.first_day, each.fault))


def find_shifts(pairs: DayPairs) -> list[Finding]:
    """Return the spans of days in which one of the two speaks of another time than it did, or always did."""
    sums = _Sums.of(pairs.measured, pairs.forecast, pairs.hours)
    rows = np.flatnonzero(sums.usable)
    if len(rows) < _WINDOW:
        return []
    hours, is_odd, usual_hours, explained = _track(sums, rows)
    found = []
    for start, stop in _runs(is_odd):
        here = rows[start:stop]
        size = float(np.median(hours[start:stop]) - np.median(usual_hours[start:stop]))
        found.append(
            Finding(
                Fault.SHIFT,
                side := _which_moved(pairs, _last(rows[:start], is_odd[:start]), here[:_ASIDE], size),
                int(pairs.days[here[0]]),
                int(pairs.days[here[-1]]),
                is_over=len(rows) - stop >= _WINDOW,
                size=size if side is Side.FORECAST else -size,
                sure=float(np.max(explained[start:stop])),
            )
        )
    rest = rows[~is_odd]
    steady, share = sums.shift(rest, 0.0)
    if len(rest) >= _STEADY_DAYS and abs(steady) >= _LEAST_STEADY_HOURS and share >= _STEADY_EXPLAINS:
        days = pairs.days[rest]
        found.append(
            Finding(
                Fault.SHIFT,
                Side.UNKNOWN,
                int(days[0]),
                int(days[-1]),
                is_over=False,
                size=-steady,
                sure=share,
                is_steady=True,
            )
        )
    return found


def find_scales(pairs: DayPairs) -> list[Finding]:
    """Return the spans of days in which the readings are another multiple of the forecast than before."""
    with np.errstate(all="ignore"):
        ratio = np.where((pairs.measured > 0) & (pairs.forecast > 0), np.log(pairs.measured / pairs.forecast), np.nan)
    rows = np.flatnonzero(np.isfinite(ratio).mean(axis=1) >= _MOSTLY)
    daily = np.nanmedian(ratio[rows], axis=1) if len(rows) else np.empty(0)
    is_odd = np.zeros(len(rows), dtype=np.bool_)
    usual = np.zeros(len(rows))
    for row in range(len(rows)):
        settled = np.arange(row) < row - _NEW_SCALE_DAYS  # what has lasted so long is the scale now
        before = daily[:row][~is_odd[:row] | settled][-_USUAL:]
        usual[row] = np.median(before) if len(before) >= _FEWEST_USUAL else np.nan
        is_odd[row] = abs(daily[row] - usual[row]) >= np.log(_LEAST_FACTOR)
    found = []
    for start, stop in _runs(is_odd):
        if stop - start >= _WINDOW:
            here = rows[start:stop]
            change = daily[start:stop] - usual[start:stop]
            side = _which_grew(pairs, _last(rows[:start], is_odd[:start]), here[:_ASIDE], float(np.median(change)))
            later = daily[stop : stop + _WINDOW] - usual[start]  # once taken for usual it may go on all the same
            found.append(
                Finding(
                    Fault.SCALE,
                    side,
                    int(pairs.days[here[0]]),
                    int(pairs.days[here[-1]]),
                    is_over=len(later) > 0 and bool(abs(np.median(later)) < np.log(_LEAST_FACTOR)),
                    size=float(np.exp(np.median(change) * (-1 if side is Side.FORECAST else 1))),
                    sure=1 - float(np.var(change) / np.mean(change**2)),
                )
            )
    return found


def find_exchanges(pairs: DayPairs) -> list[Finding]:
    """Return whether the readings are round numbers where the forecast is not: people round what they expect.

    Each span of days between which the rounding changes is judged by itself.
    """
    both = np.isfinite(pairs.measured) & np.isfinite(pairs.forecast)
    rows = np.flatnonzero(both.mean(axis=1) >= _MOSTLY)
    steps = [(_rounding(pairs.measured[row]), _rounding(pairs.forecast[row])) for row in rows]
    is_odd = _joined(np.array([ours > 1 and theirs == 1 for ours, theirs in steps], dtype=np.bool_))
    found = []
    for start, stop in _runs(is_odd):
        here = rows[start:stop]
        n_values = int(both[here].sum())
        step = float(np.median([ours for ours, _ in steps[start:stop]]))
        if n_values >= _FEWEST_ROUND and step > 1 and not _was_rounded_before(steps[:start]):
            found.append(
                Finding(
                    Fault.EXCHANGED,
                    Side.UNKNOWN,
                    int(pairs.days[here[0]]),
                    int(pairs.days[here[-1]]),
                    is_over=stop < len(rows),
                    size=step,
                    sure=None,
                    is_steady=start == 0,
                )
            )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What the slope of the difference on the change over time is made of, per day (d,)."""

    cross: Array
    change: Array
    difference: Array
    usable: Mask

    @classmethod
    def of(cls, measured: Array, forecast: Array, hours: float) -> _Sums:
        """Reckon them; the level of a day's difference says nothing of time."""
        per_hour = max(round(1 / hours), 1)
        flat = forecast.reshape(-1)
        change = np.full_like(flat, np.nan)
        if len(flat) > 2 * per_hour:
            change[per_hour:-per_hour] = (flat[2 * per_hour :] - flat[: -2 * per_hour]) / (2 * per_hour * hours)
        by_day = change.reshape(forecast.shape)
        with np.errstate(all="ignore"):
            share = forecast / measured
        difference = np.where((share > _FIT[0]) & (share < _FIT[1]), measured - forecast, np.nan)
        known = np.isfinite(difference) & np.isfinite(by_day)
        usable = known.mean(axis=1) >= _MOSTLY
        difference, by_day = (_without_mean(each, known) for each in (difference, by_day))
        total = (by_day**2).sum(axis=1)
        return cls(
            (difference * by_day).sum(axis=1),
            total,
            (difference**2).sum(axis=1),
            usable & (total > 0),
        )

    def shift(self, rows: Instants, usual: float) -> tuple[float, float]:
        """Return the shift of some days [hours], and the share of the difference that its change explains."""
        if not len(rows):
            return 0.0, 0.0
        cross = self.cross[rows] - usual * self.change[rows]
        left = self.difference[rows] - 2 * usual * self.cross[rows] + usual**2 * self.change[rows]
        total = float(self.change[rows].sum() * left.sum())
        share = float(cross.sum() ** 2 / total) if total > 0 else 0.0
        return float(np.median(self.cross[rows] / self.change[rows])), share


def _track(sums: _Sums, rows: Instants) -> tuple[Array, Mask, Array, Array]:
    """Follow usable days: the shift of each, whether it is odd, what was usual, and what the oddness explains."""
    hours = sums.cross[rows] / sums.change[rows]
    is_odd = np.zeros(len(rows), dtype=np.bool_)
    usual, explained = np.zeros(len(rows)), np.zeros(len(rows))
    for last in range(_WINDOW - 1, len(rows)):
        first = last - _WINDOW + 1
        before = hours[:first][~is_odd[:first]][-_USUAL:]
        now = float(np.median(before)) if len(before) >= _FEWEST_USUAL else 0.0
        usual[last] = now
        shift, share = sums.shift(rows[first : last + 1], now)
        if abs(shift - now) >= _LEAST_JUMP_HOURS and share >= _JUMP_EXPLAINS:
            window = np.arange(first, last + 1)
            mine = window[np.abs(hours[window] - shift) < np.abs(hours[window] - now)]
            is_odd[mine], usual[mine] = True, now
            explained[mine] = np.maximum(explained[mine], share)
    return hours, _joined(is_odd), usual, explained


def _joined(is_odd: Mask) -> Mask:
    """Return the same with gaps closed that are shorter than the window: single days look well by chance."""
    found = is_odd.copy()
    odd = np.flatnonzero(is_odd)
    for one, following in pairwise(odd.tolist()):
        if following - one <= _WINDOW:
            found[one:following] = True
    return found


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """Return the spans in which a mask is true, each with its end."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _last(rows: Instants, is_odd: Mask) -> Instants:
    """Return the last days that were as usual, however long ago a gap puts them; any days where none was."""
    usual = rows[~is_odd]
    return (usual if len(usual) else rows)[-_ASIDE:]


def _which_moved(pairs: DayPairs, before: Instants, after: Instants, size: float) -> Side:
    """Return which of the two is out of step with its own course of the days before."""
    if len(before) < 7 or after[0] - before[-1] > _ASIDE:  # noqa: PLR2004 - days of a week; the season moves a day too
        return Side.UNKNOWN
    moved = []
    for values in (pairs.measured, pairs.forecast):
        course = np.array([_mean_course(values[days]) for days in (before, after)])
        sums = _Sums.of(course[1:], course[:1], pairs.hours)
        # the edges of a single day have no change: enough of the rest is known
        moved.append(float(sums.cross[0] / sums.change[0]) if sums.change[0] > 0 else 0.0)
    ours, theirs = abs(moved[0] - size), abs(-moved[1] - size)
    if max(abs(moved[0]), abs(moved[1])) < abs(size) / 2:
        return Side.UNKNOWN
    return Side.READINGS if ours < theirs else Side.FORECAST


def _which_grew(pairs: DayPairs, before: Instants, after: Instants, change: float) -> Side:
    """Return which of the two is unlike its own level of the days before."""
    grown = [
        float(np.log(np.nanmedian(values[after]) / np.nanmedian(values[before])))
        for values in (pairs.measured, pairs.forecast)
    ]
    return Side.READINGS if abs(grown[0] - change) < abs(grown[1] + change) else Side.FORECAST


def _mean_course(values: Array) -> Array:
    """Return the mean of each interval over days, (n,); NaN of one that no day knows."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan))


def _rounding(values: Array) -> float:
    """Return the largest step of which nearly all values are multiples, 1 where there is none.

    NaN where the values are too few different ones to tell, as those of a feed that stands still.
    """
    known = values[np.isfinite(values) & (values != 0)]
    if len(known) and len(np.unique(known)) < _FEWEST_DIFFERENT:
        return math.nan
    for step in _ROUND:
        if len(known) and np.mean(np.abs(known / step - np.round(known / step)) > 1e-6) <= _ALL_BUT:  # noqa: PLR2004 - of a step
            return step
    return 1.0


def _was_rounded_before(steps: Sequence[tuple[float, float]]) -> bool:
    """Tell whether the readings were round on most of the days before: then they always were."""
    return len(steps) > 0 and float(np.mean([ours > 1 for ours, _ in steps])) > 0.5  # noqa: PLR2004 - most


def _without_mean(values: Array, known: Mask) -> Array:
    total = np.where(known, values, 0.0)
    mean = total.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.where(known, values - mean[:, None], 0.0))
