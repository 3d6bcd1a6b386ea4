"""One model of all homes of a store: trained together, and asked for each home that has none of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from street import NOW, OLD, add

from watthour.core.channel import Device
from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import Readings
from watthour.core.loads import shared_name
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, Window
from watthour.forecasting.global_model.model import GlobalModel
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.compare import Decision
from watthour.workflows.forecast import forecast
from watthour.workflows.runs import HOMES_RUN
from watthour.workflows.shared_model import train_shared
from watthour.workflows.sites import contexts, find_context

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

DAYS = 126
SMALL = GlobalModel(n_networks=1, n_trees=60)


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    return FileRegistry(tmp_path / "models")


def test_a_model_of_all_homes_answers_for_a_new_one_and_says_so(registry: FileRegistry) -> None:
    store = MemoryStore()
    for name in OLD:
        add(store, name, DAYS)
    add(store, "New", 1.5)
    add(store, "Halves", 1.5, resolution=timedelta(minutes=30))  # alone with its step
    homes = contexts(store, [], [])
    (report,) = train_shared(store, registry, homes, now=NOW, recipe=SMALL, is_shared_only=True)
    assert report.verdict.decision is Decision.PROMOTED, report.verdict.reasons
    assert "In 3 homes its mean absolute error is" in report.verdict.reasons[0]
    assert set(report.scores) == set(OLD)
    assert list(report.left_out) == ["New", "Halves"]
    new = find_context(store, [], "new")
    assert report.manifest.name == shared_name(new) == "shared.home.60min"
    told = forecast(store, registry, new, now=NOW)
    assert told.version == report.manifest.version
    assert told.fallback is not None
    assert told.fallback.startswith("The model of all homes answers: ")
    again = forecast(store, registry, new, now=NOW)
    assert (again.version, again.new_rows) == (told.version, 0)


def test_the_models_name_is_that_of_whole_loads_alone() -> None:
    store = MemoryStore()
    add(store, "Oak", 2)
    oak = find_context(store, [], "oak")
    room = replace(oak.channel, id="home.oak.kitchen.power", zone="home.oak.kitchen")
    fridge = replace(oak.channel, id="home.oak.fridge.power", device="home.oak.fridge")
    warmth = replace(oak.channel, id="home.oak.warmth", quantity=Quantity.TEMPERATURE, unit=Unit.CELSIUS)
    second = replace(oak.channel, id="home.oak.garage")
    assert shared_name(oak) == "shared.home.60min"
    for other in (room, fridge, warmth, second):
        assert shared_name(replace(oak, channel=other)) is None, other.id


def test_a_device_is_neither_learned_from_nor_answered_by_the_model_of_mains(registry: FileRegistry) -> None:
    store = MemoryStore()
    for name in OLD:
        add(store, name, DAYS)
    homes = contexts(store, [], [])
    mains = store.history(homes[0], Window(NOW - DAYS * DAY, NOW), NOW).readings
    site = homes[0].site
    fridge = replace(homes[0].channel, id=f"{site.prefix}.fridge.power", device=f"{site.prefix}.fridge")
    store.register([site], [fridge], devices=[Device(f"{site.prefix}.fridge", site.id, "Fridge")])
    store.append(Readings.validate(mains.with_columns(channel=pl.lit(fridge.id))))
    device = replace(homes[0], channel=fridge)
    (report,) = train_shared(store, registry, [*homes, device], now=NOW, recipe=SMALL, is_shared_only=True)
    assert set(report.scores) == set(OLD)
    assert forecast(store, registry, homes[0], now=NOW).version == report.manifest.version
    assert forecast(store, registry, device, now=NOW).version == "persistence_ensemble"


def test_why_the_model_of_all_homes_cannot_answer_is_told(registry: FileRegistry, tmp_path: Path) -> None:
    store = MemoryStore()
    for name in OLD:
        add(store, name, DAYS)
    homes = contexts(store, [], [])
    (report,) = train_shared(store, registry, homes, now=NOW, recipe=SMALL, is_shared_only=True)
    (median,) = tmp_path.glob(f"models/**/{report.manifest.version}/median.txt")
    median.write_text("spoilt")
    told = forecast(store, registry, homes[0], now=NOW)
    assert told.version == "other_homes"
    assert any(words.startswith("The model of all homes cannot help: ") for words in told.missing_inputs)
    assert "median.txt" in " ".join(told.missing_inputs)


def test_a_home_that_ended_before_the_others_is_trained_again_with_them(
    registry: FileRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    for name, ended in (("Oak", 0), ("Elms", 0), ("Beech", 20), ("Ash", 60)):
        monkeypatch.setattr("street.NOW", NOW - ended * DAY)
        add(store, name, DAYS)
    homes = contexts(store, [], [])
    for hours in (0, 1):  # the shared model that serves by then has learned from Oak up to a month ago
        now = NOW + timedelta(hours=hours)
        (report,) = train_shared(store, registry, homes, now=now, recipe=SMALL, is_shared_only=True)
        assert report.left_out == {}
        assert set(report.scores) == {"Oak", "Elms", "Beech", "Ash"}


def test_simulated_homes_are_not_trained_beside_real_ones(registry: FileRegistry) -> None:
    store, tiny = MemoryStore(), GlobalModel(n_networks=1, n_trees=20, n_epochs=2)
    add(store, "Oak", DAYS, is_simulated=True)
    add(store, "Elms", DAYS, is_simulated=True)
    (alone,) = train_shared(store, registry, contexts(store, [], []), now=NOW, recipe=tiny, is_shared_only=True)
    assert set(alone.scores) == {"Oak", "Elms"}
    add(store, "Beech", DAYS)
    add(store, "Ash", DAYS)
    reports = train_shared(store, registry, contexts(store, [], []), now=NOW, recipe=tiny, is_shared_only=True)
    assert [set(report.scores) for report in reports] == [{"Beech", "Ash"}]


def test_without_a_home_that_is_known_for_long_enough_nothing_is_trained(registry: FileRegistry) -> None:
    store = MemoryStore()
    with pytest.raises(NotEnoughHistory, match="no home"):
        train_shared(store, registry, [], now=NOW)
    add(store, "New", 20)
    with pytest.raises(NotEnoughHistory, match="none of the 1 homes in steps of 60 minutes can be learned from"):
        train_shared(store, registry, contexts(store, [], []), now=NOW, is_shared_only=True)
    assert registry.champion("shared.home.60min") is None


def test_a_training_that_ends_half_way_leaves_the_models_that_serve(
    registry: FileRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    for name in OLD[:2]:
        add(store, name, DAYS)
    homes = contexts(store, [], [])
    monkeypatch.setattr("watthour.forecasting.combination.trial.CANDIDATES", ("recent_days", "persistence_ensemble"))
    names = ["shared.home.60min", *(context.channel.id for context in homes)]

    def train(now: datetime, *, ends: bool) -> None:
        def say(step: str) -> None:
            if ends and step == "saving":
                raise KeyboardInterrupt

        tiny = GlobalModel(n_networks=1, n_trees=20, n_epochs=2)
        train_shared(store, registry, homes, now=now, recipe=tiny, progress=say)

    train(NOW, ends=False)
    serving = {name: registry.champion(name) for name in names}
    assert all(serving.values())
    with pytest.raises(KeyboardInterrupt):
        train(NOW + timedelta(hours=1), ends=True)
    assert {name: registry.champion(name) for name in names} == serving
    assert len(store.runs(HOMES_RUN)) == 1
