"""Bands that follow how the same forecaster did on the last weeks, asked at the same clock.

Where more than one measurement in ten lay outside of the 90 % band, the quantiles move out, where fewer, in.

Source: as ``watthour.forecasting.conformal``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import LEVELS, Targets
from watthour.core.window import DAY
from watthour.forecasting.calendar import day_starts
from watthour.forecasting.conformal import band_scale, misses_of, widened
from watthour.forecasting.day_regression.day_table import Clock
from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests, IssueSchedule
from watthour.forecasting.vintages import datetimes, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Callable

    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_LIMITS = (0.5, 4.0)  # times the band as it was


@dataclass(frozen=True, slots=True)
class Memory:
    """Which of the last days say how wide a band is to be."""

    days: int = 42  # looked back on
    halflife: float = 10.0  # days after which a miss counts half
    prior_days: float = 5.0  # that a band which covers what it says counts for


USUAL = Memory()


def adapted(
    history: History,
    targets: dy.DataFrame[Targets],
    quantiles: Array,
    answer: Callable[[dy.DataFrame[Targets]], Array],
    *,
    learned_until: int | None = None,
    clock: Clock | None = None,
    memory: Memory = USUAL,
) -> Array:
    """Return quantiles, (targets, ``LEVELS``), moved around their middle by what they missed on the days before.

    Args:
        history: what is known.
        targets: what is asked.
        quantiles: of the targets [unit of the channel]; returned as they are where intervals are longer than a day.
        answer: gives the quantiles of other targets, NaN where it has none.
        learned_until: days before this instant say nothing, as the forecaster has learned from them [microseconds].
        clock: how days are cut; at local midnight if nobody says.
        memory: which of the days before count.
    """
    if history.context.resolution > DAY:
        return quantiles  # of the last weeks there are too few
    clock = clock or Clock(DayGrid.of(history.context), 0)
    requests, belongs, _ = clock.requests(targets)
    factor = np.ones(len(requests.day))
    for schedule, rows in IssueSchedule.groups(requests, clock.grid.time_zone):
        factor[rows] = _factors(history, requests.take(rows), schedule, clock, answer, learned_until, memory)
    return widened(quantiles, factor[belongs, None])


def _factors(
    history: History,
    requests: DayRequests,
    schedule: IssueSchedule,
    clock: Clock,
    answer: Callable[[dy.DataFrame[Targets]], Array],
    learned_until: int | None,
    memory: Memory,
) -> Array:
    """Return what the band of each request is to be multiplied with, (m,)."""
    lag, grid = max(schedule.lag, 1), clock.grid
    days = np.arange(int(requests.day.min()) - lag - memory.days + 1, int(requests.day.max()) - lag + 1)
    if learned_until is not None:
        days = days[day_starts(days, grid.time_zone) + clock.begin >= learned_until]
    if not len(days):
        return np.ones(len(requests.day))
    before = schedule.requests(days, grid.time_zone)
    times, columns = grid.slots(days)
    asked = (columns >= 0) & (times >= before.known_until[:, None]) & (times >= before.issued[:, None])
    if not asked.any():  # late in the last interval of a day, nothing of the days before was left to forecast either
        return np.ones(len(requests.day))
    bands = np.full((*times.shape, len(LEVELS)), np.nan)
    bands[asked] = answer(_targets(before, times, asked, clock.begin))
    vintages = measurement_vintages(history, history.context.channel.id)
    found = np.ones(len(requests.day))
    for row, day in enumerate(requests.day.tolist()):
        age = day - lag - days
        near = (age >= 0) & (age < memory.days)
        actual = vintages.known(times[near] + clock.begin, requests.issued[row] + clock.begin)
        actual = np.where(times[near] + grid.step <= requests.known_until[row], actual, np.nan)
        found[row] = _factor(misses_of(actual, bands[near]), age[near], memory)
    return found


def _factor(misses: Array, age: Instants, memory: Memory) -> float:
    """Return what the band is to be multiplied with after the misses of days, (days, slots)."""
    there = np.isfinite(misses)
    of_day = 0.5 ** (age / memory.halflife) * there.any(axis=1)
    if not of_day.any():
        return 1.0
    per_day = of_day / np.maximum(there.sum(axis=1), 1)
    weights = np.broadcast_to(per_day[:, None], misses.shape)[there]
    total, squares = of_day.sum(), (of_day**2).sum()
    return band_scale(misses[there], weights, total=total, squares=squares, prior=memory.prior_days, limits=_LIMITS)


def _targets(requests: DayRequests, times: Instants, asked: Mask, begin: int) -> dy.DataFrame[Targets]:
    """Return the asked slots of requests as targets, in order; their instants are moved back by ``begin``."""
    issued, known_until = (
        np.broadcast_to(each[:, None], times.shape)[asked] for each in (requests.issued, requests.known_until)
    )
    columns = {"issued_at": issued, "time": times[asked], "known_until": known_until}
    return Targets.cast(pl.DataFrame({name: datetimes(values + begin) for name, values in columns.items()}))
