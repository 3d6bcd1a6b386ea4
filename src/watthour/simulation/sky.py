"""The weather over one day of invented homes, minute by minute; many homes share it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.window import DAY, local_instant

if TYPE_CHECKING:
    from watthour.simulation.noise import Array
    from watthour.simulation.town import SimulatedRegion

DAY_BEGINS = time(5)  # when nearly everybody sleeps: a day of a home goes from here to here
_QUARTER = np.timedelta64(15, "m")


@dataclass(frozen=True, slots=True)
class Sky:
    """A day's weather at one point of the invented region, from 05:00 to 05:00 local time."""

    day: date
    start: int  # [s since 1970]
    end: int
    midnight: int  # [s since 1970] of its calendar day, counted back from noon, so that clocks hold where they change
    temperature: Array  # [degC] of each minute
    sun: Array  # [W/m2] of each minute

    @property
    def n_minutes(self) -> int:
        """How many minutes it has: 1440, but for the two days on which clocks change."""
        return len(self.sun)


def sky_of(day: date, region: SimulatedRegion, *, point: int = 0) -> Sky:
    """Return the weather of a day of homes at a point of an invented region; the same day is always the same."""
    zone = region.context.time_zone
    start, end = local_instant(day, DAY_BEGINS, zone), local_instant(day + DAY, DAY_BEGINS, zone)
    quarters = np.arange(_naive(start), _naive(end) + _QUARTER, _QUARTER)
    minutes = np.arange((end - start) // timedelta(minutes=1))
    temperature, sun = (
        np.interp(minutes, 15 * np.arange(len(quarters)), region.weather(point, variable, quarters))
        for variable in ("temperature_2m", "shortwave_radiation")
    )
    midnight = int(local_instant(day, time(12), zone).timestamp()) - 12 * 3600
    return Sky(day, int(start.timestamp()), int(end.timestamp()), midnight, temperature, sun)


def day_of(instant: datetime, time_zone: str) -> date:
    """Return the day of homes in which an instant lies: before 05:00 it is the day before."""
    guess = instant.astimezone(UTC).date() + DAY
    while local_instant(guess, DAY_BEGINS, time_zone) > instant:
        guess -= DAY
    return guess


def _naive(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "us")
