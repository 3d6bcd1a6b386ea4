"""How fast the running server answers: the warm day-ahead forecast at 20 requests/s, and the highest rate it holds.

Run: python benchmarks/api.py [--seconds 4] [--days 240] [--within 75]

It ends in time whatever the machine does: the search for the highest rate of a route ends with its share of the time
that is left, and then reports what was held so far.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING

import httpx2
import numpy as np
from report import report

from watthour.api.schemas.models import Features
from watthour.bootstrap import open_app
from watthour.core.window import DAY, Window
from watthour.forecasting.catalogue import recipe
from watthour.settings import load_settings
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.workflows.forecast import forecast
from watthour.workflows.ingest import backfill
from watthour.workflows.sites import find_context
from watthour.workflows.stand_in import describe, fill_past, keep_uses
from watthour.workflows.train import train
from watthour.workflows.twenty_features import train_features_model

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = "/api/v1/homes/simtown_home"
RATE = 20.0  # requests/s of the protocol
PAGE_LIMIT_MS = 50.0  # a rate is held while the 95th percentile stays below
HELD_SHARE = 0.98  # and this share of what was offered is answered in the time
STEP_SECONDS = 1.5
LATE_SECONDS = 1.0  # that late answers are waited for
MOST_PROBES = 9  # of a route's highest rate
MOST_RATE = 5000.0  # requests/s; beyond, the client is measured
MOST_CONNECTIONS = 64
PROTOCOL = (
    "`watthour up --no-follow` on SQLite with {days} days of the simulated region and its {recipe} model, and five "
    "weeks of the simulated home with its devices; client on "
    "the same machine over loopback, keep-alive, gzip, {seconds:g} s at {rate:g} requests/s, each latency counted from "
    "the instant it was due. requests_per_s: the highest rate of which {share:.0%} were answered in time with a 95th "
    "percentile below {limit:g} ms, {step:g} s each, as far as found within {within:g} s of the whole. forecast_first: "
    "one request, the first after a start."
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, ready to send."""

    row: str
    method: str
    path: str
    body: bytes = b""

    def wire(self) -> bytes:
        """Return the bytes of the request."""
        content = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n" if self.body else ""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n{content}\r\n"
        return head.encode() + self.body


@dataclass(slots=True)
class Load:
    """What a run of requests brought."""

    rate: float
    seconds: float
    latencies_ms: list[float] = field(default_factory=list)
    failures: int = 0

    def percentile(self, share: float) -> float:
        """Return a percentile of the latencies [ms]."""
        return float(np.percentile(self.latencies_ms, share)) if self.latencies_ms else float("inf")

    def is_held(self) -> bool:
        """Tell whether the server kept up."""
        enough = len(self.latencies_ms) >= HELD_SHARE * self.rate * self.seconds
        return enough and not self.failures and self.percentile(95) < PAGE_LIMIT_MS


class Connections:
    """Keep-alive connections, opened as needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()
        self._opened = 0

    async def send(self, wire: bytes) -> int:
        """Send one request and return the status of its answer."""
        if self._free.empty() and self._opened < MOST_CONNECTIONS:
            self._opened += 1
            pair = await asyncio.open_connection("127.0.0.1", self._port)
        else:
            pair = await self._free.get()
            if pair[0].at_eof():  # the server ends a connection that nobody has used for five seconds
                pair[1].close()
                pair = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = pair
        writer.write(wire)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
        self._free.put_nowait(pair)
        return int(head[9:12])

    async def close(self) -> None:
        """Close all of them."""
        while not self._free.empty():
            _, writer = self._free.get_nowait()
            writer.close()
            await writer.wait_closed()


async def drive(port: int, ask: Ask, rate: float, seconds: float) -> Load:
    """Send requests at a fixed rhythm, whether or not the answers keep up."""
    load, connections, wire = Load(rate, seconds), Connections(port), ask.wire()
    begun = perf_counter() + 0.05

    async def one(due: float) -> None:
        try:
            status = await connections.send(wire)
        except (OSError, asyncio.IncompleteReadError):
            status = 0
        if status == HTTPStatus.OK:
            load.latencies_ms.append(1000 * (perf_counter() - due))
        else:
            load.failures += 1

    running: set[asyncio.Task[None]] = set()
    for number in range(int(rate * seconds)):
        due = begun + number / rate
        if (wait := due - perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(due))
        running.add(task)
        task.add_done_callback(running.discard)
    _, late = await asyncio.wait(running, timeout=LATE_SECONDS) if running else (None, set())
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    await connections.close()
    return load


def highest_rate(port: int, ask: Ask, until: float) -> float | None:
    """Return the highest rate that is held: doubled until it is not, then halved between.

    Args:
        port: of the server.
        ask: what is asked.
        until: the instant of the monotonic clock by which it ends; None comes back if that is at once.
    """
    held, broken, rate = None, None, 4 * RATE
    for _ in range(MOST_PROBES):
        if monotonic() + STEP_SECONDS + LATE_SECONDS > until or rate > MOST_RATE:
            break
        if asyncio.run(drive(port, ask, rate, STEP_SECONDS)).is_held():
            held = rate
        else:
            broken = rate
        if broken is None:
            rate *= 2
        else:
            rate = ((held or 0.0) + broken) / 2
    return held


def furnish(home: Path, days: int, kind: str, now: datetime) -> None:
    """Fill a home: readings, trained models, a forecast of today."""
    with open_app(load_settings(home=home)) as app:
        backfill(SimulatedRegion(), app.store, Window(now - days * DAY, now + 2 * DAY), now=now)
        context = find_context(app.store, app.directories, SIMTOWN.site.id)
        train(app.store, app.registry, context, recipe(kind), now=now)
        train_features_model(app.store, app.registry, context, now=now)
        forecast(app.store, app.registry, context, now=now)
        invented = app.stand_in_home
        describe(app.store, invented)
        fill_past(app.store, invented, now=now)
        keep_uses(app.store, invented, now=now)


@contextmanager
def server(home: Path) -> Iterator[int]:
    """Run ``watthour up`` on a free port until the work is done."""
    environment = {**os.environ, "WATTHOUR_HOME": str(home), "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1"}
    log = home / "up.log"
    command = [str(Path(sys.executable).with_name("watthour")), "up", "--no-follow", "--port", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, cwd=home)
    try:
        yield _port(process, log)
    finally:
        process.terminate()
        process.wait(timeout=90)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port the server says it listens on, once it answers."""
    deadline = monotonic() + 180  # on a machine that is busy with other work
    while monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            _, found, rest = line.partition("http://127.0.0.1:")
            digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
            if found and digits:
                try:
                    httpx2.get(f"http://127.0.0.1:{digits}/health", timeout=2)
                except httpx2.TransportError:
                    continue
                return int(digits)
        sleep(0.1)
    message = f"the server did not start:\n{log.read_text()}"
    raise SystemExit(message)


def measure(port: int, seconds: float, until: float) -> list[dict[str, float | str | None]]:
    """Return one row per route; the search for the highest rates ends at an instant of the monotonic clock."""
    features = {name: info.examples[0] for name, info in Features.model_fields.items() if info.examples}
    asks = (
        Ask("forecast", "GET", f"/api/v1/grid/{SIMTOWN.site.id}/forecast"),
        Ask("scores", "GET", f"/api/v1/grid/{SIMTOWN.site.id}/scores"),
        Ask("predict", "POST", "/predict", json.dumps(features).encode()),
        Ask("readings", "GET", f"/api/v1/readings?channel={SIMTOWN.channel.id}"),
        Ask("home_usage", "GET", f"{HOME}/usage"),
        Ask("home_history", "GET", f"{HOME}/history"),
        Ask("home_insights", "GET", f"{HOME}/insights"),
        Ask("dashboard", "GET", "/api/dashboard"),
        Ask("status", "GET", "/api/v1/status"),
        Ask("health", "GET", "/health"),
    )
    for ask in asks:
        warm(port, ask)
    loads: list[Load] = []
    for ask in asks:
        asyncio.run(drive(port, ask, 5.0, 1.0))
        loads.append(asyncio.run(drive(port, ask, RATE, seconds)))
    rows: list[dict[str, float | str | None]] = []
    for number, (ask, load) in enumerate(zip(asks, loads, strict=True)):
        share = (until - monotonic()) / (len(asks) - number)
        rate = highest_rate(port, ask, monotonic() + share)
        if load.failures:
            print(f"{ask.row}: {load.failures} of its answers were not 200", file=sys.stderr)
        rows.append(
            {
                "row": ask.row,
                "test": "24h",
                "p50_ms": round(load.percentile(50), 2),
                "p95_ms": round(load.percentile(95), 2),
                "requests_per_s": None if rate is None else round(rate),
            }
        )
    return rows


def warm(port: int, ask: Ask) -> None:
    """Ask once and wait as long as it takes, so that models are loaded and answers made."""
    address = f"http://127.0.0.1:{port}{ask.path}"
    headers = {"Content-Type": "application/json"} if ask.body else {}
    httpx2.request(ask.method, address, content=ask.body, headers=headers, timeout=120).raise_for_status()


def first_answer(port: int) -> dict[str, float | str | None]:
    """Return how long the first forecast after a start takes."""
    begun = perf_counter()
    answer = httpx2.get(f"http://127.0.0.1:{port}/api/v1/grid/{SIMTOWN.site.id}/forecast", timeout=120)
    answer.raise_for_status()
    milliseconds = round(1000 * (perf_counter() - begun), 1)
    return {"row": "forecast_first", "test": "24h", "p50_ms": milliseconds, "p95_ms": milliseconds}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement at 20 requests/s")
    parser.add_argument("--days", type=int, default=240, help="days of history in the store")
    parser.add_argument("--recipe", default="day_process", help="kind of the forecasting model")
    parser.add_argument("--within", type=float, default=75.0, help="seconds by which the whole ends")
    parser.add_argument("--home", type=Path, help="keep what is made here, and use it if it is there")
    said = parser.parse_args()
    until = monotonic() + said.within
    with tempfile.TemporaryDirectory(prefix="watthour-bench-") as folder:
        home = said.home or Path(folder)
        if not (home / "watthour.db").exists():
            home.mkdir(parents=True, exist_ok=True)
            furnish(home, said.days, said.recipe, datetime.now(UTC))
        with server(home) as port:
            rows = [first_answer(port), *measure(port, said.seconds, until)]
    protocol = PROTOCOL.format(
        days=said.days,
        recipe=said.recipe,
        seconds=said.seconds,
        rate=RATE,
        share=HELD_SHARE,
        limit=PAGE_LIMIT_MS,
        step=STEP_SECONDS,
        within=said.within,
    )
    report("api", protocol, rows)


if __name__ == "__main__":
    main()
