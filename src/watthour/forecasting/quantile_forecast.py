"""Turning a matrix of quantiles into a forecast that says what it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import Forecast
from watthour.core.frames import LEVELS, Forecasts, Maker, Quality
from watthour.forecasting.calibrate import sorted_quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Context
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array


def quantile_forecast(
    targets: dy.DataFrame[Targets],
    quantiles: Array,
    context: Context,
    *,
    model: str,
    maker: Maker = Maker.OWN,
    missing_inputs: Sequence[str] = (),
    fallback: str | None = None,
    estimated: NDArray[np.bool_] | None = None,
) -> Forecast:
    """Return a forecast from one row of quantiles per target, sorted where they cross.

    Args:
        targets: what is asked.
        quantiles: (targets, levels of ``LEVELS``) [unit of the channel]; a row with a NaN becomes null at all levels.
        context: of the forecast channel.
        model: the name the forecast is kept under.
        maker: who made it.
        missing_inputs: what was not known or only estimated, in words for a person.
        fallback: why something simpler than the model answered, if it did.
        estimated: (targets,) which rows are not the maker's own, and so are no measure of it.

    Raises:
        NotEnoughHistory: every row has a NaN.
    """
    unknown = np.asarray(~np.isfinite(quantiles).all(axis=1))
    if unknown.all():
        raise nothing_known(targets, context)
    missing = list(missing_inputs)
    if unknown.any():
        missing.append(f"{int(unknown.sum())} of {targets.height} intervals could not be forecast.")
    ordered = np.where(unknown[:, None], np.nan, sorted_quantiles(quantiles))
    wide = pl.DataFrame(ordered, schema=[str(level) for level in LEVELS], orient="row")
    quality = np.where(np.zeros(targets.height) if estimated is None else estimated, Quality.ESTIMATED, Quality.GOOD)
    asked = targets.select("issued_at", "time", quality=pl.Series(quality, dtype=pl.Int16))
    rows = (
        pl.concat([asked, wide], how="horizontal")
        .unpivot([str(level) for level in LEVELS], index=asked.columns, variable_name="level")
        .select(
            pl.lit(context.channel.id).alias("channel"),
            "time",
            "issued_at",
            pl.lit(model).alias("model"),
            pl.col("level").cast(pl.Float64),
            pl.lit(str(maker)).alias("maker"),
            pl.col("issued_at").alias("available_at"),
            pl.col("issued_at").alias("recorded_at"),
            pl.col("value").fill_nan(None),
            "quality",
        )
    )
    return Forecast(Forecasts.cast(rows), model, tuple(missing), fallback)


def nothing_known(targets: dy.DataFrame[Targets], context: Context) -> NotEnoughHistory:
    """Return the error that says that too little of a channel was known at the first issue."""
    first = cast("datetime", targets["issued_at"].min())
    return NotEnoughHistory(
        f"too little of {context.channel.id} was known at {first:%Y-%m-%d %H:%M} UTC to forecast it by any means",
        remedy="Add at least one day of readings before the issue time: `watthour backfill` or `watthour import`.",
    )


def describe_intervals(targets: dy.DataFrame[Targets], mask: NDArray[np.bool_], context: Context) -> str:
    """Return how many targets a mask, (targets,), holds and the first of them in local time, for a message."""
    count = int(mask.sum())
    first = cast("datetime", targets["time"].filter(pl.Series(mask)).min())
    return f"{count} of {targets.height} intervals, from {first.astimezone(ZoneInfo(context.time_zone)):%Y-%m-%d %H:%M}"
