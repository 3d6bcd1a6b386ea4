"""Real history of New York, where it is at hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from forecasting import world

from watthour.core.channel import Limits
from watthour.core.forecast import Context, History
from watthour.core.frames import Forecasts, Readings
from watthour.core.quality import flag
from watthour.core.window import HOUR, local_instant

if TYPE_CHECKING:
    from pathlib import Path

_SPAN = datetime(2018, 11, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)
_PUBLISHED = time(7, 5)  # when the operator's forecast of the next day is out, local time


@pytest.fixture(scope="session")
def new_york(shared_data: Path) -> History:
    """Demand and the operator's forecast from the end of 2018 through 2019."""
    table = (
        pl.read_parquet(shared_data / "grid" / "ny_demand.parquet")
        .with_columns(time=pl.col("period") - HOUR)
        .filter(pl.col("time").is_between(*_SPAN, closed="left"))
    )
    limits = Limits(low=5_000, high=50_000, is_never_constant=True)
    channel = replace(world.CHANNEL, limits=limits)
    demand = table.drop_nulls("demand_mwh")
    rows = world.readings(channel.id, demand["time"], demand["demand_mwh"].to_numpy())
    published = table.drop_nulls("day_ahead_forecast_mwh").filter(pl.col("day_ahead_forecast_mwh") > 0)
    days = published["time"].dt.convert_time_zone(world.ZONE).dt.date()
    issue = {day: local_instant(day - timedelta(days=1), _PUBLISHED, world.ZONE) for day in days.unique()}
    forecasts = world.forecasts(
        channel.id,
        published.select("time", issued_at=days.replace_strict(issue), value="day_ahead_forecast_mwh"),
        world.RIVAL,
    )
    context = Context(world.SITE, channel, rivals=(world.RIVAL,))
    return History(_SPAN[1], context, flag(Readings.validate(rows), [channel]), Forecasts.validate(forecasts))
