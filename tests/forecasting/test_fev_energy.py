"""The tasks of fev-bench: made-up tables of their layout, and the published figures where the data are at hand."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core import metrics
from watthour.core.window import HOUR
from watthour.forecasting.fleet import Windows, windows
from watthour.forecasting.series_table import read

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("fev_energy")


def hours(first: datetime, n: int) -> pl.Series:
    return pl.datetime_range(first, first + timedelta(hours=n - 1), "1h", time_unit="ms", eager=True)


def prices(folder: Path, first: datetime, n_days: int) -> Path:
    """A made-up market in the layout of `epf_fr`, every day of 24 hours."""
    times = hours(first, 24 * n_days)
    rng = np.random.default_rng(5)
    load = 60_000 + 8_000 * np.sin(2 * np.pi * np.arange(len(times)) / 24) + rng.normal(0, 900, len(times))
    table = {"id": "FR", "timestamp": times, "target": load / 1500 - 30 + rng.normal(0, 3, len(times))}
    (folder / "fev").mkdir()
    pl.DataFrame({**table, "Generation forecast": load, "System load forecast": load}).write_parquet(
        folder / "fev" / "epf_fr.parquet"
    )
    return folder


def test_a_task_is_scored_by_the_benchmarks_definitions(benchmark: Any, tmp_path: Path) -> None:  # noqa: ANN401 - a script's own types
    data = prices(tmp_path, datetime(2016, 10, 3), 55)  # noqa: DTZ001 - as in the file
    naive, mine = benchmark.run("epf_fr", data, "seasonal_naive", is_checked=False)
    assert (naive["row"], mine["row"], mine["unanswered"]) == ("seasonal_naive", "seasonal_naive", 0)
    y = pl.read_parquet(data / "fev" / "epf_fr.parquet")["target"].to_numpy()
    errors = []
    for number in range(20):
        start = len(y) - 24 * (20 - number)
        actual, scale = y[start : start + 24], metrics.seasonal_error(y[:start], 24)
        week_ago, day_ago = y[start - 168 : start - 144], y[start - 24 : start]
        errors.append([metrics.mase(actual, week_ago, scale), metrics.mase(actual, day_ago, scale)])
    assert (mine["mase"], naive["mase"]) == pytest.approx(np.mean(errors, axis=0), abs=1e-5)
    assert mine["sql"] < mine["mase"]


def test_the_run_stops_where_the_seasonal_naive_is_not_as_published(benchmark: Any, tmp_path: Path) -> None:  # noqa: ANN401 - as above
    data = prices(tmp_path, datetime(2016, 11, 3), 45)  # noqa: DTZ001 - as in the file
    with pytest.raises(SystemExit, match=r"epf_fr: the seasonal naive has sql .*, published is 1.245523"):
        benchmark.run("epf_fr", data, "seasonal_naive")
    with pytest.raises(SystemExit, match=r"epf_be.parquet is missing: give the folder with --data"):
        benchmark.run("epf_be", data, "seasonal_naive")


def test_days_of_24_hours_are_put_on_the_clock_of_the_place(benchmark: Any, tmp_path: Path) -> None:  # noqa: ANN401 - as above
    series = benchmark.read(benchmark.TASKS["epf_fr"], prices(tmp_path, datetime(2016, 3, 1), 270))  # noqa: DTZ001 - as in the file
    local = series.table.with_columns(clock=pl.col("ds").dt.convert_time_zone("Europe/Paris"))
    per_day = local.group_by(pl.col("clock").dt.date()).len().sort("clock")
    odd = per_day.filter(pl.col("len") != 24)
    assert [(day.isoformat(), n) for day, n in odd.iter_rows()] == [("2016-03-27", 23), ("2016-10-30", 25)]
    assert series.table["ds"].diff().drop_nulls().unique().to_list() == [HOUR]
    again = local.filter(pl.col("clock").dt.replace_time_zone(None) == datetime(2016, 10, 30, 2))  # noqa: DTZ001 - on the wall
    assert again["y"].n_unique() == 1
    assert again.height == 2


def test_a_window_with_the_night_of_25_hours_is_answered_hour_by_hour(benchmark: Any, tmp_path: Path) -> None:  # noqa: ANN401 - as above
    series = benchmark.read(benchmark.TASKS["epf_fr"], prices(tmp_path, datetime(2016, 9, 1), 65))  # noqa: DTZ001 - as in the file
    answer = benchmark.ours(series, "seasonal_naive")
    assert benchmark._reach(series) == 25
    assert np.isfinite(answer.quantiles).all()
    wanted = np.stack([series.values[0, start - 168 : start - 144] for start in series.starts])
    is_odd = np.array([series.instants[start].date() == datetime(2016, 10, 29).date() for start in series.starts])  # noqa: DTZ001 - a day
    assert is_odd.sum() == 1
    assert answer.point[~is_odd, 0] == pytest.approx(wanted[~is_odd])


def test_what_is_left_unanswered_has_no_figure(benchmark: Any, tmp_path: Path) -> None:  # noqa: ANN401 - as above
    series = benchmark.read(benchmark.TASKS["epf_fr"], prices(tmp_path, datetime(2016, 11, 3), 45))  # noqa: DTZ001 - as in the file
    answer = benchmark.seasonal_naive(series)
    answer.quantiles[3, 0, 5] = np.nan
    row = benchmark.score("ours", "epf_fr", series, answer)
    assert (row["sql"], row["mase"], row["wape"], row["unanswered"]) == (None, None, None, 1)


def test_the_closing_line_counts_wins_and_ranks(benchmark: Any) -> None:  # noqa: ANN401 - as above
    naive = {"row": "seasonal_naive", "test": "epf_fr", "sql": 1.2455}
    said = benchmark.closing_line([naive, {"row": "ours", "test": "epf_fr", "sql": 0.35}])
    assert "the best published untrained model on 0 of 1, better SQL than Chronos-2 on 1 of 1" in said
    assert "TiRex-2 1.0, ours 2.0, Chronos-2 3.0" in said


def test_a_run_of_some_tasks_keeps_the_others_in_the_results_file(
    benchmark: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(name: str, *_: object, **__: object) -> list[dict[str, object]]:
        figures = {"test": name, "sql": len(measured), "mase": 1.0, "wape": 0.1}
        measured.append(name)
        if name == "ETT_1W":
            raise KeyboardInterrupt
        return [{"row": "seasonal_naive", **figures}, {"row": "ours", **figures}]

    def told(*arguments: str) -> list[tuple[str, float]]:
        monkeypatch.setattr("sys.argv", ["fev_energy.py", *arguments])
        benchmark.main()
        rows = json.loads((tmp_path / "fev_energy.json").read_text())["rows"]
        return [(row["test"], row["sql"]) for row in rows if row["row"] == "ours"]

    measured: list[str] = []
    monkeypatch.setattr(benchmark, "RESULTS", tmp_path)
    monkeypatch.setattr(benchmark, "run", run)
    monkeypatch.setattr(benchmark, "on_one_thread", lambda: None)  # it would start the script in place of the tests
    assert told("--tasks", "ercot_1D", "epf_fr", "--replace") == [("epf_fr", 1), ("ercot_1D", 0)]
    assert told("--tasks", "epf_be", "epf_fr", "--replace") == [("epf_be", 2), ("epf_fr", 3), ("ercot_1D", 0)]
    assert told("--tasks", "epf_np") == [("epf_be", 2), ("epf_fr", 3), ("ercot_1D", 0)]
    with pytest.raises(KeyboardInterrupt):
        told("--tasks", "ercot_1D", "ETT_1W", "--replace")
    assert told("--tasks", "epf_pjm")[-1] == ("ercot_1D", 5)
    with pytest.raises(SystemExit):
        told("--tasks", "epf_np", "--model", "seasonal_naive", "--replace")


def test_a_window_knows_its_covariates_to_its_end_and_no_further() -> None:
    """A cross-validation once saw the temperature of the days after the window, which no forecast will ever have."""
    times = hours(datetime(2023, 1, 1), 24 * 30)  # noqa: DTZ001 - notebooks have naive times
    table = pl.DataFrame({"unique_id": "a", "ds": times, "y": range(720), "heat": np.arange(720) / 10})
    known = read(table, DayAhead(covariates=("heat",)).columns)
    (plans,) = windows(known, 24, Windows(n_windows=3))
    plan = plans["a"]
    for number in range(3):
        issued = datetime(2023, 1, 28 + number, tzinfo=UTC)
        seen = plan.past.known_at(issued).readings
        by_channel = dict(seen.group_by("channel").agg(pl.col("time").max()).iter_rows())
        assert by_channel == {
            "series.0.target": issued - HOUR,
            "series.0.covariate_0": issued + timedelta(hours=23),
        }
    assert plan.known.readings["time"].max() == datetime(2023, 1, 28, 23, tzinfo=UTC)


def test_windows_begin_at_given_times_and_end_where_the_next_begins() -> None:
    times = hours(datetime(2023, 1, 1), 24 * 30)  # noqa: DTZ001 - notebooks have naive times
    door = DayAhead(model="seasonal_naive")
    starts = [datetime(2023, 1, 20, 6), datetime(2023, 1, 20, 9), datetime(2023, 1, 30, 22)]  # noqa: DTZ001 - as the table
    told = door.cross_validation(pl.DataFrame({"ds": times, "y": range(720)}), 4, starts=starts)
    counts = told.group_by("cutoff", maintain_order=True).agg(
        pl.col("ds").min(), pl.len(), pl.col("y").null_count().alias("gap")
    )
    assert counts.rows() == [
        (starts[0] - HOUR, starts[0], 3, 0),
        (starts[1] - HOUR, starts[1], 4, 0),
        (starts[2] - HOUR, starts[2], 4, 2),
    ]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["epf_fr", "proenfo_gfc14", "ercot_1D", "ercot_1W", "ercot_1M", "ETT_1H", "ETT_1W"])
def test_the_seasonal_naive_has_its_published_figures(benchmark: Any, shared_data: Path, name: str) -> None:  # noqa: ANN401 - as above
    task = benchmark.TASKS[name]
    series = benchmark.read(task, shared_data)
    benchmark.check(benchmark.score("seasonal_naive", name, series, benchmark.seasonal_naive(series)), task)


@pytest.mark.shared_data
def test_a_notebook_and_a_model_alone_have_the_same_figure(benchmark: Any, shared_data: Path) -> None:  # noqa: ANN401 - as above
    alone = importlib.import_module("gefcom2014")
    whole = alone.task(shared_data / alone.FILE, alone.END)
    last = replace(whole, starts=whole.starts[-3:])
    task = replace(benchmark.TASKS["proenfo_gfc14"], windows=3)
    series = benchmark.read(task, shared_data)
    mine = benchmark.score("ours", "proenfo_gfc14", series, benchmark.ours(series, "hour_process"))
    theirs = alone.score("ours", last, alone.ours(last, {}))
    assert [mine[metric] for metric in ("sql", "mase")] == pytest.approx([theirs[m] for m in ("sql", "mase")], abs=5e-4)
