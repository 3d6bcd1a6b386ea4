"""What all sources of prices share: a site per market whose main channel is its price, and rows of prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context
from watthour.core.frames import INSTANT
from watthour.core.price import WHOLESALE
from watthour.core.units import Quantity, Unit
from watthour.sources.delivery import local_instant

if TYPE_CHECKING:
    from datetime import datetime, time, timedelta

    from watthour.core.place import Place

ROW = {"said": pl.String, "raw": pl.String, "row": pl.String}


def market(
    provider: str, code: str, name: str, place: Place, step: timedelta, price: tuple[Unit, str], word: str = WHOLESALE
) -> Context:
    """Return a market as a site: what is forecast of it is its price.

    Args:
        provider: whose code it is, such as awattar.
        code: what the provider calls it, such as de; its id is both words, as the bare code may name another site.
        name: for people.
        place: whose clock, holidays and weather it has.
        step: how long a price holds.
        price: its unit and currency.
        word: last word of the channel's id, see ``core.price``.
    """
    site_id = f"{provider}_{code}" if code else provider
    unit, currency = price
    channel = Channel(f"grid.{site_id}.{word}", site_id, Quantity.PRICE, unit, step, currency=currency)
    site = Site(site_id, name, SiteKind.REGION, place, main_channel=channel.id, codes=((provider, site_id),))
    return Context(site, channel)


def code_of(context: Context, provider: str) -> str:
    """Return what a provider calls a market of its own."""
    return context.site.id.removeprefix(f"{provider}_")


def published_on_eve(clock: time, time_zone: str, *, day_begins_earlier: timedelta | None = None) -> pl.Expr:
    """Return when the prices of a day are published: at a clock time of the local day before.

    Args:
        clock: by then they can be read.
        time_zone: of the market.
        day_begins_earlier: by how much the day of the prices begins before the local midnight, if it does.
    """
    time = pl.col("time") if day_begins_earlier is None else pl.col("time") + day_begins_earlier
    eve = time.dt.convert_time_zone(time_zone).dt.date() - pl.duration(days=1)
    return local_instant(eve, clock, time_zone).cast(INSTANT).alias("published")


def split_into_steps(rows: pl.DataFrame, step: timedelta) -> pl.DataFrame:
    """Return a row for each step of intervals that are several steps long: their price holds for each of them.

    Args:
        rows: with ``time`` and ``end``; an interval without an end is one step.
        step: of the channel.
    """
    starts = pl.datetime_ranges("time", pl.coalesce("end", pl.col("time") + step), step, closed="left")
    return rows.with_columns(time=starts).explode("time").drop("end").drop_nulls("time")


def instant_of(text: pl.Expr) -> pl.Expr:
    """Return the instant that ISO text with an offset or a Z stands for; null where it is none."""
    plain = text.str.replace("Z$", "+00:00")
    return plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False).cast(INSTANT)


def iso(instant: datetime) -> str:
    """Return an instant in UTC as providers take it."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
