"""What a choice of actions comes to: stocks, import, export, money, carbon; the same sums for every plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.plan import (
    ApplianceRuns,
    BatteryUse,
    CarCharge,
    HeatUse,
    Miss,
    Plan,
    PlanningProblem,
    PlanStatus,
    Span,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.assets import Appliance, Array, Battery, Heat

_TOLERANCE = 1e-6
_CHEAPEST = 0.25  # of the horizon: what it would cost to fill a battery again


@dataclass(frozen=True, slots=True)
class Actions:
    """What is done, by name: steps in which runs begin (those that may pause: go on), and powers per step [kW]."""

    steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    charge_kw: Mapping[str, Array] = field(default_factory=dict)
    discharge_kw: Mapping[str, Array] = field(default_factory=dict)
    car_kw: Mapping[str, Array] = field(default_factory=dict)
    heat_kw: Mapping[str, Array] = field(default_factory=dict)
    curtailed_kw: Array | None = None  # None: what export would cost, or may not take


def begun_kw(problem: PlanningProblem, wish: Appliance) -> Array:
    """Return the power of a run that has begun already, as far as it lasts [kW]."""
    power = np.zeros(problem.n_steps)
    if wish.begun_at is None:
        return power
    edges = np.arange(len(wish.profile_kw) + 1) * (wish.profile_step / problem.step)
    used = np.concatenate([[0.0], np.cumsum(wish.profile_kw)]) * (wish.profile_step / problem.step)
    passed = (problem.start - wish.begun_at) / problem.step
    return np.diff(np.interp(np.arange(problem.n_steps + 1) + passed, edges, used))


def end_price(problem: PlanningProblem, battery: Battery) -> float:
    """Return what a kWh in a battery at the end is worth, in what the plan makes small."""
    if battery.end_kwh is not None:
        return 0.0
    if battery.end_price is not None:
        return problem.weights.money * battery.end_price
    buy, _sell = step_prices(problem)
    return float(max(np.quantile(buy, _CHEAPEST), 0.0)) / battery.charge_efficiency


def end_temperature(heat: Heat) -> float:
    """Return how warm it should be at the end: as it is now, or as is said, within the band [degC]."""
    end = heat.temperature_c if heat.end_c is None else heat.end_c
    return min(max(end, heat.lowest_c), heat.highest_c)


def cold_end_price(problem: PlanningProblem, heat: Heat) -> float:
    """Return what a kelvin that is missing at the end costs: at least what would have warmed it [currency/K]."""
    buy, _sell = step_prices(problem)
    warming = heat.capacity_kwh_per_k * float(buy.max()) / float(heat.efficiency.min())
    return max(heat.discomfort_price, warming)


def step_prices(problem: PlanningProblem) -> tuple[Array, Array]:
    """Return what a kWh of import costs, and one of export earns, in what the plan makes small."""
    weights = problem.weights
    buy = weights.money * problem.import_price + weights.carbon * problem.carbon / 1000.0
    return buy, weights.money * problem.export_price


def appliance_kw(problem: PlanningProblem, wish: Appliance, steps: tuple[int, ...]) -> Array:
    """Return an appliance's power for the steps in which it begins, or goes on [kW]."""
    power = begun_kw(problem, wish)
    profile = wish.profile(problem.step)
    for step in steps:
        if wish.is_interruptible:
            power[step] += wish.profile_kw[0]
        else:
            power[step : step + len(profile)] += profile
    return power


def grid_account(
    net_kw: Array, import_price: Array, export_price: Array, carbon: Array, hours: float
) -> tuple[Array, Array]:
    """Return what each step costs [currency] and emits [kgCO2e]: import is paid and counted, export earns money alone.

    A price or a carbon that is multiplied by nothing need not be known; otherwise NaN stays NaN.

    Args:
        net_kw: drawn from the grid, negative where fed in.
        import_price: of each step. [currency/kWh]
        export_price: likewise. [currency/kWh]
        carbon: likewise, of the import. [gCO2e/kWh]
        hours: length of a step.
    """
    price = np.where(net_kw < 0.0, export_price, import_price)
    cost = np.where(net_kw == 0.0, 0.0, price * net_kw)
    emitted = np.where(net_kw <= 0.0, 0.0, carbon * net_kw)
    return cost * hours, emitted * (hours / 1000.0)


def stored(problem: PlanningProblem, battery: Battery, charge_kw: Array, discharge_kw: Array) -> Array:
    """Return what a battery holds at the end of each step [kWh]."""
    taken = battery.charge_efficiency * charge_kw - discharge_kw / battery.discharge_efficiency
    return np.asarray(battery.stored_kwh + np.cumsum(taken) * problem.hours)


def temperatures(problem: PlanningProblem, heat: Heat, power_kw: Array) -> Array:
    """Return the temperature at the end of each step [degC]."""
    left, gain = heat.drift(problem.hours)
    warmth = gain * (heat.efficiency * power_kw - heat.draw_kw) + (1.0 - left) * heat.around_c
    found, now = np.empty(problem.n_steps), heat.temperature_c
    for step in range(problem.n_steps):
        now = left * now + warmth[step]
        found[step] = now
    return found


def settle(problem: PlanningProblem, actions: Actions, status: PlanStatus, gap: float | None) -> Plan:
    """Return the plan that some actions are, with what they come to."""
    hours, zeros = problem.hours, np.zeros(problem.n_steps)
    runs = tuple(_runs(problem, wish, actions.steps.get(wish.name, ())) for wish in problem.appliances)
    batteries = []
    for battery in problem.batteries:
        charge, discharge = actions.charge_kw.get(battery.name, zeros), actions.discharge_kw.get(battery.name, zeros)
        batteries.append(BatteryUse(battery.name, charge, discharge, stored(problem, battery, charge, discharge)))
    cars = tuple(
        CarCharge(car.name, power, np.cumsum(power) * hours * car.efficiency)
        for car in problem.cars
        for power in (actions.car_kw.get(car.name, zeros),)
    )
    heats = tuple(
        HeatUse(heat.name, power, temperatures(problem, heat, power))
        for heat in problem.heats
        for power in (actions.heat_kw.get(heat.name, zeros),)
    )
    used = problem.load_kw + sum((each.power_kw for each in runs), zeros) + sum((each.power_kw for each in cars), zeros)
    used = used + sum((each.power_kw for each in heats), zeros) + sum((each.charge_kw for each in batteries), zeros)
    given = sum((each.discharge_kw for each in batteries), zeros)
    curtailed = _curtailed(problem, used - given) if actions.curtailed_kw is None else actions.curtailed_kw
    net = used - given - problem.solar_kw + curtailed
    net[np.abs(net) < _TOLERANCE] = 0.0
    bought, sold = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    paid, emitted = grid_account(net, problem.import_price, problem.export_price, problem.carbon, hours)
    peak = float(max(bought.max(), problem.peak_so_far_kw))
    carbon, cost = float(emitted.sum()), float(paid.sum()) + problem.peak_price * (peak - problem.peak_so_far_kw)
    wear = sum(
        battery.wear_price * float(use.discharge_kw.sum()) * hours
        for battery, use in zip(problem.batteries, batteries, strict=True)
    )
    misses = tuple(_misses(problem, batteries, heats))
    weights = problem.weights
    objective = weights.money * (cost + wear) + weights.carbon * carbon
    objective += weights.peak * (peak - problem.peak_so_far_kw) + sum(miss.penalty for miss in misses)
    objective -= _worth(problem, runs, batteries)
    return Plan(
        start=problem.start,
        step=problem.step,
        status=status,
        gap=gap,
        appliances=runs,
        batteries=tuple(batteries),
        cars=cars,
        heats=heats,
        load_kw=problem.load_kw,
        solar_kw=problem.solar_kw,
        curtailed_kw=curtailed,
        import_kw=bought,
        export_kw=sold,
        cost=cost,
        wear=wear,
        carbon_kg=carbon,
        peak_kw=peak,
        objective=objective,
        misses=misses,
    )


def _curtailed(problem: PlanningProblem, demand: Array) -> Array:
    """Return the sun that is not used: what export would cost, or may not take [kW]."""
    if not problem.is_solar_curtailable:
        return np.zeros(problem.n_steps)
    spare = np.minimum(np.maximum(problem.solar_kw - demand, 0.0), problem.solar_kw)
    _buy, sell = step_prices(problem)
    allowed = np.where(sell < 0.0, 0.0, np.inf if problem.export_limit_kw is None else problem.export_limit_kw)
    exported_without = np.maximum(-demand, 0.0)  # by batteries
    return np.asarray(np.maximum(spare - np.maximum(allowed - exported_without, 0.0), 0.0))


def _runs(problem: PlanningProblem, wish: Appliance, steps: tuple[int, ...]) -> ApplianceRuns:
    power = appliance_kw(problem, wish, steps)
    spans: list[Span] = []
    if wish.begun_at is not None:
        spans.append(Span(wish.begun_at, wish.begun_at + wish.duration))
    length = problem.step if wish.is_interruptible else wish.duration
    for step in sorted(steps):
        begin = problem.time(step)
        if wish.is_interruptible and spans and spans[-1].end == begin:
            begin = spans.pop().start
        spans.append(Span(begin, problem.time(step) + length))
    return ApplianceRuns(wish.name, tuple(spans), power)


def _misses(problem: PlanningProblem, batteries: list[BatteryUse], heats: tuple[HeatUse, ...]) -> list[Miss]:
    found = []
    for battery, use in zip(problem.batteries, batteries, strict=True):
        lack = np.maximum(battery.reserve_kwh - use.stored_kwh, 0.0)
        lack[lack < _TOLERANCE] = 0.0
        if lack.any():
            words = f"up to {lack.max():.2f} kWh below its reserve of {battery.reserve_kwh:g} kWh"
            penalty = battery.reserve_price * float(lack.sum()) * problem.hours
            found.append(Miss(battery.name, words, penalty))
    for heat, warm in zip(problem.heats, heats, strict=True):
        away = np.maximum(heat.lowest_c - warm.temperature_c, 0.0) + np.maximum(
            warm.temperature_c - heat.highest_c, 0.0
        )
        end = end_temperature(heat)
        short = max(end - float(warm.temperature_c[-1]), 0.0)
        away[away < _TOLERANCE] = 0.0
        short = short if short > _TOLERANCE else 0.0
        if away.any() or short:
            words = f"up to {max(away.max(), short):.2f} K outside {heat.lowest_c:g} to {heat.highest_c:g} degC"
            if not away.any():
                words = f"{short:.2f} K colder at the end than {end:g} degC"
            penalty = heat.discomfort_price * float(away.sum()) * problem.hours + cold_end_price(problem, heat) * short
            found.append(Miss(heat.name, words, penalty))
    return found


def _worth(problem: PlanningProblem, runs: tuple[ApplianceRuns, ...], batteries: list[BatteryUse]) -> float:
    """Return what batteries hold more than now, and what optional runs are worth."""
    worth = 0.0
    for battery, use in zip(problem.batteries, batteries, strict=True):
        worth += end_price(problem, battery) * (float(use.stored_kwh[-1]) - battery.stored_kwh)
    for wish, run in zip(problem.appliances, runs, strict=True):
        if wish.only_below is not None:
            worth += problem.weights.money * wish.only_below * float(run.power_kw.sum()) * problem.hours
    return worth
