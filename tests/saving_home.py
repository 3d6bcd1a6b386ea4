"""A flat in Berlin whose dishwasher ran at 21:00 until there were plans, and by night since; with price and carbon."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from priced_home import BERLIN, FLAT, METER, NOW, rows

from watthour.core.carbon import MIX, Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.channel import Channel, Device, DeviceKind, Site, SiteKind
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, local_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.ports import Store

QUARTER = timedelta(minutes=15)
HOME = replace(FLAT, zone="DE")
REGION = Site("germany", "Germany", SiteKind.REGION, Place(BERLIN), zone="DE")
CARBON = carbon_channel(REGION, MIX, CarbonKind(Basis.AVERAGE, Scope.DIRECT, Side.PRODUCTION), HOUR)
DISHWASHER = Device("home.flat.dishwasher", "flat", "Dishwasher", DeviceKind.DISHWASHER)
DISHES = Channel("home.flat.dishwasher.power", "flat", Quantity.POWER, Unit.KW, QUARTER, device=DISHWASHER.id)
DAY_AND_NIGHT: dict[str, Any] = {
    "name": "Day and night",
    "currency": "EUR",
    "import": {
        "kind": "time_of_use",
        "bands": [
            {"name": "night", "price": 0.14, "hours": ["22:00-06:00"]},
            {"name": "day", "price": 0.34, "hours": ["06:00-22:00"]},
        ],
    },
}
EQUIPMENT: dict[str, Any] = {
    "appliances": [
        {
            "name": "dishwasher",
            "device": "dishwasher",
            "power_kw": 0.6,
            "minutes": 120,
            "earliest": "18:30",
            "deadline": "07:00",
        }
    ]
}
FIRST_PLAN = date(2026, 11, 17)
N_PLANNED, N_UNPLANNED = 4, 16  # in November


def at(day: date, clock: str) -> datetime:
    """Return the instant of a clock time in Berlin."""
    return local_instant(day, time.fromisoformat(clock), BERLIN)


def planned(day: date, start: str | None = "02:00", **more: object) -> dict[str, Any]:
    """Return the run that a plan of an evening holds for the night after it."""
    begin = None if start is None else at(day + DAY, start)
    return {
        "id": f"dishwasher-{day:%Y%m%d}-1",
        "name": "dishwasher",
        "kind": "appliance",
        "start": None if begin is None else begin.isoformat(),
        "end": None if begin is None else (begin + 2 * HOUR).isoformat(),
        "state": "planned",
        "is_estimated": False,
        "earliest": at(day, "18:30").isoformat(),
        "deadline": at(day + DAY, "07:00").isoformat(),
        **more,
    }


def powers(channel: Channel, begin: datetime, runs: Mapping[datetime, float], *, until: datetime = NOW) -> list[float]:
    """Return the power of each interval: two hours of each run, else a watt."""
    values = [0.001] * ((until - begin) // channel.resolution)
    for start, power in runs.items():
        first = (start - begin) // channel.resolution
        last = first + 2 * HOUR // channel.resolution
        values[first:last] = [power] * len(values[first:last])
    return values


def furnish(store: Store, *, runs: Mapping[datetime, float] | None = None, with_plans: bool = True) -> None:
    """Let a store hold the flat, eleven weeks of its dishwasher, the carbon of its region, and five plans."""
    store.register([HOME, REGION], [METER, DISHES, CARBON], devices=[DISHWASHER])
    begin = at(date(2026, 9, 4), "00:00")
    done = {at(date(2026, 9, 4) + n * DAY, "21:00"): 0.6 for n in range(74)}  # until 16 November
    done |= {at(FIRST_PLAN + n * DAY, "02:00"): 0.6 for n in range(1, 5)}
    store.append(rows(DISHES, begin, powers(DISHES, begin, done if runs is None else runs)))
    hours = [begin + n * HOUR for n in range((NOW - begin) // HOUR)]
    store.append(rows(CARBON, begin, [300.0 if 5 <= each.astimezone(UTC).hour < 21 else 200.0 for each in hours]))
    for n in range(5 if with_plans else 0):
        day = FIRST_PLAN + n * DAY
        store.keep_plan("flat", at(day, "18:00"), {"runs": [planned(day)]})


def local(instant: datetime) -> str:
    """Write an instant by the clock of Berlin."""
    return f"{instant.astimezone(ZoneInfo(BERLIN)):%m-%d %H:%M}"
