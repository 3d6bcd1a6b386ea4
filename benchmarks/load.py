"""A steady stream of samples into the embedded store while pages are served: is it kept, and how long do pages take?

Run: python benchmarks/load.py [2000x10 ...]

Half of the samples comes by ``POST /api/v1/readings``, half by the WebSocket ``/api/v1/live``; one more line subscribes
to a home and never reads. Every sample that was acknowledged is counted in the store afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

import numpy as np
from api import Ask, Connections, server
from report import report
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from watthour.bootstrap import open_app
from watthour.core.channel import Channel, Device
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, Window
from watthour.settings import load_settings
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.workflows.homes import HomeWords, add_home
from watthour.workflows.ingest import backfill

Row: TypeAlias = dict[str, float | int | str | None]

RATE = 2000.0  # samples a second that are asked of it
BATCH = 500  # samples in a message
N_HOMES = 20
N_CHANNELS = 400  # of all homes; each tells rate / N_CHANNELS times a second
PAGES_EVERY_S = 0.25
PATIENCE_S = 30.0  # for one answer
PROTOCOL = (
    "`watthour up --no-follow` on SQLite. 2,000 samples of power a second, or as many as the test is named after, "
    "on {channels} channels of {homes} homes (steps of a minute, made into readings as they come), in messages of "
    "{batch}: half by HTTP, half by WebSocket, each due at its instant whether or not the one before was answered. "
    "Meanwhile a page every {every:g} s in turn: the app, the homes, a forecast of the region, the readings of a "
    "channel, the status. "
    "One more WebSocket is subscribed and never read. ack: from the instant a message was due until its samples were "
    "on the disk; errors: answers that were not good, and samples that were acknowledged and are not in the store. "
    "Client and server share the machine with whatever else it does: load_begin and load_end are its load over 1 min."
)


@dataclass(slots=True)
class Tally:
    """What was sent and answered."""

    acknowledged: int = 0  # samples
    errors: int = 0
    ack_ms: list[float] = field(default_factory=list)
    pages_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def furnish(home: Path, days: int, now: datetime) -> list[str]:
    """Fill a home directory with a region's past, and with homes that have devices; return the devices' channels."""
    with open_app(load_settings(home=home)) as app:
        backfill(SimulatedRegion(), app.store, Window(now - days * DAY, now + 2 * DAY), now=now)
        channels: list[Channel] = []
        for number in range(N_HOMES):
            words = HomeWords(f"Home {number}", time_zone="Europe/Paris", id=f"home_{number}")
            home_id = add_home(app.store, app.directories, app.gazetteer, words).id
            names = [f"home.{home_id}.device_{n}" for n in range(N_CHANNELS // N_HOMES)]
            devices = [Device(name, home_id, name.rpartition(".")[2]) for name in names]
            new = [
                Channel(f"{name}.power", home_id, Quantity.POWER, Unit.W, timedelta(minutes=1), device=name)
                for name in names
            ]
            app.store.register([], new, devices=devices)
            channels += new
    return [channel.id for channel in channels]


def message(channels: list[str], due: datetime, place: int) -> list[dict[str, object]]:
    """Return the samples of one message: each channel in its turn, each instant its own."""
    return [
        {
            "channel": channels[(place + n) % len(channels)],
            "time": (due + n * timedelta(microseconds=1)).isoformat(),
            "measure": "power",
            "value": float(100 + (place + n) % 900),
        }
        for n in range(BATCH)
    ]


async def send_by_http(port: int, channels: list[str], rate: float, seconds: float, tally: Tally) -> None:
    """Send messages at a steady rhythm by HTTP."""
    connections = Connections(port)
    begun = perf_counter()

    async def one(due: float, body: bytes) -> None:
        try:
            status = await asyncio.wait_for(
                connections.send(Ask("", "POST", "/api/v1/readings", body).wire()), PATIENCE_S
            )
        except (OSError, EOFError, TimeoutError):
            status = 0
        if status == HTTPStatus.OK:
            tally.acknowledged += BATCH
            tally.ack_ms.append(1000 * (perf_counter() - due))
        else:
            tally.errors += 1

    tasks = []
    for number in range(int(rate * seconds / BATCH)):
        due = begun + number * BATCH / rate
        await asyncio.sleep(max(0.0, due - perf_counter()))
        samples = message(channels, datetime.now(UTC), number * BATCH)
        tasks.append(asyncio.create_task(one(due, json.dumps({"samples": samples}).encode())))
    await asyncio.wait(tasks, timeout=PATIENCE_S)
    await connections.close()


async def send_by_line(port: int, channels: list[str], rate: float, seconds: float, tally: Tally) -> None:
    """Send messages at a steady rhythm by WebSocket."""
    dues: dict[str, float] = {}
    is_sent = asyncio.Event()
    async with connect(f"ws://127.0.0.1:{port}/api/v1/live", max_size=None) as line:

        async def answers() -> None:
            with suppress(ConnectionClosed):
                async for text in line:
                    said = json.loads(text)
                    due = dues.pop(str(said.get("id")), None)
                    if due is None:
                        continue
                    if said["type"] == "kept" and not said["refused"]:
                        tally.acknowledged += BATCH
                        tally.ack_ms.append(1000 * (perf_counter() - due))
                    else:
                        tally.errors += 1
                    if is_sent.is_set() and not dues:
                        return

        listening = asyncio.create_task(answers())
        begun = perf_counter()
        for number in range(int(rate * seconds / BATCH)):
            due = begun + number * BATCH / rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            dues[str(number)] = due
            samples = message(channels, datetime.now(UTC), number * BATCH + len(channels) // 2)
            await line.send(json.dumps({"type": "send", "id": str(number), "samples": samples}))
        is_sent.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(listening, PATIENCE_S)
        tally.errors += len(dues)


async def never_read(port: int, seconds: float) -> None:
    """Subscribe to homes and read nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    head = f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    writer.write(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    text = json.dumps({"type": "subscribe", "sites": [f"home_{n}" for n in range(N_HOMES)]}).encode()
    size = bytes([0x80 | 126]) + len(text).to_bytes(2, "big")
    writer.write(b"\x81" + size + bytes(4) + text)  # masked by zeros
    await asyncio.sleep(seconds)
    writer.close()


async def visit(port: int, channels: list[str], seconds: float, tally: Tally) -> None:
    """Ask for pages in turn, each at its instant."""
    connections = Connections(port)
    region = SIMTOWN.site.id
    asks = [
        Ask("app", "GET", "/"),
        Ask("homes", "GET", "/api/v1/homes"),
        Ask("forecast", "GET", f"/api/v1/grid/{region}/forecast"),
        Ask("readings", "GET", f"/api/v1/readings?channel={channels[0]}"),
        Ask("status", "GET", "/api/v1/status"),
    ]

    async def one(ask: Ask, due: float) -> None:
        wire = ask.wire().replace(b"Accept-Encoding", b"Accept: text/html, application/json\r\nAccept-Encoding")
        try:
            status = await asyncio.wait_for(connections.send(wire), PATIENCE_S)
        except (OSError, EOFError, TimeoutError, StopIteration):
            status = 0
        if status == HTTPStatus.OK:
            tally.pages_ms[ask.row].append(1000 * (perf_counter() - due))
        else:
            tally.errors += 1

    tasks = []
    begun = perf_counter()
    for number in range(int(seconds / PAGES_EVERY_S)):
        due = begun + number * PAGES_EVERY_S
        await asyncio.sleep(max(0.0, due - perf_counter()))
        tasks.append(asyncio.create_task(one(asks[number % len(asks)], due)))
    await asyncio.wait(tasks, timeout=PATIENCE_S)
    await connections.close()


async def load(port: int, channels: list[str], rate: float, seconds: float) -> tuple[Tally, float]:
    """Do all of it at once; return what came of it, and how long the sending took [s]."""
    tally = Tally()
    begun = perf_counter()
    stalled = asyncio.create_task(never_read(port, seconds))
    visiting = asyncio.create_task(visit(port, channels, seconds, tally))
    senders = (send_by_http, send_by_line)
    await asyncio.gather(*(send(port, channels, rate / 2, seconds, tally) for send in senders))
    took = perf_counter() - begun
    await asyncio.gather(stalled, visiting)
    return tally, took


def resident_mb(home: Path) -> float:
    """Return the memory of the server that uses a home [MB], from the system's list of processes."""
    for status in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            is_ours = f"WATTHOUR_HOME={home}\0".encode() in status.read_bytes()
            if is_ours and b"up\0--no-follow" in status.with_name("cmdline").read_bytes():
                lines = status.with_name("status").read_text().splitlines()
                return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))
    return float("nan")


def in_store(home: Path, channels: list[str], since: datetime) -> int:
    """Return how many samples the store has."""
    with open_app(load_settings(home=home)) as app:
        window = Window(since, datetime.now(UTC) + DAY)
        return sum(
            app.store.samples(channels[begin : begin + 20], window).height for begin in range(0, len(channels), 20)
        )


def measure(rate: float, minutes: float, days: int) -> list[Row]:
    """Send at a rate to a server of its own; return a row of all, and one of each page."""
    began_with = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="watthour-load-") as folder:
        home = Path(folder)
        now = datetime.now(UTC)
        channels = furnish(home, days, now)
        with server(home) as port:
            rss_begin = resident_mb(home)
            tally, took = asyncio.run(load(port, channels, rate, 60 * minutes))
            rss_end = resident_mb(home)
            print(
                f"{tally.acknowledged:,} samples acknowledged in {took:.1f} s, {tally.errors} errors; ending the server"
            )
        lost = tally.acknowledged - in_store(home, channels, now)
    pages = [value for each in tally.pages_ms.values() for value in each]
    test = f"minutes{minutes:g}" + ("" if rate == RATE else f"_{rate:g}")
    row: Row = {
        "row": "mixed",
        "test": test,
        "readings_per_s": round(tally.acknowledged / took, 1),
        "errors": tally.errors + max(0, lost),
        **_percentiles("", pages),
        **_percentiles("ack_", tally.ack_ms),
        "rss_begin_mb": round(rss_begin, 1),
        "rss_end_mb": round(rss_end, 1),
        "load_begin": round(began_with, 1),
        "load_end": round(os.getloadavg()[0], 1),
    }
    return [row, *({"row": name, "test": test, **_percentiles("", each)} for name, each in tally.pages_ms.items())]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", default=["2000x10"], help="samples a second x minutes, one after another")
    parser.add_argument("--days", type=int, default=60, help="days of the region's history in the store")
    said = parser.parse_args()
    rows: list[Row] = []
    for run in said.runs:
        rate, _, minutes = run.partition("x")
        rows += measure(float(rate), float(minutes), said.days)
        protocol = PROTOCOL.format(channels=N_CHANNELS, homes=N_HOMES, batch=BATCH, every=PAGES_EVERY_S)
        report("load", protocol, rows)


def _percentiles(prefix: str, values: list[float]) -> dict[str, float | None]:
    found = np.percentile(values, (50, 95, 99)) if values else [None] * 3
    names = (f"{prefix}p50_ms", f"{prefix}p95_ms", f"{prefix}p99_ms")
    return {name: None if each is None else round(float(each), 1) for name, each in zip(names, found, strict=True)}


if __name__ == "__main__":
    main()
