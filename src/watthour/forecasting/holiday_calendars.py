"""Which holiday calendars there are, and which one is likely where a clock is kept."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CODE_LENGTH = 2  # of a country in ISO 3166


def checked_calendar(code: str) -> str:
    """Return the code of a calendar in its usual spelling.

    >>> checked_calendar("us-ny")
    'US-NY'

    Raises:
        InvalidInput: there is no such calendar; near ones are named.
    """
    wanted = code.strip().casefold()
    country, _, part = wanted.partition("-")
    parts = calendars().get(country.upper())
    found = parts is not None and next((each for each in parts if each.casefold() == part), None)
    if parts is None or (part and not found):
        near = ", ".join(_near(wanted, country.upper()))
        remedy = f"Did you mean {near}?" if near else "Give an ISO code such as FR, US-NY or AU-NSW."
        raise InvalidInput("holidays", code, "there is no such holiday calendar", remedy=remedy)
    return f"{country.upper()}-{found}" if found else country.upper()


@cache
def calendars() -> Mapping[str, tuple[str, ...]]:
    """Return the parts that have a calendar of their own, such as ``NSW``, by the ISO code of their country."""
    import holidays  # slow to import

    known = holidays.list_supported_countries()
    return {country: tuple(parts) for country, parts in sorted(known.items()) if len(country) == _CODE_LENGTH}


def likely_calendar(time_zone: str) -> str | None:
    """Return the calendar of the country whose clock this is, None where that cannot be told.

    >>> likely_calendar("Europe/Paris"), likely_calendar("UTC")
    ('FR', None)
    """
    country = _country_of_zone().get(time_zone)
    return country if country in calendars() else None


def _near(wanted: str, country: str) -> Sequence[str]:
    """Return calendars whose code, or whose country's name, is like this."""
    if country in calendars():
        codes = {f"{country}-{part}".casefold(): f"{country}-{part}" for part in calendars()[country]}
        close = [codes[each] for each in get_close_matches(wanted, codes, n=3, cutoff=0.4)]
        return close or [country]
    names = dict(_country_names()) | {code.casefold(): code for code in calendars()}
    if wanted in names:
        return [names[wanted]]
    return list(dict.fromkeys(names[each] for each in get_close_matches(wanted, names, n=3, cutoff=0.6)))


def _country_names() -> Iterator[tuple[str, str]]:
    for code, name in _rows("iso3166.tab"):
        if code in calendars():
            yield name.casefold(), code


@cache
def _country_of_zone() -> Mapping[str, str]:
    return {row[2]: row[0] for row in _rows("zone.tab")}


def _rows(name: str) -> Iterator[list[str]]:
    """Yield the cells of a table of the IANA time zone database, which the package ``tzdata`` carries."""
    for line in (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")
