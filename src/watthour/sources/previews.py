"""What was understood of a table, before anything is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import Quality
from watthour.core.quality import flag
from watthour.core.window import Window
from watthour.sources.csv import broken_times
from watthour.sources.delivery import split_unreadable
from watthour.sources.tables.cells import SEPARATORS, first_rows
from watthour.sources.tables.meters import Meter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from watthour.sources.csv import CsvSource
    from watthour.sources.tables.columns import Question
    from watthour.sources.tables.understand import Understood

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Preview:
    """What was understood of a table, before anything is kept."""

    file: str
    encoding: str | None  # None: Parquet
    separator: str | None
    decimal: str
    decimal_reason: str
    date_order: str
    date_order_reason: str
    time_columns: tuple[str, ...]
    time_zone: str | None
    names_end: bool
    named_by_reason: str
    value_column: str
    value_columns: tuple[str, ...]  # that could be meant
    columns: tuple[str, ...]
    unit: str | None
    channel: str | None  # as said, or as proposed
    step: timedelta | None
    first_time: datetime | None
    last_time: datetime | None
    n_rows: int
    refused: Mapping[str, int]  # rows by the rule they break
    n_doubted: int  # values outside what the channel can be
    cells: tuple[tuple[str, ...], ...]  # first rows of the file
    values: tuple[tuple[datetime | None, float | None], ...]  # the same, understood, in the unit of the file
    notes: tuple[str, ...]
    questions: tuple[Question, ...]  # what is open
    is_new_site: bool  # the import adds the site
    is_sample: bool  # only the beginning of the file was read
    meter: str = str(Meter.INTERVAL)  # what the values are: of intervals, stands of a counter, or samples

    @property
    def n_refused(self) -> int:
        """How many rows cannot be read."""
        return sum(self.refused.values())


def preview_of(
    path: Path,
    found: Understood,
    name: str,
    unit: str | None,
    step: timedelta | None,
    source: CsvSource | None,
    questions: Sequence[Question],
) -> Preview:
    """Return what is understood of a table, and of its values where nothing is open and so there is a source."""
    rows = found.placed(found.zone or ("UTC" if found.needs_zone else None), step).with_columns(channel=pl.lit(name))
    good, refused = split_unreadable(rows, broken_times(rows))
    notes = found.notes
    if source is not None and source.mapping.forecast is None:
        source = replace(source, mapping=replace(source.mapping, covariates=()))
        source = replace(source, parsed=source.parse([found]))
        delivery = source.fetch(Window(EARLIEST, LATEST), now=LATEST)
        refused = delivery.refused
        notes = (*notes, *(source.parsed.notes if source.parsed is not None else ()))
        flagged = flag(delivery.readings, source.channels())
        doubted = int(((flagged["quality"] & int(Quality.OUT_OF_RANGE)) != 0).sum())
    else:
        doubted = 0
    times = good["time"]
    columns = found.cells.names
    time_columns = [found.roles.time, found.roles.clock, found.roles.period, found.roles.zone]
    return Preview(
        path.name,
        found.cells.encoding,
        next((word for word, sign in SEPARATORS.items() if sign == found.cells.separator), found.cells.separator),
        "comma" if found.marks.decimal == "," else "point",
        found.marks.reason,
        found.order.order,
        found.order.reason,
        tuple(columns[number] for number in time_columns if number is not None),
        found.zone,
        *found.end,
        found.value_column,
        tuple(columns[number] for number in (*found.roles.values, *found.roles.forecasts)),
        columns,
        unit,
        name,
        step,
        times.min(),  # type: ignore[arg-type]  # an instant
        times.max(),  # type: ignore[arg-type]  # an instant
        rows.height,
        dict(refused.group_by("rule").len().sort("len", descending=True).iter_rows()),
        doubted,
        tuple(tuple(row) for row in first_rows(found.cells)),
        tuple(good.head(5).select("time", "value").iter_rows()),
        notes,
        tuple(questions),
        is_new_site=True,
        is_sample=found.cells.n_lines is not None,
    )


def check_refused(seen: Preview) -> None:
    """Refuse a table of which most cannot be: to keep the rest would hide that it was misread.

    Raises:
        InvalidInput: most rows are refused, or most values are outside what the channel can be.
    """
    if seen.n_rows and seen.n_refused > seen.n_rows / 2:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in seen.refused.items())
        problem = f"{seen.n_refused:,} of its {seen.n_rows:,} rows cannot be read ({rules}), so nothing was imported"
        remedy = {
            "value_is_a_number": "Use --decimal point, --decimal comma or another --value-column.",
            "value_is_negative": "Use --solar if energy is also fed in, or name another column with --value-column.",
            "time_is_readable": "Use --date-order dmy, mdy or ymd, or another --time-column.",
        }.get(
            next(iter(seen.refused)), "The table must have one row per time: name its columns, or keep only one series."
        )
        raise InvalidInput("file", seen.file, problem, remedy=remedy)
    if seen.n_doubted > seen.n_rows / 2:
        outside = f"outside the possible range of {seen.channel} in {seen.unit}"
        problem = f"{seen.n_doubted:,} of its {seen.n_rows:,} values are {outside}"
        remedy = "Give the unit of the file with --unit, such as MW, kW or W."
        raise InvalidInput("unit", seen.unit, problem, remedy=remedy)
