"""Where a town is, by Open-Meteo's geocoding: coordinates, time zone and country of a name.

Source: https://open-meteo.com/en/docs/geocoding-api (no key, non-commercial use; data of GeoNames, CC BY 4.0).
A name nobody knows is answered by 200 without ``results``; a name of one letter likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.place import FoundPlace, is_time_zone
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.open_meteo import PER_SECOND, OpenMeteoOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "https://geocoding-api.open-meteo.com"
NAME = "open_meteo_geocoding"
MOST_PLACES = 20
_SHORTEST = 2  # [characters] of a name that it looks for
_WITHOUT = "Or give the time zone, and coordinates if you like, in place of the name of a town."


class OpenMeteoGazetteer:
    """Towns of the world by their names."""

    def __init__(self, options: OpenMeteoOptions, *, retry: RetryPolicy | None = None) -> None:
        """Prepare to ask.

        Args:
            options: those of Open-Meteo's weather: one server of one's own, or never to ask.
            retry: how often to ask again; a person waits, so not for long.
        """
        self._is_enabled = options.enabled
        self._client = HttpClient(
            NAME,
            options.url or URL,
            rate_limit=RateLimit(PER_SECOND),
            retry=retry or RetryPolicy(attempts=2, first_wait=0.3, longest_wait=1.0, timeout=15.0),
            timeout=10.0,
        )

    def named(self, name: str) -> list[FoundPlace]:
        """Return the places of a name, the largest first; none where nobody knows it.

        Raises:
            SourceError: it is switched off, cannot be reached or answers something else.
        """
        if not self._is_enabled:
            remedy = f"Set enabled = true in [sources.open_meteo]. {_WITHOUT}"
            raise SourceRejected(NAME, "it is switched off in the settings", remedy=remedy)
        if len(wanted := name.strip()) < _SHORTEST:
            return []
        asked = [("name", wanted), ("count", str(MOST_PLACES)), ("language", "en"), ("format", "json")]
        try:
            content = self._client.get_json("/v1/search", asked)
        except SourceUnavailable as error:
            problem = error.problem.removeprefix(f"{NAME}: ")
            raise SourceUnavailable(NAME, problem, remedy=f"Try again when you are online. {_WITHOUT}") from error
        return parse_places(content)


def parse_places(content: object) -> list[FoundPlace]:
    """Turn an answer into places, the largest first; an entry without coordinates or a clock is no place to live.

    Raises:
        PayloadChanged: the answer has another shape.
    """
    entries = content.get("results", []) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        remedy = f"Update Watthour; if that does not help, report it. {_WITHOUT}"
        raise PayloadChanged(NAME, "its answer has no list of places", remedy=remedy)
    found = [place for entry in entries if (place := _place(entry)) is not None]
    return sorted(found, key=lambda place: -(place.population or 0))


def _place(entry: Mapping[str, object]) -> FoundPlace | None:
    name, zone = _text(entry, "name"), _text(entry, "timezone")
    latitude, longitude = _degrees(entry, "latitude", 90.0), _degrees(entry, "longitude", 180.0)
    if name is None or zone is None or latitude is None or longitude is None or not is_time_zone(zone):
        return None
    population = entry.get("population")
    return FoundPlace(
        name,
        latitude,
        longitude,
        zone,
        _text(entry, "country_code"),
        _text(entry, "country"),
        _text(entry, "admin1"),
        population if isinstance(population, int) and population >= 0 else None,
    )


def _text(entry: Mapping[str, object], field: str) -> str | None:
    said = entry.get(field)
    return said.strip() or None if isinstance(said, str) else None


def _degrees(entry: Mapping[str, object], field: str, most: float) -> float | None:
    said = entry.get(field)
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) and abs(said) <= most else None
