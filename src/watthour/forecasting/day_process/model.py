"""The day process as a recipe: demand from weather and calendar, and the operator's errors from how we differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.core.window import Window
from watthour.forecasting.calendar import local_hours
from watthour.forecasting.day_process.asks import HOURS, Asks, Habit, bridged, is_whole
from watthour.forecasting.day_process.calendar import special_names
from watthour.forecasting.day_process.inputs import day_inputs, spread_features, with_operator
from watthour.forecasting.day_process.kernel import BLIND_LOAD, BLIND_OPERATOR, DayInputs, LoadKernel, OperatorKernel
from watthour.forecasting.day_process.known import (
    day_weather,
    filled,
    is_forecast,
    known_loads,
    operator_forecasts,
    places_reporting,
)
from watthour.forecasting.day_process.layer import Layer
from watthour.forecasting.day_process.seen import Seen, ask
from watthour.forecasting.day_process.state import State, as_kept
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.vintages import DAY_US, datetimes, instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.day_process.asks import Mask
    from watthour.forecasting.day_process.process import Kernel
    from watthour.forecasting.vintages import Array

FEWEST_DAYS = 120  # of whole days before anything can be learnt
_FEWEST_WITH_WEATHER = 200
_LARGEST_ERROR = 0.25  # of the operator, in log load; beyond it the hour is a fault of the feed
_SETTLING_DAYS = 60  # before our own online forecasts can be compared with the operator's
# Without weather, errors of one season are alike: a year holds too few independent ones for its quantiles.
_BLIND_WIDER = 1.08
_NAME = "day_process"


@dataclass(frozen=True, slots=True)
class DayProcess:
    """A Gaussian process over local days, and on it a second one over the operator's errors."""

    uses_operator: bool = True
    longest_memory_days: int = 2200  # six years; the cost grows with the cube

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedDayProcess:
        """Keep every whole day among the issues with what was known of it when it was asked.

        Raises:
            NotEnoughHistory: fewer than FEWEST_DAYS whole days.
        """
        context = history.context
        asks, _ = Asks.of(issues, context.time_zone)
        _, last_asked = np.unique(asks.day[::-1], return_index=True)
        asks = asks.take(len(asks.day) - 1 - last_asked)
        now = instants(issues["issued_at"][:1]) * 0 + int(history.as_of.timestamp() * 1_000_000)
        loads = bridged(known_loads(history, Asks(asks.day[:1], now, now), asks.day)[0])
        whole = np.flatnonzero(is_whole(loads))[-self.longest_memory_days :]
        if len(whole) < FEWEST_DAYS:
            raise NotEnoughHistory(
                f"{len(whole)} whole days of {context.channel} are known; the day process needs {FEWEST_DAYS}",
                remedy="Bring more history with `watthour backfill`, or use a baseline such as persistence_ensemble.",
            )
        kept = asks.take(whole)
        weather = day_weather(history, kept)
        reporting = np.flatnonzero(places_reporting(weather))
        weather, offsets = filled(weather[:, reporting])
        wanted = replace(history, context=replace(context, operator=context.operator if self.uses_operator else None))
        with np.errstate(invalid="ignore"):
            log_operator = np.log(operator_forecasts(wanted, kept))
        return FittedDayProcess(
            State(
                days=kept.day,
                log_loads=as_kept(np.log(loads[whole])),
                weather=as_kept(weather),
                log_operator=as_kept(log_operator),
                offsets=offsets,
                special_names=special_names(kept.day, context.holidays),
                habit=Habit.of(asks, context.time_zone),
                channel=context.channel,
                time_zone=context.time_zone,
                holidays=context.holidays,
                places=tuple(context.weather[place] for place in reporting),
                fitted_at=history.as_of,
            )
        )


class FittedDayProcess:
    """A fitted day process; the factors are made when they are first needed."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        weather = ("weather of the day", "weather of the four days before") if self._state.places else ()
        operator = ("operator's forecast",) if np.isfinite(self._state.log_operator).any() else ()
        return ("demand of past days", "weekday", "season", "special days", "clock", *weather, *operator)

    @property
    def splits(self) -> Mapping[str, Window]:
        """The span of its training days."""
        first, last = datetimes(np.array([self._state.days[0], self._state.days[-1] + 1]) * DAY_US).to_list()
        return {"train": Window(first, last)}

    def files(self) -> Mapping[str, bytes]:
        """Return the state's files."""
        return self._state.files()

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again."""
        return cls(State.from_files(files))

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each local day that is asked from what was known at its issue.

        Days before the training's end are forecast from the training days that were over by then.
        """
        state = self._state
        if history.context.channel != state.channel:
            raise InvalidInput(
                "channel",
                history.context.channel,
                f"this model was trained on {state.channel}",
                remedy="Train one for this channel: `watthour train`.",
            )
        history = replace(history, context=replace(history.context, weather=state.places))
        asks, belongs = Asks.of(targets, state.time_zone)
        seen = Seen.of(history, state, asks)
        found, stands_on_operator = self._log_quantiles(seen)
        hours = local_hours(instants(targets["time"]), state.time_zone)
        lacked = [
            f"{what} {describe_intervals(targets, missing[belongs], history.context)}."
            for missing, what in (
                (~seen.has_weather[: seen.n_asks] & self._sighted_rows.any(), "No weather forecast was known for"),
                (~stands_on_operator & self._operator_rows.any(), "The operator's forecast was not known for"),
                (
                    seen.distance()[: seen.n_asks] > state.habit.lag,
                    "Demand was known to an earlier hour than usual for",
                ),
            )
            if missing[belongs].any()
        ]
        return quantile_forecast(
            targets, np.exp(found[belongs, hours]), history.context, model=_NAME, missing_inputs=lacked
        )

    def _log_quantiles(self, seen: Seen) -> tuple[Array, Mask]:
        """Return log quantiles of each target's day, (asks, 24, levels), and which stand on the operator's forecast."""
        plain = np.full((len(seen.asks.day), HOURS), np.nan)  # from weather; see the operator's layer
        found = np.empty((seen.n_asks, HOURS, len(LEVELS)))
        sees = seen.has_weather & (self._sighted_rows.sum() >= _FEWEST_WITH_WEATHER)
        log_loads = np.log(seen.loads)
        any_later = np.ones(len(sees) - seen.n_asks, dtype=bool)
        for chosen, name, usable in ((~sees, "_blind", any_later), (sees, "_sighted", sees[seen.n_asks :])):
            if chosen.any():
                reply = ask(getattr(self, name), seen, chosen, usable, log_loads)
                if name == "_sighted":
                    plain[chosen] = reply.plain
                found[np.flatnonzero(chosen[: seen.n_asks])] = reply.log_quantiles
        told = is_whole(seen.log_operator) & (self._operator_rows.sum() >= FEWEST_DAYS)
        if told[: seen.n_asks].any():
            relative = log_loads - seen.log_operator[None, seen.n_asks :]
            reply = ask(self._operator, seen.beside_operator(plain), told, told[seen.n_asks :], relative)
            mine = np.flatnonzero(told[: seen.n_asks])
            found[mine] = reply.log_quantiles + seen.log_operator[mine][:, :, None]
        median = found[:, :, LEVELS.index(0.5), None]
        wider = np.where(sees[: seen.n_asks], 1.0, _BLIND_WIDER)[:, None, None]
        return median + wider * (found - median), told[: seen.n_asks]

    @cached_property
    def _inputs(self) -> DayInputs:
        state = self._state
        return day_inputs(
            state.days,
            state.weather,
            state.weights,
            time_zone=state.time_zone,
            holidays=state.holidays,
            names=state.special_names,
        )

    @cached_property
    def _features(self) -> Array:
        return spread_features(self._state.weather, self._state.weights, self._inputs.calendar)

    @cached_property
    def _all_rows(self) -> Mask:
        return np.ones(len(self._state.days), dtype=bool)

    @cached_property
    def _sighted_rows(self) -> Mask:
        return is_forecast(self._state.weather)

    @cached_property
    def _operator_rows(self) -> Mask:
        state = self._state
        error = np.abs(state.log_loads - state.log_operator)
        believable = np.where(error < _LARGEST_ERROR, error, np.nan)
        settled = state.days >= state.days[0] + _SETTLING_DAYS
        return np.asarray(is_whole(believable) & settled, dtype=np.bool_)

    @cached_property
    def _sighted(self) -> Layer:
        return self._load_layer(LoadKernel(), self._sighted_rows)

    @cached_property
    def _blind(self) -> Layer:
        return self._load_layer(BLIND_LOAD, self._all_rows)

    def _load_layer(self, kernel: Kernel, rows: Mask) -> Layer:
        return Layer.fit(
            kernel, self._inputs.take(rows), self._state.log_loads[rows], self._features[rows], self._state.habit
        )

    @cached_property
    def _operator(self) -> Layer:
        """The second process, whose inputs are what the first would have said online."""
        state, rows = self._state, self._operator_rows
        # Where we do not know the weather, the operator does: how we differ from it says nothing.
        ours = np.full_like(state.log_loads, np.nan)
        is_sighted = self._sighted_rows.sum() >= _FEWEST_WITH_WEATHER
        if is_sighted:
            ours[self._sighted_rows] = self._sighted.online
        inputs = with_operator(self._inputs, state.log_operator, ours)
        return Layer.fit(
            OperatorKernel() if is_sighted else BLIND_OPERATOR,
            inputs.take(rows),
            (state.log_loads - state.log_operator)[rows],
            self._features[rows],
            state.habit,
        )
