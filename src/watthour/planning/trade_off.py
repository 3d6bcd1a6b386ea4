"""From the cheapest plan to the cleanest: what each kg of CO2 less costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.core.plan import Plan, PlanningProblem, Weights
from watthour.planning.conflict import why_impossible
from watthour.planning.explain import explained
from watthour.planning.formulate import formulate
from watthour.planning.solve import GAP, TIME_LIMIT_S, not_in_time, search
from watthour.planning.time_left import TimeLeft

LEVELS = 9  # of carbon at which the cheapest plan is sought, both ends included
_LEAST_DIFFERENCE = 1e-2  # [kg] what differs by less is the same plan to people
_ROUNDING = 1e-6  # [kg, kWh]
_TIE = 1e-3  # [currency/currency] money still counts in the cleanest plan


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of the plans between the cheapest and the cleanest."""

    plan: Plan
    more_money: float  # than the cheapest
    less_carbon_kg: float  # than the cheapest

    @property
    def words(self) -> str:
        """Say it for a person."""
        if self.more_money == 0.0 and self.less_carbon_kg == 0.0:
            return "the cheapest"
        return f"{self.more_money:.2f} more for {self.less_carbon_kg:.2f} kg less"


def trade_off(
    problem: PlanningProblem, *, levels: int = LEVELS, time_limit_s: float = TIME_LIMIT_S, gap: float = GAP
) -> tuple[Choice, ...]:
    """Return the plans from the cheapest to the cleanest of which none is better than another in both.

    All leave in the batteries at least what the cheapest does, so that none is clean by emptying them. Fewer plans
    than levels come back where few differ; one, where the cheapest is the cleanest.

    Args:
        problem: what is asked; its weights of money and carbon do not count, that of the peak does.
        levels: of carbon that are tried.
        time_limit_s: for all of them together.
        gap: of each.

    Raises:
        InvalidInput: no carbon is known.
        PlanImpossible: wishes contradict each other.
        NoPlanFound: not even the cheapest was found in time.
    """
    if not problem.carbon.any():
        cure = "Give the carbon intensity of each step in gCO2e/kWh."
        raise InvalidInput("carbon", 0.0, "without it no plan is cleaner than another", remedy=cure)
    time = TimeLeft.of(time_limit_s)
    cheap = replace(problem, weights=replace(problem.weights, money=1.0, carbon=0.0))
    cheapest, is_impossible = _within(cheap, np.inf, time.share(3), gap)
    if is_impossible:
        raise why_impossible(problem, time_limit_s=time.seconds)
    if cheapest is None:
        words = "no choices between the cheapest and the cleanest plan were found in time"
        raise not_in_time(words, without="without choices, or ")
    cheap = _as_full(cheap, cheapest)
    weights = Weights(money=_TIE, carbon=1.0, peak=_TIE * problem.weights.peak)
    cleanest, _ = _within(replace(cheap, weights=weights), np.inf, time.share(2), gap)
    found = [cheapest]
    if cleanest is not None and cleanest.carbon_kg < cheapest.carbon_kg:
        sought = np.linspace(cheapest.carbon_kg, cleanest.carbon_kg, levels)[1:]
        for k, level in enumerate(sought):
            plan, _ = _within(cheap, float(level) + _ROUNDING, time.share(len(sought) - k), gap)
            if plan is not None:
                found.append(plan)
    best = _undominated(found)
    return tuple(
        Choice(explained(problem, plan), _money(plan) - _money(best[0]), best[0].carbon_kg - plan.carbon_kg)
        for plan in best
    )


def _within(problem: PlanningProblem, most_kg: float, time: TimeLeft, gap: float) -> tuple[Plan | None, bool]:
    """Return the best plan with no more carbon than this, if one was found, and whether there is none."""
    if time.is_over:
        return None, False
    made = formulate(problem, most_carbon_kg=most_kg)
    found = search(made, time_limit_s=time.seconds, gap=gap)
    return None if found.values is None else made.plan(found), found.is_impossible


def _as_full(problem: PlanningProblem, plan: Plan) -> PlanningProblem:
    """Ask that batteries hold at the end what they hold after this plan."""
    held = {use.name: float(use.stored_kwh[-1]) for use in plan.batteries}
    batteries = (
        replace(each, end_kwh=min(max(held[each.name] - _ROUNDING, 0.0), each.capacity_kwh))
        for each in problem.batteries
    )
    return replace(problem, batteries=tuple(batteries))


def _money(plan: Plan) -> float:
    """Return what a plan costs with the wear of batteries and what its misses are worth."""
    return plan.cost + plan.wear + sum(miss.penalty for miss in plan.misses)


def _undominated(plans: list[Plan]) -> list[Plan]:
    """Return the plans of which none is both dearer and dirtier than another, the cheapest first."""
    found: list[Plan] = []
    for plan in sorted(plans, key=lambda each: (_money(each), each.carbon_kg)):
        if not found or plan.carbon_kg < found[-1].carbon_kg - _LEAST_DIFFERENCE:
            found.append(plan)
    return found
