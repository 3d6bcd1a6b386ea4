"""What others are told of a home, from what a store holds: what is not known is told as unknown, with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import saving_home
from builders import forecasts
from priced_home import BERLIN, FLAT, FLAT_RATE, MARKET, METER, NOW, PRICE, furnish, rows

from watthour.core.bulletin import Bulletin, Entry
from watthour.core.carbon import Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.errors import InvalidInput
from watthour.core.frames import Maker
from watthour.core.place import Place
from watthour.core.units import Unit
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.registry.files import FileRegistry
from watthour.sources.mqtt.discovery import attributes_of
from watthour.store.memory import MemoryStore
from watthour.workflows.equipment import EquipmentFile, set_equipment
from watthour.workflows.home_ahead import Sources
from watthour.workflows.home_bulletin import Desk, home_bulletin, plan_blanks, plan_entries, real_homes
from watthour.workflows.home_plan import Asked, HomePlanner
from watthour.workflows.kept_tariffs import Tariffs
from watthour.workflows.saved_so_far import SavedSoFar
from watthour.workflows.savings import home_savings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from watthour.core.channel import Channel, Site

HOUR_NOW = NOW.replace(minute=0)
ZONED = replace(FLAT, zone=MARKET.site.zone or MARKET.site.id)
EQUIPMENT: dict[str, Any] = {
    "appliances": [{"name": "Dish-washer", "power_kw": 1.0, "minutes": 60, "earliest": "20:00", "deadline": "07:00"}],
    "cars": [{"name": "car", "energy_kwh": 8.0, "arrival": "18:00", "departure": "07:00", "max_charge_kw": 7.4}],
}
KIND = CarbonKind(Basis.AVERAGE, Scope.LIFECYCLE, Side.PRODUCTION)
CARBON = carbon_channel(MARKET.site, "mix", KIND, HOUR)
INDEX = carbon_channel(MARKET.site, "watttime", CarbonKind(Basis.INDEX), HOUR)


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    furnish(found)
    found.register([ZONED], [METER])
    return found


@pytest.fixture
def desk(store: MemoryStore, tmp_path: Path) -> Desk:
    registry, tariffs = FileRegistry(tmp_path / "models"), Tariffs(tmp_path)
    planner = HomePlanner(Sources(store, registry, (), tariffs), EquipmentFile(tmp_path), tmp_path)
    return Desk(store, registry, tariffs, planner, SavedSoFar(store, tariffs, planner.equipment_file))


def told(desk: Desk, now: datetime = NOW, home: Site = ZONED) -> dict[str, Entry]:
    return {entry.key: entry for entry in home_bulletin(desk, home, now=now).entries}


def foresee(store: MemoryStore, channel: Channel, value: float, *, issued_at: datetime, n_hours: int = 40) -> None:
    said = forecasts(
        *[value] * n_hours, channel=channel.id, start=HOUR_NOW, issued_at=issued_at, model="v1", maker=Maker.OWN
    )
    store.append_forecasts(said)


def add_carbon(store: MemoryStore, channel: Channel = CARBON, *, grams: float = 400.0, until: datetime) -> None:
    store.register([MARKET.site], [channel])
    store.append(rows(channel, until - 48 * HOUR, [grams] * 48))


def test_a_home_that_is_only_metered_tells_what_it_drew_and_nothing_it_cannot_know(desk: Desk) -> None:
    found = told(desk)
    assert set(found) == {"power_next_hour", "energy_rest_of_today", "energy_tomorrow", "energy_month"}
    month = found["energy_month"]
    assert (month.value, month.more) == (240.0, {"missing_hours": 256.0})  # of 20 days and 16 hours
    assert month.since == datetime(2026, 10, 31, 23, tzinfo=UTC)  # midnight in Berlin
    assert found["energy_tomorrow"].value is None  # and not zero
    assert "watthour doctor" in str(found["energy_tomorrow"].more["why"])


def test_the_hours_ahead_are_those_of_the_last_forecast(desk: Desk, store: MemoryStore) -> None:
    foresee(store, METER, 9.0, issued_at=HOUR_NOW - 3 * HOUR)
    foresee(store, METER, 2.0, issued_at=HOUR_NOW)
    found = told(desk)
    assert found["power_next_hour"].value == 2.0
    assert found["energy_rest_of_today"].value == 15.0  # from 16:30 to midnight
    assert found["energy_tomorrow"].value == 48.0
    hours: Sequence[Mapping[str, Any]] = found["power_next_hour"].more["hours"]  # type: ignore[assignment]  # JSON
    assert hours[0] == {"start": "2026-11-21T15:00:00Z", "value": 2.0}
    assert len(hours) == 32


def test_what_a_forecast_does_not_reach_is_unknown(desk: Desk, store: MemoryStore) -> None:
    foresee(store, METER, 2.0, issued_at=HOUR_NOW, n_hours=10)
    found = told(desk)
    assert found["energy_rest_of_today"].value == 15.0
    assert found["energy_tomorrow"].value is None


def test_a_forecast_that_nobody_has_renewed_for_half_a_day_is_told_no_more(desk: Desk, store: MemoryStore) -> None:
    foresee(store, METER, 2.0, issued_at=HOUR_NOW)
    assert told(desk, NOW + 11 * HOUR)["power_next_hour"].value == 2.0
    assert told(desk, NOW + 13 * HOUR)["power_next_hour"].value is None


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_tomorrow_has_the_hours_of_a_day_on_which_the_clock_is_changed(day: date, hours: int, desk: Desk) -> None:
    now = local_midnight(day, BERLIN) - 6 * HOUR
    said = forecasts(*[1.0] * 48, channel=METER.id, start=now, issued_at=now, model="v1", maker=Maker.OWN)
    desk.store.append_forecasts(said)
    found = told(desk, now)
    assert found["energy_tomorrow"].value == hours
    assert found["energy_rest_of_today"].value == 6.0


def test_price_and_cost_come_with_a_tariff_in_its_currency(desk: Desk) -> None:
    desk.tariffs.keep("flat", FLAT_RATE)
    found = told(desk)
    price, cost = found["price"], found["cost_month"]
    assert (price.value, price.unit, price.more["is_forecast"]) == (0.25, "EUR/kWh", False)
    assert (cost.value, cost.unit) == (60.0, "EUR")
    assert cost.more == {"missing_hours": 256.0, "is_complete": False}
    desk.tariffs.forget("flat")
    assert not {"price", "cost_month"} & told(desk).keys()


def test_a_price_that_nobody_knows_is_unknown(desk: Desk) -> None:
    said = {"name": "Hourly", "currency": "EUR", "import": {"kind": "dynamic", "channel": PRICE.id}}
    desk.tariffs.keep("flat", said)
    assert told(desk)["price"].value is not None
    assert told(desk, NOW - 400 * DAY)["price"].value is None


def test_carbon_is_told_as_it_is_else_as_it_is_forecast_else_as_it_was_for_half_a_day(
    desk: Desk, store: MemoryStore
) -> None:
    assert "carbon" not in told(desk)
    add_carbon(store, until=HOUR_NOW + HOUR)
    late = HOUR_NOW + HOUR
    assert told(desk, late)["carbon"].value == 400.0
    assert told(desk, late)["carbon"].unit == "gCO2eq/kWh"
    foresee(store, CARBON, 250.0, issued_at=HOUR_NOW + HOUR)
    found = told(desk, NOW + 2 * HOUR)["carbon"]
    assert (found.value, found.more["how"], found.more["kind"]) == (250.0, "forecast", KIND.words)
    hours: Sequence[Mapping[str, Any]] = found.more["hours"]  # type: ignore[assignment]  # JSON
    assert hours[0] == {"start": "2026-11-21T17:00:00Z", "value": 250.0}
    assert told(desk, NOW + 60 * HOUR)["carbon"].value is None


def test_the_emissions_of_the_month_are_of_what_has_an_intensity(desk: Desk, store: MemoryStore) -> None:
    add_carbon(store, until=HOUR_NOW)
    found = told(desk)["carbon_month"]
    assert found.value == pytest.approx(48 * 0.4)
    assert found.more["missing_hours"] == 496.0 - 48.0


def test_where_days_begin_within_an_hour_of_the_meter_its_whole_hours_are_told(desk: Desk, store: MemoryStore) -> None:
    home = replace(ZONED, place=Place("Asia/Kolkata"))
    store.register([home], [METER])
    desk.tariffs.keep("flat", FLAT_RATE)
    found = told(desk, home=home)
    assert (found["energy_month"].value, found["cost_month"].value) == (240.0, 60.0)


def test_carbon_finer_than_the_meter_counts_by_its_mean(desk: Desk, store: MemoryStore) -> None:
    fine = carbon_channel(MARKET.site, "mix", KIND, HOUR / 2)
    store.register([MARKET.site], [fine])
    store.append(rows(fine, HOUR_NOW - 10 * DAY, [100.0, 300.0] * 240))
    assert told(desk)["carbon_month"].value == pytest.approx(48.0)


def test_equipment_and_a_tariff_that_cannot_be_read_leave_the_rest_told_and_say_why(desk: Desk) -> None:
    desk.planner.equipment_file.keep("flat", {"appliances": [{"name": "x", "deadline": "25:00"}]})
    desk.tariffs.keep("flat", {"name": "odd"})
    found = told(desk)
    assert found["energy_month"].value == 240.0
    for each in ("plan", "price"):
        assert found[each].value is None
        assert found[each].more["why"]


@pytest.mark.parametrize(("file", "lost"), [("equipment.json", "plan"), ("tariffs.json", "price")])
def test_a_file_that_is_wholly_damaged_leaves_the_rest_told_and_says_why(
    desk: Desk, tmp_path: Path, file: str, lost: str
) -> None:
    (tmp_path / file).write_text("{ not JSON at all")
    found = told(desk)
    assert found["energy_month"].value == 240.0
    assert found[lost].value is None
    assert str(tmp_path / file) in str(found[lost].more["why"])


def test_equipment_of_one_home_that_is_no_table_is_named_and_that_of_others_is_read(tmp_path: Path) -> None:
    (tmp_path / "equipment.json").write_text(json.dumps({"version": 1, "equipment": {"flat": 7, "house": EQUIPMENT}}))
    file = EquipmentFile(tmp_path)
    assert file.said("house") == EQUIPMENT
    with pytest.raises(InvalidInput, match="it is no table of equipment") as told:
        file.said("flat")
    assert "watthour home equip flat FILE" in told.value.remedy
    file.keep("flat", EQUIPMENT)
    assert file.said("flat") == EQUIPMENT


def test_what_plans_have_saved_this_month_is_told_in_money_and_co2_as_the_ledger_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HomePlanner, "in_force", lambda *_home, **_now: None)  # its plans are made for the ledger alone
    store = MemoryStore()
    saving_home.furnish(store)
    registry, tariffs, file = FileRegistry(tmp_path / "models"), Tariffs(tmp_path), EquipmentFile(tmp_path)
    planner = HomePlanner(Sources(store, registry, (), tariffs), file, tmp_path)
    mine = Desk(store, registry, tariffs, planner, SavedSoFar(store, tariffs, file))
    tariffs.keep("flat", saving_home.DAY_AND_NIGHT)
    file.keep("flat", saving_home.EQUIPMENT)
    month = Window(local_midnight(date(2026, 11, 1), BERLIN), HOUR_NOW)
    ledger = home_savings(store, tariffs, file, saving_home.HOME, month, now=NOW).total
    found = {each.key: each for each in home_bulletin(mine, saving_home.HOME, now=NOW).entries}
    money, carbon = found["saved_month"], found["saved_carbon_month"]
    assert money.value == pytest.approx(ledger.saved_money)
    assert (money.unit, money.since) == ("EUR", month.start)
    assert carbon.value == pytest.approx(ledger.saved_carbon_kg)
    assert ledger.saved_money
    assert (money.more["n_planned"], money.more["against"]) == (saving_home.N_PLANNED, "starting at once")
    tariffs.keep(
        "flat", saving_home.DAY_AND_NIGHT | {"name": "Dearer by day", "import": {"kind": "flat", "price": 1.0}}
    )
    again = {each.key: each for each in home_bulletin(mine, saving_home.HOME, now=NOW).entries}
    assert again["saved_month"].value == pytest.approx(0.0)  # a change of the tariff is seen at once


def test_prices_of_five_minutes_are_told_by_quarters_so_that_home_assistant_keeps_them(
    desk: Desk, store: MemoryStore
) -> None:
    fine = replace(PRICE, id="grid.market.five", resolution=timedelta(minutes=5))
    begin = HOUR_NOW - HOUR
    store.register([], [fine])
    store.append(rows(fine, begin, [100.0, 200.0, 300.0] * 4 * 48, ahead=True))
    said = {"name": "Five", "currency": "EUR", "import": {"kind": "dynamic", "channel": fine.id}}
    desk.tariffs.keep("flat", said)
    price = told(desk, NOW + timedelta(minutes=5))["price"]
    steps: Sequence[Mapping[str, Any]] = price.more["steps"]  # type: ignore[assignment]  # JSON
    assert price.value == pytest.approx(0.2)
    assert steps[0] == {"start": "2026-11-21T15:35:00Z", "value": 0.25}
    assert steps[1] == {"start": "2026-11-21T15:45:00Z", "value": 0.2}
    assert json.loads(attributes_of(price))["steps"] == steps


def test_a_rank_is_no_intensity_and_co2_alone_keeps_its_unit(desk: Desk, store: MemoryStore) -> None:
    add_carbon(store, INDEX, grams=40.0, until=HOUR_NOW)
    assert "carbon" not in told(desk)
    alone = carbon_channel(MARKET.site, "elia", KIND, HOUR, Unit.GRAM_CO2_PER_KWH)
    add_carbon(store, alone, until=HOUR_NOW)
    found = told(desk)
    assert (found["carbon"].value, found["carbon"].unit) == (400.0, "gCO2/kWh")
    assert found["carbon_month"].more["of"] == "gCO2/kWh"


def test_in_the_first_minutes_of_a_month_nothing_was_drawn_yet_and_that_is_unknown(desk: Desk) -> None:
    now = local_midnight(date(2026, 12, 1), BERLIN) + timedelta(minutes=5)
    month = told(desk, now)["energy_month"]
    assert month.value is None
    assert "just begun" in str(month.more["why"])
    assert month.since == local_midnight(date(2026, 12, 1), BERLIN)


def test_an_invented_home_is_told_nobody(store: MemoryStore) -> None:
    store.register([replace(FLAT, id="simhome", name="Simhome", main_channel=None, is_simulated=True)], [])
    assert [home.id for home in real_homes(store)] == ["flat"]


def run(n: int, state: str = "planned", *, name: str = "Spüler/1 +", begin: float = 4.0) -> dict[str, Any]:
    start, end = NOW + begin * HOUR, NOW + (begin + 2) * HOUR
    return {
        "id": f"run-{n}",
        "name": name,
        "kind": "appliance",
        "device": None,
        "start": None if state == "skipped" else start.isoformat(),
        "end": None if state == "skipped" else end.isoformat(),
        "energy_kwh": 2.1,
        "cost": 0.38,
        "carbon_kg": None,
        "reason": "cheapest 2 h before 07:00",
        "state": state,
        "earliest": start.isoformat(),
        "deadline": (NOW + (begin + 6) * HOUR).isoformat(),
    }


def plan(*runs: dict[str, Any]) -> dict[str, Any]:
    n_steps = 8
    return {
        "made_at": NOW.isoformat(),
        "status": "solved",
        "currency": "EUR",
        "cost": 1.62,
        "carbon_kg": None,
        "peak_kw": 3.1,
        "at_once": {"cost": 1.9, "carbon_kg": None},
        "remarks": [],
        "step_minutes": 15.0,
        "time": [(NOW + n * timedelta(minutes=15)).isoformat() for n in range(n_steps)],
        "import_kw": [0.0, 1.0, 2.0, 1.0, 4.0, 4.0, 4.0, 4.0],
        "runs": list(runs),
    }


def of_plan(*runs: dict[str, Any], now: datetime = NOW) -> dict[str, Entry]:
    blanks = plan_blanks(["Spüler/1 +", "car"])
    found = plan_entries(plan(*runs), now=now)
    assert found.keys() <= {each.key for each in blanks}
    return {
        each.key: replace(each, value=found[each.key].value, run=found[each.key].run, more=found[each.key].more)
        if each.key in found
        else each
        for each in blanks
    }


def key(found: Mapping[str, Entry], what: str) -> Entry:
    return next(each for name, each in found.items() if name.startswith(f"{what}_sp"))


def test_of_a_plan_each_thing_tells_its_next_run_and_can_be_ordered_about() -> None:
    found = of_plan(run(0, "running", begin=-1.0), run(2, begin=28.0), run(1, "accepted"))
    assert key(found, "start").value == NOW + 4 * HOUR
    assert key(found, "start").more["reason"] == "cheapest 2 h before 07:00"
    assert (key(found, "accept").value, key(found, "skip").value) == (True, False)
    assert key(found, "accept").run == key(found, "skip").run == "run-1"
    assert (found["plan"].value, found["plan"].more["grid_kw"]) == (
        NOW,
        [{"start": NOW.isoformat(), "value": 1.0}, {"start": (NOW + HOUR).isoformat(), "value": 4.0}],
    )
    car = [found[f"{what}_car"] for what in ("start", "accept", "skip")]
    assert [(each.value, each.run) for each in car] == [(None, None)] * 3


def test_a_run_that_is_skipped_can_be_had_back_until_its_deadline_and_the_next_start_is_that_of_the_next() -> None:
    runs = (run(1, "skipped"), run(2, begin=28.0))
    found = of_plan(*runs)
    assert key(found, "start").value == NOW + 28 * HOUR
    assert (key(found, "skip").value, key(found, "skip").run) == (True, "run-1")
    later = of_plan(*runs, now=NOW + 11 * HOUR)
    assert (key(later, "skip").value, key(later, "skip").run) == (False, "run-2")


def test_a_home_without_a_plan_tells_why_and_with_one_its_runs_can_be_decided(desk: Desk) -> None:
    set_equipment(desk.store, desk.planner.equipment_file, ZONED, EQUIPMENT)
    found = told(desk)
    assert [found[each].value for each in ("plan", "start_dish_washer", "skip_car")] == [None] * 3
    assert "watthour tariff set flat" in str(found["plan"].more["why"])
    desk.tariffs.keep("flat", FLAT_RATE)
    assert "watthour home plan flat" in str(told(desk)["plan"].more["why"])
    made = desk.planner.plan(ZONED, Asked(), now=NOW)
    found = told(desk)
    assert found["plan"].value == datetime.fromisoformat(made["made_at"])
    first = found["skip_dish_washer"]
    assert (first.value, first.run in {run["id"] for run in made["runs"]}) == (False, True)
    assert isinstance(found["start_dish_washer"].value, datetime)
    desk.planner.decide(ZONED, str(first.run), "skip", now=NOW)
    after = told(desk)
    assert (after["skip_dish_washer"].value, after["skip_dish_washer"].run) == (True, first.run)
    assert after["start_dish_washer"].value != found["start_dish_washer"].value
    desk.planner.equipment_file.forget("flat")
    assert not [key for key in told(desk) if key.startswith(("plan", "start", "accept", "skip"))]


def test_a_bulletin_names_its_home(desk: Desk) -> None:
    found = home_bulletin(desk, ZONED, now=NOW)
    assert isinstance(found, Bulletin)
    assert (found.home, found.name) == ("flat", "Flat")
    assert len({entry.key for entry in found.entries}) == len(found.entries)
