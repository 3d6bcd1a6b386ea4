"""Everything that was known at some requests, and at like requests of the days beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.calendar import day_starts
from watthour.forecasting.gaussian_process.day_process.feed_weather import FeedWeather
from watthour.forecasting.gaussian_process.day_process.feeds import REFERENCE
from watthour.forecasting.gaussian_process.day_process.weather import LAGS, estimates
from watthour.forecasting.gaussian_process.history import since
from watthour.forecasting.gaussian_process.loads import WATCHED_DAYS, is_known, known_loads
from watthour.forecasting.gaussian_process.local_days import is_complete
from watthour.forecasting.vintages import forecast_vintages

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.day_process.feeds import Feeds
    from watthour.forecasting.gaussian_process.day_process.state import State
    from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests, IssueSchedule, Mask
    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class KnownInputs:
    """What was known at a requests: those of the targets, then those of later days and of days under way.

    All are asked by one schedule. Later days are those after the training. The day under way is the one after the last
    that is known whole: where measurements end.
    """

    schedule: IssueSchedule
    n_requests: int  # of the targets
    requests: DayRequests  # (a)
    weather: Array  # (a, points, LAGS, 4) filled [degC]
    substituted: Mask  # (a,) whether it is that of a provider that stands in for the usual one
    is_strange: Mask  # (a,) whether it is that of a provider that the model was not trained with, as it came
    lacks_points: Mask  # (a,) whether that of single points was estimated from the others
    lacks_days: Mask  # (a,) whether that of a day before was taken from the day after it
    log_rival: Array  # (a, intervals) NaN on days not known whole
    later: Instants  # (r,) day numbers
    row_of_later: Instants  # (r,) the request of each later day
    loads: Array  # (a, r, intervals) of later days as known at each request, NaN where unknown
    is_whole: Mask  # (a, r) over and known but for a few intervals
    has_gap: Mask  # (a, r) of these, which lack some intervals
    last_known: Instants  # (a,) the last day that was over when measurements end and is known whole
    row_under_way: Instants  # (a,) the request of the day after; -1 where there is none
    under_way: Array  # (a, intervals) load of that day, NaN where unknown

    @classmethod
    def of(
        cls,
        history: History,
        state: State,
        requests: DayRequests,
        schedule: IssueSchedule,
        feeds: Feeds,
        variant: int = REFERENCE,
    ) -> Self:
        """Look everything up as it was known at each request.

        Args:
            history: what is known, at least of ``recent``.
            state: of the model.
            requests: of the targets, n.
            schedule: by which all of them are asked.
            feeds: the providers of the weather.
            variant: on which of them the forecast stands.
        """
        grid, n = state.grid, len(requests.day)
        first_later = int(state.days[-1]) + 1
        later = np.arange(first_later, max(int(requests.day.max()) + 1, first_later))
        asked = requests.followed_by(schedule.requests(later, grid.time_zone))
        under_way = _whole_days(history, state, asked, later)[0] + 1
        days = np.union1d(later, under_way)
        both = requests.followed_by(schedule.requests(days, grid.time_zone))
        last_known, loads, is_whole = _whole_days(history, state, both, later)
        row = n + np.searchsorted(days, np.clip(last_known + 1, None, days[-1]))
        row_under_way = np.where(days[row - n] == last_known + 1, row, -1)
        reference, others, is_strange = weather_by_feed(history, state, both)
        weather, substituted = feeds.filled(
            variant, both.day, reference, others, np.searchsorted(state.days, last_known, side="right")
        )
        lacks_points, lacks_days = estimates(reference.values)
        return cls(
            schedule=schedule,
            n_requests=n,
            requests=both,
            weather=weather,
            substituted=substituted,
            is_strange=is_strange,
            lacks_points=lacks_points,
            lacks_days=lacks_days,
            log_rival=np.log(rival_forecasts(history, state.rival, both, grid)),
            later=later,
            row_of_later=n + np.searchsorted(days, later),
            loads=loads,
            is_whole=is_whole,
            has_gap=is_whole & (np.isnan(loads) & ~grid.skipped(later)).any(axis=-1),
            last_known=last_known,
            row_under_way=row_under_way,
            under_way=_under_way(history, both, last_known + 1, grid),
        )

    @property
    def distance(self) -> Instants:
        """Days from the last one known whole to the one asked for, (a,)."""
        return self.requests.day - self.last_known

    def once_known(self, values: Array) -> Array:
        """Return values of later days from the first request that knew them whole, (r, intervals).

        NaN where none did.

        Args:
            values: (a, r, intervals).
        """
        first = self.is_whole.argmax(axis=0)
        found = values[first, np.arange(values.shape[1])]
        found[~np.asarray(self.is_whole.any(axis=0))] = np.nan
        return np.asarray(found, dtype=np.float64)


def weather_by_feed(
    history: History, state: State, requests: DayRequests
) -> tuple[FeedWeather, tuple[FeedWeather, ...], Mask]:
    """Return the weather known at each request by the provider of the reference, and by the others.

    Where none of them knows a request's day, anybody's forecast of the channels of the reference counts as it comes;
    the third says of which requests, (requests,).
    """
    reference = FeedWeather.of(history, state.points, requests)
    others = tuple(FeedWeather.of(history, each.points, requests) for each in state.others)
    is_strange = ~np.logical_or.reduce([each.is_known for each in (reference, *others)])
    rows = np.flatnonzero(is_strange) if state.points and state.points[0].feed else np.empty(0, dtype=np.int64)
    is_strange[:] = False
    if len(rows):
        anybody = tuple(replace(point, feed="") for point in state.points)
        found = FeedWeather.of(history, anybody, requests.take(rows))
        is_strange[rows] = found.is_known
        reference.values[is_strange] = found.values[found.is_known]
    return reference, others, is_strange


def recent(history: History, state: State, requests: DayRequests) -> History:
    """Return the part of a history that the inputs of requests can come from."""
    first_over = int(requests.last_over(state.grid.time_zone).min())
    first = min(int(state.days[-1]) + 1 - LAGS, int(requests.day.min()) - LAGS, first_over - WATCHED_DAYS)
    return since(history, first)


def rival_forecasts(history: History, rival: str | None, requests: DayRequests, grid: DayGrid) -> Array:
    """Return a rival's forecast of each request's day as known at its issue, (requests, intervals).

    NaN throughout where an interval is unknown; one that the clock skips is interpolated, as nothing happens in it.
    """
    nothing = np.full((len(requests.day), grid.n_intervals), np.nan)
    if rival is None:
        return nothing
    values, columns = _said_by(rival, history, requests, grid)
    found = grid.by_clock(np.where(values > 0, values, np.nan), columns)
    skipped = grid.skipped(requests.day)
    whole = is_complete(np.where(skipped, 0.0, found))
    for row in np.flatnonzero(whole & skipped.any(axis=1)):
        there = np.flatnonzero(~skipped[row])
        found[row] = np.interp(np.arange(grid.n_intervals), there, found[row, there])
    return np.where(whole[:, None], found, nothing)


def says_nothing_positive(history: History, rival: str | None, requests: DayRequests, grid: DayGrid) -> Mask:
    """Return of which requests' days the rival's forecast is zero or negative in some interval, (requests,)."""
    if rival is None:
        return np.zeros(len(requests.day), dtype=np.bool_)
    values, columns = _said_by(rival, history, requests, grid)
    return np.asarray(((values <= 0) & (columns >= 0)).any(axis=1))


def _said_by(rival: str, history: History, requests: DayRequests, grid: DayGrid) -> tuple[Array, Instants]:
    """Return a rival's forecast of the slots of each request's day as known at its issue, and their columns."""
    times, columns = grid.slots(requests.day)
    vintages = forecast_vintages(history, history.context.channel.id, model=rival)
    return vintages.known(times, requests.issued[:, None]), columns


def _whole_days(history: History, state: State, requests: DayRequests, later: Instants) -> tuple[Instants, Array, Mask]:
    """Return the last day that each request knows whole, (m,), the loads of later days, and which are known whole.

    A day counts if it was over when measurements end; of training days, those published at issue, in order of time.
    Loads are (m, r, intervals), NaN where unknown; the third is (m, r).
    """
    over = requests.last_over(state.grid.time_zone)
    published = np.searchsorted(np.maximum.accumulate(state.known_since), requests.issued, side="right")
    n_trained = np.minimum(published, np.searchsorted(state.days, over, side="right"))
    trained = np.concatenate([state.days[:1] - 1, state.days])[n_trained]
    loads = known_loads(history, requests, later, state.grid)
    is_whole = is_known(loads, state.grid.skipped(later)) & (later[None, :] <= over[:, None])
    is_whole &= (n_trained == len(state.days))[:, None]
    return np.maximum(trained, np.where(is_whole, later, 0).max(axis=1, initial=0)), loads, is_whole


def _under_way(history: History, requests: DayRequests, days: Instants, grid: DayGrid) -> Array:
    """Return the load of one day per request as known at it, (requests, intervals); NaN where unknown."""
    found = np.full((len(days), grid.n_intervals), np.nan)
    begun = np.flatnonzero(requests.known_until > day_starts(days, grid.time_zone))
    if len(begun):
        found[begun] = known_loads(history, requests.take(begun), days[begun, None], grid)[:, 0]
    return found
