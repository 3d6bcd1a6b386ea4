"""The plan of a home as plain values: as it is kept, and as it is told."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.assets import Appliance
from watthour.core.plan import Span
from watthour.workflows.equipment import HomeAppliance, HomeCar
from watthour.workflows.plan import plan_entry
from watthour.workflows.view.wire import utc_text
from watthour.workflows.wishes import as_kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from watthour.core.assets import Array
    from watthour.core.plan import Plan, PlanningProblem
    from watthour.planning.trade_off import Choice
    from watthour.workflows.home_problem import Group, MadePlan
    from watthour.workflows.home_state import Standing

_DIGITS = 4
_STOCK_DIGITS = 2  # [kWh] below which a battery ends as full as it began
_ON_KW = 1e-3


def plan_content(made: MadePlan) -> dict[str, Any]:
    """Return a plan as it is kept: what is told of it, and what later plans need."""
    plan, ahead = made.planned.plan, made.ahead
    entry = _rounded(plan_entry(made.planned))
    placed = dict(_placed(made))
    return {
        "home": made.home.id,
        "made_at": utc_text(made.made_at),
        "is_simulated": made.home.is_simulated,
        "time_zone": made.home.place.time_zone,
        "currency": made.currency,
        "start": utc_text(plan.start),
        "step_minutes": plan.step.total_seconds() / 60,
        "weights": asdict(made.weights),
        **entry,
        "time": [utc_text(each) for each in entry["time"]],
        "things": [{**each, "spans": _spans_text(each.get("spans"))} for each in entry["things"]],
        "carbon_kg": None if ahead.carbon is None else round(plan.carbon_kg, _DIGITS),
        "at_once": {
            "cost": round(made.at_once.cost, _DIGITS),
            "carbon_kg": None if ahead.carbon is None else round(made.at_once.carbon_kg, _DIGITS),
        },
        "from_stock": _from_stock(made),
        "runs": sorted((_run(made, each, placed) for each in made.standing), key=_order),
        "import_price": _plain(ahead.import_price),
        "export_price": _plain(ahead.export_price),
        "is_price_forecast": [bool(each) for each in ahead.is_price_forecast],
        "carbon": None if ahead.carbon is None else [round(float(each), 1) for each in ahead.carbon],
        "choices": [
            {**told, "carbon_weight": weight}
            for told, weight in zip(entry["choices"], carbon_weights(made.planned.choices), strict=True)
        ],
        "remarks": list(dict.fromkeys([*ahead.remarks, *made.remarks, *made.planned.remarks])),
        "basis": {
            "made_by": made.basis,
            "changes": as_kept(made.changes),
            "own_weights": None if made.own_weights is None else asdict(made.own_weights),
            "spans": {
                each.wish.id: _texts([*each.had, *(placed[each.wish.id][0] or ())])
                for each in made.standing
                if each.wish.id in placed
            },
            "cars": _cars(made),
            "courses": _courses(plan, made.problem.problem),
        },
    }


def plan_told(content: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return a kept plan as it is told at an instant: with its age, and with runs begun and over by the clock."""
    told = {name: value for name, value in content.items() if name != "basis"}
    told["age_s"] = max(0.0, (now - datetime.fromisoformat(content["made_at"])).total_seconds())
    told["runs"] = [_by_clock(each, now) for each in content["runs"]]
    return told


def carbon_weights(choices: Sequence[Choice]) -> list[float | None]:
    """Return for each choice a weight of carbon that leads to it; None: no weight does, another pair is better.

    A plan is best by a weight w where no other is better in money plus w times carbon.
    """
    money, saved = [each.more_money for each in choices], [each.less_carbon_kg for each in choices]
    found: list[float | None] = []
    for k in range(len(choices)):
        least = max((_slope(money, saved, j, k) for j in range(k)), default=0.0)
        most = min((_slope(money, saved, k, j) for j in range(k + 1, len(choices))), default=np.inf)
        if k == 0:
            found.append(0.0)
        elif most <= least:
            found.append(None)
        else:
            found.append(round(2 * least if np.isinf(most) else (least + most) / 2, _DIGITS))
    return found


def _slope(money: Sequence[float], saved: Sequence[float], less: int, more: int) -> float:
    """Return what a kg costs between two choices [currency/kg]."""
    kg = saved[more] - saved[less]
    return (money[more] - money[less]) / kg if kg > 0 else np.inf


def _by_clock(run: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    told = dict(run)
    if run["state"] in ("planned", "accepted", "running") and run["start"] is not None:
        if datetime.fromisoformat(run["end"]) <= now and run["kind"] == "appliance":
            told |= {"state": "done", "is_estimated": True}
        elif datetime.fromisoformat(run["start"]) <= now and run["state"] != "running":
            told |= {"state": "running", "is_estimated": True}
    return told


def _placed(made: MadePlan) -> Iterator[tuple[str, tuple[list[Span] | None, Array]]]:
    """Yield for each wish that is planned when it runs, and its power in each step."""
    plan, zeros = made.planned.plan, np.zeros(made.problem.problem.n_steps)
    by_name = {each.name: each for each in plan.appliances}
    charges = {each.name: each.power_kw for each in plan.cars}
    for group in made.problem.groups:
        if isinstance(group.members[0].wish.thing, HomeCar):
            yield group.members[0].wish.id, (_charging(made, charges[group.name]), charges[group.name])
            continue
        pieces = list(_pieces(made, group, list(by_name[group.name].spans)))
        for k, each in enumerate(group.members):
            if k < len(pieces):
                power = by_name[group.name].power_kw if len(pieces) == 1 else _power_of(made, each, pieces[k])
                yield each.wish.id, (pieces[k], power)
            else:
                yield each.wish.id, (None, zeros)


def _charging(made: MadePlan, power: Array) -> list[Span] | None:
    """Return from when to when a car is charged, with what is between."""
    on = np.flatnonzero(power > _ON_KW)
    problem = made.problem.problem
    return [Span(problem.time(int(on[0])), problem.time(int(on[-1]) + 1))] if len(on) else None


def _pieces(made: MadePlan, group: Group, spans: list[Span]) -> Iterator[list[Span]]:
    """Yield the spans of each run of a group; one that may pause has several."""
    thing = group.members[0].wish.thing
    if not (isinstance(thing, HomeAppliance) and thing.is_interruptible):
        for span in spans:
            yield [span]
        return
    step = made.problem.problem.step
    steps = [span.start + k * step for span in spans for k in range(round((span.end - span.start) / step))]
    each = len(steps) // len(group.members) if len(steps) >= len(group.members) else 0
    for k in range(len(group.members) if each else 0):
        joined: list[Span] = []
        for begin in steps[k * each : (k + 1) * each]:
            if joined and joined[-1].end == begin:
                joined[-1] = Span(joined[-1].start, begin + step)
            else:
                joined.append(Span(begin, begin + step))
        yield joined


def _power_of(made: MadePlan, each: Standing, spans: list[Span]) -> Array:
    """Return the power of one run of several in each step."""
    problem, thing = made.problem.problem, each.wish.thing
    assert isinstance(thing, HomeAppliance)  # noqa: S101 - by the caller
    power = np.zeros(problem.n_steps)
    for span in spans:
        first = round((span.start - problem.start) / problem.step)
        if thing.is_interruptible:
            power[first : first + round((span.end - span.start) / problem.step)] = thing.profile_kw[0]
        else:
            profile = Appliance(thing.name, thing.profile_kw, thing.profile_step).profile(problem.step)
            power[first : first + len(profile)] = profile
    return power


def _run(made: MadePlan, each: Standing, placed: Mapping[str, tuple[list[Span] | None, Array]]) -> dict[str, Any]:
    wish = each.wish
    spans, power = placed.get(wish.id, (None, np.zeros(made.problem.problem.n_steps)))
    start, end = each.start, each.end
    if spans and each.state != "running":
        start, end = spans[0].start, spans[-1].end
    elif spans:
        start, end = each.start or spans[0].start, spans[-1].end
    is_done = each.state == "done"
    energy, cost, carbon = (each.energy_kwh, None, None) if is_done else _costs(made, made.planned.plan, power)
    if each.state == "running" and isinstance(wish.thing, HomeAppliance):  # as a whole, as far as it was planned
        was = each.planned or {}
        energy, cost, carbon = wish.thing.energy_kwh, was.get("cost"), was.get("carbon_kg")
    return {
        "id": wish.id,
        "name": wish.thing.name,
        "kind": wish.kind,
        "device": None if each.device is None else each.device.id,
        "start": utc_text(start),
        "end": utc_text(end if end is not None else start),
        "energy_kwh": None if energy is None else round(energy, _DIGITS),
        "cost": None if cost is None else round(cost, _DIGITS),
        "carbon_kg": None if carbon is None else round(carbon, _DIGITS),
        "at_once": _run_at_once(made, each) if each.state in ("planned", "accepted") and spans else None,
        "reason": _reason(made, each, spans),
        "state": each.state,
        "is_estimated": each.is_estimated,
        "earliest": utc_text(wish.earliest),
        "deadline": utc_text(wish.deadline),
    }


def _reason(made: MadePlan, each: Standing, spans: list[Span] | None) -> str:
    if each.state == "skipped":
        return "skipped, as was asked for"
    if each.state == "done":
        how = "as planned: nothing measures it" if each.is_estimated else "as was measured"
        return f"is over, {how}"
    if each.wish.id in made.problem.dropped:
        return made.problem.dropped[each.wish.id]
    reasons = {reason.about: reason.words for reason in made.planned.plan.reasons}
    for group in made.problem.groups:
        if each.wish.id in [member.wish.id for member in group.members]:
            return _as_accepted(made, each, spans) or reasons[group.name]
    return "has had all its time"


def _as_accepted(made: MadePlan, each: Standing, spans: list[Span] | None) -> str | None:
    """Return why a run is where it is, if that is because it was accepted there."""
    if each.state != "accepted" or not spans:
        return None
    zone = ZoneInfo(made.home.place.time_zone)
    start, end = spans[0].start, spans[-1].end
    if isinstance(each.wish.thing, HomeCar):
        was = each.planned or {"start": None, "end": None}
        if was["start"] is None:
            return None
        first, last = (datetime.fromisoformat(was[edge]) for edge in ("start", "end"))
        if not first <= start < end <= last:
            return None
        hours = f"{first.astimezone(zone):%H:%M} to {last.astimezone(zone):%H:%M}"
        return f"charges within {hours}, as was accepted"
    return f"starts {start.astimezone(zone):%H:%M}, as was accepted" if start == each.wish.change.start else None


def _run_at_once(made: MadePlan, each: Standing) -> dict[str, float | None] | None:
    """Return what a run would come to if it began as soon as it may, all else doing so too."""
    simple = made.at_once
    for group in made.problem.groups:
        if each.wish.id in [member.wish.id for member in group.members]:
            power = next(use.power_kw for use in simple.uses if use.name == group.name) / len(group.members)
            _energy, cost, carbon = _costs(made, simple, power)
            return {"cost": round(cost, _DIGITS), "carbon_kg": None if carbon is None else round(carbon, _DIGITS)}
    return None


def _costs(made: MadePlan, plan: Plan, power: Array) -> tuple[float, float, float | None]:
    """Return energy, cost and carbon of a power in a plan; its sun counts as what that would have earned."""
    ahead, hours = made.ahead, made.problem.problem.hours
    used = plan.load_kw + sum((each.power_kw for each in plan.uses), 0.0)
    used = used + sum((each.charge_kw for each in plan.batteries), 0.0)
    sun = np.minimum(plan.solar_kw - plan.curtailed_kw, used)
    share = np.divide(sun, used, out=np.zeros_like(used), where=used > _ON_KW)
    price = (1 - share) * ahead.import_price + share * np.maximum(ahead.export_price, 0.0)
    carbon = None if ahead.carbon is None else float((power * (1 - share)) @ ahead.carbon * hours / 1000)
    return float(power.sum() * hours), float(power @ price * hours), carbon


def _cars(made: MadePlan) -> dict[str, Any]:
    charges = {each.name: each.power_kw for each in made.planned.plan.cars}
    powers = {group.members[0].wish.id: charges[group.name] for group in made.problem.groups if group.name in charges}
    return {
        each.wish.id: {
            "charged_kwh": round(each.charged_kwh, _DIGITS),
            "power_kw": _plain(powers[each.wish.id]) if each.wish.id in powers else [],
        }
        for each in made.standing
        if isinstance(each.wish.thing, HomeCar)
    }


def _from_stock(made: MadePlan) -> dict[str, Any] | None:
    """Return what batteries give of what they hold as the plan begins: no gain of the plan, at its mean price."""
    price = float(np.mean(made.ahead.import_price))
    given = {
        battery.name: (battery.stored_kwh - float(use.stored_kwh[-1])) * battery.discharge_efficiency
        for battery, use in zip(made.problem.problem.batteries, made.planned.plan.batteries, strict=True)
    }
    total = sum(given.values())
    if round(total, _STOCK_DIGITS) <= 0.0:
        return None
    is_assumed = any(kwh > 0.0 and name in made.ahead.assumed for name, kwh in given.items())
    return {"energy_kwh": round(total, _DIGITS), "money": round(total * price, _DIGITS), "is_assumed": is_assumed}


def _courses(plan: Plan, problem: PlanningProblem) -> dict[str, list[float]]:
    """Return what batteries hold and how warm houses are at the begin of each step."""
    held = {
        use.name: [battery.stored_kwh, *use.stored_kwh]
        for battery, use in zip(problem.batteries, plan.batteries, strict=True)
    }
    warm = {
        use.name: [heat.temperature_c, *use.temperature_c] for heat, use in zip(problem.heats, plan.heats, strict=True)
    }
    return {name: [round(float(each), _DIGITS) for each in course] for name, course in (held | warm).items()}


def _texts(spans: Sequence[Span]) -> list[list[str]]:
    return [[each.start.astimezone(UTC).isoformat(), each.end.astimezone(UTC).isoformat()] for each in spans]


def _spans_text(spans: Sequence[Mapping[str, datetime]] | None) -> list[dict[str, str | None]] | None:
    return None if spans is None else [{edge: utc_text(each[edge]) for edge in ("start", "end")} for each in spans]


def _rounded(entry: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return an entry with shorter numbers: a plan is kept for good."""
    if isinstance(entry, dict):
        return {name: _rounded(value) for name, value in entry.items()}
    if isinstance(entry, list):
        return [_rounded(value) for value in entry]
    return round(entry, _DIGITS) if isinstance(entry, float) else entry


def _plain(values: Array) -> list[float]:
    return [round(float(each), _DIGITS) for each in values]


def _order(run: Mapping[str, Any]) -> tuple[bool, str, str]:
    return run["start"] is None, run["start"] or run["earliest"], run["id"]
