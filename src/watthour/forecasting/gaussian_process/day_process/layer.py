"""One regression with its online errors: what it expects of a day, and how far off that may be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.gaussian_process.day_process.interval_errors import ErrorRegression, next_day_online
from watthour.forecasting.gaussian_process.day_process.process import DayRegression, UpdateDays
from watthour.forecasting.gaussian_process.day_process.spread import Spread
from watthour.forecasting.vintages import DAY_US

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.inputs import DayInputs
    from watthour.forecasting.gaussian_process.day_process.kernel import Kernel
    from watthour.forecasting.gaussian_process.day_process.known_inputs import KnownInputs
    from watthour.forecasting.gaussian_process.local_days import IssueSchedule, Mask
    from watthour.forecasting.vintages import Array, Instants

_WIDEST = 3.0  # times the usual spread, however long ago the load was last known


@dataclass(frozen=True, slots=True, eq=False)
class LayerRequest:
    """What a layer is asked: inputs of the days of a requests, and what it forecasts as each of them knew it."""

    inputs: DayInputs
    features: Array  # (a, k) of the spread
    log_values: Array  # (a, r, intervals) of later days as known at each request
    log_under_way: Array  # (a, intervals) of the day that is under way when measurements end
    chosen: Mask  # (a,) which requests to answer
    usable: Mask  # (r,) which later days it may stand on


@dataclass(frozen=True, slots=True, eq=False)
class LayerForecast:
    """What a layer says of chosen requests."""

    from_days: Array  # (chosen, intervals) log expectation from whole days only
    log_quantiles: Array  # (chosen targets, intervals, levels)


class GpLayer:
    """A regression over days, the regression of its errors within a day, and its spread."""

    def __init__(
        self, kernel: Kernel, days: DayInputs, values: Array, features: Array, schedule: IssueSchedule
    ) -> None:
        """Learn from days in order of time.

        Args:
            kernel: covariance of days.
            days: inputs of n days.
            values: logarithms, (n, intervals), NaN where unknown.
            features: of the spread, (n, k).
            schedule: how days are usually asked for.
        """
        self.regression = DayRegression.fit(kernel, days, values)
        self.schedule = schedule
        self._values, self._features = values, features

    @cached_property
    def online(self) -> Array:
        """What would have been forecast for its own days from whole days, (n, intervals); NaN of the first ones."""
        return self.regression.online(self.schedule.lag)

    @cached_property
    def spread(self) -> Spread:
        """Its own online errors."""
        index, lag = self._index, self.schedule.lag
        errors = self._values - self.online
        n_known = self.schedule.known_clock_us * self._values.shape[1] // DAY_US
        if self.schedule.known_days_before == 1 and n_known:
            corrections = next_day_online(*self._calendar_errors, n_known, lag)
            errors = errors - corrections[(index - index[0]).astype(int)]
        return Spread.fit(index, errors, self._features, lag)

    def forecast(self, known: KnownInputs, request: LayerRequest) -> LayerForecast:
        """Forecast the chosen requests from what was known at each."""
        rows, later = np.flatnonzero(request.chosen), np.flatnonzero(request.usable)
        here, inputs = np.ix_(rows, later), request.inputs
        updates = UpdateDays(inputs.take(known.row_of_later[later]), request.log_values[here], known.is_whole[here])
        last_known = known.last_known[rows].astype(np.float64)
        days = inputs.take(rows)
        from_days = self._expect(days, last_known, updates)
        expected = from_days + self._from_the_day_under_way(known, request, rows, from_days, updates)
        is_target = rows < known.n_requests
        spread = self._extended(known, request, rows, later, expected)
        offsets = spread.quantiles(
            days.calendar.index[is_target], request.features[rows[is_target]], last_known[is_target], LEVELS
        )
        # Errors grow like those of a random walk with the days that the load has not been seen.
        distance = known.distance[rows[is_target]] / self.schedule.lag
        offsets *= np.clip(np.sqrt(distance), 1, _WIDEST)[:, None, None]
        return LayerForecast(from_days, expected[is_target][:, :, None] + _around_zero(offsets))

    @property
    def _index(self) -> Array:
        return self.regression.days.calendar.index

    @cached_property
    def _calendar_errors(self) -> tuple[Array, Array]:
        """Online errors from one and from two days before, on consecutive days, NaN where a day is missing."""
        one, two = (_on_calendar(self._index, self._values - self.regression.online(lag)) for lag in (1, 2))
        return one, two

    def _errors_known(self, last_known: float) -> ErrorRegression:
        """Return the regression of errors learnt from the days up to the last one known."""
        n_days = max(int(min(last_known, self._index[-1]) - self._index[0]) + 1, 0)
        one, two = self._calendar_errors
        return ErrorRegression.fit(one[:n_days], two[:n_days])

    def _expect(self, days: DayInputs, last_known: Array, updates: UpdateDays) -> Array:
        """Return the expectation of each day from the days up to the last one known, (m, intervals)."""
        return self.regression.predict(days, self.regression.n_known(last_known), updates)

    def _extended(
        self, known: KnownInputs, request: LayerRequest, rows: Instants, later: Instants, expected: Array
    ) -> Spread:
        """Return the spread with the errors of the later days among the rows, whose expectations are given."""
        own = np.isin(rows, known.row_of_later[later])
        if not own.any():
            return self.spread
        of_later = np.searchsorted(known.row_of_later, rows[own])
        errors = known.once_known(request.log_values)[of_later] - expected[own]
        index = request.inputs.calendar.index[rows[own]]
        return self.spread.extended(index, errors, request.features[rows[own]], self.schedule.lag)

    def _from_the_day_under_way(
        self, known: KnownInputs, request: LayerRequest, rows: Instants, from_days: Array, updates: UpdateDays
    ) -> Array:
        """Return what the intervals known of the day after the last whole one add to each expectation."""
        added = np.zeros_like(from_days)
        seen = (known.row_under_way[rows] >= 0) & np.isfinite(request.log_under_way[rows]).any(axis=1)
        distance = known.requests.day[rows] - known.last_known[rows] - 1
        learnt_until = np.minimum(known.last_known[rows], self._index[-1])
        for last in np.unique(learnt_until[seen & (distance <= 1)]):
            regression = self._errors_known(float(last))
            here = seen & (learnt_until == last)
            same, following = (np.flatnonzero(here & (distance == days)) for days in (0, 1))
            if len(same):
                added[same] = regression.of_same_day(request.log_under_way[rows[same]] - from_days[same])
            if len(following):
                eves = request.inputs.take(known.row_under_way[rows[following]])
                last_known = known.last_known[rows[following]].astype(np.float64)
                expected = self._expect(eves, last_known, updates.take(following))
                added[following] = regression.of_next_day(request.log_under_way[rows[following]] - expected)
        return added


def _around_zero(offsets: Array) -> Array:
    """Return offsets of quantiles whose median is zero and which lie on their own side of it, (.., levels)."""
    middle, found = LEVELS.index(0.5), offsets.copy()
    found[..., :middle] = np.minimum(found[..., :middle], 0)
    found[..., middle] = 0
    found[..., middle + 1 :] = np.maximum(found[..., middle + 1 :], 0)
    return found


def _on_calendar(index: Array, errors: Array) -> Array:
    """Lay errors out on consecutive days, NaN where a day is missing."""
    laid = np.full((int(index[-1] - index[0]) + 1, errors.shape[1]), np.nan)
    laid[(index - index[0]).astype(int)] = errors
    return laid
