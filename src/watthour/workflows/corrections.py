"""A file that is imported again, mended: its values take the place of those it said before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import Quality, Readings
from watthour.core.window import Window

if TYPE_CHECKING:
    from datetime import datetime

    import dataframely as dy

    from watthour.core.ports import Store

_AT_ONCE = timedelta(microseconds=1)
_KEY = ["channel", "time"]


def as_corrections(readings: dy.DataFrame[Readings], store: Store) -> dy.DataFrame[Readings]:
    """Let a file of one's own correct what was kept before, at the instants at which that was assumed to be known.

    When the values of such a file could be known is assumed. A second file that says something else mends the first
    one, so it is assumed to be known a microsecond after it: the last import wins, a backtest sees the mended value
    and what was said before stays in the store. Where a value was really observed, history stays: the new one is known
    from now on.

    Args:
        readings: of the file, one version per interval.
        store: what is kept.
    """
    if readings.is_empty():
        return readings
    first: datetime = readings["time"].min()  # type: ignore[assignment]  # not empty, so an instant
    last: datetime = readings["time"].max()  # type: ignore[assignment]  # likewise
    kept = store.versions(readings["channel"].unique().to_list(), Window(first, last + _AT_ONCE))
    if kept.is_empty():
        return readings
    newest = kept.group_by(_KEY, maintain_order=True).agg(
        kept_at=pl.col("available_at").last(),
        is_assumed=((pl.col("quality") & int(Quality.ASSUMED)) != 0).all(),
    )
    joined = readings.join(newest, on=_KEY, how="left", maintain_order="left")
    is_known = pl.col("kept_at").is_not_null() & (pl.col("kept_at") >= pl.col("available_at"))
    observed = is_known & ~pl.col("is_assumed")
    moved = joined.with_columns(
        available_at=pl.when(observed)
        .then(pl.max_horizontal("recorded_at", pl.col("kept_at") + _AT_ONCE))
        .when(is_known)
        .then(pl.col("kept_at") + _AT_ONCE)
        .otherwise("available_at"),
        quality=pl.when(observed).then(pl.col("quality") & ~int(Quality.ASSUMED)).otherwise("quality").cast(pl.Int16),
    )
    return Readings.cast(moved.select(Readings.column_names()))
