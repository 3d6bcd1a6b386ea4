"""New York's operator's own day-ahead load forecast, by zone and in all.

Source: https://mis.nyiso.com/public/ (P-7 "Load Forecast", ``isolf``): a file per day for about nine days, then a ZIP
per month. The file of day D tells of D and the five days after it and is posted on D-1 between 07:05 and 07:55 local.
NYISO names an hour by its local *beginning*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import INSTANT, OPERATOR
from watthour.core.window import DAY, local_instant
from watthour.sources.delivery import (
    PARSED_FORECASTS,
    PARSED_REFUSED,
    deliver,
    plain_number,
    split_unreadable,
)
from watthour.sources.eia_930 import energy_channel
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.nyiso_files import TIME_ZONE, ZONES, DailyFiles, Months, read_table
from watthour.sources.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://mis.nyiso.com/public/csv/isolf"
STEM = "isolf"
POSTED_BY = time(7, 55)

_TOTAL = "NYISO"


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
    _months: Months = field(default_factory=dict, repr=False, compare=False)

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
        DailyFiles(self.client, STEM, self._months).probe(now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the forecasts of the window made for each of its days; see ``core.ports.Source``.

        Raises:
            PayloadChanged: no day has a file, and more of them are long posted than may be missing.
        """
        forecasts = [pl.DataFrame(schema=PARSED_FORECASTS)]
        refused = [pl.DataFrame(schema=PARSED_REFUSED)]
        for day, text in DailyFiles(self.client, STEM, self._months).of_days(window, now):
            good, bad = parse_isolf(text, day, self.context, now=now)
            forecasts.append(good)
            refused.append(bad)
        return deliver(
            self.name,
            window,
            forecasts=pl.concat(forecasts),
            refused=pl.concat(refused),
            now=now,
            watched_from=watched_from,
        )


def parse_isolf(text: str, day: date, context: Context, *, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the file of a day into forecasts and refused rows.

    The hour that comes twice in autumn is told apart by its order; one that the clock skips in spring is refused.

    Raises:
        PayloadChanged: the file has other columns.
    """
    table = read_table(text, day, [_TOTAL])
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
