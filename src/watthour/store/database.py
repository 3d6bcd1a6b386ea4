"""What a SQL store asks of its database: transactions, and rows by the million."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, Double, Integer, SmallInteger, func

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnElement, Connection, Select, Table
    from sqlalchemy.types import TypeEngine

PATIENCE_S = 60.0  # how long a writer waits for another; a million rows take some seconds
_NUMBERS: dict[type[TypeEngine[Any]], str] = {BigInteger: "i8", Integer: "i4", SmallInteger: "i2", Double: "f8"}


class Database(Protocol):
    """One SQL database, spoken to in the way that is fastest for it."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that reads.

        Raises:
            StoreError: the database cannot be reached or read.
        """
        ...

    def is_writing(self) -> bool:
        """Tell whether this process is writing at the moment."""
        ...

    def check_space(self) -> None:
        """Look whether there is room to write, where that can be seen without writing.

        Raises:
            StoreFull: there is none.
        """
        ...

    def writing(self, *, patience_s: float | None = None) -> AbstractContextManager[Connection]:
        """Open a transaction that holds the one right to write; it is durable when the block ends.

        Args:
            patience_s: how long to wait for other writers; None: as long as is usual. [s]

        Raises:
            StoreFull: no space is left; nothing of the transaction is kept.
            StoreLocked: others did not end in time.
            StoreReadOnly: nothing may be written.
            StoreError: the database cannot be written.
        """
        ...

    def described_version(self, connection: Connection) -> int | None:
        """Return a number that changes whenever a description does, by whatever process; None: there is none.

        It is part of what the transaction sees, so that descriptions which were read beside it belong to it.
        """
        ...

    def note_described(self, connection: Connection) -> None:
        """Change that number, in a transaction that changes descriptions."""
        ...

    def insert(self, connection: Connection, table: Table, rows: pl.DataFrame, *, are_new: bool = False) -> int:
        """Insert rows of numbers, skipping keys that are taken; return how many were inserted.

        Args:
            connection: a writing one.
            table: whose columns the rows have, by name.
            rows: sorted by the key.
            are_new: no key is taken, which need not be looked for.
        """
        ...

    def fetch(self, connection: Connection, query: Select[Any]) -> pl.DataFrame:
        """Return the numbers a query selects; instants come as microseconds."""
        ...

    def close(self) -> None:
        """Give all connections back."""
        ...


def numbers_only(query: Select[Any], infinity: ColumnElement[float]) -> Select[Any]:
    """Return a query with infinity in place of null, so that every row is plain numbers."""
    return query.with_only_columns(
        *(
            func.coalesce(column, infinity).label(column.name) if isinstance(column.type, Double) else column
            for column in query.selected_columns
        )
    )


def number_types(query: Select[Any]) -> dict[str, str]:
    """Return the numpy type of each selected column; only a Double may be null."""
    return {column.name: _NUMBERS[type(column.type)] for column in query.selected_columns}


def frame_of(columns: Mapping[str, np.ndarray[Any, Any]]) -> pl.DataFrame:
    """Return columns, each (rows,), as a frame, infinity as null: a store keeps no infinite values."""
    frame = pl.DataFrame(
        {name: np.ascontiguousarray(column, column.dtype.newbyteorder("=")) for name, column in columns.items()}
    )
    floats = pl.col(pl.Float64)
    return frame.with_columns(pl.when(floats.is_finite()).then(floats))
