"""WattTime as it really behaves, over real HTTP: login, tokens that end, plans, points of five minutes."""

from __future__ import annotations

from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fakes.server import Answer, FakeServer, Request, as_json, html, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "lovelace", "correct-horse-7"
STEP = timedelta(minutes=5)
INVALID_SCOPE = {
    "error": "Forbidden",
    "message": "Invalid scope. You do not have sufficient access to this resource. Please note that all users are "
    "allowed free access to CAISO_NORTH.",
}


@dataclass
class Watttime:
    """What a test may change while it runs."""

    now: datetime
    region: str = "NYISO_NYC"
    user: str = USER
    allowed: set[str] = field(default_factory=lambda: {"historical", "forecast", "signal-index"})
    units: str = "lbs_co2_per_mwh"
    warnings: list[dict[str, str]] = field(default_factory=list)
    missing: set[datetime] = field(default_factory=set)  # points without a value
    n_logins: int = 0
    broken: set[str] = field(default_factory=set)  # endpoints that fail
    signal: str = "co2_moer"
    is_storm: bool = False  # no token is ever let in
    token_end: str = ""  # what every token ends with
    good: set[str] = field(default_factory=set)

    def end_tokens(self) -> None:
        self.good.clear()


@contextmanager
def fake_watttime(state: Watttime) -> Iterator[FakeServer]:
    def answer(request: Request) -> Answer:
        said = request.headers.get("Authorization", "")
        if request.path == "/register":
            taken = request.sent.get("username") == USER
            failed = as_json({"error": "Failed to create user"}, 400)
            return failed if taken else as_json({"ok": "User created", "user": request.sent["password"]})
        if request.path == "/login":
            if said != "Basic " + b64encode(f"{state.user}:{PASSWORD}".encode()).decode():
                return as_json({"error": "Unauthorized"}, 401)
            state.n_logins += 1
            token = f"token-{state.n_logins}{state.token_end}"
            state.good.add(token)
            return as_json({"token": token})
        if state.is_storm or said.removeprefix("Bearer ") not in state.good:
            return as_json({"error": "Expired token"}, 401)
        return _signal(state, request)

    with serve(answer) as server:
        yield server


def _signal(state: Watttime, request: Request) -> Answer:
    endpoint = request.path.removeprefix("/v3/")
    if endpoint == "region-from-loc":
        return as_json({"region": state.region, "region_full_name": "New York City", "signal_type": "co2_moer"})
    if endpoint in state.broken or endpoint not in state.allowed:
        return html(503) if endpoint in state.broken else as_json(INVALID_SCOPE, 403)
    if endpoint == "signal-index":
        return as_json(
            {"data": [{"point_time": state.now.isoformat(), "value": 37.0}], "meta": _meta(state, "percentile")}
        )
    if endpoint == "forecast":
        times = [_floor(state.now) + n * STEP for n in range(int(request.one("horizon_hours")) * 12)]
        made = {**_meta(state, state.units), "generated_at": _floor(state.now).isoformat()}
        return as_json({"data": [_point(state, time) for time in times], "meta": made})
    start, end = (datetime.fromisoformat(request.one(name)) for name in ("start", "end"))
    if start.tzinfo is None or end.tzinfo is None:
        return as_json({"error": "start and end must name their time zone"}, 422)
    first = _floor(start + STEP - timedelta(microseconds=1))
    times = [first + n * STEP for n in range((end - first) // STEP + 1)]  # both ends included
    return as_json({"data": [_point(state, time) for time in times], "meta": _meta(state, state.units)})


def _point(state: Watttime, time: datetime) -> dict[str, Any]:
    return {"point_time": time.isoformat(), "value": None if time in state.missing else 1000.0}


def _meta(state: Watttime, units: str) -> dict[str, Any]:
    return {
        "data_point_period_seconds": 300,
        "region": state.region,
        "warnings": state.warnings,
        "signal_type": state.signal,
        "model": {"date": "2023-03-01"},
        "units": units,
    }


def _floor(instant: datetime) -> datetime:
    return instant.replace(minute=instant.minute // 5 * 5, second=0, microsecond=0)
