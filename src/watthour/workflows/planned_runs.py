"""The runs that the plans in force held, each as its plans tell of it: when it could be, and when it was to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from watthour.core.window import DAY, EPOCH, Window

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from watthour.core.ports import KeptPlan, Store

_LONGEST_AHEAD = 4 * DAY  # that a plan holds a run before it begins
_EARLY = timedelta(minutes=30)  # before its time that a run still is the one planned
_AT_A_TIME = 3 * DAY
_BEGUN = ("running", "done")
_SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class PlannedStart:
    """When one plan let a run begin."""

    made_at: datetime  # the plan
    begin: datetime | None  # None: it rests
    is_accepted: bool = False  # by a person, as it stood in that plan


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that plans held."""

    id: str
    name: str
    asked_at: datetime  # when the first plan that held it was made
    earliest: datetime  # by that plan
    deadline: datetime  # by the last one
    starts: tuple[PlannedStart, ...]  # by each plan, in the order in which they were made
    device: str | None = None  # its id; None: the plan names none
    begun_at: datetime | None = None  # as a later plan saw it measured; None: none did

    @property
    def at_once(self) -> datetime:
        """As soon as it could begin: nobody had asked for it before the first plan."""
        return max(self.earliest, self.asked_at)

    def start_in_force(self, at: datetime) -> datetime | None:
        """Return when the plan in force at an instant let it begin; None: there was none, or it was left out."""
        told = [each.begin for each in self.starts if each.made_at <= at]
        return told[-1] if told else None

    def holds(self, start: datetime) -> bool:
        """Tell whether a run that began at an instant can be this one."""
        return self.at_once - _EARLY <= start < self.deadline


def planned_runs(store: Store, home: str, window: Window) -> list[PlannedRun]:
    """Return the runs that the plans of a home hold whose time touches a window, in the order of their time."""
    found: dict[str, PlannedRun] = {}
    for plan in _oldest_first(store, home, Window(window.start - _LONGEST_AHEAD, window.end)):
        for said in plan.content.get("runs", ()):
            run = _read(plan, said)
            before = found.get(run.id)
            found[run.id] = run if before is None else _followed(before, run)
    inside = [each for each in found.values() if each.deadline > window.start and each.earliest < window.end]
    return sorted(inside, key=lambda each: (each.earliest, each.id))


def first_plan_at(store: Store, home: str, until: datetime) -> datetime | None:
    """Return when the first plan of a home was made; None: there is none.

    It is found by halving, so that only few of many plans are read.
    """
    latest = store.plans(home, Window(EPOCH, until), limit=1)
    if not latest:
        return None
    first, last = 0, (until - EPOCH) // DAY + 1  # days: none is made before the one, some before the other
    while last - first > 1:
        middle = (first + last) // 2
        if store.plans(home, Window(EPOCH, EPOCH + middle * DAY), limit=1):
            last = middle
        else:
            first = middle
    day = Window(EPOCH + first * DAY, EPOCH + last * DAY)
    return store.plans(home, day)[-1].made_at


def _oldest_first(store: Store, home: str, window: Window) -> Iterator[KeptPlan]:
    """Yield the plans that were made in a window, few of them in memory at a time."""
    begin = window.start
    while begin < window.end:
        end = min(begin + _AT_A_TIME, window.end)
        yield from reversed(store.plans(home, Window(begin, end)))
        begin = end


def _read(plan: KeptPlan, said: Mapping[str, Any]) -> PlannedRun:
    start = None if said["state"] == _SKIPPED or said["start"] is None else _instant(said["start"])
    earliest, deadline = _instant(said["earliest"]), _instant(said["deadline"])
    begun_at = start if said["state"] in _BEGUN and not said["is_estimated"] else None
    starts = (PlannedStart(plan.made_at, start, said["state"] == "accepted"),)
    return PlannedRun(said["id"], said["name"], plan.made_at, earliest, deadline, starts, said.get("device"), begun_at)


def _followed(before: PlannedRun, run: PlannedRun) -> PlannedRun:
    """Return a run with what a later plan says of it; one that runs as accepted stays accepted."""
    last, new = before.starts[-1], run.starts[-1]
    is_under_way = last.is_accepted and new.begin == last.begin and new.begin is not None and new.begin <= new.made_at
    return replace(
        before,
        deadline=run.deadline,
        starts=(*before.starts, replace(new, is_accepted=new.is_accepted or is_under_way)),
        begun_at=run.begun_at or before.begun_at,
    )


def _instant(said: str) -> datetime:
    return datetime.fromisoformat(said).astimezone(UTC)


def of_thing(runs: Iterable[PlannedRun], device: str, names: Container[str]) -> list[PlannedRun]:
    """Return those of a device, whatever its things were called then; of runs that name no device: those of a name."""
    return [each for each in runs if (each.name in names if each.device is None else each.device == device)]
