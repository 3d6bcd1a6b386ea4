"""When a home drew the most, how much, and what was on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.window import HOUR
from watthour.insights.load import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.frames import Events
    from watthour.core.window import Window
    from watthour.insights.load import Load, Part

_ON_SHARE, _ON_W = 0.05, 10.0  # of the peak, and at least, that a device counts as on


@dataclass(frozen=True, slots=True)
class OnThen:
    """A device that ran during a peak."""

    id: str
    name: str
    power_w: float | None  # mean over the peak's interval; None: of its use no energy is known
    basis: str  # "readings" or "uses"


@dataclass(frozen=True, slots=True)
class Peak:
    """The interval of a day with the highest mean power."""

    start: datetime
    end: datetime
    power_w: float
    on: tuple[OnThen, ...]  # largest first; circuits are not named beside the devices that hang on them
    explained_share: float | None  # of the power, by these devices; None: of one of them it is not known


def peaks(
    mains: Load | None, parts: Sequence[Part], events: dy.DataFrame[Events], window: Window, *, count: int = 5
) -> tuple[Peak, ...] | Unknown:
    """Return the highest intervals of a window, one of each local day at most, the highest first."""
    known = None if mains is None else mains.within(window).table.drop_nulls("power_w")
    if mains is None or known is None or known.is_empty():
        return Unknown("the home itself is not known in this time", "Import or send readings of its mains.")
    daily = known.sort("power_w", "time", descending=[True, False]).unique("day", keep="first", maintain_order=True)
    found = []
    for start, power in daily.head(count).select("time", "power_w").iter_rows():
        end = start + mains.step
        least = max(_ON_SHARE * power, _ON_W)
        on = [each for part in parts if not part.is_circuit and (each := _on(part, events, start, end, least))]
        told = [each.power_w for each in on if each.power_w is not None]
        is_explained = bool(on) and len(told) == len(on) and power > 0
        largest_first = sorted(on, key=lambda each: -(each.power_w or 0.0))
        found.append(Peak(start, end, power, tuple(largest_first), sum(told) / power if is_explained else None))
    return tuple(found)


def _on(part: Part, events: dy.DataFrame[Events], start: datetime, end: datetime, least: float) -> OnThen | None:
    """Return a device with its mean power in a span; None where it did not run, or nobody knows."""
    if part.load is not None:
        first = start - (part.load.step - min(part.load.step, end - start))  # the interval that holds the peak
        table = part.load.table.filter(pl.col("time").is_between(first, end, closed="left")).drop_nulls("power_w")
        if table.height:
            power = table["power_w"].mean()
            return (
                OnThen(part.id, part.name, power, "readings") if isinstance(power, float) and power >= least else None
            )
    told = events.filter(pl.col("device") == part.id, pl.col("start") < end, pl.col("end") > start)
    if told.is_empty():
        return None
    power = 0.0
    for begun, ended, energy in told.select("start", "end", "energy_kwh").iter_rows():
        if energy is None:
            return OnThen(part.id, part.name, None, "uses")
        overlap = (min(ended, end) - max(begun, start)) / (end - start)
        power += 1000 * energy / ((ended - begun) / HOUR) * overlap
    return OnThen(part.id, part.name, power, "uses") if power >= least else None
