"""Hourly day-ahead prices of Germany with Luxembourg, and of Austria, from aWATTar.

Source: https://www.awattar.de/services/api (``/v1/marketdata``, no key).
aWATTar names an hour by its *start* in milliseconds since 1970; prices are those of the exchange in EUR/MWh, without
taxes and fees, and can be negative. Those of tomorrow can be read from 14:00 local on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from watthour.core.errors import PayloadChanged
from watthour.core.frames import INSTANT, Readings
from watthour.core.place import Place
from watthour.core.units import Unit
from watthour.core.window import HOUR
from watthour.sources.delivery import deliver, split_unreadable
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.options import Options
from watthour.sources.prices.markets import code_of, market, published_on_eve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://api.awattar.{country}/v1"
PUBLISHED_BY = time(14)  # local, on the day before
UNIT = "eur/mwh"
_HOUR_MS = 3_600_000
_FIELDS = ("start_timestamp", "end_timestamp", "marketprice", "unit")
_PLACES = {
    "de": ("aWATTar Germany", Place("Europe/Berlin", latitude=51.2, longitude=10.4, holidays="DE")),
    "at": ("aWATTar Austria", Place("Europe/Vienna", latitude=47.6, longitude=14.1, holidays="AT")),
}


class AwattarOptions(Options):
    """``[sources.awattar]``."""

    url: str = BASE_URL


class Clients(NamedTuple):
    """The ways to aWATTar's two countries."""

    de: HttpClient
    at: HttpClient


def contexts() -> tuple[Context, ...]:
    """Return the markets this connector knows."""
    return tuple(
        market("awattar", code, name, place, HOUR, (Unit.CURRENCY_PER_MWH, "EUR"))
        for code, (name, place) in _PLACES.items()
    )


def open_client(
    options: AwattarOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> Clients:
    """Return the ways to aWATTar's data."""
    limit = rate_limit or RateLimit(0.5)
    urls = (options.url.replace("{country}", country) for country in _PLACES)
    return Clients(*(HttpClient("awattar", url, rate_limit=limit, retry=retry) for url in urls))


@dataclass(frozen=True, slots=True)
class Awattar:
    """The day-ahead prices of one country."""

    context: Context
    clients: Clients

    @property
    def name(self) -> str:
        """The provider and the market."""
        return f"awattar:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the market."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return its price."""
        return (self.context.channel,)

    def probe(self, *, now: datetime) -> None:
        """Ask for the hour now running; raises as ``fetch``."""
        self._ask(now - HOUR, now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the prices of the window that are published; see ``core.ports.Source``."""
        good, refused = parse(self._ask(window.start, window.end), self.context)
        published = published_on_eve(PUBLISHED_BY, self.context.time_zone)
        readings = good.select("channel", "time", "value", published)
        return deliver(
            self.name,
            window,
            readings=readings,
            refused=refused,
            now=now,
            watched_from=watched_from,
            schema=Readings,
        )

    def _ask(self, start: datetime, end: datetime) -> object:
        client = self.clients.at if code_of(self.context, "awattar") == "at" else self.clients.de
        return client.get_json("/marketdata", [("start", _milliseconds(start)), ("end", _milliseconds(end))])


def parse(answer: object, context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn an answer into prices and refused rows.

    A row is refused where its unit is another, so that no price is a thousand times off, or where it is no hour.

    Raises:
        PayloadChanged: the answer has an unexpected format.
    """
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= set(_FIELDS) for row in rows):
        raise PayloadChanged("awattar", "the answer holds no market data", remedy="Update Watthour.")
    columns = {
        "start": [_whole(row["start_timestamp"]) for row in rows],
        "end": [_whole(row["end_timestamp"]) for row in rows],
        "unit": [str(row["unit"]).casefold() for row in rows],
        "raw": [None if row["marketprice"] is None else str(row["marketprice"]) for row in rows],
        "row": [json.dumps(row) for row in rows],
    }
    schema = {"start": pl.Int64, "end": pl.Int64, "unit": pl.String, "raw": pl.String, "row": pl.String}
    table = pl.DataFrame(columns, schema=schema).with_columns(
        channel=pl.lit(context.channel.id), time=(pl.col("start") * 1000).cast(INSTANT)
    )
    is_hour = (pl.col("end") - pl.col("start") == _HOUR_MS) & (pl.col("start") % _HOUR_MS == 0)
    rules = {
        "unit_is_eur_per_mwh": pl.col("unit") != UNIT,
        "interval_is_an_hour": ~is_hour.fill_null(value=True),
    }
    good, refused = split_unreadable(table, rules)
    return good.drop_nulls("value").unique("time", keep="last", maintain_order=True), refused


def _milliseconds(instant: datetime) -> str:
    return str(round(instant.timestamp() * 1000))


def _whole(value: object) -> int | None:
    """Return a number of milliseconds that a clock can mean."""
    most = 4_102_444_800_000  # the year 2100
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < most else None
