"""Any CSV or Parquet table with a time and a value column, into any channel.

Its layout is recognised (see ``tables``). What a file cannot say by itself is asked of the caller, such as the time
zone where its times have none. Local times keep the order of the file through the autumn hour that comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import TYPE_CHECKING, Literal

import polars as pl

from watthour.core.channel import SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.frames import OPERATOR, Quality, Readings
from watthour.core.units import Quantity, Unit, conversion, units_of
from watthour.core.window import DAY, HOUR, step_in_words
from watthour.sources.delivery import PARSED_FORECASTS, day_ahead_issue, deliver, split_unreadable, without_unpublished
from watthour.sources.tables.cells import (
    MOST_ROWS,
    SEPARATORS,
    cells_by_parts,
    cells_of,
    is_long,
    made_of,
    read_cells,
    too_long,
)
from watthour.sources.tables.columns import Question
from watthour.sources.tables.meters import Meter, MeterWords, parse_meters
from watthour.sources.tables.statistics import is_statistics, statistics_table
from watthour.sources.tables.understand import Hints, Understood, falls, understand, understand_alike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Delivery
    from watthour.core.window import Window


@dataclass(frozen=True, slots=True)
class ForecastColumn:
    """Somebody's forecast in a table: its column (None: the values are the forecast), and when it was made."""

    column: str | None = None
    issued: str | None = None  # column of the times of issue
    clock: str | None = None  # where there is none: the local clock of the day before, such as 06:00; assumed

    def __post_init__(self) -> None:
        try:
            time.fromisoformat(self.clock or "00:00")
        except ValueError as error:
            problem = "this is not a time of day"
            raise InvalidInput("issued_at", self.clock, problem, remedy="Write it as 06:00.") from error


@dataclass(frozen=True, slots=True)
class CovariateColumn:
    """A column of what is known ahead, such as a forecast of the wind, and the channel that keeps it."""

    said: ForecastColumn
    unit: Unit
    channel: Channel


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a table's columns become readings of one channel; what is None is recognised."""

    unit: Unit | None = None
    time_column: str | None = None
    value_column: str | None = None
    time_zone: str | None = None  # of times written without an offset
    named_by: Literal["start", "end"] | None = None  # which end of its interval a time names
    published_after: timedelta = timedelta(0)  # from the interval's end to when the value could be known
    separator: str | None = None
    decimal: str | None = None
    date_order: str | None = None
    forecast: ForecastColumn | None = None
    covariates: tuple[CovariateColumn, ...] = ()
    meter: MeterWords | None = None  # None: the values are those of intervals

    @property
    def hints(self) -> Hints:
        """What is said of the layout."""
        return Hints(
            SEPARATORS.get(self.separator or "", self.separator),
            self.decimal,
            self.date_order,
            self.time_column,
            self.value_column,
            self.time_zone,
            self.named_by,
        )


def read_table(path: Path, mapping: Mapping, *, is_sample: bool = False) -> Understood:
    """Read a CSV or Parquet file and recognise its layout; of a large text, and of any long one, the beginning.

    Raises:
        InvalidInput: no such file, not a table, or no column holds times or values.
    """
    hints = mapping.hints.checked()
    cells = read_cells(path, hints.separator, is_sample=True)
    is_export = is_statistics(cells.names)
    if cells.n_lines is not None and not is_sample and (is_export or not is_long(path, cells)):
        cells = read_cells(path, hints.separator)
    if is_export:
        cells = made_of(cells, statistics_table(cells.names, cells.table, path.name))
    return understand(cells, hints)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the whole of a table says: readings, refused rows, and what a person is told of its meter."""

    readings: pl.DataFrame
    refused: pl.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CsvSource:
    """One table file as a source."""

    path: Path
    site: Site
    channel: Channel
    mapping: Mapping
    found: Understood | None = field(default=None, compare=False, repr=False)  # the table, where it was read already
    parsed: Parsed | None = field(
        default=None, compare=False, repr=False
    )  # likewise, of a file that was read to its end

    @property
    def name(self) -> str:
        """The file's own name."""
        return f"csv:{self.path.name}"

    def sites(self) -> Sequence[Site]:
        """Return the site the channel belongs to."""
        return (self.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the channel of the values, and those of what is known ahead."""
        return (self.channel, *(each.channel for each in self.mapping.covariates))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the rows of the file in the window; see ``parse_table`` for what is refused."""
        found = self.found or read_table(self.path, self.mapping)
        said = self.mapping.forecast
        parsed: list[pl.DataFrame] = []
        refused: list[pl.DataFrame] = []
        if said is None or said.column is not None:
            whole = self.parsed or self.parse([found])
            parsed.append(whole.readings)
            refused.append(whole.refused)
        issued: list[pl.DataFrame] = []
        columns = [(each.said, each.channel, replace(self.mapping, unit=each.unit)) for each in self.mapping.covariates]
        for each, channel, mapping in [*([(said, self.channel, self.mapping)] if said else []), *columns]:
            of_issue = replace(
                found.hints,
                value_column=each.column or found.value_column,
                issued_column=each.issued,
                time_zone=found.zone,
            )
            rows, bad = parse_table(understand(found.cells, of_issue), channel, mapping)
            refused.append(bad)
            issued.append(_issued(rows, each, self.site.place.time_zone, now=now))
        return deliver(
            self.name,
            window,
            # rows of a time ahead have what is known of it, and no value yet
            readings=(without_unpublished(parsed[0]) if issued else parsed[0]) if parsed else None,
            forecasts=pl.concat(issued) if issued else None,
            refused=pl.concat(refused),
            now=now,
            watched_from=watched_from,
            schema=Readings,  # a table may hold what is known ahead, such as prices
        )

    def read(self, progress: Callable[[int], None] | None = None) -> CsvSource:
        """Return the source with all that its table says, which is read part by part where the file is long.

        Raises:
            InvalidInput: a long file also holds forecasts, for which all of it must be looked at together.
        """
        found = self.found or read_table(self.path, self.mapping)
        if found.cells.n_lines is None:
            return replace(self, found=found, parsed=None if self.mapping.forecast else self.parse([found]))
        if self.mapping.forecast is not None or self.mapping.covariates:
            problem = "it is too long to be read together with its columns that are known ahead"
            raise InvalidInput("file", self.path.name, problem, remedy="Split it into files of a year.")
        is_sampled = self.mapping.meter is not None and self.mapping.meter.meter is not Meter.INTERVAL
        if found.cells.n_lines > MOST_ROWS and not is_sampled:
            raise too_long(self.path.name, found.cells.n_lines)
        parts = cells_by_parts(self.path, found.cells, progress)
        return replace(self, found=found, parsed=self.parse(understand_alike(each, found) for each in parts))

    def parse(self, parts: Iterable[Understood]) -> Parsed:
        """Return what the parts of the table say, in their order."""
        meter = self.mapping.meter
        if meter is not None and meter.meter is not Meter.INTERVAL and self.mapping.unit is not None:
            return Parsed(*parse_meters(parts, self.channel, self.mapping.unit, meter, self.site.place.time_zone))
        is_signed = meter is None or meter.is_signed or self.site.kind is not SiteKind.HOME
        tables = [parse_table(each, self.channel, self.mapping, is_signed=is_signed) for each in parts]
        if len(tables) == 1:
            return Parsed(*tables[0])
        readings, refused = pl.concat([rows for rows, _bad in tables]), pl.concat([bad for _rows, bad in tables])
        is_twice = ~pl.col("time").is_first_distinct()  # within a part such rows are refused already
        again = readings.filter(is_twice).select(
            "channel", rule=pl.lit("time_is_unique"), row=pl.struct("time", "value").struct.json_encode()
        )
        return Parsed(readings.filter(~is_twice), pl.concat([refused, again]))


def _issued(rows: pl.DataFrame, said: ForecastColumn, time_zone: str, *, now: datetime) -> pl.DataFrame:
    """Return values of a table as forecasts of somebody else, issued when the table says or at the clock assumed."""
    if said.issued is None:
        clock = time.fromisoformat(said.clock or "00:00")
        issued = day_ahead_issue(pl.col("time"), clock, time_zone, now=now)
        rows = rows.with_columns(issued_at=issued)
    forecasts = rows.with_columns(published=pl.col("issued_at"), model=pl.lit(OPERATOR))
    return forecasts.select(PARSED_FORECASTS.names())


def parse_table(
    table: pl.DataFrame | Understood, channel: Channel, mapping: Mapping, *, is_signed: bool = True
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn a table into parsed readings of one channel, and the rows that cannot be with the rule they broke.

    Rules: ``time_exists`` (a local time skipped by the clock), ``time_is_unique``, ``time_goes_forward``,
    ``time_is_readable``, ``value_is_a_number`` and, unless values may be negative, ``value_is_negative``.

    Raises:
        InvalidInput: a column is missing, the unit cannot be turned into the channel's, the table leaves something
            open, or a time zone is needed.
    """
    found = table if isinstance(table, Understood) else understand(cells_of(table), mapping.hints)
    for question in found.questions:
        raise question.error()
    unit = mapping.unit or found.unit
    if unit is None:
        raise unit_question(channel).error()
    factor, offset = conversion_of(unit, channel)
    rows = found.placed(found.zone, channel.resolution).with_columns(channel=pl.lit(channel.id))
    broken = broken_times(rows)
    if not is_signed:
        value = pl.col("raw").cast(pl.Float64, strict=False)
        broken["value_is_negative"] = value.is_finite() & (value < 0)
    good, refused = split_unreadable(rows, broken)
    issued = [name for name in ("issued_at",) if name in good.columns]
    marked = {"quality": pl.col("is_estimated") * int(Quality.ESTIMATED)} if "is_estimated" in good.columns else {}
    readings = good.select("channel", "time", pl.col("value") * factor + offset, *issued, **marked).with_columns(
        published=pl.col("time") + channel.resolution + mapping.published_after
    )
    return readings, refused


def step_of(found: Understood, *, fewest: int = 3) -> timedelta | None:
    """Return the step that most rows of a table keep, None where fewer times than ``fewest`` can be read.

    Raises:
        InvalidInput: the step does not divide a day.
    """
    zone = found.zone or ("UTC" if found.needs_zone else None)
    times = found.placed(zone)["time"].drop_nulls().unique().sort()
    if times.len() < fewest:
        return None
    step: timedelta = times.diff().drop_nulls().mode().sort().first()  # type: ignore[assignment]  # a duration
    if DAY % step:
        problem = "the time between its rows does not divide a day evenly"
        remedy = "Resample it to a step that divides a day evenly, such as 15 minutes or an hour, or to days."
        if step > DAY:
            remedy += " Weeks and months can be forecast in a notebook: `from watthour import DayAhead`."
        raise InvalidInput("step", step_in_words(step), problem, remedy=remedy)
    return step


def unit_question(channel: Channel | None) -> Question:
    """Return the question after the unit of a table whose header does not say it."""
    kept = f"{channel.id} is stored in {channel.unit}. " if channel is not None else ""
    units = ("MW", "kW", "W", "GW", "MWh", "kWh", "Wh", "GWh")
    return Question(
        "unit",
        "the file does not name the unit of its values",
        units,
        f"Give it with --unit. {kept}Units: {', '.join(Unit)}.",
    )


def conversion_of(unit: Unit, channel: Channel) -> tuple[float, float]:
    """Return factor and offset to the channel's unit; the mean power of an interval is its energy, and the reverse."""
    hours = channel.resolution / HOUR
    power, energy = (*units_of(Quantity.POWER), Unit.GW), (*units_of(Quantity.ENERGY), Unit.GWH, Unit.WH)
    if unit in power and channel.unit in energy:
        return conversion(unit, Unit.KW)[0] * hours * conversion(Unit.KWH, channel.unit)[0], 0.0
    if unit in energy and channel.unit in power:
        return conversion(unit, Unit.KWH)[0] / hours * conversion(Unit.KW, channel.unit)[0], 0.0
    try:
        return conversion(unit, channel.unit)
    except ValueError as error:
        raise InvalidInput(
            "unit",
            str(unit),
            f"{error}",
            remedy=f"{channel.id} is stored in {channel.unit}; give the unit of the file.",
        ) from error


def broken_times(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return the rules on times; a file sorted newest first is as good as oldest first.

    Forecasts that say when they were made may speak of a time again and again, and never twice in one issue.
    """
    if "issued_at" in rows.columns:
        key = pl.struct("time", "issued_at")
        return {
            "time_exists": pl.col("is_skipped"),
            "issue_is_readable": pl.col("issued_at").is_null(),
            "time_is_unique": pl.col("time").is_not_null() & ~key.is_first_distinct(),
        }
    newest_first = falls(rows["time"])
    time = pl.col("time").reverse() if newest_first else pl.col("time")
    is_backward = time < time.cum_max().shift(1)
    is_backward = is_backward.reverse() if newest_first else is_backward
    return {
        "time_exists": pl.col("is_skipped"),
        "time_is_unique": pl.col("time").is_not_null() & ~pl.col("time").is_first_distinct(),
        "time_goes_forward": is_backward.fill_null(value=False),
    }
