"""The values of local days, and of what is known ahead of them, as they were known at requests.

A day here is 24 hours of the local clock, or of UTC where issues follow that, from the hour at which measurements
usually end, so that the last one is known whole at every issue: all instants are moved back by that clock time, and
days are those of the moved instants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from watthour.core.frames import Targets
from watthour.forecasting.calendar import clock_offsets
from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests
from watthour.forecasting.vintages import (
    DAY_US,
    datetimes,
    forecast_vintages_by_channel,
    instants,
    measurement_vintages,
    measurement_vintages_by_channel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, History
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants, Vintages

    Channels: TypeAlias = "Mapping[str, tuple[tuple[str, float], ...]]"  # variable -> channels and their weights

MOST_MISSING = 1 / 12  # of the intervals of a day that still counts as known
_HOURS = 24
_FIXED_CLOCK = "UTC"  # has no summer time


@dataclass(frozen=True, slots=True)
class Clock:
    """How days are cut: a clock, the step, and where on the clock a day begins.

    The clock is the place's; where forecasts are issued at an hour of UTC, which summer time moves on that clock, UTC.
    """

    grid: DayGrid
    begin: int  # [microseconds after local midnight]

    @classmethod
    def of(cls, context: Context, issues: dy.DataFrame[Targets]) -> Self:
        """Return the days that begin where measurements usually end at some issues; at local midnight without any."""
        grid = DayGrid.of(context)
        if issues.is_empty() or grid.step >= DAY_US:
            return cls(grid, 0)
        ends = np.minimum(instants(issues["known_until"]), instants(issues["issued_at"]))
        begin, share = _usual_clock(ends, grid)
        fixed = DayGrid(_FIXED_CLOCK, grid.step)
        fixed_begin, fixed_share = _usual_clock(ends, fixed)
        return cls(fixed, fixed_begin) if fixed_share > share else cls(grid, begin)

    @property
    def n_intervals(self) -> int:
        """Intervals of a day."""
        return self.grid.n_intervals

    @property
    def n_hours(self) -> int:
        """Columns of a day where hours will do: those of its intervals if these are longer or do not fill hours."""
        return _HOURS if self.n_intervals % _HOURS == 0 else self.n_intervals

    def requests(self, targets: dy.DataFrame[Targets]) -> tuple[DayRequests, Instants, Instants]:
        """Return the days that are asked for at each issue, and the request and the column of each target."""
        moved = {name: instants(targets[name]) - self.begin for name in ("issued_at", "time", "known_until")}
        table = Targets.cast(targets.with_columns(**{name: datetimes(values) for name, values in moved.items()}))
        requests, belongs = DayRequests.of(table, self.grid.time_zone)
        return requests, belongs, self.grid.columns_of(moved["time"])

    def hourly(self, values: Array) -> Array:
        """Return the means of the hours of days, (..., intervals): (..., hours)."""
        n = self.n_hours
        return np.asarray(values.reshape(*values.shape[:-1], n, values.shape[-1] // n).mean(axis=-1))


def _usual_clock(ends: Instants, grid: DayGrid) -> tuple[int, float]:
    """Return the time of day on a grid's clock at which most instants lie [us], and the share of them that do."""
    clock = (ends + clock_offsets(ends, grid.time_zone)) % DAY_US // grid.step * grid.step
    found, counts = np.unique(clock, return_counts=True)
    return int(found[counts.argmax()]), float(counts.max() / len(ends))


def known_values(history: History, clock: Clock, requests: DayRequests, days: Instants) -> Array:
    """Return the values of days as known at each request, (m, d, intervals); NaN where unknown.

    A column that the clock skips has the mean of its neighbours.

    Args:
        history: what was known.
        clock: how days are cut.
        requests: m of them.
        days: the same for all requests, (d,), or those of each, (m, d).
    """
    grid = clock.grid
    times, columns = grid.slots(days if days.ndim > 1 else days[None])
    vintages = measurement_vintages(history, history.context.channel.id)
    values = vintages.known(times + clock.begin, (requests.issued + clock.begin)[:, None, None])
    is_over = times + (grid.step if grid.step < DAY_US else 0) <= requests.known_until[:, None, None]
    found = grid.by_clock(np.where(is_over, values, np.nan), columns)
    return without_skipped(found, grid.skipped(days))


def known_covariates(
    history: History, clock: Clock, channels: Channels, requests: DayRequests, days: Instants
) -> Array:
    """Return what was known ahead of days at each request, (m, d, variables, hours); NaN where nothing was.

    What was said in advance counts before what was measured, as of the asked day only the former can be known. Of
    several points it is the mean by their weights.

    Args:
        history: what was known.
        clock: how days are cut.
        channels: variable by variable.
        requests: m of them.
        days: of each request, (m, d).
    """
    grid = clock.grid
    times, columns = grid.slots(days)
    real, at = times + clock.begin, (requests.issued + clock.begin)[:, None, None]
    ends = (requests.known_until + clock.begin)[:, None, None]
    names = [channel for each in channels.values() for channel, _ in each]
    said = forecast_vintages_by_channel(history, names)
    measured = measurement_vintages_by_channel(history, names)
    found = np.full((*days.shape, len(channels), clock.n_hours), np.nan)
    for k, points in enumerate(channels.values()):
        total, weights = np.zeros(times.shape), np.zeros(times.shape)
        for channel, weight in points:
            values = np.full(times.shape, np.nan)
            if channel in said:
                values = _at_step(said[channel], grid.step, real, at)
            if channel in measured:
                seen = _at_step(measured[channel], grid.step, real, at)
                values = np.where(np.isnan(values) & (real + grid.step <= ends), seen, values)
            known = np.isfinite(values)
            total += np.where(known, weight * values, 0)
            weights += weight * known
        means = np.where(weights > 0, total / np.where(weights > 0, weights, 1), np.nan)
        found[:, :, k] = clock.hourly(without_skipped(grid.by_clock(means, columns), grid.skipped(days)))
    return found


def _at_step(values: Vintages, step: int, times: Instants, at: Instants) -> Array:
    """Return values as known at instants; those of a coarser channel on straight lines between its own."""
    return values.between(times, at) if values.step > step else values.known(times, at)


def without_skipped(values: Array, skipped: Mask) -> Array:
    """Return values whose skipped columns, which do not exist, lie between their neighbours; gaps stay gaps."""
    skipped = np.broadcast_to(skipped, values.shape)
    if not skipped.any():
        return values
    before, after = np.roll(values, 1, axis=-1), np.roll(values, -1, axis=-1)
    for _ in range(int(skipped.sum(axis=-1).max())):
        both = np.where(np.isnan(before), after, np.where(np.isnan(after), before, (before + after) / 2))
        values = np.where(skipped & np.isnan(values), both, values)
        before, after = np.roll(values, 1, axis=-1), np.roll(values, -1, axis=-1)
    return values


def is_whole(values: Array) -> Mask:
    """Return which days, (..., intervals), are known but for a few intervals, one dimension less."""
    return np.asarray(np.isnan(values).mean(axis=-1) <= MOST_MISSING, dtype=np.bool_)


def filled(values: Array, axis: int = -2) -> Array:
    """Fill what is unknown of days along an axis from the day before at the same clock, at first from the next known.

    Args:
        values: with days along ``axis``; NaN is left where no day is known.
        axis: that of the days.
    """
    rows = np.moveaxis(values, axis, 0)
    number = np.arange(len(rows)).reshape(-1, *[1] * (rows.ndim - 1))
    known = np.isfinite(rows)
    last = np.maximum.accumulate(np.where(known, number, -1), axis=0)
    first = np.minimum.accumulate(np.where(known, number, len(rows) - 1)[::-1], axis=0)[::-1]
    source = np.where(last >= 0, last, first)
    return np.moveaxis(np.take_along_axis(rows, source, axis=0), 0, axis)


def between_columns(values: Array) -> Array:
    """Fill gaps within days on straight lines between what is known of the same day, (..., intervals)."""
    found = values.copy()
    columns = np.arange(values.shape[-1])
    for row in zip(*np.nonzero(np.isnan(values).any(axis=-1) & np.isfinite(values).any(axis=-1)), strict=True):
        known = np.isfinite(values[row])
        found[row] = np.interp(columns, columns[known], values[row][known])
    return found
