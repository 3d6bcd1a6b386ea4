"""Features of recent load and of a rival's forecast, each a function of what was known at issue.

``demand_`` is the forecast channel, whatever it measures; ``operator_`` the rival that the context names first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.plausibility import is_unlike_before
from watthour.forecasting.calendar import DAYS_IN_YEAR, local_days, same_clock
from watthour.forecasting.panel import deviation_known, first_known, mean_known, middle_known
from watthour.forecasting.vintages import DAY_US, HOUR_US

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from watthour.core.forecast import Context
    from watthour.forecasting.panel import Panel
    from watthour.forecasting.vintages import Array, Instants, Vintages

BACK_HOURS = 36 * 24  # how far before an issue the features look back
_LONG_BACK_HOURS = 6 * 366 * 24  # the same where intervals are longer than a day
_YEAR_US = round(DAYS_IN_YEAR * DAY_US)
_WEEKS = 5
_DAYS = 28
_RATIO_BELIEVED = (0.5, 2.0)  # a rival is never off by half; what is outside is a fault in the data


@dataclass(frozen=True, eq=False)
class KnownLoad:
    """The load and the rival's forecast of I issues, as known at each, for the R targets of a panel."""

    panel: Panel
    load: Array  # (I, back) [unit of the channel]
    rival: Array | None  # (I, back + ahead) [unit of the channel]

    @classmethod
    def of(cls, panel: Panel, load: Vintages, rival: Vintages | None, context: Context) -> KnownLoad:
        """Look up what was known of the load, and of the rival's forecast if there is one."""
        back = panel.per(BACK_HOURS if panel.step <= DAY_US else _LONG_BACK_HOURS)
        ahead = max(1, int((panel.interval - panel.edge[panel.issue]).max()) + 1)
        published = rival.known(panel.grid(back, ahead), panel.issued[:, None]) if rival is not None else None
        if published is not None and context.channel.limits.is_never_constant:
            published[published <= 0] = np.nan  # a fault, as in the readings of such a channel
        found = cls(panel, panel.measured(load, back), published)
        return found if published is None else found._without_doubted(published)

    @property
    def back(self) -> int:
        """How many intervals before the edge the matrices begin."""
        return int(self.load.shape[1])

    @cached_property
    def days(self) -> Instants:
        """The intervals at the same local clock time on the last 28 days that can be known, latest first: (R, 28).

        Where intervals are longer than a day, the last 28 of them.
        """
        return self._before(1, _DAYS) if self.panel.step > DAY_US else self._same_clock(24, np.arange(_DAYS))

    @cached_property
    def weeks(self) -> Instants:
        """The intervals at the same local clock time in the last weeks that can be known, latest first: (R, 5).

        Where intervals are longer than a day, those at the same time of the last years.
        """
        if self.panel.step > DAY_US:
            return self._before(round(_YEAR_US / self.panel.step), _WEEKS)
        return self._same_clock(168, np.arange(_WEEKS))

    @cached_property
    def same_hour(self) -> Array:
        """The load of ``days``: (R, 28)."""
        return self.panel.pick(self.load, self.back, self.days)

    @cached_property
    def same_weekday(self) -> Array:
        """The load of ``weeks``: (R, 5)."""
        return self.panel.pick(self.load, self.back, self.weeks)

    @cached_property
    def last(self) -> Instants:
        """The column of each issue's last known load: (I,)."""
        return _last_known(self.load)

    @cached_property
    def errors(self) -> Array:
        """The log of load over the rival's forecast, NaN where one is a fault: (I, back)."""
        assert self.rival is not None  # noqa: S101 - only features of a rival ask
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.load / self.rival[:, : self.back]
        is_believed = (ratio >= _RATIO_BELIEVED[0]) & (ratio <= _RATIO_BELIEVED[1])
        return np.log(np.where(is_believed, ratio, np.nan))

    @cached_property
    def errors_same_hour(self) -> Array:
        """The errors of ``days``: (R, 28)."""
        return self.panel.pick(self.errors, self.back, self.days)

    @cached_property
    def forecast(self) -> Array:
        """The rival's forecast of each target: (R,)."""
        assert self.rival is not None  # noqa: S101 - only features of a rival ask
        return self.panel.pick(self.rival, self.back, self.panel.interval)

    @property
    def last_same_clock(self) -> Instants:
        """The interval whose load is the last known at each target's clock time, -1 where none is: (R,)."""
        _, which = first_known(self.same_hour)
        found = np.take_along_axis(self.days, np.maximum(which, 0)[:, None], axis=1)[:, 0]
        return np.where(which >= 0, found, -1)

    def lag(self, hours: int) -> Array:
        """Return the load so long before each target: (R,); NaN where that is within one step."""
        if hours * HOUR_US < self.panel.step:
            return np.full(len(self.panel.time), np.nan)
        return self.panel.pick(self.load, self.back, self.panel.interval - self.panel.per(hours))

    def mean(self, hours: int, *, before: int = 0) -> Array:
        """Return the mean load over the hours up to the last known one, or some hours before that: (R,)."""
        return mean_known(self._recent(hours, before), at_least=self.panel.per(hours / 2))[self.panel.issue]

    def deviation(self, hours: int) -> Array:
        """Return the standard deviation of the load over the hours up to the last known one: (R,)."""
        return deviation_known(self._recent(hours, 0), at_least=self.panel.per(hours / 2))[self.panel.issue]

    def usual_deviation(self, hours: int) -> Array:
        """Return the middle distance of the load from its middle over the hours up to the last known one: (R,).

        A spike does not move it.
        """
        recent, fewest = self._recent(hours, 0), self.panel.per(hours / 2)
        middle = middle_known(recent, at_least=fewest)
        return middle_known(np.abs(recent - middle[:, None]), at_least=fewest)[self.panel.issue]

    def mean_size(self, hours: int) -> Array:
        """Return the mean of the load without its sign over the hours up to the last known one: (R,)."""
        return mean_known(np.abs(self._recent(hours, 0)), at_least=self.panel.per(hours / 2))[self.panel.issue]

    def last_load(self) -> Array:
        """Return the last known load: (R,)."""
        return np.asarray(np.take_along_axis(self.load, self.last[:, None], axis=1)[self.panel.issue, 0])

    def age_hours(self) -> Array:
        """Return how far the last known load lies before each target: (R,) [h]."""
        last = self.panel.edge - self.back + self.last
        age = (self.panel.interval - last[self.panel.issue]) * (self.panel.step / HOUR_US)
        return np.where(np.isnan(self.last_load()), np.nan, age)

    def mean_error(self, hours: int) -> Array:
        """Return the mean of the rival's errors over the hours up to its last known one: (R,)."""
        window = _window(self.errors, _last_known(self.errors), self.panel.per(hours))
        return mean_known(window, at_least=self.panel.per(hours / 2))[self.panel.issue]

    def weekday_error(self) -> Array:
        """Return the mean of the rival's errors at the same clock time of the last four same weekdays: (R,)."""
        return mean_of_first(self.panel.pick(self.errors, self.back, self.weeks), 4)

    def around(self) -> Array:
        """Return the rival's forecast over its mean from 12 hours before to 12 hours after: (R,) [-]."""
        assert self.rival is not None  # noqa: S101 - only features of a rival ask
        half = self.panel.per(12)
        span = self.panel.interval[:, None] + np.arange(-half, half + 1)
        return _ratio(self.forecast, mean_known(self.panel.pick(self.rival, self.back, span), at_least=half))

    def _without_doubted(self, published: Array) -> KnownLoad:
        """Return the same without the rival's forecasts of targets that are unlike the load of the days before."""
        days = local_days(self.panel.time, self.panel.time_zone)
        _, day = np.unique(np.stack([self.panel.issue, days], axis=1), axis=0, return_inverse=True)
        doubted = is_unlike_before(self.forecast, self.same_hour, day.reshape(-1))
        if not doubted.any():
            return self
        issue = self.panel.issue[doubted]
        kept = published.copy()
        kept[issue, self.panel.interval[doubted] - self.panel.edge[issue] + self.back] = np.nan
        return KnownLoad(self.panel, self.load, kept)

    def _recent(self, hours: int, before: int) -> Array:
        shift = self.panel.per(before) if before else 0
        return _window(self.load, self.last - shift, self.panel.per(hours))

    def _before(self, season: int, count: int) -> Instants:
        """Return the intervals whole seasons before each target, the latest that can be known first: (R, count)."""
        panel = self.panel
        ahead = panel.interval - panel.edge[panel.issue] + 1
        nearest = np.maximum(-(-ahead // season), 1)
        return np.asarray(panel.interval[:, None] - season * (nearest[:, None] + np.arange(count)))

    def _same_clock(self, hours: int, more: Instants) -> Instants:
        panel = self.panel
        ahead = panel.interval - panel.edge[panel.issue] + 1
        nearest = np.maximum(-(-ahead // panel.per(hours)), 1)
        days = hours // 24 * (nearest[:, None] + more)
        return panel.interval_of(same_clock(panel.time[:, None], days, panel.time_zone))


LOAD_FEATURES: Mapping[str, Callable[[KnownLoad], Array]] = {
    "demand_lag_1h": lambda known: known.lag(1),
    "demand_lag_24h": lambda known: known.lag(24),
    "demand_lag_48h": lambda known: known.lag(48),
    "demand_lag_168h": lambda known: known.lag(168),
    "demand_last": KnownLoad.last_load,
    "demand_rolling_mean_24h": lambda known: known.mean(24),
    "demand_rolling_std_24h": lambda known: known.deviation(24),
    "demand_rolling_mean_168h": lambda known: known.mean(168),
    "demand_rolling_std_168h": lambda known: known.deviation(168),
    "demand_rolling_mean_24h_week_before": lambda known: known.mean(24, before=144),
    "demand_age_hours": KnownLoad.age_hours,
    "demand_same_hour_last": lambda known: first_known(known.same_hour)[0],
    "demand_same_hour_mean_7d": lambda known: mean_known(known.same_hour[:, :7], at_least=3),
    "demand_same_hour_mean_28d": lambda known: mean_known(known.same_hour, at_least=7),
    "demand_same_weekday_last": lambda known: first_known(known.same_weekday)[0],
    "demand_same_weekday_mean_4w": lambda known: mean_of_first(known.same_weekday, 4),
}
SCALE_FEATURES: Mapping[str, Callable[[KnownLoad], Array]] = {  # those that are asked by name only
    "demand_usual_deviation_168h": lambda known: known.usual_deviation(168),
    "demand_mean_size_168h": lambda known: known.mean_size(168),
}
RIVAL_FEATURES: Mapping[str, Callable[[KnownLoad], Array]] = {
    "operator_forecast": lambda known: known.forecast,
    "operator_ratio_28d": lambda known: mean_known(np.exp(known.errors_same_hour), at_least=7),
    "operator_error_same_hour_last": lambda known: first_known(known.errors_same_hour)[0],
    "operator_error_same_hour_7d": lambda known: mean_known(known.errors_same_hour[:, :7], at_least=3),
    "operator_error_same_hour_28d": lambda known: mean_known(known.errors_same_hour, at_least=7),
    "operator_error_same_weekday": KnownLoad.weekday_error,
    "operator_error_24h": lambda known: known.mean_error(24),
    "operator_error_168h": lambda known: known.mean_error(168),
    "operator_around": KnownLoad.around,
    "operator_change": lambda known: _ratio(known.forecast, first_known(known.same_hour)[0]),
}


def mean_of_first(values: Array, count: int) -> Array:
    """Return the mean of each row's first ``count`` known values: (n,) of values (n, k)."""
    known = np.isfinite(values)
    return mean_known(np.where(known.cumsum(axis=1) <= count, values, np.nan))


def _ratio(values: Array, usual: Array) -> Array:
    """Return values in parts of what is usual, (n,); unknown where that is nothing."""
    return values / np.where(usual == 0, np.nan, usual)


def _last_known(values: Array) -> Instants:
    """Return the column of each row's last known value; the last column where none is."""
    return np.asarray(values.shape[1] - 1 - np.isfinite(values)[:, ::-1].argmax(axis=1))


def _window(values: Array, last_column: Instants, width: int) -> Array:
    """Return the ``width`` columns of each row that end with its own last column; NaN before the first."""
    column = last_column[:, None] + np.arange(1 - width, 1)
    return np.where(column >= 0, np.take_along_axis(values, np.maximum(column, 0), axis=1), np.nan)
