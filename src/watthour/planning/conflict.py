"""Why nothing meets all wishes: a smallest set of those that contradict each other, and what to relax."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import PlanImpossible
from watthour.planning.formulate import Formulation, Kind, Wish, formulate, wishes
from watthour.planning.linear import solve_linear
from watthour.planning.time_left import TimeLeft

if TYPE_CHECKING:
    from watthour.core.assets import Array
    from watthour.core.plan import PlanningProblem
    from watthour.planning.linear import Columns

_MOST_S = 3.0  # for one question of many
_ROOM = 1.0 + 1e-4  # so that the cure is enough whatever is lost in the last digit


def why_impossible(problem: PlanningProblem, *, time_limit_s: float) -> PlanImpossible:
    """Return what contradicts what in a problem that is known to be impossible; the time is for the whole search.

    Leaving any one of these wishes out solves it; where the time was not enough to find the fewest, that is said.
    Wishes are dropped one by one, and stay dropped where the rest is impossible without them as well (a deletion
    filter: Chinneck and Dravnieks, ORSA Journal on Computing 3 (1991), doi:10.1287/ijoc.3.2.157).
    """
    problem, time = problem.as_if_sure(), TimeLeft.of(time_limit_s)  # other courses have no limits
    for_wishes = time.share(2)  # the rest is for the cures
    asked = wishes(problem)
    dropped: set[Wish] = set()
    if _is_impossible(problem, frozenset(asked), for_wishes):
        words = "the plan is impossible whatever is left out: what is used or made anyway passes a limit"
        return PlanImpossible([], words, remedy=_without_limits(problem))
    is_sure = True
    for wish in asked:
        answer = _is_impossible(problem, frozenset(dropped | {wish}), for_wishes)
        is_sure = is_sure and answer is not None
        if answer:
            dropped.add(wish)
    conflict = [wish for wish in asked if wish not in dropped]
    if not conflict:
        words = "the plan is impossible, and it was not found in time why"
        return PlanImpossible([], words, remedy="Ask for less, or raise the limits.")
    names = [_in_words(problem, wish) for wish in conflict]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    said = [wish.name or str(wish.kind) for wish in conflict]
    if not is_sure:
        words = f"not possible together, though it was not found in time which of them are to blame: {listed}"
        return PlanImpossible(said, words, remedy="Leave some of them out, or raise the limits.")
    cures = [cure for wish in conflict if (cure := _cure(problem, wish, time))]
    remedy = f"Relax one of them: {'; '.join(cures)}." if cures else "Leave one of them out."
    return PlanImpossible(said, f"not possible together: {listed}", remedy=remedy)


def _is_impossible(problem: PlanningProblem, dropped: frozenset[Wish], time: TimeLeft) -> bool | None:
    """Return whether what is left is impossible; None: not known in time."""
    if time.is_over:
        return None
    made = formulate(problem, dropped)
    costs = np.zeros(made.linear.n_columns)
    found = solve_linear(made.linear, time_limit_s=min(time.seconds, _MOST_S), gap=1.0, costs=costs)
    return None if found.values is None and not found.is_impossible else found.is_impossible


def _in_words(problem: PlanningProblem, wish: Wish) -> str:
    match wish.kind:
        case Kind.APPLIANCE:
            of = next(each for each in problem.appliances if each.name == wish.name)
            by = "" if of.deadline is None else f" by {of.deadline.isoformat()}"
            return f"{wish.name} ({of.energy_kwh * of.repeats:.2f} kWh{by})"
        case Kind.CAR:
            car = next(each for each in problem.cars if each.name == wish.name)
            by = "" if car.departure is None else f" by {car.departure.isoformat()}"
            return f"{wish.name} ({car.energy_kwh:.2f} kWh{by})"
        case Kind.BATTERY_END:
            battery = next(each for each in problem.batteries if each.name == wish.name)
            return f"{wish.name} (end_kwh = {battery.end_kwh:g})"
        case Kind.IMPORT_LIMIT:
            return f"the import limit of {problem.import_limit_kw:g} kW"
        case Kind.EXPORT_LIMIT:
            return f"the export limit of {problem.export_limit_kw:g} kW"


def _cure(problem: PlanningProblem, wish: Wish, time: TimeLeft) -> str | None:
    """Return how far one wish must give way for all others to be met; None: that is not enough, or not known."""
    if time.is_over:
        return None
    match wish.kind:
        case Kind.IMPORT_LIMIT:
            found = _smallest(problem, wish, time, "bought")
            return None if found is None else f"import_limit_kw = {_up(found)} would do"
        case Kind.EXPORT_LIMIT:
            found = _smallest(problem, wish, time, "sold")
            return None if found is None else f"export_limit_kw = {_up(found)} would do"
        case Kind.CAR:
            return _most_of_car(problem, wish, time)
        case Kind.BATTERY_END:
            return _most_at_end(problem, wish, time)
        case Kind.APPLIANCE:
            return _soonest(problem, wish, time)


def _smallest(problem: PlanningProblem, wish: Wish, time: TimeLeft, side: str) -> float | None:
    """Return the smallest limit of import or export under which everything else is possible [kW]."""
    made = formulate(problem, {wish})
    peak = made.linear.columns(1, 0.0, np.inf)
    n = problem.n_steps
    for path in made.paths:
        columns = path.bought if side == "bought" else path.sold
        made.linear.rows(n, 0.0, np.inf, (np.repeat(peak, n), 1.0), (columns, -1.0))
    return _best(made, peak, 1.0, time)


def _most_of_car(problem: PlanningProblem, wish: Wish, time: TimeLeft) -> str | None:
    made = formulate(problem, {wish})
    car = next(each for each in problem.cars if each.name == wish.name)
    _first, columns = made.cars[wish.name]
    found = _best(made, columns, -problem.hours * car.efficiency, time)
    return None if found is None else f"{wish.name} can get {_down(-found)} kWh by then"


def _most_at_end(problem: PlanningProblem, wish: Wish, time: TimeLeft) -> str | None:
    made = formulate(problem, {wish})
    battery = next(each for each in problem.batteries if each.name == wish.name)
    charge, discharge = made.paths[0].charge[wish.name], made.paths[0].discharge[wish.name]
    columns = np.concatenate([charge, discharge])
    taken = np.repeat([-battery.charge_efficiency, 1.0 / battery.discharge_efficiency], len(charge)) * problem.hours
    found = _best(made, columns, taken, time)
    return None if found is None else f"{wish.name} can hold {_down(battery.stored_kwh - found)} kWh at the end"


def _soonest(problem: PlanningProblem, wish: Wish, time: TimeLeft) -> str | None:
    """Return by when an appliance could have run, were it not for its deadline."""
    name, leave_out = wish.name, f"leave {wish.name} out"
    longer = replace(
        problem,
        appliances=tuple(replace(each, deadline=None) if each.name == name else each for each in problem.appliances),
    )
    made = formulate(longer)
    steps, begins = made.begins[name]
    last = made.linear.columns(1, 0.0, float(problem.n_steps))
    made.linear.rows(
        len(steps), 0.0, np.inf, (np.repeat(last, len(steps)), 1.0), (begins, -np.asarray(steps + 1, dtype=np.float64))
    )
    found = _best(made, last, 1.0, time)
    if found is None:
        return leave_out
    asked = next(each for each in problem.appliances if each.name == name)
    length = 1 if asked.is_interruptible else len(asked.profile(problem.step))
    end = problem.time(round(found) - 1 + length)
    return f"{name} can be over by {end.isoformat()}"


def _best(made: Formulation, columns: Columns, price: float | Array, time: TimeLeft) -> float | None:
    costs = np.zeros(made.linear.n_columns)
    costs[columns] = price
    found = solve_linear(made.linear, time_limit_s=min(time.seconds, _MOST_S), gap=0.0, costs=costs)
    return None if found.values is None else float(costs @ found.values)


def _without_limits(problem: PlanningProblem) -> str:
    limits = [name for name in ("import_limit_kw", "export_limit_kw") if getattr(problem, name) is not None]
    return f"Raise {' or '.join(limits) or 'nothing'}, or check load_kw and solar_kw."


def _up(value: float) -> str:
    return f"{math.ceil(value * _ROOM * 100) / 100:.2f}"


def _down(value: float) -> str:
    return f"{max(math.floor(value / _ROOM * 100) / 100, 0.0):.2f}"
