"""Parts of a history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.frames import Forecasts, Readings
from watthour.forecasting.vintages import (
    DAY_US,
    datetimes,
    forecast_vintages_by_channel,
    measurement_vintages_by_channel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.forecast import History
    from watthour.forecasting.vintages import Array, Instants, Vintages


def since(history: History, day: int) -> History:
    """Return the part of a history that speaks of a day or later; a long one is slow to search."""
    start = datetimes(np.array([(day - 1) * DAY_US]))[0]
    recent = pl.col("time") >= start
    return replace(
        history,
        readings=Readings.cast(history.readings.filter(recent)),
        forecasts=Forecasts.cast(history.forecasts.filter(recent)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class KnownChannels:
    """All versions of some channels, looked up once."""

    measured: Mapping[str, Vintages]
    forecast: Mapping[str, Vintages]

    @classmethod
    def of(cls, history: History, channels: Sequence[str], *, feed: str = "") -> Self:
        """Look up what was measured of channels, and what was said of them in advance.

        Args:
            history: what is known.
            channels: which of it.
            feed: whose forecasts count, where anybody has made any; empty: everybody's.
        """
        foreseen = forecast_vintages_by_channel(history, channels, model=feed or None)
        return cls(measurement_vintages_by_channel(history, channels), foreseen)

    def latest(self, channel: str, times: Instants, at: Instants) -> Array:
        """Return what was measured where that was known at instants, else the latest forecast; NaN where neither.

        Times and instants broadcast; the answer has the shape of both together.
        """
        shape = np.broadcast_shapes(times.shape, at.shape)
        found = np.full(shape, np.nan)
        for kind in (self.forecast, self.measured):
            if channel in kind:
                values = kind[channel].known(times, at)
                found = np.where(np.isfinite(values), values, found)
        return found
