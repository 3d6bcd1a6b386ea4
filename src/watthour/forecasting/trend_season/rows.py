"""The intervals of a series as rows of the process: days by clock slot, weeks or months; older days as weekly means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import DAYS_IN_YEAR, holidays_around
from watthour.forecasting.optional_calendars import in_period, period_names
from watthour.forecasting.panel import mean_known
from watthour.forecasting.trend_season.kernel import Rows

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array, Instants

YEAR_ROWS = 364  # the rows that are kept whole begin anew after so many, whole weeks
DENSE = 400  # rows before that which are kept whole too
THIN, MOST_THIN = 7, 416  # older days are averaged by seven, so many times at most
_SUNDAY = 6
_HARMONICS = 2


@dataclass(frozen=True, slots=True)
class Grid:
    """How rows are numbered: local days since 1970, each of ``days`` of them with a phase, or calendar months."""

    days: int  # of a row; 0 stands for a calendar month
    phase: int
    holidays: str | None = None  # code of a calendar; its days count as Sundays, but for its periods

    @property
    def base(self) -> float:
        """The width of a row [days]."""
        return float(self.days) or DAYS_IN_YEAR / 12

    def middle(self, numbers: Instants) -> Array:
        """Return the middle of rows, in days since 1970."""
        if self.days:
            return np.asarray(numbers * self.days + self.phase + self.days / 2)
        return np.asarray(_month_starts(np.stack([numbers, numbers + 1])).astype(np.float64).mean(axis=0))

    def weekday(self, numbers: Instants) -> Instants:
        """Return the weekday of rows, -1 where they are no days."""
        if self.days != 1:
            return np.full(len(numbers), -1)
        days = numbers + self.phase
        return np.where(np.isin(days, holidays_around(days, self.holidays)), _SUNDAY, (days + 3) % 7)

    def periods(self, numbers: Instants) -> Array | None:
        """Return which part of each of some consecutive rows lies in each period of the place, (n, p), if any."""
        if not period_names(self.holidays):
            return None
        edges = np.append(numbers, numbers[-1] + 1)
        edges = edges * self.days + self.phase if self.days else _month_starts(edges)
        inside = in_period(self.holidays, np.arange(edges[0], edges[-1]))
        return np.asarray(np.add.reduceat(inside, edges[:-1] - edges[0], axis=0) / np.diff(edges)[:, None])

    def rows(
        self, first: int, values: Array, n_ahead: int, dense_from: int, season: Array, origin: float
    ) -> tuple[Rows, Array, int]:
        """Return rows in order of time, their values, (n, c), and how many of them are averages.

        Args:
            first: number of the first value.
            values: (k, c) of consecutive rows.
            n_ahead: rows after them, without values.
            dense_from: rows before this number are averaged.
            season: of ``amplitude``.
            origin: where the trend is zero, days since 1970.
        """
        n_old = max(dense_from - first, 0) // THIN if self.days == 1 else 0
        n_old = min(n_old, MOST_THIN, len(values) // THIN)
        begin = max(dense_from - first, 0) if self.days == 1 else 0
        old, new = slice(begin - n_old * THIN, begin), slice(begin, None)
        numbers = first + np.arange(len(values) + n_ahead)
        middle, weekday = self.middle(numbers), self.weekday(numbers)
        there = np.concatenate([values, np.full((n_ahead, values.shape[1]), np.nan)])
        averaged = mean_known(there[old].reshape(n_old, THIN, values.shape[1]), axis=1, at_least=4)
        middle = np.concatenate([middle[old].reshape(n_old, THIN).mean(axis=1), middle[new]])
        width = np.concatenate([np.full(n_old, THIN * self.base), np.full(len(numbers) - begin, self.base)])
        kinds = np.concatenate([np.full(n_old, -1), weekday[new]])
        amplitude = amplitude_of(season, middle)
        periods = self.periods(numbers)
        if periods is not None:
            averages = periods[old].reshape(n_old, THIN, periods.shape[1]).mean(axis=1)
            periods = np.concatenate([averages, periods[new]])
        rows = Rows(middle, width, kinds, amplitude, self.base, origin, periods)
        return rows, np.concatenate([averaged, there[new]]), n_old


def _month_starts(numbers: Instants) -> Instants:
    """Return the first days of calendar months, both counted from January 1970; any shape."""
    return numbers.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def harmonics(middle: Array) -> Array:
    """Return the first two harmonics of the year, (n, 4)."""
    angle = 2 * np.pi * middle / DAYS_IN_YEAR
    return np.stack([wave(k * angle) for k in range(1, _HARMONICS + 1) for wave in (np.cos, np.sin)], axis=1)


def amplitude_of(season: Array, middle: Array) -> Array:
    """Return how large the errors are at a season beside the year's, from four coefficients of its logarithm: (n,)."""
    return np.asarray(np.exp(harmonics(middle) @ season))
