"""The figures that are published of the network for appliances are what a user gets, by whatever way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from watthour.api.app import create_app
from watthour.bootstrap import open_app
from watthour.cli import main
from watthour.nilm.houses import checked_house
from watthour.nilm.scores import mae
from watthour.nilm.serve import ServedNetwork
from watthour.nilm.shipped import shipped_files
from watthour.nilm.summary import told_of_house
from watthour.settings import load_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "nilm.json"
TEST = Path("nilm") / "ukdale" / "ukdale_house2_1min.csv.gz"
PREFIX = "unseen_"
METRICS = ("mae_w", "mae_on_w", "sae", "nde", "teca", "mr", "f1", "mcc", "skill_always_off")
pytestmark = pytest.mark.shared_data


def published() -> dict[str, dict[str, float]]:
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    ours = {row["test"].removeprefix(PREFIX): row for row in rows if row["row"] == "ours"}
    return {name: row for name, row in ours.items() if name != "average"}


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words])
    said = capsys.readouterr()
    assert ended.value.code in (0, None), said.err
    return said.out


def test_evaluate_meets_the_published_scores(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = str(tmp_path / "houses")
    (tmp_path / "houses.toml").write_text(
        f'[[house]]\nname = "ukdale-2"\nfiles = ["{shared_data / TEST}"]\nrole = "test"\n'
        f'[[house]]\nname = "two-days"\nfiles = ["{shared_data}/nilm/ukdale/ukdale_house1_2days2014_6s.csv.gz"]\n'
    )
    run(capsys, "nilm", "prepare", str(tmp_path / "houses.toml"), "--into", into)
    (found,) = json.loads(run(capsys, "nilm", "evaluate", into, "--json"))
    expected = published()
    assert set(found["appliances"]) == set(expected)
    for name, row in expected.items():
        for metric in ("mae_w", "mae_on_w", "sae", "nde", "teca", "mr", "f1", "mcc", "skill_always_off"):
            if row[metric] is None:
                assert found["appliances"][name][metric] is None
            else:
                assert found["appliances"][name][metric] == pytest.approx(row[metric], rel=0.01, abs=1e-3), (
                    name,
                    metric,
                )


def test_disaggregate_writes_what_the_published_errors_were_measured_on(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "told.parquet"
    run(capsys, "nilm", "disaggregate", str(shared_data / TEST), "--into", str(into))
    told = pl.read_parquet(into)
    metered = pl.read_csv(shared_data / TEST, infer_schema_length=None)
    metered = metered.with_columns(pl.col("time").str.to_datetime(time_unit="us", time_zone="UTC").dt.truncate("1m"))
    both = told.join(metered, on="time", suffix="_truth")
    for name, row in published().items():
        pair = both.select(name, f"{name}_truth").drop_nulls().cast(pl.Float64)
        truth: NDArray[np.float64] = pair[f"{name}_truth"].to_numpy()
        is_known = np.isfinite(truth)
        assert mae(truth[is_known], pair[name].to_numpy()[is_known]) == pytest.approx(row["mae_w"], rel=0.01)


def test_a_home_whose_meter_sends_the_same_mains_is_told_the_same(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path / "home"))
    time = pl.col("time").str.to_datetime(time_unit="us", time_zone="UTC")
    mains = pl.read_csv(shared_data / TEST, infer_schema_length=None).select(time.alias("time"), "mains").drop_nulls()
    begin = datetime(2013, 7, 1, tzinfo=UTC)
    days = mains.filter(pl.col("time").is_between(begin, begin + timedelta(days=4), closed="left"))
    network = ServedNetwork.from_files(shipped_files())
    seconds = days["time"].dt.epoch("s").to_numpy() // 60 * 60
    house = checked_house("ukdale-2", 60, seconds, days["mains"].cast(pl.Float32).to_numpy(), {})
    expected = told_of_house(network, house).between(begin + timedelta(days=1), begin + timedelta(days=3))
    now = begin + timedelta(days=4)
    with (
        open_app(load_settings()) as app,
        TestClient(create_app(app, now=lambda: now), base_url="http://127.0.0.1") as client,
    ):
        meter = {"name": "power", "unit": "kW", "resolution_seconds": 3600}
        home = {"name": "Flat", "time_zone": "Europe/London", "channels": [meter]}
        added = client.post("/api/v1/homes", json=home)
        assert added.status_code < 300, added.text
        samples = [
            {"channel": "home.flat.power", "time": at.isoformat(), "measure": "power", "value": value}
            for at, value in days.iter_rows()
        ]
        for first in range(0, len(samples), 5000):
            sent = client.post("/api/v1/readings", json={"samples": samples[first : first + 5000]})
            assert sent.status_code < 300, sent.text
        asked = "start=2013-07-02T00:00:00Z&end=2013-07-04T00:00:00Z&with_powers=true"
        said = client.get(f"/api/v1/homes/flat/appliances?{asked}").json()
    assert len(said["powers"]["time"]) == int(expected.answer.is_told.sum()) > 2800
    for place, name in enumerate(expected.answer.appliances):
        ours = expected.answer.power[expected.answer.is_told, place]
        apart = np.abs(ours - np.array(said["powers"]["appliances"][name])).mean()
        assert apart < 0.5, name
    for each, used in zip(said["appliances"], expected.used(), strict=False):
        assert each["energy_kwh"] == pytest.approx(used.energy_kwh, rel=0.02, abs=0.01), each["name"]
