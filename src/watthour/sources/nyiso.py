"""New York's operator's own day-ahead load forecast, by zone and in all.

Source: https://mis.nyiso.com/public/ (P-7 "Load Forecast", ``isolf``): a file per day for about nine days, then a ZIP
per month. The file of day D tells of D and the five days after it and is posted on D-1 between 07:05 and 07:55 local.
NYISO names an hour by its local *beginning*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import StringIO
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import PayloadChanged
from watthour.core.frames import INSTANT, OPERATOR
from watthour.core.window import DAY, HOUR, local_instant
from watthour.sources.archives import unzip
from watthour.sources.delivery import (
    PARSED_FORECASTS,
    PARSED_REFUSED,
    deliver,
    plain_number,
    split_unreadable,
)
from watthour.sources.eia_930 import energy_channel
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://mis.nyiso.com/public/csv/isolf"
TIME_ZONE = "America/New_York"
POSTED_BY = time(7, 55)
MAY_BE_MISSING = 2  # days in a row; more, and it is the address that is wrong
MOST_UNZIPPED = 100_000_000  # [bytes] a month has 2 MB
DAYS_KEPT_SINGLE = 8  # older days are only in the month's ZIP

_TOTAL = "NYISO"
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
_REPORT = "Update Watthour; if that does not help, report it with the day asked for."


class NyisoOptions(Options):
    """``[sources.nyiso]``."""

    url: str = BASE_URL


def open_client(
    options: NyisoOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to NYISO's public files."""
    return HttpClient("nyiso", options.url, rate_limit=rate_limit or RateLimit(2.0), retry=retry)


@dataclass(frozen=True, slots=True)
class Nyiso:
    """NYISO's load forecasts by issue, the total as the operator's forecast of New York's demand."""

    context: Context  # New York
    client: HttpClient
    _months: dict[str, tuple[datetime, dict[str, str]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The provider and the region."""
        return f"nyiso:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return New York's site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return New York's demand and that of its eleven load zones."""
        zones = [f"demand.zone_{letter}" for letter in sorted(ZONES.values())]
        return tuple(energy_channel(self.context, series) for series in ("demand", *zones))

    def probe(self, *, now: datetime) -> None:
        """Ask for today's file; raises as ``fetch``."""
        self._file(now.astimezone(ZoneInfo(TIME_ZONE)).date(), now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the forecasts of the window made for each of its days; see ``core.ports.Source``.

        Raises:
            PayloadChanged: no day has a file, and more of them are long posted than may be missing.
        """
        forecasts = [pl.DataFrame(schema=PARSED_FORECASTS)]
        refused = [pl.DataFrame(schema=PARSED_REFUSED)]
        today = now.astimezone(ZoneInfo(TIME_ZONE)).date()
        missing = 0
        for day in _days(window, now):
            text = self._file(day, now)
            if text is None:
                missing += day <= today  # tomorrow's may not be posted yet
                continue
            good, bad = parse_isolf(text, day, self.context, now=now)
            forecasts.append(good)
            refused.append(bad)
        if missing > MAY_BE_MISSING and len(forecasts) == 1:
            problem = f"none of {missing} days that were due long ago has a file"
            raise PayloadChanged("nyiso", problem, remedy="Its files may have moved: update Watthour.")
        return deliver(
            self.name,
            window,
            forecasts=pl.concat(forecasts),
            refused=pl.concat(refused),
            now=now,
            watched_from=watched_from,
        )

    def _file(self, day: date, now: datetime) -> str | None:
        name = f"{day:%Y%m%d}isolf.csv"
        today = now.astimezone(ZoneInfo(TIME_ZONE)).date()
        if (today - day).days <= DAYS_KEPT_SINGLE:
            content = self.client.find_bytes(f"/{name}")
            return None if content is None else content.decode("utf-8", errors="replace")
        return self._month(day, now).get(name)

    def _month(self, day: date, now: datetime) -> dict[str, str]:
        """Return a month's files by name, asked once per instant of asking."""
        name = f"{day:%Y%m}01isolf_csv.zip"
        if name not in self._months or self._months[name][0] != now:
            content = self.client.find_bytes(f"/{name}")
            self._months.clear()  # a month is 2 MB; a backfill goes through them in order
            self._months[name] = (now, {} if content is None else _texts(content, name))
        return self._months[name][1]


def parse_isolf(text: str, day: date, context: Context, *, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the file of a day into forecasts and refused rows.

    The hour that comes twice in autumn is told apart by its order; one that the clock skips in spring is refused.

    Raises:
        PayloadChanged: the file has other columns.
    """
    table = _table(text, day)
    if table.is_empty():  # polars 2.1 cannot tell ambiguous times of no rows apart
        return pl.DataFrame(schema=PARSED_FORECASTS), pl.DataFrame(schema=PARSED_REFUSED)
    posted = min(local_instant(day - DAY, POSTED_BY, TIME_ZONE), now.replace(minute=0, second=0, microsecond=0))
    demand = energy_channel(context).id
    channels = {_TOTAL: demand} | {zone: f"{demand}.zone_{letter}" for zone, letter in ZONES.items()}
    known = [name for name in table.columns if name in channels]
    long = table.unpivot(known, index=["Time Stamp", "naive", "time"], variable_name="zone", value_name="raw")
    long = long.with_columns(
        plain_number(pl.col("raw")),
        channel=pl.col("zone").replace_strict(channels, return_dtype=pl.String),
        row=pl.struct("Time Stamp", "zone", value="raw").struct.json_encode(),
    )
    good, refused = split_unreadable(long, {"time_exists": pl.col("naive").is_not_null() & pl.col("time").is_null()})
    forecasts = good.filter(pl.col("value").is_not_null()).select(
        "channel",
        "time",
        "value",
        pl.lit(posted).cast(INSTANT).alias("published"),
        pl.lit(posted).cast(INSTANT).alias("issued_at"),
        pl.lit(OPERATOR).alias("model"),
    )
    return forecasts.unique(["channel", "time"], keep="last", maintain_order=True), refused


def _table(text: str, day: date) -> pl.DataFrame:
    """Return a file's columns as text, with ``naive`` (the local time) and ``time``, null where the clock skips it."""
    try:
        table = pl.read_csv(StringIO(text), infer_schema=False, truncate_ragged_lines=True)
        table = table.rename({name: name.strip() for name in table.columns})
    except pl.exceptions.PolarsError as error:
        raise PayloadChanged("nyiso", f"the file of {day} cannot be read", remedy=_REPORT) from error
    if not {"Time Stamp", _TOTAL} <= set(table.columns):
        raise PayloadChanged("nyiso", f"the file of {day} lacks Time Stamp or {_TOTAL}", remedy=_REPORT)
    if table.is_empty():
        return table
    stamp = pl.col("Time Stamp")
    naive = stamp.str.strip_chars().str.to_datetime("%m/%d/%Y %H:%M", time_unit="us", strict=False)
    pass_of_clock = pl.when(stamp.is_first_distinct()).then(pl.lit("earliest")).otherwise(pl.lit("latest"))
    return table.with_columns(naive=naive, ambiguous=pass_of_clock).with_columns(
        time=pl.col("naive")
        .dt.replace_time_zone(TIME_ZONE, ambiguous=pl.col("ambiguous"), non_existent="null")
        .cast(INSTANT)
    )


def _texts(content: bytes, name: str) -> dict[str, str]:
    files = unzip(content, "nyiso", name, most_bytes=MOST_UNZIPPED)
    return {file: read.decode("utf-8", errors="replace") for file, read in files.items()}


def _days(window: Window, now: datetime) -> Iterator[date]:
    """Go through the window's local days; the last file is that of tomorrow."""
    zone = ZoneInfo(TIME_ZONE)
    day = window.start.astimezone(zone).date()
    last = min((window.end - HOUR).astimezone(zone).date(), now.astimezone(zone).date() + DAY)
    while day <= last:
        yield day
        day += DAY
