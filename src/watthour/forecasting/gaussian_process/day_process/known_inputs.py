"""Everything that was known at some requests, and at the usual requests of the days beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.calendar import day_starts
from watthour.forecasting.gaussian_process.day_process.weather import LAGS, day_weather, estimates, filled
from watthour.forecasting.gaussian_process.history import since
from watthour.forecasting.gaussian_process.loads import is_known, known_loads
from watthour.forecasting.gaussian_process.local_days import is_complete
from watthour.forecasting.vintages import forecast_vintages

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.day_process.state import State
    from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests, Mask
    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class KnownInputs:
    """What was known at a requests: those of the targets, then the usual ones of later days and of days under way.

    Later days are those after the training. The day under way is the one in which a request's measurements end.
    """

    n_requests: int  # of the targets
    requests: DayRequests  # (a)
    weather: Array  # (a, points, LAGS, 4) filled [degC]
    lacks_points: Mask  # (a,) whether that of single points was estimated from the others
    lacks_days: Mask  # (a,) whether that of a day before was taken from the day after it
    log_rival: Array  # (a, intervals) NaN on days not known whole
    later: Instants  # (r,) day numbers
    row_of_later: Instants  # (r,) the usual request of each later day
    loads: Array  # (a, r, intervals) of later days as known at each request, NaN where unknown
    is_whole: Mask  # (a, r) over and known but for a few intervals
    has_gap: Mask  # (a, r) of these, which lack some intervals
    last_known: Instants  # (a,) the last day that was over when measurements end, and published where it is trained on
    row_under_way: Instants  # (a,) the usual request of the day after; -1 where nothing is known of it
    under_way: Array  # (a, intervals) load of that day, NaN where unknown
    distance: Instants  # (a,) days since the load was last known whole

    @classmethod
    def of(cls, history: History, state: State, requests: DayRequests, offsets: Array) -> Self:
        """Look everything up as it was known at each request.

        Args:
            history: what is known.
            state: of the model.
            requests: of the targets, n.
            offsets: of each weather point after the first 0, 1, .. training days, (days + 1, points, 4) [K].
        """
        grid, n = state.grid, len(requests.day)
        first_later = int(state.days[-1]) + 1
        history = since(history, min(first_later, int(requests.day.min())) - LAGS)
        later = np.arange(first_later, max(int(requests.day.max()) + 1, first_later))
        usual = state.schedule.requests(later, grid.time_zone)
        under_way = _last_known(requests.followed_by(usual), state) + 1
        days = np.union1d(later, under_way)
        both = requests.followed_by(state.schedule.requests(days, grid.time_zone))
        last_known = _last_known(both, state)
        loads = known_loads(history, both, later, grid)
        skipped = grid.skipped(later)
        is_whole = is_known(loads, skipped) & (later[None, :] <= last_known[:, None])
        row = n + np.searchsorted(days, np.clip(last_known + 1, None, days[-1]))
        row_under_way = np.where(days[row - n] == last_known + 1, row, -1)
        latest = np.where(is_whole, later, 0).max(axis=1, initial=0)
        weather = day_weather(history, state.points, both)
        lacks_points, lacks_days = estimates(weather)
        return cls(
            n_requests=n,
            requests=both,
            weather=filled(weather, offsets[np.searchsorted(state.days, last_known, side="right")]),
            lacks_points=lacks_points,
            lacks_days=lacks_days,
            log_rival=np.log(rival_forecasts(history, state.rival, both, grid)),
            later=later,
            row_of_later=n + np.searchsorted(days, later),
            loads=loads,
            is_whole=is_whole,
            has_gap=is_whole & (np.isnan(loads) & ~skipped).any(axis=-1),
            last_known=last_known,
            row_under_way=row_under_way,
            under_way=_under_way(history, both, last_known + 1, grid),
            distance=both.day - np.maximum(latest, np.minimum(last_known, first_later - 1)),
        )

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


def rival_forecasts(history: History, rival: str | None, requests: DayRequests, grid: DayGrid) -> Array:
    """Return a rival's forecast of each request's day as known at its issue, (requests, intervals).

    NaN throughout where an interval is unknown; one that the clock skips is interpolated, as nothing happens in it.
    """
    nothing = np.full((len(requests.day), grid.n_intervals), np.nan)
    if rival is None:
        return nothing
    times, columns = grid.slots(requests.day)
    values = forecast_vintages(history, history.context.channel.id, model=rival).known(times, requests.issued[:, None])
    found = grid.by_clock(np.where(values > 0, values, np.nan), columns)
    skipped = grid.skipped(requests.day)
    whole = is_complete(np.where(skipped, 0.0, found))
    for row in np.flatnonzero(whole & skipped.any(axis=1)):
        there = np.flatnonzero(~skipped[row])
        found[row] = np.interp(np.arange(grid.n_intervals), there, found[row, there])
    return np.where(whole[:, None], found, nothing)


def _last_known(requests: DayRequests, state: State) -> Instants:
    """Return the last day that was over when measurements end; of training days, that was published at issue."""
    last = requests.last_over(state.grid.time_zone)
    over = np.searchsorted(state.days, last, side="right")
    published = np.searchsorted(np.maximum.accumulate(state.known_since), requests.issued, side="right")
    first_unpublished = state.days[np.minimum(published, len(state.days) - 1)]
    return np.asarray(np.where(published < over, first_unpublished - 1, last))


def _under_way(history: History, requests: DayRequests, days: Instants, grid: DayGrid) -> Array:
    """Return the load of one day per request as known at it, (requests, intervals); NaN where unknown."""
    found = np.full((len(days), grid.n_intervals), np.nan)
    begun = np.flatnonzero(requests.known_until > day_starts(days, grid.time_zone))
    if len(begun):
        found[begun] = known_loads(history, requests.take(begun), days[begun, None], grid)[:, 0]
    return found
