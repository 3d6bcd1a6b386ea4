"""An operator's forecast that cannot be right, from the wire to the page: two years of Simtown, then a bad day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest

from watthour.core.frames import Forecasts, Quality
from watthour.core.ports import Delivery
from watthour.core.window import DAY, HOUR, Window, local_day
from watthour.forecasting.catalogue import recipe
from watthour.registry.files import FileRegistry
from watthour.simulation.simtown import DEMAND, SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.store.memory import MemoryStore
from watthour.workflows import view
from watthour.workflows.forecast import forecast
from watthour.workflows.ingest import ingest
from watthour.workflows.train import train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from watthour.core.channel import Channel

TRAINED_AT = datetime(2024, 10, 7, 12, 20, tzinfo=UTC)  # 08:20 in Simtown
NOW = TRAINED_AT + DAY
TOMORROW = local_day(NOW.date() + DAY, SIMTOWN.time_zone)
VALUE = pl.col("value")
AT_19 = pl.col("time").dt.convert_time_zone(SIMTOWN.time_zone).dt.hour() == 19
FAULTS = {
    "x1000": (1000 * VALUE, 24),
    "x2": (2 * VALUE, 24),
    "/1000": (VALUE / 1000, 24),
    "one hour x10": (pl.when(AT_19).then(10 * VALUE).otherwise(VALUE), 1),
}


@dataclass(frozen=True)
class Operator(SimulatedRegion):
    """Simtown's load and its operator, who says something else of one day; no weather."""

    said: pl.Expr = field(default_factory=lambda: VALUE)

    def channels(self) -> Sequence[Channel]:
        return (DEMAND,)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        told = super().fetch(window, now=now, watched_from=watched_from)
        is_bad = pl.col("time").is_between(TOMORROW.start, TOMORROW.end, closed="left")
        forecasts = told.forecasts.with_columns(value=pl.when(is_bad).then(self.said).otherwise("value"))
        return Delivery(told.readings, Forecasts.cast(forecasts), told.refused)

    def _weather_rows(self, _window: Window) -> list[pl.DataFrame]:
        return []

    def _weather_forecast_rows(self, _window: Window) -> list[pl.DataFrame]:
        return []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Callable[[], MemoryStore], Path]:
    """Return what makes a store of two years, and where its model is."""
    home = tmp_path_factory.mktemp("models")

    def filled() -> MemoryStore:
        store = MemoryStore()
        ingest(Operator(), store, Window(TRAINED_AT - 730 * DAY, TRAINED_AT), now=TRAINED_AT)
        return store

    registry, made = FileRegistry(home), recipe("day_process")
    report = train(filled(), registry, SIMTOWN, made, now=TRAINED_AT, frozen_days=14, issue_clock=time(8))
    registry.promote(DEMAND.id, report.manifest.version, now=TRAINED_AT, reason="for this test")
    return filled, home


def page_of(store: MemoryStore, home: Path, source: Operator) -> dict[str, Any]:
    ingest(source, store, Window(TRAINED_AT - DAY, NOW + 2 * DAY), now=NOW, live=True)
    forecast(store, FileRegistry(home), SIMTOWN, now=NOW)
    return cast("dict[str, Any]", view.grid_forecast(store, FileRegistry(home), SIMTOWN, now=NOW, issue_clock=time(8)))


def missing(page: dict[str, Any]) -> list[str]:
    """Return what the forecast went without, but for the weather, of which this store holds none."""
    return [words for words in page["missing_inputs"] if not words.startswith("No weather forecast of Simtown")]


def peak(page: dict[str, Any]) -> float:
    return float(max(point["value"] for point in page["points"]))


POSSIBLE_FAULTS = {
    "x1.4": 1.4 * VALUE,
    "x0.7": 0.7 * VALUE,
    "one hour x1.5": pl.when(AT_19).then(1.5 * VALUE).otherwise(VALUE),
    "half a day late": VALUE.gather((pl.int_range(pl.len()) - 12) % pl.len()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_peak_stays_sensible_and_everybody_is_told(
    trained: tuple[Callable[[], MemoryStore], Path], fault: str
) -> None:
    filled, home = trained
    honest = page_of(filled(), home, Operator())
    assert missing(honest) == []
    assert all(point["operator"] is not None for point in honest["points"])

    store = filled()
    said, n_bad = FAULTS[fault]
    page = page_of(store, home, Operator(said=said))
    assert peak(page) == pytest.approx(peak(honest), rel=0.15)
    assert f"{peak(page):,.0f} MWh" in page["headline"]
    assert sum(point["operator"] is None for point in page["points"]) == n_bad  # kept, and not drawn
    (words,) = missing(page)
    assert words.startswith("The operator's forecast cannot be right, and was left out, for")
    (entry,) = view.doubts(store, [SIMTOWN], now=NOW)
    assert entry["what"] == "Operator's forecast of grid.simtown.demand"
    assert entry["count"] == n_bad
    assert "kept but not used" in str(entry["words"])

    raw = store.forecasts([DEMAND.id], TOMORROW, models=["operator"])
    assert raw.filter((pl.col("quality") & int(Quality.DOUBTED)) != 0).height == n_bad


@pytest.mark.parametrize("fault", POSSIBLE_FAULTS)
def test_what_is_possible_but_far_from_our_own_moves_no_peak(
    trained: tuple[Callable[[], MemoryStore], Path], fault: str
) -> None:
    filled, home = trained
    honest = page_of(filled(), home, Operator())
    page = page_of(filled(), home, Operator(said=POSSIBLE_FAULTS[fault]))
    assert peak(page) == pytest.approx(peak(honest), rel=0.15)
    (words,) = missing(page)
    assert "operator's forecast" in words
    assert "left out" in words


def test_a_forecast_that_is_put_right_is_used_from_then_on(
    trained: tuple[Callable[[], MemoryStore], Path],
) -> None:
    filled, home = trained
    store = filled()
    page_of(store, home, Operator(said=1000 * VALUE))
    later, window = NOW + HOUR, Window(TRAINED_AT - DAY, NOW + 2 * DAY)
    assert ingest(Operator(), store, window, now=later, live=True).new_rows >= 24
    latest = store.forecasts([DEMAND.id], TOMORROW, models=["operator"], latest_issue=True)
    assert set(latest["quality"].to_list()) == {int(Quality.SIMULATED)}
    assert set(latest["available_at"].to_list()) == {later}
    assert ingest(Operator(), store, window, now=later + HOUR, live=True).new_rows <= 1  # the next hour of load
    forecast(store, FileRegistry(home), SIMTOWN, now=later + HOUR)
    page = cast(
        "dict[str, Any]", view.grid_forecast(store, FileRegistry(home), SIMTOWN, now=later + HOUR, issue_clock=time(8))
    )
    assert missing(page) == []
    assert all(point["operator"] is not None for point in page["points"])


def test_without_a_model_a_rival_that_cannot_be_right_does_not_stand_in(
    trained: tuple[Callable[[], MemoryStore], Path], tmp_path: Path
) -> None:
    filled, home = trained
    honest = page_of(filled(), home, Operator())
    page = page_of(filled(), tmp_path, Operator(said=1000 * VALUE))
    assert peak(page) < 1.3 * peak(honest)
    assert any("operator's forecast cannot be right" in words for words in page["missing_inputs"])
