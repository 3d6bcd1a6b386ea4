"""Solving all 24 hours: from training days, and from what each group of issues knows since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.hour_process.hour_regression import HourRegression
from watthour.forecasting.gaussian_process.hour_process.innovations import Innovations
from watthour.forecasting.gaussian_process.hour_process.kernel import Inputs, Pair, noise_of, variance_of
from watthour.forecasting.gaussian_process.hour_process.lead_errors import LEADS, band, past_errors
from watthour.forecasting.gaussian_process.hour_process.level_shifts import SEEN_AT, DaysAtHour, LevelShifts, shared
from watthour.forecasting.gaussian_process.hour_process.temperature import HOURS, has_temperature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.forecasting.gaussian_process.hour_process.requests import IssueRequest, SharedUpdateGroup
    from watthour.forecasting.gaussian_process.hour_process.state import State
    from watthour.forecasting.vintages import Array, Instants

_LOOKED_BACK_ON = 60  # days whose errors say how wide a band is


@dataclass(frozen=True, slots=True, eq=False)
class TrainedHours:
    """The training days solved at each hour."""

    inputs: Inputs
    rows: tuple[Instants, ...]  # of each hour: the training days whose load it knows
    hours: tuple[HourRegression, ...]
    shifts: LevelShifts
    errors: Array  # (n, 24, leads) over what was expected of their size

    @classmethod
    def fit(cls, state: State) -> Self:
        """Factor the training days at each hour.

        Raises:
            LinAlgError: the covariance of the days is not positive definite.
        """
        inputs, constants, n_days = state.inputs(state.numbers, state.windows), state.constants, len(state.numbers)
        rows = tuple(np.flatnonzero(np.isfinite(state.values[:, hour])) for hour in range(HOURS))
        pair, prior = Pair(inputs, inputs), variance_of(inputs, constants)

        def days_at(hour: int, covariance: Array) -> DaysAtHour:
            here = rows[hour]
            noise = noise_of(inputs, hour, constants.noise)[here]
            return DaysAtHour(here, covariance[np.ix_(here, here)], noise, state.values[here, hour])

        seen = zip(SEEN_AT, pair.covariances(constants, SEEN_AT), strict=True) if state.has_temperature else ()
        shifts = LevelShifts.find([days_at(*each) for each in seen], n_days)
        hours, errors = [], np.full((n_days, HOURS, len(LEADS)), np.nan)
        for hour, covariance in enumerate(pair.covariances(constants)):
            days, moved = days_at(hour, covariance), shifts.variance[rows[hour]]
            hours.append(HourRegression.fit(days.covariance + shared(moved, moved), days.noise, days.values))
            numbers = state.numbers[days.rows]
            errors[days.rows, hour] = past_errors(hours[-1], numbers, prior[days.rows], days.noise, moved, first=0)
        return cls(inputs, rows, tuple(hours), shifts, errors)


@dataclass(frozen=True, slots=True, eq=False)
class HourForecasts:
    """Values of the days of one issue, by clock hour; NaN where their temperature is unknown."""

    quantiles: Array  # (m, 24, levels)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The days of all issues of a group whose temperature is known, one after another."""

    issues: list[IssueRequest]
    rows: list[Instants]  # of each issue: which of its days
    ends: Instants  # where each issue's days begin and end

    @classmethod
    def of(cls, group: SharedUpdateGroup, requests: list[IssueRequest]) -> Self:
        issues = [requests[position] for position, _ in group.issues]
        rows = [np.flatnonzero(has_temperature(each.windows)) for each in issues]
        return cls(issues, rows, np.cumsum([0, *(len(each) for each in rows)]))

    def inputs(self, state: State) -> Inputs:
        days = [each.requests.day[rows] for each, rows in zip(self.issues, self.rows, strict=True)]
        around = [each.windows[rows] for each, rows in zip(self.issues, self.rows, strict=True)]
        return state.inputs(np.concatenate(days), np.concatenate(around))


def expect(
    state: State, trained: TrainedHours, group: SharedUpdateGroup, requests: list[IssueRequest]
) -> Iterator[tuple[int, HourForecasts]]:
    """Yield the forecasts of each issue of a group, with its position among all."""
    asked = _Asked.of(group, requests)
    solved = _solve(state, trained, group, asked)
    for number, (position, n_later) in enumerate(group.issues):
        issue, rows = asked.issues[number], asked.rows[number]
        mine = slice(asked.ends[number], asked.ends[number + 1])
        shape = (len(issue.requests.day), HOURS)
        mean, deviation, leads = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
        mean[rows], deviation[rows] = solved.means[mine], np.sqrt(solved.variances[mine])
        leads[rows] = solved.leads[mine]
        n_known = int(np.searchsorted(state.numbers, issue.known_day)) + n_later
        known = solved.innovations.first(n_known).to_whole_day()
        quantiles = mean[:, :, None] + deviation[:, :, None] * _bands(known, solved.errors)[leads]
        if len(known.number):
            next_day = issue.requests.day == known.number[-1] + 1
            if next_day.any():
                added, shrinks_to = known.next_day()
                middle = mean[next_day, :, None]
                quantiles[next_day] = middle + added[:, None] + (quantiles[next_day] - middle) * shrinks_to[:, None]
        quantiles[~issue.answerable] = np.nan
        yield position, HourForecasts(quantiles)


def _bands(known: Innovations, errors: Array) -> Array:
    """Return by how many deviations each level lies from the middle for each lead, from days known, (leads, levels)."""
    n_days = len(known.number)
    near = np.arange(max(0, n_days - _LOOKED_BACK_ON), n_days)
    ages = known.number[near[-1]] - known.number[near] if n_days else near
    return np.stack([band(errors[near, :, lead], ages) for lead in range(len(LEADS))])


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """What is expected of the asked days of a group, and what is known of past errors."""

    means: Array  # (m, 24)
    variances: Array  # (m, 24)
    leads: Instants  # (m, 24) which of ``LEADS``
    innovations: Innovations  # of training and later days
    errors: Array  # (n + r, 24, leads)


def _solve(state: State, trained: TrainedHours, group: SharedUpdateGroup, asked: _Asked) -> _Solved:
    later, wanted, constants = state.inputs(group.numbers, group.windows), asked.inputs(state), state.constants
    n_trained, numbers = len(state.numbers), np.concatenate([state.numbers, group.numbers])
    means, variances = (np.full((len(wanted.days.number), HOURS), np.nan) for _ in range(2))
    leads = np.zeros(means.shape, dtype=np.int64)
    errors, deviations = (np.full((len(numbers), HOURS), np.nan) for _ in range(2))
    ratios = np.concatenate([trained.errors, np.full((len(group.numbers), HOURS, len(LEADS)), np.nan)])
    prior = np.concatenate([variance_of(each, constants) for each in (trained.inputs, later)])
    prior_wanted = variance_of(wanted, constants)
    shifts = _shifts_since(state, trained, group, later)
    sides = ((trained.inputs, later), (later, later), (trained.inputs, wanted), (later, wanted))
    pairs = [Pair(*side) for side in sides]
    for hour, covariances in enumerate(zip(*(pair.covariances(constants) for pair in pairs), strict=True)):
        here, since = trained.rows[hour], np.flatnonzero(np.isfinite(group.values[:, hour]))
        days = np.concatenate([here, n_trained + since])
        moved, moved_since = shifts[here], shifts[n_trained + since]
        cross, own, cross_wanted, later_wanted = covariances
        noise = np.concatenate([noise_of(each, hour, constants.noise) for each in (trained.inputs, later)])[days]
        regression = trained.hours[hour].updated(
            cross[np.ix_(here, since)] + shared(moved, moved_since),
            own[np.ix_(since, since)] + shared(moved_since, moved_since),
            noise[len(here) :],
            group.values[since, hour],
        )
        noise_wanted = noise_of(wanted, hour, constants.noise)
        for number, (issue, (_, n_rows)) in enumerate(zip(asked.issues, group.issues, strict=True)):
            mine = np.arange(asked.ends[number], asked.ends[number + 1])
            if not len(mine):
                continue
            n_known = int(np.searchsorted(state.numbers[here], issue.first_unknown(hour)))
            n_updates = int(np.searchsorted(since, n_rows))
            last = n_known + n_updates - 1  # of the days known at this hour
            mean, variance = regression.predict(
                cross_wanted[np.ix_(here, mine)] + moved[:, None],
                later_wanted[np.ix_(since, mine)] + moved_since[:, None],
                prior_wanted[mine] + (shifts[days[last]] if last >= 0 else 0.0),
                n_known,
                n_updates,
            )
            means[mine, hour], variances[mine, hour] = mean, variance + noise_wanted[mine]
            if last >= 0:
                ahead = wanted.days.number[mine] - numbers[days[last]]
                leads[mine, hour] = np.maximum(np.searchsorted(LEADS, ahead, side="right") - 1, 0)
        for which, factor in ((here, regression.trained), (n_trained + since, regression.updates)):
            errors[which, hour], deviations[which, hour] = factor.innovations, factor.deviation
        ratios[n_trained + since, hour] = past_errors(
            regression, numbers[days], prior[days], noise, shifts[days], first=len(here)
        )
    return _Solved(means, variances, leads, Innovations.of(numbers, errors, deviations), ratios)


def _shifts_since(state: State, trained: TrainedHours, group: SharedUpdateGroup, later: Inputs) -> Array:
    """Return what has come to the level by training days and those known since, (n + r,)."""
    if not len(group.numbers) or not state.has_temperature:
        return np.append(trained.shifts.variance, np.zeros(len(group.numbers)))
    constants, moved = state.constants, trained.shifts.variance
    pairs = [Pair(trained.inputs, later), Pair(later, later)]
    hours = []
    for hour, cross, own in zip(SEEN_AT, *(pair.covariances(constants, SEEN_AT) for pair in pairs), strict=True):
        here, since = trained.rows[hour], np.flatnonzero(np.isfinite(group.values[:, hour]))
        noise = noise_of(later, hour, constants.noise)[since]
        cross_here = cross[np.ix_(here, since)] + moved[here, None]
        own_here = own[np.ix_(since, since)] + moved[-1]
        _, covariance, values = trained.hours[hour].given(cross_here, own_here, group.values[since, hour])
        hours.append(DaysAtHour(since, covariance, noise, values))
    found = LevelShifts.find(hours, len(group.numbers), before=trained.shifts)
    return np.concatenate([moved, moved[-1] + found.variance])
