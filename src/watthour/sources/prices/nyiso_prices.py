"""Hourly day-ahead prices of New York's eleven load zones, from the operator.

Source: https://mis.nyiso.com/public/ (P-2A "Day-Ahead Market LBMP - Zonal", ``damlbmp``): a file per day for about nine
days, then a ZIP per month, which holds all zones and the borders. NYISO names an hour by its local *beginning*; prices
are those of the market in USD/MWh, without taxes and fees. The file of day D is posted by 11:00 local on D-1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import PayloadChanged
from watthour.core.frames import Readings
from watthour.core.place import Place
from watthour.core.units import Unit
from watthour.core.window import HOUR
from watthour.sources.delivery import PARSED_READINGS, PARSED_REFUSED, deliver, plain_number, split_unreadable
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.nyiso_files import STAMP, TIME_ZONE, ZONES, DailyFiles, Months, read_table
from watthour.sources.options import Options
from watthour.sources.prices.markets import code_of, market, published_on_eve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://mis.nyiso.com/public/csv/damlbmp"
STEM = "damlbmp_zone"
POSTED_BY = time(11)  # local, on the day before
ZONE, PRICE = "Name", "LBMP ($/MWHr)"
# Of each zone its name for people and a place in it, for the weather.
_PLACES = {
    "a": ("West", 42.9, -78.8),
    "b": ("Genesee", 43.1, -77.6),
    "c": ("Central", 43.0, -76.1),
    "d": ("North", 44.7, -73.5),
    "e": ("Mohawk Valley", 43.1, -75.2),
    "f": ("Capital", 42.7, -73.8),
    "g": ("Hudson Valley", 41.5, -74.0),
    "h": ("Millwood", 41.2, -73.8),
    "i": ("Dunwoodie", 40.9, -73.8),
    "j": ("New York City", 40.7, -74.0),
    "k": ("Long Island", 40.8, -73.2),
}
_LETTERS = {name.casefold(): letter for name, letter in ZONES.items()}


class NyisoPricesOptions(Options):
    """``[sources.nyiso_prices]``."""

    url: str = BASE_URL


def contexts() -> tuple[Context, ...]:
    """Return New York's zones as markets."""
    return tuple(
        market(
            "nyiso_prices",
            letter,
            f"NYISO day-ahead, {name}",
            Place(TIME_ZONE, latitude=latitude, longitude=longitude, holidays="US-NY"),
            HOUR,
            (Unit.CURRENCY_PER_MWH, "USD"),
        )
        for letter, (name, latitude, longitude) in _PLACES.items()
    )


def open_client(
    options: NyisoPricesOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to NYISO's public files."""
    return HttpClient("nyiso", options.url, rate_limit=rate_limit or RateLimit(2.0), retry=retry)


@dataclass(frozen=True, slots=True)
class NyisoPrices:
    """The day-ahead prices of one zone."""

    context: Context
    client: HttpClient
    _months: Months = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The provider and the zone."""
        return f"nyiso_prices:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the zone."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return its price."""
        return (self.context.channel,)

    def probe(self, *, now: datetime) -> None:
        """Ask for today's file; raises as ``fetch``."""
        DailyFiles(self.client, STEM, self._months).probe(now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the prices of the window that are published; see ``core.ports.Source``.

        Raises:
            PayloadChanged: no day has a file, and more of them are long posted than may be missing.
        """
        readings = [pl.DataFrame(schema=PARSED_READINGS)]
        refused = [pl.DataFrame(schema=PARSED_REFUSED)]
        for day, text in DailyFiles(self.client, STEM, self._months).of_days(window, now):
            good, bad = parse(text, day, self.context)
            readings.append(good.select("channel", "time", "value", published_on_eve(POSTED_BY, TIME_ZONE)))
            refused.append(bad)
        return deliver(
            self.name,
            window,
            readings=pl.concat(readings),
            refused=pl.concat(refused),
            now=now,
            watched_from=watched_from,
            schema=Readings,
        )


def parse(text: str, day: date, context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the file of a day into the prices of one zone and refused rows.

    The hour that comes twice in autumn is told apart by its order; one that the clock skips in spring is refused.

    Raises:
        PayloadChanged: the file has other columns, or does not know the zone.
    """
    table = read_table(text, day, [ZONE, PRICE], within=[ZONE])
    zone = code_of(context, "nyiso_prices")
    if table.is_empty():  # polars 2.1 cannot tell ambiguous times of no rows apart
        return pl.DataFrame(schema={**PARSED_READINGS}).drop("published"), pl.DataFrame(schema=PARSED_REFUSED)
    letter = pl.col(ZONE).str.strip_chars().str.to_lowercase().replace_strict(_LETTERS, default=None)
    mine = table.filter(letter == zone)
    if mine.is_empty():
        raise PayloadChanged("nyiso", f"the file of {day} lacks {context.site.name}", remedy="Update Watthour.")
    mine = mine.with_columns(
        plain_number(pl.col(PRICE)).alias("raw"),
        channel=pl.lit(context.channel.id),
        row=pl.struct(STAMP, ZONE, PRICE).struct.json_encode(),
    )
    good, refused = split_unreadable(mine, {"time_exists": pl.col("naive").is_not_null() & pl.col("time").is_null()})
    return good.drop_nulls("value").unique("time", keep="last", maintain_order=True), refused
