"""What insights find of planted cases in made and real homes, and how often they tell of something where nothing is.

Run: python benchmarks/insights.py [--data ../shared/data] [--tests town lcl] [--replace]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from homes import citylearn, emhass, lcl, uci
from report import RESULTS, Cell, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the made homes are those of the tests

from made_home import PER_DAY, PER_HOUR, START, Array, MadeHome, make_home

from watthour.core.channel import DeviceKind
from watthour.core.window import DAY, Window
from watthour.forecasting.calendar import holiday_days
from watthour.insights.anomalies import Oddities, oddities, oddities_of_device
from watthour.insights.habits import PART_HOURS, Habits, habits
from watthour.insights.load import Load, load_of
from watthour.insights.standby import Standby, standby
from watthour.simulation.home import HomeDay, SimulatedHome
from watthour.simulation.sky import Sky, sky_of
from watthour.simulation.steps import joined, together
from watthour.simulation.town import SimulatedRegion

SEEDS = range(1000, 1020)
TOWN_SEED, TOWN_DAYS = 2027, 112
TESTS = ("plain", "heated", "town", "town_heated", "town_car")
DEVICE_STEPS = {"devices": timedelta(hours=1), "devices_5min": timedelta(minutes=5)}
_AT_WILL = frozenset({DeviceKind.SOLAR, DeviceKind.BATTERY, DeviceKind.EV_CHARGER})  # measured apart, as in the product
JUDGED = 28
WEEKS = JUDGED / 7
REAL = {"lcl": lcl, "citylearn": citylearn, "uci": uci, "emhass": emhass}
UNSEEN = {"lcl": (1, 2), "citylearn": (1, 2), "uci": (0, 1), "emhass": (0, 1)}  # first home and step; see PROTOCOL
APART = 97  # days between the judged spans of a real home
SPANS = {"lcl": range(2), "citylearn": range(2), "uci": range(8, 13), "emhass": range(2)}  # counted from the last
KNOWN_SHARE = 0.9
PROTOCOL = (
    "Homes made of appliances (fridge, cooking, washing, lights, and electric heating in a second set), 112 "
    "days, read hourly; the last 28 are judged. Each home is judged once as it is, which gives the false alarms, and "
    "once with each planted case. A planted run of hours is found where an anomaly of the right side overlaps it; a "
    "level shift where one is told within two days of it, a change in habit where one of its hours is named. Constants "
    "were chosen on homes of other seeds. town: 20 homes of the simulated town as they are drawn, less what their "
    "solar roof, battery and car measured; town_heated: the same, each with a heat pump; town_car: each with a car "
    "that no meter of its own measures. There, days on which nobody used anything and those beside them are left out "
    "of the false alarms and of their weeks, and habits are not judged where there is such a day among those "
    "compared; the row with absences has all days. devices, devices_5min: "
    "each device of the same 20 homes, read hourly and every five minutes; those that run for a quarter of their time "
    "at most are judged by their runs, and what is told of all of them and their levels is added up by home. A run "
    "from its begin on lasts three times as long as nine in ten of the device, at its median power, or to the end; or "
    "there is none in the last weeks. lcl, citylearn, uci, emhass: real homes, hourly, without a "
    "temperature; spans of 112 days 97 days apart, judged in the same way, so that what is told where nothing was "
    "planted may be true; a power of so many standard deviations of the home's hours is planted at any hour. Of "
    "London and CityLearn every second home, and of UCI the last eight spans, were looked at when the constants were "
    "chosen, and are not among these; EMHASS has one year, and both its spans were."
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
        found.append((made, away_days(skies, days)))
    return found


def away_days(skies: list[Sky], days: list[HomeDay]) -> frozenset[date]:
    """Return the days on which nobody used anything, and those beside them."""
    return frozenset(
        sky.day + side * timedelta(days=1)
        for sky, day in zip(skies, days, strict=True)
        if all(use.kind is DeviceKind.WATER_HEATER for use in day.uses)
        for side in (-1, 0, 1)
    )


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
            hours_of & {(each.first_hour + n) % 24 for n in range(PART_HOURS)} for each in told_habits.changes
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


def device_powers() -> list[tuple[dict[DeviceKind, Array], frozenset[date]]]:
    """Return the power of each device of homes of the simulated town, and the days around those without anybody."""
    region = SimulatedRegion()
    first = START.date()
    skies = [sky_of(first + timedelta(days=n), region) for n in range(TOWN_DAYS + 1)]
    edges = skies[0].midnight + 86_400 + 300 * np.arange(TOWN_DAYS * PER_DAY + 1)
    found = []
    for number in range(len(SEEDS)):
        days = [SimulatedHome(number, seed=TOWN_SEED).day(sky) for sky in skies]
        powers = {kind: joined([day.parts[kind] for day in days]).mean_watts(edges) for kind in days[0].parts}
        found.append((powers, away_days(skies, days)))
    return found


def judged_device(power: Array, step: timedelta) -> Oddities | None:
    """Return what is told of the last days of a device."""
    found = oddities_of_device(MadeHome(TOWN_DAYS, {"device": power}).load("device", step=step), days=JUDGED)
    return found if isinstance(found, Oddities) else None


def device_cases(test: str) -> list[dict[str, Cell]]:
    """Return one row for each case in the devices of the simulated town."""
    step = DEVICE_STEPS[test]
    tallies: dict[str, Tally] = {}
    by_runs: dict[str, float] = {"runs": 0, "runs, with absences": 0}
    n_days = n_devices = fridges = 0
    for seed, (powers, away) in zip(SEEDS, device_powers(), strict=True):
        rng = np.random.default_rng(seed)
        begin = TOWN_DAYS * PER_DAY - int(rng.integers(PER_DAY, JUDGED * PER_DAY))
        n_days += sum(START.date() + timedelta(days=TOWN_DAYS - n) not in away for n in range(JUDGED))
        for kind, power in sorted(powers.items()):
            quiet = judged_device(power, step) if power.min() >= 0 else None
            if quiet is None:
                continue
            if kind is DeviceKind.FRIDGE:
                fridges += sum(not away & {each.start.date(), each.end.date()} for each in quiet.anomalies)
                open_door = power.copy()
                open_door[begin : begin + 6 * PER_HOUR] = power.max()
                found = judged_device(open_door, step)
                is_found = found is not None and overlaps(found, begin, begin + 6 * PER_HOUR, 1)
                tallies.setdefault("fridge that does not rest for 6 h", Tally()).found.append(is_found)
            if quiet.n_runs is None:
                continue
            n_devices += 1
            by_runs["runs, with absences"] += len(quiet.runs) + len(quiet.shifts)
            by_runs["runs"] += len(quiet.shifts) + sum(
                not away & days_within(each.start, each.end) for each in quiet.runs
            )
            for name, planted, first, last in device_plants(power, rng):
                told = judged_device(planted, step)
                begun, ended = (START + at * timedelta(hours=1) / PER_HOUR for at in (first, last))
                wanted = {"pause"} if name.startswith("never") else {"duration", "energy"}
                is_found = told is not None and any(
                    each.kind in wanted and each.start < ended and each.end > begun for each in told.runs
                )
                tallies.setdefault(name, Tally()).found.append(is_found)
    weeks = n_days / 7
    rows: list[dict[str, Cell]] = [
        {"row": name, "test": test, "device_recall": tally.recall, "cases": len(tally.found)}
        for name, tally in tallies.items()
    ]
    all_weeks = WEEKS * len(SEEDS)
    each_home = n_devices / len(SEEDS)
    for name, told_of, of_weeks in (
        ("runs, all devices of a home", by_runs["runs"], weeks),
        ("runs, with absences", by_runs["runs, with absences"], all_weeks),
        ("fridge, by its hours", fridges, weeks),
    ):
        rows.append({"row": name, "test": test, "device_alarms_per_week": told_of / of_weeks, "weeks": of_weeks})
    rows.append({"row": "devices judged by runs", "test": test, "devices_per_home": each_home})
    return rows


def device_plants(power: Array, rng: np.random.Generator) -> list[tuple[str, Array, int, int]]:
    """Return what is planted in a device that is seldom on: its name, the power, and its first and last step."""
    on = power > power.max() / 10
    edges = np.flatnonzero(np.diff(on.astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2], edges[1::2]
    is_new = np.append(True, begins[1:] - ends[:-1] >= PER_HOUR)
    begins, ends = begins[is_new], np.append(ends[:-1][is_new[1:]], ends[-1])
    usual_high = float(np.quantile(ends - begins, 0.9))
    typical = float(np.median(power[on]))
    judged_from, last = (TOWN_DAYS - JUDGED) * PER_DAY, TOWN_DAYS * PER_DAY
    places = np.flatnonzero((begins >= judged_from) & (begins < last - PER_DAY))
    if not len(places):
        return []
    begin = int(begins[rng.choice(places)])
    found = []
    longer = power.copy()
    end = min(begin + max(int(3 * usual_high), 2 * PER_HOUR), last)
    longer[begin:end] = np.maximum(longer[begin:end], typical)
    found.append(("run three times as long as nine in ten", longer, begin, end))
    endless = power.copy()
    endless[begin:] = typical
    found.append(("run without an end", endless, begin, last))
    for weeks in (3, 4):
        never = power.copy()
        never[last - weeks * 7 * PER_DAY :] = power.min()
        found.append((f"never on for {weeks} weeks", never, last - weeks * 7 * PER_DAY, last))
    return found


def days_within(start: datetime, end: datetime) -> set[date]:
    """Return the days from one instant to another."""
    return {start.date() + timedelta(days=n) for n in range((end.date() - start.date()).days + 1)}


def spans_of(test: str, folder: Path) -> list[Load]:
    """Return the spans of the real homes of a test, 112 days each, of which nine tenths are known."""
    first, step = UNSEEN[test]
    found = []
    for past in list(REAL[test](folder).pasts.values())[first::step]:
        place = past.context.site.place
        window = Window(past.readings["time"].min(), past.readings["time"].max())  # type: ignore[arg-type]  # instants
        holidays = holiday_days(place.holidays, window.start.date(), window.end.date())
        days_off = [date(1970, 1, 1) + timedelta(days=int(day)) for day in holidays]
        load = load_of(past.readings, past.context.channel, place.time_zone, days_off=days_off)
        for number in SPANS[test]:
            end = window.end - number * APART * DAY
            part = load.within(Window(end - TOWN_DAYS * DAY, end))
            if part.table["power_w"].count() >= KNOWN_SHARE * TOWN_DAYS * 24:
                found.append(part)
    return found


def real_cases(test: str, folder: Path) -> list[dict[str, Cell]]:
    """Return one row for each case in real homes."""
    tallies: dict[str, Tally] = {}
    told = []
    rng = np.random.default_rng(1000)
    loads = spans_of(test, folder)
    for load in loads:
        quiet = oddities(load, days=JUDGED)
        assert isinstance(quiet, Oddities)  # noqa: S101 - the spans are long enough
        told.append(len(quiet.anomalies))
        spread = float(load.table["power_w"].std())  # type: ignore[arg-type]  # of numbers
        n_hours = load.table.height
        for times, hours in ((1, 6), (2, 6), (3, 6), (3, 4)):
            first = int(rng.integers(n_hours - JUDGED * 24, n_hours - hours))
            place = pl.int_range(pl.len())
            power = pl.col("power_w") + times * spread * place.is_between(first, first + hours - 1)
            found = oddities(replace(load, table=load.table.with_columns(power)), days=JUDGED)
            assert isinstance(found, Oddities)  # noqa: S101 - as before
            begin, last = load.table["time"][first], load.table["time"][first + hours - 1]
            is_found = any(each.start <= last and each.end > begin and each.extra_kwh > 0 for each in found.anomalies)
            tallies.setdefault(f"{times} deviations for {hours} h", Tally()).found.append(is_found)
    weeks = WEEKS * len(loads)
    rows: list[dict[str, Cell]] = [
        {"row": name, "test": test, "found_share": tally.recall, "cases": len(tally.found)}
        for name, tally in tallies.items()
    ]
    nothing: dict[str, Cell] = {"row": "nothing planted", "test": test, "told_per_week": sum(told) / weeks}
    nothing |= {"weeks": weeks, "share_above_one": float(np.mean(np.array(told) > WEEKS))}
    return [*rows, nothing]


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", "../shared/data")))
    every = [*TESTS, *DEVICE_STEPS, *REAL]
    parser.add_argument("--tests", nargs="+", choices=every, default=every)
    parser.add_argument("--replace", action="store_true", help="keep the other tests of the last run")
    asked = parser.parse_args()
    kept = RESULTS / "insights.json"
    rows = json.loads(kept.read_text(encoding="utf-8"))["rows"] if asked.replace and kept.exists() else []
    rows = [row for row in rows if row["test"] not in asked.tests]
    for test in asked.tests:
        if test in DEVICE_STEPS:
            rows += device_cases(test)
        else:
            rows += real_cases(test, asked.data) if test in REAL else cases(test)
    report("insights", PROTOCOL, sorted(rows, key=lambda row: every.index(str(row["test"]))))


if __name__ == "__main__":
    main()
