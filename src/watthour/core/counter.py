"""What a counter of energy says: which of its samples count, and how much energy lies between two of them.

A counter rises. Where it does not, or rises faster than anything can draw, one of the rules of
``docs/explanation/meters.md`` says what happened; what no rule explains is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watthour.core.plausibility import Array, Mask, Numbers

_HOUR_US = 3_600_000_000
_KEPT_SHARE = 0.9  # a counter that falls below this share of what it showed has begun anew
_FEWEST_DIGITS = 4  # of the wheels of a counter that rolls over
_NEAR_TOP, _NEAR_ZERO = 0.9, 0.1  # shares of the highest stand, before and after a roll-over


class Found(StrEnum):
    """What the samples of a meter show beside energy."""

    RESET = "reset"  # it began anew at zero
    ROLL_OVER = "roll_over"  # it passed its highest stand
    REPLACED = "replaced"  # it shows the stand of another meter
    DIP = "counter_dips"  # lower for one sample, and back
    SPIKE = "counter_spikes"  # higher for one sample, and back
    BACKWARD = "counter_goes_backward"  # lower than it was, and not begun anew
    NEGATIVE = "power_is_negative"
    SILENCE = "silence"  # nothing was heard for longer than the rule allows


REFUSED = (Found.DIP, Found.SPIKE, Found.BACKWARD, Found.NEGATIVE)  # findings that are samples which do not count


@dataclass(frozen=True, slots=True)
class CounterRules:
    """What a counter can do.

    ``is_signed``: it also runs backward, where energy is fed in.
    """

    most_kw: float = 100.0  # that can flow through it
    coarseness_kwh: float = 1.0  # it may rise by so much at once, however short the time
    rolls_over_at: float | None = None  # its highest stand and one [kWh]; None: a power of ten of four digits or more
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """The samples of a counter that count, and what was found; instants in microseconds of UTC."""

    place: NDArray[np.int64]  # among all samples
    time: Numbers
    rise: Array  # since the sample that counted before [kWh]; nan: not known
    is_estimated: Mask  # part of the rise was lost, as before a reset
    known_at: Numbers  # when it was certain that the sample counts
    found: dict[Found, NDArray[np.int64]]  # what was found -> places of the samples
    n_settled: int  # samples that can be judged; what the others are, the next sample tells


def count(time: Numbers, value: Array, rules: CounterRules) -> Counted:
    """Return what a counter counted between its samples.

    Args:
        time: of the samples, rising.
        value: what it showed [kWh].
        rules: what it can do.
    """
    place = np.arange(len(time))
    is_dip = _dips(time, value, rules)
    n_settled = len(time) - int((np.diff(value[-2:]) < 0).sum())  # one that falls may be a dip
    clean = place[:n_settled][~is_dip[:n_settled]]
    is_spike = _spikes(time[clean], value[clean], rules)
    spikes, clean = clean[is_spike], clean[~is_spike]
    while len(clean) > 1 and _is_odd(np.diff(value[clean[-2:]]), np.diff(time[clean[-2:]]), rules)[0]:
        n_settled = int(clean[-1])
        clean = clean[:-1]
    found = {Found.DIP: place[is_dip & (place < n_settled)], Found.SPIKE: spikes[spikes < n_settled]}
    return _counted(clean, time, value, rules, found, n_settled)


def _counted(
    clean: NDArray[np.int64],
    time: Numbers,
    value: Array,
    rules: CounterRules,
    found: dict[Found, NDArray[np.int64]],
    n_settled: int,
) -> Counted:
    """Judge the steps between samples that are no glitches."""
    times, values = time[clean], value[clean]
    step, reach = np.diff(values), _reach(np.diff(times), rules)
    before, after, falls = values[:-1], values[1:], step < 0
    top = np.full(len(step), rules.rolls_over_at) if rules.rolls_over_at is not None else _next_power_of_ten(before)
    over = after + top - before
    rolls = falls & (over <= reach) & (before >= _NEAR_TOP * top) & (after <= _NEAR_ZERO * top)
    is_far = -step > reach
    begins_anew = is_far | ((after < _KEPT_SHARE * before) & (not rules.is_signed))
    resets = falls & ~rolls & begins_anew & (after >= 0) & (after <= reach)
    replaced = (falls & ~rolls & begins_anew & ~resets) | (step > reach)
    breaks = np.concatenate([[False], rolls | resets | replaced])[: len(clean)]
    counts = np.ones(len(clean), dtype=np.bool_)
    if not rules.is_signed:
        for run in np.split(np.arange(len(values)), np.flatnonzero(breaks)):
            counts[run] = values[run] >= np.maximum.accumulate(values[run])
    kept = np.flatnonzero(counts)
    into = kept[1:] - 1  # the steps that end at a sample that counts
    difference = np.diff(values[kept])
    rise = np.where(
        rolls[into],
        difference + top[into],
        np.where(resets[into], values[kept[1:]], np.where(replaced[into], np.nan, difference)),
    )
    found |= {
        Found.RESET: clean[1:][resets],
        Found.ROLL_OVER: clean[1:][rolls],
        Found.REPLACED: clean[1:][replaced],
        Found.BACKWARD: clean[~counts],
    }
    return Counted(
        clean[kept],
        times[kept],
        np.concatenate([[np.nan], rise])[: len(kept)],
        np.concatenate([[False], resets[into]])[: len(kept)],
        _known_at(times, breaks)[kept],
        found,
        n_settled,
    )


def _is_odd(step: Array, elapsed: Numbers, rules: CounterRules) -> Mask:
    """Tell which steps are none that a counter takes by counting."""
    is_odd: Mask = (step < 0) | (step > _reach(elapsed, rules))
    return is_odd


def _dips(time: Numbers, value: Array, rules: CounterRules) -> Mask:
    """Return the samples that are lower than both neighbours, by more than could be counted again until the next."""
    is_dip = np.zeros(len(time), dtype=np.bool_)
    before, here, after = value[:-2], value[1:-1], value[2:]
    is_dip[1:-1] = (here < before) & (after >= before) & (after - here > _reach(np.diff(time)[1:], rules))
    return is_dip


def _spikes(time: Numbers, value: Array, rules: CounterRules) -> Mask:
    """Return the samples that rise by more than can be, and are followed by one that shows it was not so."""
    is_spike = np.zeros(len(time), dtype=np.bool_)
    before, here, after = value[:-2], value[1:-1], value[2:]
    is_far = here - before > _reach(np.diff(time)[:-1], rules)
    is_back = (after < here) & (after >= before) & (after - before <= _reach(time[2:] - time[:-2], rules))
    is_spike[1:-1] = is_far & is_back
    return is_spike


def _reach(elapsed: Numbers, rules: CounterRules) -> Array:
    """Return how much can be counted in a time [kWh]."""
    reach: Array = rules.most_kw * (elapsed / _HOUR_US) + rules.coarseness_kwh
    return reach


def _next_power_of_ten(value: Array) -> Array:
    digits = np.floor(np.log10(np.maximum(value, 1.0))) + 1
    power: Array = 10.0 ** np.maximum(digits, _FEWEST_DIGITS)
    return power


def _known_at(times: Numbers, breaks: Mask) -> Numbers:
    """Return when each sample was certain: at once, or where it breaks the count with the next that does not."""
    sure = np.append(times[~breaks], times.max(initial=0))
    known: Numbers = sure[np.searchsorted(np.flatnonzero(~breaks), np.arange(len(times)))]
    return known
