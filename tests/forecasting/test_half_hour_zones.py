"""Weather stands at full hours of UTC, and days begin at half hours of it where a clock says so."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context, History, covariates_of
from watthour.core.frames import Forecasts, Maker, Readings
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit
from watthour.core.weather import weather_channels
from watthour.core.window import DAY, HOUR, local_midnight
from watthour.forecasting.gaussian_process.day_process.weather import VARIABLES, day_weather
from watthour.forecasting.gaussian_process.local_days import DayRequests
from watthour.forecasting.gaussian_process.points import points_of
from watthour.forecasting.vintages import instants

TODAY = date(2026, 7, 1)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Adelaide", "Asia/Kathmandu", "America/New_York"])
def test_the_weather_of_a_day_is_known_wherever_it_begins(zone: str) -> None:
    site = Site("town", "Town", SiteKind.REGION, Place(zone))
    weather = weather_channels(site, [Point("centre", 20.0, 80.0)])
    temperature = next(each for each in weather if each.variable == "temperature_2m")
    load = Channel("grid.town.demand", "town", Quantity.ENERGY, Unit.MWH, HOUR)
    start = local_midnight(TODAY, zone).replace(minute=0) - 6 * DAY
    times = [start + n * HOUR for n in range(9 * 24)]
    issued = local_midnight(TODAY, zone) - 16 * HOUR
    forecasts = pl.DataFrame(
        {
            "channel": temperature.id,
            "time": times,
            "issued_at": [time - timedelta(days=3) for time in times],
            "model": "open_meteo",
            "level": 0.5,
            "maker": str(Maker.RIVAL),
            "available_at": [time - timedelta(days=3) for time in times],
            "recorded_at": issued,
            "value": [float(n % 24) for n in range(len(times))],
            "quality": 0,
        },
        schema=Forecasts.create_empty().schema,
    )
    context = Context(site, load, covariates_of(weather))
    history = History(issued, context, Readings.create_empty(), Forecasts.validate(forecasts))
    day = np.array([(TODAY - date(1970, 1, 1)).days])
    at = instants(pl.Series([issued]))
    found = day_weather(history, points_of(context, VARIABLES), DayRequests(day=day, issued=at, known_until=at))
    highest, lowest = found[0, 0, :, 0], found[0, 0, :, 1]
    assert (highest == 23.0).all()
    assert (lowest == 0.0).all()
