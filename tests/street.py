"""A street of invented homes: three that have been measured for long, and one that is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.frames import INSTANT, Events, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from watthour.core.ports import Store

NOW = datetime(2024, 5, 15, 7, 30, tzinfo=UTC)
OLD_DAYS = 100
OLD = ("Oak", "Elms", "Beech")


def add(store: Store, name: str, days: float, **changes: Any) -> None:  # noqa: ANN401 - fields of a site or channel
    """Add a home with readings of its last days, up to the last whole hour."""
    place = Place(changes.pop("time_zone", "Europe/Paris"))
    site = Site(name.lower(), name, changes.pop("kind", SiteKind.HOME), place, is_simulated="is_simulated" in changes)
    channel = Channel(f"{site.prefix}.power", site.id, Quantity.POWER, Unit.KW, HOUR)
    channel = replace(channel, **changes)
    site = replace(site, main_channel=channel.id)
    end = NOW.replace(minute=0)
    times = pl.datetime_range(end - days * DAY, end, channel.resolution, closed="left", eager=True, time_unit="us")
    hour = times.dt.convert_time_zone("Europe/Paris").dt.hour().to_numpy()
    rng = np.random.default_rng(len(name) + ord(name[-1]))
    value = (1 + len(name)) * (0.3 + np.exp(-0.5 * ((hour - 19) / 2) ** 2)) * rng.gamma(16, 1 / 16, len(hour))
    rows = pl.DataFrame({"time": times, "value": value}).select(
        pl.lit(channel.id).alias("channel"),
        "time",
        (pl.col("time") + channel.resolution).alias("available_at"),
        (pl.col("time") + channel.resolution).alias("recorded_at"),
        "value",
        pl.lit(0, pl.Int16).alias("quality"),
    )
    store.register([site], [channel])
    store.append(Readings.validate(rows))


def fill(store: Store, *, new_days: float = 1.5) -> None:
    """Add the three homes of a hundred days and the new one."""
    for name in OLD:
        add(store, name, OLD_DAYS)
    add(store, "New", new_days)


def hourly(channel: str, values: Sequence[float | None], *, end: datetime) -> dy.DataFrame[Readings]:
    """Return hourly readings that end at an instant, each known as its hour ends."""
    rows = [(end - (len(values) - n) * HOUR, value) for n, value in enumerate(values)]
    table = pl.DataFrame(rows, schema={"time": INSTANT, "value": pl.Float64}, orient="row")
    known = pl.col("time") + HOUR
    return Readings.validate(
        table.select(
            pl.lit(channel).alias("channel"),
            "time",
            known.alias("available_at"),
            known.alias("recorded_at"),
            "value",
            pl.lit(0, pl.Int16).alias("quality"),
        )
    )


def uses(device: str, starts: Sequence[datetime], *, minutes: int, kwh: float) -> dy.DataFrame[Events]:
    """Return uses of a device that all last as long and use as much, known when they have ended."""
    table = pl.DataFrame({"start": pl.Series(list(starts), dtype=INSTANT)})
    end = pl.col("start") + pl.duration(minutes=minutes)
    return Events.validate(
        table.select(
            pl.lit(device).alias("device"),
            "start",
            end.alias("end"),
            pl.lit(kwh).alias("energy_kwh"),
            end.alias("available_at"),
            end.alias("recorded_at"),
            pl.lit(0, pl.Int16).alias("quality"),
        )
    )
