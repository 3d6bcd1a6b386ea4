"""What the calendar says of local days: kind of day, holidays and the days beside them, season, clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array, Instants

_ONE = timedelta(days=1)
_EPOCH = date(1970, 1, 1)
_SATURDAY, _SUNDAY = 5, 6
# American holidays on which most people work; every other public holiday is a day of rest.
_WORKED = (
    *("Martin Luther", "Washington", "President", "Lincoln", "Susan B.", "Juneteenth"),
    *("Columbus", "Indigenous", "Veterans", "Election", "Patriots"),
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar inputs of n days."""

    kind: Instants  # (n,) 0 working day, 1 Saturday, 2 Sunday or day of rest
    weekday: Instants  # (n,) Monday is 0
    season: Array  # (n, 2) the point of the day on the circle of the year
    special: Array  # (n, len(names)) one column per holiday, eve, day after, ...
    summer_time: Array  # (n,) 1 while clocks are advanced
    index: Array  # (n,) days since 1970

    @property
    def is_special(self) -> Array:
        """Whether anything but weekday and season sets a day apart."""
        return np.asarray(self.special.sum(axis=1) > 0, dtype=np.float64)


def special_names(days: Instants, holidays: str | None) -> tuple[str, ...]:
    """Return the names of everything special among these days, sorted."""
    known = Holidays(holidays, as_dates(days))
    return tuple(sorted({name for day in as_dates(days) for name in known.names(day)}))


def calendar(days: Instants, time_zone: str, holidays: str | None, names: tuple[str, ...]) -> Calendar:
    """Return the calendar inputs of local days; what is special but not among ``names`` is left out."""
    dates = as_dates(days)
    known = Holidays(holidays, dates)
    weekday = np.array([day.weekday() for day in dates])
    rest = np.array([known.is_rest(day) for day in dates])
    special = np.array([[name in known.names(day) for name in names] for day in dates], dtype=np.float64)
    angle = 2 * np.pi * np.array([day.timetuple().tm_yday for day in dates]) / 365.25
    zone = ZoneInfo(time_zone)
    advanced = [bool(datetime.combine(day, time(12), tzinfo=zone).dst()) for day in dates]
    return Calendar(
        kind=np.where(rest | (weekday == _SUNDAY), 2, np.where(weekday == _SATURDAY, 1, 0)),
        weekday=weekday,
        season=np.stack([np.cos(angle), np.sin(angle)], axis=1),
        special=special.reshape(len(dates), len(names)),
        summer_time=np.array(advanced, dtype=np.float64),
        index=days.astype(np.float64),
    )


class Holidays:
    """Public holidays of a place, by name."""

    def __init__(self, code: str | None, dates: list[date]) -> None:
        self._by_day: dict[date, str] = {}
        if code is not None and dates:
            import holidays  # noqa: PLC0415 - half a second to import, needed only here

            country, _, subdivision = code.partition("-")
            years = range(min(dates).year - 1, max(dates).year + 2)
            self._by_day = dict(holidays.country_holidays(country, subdiv=subdivision or None, years=years))

    def is_rest(self, day: date) -> bool:
        """Tell whether most people are off work on a day because of a holiday."""
        name = self.name(day)
        return name is not None and not name.startswith("observed") and not any(word in name for word in _WORKED)

    def names(self, day: date) -> set[str]:
        """Return everything that sets a day apart."""
        found = {name} if (name := self.name(day)) else set()
        before, after = day - _ONE, day + _ONE
        # The Sunday before a Monday holiday and the Tuesday after it are like any other.
        if self.is_rest(after) and after.weekday() != 0:
            found.add(f"eve of {self.name(after)}")
        if self.is_rest(before) and before.weekday() != 0:
            found.add(f"after {self.name(before)}")
        if (self.is_rest(before) and day.weekday() == 4) or (self.is_rest(after) and day.weekday() == 0):  # noqa: PLR2004 - Friday
            found.add("bridge")
        if day.month == 12 and 26 <= day.day <= 30:  # noqa: PLR2004 - between Christmas and New Year's Eve
            found.add("end of year")
        if day.month == 1 and 2 <= day.day <= 3:  # noqa: PLR2004 - the first days back
            found.add("start of year")
        return found

    def name(self, day: date) -> str | None:
        """Return the holiday's name, and one name for every day it is observed in lieu."""
        name = self._by_day.get(day)
        if name is None:
            return None
        return "observed" if "(observed)" in name else name.split(";")[0].strip()


def as_dates(days: Instants) -> list[date]:
    """Return days since 1970 as dates."""
    return [_EPOCH + int(day) * _ONE for day in days]
