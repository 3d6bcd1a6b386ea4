"""What was known of a channel at an issue, as rows: whole days before its edge by clock slot, weeks or months."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.calendar import clock_offsets
from watthour.forecasting.steps import MONTH_US, interval_numbers, numbered_starts, phase_of, step_of
from watthour.forecasting.trend_season.rows import DENSE, MOST_THIN, THIN, YEAR_ROWS, Grid
from watthour.forecasting.vintages import DAY_US, measurement_vintages

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.vintages import Array, Instants, Vintages

_MOST_VALUES = 100_000  # looked back on, of short steps
_FEWEST_ROWS_BACK = 800


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """How the intervals of a channel become rows.

    Rows of steps shorter than a day are days that end where measurements do: they begin ``turn`` slots after midnight.
    """

    step: int  # [microseconds]
    phase: int  # of the intervals, as ``phase_of`` has it
    time_zone: str
    holidays: str | None
    turn: int = 0  # [slots]

    @classmethod
    def of(cls, history: History) -> Self:
        """Return the clock of a history's channel, days beginning at midnight; some of it must be known."""
        context = history.context
        times = measurement_vintages(history, context.channel.id).times
        step = step_of(context)
        return cls(step, phase_of(times, step, context.time_zone), context.time_zone, context.place.holidays)

    @property
    def n_slots(self) -> int:
        """Intervals of a row."""
        return max(DAY_US // self.step, 1)

    @property
    def grid(self) -> Grid:
        """How rows are numbered."""
        days = 0 if self.step == MONTH_US else max(self.step // DAY_US, 1)
        return Grid(days, self.phase if self.step >= DAY_US else 0, self.holidays)

    def ending_at(self, known_until: int) -> Clock:
        """Return the clock whose rows end with the last interval that was over at an instant."""
        if self.step >= DAY_US:
            return self
        edge = np.array([self._edge(known_until)])
        local = int((edge + clock_offsets(edge, self.time_zone))[0])
        return replace(self, turn=local % DAY_US // self.step)

    def edge_row(self, known_until: int) -> int:
        """Return the first row that was not over at an instant."""
        return int(self.places(np.array([self._edge(known_until)]))[0][0])

    def places(self, times: Instants) -> tuple[Instants, Instants]:
        """Return the row of each interval and its slot, both (n,), from the starts."""
        if self.step >= DAY_US:
            rows = interval_numbers(times, self.step, self.phase, self.time_zone)
            return rows, np.zeros(len(times), dtype=np.int64)
        local = times + clock_offsets(times, self.time_zone) - self.turn * self.step
        return local // DAY_US, local % DAY_US // self.step

    def known(self, vintages: Vintages, issued: int, known_until: int, first: int | None) -> tuple[int, Array]:
        """Return the number of the first row and the rows known at an issue, (n, slots); NaN where nothing was.

        Args:
            vintages: of the channel.
            issued: the instant of issue [microseconds].
            known_until: where measurements end.
            first: the first row wanted; None for as many as are looked at.
        """
        end = self._edge(known_until)
        edge = self.edge_row(known_until)
        if first is None:
            first = max(edge - self._longest, int(self.places(vintages.times[:1])[0][0]))
        if edge <= first:
            return edge, np.empty((0, self.n_slots))
        times = self._times(first, end)
        rows, slots = self.places(times)
        values = vintages.known(times, np.array(issued))
        inside = (rows >= first) & (rows < edge) & np.isfinite(values)
        table = np.full((edge - first, self.n_slots), np.nan)
        table[rows[inside] - first, slots[inside]] = values[inside]
        return first, table

    @property
    def _longest(self) -> int:
        wanted = DENSE + YEAR_ROWS + THIN * MOST_THIN
        return min(wanted, max(_MOST_VALUES // self.n_slots, _FEWEST_ROWS_BACK))

    def _edge(self, known_until: int) -> int:
        """Return the start of the first interval that was not over at an instant."""
        grid = self.step, self.phase, self.time_zone
        return int(numbered_starts(interval_numbers(np.array([known_until]), *grid), *grid)[0])

    def _times(self, first: int, end: int) -> Instants:
        """Return the starts of all intervals from a row on that begin before an instant."""
        grid = self.step, self.phase, self.time_zone
        if self.step >= DAY_US:
            last = int(interval_numbers(np.array([end]), *grid)[0])
            return numbered_starts(np.arange(first, last), *grid)
        begin = first * DAY_US - DAY_US  # a day before it by any clock
        return np.arange((begin - self.phase) // self.step * self.step + self.phase, end, self.step)
