"""A price is trained, forecast and scored as any other channel, and what is published counts as known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from priced_home import MARKET, MIDNIGHT, NOW, PRICE, PUBLISHED_TO, furnish, price_at, rows

from watthour.core.frames import INSTANT, Forecasts, Quality, Readings
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.forecast import forecast, live_window
from watthour.workflows.known_ahead import told_until
from watthour.workflows.price_ahead import market_between
from watthour.workflows.score import score
from watthour.workflows.sites import find_context
from watthour.workflows.train import train

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import Context

MORNING = MIDNIGHT + 10 * HOUR  # before the auction of tomorrow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[MemoryStore, FileRegistry, Context]:
    """A market of 160 days and a model that has learned it."""
    store, registry = MemoryStore(), FileRegistry(tmp_path_factory.mktemp("models"))
    furnish(store, days=160)
    context = find_context(store, (), PRICE.id)
    report = train(store, registry, context, recipe("day_regression", None), now=NOW, frozen_days=14)
    assert registry.champion(PRICE.id) == report.manifest.version
    return store, registry, context


def kept(store: MemoryStore, model: str) -> pl.DataFrame:
    rows = store.forecasts([PRICE.id], Window(MIDNIGHT, MIDNIGHT + 9 * DAY), models=[model], levels=[0.05, 0.5, 0.95])
    return pl.DataFrame(rows)


def test_what_is_published_counts_as_known_to_its_end() -> None:
    store = MemoryStore()
    furnish(store, days=1)
    assert told_until(store, PRICE, NOW) == PUBLISHED_TO
    assert told_until(store, PRICE, NOW + 5 * DAY) == NOW + 5 * DAY


def test_cells_that_are_empty_or_not_trusted_are_not_published(tmp_path: Path) -> None:
    store = MemoryStore()
    furnish(store, days=70)
    later = pl.DataFrame(rows(PRICE, PUBLISHED_TO, [80.0] * 24, ahead=True)).with_columns(
        pl.lit(NOW).cast(INSTANT).alias("available_at"), pl.lit(NOW).cast(INSTANT).alias("recorded_at")
    )
    doubted = pl.col("time").dt.hour() >= 12
    store.append(
        Readings.validate(
            later.with_columns(
                value=pl.when(doubted).then(pl.col("value")),  # the others are empty
                quality=pl.when(doubted).then(int(Quality.OUT_OF_RANGE)).otherwise(0).cast(pl.Int16),
            )
        )
    )
    assert told_until(store, PRICE, NOW) == PUBLISHED_TO
    registry = FileRegistry(tmp_path)
    found = market_between(store, registry, PRICE, Window(PUBLISHED_TO - HOUR, PUBLISHED_TO + 10 * HOUR), now=NOW)
    assert found.is_forecast.tolist() == [False] + [True] * 10
    assert np.isfinite(found.values).all()


def test_after_the_auction_the_days_beyond_it_are_forecast_and_the_row_says_when(
    trained: tuple[MemoryStore, FileRegistry, Context],
) -> None:
    store, registry, context = trained
    report = forecast(store, registry, context, now=NOW)
    assert report.version == registry.champion(PRICE.id)
    assert report.window == live_window(context, PUBLISHED_TO)
    assert report.window.start == PUBLISHED_TO
    found = kept(store, report.version).filter(pl.col("issued_at") == NOW)
    assert set(found["time"].dt.truncate("1d")) >= {PUBLISHED_TO.replace(hour=0) + DAY}
    assert (found["available_at"] == NOW).all()
    medians = found.filter(level=0.5)
    truth = np.array([price_at(at) for at in medians["time"]])
    assert np.abs(medians["value"].to_numpy() - truth).mean() < 5.0  # EUR/MWh; the shape is learned
    assert forecast(store, registry, context, now=NOW + timedelta(minutes=1)).new_rows == 0


def test_before_the_auction_tomorrow_is_there_as_a_forecast_and_is_scored_once_it_is_published(
    trained: tuple[MemoryStore, FileRegistry, Context],
) -> None:
    store, registry, context = trained
    early = MemoryStore()
    early.register([MARKET.site], [PRICE])
    history = store.read([PRICE.id], Window(MIDNIGHT - 160 * DAY, PUBLISHED_TO), MORNING)
    early.append(Readings.cast(pl.DataFrame(history)))
    assert told_until(early, PRICE, MORNING) == PUBLISHED_TO - DAY
    report = forecast(early, registry, context, now=MORNING)
    assert report.window.start == PUBLISHED_TO - DAY
    tomorrow = Window(PUBLISHED_TO - DAY, PUBLISHED_TO)
    assert score(early, context, tomorrow, now=MORNING).rows == ()
    early.append(store.read([PRICE.id], tomorrow, NOW))
    scores = {(row["model"], row["lead_hours"]): row for row in score(early, context, tomorrow, now=NOW).rows}
    assert ("ours", "all") in scores
    assert ("seasonal_naive", "all") in scores
    ours = early.forecasts([PRICE.id], tomorrow, models=[report.version], levels=[0.5])
    assert set(ours["issued_at"]) == {MORNING}


def test_the_forecast_beyond_uses_all_that_is_published(trained: tuple[MemoryStore, FileRegistry, Context]) -> None:
    store, registry, _context = trained
    window = Window(PUBLISHED_TO - DAY, PUBLISHED_TO + DAY)
    before = market_between(store, registry, PRICE, window, now=NOW)
    other = MemoryStore()
    other.register([MARKET.site], [PRICE])
    other.append(store.read([PRICE.id], Window(MIDNIGHT - 160 * DAY, PUBLISHED_TO - DAY), NOW))
    dear = [price_at(PUBLISHED_TO - DAY + n * HOUR) + 60 for n in range(24)]
    other.append(rows(PRICE, PUBLISHED_TO - DAY, dear, ahead=True))
    after = market_between(other, registry, PRICE, window, now=NOW)
    assert before.is_forecast.tolist() == after.is_forecast.tolist() == [False] * 24 + [True] * 24
    assert (after.values[24:] > before.values[24:]).all()


def test_a_day_to_come_changes_nothing_of_what_is_forecast_for_it(
    trained: tuple[MemoryStore, FileRegistry, Context],
) -> None:
    """The prices of tomorrow stand in the store already: a forecast as of before the auction must not see them."""
    store, registry, context = trained
    tomorrow = Window(PUBLISHED_TO - DAY, PUBLISHED_TO)
    told = []
    for shift in (0.0, 1000.0):
        other = MemoryStore()
        other.register([MARKET.site], [PRICE])
        other.append(store.read([PRICE.id], Window(MIDNIGHT - 160 * DAY, PUBLISHED_TO - DAY), NOW))
        values = [price_at(tomorrow.start + n * HOUR) + shift for n in range(24)]
        other.append(rows(PRICE, tomorrow.start, values, ahead=True))
        report = forecast(other, registry, context, tomorrow, now=MORNING)
        found = other.forecasts([PRICE.id], tomorrow, models=[report.version])
        told.append(Forecasts.cast(found.filter(pl.col("issued_at") == MORNING))["value"].to_list())
    assert told[0]
    assert told[0] == told[1]
