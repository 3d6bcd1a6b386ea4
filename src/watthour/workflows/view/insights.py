"""Insights as plain content."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from watthour.insights.load import Unknown
from watthour.workflows.view.wire import age_hours, utc_text

if TYPE_CHECKING:
    from watthour.core.channel import Device, Site
    from watthour.workflows.insights import DeviceInsights, HomeInsights

_DIGITS = 4


def home_insights_entry(home: Site, found: HomeInsights, now: datetime) -> dict[str, object]:
    """Return the insights of a home; what cannot be told is null, and `unknown` says why."""
    return {"home": home.id, **_entry(found, now)}


def device_insights_entry(home: Site, device: Device, found: DeviceInsights, now: datetime) -> dict[str, object]:
    """Return the insights of a device; what cannot be told is null, and `unknown` says why."""
    return {"home": home.id, "device": device.id, **_entry(found, now)}


def _entry(found: HomeInsights | DeviceInsights, now: datetime) -> dict[str, object]:
    told = {each.name: getattr(found, each.name) for each in fields(found) if each.name != "window"}
    unknown = [
        {"insight": name, "problem": value.problem, "remedy": value.remedy}
        for name, value in told.items()
        if isinstance(value, Unknown)
    ]
    return {
        "start": utc_text(found.window.start),
        "end": utc_text(found.window.end),
        "age_hours": None if found.known_until is None else age_hours(found.known_until, now),
        **{name: None if isinstance(value, Unknown) else _plain(value) for name, value in told.items()},
        "unknown": unknown,
    }


def _plain(value: object) -> object:
    """Write a value with all it is made of as JSON can."""
    match value:
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case float():
            return round(value, _DIGITS)
        case tuple() | list():
            return [_plain(each) for each in value]
        case _ if is_dataclass(value):
            return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.repr}
        case _:
            return value
