"""Changes in habit: parts of the day that use more or less than in the weeks before, and devices used otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.insights.load import HOURS, Unknown, days_of, median, median_span
from watthour.insights.weather import without_weather

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from watthour.insights.load import Load

RECENT_DAYS, PAST_DAYS = 21, 56
PART_HOURS = 3
FEWEST_RECENT, FEWEST_PAST = 6, 12  # days of a kind
CHANCE = 0.03  # of telling any change where there is none, all parts of the day together
_LEAST_SHARE, _LEAST_KWH = 0.2, 0.05  # smallest change that is told: of what was usual, and per day


@dataclass(frozen=True, slots=True)
class HabitChange:
    """A part of the day in which the home used more, or less, than in the weeks before."""

    first_hour: int  # local clock
    end_hour: int  # local clock, not included
    days: str  # "working days" or "days off"
    before_kwh: float  # median per day in the past
    after_kwh: float  # median per day in the recent time
    after_low_kwh: float  # 95 % interval of that median
    after_high_kwh: float
    chance: float  # of so clear a difference without a change, multiplied by the number of parts looked at
    n_days: int
    n_past_days: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What changed between two spans of days."""

    changes: tuple[HabitChange, ...]  # surest first
    since: date  # first of the recent days
    until: date  # last of them
    past_since: date


def habits(load: Load, temperature: pl.DataFrame | None = None) -> Habits | Unknown:
    """Return parts of the day whose energy differs between the last 21 days and the 56 before.

    All parts of three hours in a row on two kinds of day are compared by the rank test of Mann and Whitney (Annals of
    Mathematical Statistics 18, 1947), with the corrections of Holm (Scandinavian Journal of Statistics 6, 1979).
    Where the temperature outdoors is known, what goes with it is taken out first.
    """
    from scipy.stats import mannwhitneyu

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
    energy = np.stack(
        [free.power_w[:, hour : hour + PART_HOURS].sum(axis=1) for hour in range(HOURS - PART_HOURS + 1)], axis=1
    )
    energy /= 1000  # a part with a gap is a gap
    tried: list[tuple[float, HabitChange]] = []
    for is_off, words in ((False, "working days"), (True, "days off")):
        alike = table.is_off == is_off
        for part in range(energy.shape[1]):
            before, after = energy[begin:split][alike[begin:split], part], energy[split:][alike[split:], part]
            before, after = before[~np.isnan(before)], after[~np.isnan(after)]
            if len(before) < FEWEST_PAST or len(after) < FEWEST_RECENT:
                continue
            chance = float(mannwhitneyu(before, after, alternative="two-sided").pvalue)
            middles = median(before), median(after)
            span = median_span(after)
            tried.append(
                (
                    chance,
                    HabitChange(part, part + PART_HOURS, words, *middles, *span, chance, len(after), len(before)),
                )
            )
    if not tried:
        return Unknown(
            f"too few days of one kind are known: {FEWEST_RECENT} of the last {RECENT_DAYS} and {FEWEST_PAST} before",
            "Wait, or import older readings.",
        )
    return Habits(_sure(tried), table.day(split), table.day(n_days - 1), table.day(begin))


def _sure(tried: list[tuple[float, HabitChange]]) -> tuple[HabitChange, ...]:
    """Return what stays after Holm's correction and is large enough, surest first; of parts that overlap the surest."""
    kept: list[HabitChange] = []
    least_chance = 0.0
    for place, (chance, change) in enumerate(sorted(tried, key=lambda each: each[0])):
        least_chance = max(least_chance, min(chance * (len(tried) - place), 1.0))
        if least_chance > CHANCE:
            break
        apart = abs(change.after_kwh - change.before_kwh)
        is_told = any(
            each.days == change.days and abs(each.first_hour - change.first_hour) < PART_HOURS for each in kept
        )
        if apart >= max(_LEAST_SHARE * abs(change.before_kwh), _LEAST_KWH) and not is_told:
            kept.append(replace(change, chance=least_chance))
    return tuple(kept)
