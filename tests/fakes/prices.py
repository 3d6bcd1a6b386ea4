"""Providers of prices as they really behave, over real HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fakes.server import Answer, FakeServer, Request, as_json, serve

from watthour.core.window import DAY, HOUR, local_day

if TYPE_CHECKING:
    from collections.abc import Iterator

QUARTER, HALF_HOUR = timedelta(minutes=15), timedelta(minutes=30)


@contextmanager
def fake_awattar(start: datetime, end: datetime) -> Iterator[FakeServer]:
    """Serve prices that count their hours from -5 EUR/MWh on; what is not published is not there."""

    def answer(request: Request) -> Answer:
        if request.path != "/marketdata":
            return as_json({"message": "not found"}, 404)
        first, last = (int(request.one(name)) for name in ("start", "end"))
        rows = [
            {"start_timestamp": at, "end_timestamp": at + 3_600_000, "marketprice": n - 5.0, "unit": "Eur/MWh"}
            for n in range((end - start) // HOUR)
            if first <= (at := round((start + n * HOUR).timestamp()) * 1000) < last
        ]
        return as_json({"object": "list", "data": rows, "url": "/at/v1/marketdata"})

    with serve(answer, "/v1") as server:
        yield server


@contextmanager
def fake_energyzero(last: date) -> Iterator[FakeServer]:
    """Serve quarter-hours of a day with those of the days beside it; after the last day published it has nothing."""

    def answer(request: Request) -> Answer:
        day = datetime.strptime(request.one("date"), "%d-%m-%Y").replace(tzinfo=UTC).date()
        if request.one("interval") != "INTERVAL_QUARTER":
            return as_json({"message": "invalid interval"}, 400)
        if day > last:
            return as_json({"code": 5, "message": "no prices", "details": []}, 404)
        days = [local_day(each, "Europe/Amsterdam") for each in (day - DAY, day, day + DAY) if each <= last]
        starts = [span.start + n * QUARTER for span in days for n in range((span.end - span.start) // QUARTER)]
        return as_json({"interval": 1, "base": [_interval(at, 0.08) for at in starts], "all_in_with_vat": []})

    with serve(answer, "/public/v1") as server:
        yield server


def _interval(at: datetime, price: float) -> dict[str, Any]:
    return {
        "start": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{at + QUARTER:%Y-%m-%dT%H:%M:%SZ}",
        "price": {"value": str(price)},
    }


@contextmanager
def fake_octopus(start: datetime, end: datetime, *, most_rows: int = 1500) -> Iterator[FakeServer]:
    """Serve half-hourly rates in pence, the newest first, page by page."""
    starts = [start + n * HALF_HOUR for n in range((end - start) // HALF_HOUR)]

    def answer(request: Request) -> Answer:
        if not request.path.endswith("/standard-unit-rates/") or "E-1R-AGILE-24-10-01-C" not in request.path:
            return as_json({"detail": "No ProductElectricityTariff matches the given query."}, 404)
        first, last = (datetime.fromisoformat(request.one(name)) for name in ("period_from", "period_to"))
        rows = [_rate(n, at) for n, at in enumerate(starts) if first < at + HALF_HOUR and at < last][::-1]
        size, page = min(most_rows, int(request.one("page_size", "100"))), int(request.one("page", "1"))
        here = rows[(page - 1) * size : page * size]
        following = f"{server.base_url}{request.path}?page={page + 1}" if page * size < len(rows) else None
        return as_json({"count": len(rows), "next": following, "previous": None, "results": here})

    with serve(answer, "/v1") as server:
        yield server


def _rate(n: int, at: datetime) -> dict[str, Any]:
    return {
        "value_exc_vat": 20.0,
        "value_inc_vat": 21.0 + n,
        "valid_from": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "valid_to": f"{at + HALF_HOUR:%Y-%m-%dT%H:%M:%SZ}",
        "payment_method": None,
    }
