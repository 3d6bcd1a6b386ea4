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
from watthour.core.window import DAY, MONTH, step_in_words
from watthour.forecasting.calendar import CALENDAR_OF_ALL
from watthour.forecasting.steps import MONTH_US, later_starts
from watthour.forecasting.text_times import parsed
from watthour.forecasting.vintages import datetimes, instants
from watthour.forecasting.weather import HOURLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.place import Place

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # a covariate known in advance was known since
_ROWS_THAT_SHOW_A_STEP = 48  # of a series; with fewer, its gaps may be what is common
_OWN_FEATURES = ("demand_", "operator_")  # how the names of features begin that are made here


@dataclass(frozen=True, slots=True)
class Columns:
    """What a table's columns are called, and where its meter is."""

    series: str
    time: str
    target: str
    covariates: tuple[str, ...]
    place: Place
    companions: tuple[str, ...] = ()
    is_naive: bool = True
    has_month_ends: bool = False  # months are named by their last day

    @property
    def time_zone(self) -> str:
        """The clock of naive times, and of the calendar."""
        return self.place.time_zone


def as_polars(frame: Any, columns: Columns | None = None) -> pl.DataFrame:  # noqa: ANN401 - pandas is not imported here
    """Return a polars or pandas frame as polars; a pandas one column by column, without Arrow.

    Of a pandas frame the index counts as columns where it is named like one that is missing; an index of times without
    a name is the column of times.

    Args:
        frame: a polars or pandas table, or one pandas series with its times as the index.
        columns: what the table's columns should be called; None leaves the index out.

    Raises:
        InvalidInput: it is neither, or two columns have the same name.
    """
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if columns is not None and not hasattr(frame, "columns") and hasattr(frame, "to_frame") and hasattr(frame, "index"):
        frame = frame.to_frame(columns.target)
    if not hasattr(frame, "columns") or not hasattr(frame, "to_numpy"):
        raise InvalidInput("frame", type(frame).__name__, "not a table", remedy="Give a polars or pandas DataFrame.")
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput("frame", names, f"two columns are called {', '.join(twice)}", remedy="Rename one of them.")
    index = {} if columns is None else _index_columns(frame.index, columns, names)
    return pl.DataFrame({**index, **{str(name): _column(frame[name], str(name)) for name in frame.columns}})


def _index_columns(index: Any, columns: Columns, names: Sequence[str]) -> dict[str, pl.Series]:  # noqa: ANN401 - of pandas
    """Return the levels of a pandas index that stand for columns which are missing."""
    found: dict[str, pl.Series] = {}
    for number in range(index.nlevels):
        values = index.get_level_values(number)
        name = values.name
        if name is None and str(values.dtype).startswith("datetime64"):
            name = columns.time
        if name in (columns.time, columns.series) and name not in names:
            found[name] = _column(values.to_series(), name)
    return found


def _column(column: Any, name: str) -> pl.Series:  # noqa: ANN401 - of pandas
    """Return a pandas column as polars has it."""
    if getattr(column.dtype, "tz", None) is not None:
        naive = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return pl.Series(name, naive).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    values = column.to_numpy()
    if values.dtype == object:  # text, or numbers with pandas' own mark of a missing one
        missing = column.isna().to_numpy()
        return pl.Series(name, [None if gap else one for one, gap in zip(values, missing, strict=True)], strict=False)
    return pl.Series(name, values)


def tidy(table: pl.DataFrame, columns: Columns, *, is_future: bool = False) -> pl.DataFrame:
    """Return ``series, time`` in UTC, the target and the covariates as numbers, sorted; says what is wrong with it.

    Raises:
        InvalidInput: there is no row, or a column is missing, holds text, or has the same time twice.
    """
    table = _with_numbers(table, columns, is_future=is_future)
    table = _with_times(table, columns)
    if columns.has_month_ends:
        table = table.with_columns(_on_the_wall(table[columns.time], columns).dt.month_start())
    measured = (columns.target, *columns.companions)
    numbers = [name for name in (*measured, *columns.covariates) if name in table.columns]
    numbers = [name for name in numbers if not (is_future and name in measured)]
    has_series = columns.series in table.columns
    if not has_series:
        table = table.with_columns(pl.lit(columns.target).alias(columns.series))
    tidied = table.select(
        pl.col(columns.series).cast(pl.String).fill_null(columns.target).alias("series"),
        _instants(table, columns).alias("time"),
        *[pl.col(name).cast(pl.Float64).fill_nan(None) for name in numbers],
    )
    if tidied["time"].null_count():
        lost = table.filter(tidied["time"].is_null())[columns.time][0]
        raise InvalidInput(
            columns.time,
            str(lost),
            f"this time does not exist in {columns.time_zone}, where the clocks are put forward",
            remedy="Drop those rows or, if the times are in another time zone, name it: DayAhead(time_zone='UTC').",
        )
    tidied = tidied.sort("series", "time")
    twice = tidied.filter(tidied.select("series", "time").is_duplicated())
    if twice.height:
        first = as_in_table(twice.head(1), columns, ["time"]).row(0, named=True)
        own = f"'{columns.series}', " if has_series else ""
        remedy = f"Keep one row of each time: frame.unique([{own}'{columns.time}']) in polars."
        if twice.select("series", "time").unique().height > 1:
            remedy += f" If they are two series of one name, give each its own in the column {columns.series}."
        raise InvalidInput(columns.time, str(first["time"]), f"occurs twice in {first['series']}", remedy=remedy)
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
        InvalidInput: there are too few rows, or they are no step apart.
    """
    step = step or _resolution(table, columns)
    names = list(dict.fromkeys([*names, *table["series"].unique(maintain_order=True)]))
    numbered = table.with_columns(
        number=pl.col("series").replace_strict(names, range(len(names)), return_dtype=pl.Int64),
        end=interval_ends(table["time"], step, columns.time_zone),
    )
    parts = [
        _readings(numbered.drop_nulls(name), channel, name, available_at)
        for channel, name, available_at in _values(numbered, columns)
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
    companions = tuple(_channel_id(k, "companion").format(number) for k in range(len(columns.companions)))
    return Context(site, target, covariates, companions=companions)


def interval_ends(times: pl.Series, step: timedelta, time_zone: str) -> pl.Series:
    """Return when each interval is over; a day ends at the next local midnight."""
    return datetimes(later_starts(instants(times), 1, step // timedelta(microseconds=1), time_zone))


def as_in_table(table: pl.DataFrame, columns: Columns, times: Sequence[str] | None = None) -> pl.DataFrame:
    """Return a table with its times as the user's table had them."""
    local = pl.col(list((columns.time,) if times is None else times)).dt.convert_time_zone(columns.time_zone)
    if columns.has_month_ends:
        local = local.dt.month_end()
    return table.with_columns(local.dt.replace_time_zone(None) if columns.is_naive else local)


def as_given(table: pl.DataFrame, *, is_pandas: bool) -> Any:  # noqa: ANN401 - as given
    """Return a table as the kind that came in."""
    if not is_pandas:
        return table
    import pandas as pd  # whoever gives a pandas frame has it

    made = pd.DataFrame({name: table[name].to_numpy() for name in table.columns})
    for name, kind in table.schema.items():
        if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
            made[name] = made[name].dt.tz_localize("UTC").dt.tz_convert(kind.time_zone)
    return made


def _channel_id(number: int | None, kind: str = "covariate") -> str:
    return "series.{}.target" if number is None else f"series.{{}}.{kind}_{number}"


def _values(table: pl.DataFrame, columns: Columns) -> list[tuple[str, str, pl.Expr]]:
    """Return the columns with values: their channel, their name, and when their values become known."""
    covariates = [(_channel_id(k), name, pl.lit(ALWAYS)) for k, name in enumerate(columns.covariates)]
    companions = [(_channel_id(k, "companion"), name, pl.col("end")) for k, name in enumerate(columns.companions)]
    measured = [(_channel_id(None), columns.target, pl.col("end")), *companions]
    return [*(each for each in measured if each[1] in table.columns), *covariates]


def _readings(rows: pl.DataFrame, channel: str, name: str, available_at: pl.Expr) -> pl.DataFrame:
    return rows.select(
        pl.format(channel, "number").alias("channel"),
        "time",
        available_at.cast(INSTANT).alias("available_at"),
        pl.col("time").alias("recorded_at"),
        pl.col(name).alias("value"),
        pl.lit(int(Quality.GOOD), pl.Int16).alias("quality"),
    )


def _with_numbers(table: pl.DataFrame, columns: Columns, *, is_future: bool) -> pl.DataFrame:
    """Return the table with its target and covariates as numbers; says which of them are missing or none."""
    if table.is_empty():
        raise InvalidInput(
            "future" if is_future else "frame",
            table.columns,
            "it has no rows",
            remedy="Give the covariates of the intervals to forecast."
            if is_future
            else "Give at least two weeks of intervals.",
        )
    numbers = [*([] if is_future else [columns.target, *columns.companions]), *columns.covariates]
    missing = [name for name in (columns.time, *numbers) if name not in table.columns]
    if missing:
        raise InvalidInput(
            "future" if is_future else "frame",
            table.columns,
            f"no column {', '.join(missing)}",
            remedy="Name the columns: DayAhead(time=..., target=..., series=...).",
        )
    for name in columns.covariates:
        if name in CALENDAR_OF_ALL or name.startswith(_OWN_FEATURES):
            raise InvalidInput(
                "covariates", name, "Watthour uses this name for a feature of its own", remedy="Rename the column."
            )
    return table.with_columns(_number(table[name]) for name in numbers)


def _number(column: pl.Series) -> pl.Series:
    """Return a column as numbers; text counts where every row of it is a plain number."""
    found = column
    if column.dtype in (pl.String, pl.Categorical):
        text = column.cast(pl.String).str.strip_chars()
        found = text.cast(pl.Float64, strict=False)
        unread = text.filter(found.is_null() & text.is_not_null() & (text != ""))
        if len(unread):
            raise InvalidInput(
                column.name,
                unread[0],
                f"{len(unread)} of {len(text)} rows contain text such as this instead of numbers",
                remedy="Use a decimal point and no thousands separator, and leave unknown values empty.",
            )
    elif not (column.dtype.is_numeric() or column.dtype in (pl.Null, pl.Boolean)):
        raise InvalidInput(column.name, str(column.dtype), "not numbers", remedy="Cast the column to numbers first.")
    numbers = found.cast(pl.Float64)
    if (endless := numbers.is_infinite().fill_null(value=False)).any():
        raise InvalidInput(
            column.name,
            float(numbers.filter(endless)[0]),
            f"row {int(endless.arg_true()[0])} is infinite",
            remedy="Replace it with null, which means that the value is unknown.",
        )
    return numbers


def _with_times(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Return the table with its column of times as times, whatever it was written as."""
    times = table[columns.time]
    if times.dtype in (pl.String, pl.Categorical):
        times = parsed(times.cast(pl.String))
    if not isinstance(times.dtype, pl.Datetime | pl.Date):
        remedy = "Cast the column to datetimes first."
        if times.dtype.is_integer():
            remedy = "If they count seconds since 1970, convert them: pl.from_epoch or pd.to_datetime(unit='s')."
        raise InvalidInput(columns.time, str(times.dtype), "not times", remedy=remedy)
    if times.null_count():
        row = int(times.is_null().arg_true()[0])
        raise InvalidInput(columns.time, None, f"row {row} has no time", remedy="Drop the rows without a time.")
    return table.with_columns(times.alias(columns.time))


def has_naive_times(table: pl.DataFrame, columns: Columns) -> bool:
    """Tell whether the times of a table are those of a clock on the wall, without a zone or an offset."""
    return getattr(_with_times(table, columns).schema[columns.time], "time_zone", None) is None


def has_month_ends(table: pl.DataFrame, columns: Columns) -> bool:
    """Tell whether every row stands at midnight of the last day of a month, in more than one month."""
    times = _on_the_wall(_with_times(table, columns)[columns.time], columns)
    days = times.dt.date()
    return bool((times.dt.time() == time()).all() and (days == days.dt.month_end()).all() and days.n_unique() > 1)


def _on_the_wall(times: pl.Series, columns: Columns) -> pl.Series:
    """Return times as the clock of the place shows them."""
    if getattr(times.dtype, "time_zone", None) is not None:
        times = times.dt.convert_time_zone(columns.time_zone).dt.replace_time_zone(None)
    return times.cast(pl.Datetime("us"))


def _instants(table: pl.DataFrame, columns: Columns) -> pl.Expr:
    """Return the times in UTC; of an hour that comes twice the first row is the first pass."""
    kind = table[columns.time].dtype
    times = pl.col(columns.time)
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return times.dt.convert_time_zone("UTC").cast(INSTANT)
    nth = pl.int_range(pl.len()).over(columns.series, columns.time)
    passes = pl.when(nth == 0).then(pl.lit("earliest")).otherwise(pl.lit("latest"))
    naive = times.cast(pl.Datetime("us"))
    return naive.dt.replace_time_zone(columns.time_zone, ambiguous=passes, non_existent="null").dt.convert_time_zone(
        "UTC"
    )


def _resolution(table: pl.DataFrame, columns: Columns) -> timedelta:
    """Return the most common step between the rows of a series: a part of a day, whole days, or calendar months.

    Days and months begin at local midnights.
    """
    table = table.with_columns(local=pl.col("time").dt.convert_time_zone(columns.time_zone))
    is_midnight = table["local"].dt.time() == time()
    apart = pl.col("time").diff()
    if is_midnight.all():
        apart = pl.col("local").dt.date().diff().cast(pl.Duration("us"))
        if (table["local"].dt.day() == 1).all():
            month = 12 * pl.col("local").dt.year().cast(pl.Int64) + pl.col("local").dt.month()
            apart = (month.diff() * MONTH_US).cast(pl.Duration("us"))
    own = table.group_by("series", maintain_order=True).agg(apart.alias("apart"), n=pl.len())
    step = own["apart"].explode().drop_nulls().mode().min()
    if not isinstance(step, timedelta):
        raise InvalidInput(columns.time, table.height, "too few rows", remedy="Give at least two weeks of intervals.")
    if step > MONTH and step % MONTH == timedelta(0):
        n_months = step // MONTH
        problem = f"the rows are {n_months} months apart, and the longest step is a calendar month"
        remedy = (
            f"Give a row for every month; if only totals of {n_months} months are known, divide each by {n_months}, "
            f"give that to each of its months, and add up {n_months} months of the forecast."
        )
        raise InvalidInput(columns.time, f"{n_months} months", problem, remedy=remedy)
    check_resolution(step)
    own = own.with_columns(step=pl.col("apart").list.eval(pl.element().drop_nulls().mode().min()).list.first())
    other = own.filter(pl.col("step") != step, pl.col("n") >= _ROWS_THAT_SHOW_A_STEP)
    if other.height:
        name, its_step = other["series"][0], step_in_words(other["step"][0])
        problem = f"the intervals of {name} are {its_step} long, but those of other series {step_in_words(step)}"
        raise InvalidInput(columns.time, its_step, problem, remedy="Fit one table for each length of interval.")
    if step >= DAY and not is_midnight.all():
        first = cast("datetime", table["time"].filter(~is_midnight)[0])
        problem = f"days begin at midnight in {columns.time_zone}"
        raise InvalidInput(
            columns.time,
            str(first),
            problem,
            remedy="Name the time zone of the table: DayAhead(time_zone=...).",
        )
    if DAY < step < MONTH or step > MONTH:
        _check_whole_steps(table, step, columns)
    return step


def _check_whole_steps(table: pl.DataFrame, step: timedelta, columns: Columns) -> None:
    """Refuse rows of a series that are not whole steps of several days apart."""
    late = (pl.col("local").dt.date() - pl.col("local").dt.date().first()).over("series").dt.total_days() % step.days
    odd = table.filter(late != 0)
    if odd.height:
        day = odd["local"].dt.date()[0]
        problem = f"most rows of {odd['series'][0]} are {step.days} days apart, and this one stands between"
        remedy = f"Give rows that are {step.days} days apart, or one row for every day."
        raise InvalidInput(columns.time, str(day), problem, remedy=remedy)
