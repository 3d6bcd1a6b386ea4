"""Why a plan is as it is; nothing is said that the prices do not bear out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.plan import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.assets import Appliance, Array, Battery, Car, Heat
    from watthour.core.plan import ApplianceRuns, BatteryUse, CarCharge, HeatUse, Plan, PlanningProblem

_SAME = 0.005  # [currency] what nobody notices
_NOTABLE = 0.05  # of a share worth a word
_MOSTLY = 0.5


def explained(problem: PlanningProblem, plan: Plan) -> Plan:
    """Return a plan with the reason of each of its choices."""
    said: list[tuple[str, str]] = []
    for wish, runs in zip(problem.appliances, plan.appliances, strict=True):
        said.append((wish.name, _of_appliance(problem, plan, wish, runs)))
    for car, charge in zip(problem.cars, plan.cars, strict=True):
        said.append((car.name, _of_car(problem, car, charge)))
    for battery, use in zip(problem.batteries, plan.batteries, strict=True):
        said.append((battery.name, _of_battery(problem, plan, battery, use)))
    for heat, warmth in zip(problem.heats, plan.heats, strict=True):
        said.append((heat.name, _of_heat(problem, heat, warmth)))
    return replace(plan, reasons=tuple(Reason(about, words) for about, words in said))


def _of_appliance(problem: PlanningProblem, plan: Plan, wish: Appliance, runs: ApplianceRuns) -> str:
    if wish.begun_at is not None:
        return f"goes on as it began at {_clock(problem, wish.begun_at)}"
    if not runs.spans:
        return f"does not run: nowhere is its electricity worth less than {wish.only_below:g} per kWh"
    if wish.is_interruptible or wish.repeats > 1:
        return _of_pieces(problem, wish, runs)
    start = round((runs.spans[0].start - problem.start) / problem.step)
    profile = wish.profile(problem.step)
    first, after = problem.span(wish.earliest, wish.deadline)
    starts = np.arange(first, after - len(profile) + 1)
    costs = _of_starts(problem.import_price, profile, starts) * problem.hours
    carbon = _of_starts(problem.carbon, profile, starts) * problem.hours / 1000.0
    chosen = start - first
    words = f"starts {_clock(problem, runs.spans[0].start)}: {_why(problem, plan, (starts, costs, carbon), chosen, profile)}"
    cleaner = 1.0 - carbon[chosen] / carbon[0] if carbon[0] > 0 else 0.0
    if chosen and cleaner >= _NOTABLE:
        words += f", also {cleaner:.0%} cleaner than at once"
    return words


def _why(problem: PlanningProblem, plan: Plan, known: tuple[Array, Array, Array], chosen: int, profile: Array) -> str:
    """Say why this start: the cheapest, on one's own sun, for less carbon, under a limit, or with the rest."""
    starts, costs, carbon = known
    start, cheapest = int(starts[chosen]), int(np.argmin(costs))
    sun = _sun_share(plan, start, profile)
    if sun >= _MOSTLY:
        return f"{sun:.0%} of it from your own sun"
    if len(starts) == 1:
        return "the only time in which it fits"
    extra = float(costs[chosen] - costs[cheapest])
    if extra <= _SAME:
        if float(costs.max() - costs.min()) <= _SAME:
            return (
                "the price is the same at all times"
                if chosen
                else "as soon as possible, the price is the same at all times"
            )
        length = len(profile) * problem.hours
        return f"cheapest {length:g} h {_until(problem, int(starts[-1]) + len(profile))}"
    other = f"{extra:.2f} dearer than at {_clock(problem, problem.time(int(starts[cheapest])))}"
    saved = float(carbon[cheapest] - carbon[chosen])
    if problem.weights.carbon > 0 and saved * problem.weights.carbon >= problem.weights.money * extra:
        return f"{other}, for {saved:.2f} kg less CO2"
    steps = np.arange(int(starts[cheapest]), int(starts[cheapest]) + len(profile))
    drawn = plan.import_kw[steps] - plan.export_kw[steps] + profile
    own = np.arange(start, start + len(profile))
    drawn -= np.where(np.isin(steps, own), np.interp(steps, own, profile), 0.0)
    limit = problem.import_limit_kw
    if limit is not None and drawn.max() > limit:
        return f"{other}, when the home would draw {drawn.max():.1f} kW, above its limit of {limit:g} kW"
    if problem.peak_price > 0 and drawn.max() > plan.peak_kw:
        return f"{other}, when the home would draw {drawn.max():.1f} kW, a higher peak to pay for"
    return f"{other} at the grid's price, but better together with all the rest"


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


def _of_battery(problem: PlanningProblem, plan: Plan, battery: Battery, use: BatteryUse) -> str:
    if not use.charge_kw.any() and not use.discharge_kw.any():
        return "rests: the prices do not differ by more than its losses and wear"
    words = []
    if use.charge_kw.any():
        spare = np.minimum(use.charge_kw, np.maximum(plan.solar_kw - plan.load_kw, 0.0)).sum() / use.charge_kw.sum()
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
    return f"uses {used:.1f} kWh, most of it {_stretches(problem, use.power_kw)}, {_at_price(problem, use.power_kw, (0, problem.n_steps))}"


def _at_price(problem: PlanningProblem, power_kw: Array, span: tuple[int, int]) -> str:
    """Tell the mean price of a use beside the mean of all the time it could have had."""
    price, usual = _mean(problem.import_price, power_kw), float(problem.import_price[slice(*span)].mean())
    return f"at {price:.3f} per kWh (mean of the time: {usual:.3f})"


def _sun_share(plan: Plan, start: int, profile: Array) -> float:
    """Return how much of a run spare sun covers: what the load of the home leaves."""
    own = slice(start, start + len(profile))
    spare = np.maximum(plan.solar_kw[own] - plan.load_kw[own], 0.0)
    return float(np.minimum(spare, profile).sum() / profile.sum())


def _of_starts(series: Array, profile: Array, starts: Array) -> Array:
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
