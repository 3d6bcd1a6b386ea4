"""A site on its first days beside sites of its kind whose past is long, in one store."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl
import pytest
from street import NOW, OLD_DAYS, add, fill

from watthour.core.channel import Channel, SiteKind
from watthour.core.frames import Maker, Readings
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.forecast import forecast
from watthour.workflows.similar import similar_channels
from watthour.workflows.sites import find_context
from watthour.workflows.view import grid_forecast, site_entry

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import Context


@pytest.fixture
def street() -> MemoryStore:
    """Three homes of a hundred days and one of a day and a half."""
    store = MemoryStore()
    fill(store)
    return store


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    return FileRegistry(tmp_path / "models")


def new_home(store: MemoryStore) -> Context:
    return find_context(store, [], "new")


def test_a_new_home_is_forecast_beside_the_others_and_says_so(street: MemoryStore, registry: FileRegistry) -> None:
    report = forecast(street, registry, new_home(street), now=NOW)
    assert report.version == "similar_series"
    assert report.missing_inputs[0].startswith("This rests on 36 hours of its own past and on 3 similar series: ")
    assert {"Oak", "Elms", "Beech"} <= {word.strip("(,") for word in report.missing_inputs[0].split()}
    rows = street.forecasts(["home.new.power"], report.window, models=["similar_series"], levels=[0.05, 0.5, 0.95])
    wide = rows.pivot("level", index="time", values="value").sort("time")
    assert set(rows["maker"]) == {str(Maker.OWN)}
    expected = 4 * (0.3 + np.exp(-0.5 * ((wide["time"].dt.convert_time_zone("Europe/Paris").dt.hour() - 19) / 2) ** 2))
    assert (wide["0.5"] / expected - 1).abs().mean() < 0.25  # type: ignore[operator]  # a number
    assert ((wide["0.05"] < expected) & (expected < wide["0.95"])).mean() > 0.8  # type: ignore[operator]  # a number
    again = forecast(street, registry, new_home(street), now=NOW + timedelta(minutes=10))
    assert (again.new_rows, again.version) == (0, "similar_series")


def test_no_command_is_advised_that_would_be_refused(street: MemoryStore, registry: FileRegistry) -> None:
    report = forecast(street, registry, new_home(street), now=NOW)
    assert report.fallback is not None
    assert "has no model of its own yet. One can be trained once about 120 days of it are known." in report.fallback
    assert "watthour train" not in report.fallback
    steps = site_entry(street, registry, [], new_home(street).site, [])["next"]
    assert "Import more of its past, if you have it: from about 120 days on it can have its own model." in [
        step["text"] for step in cast("list[dict[str, str]]", steps)
    ]


def test_its_page_names_the_model_and_what_it_rests_on(street: MemoryStore, registry: FileRegistry) -> None:
    page: Any = grid_forecast(street, registry, new_home(street), now=NOW, issue_clock=time(8))
    assert page["model_version"] == "similar_series"
    assert page["model_label"] == "Similar series"
    assert "on 3 similar series" in page["missing_inputs"][0]
    assert len(page["points"]) == 24


def test_only_what_was_known_at_the_issue_is_used_of_the_others(street: MemoryStore, registry: FileRegistry) -> None:
    before = forecast(street, registry, new_home(street), now=NOW)
    untouched = street.forecasts(["home.new.power"], before.window, models=["similar_series"])["value"].to_list()
    other = MemoryStore()
    fill(other)
    late = NOW + HOUR
    rows = street.read(["home.oak.power"], Window(NOW - 3 * DAY, NOW))
    other.append(Readings.cast(rows.with_columns(value=99.0, available_at=pl.lit(late), recorded_at=pl.lit(late))))
    forecast(other, registry, new_home(other), now=NOW)
    assert other.forecasts(["home.new.power"], before.window, models=["similar_series"])["value"].to_list() == untouched


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "Asia/Tokyo"},
        {"kind": SiteKind.REGION},
        {"resolution": timedelta(minutes=30)},
        {"is_simulated": True},
        {"id": "home.elms.solar"},
        {"quantity": Quantity.TEMPERATURE, "unit": Unit.CELSIUS},
    ],
)
def test_a_channel_of_another_kind_is_not_taken_for_similar(changes: dict[str, Any]) -> None:
    store = MemoryStore()
    add(store, "Oak", OLD_DAYS)
    add(store, "New", 1.5)
    add(store, "Young", 60)
    if "id" in changes:
        store.register([], [Channel("home.oak.solar", "oak", Quantity.POWER, Unit.KW, HOUR)])
    else:
        add(store, "Elms", OLD_DAYS, **changes)
    found = similar_channels(store, new_home(store), NOW)
    assert [each.channel for each in found] == ["home.oak.power"]


def test_homes_that_ended_long_ago_take_no_place_of_those_that_go_on(street: MemoryStore) -> None:
    """Two dozen of an archive, with longer pasts, left a new home without any that is known today."""
    add(street, "Archived", 500)
    rows = street.versions(["home.archived.power"], Window(NOW - 501 * DAY, NOW), NOW)
    ended = MemoryStore()
    fill(ended)
    add(ended, "Archived", 0)
    ended.append(Readings.validate(rows.filter(pl.col("time") < NOW - 60 * DAY)))
    assert "Archived" in [each.name for each in similar_channels(street, new_home(street), NOW)]
    assert [each.name for each in similar_channels(ended, new_home(ended), NOW)] == ["Beech", "Elms", "Oak"]


def test_without_similar_homes_a_baseline_answers_and_says_that_there_are_none(registry: FileRegistry) -> None:
    store = MemoryStore()
    add(store, "New", 1.5, kind=SiteKind.REGION)  # of a home, other homes would answer
    report = forecast(store, registry, new_home(store), now=NOW)
    assert report.version == "persistence_ensemble"
    assert report.missing_inputs[-1] == (
        "No channel of the same quantity, step and kind of site has a past that is long enough to learn from."
    )


def test_a_long_past_needs_no_others(street: MemoryStore, registry: FileRegistry) -> None:
    add(street, "Grown", 130)
    report = forecast(street, registry, find_context(street, [], "grown"), now=NOW)
    assert report.version == "other_homes"
    assert not any("similar" in words for words in report.missing_inputs)
