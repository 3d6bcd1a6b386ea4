"""Covariance of days at one hour of the clock: a sum of products of simple kernels.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2, 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.gaussian_process.hour_process.temperature import HOURS, temperature_features
from watthour.forecasting.gaussian_process.kernels import is_same, n_shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watthour.forecasting.gaussian_process.hour_process.calendar import CalendarDays
    from watthour.forecasting.gaussian_process.hour_process.constants import Constants, KernelTerm, Noise
    from watthour.forecasting.vintages import Array, Instants

_HOT, _COLD = (65 - 32) / 10, (40 - 32) / 10  # 65 and 40 degF, in units above 0 degC
_CODES = ("weekday", "works")  # qualities to agree in; all others but the name are had or not
_SEVERAL = ("periods", "working_periods")  # of which a day can have several
_DUSK = 8.0  # degrees over which daylight comes and goes
_SUN = 20.0  # degrees of elevation to one unit


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Days and the temperature around them."""

    days: CalendarDays
    temperature: Array  # (n, 24, N_FEATURES)

    @classmethod
    def of(cls, days: CalendarDays, windows: Array) -> Inputs:
        """Return inputs of days with the temperature around each, (n, 9, 24) [degC]."""
        return cls(days, temperature_features(windows))

    def take(self, rows: Instants) -> Inputs:
        """Return some of the days, by position (r,)."""
        return Inputs(self.days.take(rows), self.temperature[rows])

    def distances(self, term: KernelTerm, hour: int) -> Array:
        """Return coordinates whose squared distance is that of a term but for its memory, (n, k)."""
        columns = [self.temperature[:, hour, : len(term.temperature)] / np.array(term.temperature or [])]
        if term.season is not None:
            columns.append(self.days.season / term.season)
        if term.light is not None:
            columns.append(self.light(hour) / term.light)
        if term.elevation is not None:
            columns.append(self.elevation(hour) / term.elevation)
        return np.concatenate(columns, axis=1)

    def light(self, hour: int) -> Array:
        """Return how light it is, (n, 1), -1 to 1."""
        return np.asarray(np.tanh(self.days.sun[:, hour : hour + 1] / _DUSK))

    def elevation(self, hour: int) -> Array:
        """Return how high the sun stands, (n, 1)."""
        return np.asarray(self.days.sun[:, hour : hour + 1] / _SUN)

    def noise_features(self, hour: int) -> Array:
        """Return what makes the noise of a day grow, (n, 4)."""
        now = self.temperature[:, hour, 0]
        return np.stack(
            [self.days.works == 0, np.maximum(0, now - _HOT), np.maximum(0, _COLD - now), self.days.name != ""], axis=1
        ).astype(np.float64)


class Pair:
    """Two sets of days and their covariance; what does not depend on the hour is computed once."""

    def __init__(self, a: Inputs, b: Inputs) -> None:
        self._a, self._b = a, b
        self.apart = np.abs(a.days.number[:, None] - b.days.number[None, :])
        self._agreement: dict[str, Array] = {}

    def covariances(self, constants: Constants, hours: Sequence[int] = range(HOURS)) -> Iterator[Array]:
        """Yield the covariance of days at hours of the clock, without noise, (n, m)."""
        daily = sum(
            (self.of_term(term, 0) for term in constants.terms if not term.is_hourly), np.zeros(self.apart.shape)
        )
        for hour in hours:
            yield sum((self.of_term(term, hour) for term in constants.terms if term.is_hourly), daily.copy())

    def of_term(self, term: KernelTerm, hour: int) -> Array:
        """Return one term of the covariance, (n, m)."""
        exponent = np.zeros(self.apart.shape) if term.memory_days is None else self.apart / -term.memory_days
        a, b = self._a.distances(term, hour), self._b.distances(term, hour)
        if a.size and b.size:
            centre = a.mean(axis=0)
            a, b = a - centre, b - centre
            exponent += a @ b.T
            exponent -= 0.5 * (a * a).sum(axis=1)[:, None]
            exponent -= 0.5 * (b * b).sum(axis=1)[None, :]
        covariance = np.exp(exponent, out=exponent)
        covariance *= term.deviation**2
        if term.same is not None:
            covariance *= self._agreement_in(term.same)
        return covariance

    def _agreement_in(self, quality: str) -> Array:
        """Return where both days have a quality or agree in it, (n, m)."""
        if quality not in self._agreement:
            a, b = getattr(self._a.days, quality), getattr(self._b.days, quality)
            if quality == "name":
                self._agreement[quality] = n_shared(a[:, None], b[:, None])
            elif quality in _SEVERAL:
                self._agreement[quality] = a @ b.T
            else:
                self._agreement[quality] = is_same(a, b) if quality in _CODES else np.outer(a, b)
        return self._agreement[quality]


def variance_of(inputs: Inputs, constants: Constants) -> Array:
    """Return the variance of each day without noise, (n,)."""
    total = np.zeros(len(inputs.days.number))
    for term in constants.terms:
        if term.same is None or term.same in _CODES:
            has = np.ones(len(total))
        elif term.same == "name":
            has = (inputs.days.name != "").astype(np.float64)
        elif term.same in _SEVERAL:
            has = getattr(inputs.days, term.same).sum(axis=1)
        else:
            has = getattr(inputs.days, term.same) ** 2
        total += term.deviation**2 * has
    return total


def noise_of(inputs: Inputs, hour: int, noise: Noise) -> Array:
    """Return the noise variance of each day at an hour, (n,)."""
    return np.asarray(noise.deviation**2 * np.exp(2 * inputs.noise_features(hour) @ noise.growth))
