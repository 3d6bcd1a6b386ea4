"""The main job on real input: New York's files come in, a day goes out, beside what really happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from watthour.core.frames import Forecasts
from watthour.core.quality import flag_forecasts, is_trusted
from watthour.core.window import DAY, Window
from watthour.grid.regions import Regions
from watthour.sources.datasets import recognise
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

pytestmark = pytest.mark.shared_data


def test_new_yorks_files_become_a_day_ahead_forecast_of_a_real_day(
    watthour: Callable[..., Outcome], shared_data: Path
) -> None:
    files = [str(shared_data / "grid" / name) for name in ("ny_demand.parquet", "ny_gfs_issued_2019_2021.parquet")]
    imported = watthour("import", *files, "--json")
    assert imported.code == 0, imported.err
    assert {report["source"] for report in json.loads(imported.out)} == {"demand:ny", "gfs:ny"}
    assert sum(report["new_rows"] for report in json.loads(watthour("import", *files, "--json").out)) == 0

    page = json.loads(watthour("forecast", "NYISO", "--day", "2019-07-20", "--json").out)
    assert page["region"]["id"] == "ny"
    assert not page["region"]["simulated"]
    assert page["issued_at"] == "2019-07-19T12:00:00Z"
    assert page["known_until"] <= "2019-07-19T10:00:00Z"  # demand is known two hours after its hour
    scores = {row["model"]: row["mape_percent"] for row in page["scores_of_day"]["rows"]}
    # A Saturday in the heat wave of July 2019: the week before tells little.
    assert scores[page["model_version"]] < scores["seasonal_naive"]  # no model is trained: a baseline stands in
    assert all(point["actual"] is not None and point["operator"] is not None for point in page["points"])

    archive = json.loads(watthour("forecast", "ny", "--json").out)
    assert archive["day"] == "2024-01-01"
    assert archive["reconstructed"]


def test_a_backtest_where_the_operator_no_longer_publishes_goes_on_without_it(
    watthour: Callable[..., Outcome], shared_data: Path
) -> None:
    assert watthour("import", str(shared_data / "grid" / "ny_demand.parquet")).code == 0
    days = ["--from", "2021-03-01", "--to", "2021-03-07", "--retrain", "never"]
    chosen = ["--recipe", "operator", "--recipe", "operator_debiased", "--recipe", "seasonal_naive"]
    ended = watthour("backtest", "ny", *days, *chosen, "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert [row["recipe"] for row in told["rows"]] == ["seasonal_naive"]
    where = "The operator's forecast of grid.ny.demand from 2021-03-01 to 2021-03-07 is not known."
    assert told["notes"] == [f"operator is left out. {where}", f"operator_debiased is left out. {where}"]
    assert ended.err.index("is left out") < ended.err.index("seasonal_naive:")  # before the work begins
    nobody = watthour("backtest", "ny", *days, "--recipe", "operator")
    assert nobody.code == 6
    assert "watthour backfill" in nobody.err


def test_honest_forecasts_of_new_york_are_hardly_ever_doubted(shared_data: Path) -> None:
    regions, store = Regions(), MemoryStore()
    asked = find_context(store, [regions], "ny")
    (table,) = recognise(shared_data / "grid" / "ny_demand.parquet", asked, find=regions.find)
    ingest(table, store, table.span(), now=datetime(2026, 1, 1, tzinfo=UTC))
    years = Window(datetime(2018, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
    said = store.forecasts([asked.channel.id], years)
    honest = said.filter(pl.col("value") > 0)
    doubted = honest.filter(~is_trusted())
    assert honest.height > 17_000
    assert doubted["time"].dt.date().n_unique() <= 0.01 * honest["time"].dt.date().n_unique()
    for factor, least in ((1000.0, 1.0), (2.0, 0.95), (0.5, 0.95)):
        wrong = Forecasts.cast(honest.with_columns(pl.col("value") * factor))
        load = store.read([asked.channel.id], Window(years.start - 40 * DAY, years.end))
        flagged = flag_forecasts(wrong, [asked.channel], readings=load)
        assert flagged.filter(~is_trusted()).height >= least * honest.height


def test_a_backtest_of_real_days_gives_the_operators_known_error(
    watthour: Callable[..., Outcome], shared_data: Path
) -> None:
    assert watthour("import", str(shared_data / "grid" / "ny_demand.parquet")).code == 0
    chosen = ["--recipe", "operator", "--recipe", "operator_debiased", "--retrain", "never"]
    ended = watthour("backtest", "ny", "--from", "2019-01-01", "--to", "2019-12-31", *chosen, "--json")
    assert ended.code == 0, ended.err
    scores = {row["recipe"]: row["mape_percent"] for row in json.loads(ended.out)["rows"]}
    assert scores["operator"] == pytest.approx(2.91, abs=0.03)
    assert scores["operator_debiased"] == pytest.approx(1.60, abs=0.03)
