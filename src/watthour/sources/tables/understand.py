"""What a table says: each layout becomes one row per interval, with what was recognised and what is still open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT
from watthour.core.place import is_time_zone
from watthour.core.window import DAY
from watthour.sources.tables.cells import SEPARATORS
from watthour.sources.tables.clock import (
    CLOCK_ALONE,
    ORDERS,
    Moments,
    Order,
    clock_of,
    excel_days,
    offset_of,
    recognise_order,
    seconds_since_1970,
    take_apart,
)
from watthour.sources.tables.columns import (
    STEPS,
    Question,
    Roles,
    find_roles,
    named,
    names_the_end,
    period_numbers,
    unit_in,
    zone_in,
)
from watthour.sources.tables.figures import GAPS, Marks, number_text, recognise_marks

if TYPE_CHECKING:
    from watthour.core.units import Unit
    from watthour.sources.tables.cells import Cells

_EXCEL_NOTE = "its times are numbers and are read as days of a spreadsheet: 45350.5 is 2024-02-28 12:00"
DECIMALS = {"point": ".", "comma": ",", ".": ".", ",": ","}


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person says of a table; what is None is recognised."""

    separator: str | None = None
    decimal: str | None = None  # "point" or "comma"
    date_order: str | None = None  # dmy, mdy or ymd
    time_column: str | None = None
    value_column: str | None = None
    time_zone: str | None = None  # of times written without an offset
    named_by: str | None = None  # which end of its interval a time names: start or end
    issued_column: str | None = None  # of forecasts: when they were made

    def checked(self) -> Hints:
        """Return the hints, each known to be one that exists.

        Raises:
            InvalidInput: one of them does not.
        """
        separators = (*SEPARATORS, *SEPARATORS.values())
        for field, allowed, said in (
            ("separator", separators, " or ".join(SEPARATORS)),
            ("decimal", tuple(DECIMALS), "point or comma"),
            ("date_order", ORDERS, " or ".join(ORDERS)),
            ("named_by", ("start", "end"), "start or end"),
        ):
            value = getattr(self, field)
            if value is not None and value not in allowed:
                raise InvalidInput(field, value, f"it must be {said}", remedy=f"Say {said}.")
        return self


@dataclass(frozen=True)
class Understood:
    """A table, understood: one row per interval of the value, in the order of the file."""

    cells: Cells
    hints: Hints
    roles: Roles
    rows: pl.DataFrame  # day, day_and_clock (naive), after (duration), offset_minutes, instant, text, row
    marks: Marks
    order: Order
    value_column: str
    unit: Unit | None
    zone: str | None  # of times without offset: said, or in the header
    end: tuple[bool, str]  # whether times name the end of their interval, and why that is assumed
    is_counted: bool  # intervals are counted from local midnight, not read off a clock
    questions: tuple[Question, ...]
    notes: tuple[str, ...]

    @cached_property
    def needs_zone(self) -> bool:
        """Whether some times are written without an offset, and no zone is known."""
        rows = self.rows
        return self.zone is None and bool(
            (rows["day_and_clock"].is_not_null() & rows["offset_minutes"].is_null() & rows["instant"].is_null()).any()
        )

    def placed(self, zone: str | None, step: timedelta | None = None) -> pl.DataFrame:
        """Return ``time`` (UTC, as written), ``is_skipped``, ``raw``, ``text`` and ``row``.

        Args:
            zone: of times without an offset.
            step: length of an interval, by which local times that name its end are moved first where that fits better.

        Raises:
            InvalidInput: the time zone is needed and not known, or does not exist.
        """
        if self.needs_zone and zone is None:
            first = self.rows["first_words"].drop_nulls().head(1).to_list()
            raise zone_question(first[0] if first else None).error()
        rows = self.rows.with_columns(naive=pl.col("day_and_clock"))
        by_offset = (pl.col("naive") - pl.duration(minutes=pl.col("offset_minutes"))).dt.replace_time_zone("UTC")
        if zone is None:
            placed = rows.with_columns(time=pl.coalesce("instant", by_offset), is_skipped=pl.lit(value=False))
        elif self.is_counted:
            midnight = localised(rows.with_columns(naive=pl.col("day")), zone, repeated=False)
            placed = midnight.with_columns(time=pl.col("time") + pl.col("after"))
        else:
            placed = self._by_clock(rows, zone, step).with_columns(
                time=pl.coalesce("instant", by_offset, "time"),
                is_skipped=pl.col("is_skipped") & pl.col("offset_minutes").is_null(),
            )
        # Many tables have an empty cell for the hour that the spring clock skips: it is no hour, and no fault.
        is_no_hour = placed["is_skipped"] & placed["text"].fill_null("").str.to_lowercase().is_in(GAPS)
        placed = placed.filter(~is_no_hour)
        shift = step if self.end[0] and step is not None else timedelta(0)
        kept = [name for name in ("is_estimated",) if name in placed.columns]
        issued = [] if self.hints.issued_column is None else [self._issued(placed, zone)]
        return placed.select(pl.col("time").cast(INSTANT) - shift, "is_skipped", "raw", "text", "row", *kept, *issued)

    def _issued(self, rows: pl.DataFrame, zone: str | None) -> pl.Series:
        """Return when the forecast of each row was made."""
        moments = take_apart(rows["issued_words"])
        written = pl.DataFrame({"naive": moments.naive(self.order.order), "offset": moments.offsets})
        if zone is None and bool((written["naive"].is_not_null() & written["offset"].is_null()).any()):
            raise zone_question(rows["issued_words"].drop_nulls().first()).error()
        local = localised(written, zone or "UTC", repeated=False)
        by_offset = (pl.col("naive") - pl.duration(minutes=pl.col("offset"))).dt.replace_time_zone("UTC")
        known = pl.when(pl.col("offset").is_not_null()).then(by_offset).otherwise(pl.col("time"))
        return local.select(known.cast(INSTANT).alias("issued_at"))["issued_at"]

    def _by_clock(self, rows: pl.DataFrame, zone: str, step: timedelta | None) -> pl.DataFrame:
        after = localised(rows, zone)
        if not self.end[0] or step is None:
            return after
        # Some write the end as the clock shows it, others as the begin by the clock and a step: 02:00 follows 01:00
        # through the change of clocks. The way in which fewer times are missing or double is the one of the file.
        before = localised(rows.with_columns(pl.col("naive") - step), zone)
        if _n_bad(before) < _n_bad(after):
            return before.with_columns(pl.col("time") + step)
        return after


def understand_alike(cells: Cells, first: Understood) -> Understood:
    """Recognise a part of a table whose beginning was understood: in the same order, marks, columns and clock."""
    hints = replace(
        first.hints,
        separator=cells.separator,
        decimal=first.marks.decimal,
        date_order=first.order.order,
        time_column=first.cells.names[first.roles.time],
        value_column=None if first.roles.wide else first.value_column,
        time_zone=first.zone,
        named_by="end" if first.end[0] else "start",
    )
    return replace(understand(cells, hints), zone=first.zone, questions=())


def zone_question(example: object) -> Question:
    """Return the question after the time zone of times that carry none."""
    return Question(
        "time_zone",
        "the times in the file have no time zone, so they could be wrong by hours",
        (),
        "Give it with --time-zone, such as America/New_York or UTC.",
        str(example) if example is not None else None,
    )


def understand(cells: Cells, hints: Hints) -> Understood:
    """Recognise the layout of a table; what it leaves open is a question, and the likelier answer is taken meanwhile.

    Raises:
        InvalidInput: no column holds times or values, or a hint cannot be.
    """
    hints = hints.checked()
    roles = find_roles(cells, hints.time_column, hints.value_column)
    questions = list(roles.questions)
    long = _long(cells, roles, hints)
    moments = take_apart(long["raw_time"])
    after, is_counted, is_end_of_day = _after(cells, roles, long, moments)
    marks = _marks(cells, roles, hints, questions)
    order = _order(moments, after, marks, cells, hints, questions)
    naive = moments.naive(order.order)
    days = excel_days(long["raw_time"]) if not naive.count() else None
    naive = naive if days is None else days
    instant = seconds_since_1970(long["raw_time"]) if not naive.count() else None
    offsets = moments.offsets
    if roles.zone is not None:
        offsets = long.select(pl.coalesce(offset_of(pl.col("zone")), offsets))["zone"]
    day = naive
    if after is not None:
        naive = naive + after
    rows = pl.DataFrame(
        {
            "day": day,
            "day_and_clock": naive,
            "after": after if after is not None else pl.Series([None] * long.height, dtype=pl.Duration("us")),
            "offset_minutes": offsets.alias("offset_minutes"),
            "instant": instant if instant is not None else pl.Series([None] * long.height, dtype=INSTANT),
            "first_words": long["raw_time"],
            "text": long["text"],
            "issued_words": long["issued"],
            "raw": long.select(number_text(pl.col("text"), marks.decimal).alias("raw"))["raw"],
            "row": long["row"],
            **({"is_estimated": long["is_estimated"]} if "is_estimated" in long.columns else {}),
        }
    )
    if roles.wide or roles.period is not None:  # days may come newest first, with their hours in order
        rows = rows.sort("day", *(["after"] if roles.period is not None else []), maintain_order=True, nulls_last=True)
    time_name = cells.names[roles.time]
    names = [cells.names[number] for number in roles.values[:1]] or [f"{len(roles.wide)} columns of a day"]
    return Understood(
        cells,
        hints,
        roles,
        rows,
        marks,
        order,
        names[0],
        unit_in(names[0]) or _unit_of_wide(cells, roles),
        hints.time_zone or zone_in(time_name),
        _end(hints, cells, roles, moments, is_end_of_day=is_end_of_day),
        is_counted,
        tuple(questions),
        (*_notes(cells), *([_EXCEL_NOTE] if days is not None else [])),
    )


def _long(cells: Cells, roles: Roles, hints: Hints) -> pl.DataFrame:
    """Return one row per value: time, clock or number of the interval, zone, text and row.

    Raises:
        InvalidInput: there is no column of issues of this name.
    """
    issued_at = named(cells, hints.issued_column, "issued_column")
    issued = pl.col(str(issued_at)) if issued_at is not None else pl.lit(None, dtype=pl.String)
    time = pl.col(str(roles.time))
    zone = pl.col(str(roles.zone)) if roles.zone is not None else pl.lit(None, dtype=pl.String)
    if roles.wide:
        wide = [str(number) for number, _after in roles.wide]
        table = cells.table.with_row_index("row_of_file").unpivot(
            on=wide, index=["row_of_file", str(roles.time)], variable_name="column", value_name="text"
        )
        places = {name: place for place, name in enumerate(wide)}
        table = table.with_columns(place=pl.col("column").replace_strict(places, return_dtype=pl.Int32))
        names = {name: cells.names[int(name)] for name in wide}
        return table.sort("row_of_file", "place").select(
            raw_time=time,
            extra=pl.col("place").cast(pl.String),
            zone=pl.lit(None, dtype=pl.String),
            issued=pl.lit(None, dtype=pl.String),
            text=pl.col("text"),
            row=pl.struct(
                time.alias("day"), pl.col("column").replace_strict(names).alias("column"), pl.col("text").alias("value")
            ).struct.json_encode(),
        )
    extra = roles.clock if roles.clock is not None else roles.period
    shown = dict.fromkeys([roles.time, *([extra] if extra is not None else []), *roles.values[:1]])
    estimated = None if cells.made is None else cells.made.estimated
    made = pl.lit(value=True) if cells.made is None else pl.col("text").is_not_null()  # other columns have other times
    return cells.table.select(
        **({} if estimated is None else {"is_estimated": estimated[str(roles.values[0])]}),
        raw_time=time,
        extra=pl.col(str(extra)) if extra is not None else pl.lit(None, dtype=pl.String),
        zone=zone,
        issued=issued,
        text=pl.col(str(roles.values[0])),
        row=pl.struct(pl.col(str(number)).alias(cells.names[number]) for number in shown).struct.json_encode(),
    ).filter(made)


def _after(cells: Cells, roles: Roles, long: pl.DataFrame, moments: Moments) -> tuple[pl.Series | None, bool, bool]:
    """Return how long after the written day each row is, whether that is counted, and whether days end at 24:00."""
    if roles.wide:
        after = [each for _number, each in roles.wide]
        place = long["extra"].cast(pl.Int32)
        series = pl.Series([after[number] for number in place], dtype=pl.Duration("us"))
        filled = long.filter(~pl.col("text").fill_null("").str.to_lowercase().is_in(GAPS))
        is_counted = roles.is_ordinal and _is_counted(filled["raw_time"], filled["extra"].cast(pl.Int32) + 1)
        return series, is_counted, max(after) >= DAY
    if roles.clock is not None:
        groups = long.select(pl.col("extra").str.extract_groups(CLOCK_ALONE.pattern).alias("g")).unnest("g")
        series = groups.select(clock_of(*(pl.col(name) for name in groups.columns[:5])).alias("after"))["after"]
        return series, False, bool((series >= DAY).any())
    if roles.period is not None:
        numbers = period_numbers(cells, roles.period)
        highest = max(number for number in numbers.to_list() if number is not None)
        begin = 0 if numbers.min() == 0 else 1
        step = STEPS.get(highest + 1 - begin)
        if step is None:
            problem = f"it counts to {highest}, which does not match the hours, half hours or quarter hours of a day"
            remedy = "Name the column of times with --time-column, or put date and time in one column."
            raise InvalidInput("time_column", cells.names[roles.period], problem, remedy=remedy)
        series = ((numbers - begin).cast(pl.Int64) * int(step.total_seconds() * 1e6)).cast(pl.Duration("us"))
        return series, begin == 1 and _is_counted(long["raw_time"], numbers), False
    return None, False, moments.has_midnight_24


def _is_counted(day: pl.Series, numbers: pl.Series) -> bool:
    """Tell whether intervals are counted from midnight: long days go to 25, and short ones end at 23."""
    days = pl.DataFrame({"day": day, "number": numbers}).group_by("day", maintain_order=True)
    ends = days.agg(last=pl.col("number").max(), n=pl.col("number").n_unique())
    inner = ends.slice(1, max(ends.height - 2, 0))
    is_short = inner["last"].is_in([23, 46, 92]) & (inner["last"] == inner["n"])
    return bool(ends["last"].is_in([25, 50, 100]).any() or is_short.any())


def _marks(cells: Cells, roles: Roles, hints: Hints, questions: list[Question]) -> Marks:
    if hints.decimal is not None:
        return Marks(DECIMALS[hints.decimal], is_sure=True, reason="as given")
    first = [number for number, _after in roles.wide] or [*roles.values, *roles.forecasts]
    if roles.wide:
        columns = [pl.concat([cells.texts(number) for number in first])]
    else:
        columns = [cells.texts(number) for number in first]
    marks = recognise_marks(columns, cells.separator)
    if not marks.is_sure:
        example = columns[0].drop_nulls().head(1).to_list()
        remedy = "Use --decimal point or --decimal comma."
        questions.append(Question("decimal", marks.reason, ("point", "comma"), remedy, str(example[0])))
    return marks


def _order(
    moments: Moments, after: pl.Series | None, marks: Marks, cells: Cells, hints: Hints, questions: list[Question]
) -> Order:
    if hints.date_order is not None:
        return Order(hints.date_order, is_sure=True, reason="as given")
    decimal = "numbers have a decimal comma" if marks.decimal == "," and marks.is_sure else None
    order = recognise_order(moments, after, is_day_first=decimal)
    if not order.is_sure:
        example = cells.texts(0, 1).to_list() if not moments.parts.height else None
        first = str(example[0]) if example else None
        remedy = "Use --date-order dmy (day first) or --date-order mdy (month first)."
        questions.append(Question("date_order", order.reason, ("dmy", "mdy"), remedy, first))
    return order


def _end(hints: Hints, cells: Cells, roles: Roles, moments: Moments, *, is_end_of_day: bool) -> tuple[bool, str]:
    if roles.period is not None or (roles.wide and roles.is_ordinal):
        return False, "the intervals of the day are numbered"
    if hints.named_by is not None:
        return hints.named_by == "end", "as given"
    if moments.is_interval:
        return False, "each time is written as an interval, and its start is used"
    if is_end_of_day:
        return True, "the day ends at 24:00"
    names = [cells.names[number] for number in (roles.time, roles.clock) if number is not None]
    if any(names_the_end(name) for name in names):
        return True, f"the column is called {', '.join(names)}"
    return False, "assumed; use --named-by end if each time is the end of its interval"


def _unit_of_wide(cells: Cells, roles: Roles) -> Unit | None:
    """Return the unit that the lines above a wide table name."""
    if not roles.wide:
        return None
    return next((unit for line in cells.above if (unit := unit_in(line)) is not None), None)


def _lines(n_lines: int, where: str) -> str:
    return f"1 line {where} was skipped" if n_lines == 1 else f"{n_lines:,} lines {where} were skipped"


def _notes(cells: Cells) -> list[str]:
    notes = [] if cells.made is None else [f"it is a file of {cells.made.layout}", *cells.made.notes]
    if cells.n_lines is not None:
        counts = f"the first {cells.table.height:,} rows of about {cells.n_lines:,}"
        notes.append(f"the file is large, so this preview shows {counts}; an import reads and checks all of them")
    if cells.above:
        notes.append(_lines(len(cells.above), "above the header"))
    if cells.below:
        notes.append(f"{_lines(len(cells.below), 'below the table')}: {cells.below[0]}")
    if cells.n_ragged:
        notes.append(f"{cells.n_ragged:,} rows have more cells than the header; the extra cells are ignored")
    return notes


def localised(rows: pl.DataFrame, time_zone: str, *, repeated: bool = True) -> pl.DataFrame:
    """Add ``time`` (UTC) and ``is_skipped`` (the clock jumped over it) to rows with a ``naive`` local time.

    Args:
        rows: in the order of the file.
        time_zone: whose clock the times were read off.
        repeated: the second appearance of a time in the file is the second pass of the clock through it.

    Raises:
        InvalidInput: there is no such time zone.
    """
    if not is_time_zone(time_zone):
        raise InvalidInput(
            "time_zone", time_zone, "no such time zone", remedy="Use an IANA name such as America/New_York."
        )
    newest_first = falls(rows["naive"])
    naive = pl.col("naive").reverse() if newest_first else pl.col("naive")
    first_pass = pl.col("naive").dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    second_pass = pl.col("naive").dt.replace_time_zone(time_zone, ambiguous="latest", non_existent="null")
    # Within that hour a clock that goes back to what it has passed, or shows a time again, is in its second pass.
    is_double = first_pass.is_not_null() & (first_pass.dt.timestamp() != second_pass.dt.timestamp())
    has_passed = naive < naive.cum_max().shift(1)
    has_passed = has_passed.reverse() if newest_first else has_passed
    has_passed = has_passed.fill_null(value=False).over(pl.col("naive").dt.date(), is_double)
    is_second = (pl.col("naive").cum_count(reverse=newest_first).over("naive") > 1) | (is_double & has_passed)
    return rows.with_columns(
        time=pl.when(is_second & pl.lit(repeated)).then(second_pass.cast(INSTANT)).otherwise(first_pass.cast(INSTANT)),
        is_skipped=pl.col("naive").is_not_null() & first_pass.is_null(),
    )


def falls(times: pl.Series) -> bool:
    """Tell whether most rows are older than the row before."""
    seconds = times.diff().drop_nulls().dt.total_seconds()
    return int((seconds < 0).sum()) > seconds.len() / 2


def _n_bad(placed: pl.DataFrame) -> int:
    return int(placed["is_skipped"].sum()) + placed.height - placed["time"].n_unique()
