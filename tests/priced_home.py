"""A flat in Berlin with a meter, and the day-ahead prices of its market: published to the end of tomorrow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.frames import Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, local_midnight
from watthour.sources.prices import awattar

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.ports import Store

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
FLAT = Site("flat", "Flat", SiteKind.HOME, Place(BERLIN), main_channel="home.flat.energy")
METER = Channel("home.flat.energy", "flat", Quantity.ENERGY, Unit.KWH, HOUR)
MARKET = awattar.contexts()[0]
PRICE = MARKET.channel
MIDNIGHT = local_midnight(date(2026, 11, 21), BERLIN)  # of today
PUBLISHED_TO = MIDNIGHT + 2 * DAY
DYNAMIC: dict[str, Any] = {
    "name": "Hourly",
    "currency": "EUR",
    "tax_percent": 19,
    "import": {"kind": "dynamic", "channel": PRICE.id, "markup": 0.02},
    "fees": [{"name": "grid", "price": 0.1}],
}
FLAT_RATE: dict[str, Any] = {"name": "Flat rate", "currency": "EUR", "import": {"kind": "flat", "price": 0.25}}


def rows(channel: Channel, start: datetime, values: list[float], *, ahead: bool = False) -> dy.DataFrame[Readings]:
    """Readings from an instant on: known when they are over, or with ``ahead`` at noon of the day before."""
    times = [start + n * channel.resolution for n in range(len(values))]
    noon = [local_midnight(at.astimezone(ZoneInfo(BERLIN)).date() - DAY, BERLIN) + 12 * HOUR for at in times]
    known = noon if ahead else [at + channel.resolution for at in times]
    frame = pl.DataFrame({"time": times, "value": values, "available_at": known}).with_columns(
        channel=pl.lit(channel.id), recorded_at="available_at", quality=pl.lit(0, pl.Int16)
    )
    return Readings.validate(frame.select(Readings.column_names()), cast=True)


def price_at(instant: datetime) -> float:
    """A price with a shape of the day, on a level that no week repeats. [EUR/MWh]."""
    days = instant.timestamp() / DAY.total_seconds()
    level = 15 * np.sin(2 * np.pi * days / 25.3) + 10 * np.sin(2 * np.pi * days / 11.7)
    return float(80 + 40 * np.sin(2 * np.pi * (days - 0.3)) + level)


def furnish(store: Store, *, days: int = 70) -> None:
    """Let a store hold the flat, a kWh an hour up to now, and the prices."""
    store.register([FLAT, MARKET.site], [METER, PRICE])
    store.append(rows(METER, NOW.replace(minute=0) - 10 * DAY, [1.0] * 240))
    begin = MIDNIGHT - days * DAY
    times = [begin + n * HOUR for n in range((PUBLISHED_TO - begin) // HOUR)]
    store.append(rows(PRICE, begin, [price_at(at) for at in times], ahead=True))
