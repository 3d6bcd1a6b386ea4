"""Covariance of days: sums of simple kernels over weather, calendar and time.

All loads are logarithms, so variances are relative: 4e-4 is 2 % squared. The constants of the two kernels were
chosen by rolling forecasts of New York from September 2016 to December 2017, those of a rival's errors without weather
by PJM and New England of the same months as well; later years confirmed choices.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from watthour.forecasting.gaussian_process.kernels import (
    days_apart,
    forgetting,
    gaussian,
    is_same,
    n_shared,
    seasonal,
    shared_periods,
    squared_distance,
)

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.inputs import DayInputs
    from watthour.forecasting.vintages import Array, Instants

_HOURS = 24  # the constants of the rival's kernel are for sums over so many intervals


class Kernel(Protocol):
    """Covariance of days."""

    def __call__(self, a: DayInputs, b: DayInputs) -> Array:
        """Return the covariance of days a (n) and b (m), shape (n, m), without noise."""
        ...

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class LoadKernel:
    """Covariance of two days' loads given their weather; ``var`` is a variance of log load, ``len`` in scaled units."""

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
    period_var: float = 0.01
    period_near_var: float = 0.0005
    period_kind_var: float = 0.001
    period_len: float = 10.0
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
        season = days_apart(a.calendar.day_of_year, b.calendar.day_of_year)
        kind = is_same(a.calendar.kind, b.calendar.kind)
        total = self.weekday_var * is_same(a.calendar.weekday, b.calendar.weekday)
        total += self.const
        if self.weather_var + self.broad_var > 0:
            total += self._of_weather(a, b, kind)
        total += self.season_var * seasonal(season, self.season_len)
        total += self.kind_season_var * seasonal(season, self.kind_season_len) * kind
        total += self.special_var * n_shared(a.calendar.special, b.calendar.special)
        total += self.clock_var * np.outer(a.calendar.summer_time, b.calendar.summer_time)
        if a.calendar.periods.shape[1]:
            both, near = shared_periods(a.calendar.periods, b.calendar.periods, self.period_len)
            total += self.period_var * both + self.period_near_var * near + self.period_kind_var * both * kind
        total += forgetting(
            days_apart(a.calendar.index, b.calendar.index),
            (self.days_var, self.days_len),
            (self.weeks_var, self.weeks_len),
            (self.year_var, self.year_len),
        )
        return np.asarray(total)

    def _of_weather(self, a: DayInputs, b: DayInputs, kind: Array) -> Array:
        weather = squared_distance(a.weather, b.weather)
        eve, before = squared_distance(a.eve, b.eve), squared_distance(a.before, b.before)
        past = eve / self.eve_len**2
        past += before / self.before_len**2
        past += weather / self.weather_len**2
        total = self.weather_var * gaussian(past, 1.0)
        total += self.broad_var * gaussian(weather, self.broad_len)
        total += self.kind_weather_var * gaussian(weather, self.kind_weather_len) * kind
        season = days_apart(a.calendar.day_of_year, b.calendar.day_of_year)
        of_season = seasonal(season, self.season_weather_season_len)
        total += self.season_weather_var * gaussian(weather, self.season_weather_len) * of_season
        eve += before
        total += self.past_var * gaussian(eve, self.past_len)
        total += self.heat_var * gaussian(squared_distance(a.heat, b.heat), self.heat_len)
        return np.asarray(total)

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        return self.noise * (1 + self.special_noise * days.calendar.is_special)


# Without weather, the level of the last days carries what weather would tell.
LOAD_WITHOUT_WEATHER = LoadKernel(
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
class RivalKernel:
    """Covariance of a rival's relative errors on two days, given how it differs from our own forecast."""

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
    period_var: float = 5e-05
    period_len: float = 10.0
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
    stand_in_gap: float = 0.3  # how much of the gap counts where our own forecast stands on a stand-in's weather

    def __call__(self, a: DayInputs, b: DayInputs) -> Array:
        """Return the covariance of days ``a`` (n) and ``b`` (m), shape (n, m), without noise."""
        kind = is_same(a.calendar.kind, b.calendar.kind)
        apart = days_apart(a.calendar.index, b.calendar.index)
        total = self._of_gap(a, b, apart)
        total += self._of_level(a, b)
        of_kind = self.kind_season_var * kind
        of_kind += self.season_var
        of_kind *= seasonal(days_apart(a.calendar.day_of_year, b.calendar.day_of_year), self.season_len)
        total += of_kind
        total += self.const + self.weekday_var * is_same(a.calendar.weekday, b.calendar.weekday)
        total += self.special_var * n_shared(a.calendar.special, b.calendar.special)
        total += self.clock_var * np.outer(a.calendar.summer_time, b.calendar.summer_time)
        if a.calendar.periods.shape[1]:
            both, near = shared_periods(a.calendar.periods, b.calendar.periods, self.period_len)
            total += self.period_var * (both + near)
        total += forgetting(
            apart, (self.days_var, self.days_len), (self.weeks_var, self.weeks_len), (self.year_var, self.year_len)
        )
        total += forgetting(apart, (self.kind_days_var, self.kind_days_len)) * kind
        return np.asarray(total)

    def _of_gap(self, a: DayInputs, b: DayInputs, apart: Instants) -> Array:
        """Return what the gap between the rival and us, (n, intervals), and the weather say."""
        per_hour = _HOURS / a.gap.shape[1]
        gap_a, gap_b = (each.gap * (1 - (1 - self.stand_in_gap) * each.substituted[:, None]) for each in (a, b))
        total = per_hour * (gap_a @ gap_b.T)
        total *= self.gap_var + forgetting(apart, (self.recent_gap_var, self.recent_gap_len))
        total += self.mean_gap_var * np.outer(gap_a.mean(axis=1), gap_b.mean(axis=1))
        if self.near_gap_var > 0:
            near = squared_distance(gap_a, gap_b) * (per_hour / self.near_gap_len**2)
            near += squared_distance(a.weather, b.weather) / self.near_gap_weather_len**2
            total += self.near_gap_var * gaussian(near, 1.0)
        return np.asarray(total)

    def _of_level(self, a: DayInputs, b: DayInputs) -> Array:
        """Return what the level and the shape of the rival's forecast and the weather say."""
        per_hour = _HOURS / a.rival.shape[1]
        weather = squared_distance(a.weather, b.weather)
        level_a, level_b = a.rival.mean(axis=1, keepdims=True), b.rival.mean(axis=1, keepdims=True)
        shape = per_hour * squared_distance(a.rival - level_a, b.rival - level_b)
        total = self.shape_var * gaussian(shape, self.shape_len)
        near = squared_distance(level_a, level_b) / self.level_len**2
        near += weather / self.level_weather_len**2
        total += self.level_var * gaussian(near, 1.0)
        if self.weather_var > 0:
            weather /= self.weather_len**2
            weather += squared_distance(a.eve, b.eve) / self.eve_len**2
            total += self.weather_var * gaussian(weather, 1.0)
        return np.asarray(total)

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        return self.noise * (1 + self.special_noise * days.calendar.is_special)


# Without weather the gap to us says less; the season and the level of the last weeks say more instead.
RIVAL_WITHOUT_WEATHER = RivalKernel(
    const=0.001,
    gap_var=0.02,
    mean_gap_var=0.0,
    recent_gap_var=0.0,
    near_gap_var=0.0,
    weather_var=0.0,
    level_var=0.0001,
    level_len=0.16,
    shape_var=0.0005,
    shape_len=0.25,
    season_var=5e-05,
    season_len=0.96,
    kind_season_var=5e-05,
    special_var=0.0001,
    clock_var=1e-05,
    days_var=0.00025,
    days_len=1.0,
    weeks_var=2e-05,
    weeks_len=18.0,
    year_var=4e-05,
    year_len=250.0,
    kind_days_var=2e-05,
    noise=0.0003,
)
