"""Turning numbers into a forecast with its honest words."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import Forecast
from watthour.core.frames import LEVELS, Forecasts, Quality
from watthour.forecasting.calibrate import uncrossed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Context
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array


def answer(
    targets: dy.DataFrame[Targets],
    quantiles: Array,
    context: Context,
    *,
    model: str,
    lacked: Sequence[str] = (),
    fallback: str | None = None,
) -> Forecast:
    """Return a forecast from one row of quantiles per target, one column per level of ``LEVELS``.

    A target of which nothing could be said is null.

    Raises:
        NotEnoughHistory: nothing could be said of any.
    """
    unsaid = np.asarray(~np.isfinite(quantiles).all(axis=1))
    if unsaid.all():
        raise nothing_known(targets, context)
    words = list(lacked)
    if unsaid.any():
        words.append(f"Nothing could be said of {int(unsaid.sum())} of {targets.height} intervals.")
    ordered = np.where(unsaid[:, None], np.nan, uncrossed(quantiles))
    said = pl.DataFrame(ordered, schema=[str(level) for level in LEVELS], orient="row")
    rows = (
        pl.concat([targets.select("issued_at", "time"), said], how="horizontal")
        .unpivot([str(level) for level in LEVELS], index=["issued_at", "time"], variable_name="level")
        .select(
            pl.lit(context.channel).alias("channel"),
            "time",
            "issued_at",
            pl.lit(model).alias("model"),
            pl.col("level").cast(pl.Float64),
            pl.col("issued_at").alias("available_at"),
            pl.col("issued_at").alias("recorded_at"),
            pl.col("value").fill_nan(None),
            pl.lit(int(Quality.GOOD), pl.Int16).alias("quality"),
        )
    )
    return Forecast(Forecasts.cast(rows), model, tuple(words), fallback)


def nothing_known(targets: dy.DataFrame[Targets], context: Context) -> NotEnoughHistory:
    """Return the error that says nothing is known of a channel at issue."""
    first = cast("datetime", targets["issued_at"].min())
    return NotEnoughHistory(
        f"too little of {context.channel} was known at {first:%Y-%m-%d %H:%M} UTC to forecast it by any means",
        remedy="Bring at least one day of readings before the issue time: `watthour backfill` or `watthour import`.",
    )


def said_at(targets: dy.DataFrame[Targets], mask: NDArray[np.bool_], context: Context) -> str:
    """Return how many intervals a mask holds and the first of them, in local time."""
    count = int(mask.sum())
    first = cast("datetime", targets["time"].filter(pl.Series(mask)).min())
    return f"{count} of {targets.height} intervals, from {first.astimezone(ZoneInfo(context.time_zone)):%Y-%m-%d %H:%M}"
