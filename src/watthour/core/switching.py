"""How the runs of a device are told from the time it is off, for forecasts and insights alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RARE_SHARE = 0.25  # of its time that a device runs at most, for it to be told of by its uses
_OFF_LEVEL = 0.05  # quantile of the values that is what it draws while off
_ON_PART = 0.1  # of the typical power of its runs, above what it draws while off, from which it counts as running
LEAST_KW = 0.002  # typical power of something that is used at all


class Runs(NamedTuple):
    """What a device draws while off, and from which mean power of an interval on it counts as running [kW]."""

    off_kw: float
    least_kw: float


def runs_of(power_kw: Array) -> Runs | None:
    """Return how the runs of a device are told from the time it is off; None where it has no runs.

    While off it draws the 5 % quantile. The typical power of its runs is the mean of what it draws above that, each
    value weighted by its square, so that standby hardly counts, however long. It runs in an interval in which it draws
    a tenth of that more than while off. What hardly draws more than while off, or feeds in, has no runs.

    Args:
        power_kw: (n,) mean powers of intervals; NaN where unknown.
    """
    known = power_kw[np.isfinite(power_kw)]
    if not len(known):
        return None
    off = float(np.quantile(known, _OFF_LEVEL))
    above = np.maximum(known - off, 0.0)
    typical = float((above**3).sum() / (above**2).sum()) if above.any() else 0.0
    if off < 0 or typical < max(off, LEAST_KW):
        return None
    return Runs(off, off + _ON_PART * typical)


def share_of_time_on(power_kw: Array) -> float | None:
    """Return the share of the known intervals in which a device runs; None where it has no runs to tell apart."""
    runs = runs_of(power_kw)
    if runs is None:
        return None
    known = power_kw[np.isfinite(power_kw)]
    return float((known > runs.least_kw).mean())
