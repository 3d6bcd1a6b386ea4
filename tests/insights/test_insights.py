"""Insights find what is planted in homes whose habits are known, and say why where they cannot tell."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from builders import events, hour, samples
from made_home import PER_DAY, PER_HOUR, START, STEP, Array, MadeHome, channel, make_home, watt_readings

from watthour.core.errors import InvalidInput
from watthour.core.frames import Events, Quality, Readings, Samples
from watthour.core.window import DAY, HOUR, Window
from watthour.insights.anomalies import Oddities, oddities
from watthour.insights.charging import charging_of
from watthour.insights.consumers import Consumers, consumers
from watthour.insights.efficiency import Efficiency, efficiency
from watthour.insights.habits import Habits, habits
from watthour.insights.impact import Impact, impact
from watthour.insights.load import Part, Unknown, days_of, hourly, load_of
from watthour.insights.peaks import peaks
from watthour.insights.standby import Standby, standby

NONE_USED = Events.create_empty()
SEEDS = tuple(range(40, 50))


def odd(home: MadeHome, **choices: float) -> Oddities:
    found = oddities(home.load(), home.outdoors(), **choices)  # type: ignore[arg-type]  # passed through
    assert isinstance(found, Oddities)
    return found


def of_last_week(home: MadeHome) -> Window:
    end = START + home.n_days * DAY
    return Window(end - 7 * DAY, end)


class TestLoad:
    def test_a_doubted_reading_is_a_gap(self) -> None:
        home = make_home(1, n_days=2)
        readings = home.readings().with_columns(
            quality=pl.when(pl.col("time") == START + HOUR).then(int(Quality.FROZEN)).otherwise(0).cast(pl.Int16)
        )
        load = load_of(Readings.validate(readings), channel("mains", HOUR), "Europe/Paris")
        assert load.table["power_w"].null_count() == 1
        assert load.table["power_w"][1] is None

    def test_energy_becomes_mean_power(self) -> None:
        from watthour.core.channel import Channel
        from watthour.core.units import Quantity, Unit

        of = Channel("home.made.energy", "made", Quantity.ENERGY, Unit.KWH, HOUR / 2)
        readings = watt_readings(of, pl.Series([START], dtype=pl.Datetime("us", "UTC")), np.array([0.25]))
        assert load_of(readings, of, "Europe/Paris").table["power_w"].to_list() == [500.0]

    def test_an_hour_that_is_half_unknown_is_a_gap(self) -> None:
        of = channel("mains", STEP)
        times = pl.datetime_range(START, START + HOUR / 2, STEP, closed="left", eager=True, time_unit="us")
        load = hourly(load_of(watt_readings(of, times, np.ones(6)), of, "Europe/Paris"))
        assert load.table["power_w"].to_list() == [None]

    def test_days_have_24_places_across_both_clock_changes(self) -> None:
        of = channel("mains", HOUR)
        for change in (date(2024, 3, 31), date(2024, 10, 27)):
            begin = START.replace(year=change.year, month=change.month, day=change.day, hour=0) - DAY
            times = pl.datetime_range(begin, begin + 3 * DAY, HOUR, closed="left", eager=True, time_unit="us")
            found = days_of(load_of(watt_readings(of, times, np.arange(72.0)), of, "Europe/Paris"))
            assert found is not None
            day = (change - found.first).days
            n_known = int(np.sum(~np.isnan(found.power_w[day])))
            assert n_known == (23 if change.month == 3 else 24)
            assert found.starts[day, 12] // 3_600_000_000 % 24 == (10 if change.month == 3 else 11)


def odd_hours(watts: Array) -> Oddities:
    """Return what is odd in the last 28 of some days of hours."""
    times = pl.datetime_range(START, START + len(watts) * DAY, HOUR, closed="left", eager=True, time_unit="us")
    of = channel("mains", HOUR)
    found = oddities(load_of(watt_readings(of, times, watts.ravel()), of, "Etc/GMT-1"))
    assert isinstance(found, Oddities)
    return found


def with_car(home: MadeHome, seed: int) -> MadeHome:
    """Add a car that is charged on two evenings in five."""
    rng = np.random.default_rng(seed)
    home.parts["car"] = np.zeros(home.n_days * PER_DAY)
    for day in range(home.n_days):
        if rng.random() < 0.4:
            first = day * PER_DAY + int(rng.uniform(17, 20) * PER_HOUR)
            home.parts["car"][first : first + int(rng.uniform(1.5, 4) * PER_HOUR)] = 7200
    return home


class TestAnomalies:
    def test_heaters_left_on_are_found_at_less_than_a_false_alarm_a_week(self) -> None:
        n_found = n_false = 0
        for seed in SEEDS:
            home = make_home(seed, is_heated=seed % 2 == 0)
            n_false += len(odd(home).anomalies) + len(odd(home).shifts)
            first = int(np.random.default_rng(seed).integers(85 * PER_DAY, 111 * PER_DAY))
            home.parts["heater"] = np.zeros(home.n_days * PER_DAY)
            home.parts["heater"][first : first + 5 * PER_HOUR] = 2000
            begin = START + first * STEP
            n_found += any(
                each.start < begin + 5 * HOUR and each.end > begin and each.extra_kwh > 0
                for each in odd(home).anomalies
            )
        assert n_found >= 0.9 * len(SEEDS)
        assert n_false <= 4 * len(SEEDS)  # weeks

    def test_an_anomaly_says_what_was_expected_and_how_seldom_it_is(self) -> None:
        home = make_home(3)
        begin = 100 * PER_DAY + 2 * PER_HOUR
        home.parts["heater"] = np.zeros(home.n_days * PER_DAY)
        home.parts["heater"][begin : begin + 3 * PER_HOUR] = 2000
        (found,) = [each for each in odd(home).anomalies if each.start <= START + begin * STEP < each.end]
        assert (found.start, found.end) == (START + begin * STEP, START + begin * STEP + 3 * HOUR)
        assert found.measured_w - found.expected_w == pytest.approx(2000, abs=60)
        assert found.extra_kwh == pytest.approx(6, abs=0.2)
        assert found.usual_low_w <= found.expected_w <= found.usual_high_w < found.measured_w
        assert found.once_in_weeks > 2

    def test_usual_hours_near_very_odd_ones_are_not_called_odd(self) -> None:
        watts = np.random.default_rng(1).normal(0, 20, (100, 24)) + 300
        watts[:, 10:15] += 500
        watts[95, 10:15] = 100.0  # nobody is at home
        times = pl.datetime_range(START, START + 100 * DAY, HOUR, closed="left", eager=True, time_unit="us")
        of = channel("mains", HOUR)
        found = oddities(load_of(watt_readings(of, times, watts.ravel()), of, "UTC"), days=14)
        assert isinstance(found, Oddities)
        away = START + 95 * DAY + 12 * HOUR
        near = [each for each in found.anomalies if abs(each.start - away) < DAY]
        assert [each.extra_kwh < -2 for each in near] == [True]

    def test_a_lasting_change_is_told_once_and_its_hours_are_no_anomalies(self) -> None:
        home = make_home(4)
        quiet = odd(home)
        home.parts["always"][97 * PER_DAY :] += 200
        found = odd(home)
        (shift,) = found.shifts
        assert shift.day == START.date() + timedelta(days=98)  # the first local day begins at 23:00 UTC
        assert shift.low_w < 200 < shift.high_w
        assert shift.n_days_after == 15
        assert len(found.anomalies) <= len(quiet.anomalies) + 1

    def test_a_cold_week_is_no_oddity_where_the_temperature_is_known(self) -> None:
        home = make_home(6, is_heated=True)
        home.temperature[-14 * 24 :] -= 10
        home.parts["heat"] = np.maximum(16 - np.repeat(home.temperature, PER_HOUR), 0) * 60
        unaware = oddities(home.load())
        assert isinstance(unaware, Oddities)
        assert unaware.shifts
        assert not odd(home).shifts

    def test_a_heat_pump_that_needs_more_for_a_degree_in_frost_is_no_lasting_change(self) -> None:
        home = make_home(40, is_heated=True)
        home.parts["heat"] = np.maximum(14 - np.repeat(home.temperature, PER_HOUR), 0) ** 2 * 15
        assert not odd(home).shifts

    def test_a_heater_that_draws_less_than_cooking_is_found_as_it_stays_on(self) -> None:
        rng = np.random.default_rng(4)
        watts = 300 + rng.normal(0, 20, (112, 24))
        for day in range(112):
            watts[day, rng.choice(np.arange(7, 23), 4, replace=False)] += rng.uniform(800, 3000, 4)
        quiet = odd_hours(watts)
        watts[100, 12:18] += 900
        noon = START + 100 * DAY + 13 * HOUR  # the made homes' first midnight is 23:00 UTC
        found = [each for each in odd_hours(watts).anomalies if each.start <= noon < each.end]
        assert [each.extra_kwh > 4 for each in found] == [True]
        assert len(quiet.anomalies) <= 4

    def test_a_heater_is_found_in_a_home_with_a_car_that_nobody_measures(self) -> None:
        n_found = n_false = 0
        for seed in SEEDS[:6]:
            home = with_car(make_home(seed), seed)
            quiet = odd(home)
            n_false += len(quiet.anomalies)
            charged = home.parts["car"][-28 * PER_DAY :].reshape(-1, PER_HOUR).mean(axis=1) > 3600
            assert quiet.n_charging_hours >= np.sum(charged) > 10
            assert quiet.n_hours + quiet.n_charging_hours == 28 * 24
            first = 100 * PER_DAY + (seed % 8 + 4) * PER_HOUR
            home.parts["heater"] = np.zeros(home.n_days * PER_DAY)
            home.parts["heater"][first : first + 6 * PER_HOUR] = 2000
            begin = START + first * STEP
            n_found += any(
                each.start < begin + 6 * HOUR and each.end > begin and each.extra_kwh > 0
                for each in odd(home).anomalies
            )
        assert n_found == 6
        assert n_false <= 4 * 6  # weeks

    def test_a_heater_that_is_on_while_the_car_charges_is_found_on_both_sides_of_it_and_beyond(self) -> None:
        n_found = 0
        for seed in SEEDS[:6]:
            home = with_car(make_home(seed), seed)
            charged = home.parts["car"].reshape(-1, PER_DAY).sum(axis=1) > 30 * 7200  # for two hours and a half
            day = int(np.flatnonzero(charged[90:])[0]) + 90
            first = day * PER_DAY + int(np.argmax(home.parts["car"][day * PER_DAY :][:PER_DAY] > 0)) - PER_HOUR
            home.parts["heater"] = np.zeros(home.n_days * PER_DAY)
            home.parts["heater"][first : first + 6 * PER_HOUR] = 2000
            begin = START + first * STEP
            found = [each for each in odd(home).anomalies if each.start < begin + 6 * HOUR and each.end > begin]
            n_found += any(1 < each.extra_kwh < 16 for each in found)  # nothing of what the car draws
        assert n_found >= 5

    @pytest.mark.parametrize(("steady", "is_known"), [(True, True), (False, False)])
    def test_the_power_of_a_charger_is_known_where_its_whole_hours_are_alike(
        self, *, steady: bool, is_known: bool
    ) -> None:
        rng = np.random.default_rng(1)
        watts = rng.normal(300, 30, (60, 24))
        for day in range(0, 60, 3):
            whole = np.full(4, 7200.0) if steady else rng.uniform(4000, 11000, 4)
            watts[day, 11:17] += [2500, *whole, 1500]
        found = charging_of(watts, np.zeros(60, dtype=np.bool_))
        assert np.array_equal(np.flatnonzero(found.hours.any(axis=1)), np.arange(0, 60, 3))
        assert found.hours.sum() == 6 * 20
        assert np.isfinite(found.power_w) == is_known
        assert not is_known or found.power_w == pytest.approx(7200, abs=100)

    def test_a_device_of_many_kilowatts_and_heaters_are_taken_for_no_car(self) -> None:
        home = with_car(make_home(2), 2)
        of_charger = oddities(home.load("car"), is_home=False)
        assert isinstance(of_charger, Oddities)
        assert of_charger.n_charging_hours == 0
        watts = np.full((112, 24), 300.0)
        watts[::2, 7] += 3400  # an instantaneous water heater
        assert odd_hours(watts).n_charging_hours == 0

    @pytest.mark.parametrize(("seed", "is_heated", "first"), [(205, False, 27_523), (201, True, 31_306)])
    def test_a_power_cut_is_told_on_an_afternoon_of_little_use_too(
        self, *, seed: int, is_heated: bool, first: int
    ) -> None:
        home = make_home(seed, is_heated=is_heated)
        for power in home.parts.values():
            power[first : first + 6 * PER_HOUR] = 0
        begin = START + first * STEP
        (found,) = [each for each in odd(home).anomalies if each.start < begin + 6 * HOUR and each.end > begin]
        assert found.extra_kwh < 0
        assert found.start <= begin + HOUR
        assert found.end >= begin + 5 * HOUR

    def test_a_lower_rate_tells_fewer(self) -> None:
        homes = [make_home(seed) for seed in SEEDS[:3]]
        many, few = (
            sum(len(odd(home, false_alarms_per_week=rate).anomalies) for home in homes) for rate in (20.0, 0.1)
        )
        assert few < many

    def test_too_short_a_past_is_said(self) -> None:
        said = oddities(make_home(1, n_days=15).load())
        assert isinstance(said, Unknown)
        assert "15 days are known, and 21 before" in said.problem

    @pytest.mark.parametrize("choice", [{"false_alarms_per_week": 0.0}, {"days": 0}])
    def test_what_cannot_be_is_refused(self, choice: dict[str, float]) -> None:
        with pytest.raises(InvalidInput):
            odd(make_home(1, n_days=30), **choice)

    def test_a_home_with_gaps_of_days_is_judged(self) -> None:
        home = make_home(2)
        home.parts["always"][60 * PER_DAY : 65 * PER_DAY] = np.nan
        assert odd(home).n_hours == 28 * 24


class TestStandby:
    def test_a_fridge_does_not_hide_it(self) -> None:
        home = make_home(8)
        found = standby(home.load(step=STEP))
        assert isinstance(found, Standby)
        true = float(np.median(home.parts["always"]))
        assert found.power_w == pytest.approx(true, rel=0.08)
        assert not found.holds_cycling
        assert found.kwh_per_year == pytest.approx(found.power_w * 8.766)

    def test_hourly_steps_say_that_the_fridge_is_in_it(self) -> None:
        home = make_home(8)
        found = standby(home.load())
        assert isinstance(found, Standby)
        assert found.holds_cycling
        assert found.power_w > float(np.median(home.parts["always"])) + 10

    def test_some_nights_of_washing_do_not_move_it(self) -> None:
        home = make_home(8)
        before = standby(home.load())
        for day in range(0, home.n_days, 4):
            home.parts["washer"][day * PER_DAY : day * PER_DAY + 6 * PER_HOUR] += 1500
        after = standby(home.load())
        assert isinstance(before, Standby)
        assert isinstance(after, Standby)
        assert after.power_w == pytest.approx(before.power_w, rel=0.1)

    def test_a_car_that_charges_all_night_is_not_always_on(self) -> None:
        home = make_home(8)
        clock = np.arange(home.n_days * PER_DAY) % PER_DAY
        home.parts["car"] = np.where((clock >= PER_HOUR) & (clock < 5 * PER_HOUR), 7000.0, 0.0)
        said = standby(home.load())
        assert isinstance(said, Unknown)
        assert "more than the" in said.problem

    def test_where_something_feeds_in_no_share_is_told(self) -> None:
        home = make_home(8)
        before = standby(home.load())
        clock = np.arange(home.n_days * PER_DAY) % PER_DAY
        home.parts["roof"] = np.where((clock >= 10 * PER_HOUR) & (clock < 15 * PER_HOUR), -4000.0, 0.0)
        found = standby(home.load())
        assert isinstance(before, Standby)
        assert isinstance(found, Standby)
        assert (found.power_w, found.share) == (before.power_w, None)

    def test_too_few_nights_are_said(self) -> None:
        said = standby(make_home(1, n_days=5).load())
        assert isinstance(said, Unknown)
        assert "5 nights are known, and 7 are needed" in said.problem


class TestConsumers:
    def test_devices_are_ranked_and_the_rest_is_other(self) -> None:
        home = make_home(9)
        parts = [Part(name, name, load=home.load(name)) for name in ("fridge", "kitchen")]
        window = of_last_week(home)
        found = consumers(home.load(), parts, NONE_USED, window)
        assert isinstance(found, Consumers)
        assert [each.id for each in found.devices] == ["kitchen", "fridge"]
        assert found.total_kwh == pytest.approx(home.mains[-7 * PER_DAY :].sum() / PER_HOUR / 1000)
        rest = home.mains - home.parts["fridge"] - home.parts["kitchen"]
        assert found.other_kwh == pytest.approx(rest[-7 * PER_DAY :].sum() / PER_HOUR / 1000)

    def test_a_device_without_readings_counts_by_its_uses(self) -> None:
        home = make_home(9, n_days=60)
        window = Window(hour(-24), hour(0))
        uses = events(("oven", -20.0, -19.0, 1.5), ("oven", -40.0, -39.0, 9.0))
        found = consumers(home.load(), [Part("oven", "Oven")], uses, window)
        assert isinstance(found, Consumers)
        (oven,) = found.devices
        assert (oven.energy_kwh, oven.basis, oven.known_share) == (1.5, "uses", None)

    def test_devices_that_exceed_the_home_are_never_made_to_fit(self) -> None:
        home = make_home(9)
        twice = [Part(name, name, load=home.load()) for name in ("a", "b")]
        found = consumers(home.load(), twice, NONE_USED, of_last_week(home))
        assert isinstance(found, Consumers)
        assert found.other_kwh is None
        assert "more than the home" in str(found.other_problem)

    def test_a_circuit_is_not_added_to_the_devices_on_it(self) -> None:
        home = make_home(9)
        parts = [
            Part("kitchen", "Kitchen", is_circuit=True, load=home.load("kitchen")),
            Part("hob", "Hob", load=home.load("kitchen")),
        ]
        found = consumers(home.load(), parts, NONE_USED, of_last_week(home))
        assert isinstance(found, Consumers)
        assert [each.id for each in found.circuits] == ["kitchen"]
        assert found.other_kwh == pytest.approx((found.total_kwh or 0) - found.devices[0].energy_kwh)

    def test_what_feeds_in_leaves_the_rest_untold(self) -> None:
        home = make_home(9)
        found = consumers(home.load(), [Part("sun", "Sun", feeds_in=True)], NONE_USED, of_last_week(home))
        assert isinstance(found, Consumers)
        assert (found.devices, found.other_kwh) == ((), None)

    def test_steps_of_home_and_device_may_differ(self) -> None:
        home = make_home(9)
        device = Part("kitchen", "Kitchen", load=home.load("kitchen", step=STEP))
        found = consumers(home.load(), [device], NONE_USED, of_last_week(home))
        assert isinstance(found, Consumers)
        assert found.devices[0].known_share == 1
        assert found.devices[0].energy_kwh == pytest.approx(
            home.parts["kitchen"][-7 * PER_DAY :].sum() / PER_HOUR / 1000
        )


class TestPeaks:
    def test_each_day_gives_one_peak_with_what_was_on(self) -> None:
        home = make_home(10)
        home.parts["car"] = np.zeros(home.n_days * PER_DAY)
        home.parts["car"][-2 * PER_DAY : -2 * PER_DAY + 2 * PER_HOUR] = 7000
        parts = [Part(name, name, load=home.load(name)) for name in ("car", "fridge")]
        found = peaks(home.load(), parts, NONE_USED, of_last_week(home), count=3)
        assert not isinstance(found, Unknown)
        assert len({each.start.date() for each in found}) == 3
        assert found[0].power_w > 7000
        assert [each.id for each in found[0].on] == ["car"]
        assert found[0].explained_share == pytest.approx(7000 / found[0].power_w)

    def test_a_use_tells_that_a_device_was_on(self) -> None:
        home = make_home(10, n_days=60)
        window = Window(hour(-24), hour(0))
        (peak,) = peaks(home.load(), [], NONE_USED, window, count=1)  # type: ignore[misc]  # one is known
        begin = (peak.start - hour(0)) / HOUR
        uses = events(("oven", begin, begin + 2, 4.0), ("lamp", begin, begin + 1, None))
        (told,) = peaks(home.load(), [Part("oven", "Oven"), Part("lamp", "Lamp")], uses, window, count=1)  # type: ignore[misc]
        assert [(each.id, each.power_w) for each in told.on] == [("oven", 2000.0), ("lamp", None)]
        assert told.explained_share is None


class TestImpact:
    def uses_and_samples(self, spacing: float, *, noise: float = 5.0) -> tuple[pl.DataFrame, pl.DataFrame]:
        rng = np.random.default_rng(1)
        begins = [10 * n + 0.3 for n in range(6)]
        uses = events(*(("kettle", begin, begin + 0.2, None) for begin in begins))
        at = np.arange(0, 60, spacing / 3600)
        power = 300 + rng.normal(0, noise, len(at))
        for begin in begins:
            power[(at >= begin) & (at < begin + 0.2)] += 1800
        rows = [("m.power", float(when), float(value)) for when, value in zip(at, power, strict=True)]
        return uses, samples(*rows)

    def test_the_step_of_the_mains_is_the_device(self) -> None:
        uses, told = self.uses_and_samples(10)
        found = impact(Events.cast(uses), Samples.cast(told))
        assert isinstance(found, Impact)
        assert found.step_w == pytest.approx(1800, abs=10)
        assert found.low_w <= found.step_w <= found.high_w
        assert found.is_sure
        assert (found.n_on, found.n_off) == (6, 6)

    def test_a_device_that_draws_nothing_is_not_sure(self) -> None:
        uses, told = self.uses_and_samples(10, noise=100)
        elsewhere = uses.with_columns(pl.col("start", "end") + 3 * HOUR)
        found = impact(Events.cast(elsewhere), Samples.cast(told))
        assert isinstance(found, Impact)
        assert not found.is_sure

    def test_slow_samples_are_said(self) -> None:
        uses, told = self.uses_and_samples(50)
        said = impact(Events.cast(uses), Samples.cast(told))
        assert isinstance(said, Unknown)
        assert "samples every 50 s lie around the switches, and one every 30 s is needed" in said.problem

    def test_no_samples_are_said(self) -> None:
        uses, _ = self.uses_and_samples(60)
        said = impact(Events.cast(uses), Samples.create_empty())
        assert isinstance(said, Unknown)
        assert said.problem.startswith("no samples")


class TestEfficiency:
    def test_a_tenth_saved_shows_against_the_past_at_the_same_temperature(self) -> None:
        home = make_home(11, is_heated=True)
        for power in home.parts.values():
            power[-28 * PER_DAY :] *= 0.8
        found = efficiency(home.load(), home.outdoors(), 0.2)
        assert isinstance(found, Efficiency)
        assert found.against_past is not None
        assert found.against_past.low_percent < -20 < found.against_past.high_percent
        assert found.against_past.high_percent < 0
        assert found.base_load_share == 0.2

    def test_without_a_temperature_the_comparison_is_null_and_says_why(self) -> None:
        found = efficiency(make_home(11).load(), None, None)
        assert isinstance(found, Efficiency)
        assert found.against_past is None
        assert found.against_past_problem == "the temperature outdoors is not known"

    def test_a_frost_that_the_past_never_had_is_not_compared(self) -> None:
        home = make_home(11)
        home.temperature[-28 * 24 :] -= 30
        found = efficiency(home.load(), home.outdoors(), None)
        assert isinstance(found, Efficiency)
        assert "never as cold" in str(found.against_past_problem)


class TestHabits:
    def test_a_part_of_the_day_that_uses_more_is_named(self) -> None:
        home = make_home(12)
        for day in range(home.n_days - 21, home.n_days):
            home.parts["always"][day * PER_DAY + 14 * PER_HOUR :][: 2 * PER_HOUR] += 400
        found = habits(home.load(), home.outdoors())
        assert isinstance(found, Habits)
        (change,) = found.changes
        assert change.days == "all days"
        assert change.first_hour <= 14
        assert change.end_hour >= 16
        assert change.after_kwh - change.before_kwh == pytest.approx(0.8, abs=0.2)
        assert change.chance <= 0.01

    def test_a_change_across_midnight_is_named(self) -> None:
        home = make_home(12)
        for day in range(home.n_days - 21, home.n_days):
            home.parts["always"][day * PER_DAY + 23 * PER_HOUR :][: 2 * PER_HOUR] += 200
        found = habits(home.load(), home.outdoors())
        assert isinstance(found, Habits)
        (change,) = found.changes
        assert (change.first_hour, change.end_hour) in {(22, 1), (23, 2)}
        assert change.after_kwh - change.before_kwh == pytest.approx(0.4, abs=0.1)

    def test_a_change_is_found_beside_a_car_that_nobody_measures(self) -> None:
        home = with_car(make_home(3), 3)
        for day in range(home.n_days - 21, home.n_days):
            home.parts["always"][day * PER_DAY + 18 * PER_HOUR :][: 3 * PER_HOUR] += 700
        found = habits(home.load(), home.outdoors())
        assert isinstance(found, Habits)
        assert any({18, 19, 20} & set(range(each.first_hour, each.end_hour)) for each in found.changes)

    def test_only_days_off_that_changed_are_named(self) -> None:
        home = make_home(12)
        for day in range(home.n_days - 21, home.n_days):
            if day % 7 >= 5:
                home.parts["always"][day * PER_DAY + 14 * PER_HOUR :][: 3 * PER_HOUR] += 1500
        found = habits(home.load(), home.outdoors())
        assert isinstance(found, Habits)
        assert {each.days for each in found.changes} == {"days off"}

    def test_homes_as_usual_have_few_changes(self) -> None:
        n_told = 0
        for seed in SEEDS[:5]:
            found = habits(make_home(seed).load())
            assert isinstance(found, Habits)
            n_told += bool(found.changes)
        assert n_told == 0

    def test_too_few_days_are_said(self) -> None:
        said = habits(make_home(1, n_days=30).load())
        assert isinstance(said, Unknown)
        assert "30 days are known, and 33 are needed" in said.problem
