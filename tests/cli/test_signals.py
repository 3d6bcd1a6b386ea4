"""A signal in the middle of a fetch ends the real command cleanly, from a provider that never ends its answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time as clock
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from fakes.server import Answer
from fakes.uk_carbon import UkCarbon, fake_uk_carbon

from watthour.core.ports import RunState
from watthour.settings import load_settings
from watthour.store.sql import open_store
from watthour.workflows.runs import INTERRUPTED, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.server import FakeServer

LONGEST_S = 90.0  # on a busy machine


@pytest.fixture
def dripping(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A provider that sends a byte at a time and never ends, for the carbon intensity of Great Britain."""
    with fake_uk_carbon(UkCarbon(datetime.now(UTC))) as server:
        monkeypatch.setenv("WATTHOUR_UK_CARBON_URL", server.base_url)
        monkeypatch.setenv("WATTHOUR_OPEN_METEO_ENABLED", "false")
        monkeypatch.setenv("WATTHOUR_REGIONS", "gb")
        monkeypatch.setenv("WATTHOUR_LOG_FORMAT", "json")
        server.faults.extend([Answer(drips=0.05)] * 1000)
        home.mkdir()
        yield server


def started(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "watthour", *words]
    return subprocess.Popen(command, env=os.environ.copy(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def asked(server: FakeServer, process: subprocess.Popen[str]) -> None:
    """Wait until the process reads an answer that does not end."""
    give_up_at = clock.monotonic() + LONGEST_S
    while not server.requests:
        assert process.poll() is None, process.communicate()[1]
        assert clock.monotonic() < give_up_at, "nothing was asked"
        clock.sleep(0.05)


def interrupted_runs() -> list[str]:
    store = open_store(load_settings().store_url())
    runs = store.runs("uk_carbon:gb")
    store.close()
    return [state_of(run, now=datetime.now(UTC)) for run in runs if run.state is RunState.RUNNING]


@pytest.mark.xdist_group("up")
def test_sigterm_during_a_fetch_ends_the_server_cleanly(dripping: FakeServer) -> None:
    with started("up", "--port", "0") as process:
        try:
            asked(dripping, process)
            process.send_signal(signal.SIGTERM)
            _out, errors = process.communicate(timeout=LONGEST_S)
        finally:
            process.kill()

    events = [json.loads(line)["event"] for line in errors.splitlines()]
    assert process.returncode == 0
    assert "stopped" in events
    assert "Traceback" not in errors
    assert set(interrupted_runs()) == {INTERRUPTED}


@pytest.mark.parametrize(
    "words", [("ingest", "gb"), ("backfill", "gb", "--source", "uk_carbon")], ids=lambda said: said[0]
)
def test_sigterm_during_a_fetch_ends_a_command_cleanly(dripping: FakeServer, words: tuple[str, ...]) -> None:
    with started(*words) as process:
        try:
            asked(dripping, process)
            process.send_signal(signal.SIGTERM)
            _out, errors = process.communicate(timeout=LONGEST_S)
        finally:
            process.kill()

    assert process.returncode == 143
    assert "What was fetched is kept" in errors
    assert "Traceback" not in errors
    assert set(interrupted_runs()) == {INTERRUPTED}
    dripping.faults.clear()
    with started("ingest", "gb") as again:  # the cure
        out, errors = again.communicate(timeout=LONGEST_S)
    assert again.returncode == 0, errors
    assert "uk_carbon:gb" in out
