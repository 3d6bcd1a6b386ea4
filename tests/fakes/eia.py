"""EIA's API v2 as it really behaves, over real HTTP, replaying any rows.

Serve New York from a table of real rows: ``with fake_eia(eia_rows(table, "NYIS")) as server: ... server.base_url``.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl
from fakes.server import Answer, FakeServer, Request, as_json, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "8f14e45fceea167a5a36dedd4bea2543"
_ROUTES = {
    "/electricity/rto/region-data/data/": "type",
    "/electricity/rto/fuel-type-data/data/": "fueltype",
}
_NAMES = {"D": "Demand", "DF": "Day-ahead demand forecast", "NG": "Net generation", "TI": "Total interchange"}
_MOST = 5000


def eia_rows(table: pl.DataFrame, respondent: str) -> pl.DataFrame:
    """Turn ``period, demand_mwh, day_ahead_forecast_mwh`` into rows as EIA keeps them; nulls stay."""
    return (
        table.rename({"demand_mwh": "D", "day_ahead_forecast_mwh": "DF"})
        .unpivot(["D", "DF"], index="period", variable_name="code")
        .select("period", pl.lit(respondent).alias("respondent"), "code", pl.col("value").cast(pl.Float64))
    )


@contextmanager
def fake_eia(
    rows: pl.DataFrame,
    *,
    fuel_rows: pl.DataFrame | None = None,
    key: str = KEY,
    most: int = _MOST,
    values_as_text: bool = True,
    total_as_text: bool = True,
    warns_on_top: bool = False,
) -> Iterator[FakeServer]:
    """Serve rows under the two routes.

    Args:
        rows: ``period`` (the end of the hour, UTC), ``respondent``, ``code`` (D, DF, NG, TI), ``value``.
        fuel_rows: likewise, ``code`` an energy source.
        key: the one that is accepted, in the header or the query.
        most: rows in one answer.
        values_as_text: EIA has done both.
        total_as_text: likewise.
        warns_on_top: where the warning of an incomplete answer stands.
    """
    tables = {"type": rows, "fueltype": rows.head(0) if fuel_rows is None else fuel_rows}

    def answer(request: Request) -> Answer:
        given = request.headers.get("X-Api-Key") or request.one("api_key")
        if given != key:
            code, said = ("INVALID", f"An invalid api_key was supplied: {given}.") if given else ("MISSING", "No key.")
            return as_json({"error": {"code": f"API_KEY_{code}", "message": said}}, 403)
        column = _ROUTES.get(request.path)
        if column is None:
            return as_json({"error": "not found", "code": 404}, 404)
        facets = {name[7:-3] for name in request.query if name.startswith("facets[")}
        for facet in facets - {"respondent", column}:
            said = f"Invalid facet '{facet}' provided. The only valid facets are 'respondent', '{column}'."
            return as_json({"error": said, "code": 400}, 400)
        if request.one("frequency") != "hourly":
            return as_json({"error": "Invalid frequency", "code": 400}, 400)
        found = _found(tables[column], request, column)
        offset, length = int(request.one("offset", "0")), min(int(request.one("length", str(most))), most)
        page = found[offset : offset + length]
        warnings = [{"warning": "incomplete return", "description": f"The API can only return {most} rows."}]
        is_incomplete = len(found) > len(page)
        response: dict[str, object] = {
            "total": str(len(found)) if total_as_text else len(found),
            "dateFormat": 'YYYY-MM-DD"T"HH24',
            "frequency": "hourly",
            "data": [_row(row, column, as_text=values_as_text) for row in page],
            "description": "Hourly demand, day-ahead demand forecast, net generation, interchange. Form EIA-930",
        }
        body: dict[str, object] = {"response": response, "request": {"command": request.path}, "apiVersion": "2.1.8"}
        if is_incomplete:
            place = body if warns_on_top else response
            place["warnings"] = warnings
        return as_json(body)

    with serve(answer, "/v2") as server:
        yield server


def _found(table: pl.DataFrame, request: Request, column: str) -> list[dict[str, object]]:
    named = table.with_columns(period=pl.col("period").dt.strftime("%Y-%m-%dT%H"))
    for facet, mine in (("respondent", "respondent"), (column, "code")):
        wanted = request.query.get(f"facets[{facet}][]")
        if wanted:
            named = named.filter(pl.col(mine).is_in(wanted))
    if start := request.one("start"):
        named = named.filter(pl.col("period") >= start)
    if end := request.one("end"):
        named = named.filter(pl.col("period") <= end)
    sorted_by = [request.one(f"sort[{place}][column]") for place in range(3)]
    found: list[dict[str, object]] = named.sort("period", "respondent", "code").to_dicts()
    if set(sorted_by) != {"period", "respondent", column}:
        random.Random(len(request.target)).shuffle(found)  # noqa: S311 - no secret; pages are unstable unless sorted on all index columns
    return found


def _row(row: dict[str, object], column: str, *, as_text: bool) -> dict[str, object]:
    value = row["value"]
    if isinstance(value, float):
        value = str(round(value)) if as_text else round(value)
    return {
        "period": row["period"],
        "respondent": row["respondent"],
        "respondent-name": str(row["respondent"]),
        column: row["code"],
        "type-name": _NAMES.get(str(row["code"]), str(row["code"])),
        "value": value,
        "value-units": "megawatthours",
    }
