"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout, or a skip that says so."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("WATTHOUR_DATA", beside))
    if not path.is_dir():
        pytest.skip(f"no real data at {path}: set WATTHOUR_DATA to run this test")
    return path
