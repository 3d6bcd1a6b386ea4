"""The hours ahead over HTTP: of a home, its channels, devices and zones, and of any other site."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import street
from town import NOW as TOWN_NOW

from watthour.core.channel import Channel, Device, Zone
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

HOMES = "/api/v1/homes"
KITCHEN = "home.oak.kitchen"
OVEN, FRIDGE = "home.oak.oven", "home.oak.fridge"
BOILER_POWER = Channel("home.oak.boiler.power", "oak", Quantity.POWER, Unit.W, HOUR, device="home.oak.boiler")


@pytest.fixture
def homes(empty: App, open_client: Callable[..., TestClient]) -> TestClient:
    """Four homes; in one of them a kitchen with an oven and a fridge, and a boiler with nothing measured."""
    store = empty.store
    street.fill(store)
    zone = Zone(KITCHEN, "oak", "Kitchen")
    devices = [Device(name, "oak", name.rpartition(".")[2].capitalize(), zone=KITCHEN) for name in (OVEN, FRIDGE)]
    devices.append(Device("home.oak.boiler", "oak", "Boiler"))
    channels = [Channel(f"{name}.power", "oak", Quantity.POWER, Unit.KW, HOUR, device=name) for name in (OVEN, FRIDGE)]
    channels.append(Channel("home.oak.kitchen.warmth", "oak", Quantity.TEMPERATURE, Unit.CELSIUS, HOUR, zone=KITCHEN))
    store.register([], channels, devices=devices, zones=[zone])
    end = street.NOW.replace(minute=0)
    hours = [(end - (28 * 24 - n) * HOUR).hour for n in range(28 * 24)]
    store.append(street.hourly(f"{OVEN}.power", [2.0 if hour == 17 else 0.0 for hour in hours], end=end))
    store.append(street.hourly(f"{FRIDGE}.power", [0.1] * len(hours), end=end))
    return open_client(empty, now=lambda: street.NOW)


def test_a_home_is_forecast_from_its_latest_reading_with_its_age(homes: TestClient) -> None:
    answer = homes.get(f"{HOMES}/new/forecast").json()
    assert (answer["site"], answer["hours"], answer["not_forecast"]) == ("new", 24, [])
    (found,) = answer["forecasts"]
    assert (found["kind"], found["channels"], found["unit"]) == ("site", ["home.new.power"], "kW")
    assert (found["known_until"], found["data_age_hours"], found["stale"]) == ("2024-05-15T07:00:00Z", 0.5, False)
    assert (found["made_by"], found["model_version"]) == ("similar_series", "similar_series")
    assert "home.new.power has no model of its own yet" in found["fallback"]
    assert found["missing_inputs"][0].startswith("This rests on 36 hours of its own past and on 3 similar series")
    points = found["points"]
    assert len(points) == 24
    assert points[0]["time"] == "2024-05-15T07:00:00Z"
    assert points[0]["local_time"] == "2024-05-15T09:00:00+02:00"
    for point in points:
        assert (
            point["lower"] == point["quantiles"]["0.05"] < point["value"] < point["quantiles"]["0.95"] == point["upper"]
        )


def test_a_week_ahead_is_as_near_as_tomorrow(homes: TestClient) -> None:
    (found,) = homes.get(f"{HOMES}/oak/forecast", params={"hours": 168}).json()["forecasts"]
    hour = np.array([datetime.fromisoformat(point["local_time"]).hour for point in found["points"]])
    expected = 4 * (0.3 + np.exp(-0.5 * ((hour - 19) / 2) ** 2))
    forecast = np.array([point["value"] for point in found["points"]])
    assert len(forecast) == 168
    assert np.abs(forecast / expected - 1)[-24:].mean() < 0.25


def test_devices_zones_and_channels_come_in_one_call(homes: TestClient) -> None:
    asked: dict[str, Any] = {"device": ["Oven", "fridge"], "zone": "Kitchen", "channel": "power", "hours": 48}
    answer = homes.get(f"{HOMES}/oak/forecast", params=asked).json()
    found = {each["id"]: each for each in answer["forecasts"]}
    assert list(found) == ["home.oak.power", OVEN, FRIDGE, KITCHEN]
    assert found[KITCHEN]["channels"] == [f"{FRIDGE}.power", f"{OVEN}.power"]
    assert "a sum of channels has no model of its own" in found[KITCHEN]["fallback"]
    assert found[KITCHEN]["made_by"] == "baseline"
    assert found[OVEN]["made_by"] == "rare_use"
    oven, fridge, kitchen = ([point["value"] for point in found[each]["points"]] for each in (OVEN, FRIDGE, KITCHEN))
    assert np.allclose(kitchen, np.add(oven, fridge), atol=0.01)
    at_17 = next(point for point in found[KITCHEN]["points"] if point["time"] == "2024-05-15T17:00:00Z")
    assert at_17["value"] == pytest.approx(2.1, abs=0.05)


def test_meters_of_a_zone_in_other_units_are_forecast_with_the_rest(homes: TestClient, empty: App) -> None:
    sockets = Channel(f"{KITCHEN}.sockets_energy", "oak", Quantity.ENERGY, Unit.KWH, HOUR, zone=KITCHEN)
    lights = Channel(f"{KITCHEN}.lights_power", "oak", Quantity.POWER, Unit.W, HOUR, zone=KITCHEN)
    empty.store.register([], [sockets, lights])
    for channel, value in ((sockets, 0.3), (lights, 50.0)):
        empty.store.append(street.hourly(channel.id, [value] * 28 * 24, end=street.NOW.replace(minute=0)))
    (found,) = homes.get(f"{HOMES}/oak/forecast", params={"zone": "Kitchen"}).json()["forecasts"]
    assert (found["unit"], len(found["channels"])) == ("kW", 4)
    at_17 = next(point for point in found["points"] if point["time"] == "2024-05-15T17:00:00Z")
    assert at_17["value"] == pytest.approx(2.1 + 0.35, abs=0.05)


def test_what_cannot_be_forecast_is_named_beside_what_can(homes: TestClient, empty: App) -> None:
    empty.store.register([], [BOILER_POWER])
    answer = homes.get(f"{HOMES}/oak/forecast", params={"device": ["boiler", "fridge"]}).json()
    assert [each["id"] for each in answer["forecasts"]] == [FRIDGE]
    (missing,) = answer["not_forecast"]
    assert (missing["kind"], missing["name"]) == ("device", "Boiler")
    assert "no readings of home.oak.boiler.power" in missing["problem"]
    assert "POST /api/v1/readings" in missing["remedy"]
    alone = homes.get(f"{HOMES}/oak/forecast", params={"device": "boiler"})
    assert (alone.status_code, alone.json()["type"]) == (409, "urn:watthour:problem:not-enough-history")


def test_channels_that_cannot_be_added_are_refused_with_the_cure(homes: TestClient, empty: App) -> None:
    daily = Channel(f"{KITCHEN}.hob", "oak", Quantity.ENERGY, Unit.KWH, timedelta(days=1), zone=KITCHEN)
    empty.store.register([], [daily])
    problem = homes.get(f"{HOMES}/oak/forecast", params={"zone": "kitchen"}).json()
    assert (problem["status"], problem["field"], problem["value"]) == (400, "zone", KITCHEN)
    assert "home.oak.kitchen.hob (1 day)" in problem["detail"]
    assert problem["remedy"] == "Ask for each by `channel`."
    cured = homes.get(f"{HOMES}/oak/forecast", params={"channel": [f"{OVEN}.power", "fridge.power"]})
    assert cured.status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "field", "cure"),
    [
        ({"channel": "gas"}, 404, "channel", "It has: home.oak.fridge.power"),
        ({"device": "overn"}, 404, "device", "Did you mean home.oak.oven?"),
        ({"device": "boiler"}, 400, "device", "PATCH /api/v1/homes/{home}/devices/{device}"),
        ({"zone": "attic"}, 404, "zone", "It has: home.oak.kitchen"),
    ],
)
def test_an_unknown_part_is_named_with_the_cure(
    homes: TestClient, asked: dict[str, str], status: int, field: str, cure: str
) -> None:
    problem = homes.get(f"{HOMES}/oak/forecast", params=asked).json()
    assert (problem["status"], problem["field"]) == (status, field)
    assert cure in problem["remedy"]


def test_hours_end_at_a_week_and_an_unknown_home_is_not_found(homes: TestClient) -> None:
    assert homes.get(f"{HOMES}/oak/forecast", params={"hours": 169}).status_code == 422
    assert homes.get(f"{HOMES}/oaks/forecast").json()["remedy"] == "Did you mean oak?"


def test_a_new_reading_changes_the_answer_at_once(homes: TestClient) -> None:
    def asked() -> dict[str, Any]:
        (found,) = homes.get(f"{HOMES}/oak/forecast", params={"device": "fridge"}).json()["forecasts"]
        return dict(found)

    before = asked()
    row = {"channel": f"{FRIDGE}.power", "time": "2024-05-15T07:00:00Z", "value": 0.4}
    assert homes.post("/api/v1/readings", json={"readings": [row]}).json()["new"] == 1
    assert (before["known_until"], asked()["known_until"]) == ("2024-05-15T07:00:00Z", "2024-05-15T08:00:00Z")


def test_old_readings_are_said_to_be_stale_and_an_archive_to_be_one(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    street.fill(empty.store)
    (stale,) = open_client(empty, now=lambda: street.NOW + 2 * DAY).get(f"{HOMES}/oak/forecast").json()["forecasts"]
    assert (stale["data_age_hours"], stale["stale"], stale["archive"]) == (48.5, True, False)
    assert stale["start"] == "2024-05-17T07:00:00Z"
    (old,) = open_client(empty, now=lambda: street.NOW + 60 * DAY).get(f"{HOMES}/oak/forecast").json()["forecasts"]
    assert (old["stale"], old["archive"], old["start"]) == (False, True, "2024-05-15T07:00:00Z")
    assert old["issued_at"] == old["known_until"] == "2024-05-15T07:00:00Z"


def test_a_region_is_forecast_in_the_same_way(town_client: TestClient) -> None:
    answer = town_client.get("/api/v1/sites/simtown/forecast", params={"hours": 72}).json()
    (found,) = answer["forecasts"]
    assert (answer["kind"], found["unit"], found["simulated"], len(found["points"])) == ("region", "MWh", True, 72)
    assert found["points"][0]["time"] == TOWN_NOW.replace(minute=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found["points"][0]["operator"] is not None
    assert town_client.get("/api/v1/sites/nowhere/forecast").status_code == 404
    assert town_client.get(f"{HOMES}/simtown/forecast").json()["field"] == "home"


def test_of_a_device_that_is_seldom_on_its_uses_are_told(homes: TestClient) -> None:
    answer = homes.get(f"{HOMES}/oak/forecast", params={"device": ["Oven", "Fridge"], "hours": 48}).json()
    oven, fridge = answer["forecasts"]
    likely = [point["time"][11:13] for point in oven["points"] if point["probability"] > 0.6]
    assert likely == ["17", "17"]
    whole = [day for day in oven["days"] if day["intervals"] == 24]
    assert whole[0]["expected_kwh"] == pytest.approx(2.0, rel=0.1)
    assert whole[0]["starts"] == pytest.approx(1.0, abs=0.1)
    assert (oven["fallback"], oven["model_label"]) == (None, "Past uses")
    assert fridge["days"] == []
    assert {point["probability"] for point in fridge["points"]} == {None}


def test_a_device_that_is_only_known_by_its_uses_is_forecast(homes: TestClient, empty: App) -> None:
    before = homes.get(f"{HOMES}/oak/forecast", params={"device": "Boiler"})
    assert before.status_code == 400
    assert "nothing measures the power or energy of Boiler" in before.json()["detail"]
    end = street.NOW.replace(hour=6, minute=30)
    starts = [end - n * DAY for n in range(21)]
    empty.store.append_events(street.uses("home.oak.boiler", starts, minutes=30, kwh=1.5))
    found = homes.get(f"{HOMES}/oak/forecast", params={"device": "Boiler", "hours": 48}).json()["forecasts"][0]
    assert (found["channels"], found["made_by"], found["known_until"]) == ([], "rare_use", "2024-05-15T07:00:00Z")
    assert max(found["points"], key=lambda point: point["probability"])["time"][11:13] == "06"
    assert found["days"][1]["expected_kwh"] == pytest.approx(1.5, rel=0.1)
    empty.store.append_events(street.uses("home.oak.boiler", [end + HOUR / 2], minutes=30, kwh=9.0))
    again = homes.get(f"{HOMES}/oak/forecast", params={"device": "Boiler", "hours": 48}).json()["forecasts"][0]
    assert again["known_until"] == "2024-05-15T08:00:00Z"  # a use is news like a reading
