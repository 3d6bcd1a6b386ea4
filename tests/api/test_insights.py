"""Insights over HTTP and on the command line: what is planted in a home of the store is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from made_home import PER_DAY, PER_HOUR, START, STEP, channel, make_home, watt_readings
from town import NOW

from watthour.cli.home_insights import _run_in_words
from watthour.core.channel import Device, DeviceKind, Site, SiteKind
from watthour.core.frames import Events, Measure, Readings, Samples
from watthour.core.place import Place
from watthour.core.window import DAY, HOUR, Window

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.bootstrap import App

HOME = "/api/v1/homes/made"
END = START + 112 * DAY


@pytest.fixture
def home(client: TestClient, empty: App) -> TestClient:
    """The API over a home with a hob, a kettle that is switched, and a heater that was left on one night."""
    made = make_home(21)
    begin = 100 * PER_DAY + 2 * PER_HOUR
    made.parts["heater"] = np.zeros(made.n_days * PER_DAY)
    made.parts["heater"][begin : begin + 4 * PER_HOUR] = 2000
    mains = channel("mains", HOUR)
    hob = Device("home.made.hob", "made", "Hob", DeviceKind.HOB)
    kettle = Device("home.made.kettle", "made", "Kettle", DeviceKind.KETTLE)
    power = replace(channel("hob.power", HOUR), device=hob.id)
    site = Site("made", "Made", SiteKind.HOME, Place("Europe/Paris", holidays="FR"), main_channel=mains.id)
    empty.store.register([site], [mains, power], devices=[hob, kettle])
    empty.store.append(made.readings())
    hob_power = made.parts["kitchen"].reshape(-1, PER_HOUR).mean(axis=1)
    empty.store.append(watt_readings(power, made.times.gather_every(PER_HOUR), hob_power))
    begins = pl.Series([END - (n + 1) * DAY + 7 * HOUR for n in range(6)], dtype=pl.Datetime("us", "UTC"))
    uses = pl.DataFrame({"device": kettle.id, "start": begins}).select(
        "device",
        "start",
        (pl.col("start") + STEP).alias("end"),
        pl.lit(0.15).alias("energy_kwh"),
        (pl.col("start") + STEP).alias("available_at"),
        (pl.col("start") + STEP).alias("recorded_at"),
        pl.lit(0, pl.Int16).alias("quality"),
    )
    empty.store.append_events(Events.validate(uses))
    empty.store.append_samples(_switched(mains.id, begins))
    return client


def _switched(mains: str, begins: pl.Series) -> Any:  # noqa: ANN401 - a table
    """Return samples every ten seconds around uses of a kettle of 1800 W."""
    rows = [
        (mains, begin + second * HOUR / 3600, str(Measure.POWER), END, 300.0 + 1800.0 * (0 <= second < 300))
        for begin in begins
        for second in range(-120, 420, 10)
    ]
    return Samples.validate(pl.DataFrame(rows, schema=Samples.create_empty().schema, orient="row"))


def test_a_device_of_three_phases_uses_the_sum_of_them(home: TestClient, empty: App) -> None:
    pump = Device("home.made.pump", "made", "Heat pump", DeviceKind.HEAT_PUMP)
    phases = [replace(channel(f"pump.phase_{name}", HOUR), device=pump.id) for name in "abc"]
    empty.store.register([], phases, devices=[pump])
    times = make_home(21).times.gather_every(PER_HOUR)
    for phase in phases:
        empty.store.append(watt_readings(phase, times, np.full(len(times), 100.0)))
    used = {each["name"]: each for each in home.get(f"{HOME}/insights").json()["consumers"]["devices"]}
    assert used["Heat pump"]["energy_kwh"] == pytest.approx(28 * 24 * 0.3, rel=0.01)
    assert home.get(f"{HOME}/devices/pump/insights").json()["standby"]["power_w"] == pytest.approx(300)


@pytest.mark.parametrize(("night_w", "is_told"), [(7000.0, True), (-3000.0, False)])
def test_a_car_charger_is_a_consumer_unless_it_has_fed_in(
    home: TestClient, empty: App, night_w: float, *, is_told: bool
) -> None:
    box = Device("home.made.wallbox", "made", "Wallbox", DeviceKind.EV_CHARGER)
    power = replace(channel("wallbox.power", HOUR), device=box.id)
    empty.store.register([], [power], devices=[box])
    times = make_home(21).times.gather_every(PER_HOUR)
    empty.store.append(watt_readings(power, times, np.where(times.dt.hour() < 1, night_w, 0.0)))
    told = home.get(f"{HOME}/insights").json()["consumers"]
    assert (told["devices"][0]["name"] == "Wallbox") is is_told
    assert ("feeds in" in (told["other_problem"] or "")) is not is_told


def test_what_the_sun_and_the_car_measured_does_not_hide_what_is_odd(home: TestClient, empty: App) -> None:
    before = home.get(f"{HOME}/insights").json()
    rng = np.random.default_rng(5)
    hours = np.arange(112 * 24)
    car = np.where((hours % 24 == 19) & (rng.random(len(hours)) < 0.4), 7000.0, 0.0)
    sun = -3000 * np.clip(np.sin((hours % 24 - 6) * np.pi / 12), 0, None) * rng.random(len(hours))
    mains = channel("mains", HOUR)
    for name, kind, power in (("car", DeviceKind.EV_CHARGER, car), ("solar", DeviceKind.SOLAR, sun)):
        device = Device(f"home.made.{name}", "made", name.capitalize(), kind)
        of = replace(channel(f"{name}.power", HOUR), device=device.id)
        empty.store.register([], [of], devices=[device])
        empty.store.append(watt_readings(of, make_home(21).times.gather_every(PER_HOUR), power))
    measured = empty.store.read([mains.id], Window(START, END)).sort("time")
    fed = measured.with_columns(
        pl.col("value") + pl.Series(car + sun), available_at=pl.lit(END), recorded_at=pl.lit(END)
    )
    empty.store.append(Readings.validate(fed, cast=True))
    told = home.get(f"{HOME}/insights").json()
    assert told["left_out"] == ["home.made.car", "home.made.solar"]
    assert before["left_out"] == []
    assert told["oddities"] == before["oddities"]
    of_car = home.get(f"{HOME}/devices/car/insights").json()["oddities"]
    assert (of_car["n_hours"], of_car["n_charging_hours"]) == (28 * 24, 0)  # it hides nothing of itself


def test_hours_that_a_car_without_a_meter_hides_are_counted(home: TestClient, empty: App) -> None:
    hours = np.arange(112 * 24)
    car = np.where((hours % 24 == 19) & (hours // 24 % 3 == 0), 7000.0, 0.0)
    measured = empty.store.read(["home.made.mains"], Window(START, END)).sort("time")
    charged = measured.with_columns(pl.col("value") + pl.Series(car), available_at=pl.lit(END), recorded_at=pl.lit(END))
    empty.store.append(Readings.validate(charged, cast=True))
    odd = home.get(f"{HOME}/insights").json()["oddities"]
    assert (odd["n_hours"], odd["n_charging_hours"]) == (28 * 24 - 10, 10)
    begin = START + (100 * PER_DAY + 2 * PER_HOUR) * STEP
    assert f"{begin:%Y-%m-%dT%H:%M:%SZ}" in [each["start"] for each in odd["anomalies"]]


def test_a_home_tells_what_is_odd_and_what_it_rests_on(home: TestClient) -> None:
    told = home.get(f"{HOME}/insights").json()
    begin = START + (100 * PER_DAY + 2 * PER_HOUR) * STEP
    hours = {each["start"]: each["extra_kwh"] for each in told["oddities"]["anomalies"]}
    assert hours[f"{begin:%Y-%m-%dT%H:%M:%SZ}"] == pytest.approx(8, abs=0.5)
    assert told["channel"] == "home.made.mains"
    assert told["end"] == told["known_until"] == f"{END:%Y-%m-%dT%H:%M:%SZ}"
    assert told["age_hours"] == pytest.approx((NOW - END) / HOUR, abs=0.01)
    assert told["standby"]["n_nights"] == 28
    assert {each["name"]: each["basis"] for each in told["consumers"]["devices"]} == {
        "Hob": "readings",
        "Kettle": "uses",
    }
    assert len(told["peaks"]) == 5
    assert told["efficiency"]["against_past_problem"] == "the temperature outdoors is not known"
    assert told["unknown"] == []


def test_a_device_tells_what_it_adds_to_the_mains(home: TestClient) -> None:
    told = home.get(f"{HOME}/devices/kettle/insights").json()
    assert told["impact"]["step_w"] == 1800
    assert told["impact"]["is_sure"]
    assert told["uses"] == {"n_uses": 6, "energy_kwh": pytest.approx(0.9), "n_before": 0}
    assert {each["insight"] for each in told["unknown"]} == {"oddities", "standby", "peaks", "habits"}
    assert all(each["remedy"] for each in told["unknown"])


def test_a_device_with_readings_tells_of_them_and_why_its_impact_is_not_known(home: TestClient) -> None:
    told = home.get(f"{HOME}/devices/hob/insights").json()
    assert told["channel"] == "home.made.hob.power"
    assert told["peaks"][0]["power_w"] > 500
    (unknown,) = told["unknown"]
    assert unknown["insight"] == "impact"
    assert unknown["problem"].startswith("0 uses are known")


def test_a_home_without_readings_says_so_of_each(client: TestClient) -> None:
    client.post("/api/v1/homes", json={"name": "Bare", "time_zone": "Europe/Paris"})
    told = client.get("/api/v1/homes/bare/insights").json()
    assert told["standby"] is None
    assert told["age_hours"] is None
    assert len(told["unknown"]) == 6


@pytest.mark.parametrize("asked", [{"days": 0}, {"days": 400}, {"false_alarms_per_week": 0}, {"day": 3}])
def test_what_cannot_be_asked_is_refused(home: TestClient, asked: dict[str, float]) -> None:
    answer = home.get(f"{HOME}/insights", params=asked)
    assert answer.status_code == 422
    assert next(iter(asked)) in answer.text


def test_an_unknown_device_is_named(home: TestClient) -> None:
    answer = home.get(f"{HOME}/devices/ketle/insights")
    assert answer.status_code == 404
    assert "home.made.kettle" in answer.json()["remedy"]


def test_a_dryer_that_heats_without_end_is_told_by_its_runs(home: TestClient, empty: App) -> None:
    dryer = Device("home.made.dryer", "made", "Dryer", DeviceKind.TUMBLE_DRYER)
    of = replace(channel("dryer.power", HOUR), device=dryer.id)
    empty.store.register([], [of], devices=[dryer])
    times = make_home(21).times.gather_every(PER_HOUR)
    hours = np.arange(len(times))
    power = np.where((hours // 24 % 2 == 0) & (hours % 24 == 10), 1800.0, 0.0)
    power[-14:] = 1800
    empty.store.append(watt_readings(of, times, power))
    odd = home.get(f"{HOME}/devices/dryer/insights").json()["oddities"]
    assert (odd["anomalies"], odd["n_runs"]) == ([], 15)
    (run,) = odd["runs"]
    assert (run["kind"], run["is_over"], run["usual"], run["measured"]) == ("duration", False, 1.0, 14.0)
    assert run["end"] == f"{END:%Y-%m-%dT%H:%M:%SZ}"
    assert _run_in_words(run, "UTC").startswith("Odd, since 2024-02-25 09:00")
    assert "a run of 14.0 h, where 1.0 are usual" in _run_in_words(run, "UTC")
