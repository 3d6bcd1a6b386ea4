"""The equipment and the plan of a home over HTTP: made of its own tariff and prices, changed, decided, refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from priced_home import DYNAMIC, FLAT_RATE, NOW, furnish
from starlette.testclient import TestClient
from town import IMPATIENT, URL

from watthour.api.app import create_app
from watthour.core.channel import Channel, Device, DeviceKind
from watthour.core.frames import Readings
from watthour.core.units import Quantity, Unit
from watthour.workflows.home_ahead import look_at_home
from watthour.workflows.home_plan import Asked, Asking, HomePlanner
from watthour.workflows.homes import home_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from watthour.bootstrap import App
    from watthour.core.channel import Site
    from watthour.workflows.equipment import Equipment
    from watthour.workflows.home_ahead import HomeAhead, Sources

HOME = "/api/v1/homes/flat"
DISHWASHER: dict[str, Any] = {
    "name": "dishwasher", "power_kw": 1.2, "minutes": 105, "earliest": "21:00", "deadline": "07:00",
}  # fmt: skip
CAR: dict[str, Any] = {"name": "car", "energy_kwh": 12, "max_charge_kw": 11, "min_charge_kw": 1.4} | {
    "arrival": "18:00",
    "departure": "07:00",
}
BATTERY: dict[str, Any] = {"name": "battery", "capacity_kwh": 5, "max_charge_kw": 2, "max_discharge_kw": 2}
EQUIPMENT: dict[str, Any] = {"appliances": [DISHWASHER], "cars": [CAR], "batteries": [BATTERY], "hours": 24}
TONIGHT = "dishwasher-20261121-1"
PLUG = Channel(
    "home.flat.dishwasher.power", "flat", Quantity.POWER, Unit.KW, timedelta(minutes=15), device="home.flat.dishwasher"
)


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
def flat(empty: App, clock: Clock) -> Iterator[TestClient]:
    """A flat with prices that are published, not yet planned."""
    furnish(empty.store, days=21)
    patient = replace(IMPATIENT, timeout_s=60.0)  # two cores may be busy with other tests
    with TestClient(create_app(empty, now=clock, limits=patient), base_url=URL) as opened:
        yield opened


@pytest.fixture
def planned(flat: TestClient) -> TestClient:
    """The flat with a tariff and equipment."""
    assert flat.put(f"{HOME}/tariff", json={"tariff": DYNAMIC}).status_code == 200
    assert flat.put(f"{HOME}/equipment", json=EQUIPMENT).status_code == 200
    return flat


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


def bands(*said: tuple[str, float]) -> dict[str, Any]:
    told = [{"name": hours, "price": price, "hours": [hours]} for hours, price in said]
    return {"name": "Bands", "currency": "EUR", "import": {"kind": "time_of_use", "bands": told}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_home_without_equipment_or_tariff_says_how_to_get_a_plan(flat: TestClient) -> None:
    answer = flat.get(f"{HOME}/plan")
    assert (answer.status_code, "watthour home equip flat" in answer.json()["remedy"]) == (404, True)
    assert flat.get(f"{HOME}/equipment").status_code == 404
    assert flat.put(f"{HOME}/equipment", json=EQUIPMENT).status_code == 200
    answer = flat.get(f"{HOME}/plan")
    assert (answer.status_code, "watthour tariff set flat" in answer.json()["remedy"]) == (404, True)
    assert flat.put(f"{HOME}/tariff", json={"tariff": FLAT_RATE}).status_code == 200
    assert flat.get(f"{HOME}/plan").status_code == 200


def test_equipment_is_told_as_it_was_said_and_can_be_taken_away(planned: TestClient) -> None:
    assert planned.get(f"{HOME}/equipment").json() == {"home": "flat", "equipment": EQUIPMENT}
    assert planned.delete(f"{HOME}/equipment").json() == {"home": "flat", "was_there": True}
    assert planned.delete(f"{HOME}/equipment").json() == {"home": "flat", "was_there": False}
    assert planned.get(f"{HOME}/plan").status_code == 404


def test_the_first_plan_is_made_and_kept_and_begins_with_the_next_quarter(planned: TestClient, empty: App) -> None:
    told = planned.get(f"{HOME}/plan").json()
    assert at(told["start"]) == NOW  # which is a quarter
    assert (len(told["time"]), told["step_minutes"], told["currency"]) == (96, 15, "EUR")
    night = run_of(told)
    assert at(night["earliest"]) == datetime(2026, 11, 21, 20, tzinfo=UTC)
    assert at(night["earliest"]) <= at(night["start"])
    assert at(night["end"]) - at(night["start"]) == timedelta(minutes=105)
    assert at(night["end"]) <= at(night["deadline"])
    assert (night["state"], night["energy_kwh"], night["is_estimated"]) == ("planned", pytest.approx(2.1), True)
    assert told["cost"] + told["wear"] <= told["at_once"]["cost"]
    assert night["cost"] <= night["at_once"]["cost"]
    assert told["carbon"] is None
    assert told["carbon_kg"] is None
    assert any("money alone" in remark for remark in told["remarks"])
    assert [kept.content["made_at"] for kept in empty.store.plans("flat")] == [told["made_at"]]


def test_the_run_is_at_the_cheapest_time_of_its_window(planned: TestClient) -> None:
    told = planned.get(f"{HOME}/plan").json()
    first, last = (at(told["runs"][0][edge]) for edge in ("earliest", "deadline"))
    night = run_of(told)
    price = dict(zip(told["time"], told["import_price"], strict=True))
    times = [time for time in told["time"] if first <= at(time) <= last - timedelta(minutes=105)]
    start = told["time"].index(night["start"])
    sums = [sum(list(price.values())[told["time"].index(each) + k] for k in range(7)) for each in times]
    assert sum(told["import_price"][start : start + 7]) == pytest.approx(min(sums), abs=0.02)


def test_a_deadline_is_changed_for_one_run_and_stays_changed_in_the_plans_that_follow(
    planned: TestClient, clock: Clock
) -> None:
    plan(planned)
    told = plan(planned, changes=[{"name": "dishwasher", "deadline": "2026-11-22T00:00:00"}])
    midnight = datetime(2026, 11, 21, 23, tzinfo=UTC)
    assert at(run_of(told)["deadline"]) == midnight
    assert at(run_of(told)["end"]) <= midnight
    clock.now += timedelta(minutes=30)
    assert at(run_of(plan(planned))["deadline"]) == midnight


def test_a_plan_that_is_only_shown_is_not_kept(planned: TestClient) -> None:
    before = planned.get(f"{HOME}/plan").json()
    shown = plan(planned, keep=False, changes=[{"name": "dishwasher", "skip": True}])
    assert run_of(shown)["state"] == "skipped"
    after = planned.get(f"{HOME}/plan").json()
    assert (run_of(after)["state"], after["made_at"]) == ("planned", before["made_at"])


def test_a_skipped_run_does_not_run_until_that_is_undone(planned: TestClient, clock: Clock) -> None:
    planned.get(f"{HOME}/plan")
    skipped = run_of(decide(planned, "skip"))
    assert (skipped["state"], skipped["start"], skipped["cost"]) == ("skipped", None, 0)
    clock.now += timedelta(minutes=30)
    assert run_of(plan(planned))["state"] == "skipped"
    refused = planned.post(f"{HOME}/plan/runs/{TONIGHT}", json={"decision": "accept"})
    assert (refused.status_code, "Undo" in refused.json()["remedy"]) == (400, True)
    assert run_of(decide(planned, "undo"))["start"] is not None


def test_an_accepted_run_stays_where_it_is_whatever_prices_do(planned: TestClient, clock: Clock) -> None:
    told = planned.get(f"{HOME}/plan").json()
    accepted = run_of(decide(planned, "accept"))
    assert (accepted["state"], accepted["start"]) == ("accepted", run_of(told)["start"])
    evening = bands(("21:00-23:00", 0.1), ("23:00-21:00", 0.4))
    assert planned.put(f"{HOME}/tariff", json={"tariff": evening}).status_code == 200
    clock.now += timedelta(minutes=30)
    assert run_of(plan(planned))["start"] == accepted["start"]
    assert at(run_of(decide(planned, "undo"))["start"]) < datetime(2026, 11, 21, 22, tzinfo=UTC)


def test_a_new_plan_replaces_the_one_in_force_only_for_a_gain_above_the_threshold(
    planned: TestClient, clock: Clock
) -> None:
    """A run of 2.1 kWh is worth 0.04 less at another time, then 0.3."""
    assert planned.put(f"{HOME}/equipment", json={"appliances": [DISHWASHER], "hours": 24}).status_code == 200

    def begins(*said: tuple[str, float]) -> datetime:
        assert planned.put(f"{HOME}/tariff", json={"tariff": bands(*said)}).status_code == 200
        clock.now += timedelta(minutes=5)
        return at(run_of(plan(planned))["start"])

    first = begins(("21:00-00:00", 0.2), ("00:00-21:00", 0.3))
    assert first < datetime(2026, 11, 21, 22, tzinfo=UTC)
    assert begins(("21:00-00:00", 0.2), ("00:00-21:00", 0.18)) == first
    assert begins(("21:00-00:00", 0.2), ("00:00-21:00", 0.05)) >= datetime(2026, 11, 21, 23, tzinfo=UTC)


def test_a_change_of_the_tariff_makes_the_plan_anew(planned: TestClient, clock: Clock) -> None:
    before = planned.get(f"{HOME}/plan").json()
    clock.now += timedelta(minutes=5)
    assert planned.get(f"{HOME}/plan").json()["made_at"] == before["made_at"]
    assert planned.put(f"{HOME}/tariff", json={"tariff": FLAT_RATE}).status_code == 200
    after = planned.get(f"{HOME}/plan").json()
    assert after["made_at"] != before["made_at"]
    assert set(after["import_price"]) == {0.25}


def test_what_has_begun_stays_and_is_over_by_the_clock_where_nothing_measures_it(
    planned: TestClient, clock: Clock
) -> None:
    start = at(run_of(planned.get(f"{HOME}/plan").json())["start"])
    clock.now = start + timedelta(minutes=20)
    running = run_of(plan(planned))
    assert (running["state"], at(running["start"]), running["energy_kwh"]) == ("running", start, pytest.approx(2.1))
    begun = planned.post(f"{HOME}/plan/runs/{TONIGHT}", json={"decision": "skip"})
    assert (begun.status_code, "begun" in begun.json()["detail"]) == (400, True)
    clock.now = start + timedelta(minutes=120)
    done = run_of(plan(planned))
    assert (done["state"], at(done["start"]), done["is_estimated"]) == ("done", start, True)


def test_a_car_gets_what_it_needs_over_several_plans(planned: TestClient, clock: Clock) -> None:
    got = 0.0
    for _ in range(30):
        told = plan(planned)
        power = next((each["power_kw"] for each in told["things"] if each["name"] == "car"), [0.0] * 2)
        got += sum(power[:2]) / 4 * 0.9 if at(told["start"]) < datetime(2026, 11, 22, 6, tzinfo=UTC) else 0.0
        clock.now += timedelta(minutes=30)
    assert got == pytest.approx(12, abs=0.7)  # the last step has its least power


def test_a_run_that_a_plug_measured_is_told_as_it_was_and_another_is_not_planned(
    planned: TestClient, clock: Clock, empty: App
) -> None:
    device = Device("home.flat.dishwasher", "flat", "Dishwasher", DeviceKind.DISHWASHER)
    empty.store.register([], [PLUG], devices=[device])
    said = EQUIPMENT | {"appliances": [DISHWASHER | {"device": "dishwasher"}]}
    assert planned.put(f"{HOME}/equipment", json=said).status_code == 200
    begin = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
    measure(empty, begin)
    clock.now = begin + timedelta(minutes=45)
    running = run_of(plan(planned))
    assert (running["state"], at(running["start"]), running["is_estimated"]) == ("running", begin, False)
    clock.now = begin + timedelta(hours=4)
    measure(empty, begin, until=clock.now)
    done = run_of(plan(planned))
    assert (done["state"], at(done["start"]), done["energy_kwh"]) == ("done", begin, pytest.approx(2.1))


def measure(app: App, begin: datetime, *, until: datetime | None = None) -> None:
    """Let the plug tell ten days of rest, a run a day before, and one of 1.2 kW from an instant on."""
    until = until or begin + timedelta(minutes=45)
    first = begin - timedelta(days=10)
    times = [first + k * PLUG.resolution for k in range((until - first) // PLUG.resolution)]
    runs = [begin - timedelta(days=n) for n in range(4)]
    values = [1.2 if any(run <= time < run + timedelta(minutes=105) for run in runs) else 0.0 for time in times]
    frame = pl.DataFrame({"time": times, "value": values}).with_columns(
        channel=pl.lit(PLUG.id),
        available_at=pl.col("time") + PLUG.resolution,
        recorded_at=pl.col("time") + PLUG.resolution,
        quality=pl.lit(0, pl.Int16),
    )
    app.store.append(Readings.validate(frame.select(Readings.column_names()), cast=True))


def test_a_run_on_request_is_planned_as_it_is_asked_for(planned: TestClient) -> None:
    said = EQUIPMENT | {"appliances": [DISHWASHER | {"on_request": True}]}
    assert planned.put(f"{HOME}/equipment", json=said).status_code == 200
    assert [run["kind"] for run in planned.get(f"{HOME}/plan").json()["runs"]] == ["car"]
    told = plan(planned, changes=[{"name": "dishwasher"}])
    assert run_of(told)["start"] is not None


@pytest.mark.parametrize(
    ("asked", "field", "cure"),
    [
        ({"changes": [{"name": "dishwasher", "deadline": "2026-11-21T10:00:00Z"}]}, "deadline", "later"),
        ({"changes": [{"name": "dishwasher", "deadline": "2026-11-21T20:30:00Z"}]}, "deadline", "2026-11-21T21:45"),
        ({"changes": [{"name": "toaster"}]}, "changes.name", "dishwasher"),
        ({"weights": {"money": 0, "carbon": 0, "peak": 0}}, "weights", "money a weight"),
        ({"weights": {"money": 0, "carbon": 1}}, "weights.carbon", "money a weight"),
    ],
)
def test_what_cannot_be_is_refused_with_its_cure(
    planned: TestClient, asked: dict[str, Any], field: str, cure: str
) -> None:
    before = planned.get(f"{HOME}/plan").json()
    answer = planned.post(f"{HOME}/plan", json=asked)
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()["field"].endswith(field)
    assert cure in answer.json()["remedy"]
    assert planned.get(f"{HOME}/plan").json()["made_at"] == before["made_at"]


def test_equipment_that_cannot_be_is_refused_and_the_one_before_stays(planned: TestClient) -> None:
    for bad, field in (
        ({"batteries": [BATTERY | {"charge_efficiency": 1.3}]}, "batteries.battery.charge_efficiency"),
        ({"cars": [CAR | {"max_charge_kw": 0.5, "min_charge_kw": 0}]}, "cars.car.energy_kwh"),
        ({"appliances": [DISHWASHER | {"device": "toaster"}]}, "device"),
        ({"appliances": [DISHWASHER], "solar": {"channel": "home.flat.sun"}}, "solar.channel"),
    ):
        answer = planned.put(f"{HOME}/equipment", json=bad)
        assert answer.status_code in {400, 404}, answer.text
        assert answer.json()["field"] == field
    assert planned.get(f"{HOME}/equipment").json()["equipment"] == EQUIPMENT


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"appliances": 5}, "appliances"),
        ({"appliances": [5]}, "appliances.0"),
        ({"appliances": [DISHWASHER | {"minutes": float("inf")}]}, "appliances.dishwasher.minutes"),
        ({"appliances": [DISHWASHER | {"weekdays": 5}]}, "appliances.dishwasher.weekdays"),
        ({"appliances": [DISHWASHER | {"runs": "2"}]}, "appliances.dishwasher.runs"),
        ({"appliances": [DISHWASHER | {"name": 5}]}, "appliances.0.name"),
        ({"hours": "x"}, "hours"),
        ({"weights": {"x": 1}}, "weights.x"),
        ({"weights": 5}, "weights"),
        ({"solar": {}}, "solar.channel"),
        ({"batteries": [BATTERY | {"capacity_kwh": "x"}]}, "batteries.battery.capacity_kwh"),
    ],
)
def test_a_file_of_equipment_that_was_changed_by_hand_is_refused_by_its_field(
    planned: TestClient, empty: App, bad: dict[str, Any], field: str
) -> None:
    file = empty.settings.home / "equipment.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({**kept, "equipment": {"flat": EQUIPMENT | bad}}))
    for path in ("equipment", "plan"):
        answer = planned.get(f"{HOME}/{path}")
        assert (answer.status_code, answer.json()["field"]) == (400, f"equipment.json.flat.{field}")
        assert "watthour home equip flat FILE" in answer.json()["remedy"]
    assert planned.put(f"{HOME}/equipment", json=EQUIPMENT).status_code == 200
    assert planned.get(f"{HOME}/equipment").status_code == 200


def test_prices_that_look_a_thousand_times_off_are_asked_about(planned: TestClient) -> None:
    odd = {**FLAT_RATE, "import": {"kind": "flat", "price": 250}}
    assert planned.put(f"{HOME}/tariff", json={"tariff": odd, "confirm": True}).status_code == 200
    told = planned.get(f"{HOME}/plan").json()
    assert any(remark.startswith("Is import_price right? 250 EUR/kWh is") for remark in told["remarks"])


def test_choices_without_carbon_are_a_remark(planned: TestClient) -> None:
    told = plan(planned, with_choices=True)
    assert told["choices"] == []
    assert any(remark.startswith("There are no choices") for remark in told["remarks"])


def test_forty_appliances_are_planned_with_the_gap_said(planned: TestClient) -> None:
    many = [DISHWASHER | {"name": f"thing {n}", "power_kw": 0.2} for n in range(40)]
    assert planned.put(f"{HOME}/equipment", json={"appliances": many, "hours": 24}).status_code == 200
    told = plan(planned)
    assert len(told["runs"]) == 40
    assert told["gap"] is None or 0 <= told["gap"] < 0.2


def test_the_watts_and_the_dashboard_answer_from_the_plan(planned: TestClient, empty: App) -> None:
    device = Device("home.flat.dishwasher", "flat", "Dishwasher", DeviceKind.DISHWASHER)
    empty.store.register([], [], devices=[device])
    before = planned.get("/api/v1/optimization", params={"home": "flat"}).json()
    assert before["savings"] is None
    said = EQUIPMENT | {"appliances": [DISHWASHER | {"device": "dishwasher"}]}
    assert planned.put(f"{HOME}/equipment", json=said).status_code == 200
    told = planned.get(f"{HOME}/plan").json()
    saved = planned.get("/api/v1/optimization", params={"home": "flat"}).json()["savings"]
    assert saved["money"] == pytest.approx(told["at_once"]["cost"] - told["cost"] - told["wear"], abs=1e-3)
    assert (saved["currency"], saved["made_at"]) == ("EUR", told["made_at"])
    schedule = planned.get("/api/dashboard", params={"home": "flat"}).json()["optimization_schedule"]
    mine = next(each for each in schedule if each["device"] == "Dishwasher")
    assert at(mine["optimal_time"]) == at(run_of(told)["start"])
    assert mine["savings"] == pytest.approx(run_of(told)["at_once"]["cost"] - run_of(told)["cost"], abs=1e-3)


def test_what_is_foreseen_is_looked_up_once_for_changes_that_follow_each_other(
    planned: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[datetime] = []

    def counted(sources: Sources, home: Site, equipment: Equipment, *, hours: int, now: datetime) -> HomeAhead:
        looks.append(now)
        return look_at_home(sources, home, equipment, hours=hours, now=now)

    monkeypatch.setattr("watthour.workflows.home_plan.look_at_home", counted)
    clock.now += timedelta(minutes=1)
    first = plan(planned)
    clock.now += timedelta(seconds=30)
    second = plan(planned, changes=[{"name": "dishwasher", "skip": True}])
    assert len(looks) == 1
    assert len(second["remarks"]) == len(first["remarks"])  # none is told twice
    clock.now += timedelta(minutes=2)
    plan(planned)
    assert len(looks) == 2


WASHER: dict[str, Any] = {"name": "washer", "power_kw": 2.0, "minutes": 60, "deadline": "23:00", "on_request": True}
ASKED: list[dict[str, Any]] = [{"name": "washer"}]


def states(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(run["id"], run["state"]) for run in found["runs"] if run["name"] == "washer"]


@pytest.fixture
def washing(planned: TestClient) -> TestClient:
    """The flat with a washing machine on request, cheapest at once."""
    assert planned.put(f"{HOME}/equipment", json={"appliances": [WASHER], "hours": 24}).status_code == 200
    tariff = bands(("17:00-19:00", 0.1), ("19:00-17:00", 0.3))
    assert planned.put(f"{HOME}/tariff", json={"tariff": tariff}).status_code == 200
    return planned


def test_a_run_on_request_that_is_over_and_asked_for_again_is_a_new_one(washing: TestClient, clock: Clock) -> None:
    first = plan(washing, changes=ASKED)["runs"][0]
    clock.now = at(first["end"]) + timedelta(minutes=5)
    again = states(plan(washing, changes=ASKED))
    assert sorted(again) == [(first["id"], "done"), (first["id"][:-1] + "2", "planned")]


def test_a_run_on_request_that_was_skipped_and_is_asked_for_again_is_not_skipped(washing: TestClient) -> None:
    first = plan(washing, changes=ASKED)["runs"][0]
    assert states(decide(washing, "skip", first["id"])) == [(first["id"], "skipped")]
    assert states(plan(washing, changes=ASKED)) == [(first["id"], "planned")]


@pytest.mark.parametrize("minutes", [20, 120])
@pytest.mark.parametrize("name", [TONIGHT, "dishwasher"])
def test_what_has_begun_or_is_over_is_not_skipped_any_more(
    planned: TestClient, clock: Clock, minutes: int, name: str
) -> None:
    clock.now = at(run_of(plan(planned))["start"]) + timedelta(minutes=minutes)
    state = run_of(plan(planned))["state"]
    answer = planned.post(f"{HOME}/plan", json={"changes": [{"name": name, "skip": True}]})
    assert (answer.status_code, answer.json()["remedy"]) == (400, "Wait for its next run.")
    assert run_of(plan(planned))["state"] == state


@pytest.mark.parametrize("field", ["earliest", "deadline"])
@pytest.mark.parametrize("instant", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00"])
@pytest.mark.parametrize("name", ["dishwasher", "washer"])
def test_instants_far_from_now_are_refused(planned: TestClient, field: str, instant: str, name: str) -> None:
    said = EQUIPMENT | {"appliances": [*EQUIPMENT["appliances"], WASHER]}
    assert planned.put(f"{HOME}/equipment", json=said).status_code == 200
    answer = planned.post(f"{HOME}/plan", json={"changes": [{"name": name, field: instant}]})
    assert (answer.status_code, answer.json()["field"]) == (400, f"changes.{name}.{field}")


def test_a_plan_that_a_clock_made_that_was_ahead_is_never_in_force(
    planned: TestClient, clock: Clock, empty: App
) -> None:
    right = clock.now
    clock.now = right + timedelta(hours=20)
    wrong = planned.get(f"{HOME}/plan").json()
    clock.now = right
    told = planned.get(f"{HOME}/plan").json()
    assert at(told["made_at"]) == right
    assert wrong["made_at"] not in [kept.content["made_at"] for kept in empty.store.plans("flat")]
    assert [kept.made_at for kept in empty.store.plans("flat")] == [right]


def test_what_another_person_changes_meanwhile_is_not_lost(
    planned: TestClient, clock: Clock, empty: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(planned)
    home, original = home_named(empty.store, "flat"), HomePlanner.current
    deadline = datetime(2026, 11, 22, 5, tzinfo=UTC)

    def between(self: HomePlanner, home: Site, *, now: datetime, time_limit_s: float) -> Mapping[str, Any]:
        content = original(self, home, now=now, time_limit_s=time_limit_s)
        self.plan(home, Asked(changes=(Asking(TONIGHT, deadline=deadline),)), now=now)
        return content

    monkeypatch.setattr(HomePlanner, "current", between)
    decided = run_of(dict(empty.planner.decide(home, TONIGHT, "accept", now=clock.now)))
    assert (decided["state"], at(decided["deadline"])) == ("accepted", deadline)
