"""All connectors in one screen; nothing is imported before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from watthour.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Card:
    """What a connector is, before it is imported."""

    target: str  # module:class
    delivers: str
    needs: str  # what a person must have
    page: str  # of the documentation


CATALOGUE: dict[str, Card] = {
    "eia": Card(
        "watthour.sources.eia:Eia",
        "hourly demand, net generation, interchange and the operator's day-ahead forecast of a US region",
        "a free API key",
        "docs/reference/sources/eia.md",
    ),
    "eia_fuel_mix": Card(
        "watthour.sources.eia:EiaFuelMix",
        "hourly generation by energy source of a US region",
        "a free API key",
        "docs/reference/sources/eia.md",
    ),
    "eia_bulk": Card(
        "watthour.sources.eia_bulk:EiaBulk",
        "all of these from EIA's six-month files",
        "nothing",
        "docs/reference/sources/eia_bulk.md",
    ),
    "open_meteo_archive": Card(
        "watthour.sources.open_meteo:OpenMeteoArchive",
        "observed weather of a region's points",
        "nothing (non-commercial)",
        "docs/reference/sources/open_meteo.md",
    ),
    "open_meteo_forecast": Card(
        "watthour.sources.open_meteo:OpenMeteoForecast",
        "the weather forecast as it is now",
        "nothing (non-commercial)",
        "docs/reference/sources/open_meteo.md",
    ),
    "open_meteo_previous_runs": Card(
        "watthour.sources.open_meteo:OpenMeteoPreviousRuns",
        "what was forecast one, two, ... days before each hour",
        "nothing (non-commercial)",
        "docs/reference/sources/open_meteo.md",
    ),
    "open_meteo_single_runs": Card(
        "watthour.sources.open_meteo:OpenMeteoSingleRuns",
        "whole runs of one weather model by their init time",
        "nothing (non-commercial)",
        "docs/reference/sources/open_meteo.md",
    ),
    "nyiso": Card(
        "watthour.sources.nyiso:Nyiso",
        "New York's operator's own forecasts, by zone and in all",
        "nothing",
        "docs/reference/sources/nyiso.md",
    ),
    "csv": Card(
        "watthour.sources.csv:CsvSource",
        "any CSV or Parquet table as one channel",
        "a file",
        "docs/reference/sources/csv.md",
    ),
    "datasets": Card(
        "watthour.sources.datasets:Dataset",
        "published research tables of demand and issued weather",
        "a file",
        "docs/reference/sources/datasets.md",
    ),
}


def connector(name: str) -> type[object]:
    """Return the class of a connector.

    Raises:
        InvalidInput: there is none of this name.
    """
    if name not in CATALOGUE:
        raise InvalidInput("source", name, "there is no such connector", remedy=f"There are: {', '.join(CATALOGUE)}.")
    module, _, attribute = CATALOGUE[name].target.partition(":")
    found: type[object] = getattr(import_module(module), attribute)
    return found
