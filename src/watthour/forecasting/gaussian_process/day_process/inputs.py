"""From what was known of days to the inputs of the kernels and of the spread."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.gaussian_process.day_process.calendar import Calendar
from watthour.forecasting.gaussian_process.day_process.weather import EXTREMES, WeatherLevel

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

# One unit of distance: 10 degF of a maximum, minimum or lowest wet bulb, 8 degF of the highest wet bulb.
_SCALE_C = np.array([10, 10, 8, 10]) / 1.8
_WEATHER_WEIGHT = 2.0  # how much more tomorrow's weather counts than that of past days
_HEAT_FROM_C = 15.6  # 60 degF
_LARGEST_GAP = 0.2  # of log load, between the rival and us; beyond it one of the two is broken


@dataclass(frozen=True, slots=True)
class DayInputs:
    """What is known of n days at their issue times, scaled for the kernels; k extremes of the weather are known."""

    calendar: Calendar
    weather: Array  # (n, k x points) tomorrow's extremes at each point, weighted
    eve: Array  # (n, k) extremes of the day before, mean over the points
    before: Array  # (n, k) of two days before
    heat: Array  # (n, 2 x up to 3) heat of three and four days before
    rival: Array  # (n, intervals) log of the rival's forecast; no columns where there is none
    gap: Array  # (n, intervals) our log forecast minus the rival's
    substituted: Array  # (n,) 1 where the weather is that of a provider that stands in for the usual one, else 0

    def take(self, rows: Instants | Mask) -> DayInputs:
        """Return some of the days: by position, (r,), or by a mask, (n,)."""
        calendar = Calendar(**{each.name: getattr(self.calendar, each.name)[rows] for each in fields(Calendar)})
        return DayInputs(calendar, *(getattr(self, each.name)[rows] for each in fields(self)[1:]))


def day_inputs(calendar: Calendar, weather: Array, shares: Array, level: WeatherLevel, substituted: Mask) -> DayInputs:
    """Return the inputs of the kernel of the load.

    Args:
        calendar: of the n days.
        weather: (n, points, LAGS, 4), filled [degC]; NaN only where the level does not look.
        shares: of the load at each point, (points,).
        level: how much of the weather counts.
        substituted: whose weather is that of a provider that stands in for the usual one, (n,).
    """
    known, n_days = weather[..., :level], len(weather)
    region = np.einsum("nplk,p->nlk", known, shares)
    # With fewer extremes, days seem nearer to each other than the lengths of the kernel assume.
    scale = np.sqrt(len(EXTREMES) / level) if level else 1.0
    tomorrow = known[:, :, 0] / _SCALE_C[:level] * np.sqrt(_WEATHER_WEIGHT * shares)[None, :, None]
    heat = np.maximum(region[:, 3:5, :3] - _HEAT_FROM_C, 0) * 0.18
    nothing = np.empty((n_days, 0))
    return DayInputs(
        calendar=calendar,
        weather=scale * tomorrow.reshape(n_days, known.shape[1] * known.shape[3]),
        eve=scale * region[:, 1] * 0.18 * np.sqrt(_WEATHER_WEIGHT),
        before=scale * region[:, 2] * 0.18,
        heat=heat.reshape(n_days, heat.shape[1] * heat.shape[2]),
        rival=nothing,
        gap=nothing,
        substituted=(substituted & (level > 0)).astype(np.float64),
    )


def spread_features(calendar: Calendar, weather: Array, shares: Array, level: WeatherLevel, substituted: Mask) -> Array:
    """Return what tells an uncertain day, (n, 2 to 7).

    Special, weekend; heat, cold, near the cooling base, weather of a provider that stands in; damp heat.

    Arguments as in ``day_inputs``.
    """
    columns = [calendar.is_special, calendar.is_weekend]
    if level:
        region = np.einsum("npk,p->nk", weather[:, :, 0, :level], shares) * 1.8 + 32  # degF
        highest = region[:, 0]
        columns += [
            np.maximum(highest - 75, 0) / 10,
            np.maximum(35 - region[:, :2].mean(axis=1), 0) / 10,
            np.exp(-0.5 * ((highest - 77) / 6) ** 2),
            substituted.astype(np.float64),
        ]
    if level is WeatherLevel.ALL:
        columns.append(np.maximum(region[:, 2] - 65, 0) / 10)
    return np.column_stack(columns)


def with_rival(inputs: DayInputs, log_rival: Array, ours: Array) -> DayInputs:
    """Return inputs with the rival's log forecast and how far our own lies from it, each (n, intervals).

    Where we have none of our own, how we differ from the rival says nothing.
    """
    gap = np.clip(np.nan_to_num(ours - log_rival), -_LARGEST_GAP, _LARGEST_GAP)
    return replace(inputs, rival=np.nan_to_num(log_rival), gap=gap)
