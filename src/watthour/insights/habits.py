"""Changes in habit: parts of the day that use more or less than in the weeks before, and devices used otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.insights.charging import charging_of
from watthour.insights.load import HOURS, Unknown, days_of, median, median_span
from watthour.insights.weather import without_weather

if TYPE_CHECKING:
    from datetime import date

    from watthour.insights.load import Array, Load, Mask

RECENT_DAYS, PAST_DAYS = 21, 56
PART_HOURS = 3
KINDS = ("working days", "days off", "all days")
FEWEST_RECENT, FEWEST_PAST = 6, 12  # days of a kind
CHANCE = 0.03  # of telling any change where there is none, all parts of the day together
_SHUFFLES = 2000  # of the days, by which a chance is counted
_LEAST_SHARE, _LEAST_KWH = 0.2, 0.05  # smallest change that is told: of what was usual, and per day


@dataclass(frozen=True, slots=True)
class HabitChange:
    """A part of the day in which the home used more, or less, than in the weeks before."""

    first_hour: int  # local clock
    end_hour: int  # local clock, not included; 1 or 2 are those of the day after
    days: str  # "working days", "days off" or "all days"
    before_kwh: float  # median per day in the past
    after_kwh: float  # median per day in the recent time
    after_low_kwh: float  # 95 % interval of that median
    after_high_kwh: float
    chance: float  # of so clear a difference in any part of the day without a change
    n_days: int
    n_past_days: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What changed between two spans of days."""

    changes: tuple[HabitChange, ...]  # surest first
    since: date  # first of the recent days
    until: date  # last of them
    past_since: date


def habits(load: Load, temperature: pl.DataFrame | None = None, *, is_home: bool = True) -> Habits | Unknown:
    """Return parts of the day whose energy differs between the last 21 days and the 56 before.

    All parts of three hours in a row are compared on working days, on days off, and on all days, by the rank test of
    Wilcoxon with the two kinds of day as strata (van Elteren, Bulletin of the ISI 37, 1960). How often the surest of
    all parts is as sure by chance is counted over shuffled days (Westfall and Young, Resampling-Based Multiple Testing,
    1993), since neighbouring parts share their hours. Where the temperature outdoors is known, what goes with it is
    taken out first; in a home hours in which a car without a meter of its own seems to charge are gaps.
    """
    table = days_of(load)
    if table is None:
        return Unknown("no readings in steps of an hour or shorter are known", "Add a channel in such steps.")
    n_days = len(table.power_w)
    if n_days < RECENT_DAYS + FEWEST_PAST:
        return Unknown(
            f"{n_days} days are known, and {RECENT_DAYS + FEWEST_PAST} are needed", "Wait, or import older readings."
        )
    split, begin = n_days - RECENT_DAYS, max(n_days - RECENT_DAYS - PAST_DAYS, 0)
    free, _ = without_weather(table, temperature, load.time_zone)
    charging = charging_of(free.power_w, table.is_off).hours & is_home
    energy = _parts(np.where(charging, np.nan, free.power_w))[begin:]
    is_recent = np.arange(begin, n_days) >= split
    is_off = table.is_off[begin:]
    chances, how_sure = _compared(energy, is_recent, is_off)
    tried: list[tuple[float, HabitChange]] = []
    for kind, alike in enumerate((~is_off, is_off, np.ones(len(is_off), dtype=np.bool_))):
        for part in range(HOURS):
            before, after = energy[alike & ~is_recent, part], energy[alike & is_recent, part]
            before, after = before[~np.isnan(before)], after[~np.isnan(after)]
            if len(before) < FEWEST_PAST or len(after) < FEWEST_RECENT:
                continue
            end = part + PART_HOURS
            change = HabitChange(
                part,
                end if end <= HOURS else end - HOURS,
                KINDS[kind],
                median(before),
                median(after),
                *median_span(after),
                float(chances[kind, part]),
                len(after),
                len(before),
            )
            tried.append((float(how_sure[kind, part]), change))
    if not tried:
        return Unknown(
            f"too few days of one kind are known: {FEWEST_RECENT} of the last {RECENT_DAYS} and {FEWEST_PAST} before",
            "Wait, or import older readings.",
        )
    return Habits(_sure(tried), table.day(split), table.day(n_days - 1), table.day(begin))


def _parts(power_w: Array) -> Array:
    """Return the energy of the three hours from each hour on, (days, 24) [kWh]; a part with a gap is a gap."""
    after = np.vstack([power_w[1:], np.full((1, HOURS), np.nan)])
    both = np.hstack([power_w, after])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(both, PART_HOURS, axis=1)[:, :HOURS].sum(axis=2) / 1000)


def _compared(energy: Array, is_recent: Mask, is_off: Mask) -> tuple[Array, Array]:
    """Return for each kind of day and part the chance of a difference, and how sure it is in standard deviations.

    Days are shuffled among those of their kind. A gap has the middle rank, so that it speaks for neither side.
    """
    rng = np.random.default_rng(0)  # so that the same readings always tell the same
    sums = np.zeros((len(KINDS), 1 + _SHUFFLES, HOURS))  # of the ranks of recent days: as it is, then shuffled
    for kind, alike in enumerate((~is_off, is_off)):
        if not alike.any():
            continue
        ranks = pl.DataFrame(energy[alike]).fill_nan(None).select(pl.all().rank()).to_numpy()
        ranks = np.nan_to_num(ranks / (np.sum(~np.isnan(ranks), axis=0) + 1) - 0.5)
        recent = is_recent[alike].astype(np.float64)
        shuffled = rng.permuted(np.tile(recent, (_SHUFFLES, 1)), axis=1)
        sums[kind] = np.vstack([recent, shuffled]) @ ranks
    sums[-1] = sums[0] + sums[1]
    spread = sums[:, 1:].std(axis=1)
    how_sure = np.abs(sums) / np.where(spread > 0, spread, np.inf)[:, None]
    surest = how_sure[:, 1:].max(axis=(0, 2))
    n_as_sure = np.sum(surest[:, None, None] >= how_sure[:, 0][None], axis=0)
    return (1 + n_as_sure) / (1 + _SHUFFLES), how_sure[:, 0]


def _sure(tried: list[tuple[float, HabitChange]]) -> tuple[HabitChange, ...]:
    """Return what is hardly by chance and large enough, surest first; of parts that overlap the surest."""
    kept: list[HabitChange] = []
    for _, change in sorted(tried, key=lambda each: -each[0]):
        apart = abs(change.after_kwh - change.before_kwh)
        is_large = apart >= max(_LEAST_SHARE * abs(change.before_kwh), _LEAST_KWH)
        if change.chance <= CHANCE and is_large and not any(_overlap(change, each) for each in kept):
            kept.append(change)
    return tuple(kept)


def _overlap(one: HabitChange, other: HabitChange) -> bool:
    """Tell whether two changes speak of the same hours of the same days."""
    apart = abs(one.first_hour - other.first_hour)
    shares_hours = min(apart, HOURS - apart) < PART_HOURS
    return shares_hours and (one.days == other.days or KINDS[-1] in (one.days, other.days))
