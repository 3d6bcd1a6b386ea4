"""Many days of kept forecasts, and the list of all that were issued."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import Maker, Quality
from watthour.core.window import DAY, Window, local_day
from watthour.workflows.baselines import BASELINES
from watthour.workflows.view.day import points_of
from watthour.workflows.view.issue import kept_issue
from watthour.workflows.view.wire import local_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import time

    from watthour.core.forecast import Context
    from watthour.core.ports import Store

MOST_DAYS = 366
LONGEST_AHEAD = timedelta(days=16)  # no forecast of ours reaches further


def days_between(first: date, last: date) -> list[date]:
    """Return the days from the first to the last.

    Raises:
        InvalidInput: the last lies before the first, or there are too many.
    """
    if last < first:
        problem = f"it must not be later than end = {last.isoformat()}"
        raise InvalidInput("start", first.isoformat(), problem, remedy="Swap them, or name both.")
    count = (last - first).days + 1
    if count > MOST_DAYS:
        remedy = f"Ask for {MOST_DAYS} days at a time, for example up to end = {first + (MOST_DAYS - 1) * DAY}."
        raise InvalidInput("end", last.isoformat(), f"{count:,} days from start = {first} are too many", remedy=remedy)
    return [first + n * DAY for n in range(count)]


def kept_day(
    store: Store, context: Context, day: date, *, now: datetime, issue_clock: time
) -> dict[str, object] | None:
    """Return a local day's kept day-ahead forecast beside what was measured, or None where none was kept."""
    issue = kept_issue(store, context, day, now, issue_clock=issue_clock)
    if issue is None:
        return None
    zone = ZoneInfo(context.time_zone)
    points = points_of(store, context, issue, local_day(day, context.time_zone), now)
    return {
        "day": day.isoformat(),
        "issued_at": utc_text(issue.issued_at),
        "model_version": issue.model,
        "reconstructed": issue.is_reconstructed,
        "points": [
            {**point, "time": utc_text(point["time"]), "local_time": local_text(point["time"], zone)}
            for point in points
        ],
    }


def day_columns(context: Context) -> tuple[str, ...]:
    """Return the columns of days as a table; a rival has one under its own name."""
    before = ("time", "local_time", "issued_at", "model_version", "reconstructed", "value", "lower", "upper")
    return (*before, *context.rivals, "seasonal_naive", "actual", "actual_quality")


def day_rows(content: dict[str, Any], context: Context) -> list[tuple[object, ...]]:
    """Return the intervals of a day of ``kept_day`` in the order of ``day_columns``."""
    of_the_day = {key: content[key] for key in ("issued_at", "model_version")}
    of_the_day["reconstructed"] = str(content["reconstructed"]).lower()
    rows = ({**point["rivals"], **point, **of_the_day} for point in content["points"])
    return [
        tuple(" ".join(row[name]) if name == "actual_quality" else row[name] for name in day_columns(context))
        for row in rows
    ]


def issue_list(store: Store, context: Context, days: Sequence[date], *, now: datetime) -> list[dict[str, object]]:
    """Return what was issued on some days that follow each other, newest first: when, by which model, and of when.

    An issue is ours; where no model answered, it is the best baseline that stood in.
    """
    issued = Window(
        local_day(days[0], context.time_zone).start,
        local_day(days[-1], context.time_zone).end,
    )
    asked = Window(issued.start, issued.end + LONGEST_AHEAD)
    makers = [Maker.OWN, Maker.BASELINE]
    rows = pl.DataFrame(store.forecasts([context.channel.id], asked, as_of=now, makers=makers, levels=[0.5]))
    ranks = {name: place for place, name in enumerate(BASELINES)}
    found = (
        rows.drop_nulls("value")
        .filter(pl.col("issued_at").is_between(issued.start, issued.end, closed="left"))
        .group_by("issued_at", "model", "maker")
        .agg(
            first=pl.col("time").min(),
            last=pl.col("time").max(),
            intervals=pl.len(),
            reconstructed=((pl.col("quality") & int(Quality.ASSUMED)) != 0).all(),
        )
        .with_columns(rank=pl.col("model").replace_strict(ranks, default=len(ranks), return_dtype=pl.Int32))
    )
    has_own = found.filter(maker=str(Maker.OWN)).select("issued_at").unique()
    alone = found.join(has_own, on="issued_at", how="anti").sort("rank").unique("issued_at", keep="first")
    listed = pl.concat([found.filter(maker=str(Maker.OWN)), alone]).sort(
        ["issued_at", "model"], descending=[True, False]
    )
    return [
        {
            "issued_at": utc_text(row["issued_at"]),
            "model_version": row["model"],
            "baseline": row["maker"] == str(Maker.BASELINE),
            "window": {"start": utc_text(row["first"]), "end": utc_text(row["last"] + context.resolution)},
            "intervals": row["intervals"],
            "reconstructed": row["reconstructed"],
        }
        for row in listed.iter_rows(named=True)
    ]
