"""One model of all homes of a store: trained together, and asked for each home that has none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from street import NOW, OLD, add

from watthour.core.errors import NotEnoughHistory
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.compare import Decision
from watthour.workflows.forecast import forecast, shared_name
from watthour.workflows.shared_model import train_shared
from watthour.workflows.sites import contexts, find_context

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 126


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    return FileRegistry(tmp_path / "models")


def test_a_model_of_all_homes_answers_for_a_new_one_and_says_so(registry: FileRegistry) -> None:
    store = MemoryStore()
    for name in OLD:
        add(store, name, DAYS)
    add(store, "New", 1.5)
    (report,) = train_shared(store, registry, contexts(store, [], []), now=NOW)
    assert report.verdict.decision is Decision.PROMOTED, report.verdict.reasons
    assert "In 3 homes its mean absolute error is" in report.verdict.reasons[0]
    assert set(report.scores) == set(OLD)
    assert list(report.left_out) == ["New"]
    new = find_context(store, [], "new")
    assert report.manifest.name == shared_name(new) == "shared.home.60min"
    told = forecast(store, registry, new, now=NOW)
    assert told.version == report.manifest.version
    assert told.fallback is not None
    assert told.fallback.startswith("The model of all homes answers: ")
    again = forecast(store, registry, new, now=NOW)
    assert (again.version, again.new_rows) == (told.version, 0)


def test_without_a_home_that_is_known_for_long_enough_nothing_is_trained(registry: FileRegistry) -> None:
    store = MemoryStore()
    with pytest.raises(NotEnoughHistory, match="no home"):
        train_shared(store, registry, [], now=NOW)
    add(store, "New", 20)
    with pytest.raises(NotEnoughHistory, match="none of the 1 homes in steps of 60 minutes can be learned from"):
        train_shared(store, registry, contexts(store, [], []), now=NOW)
    assert registry.champion("shared.home.60min") is None
