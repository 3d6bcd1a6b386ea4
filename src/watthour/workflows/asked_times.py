"""Clock times and lengths of time as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from watthour.core.errors import InvalidInput
from watthour.core.window import DAY, HOUR, local_instant

LONGEST = timedelta(hours=96)  # of what is placed in the hours ahead
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_DURATION = re.compile(
    r"(?P<hours>[0-9]{1,3}(?:\.[0-9]+)?)\s*h(?:\s*(?P<rest>[0-5]?[0-9])\s*(?:m|min)?)?"
    r"|(?P<minutes>[0-9]{1,4})\s*(?:m|min)|(?P<clock>[0-9]{1,2}):(?P<past>[0-5][0-9])"
)


def moment(field: str, text: str | None, time_zone: str, now: datetime) -> datetime | None:
    """Return the instant a person means: an ISO instant, local without an offset, or the next time it is so late.

    A local time that the clocks skip in spring means the one an hour later; one that comes twice in autumn the first.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
    >>> moment("deadline", "07:00", "America/New_York", noon).isoformat()
    '2026-11-22T12:00:00+00:00'

    Raises:
        InvalidInput: it is no time.
    """
    if text is None:
        return None
    remedy = "Write a local clock time such as 07:00, or an instant such as 2026-11-22T07:00 or 2026-11-22T12:00:00Z."
    try:
        if _CLOCK.fullmatch(text):
            clock = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - only its clock time is read
            today = now.astimezone(ZoneInfo(time_zone)).date()
            then = local_instant(today, clock, time_zone)
            return then if then > now else local_instant(today + DAY, clock, time_zone)
        named = datetime.fromisoformat(text)
        if named.tzinfo is None:
            return local_instant(named.date(), named.time(), time_zone)
        return named.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # in UTC the first and the last day of the calendar may lie outside
        raise InvalidInput(field, text, "this is no time", remedy=remedy) from error


def duration_of(text: str) -> timedelta:
    """Return a duration such as ``3h``, ``90min``, ``1h30`` or ``1:30``.

    >>> duration_of("90min"), duration_of("1h30"), duration_of("0:45")
    (datetime.timedelta(seconds=5400), datetime.timedelta(seconds=5400), datetime.timedelta(seconds=2700))

    Raises:
        InvalidInput: it is none, or not between a minute and the hours that are forecast.
    """
    remedy = "Write 3h, 90min or 1h30."
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        problem = "this is no length of time; after hours there are at most 59 minutes"
        raise InvalidInput("duration", text, problem, remedy=remedy)
    parts = found.groupdict()
    hours = parts.get("hours") or parts.get("clock")
    minutes = parts.get("minutes") or parts.get("rest") or parts.get("past")
    length = timedelta(hours=float(hours or 0), minutes=float(minutes or 0))
    if not timedelta(minutes=1) <= length <= LONGEST:
        problem = f"it must be a length of time from one minute to {LONGEST // HOUR} hours"
        raise InvalidInput("duration", text, problem, remedy=remedy)
    return length
