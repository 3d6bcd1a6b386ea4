"""One regression with its online errors: what it expects of a day, and how far off that may be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.gaussian_process.day_process.interval_errors import ErrorRegression, corrections_online
from watthour.forecasting.gaussian_process.day_process.process import DayRegression, UpdateDays
from watthour.forecasting.gaussian_process.day_process.spread import Spread

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.inputs import DayInputs
    from watthour.forecasting.gaussian_process.day_process.kernel import Kernel
    from watthour.forecasting.gaussian_process.day_process.known_inputs import KnownInputs
    from watthour.forecasting.gaussian_process.day_process.process import Expectation
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_CORRECTED = 2  # days after the last whole one that the intervals known of the day after it correct
_LONGEST_LAG = 8  # days from the last whole day known, up to which errors are measured ...
_WIDEST = 3.0  # ... and beyond which they grow, to at most so many times these


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
    unchanged: Array  # (chosen, intervals) the same, as if no change had come that the inputs do not explain
    log_quantiles: Array  # (chosen targets, intervals, levels)


class GpLayer:
    """A regression over days, the regression of its errors within a day, and its spread."""

    def __init__(self, kernel: Kernel, days: DayInputs, values: Array, features: Array) -> None:
        """Learn from days in order of time.

        Args:
            kernel: covariance of days.
            days: inputs of n days.
            values: logarithms, (n, intervals), NaN where unknown.
            features: of the spread, (n, k).
        """
        self.regression = DayRegression.fit(kernel, days, values)
        self._values, self._features = values, features
        self._online: dict[int, Expectation] = {}
        self._spreads: dict[tuple[int, int], Spread] = {}

    def online(self, lag: int) -> Array:
        """Return what would have been forecast for its own days from whole days, (n, intervals); NaN of the first ones.

        The lag is that from the last whole day known to the day asked for [days].
        """
        if lag not in self._online:
            self._online[lag] = self.regression.online(lag)
        return self._online[lag].values

    def unchanged_online(self, lag: int) -> Array:
        """Return the same, as if no change had come that the inputs do not explain."""
        self.online(lag)
        return self._online[lag].unchanged

    def spread(self, lag: int, n_known: int) -> Spread:
        """Return its own online errors, each day asked for as many days after the last whole one known.

        Args:
            lag: these days.
            n_known: intervals known of the day after the last whole one; their own errors are left out.
        """
        if (lag, n_known) not in self._spreads:
            index = self._index
            errors, doubt = self._values - self.online(lag), self._online[lag].doubt
            if n_known:
                corrections = corrections_online(*self._calendar_errors, n_known, lag)
                errors = errors - corrections[(index - index[0]).astype(int)]
            self._spreads[lag, n_known] = Spread.fit(
                index, _unknown_yet(errors, lag, n_known), self._features, lag, doubt
            )
        return self._spreads[lag, n_known]

    def forecast(self, known: KnownInputs, request: LayerRequest) -> LayerForecast:
        """Forecast the chosen requests from what was known at each."""
        rows, later = np.flatnonzero(request.chosen), np.flatnonzero(request.usable)
        here, inputs = np.ix_(rows, later), request.inputs
        updates = UpdateDays(inputs.take(known.row_of_later[later]), request.log_values[here], known.is_whole[here])
        last_known = known.last_known[rows].astype(np.float64)
        days = inputs.take(rows)
        expectation = self._expect(days, last_known, updates)
        from_days = expectation.values
        expected = from_days + self._from_the_day_under_way(known, request, rows, from_days, updates)
        is_target = rows < known.n_requests
        distance = known.distance[rows[is_target]]
        lag = usable_lag(distance)
        n_known = np.where(lag <= _CORRECTED, np.isfinite(request.log_under_way[rows[is_target]]).sum(axis=1), 0)
        n_known = np.minimum(n_known, expected.shape[1] - 1)
        offsets = np.empty((len(distance), expected.shape[1], len(LEVELS)))
        for one_lag, one_n_known in np.unique(np.stack([lag, n_known], axis=1), axis=0).tolist():
            alike = (lag == one_lag) & (n_known == one_n_known)
            asked = np.flatnonzero(is_target)[alike]
            spread = self._extended(known, request, rows, later, expected, expectation.doubt, one_lag, one_n_known)
            offsets[alike] = spread.quantiles(
                days.calendar.index[asked],
                request.features[rows[asked]],
                last_known[asked],
                LEVELS,
                expectation.doubt[asked],
            )
        # Errors grow like those of a random walk with the days that the load has not been seen.
        offsets *= np.clip(np.sqrt(distance / lag), 1, _WIDEST)[:, None, None]
        return LayerForecast(from_days, expectation.unchanged, expected[is_target][:, :, None] + _around_zero(offsets))

    @property
    def _index(self) -> Array:
        return self.regression.days.calendar.index

    @cached_property
    def _calendar_errors(self) -> tuple[Array, Array]:
        """Online errors from one and from two days before, on consecutive days, NaN where a day is missing."""
        one, two = (_on_calendar(self._index, self._values - self.online(lag)) for lag in (1, 2))
        return one, two

    def _errors_known(self, last_known: float) -> ErrorRegression:
        """Return the regression of errors learnt from the days up to the last one known."""
        n_days = max(int(min(last_known, self._index[-1]) - self._index[0]) + 1, 0)
        one, two = self._calendar_errors
        return ErrorRegression.fit(one[:n_days], two[:n_days])

    def _expect(self, days: DayInputs, last_known: Array, updates: UpdateDays) -> Expectation:
        """Return the expectation of each day from the days up to the last one known."""
        return self.regression.predict(days, self.regression.n_known(last_known), updates)

    def _extended(
        self,
        known: KnownInputs,
        request: LayerRequest,
        rows: Instants,
        later: Instants,
        expected: Array,
        doubt: Array,
        lag: int,
        n_known: int,
    ) -> Spread:
        """Return the spread with the errors of the later days among the rows, whose expectations are given."""
        spread = self.spread(lag, n_known)
        own = np.isin(rows, known.row_of_later[later])
        if not own.any():
            return spread
        of_later = np.searchsorted(known.row_of_later, rows[own])
        errors = _unknown_yet(known.once_known(request.log_values)[of_later] - expected[own], lag, n_known)
        index = request.inputs.calendar.index[rows[own]]
        return spread.extended(index, errors, request.features[rows[own]], lag, doubt[own])

    def _from_the_day_under_way(
        self, known: KnownInputs, request: LayerRequest, rows: Instants, from_days: Array, updates: UpdateDays
    ) -> Array:
        """Return what the intervals known of the day after the last whole one add to each expectation."""
        added = np.zeros_like(from_days)
        seen = (known.row_under_way[rows] >= 0) & np.isfinite(request.log_under_way[rows]).any(axis=1)
        distance = known.distance[rows]
        learnt_until = np.minimum(known.last_known[rows], self._index[-1])
        for last in np.unique(learnt_until[seen & (distance <= _CORRECTED)]):
            regression = self._errors_known(float(last))
            here = seen & (learnt_until == last)
            same, following = (np.flatnonzero(here & (distance == days)) for days in (1, _CORRECTED))
            if len(same):
                added[same] = regression.of_same_day(request.log_under_way[rows[same]] - from_days[same])
            if len(following):
                eves = request.inputs.take(known.row_under_way[rows[following]])
                last_known = known.last_known[rows[following]].astype(np.float64)
                expected = self._expect(eves, last_known, updates.take(following)).values
                added[following] = regression.of_next_day(request.log_under_way[rows[following]] - expected)
        return added


def usable_lag(distance: Instants | int) -> Instants:
    """Return the days from the last whole one known by which errors are measured, of any shape."""
    return np.clip(distance, 1, _LONGEST_LAG)


def _unknown_yet(errors: Array, lag: int, n_known: int) -> Array:
    """Return errors, (m, intervals), without those of a day's own known intervals."""
    found = errors.copy()
    if lag == 1:
        found[:, :n_known] = np.nan
    return found


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
