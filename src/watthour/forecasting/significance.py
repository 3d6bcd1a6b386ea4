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
    """Return the probability that Student's t of so many degrees of freedom is at most ``t``."""
    from scipy.special import stdtr  # slow to import

    return float(stdtr(degrees, t))
