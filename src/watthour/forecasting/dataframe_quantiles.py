"""The quantiles that a notebook asks for, as columns of its table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import LEVELS
from watthour.forecasting.calibrate import between_levels
from watthour.forecasting.steps import later_starts
from watthour.forecasting.vintages import datetimes, instants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.series_table import SeriesTable

_DEFAULT_LEVELS = (LEVELS[0], LEVELS[-1])
_WIDEST = round(100 * (LEVELS[-1] - LEVELS[0]))  # per cent of the widest band


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The columns of quantiles asked: their names and levels."""

    columns: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, levels: Sequence[float] | float | None, level: Sequence[float] | float | None) -> Quantiles:
        """Return the columns of quantiles, and of bands in per cent; the 90 % band if neither is asked.

        Args:
            levels: quantiles such as 0.1, whose columns are called so.
            level: bands such as 80, in columns ``forecast-lo-80`` and ``forecast-hi-80``.

        Raises:
            InvalidInput: a quantile beyond 0.05 or 0.95, or a band wider than 90 %.
        """
        levels, level = ([each] if isinstance(each, int | float) else each for each in (levels, level))
        wanted = list(_DEFAULT_LEVELS if levels is None and level is None else levels or ())
        if any(not LEVELS[0] <= each <= LEVELS[-1] for each in wanted):
            remedy = "Ask for levels in that range; for bands in percent use level=[80, 90]."
            raise InvalidInput("levels", wanted, "quantiles are available from 0.05 to 0.95", remedy=remedy)
        bands = list(level or ())
        if any(not 0 < each <= _WIDEST for each in bands):
            remedy = "Give percentages such as level=[80, 90]; for quantiles use levels=[0.1, 0.9]."
            raise InvalidInput("level", bands, f"bands are available up to {_WIDEST} %", remedy=remedy)
        named = [(str(each), each) for each in wanted]
        for each in bands:
            tail = (1 - each / 100) / 2
            named += [(f"forecast-lo-{each:g}", tail), (f"forecast-hi-{each:g}", 1 - tail)]
        return cls(tuple(dict(named).items()))

    def wide(self, rows: pl.DataFrame, index: Sequence[str]) -> pl.DataFrame:
        """Return the index, ``forecast`` (the median) and a column per quantile from one row per level."""
        wide = rows.pivot("level", index=index, values="value").sort(index)
        known = wide.select([str(level) for level in LEVELS]).cast(pl.Float64).to_numpy()
        wanted = between_levels(known, LEVELS, [level for _, level in self.columns])
        quantiles = [pl.Series(name, wanted[:, k]).fill_nan(None) for k, (name, _) in enumerate(self.columns)]
        return wide.select(*index, pl.col("0.5").alias("forecast")).with_columns(quantiles)


def beside_actuals(rows: pl.DataFrame, name: str, table: SeriesTable, quantiles: Quantiles) -> pl.DataFrame:
    """Return forecasts of one series beside what came, as rows of the user's table."""
    columns = table.columns
    wide = quantiles.wide(rows, ["issued_at", "time"])
    actual = rows.select("issued_at", "time", "actual").unique()
    step = table.step // timedelta(microseconds=1)
    issued = wide["issued_at"].unique()
    before = datetimes(later_starts(instants(issued), -1, step, columns.time_zone))
    cutoff = pl.col("issued_at").replace_strict(issued, before)
    return wide.join(actual, on=["issued_at", "time"]).select(
        pl.lit(name).alias(columns.series),
        pl.col("time").alias(columns.time),
        cutoff.alias("cutoff"),
        pl.col("actual").alias(columns.target),
        "forecast",
        *[each for each, _ in quantiles.columns],
    )
