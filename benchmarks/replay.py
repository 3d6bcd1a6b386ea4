"""What planning saves: months of measured homes, planned again at each step with what was known then.

Run: python benchmarks/replay.py [--data ../shared/data] [--tests emhass_two_rate,...] [--days 28]
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from report import Cell, report

from watthour.core.assets import Appliance, Battery, Car, series
from watthour.core.plan import Plan, PlanningProblem, Weights
from watthour.forecasting.outlook import MEMORY, Clock, Outlook, outlook
from watthour.planning.follow import follow
from watthour.planning.rules import by_rules, self_consumption
from watthour.planning.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watthour.core.assets import Array, Steps

    Planner = Callable[[PlanningProblem], Plan]

EMHASS, GERMAN = "home/homes/emhass_fr_home_30min.parquet", "home/prices/entsoe_de_day_ahead_2015_2024.parquet"
CITYLEARN, AROUND = (
    "home/fleet/citylearn2022_9homes_hourly.parquet",
    "home/fleet/citylearn2022_weather_price_carbon.parquet",
)
ROOF = "home/fleet/citylearn2022_pv_kw.json"
# Whole months where no long gap is near; what is chosen here was chosen on the others, by `--tuning`.
MONTHS = {
    "emhass_two_rate": (date(2024, 4, 29), date(2024, 7, 8), date(2025, 1, 22)),
    "emhass_dynamic": (date(2024, 4, 29), date(2024, 7, 8)),  # the prices end with 2024
}
SEASONS = (date(2016, 10, 3), date(2017, 3, 6))
HOMES = (2, 5)
TUNING_MONTHS = (date(2024, 6, 3), date(2024, 10, 21))
TUNING_SEASONS = (date(2017, 1, 9), date(2017, 6, 5))
TUNING_HOMES = (1,)
HORIZON = timedelta(hours=36)
PEAK_RATE, OFF_PEAK_RATE, FEED_IN = (
    0.27,
    0.2068,
    0.08,
)  # [EUR/kWh] off-peak 22:00 to 06:00, an example of a French tariff
FEES, VAT = 0.15, 1.19  # [EUR/kWh], [-]: what is added to the wholesale price
TAIL_DAYS = 2
FADES = timedelta(hours=3)  # how long what the carbon of the last two hours differed by is believed
CARBON_DAYS = (1, 2, 3, 4, 5, 6, 7)
LONGEST_GAP = 4  # steps that are bridged
BATTERY = Battery("battery", capacity_kwh=10.0, stored_kwh=5.0, max_charge_kw=5.0, max_discharge_kw=5.0)
RUN_KW, RUN_FROM, RUN_HOURS_FOR, RUN_LASTS = 1.0, 20, 11, timedelta(hours=2)
CAR_KWH, CAR_KW, CAR_LEAST_KW, CAR_FROM, CAR_HOURS_FOR = 8.0, 7.4, 1.4, 18, 13
PROTOCOL = (
    "Measured load and sun of a home, with a battery (10 kWh, 5 kW, 0.95 each way), a run of 2 kWh in 2 h each day "
    "(from 20:00 until 07:00) and a car that needs 8 kWh on each working day (from 18:00 until 07:00, 1.4 to 7.4 kW)."
    " At each step the next 36 h are planned again with what is known: load and sun by forecasting.outlook, as in the "
    "plan of a home, from the days of the last two weeks with load and sun as they went together, at the level of the "
    "last days and moved by the last two hours; prices from 12:45 CET of the day before, beyond that those of 24 h "
    "earlier; carbon as the mean of the same hour of seven days, corrected by the last. The battery then follows the "
    "plan by what really happens (planning.follow). no_control: the car and the run at once, the battery rests. "
    "own_sun: the same, but the battery takes spare sun and gives it back, as inverters do by themselves. rules: "
    "planning.rules with the same knowledge. ours: over courses of load and sun at once: the mean, and eight days that "
    "stand for all; ours_one_course: over the mean alone. oracle: the whole period planned with all of it known. What "
    "the battery holds at the end counts for all as what it saves over the two days after at their best. emhass: a "
    "home in France, 28 days from 29 April and from 8 July 2024, with two_rate "
    "from 22 January 2025 too, 30 min; dynamic: German day-ahead price, plus 0.15 EUR/kWh, times 1.19; two_rate: "
    "0.27, from 22:00 to 06:00 0.2068 EUR/kWh; export 0.08. citylearn: homes 2 and 5 of California, 28 days from 3 "
    "October 2016 and 6 March 2017, hourly, their prices, export for nothing; planned for money, or for carbon. Night"
    " gaps of the sun's meter are zero, gaps up to 2 h are bridged. money: of all periods; oracle_share_percent: what"
    " of the oracle's saving on no_control is reached, in what was planned for; worst_month_percent: the lowest "
    "saving on no_control of any period, in percent of its bill. optimum_gap_percent: by how much the oracle's own "
    "plans could be better. What is chosen here was chosen on other months, and in California in another home "
    "(--tuning)."
)


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """Series of a home in even steps from ``start`` on; ``known_until`` says up to which step prices are known."""

    start: datetime
    step: timedelta
    zone: str
    load: Array
    sun: Array
    price: Array
    carbon: Array
    known_until: Callable[[int], int]
    export: float
    weights: Weights

    def time(self, k: int) -> datetime:
        """Return when a step begins."""
        return self.start + k * self.step

    @property
    def per_day(self) -> int:
        """Steps of a day."""
        return timedelta(days=1) // self.step


@dataclass(slots=True)
class State:
    """What there is at a step: what the battery holds, and what is left of the wishes that wait."""

    stored: float
    charged: dict[datetime, float]
    begun: dict[datetime, int]


# Wishes.


def wishes(home: Home, first: int, after: int) -> Iterator[tuple[str, int, int]]:
    """Yield kind, first step and step after of each wish of the local days of some steps."""
    zone = ZoneInfo(home.zone)
    day, last = home.time(first).astimezone(zone).date() - timedelta(days=1), home.time(after).astimezone(zone).date()
    while day <= last:
        for kind, hour, lasts in (("run", RUN_FROM, RUN_HOURS_FOR), ("car", CAR_FROM, CAR_HOURS_FOR)):
            begin = datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
            k = round((begin - home.start) / home.step)
            end = k + round(timedelta(hours=lasts) / home.step)
            if (kind == "run" or day.weekday() < 5) and k >= first and end <= after:  # noqa: PLR2004 - Saturday
                yield kind, k, end
        day += timedelta(days=1)


def asked(home: Home, period: tuple[int, int], state: State, now: int, until: int) -> tuple[list[Appliance], list[Car]]:
    """Return the wishes that are still open, as far as they end within the horizon."""
    runs, cars = [], []
    for kind, k, end in wishes(home, *period):
        begin = home.time(k)
        if end <= now or end > until:
            continue
        if kind == "run":
            begun = state.begun.get(begin)
            if begun is None or home.time(begun) + RUN_LASTS > home.time(now):
                runs.append(run_of(home, k, end, begun))
        else:
            left = CAR_KWH - state.charged.get(begin, 0.0)
            if left > 1e-6:  # noqa: PLR2004 - a milliwatt hour
                cars.append(car_of(home, k, end, left))
    return runs, cars


def run_of(home: Home, k: int, end: int, begun: int | None) -> Appliance:
    """Return the wish for a day's run."""
    name, at = f"run {home.time(k):%m-%d}", None if begun is None else home.time(begun)
    return Appliance(name, (RUN_KW,) * (RUN_LASTS // home.step), home.step, home.time(k), home.time(end), begun_at=at)


def car_of(home: Home, k: int, end: int, left: float) -> Car:
    """Return the wish for an evening's charge."""
    least = CAR_LEAST_KW if left > CAR_LEAST_KW * home.step.total_seconds() / 3600 else 0.0
    return Car(f"car {home.time(k):%m-%d}", left, CAR_KW, home.time(k), home.time(end), least, efficiency=1.0)


# What is known.


def looked_ahead(home: Home, now: int, until: int) -> Outlook:
    """Return load and sun as the plan of a home foresees them, from what was measured before a step."""
    since = max(now - MEMORY // home.step, 0)
    clock = Clock(home.time(now), home.step, until - now, home.zone)
    found = outlook(home.load[since:now], home.sun[since:now], clock)
    if found is None:
        message = f"too little was known at {home.time(now)}"
        raise RuntimeError(message)
    return found


def expected_carbon(home: Home, now: int, until: int) -> Array:
    """Return the mean of earlier days, moved by how the last two hours differed from it; that fades within hours."""
    steps, back = np.arange(now, until), home.per_day
    base = np.stack([_before(home.carbon, steps - day * back, now, back) for day in CARBON_DAYS]).mean(axis=0)
    last = np.arange(max(now - max(timedelta(hours=2) // home.step, 1), 0), now)
    then = np.stack([home.carbon[last - day * back] for day in CARBON_DAYS]).mean(axis=0)
    fade = np.exp(-np.arange(until - now) * (home.step / FADES))
    return np.asarray(np.maximum(base + float((home.carbon[last] - then).mean()) * fade, 0.0))


def _before(values: Array, steps: Steps, now: int, back: int) -> Array:
    """Return values of earlier days, each as many days further back as it is not known yet."""
    steps = np.array(steps)
    while (late := steps >= now).any():
        steps[late] -= 7 * back
    return np.asarray(values[steps])


def prices(home: Home, now: int, until: int) -> Array:
    """Return what is published, and beyond that the price of 24 hours earlier."""
    known = home.known_until(now)
    found = np.empty(until - now)
    for k in range(now, until):
        found[k - now] = (
            home.price[k]
            if k < known
            else (home.price[k - home.per_day] if k - home.per_day < known else found[k - now - home.per_day])
        )
    return found


def problem_at(home: Home, period: tuple[int, int], state: State, now: int) -> PlanningProblem:
    """Return what is to be planned at a step, from what is known then."""
    until = now + HORIZON // home.step
    runs, cars = asked(home, period, state, now, until)
    seen = looked_ahead(home, now, until)
    return PlanningProblem(
        start=home.time(now),
        import_price=prices(home, now, until),
        step=home.step,
        export_price=series(home.export),
        carbon=expected_carbon(home, now, until),
        load_kw=seen.load_kw,
        solar_kw=seen.solar_kw,
        appliances=tuple(runs),
        batteries=(replace(BATTERY, stored_kwh=min(max(state.stored, 0.0), BATTERY.capacity_kwh)),),
        cars=tuple(cars),
        weights=home.weights,
        load_paths_kw=seen.load_paths_kw,
        solar_paths_kw=seen.solar_paths_kw,
        path_counts=seen.path_counts,
    )


# What happens.


@dataclass(frozen=True, slots=True)
class Bill:
    """What a period came to."""

    money: float
    carbon: float

    def of(self, weights: Weights) -> float:
        """Return it as the plan counts."""
        return weights.money * self.money + weights.carbon * self.carbon


def replayed(home: Home, period: tuple[int, int], planner: Planner) -> Bill:
    """Plan at each step, do the first of it, and return the bill."""
    hours = home.step / timedelta(hours=1)
    state, net = State(BATTERY.stored_kwh, {}, {}), np.zeros(period[1] - period[0])
    plan, problem = None, None
    for now in range(*period):
        problem = problem_at(home, period, state, now)
        plan = planner(problem)
        drawn = home.load[now] - home.sun[now]
        names = {}
        for kind, k, _end in wishes(home, *period):
            names[f"{kind} {home.time(k):%m-%d}"] = home.time(k)
        for runs in plan.appliances:
            if runs.spans and runs.spans[0].start == home.time(now):
                state.begun[names[runs.name]] = now
            drawn += float(runs.power_kw[0])
        for car in plan.cars:
            begin = names[car.name]
            state.charged[begin] = state.charged.get(begin, 0.0) + float(car.power_kw[0]) * hours
            drawn += float(car.power_kw[0])
        given = follow(plan, problem.batteries[0], step=0, net_kw=float(drawn), stored_kwh=state.stored)
        state.stored += hours * (
            BATTERY.charge_efficiency * max(-given, 0.0) - max(given, 0.0) / BATTERY.discharge_efficiency
        )
        net[now - period[0]] = drawn - given
    _all_done(home, period, state)
    return billed(home, period, net, state.stored)


def _all_done(home: Home, period: tuple[int, int], state: State) -> None:
    """Stop where a wish was not met: a bill without it would be no saving."""
    for kind, k, _end in wishes(home, *period):
        begin = home.time(k)
        is_done = begin in state.begun if kind == "run" else state.charged.get(begin, 0.0) >= CAR_KWH - 1e-3
        if not is_done:
            message = f"the {kind} of {begin} was not done"
            raise RuntimeError(message)


def billed(home: Home, period: tuple[int, int], net: Array, stored: float) -> Bill:
    """Return money and carbon of what crossed the meter, and of the two days after at their best.

    So what a battery holds at the end counts for what it can really be used for then, the same for all.
    """
    span, hours = slice(*period), home.step / timedelta(hours=1)
    bought, sold = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    after = (period[1], period[1] + TAIL_DAYS * home.per_day)
    plans = [solve(actual(home, after, held), gap=1e-4) for held in (stored, BATTERY.stored_kwh)]
    money = float(home.price[span] @ bought - home.export * sold.sum()) * hours + plans[0].cost - plans[1].cost
    carbon = float(home.carbon[span] @ bought) * hours / 1000.0 + plans[0].carbon_kg - plans[1].carbon_kg
    return Bill(money, carbon)


def actual(home: Home, span: tuple[int, int], stored: float) -> PlanningProblem:
    """Return some steps as one problem, everything known; the battery is as full at the end as ever begun with."""
    runs, cars = asked(home, span, State(stored, {}, {}), *span)
    steps = slice(*span)
    return PlanningProblem(
        start=home.time(span[0]),
        import_price=home.price[steps],
        step=home.step,
        export_price=series(home.export),
        carbon=home.carbon[steps],
        load_kw=home.load[steps],
        solar_kw=home.sun[steps],
        appliances=tuple(runs),
        batteries=(
            replace(BATTERY, stored_kwh=min(max(stored, 0.0), BATTERY.capacity_kwh), end_kwh=BATTERY.stored_kwh),
        ),
        cars=tuple(cars),
        weights=home.weights,
    )


def oracle(home: Home, period: tuple[int, int]) -> tuple[Bill, float]:
    """Return the best there could be, and by how much it could be better still."""
    longer = (period[0], period[1] + TAIL_DAYS * home.per_day)
    plan = solve(actual(home, longer, BATTERY.stored_kwh), time_limit_s=120.0, gap=0.002)
    n = period[1] - period[0]
    return billed(
        home, period, (plan.import_kw - plan.export_kw)[:n], float(plan.batteries[0].stored_kwh[n - 1])
    ), plan.gap or 0.0


def uncontrolled(home: Home, period: tuple[int, int], *, is_battery_used: bool) -> Bill:
    """Return the bill of a home that starts everything at once; its battery rests, or minds its own sun alone."""
    problem = actual(home, period, BATTERY.stored_kwh)
    demand = home.load[slice(*period)] - home.sun[slice(*period)]
    hours = home.step / timedelta(hours=1)
    for kind, k, end in wishes(home, *period):
        begin = k - period[0]
        if kind == "run":
            demand[begin : begin + RUN_LASTS // home.step] += RUN_KW
            continue
        left = CAR_KWH
        for step in range(begin, end - period[0]):
            power = min(CAR_KW, left / hours)
            demand[step] += power
            left -= power * hours
    if not is_battery_used:
        return billed(home, period, demand, BATTERY.stored_kwh)
    charge, discharge = self_consumption(problem, problem.batteries[0], demand)
    held = BATTERY.stored_kwh + hours * float(
        (BATTERY.charge_efficiency * charge - discharge / BATTERY.discharge_efficiency).sum()
    )
    return billed(home, period, demand + charge - discharge, held)


# Homes.


def bridged(values: Array) -> Array:
    """Return a series with short gaps bridged; long ones stay."""
    known = np.isfinite(values)
    found = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (~known).astype(int), [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin > LONGEST_GAP:
            found[begin:end] = np.nan
    return found


def emhass(folder: Path, tariff: str) -> Home:
    """Return the home in France, with one of the tariffs."""
    table = pl.read_parquet(folder / EMHASS).sort("utc").with_columns(pl.col("utc").dt.cast_time_unit("us"))
    table = table.with_columns(pl.col("utc").dt.convert_time_zone("Europe/Paris").alias("local"))
    hour = pl.col("local").dt.hour()
    night = pl.col("pv_w").is_null() & ((hour < 9) | (hour >= 17))  # noqa: PLR2004 - then the inverter may sleep  # fmt: skip
    table = table.with_columns(pl.when(night).then(0.0).otherwise(pl.col("pv_w")).alias("pv_w"))
    wholesale = pl.read_parquet(folder / GERMAN).sort("utc")
    table = table.join_asof(wholesale, on="utc", tolerance="59m")
    start: datetime = table["utc"][0]
    step = timedelta(minutes=30)
    local_hours = table["local"].dt.hour().to_numpy()
    berlin = ZoneInfo("Europe/Berlin")

    def published(now: int) -> int:
        at = (start + now * step).astimezone(berlin)
        days = 2 if (at.hour, at.minute) >= (12, 45) else 1
        day = at.date() + timedelta(days=days)
        return round((datetime(day.year, day.month, day.day, tzinfo=berlin).astimezone(UTC) - start) / step)

    def always(now: int) -> int:
        return now + len(local_hours)

    if tariff == "dynamic":
        price, known = (table["eur_mwh"].cast(pl.Float64).to_numpy() / 1000.0 + FEES) * VAT, published
    else:
        price = np.where((local_hours >= 22) | (local_hours < 6), OFF_PEAK_RATE, PEAK_RATE)  # noqa: PLR2004 - clock
        known = always
    load, sun = (
        bridged(table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() / 1000.0) for name in ("load_w", "pv_w")
    )
    zeros = np.zeros(len(load))
    return Home(start, step, "Europe/Paris", load, sun, price, zeros, known, FEED_IN, Weights())


def citylearn(folder: Path, number: int, weights: Weights) -> Home:
    """Return a home of California; its clock has no changes and is called UTC."""
    table = pl.read_parquet(folder / CITYLEARN).filter(pl.col("home") == number).sort("hour_start")
    around = pl.read_parquet(folder / AROUND).sort("hour_start")
    roof = json.loads((folder / ROOF).read_text(encoding="utf-8"))[f"Building_{number}"]
    start = table["hour_start"][0].replace(tzinfo=UTC)
    sun = table["solar_w_per_kw"].cast(pl.Float64).to_numpy() * roof / 1000.0
    price = around["price_usd_kwh"].cast(pl.Float64).to_numpy()
    carbon = around["carbon_kg_kwh"].cast(pl.Float64).to_numpy() * 1000.0
    load = np.maximum(table["load_kwh"].cast(pl.Float64).to_numpy(), 0.0)
    return Home(start, timedelta(hours=1), "UTC", load, sun, price, carbon, lambda _now: len(price), 0.0, weights)


def periods(home: Home, firsts: tuple[date, ...], days: int) -> Iterator[tuple[int, int]]:
    """Yield the steps of each period from local noon on; a series with a gap there stops the run."""
    zone = ZoneInfo(home.zone)
    for first in firsts:
        begin = datetime(first.year, first.month, first.day, 12, tzinfo=zone).astimezone(UTC)
        k = round((begin - home.start) / home.step)
        needed = slice(k - 28 * home.per_day, k + (days + 2) * home.per_day)
        for name in ("load", "sun", "price"):
            values = getattr(home, name)[needed]
            if not np.isfinite(values).all():
                message = (
                    f"{name} has a gap at {home.time(needed.start + int(np.flatnonzero(~np.isfinite(values))[0]))}"
                )
                raise RuntimeError(message)
        yield k, k + days * home.per_day


def quick(problem: PlanningProblem) -> Plan:
    """Plan as the product does."""
    return solve(problem, time_limit_s=5.0)


def one_course(problem: PlanningProblem) -> Plan:
    """Plan as if load and sun were sure to be as foreseen."""
    return quick(problem.as_if_sure())


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a home in a test."""

    test: str
    home: int  # number of those of the test
    period: tuple[int, int]
    folder: Path


def homes_of(test: str, folder: Path, *, is_tuning: bool) -> list[Home]:
    """Return the homes of a test."""
    if test.startswith("emhass"):
        return [emhass(folder, test.removeprefix("emhass_"))]
    weights = Weights() if test.endswith("money") else Weights(money=0.0, carbon=1.0)
    return [citylearn(folder, number, weights) for number in (TUNING_HOMES if is_tuning else HOMES)]


def months_of(test: str, folder: Path, days: int, *, is_tuning: bool) -> Iterator[Month]:
    """Yield the months of a test."""
    if test.startswith("emhass"):
        firsts = TUNING_MONTHS if is_tuning else MONTHS[test]
    else:
        firsts = TUNING_SEASONS if is_tuning else SEASONS
    for number, home in enumerate(homes_of(test, folder, is_tuning=is_tuning)):
        for period in periods(home, firsts, days):
            yield Month(test, number, period, folder)


def measured(month: Month, *, is_tuning: bool) -> tuple[dict[str, Bill], float]:
    """Return the bill of a month by each row, and the gap of the oracle's plan."""
    home, period = homes_of(month.test, month.folder, is_tuning=is_tuning)[month.home], month.period
    bills = {
        "no_control": uncontrolled(home, period, is_battery_used=False),
        "own_sun": uncontrolled(home, period, is_battery_used=True),
        "rules": replayed(home, period, by_rules),
        "ours_one_course": replayed(home, period, one_course),
        "ours": replayed(home, period, quick),
    }
    bills["oracle"], gap = oracle(home, period)
    words = (f"{name} {bill.of(home.weights):.2f}" for name, bill in bills.items())
    print(month.test, home.time(period[0]).date(), *words, flush=True)
    return bills, gap


def rows_of(test: str, found: Sequence[tuple[dict[str, Bill], float]]) -> list[dict[str, Cell]]:
    """Return the rows of one test."""
    weights = Weights(money=0.0, carbon=1.0) if test.endswith("carbon") else Weights()
    bills = {name: [bill[name] for bill, _ in found] for name in ROWS}
    gap = max(gap for _, gap in found)
    return [_row(test, name, bills, weights, gap) for name in bills]


def _row(test: str, name: str, bills: dict[str, list[Bill]], weights: Weights, gap: float) -> dict[str, Cell]:
    ours = bills[name]
    row: dict[str, Cell] = {
        "row": name,
        "test": test,
        "money": round(sum(bill.money for bill in ours), 2),
        "kgco2e": None if test.startswith("emhass") else round(sum(bill.carbon for bill in ours), 1),
    }
    for base, share, worst in (
        ("no_control", "oracle_share_percent", "worst_month_percent"),
        ("own_sun", "share_over_own_sun_percent", "worst_month_over_own_sun_percent"),
    ):
        pairs = [
            (b.of(weights), o.of(weights), best.of(weights))
            for b, o, best in zip(bills[base], ours, bills["oracle"], strict=True)
        ]
        row[share] = round(100 * sum(b - o for b, o, _ in pairs) / sum(b - best for b, _, best in pairs), 1)
        row[worst] = round(100 * min((b - o) / abs(b) for b, o, _ in pairs), 2)
    row["months"] = len(ours)
    if name == "oracle":
        row["optimum_gap_percent"] = round(100 * gap, 2)
    return row


ROWS = ("no_control", "own_sun", "rules", "ours_one_course", "ours", "oracle")
TESTS = ("emhass_two_rate", "emhass_dynamic", "citylearn_money", "citylearn_carbon")


def main() -> None:
    """Run the tests that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--tests", default=",".join(TESTS))
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--tuning", action="store_true", help="the months on which choices were made; writes nothing")
    parser.add_argument("--workers", type=int, default=1, help="months replayed at the same time")
    given = parser.parse_args()
    tests = given.tests.split(",")
    asked = [month for test in tests for month in months_of(test, given.data, given.days, is_tuning=given.tuning)]
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:  # threads of polars do not survive a fork
        found = list(pool.map(partial(measured, is_tuning=given.tuning), asked))
    rows = [
        row
        for test in tests
        for row in rows_of(test, [each for month, each in zip(asked, found, strict=True) if month.test == test])
    ]
    is_whole = tuple(tests) == TESTS and given.days == 28 and not given.tuning  # noqa: PLR2004 - what the protocol says
    report("replay", PROTOCOL, rows) if is_whole else report("replay", PROTOCOL, rows, results=None)


if __name__ == "__main__":
    main()
