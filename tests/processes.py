"""What a process does in tests of many processes on one store; imported by name, so that a fork server can start it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING

from builders import MIDNIGHT, demand_channel, readings, region_site

from watthour.core.window import HOUR, Window
from watthour.sources.own import OwnSources, checked_source
from watthour.store.sql import open_store
from watthour.streams.redis import RedisStream
from watthour.workflows.links import Link, Links

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

BATCH, SMALL_BATCH = 500, 20
EVER = Window(MIDNIGHT, MIDNIGHT + 1_000_000 * HOUR)


def append_batches(url: str, channel: str, first: int, n_batches: int | None, acknowledged: Connection | None) -> None:
    """Append batches of hours that follow each other, telling of each once it is acknowledged.

    The value of an hour is its number. Without a number of batches it goes on until it is killed.
    """
    store = open_store(url)
    store.register([region_site()], [demand_channel(channel)])
    for batch in islice(count(first), n_batches):
        hours = range(batch * BATCH, (batch + 1) * BATCH)
        store.append(readings(*map(float, hours), channel=channel, start=MIDNIGHT + hours[0] * HOUR))
        if acknowledged is not None:
            acknowledged.send(batch)
    store.close()


def append_in_threads(url: str, channels: list[str], acknowledged: Connection) -> None:
    """Append batches in a thread for each channel until killed, telling of each once it is acknowledged."""
    store = open_store(url)
    store.register([region_site()], [demand_channel(channel) for channel in channels])
    telling = Lock()

    def append(channel: str) -> None:
        for batch in count(0):
            hours = range(batch * SMALL_BATCH, (batch + 1) * SMALL_BATCH)
            store.append(readings(*map(float, hours), channel=channel, start=MIDNIGHT + hours[0] * HOUR))
            with telling:
                acknowledged.send((channel, batch))

    with ThreadPoolExecutor(len(channels)) as pool:
        list(pool.map(append, channels))


def look_often(url: str, n_times: int) -> None:
    """Open, look and close like a command; only whole batches may be seen."""
    for _ in range(n_times):
        store = open_store(url)
        seen = store.read([channel.id for channel in store.channels()], EVER)
        n_seen = dict(seen.group_by("channel").len().iter_rows())
        if any(n % BATCH for n in n_seen.values()) or not n_seen.keys() <= store.spans().keys():
            raise SystemExit(f"half a batch is visible: {n_seen}")
        store.close()


def add_and_remove_links(home: Path, process: int, n_things: int) -> None:
    """Add things one after another, each second of which is taken away again, as a command beside a server does."""
    links = Links(home)
    for number in range(n_things):
        links.add(f"mqtt/{process}-{number}", Link("home.main.power", "Meter"))
        if number % 2:
            links.remove(f"mqtt/{process}-{number}")


def add_hosts(home: Path, process: int, n_hosts: int) -> None:
    """Add devices one after another."""
    for number in range(n_hosts):
        OwnSources(home).add("shelly", checked_source("shelly", {"hosts": f"192.168.{process}.{number}"}))


def take_until_killed(url: str, told: Connection) -> None:
    """Take notices from a stream, report some of them done, and stay there with the others."""
    stream = RedisStream(url, patience_s=0.2)
    handed = stream.take("killed", most=15)
    stream.done(handed[:5])
    told.send(len(handed))
    sleep(600)
