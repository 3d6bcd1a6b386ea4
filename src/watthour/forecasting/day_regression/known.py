"""What was known at requests: the days before each, what is said of the asked day, and the days since the training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.day_regression.day_table import (
    between_columns,
    filled,
    is_whole,
    known_covariates,
    known_values,
)
from watthour.forecasting.day_regression.inputs import COVARIATE_LAGS, REACH_BACK, DayFacts, lags_of

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.day_regression.day_table import Channels, Clock
    from watthour.forecasting.day_regression.inputs import DayCalendar
    from watthour.forecasting.day_regression.state import State
    from watthour.forecasting.gaussian_process.local_days import DayRequests, IssueSchedule, Mask
    from watthour.forecasting.vintages import Array, Instants

_AT_ONCE = 32  # requests whose view of all later days is compared at once


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What m requests know, in order of issue."""

    requests: DayRequests
    last_over: Instants  # (m,) the last day that was over when measurements end
    last_known: Instants  # (m,) the last of these that is known whole; below ``last_over - REACH_BACK`` if none is
    recent: Array  # (m, REACH_BACK + 1, hours) days to ``last_over``, filled; NaN where none is known
    covariates: Array  # (m, lags, variables, hours) filled
    unknown: Mask  # (m, variables, hours) what of the asked day's was unknown
    beyond: Array  # (m, variables, hours) what of it is so far from all that was learned that it is limited, else NaN

    @classmethod
    def of(cls, history: History, state: State, requests: DayRequests) -> Self:
        """Look up what was known at each request."""
        clock = state.clock
        last_over = np.minimum(requests.last_over(clock.grid.time_zone), requests.day - 1)
        days = last_over[:, None] + np.arange(-REACH_BACK, 1)
        values = known_values(history, clock, requests, days)
        whole = is_whole(values)
        last_known = np.where(whole, days, -1).max(axis=1)
        found = known_covariates(
            history, clock, state.variables, requests, requests.day[:, None] - np.array(COVARIATE_LAGS)
        )
        limited = state.limited(found)
        asked = found[:, 0]
        return cls(
            requests,
            last_over,
            last_known,
            clock.hourly(filled(between_columns(np.where(whole[..., None], values, np.nan)), axis=1)),
            _covariates(limited, state),
            np.asarray(np.isnan(asked), dtype=np.bool_),
            np.where(asked == limited[:, 0], np.nan, asked),
        )

    def without_covariates(self) -> Self:
        """Return it for a process that was learned without."""
        return replace(self, covariates=self.covariates[:, :, :0])

    @property
    def stands_in(self) -> Mask:
        """Whether nothing of a covariate of the asked day was known, (m, variables)."""
        return np.asarray(self.unknown.all(axis=-1), dtype=np.bool_)

    @property
    def leads(self) -> Instants:
        """Days from the last known one to the asked one, (m,)."""
        return self.requests.day - self.last_known

    @property
    def can_answer(self) -> Mask:
        """Which requests know any whole day of the last weeks, (m,)."""
        return self.last_known >= self.last_over - REACH_BACK

    def facts(self, rows: Instants, lead: int, calendar: DayCalendar) -> DayFacts:
        """Return what some requests, all of one lead, are forecast from."""
        day = self.requests.day[rows]
        column = day[:, None] - np.array(lags_of(lead)) - (self.last_over[rows, None] - REACH_BACK)
        values = self.recent[rows[:, None], np.clip(column, 0, REACH_BACK)]
        return DayFacts.of(day, values, self.covariates[rows], lead, calendar)


def _covariates(found: Array, state: State) -> Array:
    """Fill gaps: within a day from the hours beside them, whole days from the nearest day that is known."""
    found = between_columns(found)
    last = filled(between_columns(state.covariates), axis=1)[0, -1]
    for _ in COVARIATE_LAGS:
        neighbour = np.where(np.isnan(found[:, [1, 0, 1]]), found[:, [2, 2, 0]], found[:, [1, 0, 1]])
        found = np.where(np.isnan(found), neighbour, found)
    return np.where(np.isnan(found), last, found)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Requests that agree, and the days since the training as they know them."""

    rows: Instants  # of these requests
    values: Array  # (r, intervals) NaN where unknown


def later_groups(history: History, state: State, known: Known) -> list[Group]:
    """Return the requests in groups that agree on the days since the training, as far as each knows them.

    Where no measurement is revised and none comes late, they all agree, and one factor serves all.
    """
    requests, first = known.requests, state.last_day + 1
    rows = np.argsort(known.last_over, kind="stable")
    days = np.arange(first, max(int(known.last_over.max(initial=first - 1)) + 1, first))
    groups: list[list[int]] = []
    tables: list[Array] = []
    before: Array | None = None
    for start in range(0, len(rows), _AT_ONCE):
        here = rows[start : start + _AT_ONCE]
        values = known_values(history, state.clock, requests.take(here), days)
        for row, table in zip(here.tolist(), values, strict=True):
            table[days > known.last_over[row]] = np.nan
            if before is not None and groups and _agree(before, table, int(known.last_over[groups[-1][-1]]) - first):
                groups[-1].append(row)
                tables[-1] = table
            else:
                groups.append([row])
                tables.append(table)
            before = table
    return [Group(np.array(group), table) for group, table in zip(groups, tables, strict=True)]


def one_group(history: History, state: State, known: Known) -> list[Group]:
    """Return all requests as one group, with the days since the training as the latest of them knows them.

    What each is asked from stays its own: only what was late for one, of days over by then, is learned from as well.
    """
    requests, first = known.requests, state.last_day + 1
    days = np.arange(first, max(int(known.last_over.max(initial=first - 1)) + 1, first))
    latest = requests.take(np.array([requests.issued.argmax()]))
    return [Group(np.arange(len(requests.day)), known_values(history, state.clock, latest, days)[0])]


def _agree(before: Array, after: Array, last: int) -> bool:
    n_days = max(last + 1, 0)
    return bool(np.array_equal(before[:n_days], after[:n_days], equal_nan=True))


def later_covariates(history: History, state: State, last_day: int) -> Array:
    """Return what was said ahead of each day since the training, by the usual schedules: as those of a state."""
    days = np.arange(state.last_day + 1, max(last_day, state.last_day) + 1)
    found = covariates_ahead(history, state.clock, state.variables, state.schedule, days, len(state.covariates))
    return state.limited(found)


def covariates_ahead(
    history: History, clock: Clock, channels: Channels, schedule: IssueSchedule, days: Instants, n_issues: int
) -> Array:
    """Return what was known ahead of days on a schedule, a day before it, and so on: (issues, d, variables, hours)."""
    found = np.empty((n_issues, len(days), len(channels), clock.n_hours))
    for n in range(n_issues):
        requests = schedule.earlier(n).requests(days, clock.grid.time_zone)
        found[n] = known_covariates(history, clock, channels, requests, days[:, None])[:, 0]
        if n:  # what nothing was said of so far ahead is as it was known later
            found[n] = np.where(np.isnan(found[n]), found[n - 1], found[n])
    return found
