"""The weather variables that load models know, and the channels of a site that carry them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watthour.core.channel import Channel, Limits
from watthour.core.place import Point
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from watthour.core.channel import Site

FIRST_ISSUED = datetime(2021, 3, 1, tzinfo=UTC)  # weather as it was forecast before is kept by nobody we ask
NONE_SO_EARLY = "no weather forecasts as issued exist before March 2021"

# variable as Open-Meteo names it -> what it is and the unit it is kept in
HOURLY: dict[str, tuple[Quantity, Unit]] = {
    "temperature_2m": (Quantity.TEMPERATURE, Unit.CELSIUS),
    "relative_humidity_2m": (Quantity.HUMIDITY, Unit.PERCENT),
    "dew_point_2m": (Quantity.TEMPERATURE, Unit.CELSIUS),
    "apparent_temperature": (Quantity.TEMPERATURE, Unit.CELSIUS),
    "precipitation": (Quantity.PRECIPITATION, Unit.MILLIMETRE),
    "rain": (Quantity.PRECIPITATION, Unit.MILLIMETRE),
    "snowfall": (Quantity.SNOWFALL, Unit.CENTIMETRE),
    "cloud_cover": (Quantity.CLOUD_COVER, Unit.PERCENT),
    "wind_speed_10m": (Quantity.WIND_SPEED, Unit.METRE_PER_SECOND),
    "wind_gusts_10m": (Quantity.WIND_SPEED, Unit.METRE_PER_SECOND),
    "surface_pressure": (Quantity.PRESSURE, Unit.HECTOPASCAL),
    "shortwave_radiation": (Quantity.IRRADIANCE, Unit.WATT_PER_SQUARE_METRE),
}
# highest and lowest of a local day
DAILY: dict[str, tuple[Quantity, Unit]] = {
    "temperature_max": (Quantity.TEMPERATURE, Unit.CELSIUS),
    "temperature_min": (Quantity.TEMPERATURE, Unit.CELSIUS),
    "wet_bulb_max": (Quantity.TEMPERATURE, Unit.CELSIUS),
    "wet_bulb_min": (Quantity.TEMPERATURE, Unit.CELSIUS),
}

# Low and high of what a thermometer, hygrometer, ... near cities has ever shown. Source: WMO extremes archive, widened.
POSSIBLE_C = (-70.0, 65.0)
LIMITS: dict[Quantity, Limits] = {
    Quantity.TEMPERATURE: Limits(*POSSIBLE_C),
    Quantity.HUMIDITY: Limits(0.0, 101.0),
    Quantity.PRECIPITATION: Limits(0.0, 320.0),
    Quantity.SNOWFALL: Limits(0.0, 100.0),
    Quantity.CLOUD_COVER: Limits(0.0, 100.0),
    Quantity.WIND_SPEED: Limits(0.0, 115.0),
    Quantity.PRESSURE: Limits(500.0, 1090.0),
    Quantity.IRRADIANCE: Limits(0.0, 1500.0),
}


def weather_points(site: Site) -> tuple[Point, ...]:
    """Return where a site's weather is asked for: at its points, else at its own place; none where nobody knows it."""
    latitude, longitude = site.place.latitude, site.place.longitude
    if site.points or latitude is None or longitude is None:
        return site.points
    return (Point("site", latitude, longitude),)


def weather_channels(
    site: Site,
    points: Sequence[Point],
    variables: Mapping[str, tuple[Quantity, Unit]] = HOURLY,
    *,
    resolution: timedelta = HOUR,
) -> list[Channel]:
    """Return one channel per point and variable, each of which says what it is a covariate of."""
    return [
        Channel(
            id=f"{site.prefix}.weather.{point.id}.{variable}",
            site=site.id,
            quantity=quantity,
            unit=unit,
            resolution=resolution,
            limits=LIMITS[quantity],
            is_simulated=site.is_simulated,
            variable=variable,
            point=point.id,
            weight=point.weight,
        )
        for point in points
        for variable, (quantity, unit) in variables.items()
    ]
