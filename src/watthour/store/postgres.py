"""PostgreSQL by psycopg, rows by binary COPY."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from sqlalchemy import Column, Double, MetaData, Table, create_engine, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from watthour.core.errors import MissingExtra, StoreError, StoreFull
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
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that waits for other writers first, so that it sees what they wrote."""
        with self._translated(), self.engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_WRITERS)))
            yield connection

    def insert(self, connection: Connection, table: Table, rows: pl.DataFrame) -> int:
        """Insert rows of numbers, skipping keys that are taken; return how many were inserted."""
        names = [column.name for column in table.columns]
        stage = Table(
            f"new_{table.name}",
            MetaData(),
            *(Column(column.name, column.type, autoincrement=False) for column in table.columns),
            prefixes=["TEMPORARY"],
        )
        stage.create(connection)
        with _cursor(connection).copy(f"COPY {stage.name} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)") as copy:
            for block in _packed(rows.select(names)):
                copy.write(block)
        move = insert(table).from_select(names, select(stage)).on_conflict_do_nothing()
        n_inserted = connection.execute(move, execution_options={"preserve_rowcount": True}).rowcount
        stage.drop(connection)
        return n_inserted

    def fetch(self, connection: Connection, query: Select[Any]) -> pl.DataFrame:
        """Return the numbers a query selects."""
        types = number_types(query)
        numbers = numbers_only(query, _INFINITY, connection.dialect)
        with _cursor(connection).copy(f"COPY ({numbers}) TO STDOUT (FORMAT BINARY)") as copy:
            packed = b"".join(copy)
        rows = np.frombuffer(packed, _record(types), offset=len(_SIGNATURE), count=_n_rows(packed, types))
        return frame_of(rows, types)

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
                remedy="Free some space and do it again; everything acknowledged is kept.",
            )
        problem = str(cause).strip().partition("\n")[0]
        return StoreError(
            f"{self.name}: {problem}", remedy="Check DATABASE_URL, and that the server runs and lets you in."
        )


def _cursor(connection: Connection) -> psycopg.Cursor[Any]:
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # its driver is psycopg
    return driver.cursor()


def _record(types: dict[str, str], absent: str | None = None) -> np.dtype[np.void]:
    """Return the layout of one row of binary COPY: a count, then length and big-endian bytes of each column.

    Every row has the same length, as none of its values is null but the one named absent.
    """
    fields = [("n_fields", ">i2")]
    for name, kind in types.items():
        fields += [(f"{name}_length", ">i4")] + ([(name, f">{kind}")] if name != absent else [])
    return np.dtype(fields)


def _n_rows(packed: bytes, types: dict[str, str]) -> int:
    return (len(packed) - len(_SIGNATURE) - len(_END)) // _record(types).itemsize


def _packed(rows: pl.DataFrame) -> Iterator[bytes]:
    """Yield rows in the format of binary COPY; those without a value go last, in a layout of their own."""
    yield _SIGNATURE
    for part, absent in (
        (rows.filter(pl.col("value").is_not_null()), None),
        (rows.filter(pl.col("value").is_null()), "value"),
    ):
        types = {name: part[name].to_numpy().dtype.str[1:] for name in rows.columns}
        record = np.empty(part.height, _record(types, absent))
        record["n_fields"] = len(types)
        for name, kind in types.items():
            record[f"{name}_length"] = -1 if name == absent else np.dtype(kind).itemsize
            if name != absent:
                record[name] = part[name].to_numpy()
        yield record.tobytes()
    yield _END
