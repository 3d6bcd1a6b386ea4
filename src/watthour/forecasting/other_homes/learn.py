"""How the model that comes with Watthour is learned, and how wide its band has to be for homes it has not seen."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.forecast import day_ahead_targets, targets
from watthour.core.frames import Targets
from watthour.core.window import DAY, Window, local_day, local_instant
from watthour.forecasting.conformal import misses_of
from watthour.forecasting.features import actuals
from watthour.forecasting.global_model.model import GlobalModel
from watthour.forecasting.global_model.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import dataframely as dy

    from watthour.core.forecast import Context, History
    from watthour.forecasting.global_model.model import Shared

RECIPE = GlobalModel(every_young=6)  # four times as many rows of young homes as where most homes are known for long
LENGTHS = (1, 2, 3, 5, 7, 14, 28)  # days known of a new home, at which the band is measured
_EVERY_DAYS = (3, 6)  # of which one is learned from, of each home: of hours, and of shorter steps
_SHARE = 0.9  # of the measurements within the band
_HOURS = 23  # at which days are issued too, in turn


def learn(
    groups: Sequence[Sequence[History]],
    days: Sequence[date],
    every: Sequence[int] = _EVERY_DAYS,
    recipe: GlobalModel = RECIPE,
) -> Shared:
    """Learn from homes in several steps at once.

    Args:
        groups: what is known of the homes, in one step each.
        days: local days to learn from.
        every: of how many days one is learned from, for each group.
        recipe: how it learns.

    Raises:
        NotEnoughHistory: too little is known of all of them together.
    """
    pasts = [past for group in groups for past in group]
    issues = [
        _issues(past.context, [day for n, day in enumerate(days) if n % each == number % each])
        for group, each in zip(groups, every, strict=True)
        for number, past in enumerate(group)
    ]
    return recipe.fit_many(pasts, issues)[0].shared


def widths(shared: Shared, pasts: Sequence[History], days: Sequence[date]) -> dict[str, float]:
    """Return what the band has to be multiplied with to hold in homes that were not learned from, by days known."""
    found = {}
    for n_days in LENGTHS:
        misses = []
        for past in pasts:
            asked = _at_midnight(past.context, days)
            rows = rows_of(past, asked, most_days=n_days)
            each = misses_of(actuals(past, asked) / rows.level, shared.quantiles(rows.features))
            misses.append(np.quantile(each[np.isfinite(each)], _SHARE))
        found[str(n_days)] = round(float(np.mean(misses)), 3)
    return found


def _issues(context: Context, days: Sequence[date]) -> dy.DataFrame[Targets]:
    """Return each day as of its midnight, and every second one also as of an hour of the day before, to its end."""
    zone, found = context.time_zone, [_at_midnight(context, days)]
    for n, day in enumerate(days[::2]):
        issued = local_instant(day - DAY, time(1 + n * 7 % _HOURS), zone)
        span = Window(issued, local_day(day, zone).end)
        found.append(targets(span, issued, resolution=context.resolution, time_zone=zone))
    return Targets.validate(pl.concat(found))


def _at_midnight(context: Context, days: Sequence[date]) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, context.time_zone, resolution=context.resolution, issue_clock=None, known_clock=None)
