"""Calendars that some people live by beside the public holidays of a country: days of rest, and whole periods.

A period, such as Ramadan, is no row of holidays: people work, but at other hours, for four weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watthour.forecasting.vintages import Array, Instants

JOINED_BY = "+"  # as in TR+ramadan
_EPOCH = date(1970, 1, 1)
_SHARE_DAYS = 28  # over which past load is usually averaged
_FITR_DAYS, _ADHA_DAYS = 3, 4


@dataclass(frozen=True, slots=True)
class OptionalCalendar:
    """A calendar that is joined to others by its code."""

    code: str
    name: str  # for people
    says: str  # what it adds, in a sentence
    days: Callable[[int], Mapping[date, str]] | None = None  # days of rest of a year, by name
    spans: Callable[[int], Sequence[tuple[date, date]]] | None = None  # periods that begin in a year: first, last day


def parts_of(code: str | None) -> tuple[str, ...]:
    """Return the calendars that a code joins.

    >>> parts_of("TR+ramadan")
    ('TR', 'ramadan')
    """
    return tuple(code.split(JOINED_BY)) if code else ()


def period_names(code: str | None) -> tuple[str, ...]:
    """Return which of the calendars that a code joins are periods."""
    return tuple(each for each in parts_of(code) if each in OPTIONAL and OPTIONAL[each].spans is not None)


def period_days(code: str | None, days: Instants) -> Array:
    """Return which day of each period of a code local days are, (..., periods), from 1; 0 outside of it.

    Args:
        code: of the place.
        days: since 1970, of any shape.
    """
    names = period_names(code)
    found = np.zeros((*days.shape, len(names)))
    if not names or not days.size:
        return found
    first, last = (_EPOCH + timedelta(days=int(day)) for day in (days.min(), days.max()))
    for column, name in enumerate(names):
        for year in range(first.year - 1, last.year + 1):  # a period can begin in December
            for begin, end in _spans(name, year):
                inside = (days >= begin) & (days <= end)
                found[..., column] = np.where(inside, days - begin + 1, found[..., column])
    return found


def in_period(code: str | None, days: Instants) -> Array:
    """Return whether local days lie in each period of a code, 1 or 0: (..., periods); arguments of ``period_days``."""
    return np.asarray(period_days(code, days) > 0, dtype=np.float64)


def period_features(code: str | None, days: Instants) -> dict[str, Array]:
    """Return what trees are told of the periods of local days, (n,): one array, (n,), per name."""
    names = period_names(code)
    if not names:
        return {}
    each_day, belongs = np.unique(days, return_inverse=True)
    shares = in_period(code, each_day[:, None] - np.arange(1, _SHARE_DAYS + 1)).mean(axis=1)
    found: dict[str, Array] = {}
    for name, day, share in zip(names, period_days(code, each_day).T, shares.T, strict=True):
        found |= dict(zip(_features_of(name), (day[belongs], share[belongs]), strict=True))
    return found


def _features_of(name: str) -> tuple[str, str]:
    return f"day_of_{name}", f"{name}_share_28d"


@cache
def _spans(name: str, year: int) -> tuple[tuple[int, int], ...]:
    """Return the first and the last day of periods that begin in a year, as days since 1970."""
    spans = OPTIONAL[name].spans
    found = () if spans is None else spans(year)
    return tuple(((begin - _EPOCH).days, (end - _EPOCH).days) for begin, end in found)


def _ramadans(year: int) -> list[tuple[date, date]]:
    """Return the months of Ramadan that begin in a year; none outside of 1925 to 2076, which the tables hold."""
    from holidays.calendars.islamic import _IslamicLunar  # slow to import

    moon = _IslamicLunar()
    begins = sorted({begin for begin, _ in moon.ramadan_beginning_dates(year) if begin.year == year})
    ends = sorted({end for each in (year, year + 1) for end, _ in moon.eid_al_fitr_dates(each)})
    return [
        (begin, min(later) - timedelta(days=1)) for begin in begins if (later := [end for end in ends if end > begin])
    ]


def _eids(year: int) -> dict[date, str]:
    from holidays.calendars.islamic import _IslamicLunar  # slow to import

    moon = _IslamicLunar()
    first_days = (
        ("Eid al-Fitr", _FITR_DAYS, moon.eid_al_fitr_dates(year)),
        ("Eid al-Adha", _ADHA_DAYS, moon.eid_al_adha_dates(year)),
    )
    return {
        first + timedelta(days=more): name
        for name, n_days, dates in first_days
        for first, _ in dates
        for more in range(n_days)
    }


def _orthodox_easter(year: int) -> dict[date, str]:
    """Return Good Friday to Easter Monday as most Orthodox churches keep them.

    Source: Meeus, Astronomical Algorithms (1998), chapter 8, the Julian Easter; then Gregorian dates.
    """
    moon = (19 * (year % 19) + 15) % 30
    after = moon + (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7 + 114
    behind = year // 100 - year // 400 - 2  # days of the Julian calendar
    easter = date(year, after // 31, after % 31 + 1) + timedelta(days=behind)
    names = {-2: "Orthodox Good Friday", 0: "Orthodox Easter Sunday", 1: "Orthodox Easter Monday"}
    return {easter + timedelta(days=days): name for days, name in names.items()}


OPTIONAL: Mapping[str, OptionalCalendar] = {
    each.code: each
    for each in (
        OptionalCalendar(
            "ramadan",
            "Ramadan",
            "The month of fasting: its days have a shape of their own, learned from those of earlier years.",
            spans=_ramadans,
        ),
        OptionalCalendar(
            "eid",
            "Eid al-Fitr and Eid al-Adha",
            "Three and four days of rest, for a place where they are not public holidays.",
            days=_eids,
        ),
        OptionalCalendar(
            "orthodox_easter",
            "Orthodox Easter",
            "Good Friday to Easter Monday, for a place where they are not public holidays.",
            days=_orthodox_easter,
        ),
    )
}
PERIOD_FEATURES = tuple(
    feature for name, each in OPTIONAL.items() if each.spans is not None for feature in _features_of(name)
)
