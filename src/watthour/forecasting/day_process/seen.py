"""Everything that was known at some asks, and the asking of a layer with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import LEVELS, Forecasts, Readings
from watthour.forecasting.day_process.asks import bridged, is_whole
from watthour.forecasting.day_process.inputs import day_inputs, spread_features, with_operator
from watthour.forecasting.day_process.known import (
    LAGS,
    day_weather,
    filled,
    is_forecast,
    known_loads,
    operator_forecasts,
)
from watthour.forecasting.day_process.process import Later
from watthour.forecasting.vintages import DAY_US, datetimes

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.day_process.asks import Asks, Mask
    from watthour.forecasting.day_process.kernel import DayInputs
    from watthour.forecasting.day_process.layer import Layer
    from watthour.forecasting.day_process.state import State
    from watthour.forecasting.vintages import Array, Instants

_WIDEST = 3.0  # times the usual spread, however long ago demand was last known


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was known at the asks of the targets, and after them at the usual ask of each day since training."""

    n_asks: int
    asks: Asks  # (a): n_asks of the targets, then one per later day
    inputs: DayInputs  # (a)
    features: Array  # (a, k) for the spread
    has_weather: Mask  # (a,)
    log_operator: Array  # (a, 24)
    loads: Array  # (a, later, 24) demand of later days as known at each ask
    whole: Mask  # (a, later) known whole at each ask
    last_whole: Instants  # (a,) the last day that was over when measurements end

    @classmethod
    def of(cls, history: History, state: State, asks: Asks) -> Seen:
        """Look everything up as it was known at each ask."""
        first = int(state.days[-1]) + 1
        history = since(history, min(first, int(asks.day.min())) - LAGS)
        later = np.arange(first, max(int(asks.day.max()) + 1, first))
        both = asks.and_then(state.habit.asks(later, state.time_zone))
        last_whole = both.last_whole(state.time_zone)
        weather, _ = filled(day_weather(history, both), state.offsets)
        inputs = day_inputs(
            both.day,
            weather,
            state.weights,
            time_zone=state.time_zone,
            holidays=state.holidays,
            names=state.special_names,
        )
        loads = known_loads(history, both, later)
        mended = bridged(loads)
        whole = is_whole(mended) & (later[None, :] <= last_whole[:, None])
        return cls(
            n_asks=len(asks.day),
            asks=both,
            inputs=inputs,
            features=spread_features(weather, state.weights, inputs.calendar),
            has_weather=is_forecast(weather),
            log_operator=np.log(operator_forecasts(history, both)),
            loads=np.where(whole[:, :, None], mended, loads),
            whole=whole,
            last_whole=last_whole,
        )

    def distance(self) -> Instants:
        """Return how many days before each asked day demand was last known whole."""
        latest = np.where(self.whole, self.asks.day[None, self.n_asks :], 0).max(axis=1, initial=0)
        before_training_ended = np.minimum(self.last_whole, self._first_later() - 1)
        return np.asarray(self.asks.day - np.maximum(latest, before_training_ended))

    def beside_operator(self, ours: Array) -> Seen:
        """Return the same with the operator's forecast, and how far ours lies from it, among the inputs."""
        return replace(self, inputs=with_operator(self.inputs, self.log_operator, ours))

    def _first_later(self) -> int:
        later = self.asks.day[self.n_asks :]
        return int(later[0]) if len(later) else int(self.last_whole.max()) + 1


def since(history: History, day: int) -> History:
    """Return the part of a history that speaks of a day or later; a long one is slow to search."""
    start = datetimes(np.array([(day - 1) * DAY_US]))[0]
    recent = pl.col("time") >= start
    return replace(
        history,
        readings=Readings.cast(history.readings.filter(recent)),
        forecasts=Forecasts.cast(history.forecasts.filter(recent)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """What a layer says of the chosen asks."""

    plain: Array  # (chosen, 24) log expectation from whole days only
    log_quantiles: Array  # (chosen targets, 24, levels)


def ask(layer: Layer, seen: Seen, chosen: Mask, usable: Mask, log_values: Array) -> Reply:
    """Ask a layer for the chosen asks.

    Args:
        layer: the process to ask.
        seen: what was known.
        chosen: which asks, (a,).
        usable: which later days the layer may stand on, (later,).
        log_values: what the layer forecasts, of later days as known at each ask, (a, later, 24).
    """
    rows, later = np.flatnonzero(chosen), np.flatnonzero(usable)
    here = np.ix_(rows, later)
    known = Later(seen.inputs.take(seen.n_asks + later), log_values[here], seen.whole[here])
    days, last_whole = seen.inputs.take(rows), seen.last_whole[rows].astype(float)
    plain = layer.expect(days, last_whole, known)
    expected = plain + _from_the_day_under_way(layer, seen, rows, plain, known, log_values)
    is_target = rows < seen.n_asks
    spread = layer.spread
    own = np.isin(rows - seen.n_asks, later)
    if own.any():
        errors = _once_known(seen, log_values)[rows[own] - seen.n_asks] - expected[own]
        spread = spread.extended(days.calendar.index[own], errors, seen.features[rows[own]], layer.habit.lag)
    offsets = spread.quantiles(
        days.calendar.index[is_target], seen.features[rows[is_target]], last_whole[is_target], LEVELS
    )
    # Errors grow like those of a random walk with the days that demand has not been seen.
    offsets *= np.clip(np.sqrt(seen.distance()[rows[is_target]] / layer.habit.lag), 1, _WIDEST)[:, None, None]
    middle = LEVELS.index(0.5)
    offsets[..., :middle] = np.minimum(offsets[..., :middle], 0)
    offsets[..., middle] = 0
    offsets[..., middle + 1 :] = np.maximum(offsets[..., middle + 1 :], 0)
    return Reply(plain, expected[is_target][:, :, None] + offsets)


def _from_the_day_under_way(
    layer: Layer, seen: Seen, rows: Instants, plain: Array, known: Later, log_values: Array
) -> Array:
    """Return what the hours known of the day after the last whole one add to each expectation, (rows, 24)."""
    added = np.zeros_like(plain)
    day = seen.last_whole[rows] + 1
    later_days = seen.asks.day[seen.n_asks :]
    place = np.searchsorted(later_days, day)
    inside = (place < len(later_days)) & (day >= (later_days[0] if len(later_days) else 0))
    for distance in (0, 1):
        at = np.flatnonzero(inside & (seen.asks.day[rows] - day == distance))
        if not len(at):
            continue
        hours = log_values[rows[at], place[at]]
        if distance == 0:
            errors = hours - plain[at]
        else:
            beside = Later(known.days, known.values[at], known.known[at])
            eve = seen.inputs.take(seen.n_asks + place[at])
            errors = hours - layer.expect(eve, seen.last_whole[rows[at]].astype(float), beside)
        added[at] = layer.hours.of_same_day(errors) if distance == 0 else layer.hours.of_next_day(errors)
    return added


def _once_known(seen: Seen, log_values: Array) -> Array:
    """Return the values of later days from the first ask that knew them whole, NaN where none did, (later, 24)."""
    first = seen.whole.argmax(axis=0)
    values = log_values[first, np.arange(log_values.shape[1])]
    ever = np.asarray(seen.whole.any(axis=0))
    return np.where(ever[:, None], values, np.nan)
