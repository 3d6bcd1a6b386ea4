"""What a home draws now and used today, as `GET /api/v1/homes/{home}/usage` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from watthour.workflows.view.wire import local_text, utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.workflows.usage import HomeUsage, PartUsage, PastUse


def usage_entry(home: Site, usage: HomeUsage, now: datetime) -> dict[str, object]:
    """Return the usage of a home and of all in it, with its age now."""
    return {
        "home": home.id,
        "name": home.name,
        "time_zone": home.place.time_zone,
        "is_simulated": home.is_simulated,
        "at": utc_text(now),
        "parts": [_part_entry(part, now) for part in usage.parts],
    }


def _part_entry(part: PartUsage, now: datetime) -> dict[str, object]:
    heard_at = part.heard_at
    return {
        "channel": part.channel,
        "part": part.kind if part.kind == "home" else part.id,
        "part_kind": part.kind,
        "name": part.name,
        "device_kind": None if part.device_kind is None else str(part.device_kind),
        "power_watts": part.power_w,
        "heard_at": utc_text(heard_at),
        "age_seconds": None if heard_at is None else max(0.0, (now - heard_at).total_seconds()),
        "is_late": part.is_late,
        "today_kwh": part.today_kwh,
        "today_until": utc_text(part.today_until),
        "yesterday_same_time_kwh": part.yesterday_same_time_kwh,
        "yesterday_kwh": part.yesterday_kwh,
        "known_share_today": part.known_share_today,
    }


def history_entry(home: Site, past: PastUse) -> dict[str, object]:
    """Return what something used over some days."""
    zone = ZoneInfo(home.place.time_zone)
    return {
        "home": home.id,
        "kind": past.kind,
        "id": past.id,
        "name": past.name,
        "time_zone": home.place.time_zone,
        "simulated": past.is_simulated,
        "channels": list(past.channels),
        "step_seconds": int(past.step.total_seconds()),
        "spans": [
            {
                "time": utc_text(span.start),
                "local_time": local_text(span.start, zone),
                "end": utc_text(span.end),
                "kwh": span.kwh,
                "mean_watts": span.power_w,
                "known_share": span.known_share,
            }
            for span in past.spans
        ],
    }
