"""Rules of thumb: each thing by itself, the largest first, where its own electricity is cheapest.

What a household does without a solver, and what every plan is compared with: runs and cars go into the cheapest time
that is left under the import limit, heat holds its lowest temperature, the battery takes spare sun and gives it back,
and, where the difference of prices pays for its losses and wear, it is filled in cheap steps for dear ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import NoPlanFound
from watthour.core.plan import Plan, PlanningProblem, PlanStatus
from watthour.planning.account import Actions, appliance_kw, begun_kw, settle, step_prices, stored

if TYPE_CHECKING:
    from watthour.core.assets import Appliance, Array, Battery, Car, Heat, Mask

_EPSILON = 1e-9
_ENOUGH = 1e-6  # [kW, kWh] a milliwatt
_CHEAP, _DEAR = 0.25, 0.6  # of the prices of the horizon


def by_rules(problem: PlanningProblem) -> Plan:
    """Return a plan by rules of thumb.

    Raises:
        NoPlanFound: a run or a car finds no place under the import limit, or another wish is beyond such rules.
    """
    demand = problem.load_kw - problem.solar_kw
    for wish in problem.appliances:
        demand = demand + begun_kw(problem, wish)
    heats: dict[str, Array] = {}
    for heat in problem.heats:
        heats[heat.name] = thermostat(problem, heat)
        demand = demand + heats[heat.name]
    steps: dict[str, tuple[int, ...]] = {}
    for wish in sorted(problem.appliances, key=lambda each: -each.energy_kwh):
        steps[wish.name] = _cheapest_steps(problem, wish, demand)
        demand = demand + appliance_kw(problem, wish, steps[wish.name]) - begun_kw(problem, wish)
    cars: dict[str, Array] = {}
    for car in problem.cars:
        cars[car.name] = _cheapest_charge(problem, car, demand)
        demand = demand + cars[car.name]
    charges: dict[str, Array] = {}
    discharges: dict[str, Array] = {}
    for battery in problem.batteries:
        charge, discharge = battery_by_rules(problem, battery, demand)
        charges[battery.name], discharges[battery.name] = charge, discharge
        demand = demand + charge - discharge
    plan = settle(problem, Actions(steps, charges, discharges, cars, heats), PlanStatus.RULES, None)
    for name, power in (("import_limit_kw", plan.import_kw), ("export_limit_kw", plan.export_kw)):
        limit = getattr(problem, name)
        if limit is not None and float(power.max()) > limit + _ENOUGH:
            raise NoPlanFound(
                f"rules of thumb do not keep to {name}", remedy=f"Raise {name}, or plan with the solver, highspy."
            )
    return plan


def thermostat(problem: PlanningProblem, heat: Heat) -> Array:
    """Return the power that keeps the lowest temperature, and at the end the one it should have [kW]."""
    left, gain = heat.drift(problem.hours)
    power, now = np.zeros(problem.n_steps), heat.temperature_c
    for step in range(problem.n_steps):
        alone = left * now + (1.0 - left) * heat.around_c[step] - gain * heat.draw_kw[step]
        is_last = step == problem.n_steps - 1
        wanted = (
            max(heat.lowest_c, heat.temperature_c if heat.end_c is None else heat.end_c) if is_last else heat.lowest_c
        )
        needed = (wanted - alone) / (gain * heat.efficiency[step])
        if needed > _EPSILON:
            power[step] = min(max(needed, heat.min_power_kw), heat.max_power_kw)
        now = alone + gain * heat.efficiency[step] * power[step]
    return power


def extra_cost(problem: PlanningProblem, demand: Array, power: Array) -> Array:
    """Return what a power adds in each step to what is paid, by what is drawn already; endless above the limit."""
    buy, sell = step_prices(problem)
    before, after = demand, demand + power
    bought = np.maximum(after, 0.0) - np.maximum(before, 0.0)
    unsold = np.maximum(-before, 0.0) - np.maximum(-after, 0.0)
    cost = (buy * bought + np.maximum(sell, 0.0) * unsold) * problem.hours
    if problem.import_limit_kw is not None:
        cost = np.where((power > 0.0) & (after > problem.import_limit_kw + _EPSILON), np.inf, cost)
    return np.asarray(cost)


def _cheapest_steps(problem: PlanningProblem, wish: Appliance, demand: Array) -> tuple[int, ...]:
    if wish.begun_at is not None:
        return ()
    profile = wish.profile(problem.step)
    first, after = problem.span(wish.earliest, wish.deadline)
    if wish.is_interruptible:
        return _cheapest_pieces(problem, wish, demand, (first, after))
    starts = np.arange(first, max(after - len(profile) + 1, first))
    costs = sum(
        (extra_cost(problem, demand, np.full(problem.n_steps, kw))[starts + k] for k, kw in enumerate(profile)),
        np.zeros(len(starts)),
    )
    chosen: list[int] = []
    worth = (
        np.inf
        if wish.only_below is None
        else problem.weights.money * wish.only_below * float(profile.sum()) * problem.hours
    )
    for k in np.argsort(costs, kind="stable"):
        start = int(starts[k])
        if len(chosen) == wish.repeats or not costs[k] < worth:
            break
        if all(abs(start - other) >= len(profile) for other in chosen):
            chosen.append(start)
    return _enough(wish, chosen, wish.repeats)


def _cheapest_pieces(
    problem: PlanningProblem, wish: Appliance, demand: Array, span: tuple[int, int]
) -> tuple[int, ...]:
    first, after = span
    needed = wish.repeats * len(wish.profile(problem.step))
    costs = extra_cost(problem, demand, np.full(problem.n_steps, wish.profile_kw[0]))[first:after]
    chosen = [int(first + k) for k in np.argsort(costs, kind="stable")[:needed] if np.isfinite(costs[k])]
    if wish.only_below is not None:
        most = problem.weights.money * wish.only_below * wish.profile_kw[0] * problem.hours * needed
        if len(chosen) < needed or float(costs[np.array(chosen) - first].sum()) >= most:
            return ()
    return _enough(wish, chosen, needed)


def _enough(wish: Appliance, chosen: list[int], needed: int) -> tuple[int, ...]:
    if len(chosen) < needed and wish.only_below is None:
        problem = f"rules of thumb find no room for {wish.name} under the import limit"
        raise NoPlanFound(problem, remedy="Raise import_limit_kw, or plan with the solver, highspy.")
    return tuple(sorted(chosen))


def _cheapest_charge(problem: PlanningProblem, car: Car, demand: Array) -> Array:
    """Fill the cheapest steps with as much as the car takes."""
    power, left = np.zeros(problem.n_steps), car.energy_kwh
    first, after = problem.span(car.arrival, car.departure)
    least = max(car.min_charge_kw, _EPSILON)
    room = np.full(problem.n_steps, car.max_charge_kw)
    if problem.import_limit_kw is not None:
        room = np.minimum(room, problem.import_limit_kw - demand)
    costs = extra_cost(problem, demand, np.minimum(np.maximum(room, least), car.max_charge_kw)) / np.maximum(
        room, least
    )
    for k in np.argsort(costs[first:after], kind="stable"):
        step = int(first + k)
        if left <= _EPSILON:
            break
        if room[step] < least:
            continue
        power[step] = max(min(room[step], left / (problem.hours * car.efficiency)), car.min_charge_kw)
        left -= power[step] * problem.hours * car.efficiency
    if left > _ENOUGH:
        words = f"rules of thumb find no room for {left:.2f} kWh of {car.name} under the import limit"
        raise NoPlanFound(words, remedy="Raise import_limit_kw, or plan with the solver, highspy.")
    return power


def battery_by_rules(problem: PlanningProblem, battery: Battery, demand: Array) -> tuple[Array, Array]:
    """Return charge and discharge: spare sun in, demand out; cheap steps in, dear steps out where that pays [kW]."""
    buy, _sell = step_prices(problem)
    low, high = float(np.quantile(buy, _CHEAP)), float(np.quantile(buy, _DEAR))
    lost = battery.charge_efficiency * battery.discharge_efficiency
    pays = high * lost - problem.weights.money * battery.wear_price > low
    is_filled = (buy <= low) if pays else np.zeros(problem.n_steps, dtype=bool)
    is_used = (buy >= high) if pays else np.ones(problem.n_steps, dtype=bool)
    for n_last in range(problem.n_steps + 1):  # as few of the last steps as fill it as wished
        is_last = np.arange(problem.n_steps) >= problem.n_steps - n_last
        found = dispatch(problem, battery, demand, is_filled=is_filled | is_last, is_used=is_used & ~is_last)
        if stored(problem, battery, *found)[-1] >= (battery.end_kwh or 0.0) - _ENOUGH:
            return found
    words = f"rules of thumb cannot fill {battery.name} as wished at the end"
    raise NoPlanFound(words, remedy="Lower end_kwh, or plan with the solver, highspy.")


def self_consumption(problem: PlanningProblem, battery: Battery, demand: Array) -> tuple[Array, Array]:
    """Return what an inverter does by itself: spare sun in, demand out [kW]."""
    never, always = np.zeros(problem.n_steps, dtype=bool), np.ones(problem.n_steps, dtype=bool)
    return dispatch(problem, battery, demand, is_filled=never, is_used=always)


def dispatch(
    problem: PlanningProblem, battery: Battery, demand: Array, *, is_filled: Mask, is_used: Mask
) -> tuple[Array, Array]:
    """Return charge and discharge, step by step: filled from the grid, or used for what is drawn, or only from sun."""
    charge, discharge = np.zeros(problem.n_steps), np.zeros(problem.n_steps)
    held, hours = battery.stored_kwh, problem.hours
    most = np.inf if problem.import_limit_kw is None else problem.import_limit_kw
    for step in range(problem.n_steps):
        room = min(battery.max_charge_kw, (battery.capacity_kwh - held) / (hours * battery.charge_efficiency))
        spare = held - battery.reserve_kwh
        if is_filled[step]:
            charge[step] = max(min(room, most - demand[step]), 0.0)
        elif demand[step] < 0.0:
            charge[step] = max(min(room, -demand[step]), 0.0)
        elif is_used[step] and spare > 0.0:
            most_out = min(battery.max_discharge_kw, spare * battery.discharge_efficiency / hours)
            discharge[step] = min(most_out, demand[step])
        held += hours * (charge[step] * battery.charge_efficiency - discharge[step] / battery.discharge_efficiency)
    return charge, discharge
