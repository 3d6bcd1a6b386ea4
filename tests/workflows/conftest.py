"""Half a year of the simulated region's demand and its operator's forecast, as a store that tests may change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from watthour.core.frames import Forecasts, Readings
from watthour.core.window import DAY, Window
from watthour.registry.files import FileRegistry
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.store.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.ports import Delivery

NOW = datetime(2024, 7, 10, 16, 20, tzinfo=UTC)  # 12:20 in Simtown, whose demand is known to 14:00 UTC
PAST_DAYS = 150


@pytest.fixture(scope="session")
def delivery() -> Delivery:
    return SimulatedRegion().fetch(Window(NOW - PAST_DAYS * DAY, NOW + 2 * DAY), now=NOW)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def store(delivery: Delivery) -> MemoryStore:
    store = MemoryStore()
    store.register([SIMTOWN.site], [SIMTOWN.channel])
    mine = pl.col("channel") == SIMTOWN.channel.id
    store.append(Readings.cast(delivery.readings.filter(mine)))
    store.append_forecasts(Forecasts.cast(delivery.forecasts.filter(mine)))
    return store


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    return FileRegistry(tmp_path / "models")
