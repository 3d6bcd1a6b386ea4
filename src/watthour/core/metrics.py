"""How good a forecast was: errors, quantile losses, intervals, and whether one forecast beats another beyond chance.

Definitions are those of fev and utilsforecast, so that figures can be compared digit by digit. A pair in which either
side is missing (None or NaN) is left out; ``n_ignored`` counts them. A score of nothing is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.float64]
Column: TypeAlias = ArrayLike | Sequence[float | None]


def usable(*columns: Column) -> tuple[Array, ...]:
    """Return the columns without the rows in which any of them is missing."""
    arrays = [np.asarray(column, dtype=np.float64) for column in columns]
    good = np.logical_and.reduce([_is_known(array) for array in arrays])
    return tuple(array[good] for array in arrays)


def n_ignored(*columns: Column) -> int:
    """Return in how many rows any of the columns is missing."""
    return len(np.asarray(columns[0])) - len(usable(*columns)[0])


def mae(actual: Column, predicted: Column) -> float:
    """Mean absolute error [unit of the target].

    >>> mae([10.0, 20.0, None], [12.0, 19.0, 5.0])
    1.5

    Source: Hyndman and Koehler, International Journal of Forecasting 22 (2006), doi:10.1016/j.ijforecast.2006.03.001.
    """
    a, p = usable(actual, predicted)
    return _mean(np.abs(p - a))


def rmse(actual: Column, predicted: Column) -> float:
    """Root of the mean squared error [unit of the target].

    Source: as ``mae``.
    """
    a, p = usable(actual, predicted)
    return math.sqrt(_mean((p - a) ** 2))


def bias(actual: Column, predicted: Column) -> float:
    """Mean error, positive where the forecast was too high [unit of the target].

    Source: utilsforecast.losses.bias.
    """
    a, p = usable(actual, predicted)
    return _mean(p - a)


def mape(actual: Column, predicted: Column) -> float:
    """Mean absolute percentage error; hours whose actual is zero are left out [%].

    Source: utilsforecast.losses.mape, times 100.
    """
    a, p = usable(actual, predicted)
    counts = a != 0
    return 100 * _mean(np.abs((p[counts] - a[counts]) / a[counts]))


def wape(actual: Column, predicted: Column) -> float:
    """Sum of absolute errors over the sum of absolute actuals [-].

    Source: fev.metrics.WAPE; Hyndman and Koehler (2006) as ``mae``.
    """
    a, p = usable(actual, predicted)
    total = float(np.abs(a).sum())
    return float(np.abs(p - a).sum()) / total if total else math.nan


def seasonal_error(history: Column, season: int) -> float:
    """Mean absolute error of the seasonal naive forecast inside the history: the scale of ``mase`` and ``sql``.

    Source: Hyndman and Koehler (2006) as ``mae``.
    """
    values = np.asarray(history, dtype=np.float64)
    return mae(values[season:], values[:-season]) if len(values) > season else math.nan


def mase(actual: Column, predicted: Column, scale: float) -> float:
    """Mean absolute error over that of the seasonal naive in the history; see ``seasonal_error`` [-].

    Source: Hyndman and Koehler (2006) as ``mae``; fev.metrics.MASE.
    """
    return mae(actual, predicted) / scale if scale else math.nan


def pinball(actual: Column, predicted: Column, level: float) -> float:
    """Mean loss of predicting the ``level`` quantile [unit of the target].

    Source: Koenker and Bassett, Econometrica 46 (1978), doi:10.2307/1913643.
    """
    a, p = usable(actual, predicted)
    return _mean(_pinball(a, p, level))


def mean_pinball(actual: Column, quantiles: Column, levels: Sequence[float]) -> float:
    """Mean pinball loss over all levels, one column each [unit of the target].

    Source: as ``pinball``.
    """
    a, q = usable(actual, quantiles)
    return _mean(np.array([_mean(_pinball(a, q[:, k], level)) for k, level in enumerate(levels)]))


def sql(actual: Column, quantiles: Column, levels: Sequence[float], scale: float) -> float:
    """Scaled quantile loss: twice the mean pinball loss over the seasonal naive's error in the history [-].

    Source: fev.metrics.SQL; Shchur et al., fev-bench (2025), arXiv:2509.26468.
    """
    return 2 * mean_pinball(actual, quantiles, levels) / scale if scale else math.nan


def crps(actual: Column, quantiles: Column, levels: Sequence[float]) -> float:
    """Continuous ranked probability score, from quantiles [unit of the target].

    Twice the integral of the pinball loss over all levels; each level stands for the stretch half-way to its
    neighbours, the outer ones to 0 and 1.

    Source: Laio and Tamea, Hydrology and Earth System Sciences 11 (2007), doi:10.5194/hess-11-1267-2007.
    """
    a, q = usable(actual, quantiles)
    edges = np.concatenate([[0.0], (np.asarray(levels[1:]) + np.asarray(levels[:-1])) / 2, [1.0]])
    losses = [_mean(_pinball(a, q[:, k], level)) for k, level in enumerate(levels)]
    return float(2 * np.dot(np.diff(edges), losses))


def coverage(actual: Column, lower: Column, upper: Column) -> float:
    """Share of actuals inside their interval, ends included [-]."""
    a, low, high = usable(actual, lower, upper)
    return _mean(((low <= a) & (a <= high)).astype(np.float64))


def winkler(actual: Column, lower: Column, upper: Column, confidence: float) -> float:
    """Mean interval score: width, and 2/(1 - confidence) times the distance by which an actual is outside.

    Source: Winkler (1972), doi:10.1080/01621459.1972.10481224; equation 43 of Gneiting and Raftery, Journal of the
    American Statistical Association 102 (2007), doi:10.1198/016214506000001437.
    """
    a, low, high = usable(actual, lower, upper)
    outside = np.maximum(low - a, 0) + np.maximum(a - high, 0)
    return _mean(high - low + 2 / (1 - confidence) * outside)


def skill(loss: float, reference: float) -> float:
    """Share of the reference's loss that is saved; negative where it is worse [-]."""
    return 1 - loss / reference if reference else math.nan


def diebold_mariano(loss_a: Column, loss_b: Column, horizon: int = 1) -> tuple[float, float]:
    """Test whether the losses of ``a`` are smaller than those of ``b`` beyond chance; one-sided.

    Args:
        loss_a: losses in the order of time, one per forecast (for day-ahead forecasts: one per day).
        loss_b: those of the rival, on the same rows.
        horizon: how many steps ahead was forecast; errors overlap up to ``horizon - 1`` steps.

    Returns:
        The statistic, negative where ``a`` is better, and the chance of one as low if both were equally good.

    Source: Diebold and Mariano, Journal of Business & Economic Statistics 13 (1995),
    doi:10.1080/07350015.1995.10524599,
    with the small-sample correction and Student's t of Harvey, Leybourne and Newbold, International Journal of
    Forecasting 13 (1997), doi:10.1016/S0169-2070(96)00719-4.
    """
    a, b = usable(loss_a, loss_b)
    n, difference = len(a), a - b
    if n <= max(1, horizon):
        return math.nan, math.nan
    mean = float(difference.mean())
    centred = difference - mean
    autocovariance = [float(centred[lag:] @ centred[: n - lag]) / n for lag in range(horizon)]
    variance = (autocovariance[0] + 2 * sum(autocovariance[1:])) / n
    if variance <= 0:  # the truncated sum can be negative; the plain variance cannot
        variance = autocovariance[0] / n
    if variance <= np.finfo(np.float64).eps * mean**2:
        return (0.0, 0.5) if mean == 0 else (math.copysign(math.inf, mean), float(mean > 0))
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = mean / math.sqrt(variance) * math.sqrt(correction)
    return statistic, student_t_cdf(statistic, n - 1)


def student_t_cdf(t: float, degrees: float) -> float:
    """Return the probability that Student's t is at most ``t``.

    Source: NIST Digital Library of Mathematical Functions, 8.17 (incomplete beta) and 8.17.22 (continued fraction).
    """
    tail = 0.5 * _incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)
    return tail if t < 0 else 1 - tail


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only below
        return 1 - _incomplete_beta(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a / _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float, *, terms: int = 200) -> float:
    """Return 1 + d1/(1 + d2/(1 + ...)) of DLMF 8.17.22, evaluated from its end."""
    value = 1.0
    for k in range(terms, 0, -1):
        m = k // 2
        if k % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        value = 1 + d / value
    return value


def _pinball(actual: Array, predicted: Array, level: float) -> Array:
    error = actual - predicted
    return np.maximum(level * error, (level - 1) * error)


def _is_known(array: Array) -> NDArray[np.bool_]:
    known = np.isfinite(array)
    return np.asarray(known if known.ndim == 1 else known.all(axis=1))


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else math.nan
