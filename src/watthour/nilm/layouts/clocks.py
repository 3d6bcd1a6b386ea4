"""Times of tables: ISO 8601 with an offset or in a time zone that is named, or seconds since 1970.

Of an hour that the clock shows twice, the second one is that after a step backward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Times: TypeAlias = NDArray[np.int64]

_LEAST_YEAR = 1e9  # seconds since 1970 of any smart meter: 2001 and later; milliseconds are a thousand times that
_FORMATS = (  # the last one is that of tracebase
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
)
_OFFSET = r"(Z|[+-]\d\d:?\d\d)$"


class Clock:
    """Reads the times of a table, part by part."""

    def __init__(self, path: Path, time_zone: str | None) -> None:
        self._path, self._zone = path, time_zone
        self._latest_local: int | None = None  # by the clock, of the part before
        self._is_second = False

    def seconds(self, times: pl.Series) -> Times:
        """Return times as seconds since 1970, UTC."""
        if isinstance(times.dtype, pl.Datetime):
            if times.dtype.time_zone is not None:
                return self._whole(times, times.dt.epoch("s"))
            return self._local(times, times)
        if times.dtype.is_numeric():
            return self._epoch(times.cast(pl.Float64))
        text = times.cast(pl.String).str.strip_chars()
        numbers = text.cast(pl.Float64, strict=False)
        if len(numbers) and numbers[0] is not None:
            return self._epoch(numbers)
        is_utc = bool(text.str.ends_with("Z").all())
        has_offset = is_utc or bool(text.str.contains(_OFFSET).all())
        plain = text.str.strip_suffix("Z") if is_utc else text.str.replace(_OFFSET, "")
        naive = _naive(plain)
        self._whole(times, naive.dt.epoch("s"))  # each is a time, with an offset or without
        if has_offset:
            ahead = 0 if is_utc else _offset_s(text)
            return self._whole(times, naive.dt.epoch("s") - ahead)
        return self._local(times, naive)

    def _epoch(self, numbers: pl.Series) -> Times:
        if len(numbers) and not _LEAST_YEAR <= float(numbers[0]) < 100 * _LEAST_YEAR:
            problem = f"{self._path.name}: as seconds since 1970 this is no time of a smart meter"
            raise InvalidInput("time", numbers[0], problem, remedy="Give seconds since 1970, or ISO 8601.")
        return self._whole(numbers, numbers.floor().cast(pl.Int64))

    def _whole(self, said: pl.Series, seconds: pl.Series) -> Times:
        if seconds.null_count():
            place = int(seconds.is_null().arg_true()[0])
            problem = f"{self._path.name}: this is no time"
            raise InvalidInput("time", said[place], problem, remedy="Give ISO 8601, such as 2026-11-23T04:15:00Z.")
        return np.asarray(seconds.to_numpy(), dtype=np.int64)

    def _local(self, said: pl.Series, naive: pl.Series) -> Times:
        """Return local times as UTC: of an hour that comes twice, the second one is that after a step backward."""
        if self._zone is None:
            problem = f"{self._path.name}: times without an offset are not told apart from those of other zones"
            raise InvalidInput("time_zone", None, problem, remedy="Name it, such as UTC or Europe/Berlin.")
        self._whole(said, naive.dt.epoch("s"))  # each is a time
        try:
            first = naive.dt.replace_time_zone(self._zone, ambiguous="earliest", non_existent="null").dt.epoch("s")
            last = naive.dt.replace_time_zone(self._zone, ambiguous="latest", non_existent="null").dt.epoch("s")
        except pl.exceptions.PolarsError as error:
            problem = f"{self._path.name}: no time zone has this name"
            raise InvalidInput("time_zone", self._zone, problem, remedy="Name it such as Europe/Berlin.") from error
        self._whole(said, first)  # none is in an hour that the clock leaves out
        earliest, latest = first.to_numpy(), last.to_numpy()
        local = naive.dt.epoch("s").to_numpy()
        before = np.concatenate([[local[0] if self._latest_local is None else self._latest_local], local[:-1]])
        return self._in_order(earliest, latest, local < before, local)

    def _in_order(self, earliest: Times, latest: Times, is_backward: NDArray[np.bool_], local: Times) -> Times:
        twice = earliest != latest
        seconds = np.array(earliest, dtype=np.int64)
        for place in np.flatnonzero(twice | is_backward).tolist():
            if not twice[place]:
                self._is_second = False
                continue
            self._is_second |= bool(is_backward[place])
            if self._is_second:
                seconds[place] = latest[place]
        if len(local):
            self._latest_local = int(local[-1])
            self._is_second &= bool(twice[-1])
        return seconds


def _naive(text: pl.Series) -> pl.Series:
    """Return times without their offset, null where one is none; all of a part have one form."""
    for form in _FORMATS:
        found = text.str.to_datetime(form, strict=False, time_unit="us")
        if found.null_count() < len(found):
            break
    return found


def _offset_s(text: pl.Series) -> pl.Series:
    """Return how far the offset of a time is ahead of UTC [s]."""
    sign = pl.when(text.str.contains(r"-\d\d:?\d\d$")).then(-1).otherwise(1)
    parts = text.str.extract_groups(r"[+-](?<hours>\d\d):?(?<minutes>\d\d)$").struct.unnest()
    hours = parts["hours"].cast(pl.Int64).fill_null(0)
    minutes = parts["minutes"].cast(pl.Int64).fill_null(0)
    return pl.select(sign * (hours * 3600 + minutes * 60)).to_series()
