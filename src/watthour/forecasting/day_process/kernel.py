"""Likeness of days: sums of simple kernels over weather, calendar and time.

All loads are logarithms, so variances are relative: 4e-4 is 2 % squared. The constants of the two kernels were
chosen by rolling forecasts of New York from September 2016 to December 2017; later years were not looked at for it.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

if TYPE_CHECKING:
    from watthour.forecasting.day_process.asks import Mask
    from watthour.forecasting.day_process.calendar import Calendar
    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True)
class DayInputs:
    """What is known of n days at their issue times, scaled for the kernels."""

    calendar: Calendar
    weather: Array  # (n, 4 x places) tomorrow's extremes at each place, weighted
    eve: Array  # (n, 4) extremes of the day before, mean over the region
    before: Array  # (n, 4) of two days before
    heat: Array  # (n, 6) heat of three and four days before
    operator: Array  # (n, 24) log of the operator's forecast; zeros where there is none
    gap: Array  # (n, 24) our log forecast minus the operator's

    def take(self, rows: Instants | Mask) -> DayInputs:
        """Return some of the days."""
        calendar = type(self.calendar)(**{name: getattr(self.calendar, name)[rows] for name in self.calendar.__slots__})
        arrays = {name: getattr(self, name)[rows] for name in self.__slots__ if name != "calendar"}
        return DayInputs(calendar=calendar, **arrays)


@dataclass(frozen=True, slots=True)
class LoadKernel:
    """Likeness of two days' loads given their weather; ``var`` are variances of log load, lengths are scaled units."""

    const: float = 0.04
    weather_var: float = 0.00566
    weather_len: float = 4.24
    eve_len: float = 5.66
    before_len: float = 5.95
    broad_var: float = 0.03
    broad_len: float = 6.0
    past_var: float = 0.0566
    past_len: float = 12.0
    kind_weather_var: float = 0.00283
    kind_weather_len: float = 7.14
    season_weather_var: float = 0.001
    season_weather_len: float = 2.83
    season_weather_season_len: float = 1.18
    heat_var: float = 0.005
    heat_len: float = 5.0
    season_var: float = 0.00025
    season_len: float = 0.42
    kind_season_var: float = 4.42e-05
    kind_season_len: float = 0.595
    weekday_var: float = 0.113
    special_var: float = 0.00354
    clock_var: float = 0.008
    days_var: float = 0.000141
    days_len: float = 1.5
    weeks_var: float = 7.07e-05
    weeks_len: float = 17.8
    year_var: float = 0.000354
    year_len: float = 208.0
    noise: float = 0.0002
    special_noise: float = 3.0  # a special day is this much noisier, in units of noise

    def __call__(self, a: DayInputs, b: DayInputs) -> Array:
        """Return the covariance of days ``a`` (n) and ``b`` (m), shape (n, m), without noise."""
        weather, season = _square(a.weather, b.weather), _square(a.calendar.season, b.calendar.season)
        eve, before = _square(a.eve, b.eve), _square(a.before, b.before)
        kind = _same(a.calendar.kind, b.calendar.kind)
        total = self.const + self.weekday_var * _same(a.calendar.weekday, b.calendar.weekday)
        if self.weather_var + self.broad_var > 0:
            total += self.weather_var * np.exp(
                -0.5 * (weather / self.weather_len**2 + eve / self.eve_len**2 + before / self.before_len**2)
            )
            total += self.broad_var * _bell(weather, self.broad_len)
            total += self.past_var * _bell(eve + before, self.past_len)
            total += self.kind_weather_var * _bell(weather, self.kind_weather_len) * kind
            total += self.season_weather_var * np.exp(
                -0.5 * (weather / self.season_weather_len**2 + season / self.season_weather_season_len**2)
            )
            total += self.heat_var * _bell(_square(a.heat, b.heat), self.heat_len)
        total += self.season_var * _bell(season, self.season_len)
        total += self.kind_season_var * _bell(season, self.kind_season_len) * kind
        total += self.special_var * (a.calendar.special @ b.calendar.special.T)
        total += self.clock_var * np.outer(a.calendar.summer_time, b.calendar.summer_time)
        days = np.abs(a.calendar.index[:, None] - b.calendar.index[None, :])
        for var, length in (
            (self.days_var, self.days_len),
            (self.weeks_var, self.weeks_len),
            (self.year_var, self.year_len),
        ):
            total += var * np.exp(-days / length)
        return np.asarray(total)

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        return self.noise * (1 + self.special_noise * days.calendar.is_special)


# Without weather, the level of the last days carries what weather would tell.
BLIND_LOAD = LoadKernel(
    weather_var=0.0,
    broad_var=0.0,
    past_var=0.0,
    kind_weather_var=0.0,
    season_weather_var=0.0,
    heat_var=0.0,
    season_var=0.004,
    days_var=0.002,
    days_len=2.5,
    weeks_var=0.001,
    weeks_len=15.0,
)


@dataclass(frozen=True, slots=True)
class OperatorKernel:
    """Likeness of the operator's relative errors on two days, given how it differs from our own forecast."""

    const: float = 1.56e-05
    gap_var: float = 0.2
    mean_gap_var: float = 2.0
    recent_gap_var: float = 0.00125
    recent_gap_len: float = 1360.0
    near_gap_var: float = 5e-05
    near_gap_len: float = 0.141
    near_gap_weather_len: float = 6.0
    weather_var: float = 7.5e-05
    weather_len: float = 4.24
    eve_len: float = 1.0
    level_var: float = 7.5e-05
    level_len: float = 0.1
    level_weather_len: float = 2.0
    shape_var: float = 0.0002
    shape_len: float = 0.4
    season_var: float = 2.34e-06
    season_len: float = 16.0
    kind_season_var: float = 0.0001
    weekday_var: float = 6.25e-06
    special_var: float = 7.81e-06
    clock_var: float = 1.56e-06
    days_var: float = 0.0002
    days_len: float = 0.53
    weeks_var: float = 3.13e-06
    weeks_len: float = 21.2
    year_var: float = 5e-05
    year_len: float = 566.0
    kind_days_var: float = 6e-05
    kind_days_len: float = 42.4
    noise: float = 0.0012
    special_noise: float = 2.0

    def __call__(self, a: DayInputs, b: DayInputs) -> Array:
        """Return the covariance of days ``a`` (n) and ``b`` (m), shape (n, m), without noise."""
        weather, season = _square(a.weather, b.weather), _square(a.calendar.season, b.calendar.season)
        kind = _same(a.calendar.kind, b.calendar.kind)
        days = np.abs(a.calendar.index[:, None] - b.calendar.index[None, :])
        gap = a.gap @ b.gap.T
        level_a, level_b = a.operator.mean(axis=1, keepdims=True), b.operator.mean(axis=1, keepdims=True)
        total = self.const + self.gap_var * gap
        total += self.mean_gap_var * np.outer(a.gap.mean(axis=1), b.gap.mean(axis=1))
        total += self.recent_gap_var * gap * np.exp(-days / self.recent_gap_len)
        total += self.near_gap_var * np.exp(
            -0.5 * (_square(a.gap, b.gap) / self.near_gap_len**2 + weather / self.near_gap_weather_len**2)
        )
        total += self.weather_var * np.exp(
            -0.5 * (weather / self.weather_len**2 + _square(a.eve, b.eve) / self.eve_len**2)
        )
        total += self.level_var * np.exp(
            -0.5 * (_square(level_a, level_b) / self.level_len**2 + weather / self.level_weather_len**2)
        )
        total += self.shape_var * _bell(_square(a.operator - level_a, b.operator - level_b), self.shape_len)
        total += (self.season_var + self.kind_season_var * kind) * _bell(season, self.season_len)
        total += self.weekday_var * _same(a.calendar.weekday, b.calendar.weekday)
        total += self.special_var * (a.calendar.special @ b.calendar.special.T)
        total += self.clock_var * np.outer(a.calendar.summer_time, b.calendar.summer_time)
        total += self.days_var * np.exp(-days / self.days_len) + self.weeks_var * np.exp(-days / self.weeks_len)
        total += self.year_var * np.exp(-days / self.year_len)
        total += self.kind_days_var * np.exp(-days / self.kind_days_len) * kind
        return np.asarray(total)

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        return self.noise * (1 + self.special_noise * days.calendar.is_special)


# Without weather there is no gap to us; the season and the level of the last weeks say more instead.
BLIND_OPERATOR = OperatorKernel(
    const=0.001,
    gap_var=0.0,
    mean_gap_var=0.0,
    recent_gap_var=0.0,
    near_gap_var=0.0,
    weather_var=0.0,
    level_var=0.0001,
    season_var=5e-05,
    season_len=0.6,
    kind_season_var=5e-05,
    special_var=0.0001,
    clock_var=1e-05,
    days_var=0.0001,
    days_len=1.0,
    weeks_var=5e-05,
    weeks_len=18.0,
    year_var=0.0001,
    year_len=250.0,
    kind_days_var=2e-05,
    noise=0.0003,
)


def _square(a: Array, b: Array) -> Array:
    return np.asarray(cdist(a, b, "sqeuclidean"))


def _same(a: Instants, b: Instants) -> Array:
    return np.asarray(a[:, None] == b[None, :], dtype=np.float64)


def _bell(square: Array, length: float) -> Array:
    return np.asarray(np.exp(-0.5 * square / length**2))
