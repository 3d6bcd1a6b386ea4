"""Answers that are kept warm: hits are counted, and whatever is new to the store or the registry drops them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest
import street
from builders import device, readings

from watthour.api.compute import Limits
from watthour.bootstrap import App
from watthour.core.frames import Measure, Samples
from watthour.core.window import HOUR
from watthour.registry.files import FileRegistry
from watthour.settings import load_settings
from watthour.store.sql import open_store
from watthour.store.telling import TellingStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from watthour.core.ports import Store

AHEAD = "/api/v1/homes/oak/forecast"


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[App]:
    """Some homes in a store that another process may write as well."""
    with closing(open_store(f"sqlite:///{tmp_path / 'watthour.db'}")) as store:
        street.fill(store)
        yield App(load_settings(home=tmp_path), store, FileRegistry(tmp_path / "models"))


def counted(client: TestClient, answer: str) -> dict[str, int]:
    lines = [line for line in client.get("/metrics").text.splitlines() if f'answer="{answer}"' in line]
    told = [line.rpartition(" ") for line in lines if line.startswith("warm_answers_total")]
    return {name.split('outcome="')[1].rstrip('"}'): int(float(value)) for name, _, value in told}


def test_the_hours_ahead_are_kept_and_dropped_once_another_process_appends_a_reading(
    on_disk: App, tmp_path: Path, open_client: Callable[..., TestClient]
) -> None:
    client = open_client(on_disk, now=lambda: street.NOW)
    first = client.get(AHEAD).json()["forecasts"][0]
    assert client.get(AHEAD).json()["forecasts"][0] == first
    assert counted(client, "ahead") == {"miss": 1, "hit": 1}
    with closing(open_store(f"sqlite:///{tmp_path / 'watthour.db'}")) as other:
        hour = street.NOW.replace(minute=0)
        other.append(readings(9.0, channel=first["channels"][0], start=hour - HOUR, available_at=street.NOW))
    assert client.get(AHEAD).status_code == 200
    assert counted(client, "ahead") == {"miss": 2, "hit": 1, "dropped": 1}


def test_what_this_process_has_acknowledged_is_in_the_next_answer(
    tmp_path: Path, open_client: Callable[..., TestClient]
) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'watthour.db'}")) as store:
        street.fill(store)
        told = cast("Store", TellingStore(store, lambda _kept: None))
        app = App(load_settings(home=tmp_path), told, FileRegistry(tmp_path / "models"))
        client = open_client(app, now=lambda: street.NOW, limits=Limits(is_warmed_up=False, state_lifetime_s=3600.0))
        first = client.get(AHEAD).json()["forecasts"][0]
        hour = street.NOW.replace(minute=0)
        app.store.append(readings(9.0, channel=first["channels"][0], start=hour - HOUR, available_at=street.NOW))
        assert client.get(AHEAD).status_code == 200
        assert counted(client, "ahead") == {"miss": 2, "dropped": 1}


def test_an_answer_in_watts_is_counted_under_its_own_name_and_dropped_by_a_promotion(
    on_disk: App, open_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_client(on_disk, now=lambda: street.NOW)
    for _ in range(2):
        assert client.get("/api/v1/forecast", params={"home": "oak"}).status_code == 200
    assert counted(client, "watts") == {"miss": 1, "hit": 1}
    monkeypatch.setattr(on_disk.registry, "champion", lambda _name: "gone-20240101T000000-aaaaaa")
    assert client.get("/api/v1/forecast", params={"home": "oak"}).json()["fallback"] is not None
    assert counted(client, "watts") == {"miss": 2, "hit": 1, "dropped": 1}


OF_A_HOME = [
    ("usage", "usage"),
    ("history", "history?start=2024-05-01&end=2024-05-14"),
    ("insights", "insights?days=7"),
]


@pytest.mark.parametrize(("name", "address"), [*OF_A_HOME, ("insights", "devices/kettle/insights")])
def test_what_a_home_used_is_kept_and_dropped_once_another_process_appends_a_reading_or_a_use(
    on_disk: App, tmp_path: Path, open_client: Callable[..., TestClient], name: str, address: str
) -> None:
    kettle = device("kettle", home="oak")
    on_disk.store.register([], [], devices=[kettle])
    client = open_client(on_disk, now=lambda: street.NOW)
    first = client.get(f"/api/v1/homes/oak/{address}")
    assert first.status_code == 200
    assert client.get(f"/api/v1/homes/oak/{address}").json() == first.json()
    assert counted(client, name) == {"miss": 1, "hit": 1}
    hour = street.NOW.replace(minute=0)
    with closing(open_store(f"sqlite:///{tmp_path / 'watthour.db'}")) as other:
        other.append(readings(9.0, channel="home.oak.power", start=hour - HOUR, available_at=street.NOW))
        assert client.get(f"/api/v1/homes/oak/{address}").status_code == 200
        assert counted(client, name) == {"miss": 2, "hit": 1, "dropped": 1}
        other.append_events(street.uses(kettle.id, [hour - HOUR], minutes=10, kwh=0.1))
    assert client.get(f"/api/v1/homes/oak/{address}").status_code == 200
    assert counted(client, name) == {"miss": 3, "hit": 1, "dropped": 2}


def test_the_power_now_follows_the_samples_of_another_process_and_its_age_goes_on(
    on_disk: App, tmp_path: Path, open_client: Callable[..., TestClient]
) -> None:
    later = [0]
    client = open_client(on_disk, now=lambda: street.NOW + later[0] * HOUR / 3600)
    with closing(open_store(f"sqlite:///{tmp_path / 'watthour.db'}")) as other:
        for watts in (700.0, 900.0):
            row = ("home.oak.power", street.NOW + later[0] * HOUR / 3600, str(Measure.POWER), street.NOW, watts)
            rows = pl.DataFrame([row], schema=Samples.create_empty().schema, orient="row")
            other.append_samples(Samples.validate(rows))
            assert client.get("/api/v1/homes/oak/usage").json()["parts"][0]["power_watts"] == watts
            later[0] += 3
    told = client.get("/api/v1/homes/oak/usage").json()
    assert (told["at"], told["parts"][0]["age_seconds"]) == ("2024-05-15T07:30:06Z", 3.0)
    assert counted(client, "usage") == {"miss": 2, "hit": 1, "dropped": 1}


def test_a_device_that_was_just_added_is_in_the_next_answer(
    tmp_path: Path, open_client: Callable[..., TestClient]
) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'watthour.db'}")) as store:
        street.fill(store)
        told = cast("Store", TellingStore(store, lambda _kept: None))
        app = App(load_settings(home=tmp_path), told, FileRegistry(tmp_path / "models"))
        client = open_client(app, now=lambda: street.NOW, limits=Limits(is_warmed_up=False, state_lifetime_s=3600.0))
        assert len(client.get("/api/v1/homes/oak/usage").json()["parts"]) == 1
        assert client.post("/api/v1/homes/oak/devices", json={"name": "Lamp"}).status_code == 201
        assert [each["name"] for each in client.get("/api/v1/homes/oak/usage").json()["parts"]] == ["Oak", "Lamp"]
        app.store.append_events(street.uses("home.oak.lamp", [street.NOW - HOUR], minutes=9, kwh=0.1))
        told_of = client.get("/api/v1/homes/oak/devices/lamp/insights").json()
        assert told_of["uses"]["n_uses"] == 1
