"""A plan for what a household states, as a person or a program is told it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.core.errors import NoPlanFound
from watthour.planning.currencies import times_off
from watthour.planning.solve import MIN_GAIN, TIME_LIMIT_S, solve
from watthour.planning.tariff_words import odd_price
from watthour.planning.time_left import TimeLeft
from watthour.planning.trade_off import Choice, trade_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.core.assets import Array
    from watthour.core.plan import Plan, PlanningProblem

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and where they are asked for those between the cheapest and the cleanest."""

    plan: Plan
    choices: tuple[Choice, ...] = ()
    is_carbon_known: bool = True
    remarks: tuple[str, ...] = ()  # what was asked for and is not there


def make_plan(
    problem: PlanningProblem,
    *,
    with_choices: bool = False,
    time_limit_s: float = TIME_LIMIT_S,
    currency: str | None = None,
    known: Plan | None = None,
    min_gain: float = MIN_GAIN,
) -> Planned:
    """Plan; the time limit is for all plans together. Where it is over before there are choices, a remark says so.

    Args:
        problem: what is asked.
        with_choices: also the plans from the cheapest to the cleanest.
        time_limit_s: for all of them.
        currency: of its prices: those many times off what a kWh usually costs are asked about; None: none are.
        known: the plan that people know, which stays unless a new one is better by ``min_gain``.
        min_gain: in what the plan makes small [currency].

    Raises:
        PlanImpossible: wishes contradict each other.
        NoPlanFound: none was found in time.
        InvalidInput: choices are asked for, and no carbon is known.
    """
    time = TimeLeft.of(time_limit_s)
    limit_s = time.share(2).seconds if with_choices else time.seconds
    plan = solve(problem, time_limit_s=limit_s, known=known, min_gain=min_gain)
    choices: tuple[Choice, ...] = ()
    remarks = tuple(odd_prices(problem, currency))
    if with_choices:
        try:
            choices = trade_off(problem.as_if_sure(), time_limit_s=time.seconds)  # else each would take seconds
        except NoPlanFound as error:
            remarks += (f"{error.problem[:1].upper()}{error.problem[1:]}. {error.remedy}",)
    return Planned(plan, choices, bool(problem.carbon.any()), remarks)


def odd_prices(problem: PlanningProblem, currency: str | None) -> Iterator[str]:
    """Yield a question for each series of prices that is many times off what a kWh usually costs."""
    for field, values in (("import_price", problem.import_price), ("export_price", problem.export_price)):
        typical, is_earned = float(np.median(np.abs(values))), field == "export_price"
        found = None if currency is None else odd_price(field, typical, currency, is_earned=is_earned)
        if found is not None and currency is not None:
            times = times_off(typical, currency) or 1.0
            yield (
                f"Is {field} right? {typical:g} {currency}/kWh is {times:.2g} times what a kWh usually costs a home; "
                f"prices are in {currency}/kWh, not in cent/kWh or {currency}/MWh."
            )


def plan_entry(planned: Planned) -> dict[str, Any]:
    """Return a plan as plain values."""
    plan = planned.plan
    reasons = {each.about: each.words for each in plan.reasons}
    return {
        "status": str(plan.status),
        "gap": plan.gap,
        "cost": round(plan.cost, _DIGITS),
        "wear": round(plan.wear, _DIGITS),
        "carbon_kg": round(plan.carbon_kg, _DIGITS) if planned.is_carbon_known else None,
        "peak_kw": round(plan.peak_kw, _DIGITS),
        "time": [plan.start + k * plan.step for k in range(len(plan.import_kw))],
        "import_kw": _plain(plan.import_kw),
        "export_kw": _plain(plan.export_kw),
        "load_kw": _plain(plan.load_kw),
        "solar_kw": _plain(plan.solar_kw - plan.curtailed_kw),
        "things": [{**thing, "reason": reasons[thing["name"]]} for thing in _things(plan)],
        "misses": [
            {"name": miss.about, "words": miss.words, "penalty": round(miss.penalty, _DIGITS)} for miss in plan.misses
        ],
        "choices": [
            {
                "words": choice.words,
                "cost": round(choice.plan.cost, _DIGITS),
                "carbon_kg": round(choice.plan.carbon_kg, _DIGITS),
                "more_money": round(choice.more_money, _DIGITS),
                "less_carbon_kg": round(choice.less_carbon_kg, _DIGITS),
            }
            for choice in planned.choices
        ],
        "remarks": list(planned.remarks),
    }


def _things(plan: Plan) -> Iterator[dict[str, Any]]:
    for runs in plan.appliances:
        spans = [{"start": span.start, "end": span.end} for span in runs.spans]
        yield {"name": runs.name, "kind": "appliance", "power_kw": _plain(runs.power_kw), "spans": spans}
    for car in plan.cars:
        got = _plain(car.charged_kwh)
        yield {"name": car.name, "kind": "car", "power_kw": _plain(car.power_kw), "stored_kwh": got}
    for battery in plan.batteries:
        yield {
            "name": battery.name,
            "kind": "battery",
            "power_kw": _plain(battery.charge_kw),
            "gives_kw": _plain(battery.discharge_kw),
            "stored_kwh": _plain(battery.stored_kwh),
        }
    for heat in plan.heats:
        warmth = _plain(heat.temperature_c)
        yield {"name": heat.name, "kind": "heat", "power_kw": _plain(heat.power_kw), "temperature_c": warmth}


def _plain(values: Array) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
