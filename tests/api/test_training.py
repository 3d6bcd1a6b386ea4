"""Training by a request: in a process of its own, one at a time, told step by step."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

TRAIN = "/api/v1/train"
PROGRAM = """#!/bin/sh
# stands for the interpreter: the command line of a training, without the training
echo "train simtown: reading history" >&2
while [ ! -e "{go}" ]; do sleep 0.02; done
{ending}
"""
DONE = """echo '[{"version": "day_process-1", "decision": "promoted", "reasons": ["No other model is in use yet."]}]'"""
KILLED = "kill -9 $$"
FAILED = """echo "Error: too few days. Bring more." >&2; exit 6"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a program in the place of the interpreter; it ends once the file that is returned is there."""

    def put(ending: str) -> Path:
        path, go = tmp_path / "python", tmp_path / "go"
        path.write_text(PROGRAM.format(go=go, ending=ending))
        path.chmod(0o700)
        monkeypatch.setattr("watthour.workflows.training_process.sys.executable", str(path))
        return go

    return put


def state_when(client: TestClient, wanted: str) -> dict[str, Any]:
    """Ask until the training is in a state; a test that hangs here fails by its runner's patience."""
    for _ in range(1500):
        state: dict[str, Any] = client.get(TRAIN, params={"region": "simtown"}).json()
        if state["state"] == wanted:
            return state
        time.sleep(0.02)
    pytest.fail(f"still {state}")


def test_a_training_is_begun_told_and_ends_with_its_verdict(
    town_client: TestClient, program: Callable[[str], Path]
) -> None:
    go = program(DONE)
    assert town_client.get(TRAIN, params={"region": "simtown"}).json()["state"] == "idle"
    begun = town_client.post(TRAIN, params={"region": "Simtown"})
    assert begun.status_code == 202
    assert begun.json() == {"region": "simtown", "state": "running"}
    again = town_client.post(TRAIN, params={"region": "simtown"})
    assert again.status_code == 409
    assert again.json()["title"] == "Training is running"
    assert again.json()["remedy"]
    go.touch()
    done = state_when(town_client, "done")
    assert done["verdict"] == "day_process-1 is promoted. No other model is in use yet."
    assert done["problem"] is None
    assert town_client.post(TRAIN, params={"region": "simtown"}).status_code == 202
    state_when(town_client, "done")


def test_a_training_that_is_killed_does_not_give_its_step_as_the_reason(
    town_client: TestClient, program: Callable[[str], Path]
) -> None:
    program(KILLED).touch()
    assert town_client.post(TRAIN, params={"region": "simtown"}).status_code == 202
    problem = state_when(town_client, "failed")["problem"]
    assert "it ended with code -9" in problem
    assert "reading history" not in problem


def test_a_training_that_fails_says_why(town_client: TestClient, program: Callable[[str], Path]) -> None:
    program(FAILED).touch()
    assert town_client.post(TRAIN, params={"region": "simtown"}).status_code == 202
    failed = state_when(town_client, "failed")
    assert "too few days" in failed["problem"]
    assert "watthour train simtown" in failed["problem"]


def test_at_the_end_of_the_server_a_training_ends(town: App, program: Callable[[str], Path]) -> None:
    program(DONE)
    town.trainings.start("simtown")
    while town.trainings._process is None:
        time.sleep(0.01)
    town.trainings.stop()
    assert town.trainings._process.wait(10) != 0


def test_only_a_known_site_is_trained_and_no_page_of_another_site_may_ask(town_client: TestClient) -> None:
    assert town_client.post(TRAIN, params={"region": "nowhere"}).status_code == 404
    assert town_client.post(TRAIN).status_code == 422
    foreign = town_client.post(TRAIN, params={"region": "simtown"}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert town_client.get(TRAIN, params={"region": "simtown"}).json()["state"] == "idle"
