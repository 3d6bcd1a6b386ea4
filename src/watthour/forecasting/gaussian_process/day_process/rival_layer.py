"""The layer of a rival's errors: a process over days, and beside it our own view, weighted by how each did.

The rival may be better than we are or worse, at one hour of the day and not at another. So its errors are regressed,
hour by hour and online, on what the process expects of them and on how far our own forecast lies from the rival's. The
rival's own steps to the hours beside are regressors too: a forecast that sits half an hour late shows in them.

With weather the process alone does this, from what it is told of how the two differ. Either result then goes over
to our own forecast by one share, which the errors of the last months say: so a rival that has become poor does little
harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.gaussian_process.day_process.layer import band, bands_asked, later_errors, unknown_yet
from watthour.forecasting.gaussian_process.day_process.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.forecasting.gaussian_process.day_process.known_inputs import KnownInputs
    from watthour.forecasting.gaussian_process.day_process.layer import GpLayer, LayerRequest
    from watthour.forecasting.vintages import Array

_HOURS = 24
_PRIOR = np.array([0.7, 0.3, 0.0, 0.0])  # of the weights, before any error is known
_RIDGE = 50.0  # days that the prior counts for where the regressors are of _SIZE
_SIZE = 0.015  # of log load, of a usual error
_LARGEST = 0.1  # of log load that an error counts at most
_FURTHEST = 0.2  # of log load, of a regressor
_HALFLIFE = 400.0  # days
_SHARE_HALFLIFE = 120.0  # days
_SHARE_RIDGE = 30.0  # days that a share of nothing counts for where the forecasts are _SIZE apart
_WIDER = 1.02  # with weather, as the share is itself uncertain: 89.9 % of 2018 lay inside the band of 90 %
_SHARED = 0.1  # how much all hours of the day count in the weights of one


@dataclass(frozen=True, slots=True, eq=False)
class OnlineWeights:
    """Ridge regression of errors on their forecasts, hour by hour, learned from the first days so far; k forecasts."""

    index: Array  # (n,) day numbers
    gram: Array  # (n + 1, hours, k, k) sums over the first 0, 1, .. n days
    moment: Array  # (n + 1, hours, k)

    @classmethod
    def fit(cls, index: Array, errors: Array, members: Array) -> Self:
        """Learn from days in order of time.

        Args:
            index: day numbers, (n,).
            errors: (n, intervals), NaN where unknown.
            members: forecasts of them, (n, intervals, k), NaN where unknown.
        """
        k = members.shape[-1]
        return cls(np.empty(0), np.zeros((1, _HOURS, k, k)), np.zeros((1, _HOURS, k))).extended(index, errors, members)

    def extended(self, index: Array, errors: Array, members: Array) -> Self:
        """Return the same with later days added; arguments as in ``fit``."""
        there = np.isfinite(errors) & np.isfinite(members).all(axis=2)
        known = np.where(there[:, :, None], members, 0.0) / _SIZE
        left = np.where(there, errors, 0.0) / _SIZE - known @ _PRIOR
        left = there * np.clip(left, -_LARGEST / _SIZE, _LARGEST / _SIZE)
        hours = _hours(errors.shape[1])
        of_day = _pooled(np.einsum("hi,dij,dik->dhjk", hours, known, known, optimize=True))
        moment_of_day = _pooled(np.einsum("hi,dij,di->dhj", hours, known, left, optimize=True))
        gram, moment = [self.gram[-1]], [self.moment[-1]]
        passed = np.diff(index, prepend=self.index[-1:] if len(self.index) else index[:1])
        for kept, new, new_moment in zip(0.5 ** (passed / _HALFLIFE), of_day, moment_of_day, strict=True):
            gram.append(kept * gram[-1] + new)
            moment.append(kept * moment[-1] + new_moment)
        return type(self)(
            np.concatenate([self.index, index]),
            np.concatenate([self.gram[:-1], np.stack(gram)]),
            np.concatenate([self.moment[:-1], np.stack(moment)]),
        )

    def expected(self, last_known: Array, members: Array) -> Array:
        """Return the errors expected of asked days from the days up to the last one each may know, (m, intervals).

        Args:
            last_known: day numbers, (m,).
            members: forecasts of the errors, (m, intervals, k).
        """
        n_known = np.searchsorted(self.index, last_known, side="right")
        some, which = np.unique(n_known, return_inverse=True)
        ridge = _RIDGE * np.eye(members.shape[-1])
        learned = np.linalg.solve(self.gram[some] + ridge, self.moment[some][..., None])[..., 0]
        hour = _hours(members.shape[1]).argmax(axis=0)
        return np.asarray(((_PRIOR + learned)[which][:, hour] * members).sum(axis=2))


@dataclass(frozen=True, slots=True, eq=False)
class OnlineShare:
    """How far to go from one forecast to another, one number learned from the first days so far; recent ones count."""

    index: Array  # (n,) day numbers
    sums: Array  # (n + 1, 3) of squares apart, of apart times the errors, and of by how much the other was better

    @classmethod
    def fit(cls, index: Array, errors: Array, apart: Array) -> Self:
        """Learn from days in order of time.

        Args:
            index: day numbers, (n,).
            errors: of the first forecast, (n, intervals), NaN where unknown.
            apart: the other forecast less the first, (n, intervals), NaN where unknown.
        """
        return cls(np.empty(0), np.zeros((1, 3))).extended(index, errors, apart)

    def extended(self, index: Array, errors: Array, apart: Array) -> Self:
        """Return the same with later days added; arguments as in ``fit``."""
        there = np.isfinite(errors) & np.isfinite(apart)
        left, away = (np.where(there, np.clip(each, -_LARGEST, _LARGEST), 0.0) / _SIZE for each in (errors, apart))
        better = np.where(there, np.abs(errors) - np.abs(errors - apart), 0.0) / _SIZE
        of_day = np.stack([away**2, away * left, better]).sum(axis=2) / np.maximum(there.sum(axis=1), 1)
        sums = [self.sums[-1]]
        passed = np.diff(index, prepend=self.index[-1:] if len(self.index) else index[:1])
        for kept, new in zip(0.5 ** (passed / _SHARE_HALFLIFE), of_day.T, strict=True):
            sums.append(kept * sums[-1] + new)
        return type(self)(np.concatenate([self.index, index]), np.concatenate([self.sums[:-1], np.stack(sums)]))

    def of(self, last_known: Array, *, only_better: bool) -> Array:
        """Return the share of the other forecast, 0 to 1, from the days up to the last one each may know, (m,).

        Args:
            last_known: day numbers, (m,).
            only_better: nothing, unless the other forecast was better by itself.
        """
        apart, gained, better = self.sums[np.searchsorted(self.index, last_known, side="right")].T
        share = np.clip(gained / (apart + _SHARE_RIDGE), 0.0, 1.0)
        return np.where((better > 0) | (not only_better), share, 0.0)


class RivalLayer:
    """A process over the rival's errors, weighted with our own forecast of the load, and the spread of both."""

    def __init__(
        self,
        process: GpLayer,
        log_rival: Array,
        errors: Array,
        features: Array,
        own: Callable[[int, int], Array],
        *,
        weighs: bool,
    ) -> None:
        """Learn from days in order of time.

        Args:
            process: of the errors, learned from the same days.
            log_rival: of n days, (n, intervals).
            errors: log of load over the rival's forecast, (n, intervals), NaN where unknown.
            features: of the spread, (n, k).
            own: gives our own online forecast of the log load of the days, (n, intervals), by the days from the last
                whole one known and the intervals known of the day after it.
            weighs: hour by hour; otherwise the process answers as long as it is the better one.
        """
        self._process, self._own, self._weighs = process, own, weighs
        self._log_rival, self._errors, self._features = log_rival, errors, features
        self._learned: dict[tuple[int, int], tuple[OnlineWeights | None, OnlineShare, Spread]] = {}

    def log_quantiles(self, known: KnownInputs, request: LayerRequest, own: Array) -> Array:
        """Return the quantiles of the errors of the chosen targets, (chosen targets, intervals, levels).

        Args:
            known: what was known at each request.
            request: as of the process.
            own: our own forecast of the log load of the chosen, (chosen, intervals).
        """
        rows = np.flatnonzero(request.chosen)
        log_rival, is_target = request.inputs.rival[rows], rows < known.n_requests
        found = np.empty((int(is_target.sum()), log_rival.shape[1], len(LEVELS)))
        if not len(found):
            return found
        of_process = self._process.expect(known, request)
        doubt, members = of_process.from_days.doubt, rival_members(of_process.log_values, own, log_rival)
        index, last_known = request.inputs.calendar.index[rows], known.last_known[rows].astype(np.float64)
        for lag, n_known, alike in bands_asked(known, request):
            weights, share, spread = self._of(lag, n_known)
            expected = of_process.log_values
            if weights is not None:
                later = later_errors(known, request, np.zeros_like(expected), doubt, lag, n_known)
                at = np.searchsorted(rows, later.rows)
                expected = weights.extended(index[at], later.log_errors, members[at]).expected(last_known, members)
            later = later_errors(known, request, expected, doubt, lag, n_known)
            at, apart = np.searchsorted(rows, later.rows), own - log_rival - expected
            expected = expected + self._gone_over(
                share.extended(index[at], later.log_errors, apart[at]), last_known, apart
            )
            later = later_errors(known, request, expected, doubt, lag, n_known)
            found[alike] = expected[is_target][alike][:, :, None]
            found[alike] += (1.0 if self._weighs else _WIDER) * band(spread, later, known, request, alike)
        return found

    def _of(self, lag: int, n_known: int) -> tuple[OnlineWeights | None, OnlineShare, Spread]:
        """Return the weights, the share and the spread of days asked so many days after the last whole one known."""
        if (lag, n_known) not in self._learned:
            index = self._process.regression.days.calendar.index
            expected, own = self._process.online_corrected(lag, n_known), self._own(lag, n_known)
            errors, weights = unknown_yet(self._errors, lag, n_known), None
            if self._weighs:
                members = rival_members(expected, own, self._log_rival)
                weights = OnlineWeights.fit(index, errors, members)
                expected = weights.expected(index - lag, members)
            apart = own - self._log_rival - expected
            share = OnlineShare.fit(index, errors - expected, apart)
            errors = errors - expected - self._gone_over(share, index - lag, apart)
            spread = Spread.fit(index, errors, self._features, lag, self._process.doubt_online(lag))
            self._learned[lag, n_known] = weights, share, spread
        return self._learned[lag, n_known]

    def _gone_over(self, share: OnlineShare, last_known: Array, apart: Array) -> Array:
        """Return how far to go to our own forecast, of which (m, intervals) we are apart."""
        # Hour by hour our own counts already; what is left to say is that it was better by itself.
        return np.asarray(share.of(last_known, only_better=self._weighs)[:, None] * apart)


def rival_members(of_process: Array, own: Array, log_rival: Array) -> Array:
    """Return the forecasts of the rival's errors, (m, intervals, 4), of arrays (m, intervals)."""
    hour = round(log_rival.shape[1] / _HOURS)
    ahead, behind = np.zeros_like(log_rival), np.zeros_like(log_rival)
    ahead[:, :-hour] = log_rival[:, hour:] - log_rival[:, :-hour]
    behind[:, hour:] = -ahead[:, :-hour]
    beside = (own - log_rival, ahead, behind)
    return np.stack([of_process, *(np.clip(each, -_FURTHEST, _FURTHEST) for each in beside)], axis=2)


def _hours(n_intervals: int) -> Array:
    """Return the share of each interval in its hour, (hours, intervals); the shares of an hour sum to 1."""
    hour = np.arange(n_intervals) * _HOURS // n_intervals
    held = (np.arange(_HOURS)[:, None] == hour[None, :]).astype(np.float64)
    return np.asarray(held / held.sum(axis=1, keepdims=True))


def _pooled(of_hours: Array) -> Array:
    """Return what days say of each hour, (days, hours, ...), with a share of the mean of all hours."""
    return np.asarray((1 - _SHARED) * of_hours + _SHARED * of_hours.mean(axis=1, keepdims=True))
