"""The parts of a day's page: its points, its sentence, its scores and how fresh its inputs are."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core import metrics
from watthour.core.forecast import interval_starts
from watthour.core.frames import Quality
from watthour.core.quality import is_trusted
from watthour.core.units import ShownIn, shown_in
from watthour.core.window import DAY, Window
from watthour.workflows.baselines import BASELINES
from watthour.workflows.forecast import OURS, label_of
from watthour.workflows.view.issue import FRESH
from watthour.workflows.view.wire import age_hours, flag_names, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import Store
    from watthour.workflows.view.issue import Issue

KNOWN = timedelta(hours=48)
LONGEST_SILENCE = timedelta(days=16)  # of a feed whose region is still forecast
STALE_AFTER = timedelta(hours=12)
READINGS = "Readings"  # what is forecast, as it is measured
MEDIAN = 0.5
MOST_OF_A_DAY = 20 / 24  # a day is scored when so much of it is known
_DOUBTS = set(flag_names(int(Quality.DOUBTED)))
_LOOK_BACKS = (DAY, 400 * DAY, 3660 * DAY)  # how far before the newest reading a rival's last word is sought, in turn
_RUNS_LOOKED_AT = 500

Point = dict[str, Any]  # JSON-ready, but for its `time`


def known_readings(store: Store, context: Context, issued_at: datetime) -> pl.DataFrame:
    """Return the last two days of readings known at an instant: ``time, value``, null where it is doubted."""
    span = Window(issued_at - LONGEST_SILENCE, issued_at)
    rows = pl.DataFrame(store.read([context.channel.id], span, issued_at)).drop_nulls("value")
    return rows.filter(pl.col("time") > pl.col("time").max() - KNOWN).select(
        "time", pl.when(is_trusted()).then("value").alias("value")
    )


def points_of(store: Store, context: Context, issue: Issue, window: Window, now: datetime) -> list[Point]:
    """Return one entry per interval of the day; what is missing is null."""
    quantiles: dict[datetime, dict[str, float]] = {}
    answered = issue.rows.filter(pl.col("model") == issue.model).drop_nulls("value")
    for row in answered.sort("time", "level").to_dicts():
        quantiles.setdefault(row["time"], {})[f"{row['level']:g}"] = row["value"]
    rivals = {name: medians(issue.rows, name) for name in context.rivals}
    naive = medians(issue.rows, "seasonal_naive")
    actual = {row["time"]: row for row in store.read([context.channel.id], window, now).to_dicts()}
    points: list[Point] = []
    for time in interval_starts(window, context.resolution, context.time_zone):
        levels = quantiles.get(time, {})
        came = actual.get(time)
        forecast = {name: medians.get(time) for name, medians in rivals.items()}
        points.append(
            {
                "time": time,
                "value": levels.get("0.5"),
                "lower": levels.get("0.05"),
                "upper": levels.get("0.95"),
                "quantiles": levels,
                "operator": forecast.get(context.rival or ""),
                "rivals": forecast,
                "actual": came["value"] if came else None,
                "actual_quality": flag_names(came["quality"]) if came else [],
                "seasonal_naive": naive.get(time),
            }
        )
    return points


def size_of(points: Sequence[Point], context: Context) -> ShownIn:
    """Return the unit in which a day's picture and its sentence are written."""
    forecast = [point["value"] for point in points if point["value"] is not None]
    values = forecast or [point["actual"] for point in points]
    return shown_in(context.channel.unit, values, currency=context.channel.currency)


def headline(points: Sequence[Point], context: Context, *, is_past: bool) -> str:
    """Say when the day's forecast is highest, how high, and the 90 % interval of that one interval.

    The day's maximum itself may fall at another time and lies higher on average: its own interval needs joint paths.
    """
    forecast = [point for point in points if point["value"] is not None]
    if not forecast:
        return "There is no forecast for this day."
    peak = max(forecast, key=lambda point: float(point["value"]))
    is_measured = not is_past and peak["actual"] is not None
    zone, shown = ZoneInfo(context.time_zone), size_of(points, context)
    start = peak["time"].astimezone(zone)
    end = (peak["time"] + context.resolution).astimezone(zone)
    verb = "was expected to peak" if is_past else "peaked" if is_measured else "peaks"
    words = f"{start:%A} {verb} at {shown.write(peak['value'])} {shown.unit}"
    if context.resolution < DAY:
        words += f" between {start:%H:%M} and {end:%H:%M}"
    if peak["lower"] is None or peak["upper"] is None:
        return f"{words}."
    band = f"{shown.write(peak['lower'])} to {shown.write(peak['upper'])}"
    return f"{words}; the 90 % interval of {_name_of(context.resolution)} is {band} {shown.unit}."


def is_good(point: Point) -> bool:
    """Tell a point whose reading can be held against a forecast."""
    return point["actual"] is not None and not _DOUBTS & set(point["actual_quality"])


def scores_of_day(points: Sequence[Point], context: Context, model: str) -> dict[str, object] | None:
    """Return everybody's error on the intervals of the day that all of them forecast, once nearly all are known.

    Args:
        points: of the day.
        context: what is forecast.
        model: who made the forecast that is shown; a baseline that stood in is called by its own name.
    """
    shown = model if model in BASELINES else OURS
    columns = {
        shown: "value",
        **({context.rival: "operator"} if context.rival else {}),
        **({"seasonal_naive": "seasonal_naive"} if shown != "seasonal_naive" else {}),
    }
    fewest = MOST_OF_A_DAY * len(points)
    good = [point for point in points if is_good(point)]
    present = {name: column for name, column in columns.items() if sum(p[column] is not None for p in good) >= fewest}
    rows = [point for point in good if all(point[column] is not None for column in present.values())]
    if len(rows) < fewest or shown not in present:
        return None
    actual = [point["actual"] for point in rows]
    found = {
        name: metrics.scores(actual, [point[column] for point in rows], unit=context.channel.unit)
        for name, column in present.items()
    }
    rows_of_table = [
        {
            "model": name,
            "label": label_of(name),
            **{key: _finite(scores.get(key)) for key in ("mae", "mae_mwh", "mape_percent")},
        }
        for name, scores in found.items()
    ]
    return {"rows": rows_of_table}


def freshness(store: Store, context: Context, now: datetime) -> list[dict[str, object]]:
    """Return how old the newest readings, rivals' forecasts and covariates are; of an archive, its span."""
    channel = context.channel.id
    span = store.spans().get(channel)
    is_archive = span is not None and is_archived(store, context, now)
    seen_at = span[1] + context.resolution if span else None
    entries = [_entry(channel, READINGS, span[0] if span else None, span[1] if span else None, seen_at)]
    newest = now if seen_at is None else min(now, seen_at)
    weather = [each.channel for each in context.covariates if each.variable == "temperature_2m"][:1]
    asked = [
        *((channel, label_of(name), [name]) for name in context.rivals),
        *((covariate, "Weather forecast", None) for covariate in weather),
    ]
    for name, label, models in asked:
        for look_back in _LOOK_BACKS:
            around = Window(newest - look_back, newest + 3 * DAY)
            rows = store.forecasts([name], around, as_of=now, models=models, levels=[0.5], latest_issue=True)
            if not rows.is_empty():
                break
        last, known_at = rows.select(pl.col("time").max(), pl.col("available_at").max()).row(0)
        entries.append(_entry(name, label, None, last, known_at))
    return [_judged(entry, now, is_archive=is_archive) for entry in entries]


def is_archived(store: Store, context: Context, now: datetime) -> bool:
    """Tell readings that were brought in once from a feed that fell silent: no live source was asked lately."""
    span = store.spans().get(context.channel.id)
    if span is None or now - span[1] <= FRESH:
        return False
    runs = store.runs(limit=_RUNS_LOOKED_AT)
    feeds = [run for run in runs if run.source.endswith(f":{context.site.id}") and run.started_at > now - FRESH]
    return not any(run.window.end > run.started_at - DAY for run in feeds)


def _entry(
    channel: str, label: str, first: datetime | None, last: datetime | None, seen_at: datetime | None
) -> dict[str, Any]:
    return {"channel": channel, "label": label, "first": first, "last": last, "seen_at": seen_at}


def _judged(entry: dict[str, Any], now: datetime, *, is_archive: bool) -> dict[str, object]:
    seen_at, first, last = entry["seen_at"], entry["first"], entry["last"]
    patience = STALE_AFTER if entry["label"] == READINGS else DAY + STALE_AFTER
    return {
        "channel": entry["channel"],
        "label": entry["label"],
        "first_time": utc_text(first),
        "last_time": utc_text(last),
        "age_hours": None if seen_at is None else max(0.0, age_hours(seen_at, now)),
        "stale": not is_archive and (seen_at is None or now - seen_at > patience),
        "archive": is_archive,
    }


def medians(rows: pl.DataFrame, model: str) -> dict[datetime, float]:
    """Return a forecaster's medians by interval, without those that are doubted."""
    wanted = rows.filter(pl.col("model") == model, pl.col("level") == MEDIAN, is_trusted())
    return dict(wanted.select("time", "value").iter_rows())


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _name_of(resolution: timedelta) -> str:
    """Return what the interval spoken of is called: that day, that hour, those 15 minutes."""
    named = {DAY: "that day", timedelta(hours=1): "that hour"}
    return named.get(resolution) or f"those {resolution // timedelta(minutes=1)} minutes"
