"""What a home is planned, by the ways that people take: as the replay, whose savings are published, has it."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from watthour.api.app import create_app
from watthour.bootstrap import App, open_app
from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.frames import Readings
from watthour.core.place import Place
from watthour.core.plan import BatteryUse, Plan, PlanStatus
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY
from watthour.planning.solve import solve
from watthour.settings import load_settings
from watthour.workflows.equipment import read_equipment
from watthour.workflows.home_ahead import look_at_home
from watthour.workflows.homes import home_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

Script: TypeAlias = Any  # a script's own types
PARIS = "Europe/Paris"
QUARTER, HALF_HOUR = timedelta(minutes=15), timedelta(minutes=30)
SITE = Site("emhass", "Emhass", SiteKind.HOME, Place(PARIS), main_channel="home.emhass.power")
METER = Channel("home.emhass.power", "emhass", Quantity.POWER, Unit.KW, HALF_HOUR)
ROOF = Channel("home.emhass.roof", "emhass", Quantity.POWER, Unit.KW, HALF_HOUR)
FULL = Channel("home.emhass.battery", "emhass", Quantity.OCCUPANCY, Unit.PERCENT, QUARTER)
TARIFF: dict[str, Any] = {
    "name": "Two rates",
    "currency": "EUR",
    "import": {
        "kind": "time_of_use",
        "bands": [
            {"name": "night", "price": 0.2068, "hours": ["22:00-24:00", "00:00-06:00"]},
            {"name": "day", "price": 0.27, "hours": ["06:00-22:00"]},
        ],
    },
    "export": {"kind": "flat", "price": 0.08},
}
EQUIPMENT: dict[str, Any] = {
    "appliances": [{"name": "run", "power_kw": 1.0, "minutes": 120, "earliest": "20:00", "deadline": "07:00"}],
    "cars": [
        {"name": "car", "energy_kwh": 8.0, "max_charge_kw": 7.4, "min_charge_kw": 1.4, "efficiency": 1.0}
        | {"arrival": "18:00", "departure": "07:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
    ],
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "max_charge_kw": 5, "max_discharge_kw": 5, "channel": FULL.id}
    ],
    "solar": {"channel": ROOF.id},
    "hours": 36,
}
FIRST = datetime(2024, 6, 4, 12, tzinfo=UTC)  # a Tuesday of a month of choices, at two o'clock in Paris


@pytest.fixture
def replay() -> Iterator[Script]:
    """The script that publishes the savings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("replay")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    for name in ("EIA_API_KEY", "DATABASE_URL", "WATTHOUR_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path))
    with open_app(load_settings()) as opened:
        yield opened


class Present:
    """The present, which the test moves."""

    now = FIRST

    def __call__(self) -> datetime:
        return self.now


def in_quarters(home: Script) -> Script:
    """Return the home of the replay in the steps in which homes are planned."""
    wide = {name: np.repeat(getattr(home, name), 2) for name in ("load", "sun", "price", "carbon")}
    return replace(home, step=QUARTER, **wide)


def bring(app: App, home: Script, until: datetime) -> None:
    """Let the store hold what the meters of the replay's home had told by an instant."""
    app.store.register([SITE], [METER, ROOF, FULL])
    last = round((until - home.start) / HALF_HOUR)
    first = last - 60 * home.per_day
    times = [home.time(k) for k in range(first, last)]
    net = home.load[first:last] - home.sun[first:last]
    for channel, values in ((METER, net), (ROOF, home.sun[first:last])):
        app.store.append(readings(channel, times, [None if np.isnan(each) else float(each) for each in values]))


def readings(channel: Channel, times: list[datetime], values: list[float | None]) -> dy.DataFrame[Readings]:
    known = [at + channel.resolution for at in times]
    frame = pl.DataFrame({"time": times, "value": values, "available_at": known}).with_columns(
        channel=pl.lit(channel.id), recorded_at="available_at", quality=pl.lit(0, pl.Int16)
    )
    return Readings.validate(frame.select(Readings.column_names()), cast=True)


def tell_battery(app: App, now: datetime, stored_kwh: float) -> None:
    app.store.append(readings(FULL, [now - QUARTER], [10.0 * stored_kwh]))


def asked_of(client: TestClient) -> dict[str, Any]:
    answer = client.post("/api/v1/homes/emhass/plan", json={})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.shared_data
@pytest.mark.parametrize("local", ["14:00", "19:30", "23:00"])
def test_a_home_is_planned_over_the_courses_of_the_replay_and_for_the_same_money(
    shared_data: Path, replay: Script, app: App, local: str
) -> None:
    hour, minute = map(int, local.split(":"))
    present = Present()
    present.now = FIRST.astimezone(ZoneInfo(PARIS)).replace(hour=hour, minute=minute).astimezone(UTC)
    halves = replay.emhass(shared_data, "two_rate")
    home = in_quarters(halves)
    k = round((present.now - home.start) / QUARTER)
    period = (round((FIRST - home.start) / QUARTER), k + 14 * home.per_day)
    stated = replay.problem_at(home, period, replay.State(5.0, {}, {}), k)
    by_function = solve(stated)

    bring(app, halves, present.now)
    tell_battery(app, present.now, 5.0)
    with TestClient(create_app(app, now=present), base_url="http://127.0.0.1") as client:
        assert client.put("/api/v1/homes/emhass/tariff", json={"tariff": TARIFF}).status_code == 200
        answer = client.put("/api/v1/homes/emhass/equipment", json=EQUIPMENT)
        assert answer.status_code == 200, answer.text
        by_api = asked_of(client)
    planner = app.planner
    equipment = planner.equipment_file.said("emhass")
    assert equipment is not None
    site = home_named(app.store, "emhass")
    by_store = planner.current(site, now=present.now)
    assert by_store["cost"] == by_api["cost"]

    ahead = look_at_home(planner.sources, site, read_equipment(equipment), hours=36, now=present.now)
    for name in ("load_kw", "solar_kw", "load_paths_kw", "solar_paths_kw", "path_counts"):
        assert getattr(ahead.outlook, name) == pytest.approx(getattr(stated, name), abs=1e-9), name
    assert ahead.import_price == pytest.approx(stated.import_price)
    assert {each["name"].split()[0] for each in by_api["things"]} == {"run", "car", "battery"}
    assert by_api["cost"] == pytest.approx(by_function.cost, abs=0.02)


@pytest.mark.shared_data
def test_a_day_by_the_plans_of_the_api_saves_what_the_replay_saves(
    shared_data: Path, replay: Script, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = replay.emhass(shared_data, "two_rate")
    home = in_quarters(halves)
    first = round((FIRST - home.start) / QUARTER)
    period = (first, first + DAY // QUARTER)
    monkeypatch.setattr(replay, "wishes", lambda *_: iter(()))  # a battery alone: all that is done is measured
    published = replay.replayed(home, period, replay.quick).money
    at_rest = replay.uncontrolled(home, period, is_battery_used=False).money

    bring(app, halves, FIRST)
    present, stored, net = Present(), 5.0, np.zeros(DAY // QUARTER)
    with TestClient(create_app(app, now=present), base_url="http://127.0.0.1") as client:
        assert client.put("/api/v1/homes/emhass/tariff", json={"tariff": TARIFF}).status_code == 200
        alone = {name: EQUIPMENT[name] for name in ("batteries", "solar", "hours")}
        assert client.put("/api/v1/homes/emhass/equipment", json=alone).status_code == 200
        for half in range(DAY // HALF_HOUR):
            present.now = FIRST + half * HALF_HOUR
            tell_battery(app, present.now, stored)
            told = asked_of(client)
            for quarter in range(2):
                step = 2 * half + quarter
                drawn = float(home.load[first + step] - home.sun[first + step])
                given = replay.follow(as_plan(told), replay.BATTERY, step=quarter, net_kw=drawn, stored_kwh=stored)
                stored += 0.25 * (0.95 * max(-given, 0.0) - max(given, 0.0) / 0.95)
                net[step] = drawn - given
            known = round((present.now - halves.start) / HALF_HOUR)
            for channel, value in ((METER, halves.load[known] - halves.sun[known]), (ROOF, halves.sun[known])):
                app.store.append(readings(channel, [present.now], [float(value)]))
    by_api = replay.billed(home, period, net, stored).money
    assert at_rest - published > 0.4
    assert at_rest - by_api == pytest.approx(at_rest - published, rel=0.05)


def as_plan(told: dict[str, Any]) -> Plan:
    """Return the battery's part of a plan as it is told, for what follows it."""
    battery = next(each for each in told["things"] if each["kind"] == "battery")
    zeros = np.zeros(len(told["time"]))
    use = BatteryUse("battery", *(np.array(battery[name]) for name in ("power_kw", "gives_kw", "stored_kwh")))
    return Plan(
        start=datetime.fromisoformat(told["time"][0]), step=QUARTER, status=PlanStatus.SOLVED, gap=None,
        appliances=(), batteries=(use,), cars=(), heats=(), load_kw=zeros, solar_kw=zeros, curtailed_kw=zeros,
        import_kw=np.array(told["import_kw"]), export_kw=np.array(told["export_kw"]),
        cost=0.0, wear=0.0, carbon_kg=0.0, peak_kw=0.0, objective=0.0,
    )  # fmt: skip
