"""Parts of a history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import Forecasts, Readings
from watthour.forecasting.vintages import DAY_US, datetimes

if TYPE_CHECKING:
    from watthour.core.forecast import History


def since(history: History, day: int) -> History:
    """Return the part of a history that speaks of a day or later; a long one is slow to search."""
    start = datetimes(np.array([(day - 1) * DAY_US]))[0]
    recent = pl.col("time") >= start
    return replace(
        history,
        readings=Readings.cast(history.readings.filter(recent)),
        forecasts=Forecasts.cast(history.forecasts.filter(recent)),
    )
