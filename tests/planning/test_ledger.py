"""The ledger: runs that were done beside the same energy at other times, by hand and in sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from watthour.core.window import DAY, HOUR, Window, local_day, local_midnight
from watthour.planning.ledger import Course, Done, Entry, Figures, Wish, battery_entry, rows_by, run_entry, summed

BERLIN = "Europe/Berlin"
QUARTER = timedelta(minutes=15)
START = datetime(2026, 11, 19, tzinfo=UTC)


def figures(
    price: list[float],
    *,
    carbon: list[float] | None = None,
    export: float = 0.0,
    net: list[float] | None = None,
    start: datetime = START,
    step: timedelta = HOUR,
) -> Figures:
    """Hours with a price each, and where they are given a carbon and what the home drew."""
    grams = np.full(len(price), np.nan) if carbon is None else np.array(carbon, dtype=np.float64)
    drawn = None if net is None else np.array(net, dtype=np.float64)
    return Figures(start, step, np.array(price, dtype=np.float64), np.full(len(price), export), grams, drawn)


def done(hour: float, course: Course, name: str = "dishwasher", start: datetime = START) -> Done:
    begin = start + hour * HOUR
    return Done("appliance", name, None, begin, begin + course.duration, course)


TWO_KWH = Course(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.5, 2.0]))  # 1.5 kW, then 0.5 kW


def test_a_run_is_compared_with_at_once_with_habit_and_with_the_best_in_its_window() -> None:
    prices = [0.4, 0.5, 0.3, 0.2, 0.1, 0.2, 0.3, 0.3]
    grams = [400.0, 500.0, 300.0, 300.0, 200.0, 100.0, 100.0, 100.0]
    wish = Wish(START + 3 * HOUR, at_once=START, deadline=START + 7 * HOUR, usual=START + HOUR)
    found = run_entry(done(3, TWO_KWH), wish, figures(prices, carbon=grams), "UTC")
    assert found.energy_kwh == 2.0
    assert found.cost == pytest.approx(1.5 * 0.2 + 0.5 * 0.1)  # 0.35
    assert found.at_once.cost == pytest.approx(1.5 * 0.4 + 0.5 * 0.5)  # 0.85
    assert found.usual is not None
    assert found.usual.cost == pytest.approx(1.5 * 0.5 + 0.5 * 0.3)  # 0.90
    assert (found.saved_money, found.saved_usual_money) == pytest.approx((0.5, 0.55))
    assert found.carbon_kg == pytest.approx(0.55)
    assert found.saved_carbon_kg == pytest.approx(0.6 + 0.25 - 0.55)
    assert found.saved_usual_carbon_kg == pytest.approx(0.75 + 0.15 - 0.55)
    assert found.regret_money == pytest.approx(0.35 - (1.5 * 0.1 + 0.5 * 0.2))  # an hour later
    assert found.regret_carbon_kg == pytest.approx(0.55 - (1.5 * 0.1 + 0.5 * 0.1))  # two hours later, over by seven
    assert found.shifted_kwh == 2.0
    assert found.captured == pytest.approx(0.5 / 0.6)
    assert (found.n_priced, found.n_with_carbon, found.n_with_usual) == (1, 1, 1)


def test_a_run_that_had_to_be_over_earlier_has_no_better_time_to_regret() -> None:
    prices = [0.4, 0.5, 0.3, 0.2, 0.1, 0.2, 0.3, 0.3]
    wish = Wish(START + 3 * HOUR, at_once=START, deadline=START + 5 * HOUR)
    assert run_entry(done(3, TWO_KWH), wish, figures(prices), "UTC").regret_money == 0.0


def test_a_run_that_waited_a_little_has_shifted_only_what_it_used_later() -> None:
    steady = Course.even(2 * HOUR, 2.0)
    wish = Wish(START + HOUR / 2, at_once=START, deadline=None)
    found = run_entry(done(0.5, steady), wish, figures([0.4, 0.2, 0.1], step=HOUR), "UTC")
    assert found.cost == pytest.approx(0.5 * 0.4 + 0.2 + 0.5 * 0.1)
    assert found.at_once.cost == pytest.approx(0.6)
    assert found.shifted_kwh == pytest.approx(0.5)
    assert found.regret_money is None  # nobody said when it must have ended


def test_a_run_that_was_begun_at_once_has_saved_and_shifted_nothing() -> None:
    found = run_entry(done(1, TWO_KWH), Wish(None, at_once=START + HOUR), figures([0.4, 0.5, 0.3]), "UTC")
    assert (found.saved_money, found.shifted_kwh, found.planned_start) == (0.0, 0.0, None)


def test_a_run_that_the_plan_put_into_dear_hours_has_saved_less_than_nothing() -> None:
    wish = Wish(START + 2 * HOUR, at_once=START, deadline=START + 4 * HOUR)
    found = run_entry(done(2, Course.even(HOUR, 1.0)), wish, figures([0.1, 0.2, 0.4, 0.3]), "UTC")
    assert found.saved_money == pytest.approx(-0.3)
    assert found.captured is None  # at once was the best there was
    assert found.regret_money == pytest.approx(0.3)


def test_sun_that_would_have_been_fed_in_costs_what_it_would_have_earned_and_emits_nothing() -> None:
    """At noon the home feeds 1.5 kW in although the run draws 1 kW; an hour later the sun gives 0.4 kW of its 1 kW."""
    prices, grams = [0.3, 0.3, 0.3], [300.0, 300.0, 300.0]
    one = Course.even(HOUR, 1.0)
    noon = figures(prices, carbon=grams, export=0.08, net=[0.5, -1.5, -0.4])
    wish = Wish(START + HOUR, at_once=START, deadline=START + 3 * HOUR)
    found = run_entry(done(1, one), wish, noon, "UTC")
    assert (found.cost, found.carbon_kg) == pytest.approx((0.08, 0.0))
    assert (found.at_once.cost, found.at_once.carbon_kg) == pytest.approx((0.3, 0.3))
    later = run_entry(done(2, one), wish, replace(noon, net_kw=np.array([0.5, -2.5, 0.6])), "UTC")
    assert later.cost == pytest.approx(0.4 * 0.08 + 0.6 * 0.3)
    assert later.carbon_kg == pytest.approx(0.18)
    assert later.regret_money == pytest.approx(0.4 * 0.08 + 0.6 * 0.3 - 0.08)


def test_a_car_is_compared_with_full_power_on_arrival_and_with_the_cheapest_hours_of_its_stay() -> None:
    """8 kWh in two spans; at once: 4 kW for two hours; best: 4 kW in each of the two cheapest hours."""
    prices = [0.5, 0.4, 0.2, 0.3, 0.1, 0.6]
    course = Course(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 4.0, 4.0, 8.0]))  # with a pause of an hour
    wish = Wish(START + HOUR, at_once=START, deadline=START + 6 * HOUR, most_kw=4.0)
    found = run_entry(replace(done(1, course, "car"), kind="car"), wish, figures(prices), "UTC")
    assert found.cost == pytest.approx(4 * 0.4 + 4 * 0.3)
    assert found.at_once.cost == pytest.approx(4 * 0.5 + 4 * 0.4)
    assert found.saved_money == pytest.approx(0.8)
    assert found.regret_money == pytest.approx(2.8 - (4 * 0.1 + 4 * 0.2))
    assert found.shifted_kwh == pytest.approx(4.0)  # the hour from one to two was used either way


def test_a_car_in_the_sun_fills_with_what_would_have_been_fed_in_first() -> None:
    prices = [0.3, 0.3, 0.2]
    course = Course.even(HOUR, 3.0)
    sunny = figures(prices, export=0.1, net=[3.0, -2.0, 0.0])  # the sun gives 2 kW in the second hour
    wish = Wish(START, at_once=START, deadline=START + 3 * HOUR, most_kw=3.0)
    found = run_entry(done(0, course), wish, sunny, "UTC")
    assert found.cost == pytest.approx(0.9)
    assert found.regret_money == pytest.approx(0.9 - (2 * 0.1 + 1 * 0.2))


def test_a_battery_is_compared_with_one_at_rest() -> None:
    """It charges 2 kWh in the night hour from the grid, and gives 1.6 kWh in the evening, 0.6 of them into the grid."""
    day = date(2026, 11, 19)
    prices, net, power = [0.2] * 24, [1.0] * 24, np.zeros(24)
    prices[3], prices[18] = 0.1, 0.4
    power[3], net[3] = 2.0, 3.0
    power[18], net[18] = -1.6, -0.6
    grams = [500.0] * 24
    grams[3] = 200.0
    known = figures(prices, carbon=grams, export=0.05, net=net)
    found = battery_entry("battery", "home.flat.battery", day, power, known, "UTC")
    assert found.cost == pytest.approx(2 * 0.1 - 1.0 * 0.4 - 0.6 * 0.05)
    assert found.saved_money == pytest.approx(0.23)
    assert found.carbon_kg == pytest.approx((2 * 200 - 1.0 * 500) / 1000)
    assert (found.energy_kwh, found.shifted_kwh) == (2.0, 1.6)
    assert (found.start, found.end) == (START, START + DAY)
    assert found.regret_money is None
    unmetered = battery_entry("battery", None, day, power, replace(known, net_kw=None), "UTC")
    assert (unmetered.cost, unmetered.saved_money, unmetered.energy_kwh) == (None, None, 2.0)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_of_a_battery_has_all_hours_of_the_day_on_which_the_clock_changes(day: date, hours: int) -> None:
    midnight = local_midnight(day, BERLIN)
    n = (hours + 2) * 4
    power, price, net = np.full(n, 1.0), [0.2] * n, [2.0] * n
    around = figures(price, net=net, start=midnight - HOUR, step=QUARTER)
    found = battery_entry("battery", None, day, power, around, BERLIN)
    assert found.energy_kwh == pytest.approx(hours)
    assert found.cost == pytest.approx(0.2 * hours)
    assert (found.end - found.start) / HOUR == hours
    cut = replace(around, start=midnight + HOUR)  # an hour of the day is not known
    missing = battery_entry("battery", None, day, power[:-12], cut, BERLIN)
    assert (missing.cost, missing.energy_kwh, missing.shifted_kwh) == (None, None, None)
    assert missing.remark is not None


def test_what_is_not_known_is_null_and_never_zero() -> None:
    wish = Wish(START + 2 * HOUR, at_once=START, deadline=START + 5 * HOUR, usual=START + HOUR)
    gap = figures([np.nan, 0.3, 0.2, 0.2, 0.2], carbon=[100.0, 100.0, np.nan, 100.0, 100.0])
    found = run_entry(done(2, Course.even(HOUR, 1.0)), wish, gap, "UTC")
    assert (found.cost, found.at_once.cost, found.saved_money) == pytest.approx((0.2, None, None))
    assert (found.carbon_kg, found.saved_carbon_kg) == (None, None)
    assert found.saved_usual_money == pytest.approx(0.1)
    assert (found.regret_money, found.regret_carbon_kg) == (None, None)
    unmetered = Done("appliance", "oven", None, START + 2 * HOUR, START + 3 * HOUR, None, remark="no energy")
    nothing = run_entry(unmetered, wish, gap, "UTC")
    assert (nothing.energy_kwh, nothing.cost, nothing.saved_money, nothing.shifted_kwh) == (None,) * 4
    assert nothing.remark == "no energy"
    before = run_entry(done(2, Course.even(HOUR, 1.0)), replace(wish, at_once=START - HOUR), gap, "UTC")
    assert (before.at_once.cost, before.shifted_kwh) == (None, 1.0)


def test_the_mains_that_are_not_known_leave_the_cost_unknown() -> None:
    net = figures([0.3, 0.3], net=[1.0, np.nan])
    assert run_entry(done(1, Course.even(HOUR, 1.0)), Wish(None, START + HOUR), net, "UTC").cost is None


def test_the_best_start_is_as_good_as_any_minute() -> None:
    """A run of one power is best where it begins or ends with a step: no minute in between is better."""
    rng = np.random.default_rng(7)
    known = figures(list(rng.uniform(0.1, 0.5, 48)), net=list(rng.normal(0.3, 1.0, 48)), export=0.05, step=QUARTER)
    course = Course.even(timedelta(minutes=52), 1.3)
    wish = Wish(START, at_once=START + timedelta(minutes=7), deadline=START + 11 * HOUR + timedelta(minutes=5))
    run = done(5, course)
    found = run_entry(run, wish, known, "UTC")
    assert wish.deadline is not None
    minutes = range(7, round((wish.deadline - course.duration - START) / timedelta(minutes=1)) + 1)
    each = [run_entry(run, replace(wish, at_once=START + timedelta(minutes=m)), known, "UTC") for m in minutes]
    least = min(entry.at_once.cost for entry in each if entry.at_once.cost is not None)
    assert found.cost is not None
    assert found.regret_money == pytest.approx(found.cost - least, abs=1e-9)
    assert least < found.cost


def ledger_of_a_year() -> list[Entry]:
    """A run each night around 2 o'clock from October to April, some of them without a price or a habit."""
    rng = np.random.default_rng(3)
    begin, n_days = local_midnight(date(2025, 10, 1), BERLIN), 210
    n = n_days * 24 + 48
    price = rng.uniform(0.1, 0.5, n)
    price[500:600] = np.nan
    known = Figures(begin - DAY, HOUR, price, np.zeros(n), rng.uniform(100, 600, n))
    entries = []
    for day in range(n_days):
        midnight = local_midnight(date(2025, 10, 1) + timedelta(days=day), BERLIN)
        run = done(2 + rng.uniform(-1, 1), TWO_KWH, start=midnight)
        usual = midnight - 4 * HOUR if day % 3 else None
        wish = Wish(run.start, midnight - 3 * HOUR, deadline=midnight + 7 * HOUR, usual=usual)
        entries.append(run_entry(run, wish, known, BERLIN))
    return entries


def test_the_sum_of_runs_is_that_of_days_and_of_months_over_both_clock_changes() -> None:
    entries = ledger_of_a_year()
    window = Window(entries[0].start, entries[-1].end)
    total = summed(entries, window, entries[0].day)
    days, months = rows_by(entries, "day", BERLIN), rows_by(entries, "month", BERLIN)
    assert [row.day.month for row in months] == [10, 11, 12, 1, 2, 3, 4]
    assert [row.n_runs for row in months] == [31, 30, 31, 31, 28, 31, 28]
    hours = {row.day: (row.end - row.start) / HOUR for row in days}
    assert (hours[date(2025, 10, 26)], hours[date(2026, 3, 29)]) == (25.0, 23.0)
    assert 0 < total.n_priced < total.n_runs == 210
    for rows in (rows_by(entries, "run", BERLIN), days, months):
        again = summed(rows, window, entries[0].day)
        assert (again.n_runs, again.n_priced, again.n_with_usual) == (210, total.n_priced, total.n_with_usual)
        for name in ("energy_kwh", "saved_money", "saved_carbon_kg", "saved_usual_money", "shifted_kwh"):
            assert getattr(again, name) == pytest.approx(getattr(total, name)), name
        for name in ("cost", "carbon_kg", "regret_money", "regret_carbon_kg"):
            assert getattr(again, name) == pytest.approx(getattr(total, name)), name
    assert total.cost is not None
    assert total.at_once.cost is not None
    assert total.at_once.cost - total.cost == pytest.approx(total.saved_money)


def test_the_sum_of_nothing_known_is_not_known() -> None:
    unmetered = Done("appliance", "oven", None, START, START + HOUR, None)
    entry = run_entry(unmetered, Wish(None, START), figures([0.2]), "UTC")
    total = summed([entry], local_day(START.date(), "UTC"), START.date())
    assert (total.n_runs, total.cost, total.saved_money, total.energy_kwh, total.usual) == (1, None, None, None, None)
    assert summed([], local_day(START.date(), "UTC"), START.date()).n_runs == 0


def test_the_share_of_the_best_counts_the_runs_whose_best_is_known() -> None:
    """One run saved 0.3 of 0.4, another 0.1 of 0.1, a third had no deadline: 0.4 of 0.5."""
    known = figures([0.5, 0.4, 0.2, 0.1, 0.3, 0.3])
    one = Course.even(HOUR, 1.0)
    until = START + 4 * HOUR
    entries = [
        run_entry(done(2, one), Wish(None, START, until), known, "UTC"),
        run_entry(done(3, one), Wish(None, START + 2 * HOUR, until), known, "UTC"),
        run_entry(done(5, one), Wish(None, START), known, "UTC"),
    ]
    total = summed(entries, Window(START, START + DAY), START.date())
    assert [each.captured for each in entries] == pytest.approx([0.75, 1.0, None])
    assert (total.saved_money, total.captured) == pytest.approx((0.6, 0.8))
