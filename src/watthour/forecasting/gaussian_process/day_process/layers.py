"""The layers of a fitted model, one pair for each level of the weather that may be known, made when needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.calendar import JULIAN_YEAR
from watthour.forecasting.gaussian_process.day_process.calendar import calendar
from watthour.forecasting.gaussian_process.day_process.inputs import day_inputs, spread_features, with_rival
from watthour.forecasting.gaussian_process.day_process.kernel import (
    LOAD_WITHOUT_WEATHER,
    RIVAL_WITHOUT_WEATHER,
    LoadKernel,
    RivalKernel,
)
from watthour.forecasting.gaussian_process.day_process.layer import GpLayer, LayerRequest, usable_lag
from watthour.forecasting.gaussian_process.day_process.rival_layer import RivalLayer
from watthour.forecasting.gaussian_process.day_process.weather import (
    WeatherLevel,
    levels_known,
)
from watthour.forecasting.gaussian_process.kernels import days_apart
from watthour.forecasting.gaussian_process.local_days import is_complete
from watthour.forecasting.gaussian_process.points import shares

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.calendar import Calendar
    from watthour.forecasting.gaussian_process.day_process.inputs import DayInputs
    from watthour.forecasting.gaussian_process.day_process.known_inputs import KnownInputs
    from watthour.forecasting.gaussian_process.day_process.state import State
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_NOT_ASKED = -1  # a level of the weather that is none
_FEWEST_WITH_WEATHER = 200  # days
_FEWEST_WITH_RIVAL = 60  # days
# The furthest error of a rival on a day, in log load, beyond which it is a fault of the feed: 0.25, or where more than
# a fifth of the days before are as far off (solar panels at noon) three times their median; a doubled figure is 0.69
# away.
_LARGEST_ERROR, _USUAL_SHARE, _TIMES_USUAL, _FEWEST_ERRORS = (0.25, 0.6), 0.2, 3.0, 10
# A rival that was so near to what we expected, had nothing changed, in parts of its furthest error, was not at fault:
# nobody expected such a load. Beyond the second, in log load, the load may come back as suddenly.
_AGREED, _LARGEST_AGREED = 1 / 3, 0.5
_SETTLING_DAYS = 40  # before our own online forecasts can be compared with the rival's
# A rival may be further from our own than on all but one in 200 of the days of the last year, by this factor; and what
# is always or never allowed, in log load. Each is of a whole day, and of its furthest interval from there: a doubled
# figure is 0.69 away.
_USUALLY, _FURTHER, _ALWAYS, _NEVER = 0.995, 1.25, (0.1, 0.15), (0.35, 0.5)
_ALWAYS_WITHOUT_WEATHER = (0.2, 0.25)  # our own view is then more often off than a rival is: it knows of no heat wave
_COMPARED, _FEWEST_COMPARED = 365, 60  # days
# Without weather, a rival that says what the load has been on a day of the season may be as far off as is ever allowed:
# so near to that day's load, as a whole and at its furthest interval, and so many days of the year from it.
_AS_BEFORE, _SEASON = (0.05, 0.1), 45
# Without weather, errors of one season are alike: a year holds too few independent ones for its quantiles.
_WIDER_WITHOUT_WEATHER = 1.04


@dataclass(frozen=True, slots=True, eq=False)
class DayForecast:
    """What the layers say of m requests."""

    log_quantiles: Array  # (m, intervals, levels)
    level: Instants  # (m,) of the weather that was used
    has_rival: Mask  # (m,) whether it stands on the rival's forecast
    refuses_rival: Mask  # (m,) whether the rival's forecast was known, but too far from our own to be believed


@dataclass(frozen=True, slots=True, eq=False)
class LevelInputs:
    """The inputs of a requests at one level of the weather."""

    inputs: DayInputs
    features: Array  # (a, k)
    chosen: Mask  # (a,) the targets of this level, and all others of which enough is known
    is_enough: Mask  # (a,) whether so much of the weather is known

    @classmethod
    def of(
        cls, days: Calendar, known: KnownInputs, level: WeatherLevel, shares: Array, *, is_target: Mask, is_enough: Mask
    ) -> Self:
        """Return the inputs of all requests; ``is_target`` (m,) are those to be answered at this level."""
        chosen = is_enough.copy()
        chosen[: known.n_requests] = is_target
        return cls(
            day_inputs(days, known.weather, shares, level, known.substituted),
            spread_features(days, known.weather, shares, level, known.substituted),
            chosen,
            is_enough,
        )

    def of_load(self, known: KnownInputs) -> LayerRequest:
        """Return the request of the load's layer."""
        under_way = np.where(self.is_enough[known.row_under_way, None], known.under_way, np.nan)
        return LayerRequest(
            self.inputs,
            self.features,
            np.log(known.loads),
            np.log(under_way),
            self.chosen,
            self.is_enough[known.row_of_later],
        )

    def of_rival(self, known: KnownInputs, unchanged: Array, believed: Mask, furthest: Array) -> LayerRequest:
        """Return the request of the rival's layer, given what the load's layer expects of the chosen.

        Args:
            known: what is known at each request.
            unchanged: (chosen, intervals) log load as if nothing had changed, of which the rival may know nothing.
            believed: of which requests the rival's forecast is, (a,).
            furthest: error of the rival on each training day, (n,).
        """
        load, log_rival = self.of_load(known), np.where(believed[:, None], known.log_rival, np.nan)
        ours = np.full_like(log_rival, np.nan)
        ours[self.chosen] = unchanged
        later, under_way = log_rival[known.row_of_later], log_rival[known.row_under_way]
        errors = load.log_values - later
        of_later, own_of_later = _furthest(known.once_known(errors)), ours[known.row_of_later]
        is_fault = _faults(np.concatenate([furthest, of_later]))[len(furthest) :]  # as of the days learned from
        is_fault &= ~_agreed(own_of_later, later, of_later)
        return LayerRequest(
            with_rival(self.inputs, log_rival, ours),
            self.features,
            errors,
            load.log_under_way - under_way,
            self.chosen & believed,
            load.usable & believed[known.row_of_later] & ~is_fault,
        )


class Layers:
    """The training days as inputs, and what is learnt from them."""

    def __init__(self, state: State, weather: Array, substituted: Mask) -> None:
        """Take the training days with their weather in one variant.

        Args:
            state: n days.
            weather: filled, (n, points, LAGS, 4) [degC].
            substituted: whose weather is that of a provider that stands in for the usual one, (n,).
        """
        self._state, self._weather, self._substituted = state, weather, substituted
        self._shares = shares(state.points)
        self._of_load: dict[WeatherLevel, GpLayer] = {}
        self._of_rival: dict[tuple[WeatherLevel, int], RivalLayer] = {}
        self._distances: dict[tuple[WeatherLevel, int], Array] = {}

    @cached_property
    def best_level(self) -> WeatherLevel:
        """The most weather that any forecast can use."""
        enough = [level for level in WeatherLevel if self._rows(level).sum() >= _FEWEST_WITH_WEATHER]
        return max(enough, default=WeatherLevel.NONE)

    @property
    def uses_rival(self) -> bool:
        """Whether there are enough days to learn a rival's errors."""
        return bool(self._rival_rows.sum() >= _FEWEST_WITH_RIVAL)

    def forecast(self, known: KnownInputs) -> DayForecast:
        """Forecast the requests of the targets, each with the layers that know as much of the weather as it does."""
        levels = self._usable_levels(known)
        found = self._at_levels(known, levels)
        # Where the weather is a stand-in's, the rival's error as the calendar expects it is as good a guess as ours.
        both = found.has_rival & (levels > 0) & known.substituted[: known.n_requests]
        if both.any():
            without = self._at_levels(known, np.where(both, WeatherLevel.NONE, _NOT_ASKED))
            both &= without.has_rival
            found.log_quantiles[both] = (found.log_quantiles[both] + without.log_quantiles[both]) / 2
        return found

    def _at_levels(self, known: KnownInputs, levels: Instants) -> DayForecast:
        """Forecast the requests of the targets each at a level of the weather, (m,), NaN where none is asked."""
        state, n = self._state, known.n_requests
        available = levels_known(known.weather)
        found = np.full((n, state.grid.n_intervals, len(LEVELS)), np.nan)
        has_rival, refuses = np.zeros((2, n), dtype=np.bool_)
        days = calendar(known.requests.day, state.place)
        for level in (each for each in WeatherLevel if (levels == each).any()):
            asked = LevelInputs.of(
                days, known, level, self._shares, is_target=levels == level, is_enough=available >= level
            )
            load = self._load(level).forecast(known, asked.of_load(known))
            found[levels == level] = load.log_quantiles
            if not self.uses_rival:
                continue
            from_days, own = load.expectation.from_days, np.full(known.log_rival.shape, np.nan)
            own[asked.chosen] = load.expectation.log_values
            believed = self._believes(level, known, asked, from_days.values)
            of_rival = asked.of_rival(known, from_days.unchanged, believed, self._rivals_furthest)
            enough = self._n_before(self._rows(level) & self._rival_rows, known) >= _FEWEST_WITH_RIVAL
            refuses |= (levels == level) & enough & is_complete(known.log_rival[:n]) & ~believed[:n]
            of_rival.chosen[:n] &= enough
            with_rival = of_rival.chosen[:n]
            if with_rival.any():
                layer = self._rival(level, int(usable_lag(known.schedule.lag)))
                errors = layer.log_quantiles(known, of_rival, own[of_rival.chosen])
                found[with_rival] = errors + known.log_rival[:n][with_rival][:, :, None]
                has_rival |= with_rival
        median = found[:, :, LEVELS.index(0.5), None]
        wider = np.where(levels > 0, 1.0, _WIDER_WITHOUT_WEATHER)[:, None, None]
        return DayForecast(median + wider * (found - median), levels, has_rival, refuses)

    def _believes(self, level: WeatherLevel, known: KnownInputs, asked: LevelInputs, from_days: Array) -> Mask:
        """Return of which requests the rival's forecast is known and not too far from our own, (a,).

        Too far is what hardly any day of the last year was. Where our own forecast is less certain, as in a season of
        uncertain weather, more is allowed: in proportion to the root of its scale, since the scale is itself uncertain.

        Args:
            level: of the weather.
            known: what is known at each request.
            asked: the inputs of the requests.
            from_days: log load that was forecast of those chosen, (chosen, intervals).
        """
        chosen, lag = asked.chosen, int(usable_lag(known.schedule.lag))
        spread, last_known = self._load(level).spread(lag, 0), known.last_known[chosen]
        scale = spread.scale_of(
            asked.inputs.calendar.index[chosen], asked.features[chosen], spread.index[None, :] <= last_known[:, None]
        )
        distances, n_days = self._past_distances(level, lag), np.searchsorted(self._state.days, last_known, "right")
        always = _ALWAYS if level else _ALWAYS_WITHOUT_WEATHER
        limits = np.empty((len(n_days), 2))
        for n in np.unique(n_days):
            past = distances[max(n - _COMPARED, 0) : n]
            past = past[np.isfinite(past).all(axis=1)]
            is_enough = len(past) >= _FEWEST_COMPARED
            limits[n_days == n] = _FURTHER * np.quantile(past, _USUALLY, axis=0) if is_enough else np.inf
        limits = np.clip(limits * _root(scale), always, _NEVER)
        away = _distance(from_days - known.log_rival[chosen])
        is_near: Mask = np.asarray((away <= limits).all(axis=1))
        if not level:
            # We know of no weather, so what the load has been before at that time of the year can be again.
            for row in np.flatnonzero(~is_near & (away <= _NEVER).all(axis=1)):
                rival, day = known.log_rival[chosen][row], asked.inputs.calendar.day_of_year[chosen][row]
                is_near[row] = self._has_been(rival, day, int(n_days[row]))
        believed = np.zeros(len(chosen), dtype=np.bool_)
        believed[chosen] = is_near
        return believed

    def _has_been(self, log_rival: Array, day_of_year: float, n_days: int) -> bool:
        """Tell whether a day like one that a rival forecasts is among the first known ones, at that time of the year.

        Args:
            log_rival: of its intervals, (n,).
            day_of_year: of the day.
            n_days: known.
        """
        apart = days_apart(self._calendar.day_of_year[:n_days], np.array([day_of_year]))[:, 0]
        loads = self._state.log_loads[:n_days]
        loads = loads[is_complete(loads) & (np.minimum(apart, JULIAN_YEAR - apart) <= _SEASON)]
        return bool((_distance(loads - log_rival) <= _AS_BEFORE).all(axis=1).any())

    def _past_distances(self, level: WeatherLevel, lag: int) -> Array:
        """Return how far the rival was from our own on each training day, by the root of our scale, (days, 2)."""
        if (level, lag) not in self._distances:
            rows, load = self._rows(level), self._load(level)
            away = np.full((len(rows), 2), np.nan)
            away[rows] = _distance(load.online(lag) - self._state.log_rival[rows]) / _root(load.spread(lag, 0).scales)
            away[~self._rival_rows] = np.nan  # a fault of the feed
            self._distances[level, lag] = away
        return self._distances[level, lag]

    def _usable_levels(self, known: KnownInputs) -> Instants:
        """Return how much weather each request of the targets knows and has enough days to use, (m,)."""
        available = levels_known(known.weather)[: known.n_requests]
        levels = np.zeros_like(available)
        for level in (WeatherLevel.TEMPERATURE, WeatherLevel.ALL):
            n_learnt = self._n_before(self._rows(level), known)
            levels[(available >= level) & (n_learnt >= _FEWEST_WITH_WEATHER)] = level
        return levels

    def _n_before(self, rows: Mask, known: KnownInputs) -> Instants:
        """Return how many of some training days each request of the targets knows, (m,)."""
        days = self._state.days[rows]
        return np.searchsorted(days, known.last_known[: known.n_requests], side="right")

    def _load(self, level: WeatherLevel) -> GpLayer:
        """Return the layer of the load that looks at so much weather."""
        if level not in self._of_load:
            rows, kernel = self._rows(level), LoadKernel() if level else LOAD_WITHOUT_WEATHER
            state, inputs = self._state, self._trained(level)
            features = self._features(self._calendar, self._weather, level)
            self._of_load[level] = GpLayer(kernel, inputs.take(rows), state.log_loads[rows], features[rows])
        return self._of_load[level]

    def _rival(self, level: WeatherLevel, lag: int) -> RivalLayer:
        """Return the layer of the rival's errors; among its inputs is what the load's layer would have said online.

        The lag is that of the days asked for, as what we say of a day depends on it.
        """
        if (level, lag) not in self._of_rival:
            state = self._state
            of_level, load = self._rows(level), self._load(level)
            ours = np.full_like(state.log_loads, np.nan)
            ours[of_level] = load.unchanged_online(lag)
            agreed = self._has_rival & _agreed(ours, state.log_rival, self._rivals_furthest)
            rows = of_level & (self._rival_rows | agreed)
            inputs = with_rival(self._trained(level), state.log_rival, ours).take(rows)
            features = self._features(self._calendar, self._weather, level)[rows]
            errors = (state.log_loads - state.log_rival)[rows]
            process = GpLayer(RivalKernel() if level else RIVAL_WITHOUT_WEATHER, inputs, errors, features)
            self._of_rival[level, lag] = RivalLayer(
                process,
                state.log_rival[rows],
                errors,
                features,
                own=lambda lag, n_known: load.online_corrected(lag, n_known)[rows[of_level]],
                # With weather the process itself weighs how we differ; more gave New York nothing steady.
                weighs=level == WeatherLevel.NONE,
            )
        return self._of_rival[level, lag]

    def _trained(self, level: WeatherLevel) -> DayInputs:
        return self._inputs(self._calendar, self._weather, level)

    def _inputs(self, days: Calendar, weather: Array, level: WeatherLevel) -> DayInputs:
        return day_inputs(days, weather, self._shares, level, self._substituted)

    def _features(self, days: Calendar, weather: Array, level: WeatherLevel) -> Array:
        return spread_features(days, weather, self._shares, level, self._substituted)

    def _rows(self, level: WeatherLevel) -> Mask:
        return np.asarray(self._levels >= level)

    @cached_property
    def _levels(self) -> Instants:
        return levels_known(self._weather)

    @cached_property
    def _calendar(self) -> Calendar:
        return calendar(self._state.days, self._state.place)

    @cached_property
    def _has_rival(self) -> Mask:
        days = self._state.days
        return np.asarray(is_complete(self._state.log_rival) & (days >= days[0] + _SETTLING_DAYS), dtype=np.bool_)

    @cached_property
    def _rival_rows(self) -> Mask:
        return np.asarray(self._has_rival & ~_faults(self._rivals_furthest), dtype=np.bool_)

    @cached_property
    def _rivals_furthest(self) -> Array:
        return _furthest(self._state.log_loads - self._state.log_rival)


def _furthest(errors: Array) -> Array:
    """Return the size of the furthest error of each day, (n,) of (n, intervals); NaN where none is known."""
    sizes = np.where(np.isfinite(errors), np.abs(errors), -np.inf).max(axis=1)
    return np.where(np.isfinite(sizes), sizes, np.nan)


def _faults(furthest: Array) -> Mask:
    """Return on which days the furthest error is beyond what the days before make likely, (n,) each."""
    limits = np.full(len(furthest), _LARGEST_ERROR[0])
    for day in np.flatnonzero(furthest >= _LARGEST_ERROR[0]):
        before = furthest[max(day - _COMPARED, 0) : day]
        before = before[np.isfinite(before)]
        if len(before) >= _FEWEST_ERRORS and (before >= _LARGEST_ERROR[0]).mean() > _USUAL_SHARE:
            limits[day] = np.clip(_TIMES_USUAL * np.median(before), *_LARGEST_ERROR)
    return np.asarray(furthest >= limits)


def _agreed(ours: Array, log_rival: Array, furthest: Array) -> Mask:
    """Return on which days we were as far off as a rival, whose furthest error is given, (n,).

    Our own log forecast, as if nothing had changed, and the rival's are (n, intervals).
    """
    return np.asarray((_furthest(ours - log_rival) <= _AGREED * furthest) & (furthest < _LARGEST_AGREED))


def _distance(gap: Array) -> Array:
    """Return how far two log forecasts of days are apart, (m, 2) of (m, intervals).

    First as a whole, which a single interval does not move, then the furthest interval from there: a level may be
    uncertain where the course of the day is not.
    """
    level = np.median(gap, axis=1)
    return np.stack([np.abs(level), np.abs(gap - level[:, None]).max(axis=1)], axis=1)


def _root(scale: Array) -> Array:
    """Return the root of the mean scale of each day, (m, 1) of (m, intervals)."""
    return np.asarray(np.sqrt(scale.mean(axis=1))[:, None])
