"""Meters whose samples lie in files of any size: read part by part, and brought onto even steps month by month."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from io import BytesIO
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.nilm.houses import IN_KW_BELOW, Remark, checked_house, in_order
from watthour.nilm.sampling import step_means

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from watthour.nilm.houses import House

    Times: TypeAlias = NDArray[np.int64]
    Powers: TypeAlias = NDArray[np.float32]
    Part: TypeAlias = tuple[Times, Mapping[str, Powers]]  # samples of some columns, in the order of the file
    Reader: TypeAlias = Callable[[Path], Iterator[Part]]

MAINS = "mains"
SOLAR = "solar"
_PIECE_S = 30 * 86_400
AT_ONCE = 1 << 24  # bytes of text that are in memory at once


@dataclass(frozen=True, slots=True)
class Meters:
    """Files of one meter or of several, one file after another in order of time, and how they are read."""

    files: tuple[Path, ...]
    read: Reader

    def parts(self) -> Iterator[Part]:
        """Yield the samples part by part."""
        for path in self.files:
            yield from self.read(path)


@dataclass(frozen=True, slots=True)
class SampledHouse:
    """A house whose meters each sample in their own time; a source of `prepare`.

    Columns are called ``mains``, ``solar`` and by appliance; ``mains 2`` is added to ``mains``, ``fridge 2`` to
    ``fridge``.
    """

    name: str
    meters: tuple[Meters, ...]
    every_s: float  # how often they sample
    hold_s: int  # how long a sample holds where none follows
    reading: str  # what the values follow from beside the files
    remarks: tuple[Remark, ...] = ()

    @property
    def files(self) -> Sequence[Path]:
        """All files."""
        return tuple(path for meters in self.meters for path in meters.files)

    def pieces(self, step_s: int) -> Iterator[House]:
        """Yield the house month by month.

        Raises:
            InvalidInput: the step is shorter than that of the samples, which say nothing of what is within it.
        """
        if step_s < self.every_s:
            problem = f"{self.name}: its meters sample every {self.every_s:g} s, so nothing is known within that"
            cure = f"Choose {int(np.ceil(self.every_s))} s or more."
            raise InvalidInput("step_s", step_s, problem, remedy=cure)
        streams = [_Stream(self.name, meters) for meters in self.meters]
        span = max(_PIECE_S // step_s, 1) * step_s
        remarks, highest = self.remarks, 0.0
        while (first := _first(streams)) is not None:
            begin = first // span * span
            # A piece may be a night in which little was drawn: one that was higher has shown the unit.
            piece = self._piece(streams, (begin, begin + span), step_s, remarks, checks_unit=highest < IN_KW_BELOW)
            if piece is not None:
                yield piece
                remarks, highest = (), max(highest, float(piece.mains.max()))

    def _piece(
        self,
        streams: Sequence[_Stream],
        span: tuple[int, int],
        step_s: int,
        remarks: tuple[Remark, ...],
        *,
        checks_unit: bool,
    ) -> House | None:
        begin, end = span
        means: dict[str, tuple[Times, Powers]] = {}
        said = list(remarks)
        for stream in streams:
            time, columns = stream.until(end)
            for name, power in columns.items():
                at, mean = step_means(time, power, step_s, self.hold_s) if len(time) else (time, power)
                inside = (at >= begin) & (at < end)
                means[name] = at[inside], mean[inside]
            said += stream.remarks()
        mains = [name for name in means if name.split()[0] == MAINS]
        if not mains:
            return None
        line, whole = means[mains[0]]
        for other in mains[1:]:
            line, here, there = np.intersect1d(line, means[other][0], assume_unique=True, return_indices=True)
            whole = whole[here] + means[other][1][there]
        if not len(line):
            return None
        columns = {name: _onto(line, *means[name]) for name in means if name not in mains}
        solar = columns.pop(SOLAR, None)
        house = checked_house(self.name, step_s, line, whole, columns, solar=solar, checks_unit=checks_unit)
        return replace(house, remarks=(*said, *house.remarks))


def _first(streams: Sequence[_Stream]) -> int | None:
    """Return when the next sample of any of them is; None: there is none."""
    return min((at for at in (each.next_at() for each in streams) if at is not None), default=None)


def _onto(line: Times, time: Times, power: Powers) -> Powers:
    """Return powers at the times of a line, NaN where there is none."""
    found = np.full(len(line), np.nan, dtype=np.float32)
    _, here, there = np.intersect1d(line, time, assume_unique=True, return_indices=True)
    found[here] = power[there]
    return found


class _Stream:
    """The samples of some meters, taken up to one instant after another."""

    def __init__(self, house: str, meters: Meters) -> None:
        self._house, self._parts = house, meters.parts()
        self._time = np.empty(0, dtype=np.int64)
        self._columns: dict[str, Powers] = {}
        self._taken: Part | None = None  # the last sample that was taken: it holds for a while
        self._latest: int | None = None
        self._remarks: list[Remark] = []

    def next_at(self) -> int | None:
        """Return when the next sample is; None: there is none."""
        while not len(self._time) and self._more():
            pass
        return int(self._time[0]) if len(self._time) else None

    def until(self, end: int) -> Part:
        """Take the samples before an instant, with the last one of those that were taken before."""
        while (not len(self._time) or self._time[-1] < end) and self._more():
            pass
        n = int(np.searchsorted(self._time, end))
        time, columns = self._time[:n], {name: values[:n] for name, values in self._columns.items()}
        if self._taken is not None:
            held_at, held = self._taken
            time = np.concatenate([held_at, time])
            columns = {name: np.concatenate([held[name], values]) for name, values in columns.items()}
        self._time, self._columns = self._time[n:], {name: values[n:] for name, values in self._columns.items()}
        if len(time):
            self._taken = time[-1:], {name: values[-1:] for name, values in columns.items()}
        return time, columns

    def remarks(self) -> list[Remark]:
        """Return what was left out since this was asked last."""
        said, self._remarks = self._remarks, []
        return said

    def _more(self) -> bool:
        part = next(self._parts, None)
        if part is None:
            return False
        time, columns = part
        before = [] if self._latest is None else [self._latest]
        keep = in_order(self._house, np.concatenate([np.array(before, dtype=np.int64), time]), self._remarks)[
            len(before) :
        ]
        time = time[keep]
        if len(time):
            self._latest = int(time[-1])
        self._time = np.concatenate([self._time, time])
        self._columns = {
            name: np.concatenate([self._columns.get(name, np.empty(0, dtype=np.float32)), values[keep]])
            for name, values in columns.items()
        }
        return True


def text_parts(path: Path, *, at_once: int = AT_ONCE) -> Iterator[bytes]:
    """Yield a text file, compressed or not, in parts that end with a line."""
    with _opened(path) as file:
        rest = b""
        while content := file.read(at_once):
            content = rest + content
            cut = content.rfind(b"\n") + 1
            rest = content[cut:]
            if cut:
                yield content[:cut]
        if rest.strip():
            yield rest


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    return path.open("rb")


def seconds_and_watts(column: str, *, separator: str = " ") -> Reader:
    """Return a reader of files whose lines are seconds since 1970 and watts."""

    def read(path: Path) -> Iterator[Part]:
        if not path.stat().st_size:
            raise unreadable(path, "it is empty")
        for text in text_parts(path):
            try:
                table = pl.read_csv(
                    BytesIO(text),
                    has_header=False,
                    separator=separator,
                    schema={"time": pl.Float64, "power": pl.Float32},
                )
            except pl.exceptions.PolarsError as error:
                raise unreadable(path, f"lines of seconds and watts were expected ({error})") from error
            yield table["time"].cast(pl.Int64).to_numpy(), {column: table["power"].fill_null(np.nan).to_numpy()}

    return read


def unreadable(path: Path, problem: str) -> InvalidInput:
    """Return the error of a file that is not in its layout."""
    first = problem.strip().splitlines()[0]
    return InvalidInput("file", str(path), first, remedy="Check that it is whole and in the layout that was named.")


def labels(path: Path) -> dict[int, str]:
    """Read which channel is which: lines of a number and a name, as UK-DALE and REDD have them."""
    found: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        number, _, name = line.strip().partition(" ")
        if not line.strip():
            continue
        if not number.isdigit() or not name.strip():
            raise unreadable(path, f"{line!r} is not a number and a name")
        found[int(number)] = name.strip()
    return found


def left_out_by(house: str, what: str, names: Sequence[str]) -> tuple[Remark, ...]:
    """Remark what of a source is no appliance of a known kind."""
    said = f"that are no appliance of a known kind: {', '.join(names)}"
    return (Remark(f"{house}: {what}", said),) if names else ()


def numbered(kinds: Sequence[str]) -> list[str]:
    """Make names unique by a number: ``fridge``, ``fridge 2``."""
    return [
        kind if kinds[:place].count(kind) == 0 else f"{kind} {kinds[: place + 1].count(kind)}"
        for place, kind in enumerate(kinds)
    ]
