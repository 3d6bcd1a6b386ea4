"""What a plan says of itself, the curve from cheap to clean, and what a battery does when things turn out otherwise."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from planning.made import HOUR, START, check, problem, series, starts

from watthour.core.assets import Appliance, Battery, Car
from watthour.core.errors import InvalidInput
from watthour.core.plan import PlanStatus
from watthour.planning.follow import follow
from watthour.planning.solve import solve
from watthour.planning.tables import problem_of
from watthour.planning.trade_off import trade_off

if TYPE_CHECKING:
    from watthour.core.plan import Plan, PlanningProblem

PRICES = [0.4, 0.3, 0.1, 0.2]


def reason(plan: Plan, about: str) -> str:
    return next(each.words for each in plan.reasons if each.about == about)


def test_the_cheapest_start_is_called_so_by_the_clock_of_the_home() -> None:
    run = Appliance("washer", (1.0, 1.0), HOUR, deadline=START + 4 * HOUR)
    plan = solve(
        problem(PRICES, appliances=(run,), carbon=series(400.0, 400.0, 300.0, 340.0), time_zone="Europe/Berlin")
    )
    assert reason(plan, "washer") == "starts 21:00: cheapest 2 h before 23:00, also 20% cleaner than at once"


def test_a_run_on_ones_own_sun_says_how_much_of_it_is() -> None:
    run = Appliance("washer", (2.0,), HOUR)
    plan = solve(problem(PRICES, appliances=(run,), solar_kw=series(0.0, 1.8, 0.0, 0.0), export_price=series(0.02)))
    assert reason(plan, "washer") == "starts 19:00: 90% of it from your own sun"


def test_two_runs_do_not_both_claim_the_same_sun() -> None:
    runs = (
        Appliance("one", (2.0,), HOUR, deadline=START + HOUR),
        Appliance("two", (2.0,), HOUR, deadline=START + HOUR),
    )
    plan = solve(problem(PRICES, appliances=runs, solar_kw=series(2.0, 0.0, 0.0, 0.0)))
    assert reason(plan, "one") == reason(plan, "two") == "starts 18:00: the only time in which it fits"


def test_a_run_that_gives_way_to_a_limit_says_so() -> None:
    runs = (
        Appliance("oven", (3.0,), HOUR, earliest=START + 2 * HOUR, deadline=START + 3 * HOUR),
        Appliance("dryer", (2.0,), HOUR),
    )
    plan = solve(problem(PRICES, appliances=runs, import_limit_kw=4.0), gap=1e-6)
    expected = "starts 21:00: 0.20 dearer than at 20:00, when the home would draw 5.0 kW, above its limit of 4 kW"
    assert reason(plan, "dryer") == expected


def test_where_prices_do_not_differ_nothing_is_called_cheapest() -> None:
    plan = solve(problem([0.3] * 4, appliances=(Appliance("washer", (1.0,), HOUR),)))
    assert reason(plan, "washer") == "starts 18:00: the price is the same at all times"


def test_a_car_and_a_battery_tell_when_and_at_what_price() -> None:
    car = Car("car", 7.0, 7.0, departure=START + 4 * HOUR, efficiency=1.0)
    battery = Battery("battery", 4.0, 0.0, 2.0, 2.0, end_kwh=0.0)
    plan = solve(problem([0.4, 0.1, 0.4, 0.4], load_kw=series(1.0), cars=(car,), batteries=(battery,)), gap=1e-6)
    assert reason(plan, "car") == "gets 7.0 kWh 19:00-20:00, before 22:00, at 0.100 per kWh (mean of the time: 0.325)"
    assert (
        reason(plan, "battery")
        == "takes 2.0 kWh 19:00-20:00 (grid price 0.100), gives 1.8 kWh 20:00-22:00 (grid price 0.400)"
    )


@pytest.fixture
def wide() -> PlanningProblem:
    """Cheap hours are dirty ones."""
    hours = np.arange(24)
    return problem(
        list(0.3 + 0.1 * np.sin(hours / 24 * 2 * np.pi)),
        carbon=300.0 - 200.0 * np.sin(hours / 24 * 2 * np.pi),
        load_kw=series(0.5),
        appliances=(Appliance("washer", (1.0, 0.5), HOUR),),
        batteries=(Battery("battery", 8.0, 4.0, 3.0, 3.0),),
        cars=(Car("car", 20.0, 7.0),),
    )


def test_the_curve_runs_from_the_cheapest_to_the_cleanest_and_none_is_dominated(wide: PlanningProblem) -> None:
    curve = trade_off(wide)
    assert len(curve) >= 5
    money, carbon = [each.more_money for each in curve], [each.plan.carbon_kg for each in curve]
    assert money == sorted(money)
    assert carbon == sorted(carbon, reverse=True)
    assert curve[0].words == "the cheapest"
    assert curve[-1].words == f"{curve[-1].more_money:.2f} more for {curve[-1].less_carbon_kg:.2f} kg less"
    for choice in curve:
        check(wide, choice.plan)
        assert choice.plan.batteries[0].stored_kwh[-1] >= curve[0].plan.batteries[0].stored_kwh[-1] - 1e-4


def test_without_carbon_there_is_no_curve() -> None:
    with pytest.raises(InvalidInput, match="Give the carbon intensity"):
        trade_off(problem(PRICES))


def test_without_a_solver_rules_of_thumb_plan_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, wide: PlanningProblem
) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    plan = solve(wide)
    assert (plan.status, plan.gap) == (PlanStatus.RULES, None)
    check(wide, plan)


def test_a_plan_as_a_table_has_a_row_for_each_step(wide: PlanningProblem) -> None:
    table = solve(wide).table()
    assert table.height == 24
    assert {"time", "import_kw", "washer kw", "battery stored_kwh", "car kw"} <= set(table.columns)


@pytest.mark.parametrize(
    ("prices", "net_kw", "given"),
    [
        ([0.5, 0.1], 1.4, 1.4),  # planned to cover 1.0: it covers what there is
        ([0.5, 0.1], -0.6, -0.6),  # and takes what the sun gives
        ([0.1, 0.5], 1.4, -2.0),  # planned to be filled: it is
        ([0.5, 0.1], 3.0, 2.0),  # no more than it can
    ],
)
def test_a_battery_follows_what_really_happens(prices: list[float], net_kw: float, given: float) -> None:
    battery = Battery("battery", 8.0, 4.0, 2.0, 2.0, 1.0, 1.0, end_kwh=4.0)
    plan = solve(problem(prices, load_kw=series(1.0, 3.0), batteries=(battery,)), gap=1e-6)
    assert follow(plan, battery, step=0, net_kw=net_kw, stored_kwh=4.0) == pytest.approx(given)


def test_a_battery_that_is_to_be_filled_does_not_sell_because_the_home_uses_less() -> None:
    battery = Battery("battery", 8.0, 7.0, 2.0, 2.0, 1.0, 1.0, end_kwh=8.0)
    plan = solve(problem([0.1, 0.5], load_kw=series(1.0), solar_kw=series(0.0), batteries=(battery,)), gap=1e-6)
    assert follow(plan, battery, step=0, net_kw=-1.5, stored_kwh=7.0) == pytest.approx(-1.0)
    assert follow(plan, battery, step=0, net_kw=-1.5, stored_kwh=0.0) == pytest.approx(-1.5)


def test_another_time_limit_says_that_the_plan_is_the_best_so_far_or_by_rules(wide: PlanningProblem) -> None:
    runs = tuple(Appliance(f"thing {k}", (0.3, 0.7, 0.2), HOUR) for k in range(30))
    hard = replace(wide, appliances=runs, import_limit_kw=9.0, peak_price=0.3)
    plan = solve(hard, time_limit_s=0.05, gap=0.0)
    check(hard, plan)
    assert plan.status in {PlanStatus.BEST_SO_FAR, PlanStatus.RULES}


def test_a_problem_is_read_from_a_table_and_what_the_table_lacks_is_named() -> None:
    times = [START + k * HOUR for k in range(4)]
    table = pl.DataFrame({"time": times, "import_price": PRICES, "load_kw": [0.5, 0.5, 0.5, 0.5]})
    stated = problem_of(table, appliances=(Appliance("washer", (1.0,), HOUR),))
    assert (stated.step, stated.n_steps, stated.time_zone) == (HOUR, 4, "UTC")
    assert starts(solve(stated), "washer") == [2]
    for bad, words in (
        (table.drop("import_price"), "import_price"),
        (table.with_columns(pl.col("time").dt.replace_time_zone(None)), "time zone"),
        (table[[0, 1, 3]], "as far apart"),
        (table.with_columns(pl.Series("load_kw", [0.5, None, 0.5, 0.5])), "load_kw"),
    ):
        with pytest.raises(InvalidInput, match=words):
            problem_of(bad)
