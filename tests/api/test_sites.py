"""Sites of one's own over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from builders import readings
from town import URL

from watthour.api.problems import MEDIA_TYPE
from watthour.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

SITES = "/api/v1/sites"
HOUSE: dict[str, Any] = {
    "name": "Summer house",
    "kind": "home",
    "time_zone": "Europe/Paris",
    "latitude": 48.85,
    "longitude": 2.35,
    "holidays": "FR",
    "channels": [{"name": "power", "unit": "kW", "resolution_seconds": 1800}],
}
POWER = "home.summer_house.power"


def test_a_site_is_added_listed_changed_and_removed(client: TestClient) -> None:
    added = client.post(SITES, json=HOUSE)
    assert added.status_code == 201
    site = added.json()
    assert (site["id"], site["main_channel"], site["weather"]) == ("summer_house", POWER, "awaited")
    assert site["channels"][0]["resolution_seconds"] == 1800
    assert "watthour import" in site["next"][0]["command"]
    assert client.get(SITES).json() == {"sites": [site]}
    assert client.get(f"{SITES}/Summer house").json() == site
    changed = client.patch(f"{SITES}/summer_house", json={"holidays": None, "name": "Beach house"}).json()
    assert (changed["name"], changed["holidays"], changed["latitude"]) == ("Beach house", None, 48.9)
    assert client.delete(f"{SITES}/summer_house").json() == {"id": "summer_house", "name": "Beach house"}
    assert client.get(SITES).json() == {"sites": []}


@pytest.mark.parametrize("field", ["name", "time_zone", "holidays", "zone"])
def test_half_a_character_is_refused_in_words(client: TestClient, empty: App, field: str) -> None:
    sent = json.dumps(HOUSE | {field: "\ud800"})
    answer = client.post(SITES, content=sent, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert empty.store.sites() == []


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe"])
def test_a_clock_that_does_not_fit_what_is_kept_is_refused(client: TestClient, empty: App, zone: str) -> None:
    hourly = [{"name": "power", "unit": "kW", "resolution_seconds": 3600}]
    client.post(SITES, json=HOUSE | {"channels": hourly})
    empty.store.append(readings(1.0, channel=POWER))
    refused = client.patch(f"{SITES}/summer_house", json={"time_zone": zone})
    assert refused.status_code == 400
    assert refused.json()["remedy"]
    assert client.get(f"{SITES}/summer_house").json()["time_zone"] == "Europe/Paris"
    assert client.patch(f"{SITES}/summer_house", json={"time_zone": "Asia/Tokyo"}).status_code == 200


def test_readings_are_not_removed_unless_said(client: TestClient, empty: App) -> None:
    client.post(SITES, json=HOUSE)
    empty.store.append(readings(1.0, channel=POWER))
    refused = client.delete(f"{SITES}/summer_house")
    assert (refused.status_code, refused.headers["content-type"]) == (400, MEDIA_TYPE)
    assert "delete_readings=true" in refused.json()["remedy"]
    assert empty.store.spans()[POWER]
    assert client.delete(f"{SITES}/summer_house", params={"delete_readings": "true"}).status_code == 200
    assert empty.store.spans() == {}


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"name": "ny"}, 400, "name"),
        ({"time_zone": "Paris"}, 400, "time_zone"),
        ({"holidays": "France"}, 400, "holidays"),
        ({"latitude": 91}, 422, "latitude"),
        ({"kind": "castle"}, 422, "kind"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
def test_what_cannot_be_is_a_problem_that_names_the_field(
    client: TestClient, changed: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post(SITES, json=HOUSE | changed)
    assert (answer.status_code, answer.json()["field"], answer.headers["content-type"]) == (status, field, MEDIA_TYPE)
    assert answer.json()["remedy"]
    assert client.get(SITES).json() == {"sites": []}


def test_an_unknown_site_is_not_found(client: TestClient) -> None:
    client.post(SITES, json=HOUSE)
    for answer in (
        client.get(f"{SITES}/summer_hose"),
        client.patch(f"{SITES}/summer_hose", json={}),
        client.delete(f"{SITES}/summer_hose"),
    ):
        assert answer.status_code == 404
        assert "summer_house" in answer.json()["remedy"]


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_pages_of_other_sites_and_callers_without_the_key_change_nothing(
    open_client: Callable[..., TestClient], empty: App, method: str
) -> None:
    secured = open_client(replace(empty, settings=load_settings(home=empty.settings.home, api_key="8f14e45fceea167a")))
    path = SITES if method == "post" else f"{SITES}/summer_house"
    assert secured.request(method, path, json=HOUSE).status_code == 401
    open_to_us = open_client(empty)
    assert open_to_us.request(method, path, json=HOUSE, headers={"Origin": "http://evil.example"}).status_code == 403
    own = open_to_us.request(method, path, json=HOUSE, headers={"Origin": URL})
    assert own.status_code in {201, 404, 422}
    assert empty.store.sites() == [] or method == "post"


def test_a_site_in_the_settings_is_changed_there(open_client: Callable[..., TestClient], empty: App) -> None:
    block = {"kind": "home", "time_zone": "Europe/Paris"}
    app = replace(empty, settings=load_settings(home=empty.settings.home, sites={"summer_house": block}))
    client = open_client(app)
    client.post(SITES, json=HOUSE)
    assert client.get(f"{SITES}/summer_house").json()["described_in"] == "settings"
    refused = client.patch(f"{SITES}/summer_house", json={"holidays": "DE"})
    assert refused.status_code == 400
    assert "[sites.summer_house]" in refused.json()["remedy"]


def test_the_page_may_ask_a_browser_where_it_is(client: TestClient) -> None:
    assert "geolocation=(self)" in client.get(SITES).headers["permissions-policy"]


def test_calendars_of_holidays_are_listed_and_the_likely_one_is_named(client: TestClient) -> None:
    told = client.get("/api/v1/holidays", params={"time_zone": "Australia/Sydney"}).json()
    assert told["likely"] == "AU"
    assert "NSW" in next(each for each in told["countries"] if each["code"] == "AU")["parts"]
    assert client.get("/api/v1/holidays").json()["likely"] is None


def test_a_new_site_with_readings_is_shown_at_once(client: TestClient, empty: App) -> None:
    client.post(SITES, json=HOUSE | {"channels": [{"name": "power", "unit": "kW", "resolution_seconds": 3600}]})
    empty.store.append(readings(*[1.0] * 24 * 30, channel=POWER))
    assert [each["id"] for each in client.get("/api/v1/status").json()["regions"]] == ["summer_house"]
    page = client.get("/api/v1/grid/summer_house/forecast").json()
    assert (page["region"]["name"], page["unit"]) == ("Summer house", "kW")
    assert page["region"]["resolution_seconds"] == timedelta(hours=1).total_seconds()
