"""SQLite: one file that several processes read and write at once."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Double, bindparam, create_engine, event, literal_column
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from watthour.core.errors import InvalidInput, StoreError, StoreFull, StoreLocked, StoreReadOnly
from watthour.store.database import PATIENCE_S, frame_of, number_types, numbers_only

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from sqlalchemy import URL, Connection, Select, Table

LEAST_FREE = 1_000_000  # [bytes]
_MOST_VERSIONS = 2**31 - 1
_BEGIN, _PATIENCE = "watthour_begin", "watthour_patience"
_INFINITY = literal_column("9e999", Double)  # stands for null on the way into numpy
# FULL: what was acknowledged survives a power cut, not only a kill. One commit is one fsync, and commits are batches.
_PRAGMAS = {
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "busy_timeout": str(int(PATIENCE_S * 1000)),
    "cache_size": "-32768",  # [-KiB]
    "journal_size_limit": str(64 * 1024 * 1024),  # [bytes] give the space of a large append back
}


class Sqlite:
    """A SQLite file in write-ahead mode: readers never wait, writers wait for each other."""

    def __init__(self, url: URL) -> None:
        if url.database in {None, "", ":memory:"}:
            raise InvalidInput("url", str(url), "it names no file", remedy="Use sqlite:///path/to/watthour.db.")
        self.path = url.database
        self._turn = Lock()  # to write: SQLite lets those who wait for each other look again and again
        self._n_writers = 0
        self._counting = Lock()
        self.engine = create_engine(url, connect_args={"timeout": PATIENCE_S})
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)
        with self._translated():
            self._write_ahead()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the store throughout."""
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, *, patience_s: float | None = None) -> Iterator[Connection]:
        """Open a transaction that takes the right to write at once, so that it can never be refused it midway."""
        patience_s = PATIENCE_S if patience_s is None else patience_s
        give_up_at = monotonic() + patience_s
        if not self._turn.acquire(timeout=patience_s):
            remedy = f"Other work of this process has been writing for {patience_s:.0f} s: try again when it is done."
            raise StoreLocked(f"{self.path}: it is being written", remedy=remedy)
        try:
            with self._begun(max(give_up_at - monotonic(), 0.0)) as connection:
                yield connection
        finally:
            self._turn.release()

    @contextmanager
    def _begun(self, patience_s: float) -> Iterator[Connection]:
        options: dict[str, Any] = {_BEGIN: "BEGIN IMMEDIATE", _PATIENCE: patience_s}
        with (
            self._translated(patience_s),
            self.engine.connect() as connection,
            connection.execution_options(**options).begin(),
            self._counted(),
        ):
            yield connection

    def check_space(self) -> None:
        """Raise StoreFull where the device has no room: a small write may still find some within the files."""
        if shutil.disk_usage(Path(str(self.path)).absolute().parent).free < LEAST_FREE:
            raise _full(self.path)

    def is_writing(self) -> bool:
        """Tell whether this process is writing at the moment."""
        return self._n_writers > 0

    def described_version(self, connection: Connection) -> int | None:
        """Return the number in the head of the file that SQLite leaves to its users; see ``note_described``."""
        (version,) = _driver(connection).execute("PRAGMA user_version").fetchone()
        return int(version)

    def note_described(self, connection: Connection) -> None:
        """Count that number on; like every row it changes with the transaction or not at all."""
        version = self.described_version(connection) or 0
        _driver(connection).execute(f"PRAGMA user_version = {version % _MOST_VERSIONS + 1}")

    def insert(self, connection: Connection, table: Table, rows: pl.DataFrame, *, are_new: bool = False) -> int:  # noqa: ARG002 - no faster way here
        """Insert rows of numbers, skipping keys that are taken; return how many were inserted."""
        names = [column.name for column in table.columns]
        statement = insert(table).values({name: bindparam(name) for name in names}).on_conflict_do_nothing()
        cursor = _driver(connection).executemany(
            str(statement.compile(dialect=connection.dialect)),
            zip(*(rows[name].to_list() for name in names), strict=True),
        )
        return cursor.rowcount

    def fetch(self, connection: Connection, query: Select[Any]) -> pl.DataFrame:
        """Return the numbers a query selects, straight from the cursor into columns."""
        types = number_types(query)
        numbers = numbers_only(query, _INFINITY).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        rows = np.fromiter(_driver(connection).execute(str(numbers)), dtype=list(types.items()))
        return frame_of({name: rows[name] for name in types})

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _write_ahead(self) -> None:
        """Switch the file to write-ahead mode, which it keeps; SQLite does not wait for others here, so we do."""
        give_up_at = monotonic() + PATIENCE_S
        while True:
            try:
                driver = self.engine.raw_connection()
                try:
                    driver.cursor().execute("PRAGMA journal_mode = WAL")
                finally:
                    driver.close()
                break
            except (DBAPIError, sqlite3.OperationalError) as error:
                if _code(error) not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} or monotonic() > give_up_at:
                    raise
                sleep(0.02)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self._n_writers += 1
        try:
            yield
        finally:
            with self._counting:
                self._n_writers -= 1

    @contextmanager
    def _translated(self, patience_s: float = PATIENCE_S) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            raise self._problem(error, patience_s) from error

    def _problem(self, error: Exception, patience_s: float) -> StoreError:
        code = _code(error)
        cause = error.orig if isinstance(error, DBAPIError) else error
        match code:
            case sqlite3.SQLITE_FULL:
                return _full(self.path)
            case sqlite3.SQLITE_CANTOPEN:
                remedy = "Check that its directory exists and that you may write there."
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return StoreLocked(
                    f"{self.path}: {cause}",
                    remedy=f"Another process has been writing for {patience_s:.0f} s: try again when it is done.",
                )
            case sqlite3.SQLITE_NOTADB:
                remedy = "This file is not a Watthour store: choose another one."
            case sqlite3.SQLITE_READONLY:
                return StoreReadOnly(f"{self.path}: {cause}", remedy="Give your user permission to write it.")
            case _:
                remedy = "Run `watthour doctor`; if the file is damaged, restore it from a backup."
        return StoreError(f"{self.path}: {cause}", remedy=remedy)


def _full(path: str | None) -> StoreFull:
    remedy = "Free some space and do it again; everything acknowledged is kept."
    return StoreFull(f"no space is left for {path}", remedy=remedy)


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    for name, value in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - tells the type checker what the URL said
    return driver


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if (patience_s := options.get(_PATIENCE)) is not None:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience_s * 1000)}")
    connection.exec_driver_sql(options.get(_BEGIN, "BEGIN"))


def _code(error: Exception) -> int:
    """Return SQLite's primary result code; an extended one has more bits above."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF
