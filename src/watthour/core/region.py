"""Balancing authorities: the regions whose demand can be forecast, by any of their names."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import UnknownRegion
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    from watthour.core.forecast import Context

# variable as Open-Meteo names it -> what it is and the unit it is kept in
WEATHER_VARIABLES: dict[str, tuple[Quantity, Unit]] = {
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


@dataclass(frozen=True, slots=True)
class WeatherPoint:
    """A place whose weather drives part of a region's load."""

    id: str
    latitude: float  # [degrees north]
    longitude: float  # [degrees east]
    weight: float  # share of the load, all points of a region sum to 1 [-]


@dataclass(frozen=True, slots=True)
class Region:
    """A balancing authority and what is needed to forecast its demand."""

    id: str
    eia_respondent: str | None  # None for a region EIA does not know, such as a simulated one
    name: str
    operator: str
    time_zone: str
    holidays: str | None
    peak_mwh: float  # no hour can be above it; only used to doubt impossible values
    points: tuple[WeatherPoint, ...]
    names: tuple[str, ...] = ()
    stations: tuple[
        WeatherPoint, ...
    ] = ()  # of published tables, used where imported; Open-Meteo is not asked for them
    is_simulated: bool = False

    @property
    def demand(self) -> str:
        """The id of its demand channel."""
        return f"grid.{self.id}.demand"

    def site(self) -> Site:
        """Return the region as a site."""
        return Site(
            id=self.id,
            name=self.name,
            kind=SiteKind.REGION,
            time_zone=self.time_zone,
            latitude=self.points[0].latitude if self.points else None,
            longitude=self.points[0].longitude if self.points else None,
            is_simulated=self.is_simulated,
        )

    def context(self) -> Context:
        """Return what a forecaster may know of it."""
        from watthour.core.forecast import Context  # noqa: PLC0415 - tables are slow to import, names of regions are not

        return Context(
            channel=self.demand,
            time_zone=self.time_zone,
            holidays=self.holidays,
            weather=tuple((self.weather_prefix(place.id), place.weight) for place in (*self.points, *self.stations)),
        )

    def weather_prefix(self, point: str) -> str:
        """Return the prefix of a weather point's channels."""
        return f"grid.{self.id}.weather.{point}"

    def energy_channel(self, series: str = "demand") -> Channel:
        """Return an hourly energy channel of the region, such as ``demand`` or ``generation.wind``."""
        return Channel(
            id=f"grid.{self.id}.{series}",
            site=self.id,
            quantity=Quantity.ENERGY,
            unit=Unit.MWH,
            is_simulated=self.is_simulated,
        )

    def weather_channels(self) -> list[Channel]:
        """Return one channel per weather point and variable."""
        return [
            Channel(
                id=f"{self.weather_prefix(point.id)}.{variable}",
                site=self.id,
                quantity=quantity,
                unit=unit,
                is_simulated=self.is_simulated,
            )
            for point in self.points
            for variable, (quantity, unit) in WEATHER_VARIABLES.items()
        ]


# The card of the invented region; its data are made in watthour.simulation and marked there.
SIMTOWN = Region(
    id="simtown",
    eia_respondent=None,
    name="Simtown (simulated)",
    operator="Simtown Power (simulated)",
    time_zone="America/New_York",
    holidays="US-NY",
    peak_mwh=11_000.0,
    points=(WeatherPoint("harbour", 40.7, -74.0, 0.65), WeatherPoint("hills", 42.7, -76.0, 0.35)),
    names=("simulated",),
    is_simulated=True,
)


@cache
def regions() -> tuple[Region, ...]:
    """Return every balancing authority of EIA-930, sorted by id."""
    table = tomllib.loads(files("watthour.core").joinpath("regions.toml").read_text(encoding="utf-8"))
    return tuple(sorted((_region(row) for row in table["region"]), key=lambda region: region.id))


def find_region(name: str) -> Region:
    """Return the region that goes by this name: its id, EIA codes, the operator's name or its full name.

    Raises:
        UnknownRegion: nothing goes by it; near matches are named.
    """
    by_name = {
        alias.casefold(): region
        for region in (*regions(), SIMTOWN)
        for alias in (region.id, region.eia_respondent or region.id, region.name, region.operator, *region.names)
    }
    wanted = name.strip().casefold()
    if wanted in by_name:
        return by_name[wanted]
    near = get_close_matches(wanted, by_name, n=6, cutoff=0.5)
    raise UnknownRegion(name, list(dict.fromkeys(by_name[alias].id for alias in near))[:3])


def _region(row: dict[str, Any]) -> Region:
    places = {name: tuple(WeatherPoint(**place) for place in row.get(name, ())) for name in ("points", "stations")}
    return Region(**{**row, **places, "names": tuple(row.get("names", ()))})
