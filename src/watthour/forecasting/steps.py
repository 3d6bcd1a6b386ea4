"""Which steps a forecaster is asked for, and refusing by name those it cannot answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.core.forecast import check_fits_clock, check_resolution
from watthour.core.window import DAY, Window
from watthour.forecasting.calendar import day_starts, local_days
from watthour.forecasting.vintages import DAY_US, instants

if TYPE_CHECKING:
    from collections.abc import Collection

    import dataframely as dy

    from watthour.core.forecast import Context
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Instants

_FEWEST = 3  # equal distances say which step was meant only where there are two of them


def step_of(context: Context) -> int:
    """Return the step of the context's channel [microseconds].

    Raises:
        InvalidInput: it does not divide a day.
    """
    check_resolution(context.resolution)
    return context.resolution // timedelta(microseconds=1)


def check_targets(targets: dy.DataFrame[Targets], context: Context) -> None:
    """Refuse targets that are not intervals of the context's channel.

    They must stand on one grid of its step (of days: at local midnights), and those of an issue must not all be equally
    far apart in a coarser one: they were made for another channel. A single target of an issue has no distance to tell.

    Raises:
        InvalidInput: they are not.
    """
    step = step_of(context)
    times = instants(targets["time"])
    if not len(times):
        return
    if step == DAY_US:
        fits = times == day_starts(local_days(times, context.time_zone), context.time_zone)
    else:
        fits = times % step == times[0] % step
    if not fits.all():
        first, last = targets["time"].min(), targets["time"].max()
        check_fits_clock(context.resolution, context.time_zone, Window(first, last + DAY))  # type: ignore[arg-type,operator]  # instants
        raise _misfit(context, f"{int((~fits).sum())} of {len(times)} targets begin inside its intervals")
    apart = _common_distance(instants(targets["issued_at"]), times)
    if apart > step and step < DAY_US:
        raise _misfit(context, f"the targets are {timedelta(microseconds=apart)} apart")


def require_resolution(context: Context, allowed: Collection[timedelta], model: str) -> None:
    """Refuse a channel whose step a model cannot answer.

    Raises:
        InvalidInput: the step is not among those allowed.
    """
    if context.resolution not in allowed:
        steps = ", ".join(str(step) for step in sorted(allowed))
        problem = f"{model} cannot forecast {context.channel.id} in this step"
        remedy = f"Use a channel of {steps}, or a model of any step such as seasonal_naive."
        raise InvalidInput("resolution", str(context.resolution), problem, remedy=remedy)


def _common_distance(issued: Instants, times: Instants) -> int:
    """Return by how much the targets of every issue lie apart, 0 where that differs or they are few [microseconds]."""
    order = np.lexsort((times, issued))
    issued, times = issued[order], times[order]
    apart = np.diff(times)[issued[1:] == issued[:-1]]
    return int(apart[0]) if len(apart) >= _FEWEST - 1 and (apart == apart[0]).all() else 0


def _misfit(context: Context, what: str) -> InvalidInput:
    return InvalidInput(
        "resolution",
        str(context.resolution),
        f"{context.channel.id} has this step, and {what}",
        remedy="Make the targets with the resolution of the channel.",
    )
