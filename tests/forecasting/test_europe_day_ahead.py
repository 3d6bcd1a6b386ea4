"""The comparison on European grids: what it reads and scores; the whole of it is benchmarks/europe_day_ahead.py."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Script: TypeAlias = Any  # a script's own types
ZONE = "Europe/Paris"


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Script]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("europe_day_ahead")


def made_up(folder: Path, minutes: int) -> pl.DataFrame:
    """Seventy days of a load in the layout of the data, whose operator is 4 % too low, and once by two thirds."""
    start = datetime(2022, 11, 20, tzinfo=UTC)
    step = timedelta(minutes=minutes)
    times = pl.datetime_range(start, start + timedelta(days=70), step, closed="left", eager=True, time_unit="ms")
    clock = np.arange(len(times)) * minutes / 60
    noise = np.random.default_rng(3).normal(0, 1, len(times))
    load = 1000 + 200 * np.sin(clock / 24 * 2 * np.pi) + 50 * np.sin(clock / 168 * 2 * np.pi) + noise
    said = 0.96 * load
    said[times.to_list().index(datetime(2023, 1, 10, 12, tzinfo=UTC))] /= 3
    table = pl.DataFrame({"start_utc": times, "load_mw": load, "day_ahead_forecast_mw": said}).cast(
        {"load_mw": pl.Float32, "day_ahead_forecast_mw": pl.Float32}
    )
    (folder / "load").mkdir()
    table.write_parquet(folder / "load" / "XX.parquet")
    return table


@pytest.mark.parametrize("minutes", [60, 30])
def test_any_table_of_the_layout_is_scored_in_its_own_step(benchmark: Script, tmp_path: Path, minutes: int) -> None:
    made_up(tmp_path, minutes)
    test = benchmark.Test("XX", "XX", ZONE, 2023, minutes)
    found = benchmark.against_best(benchmark.measured(test, tmp_path, benchmark.RIVALS))
    rows = {row["row"]: row for row in found}
    assert rows["operator_raw"]["mape_percent"] == pytest.approx(4.0, abs=1e-3)
    assert rows["operator_debiased"]["mape_percent"] < 0.1
    assert rows["last_week"]["mape_percent"] < 0.2
    best = min(row["mape_percent"] for row in rows.values())
    over = 100 * (rows["operator_raw"]["mape_percent"] / best - 1)
    assert rows["operator_raw"]["mape_over_best_percent"] == pytest.approx(over)


def test_an_interval_with_a_forecast_of_a_third_of_the_load_is_not_scored(benchmark: Script, tmp_path: Path) -> None:
    table = made_up(tmp_path, 60)
    test = benchmark.Test("XX", "XX", ZONE, 2023, 60)
    history = benchmark.history_of(tmp_path, test)
    hours = benchmark.scored(history, [])
    assert hours.height == table.height - 1
    assert datetime(2023, 1, 10, 12, tzinfo=UTC) not in hours["time"]


def test_the_forecast_of_a_day_is_known_at_noon_of_the_day_before_and_the_load_once_it_is_over(
    benchmark: Script, tmp_path: Path
) -> None:
    made_up(tmp_path, 60)
    history = benchmark.history_of(tmp_path, benchmark.Test("XX", "XX", ZONE, 2023, 60))
    local = pl.col("time").dt.convert_time_zone(ZONE).dt.date()
    of_day = history.forecasts.filter(local == date(2023, 1, 5))
    assert of_day.height == 24
    assert of_day["available_at"].unique().to_list() == [datetime(2023, 1, 4, 9, tzinfo=UTC)]
    lag = (history.readings["available_at"] - history.readings["time"]).unique().to_list()
    assert lag == [timedelta(hours=1)]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "raw"), [("FI", 1.81), ("ES", 1.00), ("GB", 3.10)])
def test_the_operators_figures_are_those_of_the_reference(
    benchmark: Script, shared_data: Path, name: str, raw: float
) -> None:
    test = next(each for each in benchmark.TESTS if each.name == name)
    history = benchmark.history_of(shared_data / "europe", test)
    hours = benchmark.scored(history, []).filter(pl.col("time").dt.convert_time_zone(test.zone).dt.year() == test.year)
    said = history.forecasts.select("time", "value")
    both = hours.join(said, on="time")
    error = 100 * ((both["value"] - both["actual"]).abs() / both["actual"]).mean()
    assert error == pytest.approx(raw, abs=0.005)


def test_a_row_measured_again_takes_the_place_of_the_old_one_on_the_same_intervals_only(benchmark: Script) -> None:
    def row(name: str, mape: float, intervals: int = 10) -> dict[str, str | float]:
        return {"row": name, "test": "XX", "mape_percent": mape, "intervals": intervals}

    rows = [row("last_week", 5.0), row("ours", 2.0)]
    assert benchmark.replaced(rows, [row("ours", 1.0)]) == [row("last_week", 5.0), row("ours", 1.0)]
    assert benchmark.against_best(rows) == rows  # with one rival only, there is no best to compare with
    with pytest.raises(ValueError, match="9 intervals, 10 before"):
        benchmark.replaced(rows, [row("ours", 1.0, 9)])
