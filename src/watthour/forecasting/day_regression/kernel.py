"""The covariance of days by what is known of them, and how its constants are learned.

A day's values are a straight-line function of its inputs, plus a smooth one of any form, plus a level that wanders; the
first two drift: days close in time resemble each other more. Inputs come in groups, such as "values of the day before"
or "wind forecast of the day"; each has a weight in the straight line, and a length scale in the smooth function, so
that a group which tells nothing is switched off (automatic relevance determination).

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), sections 5.1, 5.4.1 and 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from watthour.forecasting.vintages import Array, Instants

_START_LINEAR, _START_SMOOTH = 0.1, 0.05  # per group


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

    def take(self, rows: Instants) -> Inputs:
        """Return some of the days."""
        return Inputs([group[rows] for group in self.groups], self.day[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """The covariance of days, without the noise."""

    log: Array  # (2 * groups + constants of Rest,) logarithms: weights, inverse squared length scales, the rest

    @property
    def rest(self) -> Rest:
        """The constants that belong to no group."""
        return Rest(*np.exp(self.log[-len(Rest._fields) :]).tolist())

    @property
    def noise(self) -> float:
        """Variance of a day's values around what its inputs tell."""
        return self.rest.noise

    def __call__(self, one: Inputs, other: Inputs) -> Array:
        """Return the covariance of days, (n, m)."""
        rest, n_groups = self.rest, len(one.groups)
        linear, smooth = np.exp(self.log[:n_groups] / 2), np.exp(self.log[n_groups : 2 * n_groups] / 2)
        straight = _stacked(one, linear) @ _stacked(other, linear).T
        left, right = _stacked(one, smooth), _stacked(other, smooth)
        distance = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * left @ right.T
        apart = np.abs(one.day[:, None] - other.day[None, :]).astype(np.float64)
        drifting = 1 + rest.drift * np.exp(-apart / rest.drift_days)
        form = straight + rest.smooth * np.exp(-0.5 * np.maximum(distance, 0))
        return np.asarray(form * drifting + rest.level * np.exp(-apart / rest.level_days) + rest.constant)

    def variance(self, days: Inputs) -> Array:
        """Return the variance of each day without noise, (n,)."""
        rest = self.rest
        straight = (_stacked(days, np.exp(self.log[: len(days.groups)] / 2)) ** 2).sum(axis=1)
        return np.asarray((straight + rest.smooth) * (1 + rest.drift) + rest.level + rest.constant)

    @classmethod
    def start(cls, n_groups: int) -> Kernel:
        """Return what is assumed before anything was learned."""
        linear, smooth = np.full(n_groups, _START_LINEAR), np.full(n_groups, _START_SMOOTH)
        return cls(np.log(np.concatenate([linear, smooth, Rest()])))

    def learned(self, days: Inputs, values: Array, *, n_steps: int) -> Kernel:
        """Return the kernel under which values are likeliest, searched from this one on.

        Args:
            days: n days; the cost grows with their cube.
            values: (n, intervals), each column with a variance of about 1.
            n_steps: of the search, at most.
        """
        from scipy.optimize import minimize

        likelihood = _Likelihood(days, values.astype(np.float32), Kernel.start(len(days.groups)).log)
        bounds = [_GROUP_BOUNDS] * (2 * len(days.groups)) + list(zip(_LOWEST, _HIGHEST, strict=True))
        low, high = np.array(bounds).T
        found = minimize(
            likelihood,
            np.clip(self.log, low, high),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": n_steps},
        )
        return Kernel(np.asarray(found.x, dtype=np.float64))


class _Likelihood:
    """The negative logarithm of the likelihood of values, and its slope; single precision will do to search."""

    def __init__(self, days: Inputs, values: NDArray[np.float32], prior: Array) -> None:
        self._values, self._prior = values, prior
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
        rest = Rest(*constants[2 * n_groups :])
        straight = _weighted(linear, self._products)
        smooth = rest.smooth * np.exp(np.float32(-0.5) * _weighted(inverse_lengths, self._distances))
        near, recent = np.exp(-self._apart / rest.drift_days), np.exp(-self._apart / rest.level_days)
        drifting, form = 1 + rest.drift * near, straight + smooth
        covariance = form * drifting + rest.level * recent + rest.constant
        covariance[np.diag_indices(n)] += rest.noise
        lower, failed = lapack.spotrf(covariance, lower=1, clean=1)
        if failed:
            return 1e10, np.zeros_like(log)
        inverse = lapack.spotri(lower, lower=1)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
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
        off, pull = log - self._prior, n_columns / 24
        total = loss + 0.5 * pull * float(off @ off)
        return total / (n * n_columns), (np.array(gradient, dtype=np.float64) + pull * off) / (n * n_columns)


def _stacked(days: Inputs, weights: Array) -> Array:
    return np.concatenate([weight * group for weight, group in zip(weights, days.groups, strict=True)], axis=1)


def _weighted(weights: NDArray[np.float32], squares: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    total = np.zeros_like(squares[0])
    for weight, square in zip(weights, squares, strict=True):
        total += weight * square
    return total


def _dot(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one.ravel() @ other.ravel())
