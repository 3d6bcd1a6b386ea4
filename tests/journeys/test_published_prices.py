"""The published figure of prices by the ways that people take, none of which names a recipe: compare, train, ask.

The months are those before the ones the figures are of, so that nothing is learned here of the test.
"""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from watthour.api.app import create_app
from watthour.bootstrap import open_app
from watthour.cli import main
from watthour.core import metrics
from watthour.core.frames import INSTANT, LEVELS, Readings
from watthour.core.window import DAY
from watthour.settings import load_settings
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from pathlib import Path

Script: TypeAlias = Any  # a script's own types
OURS = ("EIA_API_KEY", "DATABASE_URL", "MLFLOW_TRACKING_URI", "WATTHOUR_API_KEY", "WATTHOUR_REGIONS")
N_DAYS, LEARNED, TESTED = 14, 2 * 364, 728
OFF_BY = 1.05  # the served model learned nothing of the six weeks it was compared on


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> Any:  # noqa: ANN401 - JSON
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


def publish(table: pl.DataFrame) -> None:
    """Say of each price that it was published at 12:45 of the day before; a table alone says nothing of that."""
    on_eve = pl.col("time").dt.truncate("1d") - pl.duration(hours=11, minutes=15)
    rows = table.select(
        time=pl.col("ds").dt.replace_time_zone("UTC").cast(INSTANT),
        value="y",
        recorded_at=pl.lit(datetime.now(UTC)).cast(INSTANT),
        quality=pl.lit(0, pl.Int16),
    )
    with open_app(load_settings()) as app:
        known = find_context(app.store, app.directories, "belgian_market").channel.id
        rows = rows.with_columns(channel=pl.lit(known), available_at=on_eve)
        app.store.append(Readings.validate(rows.select(Readings.column_names()), cast=True))


@pytest.mark.shared_data
def test_the_price_that_is_served_before_the_auction_meets_the_figure_of_the_benchmark(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path))
    monkeypatch.syspath_prepend(__file__.rsplit("/tests/", 1)[0] + "/benchmarks")
    prices: Script = importlib.import_module("prices")
    market = prices.Market.read(shared_data, "BE", TESTED)
    table = market.table.head(market.table.height - 24 * TESTED).tail(24 * (LEARNED + N_DAYS))
    before = prices.Market("BE", table, market.covariates, *[table["y"].to_numpy()[-24 * N_DAYS :].reshape(-1, 24)] * 4)
    quantiles, _seconds = prices.ours(before)
    figure = metrics.mae(before.actual.ravel(), quantiles[..., LEVELS.index(0.5)].ravel())

    columns = [word for name in market.covariates for word in ("--covariate-column", f"{name}=MW")]
    place = ("--site", "Belgian market", "--time-zone", "UTC", "--unit", "EUR/MWh", "--value-column", "y", "--yes")
    table.drop("unique_id").write_parquet(tmp_path / "be.parquet")
    answered(capsys, "import", str(tmp_path / "be.parquet"), *place, *columns, "--issued-at", "10:00")
    publish(table)
    last = table["ds"][-1].date()
    period = ("--from", str(last - (N_DAYS - 1) * DAY), "--to", str(last), "--retrain", "never")
    (mine,) = [
        row
        for row in answered(capsys, "backtest", "belgian_market", *period)["rows"]
        if row["recipe"] == "day_regression"  # by itself
    ]
    assert mine["mae"] == pytest.approx(figure, rel=1e-6)

    first = datetime.combine(last - (N_DAYS - 1) * DAY, datetime.min.time(), UTC)
    trained = first - timedelta(hours=12, minutes=15)
    monkeypatch.setattr("watthour.cli.train.utc_now", lambda: trained)
    (report,) = answered(capsys, "train", "belgian_market", "--past-days", "0")
    assert (report["version"].split("-")[0], report["decision"]) == ("day_regression", "promoted")
    told = []
    for n in range(N_DAYS):
        now = first + n * DAY - timedelta(hours=12, minutes=15)
        with (
            open_app(load_settings()) as app,
            TestClient(create_app(app, now=partial(_same, now)), base_url="http://127.0.0.1") as client,
        ):
            day = str((first + n * DAY).date())
            page = client.get("/api/v1/grid/belgian_market/forecast", params={"day": day}).json()
        assert (page["model_version"], page["missing_inputs"]) == (report["version"], [])
        told += [point["value"] for point in page["points"]]
    assert metrics.mae(before.actual.ravel(), np.array(told)) <= OFF_BY * figure


def _same(at: datetime) -> datetime:
    return at
