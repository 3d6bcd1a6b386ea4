"""The covariance of days by what is known of them, and how its constants are learned.

A day's values are a straight-line function of its inputs, plus a smooth one of any form, plus a level that wanders; the
first two drift: days close in time resemble each other more. Inputs come in groups, such as "values of the day before"
or "wind forecast of the day"; each has a weight in the straight line, and a length scale in the smooth function, so
that a group which tells nothing is switched off (automatic relevance determination). A second smooth function, of the
asked day's own groups alone, may stand beside the first.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), sections 5.1, 5.4.1 and 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import inverse_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from watthour.forecasting.vintages import Array, Instants

_START_LINEAR, _START_SMOOTH = 0.1, 0.05  # per group
_START_OWN, _START_OWN_SMOOTH = 0.2, 0.3  # of the second smooth function: its variance, and per group
_OWN_BOUNDS = (-8.0, 4.0)  # of the logarithm of that variance


class Rest(NamedTuple):
    """The constants that belong to no group."""

    smooth: float = 0.3  # variance of the smooth function
    drift: float = 0.3  # how much more alike days close in time are
    drift_days: float = 60.0  # within how many days
    level: float = 0.1  # variance of the wandering level
    level_days: float = 20.0
    noise: float = 0.15  # variance of a day's values
    constant: float = 1.0  # variance of their mean


_LOWEST = Rest(smooth=-8, drift=-8, drift_days=2, level=-8, level_days=1, noise=-6, constant=-8)
_HIGHEST = Rest(smooth=4, drift=3, drift_days=7, level=2, level_days=6, noise=1, constant=3)
_GROUP_BOUNDS = (-9.0, 4.0)  # of the logarithms


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What is known of n days, group by group, and when they were."""

    groups: Sequence[Array]  # each (n, any), scaled so that a usual day's square is about 1
    day: Instants  # (n,) since 1970
    own: tuple[int, ...] = ()  # which groups the second smooth function is of

    def take(self, rows: Instants) -> Inputs:
        """Return some of the days."""
        return Inputs([group[rows] for group in self.groups], self.day[rows], self.own)


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """The covariance of days, without the noise."""

    # logarithms: weights and inverse squared length scales of the groups, those of Rest, and, of a second smooth
    # function, inverse squared length scales and variance
    log: Array
    n_groups: int

    @property
    def rest(self) -> Rest:
        """The constants that belong to no group."""
        start = 2 * self.n_groups
        return Rest(*np.exp(self.log[start : start + len(Rest._fields)]).tolist())

    @property
    def _second(self) -> Array:
        return np.exp(self.log[2 * self.n_groups + len(Rest._fields) :])

    @property
    def noise(self) -> float:
        """Variance of a day's values around what its inputs tell."""
        return self.rest.noise

    def __call__(self, one: Inputs, other: Inputs) -> Array:
        """Return the covariance of days, (n, m)."""
        rest, n_groups = self.rest, self.n_groups
        linear, smooth = np.exp(self.log[:n_groups] / 2), np.exp(self.log[n_groups : 2 * n_groups] / 2)
        straight = _stacked(one, linear) @ _stacked(other, linear).T
        form = straight + rest.smooth * _resemblance(_stacked(one, smooth), _stacked(other, smooth))
        if one.own:
            *own, variance = self._second
            weights = np.sqrt(own)
            form += variance * _resemblance(_stacked(one, weights, one.own), _stacked(other, weights, one.own))
        apart = np.abs(one.day[:, None] - other.day[None, :]).astype(np.float64)
        drifting = 1 + rest.drift * np.exp(-apart / rest.drift_days)
        return np.asarray(form * drifting + rest.level * np.exp(-apart / rest.level_days) + rest.constant)

    def variance(self, days: Inputs) -> Array:
        """Return the variance of each day without noise, (n,)."""
        rest = self.rest
        straight = (_stacked(days, np.exp(self.log[: self.n_groups] / 2)) ** 2).sum(axis=1)
        smooth = rest.smooth + (float(self._second[-1]) if days.own else 0.0)
        return np.asarray((straight + smooth) * (1 + rest.drift) + rest.level + rest.constant)

    @classmethod
    def start(cls, days: Inputs) -> Kernel:
        """Return what is assumed before anything was learned."""
        n_groups, n_own = len(days.groups), len(days.own)
        linear, smooth = np.full(n_groups, _START_LINEAR), np.full(n_groups, _START_SMOOTH)
        second = [*[_START_OWN_SMOOTH] * n_own, _START_OWN] if n_own else []
        return cls(np.log(np.concatenate([linear, smooth, Rest(), second])), n_groups)

    def learned(self, days: Inputs, values: Array, *, n_steps: int) -> Kernel:
        """Return the kernel under which values are likeliest, searched from this one on.

        Args:
            days: n days; the cost grows with their cube.
            values: (n, intervals), each column with a variance of about 1.
            n_steps: of the search, at most.
        """
        from scipy.optimize import minimize

        likelihood = _Likelihood(days, values.astype(np.float32), Kernel.start(days).log)
        bounds = [_GROUP_BOUNDS] * (2 * self.n_groups) + list(zip(_LOWEST, _HIGHEST, strict=True))
        if days.own:
            bounds += [*[_GROUP_BOUNDS] * len(days.own), _OWN_BOUNDS]
        low, high = np.array(bounds).T
        found = minimize(
            likelihood,
            np.clip(self.log, low, high),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": n_steps},
        )
        return Kernel(np.asarray(found.x, dtype=np.float64), self.n_groups)


class _Likelihood:
    """The negative logarithm of the likelihood of values, and its slope; single precision will do to search."""

    def __init__(self, days: Inputs, values: NDArray[np.float32], prior: Array) -> None:
        self._values, self._prior, self._own = values, prior, days.own
        self._products, self._distances = [], []
        for group in days.groups:
            single = group.astype(np.float32)
            product = single @ single.T
            own = np.diag(product)
            self._products.append(product)
            self._distances.append(np.maximum(own[:, None] + own[None, :] - 2 * product, 0))
        self._apart = np.abs(days.day[:, None] - days.day[None, :]).astype(np.float32)

    def __call__(self, log: Array) -> tuple[float, Array]:
        """Return it, and its slope by each logarithm, per value."""
        from scipy.linalg import lapack

        n_groups, (n, n_columns) = len(self._products), self._values.shape
        constants = np.exp(log).astype(np.float32)
        linear, inverse_lengths = constants[:n_groups], constants[n_groups : 2 * n_groups]
        start = 2 * n_groups + len(Rest._fields)
        rest, second = Rest(*constants[2 * n_groups : start]), constants[start:]
        straight = _weighted(linear, self._products)
        smooth = rest.smooth * np.exp(np.float32(-0.5) * _weighted(inverse_lengths, self._distances))
        near, recent = np.exp(-self._apart / rest.drift_days), np.exp(-self._apart / rest.level_days)
        own = np.zeros_like(smooth)
        if self._own:
            distances = [self._distances[k] for k in self._own]
            own = second[-1] * np.exp(np.float32(-0.5) * _weighted(second[:-1], distances))
        drifting, form = 1 + rest.drift * near, straight + smooth + own
        covariance = form * drifting + rest.level * recent + rest.constant
        covariance[np.diag_indices(n)] += rest.noise
        lower, failed = lapack.spotrf(covariance, lower=1, clean=1)
        if failed:
            return 1e10, np.zeros_like(log)
        inverse = inverse_of(lower)
        weights = inverse @ self._values
        loss = 0.5 * float((self._values * weights).sum()) + n_columns * float(np.log(np.diag(lower)).sum())
        slope = np.float32(0.5) * (n_columns * inverse - weights @ weights.T)
        of_form = slope * drifting
        of_smooth = of_form * smooth
        of_near, of_recent = slope * form * near * rest.drift, slope * recent * rest.level
        gradient = [weight * _dot(of_form, product) for weight, product in zip(linear, self._products, strict=True)]
        gradient += [
            -0.5 * inverse_length * _dot(of_smooth, distance)
            for inverse_length, distance in zip(inverse_lengths, self._distances, strict=True)
        ]
        gradient += Rest(
            smooth=float(of_smooth.sum()),
            drift=float(of_near.sum()),
            drift_days=_dot(of_near, self._apart) / rest.drift_days,
            level=float(of_recent.sum()),
            level_days=_dot(of_recent, self._apart) / rest.level_days,
            noise=rest.noise * float(np.trace(slope)),
            constant=rest.constant * float(slope.sum()),
        )
        if self._own:
            of_own = of_form * own
            gradient += [
                -0.5 * inverse_length * _dot(of_own, self._distances[k])
                for inverse_length, k in zip(second[:-1], self._own, strict=True)
            ]
            gradient.append(float(of_own.sum()))
        off, pull = log - self._prior, n_columns / 24
        total = loss + 0.5 * pull * float(off @ off)
        return total / (n * n_columns), (np.array(gradient, dtype=np.float64) + pull * off) / (n * n_columns)


def _stacked(days: Inputs, weights: Array, which: tuple[int, ...] | None = None) -> Array:
    groups = days.groups if which is None else [days.groups[k] for k in which]
    return np.concatenate([weight * group for weight, group in zip(weights, groups, strict=True)], axis=1)


def _resemblance(one: Array, other: Array) -> Array:
    distance = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    return np.asarray(np.exp(-0.5 * np.maximum(distance, 0)))


def _weighted(weights: NDArray[np.float32], squares: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    total = np.zeros_like(squares[0])
    for weight, square in zip(weights, squares, strict=True):
        total += weight * square
    return total


def _dot(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one.ravel() @ other.ravel())
