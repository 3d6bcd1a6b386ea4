"""The local calendar of a place: clock, weekday, holidays, season; days of 23 and 25 hours included."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.forecasting.holiday_calendars import no_such_calendar
from watthour.forecasting.optional_calendars import OPTIONAL, PERIOD_FEATURES, parts_of, period_features
from watthour.forecasting.vintages import DAY_US, HOUR_US, datetimes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.forecast import Context
    from watthour.forecasting.vintages import Array, Instants

SEASON = ("month", "day_of_year", "year_sine", "year_cosine", "half_year_sine", "half_year_cosine")
CALENDAR = (
    *("hour_of_day", "day_of_week", "is_weekend", "is_holiday", "is_day_before_holiday", "is_day_after_holiday"),
    *("is_day_off", "clock_offset_hours", *SEASON),
)
CALENDAR_OF_ALL = (*CALENDAR, *PERIOD_FEATURES)  # with those that only places with a period such as Ramadan have
WEEKEND = 5  # Saturday, counted from Monday = 0
DAYS_IN_YEAR = 365.2425  # in the mean of the Gregorian calendar
JULIAN_YEAR = 365.25  # days; of the season in the Gaussian processes, whose constants were learned with it
_EPOCH = date(1970, 1, 1)
_CLOCK_DAYS = (-25_567, 65_745)  # 1900 to 2150, in days since 1970: nobody forecasts beyond

_QUARTER_US = HOUR_US // 4
_QUARTERS = 97  # of a day, both its ends included


def clock_offsets(times: Instants, time_zone: str) -> Instants:
    """Return by how much the local clock is ahead of UTC at each instant, of any shape [microseconds]."""
    changes, offsets = _clock_changes(time_zone)
    if not times.size:
        return np.zeros(times.shape, dtype=np.int64)
    first, last = np.searchsorted(changes, [times.min(), times.max()], side="right")
    if first == last:
        return np.full(times.shape, offsets[first])
    return np.asarray(offsets[first + np.searchsorted(changes[first:last], times, side="right")])


@cache
def _clock_changes(time_zone: str) -> tuple[Instants, Instants]:
    """Return the instants at which a clock is changed, and its offset before the first and after each of them."""
    days = np.arange(*_CLOCK_DAYS, dtype=np.int64) * DAY_US
    changed = np.flatnonzero(np.diff(_offsets(days, time_zone)))
    quarters = (days[changed, None] + _QUARTER_US * np.arange(_QUARTERS)).ravel()  # Tehran changes at half past, UTC
    offsets = _offsets(quarters, time_zone).reshape(-1, _QUARTERS)
    row, column = np.nonzero(np.diff(offsets, axis=1))
    before = _offsets(days[:1], time_zone)
    return days[changed][row] + _QUARTER_US * (column + 1), np.concatenate([before, offsets[row, column + 1]])


def _offsets(times: Instants, time_zone: str) -> Instants:
    local = datetimes(times).dt.convert_time_zone(time_zone).dt.replace_time_zone(None)
    return np.asarray(local.to_physical().to_numpy() - times)


def same_clock(times: Instants, days: Instants, time_zone: str) -> Instants:
    """Return the instant at the same local clock time some days earlier; a skipped hour gives the one after it.

    Instants and days broadcast; the answer has the shape of both together.
    """
    offset = clock_offsets(times, time_zone)
    guess = times - days * DAY_US
    earlier = guess + offset - clock_offsets(guess, time_zone)
    return guess + offset - clock_offsets(earlier, time_zone)


def local_days(times: Instants, time_zone: str) -> Instants:
    """Return the local day of each instant, of any shape, as days since 1970-01-01."""
    return (times + clock_offsets(times, time_zone)) // DAY_US


def local_hours(times: Instants, time_zone: str) -> Instants:
    """Return the local clock hour of each instant, of any shape."""
    return (times + clock_offsets(times, time_zone)) % DAY_US // HOUR_US


def day_starts(days: Instants, time_zone: str) -> Instants:
    """Return the instant at which each local day begins: its first midnight, or the instant after a skipped one.

    Any shape.
    """
    midnight = days * DAY_US
    before, after = (clock_offsets(midnight + hours * HOUR_US, time_zone) for hours in (-36, 36))
    first, second = midnight - np.maximum(before, after), midnight - np.minimum(before, after)
    return np.where(first + clock_offsets(first, time_zone) == midnight, first, second)


def holiday_days(code: str | None, first: date, last: date) -> Instants:
    """Return the holidays of a calendar such as ``US-NY`` in some years, as days since 1970-01-01, ascending: (days,).

    Args:
        code: ISO code of a country, or of a part of it, or several calendars joined by +; None has no holidays.
        first: in the first of the years.
        last: in the last of them.

    Raises:
        InvalidInput: there is no such calendar.
    """
    if code is None:
        return np.empty(0, dtype=np.int64)
    years = [_holidays_of_year(code, year) for year in range(first.year, last.year + 1)]
    return np.concatenate([np.empty(0, dtype=np.int64), *years])


def named_holidays(code: str, years: range) -> Mapping[date, str]:
    """Return the holidays of one calendar, or of several joined by +, in some years; the first names a day.

    Raises:
        InvalidInput: there is no such calendar.
    """
    found: dict[date, str] = {}
    for part in reversed(parts_of(code)):
        if part in OPTIONAL:
            days = OPTIONAL[part].days
            found |= {} if days is None else {day: name for year in years for day, name in days(year).items()}
        else:
            found |= _public_holidays(part, code, years)
    return found


def _public_holidays(part: str, code: str, years: range) -> Mapping[date, str]:
    import holidays  # slow to import

    country, _, subdivision = part.partition("-")
    try:
        return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=years))
    except NotImplementedError as error:
        raise no_such_calendar(code) from error


@cache
def _holidays_of_year(code: str, year: int) -> Instants:
    around = range(year - 1, year + 2)  # a holiday can be observed in the year before its own
    named = named_holidays(code, around)
    return np.array(sorted((day - _EPOCH).days for day in named if day.year == year), dtype=np.int64)


def calendar_features(times: Instants, context: Context) -> dict[str, Array]:
    """Return what the local calendar says of intervals, (n,): one array, (n,), per name of ``CALENDAR``.

    Those of ``PERIOD_FEATURES`` come after them, where the place keeps such a period.

    Raises:
        InvalidInput: the place names a holiday calendar that does not exist.
    """
    offset = clock_offsets(times, context.time_zone)
    local = times + offset
    day = local // DAY_US
    stamps = pl.Series(day.astype(np.int32)).cast(pl.Date).dt
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    holidays = holidays_around(day, context.place.holidays)
    angle = 2 * np.pi * day / DAYS_IN_YEAR
    is_weekend = weekday >= WEEKEND
    columns = {
        "hour_of_day": local % DAY_US / HOUR_US,
        "day_of_week": weekday,
        "month": stamps.month().to_numpy(),
        "day_of_year": stamps.ordinal_day().to_numpy(),
        "is_weekend": is_weekend,
        "is_holiday": np.isin(day, holidays),
        "is_day_before_holiday": np.isin(day + 1, holidays),
        "is_day_after_holiday": np.isin(day - 1, holidays),
        "is_day_off": is_weekend | np.isin(day, holidays),
        "year_sine": np.sin(angle),
        "year_cosine": np.cos(angle),
        "half_year_sine": np.sin(2 * angle),
        "half_year_cosine": np.cos(2 * angle),
        "clock_offset_hours": offset / HOUR_US,
        **period_features(context.place.holidays, day),
    }
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def holidays_around(days: Instants, code: str | None) -> Instants:
    """Return all holidays of a calendar in the years of some days and of those beside them."""
    if not days.size:
        return np.empty(0, dtype=np.int64)
    first, last = (_EPOCH + timedelta(days=int(day)) for day in (days.min() - 1, days.max() + 1))
    return holiday_days(code, first, last)
