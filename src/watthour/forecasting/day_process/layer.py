"""One process with its online errors: what it expects of a day, and how far off that may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.day_process.process import HourErrors, Later, Process
from watthour.forecasting.day_process.spread import Spread

if TYPE_CHECKING:
    from watthour.forecasting.day_process.asks import Habit
    from watthour.forecasting.day_process.kernel import DayInputs
    from watthour.forecasting.day_process.process import Kernel
    from watthour.forecasting.vintages import Array


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A fitted process, its hour errors and its spread."""

    process: Process
    online: Array  # (n, 24) what would have been forecast for its own days from whole days
    hours: HourErrors
    spread: Spread
    habit: Habit

    @classmethod
    def fit(cls, kernel: Kernel, days: DayInputs, values: Array, features: Array, habit: Habit) -> Layer:
        """Learn from days with known values, in order of time."""
        process = Process.fit(kernel, days, values, values.mean(axis=0))
        index = days.calendar.index
        one, two = (_on_calendar(index, values - process.online(lag)) for lag in (1, 2))
        hours = HourErrors.fit(one, two)
        online = process.online(habit.lag)
        errors = values - online
        if habit.known_days_before == 1 and habit.n_known_hours:
            eve = np.full_like(one, np.nan)
            eve[1:, : habit.n_known_hours] = one[:-1, : habit.n_known_hours]
            errors = errors - hours.of_next_day(eve[(index - index[0]).astype(int)])
        return cls(process, online, hours, Spread.fit(index, errors, features, habit.lag), habit)

    def expect(self, days: DayInputs, last_whole: Array, later: Later) -> Array:
        """Return the expectation of each day from the days up to its ``last_whole``, (m, 24)."""
        n_known = np.searchsorted(self.process.days.calendar.index, last_whole, side="right")
        return self.process.predict(days, n_known, later)


def _on_calendar(index: Array, errors: Array) -> Array:
    """Lay errors out on consecutive days, NaN where a day is missing."""
    laid = np.full((int(index[-1] - index[0]) + 1, errors.shape[1]), np.nan)
    laid[(index - index[0]).astype(int)] = errors
    return laid
