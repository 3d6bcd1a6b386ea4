"""The command line in this process: what it prints, and its exit code."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from watthour.cli import main
from watthour.core.frames import Forecasts, Readings
from watthour.core.window import DAY, Window
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OURS = (
    "EIA_API_KEY",
    "ENTSOE_API_KEY",
    "DATABASE_URL",
    "MLFLOW_TRACKING_URI",
    "WATTHOUR_API_KEY",
    "WATTHOUR_REGIONS",
    "WATTHOUR_PORT",
)


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def watthour(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    assert not home.exists()

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def town_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with four months of Simtown's demand and its operator's forecast, up to now."""
    path = tmp_path_factory.mktemp("town") / "watthour.db"
    now = datetime.now(UTC)
    delivery = SimulatedRegion().fetch(Window(now - 125 * DAY, now + 2 * DAY), now=now)
    mine = pl.col("channel") == SIMTOWN.channel.id
    store = open_store(f"sqlite:///{path}")
    store.register([SIMTOWN.site], [SIMTOWN.channel])
    store.append(Readings.cast(delivery.readings.filter(mine)))
    store.append_forecasts(Forecasts.cast(delivery.forecasts.filter(mine)))
    store.close()
    return path


@pytest.fixture
def town(watthour: Callable[..., Outcome], town_store: Path, home: Path) -> Callable[..., Outcome]:
    """The command line on a home that holds Simtown."""
    home.mkdir()
    shutil.copy(town_store, home / "watthour.db")
    return watthour
