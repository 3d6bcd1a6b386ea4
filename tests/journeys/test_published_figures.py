"""The figures of the README by the ways that people take: the command line, then the API of what it kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from watthour.api.app import create_app
from watthour.bootstrap import open_app
from watthour.cli import main
from watthour.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "ny_day_ahead.json"
FILES = ("ny_demand.parquet", "ny_station_weather_issued_2008_2019.parquet", "ny_gfs_issued_2019_2021.parquet")
OURS = ("EIA_API_KEY", "DATABASE_URL", "MLFLOW_TRACKING_URI", "WATTHOUR_API_KEY", "WATTHOUR_REGIONS")
# The benchmark leaves out some twenty hours of the year in which the operator published what cannot be.
NEAR = {"mape_percent": 0.01, "mae_mwh": 1.0, "coverage90_percent": 0.3}


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> Any:  # noqa: ANN401 - JSON
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


def check(found: Mapping[str, Any], published: Mapping[str, Any]) -> None:
    assert {name: found[name] for name in NEAR} == {
        name: pytest.approx(published[name], abs=NEAR[name]) for name in NEAR
    }


@pytest.mark.shared_data
def test_a_year_of_new_york_by_command_and_api_is_the_published_one(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path))
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    published = {row["row"]: row for row in rows if row["test"] == "2019"}

    answered(capsys, "import", *(str(shared_data / "grid" / name) for name in FILES), "--region", "ny")
    period = ("--from", "2019-01-01", "--to", "2019-12-31", "--known-hour", "0")
    by_command = {row["recipe"]: row for row in answered(capsys, "backtest", "ny", *period, "--keep")["rows"]}
    check(by_command["day_process"], published["ours_with_operator"])
    for rule in ("seasonal_naive", "operator_debiased"):
        check(by_command[rule], published[rule])

    with open_app(load_settings()) as app, TestClient(create_app(app), base_url="http://127.0.0.1") as client:
        scores = client.get("/api/v1/grid/ny/scores", params={"days": 365, "end": "2019-12-31"}).json()
    by_api = {row["model"]: row for row in scores["rows"] if row["lead_hours"] == "all"}
    check(by_api["ours"], published["ours_with_operator"])
