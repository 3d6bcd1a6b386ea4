"""Days from which on a load lies higher or lower around the clock, such as a device that is left on."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from watthour.insights.load import median, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from watthour.insights.load import Array, Days

_AROUND = 14  # days before and after that are compared
_FEWEST_BEFORE, _FEWEST_AFTER = 7, 4  # known days
_KNOWN_HOURS = 18  # of a day, that its level is taken
_LEAST_W, _LEAST_SHARE = 20.0, 0.05  # smallest change that is told, and of the mean load
_SURE = 6.0  # standard errors
_NORMAL_OF_MAD = 1.4826  # standard deviation of a normal value over its median absolute deviation
_MEDIAN_ERROR = 1.2533  # standard error of a median over that of a mean, of normal values
_UNSURE = 0.02  # of a change: what weather and season were taken to be is estimated too
_MOST = 50


@dataclass(frozen=True, slots=True)
class LevelShift:
    """A lasting change of the load at all hours."""

    day: date  # first local day of the new level
    change_w: float  # median level of up to 14 days from then on less that of up to 14 days before
    low_w: float  # 95 % interval of the change
    high_w: float
    standard_errors: float  # the change in its standard errors; 6 are needed
    n_days_after: int  # that it is known to last
    place: int = field(repr=False)  # of the day in the table; not told


def shifts_of(table: Days) -> tuple[LevelShift, ...]:
    """Return the lasting changes of a load, oldest first.

    The level of a day is the median over its hours of the load less the median of that local hour on such days, so that
    some odd hours do not move it; hours weigh by how little they change from day to day. A shift is where the medians
    of the days before and after differ by six standard errors; the surest is taken first, and the days on its two sides
    are then compared apart.
    """
    level = _daily_levels(table)
    least = max(_LEAST_W, _LEAST_SHARE * abs(float(np.nanmean(table.power_w))))
    steps = np.diff(level[~np.isnan(level)])
    if not len(steps):
        return ()
    noise = max(_NORMAL_OF_MAD * median(np.abs(steps)) / np.sqrt(2), 1.0)
    edges = [0, len(level)]
    found: list[LevelShift] = []
    while len(found) < _MOST:
        tried = [
            shift
            for begin, end in pairwise(edges)
            for place in range(begin + _FEWEST_BEFORE, end - _FEWEST_AFTER + 1)
            if (shift := _shift_at(table, level[begin:end], place - begin, begin, noise)) is not None
            and abs(shift.change_w) >= least
        ]
        if not tried:
            break
        best = _placed(table, level, edges, max(tried, key=lambda each: each.standard_errors), noise)
        found.append(best)
        edges = sorted([*edges, best.place])
    return tuple(sorted(found, key=lambda each: each.day))


def levels(found: Sequence[LevelShift], n_days: int) -> Array:
    """Return how far each day lies above the last level, by the shifts after it."""
    level = np.zeros(n_days)
    for shift in found:
        level[: shift.place] -= shift.change_w
    return level


def _daily_levels(table: Days) -> Array:
    """Return the level of each day beside what is usual at its hours; nan where too little is known."""
    off_by = np.full(table.power_w.shape, np.nan)
    for kind in (False, True):
        alike = table.is_off == kind
        off_by[alike] = table.power_w[alike] - quantile(table.power_w[alike], 0.5)
    steady = 1 / np.maximum(_NORMAL_OF_MAD * quantile(np.abs(np.diff(off_by, axis=0)), 0.5), _LEAST_W / 4)
    level = _weighted_medians(off_by, np.nan_to_num(steady))
    level[np.sum(~np.isnan(off_by), axis=1) < _KNOWN_HOURS] = np.nan
    return level


def _weighted_medians(rows: Array, weights: Array) -> Array:
    """Return the median of each row, its columns weighted; gaps have no weight, and a row of those alone is nan."""
    counts = np.where(np.isnan(rows), 0.0, weights)
    order = np.argsort(rows, axis=1)  # gaps come last
    share = np.cumsum(np.take_along_axis(counts, order, axis=1), axis=1)
    half = share[:, -1:] / 2
    middle = np.take_along_axis(order, np.argmax(share >= half, axis=1)[:, None], axis=1)
    return np.where(half[:, 0] > 0, np.take_along_axis(rows, middle, axis=1)[:, 0], np.nan)


def _placed(table: Days, level: Array, edges: Sequence[int], shift: LevelShift, noise: float) -> LevelShift:
    """Return a shift at the day that parts the days around it best: medians alone bear a few days on the wrong side."""
    begin = max(each for each in edges if each <= shift.place)
    end = min(each for each in edges if each > shift.place)
    first, last = max(shift.place - _AROUND, begin), min(shift.place + _AROUND, end)
    before = median(level[first : shift.place])
    after = median(level[shift.place : last])
    near = np.nan_to_num(np.abs(level[first:last] - before) - np.abs(level[first:last] - after))
    apart = np.concatenate([[0.0], np.cumsum(near)])  # the sum of deviations, but for a constant, of each place
    places = [each for each in range(first, last + 1) if begin + _FEWEST_BEFORE <= each <= end - _FEWEST_AFTER]
    best = min(places, key=lambda each: float(apart[each - first]))
    return _shift_at(table, level[begin:end], best - begin, begin, noise) or shift


def _shift_at(table: Days, level: Array, place: int, begin: int, noise: float) -> LevelShift | None:
    """Return the change between the days before and after a place, None where it is not sure."""
    before, after = level[max(place - _AROUND, 0) : place], level[place : place + _AROUND]
    before, after = before[~np.isnan(before)], after[~np.isnan(after)]
    if len(before) < _FEWEST_BEFORE or len(after) < _FEWEST_AFTER:
        return None
    middles = median(before), median(after)
    apart = np.concatenate([before - middles[0], after - middles[1]])
    spread = max(_NORMAL_OF_MAD * median(np.abs(apart)), noise)
    error = _MEDIAN_ERROR * spread * np.sqrt(1 / len(before) + 1 / len(after))
    change = middles[1] - middles[0]
    if abs(change) < _SURE * error:
        return None
    apart_by = 1.96 * np.hypot(error, _UNSURE * change)
    n_after = int(np.sum(~np.isnan(level[place:])))
    at = begin + place
    return LevelShift(
        table.day(at),
        change,
        float(change - apart_by),
        float(change + apart_by),
        float(abs(change) / error),
        n_after,
        at,
    )
