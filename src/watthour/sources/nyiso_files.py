"""The public files of New York's operator: one a day for about nine days, then a ZIP per month."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import PayloadChanged
from watthour.core.frames import INSTANT
from watthour.core.window import DAY, HOUR
from watthour.sources.archives import unzip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from watthour.core.window import Window
    from watthour.sources.http import HttpClient

TIME_ZONE = "America/New_York"
MAY_BE_MISSING = 2  # days in a row; more, and it is the address that is wrong
MOST_UNZIPPED = 100_000_000  # [bytes] a month has 2 MB
DAYS_KEPT_SINGLE = 8  # older days are only in the month's ZIP
# https://www.nyiso.com/documents/20142/1397960/nyca_zonemaps.pdf
ZONES = {
    "West": "a",
    "Genese": "b",
    "Centrl": "c",
    "North": "d",
    "Mhk Vl": "e",
    "Capitl": "f",
    "Hud Vl": "g",
    "Millwd": "h",
    "Dunwod": "i",
    "N.Y.C.": "j",
    "Longil": "k",
}
REPORT = "Update Watthour; if that does not help, report it with the day asked for."
STAMP = "Time Stamp"
Months = dict[str, tuple["datetime", dict[str, str]]]  # name of the ZIP -> when it was asked for, and its files


@dataclass(frozen=True, slots=True)
class DailyFiles:
    """The files of one kind, each asked for once; that of day D is ``YYYYMMDD<stem>.csv``."""

    client: HttpClient
    stem: str  # such as isolf
    months: Months  # those that were asked for

    def probe(self, now: datetime) -> None:
        """Ask for the file of the present day."""
        self.of_day(_local_day(now), now)

    def of_days(self, window: Window, now: datetime) -> Iterator[tuple[date, str]]:
        """Yield the days of a window that have a file, each with it.

        Raises:
            PayloadChanged: no day has a file, and more of them are long posted than may be missing.
        """
        n_missing = n_found = 0
        for day in _days_of(window, now):
            if (text := self.of_day(day, now)) is not None:
                n_found += 1
                yield day, text
            elif day <= _local_day(now):  # tomorrow's may not be posted yet
                n_missing += 1
        if n_missing > MAY_BE_MISSING and not n_found:
            problem = f"none of {n_missing} days that were due long ago has a file"
            raise PayloadChanged("nyiso", problem, remedy="Its files may have moved: update Watthour.")

    def of_day(self, day: date, now: datetime) -> str | None:
        """Return the file of a day, None where there is none."""
        name = f"{day:%Y%m%d}{self.stem}.csv"
        if (_local_day(now) - day).days <= DAYS_KEPT_SINGLE:
            content = self.client.find_bytes(f"/{name}")
            return None if content is None else content.decode("utf-8", errors="replace")
        return self._month(day, now).get(name)

    def _month(self, day: date, now: datetime) -> dict[str, str]:
        """Return a month's files by name, asked once per instant of asking."""
        name = f"{day:%Y%m}01{self.stem}_csv.zip"
        if name not in self.months or self.months[name][0] != now:
            content = self.client.find_bytes(f"/{name}")
            self.months.clear()  # a month is 2 MB; a backfill goes through them in order
            self.months[name] = (now, {} if content is None else _unzip(content, name))
        return self.months[name][1]


def _local_day(instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(TIME_ZONE)).date()


def _days_of(window: Window, now: datetime) -> Iterator[date]:
    """Go through the window's local days; the last file is that of tomorrow."""
    day = _local_day(window.start)
    last = min(_local_day(window.end - HOUR), _local_day(now) + DAY)
    while day <= last:
        yield day
        day += DAY


def read_table(text: str, day: date, needed: Sequence[str], *, within: Sequence[str] = ()) -> pl.DataFrame:
    """Return a file's columns as text, with ``naive`` (the local time) and ``time``, null where the clock skips it.

    The hour that comes twice in autumn is told apart by its order.

    Args:
        text: of the file.
        day: that it is of.
        needed: columns that it must have, beside that of the time.
        within: columns of which each value has its own rows of every hour.

    Raises:
        PayloadChanged: the file cannot be read, or has other columns.
    """
    try:
        table = pl.read_csv(StringIO(text), infer_schema=False, truncate_ragged_lines=True)
        table = table.rename({name: name.strip() for name in table.columns})
    except pl.exceptions.PolarsError as error:
        raise PayloadChanged("nyiso", f"the file of {day} cannot be read", remedy=REPORT) from error
    if not {STAMP, *needed} <= set(table.columns):
        raise PayloadChanged("nyiso", f"the file of {day} lacks {' or '.join((STAMP, *needed))}", remedy=REPORT)
    if table.is_empty():
        return table
    stamp = pl.col(STAMP)
    naive = stamp.str.strip_chars().str.to_datetime("%m/%d/%Y %H:%M", time_unit="us", strict=False)
    is_first = pl.struct(STAMP, *within).is_first_distinct()
    pass_of_clock = pl.when(is_first).then(pl.lit("earliest")).otherwise(pl.lit("latest"))
    return table.with_columns(naive=naive, ambiguous=pass_of_clock).with_columns(
        time=pl.col("naive")
        .dt.replace_time_zone(TIME_ZONE, ambiguous=pl.col("ambiguous"), non_existent="null")
        .cast(INSTANT)
    )


def _unzip(content: bytes, name: str) -> dict[str, str]:
    files = unzip(content, "nyiso", name, most_bytes=MOST_UNZIPPED)
    return {file: read.decode("utf-8", errors="replace") for file, read in files.items()}
