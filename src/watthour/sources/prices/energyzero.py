"""Day-ahead prices of the Netherlands, quarter-hour by quarter-hour, from EnergyZero.

Source: https://public.api.energyzero.nl (``/public/v1/prices``, no key), asked by local day; an answer may also hold
the days beside it. EnergyZero names an interval by its *start* and tells its end, in UTC. Of four figures (``base``,
``base_with_vat``, ``all_in``, ``all_in_with_vat``) the first is read: the price of the exchange in EUR/kWh, without
taxes and the supplier's fees; a tariff adds those. Prices of tomorrow can be read from 15:00 local on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import PayloadChanged
from watthour.core.frames import Readings
from watthour.core.place import Place
from watthour.core.units import Unit
from watthour.core.window import DAY
from watthour.sources.delivery import PARSED_READINGS, PARSED_REFUSED, deliver, split_unreadable
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.options import Options
from watthour.sources.prices.markets import instant_of, market, published_on_eve, split_into_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://public.api.energyzero.nl/public/v1"
TIME_ZONE = "Europe/Amsterdam"
PUBLISHED_BY = time(15)  # local, on the day before
QUARTER = timedelta(minutes=15)
MAY_BE_MISSING = 2  # days; more, and it is the address that is wrong
_REMEDY = "Update Watthour; if that does not help, report it with the day asked for."


class EnergyzeroOptions(Options):
    """``[sources.energyzero]``."""

    url: str = BASE_URL


def contexts() -> tuple[Context, ...]:
    """Return the market this connector knows."""
    place = Place(TIME_ZONE, latitude=52.2, longitude=5.3, holidays="NL")
    return (market("energyzero", "", "EnergyZero, Netherlands", place, QUARTER, (Unit.CURRENCY_PER_KWH, "EUR")),)


def open_client(
    options: EnergyzeroOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to EnergyZero's prices."""
    return HttpClient("energyzero", options.url, rate_limit=rate_limit or RateLimit(2.0), retry=retry)


@dataclass(frozen=True, slots=True)
class Energyzero:
    """The day-ahead prices of the Netherlands."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider."""
        return self.context.site.id

    def sites(self) -> Sequence[Site]:
        """Return the market."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return its price."""
        return (self.context.channel,)

    def probe(self, *, now: datetime) -> None:
        """Ask for today; raises as ``fetch``."""
        self._ask(now.astimezone(ZoneInfo(TIME_ZONE)).date())

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the prices of the window that are published; see ``core.ports.Source``.

        Raises:
            PayloadChanged: none of several days that are long published has prices.
        """
        readings = [pl.DataFrame(schema=PARSED_READINGS)]
        refused = [pl.DataFrame(schema=PARSED_REFUSED)]
        today, n_missing = now.astimezone(ZoneInfo(TIME_ZONE)).date(), 0
        done: set[date] = set()
        for day in _days(window, today + DAY):
            if day in done:
                continue
            good, bad = parse(self._ask(day), self.context)
            n_missing += good.is_empty() and day <= today
            readings.append(good.select("channel", "time", "value", published_on_eve(PUBLISHED_BY, TIME_ZONE)))
            refused.append(bad)
            done |= _whole_days(good)
        if n_missing > MAY_BE_MISSING and len(readings) - 1 == n_missing:
            problem = f"none of {n_missing} days that were due long ago has prices"
            raise PayloadChanged("energyzero", problem, remedy=_REMEDY)
        return deliver(
            self.name,
            window,
            readings=pl.concat(readings).unique("time", keep="last", maintain_order=True),
            refused=pl.concat(refused).unique(maintain_order=True),
            now=now,
            watched_from=watched_from,
            schema=Readings,
        )

    def _ask(self, day: date) -> object:
        """Return the answer for a local day; None where it has none, as before its prices are published."""
        params = [
            ("energyType", "ENERGY_TYPE_ELECTRICITY"),
            ("date", f"{day:%d-%m-%Y}"),
            ("interval", "INTERVAL_QUARTER"),
        ]
        return self.client.find_json("/prices", params)


def parse(answer: object, context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn an answer into prices of quarter-hours and refused rows; a price of an hour holds for its quarters.

    Raises:
        PayloadChanged: the answer has an unexpected format.
    """
    rows = [] if answer is None else answer.get("base") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise PayloadChanged("energyzero", "the answer holds no base prices", remedy=_REMEDY)
    columns = {
        "start": [str(row["start"]) for row in rows],
        "until": [str(row["end"]) for row in rows],
        "raw": [None if row["price"]["value"] is None else str(row["price"]["value"]) for row in rows],
        "row": [json.dumps(row) for row in rows],
    }
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        channel=pl.lit(context.channel.id), time=instant_of(pl.col("start")), end=instant_of(pl.col("until"))
    )
    long = pl.col("end") - pl.col("time")
    is_odd = (pl.col("time").dt.truncate("15m") != pl.col("time")) | ~long.is_in([QUARTER, 4 * QUARTER])
    good, refused = split_unreadable(table, {"interval_is_a_quarter_or_an_hour": is_odd.fill_null(value=False)})
    return split_into_steps(good.drop_nulls("value"), QUARTER), refused


def _is_row(row: object) -> bool:
    return (
        isinstance(row, dict)
        and row.keys() >= {"start", "end", "price"}
        and isinstance(row["price"], dict)
        and "value" in row["price"]
    )


def _days(window: Window, last: date) -> Iterator[date]:
    """Go through every local day of the window, up to the last that can be published."""
    zone = ZoneInfo(TIME_ZONE)
    day = window.start.astimezone(zone).date()
    end = min((window.end - QUARTER).astimezone(zone).date(), last)
    while day <= end:
        yield day
        day += DAY


def _whole_days(prices: pl.DataFrame) -> set[date]:
    """Return the local days of which every quarter-hour is there, by a clock change 92 of them at least."""
    fewest = 92
    days = prices.unique("time")["time"].dt.convert_time_zone(TIME_ZONE).dt.date()
    return {day for day, count in days.value_counts().iter_rows() if count >= fewest}
