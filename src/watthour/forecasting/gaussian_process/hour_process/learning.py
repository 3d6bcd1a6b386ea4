"""Learning the constants from the load itself, by marginal likelihood.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 5.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import inverse_of
from watthour.forecasting.gaussian_process.hour_process.kernel import Pair, noise_of

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.hour_process.constants import Constants, KernelTerm
    from watthour.forecasting.gaussian_process.hour_process.kernel import Inputs
    from watthour.forecasting.vintages import Array

_HOURS = (1, 5, 8, 12, 16, 18, 21)  # night, morning, noon, afternoon and evening stand for all
_ROUNDS = (12, 12)  # steps of the search before odd days are weighed anew, and after
_PRIOR = 0.05  # how dear it is to leave the start, per squared logarithm
_REACH = 4.0  # no constant leaves its start by more than a factor of e to this
_ODD = 9.0  # squared deviations from which an error is held against the day


def learn(start: Constants, inputs: Inputs, values: Array) -> Constants:
    """Return the constants under which the values of days, (n, 24), are most likely; NaN where unknown."""
    from scipy.optimize import minimize

    hours = [_Hour(inputs, values[:, hour], hour) for hour in _HOURS]
    origin = start.as_vector()

    def loss(vector: Array) -> tuple[float, Array]:
        constants = start.with_vector(vector)
        away = vector - origin
        total, slope = _PRIOR * len(hours) * float(away @ away), 2 * _PRIOR * len(hours) * away
        for each in hours:
            value, gradient = each.negative_log_likelihood(constants)
            total, slope = total + value, slope + gradient
        return total / len(hours), slope / len(hours)

    vector = origin
    for n_steps in _ROUNDS:
        for each in hours:
            each.weigh(start.with_vector(vector))
        bounds = [(value - _REACH, value + _REACH) for value in origin]
        vector = minimize(loss, vector, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": n_steps}).x
    return start.with_vector(vector)


class _Hour:
    """Days of known load at one hour, each with the weight of its noise."""

    def __init__(self, inputs: Inputs, values: Array, hour: int) -> None:
        rows = np.flatnonzero(np.isfinite(values))
        self._inputs, self._hour = inputs.take(rows), hour
        self._pair = Pair(self._inputs, self._inputs)
        self._values = values[rows] - values[rows].mean()
        self._weights = np.ones(len(rows))

    def weigh(self, constants: Constants) -> None:
        """Let days that all others predict badly count for less."""
        _, _, inverse = self._solve(constants)
        if inverse is not None:
            alpha = inverse @ self._values
            self._weights = self._weights * np.maximum(1, alpha**2 / np.diag(inverse) / _ODD)

    def negative_log_likelihood(self, constants: Constants) -> tuple[float, Array]:
        """Return the negative logarithm of the marginal likelihood, and its slope along ``as_vector``."""
        terms, lower, inverse = self._solve(constants)
        if lower is None or inverse is None:
            return 1e10, np.zeros(len(constants.as_vector()))
        alpha = inverse @ self._values
        value = 0.5 * float(self._values @ alpha) + float(np.log(np.diag(lower)).sum())
        slope = 0.5 * (inverse - np.outer(alpha, alpha))
        gradient: list[float] = []
        for term, covariance in zip(constants.terms, terms, strict=True):
            gradient += self._slopes(term, covariance * slope)
        by_noise = 2 * np.diag(slope) * noise_of(self._inputs, self._hour, constants.noise) * self._weights
        growth = by_noise @ self._inputs.noise_features(self._hour)
        return value, np.array([*gradient, float(by_noise.sum()), *growth])

    def _slopes(self, term: KernelTerm, weighted: Array) -> list[float]:
        """Return the slope along each number of a term, from its covariance times the slope along it."""
        rows = weighted.sum(axis=1)
        away = self._inputs.distances(term, self._hour)
        away = away - away.mean(axis=0)
        squares = 2 * ((away * away * rows[:, None]).sum(axis=0) - (away * (weighted @ away)).sum(axis=0))
        n_temperature = len(term.temperature)
        found = [2 * float(rows.sum()), *(float(each) for each in squares[:n_temperature])]
        at = n_temperature
        for length, width in ((term.season, 2), (term.light, 1), (term.elevation, 1)):
            if length is not None:
                found.append(float(squares[at : at + width].sum()))
                at += width
        if term.memory_days is not None:
            found.append(float((weighted * self._pair.apart).sum()) / term.memory_days)
        return found

    def _solve(self, constants: Constants) -> tuple[list[Array], Array | None, Array | None]:
        """Return the terms of the covariance, its factor and its inverse; None where it has none."""
        from scipy.linalg import lapack

        terms = [self._pair.of_term(term, self._hour) for term in constants.terms]
        noisy = np.sum(terms, axis=0)
        noisy[np.diag_indices_from(noisy)] += noise_of(self._inputs, self._hour, constants.noise) * self._weights
        lower, failed = lapack.dpotrf(noisy, lower=1)
        if failed:
            return terms, None, None
        return terms, lower, inverse_of(lower)
