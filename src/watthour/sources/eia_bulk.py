"""EIA's six-month files: everything of Form EIA-930 for every balancing authority, without a key.

Source: https://www.eia.gov/electricity/gridmonitor/ (files ``EIA930_BALANCE_<year>_<Jan_Jun|Jul_Dec>.csv``).
Hours are named by their end; numbers may have thousands separators; the text of the headers changes between years.
Columns marked Imputed or Adjusted are EIA's repairs and are left aside: we keep what was reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import InvalidInput, PayloadChanged
from watthour.core.window import DAY, HOUR, Window
from watthour.sources.delivery import deliver, plain_number, split_unreadable, without_unpublished
from watthour.sources.eia_930 import (
    DEMAND_LAG,
    FUEL_MIX_LAG,
    channel_word,
    energy_channel,
    measured,
    operator_forecasts,
    respondent_of,
)
from watthour.sources.http import AnswerLimits, HttpClient, RateLimit, RetryPolicy
from watthour.sources.options import Options
from watthour.sources.parts import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery

BASE_URL = "https://www.eia.gov/electricity/gridmonitor/sixMonthFiles"

# header without its unit -> series. Before 2025 (a few years of files were rewritten) hydro, solar and wind were one
# column each, and battery, geothermal and storage were in "other".
_SERIES = {
    "demand": "demand",
    "net generation": "net_generation",
    "total interchange": "interchange",
    "from coal": "generation.coal",
    "from natural gas": "generation.gas",
    "from nuclear": "generation.nuclear",
    "from all petroleum products": "generation.oil",
    "from hydropower and pumped storage": "generation.hydro",
    "from hydropower excluding pumped storage": "generation.hydro",
    "from pumped storage": "generation.pumped_storage",
    "from solar": "generation.solar",
    "from solar without integrated battery storage": "generation.solar",
    "from solar with integrated battery storage": "generation.solar_with_battery",
    "from wind": "generation.wind",
    "from wind without integrated battery storage": "generation.wind",
    "from wind with integrated battery storage": "generation.wind_with_battery",
    "from battery storage": "generation.battery",
    "from other energy storage": "generation.other_storage",
    "from unknown energy storage": "generation.unknown_storage",
    "from geothermal": "generation.geothermal",
    "from biomass": "generation.biomass",
    "from other fuel sources": "generation.other",
    "from unknown fuel sources": "generation.unknown",
}
_FORECAST = "demand forecast"
_AUTHORITY = "balancing authority"
_ENDS = "utc time at end of hour"
_TIME_FORMATS = (
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
)
_JUNE = 6
_FIRST = 2015 * 2  # half-years; Form EIA-930 began with the second of 2015
_GIVE_ONE = "Give one of EIA's EIA930_BALANCE_<year>_<half>.csv files, see docs/reference/sources/eia_bulk.md."
_REPORT = "Check that the file is one of EIA's EIA930_BALANCE files; if it is, report it with its name."


class EiaBulkOptions(Options):
    """``[sources.eia_bulk]``."""

    url: str = BASE_URL


def open_client(
    options: EiaBulkOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to EIA's files; one is some 40 MB."""
    return HttpClient(
        "eia_bulk",
        options.url,
        rate_limit=rate_limit or RateLimit(1.0),
        retry=retry,
        timeout=120.0,
        limits=AnswerLimits(deadline=900.0),
    )


@dataclass(frozen=True, slots=True)
class EiaBulk:
    """A region's rows of six-month files: of those at hand, or else of those EIA offers for download."""

    context: Context
    client: HttpClient | None = None
    paths: tuple[Path, ...] = ()
    _parsed: dict[str, tuple[datetime, Parsed | None]] = field(default_factory=dict, repr=False, compare=False)
    _unknown_series: set[str] = field(default_factory=set, repr=False, compare=False)  # met while asking

    @property
    def name(self) -> str:
        """The provider and the region."""
        return f"eia_bulk:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region's site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return demand, net generation, interchange and generation by source."""
        series = [*dict.fromkeys(_SERIES.values()), *sorted(self._unknown_series)]
        return tuple(energy_channel(self.context, one) for one in series)

    def probe(self, *, now: datetime) -> None:
        """Check that the files can be read, or that EIA answers; raises as ``fetch``."""
        if self.paths:
            self.span()
        else:
            self._download("EIA930_BALANCE_2015_Jul_Dec.csv", now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the rows of the window; a half-year that EIA does not offer yet is left out."""
        parts = [part for part in self._parts(window, now) if part is not None]
        if not parts:
            return deliver(self.name, window, now=now, watched_from=watched_from)
        readings = pl.concat([part.readings for part in parts]).unique(["channel", "time"], keep="last")
        forecasts = pl.concat([part.forecasts for part in parts]).unique(["time", "issued_at"], keep="last")
        series = readings["channel"].unique().str.strip_prefix(f"{self.context.site.prefix}.")
        self._unknown_series.update(set(series) - set(_SERIES.values()))
        return deliver(
            self.name,
            window,
            readings=readings,
            forecasts=forecasts,
            refused=pl.concat([part.refused for part in parts]),
            now=now,
            watched_from=watched_from,
        )

    def span(self) -> Window:
        """Return the window that covers this region's rows in the files at hand.

        Raises:
            InvalidInput: they say nothing of the region.
        """
        ends = pl.concat([_rows(path, self.context)["ends"] for path in self.paths]).drop_nulls()
        if ends.is_empty():
            names = ", ".join(path.name for path in self.paths)
            problem = f"no row is of {respondent_of(self.context)} ({self.context.site.name})"
            raise InvalidInput("file", names, problem, remedy="Choose another file, or another region.")
        first, last = ends.min(), ends.max()
        return Window(first - HOUR, last)  # type: ignore[operator,arg-type]  # not empty, so instants

    def _parts(self, window: Window, now: datetime) -> Iterator[Parsed | None]:
        for path in self.paths:
            yield self._once(str(path), path, now)
        if not self.paths:
            for name in file_names(window, self.context.time_zone):
                yield self._once(name, None, now)

    def _once(self, name: str, path: Path | None, now: datetime) -> Parsed | None:
        """Read a file once per instant of asking, because a backfill asks piece by piece."""
        if name not in self._parsed or self._parsed[name][0] != now:
            content = self._download(name, now) if path is None else path
            parsed = None if content is None else parse_balance(content, self.context, now=now)
            self._parsed[name] = (now, parsed)
        return self._parsed[name][1]

    def _download(self, name: str, now: datetime) -> bytes | None:
        content = None if self.client is None else self.client.find_bytes(f"/{name}")
        if content is None and self.client is not None and _last_day(name) < (now - 31 * DAY).date():
            raise PayloadChanged("eia_bulk", f"{name} is not offered", remedy="EIA may have moved it: update Watthour.")
        return content


def file_names(window: Window, time_zone: str) -> list[str]:
    """Return the names of the six-month files that hold a window; they are cut at the region's local midnight.

    >>> from datetime import UTC, datetime
    >>> from watthour.core.window import Window
    >>> window = Window(datetime(2020, 7, 1, 3, tzinfo=UTC), datetime(2020, 7, 1, 5, tzinfo=UTC))
    >>> file_names(window, "America/New_York")
    ['EIA930_BALANCE_2020_Jan_Jun.csv', 'EIA930_BALANCE_2020_Jul_Dec.csv']
    """
    zone = ZoneInfo(time_zone)
    first, last = window.start.astimezone(zone), (window.end - HOUR).astimezone(zone)
    halves = range(first.year * 2 + (first.month > _JUNE), last.year * 2 + (last.month > _JUNE) + 1)
    return [
        f"EIA930_BALANCE_{half // 2}_{'Jul_Dec' if half % 2 else 'Jan_Jun'}.csv" for half in halves if half > _FIRST
    ]


def respondents_in(path: Path) -> list[str]:
    """Return EIA's codes of the balancing authorities a six-month file speaks of, sorted.

    Raises:
        InvalidInput: it is no six-month file.
    """
    table = _table(path).select(pl.col(_AUTHORITY).str.strip_chars().unique())
    try:
        return sorted(table.collect()[_AUTHORITY].drop_nulls())
    except pl.exceptions.PolarsError as error:
        raise _not_a_table(path, error) from error


def parse_balance(content: Path | bytes, context: Context, *, now: datetime) -> Parsed:
    """Turn one file into a region's measurements and its operator's forecast; an empty cell stays null.

    Raises:
        InvalidInput: it is no six-month file.
        PayloadChanged: no time in it can be read.
    """
    rows = _rows(content, context)
    if rows.height and rows["ends"].null_count() == rows.height:
        raise PayloadChanged("eia_bulk", f"times such as {rows['said'][0]!r} cannot be read", remedy=_REPORT)
    long = rows.unpivot(index=["ends", "said"], variable_name="series", value_name="raw").with_columns(
        plain_number(pl.col("raw")),
        channel=pl.format("{}.{}", pl.lit(context.site.prefix), "series"),
        time=pl.col("ends") - HOUR,
        row=pl.struct(said="said", series="series", value="raw").struct.json_encode(),
    )
    good, refused = split_unreadable(long)
    is_forecast = pl.col("series") == _FORECAST
    lag = pl.when(pl.col("series").str.starts_with("generation.")).then(FUEL_MIX_LAG).otherwise(DEMAND_LAG)
    readings = measured(good.filter(~is_forecast), pl.col("series"), lag, context)
    forecasts = operator_forecasts(good.filter(is_forecast), context, now=now)
    return Parsed(without_unpublished(readings), forecasts, refused)


def _rows(content: Path | bytes, context: Context) -> pl.DataFrame:
    """Return a region's rows as text: ``said`` and ``ends`` (its time), and a column per series."""
    table = _table(content)
    columns: dict[str, list[str]] = {}
    for header in table.collect_schema().names():
        series = _series(header)
        if series is not None:
            columns.setdefault(series, []).append(header)
    said = pl.col(_ENDS).str.strip_chars()
    ends = [said.str.to_datetime(layout, time_unit="us", time_zone="UTC", strict=False) for layout in _TIME_FORMATS]
    mine = table.filter(pl.col(_AUTHORITY).str.strip_chars() == respondent_of(context))
    series_columns = [pl.coalesce(headers).alias(series) for series, headers in columns.items()]
    try:
        return mine.select(said.alias("said"), pl.coalesce(ends).alias("ends"), *series_columns).collect()
    except pl.exceptions.PolarsError as error:
        raise _not_a_table(content, error) from error


def _table(content: Path | bytes) -> pl.LazyFrame:
    """Open a file with its headers in lower case, every cell as text, so that nothing is guessed."""
    try:
        table = pl.scan_csv(
            content if isinstance(content, Path) else BytesIO(content), infer_schema=False, encoding="utf8-lossy"
        )
        names = table.collect_schema().names()
        plain = [" ".join(name.replace("\ufeff", "").lower().split()) for name in names]
        table = table.rename(dict(zip(names, plain, strict=True)))
        table.collect_schema()  # two columns of one name show here
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _not_a_table(content, error) from error
    if not {_AUTHORITY, _ENDS, "demand (mw)"} <= set(plain):
        problem = "it has no columns for authority, UTC time and demand"
        raise InvalidInput("file", _file_name(content), problem, remedy=_GIVE_ONE)
    return table


def _not_a_table(content: Path | bytes, error: Exception) -> InvalidInput:
    problem = f"it cannot be read as a table ({str(error).splitlines()[0]})"
    return InvalidInput("file", _file_name(content), problem, remedy=_GIVE_ONE)


def _file_name(content: Path | bytes) -> str:
    return content.name if isinstance(content, Path) else "the file"


def _series(header: str) -> str | None:
    """Return which series a header names, or None if it is none of ours.

    >>> _series("net generation (mw) from solar without integrated battery storage")
    'generation.solar'
    >>> _series("demand (mw) (adjusted)")
    >>> _series("net generation (mw) from tides")
    'generation.tides'
    """
    if "(mw)" not in header or "(imputed)" in header or "(adjusted)" in header or header.startswith("sum("):
        return None
    plain = " ".join(header.replace("(mw)", " ").split())
    source = plain.removeprefix("net generation ")
    if source.startswith("from "):
        return _SERIES.get(source, f"generation.{channel_word(source.removeprefix('from '))}")
    return plain if plain == _FORECAST else _SERIES.get(plain)


def _last_day(name: str) -> date:
    """Return the last day a six-month file tells of."""
    year, half = re.fullmatch(r"EIA930_BALANCE_(\d{4})_(Jan_Jun|Jul_Dec)\.csv", name).groups()  # type: ignore[union-attr]  # our own names
    return date(int(year), 6, 30) if half == "Jan_Jun" else date(int(year), 12, 31)
