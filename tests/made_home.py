"""Homes made of appliances with known habits, in which tests plant what insights shall find."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from watthour.core.channel import Channel
from watthour.core.frames import Readings
from watthour.core.units import Quantity, Unit
from watthour.insights.load import Load, load_of

if TYPE_CHECKING:
    import dataframely as dy

Array = npt.NDArray[np.float64]
ZONE = "Europe/Paris"
START = datetime(2023, 11, 5, 23, tzinfo=UTC)  # a local midnight; the clock does not change for 20 weeks
STEP = timedelta(minutes=5)
PER_HOUR, PER_DAY = 12, 288


@dataclass
class MadeHome:
    """A home's powers every five minutes [W], by appliance; their sum is what its meter sees."""

    n_days: int
    parts: dict[str, Array] = field(default_factory=dict)
    temperature: Array = field(default_factory=lambda: np.empty(0))  # of each hour [degC]

    @property
    def mains(self) -> Array:
        return np.asarray(sum(self.parts.values()))

    @property
    def times(self) -> pl.Series:
        end = START + self.n_days * timedelta(days=1)
        return pl.datetime_range(START, end, STEP, closed="left", eager=True, time_unit="us")

    def load(self, part: str | None = None, *, step: timedelta = timedelta(hours=1)) -> Load:
        """Return what a meter with some step tells of the home, or of a part."""
        return load_of(self.readings(part, step=step), channel(part or "mains", step), ZONE)

    def readings(self, part: str | None = None, *, step: timedelta = timedelta(hours=1)) -> dy.DataFrame[Readings]:
        count = step // STEP
        power = (self.mains if part is None else self.parts[part]).reshape(-1, count).mean(axis=1)
        return watt_readings(channel(part or "mains", step), self.times.gather_every(count), power)

    def outdoors(self) -> pl.DataFrame:
        return pl.DataFrame({"time": self.times.gather_every(PER_HOUR), "value": self.temperature})


def channel(name: str, step: timedelta) -> Channel:
    return Channel(f"home.made.{name}", "made", Quantity.POWER, Unit.W, step)


def watt_readings(of: Channel, times: pl.Series, power: Array) -> dy.DataFrame[Readings]:
    known = pl.col("time") + of.resolution
    rows = pl.DataFrame({"time": times, "value": power}).select(
        pl.lit(of.id).alias("channel"),
        "time",
        known.alias("available_at"),
        known.alias("recorded_at"),
        pl.col("value").fill_nan(None),
        pl.lit(0, pl.Int16).alias("quality"),
    )
    return Readings.validate(rows)


def make_home(seed: int, *, n_days: int = 112, is_heated: bool = False) -> MadeHome:
    """Return a home whose people cook, wash and go to bed as usual; appliances and hours differ by seed."""
    rng = np.random.default_rng(seed)
    n_steps = n_days * PER_DAY
    home = MadeHome(n_days)
    home.temperature = _weather(rng, n_days)
    home.parts = {name: np.zeros(n_steps) for name in ("fridge", "lights", "kitchen", "washer", "dishwasher", "people")}
    home.parts["always"] = np.full(n_steps, rng.uniform(40, 120)) + rng.normal(0, 2, n_steps)
    home.parts["fridge"] = _fridge(rng, n_steps)
    dinner, bed, up = rng.uniform(18.5, 20), rng.uniform(22, 23.5), rng.uniform(6.5, 8)
    light, hob = rng.uniform(120, 300), rng.uniform(1200, 2200)
    for day in range(n_days):
        is_off = day % 7 >= 5  # the first day is a Monday
        up_today = up + (1.2 if is_off else 0) + rng.normal(0, 0.3)
        bed_today = bed + (0.5 if is_off else 0) + rng.normal(0, 0.4)
        _run(home, "lights", day, 17.5 + rng.normal(0, 0.4), bed_today, light * rng.uniform(0.8, 1.2))
        _run(home, "kitchen", day, up_today, up_today + 0.15, 2000)
        if rng.random() < 0.85:
            begin = dinner + rng.normal(0, 0.5)
            _run(home, "kitchen", day, begin, begin + rng.uniform(0.4, 1.0), hob)
        if rng.random() < (0.7 if is_off else 0.2):
            begin = 12.3 + rng.normal(0, 0.4)
            _run(home, "kitchen", day, begin, begin + rng.uniform(0.3, 0.7), hob)
        if rng.random() < (0.7 if is_off else 0.3):
            begin = rng.uniform(9, 18) if is_off else rng.uniform(17, 20)
            _run(home, "washer", day, begin, begin + 0.4, 2000)
            _run(home, "washer", day, begin + 0.4, begin + 1.4, 250)
        if rng.random() < 0.6:
            begin = dinner + 1.3 + rng.normal(0, 0.3)
            _run(home, "dishwasher", day, begin, begin + 0.35, 1900)
            _run(home, "dishwasher", day, begin + 0.8, begin + 1.1, 1900)
        if is_off or rng.random() < 0.15:
            _run(home, "people", day, up_today, 17, rng.uniform(60, 160))
    if is_heated:
        cold = np.maximum(16 - np.repeat(home.temperature, PER_HOUR), 0)
        home.parts["heat"] = cold * rng.uniform(40, 80) * rng.gamma(20, 1 / 20, n_steps)
    return home


def _run(home: MadeHome, part: str, day: int, begin: float, end: float, power: float) -> None:
    """Add a power from one hour of a day to another."""
    first, last = (day * PER_DAY + round(at * PER_HOUR) for at in (begin, end))
    home.parts[part][first:last] += power


def _fridge(rng: np.random.Generator, n_steps: int) -> Array:
    """Return a fridge that runs a third of the time."""
    power, at = np.zeros(n_steps), int(rng.integers(0, 12))
    draw = rng.uniform(70, 130)
    while at < n_steps:
        runs = int(rng.integers(3, 6))
        power[at : at + runs] = draw
        at += runs + int(rng.integers(7, 11))
    return power


def _weather(rng: np.random.Generator, n_days: int) -> Array:
    """Return the temperature of each hour of a winter that turns to spring [degC]."""
    daily = np.zeros(n_days)
    for day in range(1, n_days):
        daily[day] = 0.8 * daily[day - 1] + rng.normal(0, 2)
    daily += 4 + 8 * np.arange(n_days) / 112
    return np.asarray((daily[:, None] + 3 * np.sin((np.arange(24) - 9) * np.pi / 12)).ravel())
