"""What a notebook's forecast could not know or say, in words."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl

from watthour.forecasting.dataframe_io import as_in_table
from watthour.forecasting.fleet import issue_step
from watthour.forecasting.vintages import MEDIAN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.dataframe_io import Columns
    from watthour.forecasting.series_table import SeriesTable

_LATELY = 28  # days, or longer intervals, before the end of a series


def warn_of(gaps: Mapping[str, str]) -> None:
    """Warn of what is not known for the time asked, or could not be said of it."""
    if gaps:
        name, words = next(iter(gaps.items()))
        others = f" ({len(gaps) - 1} other series likewise)" if len(gaps) > 1 else ""
        warnings.warn(f"{name}: {words}{others}", stacklevel=3)


def gap_in_words(columns: Columns, idle: Collection[str], past: History, asked: dy.DataFrame[Targets]) -> str | None:
    """Return which covariates that the model uses are unknown for intervals asked; None where all are known.

    Args:
        columns: of the user's table.
        idle: covariates that the model makes no use of.
        past: what is known of the series.
        asked: what is asked.
    """
    words = []
    for covariate, channel in zip(columns.covariates, past.context.covariates, strict=True):
        known = past.readings.filter(pl.col("channel") == channel.channel, pl.col("value").is_not_null())["time"]
        lost = asked.filter(~pl.col("time").is_in(known.implode()))["time"]
        if covariate not in idle and len(lost):
            words.append(
                f"{covariate} for {len(lost)} of {asked.height} intervals, from {_in_clock(lost, columns)[0]} on"
            )
    return (
        f"Not known: {'; '.join(words)}. Give them in predict(future=...); `notes()` says what stands in for them."
        if words
        else None
    )


def blank_in_words(table: SeriesTable, past: History, forecast: Forecast) -> str | None:
    """Return which intervals could not be forecast, and why; None where all could."""
    columns = table.columns
    asked = forecast.values.filter(pl.col("level") == MEDIAN).sort("time")
    lost = asked.filter(pl.col("value").is_null())["time"]
    if lost.is_empty():
        return None
    known = past.readings.filter(pl.col("channel") == past.context.channel.id, pl.col("value").is_not_null())
    times, reach = known["time"].unique().sort(), _LATELY * issue_step(table.step)
    is_late = times >= past.as_of - reach
    far = ((times.diff() > reach) & is_late).arg_true()
    lately = _in_clock(times.filter(is_late), columns).dt.time()
    if len(far):
        before, after = _in_clock(times.gather([far[-1] - 1, far[-1]]), columns)
        n_after = len(times) - far[-1]
        what = f"{n_after} value{'s' if n_after > 1 else ''}, from {after} on"
        why = f"After {before} there is nothing but {what}: if these times are wrong, correct or drop the rows."
    elif not _in_clock(lost, columns).dt.time().is_in(lately.implode()).any():
        why = f"In {_LATELY} days nothing was measured at these times of the day; if that means 0, give rows with 0."
    else:
        why = "Too little was measured before them."
    many = f"{len(lost)} of {asked.height} intervals, from {_in_clock(lost, columns)[0]} on, could not be forecast"
    return f"{many} and are null. {why}"


def _in_clock(times: pl.Series, columns: Columns) -> pl.Series:
    """Return instants as times of the user's table."""
    return as_in_table(pl.DataFrame({columns.time: times}), columns).to_series()
