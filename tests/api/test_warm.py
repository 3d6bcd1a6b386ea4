"""Answers that are kept warm: hits are counted, and whatever is new to the store or the registry drops them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest
import street
from builders import readings

from watthour.api.compute import Limits
from watthour.bootstrap import App
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
