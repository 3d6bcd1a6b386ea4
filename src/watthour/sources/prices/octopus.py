"""Half-hourly prices that customers of Octopus Energy pay in a region of Great Britain, such as those of Agile.

Source: https://developer.octopus.energy/rest/guides/endpoints (``standard-unit-rates``, no key). A rate is told with
the start and the end of the time for which it holds, in UTC, newest first and page by page. Prices are pence per kWh
*with* value-added tax (``value_inc_vat``): they are kept as GBP/kWh in a channel whose id says ``retail_price``, so
that no tariff adds the tax again. The rates of a day, 23:00 to 23:00 local, are published from 16:00 to 20:00 before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import PayloadChanged
from watthour.core.frames import Readings
from watthour.core.place import Place
from watthour.core.price import RETAIL
from watthour.core.units import Unit
from watthour.core.window import HOUR
from watthour.sources.delivery import deliver, split_unreadable
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.options import Options
from watthour.sources.prices.markets import code_of, instant_of, iso, market, published_on_eve, split_into_steps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://api.octopus.energy/v1"
PRODUCT = "AGILE-24-10-01"
TIME_ZONE = "Europe/London"
PUBLISHED_BY = time(20)  # local, on the day before
HALF_HOUR = timedelta(minutes=30)
PENCE = 100.0  # in a pound
PAGE = 1500  # rows; the largest it gives
MOST_PAGES = 200
_FIELDS = {"value_inc_vat", "valid_from", "valid_to"}
_ODD_PAYMENT = "NON_DIRECT_DEBIT"  # some products have a dearer row for it; Agile has one for all
# The regions of the distribution networks, with a town in each for its weather.
_REGIONS = {
    "a": ("Eastern England", 52.2, 0.6),
    "b": ("East Midlands", 52.9, -1.1),
    "c": ("London", 51.5, -0.1),
    "d": ("Merseyside and North Wales", 53.3, -3.0),
    "e": ("West Midlands", 52.5, -1.9),
    "f": ("North East England", 54.8, -1.6),
    "g": ("North West England", 53.6, -2.5),
    "h": ("Southern England", 51.1, -1.3),
    "j": ("South East England", 51.2, 0.5),
    "k": ("South Wales", 51.6, -3.4),
    "l": ("South West England", 50.7, -3.8),
    "m": ("Yorkshire", 53.8, -1.3),
    "n": ("South Scotland", 55.8, -4.0),
    "p": ("North Scotland", 57.2, -3.5),
}


class OctopusOptions(Options):
    """``[sources.octopus]``."""

    url: str = BASE_URL
    product: str = PRODUCT  # code of the product, as in the address of its page


@dataclass(frozen=True, slots=True)
class Client:
    """The way to Octopus, and the product that is asked for."""

    http: HttpClient
    product: str


def contexts() -> tuple[Context, ...]:
    """Return the regions of Great Britain."""
    return tuple(
        market(
            "octopus",
            code,
            f"Octopus, {name}",
            Place(TIME_ZONE, latitude=latitude, longitude=longitude, holidays="GB-SCT" if code in "np" else "GB-ENG"),
            HALF_HOUR,
            (Unit.CURRENCY_PER_KWH, "GBP"),
            RETAIL,
        )
        for code, (name, latitude, longitude) in _REGIONS.items()
    )


def open_client(
    options: OctopusOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> Client:
    """Return the way to Octopus."""
    limit = rate_limit or RateLimit(1.0)
    return Client(HttpClient("octopus", options.url, rate_limit=limit, retry=retry), options.product)


@dataclass(frozen=True, slots=True)
class Octopus:
    """The prices of one product in one region, taxes included."""

    context: Context
    client: Client

    @property
    def name(self) -> str:
        """The provider and the region."""
        return f"octopus:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return its price."""
        return (self.context.channel,)

    def probe(self, *, now: datetime) -> None:
        """Ask for the half-hour now running; raises as ``fetch``."""
        self._page(now - HALF_HOUR, now, 1)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the prices of the window that are published; see ``core.ports.Source``.

        Raises:
            PayloadChanged: an answer has an unexpected format, or the pages do not end.
        """
        rows: list[object] = []
        for page in range(1, MOST_PAGES + 1):
            found, has_more = rows_of(self._page(window.start, window.end, page))
            rows += found
            if not has_more:
                break
        else:
            raise PayloadChanged("octopus", f"there are more than {MOST_PAGES} pages", remedy="Ask for fewer days.")
        good, refused = parse(rows, self.context, window)
        published = published_on_eve(PUBLISHED_BY, TIME_ZONE, day_begins_earlier=HOUR)
        return deliver(
            self.name,
            window,
            readings=good.select("channel", "time", "value", published),
            refused=refused,
            now=now,
            watched_from=watched_from,
            schema=Readings,
        )

    def _page(self, start: datetime, end: datetime, page: int) -> object:
        product, region = self.client.product, code_of(self.context, "octopus").upper()
        path = f"/products/{product}/electricity-tariffs/E-1R-{product}-{region}/standard-unit-rates/"
        params = [("period_from", iso(start)), ("period_to", iso(end)), ("page_size", str(PAGE)), ("page", str(page))]
        return self.client.http.get_json(path, params)


def rows_of(answer: object) -> tuple[list[object], bool]:
    """Return the rows of a page, and whether another follows.

    Raises:
        PayloadChanged: the answer has an unexpected format.
    """
    rows = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= _FIELDS for row in rows):
        raise PayloadChanged("octopus", "the answer holds no unit rates", remedy="Update Watthour.")
    return rows, isinstance(answer, dict) and answer.get("next") is not None


def parse(rows: Sequence[object], context: Context, window: Window) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn rows into prices of half-hours and refused rows.

    A rate that holds for longer is that of each of its half-hours; one without an end holds to the end of the window.
    """
    mine = [row for row in rows if isinstance(row, dict) and row.get("payment_method") != _ODD_PAYMENT]
    columns = {
        "start": [str(row["valid_from"]) for row in mine],
        "until": [None if row["valid_to"] is None else str(row["valid_to"]) for row in mine],
        "raw": [None if row["value_inc_vat"] is None else str(row["value_inc_vat"]) for row in mine],
        "row": [json.dumps(row) for row in mine],
    }
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        channel=pl.lit(context.channel.id), time=instant_of(pl.col("start")), end=instant_of(pl.col("until"))
    )
    begins_within = pl.col("time").dt.truncate("30m") != pl.col("time")
    has_bad_end = pl.col("until").is_not_null() & (
        pl.col("end").is_null()
        | (pl.col("end").dt.truncate("30m") != pl.col("end"))
        | (pl.col("end") <= pl.col("time"))
    )
    rules = {"interval_is_of_half_hours": (begins_within | has_bad_end).fill_null(value=False)}
    good, refused = split_unreadable(table, rules)
    first, last = (
        pl.lit(each.replace(minute=0, second=0, microsecond=0)) for each in (window.start, window.end + HOUR)
    )
    cut = good.drop_nulls("value").with_columns(
        pl.max_horizontal("time", first).alias("time"),
        pl.min_horizontal(pl.col("end").fill_null(last), last).alias("end"),
        value=pl.col("value") / PENCE,
    )
    spread = split_into_steps(cut.filter(pl.col("time") < pl.col("end")), HALF_HOUR)
    return spread.unique("time", keep="first", maintain_order=True), refused
