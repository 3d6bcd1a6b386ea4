"""A home that is alone in its store is forecast on its first day, by the model that comes with Watthour."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from street import NOW, add, fill

from watthour.core.channel import SiteKind
from watthour.core.errors import ModelCorrupt
from watthour.core.frames import Maker, Readings
from watthour.core.window import DAY, Window
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.forecast import forecast
from watthour.workflows.sites import find_context
from watthour.workflows.view import grid_forecast

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.workflows.forecast import ForecastReport


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    return FileRegistry(tmp_path / "models")


def alone(registry: FileRegistry, days: float, **changes: Any) -> ForecastReport:  # noqa: ANN401 - fields of a site
    store = MemoryStore()
    add(store, "New", days, **changes)
    return forecast(store, registry, find_context(store, [], "new"), now=NOW)


def test_a_home_alone_is_forecast_on_its_second_day_and_says_by_what(registry: FileRegistry) -> None:
    store = MemoryStore()
    add(store, "New", 1.5)
    new = find_context(store, [], "new")
    report = forecast(store, registry, new, now=NOW)
    assert report.version == "other_homes"
    assert report.missing_inputs[0] == (
        "This rests on 36 hours of its own past and on 45 homes of London in 2013; it was not learned from this home."
    )
    assert report.fallback is not None
    assert report.fallback.startswith("Model of other homes answers: home.new.power has no model of its own yet.")
    assert "watthour train" not in report.fallback  # a command that would be refused
    kept = store.forecasts([new.channel.id], report.window, models=["other_homes"])
    assert set(kept["maker"]) == {str(Maker.OWN)}
    again = forecast(store, registry, new, now=NOW + timedelta(minutes=10))
    assert (again.new_rows, again.version) == (0, "other_homes")


def test_the_page_names_it_in_words(registry: FileRegistry) -> None:
    store = MemoryStore()
    add(store, "New", 3)
    new = find_context(store, [], "new")
    page: Any = grid_forecast(store, registry, new, now=NOW, issue_clock=time(8))
    assert (page["model_version"], page["model_label"]) == ("other_homes", "Model of other homes")
    assert "not learned from this home" in page["missing_inputs"][0]


@pytest.mark.parametrize(("days", "expected"), [(1.5, "similar_series"), (10, "other_homes")])
def test_similar_homes_of_the_store_come_first_within_the_first_week(
    registry: FileRegistry, days: float, expected: str
) -> None:
    store = MemoryStore()
    fill(store, new_days=days)
    assert forecast(store, registry, find_context(store, [], "new"), now=NOW).version == expected


@pytest.mark.parametrize(
    ("days", "changes"),
    [
        (10, {"kind": SiteKind.REGION}),
        (10, {"is_simulated": True}),
        (10, {"resolution": timedelta(minutes=5)}),
    ],
    ids=["region", "invented", "step"],
)
def test_what_it_is_not_for_is_left_to_a_baseline(registry: FileRegistry, days: float, changes: dict[str, Any]) -> None:
    report = alone(registry, days, **changes)
    assert report.version == "persistence_ensemble"
    assert not any("other homes" in words for words in report.missing_inputs)


def test_with_less_than_most_of_a_day_a_baseline_answers_and_says_how_much_more_is_needed(
    registry: FileRegistry,
) -> None:
    report = alone(registry, 17 / 24)
    assert report.version == "persistence_ensemble"
    why = "The model of other homes cannot help: 17 hours of home.new.power are known; other_homes needs 18. Wait"
    assert any(words.startswith(why) for words in report.missing_inputs)


def test_damaged_files_leave_the_answer_to_a_baseline_which_says_so(
    registry: FileRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged() -> None:
        raise ModelCorrupt("the file median.txt differs", remedy="Install Watthour again.")

    monkeypatch.setattr("watthour.forecasting.other_homes.shipped.shipped", damaged)
    report = alone(registry, 10)
    assert report.version == "persistence_ensemble"
    assert any("The model of other homes cannot help: the file median.txt" in words for words in report.missing_inputs)


def test_a_meter_that_told_nothing_but_zero_is_no_home_to_be_scaled(registry: FileRegistry) -> None:
    store = MemoryStore()
    add(store, "New", 3)
    new = find_context(store, [], "new")
    zero = store.read([new.channel.id], Window(NOW - 4 * DAY, NOW)).with_columns(value=pl.lit(0.0))
    empty = MemoryStore()
    empty.register([new.site], [new.channel])
    empty.append(Readings.validate(zero))
    report = forecast(empty, registry, new, now=NOW)
    assert report.version != "other_homes"
    assert "all of its readings are zero" in " ".join(report.missing_inputs)
