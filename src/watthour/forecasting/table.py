"""Plain tables from outside, made into histories, and forecasts made into plain tables again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.forecast import Context, History
from watthour.core.frames import Forecasts, Quality, Readings
from watthour.core.window import HOUR
from watthour.forecasting.weather import HOURLY

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # a covariate known in advance was known since
_INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Columns:
    """What a table's columns are called, and where its clock hangs."""

    series: str
    time: str
    target: str
    covariates: tuple[str, ...]
    time_zone: str
    holidays: str | None
    is_naive: bool = True


def as_polars(frame: Any) -> pl.DataFrame:  # noqa: ANN401 - pandas is not imported here
    """Return a polars or pandas frame as polars; a pandas one column by column, without Arrow.

    Raises:
        InvalidInput: it is neither.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    if not hasattr(frame, "columns") or not hasattr(frame, "to_numpy"):
        raise InvalidInput("frame", type(frame).__name__, "not a table", remedy="Give a polars or pandas DataFrame.")
    columns: dict[str, pl.Series] = {}
    for name in frame.columns:
        column = frame[name]
        zone = getattr(column.dtype, "tz", None)
        if zone is not None:
            naive = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
            columns[str(name)] = pl.Series(naive).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        elif column.dtype == object:
            columns[str(name)] = pl.Series(column.tolist(), strict=False)
        else:
            columns[str(name)] = pl.Series(column.to_numpy())
    return pl.DataFrame(columns)


def tidy(table: pl.DataFrame, columns: Columns, *, is_future: bool = False) -> pl.DataFrame:
    """Return ``series, time`` in UTC, the target and the covariates as numbers, sorted; says what is wrong with it.

    Raises:
        InvalidInput: a column is missing, holds text, or has the same time twice.
    """
    if columns.series not in table.columns:
        table = table.with_columns(pl.lit(columns.target).alias(columns.series))
    numbers = [*([] if is_future else [columns.target]), *columns.covariates]
    missing = [name for name in (columns.time, *numbers) if name not in table.columns]
    if missing:
        raise InvalidInput(
            "frame",
            table.columns,
            f"no column {', '.join(missing)}",
            remedy="Name the columns: DayAhead(time=..., target=..., series=...).",
        )
    for name in numbers:
        if not (table[name].dtype.is_numeric() or table[name].dtype in (pl.Null, pl.Boolean)):
            raise InvalidInput(name, str(table[name].dtype), "not numbers", remedy="Cast the column to numbers first.")
    tidied = table.select(
        pl.col(columns.series).cast(pl.String).alias("series"),
        _instants(table, columns).alias("time"),
        *[pl.col(name).cast(pl.Float64).fill_nan(None) for name in numbers],
    ).sort("series", "time")
    if tidied["time"].null_count():
        lost = table.filter(table.select(_instants(table, columns).is_null()).to_series())[columns.time][0]
        raise InvalidInput(
            columns.time,
            str(lost),
            f"no such time in {columns.time_zone}",
            remedy="Drop those rows, or say where the clock hangs: DayAhead(time_zone='UTC').",
        )
    twice = tidied.filter(tidied.select("series", "time").is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        raise InvalidInput(columns.time, str(first["time"]), f"stands twice in {first['series']}", remedy="Keep one.")
    return tidied


def histories(table: pl.DataFrame, columns: Columns, step: timedelta | None = None) -> dict[str, History]:
    """Return one history per series; an interval is known when it is over, a covariate since ever."""
    step = step or _resolution(table, columns)
    return {
        str(name): _history(rows, columns, step, number)
        for number, ((name,), rows) in enumerate(table.partition_by("series", as_dict=True).items())
    }


def spoken(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Return a table with its times as the user's table had them."""
    local = pl.col(columns.time).dt.convert_time_zone(columns.time_zone)
    return table.with_columns(local.dt.replace_time_zone(None) if columns.is_naive else local)


def as_given(table: pl.DataFrame, *, is_pandas: bool) -> Any:  # noqa: ANN401 - as given
    """Return a table as the kind that came in."""
    if not is_pandas:
        return table
    import pandas as pd  # noqa: PLC0415 - whoever gives a pandas frame has it

    return pd.DataFrame({name: table[name].to_numpy() for name in table.columns})


def _history(rows: pl.DataFrame, columns: Columns, step: timedelta, number: int) -> History:
    channel, prefix = f"series.{number}.target", f"series.{number}"
    parts: list[pl.DataFrame] = []
    end = rows["time"].max()
    if columns.target in rows.columns:
        known = rows.drop_nulls(columns.target)
        end = known["time"].max()
        parts.append(_readings(known, channel, columns.target, pl.col("time") + step))
    parts += [
        _readings(rows, f"{prefix}.{HOURLY.get(name, name)}", name, pl.lit(ALWAYS)) for name in columns.covariates
    ]
    context = Context(
        channel,
        columns.time_zone,
        columns.holidays,
        resolution=step,
        weather=((prefix, 1.0),) if columns.covariates else (),
        operator=None,
    )
    assert isinstance(end, datetime)  # noqa: S101 - no series is without rows
    return History(end + step, context, Readings.validate(pl.concat(parts)), Forecasts.create_empty())


def _readings(rows: pl.DataFrame, channel: str, name: str, available_at: pl.Expr) -> pl.DataFrame:
    return rows.select(
        pl.lit(channel).alias("channel"),
        "time",
        available_at.cast(_INSTANT).alias("available_at"),
        pl.col("time").alias("recorded_at"),
        pl.col(name).alias("value"),
        pl.lit(int(Quality.GOOD), pl.Int16).alias("quality"),
    )


def _instants(table: pl.DataFrame, columns: Columns) -> pl.Expr:
    """Return the times in UTC; of an hour that comes twice the first row is the first pass."""
    kind = table[columns.time].dtype
    times = pl.col(columns.time)
    if kind == pl.String:
        times = times.str.to_datetime(time_unit="us", strict=False)
        kind = table.select(times)[columns.time].dtype
    if not isinstance(kind, pl.Datetime | pl.Date):
        raise InvalidInput(columns.time, str(kind), "not times", remedy="Cast the column to datetimes first.")
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return times.dt.convert_time_zone("UTC").cast(_INSTANT)
    nth = pl.int_range(pl.len()).over(columns.series, columns.time)
    passes = pl.when(nth == 0).then(pl.lit("earliest")).otherwise(pl.lit("latest"))
    naive = times.cast(pl.Datetime("us"))
    return naive.dt.replace_time_zone(columns.time_zone, ambiguous=passes, non_existent="null").dt.convert_time_zone(
        "UTC"
    )


def _resolution(table: pl.DataFrame, columns: Columns) -> timedelta:
    """Return the most common step between the rows of a series: an hour or a part of it."""
    steps = table.select(pl.col("time").diff().over("series"))["time"].drop_nulls()
    step = steps.mode().min()
    if not isinstance(step, timedelta):
        raise InvalidInput(columns.time, table.height, "too few rows", remedy="Give at least two weeks of intervals.")
    if step > HOUR or HOUR % step:
        raise InvalidInput(columns.time, str(step), "steps of an hour or a part of it", remedy="Resample to hours.")
    return step
