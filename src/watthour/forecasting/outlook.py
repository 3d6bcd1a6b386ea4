"""What the load and the sun of a home do in the steps ahead: as expected, and in courses they may take together.

Each course is one day of the last weeks with the hours after it, load and sun as they went together. A day is taken as
much higher or lower as the days before the present lie above or below those before it, by part of that. In the first
hours all courses go on from what was measured last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.window import DAY, HOUR
from watthour.forecasting.calendar import same_clock
from watthour.forecasting.vintages import DAY_US

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.forecasting.vintages import Array, Instants

MEMORY = timedelta(days=29)  # of measured steps that are looked at
FEWEST_COURSES = 7
_WEEK = 7
_FADES = 3 * HOUR  # how long what the last hours differed by is believed
_LAST = 2 * HOUR
_BLOCK = 3 * HOUR  # in which courses are compared
_MOST_RATIO = 2.5
_MOST_OF_TOP = 1.02  # that the sun can give, of the most of the last weeks at this time of the day
_NIGHT_KW = 0.02
_SMALL_KW = 1e-3
_KNOWN_SHARE = 0.75  # of a day's steps, for its mean to be used
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """How past days become courses; the values were chosen in replays of months on which nothing is published."""

    n_days: int = 14
    n_courses: int = 8  # that stand for all days
    n_level_days: int = 7
    load_fades_days: float = 1.0  # after so many days a day counts 1/e of yesterday for the level
    sun_fades_days: float = 0.5
    load_power: float = 0.6  # of the ratio of levels that is believed
    sun_power: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Load and sun in each step ahead, and (courses, steps) of each; all in kW, none negative."""

    load_kw: Array
    solar_kw: Array
    load_paths_kw: Array
    solar_paths_kw: Array
    path_counts: Array  # of how many days each course stands


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """When the steps ahead begin, and what was the same time on days before."""

    start: datetime
    step: timedelta
    n_steps: int
    time_zone: str

    @property
    def per_day(self) -> int:
        """Steps of a day."""
        return DAY // self.step

    def before(self, days: Array | Instants, *, by_clock: bool) -> Instants:
        """Return how many steps before the start each step lay on earlier days, negative: after it; (days, steps).

        Args:
            days: (D,) how many days earlier.
            by_clock: the same local time, as people live; else the same time of the sun.
        """
        size = self.step // _MICROSECOND
        start = round(self.start.timestamp() * 1e6)
        times = start + size * np.arange(self.n_steps, dtype=np.int64)
        whole = np.asarray(days, dtype=np.int64)[:, None]
        earlier = same_clock(times[None, :], whole, self.time_zone) if by_clock else times[None, :] - whole * DAY_US
        return np.asarray((start - earlier) // size)


def outlook(load: Array, sun: Array | None, clock: Clock, rule: Rule | None = None) -> Outlook | None:
    """Return what load and sun do in the steps ahead; None: too few past days are known whole.

    Args:
        load: mean power of each step before the first that is asked, the last last; NaN: not known. What it feeds in is
            sun [kW].
        sun: the same of the sun; None: there is none [kW].
        clock: the steps that are asked.
        rule: how past days become courses.
    """
    rule = rule or Rule()
    days = np.arange(1, rule.n_days + 1)
    is_signed = bool((load < -_NIGHT_KW).any())
    load = load if is_signed else np.maximum(load, 0.0)
    parts = [_Part.of(load, clock, days, rule, power=0.0 if is_signed else rule.load_power, is_sun=False)]
    if sun is not None:
        parts.append(_Part.of(_with_nights(sun, clock), clock, days, rule, power=rule.sun_power, is_sun=True))
    is_whole = np.all([np.isfinite(part.courses).all(axis=1) for part in parts], axis=0)
    if is_whole.sum() < FEWEST_COURSES:
        return None
    middles, paths = zip(*(part.moved(is_whole, clock) for part in parts), strict=True)
    sun_middle, sun_paths = (middles[1], paths[1]) if sun is not None else (0.0, 0.0)
    fed = np.maximum(-middles[0], 0.0), np.maximum(-paths[0], 0.0)
    load_paths, solar_paths = np.maximum(paths[0], 0.0), fed[1] + sun_paths
    chosen, counts = _standing_for_all(load_paths, solar_paths, rule.n_courses, max(_BLOCK // clock.step, 1))
    middle = np.maximum(middles[0], 0.0), fed[0] + sun_middle
    return Outlook(*middle, load_paths[chosen], solar_paths[chosen], counts)


def _standing_for_all(load: Array, sun: Array, n_courses: int, block: int) -> tuple[Instants, Array]:
    """Return the courses that are nearest to all, chosen one by one, and for how many each of them stands.

    Near is what has like energy in each block of hours, of load and of sun (the forward selection of Heitsch and
    Roemisch, Computational Optimization and Applications 24 (2003), doi:10.1023/A:1021805924152).
    """
    starts = np.arange(0, load.shape[1], block)
    energy = np.concatenate([np.add.reduceat(each, starts, axis=1) for each in (load, sun)], axis=1)
    apart = np.abs(energy[:, None, :] - energy[None, :, :]).sum(axis=2)  # (days, days)
    chosen: list[int] = []
    nearest = np.full(len(load), np.inf)
    for _ in range(min(n_courses, len(load))):
        left = np.minimum(nearest[None, :], apart).sum(axis=1)
        left[chosen] = np.inf
        chosen.append(int(np.argmin(left)))
        nearest = np.minimum(nearest, apart[chosen[-1]])
    owner = np.argmin(apart[chosen], axis=0)
    owner[chosen] = np.arange(len(chosen))  # of two that are the same each stands for itself
    return np.array(chosen), np.bincount(owner, minlength=len(chosen)).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Load or sun: what is known of it, and what it did from the same time on past days."""

    past: Array
    courses: Array  # (days, steps)
    then: Array  # (days, steps) what the last hours were on those days
    is_sun: bool

    @classmethod
    def of(cls, past: Array, clock: Clock, days: Instants, rule: Rule, *, power: float, is_sun: bool) -> _Part:
        back = clock.before(days, by_clock=not is_sun)
        week = clock.before(days + _WEEK, by_clock=not is_sun)
        n_unknown = _unknown_at_end(past)
        courses = _at(past, np.where(back <= n_unknown, week, back))  # what is not over yet is as a week before
        last = np.arange(max(_LAST // clock.step, 1), 0, -1)
        then = _at(past, last[None, :] + n_unknown + clock.per_day * days[:, None])
        ratio = _ratios(past[: len(past) - n_unknown], clock, days, rule, power=power, is_sun=is_sun)
        scaled = courses * ratio[:, None]
        if is_sun:
            top = np.nanmax(courses, axis=0, initial=0.0)
            scaled = np.minimum(scaled, _MOST_OF_TOP * top)
        return cls(past[: len(past) - n_unknown], scaled, then * ratio[:, None], is_sun)

    def moved(self, is_whole: Array, clock: Clock) -> tuple[Array, Array]:
        """Return the mean of the whole courses and them, moved by how the last hours differed from the mean."""
        courses = self.courses[is_whole]
        middle, n = courses.mean(axis=0), clock.n_steps
        last, then = self.past[-self.then.shape[1] :], np.nanmean(self.then[is_whole], axis=0)
        fade = np.exp(-np.arange(n) * (clock.step / _FADES))
        if not (np.isfinite(last).all() and np.isfinite(then).all()):
            return middle, courses
        if self.is_sun:
            share = 1.0 if then.sum() < _NIGHT_KW * len(then) else min(float(last.sum() / then.sum()), 3.0)
            middle = middle * (1.0 + (share - 1.0) * fade)
        else:
            middle = middle + float((last - then).mean()) * fade
            middle = middle if (self.past < 0.0).any() else np.maximum(middle, 0.0)  # a net meter's goes below
        return middle, middle * fade + courses * (1.0 - fade)


def _unknown_at_end(past: Array) -> int:
    """Return how many of the last steps are not known yet."""
    known = np.flatnonzero(np.isfinite(past))
    return len(past) if not len(known) else len(past) - 1 - int(known[-1])


def _at(past: Array, back: Instants) -> Array:
    """Return a series so many steps before its end; NaN where there is none."""
    place = len(past) - back
    is_there = (place >= 0) & (place < len(past))
    return np.where(is_there, past[np.clip(place, 0, len(past) - 1)], np.nan)


def _ratios(past: Array, clock: Clock, days: Instants, rule: Rule, *, power: float, is_sun: bool) -> Array:
    """Return by how much each past day is to be raised: the level of the days before the present beside its own."""
    n_needed = len(days) + rule.n_level_days
    whole = np.concatenate([np.full(max(n_needed * clock.per_day - len(past), 0), np.nan), past])
    rows = whole[len(whole) - n_needed * clock.per_day :].reshape(n_needed, clock.per_day)[::-1]  # yesterday first
    is_known = np.isfinite(rows)
    n_known = is_known.sum(axis=1)
    means = np.where(is_known, rows, 0.0).sum(axis=1) / np.maximum(n_known, 1)
    has_mean = n_known >= _KNOWN_SHARE * clock.per_day
    weights = np.exp(-np.arange(rule.n_level_days) / (rule.sun_fades_days if is_sun else rule.load_fades_days))
    levels = np.full(len(days) + 1, np.nan)
    for k in range(len(days) + 1):
        mine = weights * has_mean[k : k + rule.n_level_days]
        if mine.sum() > 0.0:
            levels[k] = mine @ means[k : k + rule.n_level_days] / mine.sum()
    ratio = ((np.abs(levels[0]) + _SMALL_KW) / (np.abs(levels[1:]) + _SMALL_KW)) ** power
    return np.asarray(np.clip(np.nan_to_num(ratio, nan=1.0), 1.0 / _MOST_RATIO, _MOST_RATIO))


def _with_nights(sun: Array, clock: Clock) -> Array:
    """Return the sun with zero where it is not known at a time of the day at which it never gave anything."""
    n_days = -(-len(sun) // clock.per_day)
    padded = np.concatenate([np.full(n_days * clock.per_day - len(sun), np.nan), sun])
    by_time = padded.reshape(n_days, clock.per_day)
    most = np.nanmax(np.where(np.isfinite(by_time), by_time, 0.0), axis=0)
    known = np.where(np.isfinite(by_time) | (most > _NIGHT_KW), by_time, 0.0).reshape(-1)
    return known[len(padded) - len(sun) :]
