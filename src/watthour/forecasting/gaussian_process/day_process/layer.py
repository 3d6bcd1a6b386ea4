"""One regression with its online errors: what it expects of a day, and how far off that may be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.gaussian_process.day_process.interval_errors import ErrorRegression, corrections_online
from watthour.forecasting.gaussian_process.day_process.process import DayPosterior, UpdateDays
from watthour.forecasting.gaussian_process.day_process.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

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
class LayerExpectation:
    """What a layer expects of chosen requests."""

    from_days: Expectation  # logarithms, from whole days only
    log_values: Array  # (chosen, intervals) the same with the intervals known of the day under way


@dataclass(frozen=True, slots=True, eq=False)
class LayerForecast:
    """What a layer says of chosen requests."""

    expectation: LayerExpectation
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
        self.regression = DayPosterior.fit(kernel, days, values)
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

    def doubt_online(self, lag: int) -> Array:
        """Return how large that part of a change is which was seen then, but not counted on, (n, intervals)."""
        self.online(lag)
        return self._online[lag].doubt

    def spread(self, lag: int, n_known: int) -> Spread:
        """Return its own online errors, each day asked for as many days after the last whole one known.

        Args:
            lag: these days.
            n_known: intervals known of the day after the last whole one; their own errors are left out.
        """
        if (lag, n_known) not in self._spreads:
            errors = unknown_yet(self._values - self.online_corrected(lag, n_known), lag, n_known)
            self._spreads[lag, n_known] = Spread.fit(self._index, errors, self._features, lag, self.doubt_online(lag))
        return self._spreads[lag, n_known]

    def online_corrected(self, lag: int, n_known: int) -> Array:
        """Return the same as ``online`` with what the intervals known of the day after the last whole one add.

        Shape (n, intervals); arguments as of ``spread``.
        """
        if not n_known:
            return self.online(lag)
        corrections = corrections_online(*self._calendar_errors, n_known, lag)
        return np.asarray(self.online(lag) + corrections[(self._index - self._index[0]).astype(int)])

    def expect(self, known: KnownInputs, request: LayerRequest) -> LayerExpectation:
        """Return what is expected of the chosen requests from what was known at each."""
        rows, later = np.flatnonzero(request.chosen), np.flatnonzero(request.usable)
        here, inputs = np.ix_(rows, later), request.inputs
        updates = UpdateDays(inputs.take(known.row_of_later[later]), request.log_values[here], known.is_whole[here])
        from_days = self._expect(inputs.take(rows), known.last_known[rows].astype(np.float64), updates)
        return LayerExpectation(
            from_days, from_days.values + self._from_the_day_under_way(known, request, rows, from_days.values, updates)
        )

    def forecast(self, known: KnownInputs, request: LayerRequest) -> LayerForecast:
        """Forecast the chosen requests from what was known at each."""
        expectation = self.expect(known, request)
        expected, is_target = expectation.log_values, np.flatnonzero(request.chosen) < known.n_requests
        offsets = np.empty((int(is_target.sum()), expected.shape[1], len(LEVELS)))
        for lag, n_known, alike in bands_asked(known, request):
            later = later_errors(known, request, expected, expectation.from_days.doubt, lag, n_known)
            offsets[alike] = band(self.spread(lag, n_known), later, known, request, alike)
        return LayerForecast(expectation, expected[is_target][:, :, None] + offsets)

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


@dataclass(frozen=True, slots=True, eq=False)
class LaterErrors:
    """Online errors of the days after the training, in order of time, and the doubt of all that was expected."""

    lag: int  # days from the last whole one known to the day asked for
    rows: Instants  # (r,) their requests
    log_errors: Array  # (r, intervals) NaN where unknown
    own: Mask  # (chosen,) which of the chosen requests are theirs
    doubt: Array  # (chosen, intervals) of the expectations

    def extend(self, spread: Spread, request: LayerRequest) -> Spread:
        """Return a spread that has learned from these errors too."""
        if not len(self.rows):
            return spread
        index, features = request.inputs.calendar.index[self.rows], request.features[self.rows]
        return spread.extended(index, self.log_errors, features, self.lag, self.doubt[self.own])


def bands_asked(known: KnownInputs, request: LayerRequest) -> Iterator[tuple[int, int, Instants]]:
    """Yield the days from the last whole one known, the intervals known of the day after it, and their chosen targets.

    The targets are given by their position among those chosen.
    """
    rows = np.flatnonzero(request.chosen[: known.n_requests])
    lag = usable_lag(known.distance[rows])
    n_known = np.where(lag <= _CORRECTED, np.isfinite(request.log_under_way[rows]).sum(axis=1), 0)
    n_known = np.minimum(n_known, request.log_under_way.shape[1] - 1)
    both = np.stack([lag, n_known], axis=1)
    for one_lag, one_n_known in np.unique(both, axis=0).tolist():
        yield one_lag, one_n_known, np.flatnonzero((lag == one_lag) & (n_known == one_n_known))


def later_errors(
    known: KnownInputs, request: LayerRequest, expected: Array, doubt: Array, lag: int, n_known: int
) -> LaterErrors:
    """Return the errors of the later days among the chosen, of which so much was expected.

    Both what was expected and its doubt are (chosen, intervals).
    """
    rows, of_later = np.flatnonzero(request.chosen), known.row_of_later[np.flatnonzero(request.usable)]
    own = np.isin(rows, of_later)
    position = np.searchsorted(known.row_of_later, rows[own])
    errors = known.once_known(request.log_values)[position] - expected[own]
    return LaterErrors(lag, rows[own], unknown_yet(errors, lag, n_known), own, doubt)


def band(spread: Spread, later: LaterErrors, known: KnownInputs, request: LayerRequest, alike: Instants) -> Array:
    """Return how far the quantiles of some chosen targets lie from what is expected, (targets, intervals, levels)."""
    rows = np.flatnonzero(request.chosen)[alike]
    last_known = known.last_known[rows].astype(np.float64)
    index, features = request.inputs.calendar.index[rows], request.features[rows]
    offsets = later.extend(spread, request).quantiles(index, features, last_known, LEVELS, later.doubt[alike])
    # Errors grow like those of a random walk with the days that the load has not been seen.
    offsets *= np.clip(np.sqrt(known.distance[rows] / later.lag), 1, _WIDEST)[:, None, None]
    return _around_zero(offsets)


def unknown_yet(errors: Array, lag: int, n_known: int) -> Array:
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
