"""The best plan that is found in the time there is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import NoPlanFound
from watthour.planning.conflict import why_impossible
from watthour.planning.dive import dive
from watthour.planning.explain import explained
from watthour.planning.formulate import Formulation, formulate
from watthour.planning.linear import Solution, share_missing, solve_linear
from watthour.planning.rules import by_rules
from watthour.planning.time_left import TimeLeft

if TYPE_CHECKING:
    from watthour.core.assets import Array
    from watthour.core.plan import Plan, PlanningProblem
    from watthour.planning.linear import Columns

TIME_LIMIT_S = 10.0
GAP = 0.01  # of the objective; the plan is that close to the best one
_LEAST_S = 0.05
MIN_GAIN = 0.02  # [currency] by which a new plan must be better than the one that people know


def solve(
    problem: PlanningProblem,
    *,
    time_limit_s: float = TIME_LIMIT_S,
    gap: float = GAP,
    known: Plan | None = None,
    min_gain: float = MIN_GAIN,
) -> Plan:
    """Return the best plan, with its reasons.

    Args:
        problem: what is asked.
        time_limit_s: after so long the best plan so far is taken, with its gap; also for why there is none.
        gap: share of the objective that need not be sought any more.
        known: the plan that people know; its runs are kept as long as a new plan is not better by ``min_gain``.
        min_gain: in what the plan makes small [currency].

    Raises:
        PlanImpossible: wishes contradict each other; says which, and what to relax.
        NoPlanFound: none was found in time, though there may be one.
    """
    try:
        import highspy  # noqa: F401 - whether it is there
    except ImportError:
        return explained(problem, by_rules(problem))
    time = TimeLeft.of(time_limit_s)
    made = formulate(problem)
    found = search(made, time_limit_s=time.seconds, gap=gap)
    if found.is_impossible:
        raise why_impossible(problem, time_limit_s=time.seconds)
    kept = None if known is None else _kept(made, known, max(time.seconds, _LEAST_S), gap)
    if kept is not None and kept.objective <= found.objective + min_gain:
        found = kept
    return explained(problem, _or_by_rules(made, found))


def search(made: Formulation, *, time_limit_s: float, gap: float) -> Solution:
    """Return the best that is found in time; most often the first dive is good enough, and known to be."""
    time = TimeLeft.of(time_limit_s)
    first = dive(made, time_limit_s=time_limit_s)
    if first.is_impossible or first.is_good(gap):
        return first
    found = solve_linear(made.linear, time_limit_s=max(time.seconds, _LEAST_S), gap=gap, start=_start(made, first))
    return replace(first, is_proven=False) if found.values is None and first.values is not None else found


def _start(made: Formulation, first: Solution) -> tuple[Columns, Array] | None:
    """Return what the search begins from: the dive, or the runs of the rules of thumb."""
    if first.values is not None:
        return np.arange(len(first.values)), first.values
    try:
        return made.same_runs(by_rules(made.problem))
    except NoPlanFound:  # by rules of thumb; the search may still find a plan
        return None


def not_in_time(problem: str, *, without: str = "") -> NoPlanFound:
    """Return that something was not found in time, with what makes it easier, such as to go without a part."""
    cure = (
        f"Ask {without}for fewer appliances and cars, longer steps or a shorter time, or higher limits; "
        "`watthour plan` takes more time with --time-limit."
    )
    return NoPlanFound(problem, remedy=cure)


def _or_by_rules(made: Formulation, found: Solution) -> Plan:
    """Return what was found; where that is not proven, or nothing, the plan of the rules of thumb if that is better."""
    if found.is_proven:
        return made.plan(found)
    if found.values is None:
        try:
            return by_rules(made.problem)
        except NoPlanFound as error:
            raise not_in_time("no plan was found in time, though there may be one") from error
    plan = made.plan(found)
    try:
        simple = by_rules(made.problem)
    except NoPlanFound:
        return plan
    if simple.objective >= plan.objective:
        return plan
    # What the search has proven to be impossible bounds this plan as well.
    return replace(simple, gap=None if found.bound is None else share_missing(simple.objective, found.bound))


def _kept(made: Formulation, known: Plan, time_limit_s: float, gap: float) -> Solution | None:
    """Return the known plan's runs with everything else as good as it can be now; None: they cannot be kept."""
    same = made.same_runs(known)
    if same is None:
        return None
    found = solve_linear(made.linear, time_limit_s=time_limit_s, gap=gap, fixed=same)
    return None if found.values is None else found
