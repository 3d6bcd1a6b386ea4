"""The tariff of a home as the API and the command line tell it: prices of the hours ahead, and bills."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from watthour.workflows.kept_tariffs import tariff_of
from watthour.workflows.view.wire import local_text, utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.core.window import Window
    from watthour.planning.bills import Bill
    from watthour.planning.prices import Array, Prices
    from watthour.workflows.kept_tariffs import Tariffs, Term

_PRICE_DIGITS, _MONEY_DIGITS = 6, 4


def tariff_entry(home: Site, tariffs: Tariffs, *, at: datetime) -> dict[str, object]:
    """Return a home's tariff at an instant as it was said, with all that it has and since when each holds.

    Raises:
        UnknownName: it has none then.
        InvalidInput: what is kept cannot be read.
    """
    tariff_of(tariffs, home, at)  # what is kept can be read, or it is said why not
    term, zone = tariffs.term_at(home.id, at), ZoneInfo(home.place.time_zone)
    terms = tariffs.terms(home.id)
    return {
        "home": home.id,
        "since": None if term is None else _since(term, zone),
        "tariff": {} if term is None else dict(term.said),
        "terms": [{"since": _since(each, zone), "tariff": dict(each.said)} for each in terms],
    }


def _since(term: Term, zone: ZoneInfo) -> str | None:
    return None if term.since is None else local_text(term.since, zone)


def prices_entry(home: Site, found: Prices, *, now: datetime) -> dict[str, object]:
    """Return the price of each step; null where it is not known, and a band where it is forecast."""
    zone = ZoneInfo(home.place.time_zone)
    columns: dict[str, Array] = {
        "import_price": found.import_,
        "import_lower": found.import_lower,
        "import_upper": found.import_upper,
        "export_price": found.export,
        "export_lower": found.export_lower,
        "export_upper": found.export_upper,
    }
    rounded = {name: [_or_none(value, _PRICE_DIGITS) for value in values.tolist()] for name, values in columns.items()}
    points = []
    for n, is_forecast in enumerate(found.is_forecast.tolist()):
        at = found.window.start + n * found.step
        point = {name: values[n] for name, values in rounded.items()}
        points.append(
            {
                "time": utc_text(at),
                "local_time": local_text(at, zone),
                "band": found.bands[n],
                "forecast": is_forecast,
                **point,
            }
        )
    return {
        "home": home.id,
        "time_zone": home.place.time_zone,
        "currency": found.currency,
        "unit": f"{found.currency}/kWh",
        "step_seconds": int(found.step.total_seconds()),
        "generated_at": utc_text(now),
        "points": points,
        "peaks": [
            {
                "month": term.month,
                "start": utc_text(found.window.start + term.first * found.step),
                "end": utc_text(found.window.start + term.last * found.step),
                "price_per_kw": round(term.price_per_kw, _PRICE_DIGITS),
                "free_kw": term.free_kw,
                "interval_seconds": int(term.interval.total_seconds()),
            }
            for term in found.peaks
        ],
        "remarks": list(found.remarks),
    }


def bill_entry(home: Site, found: Bill) -> dict[str, object]:
    """Return a bill with what could not be billed."""
    return {
        "home": home.id,
        "time_zone": home.place.time_zone,
        "start": utc_text(found.window.start),
        "end": utc_text(found.window.end),
        "currency": found.currency,
        "lines": [
            {
                "kind": line.kind,
                "name": line.name,
                "quantity": round(line.quantity, _MONEY_DIGITS),
                "unit": line.unit,
                "price": None if line.price is None else round(line.price, _PRICE_DIGITS),
                "amount": round(line.amount, _MONEY_DIGITS),
            }
            for line in found.lines
        ],
        "total": round(found.total, _MONEY_DIGITS),
        "complete": found.is_complete,
        "missing_hours": found.missing_hours,
        "missing": [_span(each) for each in found.missing],
        "unpriced": [_span(each) for each in found.unpriced],
        "remarks": list(found.remarks),
    }


def _span(window: Window) -> dict[str, object]:
    return {"start": utc_text(window.start), "end": utc_text(window.end)}


def _or_none(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(value, digits)
