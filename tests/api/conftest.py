"""A small town in memory, forecast for today and tomorrow, behind the real application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from town import IMPATIENT, NOW, URL, forecasts

from watthour.api.app import create_app
from watthour.bootstrap import App
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, Window
from watthour.registry.files import FileRegistry
from watthour.settings import Settings, load_settings
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import backfill
from watthour.workflows.sites import find_context
from watthour.workflows.twenty_features import train_features_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from watthour.core.model import Manifest
    from watthour.core.ports import Delivery


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("EIA_API_KEY", "DATABASE_URL", "MLFLOW_TRACKING_URI", "WATTHOUR_API_KEY", "WATTHOUR_RELOAD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return load_settings(home=tmp_path)


@pytest.fixture
def empty(settings: Settings) -> App:
    return App(settings, MemoryStore(), FileRegistry(settings.home / "models"))


@pytest.fixture(scope="session")
def delivery() -> Delivery:
    """What Simtown's feeds said over three weeks."""
    return SimulatedRegion().fetch(Window(NOW - 21 * DAY, NOW + 2 * DAY), now=NOW)


@pytest.fixture
def town(empty: App, delivery: Delivery) -> App:
    """Three weeks of Simtown with our forecasts of yesterday, today and tomorrow."""
    source = SimulatedRegion()
    empty.store.register(source.sites(), source.channels())
    empty.store.append(delivery.readings)
    empty.store.append_forecasts(delivery.forecasts)
    empty.store.note_run(SourceRun(source.name, NOW, NOW, Window(NOW - DAY, NOW), RunState.OK, 1))
    for days in (2, 1, 0):
        empty.store.append_forecasts(forecasts(NOW.replace(hour=13, minute=0) - days * DAY))
    return empty


@pytest.fixture
def api(empty: App) -> FastAPI:
    return create_app(empty, now=lambda: NOW, limits=IMPATIENT)


@pytest.fixture
def client(api: FastAPI) -> Iterator[TestClient]:
    """The API over an empty store."""
    with TestClient(api, base_url=URL) as opened:
        yield opened


@pytest.fixture
def town_client(town: App) -> Iterator[TestClient]:
    """The API over the town."""
    with TestClient(create_app(town, now=lambda: NOW, limits=IMPATIENT), base_url=URL) as opened:
        yield opened


@pytest.fixture
def open_client() -> Iterator[Callable[..., TestClient]]:
    """Open an application of the test's own making."""
    opened: list[TestClient] = []

    def start(app: App, **choices: object) -> TestClient:
        api = create_app(app, **{"now": lambda: NOW, "limits": IMPATIENT, **choices})  # type: ignore[arg-type]  # passed through
        test_client = TestClient(api, base_url=URL)
        test_client.__enter__()
        opened.append(test_client)
        return test_client

    yield start
    for test_client in opened:
        test_client.__exit__()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[App, Manifest]:
    """Five months of Simtown and the model learned from them."""
    home = tmp_path_factory.mktemp("trained")
    app = App(load_settings(home=home), MemoryStore(), FileRegistry(home / "models"))
    backfill(SimulatedRegion(), app.store, Window(NOW - 150 * DAY, NOW), now=NOW)
    return app, train_features_model(
        app.store, app.registry, find_context(app.store, app.directories, SIMTOWN.site.id), now=NOW
    )
