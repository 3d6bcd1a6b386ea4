"""Comparing models by a request: in a process of its own, one at a time, told model by model."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

COMPARE = "/api/v1/compare"
PROGRAM = """#!/bin/sh
# stands for the interpreter: the command line of a comparison, without the comparison
echo "$@" >>"{asked}"
echo "compare simtown: day_process" >&2
while [ ! -e "{go}" ]; do sleep 0.02; done
{ending}
"""
ROW = {
    "recipe": "seasonal_naive",
    "pinball": 9.1,
    "mae": 20.5,
    "rmse": 26.1,
    "mase": 0.9,
    "mape_percent": 3.2,
    "coverage90_percent": 91.0,
    "skill_percent": -4.0,
    "validation_skill_percent": -3.1,
}
FOUND = {
    "channel": "grid.simtown.demand",
    "from": "2024-05-01",
    "to": "2024-05-28",
    "protocol": "Issued as each day begins.",
    "unit": "MWh",
    "rows": [{**ROW, "n": 672, "seconds": 0.1}],
    "left_out": {"operator": "Nobody else forecasts it."},
    "chosen": "seasonal_naive",
    "validated_from": "2024-04-17",
}
DONE = f"echo '{json.dumps(FOUND)}'"
KILLED = "kill -9 $$"
FAILED = """echo "Error: too few days. Bring more." >&2; exit 6"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")


@pytest.fixture
def program(town: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Put a program in the place of the interpreter; it ends once the file that is returned is there."""

    def put(ending: str) -> Path:
        path, go = tmp_path / "python", tmp_path / "go"
        path.write_text(PROGRAM.format(go=go, asked=tmp_path / "asked", ending=ending))
        path.chmod(0o700)
        monkeypatch.setattr("watthour.workflows.comparison_process.sys.executable", str(path))
        return go

    yield put
    town.comparisons.stop()


def state_when(client: TestClient, wanted: str, step: str | None = None) -> dict[str, Any]:
    """Ask until the comparison is in a state; a test that hangs here fails by its runner's patience."""
    for _ in range(1500):
        state: dict[str, Any] = client.get(COMPARE, params={"region": "simtown"}).json()
        if state["state"] == wanted and step in (None, state["step"]):
            return state
        time.sleep(0.02)
    pytest.fail(f"still {state}")


def test_a_comparison_is_begun_told_and_ends_with_its_table(
    town_client: TestClient, program: Callable[[str], Path], tmp_path: Path
) -> None:
    go = program(DONE)
    assert state_when(town_client, "idle")["found"] is None
    asked: dict[str, Any] = {
        "region": "Simtown",
        "days": 14,
        "issue_hour": 24,
        "validation_days": 7,
        "recipe": ["day_process", "seasonal_naive"],
    }
    begun = town_client.post(COMPARE, params=asked)
    assert (begun.status_code, begun.json()) == (202, {"region": "simtown", "state": "running"})
    again = town_client.post(COMPARE, params={"region": "simtown"})
    assert (again.status_code, again.json()["title"]) == (409, "Comparison is running")
    assert state_when(town_client, "running", "day_process")["problem"] is None
    go.touch()
    done = state_when(town_client, "done")
    assert done["found"] == FOUND
    assert (tmp_path / "asked").read_text() == (
        "-m watthour compare simtown --days 14 --recipe day_process --recipe seasonal_naive --issue-hour 24 "
        "--validation-days 7 --json\n"
    )


@pytest.mark.parametrize("name", ["oracle", "similar_series"])  # the second looks at other channels
def test_a_model_that_cannot_be_compared_is_refused_before_the_work(town_client: TestClient, name: str) -> None:
    refused = town_client.post(COMPARE, params={"region": "simtown", "recipe": name})
    assert (refused.status_code, refused.json()["field"]) == (400, "recipe")
    assert "day_process" in refused.json()["remedy"]


@pytest.mark.parametrize(
    ("ending", "words"), [(FAILED, "too few days. Bring more."), (KILLED, "it ended with code -9")]
)
def test_a_comparison_that_fails_says_why(
    town_client: TestClient, program: Callable[[str], Path], ending: str, words: str
) -> None:
    program(ending).touch()
    assert town_client.post(COMPARE, params={"region": "simtown"}).status_code == 202
    assert state_when(town_client, "failed")["problem"] == words
    assert town_client.post(COMPARE, params={"region": "simtown"}).status_code == 202  # the next may begin


def test_at_the_end_of_the_server_a_comparison_ends(
    town: App, town_client: TestClient, program: Callable[[str], Path]
) -> None:
    program(DONE)
    town_client.post(COMPARE, params={"region": "simtown"})
    state_when(town_client, "running", "day_process")
    town.comparisons.stop()
    assert "code -15" in state_when(town_client, "failed")["problem"]
