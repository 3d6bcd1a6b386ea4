"""Join what was forecast with what came true, and score everybody on the same hours by lead time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core import metrics
from watthour.core.frames import Maker, Quality
from watthour.core.price import auction_of
from watthour.core.quality import is_trusted
from watthour.core.window import HOUR, Window
from watthour.workflows.baselines import BASELINES, COMPANION_LEVELS
from watthour.workflows.forecast import OURS, label_of
from watthour.workflows.known_ahead import closing

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import Store

WEEK = timedelta(days=7)
LEADS = {"all": (1, 10_000), "1-6": (1, 6), "7-12": (7, 12), "13-24": (13, 24), "25-48": (25, 48)}
LEADS |= {"49-72": (49, 72), "73-96": (73, 96)}  # [hours], inclusive
AUCTION = "auction"  # beside the leads, of a price: as its auction closed
MOSTLY = 0.8  # a rival that is missing from more of the rows than this leaves the table, instead of thinning it
_KEYS = ["issued_at", "time"]
_NAIVE = "seasonal_naive"


@dataclass(frozen=True, slots=True)
class Scores:
    """A table of scores and the protocol behind it."""

    rows: tuple[dict[str, object], ...]
    protocol: str


def score(store: Store, context: Context, window: Window, *, now: datetime) -> Scores:
    """Score the forecasts of a window's intervals against what came true, ours beside the baselines.

    Every row of one lead time is computed on the same intervals of the same issues: a rival stands with what it had
    said by the instant of our issue. Intervals whose measurement is missing or doubted are left out.
    """
    table, present = side_by_side(store, context, window, now=now)
    if table.is_empty():
        return Scores((), "No forecast of this period can be compared with a measurement yet.")
    groups = {label: table.filter(pl.col("lead").is_between(*span)) for label, span in LEADS.items()}
    auction = auction_of(context.site) if context.channel.is_told_ahead else None
    if auction is not None:
        in_time = table.filter(pl.col("issued_at") <= closing(context))
        groups[AUCTION] = in_time.filter(pl.col("issued_at") == pl.col("issued_at").max().over("time"))
    rows = [
        _row(group, name, label, context) for label, group in groups.items() if not group.is_empty() for name in present
    ]
    issues = table.unique("issued_at")
    afterwards = issues.filter("is_reconstructed").height
    protocol = (
        f"{table.height:,} forecast intervals of {issues.height:,} issues, {afterwards:,} of them made afterwards from "
        "what was known at their issue time. All rows of a lead time are scored on the same intervals; a rival's "
        "forecast is the one published by the same instant; missing and doubted measurements are left out; skill is "
        "the gain in mean absolute error over the same time last week."
    )
    if auction is not None:
        protocol += (
            f" `{AUCTION}`: of each interval the last forecast before the auction of its price closed, at "
            f"{auction.closes:%H:%M} of the day before ({auction.time_zone})."
        )
    return Scores(tuple(rows), protocol)


def side_by_side(
    store: Store, context: Context, window: Window, *, now: datetime
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return one row per issue and interval with everybody's median beside the actual, and who is present.

    Columns: ``issued_at, time, lead, is_reconstructed, actual``, per name its median, and ``<name>_lower`` and
    ``<name>_upper`` where it gave them.
    """
    stored = pl.DataFrame(
        store.forecasts([context.channel.id], window, as_of=now, levels=list(COMPANION_LEVELS)).drop_nulls("value")
    )
    actual = measured(store, context, Window(window.start - WEEK, window.end), now)
    ours = _wide(stored.filter(maker=str(Maker.OWN)), OURS)
    rivals = {name: _wide(stored.filter(is_trusted(), model=name), name) for name in context.rivals}
    rivals = {name: rows for name, rows in rivals.items() if not rows.is_empty()}
    if not ours.is_empty():
        base = ours
    elif rivals:
        first = next(iter(rivals))
        # Alone, a rival is scored by when its forecasts could be read: nobody had them at the hour they were made.
        base = rivals[first].drop(_columns_of(rivals[first], first)).with_columns(issued_at="available_at")
        base = base.unique(_KEYS)
    else:
        return ours, ()
    table = base.drop("available_at").join(actual.rename({"value": "actual"}), on="time").sort("issued_at")
    if table.is_empty():
        return table, ()
    for name, rows in rivals.items():
        latest = rows.select("time", "available_at", *_columns_of(rows, name)).sort("available_at")
        table = table.join_asof(latest, left_on="issued_at", right_on="available_at", by="time", check_sortedness=False)
    for name in BASELINES:
        baseline = _wide(stored.filter(model=name), name)
        table = table.join(baseline.select(*_KEYS, *_columns_of(baseline, name)), on=_KEYS, how="left")
    last_week = actual.select(pl.col("time") + WEEK, pl.col("value").alias("last_week"))
    table = table.join(last_week, on="time", how="left").with_columns(pl.coalesce(_NAIVE, "last_week").alias(_NAIVE))
    names = [] if ours.is_empty() else [OURS]
    names += [
        name
        for name in (*rivals, *BASELINES)
        if (known := table[name].count()) and (known >= MOSTLY * table.height or ours.is_empty())
    ]
    lead = ((pl.col("time") + context.resolution - pl.col("issued_at")) / HOUR).ceil().cast(pl.Int32)
    return table.drop_nulls(names).with_columns(lead=lead).sort(_KEYS), tuple(names)


def _columns_of(rows: pl.DataFrame, name: str) -> list[str]:
    return [column for column in (name, f"{name}_lower", f"{name}_upper") if column in rows.columns]


def measured(store: Store, context: Context, window: Window, now: datetime) -> pl.DataFrame:
    """Return what was measured in a window and is not doubted: ``time, value``."""
    readings = pl.DataFrame(store.read([context.channel.id], window, now))
    return readings.filter(is_trusted()).drop_nulls("value").select("time", "value").sort("time")


def _wide(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return one row per issue and interval; of several models a live one first, then the latest recorded."""
    assumed = (pl.col("quality") & int(Quality.ASSUMED)) != 0
    chosen = (
        rows.with_columns(is_reconstructed=assumed)
        .sort("is_reconstructed", -pl.col("recorded_at").to_physical())
        .unique([*_KEYS, "level"], keep="first", maintain_order=True)
    )
    suffixes = {0.05: "_lower", 0.5: "", 0.95: "_upper"}
    return (
        chosen.group_by(_KEYS)
        .agg(
            pl.col("available_at").first(),
            pl.col("is_reconstructed").first(),
            *(
                pl.col("value").filter(pl.col("level") == level).first().alias(f"{name}{suffix}")
                for level, suffix in suffixes.items()
            ),
        )
        .filter(pl.col(name).is_not_null())
    )


def _row(group: pl.DataFrame, name: str, lead_hours: str, context: Context) -> dict[str, object]:
    bounds = (f"{name}_lower", f"{name}_upper")
    has_band = group[bounds[0]].count() if bounds[0] in group.columns else 0
    found = metrics.scores(
        group["actual"].to_numpy(),
        group[name].to_numpy(),
        *(group[bound].to_numpy() if has_band else None for bound in bounds),
        unit=context.channel.unit,
        reference=group[_NAIVE].to_numpy() if group[_NAIVE].count() else None,
    )
    row: dict[str, object] = {"model": name, "label": label_of(name), "lead_hours": lead_hours}
    known = {key: value if math.isfinite(value) else None for key, value in found.items()}  # MAPE of zeros is none
    return {**row, "coverage90_percent": None, "skill_percent": None, **known}
