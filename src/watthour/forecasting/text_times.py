"""Times written as text, as spreadsheets and meters write them."""

from __future__ import annotations

from itertools import product

import polars as pl

from watthour.core.errors import InvalidInput

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%m/%d/%Y", "%m-%d-%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
_WITH_OFFSET = r"(Z|[+-]\d{2}:?\d{2})$"
_ISO_START = r"^\d{4}-\d{2}-\d{2}[T ]\d"
_TRIED_ROWS = 200  # on which a layout must do before it is tried on all


def parsed(text: pl.Series) -> pl.Series:
    """Return times written as text: naive ones as they are, those with an offset from UTC in UTC.

    The layout is that which reads every row; day and month are told apart by the rows themselves.

    Raises:
        InvalidInput: no layout reads every row, or day and month could be the other way round.
    """
    rows = text.str.strip_chars()
    known = rows.drop_nulls()
    if known.str.contains(_WITH_OFFSET).all() and known.str.contains(_ISO_START).all():
        iso = rows.str.replace(" ", "T", literal=True).str.replace(r"Z$", "+00:00")
        iso = iso.str.replace(r"T(\d{2}:\d{2})([+-])", "T${1}:00${2}")
        found = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)
        if found.null_count() == rows.null_count():
            return found
    rows = rows.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "${1} ")
    tried = rows.drop_nulls().head(_TRIED_ROWS)
    fitting: dict[str, pl.Series] = {}
    for date, clock in product(_DATES, _CLOCKS):
        layout = date + clock
        if _read(tried, layout).null_count() == 0 and (found := _read(rows, layout)).null_count() == rows.null_count():
            fitting[layout] = found
    if not fitting:
        raise InvalidInput(
            str(text.name),
            _first_unread(rows),
            "this text is no time that can be read",
            remedy=f"Make times of it first: pl.col('{text.name}').str.to_datetime('%d/%m/%Y %H:%M').",
        )
    first, *others = fitting.items()
    for layout, found in others:
        if not found.equals(first[1]):
            raise InvalidInput(
                str(text.name),
                known[0],
                f"day and month could be either way round: both {first[0]} and {layout} read every row",
                remedy=f"Make times of it first: pl.col('{text.name}').str.to_datetime('{first[0]}').",
            )
    return first[1]


def _read(rows: pl.Series, layout: str) -> pl.Series:
    if "%H" in layout or "%I" in layout:
        return rows.str.to_datetime(layout, time_unit="us", strict=False)
    return rows.str.to_date(layout, strict=False).cast(pl.Datetime("us"))


def _first_unread(rows: pl.Series) -> str:
    """Return the first row that the layout of most rows does not read."""
    n_read = {date + clock: _read(rows, date + clock) for date, clock in product(_DATES, _CLOCKS)}
    best = min(n_read.values(), key=lambda found: found.null_count())
    return str(rows.filter(best.is_null() & rows.is_not_null())[0])
