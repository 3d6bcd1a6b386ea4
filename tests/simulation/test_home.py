"""Invented homes: the same whenever they are asked, whole in their parts, and like homes that were measured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from watthour.core.channel import DeviceKind
from watthour.simulation.home import HomeDay, SimulatedHome
from watthour.simulation.simtown_home import TRAITS
from watthour.simulation.sky import Sky, day_of, sky_of
from watthour.simulation.steps import joined
from watthour.simulation.town import SimulatedRegion

if TYPE_CHECKING:
    from watthour.simulation.steps import Steps

REGION = SimulatedRegion()
ZONE = REGION.context.time_zone
SHOWN = SimulatedHome(0, traits=TRAITS)
DAY = date(2026, 2, 10)  # a Tuesday


@cache
def sky(day: date) -> Sky:
    return sky_of(day, REGION)


@cache
def days_of_a_year() -> list[Sky]:
    return [sky(date(2025, 1, 1) + timedelta(days=4 * place)) for place in range(91)]


@cache
def shown_year() -> list[HomeDay]:
    return [SHOWN.day(each) for each in days_of_a_year()]


def kwh(steps: Steps) -> float:
    return float(steps.kwh(steps.edges[[0, -1]])[0])


def runs_s(steps: Steps, least_w: float) -> list[int]:
    """Return how long each run above a power lasted, but for those at the ends of the day."""
    is_on = steps.tenths > 10 * least_w
    begins, ends = (np.flatnonzero(np.diff(is_on.astype(int)) == sign) + 1 for sign in (1, -1))
    return [int(steps.edges[ends[ends > begin][0]] - steps.edges[begin]) for begin in begins if (ends > begin).any()]


def test_a_day_is_the_same_whichever_days_were_asked_before() -> None:
    before = SHOWN.day(sky_of(DAY, SimulatedRegion()))
    for other in (DAY - timedelta(days=1), DAY + timedelta(days=40)):
        SHOWN.day(sky(other))
    again = SimulatedHome(0, traits=TRAITS).day(sky_of(DAY, SimulatedRegion()))
    assert again.uses == before.uses
    assert again.parts.keys() == before.parts.keys()
    for kind, part in before.parts.items():
        assert np.array_equal(part.edges, again.parts[kind].edges)
        assert np.array_equal(part.tenths, again.parts[kind].tenths)


def test_another_number_or_seed_is_another_home() -> None:
    mains = [SimulatedHome(number, seed).day(sky(DAY)).mains() for number, seed in ((1, 7), (2, 7), (1, 8))]
    energies = {kwh(each) for each in mains}
    assert len(energies) == 3


@pytest.mark.parametrize("number", range(6))
def test_the_mains_are_exactly_the_sum_of_the_parts(number: int) -> None:
    day = SimulatedHome(number).day(sky(DAY))
    minutes = np.arange(day.start, day.end, 60)
    mains = day.mains()
    assert np.array_equal(mains._tenths_at(minutes), sum(part._tenths_at(minutes) for part in day.parts.values()))
    used = sum(int((part.tenths * np.diff(part.edges)).sum()) for part in day.parts.values())
    assert int((mains.tenths * np.diff(mains.edges)).sum()) == used


@pytest.mark.parametrize(
    ("day", "hours"), [(DAY, 24), (date(2026, 3, 7), 23), (date(2026, 10, 31), 25)], ids=["usual", "spring", "autumn"]
)
def test_days_follow_each_other_also_where_clocks_change(day: date, hours: int) -> None:
    one, next_one = SHOWN.day(sky(day)), SHOWN.day(sky(day + timedelta(days=1)))
    assert one.end - one.start == hours * 3600
    assert one.end == next_one.start
    for kind, part in one.parts.items():
        both = joined([part, next_one.parts[kind]])
        assert (np.diff(both.edges) > 0).all()
        assert (both.edges[0], both.edges[-1]) == (one.start, next_one.end)


def test_before_five_in_the_morning_it_is_still_the_day_before() -> None:
    assert day_of(datetime(2026, 2, 10, 9, 59, tzinfo=UTC), ZONE) == date(2026, 2, 9)
    assert day_of(datetime(2026, 2, 10, 10, 0, tzinfo=UTC), ZONE) == date(2026, 2, 10)


def test_a_use_is_when_its_device_draws_and_holds_its_energy() -> None:
    day = SHOWN.day(sky(DAY))
    assert day.uses
    for use in day.uses:
        part = day.parts[use.kind]
        assert use.kwh == pytest.approx(float(part.kwh(np.array([use.start, use.end]))[0]), abs=1e-9)
        assert part.watts(np.array([use.start]))[0] > part.watts(np.array([use.start - 1]))[0]
    for one, other in zip(day.uses, day.uses[1:], strict=False):
        assert one.start <= other.start


# kWh of a year per device. England's Household Electricity Survey measured, per home, 566 for all cold appliances, 448
# for all cooking, 437 for all washing and drying, 483 for lighting (before LEDs), 207 for computers with what hangs on
# them: Palmer et al., Further Analysis of the Household Electricity Use Survey (2013). Solar: NREL's PVWatts gives
# about 1,300 kWh per kWp in New York City.
USUAL = {
    DeviceKind.FRIDGE: (150, 430),
    DeviceKind.OVEN: (60, 330),
    DeviceKind.HOB: (50, 330),
    DeviceKind.KETTLE: (60, 260),
    DeviceKind.MICROWAVE: (20, 100),
    DeviceKind.WASHING_MACHINE: (50, 280),
    DeviceKind.TUMBLE_DRYER: (60, 500),
    DeviceKind.DISHWASHER: (70, 350),
    DeviceKind.TELEVISION: (60, 300),
    DeviceKind.COMPUTER: (50, 260),
    DeviceKind.ROUTER: (40, 110),
    DeviceKind.LIGHTS: (30, 480),
    DeviceKind.WATER_HEATER: (700, 3500),
    DeviceKind.HEAT_PUMP: (1500, 6000),
    DeviceKind.AIR_CONDITIONER: (60, 1500),
    DeviceKind.EV_CHARGER: (700, 4000),
}


def test_the_energy_of_a_year_is_that_of_such_devices() -> None:
    seen: set[DeviceKind] = set()
    every = days_of_a_year()[::2]
    for number in range(8):
        days = [SimulatedHome(number).day(each) for each in every]
        for kind in days[0].parts.keys() & USUAL.keys():
            used = sum(kwh(day.parts[kind]) for day in days) * 365 / len(days)
            assert USUAL[kind][0] <= used <= USUAL[kind][1], (number, kind, used)
            seen.add(kind)
    assert seen == set(USUAL)


def test_the_sun_gives_by_day_what_such_a_roof_gives() -> None:
    given = [-kwh(day.parts[DeviceKind.SOLAR]) for day in shown_year()]
    assert 1100 < sum(given) * 365 / len(given) / TRAITS.solar_kwp < 1500
    for day in shown_year():
        solar = day.parts[DeviceKind.SOLAR]
        assert (solar.tenths <= 0).all()
        midnight = np.array([day.end - 5 * 3600])
        assert solar.watts(midnight)[0] == 0


def test_a_compressor_runs_a_quarter_of_an_hour_and_rests_longer() -> None:
    for day in shown_year()[::10]:
        fridge = day.parts[DeviceKind.FRIDGE]
        runs = runs_s(fridge, 30)
        assert 20 <= len(runs) <= 45
        assert all(10 * 60 <= run <= 20 * 60 for run in runs)
        assert 60 <= fridge.tenths.max() / 10 <= 120


def test_a_wash_heats_first_and_turns_after() -> None:
    washes = [(day, use) for day in shown_year() for use in day.uses if use.kind is DeviceKind.WASHING_MACHINE]
    assert washes
    for day, use in washes:
        watts = day.parts[use.kind].watts(np.arange(use.start, use.end, 10))
        hot = np.flatnonzero(watts > 1800)
        assert 9 * 60 <= 10 * len(hot) <= 19 * 60
        assert hot.max() < len(watts) / 2
        assert watts[hot.max() + 1 :].max() < 600


def test_a_dishwasher_heats_twice_and_a_kettle_is_on_for_minutes() -> None:
    dishwashers, kettles = (
        [(day, use) for day in shown_year() for use in day.uses if use.kind is kind]
        for kind in (DeviceKind.DISHWASHER, DeviceKind.KETTLE)
    )
    assert dishwashers
    for day, use in dishwashers:
        is_hot = day.parts[use.kind].watts(np.arange(use.start, use.end, 10)) > 1500
        assert (np.diff(is_hot.astype(int)) == 1).sum() == 2
    assert all(90 <= use.end - use.start <= 260 for _day, use in kettles)


def test_a_car_and_a_dishwasher_wait_for_the_cheap_night() -> None:
    charged = [(sky_, use) for sky_, day in zip(days_of_a_year(), shown_year(), strict=True)
               for use in day.uses if use.kind is DeviceKind.EV_CHARGER]  # fmt: skip
    assert charged
    for sky_, use in charged:
        hour = (use.start - sky_.midnight) / 3600
        assert hour >= 23
        assert TRAITS.tariff.at(np.array([hour % 24]))[0] == TRAITS.tariff.night


def test_cold_days_need_more_heat() -> None:
    heat = [kwh(day.parts[DeviceKind.HEAT_PUMP]) for day in shown_year()]
    temperature = [float(each.temperature.mean()) for each in days_of_a_year()]
    assert np.corrcoef(heat, temperature)[0, 1] < -0.85


def test_nobody_cooks_while_all_are_on_holiday_and_the_fridge_runs_on() -> None:
    cooking = {DeviceKind.KETTLE, DeviceKind.HOB, DeviceKind.TELEVISION, DeviceKind.WASHING_MACHINE}
    weeks = [date(2025, 1, 6) + timedelta(days=7 * place) for place in range(104)]
    away = [day for day in weeks if SHOWN._is_away(sky(day))]
    assert 1 <= len(away) <= 15
    for day in away:
        found = SHOWN.day(sky(day))
        assert not cooking & {use.kind for use in found.uses}
        assert kwh(found.parts[DeviceKind.FRIDGE]) > 0.4


def test_a_battery_gives_what_it_took_less_what_is_lost_and_lessens_what_the_meter_sees() -> None:
    gained = 0
    for day in shown_year()[::6]:
        battery = day.parts[DeviceKind.BATTERY]
        minutes = np.arange(day.start, day.end + 1, 60)
        watts = battery.mean_watts(minutes)
        held = np.cumsum(np.where(watts > 0, 0.95 * watts, watts / 0.95)) / 60_000
        assert held.min() > -0.01
        assert held.max() < TRAITS.battery_kwh + 0.01
        assert held[-1] == pytest.approx(0, abs=0.02)
        without: dict[DeviceKind, Steps] = {
            kind: part for kind, part in day.parts.items() if kind is not DeviceKind.BATTERY
        }
        alone = HomeDay(day.start, day.end, without, ()).mains()
        waking = minutes[: 20 * 60]
        with_battery, sun_alone = (np.abs(each.mean_watts(waking)).mean() for each in (day.mains(), alone))
        gained += with_battery < sun_alone
    assert gained >= 12
