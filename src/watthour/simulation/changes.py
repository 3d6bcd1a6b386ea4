"""Sudden lasting changes planted into a history, to see how a forecaster follows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import Quality, Readings
from watthour.core.window import DAY

if TYPE_CHECKING:
    from datetime import date

    from watthour.core.forecast import History

_COMPARED = timedelta(days=56)  # before a change, that say how Sundays differ
_SUNDAY = 7


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a load from one local day on.

    Args:
        share: of the load that is added, such as -0.08.
        over_days: until it is there whole; 1 is a step.
        is_sunday: every day is like the Sundays before.
        lasts_days: until it begins to go back; None is for good.
        back_days: in which it goes back.
    """

    share: float
    over_days: int = 1
    is_sunday: bool = False
    lasts_days: int | None = None
    back_days: int = 56


CHANGES = {
    "step": Change(-0.08),
    "step_up": Change(0.05),
    "ramp": Change(-0.08, over_days=14),
    "shutdown": Change(-0.08, is_sunday=True, lasts_days=42),
}


def planted(history: History, change: Change, start: date) -> History:
    """Return a history whose channel changes at the start of a local day; each changed reading is marked simulated.

    Nothing else changes: neither the weather nor what anybody forecast.
    """
    context = history.context
    local = pl.col("time").dt.convert_time_zone(context.time_zone)
    age = (local.dt.date() - pl.lit(start)).dt.total_days()
    whole = ((age + 1) / change.over_days).clip(0, 1)
    if change.lasts_days is not None:
        whole *= (1 - (age - change.lasts_days + 1) / change.back_days).clip(0, 1)
    mine = history.readings.filter(pl.col("channel") == context.channel.id).select(
        pl.all(),
        weekday=local.dt.weekday(),
        clock=local.dt.time(),
        age=age,
        whole=whole,
    )
    factor = 1 + change.share * pl.col("whole")
    if change.is_sunday:
        before = mine.filter(pl.col("age").is_between(-(_COMPARED // DAY), -1))
        usual = before.group_by("weekday", "clock").agg(usual=pl.col("value").mean())
        sunday = usual.filter(pl.col("weekday") == _SUNDAY).select("clock", sunday="usual")
        mine = mine.join(usual, on=["weekday", "clock"], how="left").join(sunday, on="clock", how="left")
        factor *= 1 + pl.col("whole") * (pl.col("sunday") / pl.col("usual") - 1).fill_null(0)
    is_changed = pl.col("whole") > 0
    mine = mine.with_columns(
        value=pl.when(is_changed).then(pl.col("value") * factor).otherwise("value"),
        quality=pl.when(is_changed).then(pl.col("quality") | int(Quality.SIMULATED)).otherwise("quality"),
    )
    others = history.readings.filter(pl.col("channel") != context.channel.id)
    columns = Readings.column_names()
    return replace(
        history, readings=Readings.validate(pl.concat([mine.select(columns), others.select(columns)]), cast=True)
    )
