"""What was known of many intervals at many instants, answered at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watthour.core.frames import Quality

if TYPE_CHECKING:
    from watthour.core.forecast import History

Array: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]  # microseconds since 1970 in UTC, as polars keeps them

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_LONGEST_GAP_US = 6 * HOUR_US  # weather runs come in steps of up to six hours


@dataclass(frozen=True, slots=True, eq=False)
class Vintages:
    """All versions of one channel's values; of two that became known at once the later row counts."""

    times: Instants  # (T,) the intervals, ascending
    instants: Instants  # (A,) when anything became known, ascending
    keys: Instants  # (N,) interval and instant of each version as one number, ascending
    values: Array  # (N,)

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Self:
        """Build from rows of ``time, available_at, value``; a doubted row is as good as none."""
        if "quality" in rows.columns:
            rows = rows.filter((pl.col("quality") & int(Quality.DOUBTED)) == 0)
        time, available = instants(rows["time"]), instants(rows["available_at"])
        times, position = np.unique(time, return_inverse=True)
        moments, rank = np.unique(available, return_inverse=True)
        keys = position.astype(np.int64) * (len(moments) + 1) + rank + 1
        order = np.argsort(keys, kind="stable")
        return cls(times, moments, keys[order], rows["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()[order])

    def known(self, times: Instants, known_at: Instants) -> Array:
        """Return the value of each interval as known at its instant, NaN where none was; both broadcast."""
        times, known_at = np.broadcast_arrays(times, known_at)
        if not len(self.times):
            return np.full(times.shape, np.nan)
        position = np.minimum(np.searchsorted(self.times, times), len(self.times) - 1)
        rank = np.searchsorted(self.instants, known_at, side="right")
        wanted = position * (len(self.instants) + 1) + rank
        found = np.searchsorted(self.keys, wanted, side="right") - 1
        is_known = (self.times[position] == times) & (found >= 0)
        is_known &= self.keys[found] // (len(self.instants) + 1) == position
        return np.where(is_known, self.values[found], np.nan)

    def between(self, times: Instants, known_at: Instants) -> Array:
        """Return values as ``known`` does, on a straight line between the two neighbours of a coarser channel."""
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
    """Return a column of aware datetimes as microseconds since 1970 in UTC."""
    return column.cast(pl.Datetime("us", "UTC")).to_physical().to_numpy()


def datetimes(times: Instants) -> pl.Series:
    """Return microseconds since 1970 as a column of UTC datetimes."""
    return pl.Series(times, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def measured(history: History, channel: str) -> Vintages:
    """Return a channel's measurements: readings known only once their interval had begun."""
    ours = history.readings.filter(pl.col("channel") == channel, pl.col("available_at") >= pl.col("time"))
    return Vintages.of(ours.sort("time", "available_at", "recorded_at"))


def foretold(history: History, channel: str, *, model: str | None = None) -> Vintages:
    """Return what was said of a channel in advance: point forecasts of a model (or of all but ours), and facts.

    Among runs that became known at the same instant the one made last counts.
    """
    maker = pl.col("model") == model if model else pl.lit(value=True)
    said = history.forecasts.filter(pl.col("channel") == channel, pl.col("level") == 0.5, maker)  # noqa: PLR2004 - median
    facts = history.readings.filter(pl.col("channel") == channel, pl.col("available_at") < pl.col("time"))
    columns = ["time", "available_at", "issued_at", "value", "quality"]
    rows = [
        said.select(columns),
        facts.select("time", "available_at", pl.col("available_at").alias("issued_at"), "value", "quality"),
    ]
    return Vintages.of(pl.concat(rows if model is None else rows[:1]).sort("time", "available_at", "issued_at"))
