"""PostgreSQL by psycopg, rows by binary COPY."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from sqlalchemy import Column, Double, MetaData, Table, create_engine, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from watthour.core.errors import MissingExtra, StoreError, StoreFull, StoreLocked, StoreReadOnly
from watthour.store.database import frame_of, number_types, numbers_only

try:
    import psycopg
except ImportError as error:
    raise MissingExtra("psycopg", "postgres") from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Select

_WRITERS = 0x7761_7474  # the advisory lock that writers of the store take in turn
_INFINITY = literal_column("'Infinity'::float8", Double)  # stands for null on the way into numpy
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # https://www.postgresql.org/docs/current/sql-copy.html, File Formats
_END = b"\xff\xff"


class Postgres:
    """A PostgreSQL database; it may be shared with other programs."""

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        self.name = url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the store throughout."""
        with (
            self._translated(),
            self.engine.connect() as connection,
            connection.execution_options(isolation_level="REPEATABLE READ").begin(),
        ):
            yield connection

    @contextmanager
    def writing(self, *, patience_s: float | None = None) -> Iterator[Connection]:
        """Open a transaction that waits for other writers first, so that it sees what they wrote."""
        with self._translated(), self.engine.begin() as connection:
            if patience_s is not None:  # else it waits as long as others write
                connection.execute(text(f"SET LOCAL lock_timeout = {int(patience_s * 1000)}"))
            connection.execute(select(func.pg_advisory_xact_lock(_WRITERS)))
            yield connection

    def check_space(self) -> None:
        """Its server alone sees its disk."""

    def is_writing(self) -> bool:
        """Tell whether this process is writing: the server is asked instead, as others may write through it too."""
        return False

    def described_version(self, connection: Connection) -> int | None:  # noqa: ARG002 - it has none
        """Return None: descriptions are read each time."""
        return None

    def note_described(self, connection: Connection) -> None:
        """Do nothing: descriptions are read each time."""

    def insert(self, connection: Connection, table: Table, rows: pl.DataFrame, *, are_new: bool = False) -> int:
        """Insert rows of numbers, skipping keys that are taken; return how many were inserted."""
        if are_new:
            _copy(connection, table.name, rows)
            return rows.height
        names = [column.name for column in table.columns]
        stage = Table(
            f"new_{table.name}",
            MetaData(),
            *(Column(column.name, column.type, autoincrement=False) for column in table.columns),
            prefixes=["TEMPORARY"],
        )
        stage.create(connection)
        _copy(connection, stage.name, rows)
        move = insert(table).from_select(names, select(stage)).on_conflict_do_nothing()
        n_inserted = connection.execute(move, execution_options={"preserve_rowcount": True}).rowcount
        stage.drop(connection)
        return n_inserted

    def fetch(self, connection: Connection, query: Select[Any]) -> pl.DataFrame:
        """Return the numbers a query selects, each column as one array: a message per row would be slow to read."""
        types = number_types(query)
        rows = numbers_only(query, _INFINITY).subquery()
        arrays = select(*(func.array_agg(column) for column in rows.columns))
        sql = arrays.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        answer = _driver(connection).execute(str(sql).encode(), binary=True).pgresult
        return frame_of(
            {
                name: _array(answer.get_value(0, index) if answer else None, kind)
                for index, (name, kind) in enumerate(types.items())
            }
        )

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, psycopg.Error) as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> StoreError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.errors.DiskFull):
            return StoreFull(
                f"no space is left for {self.name}",
                remedy="Free some space and try again. Everything stored before is safe.",
            )
        problem = str(cause).strip().partition("\n")[0]
        if isinstance(cause, psycopg.errors.LockNotAvailable):
            return StoreLocked(
                f"{self.name}: {problem}", remedy="Another process is writing: try again when it is done."
            )
        if isinstance(cause, psycopg.errors.ReadOnlySqlTransaction):
            return StoreReadOnly(f"{self.name}: {problem}", remedy="Name a server that may be written in DATABASE_URL.")
        return StoreError(
            f"{self.name}: {problem}", remedy="Check DATABASE_URL, and that the server runs and accepts your user."
        )


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - tells the type checker what the engine was made with
    return driver


def _array(packed: bytes | None, kind: str) -> np.ndarray[Any, Any]:
    """Return the elements of an array in binary format: 20 bytes of head, then each with its length; null is empty."""
    elements = np.dtype([("length", ">i4"), ("value", f">{kind}")])
    return np.frombuffer(packed, elements, offset=20)["value"] if packed else np.empty(0, kind)


def _copy(connection: Connection, table: str, rows: pl.DataFrame) -> None:
    """Send rows by binary COPY; those without a value go last, in a layout of their own."""
    names = ", ".join(f'"{name}"' for name in rows.columns)  # "end" is also a word of SQL
    statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
    (value,) = rows.select(pl.col(pl.Float64)).columns
    with _driver(connection).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(_SIGNATURE)
        copy.write(_packed(rows.filter(pl.col(value).is_not_null()), absent=None))
        copy.write(_packed(rows.filter(pl.col(value).is_null()), absent=value))
        copy.write(_END)


def _packed(rows: pl.DataFrame, absent: str | None) -> bytes:
    """Return rows as binary COPY wants them: a count of columns, then length and big-endian bytes of each."""
    columns = {name: rows[name].to_numpy() for name in rows.columns}
    fields: list[tuple[str, str]] = [("n_columns", ">i2")]
    for name, column in columns.items():
        fields.append((f"{name}_length", ">i4"))
        if name != absent:
            fields.append((name, column.dtype.newbyteorder(">").str))
    packed = np.empty(rows.height, np.dtype(fields))
    packed["n_columns"] = len(columns)
    for name, column in columns.items():
        packed[f"{name}_length"] = -1 if name == absent else column.dtype.itemsize
        if name != absent:
            packed[name] = column
    return packed.tobytes()
