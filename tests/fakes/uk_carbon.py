"""NESO's carbon intensity API as it really behaves, over real HTTP: its shapes, its limits, its errors."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fakes.server import Answer, FakeServer, Request, as_json, html, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

HALF_HOUR = timedelta(minutes=30)
TIME = "%Y-%m-%dT%H:%MZ"
SHARES = {"biomass": 4.2, "coal": 0, "imports": 12.5, "gas": 30.1, "nuclear": 14.8, "other": 0, "hydro": 1.4,
          "solar": 7.0, "wind": 30.0}  # fmt: skip


@dataclass
class UkCarbon:
    """What a test may change while it runs."""

    now: datetime
    untold: set[datetime] = field(default_factory=set)  # half hours without an actual value
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))
    regional_shape: str = "object"  # or list, flat, named, several, unnamed
    answers_of: int | None = None  # a region, whichever is asked for
    is_single: bool = False  # one half hour comes as an object, not as a list
    is_empty: bool = False  # 200, and no data
    broken: set[str] = field(default_factory=set)  # first words of paths that fail


@contextmanager
def fake_uk_carbon(state: UkCarbon) -> Iterator[FakeServer]:
    def answer(request: Request) -> Answer:
        words = request.path.strip("/").split("/")
        if words[0] in state.broken or words[-1] in state.broken:
            return html(503)
        if state.is_empty:
            return as_json({"data": []})
        if words[0] == "regional":
            return as_json({"data": _regional(state, words)})
        begin, end = (_instant(word) for word in (words[1], words[2] if words[2] != "fw48h" else words[1]))
        end = begin + timedelta(hours=48) if words[2] == "fw48h" else end
        if end - begin > timedelta(days=14):
            said = {"code": "400 Bad Request", "message": "The maximum date range is 14 days."}
            return as_json({"error": said}, 400)
        # a range begins with the half hour that ends at its start
        times = [_floor(begin) - HALF_HOUR + n * HALF_HOUR for n in range((end - _floor(begin)) // HALF_HOUR + 1)]
        make = _mix if words[0] == "generation" else _national
        rows = [make(state, time) for time in times if words[0] == "intensity" or time < state.now]
        return as_json({"data": rows[0] if state.is_single and len(rows) == 1 else rows})

    with serve(answer) as server:
        yield server


def _national(state: UkCarbon, time: datetime) -> dict[str, Any]:
    is_told = time + HALF_HOUR <= state.now and time not in state.untold
    return {**_span(time), "intensity": {"forecast": 266, "actual": 263 if is_told else None, "index": "moderate"}}


def _mix(state: UkCarbon, time: datetime) -> dict[str, Any]:
    return {**_span(time), "generationmix": [{"fuel": fuel, "perc": perc} for fuel, perc in state.shares.items()]}


def _regional(state: UkCarbon, words: list[str]) -> object:
    begin = _floor(_instant(words[2]))
    halves = [
        {**_mix(state, begin + n * HALF_HOUR), "intensity": {"forecast": 100 + n, "index": "low"}} for n in range(97)
    ]
    number = state.answers_of or int(words[-1])
    region = {"regionid": number, "dnoregion": "UKPN London", "shortname": "London", "data": halves}
    other = {**region, "regionid": number + 1}
    unnamed = {"shortname": "London", "data": halves}
    rows = [{"regionid": number, **half} for half in halves]
    shapes = {"object": region, "list": [region], "flat": halves, "named": rows, "several": [region, other]}
    return {**shapes, "unnamed": [unnamed, unnamed]}[state.regional_shape]


def _span(time: datetime) -> dict[str, str]:
    return {"from": f"{time:{TIME}}", "to": f"{time + HALF_HOUR:{TIME}}"}


def _instant(text: str) -> datetime:
    return datetime.strptime(text, TIME).replace(tzinfo=UTC)


def _floor(instant: datetime) -> datetime:
    return instant.replace(minute=instant.minute // 30 * 30, second=0, microsecond=0)
