"""What dashboards of a household ask for: exactly their fields, each real or null."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import street
from builders import readings
from made_home import watt_readings

from watthour.core.channel import Channel, Device, DeviceKind, Flexibility, Site, SiteKind, Zone
from watthour.core.frames import Forecasts, Maker, Measure, Readings, Samples
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.simulation.simtown_home import SimtownHome
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import backfill
from watthour.workflows.leads import measured_coverage
from watthour.workflows.sites import find_context
from watthour.workflows.stand_in import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from watthour.bootstrap import App
    from watthour.core.forecast import Context
    from watthour.core.ports import Store

NOW = street.NOW
END = NOW.replace(minute=0)
DASHBOARD = {
    "current_consumption",
    "forecast_24h",
    "energy_saved",
    "hourly_forecast",
    "appliance_breakdown",
    "key_insights",
    "optimization_schedule",
}
KITCHEN = Zone("home.flat.kitchen", "flat", "Kitchen")
HOB = Device("home.flat.hob", "flat", "Hob", DeviceKind.HOB, zone=KITCHEN.id)
WASHER = Device("home.flat.washer", "flat", "Washer", DeviceKind.WASHING_MACHINE, flexibility=Flexibility.SHIFTABLE)


def usage(hour: int) -> float:
    """Return what the home uses in an hour of the day, UTC [kWh]."""
    return {17: 2.0, 18: 3.0}.get(hour, 0.2 if 0 <= hour < 6 else 0.5)


def hob(hour: int) -> float:
    """Return the hob's part of what the home uses in an hour of the day, UTC [kWh]."""
    return 1.5 if hour == 17 else 0.0


def add_home(app: App, name: str, *, step: timedelta = HOUR, is_simulated: bool = False) -> str:
    """Add a home that is measured in kWh and return its channel."""
    channel = Channel(f"home.{name}.energy", name, Quantity.ENERGY, Unit.KWH, step, is_simulated=is_simulated)
    place = Place("Europe/Paris")
    site = Site(name, name.title(), SiteKind.HOME, place, main_channel=channel.id, is_simulated=is_simulated)
    app.store.register([site], [channel])
    return channel.id


@pytest.fixture
def flat(empty: App, open_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The API over a home with a hob that is measured and a washing machine that is not."""
    # It repeats itself exactly, as rules do and homes do not: by a rule its figures can be told.
    monkeypatch.setattr("watthour.workflows.forecast._by_other_homes", lambda *_: None)
    mains = add_home(empty, "flat")
    empty.store.append(street.hourly(mains, [usage((END - n * HOUR).hour) for n in range(28 * 24, 0, -1)], end=END))
    power = Channel("home.flat.hob.power", "flat", Quantity.POWER, Unit.KW, HOUR, device=HOB.id)
    empty.store.register([], [power], zones=[KITCHEN], devices=[HOB, WASHER])
    values = [hob((END - n * HOUR).hour) for n in range(28 * 24, 0, -1)]
    empty.store.append(street.hourly(power.id, values, end=END))
    return open_client(empty, now=lambda: NOW)


def asked(client: TestClient, route: str, **params: str) -> dict[str, Any]:
    answer = client.get(f"/api/{route}", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_home_at_a_glance(flat: TestClient) -> None:
    told = asked(flat, "dashboard")
    assert set(told) == DASHBOARD
    assert told["current_consumption"] == pytest.approx(usage(6))
    assert (told["energy_saved"], len(told["hourly_forecast"])) == (None, 24)
    assert told["forecast_24h"] == pytest.approx(sum(map(usage, range(24))), abs=0.2)
    clock = {each["hour"]: each["consumption"] for each in told["hourly_forecast"]}
    assert next(iter(clock)) == 9  # the hour now running in Paris
    assert clock[20] == pytest.approx(3.0, abs=0.05)
    total = sum(map(usage, range(24)))
    assert told["appliance_breakdown"] == [
        {"appliance": "Hob", "percentage": pytest.approx(100 * 1.5 / total)},
        {"appliance": "Other", "percentage": pytest.approx(100 - 150 / total)},
    ]
    assert told["key_insights"][0].startswith("Standby: 200 W around the clock")
    assert "Hob used most in the last 28 days: 42.0 kWh." in told["key_insights"]
    assert told["optimization_schedule"] == [
        {"device": "Washer", "optimal_time": "2024-05-16T02:00+02:00", "savings": None}
    ]


def test_devices_say_where_they_stand_and_whether_they_are_on(flat: TestClient, empty: App) -> None:
    row = {"device_id": HOB.id, "device_type": "hob", "location": "Kitchen", "status": "off"}
    assert asked(flat, "devices")["devices"] == [
        row,
        {"device_id": WASHER.id, "device_type": "washing_machine", "location": None, "status": None},
    ]
    sample = pl.DataFrame(
        [("home.flat.hob.power", NOW - timedelta(seconds=5), str(Measure.POWER), NOW, 1400.0)],
        schema=Samples.create_empty().schema,
        orient="row",
    )
    empty.store.append_samples(Samples.validate(sample))
    assert asked(flat, "devices")["devices"][0]["status"] == "on"
    cook, washer = asked(flat, "appliances")["devices"]
    assert cook == {
        "device_id": HOB.id,
        "name": "Hob",
        "location": "Kitchen",
        "current_consumption": 1.4,
        "avg_consumption": pytest.approx(1.5 / 24, rel=0.01),
        "status": "on",
        "flexibility": "fixed",
    }
    assert (washer["current_consumption"], washer["avg_consumption"], washer["status"]) == (None, None, None)
    assert washer["flexibility"] == "shiftable"


def test_seven_days_are_forecast_whole_with_the_highest_hour_of_each(flat: TestClient) -> None:
    told = asked(flat, "forecast")
    assert set(told) == {"forecast_7_days", "peak_periods", "peak_value", "hourly_forecast"}
    days = told["forecast_7_days"]
    assert [each["date"] for each in days] == [f"2024-05-{day}" for day in range(16, 23)]
    for each in days:
        assert each["predicted_consumption"] == pytest.approx(sum(map(usage, range(24))), abs=0.2)
        assert 0.8 < each["confidence"] <= 1  # measured on past days, which were all alike
    assert {each["time"] for each in told["peak_periods"]} == {"20:00"}
    assert told["peak_value"] == max(each["predicted_usage"] for each in told["peak_periods"])
    assert len(told["hourly_forecast"]) == 7 * 24
    assert set(told["hourly_forecast"][0]) == {"day", "hour", "consumption"}


@pytest.mark.parametrize(
    ("now", "changed", "hours"), [("2024-03-27", "2024-03-31", 23), ("2024-10-24", "2024-10-27", 25)]
)
def test_a_day_of_the_clock_change_is_forecast_whole(
    empty: App, open_client: Callable[..., TestClient], now: str, changed: str, hours: int
) -> None:
    present = datetime.fromisoformat(f"{now}T07:30:00Z")
    channel = add_home(empty, "flat")
    empty.store.append(street.hourly(channel, [0.6] * 28 * 24, end=present.replace(minute=0)))
    told = asked(open_client(empty, now=lambda: present), "forecast")
    (day,) = (each for each in told["forecast_7_days"] if each["date"] == changed)
    assert day["predicted_consumption"] == pytest.approx(0.6 * hours)
    assert len([each for each in told["hourly_forecast"] if each["day"] == changed]) == hours


def test_the_next_24_hours_of_half_hours_are_whole_hours(empty: App, open_client: Callable[..., TestClient]) -> None:
    channel = add_home(empty, "flat", step=HOUR / 2)
    ends = pl.datetime_range(END - 28 * DAY, END, "30m", closed="left", eager=True, time_unit="us")
    rows = street.hourly(channel, [0.3] * len(ends), end=END).with_columns(
        time=ends, available_at=ends + HOUR / 2, recorded_at=ends + HOUR / 2
    )
    empty.store.append(Readings.validate(rows))
    told = asked(open_client(empty, now=lambda: NOW + timedelta(minutes=10)), "dashboard")
    assert [each["hour"] for each in told["hourly_forecast"]] == [(10 + n) % 24 for n in range(24)]
    assert told["forecast_24h"] == pytest.approx(24 * 0.6)


def covered(app: App, context: Context, *, store: Store | None = None) -> dict[int, float]:
    """Return the measured coverage of a home that nothing but a rule answers for."""
    return measured_coverage(
        store or app.store, app.registry, context, "persistence_ensemble", now=NOW, issue_clock=time(8)
    )


def test_confidence_is_the_measured_coverage_of_forecasts_that_were_kept(empty: App) -> None:
    channel = add_home(empty, "flat")
    context = find_context(empty.store, empty.directories, "flat")
    empty.store.append(street.hourly(channel, [1.0] * 12 * 24, end=END))
    midnight = local_midnight(END.date(), "Europe/Paris")
    rows = []
    for back in range(11, 0, -1):
        issued = midnight - back * DAY - 6 * HOUR
        for hour in range(24):
            upper = 0.9 if hour < 6 else 1.2  # a quarter of the readings lies above
            for level, value in ((0.05, 0.5), (0.5, 0.8), (0.95, upper)):
                time = midnight - back * DAY + hour * HOUR
                rows.append((channel, time, issued, "made", level, str(Maker.OWN), issued, issued, value, 0))
    table = pl.DataFrame(rows, schema=Forecasts.create_empty().schema, orient="row")
    empty.store.append_forecasts(Forecasts.validate(table))
    assert covered(empty, context)[1] == pytest.approx(0.75)
    few = table.filter(pl.col("time") >= midnight - 6 * DAY)
    fresh = MemoryStore()
    fresh.register([context.site], [context.channel])
    fresh.append(street.hourly(channel, [1.0] * 12 * 24, end=END))
    fresh.append_forecasts(Forecasts.validate(few))
    assert 1 not in covered(empty, context, store=fresh)


def test_days_after_tomorrow_are_measured_on_past_days_that_are_forecast_again(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    channel = add_home(empty, "flat")
    context = find_context(empty.store, empty.directories, "flat")
    rng = np.random.default_rng(7)
    values = 0.2 + rng.gamma(2.0, 0.3, 60 * 24)
    values[-10 * 24 :: 5] = 9.0  # a fifth of the readings of the last ten days is far above every band
    empty.store.append(street.hourly(channel, values.tolist(), end=END))
    client = open_client(empty, now=lambda: NOW)
    answer = client.get("/api/forecast")
    told = [each["confidence"] for each in answer.json()["forecast_7_days"]]
    assert "Watthour-Confidence" not in answer.headers
    assert all(0.75 < each < 0.97 for each in told)
    in_calm_times = measured_coverage(
        empty.store,
        empty.registry,
        context,
        "persistence_ensemble",
        now=local_midnight(END.date() - 10 * DAY, "Europe/Paris"),
        issue_clock=time(8),
    )
    assert set(in_calm_times) == set(range(1, 8))
    assert told[6] < in_calm_times[7]


def test_what_could_not_be_measured_is_null_and_the_header_says_why(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    channel = add_home(empty, "flat")
    empty.store.append(street.hourly(channel, [usage((END - n * HOUR).hour) for n in range(9 * 24, 0, -1)], end=END))
    answer = open_client(empty, now=lambda: NOW).get("/api/forecast")
    assert {each["confidence"] for each in answer.json()["forecast_7_days"]} == {None}
    assert answer.headers["Watthour-Confidence"].startswith("Null where fewer than 168 intervals")


def log_of_uses(days: int) -> str:
    """Return a table of uses in the layout with 19 columns, as a home's devices are used at the same hours each day."""
    columns = (
        "device_id,device_type,power_rating_watt,energy_efficiency_rating,standby_power_watt,mode_of_operation,"
        "age_of_appliance_years,maintenance_last_date,peak_power_draw_watt,timestamp,duration_minutes,"
        "power_consumption_kwh,tariff_rate,is_peak_tariff,indoor_temp_celsius,outdoor_temp_celsius,humidity_percent,"
        "occupancy_count,motion_detected"
    )
    lines = [columns]
    for day in range(1, days + 1):
        for name, kind, watts, clock, minutes, kwh in (
            ("WM_01", "WashingMachine", 500, "10:15:00", 60, 0.45),
            ("AC_01", "AirConditioner", 1500, "21:30:00", 45, 1.1),
            ("TV_01", "TV", 120, "20:00:00", 120, 0.2),
        ):
            if name != "WM_01" or day % 2:
                lines.append(
                    f"{name},{kind},{watts},4,1.0,Normal,2,2023-01-20,{2 * watts},2024-07-{day:02} {clock},{minutes},"
                    f"{kwh},5.0,0,26,31,60,2,1"
                )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("now", ["2024-07-15T06:00:00Z", "2026-03-10T12:00:00Z"], ids=["live", "archive"])
def test_a_log_of_uses_is_forecast_with_the_energy_it_told(
    empty: App, open_client: Callable[..., TestClient], now: str
) -> None:
    present = datetime.fromisoformat(now)
    empty.store.register([Site("villa", "Villa", SiteKind.HOME, Place("Asia/Kolkata"))], [])
    client = open_client(empty, now=lambda: present)
    file = {"file": ("events.csv", log_of_uses(14), "text/csv")}
    assert client.post("/api/v1/imports", files=file, data={"site": "villa"}).json()["new_rows"] == 35
    told = asked(client, "forecast")
    days = [each["predicted_consumption"] for each in told["forecast_7_days"]]
    past = 7 * (1.1 + 0.2) + 3.5 * 0.45  # of seven past days
    assert len(days) == 7
    assert sum(days) == pytest.approx(past, rel=0.3)
    at_a_glance = asked(client, "dashboard")
    assert (at_a_glance["current_consumption"], at_a_glance["appliance_breakdown"][0]["appliance"]) == (None, "AC_01")
    assert at_a_glance["forecast_24h"] == pytest.approx(past / 7, rel=0.3)
    means = {each["name"]: each["avg_consumption"] for each in asked(client, "appliances")["devices"]}
    assert means["AC_01"] == pytest.approx(1.1 / 24)


def test_a_plug_of_power_and_energy_counts_once_and_not_with_its_circuit(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    home = Site("hut", "Hut", SiteKind.HOME, Place("Europe/Paris"))
    oven = Device("home.hut.oven", "hut", "Oven", DeviceKind.OVEN)
    fuse = Device("home.hut.fuse", "hut", "Fuse", DeviceKind.CIRCUIT)
    energy = Channel("home.hut.oven.energy", "hut", Quantity.ENERGY, Unit.KWH, HOUR, device=oven.id)
    power = Channel("home.hut.oven.power", "hut", Quantity.POWER, Unit.W, HOUR, device=oven.id)
    circuit = Channel("home.hut.fuse.power", "hut", Quantity.POWER, Unit.KW, HOUR, device=fuse.id)
    empty.store.register([home], [energy, power, circuit], devices=[oven, fuse])
    values = np.array([usage((END - n * HOUR).hour) for n in range(28 * 24, 0, -1)])
    for channel, factor in ((energy, 1), (power, 1000), (circuit, 1)):
        empty.store.append(street.hourly(channel.id, (values * factor).tolist(), end=END))
    told = asked(open_client(empty, now=lambda: NOW), "dashboard")
    assert told["forecast_24h"] == pytest.approx(sum(map(usage, range(24))), rel=0.05)


def test_a_device_that_fell_silent_is_left_out_of_the_sum_and_that_is_said(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    oven, lamp, new = (
        Device(f"home.hut.{word}", "hut", word.title(), DeviceKind.OTHER) for word in ("oven", "lamp", "new")
    )
    channels = [
        Channel(f"{each.id}.power", "hut", Quantity.POWER, Unit.KW, HOUR, device=each.id) for each in (oven, lamp, new)
    ]
    empty.store.register(
        [Site("hut", "Hut", SiteKind.HOME, Place("Europe/Paris"))], channels, devices=[oven, lamp, new]
    )
    values: list[float | None] = [usage((END - n * HOUR).hour) for n in range(28 * 24, 0, -1)]
    empty.store.append(street.hourly(channels[0].id, values, end=END))
    empty.store.append(street.hourly(channels[1].id, values, end=END - 30 * DAY))
    empty.store.append(street.hourly(channels[2].id, [None], end=END))
    client = open_client(empty, now=lambda: NOW)
    answer = client.get("/api/forecast")
    assert answer.headers["Watthour-Left-Out"] == "home.hut.new, home.hut.lamp"
    total = answer.json()["forecast_7_days"][0]["predicted_consumption"]
    assert total == pytest.approx(sum(map(usage, range(24))), rel=0.05)
    said = " ".join(asked(client, "dashboard")["key_insights"])
    assert "Lamp is not in the forecast: it was last heard on 2024-04-15" in said
    assert "New is not in the forecast" in said


def test_what_a_device_used_before_and_draws_while_idle_is_told(flat: TestClient, empty: App) -> None:
    television = Device("home.flat.tv", "flat", "Television", DeviceKind.TELEVISION)
    power = Channel("home.flat.tv.power", "flat", Quantity.POWER, Unit.W, HOUR / 4, device=television.id)
    empty.store.register([], [power], devices=[television])
    rng = np.random.default_rng(1)
    times = pl.datetime_range(END - 28 * DAY, END, "15m", closed="left", eager=True, time_unit="us")
    watched = np.where(np.arange(len(times)) < len(times) // 2, 80.0, 160.0) * rng.uniform(0.9, 1.1, len(times))
    values = np.where(np.isin(times.dt.hour().to_numpy(), [18, 19]), watched, 9.0)
    empty.store.append(watt_readings(power, times, values))
    told = asked(flat, "device/tv/insights")
    assert set(told) == {"device_id", "consumption_trend", "efficiency_score", "recommendations"}
    assert (told["device_id"], told["consumption_trend"]) == (television.id, "rising")
    assert told["efficiency_score"] == pytest.approx(100 * (1 - 9 / values.mean()), abs=0.5)
    assert told["recommendations"][0].startswith("Television draws 9 W while idle, 79 kWh a year")
    washer = asked(flat, "device/washer/insights")
    assert (washer["consumption_trend"], washer["efficiency_score"]) == (None, None)
    assert washer["recommendations"] == ["The best time for Washer begins at 2024-05-16T02:00+02:00."]
    assert asked(flat, "device/hob/insights")["consumption_trend"] == "steady"
    assert flat.get("/api/device/toaster/insights").status_code in {400, 404}


def test_without_a_name_the_first_real_home_with_readings_is_told(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    client = open_client(empty, now=lambda: NOW)
    assert client.get("/api/dashboard").status_code == 404
    add_home(empty, "attic")
    unknown = client.get("/api/dashboard")
    assert (unknown.status_code, unknown.headers["Watthour-Home"]) == (200, "attic")
    assert (unknown.json()["forecast_24h"], unknown.json()["hourly_forecast"]) == (None, [])
    assert "Nothing measures Attic" in unknown.json()["key_insights"][-1]
    assert "Nothing measures Attic" in client.get("/api/forecast").json()["detail"]
    simulated = add_home(empty, "barn", is_simulated=True)
    empty.store.append(street.hourly(simulated, [1.0] * 20 * 24, end=END))
    shown = client.get("/api/dashboard")
    assert (shown.headers["Watthour-Home"], shown.headers["Watthour-Simulated"]) == ("barn", "true")
    assert shown.json()["key_insights"][0] == "All figures of this home are simulated."
    empty.store.append(street.hourly(add_home(empty, "cabin"), [1.0] * 20 * 24, end=END))
    assert client.get("/api/appliances").headers["Watthour-Home"] == "cabin"
    named = client.get("/api/appliances", params={"home": "barn"})
    assert (named.headers["Watthour-Home"], named.headers["Watthour-Simulated"]) == ("barn", "true")
    assert client.get("/api/devices", params={"home": "nowhere"}).status_code == 404
    assert client.get("/api/devices", params={"house": "barn"}).status_code == 422


def test_the_simulated_home_is_told_in_full(empty: App, open_client: Callable[..., TestClient]) -> None:
    home = SimtownHome()
    describe(empty.store, home)
    backfill(home, empty.store, Window(NOW - 10 * DAY, NOW), now=NOW)
    client = open_client(empty, now=lambda: NOW)
    told = asked(client, "dashboard")
    assert None not in (told["current_consumption"], told["forecast_24h"])
    assert len(told["hourly_forecast"]) == 24
    assert len(told["appliance_breakdown"]) > 10
    assert sum(each["percentage"] for each in told["appliance_breakdown"]) == pytest.approx(100)
    assert {each["status"] for each in asked(client, "devices")["devices"]} == {"on", "off"}
    assert len(asked(client, "forecast")["forecast_7_days"]) == 7


def test_a_reading_drops_what_was_kept(flat: TestClient, empty: App) -> None:
    def kept(outcome: str) -> bool:
        return f'warm_answers_total{{answer="home_ahead",outcome="{outcome}"}} 1.0' in flat.get("/metrics").text

    for _ in range(2):
        asked(flat, "dashboard")
    assert (kept("miss"), kept("hit"), kept("dropped")) == (True, True, False)
    empty.store.append(readings(9.0, channel="home.flat.energy", start=END - HOUR, available_at=NOW))
    assert asked(flat, "dashboard")["current_consumption"] == 9.0
    assert kept("dropped")


def test_a_program_that_names_json_is_told_that_all_is_well_and_a_browser_gets_the_page(client: TestClient) -> None:
    program = client.get("/", headers={"Accept": "application/json"})
    assert (program.json(), program.headers["Vary"]) == ({"status": "ok"}, "Accept")
    for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html,application/json"):
        assert client.get("/", headers={"Accept": accept}).headers["Content-Type"].startswith("text/html")
