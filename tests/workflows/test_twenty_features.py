from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from town import NOW

from watthour.core.errors import NotEnoughHistory
from watthour.core.window import DAY, Window
from watthour.forecasting.hourly_inputs import FEATURES
from watthour.registry.files import FileRegistry
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.store.memory import MemoryStore
from watthour.workflows.forecast import load_model
from watthour.workflows.ingest import backfill
from watthour.workflows.twenty_features import model_name, predict_demand, train_features_model

if TYPE_CHECKING:
    from pathlib import Path

NAME = model_name(SIMTOWN.channel.id)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    filled = MemoryStore()
    backfill(SimulatedRegion(), filled, Window(NOW - 140 * DAY, NOW), now=NOW)
    return filled


@pytest.fixture(scope="module")
def registry(store: MemoryStore, tmp_path_factory: pytest.TempPathFactory) -> FileRegistry:
    made = FileRegistry(tmp_path_factory.mktemp("models"))
    train_features_model(store, made, SIMTOWN, now=NOW)
    return made


def test_the_first_model_serves_and_says_how_good_it_is(registry: FileRegistry) -> None:
    (manifest,) = registry.manifests(NAME)
    assert registry.champion(NAME) == manifest.version
    assert manifest.features == FEATURES
    assert manifest.splits["train"].end <= manifest.splits["frozen"].start
    assert manifest.metrics["mae_mwh"] < manifest.metrics["hour_before_mae_mwh"]
    assert "importance.json" in manifest.hashes


def test_one_that_is_no_better_is_kept_but_does_not_serve(store: MemoryStore, registry: FileRegistry) -> None:
    before = registry.champion(NAME)
    again = train_features_model(store, registry, SIMTOWN, now=NOW + DAY)
    assert again.version != before
    assert registry.champion(NAME) == before


def test_a_damaged_champion_gives_way(store: MemoryStore, registry: FileRegistry, tmp_path: Path) -> None:
    manifest, files = registry.load(NAME)
    other = FileRegistry(tmp_path)
    other.save(manifest, files)
    other.promote(NAME, manifest.version, now=NOW, reason="a test")
    (tmp_path / NAME / manifest.version / "model.txt").write_bytes(b"tree")
    newer = train_features_model(store, other, SIMTOWN, now=NOW + DAY)
    assert other.champion(NAME) == newer.version
    assert "could not be compared" in other.promotions(NAME)[-1].reason


def test_a_row_of_features_gives_its_demand(registry: FileRegistry) -> None:
    loads = dict.fromkeys([name for name in FEATURES if name.startswith("demand")], 5000.0)
    mild = dict.fromkeys(FEATURES, 0.0) | loads | {"demand_rolling_std_24h": 400.0, "heating_degree_hours": 18.3}
    answer = predict_demand(load_model(registry, NAME), mild)
    assert answer.demand == pytest.approx(5000, rel=0.2)
    assert answer.lower < answer.demand < answer.upper


def test_with_too_little_history_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughHistory):
        train_features_model(MemoryStore(), FileRegistry(tmp_path), SIMTOWN, now=NOW)
