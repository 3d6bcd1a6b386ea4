"""Days and instants that callers name, kept within what any data can speak of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from watthour.core.errors import InvalidInput
from watthour.core.window import DAY, Window, local_midnight, within_data


def day(field: str, value: date | None) -> date | None:
    """Return a day that calendars and clocks can work with.

    Raises:
        InvalidInput: it lies beyond all data.
    """
    return None if value is None else within_data(field, value)


def instant(field: str, value: datetime) -> datetime:
    """Return an instant in UTC.

    Raises:
        InvalidInput: it lies beyond all data.
    """
    return within_data(field, value).astimezone(UTC)


def window_of(start: datetime | date | None, end: datetime | date | None, now: datetime, time_zone: str) -> Window:
    """Return the span a caller means: without an end up to now, without a start one day.

    Args:
        start: an instant, or a local day.
        end: an instant, or a local day that is included whole.
        now: the present.
        time_zone: whose days they are.

    Raises:
        InvalidInput: it is empty or lies beyond all data.
    """
    last = _edge("end", end, time_zone, after=DAY) if end else now
    first = _edge("start", start, time_zone) if start else last - DAY
    if not first < last:
        problem = f"it must lie before end = {last:%Y-%m-%dT%H:%M:%SZ}"
        raise InvalidInput("start", first.isoformat(), problem, remedy="Swap them, or name both.")
    return Window(first, last)


def _edge(field: str, value: datetime | date, time_zone: str, after: timedelta = timedelta(0)) -> datetime:
    if isinstance(value, datetime):
        return instant(field, value)
    day(field, value)
    return local_midnight(value + after, time_zone)
