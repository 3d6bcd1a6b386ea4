"""Where something is."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from watthour.core.errors import InvalidInput

_NORTH, _EAST = 90.0, 180.0


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the map, the clock people live by there, and their public holidays.

    >>> Place("Europe/Brussels", latitude=50.85, longitude=4.35, holidays="BE").time_zone
    'Europe/Brussels'

    Raises:
        InvalidInput: a coordinate is not on the globe, or nobody keeps a clock of this name.
    """

    time_zone: str
    latitude: float | None = None  # [degrees north]
    longitude: float | None = None  # [degrees east]
    holidays: str | None = None  # ISO code of the holiday calendar, such as "US-NY"

    def __post_init__(self) -> None:
        if not _has_clock(self.time_zone):
            raise no_time_zone(self.time_zone)
        for name, value, limit in (("latitude", self.latitude, _NORTH), ("longitude", self.longitude, _EAST)):
            if value is not None and not -limit <= value <= limit:
                problem = f"it must lie between -{limit:g} and {limit:g} degrees"
                raise InvalidInput(name, value, problem, remedy="Give decimal degrees, north and east positive.")


@cache
def is_time_zone(name: str) -> bool:
    """Tell whether a name is of the IANA time zone database; files beside it, such as ``localtime``, are none.

    What is kept already is only asked for a clock, so that a name of a newer database does not close the store.
    """
    import polars as pl

    try:  # tables are reckoned by another copy of the database, which has no `posixrules`, `Factory` or `right/`
        pl.Series([], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(name)
    except pl.exceptions.ComputeError:
        return False
    return _has_clock(name)


def no_time_zone(name: str) -> InvalidInput:
    """Return the error of a name that is no time zone, with those that somebody may have meant."""
    return InvalidInput("time_zone", name, "there is no such time zone", remedy=_time_zone_remedy(name))


@cache
def _has_clock(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two: names of folders, and of no file at all
        return False
    return True


def _time_zone_remedy(name: str) -> str:
    """Return the cure of a name that is none, with those that somebody may have meant."""
    names = sorted(available_timezones())
    wanted = name.strip().replace(" ", "_").lower()
    cities = {each.rsplit("/", 1)[-1].lower(): each for each in reversed(names) if "/" in each}
    whole = {each.lower(): each for each in names}
    near = [whole[key] for key in get_close_matches(wanted, whole, n=1, cutoff=0.8)]
    near += [cities[key] for key in get_close_matches(wanted.rsplit("/", 1)[-1], cities, n=1, cutoff=0.8)]
    meant = f"Did you mean {' or '.join(dict.fromkeys(near))}? " if near else ""
    return f"{meant}Give a name of the IANA time zone database, such as Europe/Brussels."


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a site at which weather is taken, and how much of the site's load lives around it."""

    id: str
    latitude: float  # [degrees north]
    longitude: float  # [degrees east]
    weight: float = 1.0  # its part of the load, beside the weights of the site's other points [-]


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A town or village as a gazetteer knows it."""

    name: str
    latitude: float  # [degrees north]
    longitude: float  # [degrees east]
    time_zone: str
    country_code: str | None = None  # ISO 3166, such as "FR"
    country: str | None = None
    part: str | None = None  # of the country, such as "Auvergne-Rhone-Alpes"
    population: int | None = None

    @property
    def in_words(self) -> str:
        """Its name with what tells it from others of this name.

        >>> FoundPlace("Lyon", 45.75, 4.85, "Europe/Paris", "FR", "France", "Auvergne-Rhone-Alpes").in_words
        'Lyon, Auvergne-Rhone-Alpes, France'
        """
        return ", ".join(word for word in (self.name, self.part, self.country or self.country_code) if word)


def coarse(degrees: float) -> float:
    """Return a coordinate of a home to a tenth of a degree, about 10 km: near enough for weather, and nobody's door.

    >>> coarse(45.74846), coarse(-0.04)
    (45.7, 0.0)
    """
    return round(degrees, 1) + 0.0
