"""The problem as rows and columns.

Stocks are rows from one step to the next, never sums from the beginning; a run without pauses is one whole column per
step in which it can begin. Whole columns that keep a battery from charging while it discharges, or a home from buying
what it sells, are made only for steps in which doing both would be paid for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.plan import PlanStatus
from watthour.planning.account import (
    Actions,
    begun_kw,
    cold_end_price,
    end_price,
    end_temperature,
    settle,
    step_prices,
)
from watthour.planning.linear import Bound, Columns, Linear, Solution

if TYPE_CHECKING:
    from collections.abc import Collection

    from watthour.core.assets import Appliance, Array, Battery, Car, Heat, Mask
    from watthour.core.plan import Plan, PlanningProblem

_TIE = 1e-6  # [currency/kWh] so that of two ways that cost the same the one is taken that moves less
_NO_POWER = 1e-3  # [kW] of a car that an earlier plan lets rest
_SOON = 1e-7  # [currency/step] and the run that is sooner over


class Kind(StrEnum):
    """What a wish that could be dropped speaks of."""

    APPLIANCE = "appliance"
    CAR = "car"
    BATTERY_END = "battery_end"
    IMPORT_LIMIT = "import_limit"
    EXPORT_LIMIT = "export_limit"


@dataclass(frozen=True, slots=True)
class Wish:
    """Something asked for that can contradict something else."""

    kind: Kind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Whole columns that say whether one power is drawn, rather than ``other`` or nothing."""

    is_on: Columns
    power: Columns
    other: Columns | None = None
    least: float = 0.0


@dataclass(slots=True)
class Path:
    """One course that load and sun may take, and what is done in it."""

    load_kw: Array
    solar_kw: Array
    share: float
    limits: tuple[float, float]  # of import and export [kW]
    bought: Columns
    sold: Columns
    curtailed: Columns
    balance: Columns
    charge: dict[str, Columns] = field(default_factory=dict)
    discharge: dict[str, Columns] = field(default_factory=dict)


@dataclass(slots=True)
class Formulation:
    """A problem as rows and columns, and where its actions stand."""

    problem: PlanningProblem
    linear: Linear
    dropped: Collection[Wish]
    paths: list[Path] = field(default_factory=list)  # the first is the central one, which the plan tells
    begins: dict[str, tuple[Columns, Columns]] = field(default_factory=dict)  # steps, columns
    cars: dict[str, tuple[int, Columns]] = field(default_factory=dict)  # first step, columns
    heats: dict[str, Columns] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)  # of the columns of an appliance that are one
    switches: list[Switch] = field(default_factory=list)

    def actions(self, values: Array) -> Actions:
        """Return what is done by values of the columns."""
        n = self.problem.n_steps
        cars = {}
        for name, (first, columns) in self.cars.items():
            power = np.zeros(n)
            power[first : first + len(columns)] = _clean(values[columns])
            cars[name] = power
        central = self.paths[0]
        charge = {name: _clean(values[columns]) for name, columns in central.charge.items()}
        discharge = {name: _clean(values[columns]) for name, columns in central.discharge.items()}
        for battery in self.problem.batteries:
            _net(battery, charge[battery.name], discharge[battery.name])
        return Actions(
            steps={
                name: tuple(int(step) for step in steps[values[columns] > 0.5])  # noqa: PLR2004 - half of one
                for name, (steps, columns) in self.begins.items()
            },
            charge_kw=charge,
            discharge_kw=discharge,
            car_kw=cars,
            heat_kw={name: _clean(values[columns]) for name, columns in self.heats.items()},
            curtailed_kw=_clean(values[central.curtailed]),
        )

    def use(self, steps: Columns, columns: Columns, kw: Bound) -> None:
        """Let columns draw from the home in some steps, on every path."""
        for path in self.paths:
            self.linear.put(path.balance[steps], columns, -np.asarray(kw, dtype=np.float64))

    def plan(self, found: Solution) -> Plan:
        """Return the plan that a solution with values is."""
        assert found.values is not None  # noqa: S101 - the caller has looked
        status = PlanStatus.SOLVED if found.is_proven else PlanStatus.BEST_SO_FAR
        return settle(self.problem, self.actions(found.values), status, found.gap)

    def same_runs(self, plan: Plan) -> tuple[Columns, Array] | None:
        """Return the columns of runs with the values of an earlier plan; None: it cannot be kept.

        Cars charge in the same steps, with the power that suits now. Runs and cars that it does not know are left free.
        """
        problem, found = self.problem, dict[str, frozenset[int]]()
        for runs in plan.appliances:
            if runs.name not in self.begins:
                continue
            spans = [each for each in runs.spans if each.start >= problem.start]
            marks: set[int] = set()
            wish = next(each for each in problem.appliances if each.name == runs.name)
            for span in spans:
                first = (span.start - problem.start) / problem.step
                if abs(first - round(first)) > 1e-6:  # noqa: PLR2004 - of a step
                    return None
                length = round((span.end - span.start) / problem.step) if wish.is_interruptible else 1
                marks.update(range(round(first), round(first) + length))
            found[runs.name] = frozenset(marks)
        columns, values = [], []
        for name, (steps, numbers) in self.begins.items():
            if name not in found:
                continue
            if not found[name] <= set(steps.tolist()):
                return None
            columns.append(numbers)
            values.append(np.isin(steps, list(found[name])).astype(np.float64))
        passed = round((problem.start - plan.start) / problem.step)
        for use in plan.cars:
            first, numbers = self.cars.get(use.name, (0, np.zeros(0, dtype=np.int64)))
            known = use.power_kw[first + passed : first + passed + len(numbers)]
            is_off = np.flatnonzero(known <= _NO_POWER)
            columns.append(numbers[is_off])
            values.append(np.zeros(len(is_off)))
        if not columns:
            return None
        return np.concatenate(columns), np.concatenate(values)


def formulate(
    problem: PlanningProblem, dropped: Collection[Wish] = frozenset(), *, most_carbon_kg: float | None = None
) -> Formulation:
    """Write a problem as rows and columns.

    Args:
        problem: what is asked.
        dropped: wishes that need not be met: a run may be left out, a car not charged, a limit passed.
        most_carbon_kg: a limit of the carbon of all that is imported.
    """
    made = Formulation(problem, Linear(), dropped)
    _paths(made, most_carbon_kg)
    for battery in problem.batteries:
        for path in made.paths:
            _battery(made, path, battery)
    _begin_alike(made)
    for car in problem.cars:
        _car(made, car)
    for heat in problem.heats:
        _heat(made, heat)
    for wish in problem.appliances:
        _appliance(made, wish)
    for path in made.paths:
        _one_way(made, path)
    return made


def _paths(made: Formulation, most_carbon_kg: float | None) -> None:
    """Write what crosses the meter, the central path first; all begin with the same step, which is known best."""
    problem, linear = made.problem, made.linear
    n, hours = problem.n_steps, problem.hours
    buy, sell = step_prices(problem)
    begun = sum((begun_kw(problem, wish) for wish in problem.appliances), np.zeros(n))
    shares = np.concatenate([[1.0], problem.path_counts]) / (1.0 + problem.path_counts.sum())
    for number, share in enumerate(shares.tolist()):
        load, sun = np.array(problem.load_kw), np.array(problem.solar_kw)
        if number:
            load[1:], sun[1:] = problem.load_paths_kw[number - 1][1:], problem.solar_paths_kw[number - 1][1:]
        most_in, most_out = _limits(made) if number == 0 else (np.inf, np.inf)  # one odd course forbids no run
        bought = linear.columns(n, 0.0, most_in, share * hours * buy)
        sold = linear.columns(n, 0.0, most_out, -share * hours * sell)
        curtailed = linear.columns(n, 0.0, sun if problem.is_solar_curtailable else 0.0, share * hours * _TIE)
        fixed = load - sun + begun
        balance = linear.rows(n, fixed, fixed, (bought, 1.0), (sold, -1.0), (curtailed, -1.0))
        made.paths.append(Path(load, sun, share, (most_in, most_out), bought, sold, curtailed, balance))
        _peak(problem, linear, bought, share)
    if most_carbon_kg is not None:
        everywhere = np.concatenate([path.bought for path in made.paths])
        carbon = np.tile(share * hours * problem.carbon / 1000.0, len(made.paths))
        linear.row(-np.inf, most_carbon_kg, everywhere, carbon)


def _begin_alike(made: Formulation) -> None:
    """Let batteries do the same in the first step of every path: it is done before anybody knows which one it is."""
    for path in made.paths[1:]:
        for mine, central in ((path.charge, made.paths[0].charge), (path.discharge, made.paths[0].discharge)):
            for name, columns in mine.items():
                made.linear.rows(1, 0.0, 0.0, (columns[:1], 1.0), (central[name][:1], -1.0))


def _limits(made: Formulation) -> tuple[float, float]:
    problem, dropped = made.problem, made.dropped
    return (
        _limit(problem.import_limit_kw, is_dropped=Wish(Kind.IMPORT_LIMIT) in dropped),
        _limit(problem.export_limit_kw, is_dropped=Wish(Kind.EXPORT_LIMIT) in dropped),
    )


def wishes(problem: PlanningProblem) -> list[Wish]:
    """Return everything that could contradict something else."""
    found = [
        Wish(Kind.APPLIANCE, each.name)
        for each in problem.appliances
        if each.begun_at is None and each.only_below is None
    ]
    found += [Wish(Kind.CAR, each.name) for each in problem.cars if each.energy_kwh > 0]
    found += [Wish(Kind.BATTERY_END, each.name) for each in problem.batteries if each.end_kwh is not None]
    if problem.import_limit_kw is not None:
        found.append(Wish(Kind.IMPORT_LIMIT))
    if problem.export_limit_kw is not None:
        found.append(Wish(Kind.EXPORT_LIMIT))
    return found


def _limit(limit: float | None, *, is_dropped: bool) -> float:
    return np.inf if limit is None or is_dropped else limit


def _peak(problem: PlanningProblem, linear: Linear, bought: Columns, share: float) -> None:
    price = share * (problem.weights.money * problem.peak_price + problem.weights.peak)
    if price == 0.0:
        return
    peak, n = linear.columns(1, problem.peak_so_far_kw, np.inf, price), problem.n_steps
    linear.rows(n, 0.0, np.inf, (np.repeat(peak, n), 1.0), (bought, -1.0))
    linear.offset -= price * problem.peak_so_far_kw


def _battery(made: Formulation, path: Path, battery: Battery) -> None:
    problem, linear = made.problem, made.linear
    n, hours = problem.n_steps, problem.hours
    wear = path.share * hours * (problem.weights.money * battery.wear_price + _TIE)
    charge = linear.columns(n, 0.0, battery.max_charge_kw, hours * _TIE)
    discharge = linear.columns(n, 0.0, battery.max_discharge_kw, wear)
    low, worth = np.zeros(n), np.zeros(n)
    if battery.end_kwh is not None and Wish(Kind.BATTERY_END, battery.name) not in made.dropped:
        low[-1] = battery.end_kwh
    worth[-1] = -path.share * end_price(problem, battery)
    linear.offset += path.share * end_price(problem, battery) * battery.stored_kwh
    held = linear.columns(n, low, battery.capacity_kwh, worth)
    begin = np.zeros(n)
    begin[0] = battery.stored_kwh
    rows = linear.rows(
        n,
        begin,
        begin,
        (held, 1.0),
        (charge, -hours * battery.charge_efficiency),
        (discharge, hours / battery.discharge_efficiency),
    )
    linear.put(rows[1:], held[:-1], -1.0)
    if battery.reserve_kwh > 0.0:
        lack = linear.columns(n, 0.0, battery.reserve_kwh, path.share * hours * battery.reserve_price)
        linear.rows(n, battery.reserve_kwh, np.inf, (held, 1.0), (lack, 1.0))
    path.charge[battery.name], path.discharge[battery.name] = charge, discharge
    linear.put(path.balance, charge, -1.0)
    linear.put(path.balance, discharge, 1.0)
    if battery.max_charge_kw > 0.0 and battery.max_discharge_kw > 0.0:
        shares = (charge, 1.0 / battery.max_charge_kw), (discharge, 1.0 / battery.max_discharge_kw)
        linear.rows(n, -np.inf, 1.0, *shares)
        steps = np.flatnonzero(_is_wasting_paid(problem, path))
        is_charging = linear.columns(len(steps), 0.0, 1.0, is_whole=True)
        linear.rows(len(steps), -np.inf, 0.0, (charge[steps], 1.0), (is_charging, -battery.max_charge_kw))
        upper = battery.max_discharge_kw
        linear.rows(len(steps), -np.inf, upper, (discharge[steps], 1.0), (is_charging, upper))
        made.switches.append(Switch(is_charging, charge[steps], discharge[steps]))


def _is_wasting_paid(problem: PlanningProblem, path: Path) -> Mask:
    """Return in which steps electricity may be worth less than nothing."""
    buy, _sell = step_prices(problem)
    forced = (path.solar_kw > 0.0) & (not problem.is_solar_curtailable)
    return np.asarray((buy < 0.0) | forced)


def _car(made: Formulation, car: Car) -> None:
    problem, linear = made.problem, made.linear
    first, after = problem.span(car.arrival, car.departure)
    n = max(after - first, 0)
    power = linear.columns(n, 0.0, car.max_charge_kw, problem.hours * _TIE)
    made.cars[car.name] = first, power
    made.use(np.arange(first, after), power, 1.0)
    needed = 0.0 if Wish(Kind.CAR, car.name) in made.dropped else car.energy_kwh
    least_step = car.min_charge_kw * problem.hours * car.efficiency  # the last step may be too long for its least power
    most = max(car.most_kwh or 0.0, car.energy_kwh + least_step)
    if n:
        linear.row(needed, most, power, problem.hours * car.efficiency)
    _switched(made, power, car.min_charge_kw, car.max_charge_kw)


def _switched(made: Formulation, power: Columns, least: float, most: float) -> None:
    """Let a power be zero, or between least and most."""
    if least <= 0.0:
        return
    linear, n = made.linear, len(power)
    is_on = linear.columns(n, 0.0, 1.0, is_whole=True)
    linear.rows(n, -np.inf, 0.0, (power, 1.0), (is_on, -most))
    linear.rows(n, 0.0, np.inf, (power, 1.0), (is_on, -least))
    made.switches.append(Switch(is_on, power, least=least))


def _heat(made: Formulation, heat: Heat) -> None:
    problem, linear = made.problem, made.linear
    n, hours = problem.n_steps, problem.hours
    left, gain = heat.drift(hours)
    power = linear.columns(n, 0.0, heat.max_power_kw, hours * _TIE)
    warm = linear.columns(n, -np.inf, np.inf)
    drift = (1.0 - left) * heat.around_c - gain * heat.draw_kw
    drift[0] += left * heat.temperature_c
    rows = linear.rows(n, drift, drift, (warm, 1.0), (power, -gain * heat.efficiency))
    linear.put(rows[1:], warm[:-1], -left)
    price = hours * heat.discomfort_price
    cold, hot = linear.columns(n, 0.0, np.inf, price), linear.columns(n, 0.0, np.inf, price)
    linear.rows(n, heat.lowest_c, np.inf, (warm, 1.0), (cold, 1.0))
    linear.rows(n, -np.inf, heat.highest_c, (warm, 1.0), (hot, -1.0))
    short = linear.columns(1, 0.0, np.inf, cold_end_price(problem, heat))
    linear.rows(1, end_temperature(heat), np.inf, (warm[-1:], 1.0), (short, 1.0))
    made.heats[heat.name] = power
    made.use(np.arange(n), power, 1.0)
    _switched(made, power, heat.min_power_kw, heat.max_power_kw)


def _appliance(made: Formulation, wish: Appliance) -> None:
    """Write one whole column per step in which a run can begin or, where it may pause, in which it can go on."""
    if wish.begun_at is not None:
        return
    problem, linear = made.problem, made.linear
    profile = wish.profile(problem.step)
    first, after = problem.span(wish.earliest, wish.deadline)
    length = 1 if wish.is_interruptible else len(profile)
    steps = np.arange(first, max(after - length + 1, first))
    worth = 0.0 if wish.only_below is None else problem.weights.money * wish.only_below
    power = profile[:1] if wish.is_interruptible else profile
    cost = np.asarray(_SOON * (steps - first) - worth * float(power.sum()) * problem.hours, dtype=np.float64)
    begins = linear.columns(len(steps), 0.0, 1.0, cost, is_whole=True)
    made.begins[wish.name] = steps, begins
    for offset, kw in enumerate(power):
        made.use(steps + offset, begins, float(kw))
    if not len(steps):
        return
    total = float(wish.repeats * (len(profile) if wish.is_interruptible else 1))
    made.counts[wish.name] = int(total)
    is_free = wish.only_below is not None or Wish(Kind.APPLIANCE, wish.name) in made.dropped
    if is_free and wish.is_interruptible:  # whole runs or none
        runs = linear.columns(1, 0.0, float(wish.repeats), is_whole=True)
        row = linear.row(0.0, 0.0, begins, 1.0)
        linear.put(np.array([row]), runs, -float(len(profile)))
    else:
        linear.row(0.0 if is_free else total, total, begins, 1.0)
    if wish.repeats > 1 and length > 1:  # one run at a time
        for last in range(min(length, len(steps)) - 1, len(steps)):
            linear.row(-np.inf, 1.0, begins[max(last - length + 1, 0) : last + 1], 1.0)


def _one_way(made: Formulation, path: Path) -> None:
    """Forbid to buy and sell at once where that would be paid for."""
    problem, linear = made.problem, made.linear
    buy, sell = step_prices(problem)
    steps = np.flatnonzero(sell > buy)
    if not len(steps):
        return
    assets = sum(each.max_charge_kw for each in problem.batteries) + sum(each.max_charge_kw for each in problem.cars)
    assets += sum(each.max_power_kw for each in problem.heats)
    assets += sum(max(each.profile_kw) for each in problem.appliances)
    given = sum(each.max_discharge_kw for each in problem.batteries)
    most_in, most_out = path.limits
    inward = np.minimum(most_in, path.load_kw[steps] + assets)
    outward = np.minimum(most_out, path.solar_kw[steps] + given)
    is_buying = linear.columns(len(steps), 0.0, 1.0, is_whole=True)
    linear.rows(len(steps), -np.inf, 0.0, (path.bought[steps], 1.0), (is_buying, -inward))
    linear.rows(len(steps), -np.inf, outward, (path.sold[steps], 1.0), (is_buying, outward))
    made.switches.append(Switch(is_buying, path.bought[steps], path.sold[steps]))


def _clean(values: Array) -> Array:
    """Return powers without the solver's last digits."""
    return np.where(values < 1e-7, 0.0, values)  # noqa: PLR2004 - a tenth of a milliwatt


def _net(battery: Battery, charge: Array, discharge: Array) -> None:
    """Where both happen for nothing, keep only what they come to; what is stored stays the same."""
    both = (charge > 0.0) & (discharge > 0.0)
    if not both.any():
        return
    taken = battery.charge_efficiency * charge - discharge / battery.discharge_efficiency
    charge[both] = np.maximum(taken[both], 0.0) / battery.charge_efficiency
    discharge[both] = np.maximum(-taken[both], 0.0) * battery.discharge_efficiency
