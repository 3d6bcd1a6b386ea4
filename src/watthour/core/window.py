"""Spans of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from watthour.core.errors import InvalidInput

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Stands for a calendar month, which begins at the local midnight of its first day: a twelfth of 365.2425 days, so that
# it can be a step like any other. No two months in a row are this long.
MONTH = timedelta(seconds=2_629_746)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1980, 2100  # that a person can ask for; the last is excluded
_Time = TypeVar("_Time", bound=date)


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span ``[start, end)``; both ends aware, kept in UTC.

    >>> Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)).hours
    24
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            message = f"a Window needs aware datetimes, got {self.start!r} and {self.end!r}"
            raise ValueError(message)
        if not self.start < self.end:
            message = f"a Window must not be empty: {self.start} .. {self.end}"
            raise ValueError(message)
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @property
    def hours(self) -> int:
        """Whole hours in the span."""
        return int((self.end - self.start) / HOUR)

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def floor(instant: datetime, step: timedelta, since: datetime = EPOCH) -> datetime:
    """Return the last instant of a grid, in steps from ``since`` on, that is not after this one.

    >>> floor(datetime(2024, 1, 1, 23, 30, tzinfo=UTC), HOUR).hour
    23
    """
    return since + (instant - since) // step * step


def within_data(field: str, value: _Time) -> _Time:
    """Return a day or an instant that any data can speak of, and calendars and clocks can work with.

    Raises:
        InvalidInput: it lies beyond.
    """
    if not FIRST_YEAR <= value.year < LAST_YEAR:
        remedy = f"Choose a time from {FIRST_YEAR} to {LAST_YEAR - 1}."
        raise InvalidInput(field, value.isoformat(), "there are no data for that time", remedy=remedy)
    return value


def step_in_words(step: timedelta) -> str:
    """Return how long intervals are, such as ``15 minutes``, ``7 days`` or ``1 month``.

    >>> step_in_words(timedelta(days=7))
    '7 days'
    """
    if step == MONTH:
        return "1 month"
    for unit, word in ((DAY, "day"), (timedelta(minutes=1), "minute")):
        if step % unit == timedelta(0) and step:
            return f"{step // unit} {word}{'s' * (step != unit)}"
    return str(step)


def local_midnight(day: date, time_zone: str) -> datetime:
    """Return the instant a local day begins, in UTC."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def local_day(day: date, time_zone: str) -> Window:
    """Return the span of one local calendar day: 23, 24 or 25 hours.

    >>> local_day(date(2024, 3, 10), "America/New_York").hours
    23
    """
    return Window(local_midnight(day, time_zone), local_midnight(day + DAY, time_zone))


def local_instant(day: date, clock: time, time_zone: str) -> datetime:
    """Return the instant of a wall-clock time on a local day, in UTC; a repeated hour means its first pass."""
    return datetime.combine(day, clock, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
