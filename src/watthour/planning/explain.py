"""Why a plan is as it is; nothing is said that the prices do not bear out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.plan import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.assets import Appliance, Array, Car, Heat, Steps
    from watthour.core.plan import ApplianceRuns, BatteryUse, CarCharge, HeatUse, Plan, PlanningProblem

_SAME = 0.005  # [currency] what nobody notices
_NOTABLE = 0.05  # of a share worth a word
_MOSTLY = 0.5


def explained(problem: PlanningProblem, plan: Plan) -> Plan:
    """Return a plan with the reason of each of its choices."""
    said: list[tuple[str, str]] = []
    runs = zip(problem.appliances, plan.appliances, strict=True)
    said += [(wish.name, _of_appliance(problem, plan, wish, run)) for wish, run in runs]
    said += [(car.name, _of_car(problem, car, use)) for car, use in zip(problem.cars, plan.cars, strict=True)]
    said += [(use.name, _of_battery(problem, plan, use)) for use in plan.batteries]
    said += [(heat.name, _of_heat(problem, heat, use)) for heat, use in zip(problem.heats, plan.heats, strict=True)]
    return replace(plan, reasons=tuple(Reason(about, words) for about, words in said))


def _of_appliance(problem: PlanningProblem, plan: Plan, wish: Appliance, runs: ApplianceRuns) -> str:
    if wish.begun_at is not None:
        return f"goes on as it began at {_clock(problem, wish.begun_at)}"
    if not runs.spans:
        return f"does not run: nowhere is its electricity worth less than {wish.only_below:g} per kWh"
    if wish.is_interruptible or wish.repeats > 1:
        return _of_pieces(problem, wish, runs)
    profile = wish.profile(problem.step)
    first, after = problem.span(wish.earliest, wish.deadline)
    starts = np.arange(first, after - len(profile) + 1)
    starting = _Starts(
        starts,
        _of_starts(problem.import_price, profile, starts) * problem.hours,
        _of_starts(problem.carbon, profile, starts) * problem.hours / 1000.0,
        round((runs.spans[0].start - problem.start) / problem.step) - first,
        profile,
    )
    words = f"starts {_clock(problem, runs.spans[0].start)}: {_why(problem, plan, starting)}"
    at_once, now = float(starting.carbon[0]), float(starting.carbon[starting.chosen])
    cleaner = 1.0 - now / at_once if at_once > 0 else 0.0
    if cleaner >= _NOTABLE:
        words += f", also {cleaner:.0%} cleaner than at once"
    return words


@dataclass(frozen=True, slots=True, eq=False)
class _Starts:
    """The steps in which a run could begin, and what each would cost by the grid's price and carbon."""

    steps: Steps
    costs: Array
    carbon: Array
    chosen: int
    profile: Array


def _why(problem: PlanningProblem, plan: Plan, of: _Starts) -> str:
    """Say why this start: the cheapest, on one's own sun, or something that is worth its price."""
    sun = _sun_share(plan, int(of.steps[of.chosen]), of.profile)
    extra = float(of.costs[of.chosen] - of.costs.min())
    if sun >= _MOSTLY:
        return f"{sun:.0%} of it from your own sun"
    if len(of.steps) == 1:
        return "the only time in which it fits"
    if float(of.costs.max() - of.costs.min()) <= _SAME:
        return "the price is the same at all times"
    if extra <= _SAME:
        length = len(of.profile) * problem.hours
        return f"cheapest {length:g} h {_until(problem, int(of.steps[-1]) + len(of.profile))}"
    return _worth_its_price(problem, plan, of, extra)


def _worth_its_price(problem: PlanningProblem, plan: Plan, of: _Starts, extra: float) -> str:
    """Say for what a run does not begin when the grid is cheapest."""
    cheapest = int(np.argmin(of.costs))
    first = int(of.steps[cheapest])
    other = f"{extra:.2f} dearer than at {_clock(problem, problem.time(first))}"
    saved = float(of.carbon[cheapest] - of.carbon[of.chosen])
    if problem.weights.carbon * saved >= problem.weights.money * extra and saved > 0:
        return f"{other}, for {saved:.2f} kg less CO2"
    drawn = _drawn_if(plan, of, first)
    if problem.import_limit_kw is not None and drawn > problem.import_limit_kw:
        return f"{other}, when the home would draw {drawn:.1f} kW, above its limit of {problem.import_limit_kw:g} kW"
    if problem.peak_price > 0 and drawn > plan.peak_kw:
        return f"{other}, when the home would draw {drawn:.1f} kW, a higher peak to pay for"
    return f"{other} at the grid's price, but better together with all the rest"


def _drawn_if(plan: Plan, of: _Starts, first: int) -> float:
    """Return the most that a home would draw during a run if that began at another step, all else as it is [kW]."""
    net = plan.import_kw - plan.export_kw
    start, length = int(of.steps[of.chosen]), len(of.profile)
    net[start : start + length] -= of.profile
    net[first : first + length] += of.profile
    return float(net[first : first + length].max())


def _of_pieces(problem: PlanningProblem, wish: Appliance, runs: ApplianceRuns) -> str:
    when = ", ".join(f"{_clock(problem, each.start)}-{_clock(problem, each.end)}" for each in runs.spans)
    return f"runs {when}, {_at_price(problem, runs.power_kw, problem.span(wish.earliest, wish.deadline))}"


def _of_car(problem: PlanningProblem, car: Car, charge: CarCharge) -> str:
    if not charge.power_kw.any():
        return "does not charge: nothing is needed"
    first, after = problem.span(car.arrival, car.departure)
    when = _stretches(problem, charge.power_kw)
    at = _at_price(problem, charge.power_kw, (first, after))
    return f"gets {charge.charged_kwh[-1]:.1f} kWh {when}, {_until(problem, after)}, {at}"


def _of_battery(problem: PlanningProblem, plan: Plan, use: BatteryUse) -> str:
    if not use.charge_kw.any() and not use.discharge_kw.any():
        return "rests: to use it would gain nothing after its losses and wear"
    words = []
    if use.charge_kw.any():
        spare = _sun_left(plan, use) / use.charge_kw.sum()
        sun = f", {spare:.0%} of it spare sun" if spare >= _NOTABLE else ""
        price = _mean(problem.import_price, use.charge_kw)
        taken = float(use.charge_kw.sum()) * problem.hours
        words.append(f"takes {taken:.1f} kWh {_stretches(problem, use.charge_kw)} (grid price {price:.3f}{sun})")
    if use.discharge_kw.any():
        price = _mean(problem.import_price, use.discharge_kw)
        given = float(use.discharge_kw.sum()) * problem.hours
        words.append(f"gives {given:.1f} kWh {_stretches(problem, use.discharge_kw)} (grid price {price:.3f})")
    return ", ".join(words)


def _of_heat(problem: PlanningProblem, heat: Heat, use: HeatUse) -> str:
    if not use.power_kw.any():
        return f"stays off: it keeps {heat.lowest_c:g} degC by itself"
    used = float(use.power_kw.sum()) * problem.hours
    price = _at_price(problem, use.power_kw, (0, problem.n_steps))
    return f"uses {used:.1f} kWh, most of it {_stretches(problem, use.power_kw)}, {price}"


def _at_price(problem: PlanningProblem, power_kw: Array, span: tuple[int, int]) -> str:
    """Tell the mean price of a use beside the mean of all the time it could have had."""
    price, usual = _mean(problem.import_price, power_kw), float(problem.import_price[slice(*span)].mean())
    return f"at {price:.3f} per kWh (mean of the time: {usual:.3f})"


def _sun_share(plan: Plan, start: int, profile: Array) -> float:
    """Return how much of a run spare sun covers: what all else that is used leaves of it."""
    own = slice(start, start + len(profile))
    used = plan.load_kw + sum((each.power_kw for each in plan.uses), 0.0)
    spare = np.maximum(plan.solar_kw[own] - (used[own] - profile), 0.0)
    return float(np.minimum(spare, profile).sum() / profile.sum())


def _sun_left(plan: Plan, use: BatteryUse) -> float:
    """Return how much of what a battery takes is sun that load, runs, cars and heat leave; several batteries share."""
    used = plan.load_kw + sum((each.power_kw for each in plan.uses), 0.0)
    taken = sum((each.charge_kw for each in plan.batteries), np.zeros(len(use.charge_kw)))
    left = np.minimum(np.maximum(plan.solar_kw - used, 0.0), taken)
    return float((left * np.divide(use.charge_kw, taken, out=np.zeros_like(taken), where=taken > 0.0)).sum())


def _of_starts(series: Array, profile: Array, starts: Steps) -> Array:
    return np.array([float(series[start : start + len(profile)] @ profile) for start in starts])


def _mean(prices: Array, power_kw: Array) -> float:
    return float(prices @ power_kw / power_kw.sum())


def _stretches(problem: PlanningProblem, power_kw: Array) -> str:
    """Return when most of a power is drawn: the two longest stretches by energy."""
    is_on = np.concatenate([[False], power_kw > 0.0, [False]])
    edges = np.flatnonzero(np.diff(is_on.astype(int)))
    begins, ends = edges[::2], edges[1::2]
    energy = [float(power_kw[begin:end].sum()) for begin, end in zip(begins, ends, strict=True)]
    largest = sorted(np.argsort(energy)[::-1][:2])
    said = [f"{_clock(problem, problem.time(begins[k]))}-{_clock(problem, problem.time(ends[k]))}" for k in largest]
    return " and ".join(said) + (" and others" if len(energy) > len(largest) else "")


def _until(problem: PlanningProblem, after: int) -> str:
    return f"before {_clock(problem, problem.time(after))}"


def _clock(problem: PlanningProblem, instant: datetime) -> str:
    """Write an instant by the home's clock; with the weekday where it is not within a day of the start."""
    local = instant.astimezone(ZoneInfo(problem.time_zone))
    is_near = abs((instant - problem.start).total_seconds()) < 86_400  # noqa: PLR2004 - seconds of a day
    return f"{local:%H:%M}" if is_near else f"{local:%a %H:%M}"
