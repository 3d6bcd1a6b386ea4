"""What insights find of planted cases in made homes, and how often they tell of something where nothing is.

Run: python benchmarks/insights.py
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
from report import Cell, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the made homes are those of the tests

from made_home import PER_DAY, PER_HOUR, START, MadeHome, make_home

from watthour.insights.anomalies import Oddities, oddities
from watthour.insights.habits import Habits, habits
from watthour.insights.standby import Standby, standby

SEEDS = range(100, 120)
JUDGED = 28
WEEKS = JUDGED / 7
PROTOCOL = (
    "Homes made of appliances (fridge, cooking, washing, lights, and electric heating in a second set), 112 "
    "days, read hourly; the last 28 are judged. Each home is judged once as it is, which gives the false alarms, and "
    "once with each planted case. A planted run of hours is found where an anomaly of the right side overlaps it; a "
    "level shift where one is told within two days of it, a change in habit where one of its hours is named. Constants "
    "were chosen on homes of other seeds."
)


@dataclass
class Tally:
    """What was found, of what was planted."""

    found: list[bool] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share that was found."""
        return float(np.mean(self.found))


def judged(home: MadeHome) -> Oddities:
    """Return what is told of the last days of a home."""
    found = oddities(home.load(), home.outdoors(), days=JUDGED)
    assert isinstance(found, Oddities)  # noqa: S101 - the homes are long enough
    return found


def plant_hours(home: MadeHome, rng: np.random.Generator, power: float, hours: float) -> tuple[int, int]:
    """Add a power at any hour of the judged days; return its first and last step."""
    first = int(rng.integers((home.n_days - JUDGED) * PER_DAY, home.n_days * PER_DAY - int(hours * PER_HOUR)))
    last = first + int(hours * PER_HOUR)
    home.parts["planted"] = np.zeros(home.n_days * PER_DAY)
    home.parts["planted"][first:last] = power
    return first, last


def overlaps(found: Oddities, first: int, last: int, side: int) -> bool:
    """Tell whether an anomaly of the right side lies over some steps."""
    step = timedelta(hours=1) / PER_HOUR
    begin, end = START + first * step, START + last * step
    return any(each.start < end and each.end > begin and side * each.extra_kwh > 0 for each in found.anomalies)


def outage(home: MadeHome, rng: np.random.Generator, hours: float) -> tuple[int, int]:
    """Cut the power for some hours; return their first and last step."""
    first, last = plant_hours(home, rng, 0.0, hours)
    for power in home.parts.values():
        power[first:last] = 0.0
    return first, last


def cases(*, is_heated: bool) -> list[dict[str, Cell]]:
    """Return one row for each case."""
    tallies: dict[str, Tally] = {}
    alarms = shifts = changes = 0
    apart = []
    for seed in SEEDS:
        quiet = make_home(seed, is_heated=is_heated)
        as_it_is = judged(quiet)
        alarms += len(as_it_is.anomalies)
        shifts += len(as_it_is.shifts)
        usual = habits(quiet.load(), quiet.outdoors())
        changes += len(usual.changes) if isinstance(usual, Habits) else 0
        least = standby(quiet.load(step=timedelta(minutes=5)))
        if isinstance(least, Standby) and not is_heated:
            apart.append(abs(least.power_w / float(np.median(quiet.parts["always"])) - 1))
        rng = np.random.default_rng(seed)
        for power, hours in ((1000, 6), (2000, 4), (2000, 8)):
            home = make_home(seed, is_heated=is_heated)
            first, last = plant_hours(home, rng, power, hours)
            name = f"{power} W for {hours} h"
            tallies.setdefault(name, Tally()).found.append(overlaps(judged(home), first, last, 1))
        home = make_home(seed, is_heated=is_heated)
        first, last = outage(home, rng, 6)
        tallies.setdefault("no power for 6 h", Tally()).found.append(overlaps(judged(home), first, last, -1))
        for power in (75, 150, 300):
            home = make_home(seed, is_heated=is_heated)
            day = home.n_days - int(rng.integers(8, 22))
            home.parts["always"][day * PER_DAY :] += power
            told = judged(home).shifts
            planted = START.date() + timedelta(days=day + 1)  # the first local day begins at 23:00 UTC
            is_found = any(abs((each.day - planted).days) <= 2 and each.change_w > 0 for each in told)  # noqa: PLR2004 - days
            tallies.setdefault(f"level {power} W higher", Tally()).found.append(is_found)
        home = make_home(seed, is_heated=is_heated)
        clock = int(rng.integers(0, 24))
        for day in range(home.n_days - 21, home.n_days):
            home.parts["always"][day * PER_DAY + clock * PER_HOUR :][: 2 * PER_HOUR] += 400
        told_habits = habits(home.load(), home.outdoors())
        hours_of = {hour % 24 for hour in (clock, clock + 1)}
        is_found = isinstance(told_habits, Habits) and any(
            hours_of & set(range(each.first_hour, each.end_hour)) for each in told_habits.changes
        )
        tallies.setdefault("400 W for 2 h each day", Tally()).found.append(is_found)
    weeks = WEEKS * len(SEEDS)
    test = "heated" if is_heated else "plain"
    rows: list[dict[str, Cell]] = [
        {"row": name, "test": test, "recall": tally.recall, "cases": len(tally.found)}
        for name, tally in tallies.items()
    ]
    rows += [
        {"row": "hours", "test": test, "alarms_per_week": alarms / weeks, "weeks": weeks},
        {"row": "levels", "test": test, "alarms_per_week": shifts / weeks, "weeks": weeks},
        {"row": "habits", "test": test, "alarms_per_home": changes / len(SEEDS), "homes": len(SEEDS)},
    ]
    if apart:
        rows.append({"row": "standby", "test": test, "error_percent": 100 * float(np.median(apart))})
    return rows


def main() -> None:
    """Print the table and keep it."""
    report("insights", PROTOCOL, [row for is_heated in (False, True) for row in cases(is_heated=is_heated)])


if __name__ == "__main__":
    main()
