"""Intervals of any step as whole numbers, which steps a forecaster is asked for, and refusing those it cannot answer.

A step is a part of a day, a number of whole local days, or a calendar month. Those of less than a day stand on a grid
of UTC, the others begin at local midnights, so that some days have 23 or 25 hours and months 28 to 31 days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.forecast import check_fits_clock, check_resolution
from watthour.core.window import DAY, MONTH, Window, step_in_words
from watthour.forecasting.calendar import day_starts, local_days
from watthour.forecasting.vintages import DAY_US, instants

if TYPE_CHECKING:
    from collections.abc import Collection

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Context
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Instants

MONTH_US = MONTH // timedelta(microseconds=1)
_FEWEST = 3  # equal distances say which step was meant only where there are two of them


def step_of(context: Context) -> int:
    """Return the step of the context's channel [microseconds].

    Raises:
        InvalidInput: it is no step.
    """
    check_resolution(context.resolution)
    return context.resolution // timedelta(microseconds=1)


def check_trained_on(context: Context, channel: str, step: int) -> None:
    """Refuse another channel or step than a model was trained on.

    Args:
        context: of what is asked.
        channel: the model's.
        step: the model's [microseconds].

    Raises:
        InvalidInput: it is another one.
    """
    asked = context.channel.id
    if asked != channel:
        problem = f"this model was trained on {channel}"
        raise InvalidInput("channel", asked, problem, remedy="Train one for this channel: `watthour train`.")
    if step_of(context) != step:
        problem = f"this model was trained on steps of {step_in_words(timedelta(microseconds=step))}"
        remedy = "Train one for this resolution: `watthour train`."
        raise InvalidInput("resolution", step_in_words(context.resolution), problem, remedy=remedy)


def phase_of(starts: Instants, step: int, time_zone: str) -> int:
    """Return where the grid of a step's intervals stands, from the starts of some of them: (n,), at least one.

    It is in microseconds for steps of less than a day, in days for whole days, and 0 for calendar months.
    """
    if step == MONTH_US:
        return 0
    if step >= DAY_US:
        return int(local_days(starts[:1], time_zone)[0] % (step // DAY_US))
    return int(starts[0] % step)


def interval_numbers(times: Instants, step: int, phase: int, time_zone: str) -> Instants:
    """Return the number of the interval that each instant lies in, of any shape; consecutive ones differ by 1.

    Days are counted as local days since 1970, months as calendar months since 1970.

    Args:
        times: instants [microseconds].
        step: of the intervals [microseconds]; ``MONTH_US`` stands for calendar months.
        phase: of ``phase_of``.
        time_zone: of the place.
    """
    if step < DAY_US:
        return (times - phase) // step
    days = local_days(times, time_zone)
    if step == MONTH_US:
        return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray((days - phase) // (step // DAY_US))


def numbered_starts(numbers: Instants, step: int, phase: int, time_zone: str) -> Instants:
    """Return the instant at which each interval of a number begins, of any shape; arguments as ``interval_numbers``."""
    if step < DAY_US:
        return numbers * step + phase
    if step == MONTH_US:
        days = numbers.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        return day_starts(days, time_zone)
    return day_starts(numbers * (step // DAY_US) + phase, time_zone)


def later_starts(starts: Instants, count: int | Instants, step: int, time_zone: str) -> Instants:
    """Return the starts of the intervals so many after others; a negative count is before them; both broadcast.

    Args:
        starts: of intervals [microseconds].
        count: how many intervals later.
        step: of the intervals [microseconds].
        time_zone: of the place.
    """
    if step < DAY_US:
        return starts + count * step
    if step == MONTH_US:
        return numbered_starts(interval_numbers(starts, step, 0, time_zone) + count, step, 0, time_zone)
    return day_starts(local_days(starts, time_zone) + count * (step // DAY_US), time_zone)


def check_targets(targets: dy.DataFrame[Targets], context: Context) -> None:
    """Refuse targets that are not intervals of the context's channel.

    They must stand on one grid of its step (of days and months: at local midnights), and those of an issue must not all
    be equally far apart in a coarser one: they were made for another channel. A single target of an issue has no
    distance to tell.

    Raises:
        InvalidInput: they are not.
    """
    step = step_of(context)
    times = instants(targets["time"])
    if not len(times):
        return
    grid = step, phase_of(times, step, context.time_zone), context.time_zone
    fits = times == numbered_starts(interval_numbers(times, *grid), *grid)
    if not fits.all():
        first, last = targets["time"].min(), targets["time"].max()
        check_fits_clock(context.resolution, context.time_zone, Window(first, last + DAY))  # type: ignore[arg-type,operator]  # instants
        raise _misfit(context, f"{int((~fits).sum())} of {len(times)} targets begin inside its intervals")
    apart = _common_distance(instants(targets["issued_at"]), times)
    if apart > step and step < DAY_US:
        raise _misfit(context, f"the targets are {step_in_words(timedelta(microseconds=apart))} apart")


def require_resolution(context: Context, allowed: Collection[timedelta], model: str) -> None:
    """Refuse a channel whose step a model cannot answer.

    Raises:
        InvalidInput: the step is not among those allowed.
    """
    if context.resolution not in allowed:
        steps = ", ".join(map(step_in_words, sorted(allowed)))
        problem = f"{model} cannot forecast {context.channel.id} in this step"
        remedy = f"Use a channel of {steps}, or a model of any step such as seasonal_naive."
        raise InvalidInput("resolution", step_in_words(context.resolution), problem, remedy=remedy)


def require_part_of_a_day(context: Context, model: str) -> int:
    """Return the step of a channel for a model that knows the hours of a day [microseconds].

    Raises:
        InvalidInput: the step is a day or longer.
    """
    step = step_of(context)
    if step >= DAY_US:
        problem = f"{model} cannot forecast {context.channel.id} in this step"
        remedy = "Use one of less than a day, or a model of any step: trend_season or seasonal_naive."
        raise InvalidInput("resolution", step_in_words(context.resolution), problem, remedy=remedy)
    return step


def of_whole_issues(targets: dy.DataFrame[Targets], rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which targets belong to the issues of some of them; a part of an issue may look like a coarser step."""
    issued = targets["issued_at"]
    return issued.is_in(issued.filter(pl.Series(rows)).unique().implode()).to_numpy()


def _common_distance(issued: Instants, times: Instants) -> int:
    """Return by how much the targets of every issue lie apart, 0 where that differs or they are few [microseconds]."""
    order = np.lexsort((times, issued))
    issued, times = issued[order], times[order]
    apart = np.diff(times)[issued[1:] == issued[:-1]]
    return int(apart[0]) if len(apart) >= _FEWEST - 1 and (apart == apart[0]).all() else 0


def _misfit(context: Context, what: str) -> InvalidInput:
    return InvalidInput(
        "resolution",
        step_in_words(context.resolution),
        f"{context.channel.id} has this step, and {what}",
        remedy="Make the targets with the resolution of the channel.",
    )
