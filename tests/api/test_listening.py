"""What devices tell, over HTTP: listed, added, removed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import home_channel, home_site
from town import NOW

from watthour.core.heard import Fault, Heard, Tells, Thing, Told

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.bootstrap import App

PLUG = Thing("shelly/plug/switch:0", "shelly/plug", "Plug", "plug", timedelta(minutes=1))


@pytest.fixture
def heard(empty: App) -> App:
    empty.store.register([home_site()], [home_channel("power")])
    told = (Told(PLUG, Tells.POWER, 20.5, NOW), Told(PLUG, Tells.COUNTER, 3.0, None))
    empty.listener.take("mqtt", Heard(told, (Fault("zigbee2mqtt/a", "payload_is_json", "hello"),)))
    return empty


def test_nothing_is_heard_where_nothing_is_set(client: TestClient) -> None:
    assert client.get("/api/v1/listening").json() == {"lines": [], "things": [], "faults": []}


@pytest.mark.usefixtures("heard")
def test_what_was_heard_is_listed_with_its_last_values(client: TestClient) -> None:
    found = client.get("/api/v1/listening").json()
    (thing,) = found["things"]
    assert (thing["key"], thing["name"], thing["kind"], thing["channel"]) == (PLUG.key, "Plug", "plug", None)
    assert [(each["tells"], each["text"], each["time"] is None) for each in thing["values"]] == [
        ("counter", "3 kWh", True),
        ("power", "20.5 W", False),
    ]
    assert found["faults"] == [{"rule": "payload_is_json", "topic": "zigbee2mqtt/a", "count": 1}]


def test_a_thing_is_added_as_a_device_and_removed_again(client: TestClient, heard: App) -> None:
    asked = {"thing": PLUG.key, "home": "flat", "name": "Fridge", "kind": "fridge"}
    answer = client.post("/api/v1/listening/things", json=asked)
    assert (answer.status_code, answer.json()) == (201, {"thing": PLUG.key, "channel": "home.flat.fridge.energy"})
    assert [device.id for device in heard.store.devices()] == ["home.flat.fridge"]
    assert client.get("/api/v1/listening").json()["things"][0]["channel"] == "home.flat.fridge.energy"
    gone = client.delete("/api/v1/listening/things", params={"thing": PLUG.key})
    assert gone.json() == {"thing": PLUG.key, "channel": "home.flat.fridge.energy"}
    again = client.delete("/api/v1/listening/things", params={"thing": PLUG.key})
    assert again.status_code == 404
    assert "it fills no channel" in again.text


@pytest.mark.usefixtures("heard")
def test_what_cannot_be_added_says_why_and_what_to_do(client: TestClient) -> None:
    unheard = client.post("/api/v1/listening/things", json={"thing": "shelly/other", "home": "flat"})
    assert unheard.status_code == 404
    assert PLUG.key in unheard.text
    nowhere = client.post("/api/v1/listening/things", json={"thing": PLUG.key, "home": "castle"})
    assert nowhere.status_code == 404
    misspelt = client.post("/api/v1/listening/things", json={"thing": PLUG.key, "house": "flat"})
    assert misspelt.status_code in {400, 422}
