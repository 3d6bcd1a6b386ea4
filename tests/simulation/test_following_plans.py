"""The invented home does most of what its plans say, and which part of it, is the same whenever it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watthour.core.channel import DeviceKind
from watthour.core.window import DAY, HOUR, Window
from watthour.simulation.simtown_home import DEVICES, FOLLOWED, HOME, PlannedBegin, SimtownHome

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


def at_one(day: Window) -> datetime:
    """One in the afternoon there, when nobody would begin it by habit to the minute."""
    return day.start + 8 * HOUR


@pytest.mark.parametrize("is_accepted", [True, False])
def test_what_is_accepted_begins_as_planned_and_of_the_rest_most(*, is_accepted: bool) -> None:
    habit = first_uses(SimtownHome())
    home = SimtownHome(plans=lambda day: {DISHWASHER: PlannedBegin(at_one(day), is_accepted)})
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
    home = SimtownHome(plans=lambda day: {DISHWASHER: PlannedBegin(at_one(day), is_accepted=True)})
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
    home = SimtownHome(plans=lambda day: {DISHWASHER: PlannedBegin(day.start + late, is_accepted=True)})
    assert first_uses(home) == first_uses(SimtownHome())
    assert HOME.is_simulated
