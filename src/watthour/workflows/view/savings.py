"""The ledger of a home as the API, a table and the command line tell it."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any

from watthour.workflows.view.wire import utc_text

if TYPE_CHECKING:
    from watthour.core.channel import Site
    from watthour.planning.ledger import Compared, Entry
    from watthour.workflows.savings import Savings

_DIGITS = 6
_COMPARED = ("at_once", "usual")


def savings_entry(home: Site, found: Savings) -> dict[str, Any]:
    """Return a ledger with what is not known or not counted."""
    return {
        "home": home.id,
        "is_simulated": home.is_simulated,
        "time_zone": home.place.time_zone,
        "currency": found.currency,
        "carbon": None if found.carbon is None else found.carbon.kind.words,
        "by": found.by,
        "start": utc_text(found.window.start),
        "end": utc_text(found.window.end),
        "rows": [_row(each) for each in found.rows],
        "total": _row(found.total),
        "remarks": list(found.remarks),
    }


def savings_csv(home: Site, found: Savings) -> str:
    """Return the rows of a ledger as a table: what is compared with in columns of its own, nothing for null."""
    rows = [_flat(row) for row in savings_entry(home, found)["rows"]]
    text = StringIO()
    writer = csv.DictWriter(text, fieldnames=list(_flat(_row(found.total))), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "device": entry.device,
        "day": entry.day.isoformat(),
        "n_runs": entry.n_runs,
        "n_planned": entry.n_planned,
        "planned_start": utc_text(entry.planned_start),
        "start": utc_text(entry.start),
        "end": utc_text(entry.end),
        "energy_kwh": _rounded(entry.energy_kwh),
        "cost": _rounded(entry.cost),
        "carbon_kg": _rounded(entry.carbon_kg),
        "at_once": _compared(entry.at_once),
        "usual": None if entry.usual is None else _compared(entry.usual),
        "saved_money": _rounded(entry.saved_money),
        "saved_carbon_kg": _rounded(entry.saved_carbon_kg),
        "saved_usual_money": _rounded(entry.saved_usual_money),
        "saved_usual_carbon_kg": _rounded(entry.saved_usual_carbon_kg),
        "shifted_kwh": _rounded(entry.shifted_kwh),
        "regret_money": _rounded(entry.regret_money),
        "regret_carbon_kg": _rounded(entry.regret_carbon_kg),
        "captured": _rounded(entry.captured),
        "is_estimated": entry.is_estimated,
        "n_priced": entry.n_priced,
        "n_with_carbon": entry.n_with_carbon,
        "n_with_usual": entry.n_with_usual,
        "remark": entry.remark,
    }


def _compared(other: Compared) -> dict[str, Any]:
    return {"start": utc_text(other.start), "cost": _rounded(other.cost), "carbon_kg": _rounded(other.carbon_kg)}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of which each value is a cell."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name in _COMPARED:
            cells = value or {"start": None, "cost": None, "carbon_kg": None}
            flat |= {f"{name}_{part}": cell for part, cell in cells.items()}
        else:
            flat[name] = str(value).lower() if isinstance(value, bool) else value
    return flat


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS) + 0.0  # no negative zero
