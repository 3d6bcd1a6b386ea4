"""Likeness by a plain regression: straight pieces over weather, and the calendar.

A linear model with a Gaussian prior on its coefficients is the process whose kernel is the inner product of the
columns. It errs elsewhere than the smooth kernel does, so the two together err less.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from watthour.forecasting.day_process.kernel import DayInputs
    from watthour.forecasting.vintages import Array

# Where the slope over weather may change [degC]: highest and lowest temperature, highest wet bulb, and of days before.
_HIGHEST = (1.7, 7.2, 12.8, 16.7, 20.0, 23.3, 26.7, 30.0, 33.3)
_LOWEST = (-6.7, 0.0, 5.6, 10.0, 13.3, 16.7, 20.0, 23.3)
_WET = (10.0, 13.3, 16.7, 18.9, 21.1, 23.3, 25.6)
_PAST = (4.4, 12.8, 16.7, 20.0, 23.3, 26.7)
_PAST_WET = (15.6, 18.9, 21.1)
_UNIT_C = 5.6  # 10 degF
_MILD_C, _HOT_C, _COLD_C = 15.6, 18.3, 10.0


def bends(weather: Array, eve: Array, before: Array, shares: Array) -> Array:
    """Return the columns over weather, (n, columns): each bent at a place's own weather, then averaged over places.

    Args:
        weather: extremes of the day, degC, (n, places, 4).
        eve: of the day before, mean over places, (n, 4).
        before: of two days before, (n, 4).
        shares: of the places, (places,).
    """
    pieces = [_pieces(weather[:, :, column], knots) for column, knots in enumerate((_HIGHEST, _LOWEST, _WET, ()))]
    own = np.einsum("npk,p->nk", np.concatenate(pieces, axis=2), shares)
    mean = np.einsum("npk,p->nk", weather, shares)[:, :2].mean(axis=1)
    past = eve[:, :2].mean(axis=1)
    hot, past_hot = (np.maximum(each - _HOT_C, 0) / _UNIT_C for each in (mean, past))
    cold = np.maximum(_COLD_C - mean, 0) / _UNIT_C
    return np.concatenate(
        [
            own,
            _pieces(past, _PAST),
            _pieces(eve[:, 2:].mean(axis=1), _PAST_WET),
            _pieces(before[:, :2].mean(axis=1), _PAST),
            np.stack([hot * hot, hot * past_hot, (mean - _MILD_C) / _UNIT_C, hot, cold], axis=1),
        ],
        axis=1,
    )


@dataclass(frozen=True, slots=True)
class SplineKernel:
    """Inner product of columns over weather and calendar, and a level that drifts; ``var`` are of log load."""

    const: float = 0.04
    bend_var: float = 0.002  # per squared unit of 10 degF
    weekday_var: float = 0.01
    special_var: float = 0.002
    season_var: float = 0.0004
    clock_var: float = 0.0004
    days_var: float = 0.00014
    days_len: float = 1.5
    weeks_var: float = 0.00007
    weeks_len: float = 18.0
    year_var: float = 0.00035
    year_len: float = 200.0
    noise: float = 0.0003
    special_noise: float = 3.0  # a special day is this much noisier, in units of noise

    def __call__(self, a: DayInputs, b: DayInputs) -> Array:
        """Return the covariance of days ``a`` (n) and ``b`` (m), shape (n, m), without noise."""
        total = self.const + self._columns(a) @ self._columns(b).T
        days = np.abs(a.calendar.index[:, None] - b.calendar.index[None, :])
        total += self.days_var * np.exp(-days / self.days_len) + self.weeks_var * np.exp(-days / self.weeks_len)
        return np.asarray(total + self.year_var * np.exp(-days / self.year_len))

    def noise_of(self, days: DayInputs) -> Array:
        """Return the noise variance of each day, shape (n,)."""
        return self.noise * (1 + self.special_noise * days.calendar.is_special)

    def _columns(self, days: DayInputs) -> Array:
        of = days.calendar
        turn = of.season[:, 0] + 1j * of.season[:, 1]
        seasons = np.concatenate([(turn**times)[:, None].view(np.float64) for times in (1, 2, 3)], axis=1)
        mean, hot, cold = days.bends[:, -3:].T
        rest = (of.kind > 0).astype(np.float64)
        crossed = np.concatenate([(np.stack([hot, cold]) * rest).T, mean[:, None] * seasons[:, :4]], axis=1)
        return np.concatenate(
            [
                np.sqrt(self.bend_var) * np.concatenate([days.bends, crossed], axis=1),
                np.sqrt(self.season_var) * seasons,
                np.sqrt(self.weekday_var) * np.eye(7)[of.weekday],
                np.sqrt(self.special_var) * of.special,
                np.sqrt(self.clock_var) * of.summer_time[:, None],
            ],
            axis=1,
        )


def _pieces(values: Array, knots: tuple[float, ...]) -> Array:
    """Return the values and what they exceed each knot by, in units, one dimension more."""
    return np.stack([values, *(np.maximum(values - knot, 0) for knot in knots)], axis=-1) / _UNIT_C
