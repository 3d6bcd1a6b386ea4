"""A real server, as a person starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_START_S = 90
LONGEST_GOODBYE_S = 30
LONGEST_S = 120  # until a home that was just made begins to live
SIMULATED = "simtown_home"
ABOUT_US = ("WATTHOUR_", "EIA_API_KEY", "DATABASE_URL", "MLFLOW_TRACKING_URI")


class Served:
    """A running Watthour and its answers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return what the API says, as plain JSON."""
        with urlopen(self.url + path, timeout=60) as answer:  # noqa: S310 - our own server on loopback
            return json.load(answer)

    def tell(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Send JSON to the API, and return what it answers."""
        question = Request(  # noqa: S310 - our own server on loopback
            self.url + path, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        with urlopen(question, timeout=60) as answer:  # noqa: S310 - as above
            return json.load(answer)


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which only this home is known."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ABOUT_US)}
    return kept | {"WATTHOUR_HOME": str(home), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


def watthour(home: Path, *arguments: str) -> str:
    """Run a command of Watthour to its end, and return what it answered."""
    command = [sys.executable, "-m", "watthour", *arguments]
    done = subprocess.run(
        command, env=environment(home), cwd=home, check=True, capture_output=True, timeout=240, text=True
    )
    return done.stdout


@contextmanager
def up(home: Path, *options: str) -> Iterator[Served]:
    """Run `watthour up` on a free port for as long as the block lasts."""
    log = home / "up.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "watthour", "up", "--port", "0", *options]
        process = subprocess.Popen(command, env=environment(home), cwd=home, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield Served(_address(process, log))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(LONGEST_GOODBYE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server says where it listens."""
    deadline = time.monotonic() + LONGEST_START_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                return str(json.loads(line)["url"])
        time.sleep(0.1)
    pytest.fail(f"`watthour up` did not start:\n{log.read_text()[-3000:]}")
