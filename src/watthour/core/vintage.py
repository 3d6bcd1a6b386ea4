"""When a value became known: observed where we were watching, assumed from the source's rule where we were not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import INSTANT, Quality

if TYPE_CHECKING:
    from datetime import datetime


def stamp(frame: pl.DataFrame, published: pl.Expr, *, now: datetime, watched_from: datetime | None) -> pl.DataFrame:
    """Fill ``available_at``, ``recorded_at`` and the ASSUMED flag of fetched rows.

    From ``watched_from`` on we have been polling this source, so a row due after then was first seen when it came:
    now. Rows due earlier, and all rows when we never polled (None), take the source's declared publication time and
    are marked assumed; what is already here cannot be published later than now.

    Args:
        frame: rows with a ``quality`` column or none.
        published: the source's rule, as an expression giving an instant.
        now: when the rows were fetched.
        watched_from: when polling of this source began, if it did.
    """
    moment = pl.lit(now).cast(INSTANT)
    declared = published.cast(INSTANT)
    assumed = pl.lit(value=True) if watched_from is None else declared < pl.lit(watched_from).cast(INSTANT)
    quality = pl.col("quality") if "quality" in frame.columns else pl.lit(int(Quality.GOOD))
    return frame.with_columns(
        available_at=pl.when(assumed).then(pl.min_horizontal(declared, moment)).otherwise(moment),
        recorded_at=moment,
        quality=pl.when(assumed).then(quality.cast(pl.Int16) | int(Quality.ASSUMED)).otherwise(quality).cast(pl.Int16),
    )
