"""LightGBM in a process of our own takes none of the libraries that it imports for others."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from watthour.forecasting.lean_lightgbm import UNUSED

if TYPE_CHECKING:
    from pathlib import Path

LEARN = """
import sys
import numpy as np
from watthour.forecasting.lean_lightgbm import UNUSED, import_lean_lightgbm

lightgbm = import_lean_lightgbm()
assert not UNUSED & sys.modules.keys(), UNUSED & sys.modules.keys()
x = np.arange(400.0)[:, None]
booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(x, x[:, 0]), num_boost_round=20)
again = lightgbm.Booster(model_str=booster.model_to_string())
print(float(again.predict(np.array([[350.0]]))[0]) > float(again.predict(np.array([[50.0]]))[0]))
"""


def test_it_learns_and_answers_without_its_neighbours(tmp_path: Path) -> None:
    for name in UNUSED:  # installed here or not: whoever imports one of them fails
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", LEARN],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("True", 0), done.stderr


def test_afterwards_the_neighbours_can_be_imported_as_ever() -> None:
    pytest.importorskip("pandas")
    code = "from watthour.forecasting.lean_lightgbm import *; import_lean_lightgbm(); import pandas"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
