"""Solving all 24 hours: from training days, and from what each group of issues knows since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.hour_process.hour_regression import HourRegression
from watthour.forecasting.gaussian_process.hour_process.innovations import Innovations
from watthour.forecasting.gaussian_process.hour_process.kernel import Inputs, Pair, noise_of, variance_of
from watthour.forecasting.gaussian_process.hour_process.temperature import HOURS, has_temperature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.forecasting.gaussian_process.hour_process.requests import IssueRequest, SharedUpdateGroup
    from watthour.forecasting.gaussian_process.hour_process.state import State
    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class TrainedHours:
    """The training days solved at each hour."""

    inputs: Inputs
    rows: tuple[Instants, ...]  # of each hour: the training days whose load it knows
    hours: tuple[HourRegression, ...]

    @classmethod
    def fit(cls, state: State) -> Self:
        """Factor the training days at each hour.

        Raises:
            LinAlgError: the covariance of the days is not positive definite.
        """
        inputs = state.inputs(state.numbers, state.windows)
        rows = tuple(np.flatnonzero(np.isfinite(state.log_loads[:, hour])) for hour in range(HOURS))
        hours = []
        for hour, covariance in enumerate(Pair(inputs, inputs).covariances(state.constants)):
            here = rows[hour]
            noise = noise_of(inputs, hour, state.constants.noise)[here]
            hours.append(HourRegression.fit(covariance[np.ix_(here, here)], noise, state.log_loads[here, hour]))
        return cls(inputs, rows, tuple(hours))


@dataclass(frozen=True, slots=True, eq=False)
class HourForecasts:
    """Log load of the days of one issue, by clock hour; NaN where their temperature is unknown."""

    mean: Array  # (m, 24)
    deviation: Array  # (m, 24)


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
    means, variances, innovations = _solve(state, trained, group, asked)
    for number, (position, n_later) in enumerate(group.issues):
        issue, rows = asked.issues[number], asked.rows[number]
        mine = slice(asked.ends[number], asked.ends[number + 1])
        mean, deviation = (np.full((len(issue.requests.day), HOURS), np.nan) for _ in range(2))
        mean[rows], deviation[rows] = means[mine], np.sqrt(variances[mine])
        n_known = int(np.searchsorted(state.numbers, issue.known_day)) + n_later
        known = innovations.first(n_known).to_whole_day()
        deviation *= known.scale()
        if len(known.number):
            next_day = issue.requests.day == known.number[-1] + 1
            if next_day.any():
                added, shrinks_to = known.next_day()
                mean[next_day] += added
                deviation[next_day] *= shrinks_to
        yield position, HourForecasts(mean, deviation)


def _solve(
    state: State, trained: TrainedHours, group: SharedUpdateGroup, asked: _Asked
) -> tuple[Array, Array, Innovations]:
    """Return mean and variance of each asked day, (m, 24), and the innovations of training and later days."""
    later, wanted, constants = state.inputs(group.numbers, group.windows), asked.inputs(state), state.constants
    means, variances = (np.full((len(wanted.days.number), HOURS), np.nan) for _ in range(2))
    errors, deviations = (np.full((len(state.numbers) + len(group.numbers), HOURS), np.nan) for _ in range(2))
    prior = variance_of(wanted, constants)
    sides = ((trained.inputs, later), (later, later), (trained.inputs, wanted), (later, wanted))
    covariances = zip(*(Pair(*side).covariances(constants) for side in sides), strict=True)
    for hour, (cross, own, cross_wanted, later_wanted) in enumerate(covariances):
        here, since = trained.rows[hour], np.flatnonzero(np.isfinite(group.log_loads[:, hour]))
        noise = noise_of(later, hour, constants.noise)[since]
        regression = trained.hours[hour].updated(
            cross[np.ix_(here, since)], own[np.ix_(since, since)], noise, group.log_loads[since, hour]
        )
        noise_wanted = noise_of(wanted, hour, constants.noise)
        for number, (issue, (_, n_rows)) in enumerate(zip(asked.issues, group.issues, strict=True)):
            mine = np.arange(asked.ends[number], asked.ends[number + 1])
            if len(mine):
                mean, variance = regression.predict(
                    cross_wanted[np.ix_(here, mine)],
                    later_wanted[np.ix_(since, mine)],
                    prior[mine],
                    int(np.searchsorted(state.numbers[here], issue.first_unknown(hour))),
                    int(np.searchsorted(since, n_rows)),
                )
                means[mine, hour], variances[mine, hour] = mean, variance + noise_wanted[mine]
        for days, factor in ((here, regression.trained), (len(state.numbers) + since, regression.updates)):
            errors[days, hour], deviations[days, hour] = factor.innovations, factor.deviation
    return means, variances, Innovations.of(np.concatenate([state.numbers, group.numbers]), errors, deviations)
