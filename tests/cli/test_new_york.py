"""The main job on real input: New York's files come in, a day goes out, beside what really happened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

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
    assert scores["ours"] < scores["seasonal_naive"]
    assert all(point["actual"] is not None and point["operator"] is not None for point in page["points"])

    archive = json.loads(watthour("forecast", "ny", "--json").out)
    assert archive["day"] == "2024-01-01"
    assert archive["reconstructed"]


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
