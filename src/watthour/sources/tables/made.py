"""Tables that are made of files with another layout, before their columns are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class MadeTable:
    """A table of text with one row per time, and what its file says of it that no cell shows."""

    layout: str  # what the file is, in words
    names: tuple[str, ...]
    table: pl.DataFrame  # text; columns "0", "1", ... in the order of `names`
    estimated: pl.DataFrame | None = None  # of the columns of values, by number
    counters: frozenset[str] = frozenset()  # names of columns that are stands of a counter
    stands_after: timedelta = timedelta(0)  # how long after its time such a stand was read
    notes: tuple[str, ...] = ()
