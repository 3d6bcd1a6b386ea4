"""Electricity Maps as it really behaves, over real HTTP: zones, plans, estimates that are measured later."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fakes.server import Answer, FakeServer, Request, as_json, html, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = timedelta(hours=1)
KEY = "kq7-of-nobody"
ZONE = "US-NY-NYIS"
TIME = "%Y-%m-%dT%H:%M:%S.000Z"


@dataclass
class ElectricityMaps:
    """What a test may change while it runs."""

    now: datetime
    zone: str = ZONE
    left_out: set[str] = field(default_factory=set)  # endpoints that the plan does not include
    denies_with: int = 403
    broken: set[str] = field(default_factory=set)
    measured_until: datetime | None = None  # hours after it are estimates; None: three hours ago
    missing: set[datetime] = field(default_factory=set)
    counts: str = ""  # what it counts whatever it is asked for
    granularity: str | None = None


@contextmanager
def fake_electricity_maps(state: ElectricityMaps) -> Iterator[FakeServer]:
    def answer(request: Request) -> Answer:
        if request.headers.get("auth-token") != KEY:
            return as_json({"error": "Invalid auth-token"}, 401)
        kind, endpoint = request.path.strip("/").split("/")
        if endpoint in state.broken:
            return html(502)
        if endpoint in state.left_out:
            status = state.denies_with
            said = f'Request unauthorized for zoneKey "{state.zone}"' if status == 401 else "Endpoint not available"
            return as_json({"status": "error", "message": said}, status)
        if not request.one("zone") and not request.one("lat"):
            return as_json({"message": "Missing argument: zone"}, 400)
        return as_json({"zone": state.zone, **_content(state, request, kind, endpoint)})

    with serve(answer) as server:
        yield server


def _content(state: ElectricityMaps, request: Request, kind: str, endpoint: str) -> dict[str, Any]:
    this = state.now.replace(minute=0, second=0, microsecond=0)
    match endpoint:
        case "latest":
            return _hour(state, request, kind, this)
        case "history":
            return {"history": [_hour(state, request, kind, this - n * HOUR) for n in range(24, 0, -1)]}
        case "forecast":
            hours = [{"datetime": f"{this + n * HOUR:{TIME}}", "carbonIntensity": 200 + n} for n in range(25)]
            return {"updatedAt": f"{state.now - timedelta(minutes=7):{TIME}}", "forecast": hours}
    start, end = (
        datetime.strptime(request.one(name), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) for name in ("start", "end")
    )
    first = start.replace(minute=0) if start.minute == 0 else start.replace(minute=0) + HOUR
    n_hours = max(0, -((first - end) // HOUR))
    return {"data": [_hour(state, request, kind, first + n * HOUR) for n in range(n_hours)]}


def _hour(state: ElectricityMaps, request: Request, kind: str, time: datetime) -> dict[str, Any]:
    measured_until = state.measured_until or state.now - 3 * HOUR
    is_estimated = time + HOUR > measured_until
    if kind == "power-breakdown":
        said: dict[str, Any] = {
            "fossilFreePercentage": 61,
            "renewablePercentage": None if time in state.missing else 33,
        }
    else:
        said = {"carbonIntensity": None if time in state.missing else 216}
    counted = state.counts or request.one("emissionFactorType")
    return {
        **said,
        "zone": state.zone,
        "datetime": f"{time:{TIME}}",
        "updatedAt": f"{min(state.now, time + 2 * HOUR):{TIME}}",
        "createdAt": f"{time - HOUR:{TIME}}",
        **({"emissionFactorType": counted} if kind == "carbon-intensity" else {}),
        "isEstimated": is_estimated,
        "estimationMethod": "TIME_SLICER_AVERAGE" if is_estimated else None,
        **({} if state.granularity is None else {"temporalGranularity": state.granularity}),
    }
