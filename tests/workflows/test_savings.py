"""The ledger of a home: runs from readings and uses, plans that were in force, prices and carbon of a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from priced_home import DYNAMIC, MARKET, METER, NOW, PRICE, rows
from saving_home import (
    CARBON,
    DAY_AND_NIGHT,
    DISHES,
    DISHWASHER,
    EQUIPMENT,
    FIRST_PLAN,
    HOME,
    N_PLANNED,
    N_UNPLANNED,
    QUARTER,
    REGION,
    at,
    furnish,
    local,
    planned,
    powers,
)

from watthour.core.carbon import Basis, CarbonKind, carbon_channel
from watthour.core.channel import Channel, Device, DeviceKind
from watthour.core.errors import InvalidInput, UnknownName
from watthour.core.frames import Events
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.store.memory import MemoryStore
from watthour.workflows.equipment import EquipmentFile
from watthour.workflows.kept_tariffs import Tariffs
from watthour.workflows.planned_runs import first_plan_at
from watthour.workflows.savings import Savings, home_savings

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from watthour.planning.ledger import By, Entry

NOVEMBER = Window(at(date(2026, 11, 1), "00:00"), NOW)


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    furnish(found)
    return found


def savings(
    store: MemoryStore,
    folder: Path,
    *,
    by: By = "run",
    window: Window = NOVEMBER,
    tariff: dict[str, Any] = DAY_AND_NIGHT,
    equipment: dict[str, Any] = EQUIPMENT,
    now: datetime = NOW,
) -> Savings:
    tariffs, equipment_file = Tariffs(folder), EquipmentFile(folder)
    tariffs.keep("flat", tariff)
    equipment_file.keep("flat", equipment)
    return home_savings(store, tariffs, equipment_file, HOME, window, by=by, now=now)


def with_plan(found: Savings) -> list[Entry]:
    return [row for row in found.rows if row.planned_start is not None]


def test_a_run_by_night_is_told_beside_at_once_and_beside_what_was_usual_before_there_were_plans(
    store: MemoryStore, tmp_path: Path
) -> None:
    found = savings(store, tmp_path)
    rows_with_plan = with_plan(found)
    assert [local(row.start) for row in rows_with_plan] == [f"11-{day} 02:00" for day in (18, 19, 20, 21)]
    row = rows_with_plan[0]
    assert (row.name, row.device, row.day) == ("dishwasher", DISHWASHER.id, date(2026, 11, 18))
    assert row.energy_kwh == pytest.approx(1.2)
    assert row.cost == pytest.approx(1.2 * 0.14)
    assert row.at_once.start is not None
    assert (local(row.at_once.start), row.at_once.cost) == pytest.approx(("11-17 18:30", 1.2 * 0.34))
    assert row.usual is not None
    assert row.usual.start is not None
    assert (local(row.usual.start), row.usual.cost) == pytest.approx(("11-17 21:00", 0.6 * 0.34 + 0.6 * 0.14))
    assert (row.saved_money, row.saved_usual_money) == pytest.approx((0.24, 0.12))
    assert (row.carbon_kg, row.saved_carbon_kg) == pytest.approx((0.24, 0.12))
    assert row.saved_usual_carbon_kg == pytest.approx(0.06)
    assert (row.shifted_kwh, row.regret_money) == pytest.approx((1.2, 0.0))
    assert not row.is_estimated
    assert found.carbon is not None
    assert found.carbon.channel == CARBON


def test_a_new_tariff_tells_no_past_saving_anew(store: MemoryStore, tmp_path: Path) -> None:
    before = savings(store, tmp_path)
    tariffs, dear = Tariffs(tmp_path), {"name": "Flat", "currency": "EUR", "import": {"kind": "flat", "price": 0.9}}
    tariffs.keep("flat", dear, NOW)
    after = home_savings(store, tariffs, EquipmentFile(tmp_path), HOME, NOVEMBER, now=NOW)
    assert [(row.cost, row.saved_money) for row in after.rows] == [(row.cost, row.saved_money) for row in before.rows]
    tariffs.keep("flat", dear, NOVEMBER.start)
    told = home_savings(store, tariffs, EquipmentFile(tmp_path), HOME, NOVEMBER, now=NOW)
    assert told.total.saved_money == pytest.approx(0.0)


def test_savings_on_either_side_of_a_change_of_currency_are_told_and_those_across_it_are_refused(
    store: MemoryStore, tmp_path: Path
) -> None:
    whole = savings(store, tmp_path)
    tariffs, change = Tariffs(tmp_path), at(date(2026, 11, 20), "00:00")
    tariffs.keep("flat", DAY_AND_NIGHT | {"currency": "GBP"}, change)

    def told(first: datetime, last: datetime) -> Savings:
        return home_savings(store, tariffs, EquipmentFile(tmp_path), HOME, Window(first, last), now=NOW)

    with pytest.raises(InvalidInput, match="in EUR until 2026-11-20 00:00") as refused:
        told(NOVEMBER.start, NOW)
    assert "days up to 2026-11-19, or from 2026-11-20 on" in refused.value.remedy
    before, after = told(NOVEMBER.start, change), told(change, NOW)
    assert (before.currency, after.currency) == ("EUR", "GBP")
    by_begin = {row.start: row for row in whole.rows}
    assert [row.cost for row in before.rows + after.rows] == [
        by_begin[row.start].cost for row in before.rows + after.rows
    ]
    # At once the run of the 20th would have begun the evening before, which was paid in euro.
    assert [row.saved_money for row in with_plan(after)] == [None, pytest.approx(0.24)]
    assert [row.saved_money for row in with_plan(before)] == pytest.approx([0.24, 0.24])
    assert any("the tariff is in EUR, so no price in GBP" in each for each in after.remarks)
    assert any("1 of " in each and "a price" in each for each in after.remarks)


def test_a_run_that_no_plan_held_costs_something_and_saves_nothing(store: MemoryStore, tmp_path: Path) -> None:
    found = savings(store, tmp_path)
    others = [row for row in found.rows if row.planned_start is None]
    assert len(others) == N_UNPLANNED
    assert {(row.saved_money, row.shifted_kwh, row.usual) for row in others} == {(0.0, 0.0, None)}
    assert all(row.cost == pytest.approx(0.6 * 0.34 + 0.6 * 0.14) for row in others)
    assert any("16 of 20 runs" in each and "in no plan" in each for each in found.remarks)
    assert (found.total.n_runs, found.total.n_planned) == (N_PLANNED + N_UNPLANNED, N_PLANNED)


def test_the_sums_of_runs_days_and_months_are_one(store: MemoryStore, tmp_path: Path) -> None:
    since = Window(at(date(2026, 10, 1), "00:00"), NOW)
    by_run, by_day, by_month = (savings(store, tmp_path, by=by, window=since) for by in ("run", "day", "month"))
    assert by_run.total.n_runs == 31 + N_UNPLANNED + N_PLANNED
    assert by_run.total.saved_money == pytest.approx(N_PLANNED * 0.24)
    for each in (by_day, by_month):
        assert each.total == by_run.total
        assert sum(row.saved_money or 0.0 for row in each.rows) == pytest.approx(by_run.total.saved_money)
        assert sum(row.cost or 0.0 for row in each.rows) == pytest.approx(by_run.total.cost)
    assert [(row.day, row.n_runs) for row in by_month.rows] == [(date(2026, 10, 1), 31), (date(2026, 11, 1), 20)]
    assert by_month.rows[1].n_with_usual == N_PLANNED


def test_the_night_in_which_the_clock_is_put_back_has_its_hour_once_more(tmp_path: Path) -> None:
    """From 18:30 to 07:00 there are 13.5 hours; a run at the second 02:00 begins nine hours and a half after 18:30."""
    store, day = MemoryStore(), date(2026, 10, 24)
    start = at(day, "18:30") + 8.5 * HOUR  # the second 02:00
    usual = {at(date(2026, 9, 4) + n * DAY, "02:30"): 0.6 for n in range(40)}
    furnish(store, runs={**usual, start: 0.6}, with_plans=False)
    store.keep_plan("flat", at(day, "18:00"), {"runs": [planned(day) | {"start": start.isoformat()}]})
    found = savings(store, tmp_path, window=Window(at(day, "00:00"), NOW), by="day")
    row = found.rows[0]
    assert (row.day, row.n_runs, row.cost) == pytest.approx((date(2026, 10, 25), 1, 1.2 * 0.14))
    assert (row.end - row.start) / HOUR == 25
    run = with_plan(savings(store, tmp_path, window=Window(at(day, "00:00"), NOW)))[0]
    assert run.usual is not None
    assert run.usual.start == at(day, "18:30") + 8 * HOUR  # the first 02:30
    assert run.usual.cost == pytest.approx(1.2 * 0.14)
    assert run.regret_money == pytest.approx(0.0)


def test_the_plan_in_force_when_a_run_began_is_the_one_that_is_told(store: MemoryStore, tmp_path: Path) -> None:
    store.keep_plan("flat", at(FIRST_PLAN, "23:00"), {"runs": [planned(FIRST_PLAN, "01:30")]})
    later = planned(FIRST_PLAN, "02:00", state="running", earliest=at(FIRST_PLAN, "23:30").isoformat())
    store.keep_plan("flat", at(FIRST_PLAN + DAY, "02:30"), {"runs": [later]})
    row = with_plan(savings(store, tmp_path))[0]
    assert row.planned_start == at(FIRST_PLAN + DAY, "01:30")
    assert row.at_once.start == at(FIRST_PLAN, "18:30")  # as the first plan said


def test_of_two_runs_the_one_that_later_plans_saw_begin_is_the_one_that_was_planned(tmp_path: Path) -> None:
    """It was begun by hand at 19:00, and once more at 01:00, close to when the plan in force had put it."""
    store = MemoryStore()
    by_hand, once_more = at(FIRST_PLAN, "19:00"), at(FIRST_PLAN + DAY, "01:00")
    furnish(store, runs={by_hand: 0.6, once_more: 0.6}, with_plans=False)
    store.keep_plan("flat", at(FIRST_PLAN, "18:00"), {"runs": [planned(FIRST_PLAN)]})
    first, second = savings(store, tmp_path).rows
    assert (first.n_planned, second.n_planned) == (0, 1)  # nothing but the plan's own time tells which it was
    seen = planned(FIRST_PLAN, state="running") | {"start": by_hand.isoformat()}
    store.keep_plan("flat", at(FIRST_PLAN, "19:30"), {"runs": [seen]})
    first, second = savings(store, tmp_path).rows
    assert (first.n_planned, second.n_planned) == (1, 0)
    assert first.planned_start == at(FIRST_PLAN + DAY, "02:00")  # by the plan in force when it began


def test_nobody_asked_for_a_run_before_the_first_plan_that_held_it(tmp_path: Path) -> None:
    store = MemoryStore()
    furnish(store, with_plans=False)
    store.keep_plan("flat", at(FIRST_PLAN, "23:00"), {"runs": [planned(FIRST_PLAN)]})
    row = with_plan(savings(store, tmp_path))[0]
    assert row.at_once.start == at(FIRST_PLAN, "23:00")
    assert row.saved_money == pytest.approx(0.0)


def test_a_run_that_was_skipped_and_was_done_all_the_same_is_of_no_plan(store: MemoryStore, tmp_path: Path) -> None:
    store.keep_plan("flat", at(FIRST_PLAN, "23:00"), {"runs": [planned(FIRST_PLAN, state="skipped")]})
    rows_told = savings(store, tmp_path).rows
    row = next(each for each in rows_told if each.start == at(FIRST_PLAN + DAY, "02:00"))
    assert (row.planned_start, row.n_planned) == (None, 0)
    assert row.at_once.start == row.start
    assert row.saved_money == pytest.approx(0.0)


def test_two_programmes_of_one_machine_share_its_runs(store: MemoryStore, tmp_path: Path) -> None:
    eco = EQUIPMENT["appliances"][0]
    night = planned(FIRST_PLAN + DAY, id="short-1", name="short")
    store.keep_plan("flat", at(FIRST_PLAN + DAY, "18:00") + HOUR / 4, {"runs": [night]})
    alone = savings(store, tmp_path)
    both = savings(store, tmp_path, equipment={"appliances": [eco, eco | {"name": "short"}]})
    assert [row.start for row in both.rows] == [row.start for row in alone.rows]
    assert (both.total.energy_kwh, both.total.n_planned) == (alone.total.energy_kwh, N_PLANNED)


def test_what_is_renamed_keeps_what_it_has_saved(tmp_path: Path) -> None:
    store = MemoryStore()
    furnish(store, with_plans=False)
    for n in range(5):
        day = FIRST_PLAN + n * DAY
        store.keep_plan("flat", at(day, "18:00"), {"runs": [planned(day, device=DISHWASHER.id)]})
    before = savings(store, tmp_path)
    after = savings(store, tmp_path, equipment={"appliances": [EQUIPMENT["appliances"][0] | {"name": "plates"}]})
    assert before.total.n_planned == N_PLANNED
    assert (after.total.n_planned, after.total.saved_money) == (N_PLANNED, before.total.saved_money)
    assert {row.name for row in after.rows} == {"plates"}


def test_a_habit_of_too_few_runs_is_not_known(tmp_path: Path) -> None:
    store = MemoryStore()
    runs = {at(FIRST_PLAN - n * DAY, "21:00"): 0.6 for n in range(1, 5)} | {at(FIRST_PLAN + DAY, "02:00"): 0.6}
    furnish(store, runs=runs)
    found = savings(store, tmp_path)
    assert with_plan(found)[0].usual is None
    assert (found.total.usual, found.total.saved_usual_money, found.total.n_with_usual) == (None, None, 0)


def test_a_run_with_a_gap_in_its_readings_has_no_energy_and_is_in_no_sum(store: MemoryStore, tmp_path: Path) -> None:
    gap = rows(DISHES, at(FIRST_PLAN + DAY, "03:00"), [0.0]).with_columns(value=None, available_at=NOW, recorded_at=NOW)
    store.append(gap)  # type: ignore[arg-type]  # a version of the same reading
    found = savings(store, tmp_path)
    row = with_plan(found)[0]
    assert (row.energy_kwh, row.cost, row.saved_money, row.at_once.cost) == (None, None, None, None)
    assert row.remark is not None
    assert "Readings are missing" in row.remark
    assert any("1 of 20 runs" in each and "not in the sums" in each for each in found.remarks)
    assert found.total.saved_money == pytest.approx((N_PLANNED - 1) * 0.24)
    assert found.total.n_priced == N_PLANNED + N_UNPLANNED - 1


def test_uses_without_readings_are_estimates_and_without_energy_unknown(tmp_path: Path) -> None:
    store = MemoryStore()
    oven = Device("home.flat.oven", "flat", "Oven", DeviceKind.OVEN)
    furnish(store)
    unused = Channel("home.flat.oven.power", "flat", Quantity.POWER, Unit.KW, QUARTER, device=oven.id)
    store.register([], [unused], devices=[oven])
    starts = [at(FIRST_PLAN + DAY, "12:00"), at(FIRST_PLAN + 2 * DAY, "12:00")]
    table = {
        "device": [oven.id] * 2,
        "start": starts,
        "end": [each + HOUR for each in starts],
        "energy_kwh": [1.5, None],
        "available_at": [each + HOUR for each in starts],
        "recorded_at": [each + HOUR for each in starts],
        "quality": [0, 0],
    }
    import polars as pl

    store.append_events(Events.validate(pl.DataFrame(table), cast=True))
    said = {"appliances": [{"name": "oven", "device": "oven", "power_kw": 1.5, "minutes": 60}]}
    known, unknown = savings(store, tmp_path, equipment=said).rows
    assert (known.energy_kwh, known.cost, known.is_estimated) == pytest.approx((1.5, 1.5 * 0.34, True))
    assert (unknown.energy_kwh, unknown.cost, unknown.remark) == (None, None, "Its energy is not known.")


CHARGER = Device("home.flat.car", "flat", "Car charger", DeviceKind.EV_CHARGER)
CAR = Channel("home.flat.car.power", "flat", Quantity.POWER, Unit.KW, QUARTER, device=CHARGER.id)
STAYS = {"energy_kwh": 14, "max_charge_kw": 4, "arrival": "18:00", "departure": "07:00"}
CARS = {"cars": [{"name": "car", "device": "car", **STAYS}]}


def stay(day: date) -> dict[str, Any]:
    return planned(day, "22:00") | {
        "id": f"car-{day:%Y%m%d}-1",
        "name": "car",
        "earliest": at(day, "18:00").isoformat(),
    }


def test_all_charging_of_a_stay_is_one_run_and_is_told_when_the_stay_is_over(
    store: MemoryStore, tmp_path: Path
) -> None:
    """Four hours of 4 kW with a pause between them: by night, where at once they had begun at 18:00."""
    store.register([], [CAR], devices=[CHARGER])
    begin, day = at(date(2026, 11, 10), "00:00"), date(2026, 11, 19)
    charged = {at(day, "22:00"): 4.0, at(day + DAY, "03:00"): 4.0}
    store.append(rows(CAR, begin, powers(CAR, begin, charged)))
    store.keep_plan("flat", at(day, "17:45"), {"runs": [stay(day)]})
    found = savings(store, tmp_path, equipment=CARS)
    (row,) = found.rows
    assert (row.kind, local(row.start), local(row.end)) == ("car", "11-19 22:00", "11-20 05:00")
    assert row.energy_kwh == pytest.approx(16.003)
    assert row.cost == pytest.approx(16.003 * 0.14)
    assert row.at_once.start == at(day, "18:00")
    full = 16.003 / 4 - 4.0  # hours after 22:00 at full power from 18:00 on
    assert row.at_once.cost == pytest.approx(16 * 0.34 + full * 4 * 0.14)
    assert row.regret_money == pytest.approx(0.0, abs=1e-9)
    assert row.remark is not None
    assert "from 18:00 on" in row.remark
    asleep = at(day + DAY, "06:30")
    assert savings(store, tmp_path, equipment=CARS, now=asleep).rows == ()


SUN = Device("home.flat.solar", "flat", "Solar", DeviceKind.SOLAR)
BATTERY = Device("home.flat.battery", "flat", "Battery", DeviceKind.BATTERY)
FLOW = Channel("home.flat.battery.power", "flat", Quantity.POWER, Unit.KW, QUARTER, device=BATTERY.id)
BATTERIES = {"batteries": [{"name": "battery", "capacity_kwh": 10, "max_charge_kw": 5, "max_discharge_kw": 5}]}


def test_a_battery_is_told_by_whole_days_beside_one_at_rest(store: MemoryStore, tmp_path: Path) -> None:
    """It takes 2 kW from 02:00 to 04:00 and gives 1 kW from 18:00 to 20:00, at home where 3 kW and 0.5 kW are drawn."""
    store.register([], [FLOW], devices=[BATTERY])
    begin, day = at(date(2026, 11, 19), "00:00"), date(2026, 11, 19)
    power = [0.0] * 96
    power[8:16], power[72:80] = [2.0] * 8, [-1.0] * 8
    store.append(rows(FLOW, begin, power))
    drawn = [1.0] * 24
    drawn[2:4], drawn[18:20] = [3.0] * 2, [0.5] * 2
    store.append(rows(METER, begin, drawn))
    found = savings(store, tmp_path, equipment=BATTERIES, window=Window(begin, NOW))
    first, second = found.rows
    assert (first.kind, first.day, first.device) == ("battery", day, BATTERY.id)
    assert first.cost == pytest.approx(4 * 0.14 - 2 * 0.34)
    assert first.saved_money == pytest.approx(2 * 0.34 - 4 * 0.14)
    assert (first.energy_kwh, first.shifted_kwh) == pytest.approx((4.0, 2.0))
    assert (second.cost, second.saved_money, second.remark) == (None, None, "Some of its readings are missing.")
    assert found.total.n_priced == 1


def test_a_battery_of_a_time_without_plans_is_compared_with_itself(tmp_path: Path) -> None:
    store, begin = MemoryStore(), at(date(2026, 11, 19), "00:00")
    furnish(store, with_plans=False)
    store.register([], [FLOW], devices=[BATTERY])
    store.append(rows(FLOW, begin, [1.0] * 96))
    store.append(rows(METER, begin, [2.0] * 24))
    (row, _) = savings(store, tmp_path, equipment=BATTERIES, window=Window(begin, NOW)).rows
    assert row.cost == pytest.approx(8 * 0.14 + 16 * 0.34)
    assert (row.saved_money, row.shifted_kwh, row.n_planned) == (0.0, 0.0, 0)


def test_sun_that_is_not_metered_leaves_the_cost_unknown_and_says_so(store: MemoryStore, tmp_path: Path) -> None:
    store.register([], [], devices=[SUN])
    store.forget([METER.id], with_readings=True)
    bare = replace(HOME, main_channel=None)
    tariffs, equipment_file = Tariffs(tmp_path), EquipmentFile(tmp_path)
    tariffs.keep("flat", DAY_AND_NIGHT)
    equipment_file.keep("flat", EQUIPMENT)
    found = home_savings(store, tariffs, equipment_file, bare, NOVEMBER, now=NOW)
    assert found.total.cost is None
    assert found.total.energy_kwh == pytest.approx(20 * 1.2)
    assert any("Nothing meters the home" in each for each in found.remarks)


def test_a_price_that_is_not_published_is_not_forecast_and_its_runs_are_in_no_sum(
    store: MemoryStore, tmp_path: Path
) -> None:
    store.register([MARKET.site], [PRICE])
    store.append(rows(PRICE, at(FIRST_PLAN + DAY, "12:00"), [100.0] * 72, ahead=True))  # EUR/MWh, from the 18th on
    found = savings(store, tmp_path, tariff=DYNAMIC)
    first, second = with_plan(found)[:2]
    assert (first.cost, first.energy_kwh) == pytest.approx((None, 1.2))
    assert second.cost == pytest.approx(1.2 * 1.19 * (0.1 + 0.02 + 0.1))
    assert found.total.n_priced == N_PLANNED - 1
    assert any("a price" in each for each in found.remarks)


def test_without_a_carbon_intensity_money_alone_is_told(tmp_path: Path) -> None:
    store = MemoryStore()
    furnish(store)
    store.forget([CARBON.id], with_readings=True)
    rank = carbon_channel(REGION, "watttime", CarbonKind(Basis.INDEX), HOUR)
    store.register([], [rank])
    store.append(rows(rank, at(FIRST_PLAN, "00:00"), [40.0] * 90))  # a rank among hours is no amount
    found = savings(store, tmp_path)
    assert (found.carbon, found.total.carbon_kg, found.total.saved_carbon_kg) == (None, None, None)
    assert found.total.saved_money == pytest.approx(N_PLANNED * 0.24)
    assert any("no CO2 is counted" in each for each in found.remarks)


def test_a_home_without_a_tariff_or_without_equipment_says_how_to_give_it_some(
    store: MemoryStore, tmp_path: Path
) -> None:
    tariffs, equipment_file = Tariffs(tmp_path), EquipmentFile(tmp_path)
    with pytest.raises(UnknownName, match="watthour tariff set flat"):
        home_savings(store, tariffs, equipment_file, HOME, NOVEMBER, now=NOW)
    tariffs.keep("flat", DAY_AND_NIGHT)
    with pytest.raises(UnknownName, match="watthour home equip flat"):
        home_savings(store, tariffs, equipment_file, HOME, NOVEMBER, now=NOW)
    equipment_file.keep("flat", EQUIPMENT)
    assert home_savings(store, tariffs, equipment_file, HOME, NOVEMBER, now=NOW).total.n_runs == N_PLANNED + N_UNPLANNED


def test_a_time_that_lies_ahead_or_is_too_long_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="lies ahead"):
        savings(store, tmp_path, window=Window(NOW + DAY, NOW + 2 * DAY))
    with pytest.raises(InvalidInput, match="too long"):
        savings(store, tmp_path, window=Window(NOW - 1200 * DAY, NOW))


def test_a_thing_without_a_device_is_named(store: MemoryStore, tmp_path: Path) -> None:
    said = {"appliances": [*EQUIPMENT["appliances"], {"name": "mixer", "power_kw": 1, "minutes": 30}]}
    found = savings(store, tmp_path, equipment=said)
    assert any("Nothing tells when mixer ran" in each for each in found.remarks)
    assert found.total.n_runs == N_PLANNED + N_UNPLANNED


def test_the_first_plan_is_found_among_many(store: MemoryStore) -> None:
    assert first_plan_at(store, "flat", NOW) == at(FIRST_PLAN, "18:00")
    assert first_plan_at(store, "flat", at(FIRST_PLAN, "18:00")) is None
