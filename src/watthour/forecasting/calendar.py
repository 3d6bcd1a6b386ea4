"""The local calendar of a place: clock, weekday, holidays, season; days of 23 and 25 hours included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.forecasting.vintages import DAY_US, HOUR_US, datetimes

if TYPE_CHECKING:
    from watthour.core.forecast import Context
    from watthour.forecasting.vintages import Array, Instants

SEASON = ("month", "day_of_year", "year_sine", "year_cosine", "half_year_sine", "half_year_cosine")
CALENDAR = (
    *("hour_of_day", "day_of_week", "is_weekend", "is_holiday", "is_day_before_holiday", "is_day_after_holiday"),
    *("is_day_off", "clock_offset_hours", *SEASON),
)
WEEKEND = 5  # Saturday, counted from Monday = 0
DAYS_IN_YEAR = 365.2425
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clock_offsets(times: Instants, time_zone: str) -> Instants:
    """Return by how much the local clock is ahead of UTC at each instant [microseconds]."""
    hours, position = np.unique(times // HOUR_US, return_inverse=True)  # clocks change on the hour
    local = datetimes(hours * HOUR_US).dt.convert_time_zone(time_zone).dt.replace_time_zone(None)
    offsets = local.to_physical().to_numpy() - hours * HOUR_US
    return offsets[position].reshape(times.shape)


def same_clock(times: Instants, days: Instants, time_zone: str) -> Instants:
    """Return the instant at the same local clock time some days earlier; a skipped hour gives the one after it."""
    offset = clock_offsets(times, time_zone)
    guess = times - days * DAY_US
    earlier = guess + offset - clock_offsets(guess, time_zone)
    return guess + offset - clock_offsets(earlier, time_zone)


def local_days(times: Instants, time_zone: str) -> Instants:
    """Return the local day of each instant, as days since 1970-01-01."""
    return (times + clock_offsets(times, time_zone)) // DAY_US


def local_hours(times: Instants, time_zone: str) -> Instants:
    """Return the local clock hour of each instant."""
    return (times + clock_offsets(times, time_zone)) % DAY_US // HOUR_US


def day_starts(days: Instants, time_zone: str) -> Instants:
    """Return the instant at which each local day begins."""
    midnight = days * DAY_US
    guess = midnight - clock_offsets(midnight, time_zone)
    return midnight - clock_offsets(guess, time_zone)


def holiday_days(code: str | None, first: date, last: date) -> Instants:
    """Return the holidays of a calendar such as ``US-NY``, as days since 1970-01-01.

    Raises:
        InvalidInput: there is no such calendar.
    """
    if code is None:
        return np.empty(0, dtype=np.int64)
    import holidays  # noqa: PLC0415 - slow to import

    country, _, subdivision = code.partition("-")
    try:
        named = holidays.country_holidays(country, subdiv=subdivision or None, years=range(first.year, last.year + 1))
    except NotImplementedError as error:
        raise InvalidInput(
            "holidays",
            code,
            "no such holiday calendar",
            remedy="Give an ISO code such as US-NY, DE or GB-ENG.",
        ) from error
    return np.array(sorted((day - _EPOCH.date()).days for day in named), dtype=np.int64)


def calendar_features(times: Instants, context: Context) -> dict[str, Array]:
    """Return what the local calendar says of each interval."""
    offset = clock_offsets(times, context.time_zone)
    local = times + offset
    day = local // DAY_US
    stamps = pl.Series(day.astype(np.int32)).cast(pl.Date).dt
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    holidays = _holidays_around(day, context.holidays)
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
    }
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def _holidays_around(days: Instants, code: str | None) -> Instants:
    if not days.size:
        return np.empty(0, dtype=np.int64)
    first, last = (_EPOCH.date() + timedelta(days=int(day)) for day in (days.min() - 1, days.max() + 1))
    return holiday_days(code, first, last)
