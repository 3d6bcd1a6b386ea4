"""Spans without readings inside what a model learns from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.window import DAY, Window
from watthour.workflows.view.wire import day_span

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.workflows.compare import Verdict

SHORTEST = DAY
MOST_NAMED = 5


def holes(history: History) -> list[Window]:
    """Return the spans of a day or more in which no value of the channel is known, oldest first."""
    mine = pl.col("channel") == history.context.channel.id
    times = history.readings.filter(mine, pl.col("value").is_not_null())["time"].unique().sort()
    ends = times + history.context.resolution
    pairs = zip(ends[:-1], times[1:], strict=True)
    return [Window(end, start) for end, start in pairs if start - end >= SHORTEST]


def told_of_holes(verdict: Verdict, history: History) -> Verdict:
    """Return a verdict that says across which holes was trained, if there are any."""
    found = holes(history)
    if not found:
        return verdict
    named = ", ".join(map(day_span, found[-MOST_NAMED:]))
    more = f", and {len(found) - MOST_NAMED} earlier ones" if len(found) > MOST_NAMED else ""
    words = f"It was trained across holes in the readings: {named}{more}."
    return replace(verdict, reasons=(*verdict.reasons, words))
