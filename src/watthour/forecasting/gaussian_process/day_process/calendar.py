"""What the calendar says of local days: kind of day, holidays and the days beside them, season, clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from watthour.forecasting.gaussian_process.holidays import ONE_DAY, Holidays, as_dates
from watthour.forecasting.optional_calendars import period_days

if TYPE_CHECKING:
    from datetime import date

    from watthour.core.place import Place
    from watthour.forecasting.gaussian_process.kernels import Names
    from watthour.forecasting.vintages import Array, Instants

_MONDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 4, 5, 6
_DECEMBER, _JANUARY = 12, 1
_END_OF_YEAR, _START_OF_YEAR = range(26, 31), range(2, 4)  # days of the month between the holidays, and after them


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar inputs of n days."""

    kind: Instants  # (n,) 0 working day, 1 Saturday, 2 Sunday or day of rest
    weekday: Instants  # (n,) Monday is 0
    day_of_year: Instants  # (n,) from 1
    special: Names  # (n, k) the day's holiday, eve, day after, ...; empty where there is none
    summer_time: Array  # (n,) 1 while clocks are advanced
    periods: Array  # (n, p) which day of each period of the place, such as Ramadan, from 1; 0 outside
    index: Array  # (n,) days since 1970

    @property
    def is_special(self) -> Array:
        """Whether anything but weekday and season sets a day apart, 1 or 0: (n,)."""
        return np.asarray((self.special != "").any(axis=1), dtype=np.float64)

    @property
    def is_weekend(self) -> Array:
        """Whether a day is a Saturday or a Sunday, 1 or 0: (n,)."""
        return np.asarray(self.weekday >= _SATURDAY, dtype=np.float64)


def calendar(days: Instants, place: Place) -> Calendar:
    """Return the calendar inputs of local days, (n,), counted from 1970."""
    dates = as_dates(days)
    holidays = Holidays(place.holidays)
    weekday = np.array([day.weekday() for day in dates], dtype=np.int64)
    rest = np.array([holidays.is_rest(day) for day in dates], dtype=np.bool_)
    names = [special_names(holidays, day) for day in dates]
    special = np.full((len(dates), max(map(len, names), default=0)), "", dtype="U80")
    for row, found in enumerate(names):
        special[row, : len(found)] = found
    zone = ZoneInfo(place.time_zone)
    advanced = [bool(datetime.combine(day, time(12), tzinfo=zone).dst()) for day in dates]
    return Calendar(
        kind=np.where(rest | (weekday == _SUNDAY), 2, np.where(weekday == _SATURDAY, 1, 0)),
        weekday=weekday,
        day_of_year=np.array([day.timetuple().tm_yday for day in dates], dtype=np.int64),
        special=special,
        summer_time=np.array(advanced, dtype=np.float64),
        periods=period_days(place.holidays, days),
        index=days.astype(np.float64),
    )


@lru_cache(maxsize=2**15)
def special_names(holidays: Holidays, day: date) -> tuple[str, ...]:
    """Return everything that sets a day apart, sorted."""
    found = {name} if (name := holidays.name(day)) else set()
    before, after = day - ONE_DAY, day + ONE_DAY
    # The Sunday before a Monday holiday and the Tuesday after it are like any other.
    if holidays.is_rest(after) and after.weekday() != _MONDAY:
        found.add(f"eve of {holidays.name(after)}")
    if holidays.is_rest(before) and before.weekday() != _MONDAY:
        found.add(f"after {holidays.name(before)}")
    if (holidays.is_rest(before) and day.weekday() == _FRIDAY) or (
        holidays.is_rest(after) and day.weekday() == _MONDAY
    ):
        found.add("bridge")
    if day.month == _DECEMBER and day.day in _END_OF_YEAR:
        found.add("end of year")
    if day.month == _JANUARY and day.day in _START_OF_YEAR:
        found.add("start of year")
    return tuple(sorted(found))
