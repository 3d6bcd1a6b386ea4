"""What the calendar and the sun say of local days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import clock_offsets, day_starts
from watthour.forecasting.gaussian_process.holidays import ONE_DAY, Holidays, as_dates
from watthour.forecasting.gaussian_process.kernels import day_of_year_circle
from watthour.forecasting.optional_calendars import in_period
from watthour.forecasting.vintages import HOUR_US

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from watthour.core.place import Place
    from watthour.forecasting.gaussian_process.kernels import Names
    from watthour.forecasting.vintages import Array, Instants

_SUNDAY, _SATURDAY, _FRIDAY, _MONDAY = 6, 5, 4, 0
_EVES = {(12, 24): "Christmas Eve", (12, 31): "New Year's Eve", (12, 26): "day after Christmas"}
_DEAD_DAYS = {(12, 27), (12, 28), (12, 29), (12, 30), (1, 2)}  # between the years
_CHRISTMAS_WEEK = _DEAD_DAYS | set(_EVES) | {(12, 25)}


@dataclass(frozen=True, slots=True, eq=False)
class CalendarDays:
    """Calendar of n local days."""

    number: Array  # (n,) days since 1970
    weekday: Instants  # (n,) Monday is 0; a day of rest is a Sunday
    works: Instants  # (n,) 1 on working days
    name: Names  # (n,) what a day is called from year to year, empty without
    rest: Array  # (n,) 1 on a holiday on which most people rest
    worked_holiday: Array  # (n,)
    eve: Array  # (n,) 1 on the eves and bridge days of great holidays
    christmas_week: Array  # (n,)
    after_rest: Array  # (n,)
    before_rest: Array  # (n,)
    season: Array  # (n, 2) the point of the day on the circle of the year
    periods: Array  # (n, p) 1 within each period of the place, such as Ramadan
    working_periods: Array  # (n, p) the same on working days only
    sun: Array  # (n, 24) elevation of the sun at the middle of each clock hour [degrees]; NaN without coordinates

    @classmethod
    def of(cls, numbers: Instants, place: Place) -> CalendarDays:
        """Return the calendar of local days, (n,), counted from 1970."""
        dates = as_dates(numbers)
        known = Holidays(place.holidays)
        weekday = np.array([day.weekday() for day in dates], dtype=np.int64)
        rest = _flags(dates, known.is_rest)
        works = (rest == 0) & (weekday < _SATURDAY)
        periods = in_period(place.holidays, numbers)
        return cls(
            number=numbers.astype(np.float64),
            weekday=np.where(rest > 0, _SUNDAY, weekday),
            works=works.astype(np.int64),
            name=np.array([_name(day, known) for day in dates], dtype="U80"),
            rest=rest,
            worked_holiday=_flags(dates, lambda day: known.name(day) is not None and not known.is_rest(day)),
            eve=_flags(dates, lambda day: _is_eve(day, known)),
            christmas_week=_flags(dates, lambda day: (day.month, day.day) in _CHRISTMAS_WEEK),
            after_rest=_flags(as_dates(numbers - 1), known.is_rest),
            before_rest=_flags(as_dates(numbers + 1), known.is_rest),
            season=day_of_year_circle(dates).reshape(len(dates), 2),
            periods=periods,
            working_periods=periods * works[:, None],
            sun=sun_elevation(numbers, place),
        )

    def take(self, rows: Instants) -> CalendarDays:
        """Return some of the days, by position (r,)."""
        return CalendarDays(**{name: getattr(self, name)[rows] for name in self.__slots__})


def sun_elevation(numbers: Instants, place: Place) -> Array:
    """Return the elevation of the sun at the middle of each local clock hour of days, (n, 24) [degrees].

    NaN if the place has no coordinates. The clock is that of the day's noon, so the sun jumps where clocks change, as
    people and their load do.

    Source: Duffie and Beckman, Solar Engineering of Thermal Processes (2013), equations 1.5.2, 1.5.3 (declination and
    equation of time after Cooper and Spencer) and 1.6.5.
    """
    if place.latitude is None or place.longitude is None:
        return np.full((len(numbers), 24), np.nan)
    day_of_year = np.array([day.timetuple().tm_yday for day in as_dates(numbers)])
    noon = day_starts(numbers, place.time_zone) + 12 * HOUR_US
    offset = clock_offsets(noon, place.time_zone)
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (day_of_year + 10) / 365.25)
    orbit = 2 * np.pi * (day_of_year - 81) / 365
    equation_of_time = 9.87 * np.sin(2 * orbit) - 7.53 * np.cos(orbit) - 1.5 * np.sin(orbit)  # minutes
    ahead = place.longitude / 15 - offset / HOUR_US + equation_of_time / 60
    angle = np.radians(15 * (np.arange(24) + 0.5 + ahead[:, None] - 12))
    latitude = np.radians(place.latitude)
    high, wide = np.sin(latitude) * np.sin(declination), np.cos(latitude) * np.cos(declination)
    return np.asarray(np.degrees(np.arcsin(np.clip(high[:, None] + wide[:, None] * np.cos(angle), -1, 1))))


def _flags(dates: list[date], of: Callable[[date], bool]) -> Array:
    return np.array([of(day) for day in dates], dtype=np.float64)


def _is_eve(day: date, known: Holidays) -> bool:
    """Tell the days on which half of the people take a holiday."""
    return ((day.month, day.day) in _EVES or _is_bridge(day, known)) and not known.is_rest(day)


def _is_bridge(day: date, known: Holidays) -> bool:
    before, after = day - ONE_DAY, day + ONE_DAY
    return (day.weekday() == _FRIDAY and known.is_rest(before)) or (day.weekday() == _MONDAY and known.is_rest(after))


def _name(day: date, known: Holidays) -> str:
    """Return the name a day goes by from year to year, empty if none."""
    name = known.name(day)
    if name:
        return name
    if (day.month, day.day) in _EVES:
        return _EVES[day.month, day.day]
    if (day.month, day.day) in _DEAD_DAYS:
        return "between the years"
    if day.weekday() == _FRIDAY and _is_bridge(day, known):
        return f"after {known.name(day - ONE_DAY)}"
    return ""
