"""The parts of a day's page: its points, its sentence, its scores and how fresh its inputs are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from watthour.core.frames import Quality
from watthour.core.window import DAY, HOUR, Window
from watthour.workflows.view.wire import age_hours, flag_names, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from watthour.core.ports import Store
    from watthour.core.region import Region
    from watthour.workflows.view.issue import Issue

KNOWN_HOURS = 48
WEEK = timedelta(days=7)
LONGEST_SILENCE = timedelta(days=16)  # of a feed whose region is still forecast
STALE_AFTER = timedelta(hours=12)
MEDIAN = 0.5
MOST_HOURS = 20  # a day is scored when nearly all of its hours are known

Point = dict[str, Any]  # JSON-ready, but for its `time`


def known_hours(store: Store, region: Region, issued_at: datetime) -> pl.DataFrame:
    """Return the last two days of demand that were known at an instant: ``time, value``."""
    span = Window(issued_at - LONGEST_SILENCE, issued_at)
    rows = pl.DataFrame(store.read([region.demand], span, issued_at)).drop_nulls("value")
    return rows.filter(pl.col("time") >= pl.col("time").max() - (KNOWN_HOURS - 1) * HOUR).select("time", "value")


def points_of(store: Store, region: Region, issue: Issue, window: Window, now: datetime) -> list[Point]:
    """Return one entry per hour of the day; what is missing is null."""
    quantiles: dict[datetime, dict[str, float]] = {}
    said = issue.rows.filter(pl.col("model") == issue.model).drop_nulls("value")
    for row in said.sort("time", "level").to_dicts():
        quantiles.setdefault(row["time"], {})[f"{row['level']:g}"] = row["value"]
    operator = _medians(issue.rows, "operator")
    naive = _medians(issue.rows, "seasonal_naive")
    actual = {row["time"]: row for row in store.read([region.demand], window, now).to_dicts()}
    points: list[Point] = []
    for step in range(window.hours):
        hour = window.start + step * HOUR
        levels = quantiles.get(hour, {})
        came = actual.get(hour)
        points.append(
            {
                "time": hour,
                "value": levels.get("0.5"),
                "lower": levels.get("0.05"),
                "upper": levels.get("0.95"),
                "quantiles": levels,
                "operator": operator.get(hour),
                "actual": came["value"] if came else None,
                "actual_quality": flag_names(came["quality"]) if came else [],
                "seasonal_naive": naive.get(hour),
            }
        )
    return points


def headline(points: Sequence[Point], zone: ZoneInfo, *, is_past: bool) -> str:
    """Say the day's peak in a sentence."""
    forecast = [point for point in points if point["value"] is not None]
    if not forecast:
        return "There is no forecast of this day."
    peak = max(forecast, key=lambda point: float(point["value"]))
    start = peak["time"].astimezone(zone)
    end = (peak["time"] + HOUR).astimezone(zone)
    verb = "was expected to peak" if is_past else "peaks"
    words = f"{start:%A} {verb} at {peak['value']:,.0f} MWh between {start:%H:%M} and {end:%H:%M}"
    if peak["lower"] is None or peak["upper"] is None:
        return f"{words}."
    return f"{words}, 90 % sure to stay between {peak['lower']:,.0f} and {peak['upper']:,.0f}."


def scores_of_day(points: Sequence[Point]) -> dict[str, object] | None:
    """Return everybody's error on the hours of the day that all of them forecast, once nearly all are known."""
    columns = {"ours": "value", "operator": "operator", "seasonal_naive": "seasonal_naive"}
    good = [
        point
        for point in points
        if point["actual"] is not None and not {"zero", "frozen", "out_of_range"} & set(point["actual_quality"])
    ]
    present = {
        name: column for name, column in columns.items() if sum(p[column] is not None for p in good) >= MOST_HOURS
    }
    hours = [point for point in good if all(point[column] is not None for column in present.values())]
    if len(hours) < MOST_HOURS or "ours" not in present:
        return None
    rows = []
    for name, column in present.items():
        errors = [abs(point[column] - point["actual"]) for point in hours]
        shares = [abs(point[column] / point["actual"] - 1) for point in hours]
        rows.append(
            {
                "model": name,
                "mae_mwh": sum(errors) / len(errors),
                "mape_percent": 100 * sum(shares) / len(shares),
            }
        )
    return {"rows": rows}


def freshness(store: Store, region: Region, now: datetime) -> list[dict[str, object]]:
    """Return how old the newest demand, weather forecast and operator's forecast are."""
    span = store.spans().get(region.demand)
    entries = [_entry(region.demand, "Demand", span[1] if span else None, span[1] + HOUR if span else None, now)]
    around = Window(now - DAY, now + 2 * DAY)
    weather = [f"{prefix}.temperature_2m" for prefix, _weight in region.context().weather[:1]]
    for channel, label, is_operator in (
        (region.demand, "Operator's forecast", True),
        *((channel, "Weather forecast", False) for channel in weather),
    ):
        models = ["operator"] if is_operator else None
        rows = store.forecasts([channel], around, as_of=now, models=models, levels=[0.5], latest_issue=True)
        last, seen = rows.select(pl.col("time").max(), pl.col("available_at").max()).row(0)
        entries.append(_entry(channel, label, last, seen, now))
    return entries


def _entry(
    channel: str, label: str, last: datetime | None, seen_at: datetime | None, now: datetime
) -> dict[str, object]:
    age = None if seen_at is None else max(0.0, age_hours(seen_at, now))
    return {
        "channel": channel,
        "label": label,
        "last_time": utc_text(last),
        "age_hours": age,
        "stale": seen_at is None or now - seen_at > (STALE_AFTER if label == "Demand" else DAY + STALE_AFTER),
    }


def _medians(rows: pl.DataFrame, model: str) -> dict[datetime, float]:
    undoubted = (pl.col("quality") & int(Quality.DOUBTED)) == 0
    wanted = rows.filter(pl.col("model") == model, pl.col("level") == MEDIAN, undoubted)
    return dict(wanted.select("time", "value").iter_rows())
