"""Training by a request: in a process of its own, one at a time, told step by step."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import street

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

TRAIN = "/api/v1/train"
PROGRAM = """#!/bin/sh
# stands for the interpreter: the command line of a training, without the training
echo "$@" >>"{asked}"
case "$*" in *--only-past*)
    echo "the past of simtown: forecasting May 2024" >&2
    while [ ! -e "{past}" ]; do sleep 0.02; done
    exit 0 ;;
esac
echo "train simtown: reading history" >&2
while [ ! -e "{go}" ]; do sleep 0.02; done
{ending}
"""
DONE = """echo '[{"version": "day_process-1", "decision": "promoted", "reasons": ["No other model is in use yet."]}]'"""
OF_HOMES = """echo '[{"version": "global_model-1", "decision": "promoted", "reasons": ["It is better."], \
"own": {"Oak": {"decision": "promoted"}, "Elms": {"decision": "kept"}}}]'"""
KILLED = "kill -9 $$"
FAILED = """echo "Error: too few days. Bring more." >&2; exit 6"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")


@pytest.fixture
def program(town: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Put a program in the place of the interpreter; it ends once the file that is returned is there."""

    def put(ending: str) -> Path:
        path, go = tmp_path / "python", tmp_path / "go"
        past, asked = tmp_path / "past", tmp_path / "asked"
        path.write_text(PROGRAM.format(go=go, past=past, asked=asked, ending=ending))
        path.chmod(0o700)
        monkeypatch.setattr("watthour.workflows.training_process.sys.executable", str(path))
        return go

    yield put
    town.trainings.stop()


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


def state_when_step(client: TestClient, wanted: str | None) -> dict[str, Any]:
    """Ask until the training is at a step."""
    for _ in range(1500):
        state: dict[str, Any] = client.get(TRAIN, params={"region": "simtown"}).json()
        if state["step"] == wanted:
            return state
        time.sleep(0.02)
    pytest.fail(f"still {state}")


def test_the_verdict_does_not_wait_for_the_forecasts_of_past_days(
    town_client: TestClient, program: Callable[[str], Path], tmp_path: Path
) -> None:
    program(DONE).touch()
    assert town_client.post(TRAIN, params={"region": "simtown"}).status_code == 202
    state = state_when_step(town_client, "forecasting May 2024")
    assert state["state"] == "done"
    assert state["verdict"] == "day_process-1 is promoted. No other model is in use yet."
    (tmp_path / "past").touch()
    assert state_when_step(town_client, None)["state"] == "done"
    assert (tmp_path / "asked").read_text().splitlines() == [
        "-m watthour train simtown --past-days 0 --json",
        "-m watthour train simtown --only-past",
    ]


def test_a_training_ends_the_forecasts_of_past_days_which_go_on_after_it(
    town_client: TestClient, program: Callable[[str], Path], tmp_path: Path
) -> None:
    program(DONE).touch()
    for _ in range(2):
        assert town_client.post(TRAIN, params={"region": "simtown"}).status_code == 202
        state_when_step(town_client, "forecasting May 2024")
    (tmp_path / "past").touch()
    assert state_when_step(town_client, None)["state"] == "done"
    asked = [line.split()[4] for line in (tmp_path / "asked").read_text().splitlines()]
    assert asked == ["--past-days", "--only-past", "--past-days", "--only-past"]


def test_at_the_end_of_the_server_the_forecasts_of_past_days_end(town: App, program: Callable[[str], Path]) -> None:
    program(DONE).touch()
    town.trainings.run("simtown", progress=lambda _step: None)
    while (process := town.trainings._past_process) is None:
        time.sleep(0.01)
    town.trainings.stop()
    assert process.wait(10) != 0


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


def test_homes_are_trained_together_whichever_of_them_is_asked_for(
    town: App, town_client: TestClient, program: Callable[[str], Path], tmp_path: Path
) -> None:
    homes = f"{TRAIN}/homes"
    go = program(OF_HOMES)
    none = town_client.post(homes)
    assert (none.status_code, none.json()["title"]) == (404, "No home")
    for name in ("Oak", "Elms"):
        street.add(town.store, name, 2)
    begun = town_client.post(homes)
    assert begun.status_code == 202
    told = begun.json()
    assert told.pop("step") in {"starting", "train simtown: reading history"}  # its first line may be there already
    assert told == {"homes": ["elms", "oak"], "state": "running", "problem": None, "verdict": None}
    again = town_client.post(TRAIN, params={"region": "oak"})
    assert (again.status_code, "all homes" in again.json()["detail"]) == (409, True)
    go.touch()
    for _ in range(1500):
        state = town_client.get(homes).json()
        if state["state"] == "done":
            break
        time.sleep(0.02)
    promoted = "1 of 2 homes were given a new model of their own."
    assert state["verdict"] == f"global_model-1 is promoted. It is better. {promoted}"
    assert town_client.get(TRAIN, params={"region": "oak"}).json()["verdict"] == state["verdict"]
    assert town_client.post(TRAIN, params={"region": "oak"}).status_code == 202
    assert town_client.get(homes).json()["state"] in {"running", "done"}
    asked = (tmp_path / "asked").read_text().splitlines()
    assert set(asked) == {"-m watthour train --homes --past-days 0 --json"}  # no past days of homes follow
