"""Any CSV or Parquet table with a time and a value column, into any channel.

What a file cannot say by itself is asked of the caller: the unit, and the time zone where the times have none. Naive
local times keep the order of the file through the autumn hour that comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT, Readings
from watthour.core.units import Quantity, Unit, conversion, units_of
from watthour.core.window import DAY, HOUR
from watthour.sources.delivery import deliver, split_unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

TIME_NAMES = ("time", "timestamp", "datetime", "ts", "ds", "period", "date", "time_utc", "timestamp_utc", "utc_time")
VALUE_NAMES = (
    *("value", "y", "load", "demand", "demand_mwh", "mw", "mwh"),
    *("power", "watts", "active_power", "aggregate", "energy", "kwh", "consumption"),
)
GAPS = ("", "na", "n/a", "nan", "null", "none", "-")  # how tables write a missing value


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a table's columns become readings of one channel."""

    unit: Unit
    time_column: str | None = None  # None: the one with a usual name
    value_column: str | None = None
    time_zone: str | None = None  # of times written without an offset
    named_by: Literal["start", "end"] = "start"  # which end of its interval a time names
    published_after: timedelta = timedelta(0)  # from the interval's end to when the value could be known


@dataclass(frozen=True, slots=True)
class CsvSource:
    """One table file as a source."""

    path: Path
    site: Site
    channel: Channel
    mapping: Mapping

    @property
    def name(self) -> str:
        """The file's own name."""
        return f"csv:{self.path.name}"

    def sites(self) -> Sequence[Site]:
        """Return the site the channel belongs to."""
        return (self.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the one channel."""
        return (self.channel,)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the rows of the file in the window; see ``parse_table`` for what is refused."""
        readings, refused = parse_table(read_table(self.path), self.channel, self.mapping)
        return deliver(
            self.name,
            window,
            readings=readings,
            refused=refused,
            now=now,
            watched_from=watched_from,
            schema=Readings,  # a table may hold what is known ahead, such as prices
        )


def read_table(path: Path) -> pl.DataFrame:
    """Read a CSV (every column as text, so that nothing is guessed) or Parquet file.

    Raises:
        InvalidInput: no such file, or not a table.
    """
    if not path.is_file():
        raise InvalidInput("file", str(path), "there is no such file", remedy="Check the path.")
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        problem = f"it cannot be read as a table ({error})"
        raise InvalidInput("file", str(path), problem, remedy="Give a CSV with a header row, or Parquet.") from error


def parse_table(table: pl.DataFrame, channel: Channel, mapping: Mapping) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn a table into parsed readings of one channel, and the rows that cannot be with the rule they broke.

    Rules: ``time_exists`` (a local time skipped by the clock), ``time_is_unique``, ``time_goes_forward``,
    ``time_is_readable``, ``value_is_a_number``.

    Raises:
        InvalidInput: a column is missing, the unit cannot be turned into the channel's, or a time zone is needed.
    """
    time_column = _column(table, mapping.time_column, TIME_NAMES, "time")
    value_column = _column(table, mapping.value_column, VALUE_NAMES, "value")
    factor, offset = _conversion(mapping.unit, channel)
    shift = channel.resolution if mapping.named_by == "end" else timedelta(0)
    text = pl.col(value_column).cast(pl.String).str.strip_chars()
    rows = _with_times(table.select(raw_time=pl.col(time_column), text=text), mapping).with_columns(
        channel=pl.lit(channel.id),
        raw=pl.when(pl.col("text").str.to_lowercase().is_in(GAPS)).then(None).otherwise(pl.col("text")),
        row=pl.struct(pl.col("raw_time").cast(pl.String).alias(time_column), pl.col("text").alias(value_column))
        .struct.json_encode(),
    )  # fmt: skip
    good, refused = split_unreadable(rows, _broken_times(rows["time"]))
    readings = good.select("channel", pl.col("time") - shift, pl.col("value") * factor + offset).with_columns(
        published=pl.col("time") + channel.resolution + mapping.published_after
    )
    return readings, refused


def most_common_step(table: pl.DataFrame, mapping: Mapping, *, fewest: int = 3) -> timedelta | None:
    """Return the step that most rows of a table keep, None where fewer times than ``fewest`` can be read.

    Raises:
        InvalidInput: the step does not divide a day.
    """
    column = _column(table, mapping.time_column, TIME_NAMES, "time")
    times = _with_times(table.select(raw_time=pl.col(column)), mapping)["time"].drop_nulls().unique().sort()
    if times.len() < fewest:
        return None
    step: timedelta = times.diff().drop_nulls().mode().sort().first()  # type: ignore[assignment]  # a duration
    if DAY % step:
        problem = "most of its rows keep no step that divides a day"
        raise InvalidInput("file", str(step), problem, remedy="Resample it to minutes that divide a day, or to days.")
    return step


def _column(table: pl.DataFrame, wanted: str | None, usual: Sequence[str], what: str) -> str:
    if wanted is not None:
        if wanted in table.columns:
            return wanted
        raise InvalidInput(
            f"{what}_column", wanted, "the file has no such column", remedy=f"It has: {', '.join(table.columns)}."
        )
    found = [name for name in table.columns if name.strip().lower() in usual]
    if len(found) == 1:
        return found[0]
    problem = "several columns could be meant" if found else "no column has a usual name"
    raise InvalidInput(
        f"{what}_column",
        ", ".join(found or table.columns),
        problem,
        remedy=f"Name one with --{what}-column; the file has: {', '.join(table.columns)}.",
    )


def _conversion(unit: Unit, channel: Channel) -> tuple[float, float]:
    """Return factor and offset to the channel's unit; the mean power of an interval is its energy, and the reverse."""
    hours = channel.resolution / HOUR
    power, energy = units_of(Quantity.POWER), units_of(Quantity.ENERGY)
    if unit in power and channel.unit in energy:
        return conversion(unit, Unit.KW)[0] * hours * conversion(Unit.KWH, channel.unit)[0], 0.0
    if unit in energy and channel.unit in power:
        return conversion(unit, Unit.KWH)[0] / hours * conversion(Unit.KW, channel.unit)[0], 0.0
    try:
        return conversion(unit, channel.unit)
    except ValueError as error:
        raise InvalidInput(
            "unit", str(unit), f"{error}", remedy=f"{channel.id} is kept in {channel.unit}; name the file's unit."
        ) from error


def _with_times(rows: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Add ``time`` (UTC) and ``is_skipped``, a local time that the clock jumped over."""
    kind = rows.schema["raw_time"]
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return rows.with_columns(pl.col("raw_time").cast(INSTANT).alias("time"), is_skipped=pl.lit(value=False))
    if kind == pl.String:
        text = pl.col("raw_time").str.strip_chars().str.replace(r"^(\d{4}-\d\d-\d\d)[ T](\d\d)(Z|$)", "${1}T${2}:00$3")
        has_offset = text.str.contains(r"(Z|[+-]\d\d:?\d\d)$") & text.str.contains(":")
        if rows.select((has_offset & text.is_not_null()).all()).item() and rows.height:
            aware = text.str.replace("Z$", "+00:00").str.replace(" ", "T")
            return rows.with_columns(
                pl.coalesce(
                    aware.str.to_datetime(form, time_unit="us", strict=False).dt.convert_time_zone("UTC")
                    for form in ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M%:z")
                ).alias("time"),
                is_skipped=pl.lit(value=False),
            )
        plain = text.str.replace("T", " ")
        forms = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%Y-%m-%d")
        naive = pl.coalesce(plain.str.to_datetime(form, time_unit="us", strict=False) for form in forms)
    else:
        naive = pl.col("raw_time").cast(pl.Datetime("us"), strict=False)
    return _localised(rows.with_columns(naive=naive), mapping.time_zone)


def _localised(rows: pl.DataFrame, time_zone: str | None) -> pl.DataFrame:
    if time_zone is None:
        first = rows["raw_time"].first() if rows.height else None
        raise InvalidInput(
            "time_zone",
            first,
            "the file's times carry no time zone, so each could be off by hours",
            remedy="Say it with --time-zone, such as America/New_York or UTC.",
        )
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(
            "time_zone", time_zone, "no such time zone", remedy="Use an IANA name such as America/New_York."
        ) from error
    newest_first = _falls(rows["naive"])
    first_pass = pl.col("naive").dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    second_pass = pl.col("naive").dt.replace_time_zone(time_zone, ambiguous="latest", non_existent="null")
    return rows.with_columns(
        # The repeated hour: its second appearance in the file is the second pass of the clock.
        pl.when(pl.col("naive").cum_count(reverse=newest_first).over("naive") > 1)
        .then(second_pass.cast(INSTANT))
        .otherwise(first_pass.cast(INSTANT))
        .alias("time"),
        is_skipped=pl.col("naive").is_not_null() & first_pass.is_null(),
    ).drop("naive")


def _broken_times(times: pl.Series) -> dict[str, pl.Expr]:
    """Return the rules on times; a file sorted newest first is as good as oldest first."""
    newest_first = _falls(times)
    time = pl.col("time").reverse() if newest_first else pl.col("time")
    is_backward = time < time.cum_max().shift(1)
    is_backward = is_backward.reverse() if newest_first else is_backward
    return {
        "time_exists": pl.col("is_skipped"),
        "time_is_unique": pl.col("time").is_not_null() & ~pl.col("time").is_first_distinct(),
        "time_goes_forward": is_backward.fill_null(value=False),
    }


def _falls(times: pl.Series) -> bool:
    seconds = times.diff().drop_nulls().dt.total_seconds()
    return int((seconds < 0).sum()) > seconds.len() / 2
