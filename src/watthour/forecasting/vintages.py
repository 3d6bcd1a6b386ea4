"""All versions of a channel's values, and which of them was known of many intervals at many instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from weakref import ref

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from watthour.core.frames import INSTANT
from watthour.core.quality import is_trusted

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from watthour.core.forecast import Context, History

Array: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]  # microseconds since 1970 in UTC, as polars keeps them

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
MEDIAN = 0.5  # the level at which a point forecast is kept
_LONGEST_INDEX = 16  # times as many steps as intervals, beyond which intervals are searched for instead
_LONGEST_GAP_US = 6 * HOUR_US  # weather runs come in steps of up to six hours

_KEPT: dict[tuple[int, ...], tuple[tuple[ref[pl.DataFrame], ...], dict[Hashable, Any]]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Vintages:
    """All versions of one channel's values; of two that became known at once the later row counts.

    T intervals, A instants at which anything became known, N versions.
    """

    times: Instants  # (T,) the intervals, ascending
    instants: Instants  # (A,) when anything became known, ascending
    keys: Instants  # (N,) interval and instant of each version as one number, ascending
    values: Array  # (N,) [unit of the channel]
    step: int  # the largest step all intervals are multiples of from the first on [microseconds]
    index: Instants | None  # position in `times` of each step from the first on, -1 where none is; None: too many

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Self:
        """Build from rows of ``time, available_at, value``; a row that is not trusted is left out."""
        if "quality" in rows.columns:
            rows = rows.filter(is_trusted())
        values = rows["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return cls.from_arrays(instants(rows["time"]), instants(rows["available_at"]), values)

    @classmethod
    def from_arrays(cls, time: Instants, available: Instants, values: Array) -> Self:
        """Build from arrays with a row per version, each (N,)."""
        times, position = np.unique(time, return_inverse=True)
        moments, rank = np.unique(available, return_inverse=True)
        keys = position.astype(np.int64) * (len(moments) + 1) + rank + 1
        if (keys[1:] < keys[:-1]).any():
            order = np.argsort(keys, kind="stable")
            keys, values = keys[order], values[order]
        return cls(times, moments, keys, values, *_index(times))

    def known(self, times: Instants, known_at: Instants) -> Array:
        """Return the value of each interval as known at its instant, NaN where none was; both broadcast.

        The answer has the shape of both together [unit of the channel].
        """
        shape = np.broadcast_shapes(times.shape, known_at.shape)
        if not len(self.times):
            return np.full(shape, np.nan)
        position, exists = self._positions(times)
        width = len(self.instants) + 1
        first_key = position * width
        wanted = first_key + np.searchsorted(self.instants, known_at, side="right")
        if len(self.values) == len(self.times):  # one version each
            found = np.broadcast_to(position, shape)
            is_known = exists & (self.keys[position] <= wanted)
        else:
            found = np.searchsorted(self.keys, wanted, side="right") - 1
            is_known = exists & (found >= 0)
            is_known &= self.keys[found] >= first_key
        return np.where(is_known, self.values[found], np.nan)

    def _positions(self, times: Instants) -> tuple[Instants, NDArray[np.bool_]]:
        """Return where intervals stand in ``times``, and whether they do."""
        if self.index is None:
            position = np.minimum(np.searchsorted(self.times, times), len(self.times) - 1)
            return position, self.times[position] == times
        steps, rest = np.divmod(times - self.times[0], self.step)
        inside = (steps >= 0) & (steps < len(self.index)) & (rest == 0)
        position = self.index[np.where(inside, steps, 0)]
        return np.maximum(position, 0), inside & (position >= 0)

    def windows(self, first: Instants, width: int, step: int, known_at: Instants) -> Array:
        """Return the values of consecutive intervals as known at some instants: (I, width), NaN where none was.

        Args:
            first: (I,) where each window begins.
            width: how many intervals it has.
            step: how far they lie apart [microseconds].
            known_at: (I,)
        """
        if self.index is None or step != self.step or len(self.values) != len(self.times):
            return self.known(first[:, None] + step * np.arange(width), known_at[:, None])
        offset, rest = np.divmod(first - self.times[0], step)
        if rest.any():
            return self.known(first[:, None] + step * np.arange(width), known_at[:, None])
        length = len(self.index)
        values, rank = np.full(length + 2 * width, np.nan), np.zeros(length + 2 * width, dtype=np.int64)
        steps = width + np.flatnonzero(self.index >= 0)
        values[steps] = self.values
        rank[steps] = self.keys % (len(self.instants) + 1)
        begin = np.clip(offset + width, 0, length + width)
        found: Array = sliding_window_view(values, width)[begin]
        at = np.searchsorted(self.instants, known_at, side="right")
        # only from the first column that any row may not know yet is it asked value by value
        unsure = int((np.searchsorted(np.maximum.accumulate(rank), at, side="right") - begin).min(initial=width))
        if (unsure := max(unsure, 0)) < width:
            found[:, unsure:][sliding_window_view(rank[unsure:], width - unsure)[begin] > at[:, None]] = np.nan
        return found

    def between(self, times: Instants, known_at: Instants) -> Array:
        """Return values as ``known`` does, on a straight line between the two neighbours of a coarser channel.

        Both arguments broadcast; the answer has the shape of both together.
        """
        exact = self.known(times, known_at)
        times, known_at = np.broadcast_arrays(times, known_at)
        gap = np.isnan(exact)
        if len(self.times) <= 1 or not gap.any():
            return exact
        wanted, at = times[gap], known_at[gap]
        right = np.clip(np.searchsorted(self.times, wanted), 1, len(self.times) - 1)
        before, after = self.times[right - 1], self.times[right]
        inside = (before < wanted) & (wanted < after) & (after - before <= _LONGEST_GAP_US)
        share = (wanted - before) / (after - before)
        line = (1 - share) * self.known(before, at) + share * self.known(after, at)
        exact[gap] = np.where(inside, line, np.nan)
        return exact


def instants(column: pl.Series) -> Instants:
    """Return a column of aware datetimes as microseconds since 1970 in UTC: (rows,)."""
    return column.cast(INSTANT).to_physical().to_numpy()


def instant(at: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 in UTC."""
    return (at - _EPOCH) // _MICROSECOND


def by_issue(targets: pl.DataFrame) -> list[tuple[int, int, Instants]]:
    """Return the issues of some targets, oldest first: when, until when was measured, and the rows that belong to it.

    What ends after the issue was not known then.
    """
    issued, until = instants(targets["issued_at"]), instants(targets["known_until"])
    pairs, of_row = np.unique(np.stack([issued, np.minimum(until, issued)], 1), axis=0, return_inverse=True)
    return [(at, edge, np.flatnonzero(of_row.ravel() == place)) for place, (at, edge) in enumerate(pairs.tolist())]


def datetimes(times: Instants) -> pl.Series:
    """Return microseconds since 1970, (n,), as a column of UTC datetimes."""
    return pl.Series(times, dtype=pl.Int64).cast(INSTANT)


def measurement_vintages(history: History, channel: str) -> Vintages:
    """Return all versions of a channel's measurements: readings known only once their interval had begun.

    They are kept as long as the history's table of readings lives, as one forecast looks them up several times.
    """
    kept, key = _kept_with(history.readings), (channel, channel in _told_ahead(history.context))
    if key not in kept:
        kept[key] = measurement_vintages_by_channel(history, [channel]).get(channel, _nothing())
    found: Vintages = kept[key]
    return found


def forecast_vintages(history: History, channel: str, *, model: str | None = None) -> Vintages:
    """Return what was known of a channel in advance; see ``forecast_vintages_by_channel``."""
    return forecast_vintages_by_channel(history, [channel], model=model).get(channel, _nothing())


def measurement_vintages_by_channel(history: History, channels: Sequence[str]) -> dict[str, Vintages]:
    """Return the measurements of those channels that have any; of what is published ahead, all that is published.

    A forecast of a price still uses those of intervals alone that were over by the instant it is asked as of.
    """
    is_measured = (pl.col("available_at") >= pl.col("time")) | pl.col("channel").is_in(_told_ahead(history.context))
    ours = history.readings.lazy().filter(pl.col("channel").is_in(channels), is_measured, is_trusted())
    rows = ours.select("channel", "time", "available_at", "recorded_at", "value").collect()
    rows = rows.sort("channel", "time", "available_at", "recorded_at")
    return _split(rows.with_columns(pl.max_horizontal("time", "available_at").alias("available_at")))


def _told_ahead(context: Context) -> list[str]:
    """Return the channels whose values count as measured although they are published before their time."""
    if not context.channel.is_told_ahead:
        return []
    return [context.channel.id, *(each.channel for each in context.similar)]


def forecast_vintages_by_channel(
    history: History, channels: Sequence[str], *, model: str | None = None
) -> dict[str, Vintages]:
    """Return what was known in advance of those channels of which anything was.

    These are the point forecasts of one model; or of all, and facts that were known before their interval. Among runs
    that became known at the same instant the one made last counts. They are kept as those of ``measurement_vintages``.
    """
    kept, key = _kept_with(history.forecasts, history.readings), (tuple(channels), model)
    if key not in kept:
        kept[key] = _forecast_vintages(history, channels, model)
    found: dict[str, Vintages] = kept[key]
    return dict(found)


def _forecast_vintages(history: History, channels: Sequence[str], model: str | None) -> dict[str, Vintages]:
    ours = pl.col("channel").is_in(channels)
    wanted = pl.col("model") == model if model else pl.lit(value=True)
    columns = ["channel", "time", "available_at", "issued_at", "value"]
    published = history.forecasts.filter(ours, pl.col("level") == MEDIAN, wanted, is_trusted()).select(columns)
    if model is None:
        facts = history.readings.filter(ours, pl.col("available_at") < pl.col("time"), is_trusted())
        published = pl.concat([published, facts.with_columns(issued_at="available_at").select(columns)])
    return _split(published.sort("channel", "time", "available_at", "issued_at"))


def _kept_with(*tables: pl.DataFrame) -> dict[Hashable, Any]:
    """Return what is kept as long as tables live; tables cannot be keys of a dictionary, so it goes by identity."""
    key = tuple(id(table) for table in tables)
    found = _KEPT.get(key)
    if found is None or any(each() is not table for each, table in zip(found[0], tables, strict=True)):
        found = _KEPT[key] = (tuple(ref(table, lambda _: _KEPT.pop(key, None)) for table in tables), {})
    return found[1]


def _index(times: Instants) -> tuple[int, Instants | None]:
    """Return the common step of ascending intervals, and the position of each step's interval, if that is short."""
    if len(times) <= 1:
        return DAY_US, np.zeros(len(times), dtype=np.int64)
    step = int(np.gcd.reduce(np.diff(times)))
    steps = (times - times[0]) // step
    length = int(steps[-1]) + 1
    if length > _LONGEST_INDEX * len(times):
        return step, None
    index = np.full(length, -1, dtype=np.int64)
    index[steps] = np.arange(len(times))
    return step, index


def _split(rows: pl.DataFrame) -> dict[str, Vintages]:
    """Take rows apart that are sorted by channel; slices of whole columns, as frames per channel cost far more."""
    time, available = instants(rows["time"]), instants(rows["available_at"])
    values = rows["value"].fill_null(np.nan).to_numpy()
    ends = rows["channel"].rle().struct.unnest()
    found: dict[str, Vintages] = {}
    start = 0
    for length, channel in ends.iter_rows():
        part = slice(start, start + length)
        found[channel] = Vintages.from_arrays(time[part], available[part], values[part])
        start += length
    return found


def _nothing() -> Vintages:
    none = np.empty(0, dtype=np.int64)
    return Vintages.from_arrays(none, none, np.empty(0))
