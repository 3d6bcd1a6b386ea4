"""Elia's open data as it really behaves, over real HTTP: history and near real time of the Belgian load."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fakes.server import Answer, FakeServer, Request, as_json, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

QUARTER = timedelta(minutes=15)
_CLOCK = re.compile(r"datetime>='([^']+)' and datetime<'([^']+)'")


@contextmanager
def fake_elia(start: datetime, end: datetime, *, now: datetime) -> Iterator[FakeServer]:
    """Serve a load that counts its quarter-hours from 9,000 MW on; what is to come has forecasts only."""
    times = [start + number * QUARTER for number in range((end - start) // QUARTER)]

    def answer(request: Request) -> Answer:
        name = request.path.strip("/").partition("/")[0]
        asked = _CLOCK.fullmatch(request.one("where"))
        if name not in ("ods001", "ods002"):
            return as_json({"error_code": "UnknownDataset", "message": f"Unknown dataset: {name}"}, 404)
        if asked is None:
            return as_json({"error_code": "ODSQLError", "message": "ODSQL query is malformed"}, 400)
        first, last = (datetime.fromisoformat(text) for text in asked.groups())
        rows = [_row(name, each, number, now) for number, each in enumerate(times) if first <= each < last]
        rows = [row for row in rows if name == "ods002" or row["totalload"] is not None]
        if request.path.endswith("/exports/json"):
            return as_json(rows)
        return as_json({"total_count": len(rows), "results": rows[: int(request.one("limit", "10"))]})

    with serve(answer, "/api/explore/v2.1/catalog/datasets") as server:
        yield server


def _row(name: str, instant: datetime, number: int, now: datetime) -> dict[str, Any]:
    measured = 9000.0 + number if instant + QUARTER <= now else None
    eve = instant.astimezone(ZoneInfo("Europe/Brussels")).date() - timedelta(days=1)
    is_day_ahead = datetime.combine(eve, time(18), ZoneInfo("Europe/Brussels")) <= now
    recent = 9050.0 + number
    day_ahead = 9100.0 + number if is_day_ahead else recent
    return {
        "datetime": instant.astimezone(UTC).isoformat(),
        "resolutioncode": "PT15M",
        ("totalload" if name == "ods001" else "measured"): measured,
        "mostrecentforecast": recent,
        "mostrecentconfidence10": recent - 200,
        "mostrecentconfidence90": recent + 200,
        "dayaheadforecast": day_ahead,
        "dayaheadconfidence10": day_ahead - 300,
        "dayaheadconfidence90": day_ahead + 300,
        "weekaheadforecast": 9200.0 + number,
    }
