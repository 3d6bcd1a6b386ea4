"""Plain tables from outside, made into histories, and forecasts made into plain tables again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.forecast import Context, Covariate, History, check_resolution
from watthour.core.frames import INSTANT, Forecasts, Quality, Readings
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY
from watthour.forecasting.calendar import CALENDAR
from watthour.forecasting.weather import HOURLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.place import Place

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # a covariate known in advance was known since
_OWN_FEATURES = ("demand_", "operator_")  # how the names of features begin that are made here


@dataclass(frozen=True, slots=True)
class Columns:
    """What a table's columns are called, and where its meter is."""

    series: str
    time: str
    target: str
    covariates: tuple[str, ...]
    place: Place
    is_naive: bool = True

    @property
    def time_zone(self) -> str:
        """The clock of naive times, and of the calendar."""
        return self.place.time_zone


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
        InvalidInput: there is no row, or a column is missing, holds text, or has the same time twice.
    """
    numbers = _numbers(table, columns, is_future=is_future)
    if columns.series not in table.columns:
        table = table.with_columns(pl.lit(columns.target).alias(columns.series))
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
            remedy="Drop those rows, or name the time zone of the times: DayAhead(time_zone='UTC').",
        )
    twice = tidied.filter(tidied.select("series", "time").is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        raise InvalidInput(columns.time, str(first["time"]), f"occurs twice in {first['series']}", remedy="Keep one.")
    return tidied


def histories(
    table: pl.DataFrame, columns: Columns, step: timedelta | None = None, names: Sequence[str] = ()
) -> dict[str, History]:
    """Return one history per series, up to its last known target.

    An interval is known when it is over, a covariate since ever.

    Args:
        table: of ``tidy``.
        columns: of it.
        step: of the intervals; None finds it in the table.
        names: the series that are known already, in the order of their channels.

    Raises:
        InvalidInput: there are too few rows, or the step does not divide a day.
    """
    step = step or _resolution(table, columns)
    names = list(dict.fromkeys([*names, *table["series"].unique(maintain_order=True)]))
    numbered = table.with_columns(
        number=pl.col("series").replace_strict(names, range(len(names)), return_dtype=pl.Int64),
        end=interval_end(step, columns.time_zone),
    )
    parts = [
        _readings(numbered.drop_nulls(name), _channel_id(k), name, available_at)
        for k, name, available_at in _values(numbered, columns)
    ]
    readings = Readings.validate(pl.concat(parts))
    of_series = readings.with_columns(number=pl.col("channel").str.extract(r"\.(\d+)\.").cast(pl.Int64)).partition_by(
        "number", as_dict=True, include_key=False
    )
    known = numbered.drop_nulls(columns.target) if columns.target in table.columns else numbered
    ends = dict(known.group_by("number").agg(pl.col("end").max()).iter_rows())
    return {
        name: History(
            ends.get(number, ALWAYS),
            context_of(name, number, columns, step),
            Readings.cast(of_series.get((number,), readings.clear())),
            Forecasts.create_empty(),
        )
        for number, name in enumerate(names)
    }


def context_of(name: str, number: int, columns: Columns, step: timedelta) -> Context:
    """Return what is known of a series beyond its rows: a meter of its own, and the columns known ahead.

    A plain table does not say what its numbers are. The channel carries them as energy in kWh; nothing of that is
    shown, no forecast depends on it, and what comes out is in the unit that came in.
    """
    site = Site(f"series_{number}", name, SiteKind.HOME, columns.place)
    target = Channel(_channel_id(None).format(number), site.id, Quantity.ENERGY, Unit.KWH, step)
    covariates = tuple(
        Covariate(_channel_id(k).format(number), HOURLY.get(covariate, covariate))
        for k, covariate in enumerate(columns.covariates)
    )
    return Context(site, target, covariates)


def interval_end(step: timedelta, time_zone: str) -> pl.Expr:
    """Return when each interval is over; a day ends at the next local midnight."""
    if step < DAY:
        return pl.col("time") + step
    return pl.col("time").dt.convert_time_zone(time_zone).dt.offset_by("1d").dt.convert_time_zone("UTC").cast(INSTANT)


def as_in_table(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Return a table with its times as the user's table had them."""
    local = pl.col(columns.time).dt.convert_time_zone(columns.time_zone)
    return table.with_columns(local.dt.replace_time_zone(None) if columns.is_naive else local)


def as_given(table: pl.DataFrame, *, is_pandas: bool) -> Any:  # noqa: ANN401 - as given
    """Return a table as the kind that came in."""
    if not is_pandas:
        return table
    import pandas as pd  # whoever gives a pandas frame has it

    return pd.DataFrame({name: table[name].to_numpy() for name in table.columns})


def _channel_id(covariate: int | None) -> str:
    return "series.{}.target" if covariate is None else f"series.{{}}.covariate_{covariate}"


def _values(table: pl.DataFrame, columns: Columns) -> list[tuple[int | None, str, pl.Expr]]:
    """Return the columns with values: which covariate it is, its name, and when its values become known."""
    covariates = [(k, name, pl.lit(ALWAYS)) for k, name in enumerate(columns.covariates)]
    return [*([(None, columns.target, pl.col("end"))] if columns.target in table.columns else []), *covariates]


def _readings(rows: pl.DataFrame, channel: str, name: str, available_at: pl.Expr) -> pl.DataFrame:
    return rows.select(
        pl.format(channel, "number").alias("channel"),
        "time",
        available_at.cast(INSTANT).alias("available_at"),
        pl.col("time").alias("recorded_at"),
        pl.col(name).alias("value"),
        pl.lit(int(Quality.GOOD), pl.Int16).alias("quality"),
    )


def _numbers(table: pl.DataFrame, columns: Columns, *, is_future: bool) -> list[str]:
    """Return the names of the columns of numbers, all of them there and usable."""
    if table.is_empty():
        raise InvalidInput("frame", table.columns, "it has no rows", remedy="Give at least two weeks of intervals.")
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
    for name in columns.covariates:
        if name in CALENDAR or name.startswith(_OWN_FEATURES):
            raise InvalidInput("covariates", name, "a feature of this name is made here", remedy="Rename the column.")
    return numbers


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
        return times.dt.convert_time_zone("UTC").cast(INSTANT)
    nth = pl.int_range(pl.len()).over(columns.series, columns.time)
    passes = pl.when(nth == 0).then(pl.lit("earliest")).otherwise(pl.lit("latest"))
    naive = times.cast(pl.Datetime("us"))
    return naive.dt.replace_time_zone(columns.time_zone, ambiguous=passes, non_existent="null").dt.convert_time_zone(
        "UTC"
    )


def _resolution(table: pl.DataFrame, columns: Columns) -> timedelta:
    """Return the most common step between the rows of a series: one that divides a day, or a day from midnight on."""
    steps = table.select(pl.col("time").diff().over("series"))["time"].drop_nulls()
    step = steps.mode().min()
    if not isinstance(step, timedelta):
        raise InvalidInput(columns.time, table.height, "too few rows", remedy="Give at least two weeks of intervals.")
    check_resolution(step)
    clock = table["time"].dt.convert_time_zone(columns.time_zone).dt.time()
    if step == DAY and (clock != time()).any():
        first = cast("datetime", table["time"].filter(clock != time())[0])
        problem = f"days begin at midnight in {columns.time_zone}"
        raise InvalidInput(
            columns.time, str(first), problem, remedy="Name the time zone of the times: DayAhead(time_zone=...)."
        )
    return step
