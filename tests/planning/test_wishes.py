"""What cannot be is named with its cure, and the cure is enough."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from time import sleep
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planning.made import HOUR, START, check, problem, series

from watthour.core.assets import Appliance, Battery, Car, Heat
from watthour.core.errors import InvalidInput, NoPlanFound, PlanImpossible
from watthour.core.plan import PlanningProblem, Weights
from watthour.planning.conflict import why_impossible
from watthour.planning.linear import Solution
from watthour.planning.rules import by_rules
from watthour.planning.solve import solve
from watthour.planning.trade_off import trade_off

if TYPE_CHECKING:
    from collections.abc import Callable

PRICES = [0.3, 0.2, 0.1, 0.2]


def home(**said: object) -> PlanningProblem:
    return problem(PRICES, **said)


def one(*profile_kw: float, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - passed through
    """Return the only appliance of a home."""
    return {"appliances": (Appliance("a", profile_kw, HOUR, **said),)}


@pytest.mark.parametrize(
    ("make", "field", "words"),
    [
        (lambda: home(**one(1.0, deadline=START - HOUR)), "appliances.a.deadline", "later deadline"),
        (
            lambda: home(cars=(Car("car", 30.0, 7.0, departure=START + 2 * HOUR),)),
            "cars.car.energy_kwh",
            "12.60 kWh or less",
        ),
        (lambda: home(cars=(Car("car", 3.0, 7.0, departure=START),)), "cars.car.departure", "later departure"),
        (
            lambda: Battery("b", 10.0, 5.0, 5.0, 5.0, charge_efficiency=1.3),
            "batteries.b.charge_efficiency",
            "at most 1",
        ),
        (lambda: Battery("b", 10.0, 11.0, 5.0, 5.0), "batteries.b.stored_kwh", "from 0 to 10"),
        (lambda: Weights(0.0, 0.0, 0.0), "weights", "weight of 1"),
        (lambda: Weights(-1.0), "weights.money", "from 0"),
        (lambda: home(export_price=series(0.1, 0.2)), "export_price", "one for all"),
        (lambda: problem([0.1, float("nan")]), "import_price", "forecast before planning"),
        (lambda: problem([]), "import_price", "192 quarter hours"),
        (lambda: home(load_kw=series(-1.0)), "load_kw", "forecast before planning"),
        (lambda: home(**one(*[1.0] * 5)), "appliances.a.deadline", "more steps"),
        (lambda: home(**one(1.0, 2.0, is_interruptible=True)), "appliances.a.is_interruptible", "without a pause"),
        (lambda: home(**one(1.0, begun_at=START + HOUR)), "appliances.a.begun_at", "begun_at out"),
        (lambda: home(appliances=(Appliance("a", (1.0,), HOUR),) * 2), "name", "its own name"),
        (lambda: Appliance("a", ()), "appliances.a.profile_kw", "in kW"),
        (lambda: Appliance("a", (1.0,), earliest=START, deadline=START), "appliances.a.deadline", "later deadline"),
        (lambda: Appliance("a", (1.0,), deadline=datetime(2026, 11, 23, 7)), "appliances.a.deadline", "time zone"),  # noqa: DTZ001 - the fault
        (lambda: Appliance(" ", (1.0,)), "appliances.name", "a name"),
        (lambda: Heat("h", 5.0, 0.1, 3.0, 20.0, 22.0, 20.0), "heats.h.lowest_c", "Swap"),
        (lambda: replace(problem(PRICES), time_zone="Europe/Berln"), "time_zone", "Europe/Berlin"),
        (lambda: replace(problem(PRICES), step=timedelta(0)), "step", "15 minutes"),
        (lambda: home(load_paths_kw=np.ones((2, 4))), "solar_paths_kw", "as many of both"),
        (lambda: home(load_paths_kw=np.ones((2, 3))), "load_paths_kw", "each step of each path"),
        (lambda: home(path_counts=np.ones(2)), "path_counts", "leave it out"),
    ],
)
def test_what_cannot_be_is_named_with_its_cure(make: Callable[[], object], field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        make()
    assert raised.value.field == field
    assert words in raised.value.remedy


def test_the_deadline_that_is_offered_is_late_enough() -> None:
    early = Appliance("a", (1.0,) * 3, HOUR, earliest=START + HOUR, deadline=START + 3 * HOUR)
    with pytest.raises(InvalidInput) as raised:
        problem(PRICES, appliances=(early,))
    offered = re.search(r"Choose (\S+) or later", raised.value.remedy)
    assert offered is not None
    mended = replace(early, deadline=datetime.fromisoformat(offered[1]))
    check(stated := problem(PRICES, appliances=(mended,)), solve(stated))


def test_the_energy_that_a_car_is_offered_can_be_had() -> None:
    with pytest.raises(InvalidInput) as raised:
        problem(PRICES, cars=(Car("car", 30.0, 7.0, departure=START + 2 * HOUR),))
    offered = re.search(r"Ask for (\S+) kWh", raised.value.remedy)
    assert offered is not None
    stated = problem(PRICES, cars=(Car("car", float(offered[1]), 7.0, departure=START + 2 * HOUR),))
    check(stated, solve(stated))


@pytest.fixture
def contradicting() -> PlanningProblem:
    """A car and an oven that do not both fit under the limit in two hours; a lamp and a battery have no part in it."""
    return problem(
        PRICES,
        import_limit_kw=5.0,
        load_kw=series(0.5),
        appliances=(
            Appliance("oven", (2.0,), HOUR, deadline=START + 2 * HOUR),
            Appliance("lamp", (0.1,), HOUR),
        ),
        batteries=(Battery("battery", 2.0, 0.0, 1.0, 1.0, end_kwh=0.5),),
        cars=(Car("car", 8.5, 7.0, departure=START + 2 * HOUR, efficiency=1.0),),
    )


def test_only_the_wishes_that_contradict_each_other_are_named(contradicting: PlanningProblem) -> None:
    with pytest.raises(PlanImpossible) as raised:
        solve(contradicting)
    assert set(raised.value.conflict) == {"oven", "car", "import_limit"}
    assert "lamp" not in str(raised.value)


def test_each_cure_that_is_offered_is_enough(contradicting: PlanningProblem) -> None:
    with pytest.raises(PlanImpossible) as raised:
        solve(contradicting)
    said = raised.value.remedy
    limit, energy, oven = (
        re.search(pattern, said)
        for pattern in (
            r"import_limit_kw = (\S+) would do",
            r"car can get (\S+) kWh",
            r"oven can be over by (\S+?)[;.]( |$)",
        )
    )
    assert limit is not None
    assert energy is not None
    assert oven is not None
    later = replace(contradicting.appliances[0], deadline=datetime.fromisoformat(oven[1]))
    mended: list[dict[str, Any]] = [
        {"import_limit_kw": float(limit[1])},
        {"cars": (replace(contradicting.cars[0], energy_kwh=float(energy[1])),)},
        {"appliances": (later, contradicting.appliances[1])},
    ]
    for change in mended:
        stated = replace(contradicting, **change)
        check(stated, solve(stated))
    too_little = replace(contradicting, import_limit_kw=float(limit[1]) - 0.05)
    with pytest.raises(PlanImpossible):
        solve(too_little)


def test_what_a_battery_can_hold_at_the_end_is_offered() -> None:
    battery = Battery("battery", 10.0, 1.0, 2.0, 2.0, end_kwh=9.0)
    stated = problem(PRICES, batteries=(battery,))
    with pytest.raises(PlanImpossible) as raised:
        solve(stated)
    offered = re.search(r"battery can hold (\S+) kWh", raised.value.remedy)
    assert offered is not None
    assert float(offered[1]) == pytest.approx(1.0 + 4 * 2 * 0.95, abs=0.02)
    solve(replace(stated, batteries=(replace(battery, end_kwh=float(offered[1])),)))


def test_a_load_above_the_limit_is_told_as_what_it_is() -> None:
    with pytest.raises(PlanImpossible) as raised:
        solve(problem(PRICES, load_kw=series(6.0), import_limit_kw=5.0))
    assert raised.value.conflict == ("import_limit",)
    assert "import_limit_kw = 6.01 would do" in raised.value.remedy


def test_sun_that_may_not_be_left_and_not_be_sold_contradicts_itself() -> None:
    stated = problem(PRICES, solar_kw=series(4.0), is_solar_curtailable=False, export_limit_kw=3.0)
    with pytest.raises(PlanImpossible) as raised:
        solve(stated)
    assert raised.value.conflict == ("export_limit",)
    check(mended := replace(stated, is_solar_curtailable=True), solve(mended))


def test_rules_of_thumb_keep_the_limit_too(contradicting: PlanningProblem) -> None:
    with pytest.raises(NoPlanFound):  # that they find none says nothing of whether there is one
        by_rules(contradicting)
    stated = replace(contradicting, import_limit_kw=8.0)
    plan = by_rules(stated)
    check(stated, plan)
    assert solve(stated).objective <= plan.objective + 1e-3


NOTHING_IN_TIME = Solution(None, float("nan"), None, is_proven=False, is_impossible=False)


def test_why_nothing_is_possible_is_sought_within_one_time_limit(
    contradicting: PlanningProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted: list[float] = []

    def takes_all_its_time(*_asked: object, time_limit_s: float, **_more: object) -> Solution:
        granted.append(time_limit_s)
        sleep(time_limit_s)
        return NOTHING_IN_TIME

    monkeypatch.setattr("watthour.planning.conflict.solve_linear", takes_all_its_time)
    runs = tuple(Appliance(f"oven {k}", (2.0,), HOUR, deadline=START + 2 * HOUR) for k in range(12))
    error = why_impossible(replace(contradicting, appliances=runs), time_limit_s=0.3)
    assert granted
    assert sum(granted) <= 0.3
    assert "not found in time which" in str(error)
    assert "Leave some of them out" in error.remedy


def test_what_is_not_found_in_time_is_not_called_impossible(
    contradicting: PlanningProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("solve", "trade_off"):
        monkeypatch.setattr(f"watthour.planning.{module}.search", lambda *_asked, **_more: NOTHING_IN_TIME)
    with pytest.raises(NoPlanFound) as raised:
        solve(contradicting)
    assert str(raised.value).startswith("no plan was found in time, though there may be one. Ask for fewer appliances")
    with pytest.raises(NoPlanFound, match="were found in time"):
        trade_off(replace(contradicting, carbon=series(100.0, 200.0, 300.0, 400.0)))
    monkeypatch.undo()
    stated = replace(contradicting, appliances=())  # fewer appliances
    check(stated, solve(stated))
