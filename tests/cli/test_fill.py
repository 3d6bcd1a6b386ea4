"""The first fill of a real process that is killed and started again: the past is whole all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fakes.server import Answer, Request, as_json, serve

from watthour.core.window import DAY, Window
from watthour.store.sql import open_store
from watthour.workflows.rounds import FIRST_PAST
from watthour.workflows.runs import fill_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEP = timedelta(hours=6)  # one row of so many; a fill does not mind what else is missing


def sparse_load(request: Request) -> Answer:
    """Answer as Elia does, with few rows of any past of the load, and none of all else."""
    if "ods001" not in request.path and "ods002" not in request.path:
        return as_json([])
    first, last = (datetime.fromisoformat(text) for text in request.one("where").split("'")[1::2])
    start = first.replace(minute=0, second=0) + (-first.hour % 6) * timedelta(hours=1)
    times = [start + number * STEP for number in range(max(0, (last - start) // STEP))]
    now = datetime.now(UTC)
    value = "measured" if "ods002" in request.path else "totalload"
    said = dict.fromkeys(("dayaheadforecast", "dayaheadconfidence10", "dayaheadconfidence90"), 9100.0)
    rows = [
        {"datetime": each.isoformat(), "resolutioncode": "PT15M", value: 9000.0 + number, **said}
        for number, each in enumerate(times)
        if first <= each < now
    ]
    return as_json(rows)


@contextmanager
def up(home: Path, url: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Follow Belgium and yield what is logged; killed at the end, as by a power cut."""
    environment = {
        **os.environ,
        "WATTHOUR_HOME": str(home),
        "WATTHOUR_LOG_FORMAT": "json",
        "WATTHOUR_REGIONS": "be",
        "WATTHOUR_ELIA_URL": url,
        "WATTHOUR_OPEN_METEO_ENABLED": "false",
    }
    command = [sys.executable, "-m", "watthour", "up", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield (json.loads(line) for line in process.stderr if line.startswith("{"))
        finally:
            process.kill()


@pytest.mark.xdist_group("up")
def test_a_first_fill_that_is_killed_goes_on_and_the_past_becomes_whole(home: Path) -> None:
    with serve(sparse_load) as server:
        begun: list[dict[str, Any]] = []
        with up(home, server.base_url) as logged:
            for entry in logged:
                assert entry["event"] != "fill_failed", entry
                begun += [entry] * (entry["event"] == "filled")
                if len(begun) == 3:
                    break
        ends = [entry["end"] for entry in begun]
        assert ends == sorted(ends, reverse=True)
        store = open_store(f"sqlite:///{home / 'watthour.db'}")
        now = datetime.now(UTC)
        past = Window(now - FIRST_PAST, now)
        assert fill_of("elia:be", store, past, now=now).share < 0.6
        with up(home, server.base_url) as logged:
            for entry in logged:
                assert entry["event"] != "fill_failed", entry
                if not fill_of("elia:be", store, past, now=datetime.now(UTC)).holes:
                    break
    first, last, _ = store.spans()["grid.be.demand"]
    assert first - past.start < DAY
    times = store.read(["grid.be.demand"], past)["time"]
    assert times.diff().max() == STEP  # no hole where the kill was
    assert now - last < DAY
    store.close()
