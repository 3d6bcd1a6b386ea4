"""From what was known of days to the inputs of the kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.day_process.calendar import calendar
from watthour.forecasting.day_process.kernel import DayInputs

if TYPE_CHECKING:
    from watthour.forecasting.day_process.calendar import Calendar
    from watthour.forecasting.vintages import Array, Instants

# One unit of distance: 10 degF of a maximum, minimum or lowest wet bulb, 8 degF of the highest wet bulb.
_SCALE_C = np.array([10, 10, 8, 10]) / 1.8
_WEATHER_WEIGHT = 2.0  # how much more tomorrow's weather counts than that of past days
_HEAT_FROM_C = 15.6  # 60 degF
_LARGEST_GAP = 0.2  # of log load, between the operator and us; beyond it one of the two is broken


def day_inputs(
    days: Instants, weather: Array, weights: Array, *, time_zone: str, holidays: str | None, names: tuple[str, ...]
) -> DayInputs:
    """Return kernel inputs of days; unknown weather becomes zeros, so only a kernel without weather may be used then.

    Args:
        days: local days, (n,).
        weather: degC, (n, places, LAGS, 4), filled.
        weights: share of each place, (places,).
        time_zone: of the days.
        holidays: holiday calendar.
        names: the special names the kernel knows.
    """
    known = np.nan_to_num(weather)
    shares = weights / weights.sum() if len(weights) else weights
    region = np.einsum("nplk,p->nlk", known, shares)
    tomorrow = known[:, :, 0] / _SCALE_C * np.sqrt(_WEATHER_WEIGHT * shares)[None, :, None]
    heat = np.maximum(region[:, 3:5, :3] - _HEAT_FROM_C, 0) * 0.18
    empty = np.zeros((len(days), 24))
    return DayInputs(
        calendar=calendar(days, time_zone, holidays, names),
        weather=tomorrow.reshape(len(days), known.shape[1] * known.shape[3]),
        eve=region[:, 1] * 0.18 * np.sqrt(_WEATHER_WEIGHT),
        before=region[:, 2] * 0.18,
        heat=heat.reshape(len(days), 6),
        operator=empty,
        gap=empty,
    )


def spread_features(weather: Array, weights: Array, of: Calendar) -> Array:
    """Return what tells an uncertain day, (n, 6): heat, cold, damp heat, special, weekend, near the cooling base."""
    shares = weights / weights.sum() if len(weights) else weights
    region = np.einsum("npk,p->nk", np.nan_to_num(weather[:, :, 0], nan=15.0), shares)
    highest = region[:, 0] * 1.8 + 32
    return np.column_stack(
        [
            np.maximum(highest - 75, 0) / 10,
            np.maximum(35 - (region[:, :2].mean(axis=1) * 1.8 + 32), 0) / 10,
            np.maximum(region[:, 2] * 1.8 + 32 - 65, 0) / 10,
            of.is_special,
            (of.weekday >= 5).astype(np.float64),  # noqa: PLR2004 - Saturday
            np.exp(-0.5 * ((highest - 77) / 6) ** 2),
        ]
    )


def with_operator(inputs: DayInputs, log_operator: Array, ours: Array) -> DayInputs:
    """Return inputs with the operator's log forecast and how far our own, (n, 24), lies from it."""
    gap = np.clip(np.nan_to_num(ours - log_operator), -_LARGEST_GAP, _LARGEST_GAP)
    return replace(inputs, operator=np.nan_to_num(log_operator), gap=gap)
