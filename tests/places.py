"""Towns as Open-Meteo's geocoding tells them, and a gazetteer that knows these alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.names import id_for
from watthour.sources.geocoding import parse_places

if TYPE_CHECKING:
    from watthour.core.place import FoundPlace

# The form of https://geocoding-api.open-meteo.com/v1/search, with the fields that are read and some that are not.
ANSWER = {
    "results": [
        {
            "id": 4409896,
            "name": "Springfield",
            "latitude": 37.21533,
            "longitude": -93.29824,
            "elevation": 396.0,
            "feature_code": "PPLA2",
            "country_code": "US",
            "timezone": "America/Chicago",
            "population": 166810,
            "country": "United States",
            "admin1": "Missouri",
        },
        {
            "id": 2996944,
            "name": "Lyon",
            "latitude": 45.74846,
            "longitude": 4.84671,
            "country_code": "FR",
            "timezone": "Europe/Paris",
            "population": 522250,
            "country": "France",
            "admin1": "Auvergne-Rhône-Alpes",
        },
        {
            "id": 4250542,
            "name": "Springfield",
            "latitude": 39.80172,
            "longitude": -89.64371,
            "country_code": "US",
            "timezone": "America/Chicago",
            "population": 116565,
            "country": "United States",
            "admin1": "Illinois",
        },
        {
            "id": 1,
            "name": "Springfield Gardens",
            "latitude": 40.66,
            "longitude": -73.76,
            "timezone": "America/New_York",
        },
        {"id": 2, "name": "Nowhere", "latitude": 45.0, "longitude": None, "timezone": "Europe/Paris"},
        {"id": 3, "name": "Nowhen", "latitude": 45.0, "longitude": 5.0, "timezone": "Europe/Atlantis"},
    ],
    "generationtime_ms": 0.7,
}


class Towns:
    """A gazetteer of the towns above: those whose names begin with what is asked."""

    def named(self, name: str) -> list[FoundPlace]:
        return [place for place in parse_places(ANSWER) if id_for(place.name).startswith(id_for(name))]
