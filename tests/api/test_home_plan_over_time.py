"""What becomes of the plan of a home as time goes on: runs that are accepted, that do not begin, that fit no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from priced_home import DYNAMIC, NOW, furnish
from starlette.testclient import TestClient
from town import IMPATIENT, URL

from watthour.api.app import create_app
from watthour.core.channel import Channel, Device, DeviceKind
from watthour.core.errors import NoPlanFound
from watthour.core.frames import Readings
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.bootstrap import App

HOME = "/api/v1/homes/flat"
TONIGHT = "dishwasher-20261121-1"
DISHWASHER = {"name": "dishwasher", "power_kw": 1.2, "minutes": 105, "earliest": "21:00", "deadline": "07:00"}
CAR = {
    "name": "car", "energy_kwh": 12, "max_charge_kw": 11, "min_charge_kw": 1.4, "arrival": "18:00", "departure": "07:00"
}  # fmt: skip
BATTERY = {"name": "battery", "capacity_kwh": 5, "max_charge_kw": 2, "max_discharge_kw": 2}
PLUG = Channel(
    "home.flat.dishwasher.power", "flat", Quantity.POWER, Unit.KW, timedelta(minutes=15), device="home.flat.dishwasher"
)
STAY = "car-20261121-1"
ROD: dict[str, Any] = {"name": "rod", "power_kw": 2.0, "minutes": 60, "only_below": 0.2}


class Clock:
    """The present, which a test can move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def planned(empty: App, clock: Clock) -> Iterator[TestClient]:
    """A flat with prices that are published, a tariff and equipment."""
    furnish(empty.store, days=21)
    patient = replace(IMPATIENT, timeout_s=60.0)  # two cores may be busy with other tests
    with TestClient(create_app(empty, now=clock, limits=patient), base_url=URL) as opened:
        price(opened, DYNAMIC)
        equip(opened, appliances=[DISHWASHER], cars=[CAR], batteries=[BATTERY])
        yield opened


def plan(client: TestClient, **asked: object) -> dict[str, Any]:
    answer = client.post(f"{HOME}/plan", json=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def run_of(found: dict[str, Any], name: str = TONIGHT) -> dict[str, Any]:
    return next(run for run in found["runs"] if run["id"] == name)


def decide(client: TestClient, decision: str, run: str = TONIGHT) -> dict[str, Any]:
    answer = client.post(f"{HOME}/plan/runs/{run}", json={"decision": decision})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def bands(*said: tuple[str, float]) -> dict[str, Any]:
    told = [{"name": hours, "price": price, "hours": [hours]} for hours, price in said]
    return {"name": "Bands", "currency": "EUR", "import": {"kind": "time_of_use", "bands": told}}


CHEAP_FROM_MIDNIGHT = bands(("01:00-03:00", 0.1), ("03:00-01:00", 0.3))
CHEAP_FROM_FOUR = bands(("04:00-06:00", 0.1), ("06:00-04:00", 0.3))


def equip(client: TestClient, **said: object) -> None:
    answer = client.put(f"{HOME}/equipment", json={"hours": 24, **said})
    assert answer.status_code == 200, answer.text


def price(client: TestClient, tariff: dict[str, Any]) -> None:
    assert client.put(f"{HOME}/tariff", json={"tariff": tariff}).status_code == 200


def with_plug(app: App, client: TestClient) -> None:
    device = Device("home.flat.dishwasher", "flat", "Dishwasher", DeviceKind.DISHWASHER)
    app.store.register([], [PLUG], devices=[device])
    equip(client, appliances=[DISHWASHER | {"device": "dishwasher"}])


def keep(app: App, channel: Channel, first: datetime, values: list[float]) -> None:
    step = channel.resolution
    frame = pl.DataFrame({"time": [first + k * step for k in range(len(values))], "value": values}).with_columns(
        channel=pl.lit(channel.id),
        available_at=pl.col("time") + step,
        recorded_at=pl.col("time") + step,
        quality=pl.lit(0, pl.Int16),
    )
    app.store.append(Readings.validate(frame.select(Readings.column_names()), cast=True))


def measure(app: App, until: datetime, uses: list[tuple[datetime, float, int]]) -> None:
    """Let the plug tell, from twelve days before tonight, a run in each of the nights before and these uses."""
    tonight = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    first = tonight - timedelta(days=12)
    uses = [*uses, *((tonight - timedelta(days=n), 1.2, 105) for n in range(1, 9))]
    times = [first + k * PLUG.resolution for k in range((until - first) // PLUG.resolution)]
    keep(
        app,
        PLUG,
        first,
        [sum((kw for begin, kw, m in uses if begin <= time < begin + timedelta(minutes=m)), 0.0) for time in times],
    )


@pytest.mark.parametrize("minutes", [50, 70, 100, 140])
def test_an_accepted_run_that_does_not_begin_is_planned_anew_while_there_is_time(
    planned: TestClient, clock: Clock, empty: App, minutes: int
) -> None:
    with_plug(empty, planned)
    measure(empty, NOW, [])
    plan(planned)
    start = at(run_of(decide(planned, "accept"))["start"])
    clock.now = start + timedelta(minutes=minutes)
    measure(empty, clock.now, [])
    told = run_of(plan(planned))
    assert told["state"] == "planned"
    assert clock.now <= at(told["start"])
    assert at(told["end"]) <= at(told["deadline"])
    assert "accepted" not in told["reason"]


def test_a_door_that_is_opened_before_the_run_does_not_hide_it(planned: TestClient, clock: Clock, empty: App) -> None:
    with_plug(empty, planned)
    plan(planned)
    begin = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    clock.now = begin + timedelta(hours=3)
    measure(empty, clock.now, [(datetime(2026, 11, 21, 20, 15, tzinfo=UTC), 0.4, 15), (begin, 1.2, 105)])
    told = run_of(plan(planned))
    assert (told["state"], at(told["start"])) == ("done", begin)


def test_an_optional_run_for_which_no_time_is_left_does_not_stop_the_plan(planned: TestClient, clock: Clock) -> None:
    equip(planned, appliances=[ROD | {"earliest": "10:00", "deadline": "22:00"}])
    clock.now = datetime(2026, 11, 21, 20, 50, tzinfo=UTC)  # 21:50 there
    told = run_of(plan(planned), "rod-20261121-1")
    assert (told["start"], told["reason"]) == (None, "does not run: no time was left for it before 22:00")


@pytest.mark.parametrize("minutes", [0, 15])
def test_an_optional_run_may_end_near_the_end_of_the_plan(planned: TestClient, clock: Clock, minutes: int) -> None:
    equip(planned, appliances=[ROD | {"earliest": "10:00", "deadline": "22:00", "only_below": -1.0}])
    clock.now = datetime(2026, 11, 21, 21, tzinfo=UTC) + timedelta(minutes=minutes)  # the plan ends as late tomorrow
    told = plan(planned)
    assert told["at_once"]["cost"] == pytest.approx(told["cost"])  # neither runs


def test_what_all_at_once_costs_does_not_change_as_a_run_is_accepted(planned: TestClient) -> None:
    before = plan(planned)
    after = decide(planned, "accept")
    assert after["at_once"] == before["at_once"]
    assert run_of(after)["at_once"] == run_of(before)["at_once"]


@pytest.mark.parametrize("share", [6553.5, -1.0])
def test_a_reading_that_no_battery_can_tell_is_not_believed(planned: TestClient, empty: App, share: float) -> None:
    told = Channel("home.flat.battery.soc", "flat", Quantity.OCCUPANCY, Unit.PERCENT, timedelta(minutes=15))
    empty.store.register([], [told])
    keep(empty, told, NOW - told.resolution, [share])
    equip(planned, batteries=[BATTERY | {"channel": told.id}])
    remarks = plan(planned)["remarks"]
    said = f"What battery holds cannot be what its reading says, {share:g} %; 2.5 kWh are assumed, half of what it can."
    assert said in remarks


def test_a_run_for_which_there_is_no_time_is_refused_in_hours(planned: TestClient) -> None:
    changes = [{"name": "dishwasher", "deadline": "2026-11-21T20:30:00Z"}]
    detail = planned.post(f"{HOME}/plan", json={"changes": changes}).json()["detail"]
    assert detail.endswith("it takes 1.75 h, and 0.5 h of the plan are between its earliest begin and this")


def test_a_car_that_is_accepted_charges_within_its_hours_whatever_prices_do(planned: TestClient, clock: Clock) -> None:
    price(planned, bands(("01:00-03:00", 0.1), ("03:00-01:00", 0.3)))
    plan(planned)
    accepted = run_of(decide(planned, "accept", STAY), STAY)
    assert (accepted["state"], accepted["start"]) == ("accepted", "2026-11-22T00:00:00Z")
    price(planned, bands(("04:00-06:00", 0.1), ("06:00-04:00", 0.3)))
    for _ in range(3):
        clock.now += timedelta(minutes=31)
        told = plan(planned)
        later = run_of(told, STAY)
        assert accepted["start"] <= later["start"] < later["end"] <= accepted["end"]
        assert later["reason"].endswith("as was accepted")
    assert later["at_once"]["cost"] == pytest.approx(12 / 0.9 * 0.3, abs=0.15)  # as soon as it may
    undone = run_of(decide(planned, "undo", STAY), STAY)
    assert (undone["start"], "accepted" in undone["reason"]) == ("2026-11-22T03:00:00Z", False)


def test_a_car_that_was_accepted_and_got_nothing_charges_later(planned: TestClient, clock: Clock, empty: App) -> None:
    charger = replace(PLUG, id="home.flat.charger.power", device="home.flat.charger")
    device = Device("home.flat.charger", "flat", "Charger", DeviceKind.EV_CHARGER)
    empty.store.register([], [charger], devices=[device])
    equip(planned, cars=[CAR | {"device": "charger"}])
    price(planned, bands(("01:00-03:00", 0.1), ("03:00-01:00", 0.3)))
    plan(planned)
    accepted = run_of(decide(planned, "accept", STAY), STAY)
    clock.now = at(accepted["end"]) - timedelta(minutes=20)
    first = NOW - timedelta(days=3)
    keep(empty, charger, first, [0.0] * ((clock.now - first) // charger.resolution))
    told = plan(planned)
    car = next(each for each in told["things"] if each["name"] == "car")
    assert sum(car["power_kw"]) / 4 * 0.9 >= 12 - 1e-3
    assert "accepted" not in run_of(told, STAY)["reason"]


def test_a_plan_that_nobody_made_anew_for_hours_is_made_anew_for_who_asks(
    planned: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = plan(planned)
    clock.now = NOW + timedelta(hours=1)
    assert planned.get(f"{HOME}/plan").json()["made_at"] == first["made_at"]
    clock.now = NOW + timedelta(hours=2)
    assert at(planned.get(f"{HOME}/plan").json()["made_at"]) == clock.now
    clock.now = NOW + timedelta(hours=5)

    def finds_none(*_said: object, **_more: object) -> None:
        raise NoPlanFound("no plan was found", remedy="Ask for less.")

    monkeypatch.setattr("watthour.workflows.home_plan.HomePlanner.plan", finds_none)
    assert at(planned.get(f"{HOME}/plan").json()["made_at"]) == NOW + timedelta(hours=2)  # the last one, with its age
