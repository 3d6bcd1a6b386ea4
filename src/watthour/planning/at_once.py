"""What a home does without a plan: everything begins as soon as it may, and batteries rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.plan import PlanStatus
from watthour.planning.account import Actions, settle
from watthour.planning.rules import thermostat

if TYPE_CHECKING:
    from watthour.core.assets import Appliance, Array, Car
    from watthour.core.plan import Plan, PlanningProblem

_EPSILON = 1e-9


def at_once(problem: PlanningProblem) -> Plan:
    """Return the same time with runs and cars begun as soon as they may, houses kept at their lowest temperature.

    Batteries rest. Limits of import do not count: a home without a plan does not know them. Optional runs run, where
    their electricity is worth less than they may cost.
    """
    rested = replace(problem, batteries=(), import_limit_kw=None)
    steps = {wish.name: _first_steps(problem, wish) for wish in problem.appliances}
    cars = {car.name: _charge(problem, car) for car in problem.cars}
    heats = {heat.name: thermostat(problem, heat) for heat in problem.heats}
    return settle(rested, Actions(steps, car_kw=cars, heat_kw=heats), PlanStatus.RULES, None)


def _first_steps(problem: PlanningProblem, wish: Appliance) -> tuple[int, ...]:
    if wish.begun_at is not None:
        return ()
    first, after = problem.span(wish.earliest, wish.deadline)
    profile = wish.profile(problem.step)
    n_needed = len(profile) * wish.repeats
    if wish.only_below is not None:
        worth = wish.only_below * float(profile.sum())
        begins = range(first, after - len(profile) + 1)
        cheap = (k for k in begins if float(problem.import_price[k : k + len(profile)] @ profile) < worth)
        first = next(cheap, after)
    n_needed = min(n_needed, max(after - first, 0) // len(profile) * len(profile))
    return tuple(range(first, first + n_needed, 1 if wish.is_interruptible else len(profile)))


def _charge(problem: PlanningProblem, car: Car) -> Array:
    """Return the power of a car that charges with all it takes until it has got what it needs [kW]."""
    power, left = np.zeros(problem.n_steps), car.energy_kwh
    for step in range(*problem.span(car.arrival, car.departure)):
        if left <= _EPSILON:
            break
        power[step] = max(min(car.max_charge_kw, left / (problem.hours * car.efficiency)), car.min_charge_kw)
        left -= power[step] * problem.hours * car.efficiency
    return power
