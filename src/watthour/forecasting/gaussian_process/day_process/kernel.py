"""Covariance of days: sums of simple kernels over weather, calendar and time.

All loads are logarithms, so variances are relative: 4e-4 is 2 % squared. The constants of the two kernels were
chosen by rolling forecasts of New York from September 2016 to December 2017; later years were not looked at for it.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from watthour.forecasting.gaussian_process.kernels import gaussian, is_same, n_shared, squared_distance

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.inputs import DayInputs
    from watthour.forecasting.vintages import Array

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
        weather, season = squared_distance(a.weather, b.weather), squared_distance(a.calendar.season, b.calendar.season)
        eve, before = squared_distance(a.eve, b.eve), squared_distance(a.before, b.before)
        kind = is_same(a.calendar.kind, b.calendar.kind)
        total = self.const + self.weekday_var * is_same(a.calendar.weekday, b.calendar.weekday)
        if self.weather_var + self.broad_var > 0:
            total += self.weather_var * np.exp(
                -0.5 * (weather / self.weather_len**2 + eve / self.eve_len**2 + before / self.before_len**2)
            )
            total += self.broad_var * gaussian(weather, self.broad_len)
            total += self.past_var * gaussian(eve + before, self.past_len)
            total += self.kind_weather_var * gaussian(weather, self.kind_weather_len) * kind
            total += self.season_weather_var * np.exp(
                -0.5 * (weather / self.season_weather_len**2 + season / self.season_weather_season_len**2)
            )
            total += self.heat_var * gaussian(squared_distance(a.heat, b.heat), self.heat_len)
        total += self.season_var * gaussian(season, self.season_len)
        total += self.kind_season_var * gaussian(season, self.kind_season_len) * kind
        total += self.special_var * n_shared(a.calendar.special, b.calendar.special)
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
        weather, season = squared_distance(a.weather, b.weather), squared_distance(a.calendar.season, b.calendar.season)
        kind = is_same(a.calendar.kind, b.calendar.kind)
        days = np.abs(a.calendar.index[:, None] - b.calendar.index[None, :])
        per_hour = _HOURS / a.gap.shape[1]
        gap = per_hour * (a.gap @ b.gap.T)
        gap_distance = per_hour * squared_distance(a.gap, b.gap)
        level_a, level_b = a.rival.mean(axis=1, keepdims=True), b.rival.mean(axis=1, keepdims=True)
        shape_distance = per_hour * squared_distance(a.rival - level_a, b.rival - level_b)
        total = self.const + self.gap_var * gap
        total += self.mean_gap_var * np.outer(a.gap.mean(axis=1), b.gap.mean(axis=1))
        total += self.recent_gap_var * gap * np.exp(-days / self.recent_gap_len)
        total += self.near_gap_var * np.exp(
            -0.5 * (gap_distance / self.near_gap_len**2 + weather / self.near_gap_weather_len**2)
        )
        total += self.weather_var * np.exp(
            -0.5 * (weather / self.weather_len**2 + squared_distance(a.eve, b.eve) / self.eve_len**2)
        )
        total += self.level_var * np.exp(
            -0.5 * (squared_distance(level_a, level_b) / self.level_len**2 + weather / self.level_weather_len**2)
        )
        total += self.shape_var * gaussian(shape_distance, self.shape_len)
        total += (self.season_var + self.kind_season_var * kind) * gaussian(season, self.season_len)
        total += self.weekday_var * is_same(a.calendar.weekday, b.calendar.weekday)
        total += self.special_var * n_shared(a.calendar.special, b.calendar.special)
        total += self.clock_var * np.outer(a.calendar.summer_time, b.calendar.summer_time)
        total += self.days_var * np.exp(-days / self.days_len) + self.weeks_var * np.exp(-days / self.weeks_len)
        total += self.year_var * np.exp(-days / self.year_len)
        total += self.kind_days_var * np.exp(-days / self.kind_days_len) * kind
        return np.asarray(total)

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        return self.noise * (1 + self.special_noise * days.calendar.is_special)


# Without weather there is no gap to us; the season and the level of the last weeks say more instead.
RIVAL_WITHOUT_WEATHER = RivalKernel(
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
