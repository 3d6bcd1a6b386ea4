"""Whether one forecaster is better than another beyond chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.metrics import usable

if TYPE_CHECKING:
    from watthour.core.metrics import Column


def diebold_mariano(loss_a: Column, loss_b: Column, horizon: int = 1) -> tuple[float, float]:
    """Test whether the losses of ``a`` are smaller than those of ``b`` beyond chance; one-sided.

    Args:
        loss_a: (n,) losses in the order of time, one per forecast (for day-ahead forecasts: one per day).
        loss_b: (n,) those of the rival, on the same rows.
        horizon: how many steps ahead was forecast; errors overlap up to ``horizon - 1`` steps.

    Returns:
        The statistic, negative where ``a`` is better, and the chance of one as low if both were equally good.

    Source: Diebold and Mariano, Journal of Business & Economic Statistics 13 (1995),
    doi:10.1080/07350015.1995.10524599,
    with the small-sample correction and Student's t of Harvey, Leybourne and Newbold, International Journal of
    Forecasting 13 (1997), doi:10.1016/S0169-2070(96)00719-4.
    """
    mean, error, n = mean_difference(loss_a, loss_b, horizon)
    if math.isnan(error):
        return math.nan, math.nan
    if error == 0:
        return (0.0, 0.5) if mean == 0 else (math.copysign(math.inf, mean), float(mean > 0))
    return mean / error, student_t_cdf(mean / error, n - 1)


def mean_difference(loss_a: Column, loss_b: Column, horizon: int = 1) -> tuple[float, float, int]:
    """Return the mean of ``a - b``, its standard error by ``diebold_mariano``, and how many rows; arguments as it has.

    The error is NaN on too few rows, and zero where all differences are the same.
    """
    a, b = usable(loss_a, loss_b)
    n, difference = len(a), a - b
    mean = float(difference.mean()) if n else math.nan
    if n <= max(1, horizon):
        return mean, math.nan, n
    centred = difference - mean
    autocovariance = [float(centred[lag:] @ centred[: n - lag]) / n for lag in range(horizon)]
    variance = (autocovariance[0] + 2 * sum(autocovariance[1:])) / n
    if variance <= 0:  # the truncated sum can be negative; the plain variance cannot
        variance = autocovariance[0] / n
    if variance <= np.finfo(np.float64).eps * mean**2:
        return mean, 0.0, n
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return mean, math.sqrt(variance / correction), n


def student_t_cdf(t: float, degrees: float) -> float:
    """Return the probability that Student's t of so many degrees of freedom is at most ``t``."""
    from scipy.special import stdtr  # slow to import

    return float(stdtr(degrees, t))
