"""Open-Meteo's four addresses as one local server over real HTTP, replaying any rows.

Archive, forecast, previous runs and single runs are told apart as there: by path and parameters.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from fakes.server import Answer, FakeServer, Request, as_json, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

_UNITS = {
    "temperature_2m": "°C",
    "relative_humidity_2m": "%",
    "dew_point_2m": "°C",
    "apparent_temperature": "°C",
    "precipitation": "mm",
    "rain": "mm",
    "snowfall": "cm",
    "cloud_cover": "%",
    "wind_speed_10m": "m/s",
    "wind_gusts_10m": "m/s",
    "surface_pressure": "hPa",
    "shortwave_radiation": "W/m²",
}
_HOUR = timedelta(hours=1)


class _Weather:
    """What is known of the weather, and when it was."""

    def __init__(self, observed: pl.DataFrame, runs: pl.DataFrame | None, now: datetime | None) -> None:
        self.ends_at = now or datetime(2100, 1, 1, tzinfo=UTC)
        self.truth: dict[datetime, dict[str, float | None]] = {row["stamp"]: row for row in observed.to_dicts()}
        self.runs: dict[datetime, dict[datetime, dict[str, float | None]]] = {}
        for row in [] if runs is None else runs.to_dicts():
            self.runs.setdefault(row["run"], {})[row["stamp"]] = row

    def forecast(self, variable: str, stamp: datetime, newest: datetime) -> float | None:
        """Return what the last run up to ``newest`` said; without runs every forecast is right."""
        if not self.runs:
            return self.truth.get(stamp, {}).get(variable)
        known = [run for run, rows in self.runs.items() if run <= newest and stamp in rows]
        return self.runs[max(known)][stamp].get(variable) if known else None

    def values(self, request: Request, name: str, stamps: list[datetime]) -> list[float | None]:
        variable, _, days = name.partition("_previous_day")
        if request.path == "/v1/archive":
            return [self.truth.get(stamp, {}).get(variable) for stamp in stamps]
        if run := request.one("run"):
            return [self.runs[_instant(run)].get(stamp, {}).get(variable) for stamp in stamps]
        if days:
            before = timedelta(days=int(days))
            return [self.forecast(variable, stamp, stamp - before) for stamp in stamps]
        return [self.forecast(variable, stamp, self.ends_at) for stamp in stamps]

    def fault(self, request: Request) -> str | None:
        """Return why a request is refused, in the provider's words, if it is."""
        for latitude in map(float, request.one("latitude").split(",")):
            if not -90 <= latitude <= 90:
                return f"Latitude must be in range of -90 to 90°. Given: {latitude}."
        for name in request.one("hourly").split(","):
            if name.partition("_previous_day")[0] not in _UNITS:
                return f"Data corrupted at path ''. Cannot initialize variable from invalid String value {name}."
        if run := request.one("run"):
            return None if _instant(run) in self.runs else "The requested model run is not available."
        latest = self.ends_at.date() + timedelta(days=0 if request.path == "/v1/archive" else 15)
        if date.fromisoformat(request.one("end_date")) > latest:
            return f"Parameter 'end_date' is out of allowed range from 1940-01-01 to {latest}"
        return None


@contextmanager
def fake_open_meteo(
    observed: pl.DataFrame, *, runs: pl.DataFrame | None = None, now: datetime | None = None
) -> Iterator[FakeServer]:
    """Serve weather; every point has the same, plus its latitude in hundredths, so that points can be told apart.

    Args:
        observed: ``stamp`` (UTC, as Open-Meteo names hours) and a column per variable.
        runs: likewise with ``run``, its init time; without it every forecast is right.
        now: the newest run the forecast knows is at or before this instant; the archive ends there.
    """
    weather = _Weather(observed, runs, now)

    def answer(request: Request) -> Answer:
        if reason := weather.fault(request):
            return as_json({"error": True, "reason": reason}, 400)
        stamps = _stamps(request)
        latitudes = [float(one) for one in request.one("latitude").split(",")]
        longitudes = [float(one) for one in request.one("longitude").split(",")]
        places = [
            {
                "latitude": latitude,
                "longitude": longitude,
                "generationtime_ms": 0.5,
                "utc_offset_seconds": 0,
                "timezone": "GMT",
                "timezone_abbreviation": "GMT",
                "elevation": 10.0,
                **_hourly(weather, request, stamps, latitude),
            }
            for latitude, longitude in zip(latitudes, longitudes, strict=True)
        ]
        return Answer(200, json.dumps(places if len(places) > 1 else places[0], ensure_ascii=False).encode())

    with serve(answer) as server:
        yield server


def _hourly(weather: _Weather, request: Request, stamps: list[datetime], latitude: float) -> dict[str, object]:
    columns: dict[str, object] = {"time": [f"{stamp:%Y-%m-%dT%H:%M}" for stamp in stamps]}
    units = {"time": "iso8601"}
    for name in request.one("hourly").split(","):
        values = weather.values(request, name, stamps)
        is_in_kmh = name.startswith("wind") and request.one("wind_speed_unit") != "ms"
        factor = 3.6 if is_in_kmh else 1.0
        columns[name] = [None if value is None else round(value * factor + latitude / 100, 4) for value in values]
        unit = "km/h" if is_in_kmh else _UNITS[name.partition("_previous_day")[0]]
        units[name] = "undefined" if all(value is None for value in values) else unit
    return {"hourly_units": units, "hourly": columns}


def _stamps(request: Request) -> list[datetime]:
    if run := request.one("run"):
        begin, days = _instant(run), int(request.one("forecast_days", "7"))
    else:
        first, last = date.fromisoformat(request.one("start_date")), date.fromisoformat(request.one("end_date"))
        begin, days = datetime(first.year, first.month, first.day, tzinfo=UTC), (last - first).days + 1
    return [begin + hour * _HOUR for hour in range(24 * days)]


def _instant(said: str) -> datetime:
    return datetime.strptime(said, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
