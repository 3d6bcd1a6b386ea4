"""Likeness of days at one hour of the clock: a sum of products of simple kernels.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2, 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.day_process.asks import HOURS
from watthour.forecasting.hour_process.temperature import features

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.forecasting.hour_process.constants import Constants, Noise, Part
    from watthour.forecasting.hour_process.days import Days
    from watthour.forecasting.vintages import Array, Instants

_HOT, _COLD = (65 - 32) / 10, (40 - 32) / 10  # 65 and 40 degF, in units above 0 degC
_AGREE = ("weekday", "works", "name")  # qualities with codes; all others are had or not
_DUSK = 8.0  # degrees over which daylight comes and goes
_SUN = 20.0  # degrees of elevation to one unit


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Days and the temperature around them."""

    days: Days
    felt: Array  # (n, 24, N_FEATURES)

    @classmethod
    def of(cls, days: Days, windows: Array) -> Inputs:
        """Return inputs of days with the temperature around each, (n, 9, 24) [degC]."""
        return cls(days, features(windows))

    def take(self, rows: Instants) -> Inputs:
        """Return some of the days."""
        return Inputs(self.days.take(rows), self.felt[rows])

    def distances(self, part: Part, hour: int) -> Array:
        """Return coordinates whose squared distance is that of a part but for its memory, (n, k)."""
        columns = [self.felt[:, hour, : len(part.temperature)] / np.array(part.temperature or [])]
        if part.season is not None:
            columns.append(self.days.season / part.season)
        if part.light is not None:
            columns.append(self.light(hour) / part.light)
        if part.elevation is not None:
            columns.append(self.elevation(hour) / part.elevation)
        return np.concatenate(columns, axis=1)

    def light(self, hour: int) -> Array:
        """Return how light it is, (n, 1), -1 to 1."""
        return np.asarray(np.tanh(self.days.sun[:, hour : hour + 1] / _DUSK))

    def elevation(self, hour: int) -> Array:
        """Return how high the sun stands, (n, 1)."""
        return np.asarray(self.days.sun[:, hour : hour + 1] / _SUN)

    def troubles(self, hour: int) -> Array:
        """Return what makes the noise of a day grow, (n, 4)."""
        now = self.felt[:, hour, 0]
        return np.stack(
            [self.days.works == 0, np.maximum(0, now - _HOT), np.maximum(0, _COLD - now), self.days.name >= 0], axis=1
        ).astype(np.float64)


class Pair:
    """Two sets of days beside each other; what does not depend on the hour is computed once."""

    def __init__(self, a: Inputs, b: Inputs) -> None:
        self._a, self._b = a, b
        self.apart = np.abs(a.days.number[:, None] - b.days.number[None, :])
        self._agreement: dict[str, Array] = {}

    def covariances(self, constants: Constants) -> Iterator[Array]:
        """Yield the covariance of log load at each hour of the clock, without noise, (n, m)."""
        daily = sum((self.part(part, 0) for part in constants.parts if not part.is_hourly), np.zeros(self.apart.shape))
        for hour in range(HOURS):
            yield sum((self.part(part, hour) for part in constants.parts if part.is_hourly), daily.copy())

    def part(self, part: Part, hour: int) -> Array:
        """Return one part of the covariance, (n, m)."""
        exponent = np.zeros(self.apart.shape) if part.memory_days is None else self.apart / -part.memory_days
        a, b = self._a.distances(part, hour), self._b.distances(part, hour)
        if a.size and b.size:
            centre = a.mean(axis=0)
            a, b = a - centre, b - centre
            exponent += a @ b.T
            exponent -= 0.5 * (a * a).sum(axis=1)[:, None]
            exponent -= 0.5 * (b * b).sum(axis=1)[None, :]
        covariance = np.exp(exponent, out=exponent)
        covariance *= part.deviation**2
        if part.same is not None:
            covariance *= self._agree(part.same)
        return covariance

    def _agree(self, quality: str) -> Array:
        if quality not in self._agreement:
            a, b = getattr(self._a.days, quality), getattr(self._b.days, quality)
            if quality in _AGREE:
                self._agreement[quality] = ((a[:, None] == b[None, :]) & (a[:, None] >= 0)).astype(np.float64)
            else:
                self._agreement[quality] = np.outer(a, b)
        return self._agreement[quality]


def variance_of(inputs: Inputs, constants: Constants) -> Array:
    """Return the variance of each day's log load without noise, (n,)."""
    total = np.zeros(len(inputs.days.number))
    for part in constants.parts:
        if part.same is None or part.same in ("weekday", "works"):
            has = np.ones(len(total))
        elif part.same == "name":
            has = (inputs.days.name >= 0).astype(np.float64)
        else:
            has = getattr(inputs.days, part.same) ** 2
        total += part.deviation**2 * has
    return total


def noise_of(inputs: Inputs, hour: int, noise: Noise) -> Array:
    """Return the noise variance of each day at an hour, (n,)."""
    return np.asarray(noise.deviation**2 * np.exp(2 * inputs.troubles(hour) @ noise.growth))
