"""Data sets as NILMTK converts them: an HDF5 file with a table for each meter, ``/building1/elec/meter1/table``.

Batra et al., NILMTK (e-Energy 2014), doi:10.1145/2602044.2602051. A table has ``index``, nanoseconds since 1970, and
``values_block_0``, one column for each quantity that was measured. Which meter is which, and which column is which,
NILMTK keeps as pickled Python, which runs whatever it holds and is therefore not read: both are said by whoever reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput, MissingExtra
from watthour.nilm.layouts.samples import MAINS, Meters, SampledHouse, numbered, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from watthour.nilm.layouts.samples import Reader

    Part: TypeAlias = tuple[NDArray[np.int64], Mapping[str, NDArray[np.float32]]]

_ROWS = 1 << 20  # in memory at once
_NANOSECONDS = (b"datetime64", b"datetime64[ns]")


def nilmtk_house(
    name: str, path: Path, building: int, mains: Sequence[int], meters: Mapping[str, int], *, column: int | None = None
) -> SampledHouse:
    """Return one building of a file.

    Args:
        name: of the house.
        path: of the file.
        building: its number.
        mains: numbers of the meters that add up to the mains.
        meters: number of the meter of each appliance.
        column: of a meter's table, from 0, where it measures several quantities, such as active and apparent power.

    Raises:
        MissingExtra: h5py is not installed.
        InvalidInput: the file has no such building, meter or column.
    """
    kinds = [*[MAINS] * len(mains), *meters]
    numbers = [*mains, *meters.values()]
    if not mains:
        raise InvalidInput("mains", [], f"{name}: no meter is named", remedy="Name those that add up to the mains.")
    found = [_Table(path, building, number, column) for number in numbers]
    every = found[0].every()
    parts = tuple(Meters((path,), table.reader(said)) for table, said in zip(found, numbered(kinds), strict=True))
    reading = f"nilmtk {building} {list(zip(kinds, numbers, strict=True))} column {column}"
    return SampledHouse(name, parts, every, int(np.ceil(2 * every)), reading)


class _Table:
    """The table of one meter."""

    def __init__(self, path: Path, building: int, meter: int, column: int | None) -> None:
        self._path, self._key = path, f"building{building}/elec/meter{meter}/table"
        with _opened(path) as file:
            if self._key not in file:
                groups = ", ".join(sorted(file)) or "nothing"
                problem = f"{path.name} has no table {self._key}; it holds {groups}"
                raise InvalidInput("meter", meter, problem, remedy="Name a building and meters that it holds.")
            table = file[self._key]
            names = table.dtype.names or ()
            if "index" not in names or "values_block_0" not in names:
                raise unreadable(path, f"{self._key} is no table of NILMTK: it has {', '.join(names) or 'no columns'}")
            if bytes(table.attrs.get("index_kind", b"datetime64")) not in _NANOSECONDS:
                raise unreadable(path, f"the times of {self._key} are not in nanoseconds")
            n_columns = int(np.prod(table.dtype["values_block_0"].shape, dtype=np.int64))
        if column is None and n_columns > 1:
            problem = f"{self._key} has {n_columns} columns, such as active and apparent power"
            raise InvalidInput("column", None, problem, remedy="Say which one, from 0: `column = 0`.")
        self._column = column or 0
        if not 0 <= self._column < n_columns:
            problem = f"{self._key} has {n_columns} columns"
            raise InvalidInput("column", column, problem, remedy=f"It is from 0 to {n_columns - 1}.")

    def every(self) -> float:
        """Return how often the meter sampled at its begin [s]."""
        with _opened(self._path) as file:
            between = np.diff(file[self._key]["index", :1000])
        if not (between > 0).any():
            raise unreadable(self._path, f"{self._key} has less than two rows")
        return float(np.median(between[between > 0])) / 1e9

    def reader(self, said: str) -> Reader:
        """Return a reader of it."""

        def read(path: Path) -> Iterator[Part]:
            with _opened(path) as file:
                table = file[self._key]
                for first in range(0, len(table), _ROWS):
                    rows = table[first : first + _ROWS]
                    values = rows["values_block_0"].reshape(len(rows), -1)[:, self._column]
                    yield rows["index"] // 1_000_000_000, {said: np.asarray(values, dtype=np.float32)}

        return read


def _opened(path: Path) -> Any:  # noqa: ANN401 - h5py has no types
    """Open an HDF5 file.

    Raises:
        MissingExtra: h5py is not installed.
        InvalidInput: it is none.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("h5py", "nilm") from error
    if not path.is_file():
        raise InvalidInput("file", str(path), "there is no such file", remedy="Check its path.")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise unreadable(path, f"it is no HDF5 file ({error})") from error
