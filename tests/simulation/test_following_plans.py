"""The invented home does most of what its plans say, and which part of it, is the same whenever it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from watthour.bootstrap.listening import Listening
from watthour.core.channel import DeviceKind
from watthour.core.window import DAY, HOUR, Window, local_instant
from watthour.registry.files import FileRegistry
from watthour.settings import load_settings
from watthour.simulation.simtown_home import DEVICES, FOLLOWED, HOME, PlannedBegin, PlannedUse, SimtownHome
from watthour.store.memory import MemoryStore
from watthour.workflows.stand_in import describe

if TYPE_CHECKING:
    from pathlib import Path

DISHWASHER = DEVICES[DeviceKind.DISHWASHER].id
BEGIN, DAYS = datetime(2026, 10, 1, 9, tzinfo=UTC), 60  # 05:00 of the town in summer


def first_uses(home: SimtownHome) -> dict[datetime, datetime]:
    """Return the first use of the dishwasher of each day, by the begin of the day."""
    found: dict[datetime, datetime] = {}
    window = Window(BEGIN, BEGIN + DAYS * DAY)
    for row in home.uses(window, now=window.end).filter(device=DISHWASHER).sort("start").to_dicts():
        day = datetime.fromtimestamp(home.day_at(row["start"]).start, UTC)
        found.setdefault(day, row["start"])
    return found


def planned_home(after: timedelta, *, is_accepted: bool) -> SimtownHome:
    """A home whose dishwasher a plan of each morning lets begin so long after five o'clock."""

    def plans(window: Window) -> list[PlannedUse]:
        mornings = (local_instant(BEGIN.date() + n * DAY, time(5), HOME.place.time_zone) for n in range(DAYS + 1))
        days = [morning for morning in mornings if morning in window]
        return [PlannedUse(DISHWASHER, day, (PlannedBegin(day, day + after, is_accepted),)) for day in days]

    return SimtownHome(plans=plans)


@pytest.mark.parametrize("is_accepted", [True, False])
def test_what_is_accepted_begins_as_planned_and_of_the_rest_most(*, is_accepted: bool) -> None:
    habit = first_uses(SimtownHome())
    home = planned_home(8 * HOUR, is_accepted=is_accepted)  # one in the afternoon, when nobody would by habit
    found = first_uses(home)
    assert found.keys() == habit.keys()  # a plan moves a use, and makes none
    followed = [found[day] == day + 8 * HOUR for day in found]
    if is_accepted:
        assert all(followed)
    else:
        assert FOLLOWED - 0.2 < sum(followed) / len(followed) < FOLLOWED + 0.2
        assert {found[day] for day, is_followed in zip(found, followed, strict=True) if not is_followed} <= {
            *habit.values()
        }
    assert first_uses(home) == found


def test_readings_and_uses_of_a_planned_run_agree_and_nothing_else_of_the_home_moves_but_its_battery() -> None:
    home = planned_home(8 * HOUR, is_accepted=True)
    day = next(iter(first_uses(home)))
    mine, habit = home.day_at(day), SimtownHome().day_at(day)
    moved = {kind for kind in mine.parts if mine.parts[kind].tenths.tolist() != habit.parts[kind].tenths.tolist()}
    assert DeviceKind.DISHWASHER in moved or mine.uses != habit.uses
    assert moved <= {DeviceKind.DISHWASHER, DeviceKind.BATTERY}
    use = next(each for each in mine.uses if each.kind is DeviceKind.DISHWASHER)
    kwh = mine.parts[DeviceKind.DISHWASHER].kwh(mine.parts[DeviceKind.DISHWASHER].edges).sum()
    assert kwh >= use.kwh > 0.5


@pytest.mark.parametrize("late", [timedelta(hours=-1), timedelta(hours=23)])
def test_a_run_that_would_not_end_within_its_day_is_as_by_habit(late: timedelta) -> None:
    home = planned_home(late, is_accepted=True)
    assert first_uses(home) == first_uses(SimtownHome())
    assert HOME.is_simulated


def a_store() -> MemoryStore:
    """A store that knows the home."""
    store = MemoryStore()
    describe(store, SimtownHome())
    return store


def lived_by(store: MemoryStore, tmp_path: Path) -> SimtownHome:
    """The home as it follows the plans in a store."""
    return Listening(
        load_settings().model_copy(update={"home": tmp_path}), store, FileRegistry(tmp_path / "models")
    ).simtown_home


def said(
    day: datetime, start: datetime | None, state: str = "planned", *, is_estimated: bool = True
) -> dict[str, object]:
    """What a plan says of the dishwasher of a day."""
    return {
        "id": f"dishwasher-{day:%Y-%m-%d}",
        "name": "dishwasher",
        "device": DISHWASHER,
        "state": state,
        "start": None if start is None else start.isoformat(),
        "earliest": (day + 7 * HOUR).isoformat(),
        "deadline": (day + 25 * HOUR).isoformat(),
        "is_estimated": is_estimated,
    }


def an_unfollowed_day() -> tuple[datetime, datetime]:
    """A day on which the home does not follow its plan by itself, and when the dishwasher begins by habit, late."""
    habit, found = first_uses(SimtownHome()), first_uses(planned_home(8 * HOUR, is_accepted=False))
    return next((day, found[day]) for day in found if found[day] == habit[day] > day + 15 * HOUR)


def test_a_run_that_was_missed_and_is_planned_anew_begins_when_that_is_accepted(tmp_path: Path) -> None:
    day, habit = an_unfollowed_day()
    store = a_store()
    store.keep_plan(HOME.id, day + HOUR, {"runs": [said(day, day + 10 * HOUR)]})
    home = lived_by(store, tmp_path)
    assert first_uses(home)[day] == habit
    now, anew = day + 11 * HOUR, day + 14 * HOUR
    told = home.fetch(Window(day, now), now=now).readings.drop("recorded_at")
    store.keep_plan(HOME.id, now, {"runs": [said(day, anew)]})
    store.keep_plan(HOME.id, now + HOUR / 60, {"runs": [said(day, anew, "accepted")]})
    assert first_uses(home)[day] == anew
    assert home.fetch(Window(day, now), now=now).readings.drop("recorded_at").equals(told)
    store.keep_plan(HOME.id, anew, {"runs": [said(day, anew, "running")]})  # made in the second in which it begins
    store.keep_plan(HOME.id, anew + HOUR, {"runs": [said(day, anew, "running", is_estimated=False)]})
    assert first_uses(home)[day] == anew


def test_what_a_person_decides_changes_nothing_that_has_begun(tmp_path: Path) -> None:
    day, habit = an_unfollowed_day()
    store = a_store()
    home = lived_by(store, tmp_path)
    store.keep_plan(HOME.id, day + HOUR, {"runs": [said(day, day + 10 * HOUR, "accepted")]})
    assert first_uses(home)[day] == day + 10 * HOUR
    store.keep_plan(HOME.id, day + 10.5 * HOUR, {"runs": [said(day, None, "skipped")]})
    store.keep_plan(HOME.id, day + 11 * HOUR, {"runs": [said(day, day + 13 * HOUR, "accepted")]})
    assert first_uses(home)[day] == day + 10 * HOUR  # it had begun
    other = a_store()
    home = lived_by(other, tmp_path)
    other.keep_plan(HOME.id, habit + HOUR / 2, {"runs": [said(day, habit + HOUR, "accepted")]})
    assert first_uses(home)[day] == habit  # it had begun before the first plan


def test_a_run_whose_acceptance_is_undone_after_its_usual_time_is_not_done_before_a_person_says_so(
    tmp_path: Path,
) -> None:
    day, habit = an_unfollowed_day()
    store = a_store()
    home = lived_by(store, tmp_path)
    late = habit + HOUR
    store.keep_plan(HOME.id, day + HOUR, {"runs": [said(day, late, "accepted")]})
    store.keep_plan(HOME.id, habit + HOUR / 4, {"runs": [said(day, late)]})
    assert first_uses(home).get(day) != late
    assert first_uses(home).get(day) != habit  # by then it was to be later, and nothing ran
    store.keep_plan(HOME.id, habit + HOUR / 2, {"runs": [said(day, late, "accepted")]})
    assert first_uses(home)[day] == late


def test_the_plans_of_all_days_that_are_asked_for_are_read_once() -> None:
    read: list[Window] = []

    def plans(window: Window) -> list[PlannedUse]:
        read.append(window)
        return []

    SimtownHome(plans=plans).uses(Window(BEGIN, BEGIN + 3 * DAY), now=BEGIN + 5 * DAY)
    (window,) = read
    assert window.start <= BEGIN
    assert window.end >= BEGIN + 3 * DAY
