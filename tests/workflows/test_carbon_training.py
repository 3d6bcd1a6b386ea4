"""Which model carbon intensity gets where none is named, and that it forecasts as far as it should."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from watthour.core.carbon import MIX, Basis, CarbonKind, Scope, carbon_channel
from watthour.core.frames import Readings
from watthour.core.units import Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe, usual_recipe
from watthour.registry.files import FileRegistry
from watthour.simulation.mix import SimulatedMix
from watthour.simulation.simtown import SIMTOWN
from watthour.store.memory import MemoryStore
from watthour.workflows.carbon import production_kind
from watthour.workflows.ingest import ingest
from watthour.workflows.rounds import issue, retrain
from watthour.workflows.sites import find_context
from watthour.workflows.view.issue import kept_issue
from watthour.workflows.windows import CARBON_AHEAD, daily_window

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2024, 6, 1, 9, tzinfo=UTC)
CARBON = carbon_channel(SIMTOWN.site, MIX, production_kind(Scope.LIFECYCLE), HOUR)


@pytest.fixture(scope="module")
def mixed() -> MemoryStore:
    store = MemoryStore()
    ingest(SimulatedMix(), store, Window(NOW - 115 * DAY, NOW), now=NOW)
    return store


def test_an_amount_of_carbon_has_the_recipe_of_the_published_figures_and_a_rank_has_not() -> None:
    assert usual_recipe(CARBON, "day_process") == "relative_days"
    direct = CarbonKind(Basis.MARGINAL, Scope.DIRECT)
    alone = carbon_channel(SIMTOWN.site, "watttime", direct, HOUR, Unit.GRAM_CO2_PER_KWH)
    assert usual_recipe(alone, "day_process") == "relative_days"
    rank = carbon_channel(SIMTOWN.site, "watttime", CarbonKind(Basis.INDEX), HOUR)
    assert usual_recipe(rank, "day_process") == "combination"
    assert usual_recipe(SIMTOWN.channel, "day_process") == "day_process"


def test_a_region_is_trained_by_it_and_forecast_for_96_hours(mixed: MemoryStore, tmp_path: Path) -> None:
    registry, context = FileRegistry(tmp_path), find_context(mixed, (), CARBON.id)
    made = recipe(usual_recipe(context.channel, "day_process"), {"n_trees": 20})
    found = retrain(mixed, registry, context, made, now=NOW, frozen_days=14, issue_hour=8)
    assert found.manifest.recipe == "relative_days"
    window = daily_window(context, NOW)
    assert window is not None
    assert window.end - window.start == CARBON_AHEAD
    registry.promote(CARBON.id, found.manifest.version, now=NOW, reason="whatever it scored")
    report = issue(mixed, registry, context, window, now=NOW + HOUR)
    kept = mixed.forecasts([CARBON.id], window, models=[report.version], levels=[0.5]).filter(
        pl.col("issued_at") == NOW + HOUR
    )
    assert report.version == found.manifest.version
    assert kept.height == 96
    assert kept["value"].is_between(1.0, 1500.0).all()


def test_a_series_with_zeros_is_trained_by_the_other_recipe(mixed: MemoryStore, tmp_path: Path) -> None:
    store, said = MemoryStore(), list[str]()
    store.register([SIMTOWN.site], [replace(CARBON, is_simulated=True)])
    rows = pl.DataFrame(mixed.read([CARBON.id], Window(NOW - 115 * DAY, NOW), NOW))
    night = pl.col("time").dt.hour() < 3
    store.append(Readings.cast(rows.with_columns(value=pl.when(night).then(0.0).otherwise("value"))))
    found = retrain(
        *(store, FileRegistry(tmp_path), find_context(store, (), CARBON.id), recipe(usual_recipe(CARBON, "any"))),
        now=NOW,
        frozen_days=14,
        issue_hour=8,
        otherwise=recipe("hourly_mean"),
        progress=said.append,
    )
    assert found.manifest.recipe == "hourly_mean"
    assert any("zero or negative" in words and "instead" in words for words in said)


def test_the_page_of_a_series_without_a_model_shows_the_rule_that_answered(mixed: MemoryStore, tmp_path: Path) -> None:
    registry, context = FileRegistry(tmp_path), find_context(mixed, (), CARBON.id)
    report = issue(mixed, registry, context, daily_window(context, NOW), now=NOW)
    day = (NOW + DAY).astimezone(ZoneInfo(context.time_zone)).date()
    shown = kept_issue(mixed, context, day, NOW, issue_clock=time(8))
    assert shown is not None
    assert shown.model == report.version == "hourly_mean"
