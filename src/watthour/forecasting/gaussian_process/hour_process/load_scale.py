"""In what the loads of a series are measured: logarithms, or parts of its usual size."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array, Instants

_MOST_NOT_POSITIVE = 0.01  # of the readings; a few zeros are outages
_WEEK = 7


@dataclass(frozen=True, slots=True)
class LoadScale:
    """Logarithms, or parts of a size; 0.01 is one percent of the load in both."""

    size: float | None  # [unit of the channel]; None: logarithms
    is_never_negative: bool = False

    @classmethod
    def of(cls, numbers: Instants, loads: Array) -> Self:
        """Return the scale on which the loads of days, (n,) and (n, 24), differ most evenly from those a week before.

        It is the one of the larger likelihood, for differences whose logarithm of the density falls in a straight line
        (Laplace). A series that is zero or negative in more than 1 % of its hours has no logarithm.
        """
        known = loads[np.isfinite(loads)]
        size = (float(np.mean(np.abs(known))) if len(known) else 0.0) or 1.0
        parts = cls(size, bool((known >= 0).all()))
        if not len(known) or float(np.mean(known <= 0)) > _MOST_NOT_POSITIVE:
            return parts
        logarithms = cls(None)
        slope = -float(np.mean(np.log(known[known > 0])))  # of the logarithm, as a mean logarithm
        gain = _unevenness(numbers, loads / size) - _unevenness(numbers, logarithms.values(loads))
        return logarithms if gain + slope + np.log(size) >= 0 else parts

    def values(self, loads: Array) -> Array:
        """Return loads of any shape on this scale; NaN where they have no logarithm."""
        if self.size is not None:
            return loads / self.size
        positive = np.where(loads > 0, loads, np.nan)
        return np.asarray(np.log(positive))

    def loads(self, values: Array) -> Array:
        """Return the loads of values, of any shape [unit of the channel]; none below zero where there never was one."""
        if self.size is None:
            return np.asarray(np.exp(values))
        return np.maximum(values * self.size, 0.0) if self.is_never_negative else values * self.size

    def as_json(self) -> dict[str, float | bool | None]:
        """Return it as plain data."""
        return asdict(self)


def _unevenness(numbers: Instants, values: Array) -> float:
    """Return the logarithm of the mean absolute difference from a week before."""
    row = np.searchsorted(numbers, numbers - _WEEK)
    is_there = numbers[row] == numbers - _WEEK
    away = np.abs(values[is_there] - values[row[is_there]])
    away = away[np.isfinite(away)]
    return float(np.log(max(np.mean(away), np.finfo(np.float64).tiny))) if len(away) else 0.0
