"""Plans of a home one after the other, what they are compared with, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from planning.made import HOUR, START, problem, series, starts

from watthour.core.assets import Appliance, Battery, Car
from watthour.core.errors import NoPlanFound
from watthour.planning.at_once import at_once
from watthour.planning.solve import solve
from watthour.workflows.plan import make_plan

if TYPE_CHECKING:
    from watthour.planning.trade_off import Choice


def test_runs_that_the_known_plan_does_not_know_are_placed_and_the_others_stay() -> None:
    run, other = Appliance("washer", (1.0,), HOUR), Appliance("dryer", (1.0,), HOUR)
    known = solve(problem([0.2, 0.3, 0.3], appliances=(run,)))
    found = solve(problem([0.31, 0.30, 0.30], appliances=(run, other)), known=known)
    assert starts(found, "washer") == [0]
    assert starts(found, "dryer")[0] > 0


def test_a_car_charges_when_people_know_it_does_unless_another_time_is_better_by_more_than_the_threshold() -> None:
    car = Car("car", 1.8, 2.0)
    known = solve(problem([0.2, 0.3, 0.3], cars=(car,)))
    assert known.cars[0].power_kw.tolist() == pytest.approx([2.0, 0.0, 0.0])
    kept = solve(problem([0.301, 0.3, 0.3], cars=(car,)), known=known)
    assert kept.cars[0].power_kw.tolist() == pytest.approx([2.0, 0.0, 0.0])
    moved = solve(problem([0.4, 0.3, 0.3], cars=(car,)), known=known)
    assert moved.cars[0].power_kw[0] == pytest.approx(0.0)


def test_sun_that_runs_use_is_not_told_of_the_battery_as_well() -> None:
    washer = Appliance("washer", (2.0,), HOUR, deadline=START + HOUR)
    battery = Battery("battery", 5.0, 0.0, 2.0, 2.0, end_kwh=1.9)
    stated = problem([0.1, 0.4], solar_kw=series(2.0, 0.0), appliances=(washer,), batteries=(battery,))
    words = {reason.about: reason.words for reason in solve(stated).reasons}
    assert "spare sun" not in words["battery"]
    alone = replace(stated, appliances=())
    assert "100% of it spare sun" in {each.about: each.words for each in solve(alone).reasons}["battery"]


def test_a_plan_is_told_without_choices_where_these_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_asked: object, **_said: object) -> tuple[Choice, ...]:
        raise NoPlanFound("no choices were found in time", remedy="Ask without choices.")

    monkeypatch.setattr("watthour.workflows.plan.trade_off", slow)
    stated = problem([0.3, 0.1], carbon=series(100.0, 200.0), appliances=(Appliance("washer", (1.0,), HOUR),))
    planned = make_plan(stated, with_choices=True)
    assert starts(planned.plan, "washer") == [1]
    assert planned.choices == ()
    assert planned.remarks == ("No choices were found in time. Ask without choices.",)


@pytest.mark.parametrize(("factor", "is_odd"), [(1.0, False), (10.0, True), (1000.0, True), (0.01, True)])
def test_prices_that_are_many_times_off_are_asked_about_where_the_currency_is_named(
    factor: float, *, is_odd: bool
) -> None:
    stated = problem([0.3 * factor, 0.2 * factor], appliances=(Appliance("washer", (1.0,), HOUR),))
    assert bool(make_plan(stated, currency="EUR").remarks) is is_odd
    assert make_plan(stated).remarks == ()


def test_everything_at_once_begins_as_soon_as_it_may_and_lets_batteries_rest() -> None:
    washer = Appliance("washer", (1.0,), HOUR, earliest=START + HOUR, repeats=2)
    car = Car("car", 1.8, 2.0)
    battery = Battery("battery", 5.0, 2.0, 2.0, 2.0)
    stated = problem([0.4, 0.3, 0.2, 0.1], appliances=(washer,), cars=(car,), batteries=(battery,), import_limit_kw=1.0)
    plan = at_once(stated)
    assert starts(plan, "washer") == [1, 2]
    assert plan.cars[0].power_kw.tolist() == pytest.approx([1.8 / 0.9, 0.0, 0.0, 0.0])
    assert plan.batteries == ()
    assert plan.cost == pytest.approx(2.0 * 0.4 + 0.3 + 0.2)
