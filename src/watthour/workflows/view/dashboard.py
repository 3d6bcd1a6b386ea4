"""The answers that dashboards of a household's appliances ask for; `docs/reference/api.md` defines each field."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from watthour.core.channel import FEEDS_IN, DeviceKind, Flexibility
from watthour.insights.load import Unknown
from watthour.workflows.homes import devices_of, zones_of
from watthour.workflows.view.watts import A_DAY, optimization
from watthour.workflows.view.wire import local_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from watthour.core.channel import Device, Site
    from watthour.core.ports import Store
    from watthour.insights.anomalies import Oddities
    from watthour.insights.consumers import Consumers
    from watthour.insights.standby import Standby
    from watthour.workflows.insights import DeviceInsights, HomeInsights
    from watthour.workflows.usage import HomeUsage, PartUsage
    from watthour.workflows.view.household import HomeAhead, Hour, Household, Trend

_ON_KW = 0.005  # from this power on, drawn or fed in, something is on
_ALWAYS_ON = frozenset({DeviceKind.FRIDGE, DeviceKind.FREEZER, DeviceKind.ROUTER, DeviceKind.SENSOR})
_SIMULATED = "All figures of this home are simulated."
_MOST_ODD = 3  # anomalies that are told, the newest first


def dashboard(
    store: Store,
    household: Household,
    *,
    usage: HomeUsage,
    ahead: HomeAhead,
    insights: HomeInsights,
    now: datetime,
    plan: Mapping[str, Any] | None = None,
) -> dict[str, object]:
    """Return what a home draws now, will use in the next 24 hours, and what is worth knowing of it."""
    home = household.home
    return {
        "current_consumption": _power(usage.parts[0]),
        "forecast_24h": _total(ahead.hours) if len(ahead.hours) == A_DAY else None,
        "energy_saved": None,
        "hourly_forecast": [{"hour": hour.start.hour, "consumption": hour.kwh} for hour in ahead.hours],
        "appliance_breakdown": _breakdown(insights.consumers),
        "key_insights": [*_marked(home), *_sentences(insights, ZoneInfo(home.place.time_zone)), *ahead.problems],
        "optimization_schedule": _schedule(store, household, ahead, now, plan),
    }


def device_list(store: Store, household: Household, usage: HomeUsage) -> dict[str, object]:
    """Return the devices of a home with where they stand, and whether they are on."""
    parts, rooms = _parts(usage), _rooms(store, household.home)
    return {
        "devices": [
            {
                "device_id": device.id,
                "device_type": str(device.kind),
                "location": rooms.get(device.zone or ""),
                "status": _status(parts.get(device.id)),
            }
            for device in devices_of(store, household.home)
        ]
    }


def appliances(
    store: Store, household: Household, usage: HomeUsage, means: Mapping[str, float | None]
) -> dict[str, object]:
    """Return the devices of a home with what they draw now and on average."""
    parts, rooms = _parts(usage), _rooms(store, household.home)
    return {
        "devices": [
            {
                "device_id": device.id,
                "name": device.name,
                "location": rooms.get(device.zone or ""),
                "current_consumption": _power(parts.get(device.id)),
                "avg_consumption": means.get(device.id),
                "status": _status(parts.get(device.id)),
                "flexibility": str(device.flexibility),
            }
            for device in devices_of(store, household.home)
        ]
    }


def device_page(
    store: Store,
    household: Household,
    device: Device,
    insights: DeviceInsights,
    trend: Trend | None,
    ahead: HomeAhead,
    *,
    now: datetime,
) -> dict[str, object]:
    """Return whether a device uses more than before, how much of it while working, and what could be done."""
    found = insights.standby
    idle = None if isinstance(found, Unknown) or found.holds_cycling else found
    is_rated = idle is not None and idle.share is not None and device.kind not in _ALWAYS_ON | FEEDS_IN
    share = idle.share if idle is not None and is_rated else None
    return {
        "device_id": device.id,
        "consumption_trend": trend,
        "efficiency_score": None if share is None else 100 * min(1.0, max(0.0, 1 - share)),
        "recommendations": [
            *_marked(household.home),
            *_recommended(device, idle if is_rated else None, insights.oddities),
            *_when(device, _best_time(store, ahead, now)),
        ],
    }


def week_ahead(ahead: HomeAhead, coverage: Mapping[int, float], now: datetime) -> dict[str, object]:
    """Return the next seven local days of a home, with the highest hour of each.

    Args:
        ahead: the hours of whole days.
        coverage: the measured share inside the 90 % interval, by local days ahead.
        now: the present, of an archive the end of what is known.
    """
    days: list[dict[str, object]] = []
    peaks: list[dict[str, object]] = []
    today = now.astimezone(ahead.hours[0].start.tzinfo).date() if ahead.hours else None
    highest: list[float] = []
    for day, group in groupby(ahead.hours, key=lambda hour: hour.start.date()):
        hours = list(group)
        n_ahead = (day - today).days if today is not None else 0
        days.append(
            {
                "date": day.isoformat(),
                "predicted_consumption": _total(hours) if len(hours) == _length(hours[0]) else None,
                "confidence": coverage.get(n_ahead),
            }
        )
        known = [(hour.kwh, hour) for hour in hours if hour.kwh is not None]
        if known:
            kwh, top = max(known, key=lambda each: each[0])
            highest.append(kwh)
            peaks.append({"day": day.isoformat(), "time": f"{top.start:%H:%M}", "predicted_usage": kwh})
    return {
        "forecast_7_days": days,
        "peak_periods": peaks,
        "peak_value": max(highest, default=None),
        "hourly_forecast": [
            {"day": hour.start.date().isoformat(), "hour": hour.start.hour, "consumption": hour.kwh}
            for hour in ahead.hours
        ],
    }


def _length(midnight: Hour) -> int:
    """Return how many hours the local day has that begins with an hour."""
    start = midnight.start
    return round(((start + timedelta(days=1)).timestamp() - start.timestamp()) / 3600)


def _total(hours: Iterable[Hour]) -> float | None:
    known = [hour.kwh for hour in hours]
    return None if None in known or not known else sum(kwh for kwh in known if kwh is not None)


def _power(part: PartUsage | None) -> float | None:
    """Return the power of a part in kW."""
    return None if part is None or part.power_w is None else part.power_w / 1000


def _parts(usage: HomeUsage) -> dict[str, PartUsage]:
    return {part.id: part for part in usage.parts}


def _rooms(store: Store, home: Site) -> dict[str, str]:
    return {zone.id: zone.name for zone in zones_of(store, home)}


def _status(part: PartUsage | None) -> str | None:
    """Tell whether a device is on; None where it was not heard lately."""
    power = _power(part)
    if part is None or power is None or part.is_late:
        return None
    return "on" if abs(power) >= _ON_KW else "off"


def _marked(home: Site) -> list[str]:
    return [_SIMULATED] if home.is_simulated else []


def _breakdown(found: Consumers | Unknown) -> list[dict[str, object]]:
    """Return the share of each device in what the home used, or where its mains do not tell that in what all did."""
    if isinstance(found, Unknown):
        return []
    mains = None if found.other_kwh is None else found.total_kwh  # where energy is fed in, they tell a balance
    total = sum(each.energy_kwh for each in found.devices) if mains is None else mains
    if total <= 0:
        return []
    parts = [(each.name, each.energy_kwh) for each in found.devices]
    if found.other_kwh is not None:
        parts.append(("Other", found.other_kwh))
    return [{"appliance": name, "percentage": 100 * kwh / total} for name, kwh in parts]


def _sentences(found: HomeInsights, zone: ZoneInfo) -> list[str]:
    """Tell the insights of a home in words, with their figures, by its own clock."""
    said: list[str] = []
    if not isinstance(found.standby, Unknown):
        share = "" if found.standby.share is None else f", {100 * found.standby.share:.0f} % of all energy"
        said.append(f"Standby: {found.standby.power_w:.0f} W around the clock{share}.")
    if not isinstance(found.consumers, Unknown) and found.consumers.devices:
        most = found.consumers.devices[0]
        said.append(f"{most.name} used most in the last 28 days: {most.energy_kwh:.1f} kWh.")
    said += _odd(found.oddities, zone)
    if not isinstance(found.habits, Unknown):
        said += [
            f"From {each.first_hour}:00 to {each.end_hour}:00 on {each.days} it uses {each.after_kwh:.2f} kWh a day, "
            f"before {each.before_kwh:.2f} kWh."
            for each in found.habits.changes
        ]
    if not isinstance(found.efficiency, Unknown) and (past := found.efficiency.against_past) is not None:
        said.append(
            f"It uses {past.kwh_per_day:.1f} kWh a day; its own past at such temperatures used "
            f"{past.expected_kwh_per_day:.1f} kWh."
        )
    return said


def _odd(found: Oddities | Unknown, zone: ZoneInfo) -> list[str]:
    if isinstance(found, Unknown):
        return []
    said = [
        f"Unusual from {each.start.astimezone(zone):%Y-%m-%d %H:%M} to {each.end.astimezone(zone):%Y-%m-%d %H:%M}: "
        f"{each.measured_w:.0f} W, expected {each.expected_w:.0f} W."
        for each in reversed(found.anomalies[-_MOST_ODD:])
    ]
    return [*said, *(f"Since {each.day} it draws {each.change_w:+.0f} W at all hours." for each in found.shifts)]


def _recommended(device: Device, idle: Standby | None, odd: Oddities | Unknown) -> list[str]:
    said = []
    if idle is not None and idle.power_w >= 1:
        said.append(
            f"{device.name} draws {idle.power_w:.0f} W while idle, {idle.kwh_per_year:.0f} kWh a year: switch it off "
            "when nobody needs it."
        )
    if not isinstance(odd, Unknown):
        said += [f"Look why {device.name} draws {each.change_w:+.0f} W since {each.day}." for each in odd.shifts]
        said += [
            f"Look at {device.name}: it has been on for {each.measured:.0f} hours, where {each.usual:.1f} are usual."
            for each in odd.runs
            if each.kind == "duration" and not each.is_over
        ]
    return said


def _when(device: Device, best: str | None) -> list[str]:
    return [f"The best time for {device.name} begins at {best}."] if best is not None and _can_wait(device) else []


def _can_wait(device: Device) -> bool:
    return device.flexibility is not Flexibility.FIXED and device.kind not in {DeviceKind.SOLAR, DeviceKind.BATTERY}


def _schedule(
    store: Store, household: Household, ahead: HomeAhead, now: datetime, plan: Mapping[str, Any] | None
) -> list[dict[str, object]]:
    """Return the best time of each device whose use can wait: by the plan of the home, where it plans the device."""
    best = _best_time(store, ahead, now)
    zone = ZoneInfo(household.home.place.time_zone)
    planned: dict[str, Mapping[str, Any]] = {}
    for run in () if plan is None else plan["runs"]:
        if run["state"] in ("planned", "accepted") and run["start"] is not None and run["device"] is not None:
            planned.setdefault(run["device"], run)
    found: list[dict[str, object]] = []
    for device in devices_of(store, household.home):
        if (own := planned.get(device.id)) is not None:
            start = local_text(datetime.fromisoformat(own["start"]), zone)
            saved = None if own["at_once"] is None else round(own["at_once"]["cost"] - own["cost"], 4)
            found.append({"device": device.name, "optimal_time": start, "savings": saved})
        elif _can_wait(device):
            found.append({"device": device.name, "optimal_time": best, "savings": None})
    return found


def _best_time(store: Store, ahead: HomeAhead, now: datetime) -> str | None:
    """Return when the best hours begin, local: the cheapest where prices are known ahead, else those of least load."""
    if ahead.main is None:
        return None
    context, found = ahead.main
    ranges: list[dict[str, Any]] = optimization(store, context, found, hours=A_DAY, now=now)["best_hours"]
    measure = "mean_price" if any(each["mean_price"] is not None for each in ranges) else "mean_power_watts"
    rated = [each for each in ranges if each[measure] is not None]
    best: str | None = min(rated, key=lambda each: each[measure])["local_start"] if rated else None
    return best
