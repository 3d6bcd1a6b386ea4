"""The comparison of prices on made-up markets of the published layout; the whole of it is benchmarks/prices.py."""

from __future__ import annotations

import importlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

N_DAYS, LAST = 80, 12


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("prices")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("data") / "fev"
    folder.mkdir()
    rng = np.random.default_rng(4)
    hours = pl.datetime_range(datetime(2024, 1, 1), interval="1h", end=datetime(2024, 3, 20, 23), eager=True)  # noqa: DTZ001 - as published
    wind = np.repeat(rng.normal(0, 3, N_DAYS), 24)
    load = 10 * np.sin(2 * np.pi * np.arange(24 * N_DAYS) / 24)
    price = 30 + load - 4 * wind + rng.normal(0, 1, len(hours))
    table = pl.DataFrame({"id": "XX", "timestamp": hours, "target": price, "Load": load, "Wind": wind})
    table.write_parquet(folder / "epf_xx.parquet")
    published = table.tail(24 * LAST).select(
        pl.lit("XX").alias("market"),
        "timestamp",
        pl.col("target").alias("price"),
        (pl.col("target") + 3).alias("lear_ens"),
        (pl.col("target") - 2).alias("dnn_ens"),
    )
    published.write_parquet(folder / "epf_lear_dnn_2y.parquet")
    return folder.parent


def test_a_market_is_scored_by_what_its_files_hold(benchmark: Any, data: Path) -> None:  # noqa: ANN401 - a script's own types
    rows = {row["row"]: row for row in benchmark.score(benchmark.Market.read(data, "XX", LAST), is_published=False)}
    assert list(rows) == ["naive_168h", "lear_ensemble", "dnn_ensemble", "mean_of_both", "ours"]
    assert [rows[name]["mae"] for name in ("lear_ensemble", "dnn_ensemble", "mean_of_both")] == [3, 2, 0.5]
    assert rows["naive_168h"]["rmae"] == 1
    assert rows["ours"]["mae"] < 1.5  # the noise has 0.8
    assert 0.3 < rows["ours"]["pinball"] / rows["ours"]["mae"] < 0.5
    assert 70 < rows["ours"]["coverage90_percent"] <= 100
    assert rows["ours"]["dm_dnn"] < 0.05 < rows["lear_ensemble"]["dm_dnn"]


def test_rivals_without_their_published_figures_stop_the_comparison(benchmark: Any) -> None:  # noqa: ANN401 - as above
    names = ("lear_ensemble", "dnn_ensemble", "mean_of_both", "naive_168h")
    rows = [{"row": name, "mae": mae} for name, mae in zip(names, benchmark.PUBLISHED["BE"], strict=True)]
    benchmark.check("BE", rows)
    rows[1]["mae"] += 0.01
    with pytest.raises(SystemExit, match="not the same protocol"):
        benchmark.check("BE", rows)
