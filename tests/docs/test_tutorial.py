"""The tutorial as it is written: its commands, one after the other, in an empty home and without network."""

from __future__ import annotations

import math
import os
import re
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from e2e.served import environment, up

if TYPE_CHECKING:
    from e2e.served import Served

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "first-forecast.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
START = "make run"
OF_THE_SHELL = {". .venv/bin/activate", "export EIA_API_KEY=..."}
NEEDS_A_DOWNLOAD = {
    "watthour backfill ny --from 2023-01-01",
    "watthour import EIA930_BALANCE_2026_Jul_Dec.csv --region ny",
}
LONGEST_WAIT_S = 300.0  # for the first model, on a busy machine


def commands() -> list[str]:
    """Return the lines that the tutorial gives to a shell, without their comments."""
    lines = "".join(BLOCK.findall(PAGE.read_text(encoding="utf-8"))).splitlines()
    return [bare for line in lines if (bare := line.split(" #")[0].strip())]


def write_load(file: Path) -> None:
    """Write ten months of hours at New York's scale, as a person might have them."""
    start = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=300)
    hours = [start + timedelta(hours=n) for n in range(299 * 24)]
    rows = [f"{at:%Y-%m-%d %H:%M},{17_000 + 3_000 * math.sin((at.hour - 9) * math.pi / 12):.0f}" for at in hours]
    file.write_text("\n".join(["time,load", *rows]) + "\n", encoding="utf-8")


def wait_for_a_model(served: Served) -> None:
    deadline = time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < deadline:
        try:
            served.ask("/model-info?region=simtown")
        except HTTPError as error:
            assert error.code == 503  # noqa: PT017 - none yet
            time.sleep(0.5)
        else:
            return
    pytest.fail("no model was trained in the background")


def test_the_lists_above_are_of_the_page() -> None:
    found = commands()
    assert found[0] == START
    assert set(found) > OF_THE_SHELL | NEEDS_A_DOWNLOAD


@pytest.mark.xdist_group("up")
def test_every_command_of_the_tutorial_works(tmp_path: Path) -> None:
    write_load(tmp_path / "load.csv")
    ran: list[str] = []
    with up(tmp_path) as served:
        wait_for_a_model(served)
        for command in commands():
            if command in {START, *OF_THE_SHELL, *NEEDS_A_DOWNLOAD}:
                continue
            words = shlex.split(command)
            if words[0] == "curl":
                address = words[-1].replace("http://127.0.0.1:8000", served.url)
                with urlopen(address, timeout=60) as answer:  # noqa: S310 - our own server on loopback
                    assert len(answer.read().splitlines()) >= 1
            else:
                assert words[0] == "watthour", command
                done = subprocess.run(
                    [sys.executable, "-m", *words],
                    env={**environment(tmp_path), "COLUMNS": "200", "PATH": os.environ["PATH"]},
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    timeout=300,
                    check=False,
                )
                assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            ran.append(words[1])
    assert {"doctor", "import", "train", "forecast", "scores", "models"} <= set(ran)
