"""A stand-in of InfluxDB 3 on loopback: Arrow Flight for its real client, SQL that a real engine runs.

The engine is SQLite: it knows the quoting of names, parameters, window functions and ``information_schema`` (as an
attached database), so that what would break out of a query breaks out here.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import polars as pl
from fakes.server import Answer, FakeServer, Request, as_json, serve
from pyarrow import flight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOKEN = "apiv3_x8Zr2-of-nobody"  # noqa: S105 - of nobody
DATABASE = "homeassistant"


class _Bearer(flight.ServerMiddlewareFactory):  # type: ignore[misc]  # pyarrow has no types
    """Lets in who has the token."""

    def start_call(self, _info: object, headers: Mapping[str, Sequence[str]]) -> None:
        if headers.get("authorization") != [f"Bearer {TOKEN}"]:
            message = "Unauthenticated"
            raise flight.FlightUnauthenticatedError(message)


class FakeInfluxdb(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow has no types
    """What it keeps, what it was asked, and which fault it has."""

    def __init__(self) -> None:
        super().__init__("grpc+tcp://127.0.0.1:0", middleware={"bearer": _Bearer()})
        self.asked: list[dict[str, Any]] = []
        self.fault: Exception | None = None
        self._lock = Lock()
        self._engine = sqlite3.connect(":memory:", check_same_thread=False)
        self._engine.execute("ATTACH DATABASE ':memory:' AS information_schema")
        self._engine.execute("CREATE TABLE information_schema.columns (table_schema, table_name, column_name)")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep rows; each has its time, tags and fields."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        named = ", ".join(_name(each) for each in columns)
        of_table = "SELECT column_name FROM information_schema.columns WHERE table_name = ?"
        known = {column for (column,) in self._engine.execute(of_table, (table,))}
        new = [column for column in columns if column not in known]
        if not known:
            self._engine.execute(f"CREATE TABLE {_name(table)} ({named})")
        for column in new if known else ():
            self._engine.execute(f"ALTER TABLE {_name(table)} ADD COLUMN {_name(column)}")
        described = [("iox", table, column) for column in new]
        self._engine.executemany("INSERT INTO information_schema.columns VALUES (?, ?, ?)", described)
        marks = ", ".join("?" * len(columns))
        values = [tuple(_kept(row.get(name)) for name in columns) for row in rows]
        self._engine.executemany(f"INSERT INTO {_name(table)} ({named}) VALUES ({marks})", values)  # noqa: S608 - a fake

    def tables(self) -> set[str]:
        """Return the names of what is there."""
        return {name for (name,) in self._engine.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def do_get(self, _context: object, ticket: flight.Ticket) -> flight.RecordBatchStream:
        asked = json.loads(ticket.ticket)
        self.asked.append(asked)
        if self.fault is not None:
            raise self.fault
        if asked["database"] != DATABASE:
            message = f"database not found: {asked['database']}"
            raise flight.FlightServerError(message)
        try:
            with self._lock:
                cursor = self._engine.execute(asked["sql_query"], asked.get("params", {}))
                names, rows = [each[0] for each in cursor.description], cursor.fetchall()
        except sqlite3.Error as error:
            message = f"Error during planning: {error}"
            raise flight.FlightServerError(message) from None
        frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
        if "time" in names and frame.height:
            frame = frame.with_columns(pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns"))
        return flight.RecordBatchStream(frame.to_arrow())


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _kept(value: object) -> object:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


@contextmanager
def influxdb() -> Iterator[FakeInfluxdb]:
    """Serve until the block ends."""
    server = FakeInfluxdb()
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(5)


_LINE = re.compile(
    r'(\w+)((?:,\w+=(?:\\.|[^ ,=])+)+) value=([-+.\de]+),quality="([a-z_ ]*)",simulated=(true|false) (-?\d+)'
)


@dataclass
class Written:
    """What a database holds that takes line protocol, and which fault it has."""

    points: dict[tuple[str, datetime], tuple[float, str]] = field(default_factory=dict)  # by channel and time
    n_lines: int = 0  # that were sent, the same ones again included
    refuses: str = ""  # a channel whose lines it does not take
    tags: dict[str, dict[str, str]] = field(default_factory=dict)  # by channel

    def of(self, channel: str) -> list[float]:
        return [value for (name, _time), (value, _flags) in sorted(self.points.items()) if name == channel]


@contextmanager
def influxdb_writes(state: Written) -> Iterator[FakeServer]:
    """Take line protocol as InfluxDB 3 does over HTTP: all lines of a request or none."""

    def answer(request: Request) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return as_json({"error": "the request was not authenticated"}, 401)
        if request.path == "/health":
            return Answer(200, b"OK")
        if request.path != "/api/v3/write_lp" or (request.one("db"), request.one("precision")) != (
            "watthour",
            "second",
        ):
            return as_json({"error": "not found"}, 404)
        lines = [_LINE.fullmatch(line) for line in request.body.decode().splitlines()]
        state.n_lines += len(lines)
        found = [(line, _tags(line[2])) for line in lines if line is not None]
        if len(found) < len(lines) or any(tags["channel"] == state.refuses for _line, tags in found):
            said = {"error": "write of line protocol failed", "data": [{"error_message": "invalid column type"}]}
            return as_json(said, 400)
        for line, tags in found:
            at = datetime.fromtimestamp(int(line[6]), UTC)
            state.points[tags["channel"], at] = (float(line[3]), line[4])
            state.tags[tags["channel"]] = {**tags, "table": line[1], "simulated": line[5]}
        return Answer(204)

    with serve(answer) as server:
        yield server


def _tags(text: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in re.split(r"(?<!\\),", text.removeprefix(",")))
    return {name: re.sub(r"\\(.)", r"\1", value) for name, _is, value in pairs}
