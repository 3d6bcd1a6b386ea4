"""Elia's open data as it really behaves, over real HTTP: load, generation, wind, sun and CO2 of Belgium."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fakes.server import Answer, FakeServer, Request, as_json, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUARTER = timedelta(minutes=15)
_CLOCK = re.compile(r"datetime>='([^']+)' and datetime<'([^']+)'")


@contextmanager
def fake_elia(start: datetime, end: datetime, *, now: datetime) -> Iterator[FakeServer]:
    """Serve a load that counts its quarter-hours from 9,000 MW on; what is to come has forecasts only."""
    times = [start + number * QUARTER for number in range((end - start) // QUARTER)]

    def answer(request: Request) -> Answer:
        name = request.path.strip("/").partition("/")[0]
        asked = _CLOCK.fullmatch(request.one("where"))
        if name not in _ROWS:
            return as_json({"error_code": "UnknownDataset", "message": f"Unknown dataset: {name}"}, 404)
        if asked is None:
            return as_json({"error_code": "ODSQLError", "message": "ODSQL query is malformed"}, 400)
        first, last = (datetime.fromisoformat(text) for text in asked.groups())
        rows = [row for n, each in enumerate(times) if first <= each < last for row in _ROWS[name](name, each, n, now)]
        if request.path.endswith("/exports/json"):
            return as_json(rows)
        return as_json({"total_count": len(rows), "results": rows[: int(request.one("limit", "10"))]})

    with serve(answer, "/api/explore/v2.1/catalog/datasets") as server:
        yield server


def _load(name: str, instant: datetime, number: int, now: datetime) -> list[dict[str, Any]]:
    measured = 9000.0 + number if instant + QUARTER <= now else None
    if name == "ods001" and measured is None:
        return []
    recent = 9050.0 + number
    day_ahead = 9100.0 + number if _is_issued(instant, now) else recent
    said = {
        **_start(instant),
        ("totalload" if name == "ods001" else "measured"): measured,
        "mostrecentforecast": recent,
        "mostrecentconfidence10": recent - 200,
        "mostrecentconfidence90": recent + 200,
        "dayaheadforecast": day_ahead,
        "dayaheadconfidence10": day_ahead - 300,
        "dayaheadconfidence90": day_ahead + 300,
        "weekaheadforecast": 9200.0 + number,
    }
    return [said]


def _generation(_name: str, instant: datetime, number: int, now: datetime) -> list[dict[str, Any]]:
    if instant + QUARTER > now:
        return []
    powers = {"Nuclear": 3900.0, "Fossil Gas": 900.0 + number, "Solar": 10.0, "Energy Storage": -40.0}
    parts = [*powers.items(), ("Hydro Run-of-river and poundage", 46.0), ("Wind Onshore", 700.0), ("Other", 500.0)]
    return [
        {**_start(instant), "fueltypeentsoe": fuel, "fueltypepublication": fuel, "generatedpower": power}
        for fuel, power in parts
    ]


def _wind(name: str, instant: datetime, number: int, now: datetime) -> list[dict[str, Any]]:
    parts = [("Offshore", "Federal", 1000.0), ("Onshore", "Flanders", 300.0), ("Onshore", "Wallonia", 200.0)]
    return [
        {**_ahead(name, instant, power + number, now), "offshoreonshore": where, "region": region}
        for where, region, power in parts
    ]


def _sun(name: str, instant: datetime, number: int, now: datetime) -> list[dict[str, Any]]:
    parts = [("Belgium", 700.0), ("Flanders", 400.0), ("Antwerp", 150.0), ("Wallonia", 300.0)]
    return [{**_ahead(name, instant, power + number, now), "region": region} for region, power in parts]


def _carbon(_name: str, instant: datetime, number: int, now: datetime) -> list[dict[str, Any]]:
    if instant.minute or instant > now - timedelta(days=1):
        return []
    return [{"datetime": _start(instant)["datetime"], "production": 150.0 + number, "consumption": 140.0 + number}]


def _ahead(name: str, instant: datetime, power: float, now: datetime) -> dict[str, Any]:
    is_recent = name in ("ods086", "ods087")
    measured = power if instant + QUARTER <= now else None
    return {
        **_start(instant),
        ("realtime" if is_recent else "measured"): measured,
        "mostrecentforecast": power + 5,
        "dayahead11hforecast": power + 11 if _is_issued(instant, now, 11) else power + 5,
        "dayaheadforecast": power + 18 if _is_issued(instant, now) else power + 5,
        "weekaheadforecast": power + 50,
        "gridconnectiontype": "Elia",
    }


def _start(instant: datetime) -> dict[str, Any]:
    return {"datetime": instant.astimezone(UTC).isoformat(), "resolutioncode": "PT15M"}


def _is_issued(instant: datetime, now: datetime, hour: int = 18) -> bool:
    """Tell whether the forecast of the day before has been made; until then the latest one stands in its place."""
    eve = instant.astimezone(ZoneInfo("Europe/Brussels")).date() - timedelta(days=1)
    return datetime.combine(eve, time(hour), ZoneInfo("Europe/Brussels")) <= now


_ROWS: dict[str, Callable[[str, datetime, int, datetime], list[dict[str, Any]]]] = {
    "ods001": _load,
    "ods002": _load,
    "ods201": _generation,
    "ods031": _wind,
    "ods086": _wind,
    "ods032": _sun,
    "ods087": _sun,
    "ods192": _carbon,
}
