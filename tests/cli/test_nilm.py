"""`watthour nilm` on small tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from watthour.cli.exits import Exit
from watthour.nilm.kept_runs import open_bank
from watthour.nilm.windows import open_windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Outcome


def table(path: Path, *, kw: bool = False) -> Path:
    rng = np.random.default_rng(0)
    lines = ["time,mains,kettle,fridge,aquarium"]
    for n in range(1440):
        kettle = 2200 if n % 240 in (30, 31) else 0
        mains = 200 + kettle + 100 * rng.random()
        if kw:
            mains, kettle = mains / 1000, kettle // 1000
        lines.append(f"2026-01-05T{n // 60:02}:{n % 60:02}:00Z,{mains:.4f},{kettle},{90 if n % 40 < 15 else 1},5")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_tables_are_prepared_shown_and_opened(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    first, second, into = table(tmp_path / "a.csv"), table(tmp_path / "b.csv"), tmp_path / "kept"
    done = watthour("nilm", "prepare", str(first), str(second), "--into", str(into), "--test", "b")
    assert done.code == Exit.OK
    assert "a\ttraining\t1.0\t1\tkettle, fridge" in done.out
    assert "b\ttest\t1.0\t1\tkettle, fridge" in done.out
    assert "kettle\t18.3\t0.83\t2,200.0\t6" in done.out
    assert "a: columns that are no appliance of a known kind: aquarium" in done.err
    windows = open_windows(into)
    assert windows.appliances == ("kettle", "dishwasher", "washing_machine", "microwave", "fridge")
    assert len(open_bank(into).runs["kettle"]["a/kettle"]) == 6
    again = watthour("nilm", "prepare", str(first), str(second), "--into", str(into), "--test", "b", "--json")
    assert "a is there already" in again.err
    said = json.loads(again.out)
    assert said["hash"] == windows.hash
    assert said["statistics"]["houses"] == ["a"]
    assert said["runs"]["kettle"] == 6


def test_a_file_that_names_houses_is_prepared(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    table(tmp_path / "a.csv")
    described = tmp_path / "houses.toml"
    described.write_text('step_s = 120\nappliances = ["kettle"]\n[[house]]\nname = "mine"\nfiles = ["a.csv"]\n')
    done = watthour("nilm", "prepare", str(described), "--into", str(tmp_path / "kept"))
    assert done.code == Exit.OK
    assert open_windows(tmp_path / "kept").step_s == 120
    refused = watthour("nilm", "prepare", str(described), "--into", str(tmp_path / "kept"), "--step", "60")
    assert refused.code == Exit.INPUT
    assert "Leave out --step, and say it in the file." in refused.err
    refused = watthour("nilm", "prepare", str(described), str(tmp_path / "a.csv"), "--into", str(tmp_path / "kept"))
    assert "a file that names houses stands alone" in refused.err
    described.write_text("house =")
    assert watthour("nilm", "prepare", str(described), "--into", str(tmp_path / "kept")).code == Exit.INPUT


def test_a_table_in_kw_is_refused_and_taken_as_the_error_says(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    path, into = table(tmp_path / "a.csv", kw=True), tmp_path / "kept"
    refused = watthour("nilm", "prepare", str(path), "--into", str(into))
    assert refused.code == Exit.INPUT
    assert "say unit kW" in refused.err
    assert watthour("nilm", "prepare", str(path), "--into", str(into), "--unit", "kW").code == Exit.OK


def test_an_appliance_that_is_unknown_is_refused(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    refused = watthour(
        "nilm", "prepare", str(table(tmp_path / "a.csv")), "--into", str(tmp_path / "kept"), "--appliance", "ketle"
    )
    assert refused.code == Exit.INPUT
    assert "Did you mean kettle" in refused.err


def test_training_without_torch_names_its_extra(
    watthour: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("watthour.nilm.network", "watthour.nilm.train", "watthour.nilm.training_file"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    refused = watthour("nilm", "train", str(tmp_path / "training.toml"))
    assert refused.code == Exit.EXTRA
    assert "watthour[deep]" in refused.err


def test_a_training_tells_its_files_and_goes_on_when_asked_again(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    for name in ("torch", "safetensors", "onnx", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name}, of the extra `deep`, is not installed")
    names = [str(table(tmp_path / name)) for name in ("a.csv", "b.csv")]
    prepared = watthour("nilm", "prepare", *names, "--into", str(tmp_path / "kept"), "--validation", "b")
    assert prepared.code == Exit.OK
    said = tmp_path / "training.toml"
    said.write_text(
        'houses = "kept"\ninto = "run"\n[network]\nwidths = [8, 8]\nblocks = [1, 1]\nhead = 4\n'
        "[plan]\nn_steps = 64\nbatches = 4\nwindows = 2\nlook_every = 2\n"
    )
    done = watthour("nilm", "train", str(said), "--json")
    assert done.code == Exit.OK
    told = json.loads(done.out)
    assert [look["batches"] for look in told["looks"]] == [2, 4]
    assert all(Path(path).is_file() for path in told["files"])
    again = watthour("nilm", "train", str(said))
    assert "goes on after 4 batches" in again.err
    assert told["files"][0] in again.out
