"""Join what was forecast with what came true, and score everybody on the same hours by lead time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import Quality
from watthour.core.window import HOUR, Window
from watthour.workflows.forecast import BASELINES, COMPANION_LEVELS, LABELS

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import Store

WEEK = timedelta(days=7)
LEADS = {"all": (1, 10_000), "1-6": (1, 6), "7-12": (7, 12), "13-24": (13, 24), "25-48": (25, 48)}  # [hours], inclusive
MOSTLY = 0.8  # a rival that is missing from more of the hours than this leaves the table, instead of thinning it
_KEYS = ["issued_at", "time"]


@dataclass(frozen=True, slots=True)
class Scores:
    """A table of scores and the protocol behind it."""

    rows: tuple[dict[str, object], ...]
    protocol: str


def score(store: Store, context: Context, window: Window, *, now: datetime) -> Scores:
    """Score the forecasts of a window's hours against what came true, ours beside the baselines.

    Every row of one lead time is computed on the same hours of the same issues: a rival stands with what it had said
    by the instant of our issue. Hours whose demand is missing or doubted are left out.
    """
    table, present = side_by_side(store, context, window, now=now)
    if table.is_empty():
        return Scores((), "No forecast of this period has met its actual yet.")
    rows = [
        _row(group, name, label)
        for label, (least, most) in LEADS.items()
        if not (group := table.filter(pl.col("lead").is_between(least, most))).is_empty()
        for name in present
    ]
    issues = table.unique("issued_at")
    afterwards = issues.filter("is_reconstructed").height
    protocol = (
        f"{table.height:,} forecast hours of {issues.height:,} issues, {afterwards:,} of them made afterwards from "
        "what was known at their issue time. All rows of a lead time are scored on the same hours; the operator's "
        "forecast is the one published by the same instant; missing and doubted demand is left out; skill is the gain "
        "in mean absolute error over the same hour last week."
    )
    return Scores(tuple(rows), protocol)


def side_by_side(
    store: Store, context: Context, window: Window, *, now: datetime
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return one row per issue and hour with everybody's median beside the actual, and who is present.

    Columns: ``issued_at, time, lead, is_reconstructed, actual``, per name its median, and ``<name>_lower`` and
    ``<name>_upper`` where it gave them.
    """
    said = pl.DataFrame(
        store.forecasts([context.channel], window, as_of=now, levels=list(COMPANION_LEVELS)).drop_nulls("value")
    )
    actual = _actuals(store, context, Window(window.start - WEEK, window.end), now)
    ours = _wide(said.filter(~pl.col("model").is_in(list(LABELS))), "ours")
    operator = _wide(said.filter(_undoubted(), pl.col("model") == (context.operator or "")), "operator")
    base, names = (ours, ["ours"]) if not ours.is_empty() else (operator.with_columns(operator=None), [])
    base = base.join(actual.rename({"value": "actual"}), on="time")
    if base.is_empty():
        return base, ()
    table = base.sort("issued_at")
    rivals = operator.select("time", "available_at", "operator").sort("available_at")
    table = table.drop("operator", strict=False).join_asof(
        rivals, left_on="issued_at", right_on="available_at", by="time", check_sortedness=False
    )
    for name in BASELINES:
        rival = _wide(said.filter(pl.col("model") == name), name)
        columns = [column for column in rival.columns if column.startswith(name)]
        table = table.join(rival.select(*_KEYS, *columns), on=_KEYS, how="left")
    last_week = actual.select(pl.col("time") + WEEK, pl.col("value").alias("last_week"))
    table = table.join(last_week, on="time", how="left").with_columns(
        seasonal_naive=pl.coalesce("seasonal_naive", "last_week")
    )
    rivals_present = [
        name for name in ("operator", *BASELINES) if table[name].count() >= MOSTLY * table.height or not names
    ]
    names = [*names, *(name for name in rivals_present if table[name].count())]
    lead = ((pl.col("time") + HOUR - pl.col("issued_at")) / HOUR).ceil().cast(pl.Int32)
    return table.drop_nulls(names).with_columns(lead=lead).sort(_KEYS), tuple(names)


def _undoubted() -> pl.Expr:
    return (pl.col("quality") & int(Quality.DOUBTED)) == 0


def _actuals(store: Store, context: Context, window: Window, now: datetime) -> pl.DataFrame:
    readings = pl.DataFrame(store.read([context.channel], window, now))
    return readings.filter(_undoubted()).drop_nulls("value").select("time", "value").sort("time")


def _wide(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return one row per issue and hour; where several models spoke, a live one first, then the latest recorded."""
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


def _row(group: pl.DataFrame, name: str, lead_hours: str) -> dict[str, object]:
    from watthour.core import metrics  # noqa: PLC0415 - needed only when there is something to score

    actual, predicted = group["actual"].to_numpy(), group[name].to_numpy()
    mae = metrics.mae(actual, predicted)
    naive = metrics.mae(actual, group["seasonal_naive"].to_numpy()) if group["seasonal_naive"].count() else None
    return {
        "model": name,
        "label": LABELS[name],
        "lead_hours": lead_hours,
        "n": group.height,
        "mae_mwh": mae,
        "mape_percent": metrics.mape(actual, predicted),
        "bias_mwh": metrics.bias(actual, predicted),
        "rmse_mwh": metrics.rmse(actual, predicted),
        "coverage90_percent": _coverage(group, name),
        "skill_percent": 100 * (1 - mae / naive) if naive else None,
    }


def _coverage(group: pl.DataFrame, name: str) -> float | None:
    bounds = (f"{name}_lower", f"{name}_upper")
    if not set(bounds) <= set(group.columns):
        return None
    given = group.drop_nulls(bounds)
    if given.is_empty():
        return None
    inside = given.select(pl.col("actual").is_between(pl.col(bounds[0]), pl.col(bounds[1])).mean()).item()
    return 100 * float(inside)
