"""The pieces that covariances of days are made of.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from watthour.forecasting.calendar import JULIAN_YEAR

if TYPE_CHECKING:
    from datetime import date

    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

Names: TypeAlias = NDArray[np.str_]


def squared_distance(a: Array, b: Array) -> Array:
    """Return the squared Euclidean distances of rows (n, k) and (m, k), shape (n, m)."""
    if not a.shape[1]:
        return np.zeros((len(a), len(b)))
    found = a @ (-2 * b.T)
    found += (a * a).sum(axis=1)[:, None]
    found += (b * b).sum(axis=1)[None, :]
    return np.maximum(found, 0, out=found)


def gaussian(squared: Array, length: float) -> Array:
    """Return the squared-exponential covariance of squared distances of any shape, with unit variance."""
    exponent = squared * (-0.5 / length**2)
    return np.asarray(np.exp(exponent, out=exponent))


def days_apart(a: Array | Instants, b: Array | Instants) -> Instants:
    """Return how many days lie between days (n) and (m) counted from any one, shape (n, m)."""
    return np.asarray(np.abs(a.astype(np.int64)[:, None] - b.astype(np.int64)[None, :]))


def forgetting(apart: Instants, *memories: tuple[float, float]) -> Array:
    """Return a sum of exponential covariances of whole days apart, each of a variance and a length in days.

    Any shape, such as the (n, m) of ``days_apart``.
    """
    table = np.arange(int(apart.max(initial=0)) + 1, dtype=np.float64)
    found = np.sum([variance * np.exp(-table / length) for variance, length in memories], axis=0)
    return np.asarray(found[apart])


def seasonal(apart: Instants, length: float) -> Array:
    """Return the squared-exponential covariance on the circle of the year, of days of the year so far apart.

    Any shape, such as the (n, m) of ``days_apart``.
    """
    angle = 2 * np.pi * np.arange(int(apart.max(initial=0)) + 1) / JULIAN_YEAR
    return np.asarray(gaussian(2 - 2 * np.cos(angle), length)[apart])


def is_same(a: Instants, b: Instants) -> Array:
    """Return 1 where two codes agree, (n, m)."""
    return np.asarray(a[:, None] == b[None, :], dtype=np.float64)


def n_shared(a: Names, b: Names) -> Array:
    """Return how many names each two days share, (n, m); names are (n, k) and (m, l), empty where there is none."""
    names, codes = np.unique(np.concatenate([a[a != ""], b[b != ""]]), return_inverse=True)
    split = int((a != "").sum())
    return _one_hot(a != "", codes[:split], len(names)) @ _one_hot(b != "", codes[split:], len(names)).T


def shared_periods(a: Array, b: Array, length: float) -> tuple[Array, Array]:
    """Return in how many periods both of two days lie, and how near to each other within them, each (n, m).

    Args:
        a: which day of each period, from 1, 0 outside: (n, p).
        b: likewise, (m, p).
        length: days within a period after which two days are no longer near.
    """
    both = a.T[:, :, None].astype(bool) & b.T[:, None, :].astype(bool)
    near = np.exp(-np.abs(a.T[:, :, None] - b.T[:, None, :]) / length)
    return both.sum(axis=0, dtype=np.float64), np.asarray((both * near).sum(axis=0))


def day_of_year_circle(dates: list[date]) -> Array:
    """Return the point of each day on the circle of the year, (n, 2)."""
    angle = 2 * np.pi * np.array([day.timetuple().tm_yday for day in dates]) / JULIAN_YEAR
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _one_hot(is_named: Mask, codes: Instants, n_names: int) -> Array:
    found = np.zeros((len(is_named), n_names))
    found[np.nonzero(is_named)[0], codes] = 1.0
    return found
