"""Which town a person means, so that time zone, coordinates and holidays need not be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput
from watthour.core.names import id_for
from watthour.core.place import coarse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.place import FoundPlace
    from watthour.core.ports import Gazetteer

MOST_NAMED = 8  # places in the words of an error


def places_named(gazetteer: Gazetteer, text: str) -> list[FoundPlace]:
    """Return the places that ``Lyon``, or ``Springfield, Illinois``, can mean, the largest first.

    What follows the first comma must be the part of the country, the country or its ISO code. Where places have the
    very name, others that only resemble it are left out.

    Raises:
        SourceError: the gazetteer cannot be asked.
    """
    name, *rest = (id_for(word) for word in text.split(","))
    found = [
        place
        for place in gazetteer.named(text.partition(",")[0].strip())
        if {word for word in rest if word} <= {id_for(word or "") for word in _beside(place)}
    ]
    exact = [place for place in found if id_for(place.name) == name]
    return _distinct(exact or found)


def the_place(gazetteer: Gazetteer, text: str) -> FoundPlace:
    """Return the one place that a text means.

    Raises:
        InvalidInput: no place, or several, have this name; they are listed.
        SourceError: the gazetteer cannot be asked.
    """
    found = places_named(gazetteer, text)
    if not found:
        remedy = "Check its spelling, name a larger town nearby, or give the time zone and the coordinates."
        raise InvalidInput("place", text, "no place of this name is known", remedy=remedy)
    if len(found) > 1:
        listed = "; ".join(in_words(place) for place in found[:MOST_NAMED])
        more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        remedy = f"Say which, such as {found[0].in_words!r}, or give the coordinates. There are: {listed}{more}."
        raise InvalidInput("place", text, f"{len(found)} places have this name", remedy=remedy)
    return found[0]


def in_words(place: FoundPlace) -> str:
    """Return a place as one of a list: its name, where it is, and how many people live there."""
    people = f", {place.population:,} people" if place.population else ""
    return f"{place.in_words} ({coarse(place.latitude):g}, {coarse(place.longitude):g}{people})"


def holidays_of(place: FoundPlace) -> str | None:
    """Return the calendar of public holidays of a place's country, None where there is none."""
    from watthour.forecasting.holiday_calendars import calendars

    return place.country_code if place.country_code in calendars() else None


def _beside(place: FoundPlace) -> Sequence[str | None]:
    return (place.part, place.country, place.country_code)


def _distinct(places: Sequence[FoundPlace]) -> list[FoundPlace]:
    """Leave out places that nobody could tell by their words from a larger one."""
    kept: dict[str, FoundPlace] = {}
    for place in places:
        kept.setdefault(place.in_words, place)
    return list(kept.values())
