"""What a home uses now, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builders import device, home_channel, home_site, readings
from town import NOW

from watthour.core.channel import Zone
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.bootstrap import App


def test_a_home_tells_what_it_uses_now_and_how_old_that_is(client: TestClient, empty: App) -> None:
    mains = home_channel("power")
    empty.store.register([home_site()], [mains], devices=[device("kettle")])
    last = NOW.replace(minute=0, second=0, microsecond=0) - HOUR
    empty.store.append(readings(*[0.5] * 60, channel=mains.id, start=last - 59 * HOUR, available_at=NOW))
    told = client.get("/api/v1/homes/flat/usage").json()
    assert (told["home"], told["time_zone"], told["is_simulated"]) == ("flat", "Europe/Paris", False)
    home, kettle = told["parts"]
    assert (home["part"], home["channel"], home["power_watts"]) == ("home", mains.id, 500.0)
    assert home["heard_at"] == f"{last + HOUR:%Y-%m-%dT%H:%M:%SZ}"
    assert home["age_seconds"] == (NOW - last - HOUR).total_seconds()
    assert (home["known_share_today"], home["yesterday_kwh"]) == (1.0, 12.0)
    assert (kettle["part_kind"], kettle["device_kind"], kettle["power_watts"]) == ("device", "other", None)
    past = client.get("/api/v1/homes/flat/history", params={"step": "day"}).json()
    assert (past["kind"], past["id"], past["channels"], past["step_seconds"]) == ("home", "flat", [mains.id], 86400)
    (today,) = past["spans"]
    assert (today["mean_watts"], today["known_share"]) == (500.0, 1.0)
    assert today["kwh"] == home["today_kwh"]
    nothing = client.get("/api/v1/homes/flat/history", params={"device": "kettle"}).json()
    assert (nothing["name"], nothing["spans"]) == ("Kettle", [])
    absent = client.get("/api/v1/homes/flat/history", params={"device": "pot"})
    assert (absent.status_code, absent.json()["field"]) == (404, "device")
    unknown = client.get("/api/v1/homes/barn/usage")
    assert unknown.status_code == 404


def test_a_zone_counts_its_meters_of_energy_and_of_power(client: TestClient, empty: App) -> None:
    room = Zone("home.flat.kitchen", "flat", "Kitchen")
    lights = replace(home_channel("kitchen.lights_power"), zone=room.id, unit=Unit.W)
    sockets = replace(home_channel("kitchen.sockets_energy"), zone=room.id, quantity=Quantity.ENERGY, unit=Unit.KWH)
    empty.store.register([home_site()], [lights, sockets], zones=[room])
    start = NOW.replace(minute=0, second=0, microsecond=0) - 60 * HOUR
    for channel, value in ((lights, 200.0), (sockets, 0.3)):
        empty.store.append(readings(*[value] * 60, channel=channel.id, start=start, available_at=NOW))
    _, kitchen = client.get("/api/v1/homes/flat/usage").json()["parts"]
    assert (kitchen["part"], kitchen["power_watts"], kitchen["yesterday_kwh"]) == (room.id, 500.0, 12.0)
    past = client.get("/api/v1/homes/flat/history", params={"zone": "kitchen"}).json()
    assert past["channels"] == [lights.id, sockets.id]
    assert {span["mean_watts"] for span in past["spans"]} == {500.0}
