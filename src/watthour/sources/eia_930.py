"""What all ways to the data of Form EIA-930 share: the API, the six-month files, published copies.

Source: https://www.eia.gov/electricity/gridmonitor/about.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Channel, Limits, beside_load_limits
from watthour.core.errors import InvalidInput
from watthour.core.frames import OPERATOR
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR
from watthour.sources.delivery import day_ahead_issue

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.forecast import Context

PROVIDER = "eia"  # under this name a site says what EIA calls it
DEMAND_LAG = timedelta(hours=2)  # EIA posts an hour of demand one to two hours after its end
FUEL_MIX_LAG = timedelta(days=1)  # the mix follows about a day later
GENERATION = "generation."
_NEVER_CHARGE = {"coal", "gas", "nuclear", "oil", "solar", "wind", "geothermal", "biomass"}  # hydro may hold pumping
_MOST_OVER_LOAD = 2.0  # generation by one fuel over the highest load; Bonneville's rivers make 1.5 times its own
_MOST_OF_A_SMALL_REGION = 5_000.0  # [MWh] of one fuel; Ohio Valley makes 2,200 for a load of 200
_MOST_OWN_USE = 0.1  # of plants that stand still, over the highest load
OPERATOR_POSTS_AT = time(7, 5)  # NYISO posts day D about 07:05 to 07:55 local on D-1; taken for all operators


def respondent_of(context: Context) -> str:
    """Return EIA's code of a balancing authority.

    Raises:
        InvalidInput: EIA does not know the site.
    """
    code = context.site.code(PROVIDER)
    if code is None:
        raise InvalidInput("region", context.site.id, "EIA does not know it", remedy="Choose a balancing authority.")
    return code


def energy_channel(context: Context, series: str = "demand") -> Channel:
    """Return an hourly energy channel of a region, such as ``demand`` or ``generation.wind``."""
    name = f"{context.site.prefix}.{series}"
    if name == context.channel.id:
        return context.channel  # which says what its values can be
    return Channel(
        id=name,
        site=context.site.id,
        quantity=Quantity.ENERGY,
        unit=Unit.MWH,
        resolution=HOUR,
        limits=_limits(series, context.channel.limits),
        is_simulated=context.site.is_simulated,
    )


def _limits(series: str, load: Limits) -> Limits:
    """Return what the values of a region's series beside its load can be at all; one in a wrong unit is outside."""
    beside = beside_load_limits(load)
    if not series.startswith(GENERATION) or load.high is None or beside.high is None:
        return beside
    high = max(_MOST_OVER_LOAD * load.high, min(_MOST_OF_A_SMALL_REGION, beside.high))
    charges = series.removeprefix(GENERATION) not in _NEVER_CHARGE
    return Limits(-high if charges else -_MOST_OWN_USE * load.high, high)


def measured(hours: pl.DataFrame, series: pl.Expr, lag: pl.Expr, context: Context) -> pl.DataFrame:
    """Return measured hours as parsed readings: ``series`` names the channel, ``lag`` says when an hour is posted."""
    return hours.select(
        pl.format("{}.{}", pl.lit(context.site.prefix), series).alias("channel"),
        "time",
        "value",
        (pl.col("time") + HOUR + lag).alias("published"),
    )


def operator_forecasts(hours: pl.DataFrame, context: Context, *, now: datetime) -> pl.DataFrame:
    """Return ``time, value`` of the operator's day-ahead forecast as parsed forecasts; an absent value is none."""
    issued_at = day_ahead_issue(pl.col("time"), OPERATOR_POSTS_AT, context.time_zone, now=now)
    return (
        hours.filter(pl.col("value").is_not_null())
        .with_columns(issued_at=issued_at)
        .select(
            pl.lit(energy_channel(context).id).alias("channel"),
            "time",
            "value",
            pl.col("issued_at").alias("published"),
            "issued_at",
            pl.lit(OPERATOR).alias("model"),
        )
    )


def channel_word(code: str) -> str:
    """Return a code or name as a word that may stand in a channel id."""
    return re.sub(r"[^a-z0-9]+", "_", code.lower()).strip("_") or "unnamed"
