"""What every model registry promises."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import InvalidInput, MissingExtra, ModelNotFound
from watthour.core.model import Manifest, Trial, digest
from watthour.core.window import Window
from watthour.registry.files import FileRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.ports import ModelRegistry

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
NAME = "grid.ny.demand"
FILES = {
    "model.txt": b"tree\nnumber 1\n",
    "meta.json": b'{"levels": [0.05, 0.5, 0.95]}',
    "stand_in/weights.bin": bytes(range(256)),
}


def manifest(version: str, *, name: str = NAME, created_at: datetime = NOW) -> Manifest:
    return Manifest(
        name=name,
        version=version,
        recipe="gradient_boosting",
        parameters={"n_trees": 300, "with_operator": True, "levels": [0.05, 0.95]},
        features=("hour", "temperature", "demand_lag_168h"),
        splits={
            "train": Window(datetime(2022, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)),
            "frozen": Window(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 12, tzinfo=UTC)),
        },
        data_fingerprint="ab12" * 16,
        metrics={"mae_mwh": 293.5, "mape_percent": 1.55},
        created_at=created_at,
    )


@pytest.fixture(scope="session")
def fresh_mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with MLflow's tables; making them takes seconds, copying them does not."""
    try:
        from watthour.registry.mlflow import MlflowRegistry
    except MissingExtra as error:
        pytest.skip(f"{error} (the registry on MLflow is not under test)")
    place = tmp_path_factory.mktemp("mlflow")
    MlflowRegistry(f"sqlite:///{place / 'mlflow.db'}", artifacts=place).manifests()
    return place / "mlflow.db"


MLFLOW = pytest.param(
    "mlflow",
    marks=[
        pytest.mark.xdist_group("mlflow"),  # its import and its first database are slow: once is enough
        pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # mlflow 3.17 uses what SQLAlchemy 2.1 deprecates
        pytest.mark.filterwarnings("ignore::FutureWarning"),  # and what it deprecates itself
    ],
)


@pytest.fixture(params=["files", MLFLOW])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> ModelRegistry:
    if request.param == "files":
        return FileRegistry(tmp_path / "models")
    database: Path = request.getfixturevalue("fresh_mlflow_database")
    from watthour.registry.mlflow import MlflowRegistry

    copy = shutil.copy(database, tmp_path / "mlflow.db")
    return MlflowRegistry(f"sqlite:///{copy}", artifacts=tmp_path / "artifacts")


def test_a_model_comes_back_as_it_was_saved(registry: ModelRegistry) -> None:
    kept = registry.save(manifest("v1"), FILES)
    loaded, files = registry.load(NAME, "v1")
    assert loaded == kept
    assert dict(files) == FILES
    assert loaded.parameters == manifest("v1").parameters
    assert loaded.splits == manifest("v1").splits


def test_saving_fills_in_the_hash_of_every_file(registry: ModelRegistry) -> None:
    kept = registry.save(manifest("v1"), FILES)
    assert kept.hashes == {name: digest(content) for name, content in FILES.items()}


def test_saving_the_same_twice_changes_nothing(registry: ModelRegistry) -> None:
    registry.save(manifest("v1"), FILES)
    registry.save(manifest("v1"), FILES)
    assert [each.version for each in registry.manifests(NAME)] == ["v1"]


def test_a_saved_version_never_changes(registry: ModelRegistry) -> None:
    registry.save(manifest("v1"), FILES)
    with pytest.raises(InvalidInput, match="v1"):
        registry.save(manifest("v1"), {**FILES, "model.txt": b"another"})
    assert registry.load(NAME, "v1")[1]["model.txt"] == FILES["model.txt"]


def test_nothing_serves_until_something_is_promoted(registry: ModelRegistry) -> None:
    assert registry.champion(NAME) is None
    registry.save(manifest("v1"), FILES)
    assert registry.champion(NAME) is None
    with pytest.raises(ModelNotFound, match="promote"):
        registry.load(NAME)


def test_the_promoted_version_is_what_load_returns(registry: ModelRegistry) -> None:
    registry.save(manifest("v1"), FILES)
    registry.save(manifest("v2"), FILES)
    registry.promote(NAME, "v2", now=NOW, reason="better")
    assert registry.champion(NAME) == "v2"
    assert registry.load(NAME)[0].version == "v2"


def test_rollback_returns_to_the_champion_before(registry: ModelRegistry) -> None:
    for version in ("v1", "v2", "v3"):
        registry.save(manifest(version), FILES)
        registry.promote(NAME, version, now=NOW, reason=f"{version} is better")
    assert registry.rollback(NAME, now=NOW) == "v2"
    assert registry.champion(NAME) == "v2"
    assert registry.rollback(NAME, now=NOW) == "v1"
    assert registry.champion(NAME) == "v1"


def test_rollback_without_a_champion_before_says_so(registry: ModelRegistry) -> None:
    with pytest.raises(ModelNotFound, match="before"):
        registry.rollback(NAME, now=NOW)
    registry.save(manifest("v1"), FILES)
    registry.promote(NAME, "v1", now=NOW, reason="first")
    with pytest.raises(ModelNotFound, match="before"):
        registry.rollback(NAME, now=NOW)
    assert registry.champion(NAME) == "v1"


def test_promoting_the_champion_again_changes_nothing(registry: ModelRegistry) -> None:
    for version in ("v1", "v2"):
        registry.save(manifest(version), FILES)
        registry.promote(NAME, version, now=NOW, reason="first")
    registry.promote(NAME, "v2", now=NOW, reason="again")
    assert len(registry.promotions(NAME)) == 2
    assert registry.rollback(NAME, now=NOW) == "v1"


def test_every_change_of_champion_is_told_with_its_reason(registry: ModelRegistry) -> None:
    registry.save(manifest("v1"), FILES)
    registry.save(manifest("v2"), FILES)
    registry.promote(NAME, "v1", now=NOW, reason="the first")
    registry.promote(NAME, "v2", now=NOW + timedelta(days=1), reason="p = 0.01, “far” better")
    registry.rollback(NAME, now=NOW + timedelta(days=2))
    told = registry.promotions(NAME)
    assert [(each.version, each.is_rollback) for each in told] == [("v1", False), ("v2", False), ("v1", True)]
    assert told[1].reason == "p = 0.01, “far” better"
    assert told[2].promoted_at == NOW + timedelta(days=2)


def test_an_unknown_version_is_not_promoted_and_the_known_ones_are_named(registry: ModelRegistry) -> None:
    registry.save(manifest("v1"), FILES)
    with pytest.raises(ModelNotFound, match="v1"):
        registry.promote(NAME, "v9", now=NOW, reason="typing")
    with pytest.raises(ModelNotFound, match="v1"):
        registry.load(NAME, "v9")
    with pytest.raises(ModelNotFound):
        registry.load("grid.nowhere.demand")


def test_manifests_come_newest_first_and_by_name(registry: ModelRegistry) -> None:
    registry.save(manifest("b-old", created_at=NOW), FILES)
    registry.save(manifest("a-new", created_at=NOW + timedelta(days=1)), FILES)
    registry.save(manifest("v1", name="grid.pjm.demand"), FILES)
    assert [each.version for each in registry.manifests(NAME)] == ["a-new", "b-old"]
    assert {each.name for each in registry.manifests()} == {NAME, "grid.pjm.demand"}
    assert registry.manifests("grid.nowhere.demand") == []


def test_names_keep_their_champions_apart(registry: ModelRegistry) -> None:
    for name in (NAME, "grid.pjm.demand"):
        registry.save(manifest("v1", name=name), FILES)
    registry.promote(NAME, "v1", now=NOW, reason="first")
    assert registry.champion("grid.pjm.demand") is None


@pytest.mark.parametrize("bad", ["../outside", "a/../b", "/a", "", ".hidden", "a b"])
def test_a_name_that_leads_out_of_the_registry_is_refused(registry: ModelRegistry, bad: str) -> None:
    with pytest.raises(InvalidInput):
        registry.save(replace(manifest("v1"), version=bad), FILES)
    with pytest.raises(InvalidInput):
        registry.save(manifest("v1"), {bad: b""})


@pytest.fixture
def tried(registry: ModelRegistry) -> ModelRegistry:
    """v1 serves, v2 and v3 could."""
    for version in ("v1", "v2", "v3"):
        registry.save(manifest(version), FILES)
    registry.promote(NAME, "v1", now=NOW - timedelta(days=1), reason="first")
    return registry


def test_a_trial_is_kept_with_its_share_and_who_began_it(tried: ModelRegistry) -> None:
    assert tried.trial(NAME) is None
    begun = tried.begin_trial(NAME, "v2", share=0.2, now=NOW, asked_by="Ana")
    assert begun == Trial("v2", "v1", 0.2, NOW, "Ana")
    assert tried.trial(NAME) == begun
    assert tried.champion(NAME) == "v1"
    assert len(tried.promotions(NAME)) == 1


def test_a_trial_that_is_stopped_is_told_with_its_end(tried: ModelRegistry) -> None:
    begun = tried.begin_trial(NAME, "v2", share=0.2, now=NOW, asked_by="Ana")
    later = NOW + timedelta(days=3)
    assert tried.end_trial(NAME, now=later) == replace(begun, until=later)
    assert tried.trial(NAME) == replace(begun, until=later)
    with pytest.raises(ModelNotFound, match="no A/B trial"):
        tried.end_trial(NAME, now=later)


@pytest.mark.parametrize("promoted", ["v2", "v3"])
def test_another_champion_ends_the_trial_and_going_back_does_not_resume_it(tried: ModelRegistry, promoted: str) -> None:
    begun = tried.begin_trial(NAME, "v2", share=0.2, now=NOW, asked_by="Ana")
    later = NOW + timedelta(hours=5)
    tried.promote(NAME, promoted, now=later, reason="better")
    ended = replace(begun, until=later)
    assert tried.trial(NAME) == ended
    tried.rollback(NAME, now=later + timedelta(hours=1))
    assert tried.champion(NAME) == "v1"
    assert tried.trial(NAME) == ended


def test_promoting_the_champion_again_does_not_end_the_trial(tried: ModelRegistry) -> None:
    begun = tried.begin_trial(NAME, "v2", share=0.2, now=NOW, asked_by="Ana")
    tried.promote(NAME, "v1", now=NOW + timedelta(hours=5), reason="again")
    assert tried.trial(NAME) == begun


def test_a_new_share_goes_on_with_the_trial_and_another_version_begins_one(tried: ModelRegistry) -> None:
    tried.begin_trial(NAME, "v2", share=0.2, now=NOW, asked_by="Ana")
    later = NOW + timedelta(days=1)
    assert tried.begin_trial(NAME, "v2", share=0.5, now=later, asked_by="Bo") == Trial("v2", "v1", 0.5, NOW, "Bo")
    assert tried.begin_trial(NAME, "v3", share=0.5, now=later, asked_by="Bo") == Trial("v3", "v1", 0.5, later, "Bo")


def test_a_trial_that_cannot_be_is_refused_with_the_cure(tried: ModelRegistry) -> None:
    with pytest.raises(InvalidInput, match=r"version = 'v1': it serves .* already.*models list"):
        tried.begin_trial(NAME, "v1", share=0.2, now=NOW, asked_by="Ana")
    for share in (-0.1, 1.01, float("nan")):
        with pytest.raises(InvalidInput, match=r"share = .*from 0 to 1"):
            tried.begin_trial(NAME, "v2", share=share, now=NOW, asked_by="Ana")
    with pytest.raises(ModelNotFound, match="v9"):
        tried.begin_trial(NAME, "v9", share=0.2, now=NOW, asked_by="Ana")
    assert tried.trial(NAME) is None


def test_nothing_can_be_tried_before_a_model_serves(registry: ModelRegistry) -> None:
    registry.save(manifest("v1"), FILES)
    with pytest.raises(ModelNotFound, match=r"nothing can be tried.*models promote"):
        registry.begin_trial(NAME, "v1", share=0.2, now=NOW, asked_by="Ana")
