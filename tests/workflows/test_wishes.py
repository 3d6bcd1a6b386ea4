"""Wishes that recur by the clock of a home, across both changes of that clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from watthour.core.errors import InvalidInput
from watthour.core.window import DAY, HOUR
from watthour.workflows.equipment import Equipment, Recurring, read_equipment
from watthour.workflows.wishes import Change, requested, span_on, wishes

BERLIN = "Europe/Berlin"
DISHWASHER = {"name": "dishwasher", "power_kw": 1.2, "minutes": 90}
SATURDAY_EVENING = datetime(2026, 11, 21, 17, tzinfo=UTC)


def equipment(**said: object) -> Equipment:
    return read_equipment({"appliances": [DISHWASHER | said]})


def spans(
    found: Equipment, now: datetime, hours: int = 36, changes: dict[str, Change] | None = None
) -> list[tuple[str, datetime, datetime]]:
    asked = wishes(found, changes or {}, BERLIN, now=now, until=now + hours * HOUR)
    return [(each.id, each.earliest, each.deadline) for each in asked]


def clock(hour: int, minute: int = 0) -> time:
    return time(hour, minute)


def test_a_time_over_midnight_ends_on_the_next_day() -> None:
    night = Recurring(clock(21), clock(7))
    assert span_on(night, date(2026, 11, 21), BERLIN) == (
        datetime(2026, 11, 21, 20, tzinfo=UTC),
        datetime(2026, 11, 22, 6, tzinfo=UTC),
    )


def test_a_night_in_which_the_clock_is_put_forward_is_an_hour_shorter() -> None:
    begin, end = span_on(Recurring(clock(21), clock(7)), date(2026, 3, 28), BERLIN)
    assert (begin, end - begin) == (datetime(2026, 3, 28, 20, tzinfo=UTC), 9 * HOUR)


def test_a_night_in_which_the_clock_is_put_back_is_an_hour_longer() -> None:
    begin, end = span_on(Recurring(clock(21), clock(7)), date(2026, 10, 24), BERLIN)
    assert (begin, end - begin) == (datetime(2026, 10, 24, 19, tzinfo=UTC), 11 * HOUR)


def test_a_time_that_does_not_exist_is_as_much_later() -> None:
    _, end = span_on(Recurring(clock(21), clock(2, 30)), date(2026, 3, 28), BERLIN)
    assert end == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 of summer time


def test_a_time_that_exists_twice_is_the_first_of_both() -> None:
    _, end = span_on(Recurring(clock(21), clock(2, 30)), date(2026, 10, 24), BERLIN)
    assert end == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 of summer time


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_whole_day_is_that_of_the_local_clock(day: date) -> None:
    begin, end = span_on(Recurring(), day, BERLIN)
    assert end - begin == (23 if day.month == 3 else 25) * HOUR


@pytest.mark.parametrize(("first", "last"), [((2, 30), (3, 0)), ((2, 0), (3, 0))])
def test_a_time_that_the_clock_jumps_over_keeps_its_length_after_it(
    first: tuple[int, int], last: tuple[int, int]
) -> None:
    short = equipment(minutes=30, earliest=f"{clock(*first):%H:%M}", deadline=f"{clock(*last):%H:%M}")
    evening = datetime(2027, 3, 27, 19, tzinfo=UTC)
    begin = datetime(2027, 3, 28, 1, first[1], tzinfo=UTC)  # 03:00 or 03:30 of summer time
    length = timedelta(hours=last[0] - first[0], minutes=last[1] - first[1])
    assert spans(short, evening, 24) == [("dishwasher-20270328-1", begin, begin + length)]


def test_a_run_on_request_that_takes_two_days_has_until_the_deadline_after() -> None:
    on_request = equipment(deadline="00:10", on_request=True, minutes=2880)
    late = datetime(2026, 11, 21, 22, 50, tzinfo=UTC)
    deadline = requested(on_request.appliances[0], {}, late, None, BERLIN)[1].deadline
    assert deadline == datetime(2026, 11, 23, 23, 10, tzinfo=UTC)


def test_only_what_ends_within_the_plan_is_wished() -> None:
    night = equipment(earliest="21:00", deadline="07:00")
    assert [name for name, *_ in spans(night, SATURDAY_EVENING)] == ["dishwasher-20261121-1"]
    assert [name for name, *_ in spans(night, SATURDAY_EVENING, 48)] == [
        "dishwasher-20261121-1",
        "dishwasher-20261122-1",
    ]


def test_a_time_that_is_running_is_wished_and_one_that_is_over_is_not() -> None:
    night = equipment(earliest="21:00", deadline="07:00")
    at_two = datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert spans(night, at_two, 24)[0][0] == "dishwasher-20261121-1"
    at_seven = datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert spans(night, at_seven, 25) == [
        ("dishwasher-20261122-1", datetime(2026, 11, 22, 20, tzinfo=UTC), datetime(2026, 11, 23, 6, tzinfo=UTC))
    ]


def test_weekdays_are_those_of_the_begin() -> None:
    mondays = equipment(earliest="21:00", deadline="07:00", weekdays=["mon"])
    assert [name for name, *_ in spans(mondays, SATURDAY_EVENING, 72)] == ["dishwasher-20261123-1"]


def test_several_runs_on_a_day_have_ids_of_their_own() -> None:
    twice = equipment(earliest="21:00", deadline="07:00", runs=2)
    assert [name for name, *_ in spans(twice, SATURDAY_EVENING)] == ["dishwasher-20261121-1", "dishwasher-20261121-2"]


def test_a_change_moves_one_run_alone() -> None:
    night = equipment(earliest="21:00", deadline="07:00")
    later = datetime(2026, 11, 22, 9, tzinfo=UTC)
    found = spans(night, SATURDAY_EVENING, 48, {"dishwasher-20261121-1": Change(deadline=later)})
    assert [end for *_, end in found] == [later, datetime(2026, 11, 23, 6, tzinfo=UTC)]


def test_a_run_on_request_is_wished_only_once_it_is_asked_for() -> None:
    on_request = equipment(deadline="07:00", on_request=True)
    assert spans(on_request, SATURDAY_EVENING) == []
    name, change = requested(on_request.appliances[0], {}, SATURDAY_EVENING, None, BERLIN)
    seven = datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert spans(on_request, SATURDAY_EVENING, changes={name: change}) == [
        ("dishwasher-20261121-1", SATURDAY_EVENING, seven)
    ]
    again, _ = requested(on_request.appliances[0], {name: change}, SATURDAY_EVENING, None, BERLIN)
    assert again == "dishwasher-20261121-2"


def test_a_run_on_request_that_cannot_end_by_the_next_deadline_has_until_the_one_after() -> None:
    on_request = equipment(deadline="07:00", on_request=True)
    at_six = datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert requested(on_request.appliances[0], {}, at_six, None, BERLIN)[1].deadline == at_six + DAY + HOUR


@pytest.mark.parametrize(
    ("said", "field", "cure"),
    [
        ({"deadline": "7 o'clock"}, "deadline", "21:00"),
        ({"weekdays": ["monday"]}, "weekdays", "mon, tue"),
        ({"earliest": "21:00", "deadline": "22:00"}, "deadline", "end later"),
        ({"minutes": None}, "minutes", "profile_kw"),
        ({"is_interruptible": True, "minutes": 50}, "is_interruptible", "15 minutes"),
        ({"name": "家"}, "name", "letter"),
        ({"name": "d\u0000"}, "name", "control characters"),
        ({"on_request": True, "minutes": 3 * 1440}, "minutes", "48 hours"),
        ({"runs": 0}, "runs", "1 to 10"),
    ],
)
def test_what_cannot_be_is_named_with_its_cure(said: dict[str, object], field: str, cure: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        equipment(**said)
    assert caught.value.field.endswith(field)
    assert cure in f"{caught.value.remedy}"


def test_two_things_whose_names_make_the_same_id_are_refused() -> None:
    with pytest.raises(InvalidInput, match="same id"):
        read_equipment({"appliances": [DISHWASHER, DISHWASHER | {"name": "Dishwasher!"}]})


def test_a_car_that_cannot_charge_in_its_stay_is_refused_and_the_cure_works() -> None:
    car = {"name": "car", "energy_kwh": 50, "max_charge_kw": 2.3, "arrival": "18:00", "departure": "07:00"}
    with pytest.raises(InvalidInput, match=r"26\.91 kWh reach it") as caught:
        read_equipment({"cars": [car]})
    assert "26.91 kWh or less" in f"{caught.value.remedy}"
    assert read_equipment({"cars": [car | {"energy_kwh": 26.91}]}).cars[0].when.length == timedelta(hours=13)


def test_a_battery_that_gives_more_than_it_took_is_refused() -> None:
    battery = {"capacity_kwh": 10, "max_charge_kw": 5, "max_discharge_kw": 5, "charge_efficiency": 1.3}
    with pytest.raises(InvalidInput, match="nothing gives back more") as caught:
        read_equipment({"batteries": [battery]})
    assert caught.value.field == "batteries.battery.charge_efficiency"


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(InvalidInput, match="all weights are zero"):
        read_equipment({"appliances": [DISHWASHER], "weights": {"money": 0}})


def test_equipment_without_a_thing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing to plan"):
        read_equipment({"hours": 24})
