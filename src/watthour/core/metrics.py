"""How good a forecast was: errors, quantile losses and intervals.

Definitions are those of fev and utilsforecast, so that figures can be compared digit by digit. A pair in which either
side is missing (None or NaN) is left out; ``n_ignored`` counts them. A score of nothing is NaN.

Columns are (n,), one number per row; quantiles are (n, levels).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watthour.core.units import Unit

Array: TypeAlias = NDArray[np.float64]
Column: TypeAlias = ArrayLike | Sequence[float | None]

_CONFIDENCE = 0.9  # of the interval that is scored [-]
_SMALL = 0.05  # of the mean: a percentage of smaller values says nothing


def usable(*columns: Column) -> tuple[Array, ...]:
    """Return the columns, each (n,) or (n, levels), without the rows in which any of them is missing."""
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


def has_percent(values: Column) -> bool:
    """Tell whether errors in per cent of some actuals mean something: hardly any is near zero or below."""
    (known,) = usable(values)
    return bool(len(known)) and bool(np.quantile(known, 0.01) > _SMALL * np.abs(known).mean())


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
    """Mean pinball loss over all levels, one column each: (n, levels) [unit of the target].

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


def scores(
    actual: Column,
    median: Column,
    lower: Column | None = None,
    upper: Column | None = None,
    *,
    unit: str | None,
    quantiles: Column | None = None,
    levels: Sequence[float] = (),
    reference: Column | None = None,
) -> dict[str, float]:
    """Return every score of one forecaster that its numbers allow, by the public names.

    Always ``n``, ``mae``, ``rmse``, ``bias`` [unit of the channel] and ``mape_percent``; with both bounds of its 90 %
    interval ``coverage90_percent`` and ``winkler90``; with quantiles ``pinball``, the mean over all levels; with a
    reference ``skill_percent``. Scores of a channel in MWh stand under ``mae_mwh``, ``rmse_mwh`` and ``bias_mwh`` too.
    A row in which the actual or a number asked for by a score is missing is left out of that score; ``n`` counts the
    rows of the errors.

    Args:
        actual: what came of each interval [unit of the channel].
        median: what was forecast.
        lower: quantile of level 0.05.
        upper: quantile of level 0.95.
        unit: of the channel, such as ``MWh``; None leaves the names with a unit out.
        quantiles: (rows, levels).
        levels: of the quantiles.
        reference: the forecast that skill is the gain in mean absolute error over, on the rows both have.
    """
    found: dict[str, float] = {
        "n": len(usable(actual, median)[0]),
        "mae": mae(actual, median),
        "mape_percent": mape(actual, median),
        "rmse": rmse(actual, median),
        "bias": bias(actual, median),
    }
    if unit == Unit.MWH:
        found |= {f"{name}_mwh": found[name] for name in ("mae", "rmse", "bias")}
    if lower is not None and upper is not None:
        found["coverage90_percent"] = 100 * coverage(actual, lower, upper)
        found["winkler90"] = winkler(actual, lower, upper, _CONFIDENCE)
    if quantiles is not None:
        found["pinball"] = mean_pinball(actual, quantiles, levels)
    if reference is not None:
        a, p, r = usable(actual, median, reference)
        found["skill_percent"] = 100 * skill(mae(a, p), mae(a, r))
    return found


def _pinball(actual: Array, predicted: Array, level: float) -> Array:
    error = actual - predicted
    return np.maximum(level * error, (level - 1) * error)


def _is_known(array: Array) -> NDArray[np.bool_]:
    known = np.isfinite(array)
    return np.asarray(known if known.ndim == 1 else known.all(axis=1))


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else math.nan
