"""Several processes on one SQLite file, and a process that is killed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from time import sleep
from typing import TYPE_CHECKING

from builders import demand_channel, region_site
from processes import BATCH, EVER, SMALL_BATCH, append_batches, append_in_threads, look_often

from watthour.store.sql import open_store

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

CHANNELS = ["grid.ny.demand", "grid.ny.interchange"]


def test_three_processes_use_one_store_at_once(tmp_path: Path, fresh: ForkServerContext) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"  # none has opened it yet: they also race for making its tables
    working = [
        *(fresh.Process(target=append_batches, args=(url, channel, 0, 40, None)) for channel in CHANNELS),
        fresh.Process(target=look_often, args=(url, 30)),
    ]
    for process in working:
        process.start()
    for process in working:
        process.join()
    assert [process.exitcode for process in working] == [0, 0, 0]
    with closing(open_store(url)) as store:
        assert store.read(CHANNELS, EVER)["value"].to_list() == [float(number) for number in range(40 * BATCH)] * 2


def test_a_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path, fresh: ForkServerContext) -> None:
    path, rng, n_whole = tmp_path / "watthour.db", random.Random(7), 0  # noqa: S311 - no secret
    url = f"sqlite:///{path}"
    for _ in range(15):
        here, there = fresh.Pipe(duplex=False)
        process = fresh.Process(target=append_batches, args=(url, CHANNELS[0], n_whole, None, there))
        process.start()
        there.close()
        acknowledged = here.recv()
        sleep(rng.uniform(0, 0.06))
        process.kill()
        process.join()
        while here.poll():
            try:
                acknowledged = here.recv()
            except EOFError:
                break
        with closing(sqlite3.connect(path)) as plain:
            assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with closing(open_store(url)) as store:
            kept = store.read(CHANNELS, EVER)["value"].to_list()
            assert kept == [float(number) for number in range(len(kept))]
            assert len(kept) % BATCH == 0
            assert len(kept) >= (acknowledged + 1) * BATCH
            store.register([region_site()], [demand_channel(CHANNELS[0])])
        n_whole = len(kept) // BATCH


def test_a_kill_loses_nothing_of_what_threads_have_committed_together(tmp_path: Path, fresh: ForkServerContext) -> None:
    rng, channels = random.Random(7), [f"grid.ny.channel_{number}" for number in range(6)]  # noqa: S311 - no secret
    for number in range(4):
        path = tmp_path / f"{number}.db"
        here, there = fresh.Pipe(duplex=False)
        process = fresh.Process(target=append_in_threads, args=(f"sqlite:///{path}", channels, there))
        process.start()
        there.close()
        acknowledged = dict([here.recv()])
        sleep(rng.uniform(0, 0.1))
        process.kill()
        process.join()
        while here.poll():
            try:
                channel, batch = here.recv()
            except EOFError:
                break
            acknowledged[channel] = batch
        with closing(open_store(f"sqlite:///{path}")) as store:
            for channel, batch in acknowledged.items():
                kept = store.read([channel], EVER)["value"].to_list()
                assert kept == [float(each) for each in range(len(kept))]
                assert len(kept) >= (batch + 1) * SMALL_BATCH
