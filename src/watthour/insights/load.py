"""The load that insights are made from: mean powers of intervals, by the clock of their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from watthour.core.quality import is_trusted
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.frames import Readings
    from watthour.core.window import Window

Array: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

HOURS = 24
_SATURDAY = 6  # counted from Monday = 1
_MOSTLY_KNOWN = 0.8  # of the hours of a load, that a part taken out of it is known in
_KNOWN_SHARE = 0.75  # of an hour, from which its mean is taken


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why an insight cannot be given, and what would make it possible."""

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Load:
    """What was drawn, interval by interval.

    ``table`` has ``time`` (start, UTC), ``power_w`` (mean over the interval; null is a gap), ``day`` (local), ``clock``
    (hours since the local midnight) and ``is_off`` (a weekend, or another day off); sorted by time.
    """

    step: timedelta
    time_zone: str
    table: pl.DataFrame

    def within(self, window: Window) -> Load:
        """Return the part whose intervals start in a window."""
        return replace(
            self, table=self.table.filter(pl.col("time").is_between(window.start, window.end, closed="left"))
        )

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return self.table["power_w"].count() > 0

    @property
    def last(self) -> datetime | None:
        """The start of the last interval that is known."""
        known: datetime | None = self.table.drop_nulls("power_w")["time"].max()  # type: ignore[assignment]  # of instants
        return known


@dataclass(frozen=True, slots=True)
class Part:
    """A device of a home, or a circuit with all that hangs on it, and what was measured there."""

    id: str
    name: str
    is_circuit: bool = False
    feeds_in: bool = False  # so that it is no consumer
    load: Load | None = None  # None: nothing is measured at it


def load_of(
    readings: dy.DataFrame[Readings], channel: Channel, time_zone: str, *, days_off: Collection[date] = ()
) -> Load:
    """Return the load of a channel of power or energy; what is doubted, or has no reading, is a gap.

    Args:
        readings: of any channels; one version per interval.
        channel: whose load it is.
        time_zone: whose days and hours count.
        days_off: public holidays; weekends are days off without being named.

    Raises:
        ValueError: the channel measures something else.
    """
    is_energy = channel.quantity is Quantity.ENERGY
    factor, _ = conversion(channel.unit, Unit.KWH if is_energy else Unit.W)
    if is_energy:
        factor *= 1000 / (channel.resolution / HOUR)
    value = pl.when(is_trusted()).then(pl.col("value")) * factor
    table = readings.filter(pl.col("channel") == channel.id).sort("time").select("time", power_w=value)
    return Load(channel.resolution, time_zone, _with_clock(pl.DataFrame(table), time_zone, days_off))


def summed(loads: Sequence[Load]) -> Load:
    """Return the sum of loads of one step, one at least; what one of them does not know is a gap."""
    first, *others = loads
    table = first.table
    for other in others:
        table = table.join(other.table.select("time", more="power_w"), on="time", how="left", maintain_order="left")
        table = table.with_columns(pl.col("power_w") + pl.col("more")).drop("more")
    return replace(first, table=table)


def hourly(load: Load) -> Load:
    """Return the load in local hours; an hour of which less than three quarters is known is a gap."""
    if load.step >= HOUR:
        return load
    fewest = _KNOWN_SHARE * (HOUR / load.step)
    zone = load.time_zone
    hour = pl.col("time").dt.convert_time_zone(zone).dt.truncate("1h").dt.convert_time_zone("UTC").alias("time")
    power = pl.when(pl.col("power_w").count() >= fewest).then(pl.col("power_w").mean())
    table = load.table.group_by(hour).agg(power_w=power, day=pl.col("day").first(), is_off=pl.col("is_off").first())
    return replace(load, step=HOUR, table=_with_clock(table.sort("time"), zone, None))


def _with_clock(table: pl.DataFrame, time_zone: str, days_off: Collection[date] | None) -> pl.DataFrame:
    """Add the local day and clock, and the kind of day unless it is there already."""
    local = pl.col("time").dt.convert_time_zone(time_zone)
    clock = local.dt.hour() + local.dt.minute() / 60 + local.dt.second() / 3600
    table = table.with_columns(day=local.dt.date(), clock=clock.cast(pl.Float64))
    if days_off is not None:
        off = pl.Series(list(days_off), dtype=pl.Date)
        table = table.with_columns(is_off=(local.dt.weekday() >= _SATURDAY) | pl.col("day").is_in(off.implode()))
    return table.select("time", "power_w", "day", "clock", "is_off")


def less(load: Load, part: Load) -> Load | None:
    """Return a load less a part of it, in hours; None where the part is not known for most of them.

    An hour in which the part is not known is a gap.
    """
    home = hourly(load)
    both = home.table.join(hourly(part).table.select("time", part_w="power_w"), on="time", how="left")
    rest = pl.col("power_w") - pl.col("part_w")
    if both.select(rest.count()).item() < _MOSTLY_KNOWN * both["power_w"].count():
        return None
    return replace(home, table=both.with_columns(rest.alias("power_w")).select(home.table.columns))


@dataclass(frozen=True, slots=True)
class Days:
    """A load as a table of days and local hours; days without readings are there, empty."""

    first: date
    power_w: Array  # (days, 24); nan is a gap
    is_off: Mask  # (days,)
    starts: npt.NDArray[np.int64]  # (days, 24) instants, in microseconds; -1 where nothing was measured

    def day(self, index: int) -> date:
        """Return a day by its place."""
        return self.first + timedelta(days=index)


def days_of(load: Load) -> Days | None:
    """Return the local days and hours of a load of at most hourly steps; None where nothing is known.

    The hour that comes twice in autumn is the mean of both.
    """
    table = hourly(load).table.drop_nulls("power_w")
    if table.is_empty() or load.step > HOUR:
        return None
    table = table.with_columns(hour=pl.col("clock").floor().cast(pl.Int64))
    table = table.group_by("day", "hour").agg(pl.col("power_w").mean(), pl.col("time").min(), pl.col("is_off").first())
    first = table["day"].min()
    if not isinstance(first, date):
        return None
    place = (table["day"] - first).dt.total_days().to_numpy()
    hour = table["hour"].to_numpy()
    n_days = int(place.max()) + 1
    power, starts = np.full((n_days, HOURS), np.nan), np.full((n_days, HOURS), -1, dtype=np.int64)
    power[place, hour] = table["power_w"].to_numpy()
    starts[place, hour] = table["time"].to_physical().to_numpy()
    weekday = (first.weekday() + np.arange(n_days)) % 7 + 1
    is_off = weekday >= _SATURDAY
    is_off[place] = table["is_off"].to_numpy()
    return Days(first, power, is_off, starts)


def quantile(values: Array, share: float) -> Array:
    """Return a quantile of each column, nan where a column is empty; gaps are left out.

    >>> quantile(np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]]), 0.5).tolist()
    [2.0, nan]
    """
    if not len(values):
        return np.full(values.shape[1:], np.nan)
    ordered = np.sort(values, axis=0)
    n_known = np.sum(~np.isnan(values), axis=0)
    place = np.maximum(n_known - 1, 0) * share
    low = place.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(n_known - 1, 0))
    below, above = (np.take_along_axis(ordered, each[None], axis=0)[0] for each in (low, high))
    return np.asarray(below + (above - below) * (place - low))


def median(values: Array) -> float:
    """Return the median of what is known of some values; nan where nothing is."""
    return float(quantile(values.reshape(-1, 1), 0.5)[0])


def median_span(values: Array) -> tuple[float, float]:
    """Return a 95 % interval of a median by the ranks of the values; of fewer than six, the lowest and the highest.

    Source: Conover, Practical Nonparametric Statistics (3rd ed., 1999), section 3.2.
    """
    known = np.sort(values[~np.isnan(values)])
    half = 1.96 * np.sqrt(len(known)) / 2
    low = max(int(np.floor(len(known) / 2 - half)), 0)
    high = min(int(np.ceil(len(known) / 2 + half)), len(known) - 1)
    return float(known[low]), float(known[high])
