"""Fitting to a load of its own how much each term of the kernel explains, how long it lasts, and the noise.

The lengths of the features stay as they are, so that what differs between days is computed once.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 5.4.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import inverse_of
from watthour.forecasting.gaussian_process.hour_process.constants import Noise
from watthour.forecasting.gaussian_process.hour_process.kernel import Pair

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.hour_process.constants import Constants
    from watthour.forecasting.gaussian_process.hour_process.kernel import Inputs
    from watthour.forecasting.vintages import Array

DAYS = 365  # the last so many are looked at
_HOURS = (2, 8, 13, 19)  # night, morning, noon and evening stand for all
_ROUNDS = (12, 12)  # steps of the search before odd days are weighed anew, and after
_PRIOR = 0.05  # how dear it is to leave the start, per squared logarithm
_REACH = 4.0  # no constant leaves its start by more than a factor of e to this
_ODD = 9.0  # squared deviations from which an error is held against the day


def adapt(start: Constants, inputs: Inputs, values: Array) -> Constants:
    """Return the constants under which the values of days, (n, 24), are most likely; NaN where unknown."""
    from scipy.optimize import minimize

    lasting = [number for number, term in enumerate(start.terms) if term.memory_days is not None]
    origin = np.array(
        [
            *np.log([term.deviation for term in start.terms]),
            *np.log([start.terms[number].memory_days or 1.0 for number in lasting]),
            np.log(start.noise.deviation),
            *start.noise.growth,
        ]
    )
    known = (hour for hour in _HOURS if np.isfinite(values[:, hour]).sum() > 1)
    hours = [_Hour(inputs, values[:, hour], hour, start, lasting) for hour in known]

    def loss(vector: Array) -> tuple[float, Array]:
        away = vector - origin
        total, slope = _PRIOR * len(hours) * float(away @ away), 2 * _PRIOR * len(hours) * away
        for each in hours:
            value, gradient = each.negative_log_likelihood(vector)
            total, slope = total + value, slope + gradient
        return total / len(hours), slope / len(hours)

    vector = origin
    bounds = [(value - _REACH, value + _REACH) for value in origin]
    for n_steps in _ROUNDS if hours else ():
        for each in hours:
            each.weigh(vector)
        vector = minimize(loss, vector, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": n_steps}).x
    return _with(start, lasting, vector)


def _with(start: Constants, lasting: list[int], vector: Array) -> Constants:
    n_terms, at_noise = len(start.terms), len(start.terms) + len(lasting)
    deviations = np.exp(vector[:n_terms])
    memories = dict(zip(lasting, np.exp(vector[n_terms:at_noise]), strict=True))
    terms = tuple(
        replace(
            term,
            deviation=float(deviations[number]),
            memory_days=float(memories[number]) if number in memories else None,
        )
        for number, term in enumerate(start.terms)
    )
    deviation, growth = float(np.exp(vector[at_noise])), (float(each) for each in vector[at_noise + 1 :])
    return replace(start, terms=terms, noise=Noise(deviation, *growth))


class _Hour:
    """Days of known load at one hour, each with the weight of its noise, and the terms without their deviations."""

    def __init__(self, inputs: Inputs, values: Array, hour: int, start: Constants, lasting: list[int]) -> None:
        rows = np.flatnonzero(np.isfinite(values))
        inputs = inputs.take(rows)
        pair = Pair(inputs, inputs)
        units = (replace(term, deviation=1.0, memory_days=None) for term in start.terms)
        self._terms = np.stack([pair.of_term(unit, hour).astype(np.float32).ravel() for unit in units])
        self._apart = pair.apart.astype(np.float32).ravel()
        self._lasting, self._steady = lasting, [n for n in range(len(start.terms)) if n not in lasting]
        self._noise_features = inputs.noise_features(hour)
        self._values = values[rows] - np.median(values[rows])
        self._weights = np.ones(len(rows))

    def weigh(self, vector: Array) -> None:
        """Let days that all others predict badly count for less."""
        solved = self._solve(vector)
        if solved is not None:
            inverse = solved[2]
            alpha = inverse @ self._values
            self._weights = self._weights * np.maximum(1, alpha**2 / np.diag(inverse) / _ODD)

    def negative_log_likelihood(self, vector: Array) -> tuple[float, Array]:
        """Return the negative logarithm of the marginal likelihood, and its slope along the vector."""
        solved = self._solve(vector)
        if solved is None:
            return 1e10, np.zeros(len(vector))
        fading, lower, inverse, noise = solved
        alpha = inverse @ self._values
        value = 0.5 * float(self._values @ alpha) + float(np.log(np.diag(lower)).sum())
        slope = 0.5 * (inverse - np.outer(alpha, alpha))
        flat, n_terms = slope.astype(np.float32).ravel(), len(self._terms)
        gradient = np.zeros(len(vector))
        steady = self._steady
        gradient[steady] = 2 * np.exp(2 * vector[steady]) * (self._terms[steady] @ flat)
        for place, (number, covariance) in enumerate(zip(self._lasting, fading, strict=True)):
            weighted = covariance * flat
            gradient[number] = 2 * float(weighted.sum())
            gradient[n_terms + place] = float(weighted @ self._apart) * np.exp(-vector[n_terms + place])
        by_noise = 2 * np.diag(slope) * noise
        at_noise = n_terms + len(self._lasting)
        gradient[at_noise] = by_noise.sum()
        gradient[at_noise + 1 :] = by_noise @ self._noise_features
        return value, gradient

    def _solve(self, vector: Array) -> tuple[list[Array], Array, Array, Array] | None:
        """Return the terms that fade, the factor of the covariance, its inverse and the noise; None if it has none."""
        from scipy.linalg import lapack

        n_terms, n_days = len(self._terms), len(self._values)
        variances = np.exp(2 * vector[:n_terms]).astype(np.float32)
        total = variances[self._steady] @ self._terms[self._steady]
        fading = []
        for place, number in enumerate(self._lasting):
            covariance = np.exp(self._apart * np.float32(-np.exp(-vector[n_terms + place])))
            covariance *= self._terms[number]
            covariance *= variances[number]
            fading.append(covariance)
            total += covariance
        noisy = total.reshape(n_days, n_days).astype(np.float64)
        at_noise = n_terms + len(self._lasting)
        noise = np.exp(2 * vector[at_noise] + 2 * self._noise_features @ vector[at_noise + 1 :]) * self._weights
        noisy[np.diag_indices(n_days)] += noise
        lower, failed = lapack.dpotrf(noisy, lower=1)
        if failed:
            return None
        return fading, lower, inverse_of(lower), noise
