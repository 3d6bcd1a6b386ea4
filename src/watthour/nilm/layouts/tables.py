"""Tables of one's own, as CSV or Parquet: a column of times, one of the mains, and one for each metered appliance.

A time is the begin of what its row speaks of; `clocks` says in which forms it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.nilm.appliances import known_name
from watthour.nilm.layouts.clocks import Clock
from watthour.nilm.layouts.samples import (
    AT_ONCE,
    MAINS,
    SOLAR,
    Meters,
    SampledHouse,
    left_out_by,
    numbered,
    text_parts,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Times: TypeAlias = NDArray[np.int64]
    Powers: TypeAlias = NDArray[np.float32]
    Part: TypeAlias = tuple[Times, Mapping[str, Powers]]

_UNITS = {"W": 1.0, "kW": 1000.0}
_NUMBERS = "Give numbers, such as 230.5; leave out what is not known."
_LITTLE = 1 << 16  # bytes that tell the columns and the step
_ROWS = 1 << 19  # of a Parquet file that are in memory at once


@dataclass(frozen=True, slots=True)
class TableWords:
    """How a table is read."""

    time: str = "time"
    mains: str = MAINS
    solar: str | None = None  # of mains that subtract what is fed in
    appliances: Mapping[str, str] = field(default_factory=dict)  # column -> appliance; none: each of a known name
    time_zone: str | None = None  # of times without an offset
    unit: str = "W"

    def __post_init__(self) -> None:
        if self.unit not in _UNITS:
            raise InvalidInput("unit", self.unit, "powers are W or kW", remedy="Say W or kW.")


def table_house(name: str, paths: Sequence[Path], words: TableWords | None = None) -> SampledHouse:
    """Return the house of one table, or of several that follow each other in time.

    Raises:
        InvalidInput: a column is missing, or its times or numbers cannot be read.
    """
    words = words or TableWords()
    if not paths:
        raise InvalidInput("files", [], f"{name}: there is none", remedy="Name at least one table.")
    columns = _columns(paths[0], words)

    def read(path: Path) -> Iterator[Part]:
        return _parts(path, words, _columns(path, words))

    every = _every(paths[0], words, columns)
    left_out = sorted(set(_header(paths[0])) - {words.time, *columns})
    remarks = left_out_by(name, "columns", left_out)
    reading = f"table {words!r} {sorted(columns.items())}"
    return SampledHouse(name, (Meters(tuple(paths), read),), every, int(np.ceil(every)), reading, remarks)


def _columns(path: Path, words: TableWords) -> dict[str, str]:
    """Return what each column of a table is: mains, solar or an appliance."""
    header = _header(path)
    wanted = [words.time, words.mains, *words.appliances, *([] if words.solar is None else [words.solar])]
    missing = [column for column in wanted if column not in header]
    if missing:
        problem = f"{path.name} has the columns {', '.join(header)}"
        raise InvalidInput("column", missing[0], problem, remedy="Say which column it is.")
    others = words.appliances or {
        column: kind for column in header if column not in wanted and (kind := known_name(column)) is not None
    }
    named = dict(zip(others, numbered(list(others.values())), strict=True))
    solar = {} if words.solar is None else {words.solar: SOLAR}
    return {words.mains: MAINS, **solar, **named}


def _every(path: Path, words: TableWords, columns: Mapping[str, str]) -> float:
    """Return how often a table has a row, in the median of its begin [s]."""
    for time, _ in _parts(path, words, columns, at_once=_LITTLE):
        between = np.diff(time)
        between = between[between > 0]
        if len(between):
            return float(np.median(between))
    raise unreadable(path, "no two of its rows follow each other in time")


def _parts(path: Path, words: TableWords, columns: Mapping[str, str], *, at_once: int = AT_ONCE) -> Iterator[Part]:
    clock = Clock(path, words.time_zone)
    for table in _tables(path, at_once=at_once):
        powers = {}
        for column, name in columns.items():
            said = table[column]
            if said.dtype == pl.String:
                said = said.str.strip_chars().str.replace(r"^([+-]?\d+),(\d+)$", "$1.$2")  # as half of Europe writes it
            try:
                values = said.cast(pl.Float32)
            except pl.exceptions.PolarsError:
                odd = said.filter(said.cast(pl.Float32, strict=False).is_null() & said.is_not_null())
                raise InvalidInput(column, odd[0], f"{path.name}: this is no power", remedy=_NUMBERS) from None
            powers[name] = (values.fill_null(np.nan) * _UNITS[words.unit]).cast(pl.Float32).to_numpy()
        yield clock.seconds(table[words.time]), powers


def _header(path: Path) -> list[str]:
    if not path.is_file():
        raise InvalidInput("file", str(path), "there is no such file", remedy="Check its path.")
    if path.suffix == ".parquet":
        try:
            return list(pl.scan_parquet(path).collect_schema().names())
        except pl.exceptions.PolarsError as error:
            raise unreadable(path, f"this is no Parquet file ({error})") from error
    return list(next(_tables(path, at_once=_LITTLE)).columns)


def _tables(path: Path, *, at_once: int = AT_ONCE) -> Iterator[pl.DataFrame]:
    """Yield a table part by part, with text as it stands."""
    if path.suffix == ".parquet":
        lazy, first = pl.scan_parquet(path), 0
        while len(part := lazy.slice(first, _ROWS).collect()):
            yield part
            first += len(part)
        return
    header: bytes | None = None
    for text in text_parts(path, at_once=at_once):
        content = text
        if header is None:
            header, _, content = text.partition(b"\n")
            header = header.removeprefix(b"\xef\xbb\xbf")
        try:
            yield pl.read_csv(
                BytesIO(header + b"\n" + content),
                infer_schema=False,
                separator=";" if header.count(b";") > header.count(b",") else ",",
                null_values=["", "NA", "NaN", "nan"],
            )
        except pl.exceptions.PolarsError as error:
            raise unreadable(path, f"this is no table ({error})") from error
    if header is None:
        raise unreadable(path, "it is empty")
