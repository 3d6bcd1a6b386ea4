from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from builders import demand_context

from watthour.core.errors import ModelCorrupt, ModelNotFound, NotEnoughHistory
from watthour.core.frames import LEVELS, Forecasts, Readings
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.simulation.simtown import SIMTOWN
from watthour.workflows.baselines import COMPANION_LEVELS
from watthour.workflows.forecast import RUN_PREFIX, forecast, live_window, load_model
from watthour.workflows.train import train

if TYPE_CHECKING:
    from watthour.registry.files import FileRegistry
    from watthour.store.memory import MemoryStore

CONTEXT = SIMTOWN


@pytest.fixture
def trained(store: MemoryStore, registry: FileRegistry, now: datetime) -> FileRegistry:
    train(store, registry, CONTEXT, recipe("operator_debiased"), now=now - HOUR, frozen_days=14)
    return registry


def kept(store: MemoryStore, now: datetime) -> pl.DataFrame:
    """What was issued now, by anybody but the operator."""
    rows = store.forecasts([CONTEXT.channel.id], live_window(CONTEXT, now))
    return pl.DataFrame(rows).filter(pl.col("model") != "operator", pl.col("issued_at") == now)


def test_a_live_forecast_covers_from_now_to_the_end_of_tomorrow() -> None:
    morning = datetime(2024, 7, 10, 12, 5, tzinfo=UTC)  # 08:05 in New York
    window = live_window(CONTEXT, morning)
    assert window == Window(datetime(2024, 7, 10, 12, tzinfo=UTC), datetime(2024, 7, 12, 4, tzinfo=UTC))


def test_the_champions_forecast_is_kept_under_its_version_with_all_levels(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    report = forecast(store, trained, CONTEXT, now=now)
    assert report.version == trained.champion(CONTEXT.channel.id)
    assert report.fallback is None
    mine = kept(store, now).filter(pl.col("model") == report.version)
    assert mine.height == live_window(CONTEXT, now).hours * len(LEVELS)
    assert (mine["available_at"] == now).all()
    assert (mine["quality"] == 0).all()


def test_baselines_are_kept_beside_it_for_the_same_hours(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    forecast(store, trained, CONTEXT, now=now)
    naive = kept(store, now).filter(pl.col("model") == "seasonal_naive")
    assert sorted(naive["level"].unique()) == list(COMPANION_LEVELS)
    assert naive.height == live_window(CONTEXT, now).hours * len(COMPANION_LEVELS)


def test_forecasting_twice_changes_nothing(store: MemoryStore, trained: FileRegistry, now: datetime) -> None:
    first = forecast(store, trained, CONTEXT, now=now)
    again = forecast(store, trained, CONTEXT, now=now + timedelta(minutes=20))
    assert first.new_rows > 0
    assert again.new_rows == 0
    assert again.issued_at == now
    assert again.version == first.version


def test_news_within_the_hour_make_a_new_issue(store: MemoryStore, trained: FileRegistry, now: datetime) -> None:
    forecast(store, trained, CONTEXT, now=now)
    later = now + timedelta(minutes=10)
    last = store.spans()[CONTEXT.channel.id][1]
    window = Window(last, last + CONTEXT.resolution)
    changed = store.read([CONTEXT.channel.id], window).with_columns(
        value=pl.col("value") + 1.0, available_at=pl.lit(later), recorded_at=pl.lit(later)
    )
    assert store.append(Readings.cast(changed)) == 1
    for n in range(30):  # other sites fill the log of runs
        store.note_run(SourceRun(f"eia:{n}", later, later, Window(now - DAY, now), RunState.OK, new_rows=0))
    again = forecast(store, trained, CONTEXT, now=now + timedelta(minutes=20))
    assert again.new_rows > 0
    assert again.issued_at == now + timedelta(minutes=20)


def test_a_rivals_new_forecast_within_the_hour_makes_a_new_issue(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    forecast(store, trained, CONTEXT, now=now)
    later = now + timedelta(minutes=10)
    (rival,) = CONTEXT.rivals
    kept = store.forecasts([CONTEXT.channel.id], live_window(CONTEXT, now), models=[rival], latest_issue=True)
    instants = {name: pl.lit(later) for name in ("issued_at", "available_at", "recorded_at")}
    assert store.append_forecasts(Forecasts.cast(kept.with_columns(**instants))) > 0
    assert forecast(store, trained, CONTEXT, now=now + timedelta(minutes=20)).new_rows > 0


def test_news_of_other_sites_within_the_hour_change_nothing(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    forecast(store, trained, CONTEXT, now=now)
    later = now + timedelta(minutes=10)
    store.note_run(SourceRun("eia:x", later, later, Window(now - DAY, now), RunState.OK, new_rows=3))
    assert forecast(store, trained, CONTEXT, now=now + timedelta(minutes=20)).new_rows == 0


def test_a_new_champion_issues_anew(store: MemoryStore, trained: FileRegistry, now: datetime) -> None:
    forecast(store, trained, CONTEXT, now=now)
    manifest, files = trained.load(CONTEXT.channel.id)
    trained.save(replace(manifest, version="z-next"), files)
    trained.promote(CONTEXT.channel.id, "z-next", now=now, reason="test")
    assert forecast(store, trained, CONTEXT, now=now + timedelta(minutes=5)).version == "z-next"


def test_without_a_model_the_best_baseline_answers_and_says_why(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    report = forecast(store, registry, CONTEXT, now=now)
    assert report.version == "operator_debiased"
    assert report.fallback is not None
    assert "watthour train" in report.fallback
    assert forecast(store, registry, CONTEXT, now=now + timedelta(minutes=1)).new_rows == 0


def test_without_the_operator_the_mean_of_four_weeks_answers(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    report = forecast(store, registry, replace(CONTEXT, rivals=()), now=now)
    assert report.version == "persistence_ensemble"


def test_what_was_said_of_a_forecast_is_noted_with_its_run(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    report = forecast(store, registry, CONTEXT, now=now)
    run = store.runs(source=f"{RUN_PREFIX}{CONTEXT.channel.id}")[0]
    assert run.started_at == now
    assert run.new_rows == report.new_rows
    assert run.problem is not None
    assert "no model serves" in run.problem


def test_with_nothing_known_the_error_says_what_to_bring(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    with pytest.raises(NotEnoughHistory, match="watthour backfill"):
        forecast(store, registry, CONTEXT, now=now + 200 * DAY)
    with pytest.raises(NotEnoughHistory):
        forecast(store, registry, demand_context(), now=now)


def test_only_what_was_known_at_the_issue_time_is_used(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    early = now - 2 * DAY
    before = forecast(store, trained, CONTEXT, now=early)
    known_then = kept(store, early)
    assert before.new_rows == known_then.height
    assert (known_then["issued_at"] == early).all()


def test_a_damaged_champion_is_replaced_by_a_baseline_that_says_so(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    version = trained.champion(CONTEXT.channel.id)
    place = next(trained._root.glob(f"*/{version}"))
    next(file for file in place.iterdir() if file.name != "manifest.json").write_bytes(b"damaged")
    report = forecast(store, trained, CONTEXT, now=now)
    assert report.version == "operator_debiased"
    assert report.fallback is not None
    assert "differs from the hash" in report.fallback


def test_a_model_another_version_of_the_program_wrote_is_named_with_the_cure(
    trained: FileRegistry, now: datetime
) -> None:
    manifest, _files = trained.load(CONTEXT.channel.id)
    trained.save(replace(manifest, version="z-foreign", recipe="gradient_boosting"), {"model.json": b"{}"})
    trained.promote(CONTEXT.channel.id, "z-foreign", now=now, reason="test")
    with pytest.raises(ModelCorrupt, match=r"cannot read .*watthour train"):
        load_model(trained, CONTEXT.channel.id)


def test_loading_without_a_champion_says_so(registry: FileRegistry) -> None:
    with pytest.raises(ModelNotFound, match="watthour train"):
        load_model(registry, CONTEXT.channel.id)
