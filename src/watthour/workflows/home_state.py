"""Where each use of a thing stands: wished, planned, begun or over, by what was measured and by the plan in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from watthour.core.plan import Span
from watthour.core.window import DAY, HOUR, Window
from watthour.workflows.device_runs import device_runs, drawn_kwh
from watthour.workflows.equipment import HomeAppliance, HomeCar, device_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.channel import Device, Site
    from watthour.core.ports import Store
    from watthour.workflows.device_runs import DoneRun
    from watthour.workflows.wishes import Wish

RunState = Literal["planned", "accepted", "skipped", "running", "done"]
GRACE = timedelta(minutes=45)  # after a planned begin, until which the reading that tells of it may come
_ALMOST = 0.95  # of the energy of a stay: the rest is within what its efficiency is known
_EARLY = timedelta(minutes=30)  # before its time that a run still counts as the one wished


@dataclass(frozen=True, slots=True)
class Standing:
    """A wish, and what is known of it."""

    wish: Wish
    device: Device | None
    state: RunState
    is_estimated: bool  # nothing measures it: it is taken to have run as planned
    start: datetime | None = None  # of what has begun, is over or is accepted
    end: datetime | None = None
    energy_kwh: float | None = None  # of what is over
    charged_kwh: float = 0.0  # of a car: what has reached its battery in this stay
    planned: Mapping[str, Any] | None = None  # the same run in the plan in force
    had: tuple[Span, ...] = ()  # when it ran already by the plan in force, where it may pause


def standings(
    store: Store,
    home: Site,
    wished: Sequence[Wish],
    before: Mapping[str, Any] | None,
    *,
    start: datetime,
    now: datetime,
) -> list[Standing]:
    """Return where each wish stands.

    Args:
        store: with the readings and uses of devices.
        home: whose they are.
        wished: the uses, in the order of their time.
        before: content of the plan in force; None: there is none.
        start: begin of the first step that is planned now.
        now: the present.
    """
    planned = {run["id"]: run for run in (before or {}).get("runs", ())}
    taken: dict[str, list[datetime]] = {}
    found = []
    for wish in wished:
        device = device_of(store, home, wish.thing.device)
        if isinstance(wish.thing, HomeCar):
            found.append(_of_car(store, home, wish, device, before, planned.get(wish.id), start, now))
        else:
            found.append(_of_appliance(store, home, wish, device, planned.get(wish.id), taken, start, now))
        had = _had(wish.id, before, start) if found[-1].state == "running" else ()
        found[-1] = replace(found[-1], planned=planned.get(wish.id), had=had)
    return found


def _had(name: str, before: Mapping[str, Any] | None, start: datetime) -> tuple[Span, ...]:
    """Return when a run was planned to run before the first step that is planned now."""
    kept = [] if before is None else before["basis"]["spans"].get(name, [])
    spans = [Span(*map(datetime.fromisoformat, each)) for each in kept]
    return tuple(Span(each.start, min(each.end, start)) for each in spans if each.start < start)


def _of_appliance(
    store: Store,
    home: Site,
    wish: Wish,
    device: Device | None,
    planned: Mapping[str, Any] | None,
    taken: dict[str, list[datetime]],
    start: datetime,
    now: datetime,
) -> Standing:
    """Return where a run stands; of several runs of a device each is counted once.

    One that was accepted, and has not begun by the first step that is planned now, is planned as any other.
    """
    assert isinstance(wish.thing, HomeAppliance)  # noqa: S101 - by the caller
    is_missed = wish.change.is_accepted and wish.change.start is not None and wish.change.start < start
    state = "planned" if is_missed else _as_decided(wish)
    plain = Standing(wish, device, state, is_estimated=device is None)
    if wish.change.is_skipped:
        return plain
    due = None if planned is None or planned["start"] is None else datetime.fromisoformat(planned["start"])
    if device is not None:
        first = wish.earliest - (timedelta() if _follows_another(wish) else _EARLY)
        window = Window(min(first, now - HOUR), max(wish.deadline, now + HOUR))
        known = device_runs(store, home, device, window, now=now)
        begun = [
            each
            for each in known.runs
            if first <= each.start < wish.deadline
            and each.start not in taken.get(device.id, [])
            and _counts(each, wish.thing)
        ]
        if begun:
            taken.setdefault(device.id, []).append(begun[0].start)
            return _measured(plain, begun[0], wish.thing)
        if due is None or now >= due + GRACE or known.known_until is None:
            is_told = known.known_until is not None
            return plain if is_told or due is None else _as_planned(plain, wish.thing, due, planned, now)
    return plain if due is None else _as_planned(plain, wish.thing, due, planned, now)


def _follows_another(wish: Wish) -> bool:
    """Tell whether what ran just before belongs to another wish: that of the day before, or what was there already."""
    return wish.change.is_asked_for or wish.thing.when.length > DAY - _EARLY


def _counts(run: DoneRun, thing: HomeAppliance) -> bool:
    """Tell a run from a short use of the same device, such as a door that was opened."""
    return not run.is_over or run.energy_kwh is None or run.energy_kwh >= thing.energy_kwh / 4


def _measured(plain: Standing, run: DoneRun, thing: HomeAppliance) -> Standing:
    if run.is_over:
        return replace(plain, state="done", start=run.start, end=run.end, energy_kwh=run.energy_kwh)
    return replace(plain, state="running", start=run.start, end=max(run.end, run.start + thing.duration))


def _as_planned(
    plain: Standing, thing: HomeAppliance, due: datetime, planned: Mapping[str, Any] | None, now: datetime
) -> Standing:
    """Return where a run stands that is taken to run as planned."""
    if due > now or planned is None:
        return plain
    end = datetime.fromisoformat(planned["end"])
    state: RunState = "done" if end <= now else "running"
    energy = thing.energy_kwh if state == "done" else None
    return replace(plain, state=state, is_estimated=True, start=due, end=end, energy_kwh=energy)


def _of_car(
    store: Store,
    home: Site,
    wish: Wish,
    device: Device | None,
    before: Mapping[str, Any] | None,
    planned: Mapping[str, Any] | None,
    start: datetime,
    now: datetime,
) -> Standing:
    assert isinstance(wish.thing, HomeCar)  # noqa: S101 - by the caller
    thing, charged, is_estimated = wish.thing, 0.0, device is None
    if wish.change.is_skipped:
        return Standing(wish, device, "skipped", is_estimated)
    if wish.earliest < now:
        drawn = None if device is None else drawn_kwh(store, home, device, Window(wish.earliest, now), now=now)
        if drawn is None:
            charged, is_estimated = _charged_as_planned(wish.id, thing, before, start), True
        else:
            charged = drawn * thing.efficiency
    state = _as_decided(wish)
    begun = None if planned is None or planned["start"] is None else datetime.fromisoformat(planned["start"])
    if charged >= _ALMOST * thing.energy_kwh:
        state = "done"
    elif charged > 0 and begun is not None and begun <= now:
        state = "running"
    kept = begun if charged > 0 and begun is not None and begun <= now else None
    energy = charged / thing.efficiency if state == "done" else None
    return Standing(wish, device, state, is_estimated, kept, None, energy, charged)


def _charged_as_planned(name: str, thing: HomeCar, before: Mapping[str, Any] | None, start: datetime) -> float:
    """Return what a car has got if it was charged as planned until the steps that are planned now. [kWh]."""
    if before is None:
        return 0.0
    state = before["basis"]["cars"].get(name)
    if state is None:
        return 0.0
    since, step = datetime.fromisoformat(before["start"]), timedelta(minutes=before["step_minutes"])
    powers = state["power_kw"][: max(0, int((start - since) / step))]
    return float(state["charged_kwh"] + sum(powers) * (step / HOUR) * thing.efficiency)


def _as_decided(wish: Wish) -> RunState:
    if wish.change.is_skipped:
        return "skipped"
    return "accepted" if wish.change.is_accepted else "planned"
