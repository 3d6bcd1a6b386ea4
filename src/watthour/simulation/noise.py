"""Random series that can be read at any hour: the same seed and hour always give the same value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_BLOCK_HOURS = 8192


@dataclass(frozen=True, slots=True)
class RedNoise:
    """A smooth Gaussian-like series: many sinusoids with random periods and phases, unit variance.

    Source: spectral representation, Shinozuka and Deodatis, Appl. Mech. Rev. 44 (1991), doi:10.1115/1.3119501.
    """

    seed: tuple[int, ...]
    shortest_hours: float
    longest_hours: float
    n_waves: int = 48

    def at(self, hours: Array) -> Array:
        """Return the series at hours counted from the epoch; any shape."""
        rng = np.random.default_rng(self.seed)
        low, high = np.log(self.shortest_hours), np.log(self.longest_hours)
        periods = np.exp(rng.uniform(low, high, self.n_waves))
        phases = rng.uniform(0, 2 * np.pi, self.n_waves)
        total = np.zeros(hours.shape)
        for period, phase in zip(periods, phases, strict=True):
            total += np.sin(2 * np.pi * hours / period + phase)
        return np.asarray(total * np.sqrt(2 / self.n_waves))


def white(seed: tuple[int, ...], hours: NDArray[np.int64]) -> Array:
    """Return independent standard normal values at whole hours from the epoch; any shape."""
    blocks = hours // _BLOCK_HOURS
    values = np.empty(hours.shape)
    for block in np.unique(blocks):
        drawn = np.random.default_rng((*seed, int(block) + 10_000)).standard_normal(_BLOCK_HOURS)
        inside = blocks == block
        values[inside] = drawn[hours[inside] % _BLOCK_HOURS]
    return values
