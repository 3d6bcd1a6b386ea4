"""The planning problem of a home: what is foreseen, and its wishes as they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.assets import Appliance, Car
from watthour.core.errors import InvalidInput
from watthour.core.plan import ApplianceRuns, CarCharge, Plan, PlanningProblem, PlanStatus, Span
from watthour.core.quality import is_trusted
from watthour.core.window import HOUR, Window
from watthour.workflows.equipment import HomeAppliance, HomeCar
from watthour.workflows.home_ahead import STEP

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from watthour.core.assets import Battery, Heat
    from watthour.core.channel import Site
    from watthour.core.plan import Weights
    from watthour.core.ports import Store
    from watthour.workflows.equipment import Equipment
    from watthour.workflows.home_ahead import HomeAhead
    from watthour.workflows.home_state import Standing
    from watthour.workflows.plan import Planned
    from watthour.workflows.wishes import Change

_FRESH = timedelta(hours=2)  # a reading of what a battery holds, or how warm a house is
_FULL = 100.0  # that a battery tells [%]


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that the planner places together, under one name."""

    name: str
    members: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HomeProblem:
    """What is planned, and which wish is which part of it."""

    problem: PlanningProblem
    free: PlanningProblem  # the same with each wish in its own time, whatever of it was accepted
    groups: tuple[Group, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)  # why a wish is not planned, by its id


@dataclass(frozen=True, slots=True, eq=False)
class MadePlan:
    """A plan with all it was made from."""

    home: Site
    currency: str
    made_at: datetime
    weights: Weights
    ahead: HomeAhead
    problem: HomeProblem
    planned: Planned
    standing: Sequence[Standing]
    at_once: Plan  # the same time without a plan
    changes: Mapping[str, Change] = field(default_factory=dict)
    own_weights: Weights | None = None  # what a person has said beside the equipment
    basis: str = ""  # tells whether tariff or equipment are others since
    remarks: tuple[str, ...] = ()


def problem_of_home(
    store: Store,
    home: Site,
    equipment: Equipment,
    ahead: HomeAhead,
    standing: Sequence[Standing],
    weights: Weights,
    *,
    before: Mapping[str, Any] | None,
    insisted: Collection[str],
) -> HomeProblem:
    """Return what is to be planned for a home.

    Args:
        store: with what tells how full batteries are and how warm houses.
        home: whose plan it is.
        equipment: of the home.
        ahead: what is foreseen; told by its remarks of what is assumed here.
        standing: its wishes.
        weights: what counts.
        before: content of the plan in force, which tells what batteries hold where nothing measures it.
        insisted: ids of wishes a person has just changed: they are refused where they cannot be, and never left out.

    Raises:
        InvalidInput: a wish that a person has just changed cannot be, or no weight counts.
    """
    if ahead.carbon is None and weights.carbon and not (weights.money or weights.peak):
        cure = "Give money a weight of 1, or bring in a source of carbon: docs/explanation/carbon.md."
        raise InvalidInput("weights.carbon", weights.carbon, "nothing tells the carbon of this home", remedy=cure)
    zone, dropped = home.place.time_zone, dict[str, str]()
    groups, appliances, free = list[Group](), list[Appliance](), list[Appliance]()
    cars, free_cars = list[Car](), list[Car]()
    standing = _after_what_runs(standing)
    names = _names(standing, zone)
    for members in _together(standing):
        wish = members[0].wish
        name = names[wish.id]
        if isinstance(wish.thing, HomeCar):
            car = _car(members[0], wish.thing, name, ahead, insisted, dropped)
            free_cars += [] if car is None else [car]
            cars += [] if car is None else [_charged_as_accepted(members[0], car, ahead)]
            groups += [] if car is None else [Group(name, members)]
            continue
        if _steps_left(members[0]) == 0:
            continue  # it may pause, and has had all its steps
        kept = _that_fit(members, ahead, insisted, dropped, zone)
        if kept:
            groups.append(Group(name, kept))
            free.append(_appliance(kept, name))
            appliances.append(_as_accepted(kept[0], free[-1]))
    problem = PlanningProblem(
        start=ahead.window.start,
        import_price=ahead.import_price,
        step=STEP,
        export_price=ahead.export_price,
        carbon=np.zeros(1) if ahead.carbon is None else ahead.carbon,
        load_kw=ahead.outlook.load_kw,
        solar_kw=ahead.outlook.solar_kw,
        load_paths_kw=ahead.outlook.load_paths_kw,
        solar_paths_kw=ahead.outlook.solar_paths_kw,
        path_counts=ahead.outlook.path_counts,
        appliances=tuple(appliances),
        batteries=tuple(_batteries(store, equipment, ahead, before)),
        cars=tuple(cars),
        heats=tuple(_heats(store, equipment, ahead, before)),
        import_limit_kw=equipment.import_limit_kw,
        peak_price=ahead.peak_price,
        peak_so_far_kw=ahead.peak_so_far_kw,
        weights=weights,
        time_zone=zone,
    )
    in_their_time = replace(problem, appliances=tuple(free), cars=tuple(free_cars))
    return HomeProblem(problem, in_their_time, tuple(groups), dropped)


def known_plan(made: HomeProblem, before: Mapping[str, Any] | None) -> Plan | None:
    """Return the plan in force, as far as it speaks of the same runs, for the planner to keep to."""
    if before is None:
        return None
    spans, charged = before["basis"]["spans"], before["basis"]["cars"]
    runs, cars = list[ApplianceRuns](), list[CarCharge]()
    for group in made.groups:
        ids = [each.wish.id for each in group.members]
        if isinstance(group.members[0].wish.thing, HomeCar):
            power = charged.get(ids[0], {}).get("power_kw")
            cars += [CarCharge(group.name, np.array(power), np.zeros(0))] if power else []
            continue
        if any(name not in spans for name in ids):
            continue
        found = [Span(*map(datetime.fromisoformat, span)) for name in ids for span in spans[name]]
        runs.append(ApplianceRuns(group.name, tuple(sorted(found, key=lambda each: each.start)), np.zeros(0)))
    if not runs and not cars:
        return None
    zeros = np.zeros(made.problem.n_steps)
    since = datetime.fromisoformat(before["start"])
    return Plan(
        start=since, step=STEP, status=PlanStatus.SOLVED, gap=None, appliances=tuple(runs), batteries=(),
        cars=tuple(cars), heats=(), load_kw=zeros, solar_kw=zeros, curtailed_kw=zeros, import_kw=zeros, export_kw=zeros,
        cost=0.0, wear=0.0, carbon_kg=0.0, peak_kw=0.0, objective=0.0,
    )  # fmt: skip


def _together(standing: Sequence[Standing]) -> list[tuple[Standing, ...]]:
    """Return what is still to be planned, runs of one thing and one time together: they must not overlap."""
    groups: dict[object, list[Standing]] = {}
    for each in standing:
        wish = each.wish
        if each.state in ("skipped", "done"):
            continue
        is_alone = each.state != "planned" or isinstance(wish.thing, HomeCar)
        key = wish.id if is_alone else (wish.thing.name, wish.earliest, wish.deadline)
        groups.setdefault(key, []).append(each)
    return [tuple(each) for each in groups.values()]


def _names(standing: Sequence[Standing], zone: str) -> dict[str, str]:
    """Return what each wish is called: by its thing, and the day where there are several."""
    found: dict[str, str] = {}
    for members in _together(standing):
        wish = members[0].wish
        name = wish.thing.name
        if name in found.values():
            name = f"{wish.thing.name} {wish.earliest.astimezone(ZoneInfo(zone)):%a}"
        number = 2
        while name in found.values():
            name, number = f"{wish.thing.name} {number}", number + 1
        found |= dict.fromkeys((each.wish.id for each in members), name)
    return found


def _that_fit(
    members: tuple[Standing, ...], ahead: HomeAhead, insisted: Collection[str], dropped: dict[str, str], zone: str
) -> tuple[Standing, ...]:
    """Return the runs for which there is time; one that a person insists on stays, and is refused by the planner."""
    first = members[0]
    thing = first.wish.thing
    assert isinstance(thing, HomeAppliance)  # noqa: S101 - by the caller
    if first.state == "running" or any(each.wish.id in insisted for each in members):
        return members
    begin = max(first.wish.earliest, ahead.window.start)
    room = max((min(first.wish.deadline, ahead.window.end) - _ceil(begin, ahead)) // STEP, 0)
    n_fit = min(len(members), room // -(-thing.duration // STEP))
    for each in members[n_fit:]:
        until = each.wish.deadline.astimezone(ZoneInfo(zone))
        dropped[each.wish.id] = f"does not run: no time was left for it before {until:%H:%M}"
    return members[:n_fit]


def _ceil(instant: datetime, ahead: HomeAhead) -> datetime:
    return ahead.window.start + -(-(instant - ahead.window.start) // STEP) * STEP


def _after_what_runs(standing: Sequence[Standing]) -> list[Standing]:
    """Return the wishes, those of a thing that runs not before that run is over."""
    ends = {each.wish.thing.name: each.end for each in standing if each.state == "running" and each.end is not None}
    found = []
    for each in standing:
        wish, end = each.wish, ends.get(each.wish.thing.name)
        if (
            each.state == "planned"
            and end is not None
            and wish.earliest < end
            and isinstance(wish.thing, HomeAppliance)
        ):
            found.append(replace(each, wish=replace(wish, earliest=end)))
        else:
            found.append(each)
    return found


def _steps_left(each: Standing) -> int:
    """Return how many steps a run still needs that may pause, those it has had by the plan in force taken away."""
    thing = each.wish.thing
    assert isinstance(thing, HomeAppliance)  # noqa: S101 - by the caller
    n_steps = -(-thing.duration // STEP)
    if not thing.is_interruptible or each.state != "running":
        return n_steps
    return max(n_steps - sum((span.end - span.start) // STEP for span in each.had), 0)


def _appliance(members: tuple[Standing, ...], name: str) -> Appliance:
    first = members[0]
    thing, wish = first.wish.thing, first.wish
    assert isinstance(thing, HomeAppliance)  # noqa: S101 - by the caller
    said = Appliance(
        name,
        thing.profile_kw,
        thing.profile_step,
        wish.earliest,
        wish.deadline,
        is_interruptible=thing.is_interruptible,
        repeats=len(members),
        only_below=thing.only_below,
    )
    if thing.is_interruptible:
        n_steps = _steps_left(first)
        return replace(said, profile_kw=(thing.profile_kw[0],) * n_steps, profile_step=STEP)
    if first.state == "running":
        return replace(said, begun_at=first.start, earliest=None, deadline=None)
    return said


def _as_accepted(each: Standing, wanted: Appliance) -> Appliance:
    """Return a run at the time at which it was accepted, if it was."""
    start = each.wish.change.start
    if each.state != "accepted" or start is None or wanted.is_interruptible:
        return wanted
    length = -(-wanted.duration // STEP) * STEP
    return replace(wanted, earliest=start, deadline=start + length)


def _car(
    each: Standing, thing: HomeCar, name: str, ahead: HomeAhead, insisted: Collection[str], dropped: dict[str, str]
) -> Car | None:
    wish = each.wish
    needed = max(thing.energy_kwh - each.charged_kwh, 0.0)
    begin = max(_ceil(wish.earliest, ahead), ahead.window.start)
    n_steps = max((min(wish.deadline, ahead.window.end) - begin) // STEP, 0)
    reachable = n_steps * (STEP / HOUR) * thing.max_charge_kw * thing.efficiency
    if reachable < needed and wish.id not in insisted:
        if not n_steps:
            dropped[wish.id] = "does not charge: no time is left"
            return None
        ahead.remarks.append(
            f"{name} gets {reachable:.1f} kWh, not {needed:.1f}, until it leaves: there is no more time."
        )
        needed = int(reachable * 100) / 100
    said = (thing.max_charge_kw, wish.earliest, wish.deadline, thing.min_charge_kw, thing.efficiency)
    return Car(name, needed, *said)


def _charged_as_accepted(each: Standing, wanted: Car, ahead: HomeAhead) -> Car:
    """Return a stay of a car within the hours that were accepted, longer where it has not got what it should."""
    if not each.wish.change.is_accepted or each.planned is None or each.planned["start"] is None:
        return wanted
    begin = max(datetime.fromisoformat(each.planned["start"]), each.wish.earliest, ahead.window.start)
    a_step = (STEP / HOUR) * wanted.max_charge_kw * wanted.efficiency
    needed_until = _ceil(begin, ahead) + math.ceil(wanted.energy_kwh / a_step - 1e-9) * STEP
    end = max(datetime.fromisoformat(each.planned["end"]), needed_until)
    if not begin < end <= min(each.wish.deadline, ahead.window.end):
        return wanted
    return replace(wanted, arrival=begin, departure=end)


def _batteries(store: Store, equipment: Equipment, ahead: HomeAhead, before: Mapping[str, Any] | None) -> list[Battery]:
    found = []
    for battery in equipment.batteries:
        share = told = _newest(store, battery.channel, ahead.now)
        if share is not None and not 0 <= share <= _FULL:
            share = None
        held = None if share is None else share / _FULL * battery.capacity_kwh
        if held is None and before is not None:
            held = _as_planned(before, battery.name, ahead)
            words = "as the plan before had it"
        if held is None:
            held = battery.capacity_kwh / 2 if battery.stored_kwh is None else battery.stored_kwh
            words = "half of what it can" if battery.stored_kwh is None else "as the equipment says"
        if share is None:
            why = "is not measured" if told is None else f"cannot be what its reading says, {told:g} %"
            ahead.assumed.add(battery.name)
            ahead.remarks.append(f"What {battery.name} holds {why}; {held:.1f} kWh are assumed, {words}.")
        found.append(battery.holding(min(max(held, 0.0), battery.capacity_kwh)))
    return found


def _heats(store: Store, equipment: Equipment, ahead: HomeAhead, before: Mapping[str, Any] | None) -> list[Heat]:
    found = []
    for heat in equipment.heats:
        warmth = _newest(store, heat.channel, ahead.now)
        if warmth is None:
            warmth = None if before is None else _as_planned(before, heat.name, ahead)
            warmth = heat.temperature_c if warmth is None else warmth
            ahead.remarks.append(f"How warm {heat.name} is is not measured; {warmth:.1f} degC are assumed.")
        found.append(heat.at(warmth))
    return found


def _newest(store: Store, channel: str | None, now: datetime) -> float | None:
    if channel is None:
        return None
    rows = pl.DataFrame(store.read([channel], Window(now - _FRESH, now), now)).filter(is_trusted()).drop_nulls("value")
    return float(rows.sort("time")["value"][-1]) if rows.height else None


def _as_planned(before: Mapping[str, Any], name: str, ahead: HomeAhead) -> float | None:
    """Return what a battery holds, or how warm a house is, if it did as planned until now."""
    course = before["basis"]["courses"].get(name)
    if course is None:
        return None
    start = datetime.fromisoformat(before["start"])
    n_past = int((ahead.window.start - start) / timedelta(minutes=before["step_minutes"]))
    return float(course[n_past]) if 0 <= n_past < len(course) else None
