"""How a load differs within periods such as Ramadan from the weeks around them, by the clock.

A tree learns a shift of the evening from many evenings, but a year has one first day of Ramadan. So trees see the load,
and forecasts of it, without what the periods of the past did at that time of the day, which is put back at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.frames import Forecasts, Readings
from watthour.core.window import DAY
from watthour.forecasting.calendar import clock_offsets, holidays_around
from watthour.forecasting.optional_calendars import in_period, period_days, period_names
from watthour.forecasting.panel import mean_known
from watthour.forecasting.steps import step_of
from watthour.forecasting.vintages import DAY_US, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.forecast import Context, Forecast, History
    from watthour.forecasting.vintages import Array, Instants

_AROUND = 28  # days before and after a period that it is compared with
_LONGEST = 31  # days of a period
_FEWEST = 14  # days that must be known of a period; half as many before it and after it
_MOST_NEGATIVE = 0.01  # of the known values; where more are, as with net load, a ratio of means says nothing


@dataclass(frozen=True, slots=True)
class PeriodEffects:
    """The factor of each slot of the local day within each period; none where no whole period is known."""

    factors: Mapping[str, tuple[float, ...]]  # name of the period -> slots

    @classmethod
    def of(cls, history: History) -> Self:
        """Measure the periods that lie well within the known past; a load that is not positive has none."""
        context, names = history.context, period_names(history.context.place.holidays)
        if not names or context.resolution > DAY:
            return cls({})
        vintages = measurement_vintages(history, context.channel.id)
        known = vintages.known(vintages.times, np.array(instant(history.as_of)))
        if not len(known) or (known < 0).mean() > _MOST_NEGATIVE:
            return cls({})
        day, slot, n_slots = _places(vintages.times, context)
        first = int(day.min())
        table = np.full((int(day.max()) + 1 - first, n_slots), np.nan)
        table[day - first, slot] = known
        numbers = first + np.arange(len(table))
        table[np.isin(numbers, holidays_around(numbers, context.place.holidays))] = np.nan
        inside = period_days(context.place.holidays, numbers).T
        found = {name: _factors(table, day_of_period) for name, day_of_period in zip(names, inside, strict=True)}
        return cls({name: tuple(factors.tolist()) for name, factors in found.items() if factors is not None})

    def at(self, times: Instants, context: Context) -> Array:
        """Return the factor of each interval: (n,)."""
        found = np.ones(len(times))
        names = period_names(context.place.holidays)
        if not len(times) or not self.factors:
            return found
        day, slot, _ = _places(times, context)
        inside = in_period(context.place.holidays, day)
        for name, factors in self.factors.items():
            if name in names:
                found *= np.where(inside[:, names.index(name)] > 0, np.array(factors)[slot], 1.0)
        return found

    def without(self, history: History) -> History:
        """Return a history whose load, and forecasts of it, are as they would have been outside of the periods."""
        if not self.factors:
            return history
        readings, forecasts = (
            self._scaled(table, history.context, -1) for table in (history.readings, history.forecasts)
        )
        return replace(history, readings=Readings.cast(readings), forecasts=Forecasts.cast(forecasts))

    def put_back(self, forecast: Forecast, context: Context) -> Forecast:
        """Return a forecast of such a load as one of the load itself."""
        if not self.factors:
            return forecast
        return replace(forecast, values=Forecasts.cast(self._scaled(forecast.values, context, 1)))

    def _scaled(self, table: pl.DataFrame, context: Context, power: int) -> pl.DataFrame:
        factor = pl.Series(self.at(instants(table["time"]), context) ** power)
        is_load = pl.col("channel") == context.channel.id
        return table.with_columns(value=pl.when(is_load).then(pl.col("value") * factor).otherwise(pl.col("value")))


def _places(times: Instants, context: Context) -> tuple[Instants, Instants, int]:
    """Return the local day and the slot of each interval, both (n,), and how many slots a day has."""
    step, local = step_of(context), times + clock_offsets(times, context.time_zone)
    return local // DAY_US, local % DAY_US // step, DAY_US // step


def _factors(table: Array, day_of_period: Array) -> Array | None:
    """Return the mean over periods of load within over load around, (slots,); None where no period can be told.

    Args:
        table: consecutive days, (n, slots), NaN where unknown.
        day_of_period: (n,), 0 outside.
    """
    found = []
    for begin in np.flatnonzero(day_of_period == 1).tolist():
        end = begin + int((day_of_period[begin : begin + _LONGEST] > 0).sum())
        within, before, after = table[begin:end], table[max(begin - _AROUND, 0) : begin], table[end : end + _AROUND]
        if min(_n_known(within), 2 * _n_known(before), 2 * _n_known(after)) < _FEWEST:
            continue
        # What the season does counts as much before as after.
        around = (mean_known(before, axis=0) + mean_known(after, axis=0)) / 2
        ratio = mean_known(within, axis=0) / np.where(around > 0, around, np.nan)
        found.append(np.log(np.where(ratio > 0, ratio, np.nan)))
    if not found:
        return None
    return np.asarray(np.exp(np.nan_to_num(mean_known(np.array(found), axis=0))))


def _n_known(days: Array) -> int:
    """Return how many days are known at half of their slots."""
    return int((np.isfinite(days).mean(axis=1) >= 0.5).sum()) if len(days) else 0  # noqa: PLR2004 - half
