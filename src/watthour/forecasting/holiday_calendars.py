"""Which holiday calendars there are, and which one is likely where a clock is kept."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput
from watthour.forecasting.optional_calendars import JOINED_BY, OPTIONAL, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SEPARATORS = re.compile(r"[+,;&/]")  # what people write between two calendars
_CODE_LENGTH = 2  # of a country in ISO 3166
_REMEDY = (
    "Give an ISO code such as FR, US-NY or AU-NSW; join more calendars by +: "
    f"{', '.join(OPTIONAL)}, or those of another country."
)


def checked_calendar(code: str) -> str:
    """Return the code of a calendar, or of several joined by +, in its usual spelling, each once.

    >>> checked_calendar("us-ny"), checked_calendar("tr + Ramadan")
    ('US-NY', 'TR+ramadan')

    Raises:
        InvalidInput: there is no such calendar; near ones are named.
    """
    found = [_found(part) for part in parts_of(code)]
    if not found or None in found:
        raise no_such_calendar(code)
    return JOINED_BY.join(dict.fromkeys(each for each in found if each is not None))


def no_such_calendar(code: str) -> InvalidInput:
    """Return the error of a code some part of which is no calendar, with near ones."""
    parts = [(part, _found(part)) for part in parts_of(code)]
    wrong = [part for part, found in parts if found is None]
    pieces = _SEPARATORS.split(code)
    if len(pieces) > 1:
        choices = [[found] if (found := _found(each)) else _near(each.strip().casefold())[:1] for each in pieces]
        near: Sequence[str] = [JOINED_BY.join(each[0] for each in choices)] if all(choices) else []
    else:
        near = _near(code.strip().casefold())
    of_several = f": {', '.join(repr(part.strip()) for part in wrong)}" if len(parts) > 1 and wrong else ""
    remedy = f"Did you mean {', '.join(near)}?" if near else _REMEDY
    return InvalidInput("holidays", code, f"there is no such holiday calendar{of_several}", remedy=remedy)


def _found(part: str) -> str | None:
    """Return a calendar in its usual spelling, None where there is none."""
    wanted = part.strip().casefold()
    if wanted.replace("-", "_") in OPTIONAL:
        return wanted.replace("-", "_")
    country, _, within = wanted.partition("-")
    parts = calendars().get(country.upper())
    if parts is None:
        return None
    if not within:
        return country.upper()
    return next((f"{country.upper()}-{each}" for each in parts if each.casefold() == within), None)


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


def _near(wanted: str) -> Sequence[str]:
    """Return calendars whose code, or whose country's name, is like this."""
    country = wanted.partition("-")[0].upper()
    if country in calendars():
        codes = {f"{country}-{part}".casefold(): f"{country}-{part}" for part in calendars()[country]}
        close = [codes[each] for each in get_close_matches(wanted, codes, n=3, cutoff=0.4)]
        return close or [country]
    names = dict(_country_names()) | {code.casefold(): code for code in (*calendars(), *OPTIONAL)}
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
