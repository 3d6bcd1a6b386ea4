"""Intervals from past errors: their quantiles by hour of day and season, never crossing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

import numpy as np
import polars as pl

from watthour.forecasting.calendar import clock_offsets
from watthour.forecasting.quantiles import normal_scores
from watthour.forecasting.vintages import DAY_US, HOUR_US, MEDIAN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.forecasting.vintages import Array, Instants

HOURS, MONTHS = 24, 12
_HOUR_WEIGHTS = np.array([1.0, 0.6, 0.2])  # by distance on the clock
_MONTH_WEIGHTS = np.array([1.0, 0.6, 0.2, 0.05, 0.05, 0.05, 0.05])  # by distance on the calendar
FEWEST_ERRORS = 24  # with fewer, all hours and months share one set of quantiles
_DIGITS = 8  # kept of an error in parts of its scale


def _nearness(count: int, weights: Array) -> Array:
    """Return the weight of an error of one cell in another, on a circle: (count, count)."""
    apart = np.abs(np.arange(count)[:, None] - np.arange(count))
    apart = np.minimum(apart, count - apart)
    return np.where(apart < len(weights), weights[np.minimum(apart, len(weights) - 1)], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Quantiles of errors for each hour of the day and month of the year.

    Each cell learns from all errors, those at neighbouring hours and in neighbouring months counting most, with the
    finite-sample step of conformal prediction: a level is moved outwards by (n + 1) / n, n being the effective number
    of errors.

    Source: Lei et al., Journal of the American Statistical Association 113 (2018), doi:10.1080/01621459.2017.1307116;
    weights as in Barber et al., Annals of Statistics 51 (2023), doi:10.1214/23-AOS2276.
    """

    levels: tuple[float, ...]
    table: Array  # (24, 12, levels)
    n_errors: int  # that it was learned from

    @classmethod
    def learn(cls, errors: Array, times: Instants, time_zone: str, levels: Sequence[float]) -> Self:
        """Learn from errors made out of sample; unknown ones (NaN) are left out.

        Args:
            errors: actual minus forecast, over whatever scale they will be multiplied with; (n,) or (n, 1) for all
                levels, or (n, levels).
            times: the intervals they belong to, (n,).
            time_zone: of the place.
            levels: the quantiles wanted.
        """
        columns = errors.reshape(len(errors), -1)
        good = np.isfinite(columns).all(axis=1)
        columns, where = columns[good], cells(times[good], time_zone)
        if columns.shape[1] == 1:
            return cls(tuple(levels), _cell_quantiles(columns[:, 0], *where, levels).round(_DIGITS), len(columns))
        tables = [_cell_quantiles(columns[:, k], *where, [level]) for k, level in enumerate(levels)]
        return cls(tuple(levels), np.concatenate(tables, axis=2).round(_DIGITS), len(columns))

    def at(self, times: Instants, time_zone: str) -> Array:
        """Return the error quantiles of intervals: (intervals, levels)."""
        hour, month = cells(times, time_zone)
        return self.table[hour, month]

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {"levels": list(self.levels), "table": self.table.tolist(), "n_errors": self.n_errors}

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> Self:
        """Build it again from plain data."""
        levels, table = (np.asarray(kept[name], dtype=np.float64) for name in ("levels", "table"))
        n_errors = cast("int", kept.get("n_errors", FEWEST_ERRORS))  # older files do not tell
        return cls(tuple(levels.tolist()), table, n_errors)


def cells(times: Instants, time_zone: str) -> tuple[Instants, Instants]:
    """Return the local hour of day and the month (from 0) of each interval, each (n,)."""
    local = times + clock_offsets(times, time_zone)
    month = pl.Series((local // DAY_US).astype(np.int32)).cast(pl.Date).dt.month().to_numpy()
    return local % DAY_US // HOUR_US, month.astype(np.int64) - 1


def sorted_quantiles(quantiles: Array) -> Array:
    """Return quantiles, (n, levels), in ascending order; sorting never makes them worse.

    Source: Chernozhukov, Fernandez-Val and Galichon, Econometrica 78 (2010), doi:10.3982/ECTA7880.
    """
    return np.sort(quantiles, axis=1)


def wider(one: Array, other: Array, levels: Sequence[float]) -> Array:
    """Return the outer of two sets of quantiles: the lower one below the middle, the higher one above it.

    Both are (n, levels), and so is the answer; of the middle it has that of ``other``.
    """
    level = np.asarray(levels)
    outer = np.where(level < MEDIAN, np.minimum(one, other), np.maximum(one, other))
    return np.where(level == MEDIAN, other, outer)


def between_levels(quantiles: Array, known: Sequence[float], wanted: Sequence[float]) -> Array:
    """Return quantiles at other levels: straight lines in the standard normal's scores, level beyond the ends.

    Args:
        quantiles: (n, known).
        known: the levels of their columns, ascending.
        wanted: the levels to return.

    Returns:
        (n, wanted)
    """
    at = normal_scores(known)
    out = np.empty((len(quantiles), len(wanted)))
    for k, score in enumerate(normal_scores(wanted)):
        z = float(np.clip(score, at[0], at[-1]))
        right = int(np.clip(np.searchsorted(at, z), 1, len(at) - 1))
        share = (z - at[right - 1]) / (at[right] - at[right - 1])
        out[:, k] = (1 - share) * quantiles[:, right - 1] + share * quantiles[:, right]
    return out


def _cell_quantiles(errors: Array, hour: Instants, month: Instants, levels: Sequence[float]) -> Array:
    """Return the weighted quantiles of the errors for every cell: hours by months by levels."""
    if len(errors) < FEWEST_ERRORS:
        row = np.quantile(errors, levels) if len(errors) else np.full(len(levels), np.nan)
        return np.broadcast_to(row, (HOURS, MONTHS, len(levels)))
    order = np.argsort(errors)
    errors, hour, month = errors[order], hour[order], month[order]
    by_hour, by_month = _nearness(HOURS, _HOUR_WEIGHTS), _nearness(MONTHS, _MONTH_WEIGHTS)
    table = np.empty((HOURS, MONTHS, len(levels)))
    for h in range(HOURS):
        near = np.flatnonzero(by_hour[h, hour] > 0)
        if not near.size:  # a series that has no such hours
            near = np.arange(len(errors))
        at_hour = np.maximum(by_hour[h, hour[near]], _HOUR_WEIGHTS[-1])
        table[h] = _weighted_quantiles(errors[near], at_hour * np.take(by_month, month[near], axis=1), levels)
    return table


def _weighted_quantiles(errors: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Return quantiles of ascending errors, each level moved outwards as conformal prediction asks.

    Args:
        errors: (n,)
        weights: (cells, n)
        levels: the quantiles wanted.

    Returns:
        (cells, levels)
    """
    total = weights.sum(axis=1)
    effective = total**2 / (weights**2).sum(axis=1)
    outward = 0.5 + (np.asarray(levels) - 0.5) * ((effective + 1) / effective)[:, None]
    middle = np.cumsum(weights, axis=1) - weights / 2
    return np.array([np.interp(at, of, errors) for at, of in zip(outward * total[:, None], middle, strict=True)])
