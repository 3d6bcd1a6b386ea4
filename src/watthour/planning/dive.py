"""A good plan from the problem without whole numbers, and how good: nearly always all the search there need be.

Without whole numbers the problem takes hundredths of a second, and no plan can be better than what it says. Each
appliance is then given the begin it leans to, one after the other, the rest being solved again each time.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.planning.linear import Solution, model_of

if TYPE_CHECKING:
    from watthour.core.assets import Array
    from watthour.planning.formulate import Formulation, Switch
    from watthour.planning.linear import Columns

_WHOLE = 1e-6  # what a number may differ from a whole one, or a power from none


def dive(made: Formulation, *, time_limit_s: float) -> Solution:
    """Return a plan whose gap is measured against the problem without whole numbers; no values: it led nowhere."""
    import highspy

    until = monotonic() + time_limit_s
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves it so
    # The primal simplex method goes on from one begin of an appliance to the next; courses let the dual one go astray.
    for name, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("simplex_strategy", 4)):
        solver.setOptionValue(name, value)
    solver.passModel(model_of(made.linear, highspy, is_relaxed=True))
    values, bound, is_impossible = _solved(solver, highspy, until)
    objective = bound
    if values is None:
        return Solution(None, bound, None, is_proven=False, is_impossible=is_impossible)
    doubts = {name: _doubt(values, made.begins[name][1]) for name in made.counts}
    for name in sorted(doubts, key=lambda each: doubts[each]):
        _steps, columns = made.begins[name]
        whole = _rounded(values[columns], made.counts[name], _apart(made, name))
        _fix(solver, columns, whole)
        if np.abs(values[columns] - whole).max(initial=0.0) > _WHOLE:
            values, objective, _ = _solved(solver, highspy, until)
        if values is None:
            return Solution(None, bound, None, is_proven=False, is_impossible=False)
    if not all(_is_settled(values, switch) for switch in made.switches):
        for switch in made.switches:
            _fix(solver, switch.is_on, _side(values, switch))
        values, objective, _ = _solved(solver, highspy, until)
        if values is None:
            return Solution(None, bound, None, is_proven=False, is_impossible=False)
    for switch in made.switches:
        values[switch.is_on] = _side(values, switch)
    return Solution(values, objective, bound, is_proven=True, is_impossible=False)


def _solved(solver: Any, highspy: Any, until: float) -> tuple[Array | None, float, bool]:  # noqa: ANN401 - of a late import
    solver.setOptionValue("time_limit", solver.getRunTime() + max(until - monotonic(), 0.01))
    solver.run()
    status = solver.getModelStatus()
    is_impossible = status in {highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible}
    if status != highspy.HighsModelStatus.kOptimal:
        return None, np.nan, is_impossible
    return np.array(solver.getSolution().col_value), float(solver.getInfo().objective_function_value), False


def _fix(solver: Any, columns: Columns, values: Array) -> None:  # noqa: ANN401 - of a late import
    solver.changeColsBounds(len(columns), columns.astype(np.int32), values, values)


def _doubt(values: Array, columns: Columns) -> float:
    """Return how far an appliance is from having chosen: the clearest is fixed first."""
    return 1.0 - float(values[columns].max(initial=0.0))


def _apart(made: Formulation, name: str) -> int:
    """Return how many steps two begins of an appliance must lie apart."""
    wish = next(each for each in made.problem.appliances if each.name == name)
    return 1 if wish.is_interruptible else len(wish.profile(made.problem.step))


def _rounded(values: Array, count: int, apart: int) -> Array:
    """Return ones for the highest values, as many as there must be, or as they lean to where that is left open."""
    wanted = min(count, round(float(values.sum())))
    if apart == 1 and 0 < wanted < count:
        wanted = 0  # an optional run that may pause is whole or not at all
    chosen: list[int] = []
    for k in np.argsort(-values, kind="stable"):
        if len(chosen) == wanted:
            break
        if all(abs(int(k) - other) >= apart for other in chosen):
            chosen.append(int(k))
    found = np.zeros(len(values))
    found[chosen] = 1.0
    return found


def _is_settled(values: Array, switch: Switch) -> bool:
    """Return whether powers are already as they may be, so that their switches can be set without solving again."""
    power, is_on = values[switch.power], _side(values, switch) > 0
    other = np.zeros(len(power)) if switch.other is None else values[switch.other]
    return bool(np.all(np.where(is_on, (power >= switch.least - _WHOLE) & (other <= _WHOLE), power <= _WHOLE)))


def _side(values: Array, switch: Switch) -> Array:
    other = switch.least / 2.0 if switch.other is None else values[switch.other]
    return np.asarray(values[switch.power] > other, dtype=np.float64)
