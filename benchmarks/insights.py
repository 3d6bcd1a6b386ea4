"""What insights find of planted cases in made homes, and how often they tell of something where nothing is.

Run: python benchmarks/insights.py
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from report import Cell, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the made homes are those of the tests

from made_home import PER_DAY, PER_HOUR, START, MadeHome, make_home

from watthour.core.channel import DeviceKind
from watthour.insights.anomalies import Oddities, oddities
from watthour.insights.habits import Habits, habits
from watthour.insights.standby import Standby, standby
from watthour.simulation.home import SimulatedHome
from watthour.simulation.sky import sky_of
from watthour.simulation.steps import joined, together
from watthour.simulation.town import SimulatedRegion

SEEDS = range(1000, 1020)
TOWN_SEED, TOWN_DAYS = 2027, 112
TESTS = ("plain", "heated", "town", "town_heated", "town_car")
_AT_WILL = frozenset({DeviceKind.SOLAR, DeviceKind.BATTERY, DeviceKind.EV_CHARGER})  # measured apart, as in the product
JUDGED = 28
WEEKS = JUDGED / 7
PROTOCOL = (
    "Homes made of appliances (fridge, cooking, washing, lights, and electric heating in a second set), 112 "
    "days, read hourly; the last 28 are judged. Each home is judged once as it is, which gives the false alarms, and "
    "once with each planted case. A planted run of hours is found where an anomaly of the right side overlaps it; a "
    "level shift where one is told within two days of it, a change in habit where one of its hours is named. Constants "
    "were chosen on homes of other seeds. town: 20 homes of the simulated town as they are drawn, less what their "
    "solar roof, battery and car measured; town_heated: the same, each with a heat pump; town_car: each with a car "
    "that no meter of its own measures. There, days on which nobody used anything and those beside them are left out "
    "of the false alarms and of their weeks, and habits are not judged where there is such a day among those "
    "compared; the row with absences has all days."
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


def town_homes(test: str) -> list[tuple[MadeHome, frozenset[date]]]:
    """Return homes of the simulated town, and the days around those on which nobody used anything.

    Their mains are less what feeds in or is charged at will, but for a car without a meter of its own.
    """
    added = {"town_heated": {DeviceKind.HEAT_PUMP}, "town_car": {DeviceKind.EV_CHARGER}}.get(test, set())
    measured = _AT_WILL - added
    region = SimulatedRegion()
    first = START.date()  # a day of a home begins at 05:00; the judged days begin at the midnight after it
    skies = [sky_of(first + timedelta(days=n), region) for n in range(TOWN_DAYS + 1)]
    to_midnight = skies[0].midnight + 86_400
    edges = to_midnight + 300 * np.arange(TOWN_DAYS * PER_DAY + 1)
    degrees = np.concatenate([sky.temperature for sky in skies])[(to_midnight - skies[0].start) // 60 :]
    found = []
    for number in range(len(SEEDS)):
        home = SimulatedHome(number, seed=TOWN_SEED)
        if added:
            traits = home.described()
            home = replace(home, traits=replace(traits, kinds=traits.kinds | added))
        days = [home.day(sky) for sky in skies]
        parts = [[part for kind, part in day.parts.items() if kind not in measured] for day in days]
        made = MadeHome(TOWN_DAYS)
        mains = joined([together(each) for each in parts])
        made.parts = {"town": mains.mean_watts(edges), "always": np.zeros(TOWN_DAYS * PER_DAY)}
        made.temperature = degrees[: TOWN_DAYS * 1440].reshape(-1, 60).mean(axis=1)
        away = frozenset(
            sky_day + side * timedelta(days=1)
            for sky_day, day in zip((sky.day for sky in skies), days, strict=True)
            if all(use.kind is DeviceKind.WATER_HEATER for use in day.uses)
            for side in (-1, 0, 1)
        )
        found.append((made, away))
    return found


def homes_of(test: str) -> list[tuple[MadeHome, frozenset[date]]]:
    """Return the homes of a test, as they are, and the days on which nobody was there."""
    if test.startswith("town"):
        return town_homes(test)
    return [(make_home(seed, is_heated=test == "heated"), frozenset()) for seed in SEEDS]


def again(home: MadeHome) -> MadeHome:
    """Return the same home, in which something may be planted."""
    return replace(home, parts={name: power.copy() for name, power in home.parts.items()})


def cases(test: str) -> list[dict[str, Cell]]:
    """Return one row for each case."""
    tallies: dict[str, Tally] = {}
    alarms = of_all_days = shifts = changes = n_habits = n_days = 0
    apart = []
    for seed, (quiet, away) in zip(SEEDS, homes_of(test), strict=True):
        as_it_is = judged(quiet)
        n_days += sum(as_it_is.first_day + timedelta(days=n) not in away for n in range(JUDGED))
        of_all_days += len(as_it_is.anomalies)
        alarms += sum(not away & {each.start.date(), each.end.date()} for each in as_it_is.anomalies)
        shifts += sum(not away & {each.day} for each in as_it_is.shifts)
        usual = habits(quiet.load(), quiet.outdoors())
        if isinstance(usual, Habits) and not any(day >= usual.past_since for day in away):
            changes += len(usual.changes)
            n_habits += 1
        least = standby(quiet.load(step=timedelta(minutes=5)))
        if isinstance(least, Standby) and test == "plain":
            apart.append(abs(least.power_w / float(np.median(quiet.parts["always"])) - 1))
        rng = np.random.default_rng(seed)
        for power, hours in ((1000, 6), (2000, 4), (2000, 8), (1200, 12)):
            home = again(quiet)
            first, last = plant_hours(home, rng, power, hours)
            name = f"{power} W for {hours} h"
            tallies.setdefault(name, Tally()).found.append(overlaps(judged(home), first, last, 1))
        home = again(quiet)
        first, last = outage(home, rng, 6)
        tallies.setdefault("no power for 6 h", Tally()).found.append(overlaps(judged(home), first, last, -1))
        for power in (75, 150, 300):
            home = again(quiet)
            day = home.n_days - int(rng.integers(8, 22))
            home.parts["always"][day * PER_DAY :] += power
            told = judged(home).shifts
            planted = START.date() + timedelta(days=day + 1)  # the first local day begins at 23:00 UTC
            is_found = any(abs((each.day - planted).days) <= 2 and each.change_w > 0 for each in told)  # noqa: PLR2004 - days
            tallies.setdefault(f"level {power} W higher", Tally()).found.append(is_found)
        home = again(quiet)
        clock = int(rng.integers(0, 24))
        for day in range(home.n_days - 21, home.n_days):
            home.parts["always"][day * PER_DAY + clock * PER_HOUR :][: 2 * PER_HOUR] += 400
        told_habits = habits(home.load(), home.outdoors())
        hours_of = {hour % 24 for hour in (clock, clock + 1)}
        is_found = isinstance(told_habits, Habits) and any(
            hours_of & set(range(each.first_hour, each.end_hour)) for each in told_habits.changes
        )
        tallies.setdefault("400 W for 2 h each day", Tally()).found.append(is_found)
    weeks, all_weeks = n_days / 7, WEEKS * len(SEEDS)
    rows: list[dict[str, Cell]] = [
        {"row": name, "test": test, "recall": tally.recall, "cases": len(tally.found)}
        for name, tally in tallies.items()
    ]
    rows += [
        {"row": "hours", "test": test, "alarms_per_week": alarms / weeks, "weeks": weeks},
        {"row": "hours, with absences", "test": test, "alarms_per_week": of_all_days / all_weeks, "weeks": all_weeks},
        {"row": "levels", "test": test, "alarms_per_week": shifts / weeks, "weeks": weeks},
        {"row": "habits", "test": test, "alarms_per_home": changes / max(n_habits, 1), "homes": n_habits},
    ]
    if apart:
        rows.append({"row": "standby", "test": test, "error_percent": 100 * float(np.median(apart))})
    return rows


def main() -> None:
    """Print the table and keep it."""
    report("insights", PROTOCOL, [row for test in TESTS for row in cases(test)])


if __name__ == "__main__":
    main()
