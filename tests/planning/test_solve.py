"""The planner: no plan is better, and nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning.made import HOUR, START, check, problem, series, starts

from watthour.core.assets import Appliance, Battery, Car, Heat
from watthour.core.errors import PlanImpossible
from watthour.core.plan import PlanningProblem, PlanStatus, Weights
from watthour.planning.account import Actions, settle
from watthour.planning.linear import share_missing
from watthour.planning.rules import by_rules
from watthour.planning.solve import solve

if TYPE_CHECKING:
    from watthour.core.plan import Plan

EXACT = 1e-6


@st.composite
def problems(draw: st.DrawFn) -> PlanningProblem:
    """Return a problem of some hours with a battery, two runs, a car and some sun; prices may be below zero."""
    n = 6
    price = st.floats(-0.2, 0.6).map(lambda each: round(each, 3))
    power = st.floats(0.0, 3.0).map(lambda each: round(each, 2))
    profiles = [
        draw(st.lists(st.floats(0.2, 2.0).map(lambda each: round(each, 1)), min_size=1, max_size=3)) for _ in "ab"
    ]
    return problem(
        draw(st.lists(price, min_size=n, max_size=n)),
        export_price=series(*draw(st.lists(price, min_size=n, max_size=n))),
        carbon=series(*draw(st.lists(st.floats(0.0, 800.0), min_size=n, max_size=n))),
        load_kw=series(*draw(st.lists(power, min_size=n, max_size=n))),
        solar_kw=series(*draw(st.lists(power, min_size=n, max_size=n))),
        is_solar_curtailable=draw(st.booleans()),
        appliances=(
            Appliance("first", tuple(profiles[0]), HOUR),
            Appliance("second", tuple(profiles[1]), HOUR, only_below=draw(st.none() | st.floats(0.0, 0.5))),
        ),
        batteries=(
            Battery(
                "battery", 4.0, draw(st.floats(0.0, 4.0)), 2.0, 2.0, 0.9, 0.9, wear_price=draw(st.floats(0.0, 0.1))
            ),
        ),
        cars=(Car("car", draw(st.floats(0.0, 6.0)), 3.0, min_charge_kw=draw(st.sampled_from([0.0, 1.4]))),),
        peak_price=draw(st.sampled_from([0.0, 0.5])),
        weights=Weights(1.0, draw(st.sampled_from([0.0, 0.3]))),
    )


@given(stated=problems(), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_other_plan_is_better_and_energy_is_conserved(stated: PlanningProblem, seed: int) -> None:
    plan = solve(stated, gap=EXACT)
    check(stated, plan)
    assert plan.status is PlanStatus.SOLVED
    allowed = 1e-4 + 1e-3 * abs(plan.objective)
    assert plan.objective <= by_rules(stated).objective + allowed
    rng = np.random.default_rng(seed)
    for _ in range(20):
        other = at_random(stated, rng)
        check(stated, other)
        assert plan.objective <= other.objective + allowed


def at_random(stated: PlanningProblem, rng: np.random.Generator) -> Plan:
    """Return a plan that keeps to everything, drawn by lot."""
    n, car, battery = stated.n_steps, stated.cars[0], stated.batteries[0]
    steps = {}
    for wish in stated.appliances:
        first = int(rng.integers(0, n - len(wish.profile_kw) + 1))
        steps[wish.name] = () if wish.only_below is not None and rng.random() < 0.5 else (first,)
    left, power = car.energy_kwh / car.efficiency, np.zeros(n)
    for k in rng.permutation(n):
        if left > 1e-9:
            power[k] = min(left, car.max_charge_kw)
            left -= power[k]
    power[power > 0.0] = np.maximum(power[power > 0.0], car.min_charge_kw)
    held, charge, discharge = battery.stored_kwh, np.zeros(n), np.zeros(n)
    for k in range(n):
        wanted = rng.uniform(-battery.max_discharge_kw, battery.max_charge_kw)
        charge[k] = min(max(wanted, 0.0), (battery.capacity_kwh - held) / battery.charge_efficiency)
        discharge[k] = min(max(-wanted, 0.0), held * battery.discharge_efficiency)
        held += battery.charge_efficiency * charge[k] - discharge[k] / battery.discharge_efficiency
    actions = Actions(steps, {"battery": charge}, {"battery": discharge}, {"car": power}, {})
    return settle(stated, actions, PlanStatus.RULES, None)


@given(
    prices=st.lists(st.floats(0.0, 1.0).map(lambda each: round(each, 2)), min_size=7, max_size=7),
    limit=st.none() | st.floats(2.6, 4.0),
    peak=st.sampled_from([0.0, 0.4]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_best_of_all_begins_is_found(prices: list[float], limit: float | None, peak: float) -> None:
    runs = (Appliance("a", (2.0, 0.5), HOUR), Appliance("b", (1.0, 1.0, 1.5), HOUR), Appliance("c", (0.7,), HOUR))
    stated = problem(
        prices,
        load_kw=series(0.4, 0.2, 0.6, 0.1, 0.3, 0.2, 0.5),
        appliances=runs,
        import_limit_kw=limit,
        peak_price=peak,
    )
    plan = solve(stated, gap=EXACT)
    check(stated, plan)
    best = np.inf
    for chosen in product(range(6), range(5), range(7)):
        steps = {wish.name: (step,) for wish, step in zip(runs, chosen, strict=True)}
        other = settle(stated, Actions(steps), PlanStatus.RULES, None)
        if limit is None or other.import_kw.max() <= limit:
            best = min(best, other.objective)
    assert plan.objective == pytest.approx(best, abs=2e-4)


def test_a_battery_moves_energy_from_the_cheap_to_the_dear_hour_to_the_last_digit() -> None:
    battery = Battery("battery", 10.0, 0.0, 2.0, 2.0, 0.9, 0.8, end_kwh=0.0)
    plan = solve(problem([0.1, 0.5], load_kw=series(0.0, 5.0), batteries=(battery,)))
    assert plan.batteries[0].charge_kw[0] == pytest.approx(2.0)
    assert plan.batteries[0].discharge_kw[1] == pytest.approx(2.0 * 0.9 * 0.8)
    assert plan.cost == pytest.approx(2.0 * 0.1 + (5.0 - 1.44) * 0.5)


def test_a_battery_trades_where_export_pays_more_though_resting_comes_to_nothing() -> None:
    battery = Battery("battery", 5.0, 0.0, 3.0, 3.0, 1.0, 1.0, end_kwh=0.0)
    plan = solve(problem([0.1] * 4, export_price=series(*[0.5] * 4), batteries=(battery,)))
    # Power goes in and out in turn: two hours of 3 kW each way at most, of a battery that holds 5 kWh.
    assert plan.objective == pytest.approx(-6.0 * 0.4)
    assert plan.gap == pytest.approx(0.0, abs=0.01)


def test_the_share_that_may_be_missing_is_one_where_the_plan_comes_to_nothing() -> None:
    assert share_missing(0.0, -2.4) == 1.0
    assert share_missing(2.0, 1.0) == 0.5
    assert share_missing(1.0, -1.0) == 1.0
    assert share_missing(0.0, 0.0) == 0.0


def test_a_battery_rests_where_losses_and_wear_cost_more_than_prices_differ() -> None:
    battery = Battery("battery", 10.0, 5.0, 2.0, 2.0, 0.9, 0.9, wear_price=0.06, end_kwh=5.0)
    plan = solve(problem([0.20, 0.29], load_kw=series(1.0, 1.0), batteries=(battery,)))
    assert not plan.batteries[0].discharge_kw.any()
    assert "rests" in plan.reasons[0].words


def test_a_reserve_is_kept_and_the_end_is_as_full_as_wished() -> None:
    battery = Battery("battery", 10.0, 6.0, 5.0, 5.0, reserve_kwh=4.0, end_kwh=7.0)
    plan = solve(problem([0.1, 0.9, 0.9, 0.2], load_kw=series(5.0), batteries=(battery,)))
    assert plan.batteries[0].stored_kwh.min() >= 4.0 - 1e-6
    assert plan.batteries[0].stored_kwh[-1] >= 7.0 - 1e-6
    assert plan.misses == ()


def test_a_reserve_that_is_not_there_is_filled_up_and_the_miss_is_said() -> None:
    battery = Battery("battery", 10.0, 1.0, 2.0, 2.0, reserve_kwh=4.0)
    plan = solve(problem([0.3, 0.3, 0.3], batteries=(battery,)))
    (miss,) = plan.misses
    assert (miss.about, miss.penalty > 0) == ("battery", True)
    assert "below its reserve of 4 kWh" in miss.words


def test_a_negative_price_is_earned_once_and_not_by_running_in_circles() -> None:
    battery = Battery("battery", 4.0, 2.0, 2.0, 2.0, 0.9, 0.9)
    stated = problem([-0.5, -0.5, 0.1], export_price=series(-0.6, -0.6, 0.0), batteries=(battery,))
    plan = solve(stated, gap=EXACT)
    check(stated, plan)
    assert plan.batteries[0].discharge_kw[:2].max() == pytest.approx(0.0, abs=1e-6)


def test_export_that_earns_more_than_import_costs_is_no_machine_for_money() -> None:
    stated = problem([0.1, 0.1], export_price=series(0.4, 0.4), load_kw=series(1.0), solar_kw=series(2.0, 0.5))
    plan = solve(stated, gap=EXACT)
    check(stated, plan)
    assert plan.cost == pytest.approx(-0.4 * 1.0 + 0.1 * 0.5)


def test_a_run_that_may_pause_takes_the_cheapest_steps_and_one_that_may_not_stays_whole() -> None:
    prices = [0.1, 0.5, 0.1, 0.4, 0.3]
    for may_pause, cost in ((True, 0.2), (False, 0.5)):
        run = Appliance("pump", (1.0, 1.0), HOUR, is_interruptible=may_pause)
        assert solve(problem(prices, appliances=(run,)), gap=EXACT).cost == pytest.approx(cost)


def test_runs_of_one_appliance_never_overlap() -> None:
    run = Appliance("washer", (1.0, 1.0), HOUR, repeats=2)
    plan = solve(problem([0.5, 0.1, 0.1, 0.1, 0.9], appliances=(run,)), gap=EXACT)
    assert plan.appliances[0].power_kw.max() == pytest.approx(1.0)
    assert len(starts(plan, "washer")) == 2


def test_an_optional_run_waits_for_its_price() -> None:
    for limit, n_runs in ((0.19, 0), (0.21, 1)):
        run = Appliance("dryer", (2.0, 2.0), HOUR, only_below=limit)
        plan = solve(problem([0.5, 0.3, 0.1, 0.9], appliances=(run,)), gap=EXACT)
        assert len(starts(plan, "dryer")) == n_runs
    assert "starts" in plan.reasons[0].words


def test_a_run_that_has_begun_goes_on_as_it_began() -> None:
    run = Appliance("dishwasher", (2.0, 1.0, 0.5), HOUR, begun_at=START - HOUR)
    plan = solve(problem([0.9, 0.9, 0.1, 0.1], appliances=(run,)))
    np.testing.assert_allclose(plan.appliances[0].power_kw, [1.0, 0.5, 0.0, 0.0])
    assert plan.reasons[0].words == "goes on as it began at 17:00"


def test_a_car_charges_with_its_least_power_or_not_at_all() -> None:
    car = Car("car", 4.0, 6.0, departure=START + 3 * HOUR, min_charge_kw=3.0, efficiency=1.0)
    stated = problem([0.5, 0.1, 0.4, 0.0], cars=(car,), import_limit_kw=3.5)
    plan = solve(stated, gap=EXACT)
    check(stated, plan)
    assert sorted(plan.cars[0].power_kw[:3] > 0) == [False, True, True] or plan.cars[0].power_kw[1] > 3.4


def test_a_house_is_warmed_in_the_cheap_hours_within_its_band_as_the_equation_says() -> None:
    house = Heat("house", 5.0, 0.15, 3.0, 20.5, 20.0, 22.0, around_c=series(5.0), efficiency=series(3.0))
    prices = [0.1, 0.1, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1]
    plan = solve(problem(prices, heats=(house,)))
    use = plan.heats[0]
    assert plan.misses == ()
    assert (use.temperature_c >= 20.0 - 1e-6).all()
    assert (use.temperature_c <= 22.0 + 1e-6).all()
    assert use.power_kw[2:5].sum() < 0.2 * use.power_kw.sum()
    now, n_small = 20.5, 20_000  # the same by many small steps
    for step, power in enumerate(use.power_kw):
        for _ in range(n_small):
            now += (3.0 * power - 0.15 * (now - 5.0)) / 5.0 / n_small
        assert use.temperature_c[step] == pytest.approx(now, abs=1e-3)


def test_comfort_gives_way_only_where_it_must_and_that_is_said() -> None:
    house = Heat("house", 1.0, 0.3, 0.5, 20.0, 20.0, 22.0, around_c=series(-10.0))
    plan = solve(problem([0.3] * 4, heats=(house,)))
    assert plan.heats[0].power_kw == pytest.approx([0.5] * 4)
    assert "K outside 20 to 22 degC" in plan.misses[0].words


def test_a_peak_that_is_paid_for_already_costs_nothing_more() -> None:
    runs = (Appliance("a", (2.0,), HOUR), Appliance("b", (2.0,), HOUR))
    prices = [0.1, 0.12]
    together = solve(problem(prices, appliances=runs, peak_price=1.0, peak_so_far_kw=4.0), gap=EXACT)
    apart = solve(problem(prices, appliances=runs, peak_price=1.0), gap=EXACT)
    assert together.peak_kw == pytest.approx(4.0)
    assert apart.peak_kw == pytest.approx(2.0)
    assert apart.cost == pytest.approx(0.2 + 0.24 + 2.0)


def test_a_weight_of_carbon_moves_a_run_to_the_cleaner_hour_and_says_so() -> None:
    run = Appliance("washer", (1.0,), HOUR)
    stated = problem([0.2, 0.3], carbon=series(500.0, 100.0), appliances=(run,))
    assert starts(solve(stated), "washer") == [0]
    clean = solve(replace(stated, weights=Weights(1.0, 0.5)))
    assert starts(clean, "washer") == [1]
    assert "0.10 dearer than at 18:00, for 0.40 kg less CO2, also 80% cleaner than at once" in clean.reasons[0].words


def test_a_plan_that_people_know_stays_until_another_is_better_by_more_than_the_threshold() -> None:
    run = Appliance("washer", (1.0,), HOUR)
    known = solve(problem([0.2, 0.3, 0.3], appliances=(run,)))
    assert starts(known, "washer") == [0]
    a_little = problem([0.31, 0.30, 0.30], appliances=(run,))
    assert starts(solve(a_little), "washer") == [1]
    assert starts(solve(a_little, known=known), "washer") == [0]
    assert starts(solve(problem([0.4, 0.3, 0.3], appliances=(run,)), known=known), "washer") == [1]


def test_a_known_plan_that_is_not_possible_any_more_is_given_up() -> None:
    known = solve(problem([0.2, 0.3, 0.3], appliances=(Appliance("washer", (1.0,), HOUR),)))
    later = Appliance("washer", (1.0,), HOUR, earliest=START + HOUR)
    assert starts(solve(problem([0.1, 0.3, 0.3], appliances=(later,)), known=known), "washer") == [1]


def test_forty_appliances_end_in_time_with_the_gap_said() -> None:
    rng = np.random.default_rng(4)
    runs = tuple(Appliance(f"thing {k}", tuple(rng.uniform(0.2, 2.0, 3)), HOUR) for k in range(40))
    stated = problem(list(rng.uniform(0.1, 0.5, 48)), appliances=runs, import_limit_kw=6.0)
    plan = solve(stated, time_limit_s=3.0)
    check(stated, plan)
    assert all(len(each.spans) == 1 for each in plan.appliances)
    assert plan.status in {PlanStatus.SOLVED, PlanStatus.BEST_SO_FAR, PlanStatus.RULES}
    assert plan.objective <= by_rules(stated).objective + 1e-6


def test_courses_of_the_sun_make_a_battery_leave_room_that_the_mean_would_not() -> None:
    """What the sun may bring is worth more than what could be bought tonight."""
    battery = Battery("battery", 10.0, 0.0, 10.0, 10.0, 1.0, 1.0, end_price=0.0)
    stated = problem(
        [0.20, 0.30, 0.30], load_kw=series(0.0, 0.0, 8.0), solar_kw=series(0.0, 4.0, 0.0), batteries=(battery,)
    )
    sure = solve(stated)
    unsure = solve(
        replace(stated, load_paths_kw=np.array([[0, 0, 8.0]]), solar_paths_kw=np.array([[0, 8.0, 0]])), gap=EXACT
    )
    assert sure.batteries[0].charge_kw[0] == pytest.approx(4.0)
    assert unsure.batteries[0].charge_kw[0] == pytest.approx(0.0, abs=1e-6)


def test_a_course_counts_as_often_as_is_said() -> None:
    """A day of much sun that comes once in ten leaves the battery to be filled tonight."""
    battery = Battery("battery", 10.0, 0.0, 10.0, 10.0, 1.0, 1.0, end_price=0.0)
    stated = problem(
        [0.20, 0.30, 0.30],
        load_kw=series(0.0, 0.0, 8.0),
        solar_kw=series(0.0, 0.0, 0.0),
        batteries=(battery,),
        load_paths_kw=np.array([[0, 0, 8.0], [0, 0, 8.0]]),
        solar_paths_kw=np.array([[0, 8.0, 0], [0, 0, 0]]),
    )
    rare = solve(replace(stated, path_counts=np.array([1.0, 8.0])), gap=EXACT)
    usual = solve(replace(stated, path_counts=np.array([8.0, 1.0])), gap=EXACT)
    assert rare.batteries[0].charge_kw[0] == pytest.approx(8.0)
    assert usual.batteries[0].charge_kw[0] == pytest.approx(0.0, abs=1e-6)


def test_a_course_that_passes_the_import_limit_forbids_no_run() -> None:
    stated = problem([0.2, 0.2, 0.2], appliances=(Appliance("kettle", (2.0,), HOUR),), import_limit_kw=3.0)
    stated = replace(stated, load_paths_kw=np.full((1, 3), 2.5), solar_paths_kw=np.zeros((1, 3)))
    plan = solve(stated)
    check(stated, plan)
    assert len(plan.appliances[0].spans) == 1
    with pytest.raises(PlanImpossible, match="kettle"):
        solve(replace(stated, import_limit_kw=1.0))
