"""`watthour nilm disaggregate` and `evaluate` by a network whose rules are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from nilm.made_network import made_files, write_network

from watthour.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_network(tmp_path / "network")


def table(path: Path, *, minutes: int = 1440, factor: float = 1.0, gap_at: int | None = None) -> Path:
    """Write a day of mains: 160 W, a fridge of 90 W at any time and a kettle of 2000 W six times for two minutes."""
    rows = []
    for minute in range(minutes):
        if gap_at is not None and gap_at <= minute < gap_at + 30:
            continue
        kettle = 2000 if minute % 240 in (30, 31) else 0
        powers = [factor * each for each in (250 + kettle, kettle, 90)]
        time = f"2026-01-05T{minute // 60:02}:{minute % 60:02}:00Z"
        rows.append({"time": time, **dict(zip(NAMES, powers, strict=True))})
    pl.DataFrame(rows).write_csv(path)
    return path


NAMES = ("mains", "kettle", "fridge")


def test_mains_in_a_table_become_appliances_in_a_table(
    watthour: Callable[..., Outcome], tmp_path: Path, model: Path
) -> None:
    into = tmp_path / "told.csv"
    file = str(table(tmp_path / "day.csv"))
    ended = watthour("nilm", "disaggregate", file, "--model", str(model), "--into", str(into), "--json")
    assert ended.code == 0, ended.err
    said = json.loads(ended.out)
    used = {each["name"]: each for each in said["appliances"]}
    assert said["days"] == pytest.approx(1)
    assert used["kettle"]["energy_kwh"] == pytest.approx(12 * 2 / 60, rel=1e-3)
    assert (used["kettle"]["runs"], used["kettle"]["hours_on"]) == (6, pytest.approx(0.2))
    assert used["fridge"]["energy_kwh"] == pytest.approx(24 * 0.09, rel=1e-3)
    assert used["other"]["energy_kwh"] == pytest.approx(24 * 0.16, rel=1e-3)
    assert sum(each["share_percent"] for each in used.values()) == pytest.approx(100, abs=0.01)
    written = pl.read_csv(into, try_parse_dates=True)
    assert written.columns == ["time", "mains", "kettle", "fridge", "other"]
    assert written["time"].dtype == pl.Datetime("us", "UTC")
    sums = written.select(pl.sum_horizontal("kettle", "fridge", "other") - pl.col("mains")).to_series().to_numpy()
    assert np.abs(sums).max() < 0.25  # each is written to 0.1 W
    shown = watthour("nilm", "disaggregate", file, "--model", str(model))
    assert shown.out.splitlines()[0].split("\t") == ["appliance", "energy [kWh]", "of the mains [%]", "runs", "on [h]"]
    assert [line.split("\t")[0] for line in shown.out.splitlines()[1:]] == ["kettle", "fridge", "other"]


def test_nothing_is_told_across_a_gap_and_the_days_say_so(
    watthour: Callable[..., Outcome], tmp_path: Path, model: Path
) -> None:
    into = tmp_path / "told.parquet"
    file = table(tmp_path / "day.csv", gap_at=100)
    ended = watthour("nilm", "disaggregate", str(file), "--model", str(model), "--into", str(into), "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["days"] == pytest.approx((1440 - 130) / 1440)  # a window of 128 does not fit before it
    written = pl.read_parquet(into)
    assert written.height == 1440 - 30
    assert written["other"].null_count() == 100


def test_kw_are_read_where_said_and_asked_about_where_not(
    watthour: Callable[..., Outcome], tmp_path: Path, model: Path
) -> None:
    file = str(table(tmp_path / "day.csv", factor=0.001))
    refused = watthour("nilm", "disaggregate", file, "--model", str(model))
    assert refused.code == Exit.INPUT
    assert "kW" in refused.err
    assert watthour("nilm", "disaggregate", file, "--model", str(model), "--unit", "kW").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "nowhere"], "there is no such folder"),
        (["--into", "told.xlsx"], "neither CSV nor Parquet"),
        (["--mains", "total"], "has the columns"),
    ],
)
def test_what_cannot_be_is_refused_with_the_cure(
    watthour: Callable[..., Outcome], tmp_path: Path, model: Path, words: list[str], said: str
) -> None:
    file = str(table(tmp_path / "day.csv"))
    words = words if "--model" in words else ["--model", str(model), *words]
    ended = watthour("nilm", "disaggregate", file, *words)
    assert ended.code == Exit.INPUT
    assert said in ended.err


def test_too_short_a_file_says_how_much_is_needed(
    watthour: Callable[..., Outcome], tmp_path: Path, model: Path
) -> None:
    ended = watthour("nilm", "disaggregate", str(table(tmp_path / "hour.csv", minutes=90)), "--model", str(model))
    assert ended.code != 0
    assert "needs 2.1 hours of mains without a gap, and the longest stretch has 1.5" in ended.err


def test_a_changed_network_is_not_used(watthour: Callable[..., Outcome], tmp_path: Path, model: Path) -> None:
    (model / "network.onnx").write_bytes(made_files()["network.onnx"] + b" ")
    ended = watthour("nilm", "disaggregate", str(table(tmp_path / "day.csv")), "--model", str(model))
    assert ended.code != 0
    assert "differs from the hash" in ended.err


def test_a_network_is_scored_on_houses_whose_appliances_were_metered(
    watthour: Callable[..., Outcome], tmp_path: Path, model: Path
) -> None:
    first, second = table(tmp_path / "first.csv"), table(tmp_path / "second.csv")
    into = str(tmp_path / "houses")
    named = ["--appliance", "kettle", "--appliance", "fridge", "--test", "second"]
    assert watthour("nilm", "prepare", str(first), str(second), "--into", into, *named).code == 0
    ended = watthour("nilm", "evaluate", into, "--model", str(model), "--json")
    assert ended.code == 0, ended.err
    (found,) = json.loads(ended.out)
    assert found["house"] == "second"
    assert found["appliances"]["kettle"]["mae_w"] == pytest.approx(0, abs=0.1)
    assert found["appliances"]["kettle"]["f1"] == 1
    assert found["appliances"]["fridge"]["skill_always_off"] == pytest.approx(1, abs=0.01)
    assert found["average"]["mr"] == pytest.approx(1, abs=0.01)
    shown = watthour("nilm", "evaluate", into, "--model", str(model), "--role", "training").out.splitlines()
    assert [line.split("\t")[:2] for line in shown[1:]] == [["first", "kettle"], ["first", "fridge"]]
    missing = watthour("nilm", "evaluate", into, "--model", str(model), "--role", "validation")
    assert missing.code == Exit.INPUT
    assert "There are: test, training" in missing.err


def test_houses_of_another_step_are_not_scored(watthour: Callable[..., Outcome], tmp_path: Path, model: Path) -> None:
    into = str(tmp_path / "houses")
    file = str(table(tmp_path / "only.csv"))
    assert watthour("nilm", "prepare", file, "--into", into, "--step", "120", "--test", "only").code != 0
    other = str(table(tmp_path / "other.csv"))
    assert watthour("nilm", "prepare", file, other, "--into", into, "--step", "120", "--test", "only").code == 0
    ended = watthour("nilm", "evaluate", into, "--model", str(model))
    assert ended.code == Exit.INPUT
    assert "trained on steps of 60 s" in ended.err


def test_a_home_with_minutes_is_told_its_appliances(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    powers = [200 + n % 9 + (2400 if n % 300 in (50, 51) else 0) for n in range(1440)]
    times = [f"2026-01-05T{n // 60:02}:{n % 60:02}:00Z" for n in range(1440)]
    pl.DataFrame({"time": times, "power": powers}).write_csv(tmp_path / "flat.csv")
    added = watthour("home", "add", "Flat", "--time-zone", "Europe/London", "--channel", "power:W:1min")
    assert added.code == 0, added.err
    brought = watthour("import", str(tmp_path / "flat.csv"), "--channel", "home.flat.power", "--unit", "W", "--yes")
    assert brought.code == 0, brought.err
    words = ("home", "appliances", "flat", "--from", "2026-01-05", "--to", "2026-01-05")
    ended = watthour(*words)
    assert ended.code == 0, ended.err
    told = [line.split("\t")[0] for line in ended.out.splitlines()]
    assert told == ["appliance", "kettle", "dishwasher", "washing_machine", "microwave", "fridge", "other"]
    assert "Estimated from the mains for 100.0 % of the time, last until 2026-01-06" in ended.err
    said = json.loads(watthour(*words, "--json", "--with-powers").out)
    kettle = said["appliances"][0]
    assert len(kettle["runs"]) == 5
    assert len(said["powers"]["time"]) == 1440
    late = watthour("home", "appliances", "flat", "--from", "2026-01-06", "--to", "2026-01-05")
    assert late.code == Exit.INPUT
    nothing = watthour("home", "appliances", "flat")
    assert nothing.code != 0
    assert "at least once a minute" in nothing.err
