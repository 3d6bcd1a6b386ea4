"""`watthour nilm train` and `export`, from tables of houses to what the exported network tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

FILE = """
houses = "prepared"
into = "run"

[network]
widths = [8, 12]
blocks = [1, 1]
head = 6

[plan]
n_steps = 64
batches = 4
windows = 4
look_every = 2

[vary]
chances = { kettle = 0.5 }
"""


@pytest.fixture
def place(watthour: Callable[..., Outcome], tmp_path: Path) -> Path:
    """Two prepared houses, one of them to validate with, and a file that says how to train."""
    rng = np.random.default_rng(1)
    files = []
    for name in ("first", "second"):
        kettle = np.where(rng.random(1500) < 0.05, 2500.0, 0.0)
        first = datetime(2026, 1, 5, tzinfo=UTC)
        times = [first + timedelta(minutes=minute) for minute in range(1500)]
        files.append(str(tmp_path / f"{name}.csv"))
        pl.DataFrame({"time": times, "mains": kettle + 80, "kettle": kettle}).write_csv(
            files[-1], datetime_format="%Y-%m-%dT%H:%M:%SZ"
        )
    into = str(tmp_path / "prepared")
    ended = watthour("nilm", "prepare", *files, "--into", into, "--appliance", "kettle", "--validation", "second")
    assert ended.code == 0, ended.err
    (tmp_path / "training.toml").write_text(FILE)
    return tmp_path


def test_a_training_is_exported_and_tells_of_a_table(watthour: Callable[..., Outcome], place: Path) -> None:
    pytest.importorskip("torch", reason="torch, the extra `deep`, is not installed")
    file, into = str(place / "training.toml"), place / "network"
    early = watthour("nilm", "export", file, "--into", str(into))
    assert early.code != 0
    assert "has not come to its first look" in early.err
    trained = watthour("nilm", "train", file, "--json")
    assert trained.code == 0, trained.err
    said = json.loads(trained.out)
    assert [look["batches"] for look in said["looks"]] == [2, 4]
    assert said["mae_w"] == min(look["mae_w"] for look in said["looks"])
    again = watthour("nilm", "train", file)
    assert f"watthour nilm export {file}" in again.err
    exported = watthour("nilm", "export", file, "--into", str(into), "--json")
    assert exported.code == 0, exported.err
    assert json.loads(exported.out)["batches"] == said["batches"]
    assert sorted(path.name for path in into.iterdir()) == ["network.json", "network.onnx"]
    description = json.loads((into / "network.json").read_text())
    assert (description["appliances"], description["step_s"], description["n_steps"]) == (["kettle"], 60, 64)
    told = watthour("nilm", "disaggregate", str(place / "second.csv"), "--model", str(into), "--json")
    assert told.code == 0, told.err
    assert [each["name"] for each in json.loads(told.out)["appliances"]] == ["kettle", "other"]
    scored = watthour(
        "nilm", "evaluate", str(place / "prepared"), "--model", str(into), "--role", "validation", "--json"
    )
    (found,) = json.loads(scored.out)
    assert found["average"]["mae_w"] == pytest.approx(said["mae_w"], rel=0.05)  # windows overlap here, and there not


def test_without_torch_the_extra_is_named(
    watthour: Callable[..., Outcome], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name in MODULES]:
        monkeypatch.delitem(sys.modules, name)
    ended = watthour("nilm", "train", str(place / "training.toml"))
    assert ended.code != Exit.OK
    assert "pip install 'watthour[deep]'" in ended.err


MODULES = {f"watthour.nilm.{name}" for name in ("network", "train", "export", "training_file")}
