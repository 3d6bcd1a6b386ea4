"""Instants and flags as they go over the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watthour.core.frames import Quality

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from watthour.core.units import ShownIn
    from watthour.core.window import Window


def utc_text(instant: datetime | None) -> str | None:
    """Write an instant as ISO 8601 in UTC.

    >>> utc_text(datetime(2024, 7, 1, 12, tzinfo=UTC))
    '2024-07-01T12:00:00Z'
    """
    if instant is None:
        return None
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="auto") + "Z"


def day_span(window: Window) -> str:
    """Write a span by its first and its last day, UTC."""
    return f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"


def local_text(instant: datetime, zone: ZoneInfo) -> str:
    """Write an instant with the offset of a place."""
    return instant.astimezone(zone).isoformat(timespec="minutes")


def flag_names(quality: int) -> list[str]:
    """Name the quality flags of a value.

    >>> flag_names(9)
    ['assumed', 'zero']
    """
    return [str(flag.name).lower() for flag in Quality if flag is not Quality.DOUBTED and flag and quality & flag]


def age_hours(instant: datetime, now: datetime) -> float:
    """Return how long ago an instant was, in hours."""
    return round((now - instant).total_seconds() / 3600, 2)


def shown_in_entry(shown: ShownIn) -> dict[str, object]:
    """Return how a picture writes its numbers."""
    return {"unit": shown.unit, "divisor": shown.divisor, "digits": shown.digits}
