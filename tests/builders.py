"""Small frames for tests: say what matters, the rest is filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Channel, Device, Site, SiteKind
from watthour.core.forecast import Context, covariates_of
from watthour.core.frames import Events, Forecasts, Maker, Measure, Quality, Readings, Samples
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

DEMAND = "grid.ny.demand"
TEMPERATURE = "grid.ny.weather.nyc.temperature_2m"
BASELINES = {"seasonal_naive", "persistence_ensemble", "operator_debiased", "persistence", "hourly_mean", "naive"}
MIDNIGHT = datetime(2024, 1, 1, tzinfo=UTC)


def hour(offset: float) -> datetime:
    """Return the instant so many hours after midnight of 1 January 2024, UTC."""
    return MIDNIGHT + offset * HOUR


def hours(start: float, end: float) -> Window:
    """Return the span between two hours after midnight of 1 January 2024, UTC."""
    return Window(hour(start), hour(end))


def region_site(region: str = "ny", *, is_simulated: bool = False) -> Site:
    """Return a region as a site."""
    place = Place("America/New_York", 40.7, -74.0, "US-NY")
    demand = f"grid.{region}.demand"
    return Site(region, region.upper(), SiteKind.REGION, place, main_channel=demand, is_simulated=is_simulated)


def demand_channel(channel: str = DEMAND, *, is_simulated: bool = False) -> Channel:
    """Return an hourly energy channel, of the region its id names."""
    return Channel(channel, channel.split(".")[1], Quantity.ENERGY, Unit.MWH, HOUR, is_simulated=is_simulated)


def home_site(home: str = "flat") -> Site:
    """Return a home as a site."""
    return Site(home, home.capitalize(), SiteKind.HOME, Place("Europe/Paris"), main_channel=f"home.{home}.power")


def home_channel(name: str, home: str = "flat") -> Channel:
    """Return an hourly power channel of a home."""
    return Channel(f"home.{home}.{name}", home, Quantity.POWER, Unit.KW, HOUR)


def device(name: str, home: str = "flat") -> Device:
    """Return a device of a home, named by its word."""
    return Device(f"home.{home}.{name}", home, name.capitalize())


def samples(
    *rows: tuple[str, float, float], measure: Measure = Measure.POWER, recorded_at: datetime = MIDNIGHT
) -> dy.DataFrame[Samples]:
    """Return samples from rows of channel, hours after midnight of 1 January 2024, and value."""
    frame = pl.DataFrame(
        [(channel, hour(at), str(measure), recorded_at, value) for channel, at, value in rows],
        schema=Samples.create_empty().schema,
        orient="row",
    )
    return Samples.validate(frame)


def events(
    *rows: tuple[str, float, float, float | None],
    available_at: datetime | None = None,
    recorded_at: datetime | None = None,
) -> dy.DataFrame[Events]:
    """Return uses from rows of device, start and end in hours after midnight of 1 January 2024, and energy in kWh."""
    frame = pl.DataFrame(
        [
            (
                name,
                hour(start),
                hour(end),
                energy,
                available_at or hour(end),
                recorded_at or available_at or hour(end),
                0,
            )
            for name, start, end, energy in rows
        ],
        schema=Events.create_empty().schema,
        orient="row",
    )
    return Events.validate(frame)


def temperature_channel(channel: str = TEMPERATURE) -> Channel:
    """Return an hourly temperature channel, of the region and point its id names."""
    _, site, _, point, variable = channel.split(".")
    return Channel(channel, site, Quantity.TEMPERATURE, Unit.CELSIUS, HOUR, variable=variable, point=point)


def demand_context(*channels: Channel, region: str = "ny", is_simulated: bool = False) -> Context:
    """Return the context of a region's demand, with those of the channels that are covariates."""
    demand = demand_channel(f"grid.{region}.demand", is_simulated=is_simulated)
    return Context(region_site(region, is_simulated=is_simulated), demand, covariates_of(channels), ("operator",))


def readings(
    *values: float | None,
    channel: str = DEMAND,
    start: datetime = MIDNIGHT,
    available_at: datetime | None = None,
    recorded_at: datetime | None = None,
    quality: Quality = Quality.GOOD,
    step: timedelta = HOUR,
) -> dy.DataFrame[Readings]:
    """Return consecutive readings, hourly and each known two hours after its interval ended unless said otherwise."""
    times = [start + index * step for index in range(len(values))]
    known = [available_at or time + 3 * HOUR for time in times]
    return reading_rows(
        (channel, time, at, value, recorded_at or max(known), quality)
        for time, at, value in zip(times, known, values, strict=True)
    )


def reading_rows(
    rows: Iterable[tuple[str, datetime, datetime, float | None, datetime, int]],
) -> dy.DataFrame[Readings]:
    """Return readings from rows of channel, time, available_at, value, recorded_at and quality."""
    names = ["channel", "time", "available_at", "value", "recorded_at", "quality"]
    types = Readings.create_empty().schema
    frame = pl.DataFrame(
        [(*row[:-1], int(row[-1])) for row in rows], schema={name: types[name] for name in names}, orient="row"
    )
    return Readings.validate(frame.select(Readings.column_names()))


def forecasts(
    *values: float | None,
    channel: str = DEMAND,
    start: datetime = MIDNIGHT,
    issued_at: datetime | None = None,
    available_at: datetime | None = None,
    model: str = "operator",
    level: float = 0.5,
    maker: Maker | None = None,
) -> dy.DataFrame[Forecasts]:
    """Return consecutive hourly forecasts, issued a day before the first interval unless said otherwise.

    Who made them is told by the model's name unless said otherwise.
    """
    issued = issued_at or start - timedelta(days=1)
    frame = pl.DataFrame(
        {
            "channel": channel,
            "time": [start + index * HOUR for index in range(len(values))],
            "issued_at": issued,
            "model": model,
            "level": level,
            "maker": str(maker or maker_of(model)),
            "available_at": available_at or issued,
            "recorded_at": available_at or issued,
            "value": values,
            "quality": 0,
        },
        schema=Forecasts.create_empty().schema,
    )
    return Forecasts.validate(frame)


def maker_of(model: str) -> Maker:
    """Return who makes the forecasts of a model in tests."""
    if model in {"operator", "gfs", "open_meteo"}:
        return Maker.RIVAL
    return Maker.BASELINE if model in BASELINES else Maker.OWN
