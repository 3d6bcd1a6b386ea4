"""Power that stays as it is from one instant to the next: exact at every second and over every span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from watthour.simulation.noise import Array

    Numbers = NDArray[np.int64]

KWH = 36_000_000  # tenths of a watt, times a second, in one


@dataclass(frozen=True, slots=True)
class Steps:
    """A power [0.1 W] between edges [s since 1970]; whole numbers, so that sums and means never depend on the order."""

    edges: Numbers  # rising; the last one is its end
    tenths: Numbers  # one fewer than edges

    @classmethod
    def of(cls, edges: Iterable[int] | Numbers, watts: Sequence[float] | Array) -> Steps:
        """Return steps of powers in watts."""
        whole = np.rint(np.asarray(watts, dtype=np.float64) * 10).astype(np.int64)
        return cls(np.asarray(edges, dtype=np.int64), whole)

    def watts(self, instants: Numbers) -> Array:
        """Return the power [W] at instants within."""
        return self._tenths_at(instants) / 10

    def mean_watts(self, edges: Numbers) -> Array:
        """Return the mean power [W] between each two of these edges."""
        return np.diff(self._used_by(edges)) / np.diff(edges) / 10

    def kwh(self, edges: Numbers) -> Array:
        """Return the energy [kWh] between each two of these edges."""
        return np.asarray(np.diff(self._used_by(edges)) / KWH)

    def kwh_until(self, instants: Numbers) -> Array:
        """Return the energy [kWh] from its beginning to each of these instants."""
        return np.asarray(self._used_by(instants) / KWH)

    def drawn(self) -> Steps:
        """Return what is drawn, as a meter without a second counter sees it: nothing where energy is fed in."""
        return Steps(self.edges, np.maximum(self.tenths, 0))

    def _tenths_at(self, instants: Numbers) -> Numbers:
        places = np.searchsorted(self.edges, instants, side="right") - 1
        return self.tenths[np.clip(places, 0, len(self.tenths) - 1)]

    def _used_by(self, instants: Numbers) -> Numbers:
        """Return what was used from the first edge on [0.1 W s]."""
        before = np.concatenate(([0], np.cumsum(self.tenths * np.diff(self.edges))))
        places = np.clip(np.searchsorted(self.edges, instants, side="right") - 1, 0, len(self.tenths) - 1)
        return np.asarray(before[places] + self.tenths[places] * (instants - self.edges[places]))


def together(parts: Sequence[Steps]) -> Steps:
    """Return the sum of parts that begin and end together."""
    edges = np.unique(np.concatenate([part.edges for part in parts]))
    total = np.zeros(len(edges) - 1, np.int64)
    for part in parts:
        total += np.repeat(part.tenths, np.diff(np.searchsorted(edges, part.edges)))
    return Steps(edges, total)


def joined(parts: Sequence[Steps]) -> Steps:
    """Return parts of which each begins where the one before it ends, as one."""
    return Steps(
        np.concatenate([*(part.edges[:-1] for part in parts), parts[-1].edges[-1:]]),
        np.concatenate([part.tenths for part in parts]),
    )
