"""What is drawn around a day: the newest forecast to the end of tomorrow, what came later, and the temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.forecast import interval_starts
from watthour.core.frames import Maker
from watthour.core.quality import is_trusted
from watthour.core.units import Unit
from watthour.core.window import DAY, HOUR, Window, local_day
from watthour.workflows.baselines import BASELINES
from watthour.workflows.view.day import KNOWN, is_good, medians
from watthour.workflows.view.issue import day_ahead_on_time, kept_issue, make_issue
from watthour.workflows.view.names import made_of_entries, model_label
from watthour.workflows.view.wire import flag_names, local_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, time

    from watthour.core.forecast import Context
    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.forecast import Served
    from watthour.workflows.view.day import Point
    from watthour.workflows.view.issue import Issue

LOWER, MEDIAN, UPPER = 0.05, 0.5, 0.95
MOST_OF_THE_PLACE = 0.5  # a mean temperature needs so much of the weight of a site's points


def newest_issue(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    shown: Issue,
    day: date,
    *,
    now: datetime,
    served: Served | None,
    issue_clock: time,
) -> Issue | None:
    """Return the newest forecast of today and tomorrow while such a day is shown, None on a day that is past."""
    window = local_day(day, context.time_zone)
    if window.start > now:
        return shown
    if window.end <= now:
        return None
    tomorrow = day + DAY
    kept = kept_issue(store, context, tomorrow, now, issue_clock=issue_clock)
    return kept or make_issue(store, registry, context, tomorrow, now=now, served=served, issue_clock=issue_clock)


def outlook(context: Context, issue: Issue, window: Window) -> dict[str, object]:
    """Return the forecast of one issue over a window, with who made it, when, and what it said of itself."""
    zone = ZoneInfo(context.time_zone)
    said = issue.rows.filter(
        pl.col("level").is_in([LOWER, MEDIAN, UPPER]),
        pl.col("time").is_between(window.start, window.end, closed="left"),
    ).drop_nulls("value")
    mine = said.filter(pl.col("model") == issue.model)
    # Readings come late: for the hours between the last one and the issue, what the model before it said is the newest.
    before = said.filter(pl.col("maker") == str(Maker.OWN), pl.col("time") < (mine["time"].min() or window.start))
    before = before.sort("issued_at").unique(["time", "level"], keep="last")
    rows = pl.concat([before, mine])
    rival = medians(issue.rows, context.rival or "")
    found: dict[datetime, dict[float, float]] = {}
    for time, level, value in rows.select("time", "level", "value").sort("time").iter_rows():
        found.setdefault(time, {})[level] = value
    return {
        "issued_at": utc_text(issue.issued_at),
        "model_version": issue.model,
        "model_label": model_label(issue.model),
        "is_baseline": issue.model in BASELINES,
        "fallback": issue.notes.fallback,
        "missing_inputs": list(issue.notes.missing_inputs),
        "made_of": made_of_entries(issue.notes.made_of),
        "points": [
            {
                "time": utc_text(time),
                "local_time": local_text(time, zone),
                "value": values.get(MEDIAN),
                "lower": values.get(LOWER),
                "upper": values.get(UPPER),
                "operator": rival.get(time),
            }
            for time, values in found.items()
        ],
    }


def said_of_today(points: Sequence[Point], newest: Mapping[str, Any] | None) -> list[Point]:
    """Return a day's points as they stand now: measured and not doubted, else as the newest forecast says."""
    if newest is None:
        return list(points)
    said = {each["time"]: each for each in newest["points"]}
    nothing = {"value": None, "lower": None, "upper": None}
    found: list[Point] = []
    for point in points:
        ahead = said.get(utc_text(point["time"]))
        if ahead is not None:
            found.append({**point, "value": ahead["value"], "lower": ahead["lower"], "upper": ahead["upper"]})
        else:
            found.append({**point, **nothing, "value": point["actual"] if is_good(point) else None})
    return found


def day_aheads(
    store: Store, context: Context, shown: Issue, newest: Issue, day: date, *, now: datetime, issue_clock: time
) -> list[dict[str, object]]:
    """Return what was said of today and tomorrow at their hours of issue, where that is not the newest forecast."""
    tomorrow = day if local_day(day, context.time_zone).start > now else day + DAY
    found: list[dict[str, object]] = []
    for each in (tomorrow - DAY, tomorrow):
        if each == day != tomorrow:
            issue: Issue | None = shown
        elif each == tomorrow:
            issue = day_ahead_on_time(store, context, each, now, issue_clock=issue_clock)
        else:
            issue = kept_issue(store, context, each, now, issue_clock=issue_clock, has_notes=False)
        if issue is not None and issue.issued_at != newest.issued_at:
            found.append({"day": each.isoformat(), **outlook(context, issue, local_day(each, context.time_zone))})
    return found


def later_readings(
    store: Store, context: Context, after: datetime | None, end: datetime, now: datetime
) -> list[dict[str, object]]:
    """Return what was measured from an instant on, as it is known now."""
    if after is None or after >= end:
        return []
    zone = ZoneInfo(context.time_zone)
    rows = pl.DataFrame(store.read([context.channel.id], Window(after, end), now)).drop_nulls("value")
    return [
        {
            "time": utc_text(row["time"]),
            "local_time": local_text(row["time"], zone),
            "value": row["value"],
            "quality": flag_names(row["quality"]),
        }
        for row in rows.to_dicts()
    ]


def temperature(store: Store, context: Context, window: Window, as_of: datetime) -> dict[str, object] | None:
    """Return the temperature of the place per interval, measured or forecast, as it was known at an instant.

    The mean over the weather points, weighted by their share of the load; None where the site has no such channel.
    """
    weights = {each.channel: each.weight for each in context.covariates if each.variable == "temperature_2m"}
    if not weights:
        return None
    span = Window(window.start - HOUR, window.end)
    known = pl.DataFrame(store.read(list(weights), span, as_of)).filter(is_trusted()).drop_nulls("value")
    # Of all runs, as the newest may be doubted where an older one is good.
    ahead = pl.DataFrame(store.forecasts(list(weights), span, as_of=as_of, levels=[MEDIAN])).drop_nulls("value")
    latest = ahead.filter(is_trusted()).sort("issued_at").unique(["channel", "time"], keep="last")
    columns = ["channel", "time", "value"]
    both = pl.concat(
        [
            known.select(*columns, is_measured=pl.lit(value=True)),
            latest.join(known, on=["channel", "time"], how="anti").select(*columns, is_measured=pl.lit(value=False)),
        ]
    )
    share = pl.DataFrame({"channel": list(weights), "weight": list(weights.values())})
    hourly = (
        both.join(share, on="channel")
        .group_by("time")
        .agg(
            value=(pl.col("value") * pl.col("weight")).sum() / pl.col("weight").sum(),
            is_measured=pl.col("is_measured").all(),
            weight=pl.col("weight").sum(),
        )
        .filter(pl.col("weight") >= MOST_OF_THE_PLACE * sum(weights.values()))
        .sort("time")
    )
    if hourly.is_empty():
        return None
    points = _per_interval(hourly, window, context)
    return {"unit": str(Unit.CELSIUS), "points": points}


def _per_interval(hourly: pl.DataFrame, window: Window, context: Context) -> list[dict[str, object]]:
    """Give each interval the temperature of its hour, a day the mean of its hours."""
    zone = ZoneInfo(context.time_zone)
    starts = interval_starts(window, context.resolution, context.time_zone).alias("start").to_frame().sort("start")
    if context.resolution < DAY:
        joined = starts.join_asof(
            hourly, left_on="start", right_on="time", strategy="backward", tolerance="59m59s", check_sortedness=False
        ).drop_nulls("value")
    else:
        joined = (
            hourly.join_asof(starts, left_on="time", right_on="start", strategy="backward", check_sortedness=False)
            .drop_nulls("start")
            .group_by("start", maintain_order=True)
            .agg(pl.col("value").mean(), pl.col("is_measured").all())
        )
    rows: list[dict[str, Any]] = joined.select("start", "value", "is_measured").to_dicts()
    return [
        {
            "time": utc_text(row["start"]),
            "local_time": local_text(row["start"], zone),
            "value": round(row["value"], 2),
            "measured": row["is_measured"],
        }
        for row in rows
    ]


def picture_window(day: date, known_until: datetime | None, now: datetime, context: Context) -> Window:
    """Return what the picture of a day spans: two days of readings before it, and tomorrow while today is shown."""
    window = local_day(day, context.time_zone)
    is_today = window.start <= now < window.end
    end = local_day(day + DAY, context.time_zone).end if is_today else window.end
    return Window(min(window.start, known_until or window.start) - KNOWN, end)
