"""One series, written as spreadsheets and portals of many places write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOUR = timedelta(hours=1)
NARROW, NO_BREAK = "\u202f", "\u00a0"


@dataclass(frozen=True)
class Layout:
    """How a table is written."""

    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    digits: int = 2
    date: str = "%Y-%m-%d"
    clock: str = "%H:%M"
    columns: str = "one"  # one, two, hour_ending, interval, wide
    header: bool = True
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    encoding: str = "utf-8"
    unit: str = "MW"
    newest_first: bool = False
    line_end: str = "\n"

    def number(self, value: float) -> str:
        """Write a number."""
        text = f"{value:,.{self.digits}f}".replace(",", "t").replace(".", self.decimal).replace("t", self.thousands)
        return f'"{text}"' if self.separator in text else text

    def moment(self, local: datetime) -> str:
        """Write a local time."""
        return f"{local.strftime(self.date)} {local.strftime(self.clock)}"


def local_hours(start: datetime, n_rows: int, step: timedelta, zone: str) -> list[datetime]:
    """Return clock times of a place, one step after the other in real time."""
    return [(start.astimezone(UTC) + number * step).astimezone(ZoneInfo(zone)) for number in range(n_rows)]


def write(path: Path, layout: Layout, times: Sequence[datetime], values: Sequence[float], step: timedelta) -> Path:
    """Write a series of local times and values."""
    name = f"Load ({layout.unit})"
    cut = layout.separator
    rows: list[str] = []
    if layout.columns == "wide":
        per_day = int(24 * HOUR / step)
        names = [f"{(datetime(2021, 1, 1, tzinfo=UTC) + number * step):%H:%M}" for number in range(per_day)]
        header = cut.join(["Date", *names])
        days = groupby(zip(times, values, strict=True), key=lambda pair: pair[0].date())
        for day, pairs in days:
            cells = {f"{time:%H:%M}": layout.number(value) for time, value in pairs}
            rows.append(cut.join([day.strftime(layout.date), *(cells.get(each, "") for each in names)]))
    else:
        header = {
            "one": f"Timestamp{cut}{name}",
            "two": f"Date{cut}Time{cut}{name}",
            "hour_ending": f"Date{cut}Hour Ending{cut}{name}",
            "interval": f"MTU (CET/CEST){cut}{name}",
        }[layout.columns]
        for time, value in zip(times, values, strict=True):
            when = {
                "one": layout.moment(time),
                "two": cut.join([time.strftime(layout.date), time.strftime(layout.clock)]),
                "hour_ending": cut.join([time.strftime(layout.date), str(time.hour + 1)]),
                "interval": f"{layout.moment(time)} - {layout.moment(time + step)}",
            }[layout.columns]
            rows.append(cut.join([when, layout.number(value)]))
    if layout.newest_first:
        rows.reverse()
    lines = [*layout.above, *([header] if layout.header else []), *rows, *layout.below]
    path.write_bytes((layout.line_end.join(lines) + layout.line_end).encode(layout.encoding))
    return path
