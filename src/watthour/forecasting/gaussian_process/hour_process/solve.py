"""Solving all 24 hours: from training days, and from what each group of issues knows since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.day_process.asks import HOURS
from watthour.forecasting.hour_process.kernel import Inputs, Pair, noise_of, variance_of
from watthour.forecasting.hour_process.one_hour import OneHour
from watthour.forecasting.hour_process.temperature import has_temperature
from watthour.forecasting.hour_process.yesterday import Surprises

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.forecasting.hour_process.known import Asked, Chain
    from watthour.forecasting.hour_process.state import State
    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The training days solved at each hour."""

    inputs: Inputs
    rows: tuple[Instants, ...]  # of each hour: the training days whose load it knows
    hours: tuple[OneHour, ...]

    @classmethod
    def fit(cls, state: State) -> Curves:
        """Factor the training days at each hour."""
        inputs = state.inputs(state.numbers, state.windows)
        rows = tuple(np.flatnonzero(np.isfinite(state.log_loads[:, hour])) for hour in range(HOURS))
        hours = []
        for hour, covariance in enumerate(Pair(inputs, inputs).covariances(state.constants)):
            here = rows[hour]
            noise = noise_of(inputs, hour, state.constants.noise)[here]
            hours.append(OneHour.fit(covariance[np.ix_(here, here)], noise, state.log_loads[here, hour]))
        return cls(inputs, rows, tuple(hours))


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """Log load of the days of one issue, by clock hour; NaN where their temperature is unknown."""

    mean: Array  # (m, 24)
    deviation: Array  # (m, 24)


def expect(state: State, curves: Curves, chain: Chain, asked: list[Asked]) -> Iterator[tuple[int, Expectation]]:
    """Yield the expectation of each issue of a chain, with its position among all."""
    later = state.inputs(chain.numbers, chain.windows)
    members = [asked[position] for position, _ in chain.issues]
    seen = [np.flatnonzero(has_temperature(each.windows)) for each in members]
    days = np.concatenate([each.issue.day[rows] for each, rows in zip(members, seen, strict=True)])
    around = np.concatenate([each.windows[rows] for each, rows in zip(members, seen, strict=True)])
    wanted = state.inputs(days, around)
    ends = np.cumsum([0, *(len(rows) for rows in seen)])
    means, variances, surprises = _solve(state, curves, chain, later, wanted, members, ends)
    for number, (position, n_later) in enumerate(chain.issues):
        each, rows, mine = members[number], seen[number], slice(ends[number], ends[number + 1])
        mean, deviation = (np.full((len(each.issue.day), HOURS), np.nan) for _ in range(2))
        mean[rows], deviation[rows] = means[mine], np.sqrt(variances[mine])
        n_known = int(np.searchsorted(state.numbers, each.known_day)) + n_later
        known = surprises.first(n_known).to_whole_day()
        deviation *= known.scale()
        if len(known.number):
            next_day = each.issue.day == known.number[-1] + 1
            if next_day.any():
                added, shrinks_to = known.next_day()
                mean[next_day] += added
                deviation[next_day] *= shrinks_to
        yield position, Expectation(mean, deviation)


def _solve(
    state: State, curves: Curves, chain: Chain, later: Inputs, wanted: Inputs, members: list[Asked], ends: Array
) -> tuple[Array, Array, Surprises]:
    """Return mean and variance of each wanted day, (m, 24), and the surprises of training and later days."""
    means, variances = (np.full((len(wanted.days.number), HOURS), np.nan) for _ in range(2))
    n_days = len(state.numbers) + len(chain.numbers)
    errors, deviations = (np.full((n_days, HOURS), np.nan) for _ in range(2))
    constants, prior = state.constants, variance_of(wanted, state.constants)
    pairs = (
        Pair(curves.inputs, later),
        Pair(later, later),
        Pair(curves.inputs, wanted),
        Pair(later, wanted),
    )
    for hour, (cross, own, cross_wanted, later_wanted) in enumerate(
        zip(*(pair.covariances(constants) for pair in pairs), strict=True)
    ):
        here = curves.rows[hour]
        since = np.flatnonzero(np.isfinite(chain.log_loads[:, hour]))
        noise = noise_of(later, hour, constants.noise)[since]
        one = curves.hours[hour].then(
            cross[np.ix_(here, since)], own[np.ix_(since, since)], noise, chain.log_loads[since, hour]
        )
        noise_wanted = noise_of(wanted, hour, constants.noise)
        for number, (each, (_, n_rows)) in enumerate(zip(members, chain.issues, strict=True)):
            mine = np.arange(ends[number], ends[number + 1])
            if len(mine):
                mean, variance = one.predict(
                    cross_wanted[np.ix_(here, mine)],
                    later_wanted[np.ix_(since, mine)],
                    prior[mine],
                    int(np.searchsorted(state.numbers[here], each.first_unknown(hour))),
                    int(np.searchsorted(since, n_rows)),
                )
                means[mine, hour], variances[mine, hour] = mean, variance + noise_wanted[mine]
        for days, factor in ((here, one.base), (len(state.numbers) + since, one.later)):
            errors[days, hour], deviations[days, hour] = factor.surprise, factor.deviation
    return means, variances, Surprises.of(np.concatenate([state.numbers, chain.numbers]), errors, deviations)
