"""Hours in which a load was unlike the same hours of the weeks before, and days from which on its level is another."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.window import HOUR
from watthour.insights.charging import charging_of
from watthour.insights.load import HOURS, Unknown, days_of, median, quantile
from watthour.insights.runs import FEWEST_RUNS, is_seldom_on, odd_runs, runs_of_load, runs_of_uses
from watthour.insights.shifts import LevelShift, levels, shifts_of
from watthour.insights.weather import without_weather

if TYPE_CHECKING:
    import dataframely as dy
    import numpy.typing as npt

    from watthour.core.frames import Events
    from watthour.core.window import Window
    from watthour.insights.load import Array, Days, Load, Mask
    from watthour.insights.runs import OddRun, Runs

PAST_DAYS = 56  # with which a day is compared
FEWEST_DAYS = 21  # of the past, all kinds of day together
_FEWEST_ALIKE = 6  # days of the same kind; with fewer all days are compared with
_SCALES = (1, 3, 6, 12)  # hours in a row whose mean is judged
_SUSTAINED = 4  # hours in a row whose least is judged: cooking and washing are higher, and soon over
_WAYS = 2  # of being odd that count: the means and the least have most of their hours in common
_MORE, _LESS = 0.8, 0.2  # of the false alarms, those of more and of less than expected: evenings out are many
_TAIL = 0.05  # share of the hours that the tail is fitted to
_SPREAD_SHARE = 0.9  # quantile that says how far an hour usually goes
_FLOOR_SHARE, _FLOOR_W = 0.1, 10.0  # of the mean load, and at least: smaller deviations are nobody's concern
_WEEK_HOURS = 7 * HOURS
_END_SHARE = 0.2  # of the largest score of a run, that its first and last hour have
_MOST_WEEKS = 1000.0
_EPOCH = date(1970, 1, 1)
_STILL_SHARE, _LOWEST = 0.3, 0.01  # of the power that all but the lowest hundredth of the past hours drew


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Hours in a row that used more, or less, than expected."""

    start: datetime
    end: datetime
    measured_w: float  # mean over these hours
    expected_w: float  # median of these local hours on the same kind of day of the weeks before
    usual_low_w: float  # nine in ten of those hours, and of those beside them, were above this
    usual_high_w: float  # nine in ten were below this
    extra_kwh: float  # measured less expected
    once_in_weeks: float  # how seldom hours as usual go this far to this side; 1000: or more seldom


@dataclass(frozen=True, slots=True)
class Oddities:
    """What was odd in the days that were judged."""

    anomalies: tuple[Anomaly, ...]  # oldest first
    shifts: tuple[LevelShift, ...]  # oldest first
    false_alarms_per_week: float  # that the threshold was set for
    first_day: date  # that was judged
    last_day: date
    n_hours: int  # that were judged
    n_charging_hours: int  # beside them, in which a car without a meter of its own seemed to charge: hardly judged
    n_past_days: int  # known before the first of these days
    runs: tuple[OddRun, ...] = ()  # of a device that is judged by its runs, oldest first
    n_runs: int | None = None  # that were judged; None: hours were


def oddities(
    load: Load,
    temperature: pl.DataFrame | None = None,
    *,
    days: int = 28,
    false_alarms_per_week: float = 0.5,
    is_home: bool = True,
) -> Oddities | Unknown:
    """Return the hours and levels of the last days that are unlike the weeks before.

    Each hour is compared with the median of its local hour on the same kind of day (working, off) of the 56 days
    before; what it is off by is measured in usual deviations of that hour. Sums
    of 1, 3, 6 and 12 hours, and the least of 4, are judged by how seldom the load's own go as far: the tail is fitted
    to the largest twentieth by its median, which few anomalies move.
    Lasting changes of the level are found first and taken out, so that each is told once, not every hour after it.

    Args:
        load: in steps of an hour or shorter.
        temperature: ``time`` and ``value`` outdoors [degC]; what goes with it is taken out. None: it is not known.
        days: the last ones, that are judged.
        false_alarms_per_week: of runs of hours, that the threshold is set for.
        is_home: whether a car without a meter of its own may charge in it; the hours in which one seems to are not
            judged.

    Raises:
        InvalidInput: the rate of false alarms, or the number of days, cannot be.
    """
    judged = _judged(load, days, false_alarms_per_week)
    if isinstance(judged, Unknown):
        return judged
    table, first, n_past = judged
    n_days = len(table.power_w)
    free, weather = without_weather(table, temperature, load.time_zone)
    found = shifts_of(free)
    apart = weather + levels(found, n_days)[:, None]
    car = charging_of(free.power_w, table.is_off)
    charging = car.hours & is_home
    least_w = np.where(charging, table.power_w - car.power_w, np.nan)
    table = replace(table, power_w=np.where(charging, np.nan, table.power_w))
    usual = _usual(table, table.power_w - apart, min(FEWEST_DAYS, first))
    table, usual = _with_least(table, usual, least_w, apart)
    hidden = charging & np.isnan(usual.score)
    return Oddities(
        _runs(table, usual, apart, first, false_alarms_per_week, hidden),
        tuple(shift for shift in found if shift.day >= table.day(first)),
        false_alarms_per_week,
        table.day(first),
        table.day(n_days - 1),
        int(np.sum(~(charging | np.isnan(usual.score))[first:])),
        int(np.sum(charging[first:])),
        n_past,
    )


def oddities_of_device(load: Load, *, days: int = 28, false_alarms_per_week: float = 0.5) -> Oddities | Unknown:
    """Return what is unlike the weeks before in the last days of a device.

    One that runs for a quarter of its time at most, as before the days that are judged, is judged by its runs: most of
    its hours are zero, and any use would be unlike them. Any other by its hours. Arguments as for ``oddities``.

    Raises:
        InvalidInput: the rate of false alarms, or the number of days, cannot be.
    """
    judged = _judged(load, days, false_alarms_per_week)
    if isinstance(judged, Unknown):
        return judged
    table, first, n_past = judged
    begun = load.table.filter(pl.col("day") >= table.day(first))["time"].min()
    runs = runs_of_load(load, begun) if isinstance(begun, datetime) else None
    if runs is None or not isinstance(begun, datetime) or not is_seldom_on(runs, begun):
        return oddities(load, days=days, false_alarms_per_week=false_alarms_per_week, is_home=False)
    shifts = tuple(shift for shift in shifts_of(table) if shift.day >= table.day(first))
    n_hours = int(np.sum(~np.isnan(table.power_w[first:])))
    return _by_runs(runs, table.day(first), false_alarms_per_week, shifts, n_hours, n_past)


def oddities_of_uses(
    uses: dy.DataFrame[Events], log: Window, time_zone: str, *, days: int = 28, false_alarms_per_week: float = 0.5
) -> Oddities | Unknown:
    """Return what is unlike the weeks before in the last days of a device that is known by its log of uses alone.

    Args:
        uses: of the device.
        log: the time in which the log is complete.
        time_zone: whose days and hours count.
        days: the last ones, that are judged.
        false_alarms_per_week: that the thresholds are set for.

    Raises:
        InvalidInput: the rate of false alarms, or the number of days, cannot be.
    """
    _check(days, false_alarms_per_week)
    runs = runs_of_uses(uses, log, time_zone)
    if runs is None:
        return Unknown("no use of the device is known", "Import its uses, or connect a meter or plug to it.")
    n_days = runs.last_day - runs.first_day + 1
    first = max(n_days - days, FEWEST_DAYS)
    if first >= n_days:
        return _too_few(n_days)
    return _by_runs(
        runs, _EPOCH + timedelta(days=runs.first_day + first), false_alarms_per_week, (), 24 * (n_days - first), first
    )


def _by_runs(
    runs: Runs, first_day: date, rate: float, shifts: tuple[LevelShift, ...], n_hours: int, n_past: int
) -> Oddities | Unknown:
    first = (first_day - _EPOCH).days
    n_before = int(np.sum(runs.day < first))
    if n_before < FEWEST_RUNS:
        problem = f"{n_before} runs are known before {first_day}, the first day judged, and {FEWEST_RUNS} are needed"
        return Unknown(problem, "Wait, or import older readings.")
    last_day = _EPOCH + timedelta(days=runs.last_day)
    odd = odd_runs(runs, first, rate)
    return Oddities((), shifts, rate, first_day, last_day, n_hours, 0, n_past, odd, len(runs.day) - n_before)


def _check(days: int, rate: float) -> None:
    if not 0 < rate <= HOURS:
        remedy = "Give a number above 0, such as 0.5, and at most 24."
        raise InvalidInput("false_alarms_per_week", rate, "it cannot be kept", remedy=remedy)
    if days < 1:
        raise InvalidInput("days", days, "there is nothing to judge", remedy="Give 1 or more, such as 28.")


def _judged(load: Load, days: int, rate: float) -> tuple[Days, int, int] | Unknown:
    """Return a load by days and hours, the place of the first day to judge, and how many days before it are known."""
    _check(days, rate)
    table = days_of(load)
    if table is None:
        return Unknown(
            "no readings in steps of an hour or shorter are known", "Add a channel of power or energy in such steps."
        )
    n_days = len(table.power_w)
    first = max(n_days - days, FEWEST_DAYS)
    n_past = int(np.sum(~np.isnan(table.power_w[:first]).all(axis=1)))
    if first >= n_days or n_past < FEWEST_DAYS:
        return _too_few(int(np.sum(~np.isnan(table.power_w).all(axis=1))))
    return table, first, n_past


def _too_few(known: int) -> Unknown:
    return Unknown(
        f"{known} days are known, and {FEWEST_DAYS} before the first day judged are needed",
        "Wait, or import older readings.",
    )


@dataclass(frozen=True, slots=True)
class _Usual:
    """What was expected of each hour and how far it goes, free of level and weather; nan where it is not known."""

    middle: Array  # (days, 24)
    low: Array
    high: Array
    spread: Array  # to the side of more
    off_by: Array  # measured less expected
    score: Array  # the same in usual deviations, of that side


def _usual(table: Days, level_free: Array, scored_from: int) -> _Usual:
    middle, low, high = (np.full(level_free.shape, np.nan) for _ in range(3))
    for day in range(scored_from, len(level_free)):
        past = np.arange(max(day - PAST_DAYS, 0), day)
        past = past[~np.isnan(level_free[past]).all(axis=1)]
        alike = past[table.is_off[past] == table.is_off[day]]
        before = level_free[alike if len(alike) >= _FEWEST_ALIKE else past]
        beside = np.concatenate([np.roll(before, hours, axis=1) for hours in (-1, 0, 1)])
        middle[day] = quantile(before, 0.5)
        low[day], high[day] = quantile(beside, 1 - _SPREAD_SHARE), quantile(beside, _SPREAD_SHARE)
    off_by = level_free - middle
    floor = max(_FLOOR_SHARE * abs(float(np.nanmean(table.power_w))), _FLOOR_W)
    more = off_by[off_by > 0]
    anywhere = max(float(np.quantile(more, _SPREAD_SHARE)) if len(more) else 0.0, floor)
    more_than = high - middle + anywhere
    spread = np.where(off_by > 0, more_than, np.maximum(middle - low, floor))
    return _Usual(middle, low, high, more_than, off_by, off_by / spread)


def _with_least(table: Days, usual: _Usual, least_w: Array, apart: Array) -> tuple[Days, _Usual]:
    """Return a load in which an hour that a car hides has the least that the rest can have drawn, where that is odd.

    The charger draws its full power at most, so that what goes beyond is of something else. Where that is less than
    what is expected of the rest, nothing is known.
    """
    off_by = least_w - apart - usual.middle
    is_more = off_by > 0
    power_w = np.where(is_more, least_w, table.power_w)
    score = np.where(is_more, off_by / usual.spread, usual.score)
    off_by = np.where(is_more, off_by, usual.off_by)
    return replace(table, power_w=power_w), replace(usual, off_by=off_by, score=score)


def _runs(table: Days, usual: _Usual, apart: Array, first: int, rate: float, hidden: Mask) -> tuple[Anomaly, ...]:
    """Return the runs of hours whose sums are too seldom, each side by itself; hidden hours are passed over."""
    still = _still(table, first)
    seen = np.flatnonzero(~hidden.ravel())
    found = []
    for side, of_side in ((1.0, _MORE), (-1.0, _LESS)):
        seldom = of_side * rate / (_WAYS * _WEEK_HOURS)  # share of the hours that may go as far by chance
        flat = side * usual.score.ravel()
        chance = np.ones(len(flat))
        in_row = flat[seen]
        judged = [(hours, _mean_of_last(in_row, hours)) for hours in _SCALES]
        if side > 0:
            judged.append((_SUSTAINED, _least_of_last(in_row, _SUSTAINED)))
        for hours, score in judged:
            rare = _chance(score)
            for last in np.flatnonzero(rare < seldom):  # a sum may reach past the odd hours, to some that are as usual
                part = seen[_trimmed(in_row, slice(last - hours + 1, last + 1))]
                chance[part] = np.minimum(chance[part], rare[last])
        odd = (chance < seldom) & (flat > 0) & (np.arange(len(flat)) >= first * HOURS)
        odd = _over_hidden(odd, seen)
        if side < 0:
            odd |= still
            chance[still] = 0.0
        spans = [_trimmed(flat, span) for span in _spans(odd)]
        found += [_anomaly(table, usual, apart, span, chance) for span in spans]
    return tuple(sorted(found, key=lambda each: each.start))


def _over_hidden(odd: Mask, seen: npt.NDArray[np.intp]) -> Mask:
    """Return odd hours together with the hidden ones between two of them."""
    found = odd.copy()
    for before, after in itertools.pairwise(seen):
        if after > before + 1 and odd[before] and odd[after]:
            found[before + 1 : after] = True
    return found


def _still(table: Days, first: int) -> Mask:
    """Return the hours in a row, (days * 24,), in which hardly anything was on: no power, or a meter that stood still.

    They draw less than three tenths of what all but the lowest hundredth of the hours of the 56 days before drew.
    """
    found = np.zeros(table.power_w.shape, dtype=np.bool_)
    for day in range(first, len(found)):
        past = table.power_w[max(day - PAST_DAYS, 0) : day].ravel()
        found[day] = table.power_w[day] < _STILL_SHARE * quantile(past[:, None], _LOWEST)[0]
    flat = found.ravel()
    beside = np.zeros(len(flat), dtype=np.bool_)
    beside[1:] |= flat[:-1]
    beside[:-1] |= flat[1:]
    return flat & beside


def _mean_of_last(values: Array, count: int) -> Array:
    """Return the mean of each value and those before it; nan where one is missing."""
    if count == 1:
        return values
    sums = np.full(len(values), np.nan)
    sums[count - 1 :] = np.convolve(values, np.ones(count), mode="valid") / count
    return sums


def _least_of_last(values: Array, count: int) -> Array:
    """Return the least of each value and those before it; nan where one is missing."""
    least = np.full(len(values), np.nan)
    least[count - 1 :] = np.lib.stride_tricks.sliding_window_view(values, count).min(axis=1)
    return least


def _chance(score: Array) -> Array:
    """Return how often the load's own scores reach each of them, by a tail that falls as a power of the score.

    Above the 95 % quantile u, log(1 + score) - log(1 + u) is taken as exponential; its mean is the median over log 2.
    """
    known = score[~np.isnan(score)]
    if not len(known):
        return np.ones(len(score))
    begin = max(float(np.quantile(known, 1 - _TAIL)), 0.0)
    beyond = np.log1p(known[known > begin]) - np.log1p(begin)
    if not len(beyond):
        return np.ones(len(score))
    slope = max(median(beyond) / np.log(2), 1e-3)
    excess = np.log1p(np.maximum(np.nan_to_num(score, nan=0.0), 0.0)) - np.log1p(begin)
    return np.where(excess > 0, _TAIL * np.exp(-np.maximum(excess, 0.0) / slope), 1.0)


def _spans(odd: np.ndarray) -> list[slice]:
    """Return the runs of true values; a single hour between two runs belongs to both."""
    places = np.flatnonzero(odd)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > 2)  # noqa: PLR2004 - one hour between them
    starts = [places[0], *places[breaks + 1]]
    ends = [*places[breaks], places[-1]]
    return [slice(int(start), int(end) + 1) for start, end in zip(starts, ends, strict=True)]


def _trimmed(score: Array, span: slice) -> slice:
    """Return a run without hours at its ends that are hardly unlike usual: a sum may hold them."""
    part = score[span]
    places = np.flatnonzero(part >= _END_SHARE * np.nanmax(np.append(part, 0.0)))
    if not len(places):  # no power where hardly any was expected
        return span
    return slice(span.start + int(places[0]), span.start + int(places[-1]) + 1)


def _anomaly(table: Days, usual: _Usual, apart: Array, span: slice, chance: Array) -> Anomaly:
    def mean(values: Array) -> float:
        return float(np.nanmean(values.ravel()[span]))

    starts = table.starts.ravel()[span]
    begun = starts[starts >= 0]
    start, last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at)) for at in (begun[0], begun[-1]))
    share = float(chance[span].min()) * _WAYS * _WEEK_HOURS
    return Anomaly(
        start,
        last + HOUR,
        mean(table.power_w),
        mean(usual.middle + apart),
        mean(usual.low + apart),
        mean(usual.high + apart),
        float(np.nansum(usual.off_by.ravel()[span])) / 1000,
        min(1 / max(share, 1e-12), _MOST_WEEKS),
    )
