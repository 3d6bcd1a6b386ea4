from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from watthour.core.frames import Maker, Quality
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.simulation.simtown import SIMTOWN
from watthour.workflows import past
from watthour.workflows.past import PastReport, keep_past
from watthour.workflows.train import train
from watthour.workflows.view import grid_forecast

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watthour.registry.files import FileRegistry
    from watthour.store.memory import MemoryStore

CONTEXT = SIMTOWN
KEPT_AS = "operator_debiased-backtest"


@pytest.fixture
def frozen(store: MemoryStore, registry: FileRegistry, now: datetime) -> Window:
    """The frozen window of a champion, whose forecasts are kept by the training."""
    report = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now, frozen_days=28)
    assert registry.champion(CONTEXT.channel.id) == report.manifest.version
    return report.frozen


def standing(now: datetime) -> Callable[[], datetime]:
    return lambda: now


def test_the_past_is_kept_as_the_kind_of_model_that_serves_would_have_said_it(
    store: MemoryStore, registry: FileRegistry, now: datetime, frozen: Window
) -> None:
    found = keep_past(store, registry, CONTEXT, clock=standing(now), most_days=90)
    assert found == PastReport(new_days=62, missing_days=0)  # 28 of the 90 are kept already
    kept = pl.DataFrame(store.forecasts([CONTEXT.channel.id], Window(now - 91 * DAY, now + DAY), models=[KEPT_AS]))
    assert kept.filter(level=0.5).height == 62 * 24
    assert kept.filter(pl.col("time") < frozen.start).filter(level=0.5).height == 61 * 24  # the last day is today
    assert (kept["maker"] == str(Maker.OWN)).all()
    assert (kept["quality"] & int(Quality.ASSUMED) != 0).all()
    assert (kept["available_at"] == kept["issued_at"]).all()
    assert (kept["recorded_at"] == now).all()
    assert (kept["issued_at"].dt.convert_time_zone(CONTEXT.time_zone).dt.time() == time(8)).all()


def test_a_past_days_page_shows_it_and_not_a_baseline(
    store: MemoryStore, registry: FileRegistry, now: datetime, frozen: Window
) -> None:
    day = frozen.start.date() - 10 * DAY
    before = grid_forecast(store, registry, CONTEXT, day, now=now, issue_clock=time(8))
    assert before["fallback"] is not None
    keep_past(store, registry, CONTEXT, clock=standing(now), most_days=60)
    page = grid_forecast(store, registry, CONTEXT, day, now=now, issue_clock=time(8))
    assert page["model_version"] == KEPT_AS
    assert page["reconstructed"]
    assert page["fallback"] is None
    assert {row["model"] for row in page["scores_of_day"]["rows"]} >= {"ours", "seasonal_naive"}  # type: ignore[index]  # plain JSON
    assert all(point["seasonal_naive"] is not None for point in page["points"])  # type: ignore[attr-defined]  # plain JSON


def test_nothing_is_kept_twice_and_nothing_without_a_champion(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    assert keep_past(store, registry, CONTEXT, clock=standing(now)) == PastReport(0, 0)
    train(store, registry, CONTEXT, recipe("operator_debiased"), now=now, frozen_days=28)
    assert keep_past(store, registry, CONTEXT, clock=standing(now), most_days=40).new_days > 0
    assert keep_past(store, registry, CONTEXT, clock=standing(now + HOUR), most_days=40).new_days == 0


@pytest.mark.usefixtures("frozen")
def test_a_champion_whose_manifest_is_damaged_is_no_reason_to_fail(
    store: MemoryStore, registry: FileRegistry, now: datetime, tmp_path: Path
) -> None:
    (manifest,) = tmp_path.rglob("manifest.json")
    manifest.write_text("{", encoding="utf-8")
    assert keep_past(store, registry, CONTEXT, clock=standing(now), most_days=40) == PastReport(0, 0)


@pytest.mark.usefixtures("frozen")
def test_a_run_that_is_killed_goes_on_with_the_months_that_are_left(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    def killed(step: str) -> None:
        steps.append(step)
        if len(steps) == 3:
            raise KeyboardInterrupt

    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        keep_past(store, registry, CONTEXT, clock=standing(now), most_days=90, progress=killed)
    assert [step.split()[1] for step in steps] == ["July", "June", "May"]  # the newest first
    left: list[str] = []
    keep_past(store, registry, CONTEXT, clock=standing(now), most_days=90, progress=left.append)
    assert [step.split()[1] for step in left] == ["May", "April"]


@pytest.mark.usefixtures("frozen")
def test_it_ends_in_time_and_says_how_many_days_are_left(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    ticks = iter([now, now, now, *[now + past.LONGEST + timedelta(seconds=1)] * 9])
    found = keep_past(store, registry, CONTEXT, clock=lambda: next(ticks), most_days=90)
    assert found.new_days == 1
    assert found.missing_days == 61
