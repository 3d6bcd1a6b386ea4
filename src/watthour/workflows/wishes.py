"""The wishes of a home for the time ahead, from clock times that recur and from what a person changes.

A clock time that does not exist, as the clock is put forward, is the instant as much later: 02:30 is 03:30. One that
exists twice, as the clock is put back, is the first of both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from watthour.core.errors import InvalidInput
from watthour.core.names import id_for
from watthour.core.window import DAY, local_instant
from watthour.workflows.equipment import MOST_HOURS, HomeAppliance, HomeCar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from watthour.workflows.equipment import Equipment, Recurring

_BEFORE = 2  # days whose times may still be running
_AFTER = 3  # days ahead


@dataclass(frozen=True, slots=True)
class Change:
    """What a person said of one run beside what recurs."""

    earliest: datetime | None = None
    deadline: datetime | None = None
    is_accepted: bool = False
    is_skipped: bool = False
    is_asked_for: bool = False  # of an appliance on request
    start: datetime | None = None  # of an accepted run


@dataclass(frozen=True, slots=True)
class Wish:
    """One use of a thing: a run of an appliance, or a stay of a car."""

    id: str
    thing: HomeAppliance | HomeCar
    day: date  # local, on which it recurs
    earliest: datetime
    deadline: datetime
    change: Change = Change()

    @property
    def kind(self) -> str:
        """What it is, as a plan says it."""
        return "car" if isinstance(self.thing, HomeCar) else "appliance"


def wishes(
    equipment: Equipment, changes: Mapping[str, Change], time_zone: str, *, now: datetime, until: datetime
) -> list[Wish]:
    """Return the uses that are wished and not over, and whose time ends within the plan, in the order of their time.

    A time that ends later is left to later plans, which see all of it; but what a person changed is never left out.
    """
    things: tuple[HomeAppliance | HomeCar, ...] = (*equipment.appliances, *equipment.cars)
    found = [
        changed(Wish(f"{id_for(thing.name)}-{day:%Y%m%d}-{k}", thing, day, *span), changes)
        for thing in things
        for day, span in _spans(thing.when, time_zone, now)
        for k in range(1, (thing.runs if isinstance(thing, HomeAppliance) else 1) + 1)
        if not (isinstance(thing, HomeAppliance) and thing.on_request)
    ]
    found += _asked_for(equipment, changes, time_zone)
    ahead = [each for each in found if each.deadline > now and (each.deadline <= until or each.change != Change())]
    return sorted(ahead, key=lambda each: (each.earliest, each.id))


def changed(wish: Wish, changes: Mapping[str, Change]) -> Wish:
    """Return a wish as a person changed it."""
    change = changes.get(wish.id, Change())
    return replace(
        wish, earliest=change.earliest or wish.earliest, deadline=change.deadline or wish.deadline, change=change
    )


def span_on(when: Recurring, day: date, time_zone: str) -> tuple[datetime, datetime]:
    """Return from when to when a recurring time lasts that begins on a local day.

    As its begin is put off by a clock that is put forward, it may be no earlier than its end: then it keeps its length.
    """
    last = day + DAY if when.is_over_midnight else day
    begin, end = local_instant(day, when.first, time_zone), local_instant(last, when.last, time_zone)
    return begin, (end if begin < end else begin + when.length)


def requested(
    thing: HomeAppliance, changes: Mapping[str, Change], earliest: datetime, deadline: datetime | None, time_zone: str
) -> tuple[str, Change]:
    """Return the id of a run that a person asks for, and what is kept of it.

    It must have ended by the next deadline of the appliance, or within a day where it has none.

    Raises:
        InvalidInput: it takes longer than any plan.
    """
    day = earliest.astimezone(ZoneInfo(time_zone)).date()
    word = f"{id_for(thing.name)}-{day:%Y%m%d}-"
    number = 1 + max((int(each.removeprefix(word)) for each in changes if each.startswith(word)), default=0)
    if deadline is None and thing.when.end is not None:
        ends = (local_instant(day + n * DAY, thing.when.end, time_zone) for n in range(_AFTER + 2))
        deadline = next((end for end in ends if end >= earliest + thing.duration + timedelta(minutes=15)), None)
        if deadline is None:
            problem = f"it takes {thing.duration}, longer than any plan"
            cure = f"Let it take {MOST_HOURS} hours or less."
            raise InvalidInput(f"appliances.{thing.name}", str(thing.duration), problem, remedy=cure)
    return f"{word}{number}", Change(earliest, deadline or earliest + DAY, is_asked_for=True)


def _spans(when: Recurring, time_zone: str, now: datetime) -> Iterator[tuple[date, tuple[datetime, datetime]]]:
    today = now.astimezone(ZoneInfo(time_zone)).date()
    for n in range(-_BEFORE, _AFTER + 1):
        day = today + n * DAY
        if day.weekday() in when.weekdays:
            yield day, span_on(when, day, time_zone)


def _asked_for(equipment: Equipment, changes: Mapping[str, Change], time_zone: str) -> Iterator[Wish]:
    things = {id_for(each.name): each for each in equipment.appliances if each.on_request}
    for name, change in changes.items():
        word = name.rsplit("-", 2)[0]
        if change.is_asked_for and word in things and change.earliest is not None and change.deadline is not None:
            day = change.earliest.astimezone(ZoneInfo(time_zone)).date()
            earliest, deadline = change.earliest.astimezone(UTC), change.deadline.astimezone(UTC)
            yield Wish(name, things[word], day, earliest, deadline, change)


def as_kept(changes: Mapping[str, Change]) -> dict[str, Any]:
    """Return changes as plain values."""
    return {
        name: {
            key: value.isoformat() if isinstance(value, datetime) else value
            for key, value in asdict(change).items()
            if value
        }
        for name, change in changes.items()
    }


def changes_of(content: Mapping[str, Any]) -> dict[str, Change]:
    """Return what a person has changed of single runs."""
    return {name: Change(**_instants(said)) for name, said in content["basis"]["changes"].items()}


def _instants(said: Mapping[str, Any]) -> dict[str, Any]:
    times = ("earliest", "deadline", "start")
    return {key: datetime.fromisoformat(value) if key in times else value for key, value in said.items()}
