"""What the meter of an invented home tells, and the faults that real meters have, each switched on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from watthour.simulation.noise import Array
    from watthour.simulation.steps import Numbers, Steps

_GAP = 4  # what a generator is for
_DAY_S = 86_400
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class MeterFaults:
    """What goes wrong with a meter; nothing, unless it is said."""

    gaps_per_week: float = 0.0  # times of ten minutes to six hours in which nothing is told
    resets: tuple[int, ...] = ()  # instants [s since 1970] at which the counter begins anew at zero
    rolls_over_at_kwh: float | None = None  # the counter goes on from zero


@dataclass(frozen=True, slots=True)
class SimulatedMeter:
    """A meter that counts what a home draws from the grid, and not what it gives.

    Args:
        number: of its home.
        seed: of the town.
        first_kwh: its stand where the given power begins.
        faults: what goes wrong with it.
    """

    number: int
    seed: int = 7
    first_kwh: float = 0.0
    faults: MeterFaults = MeterFaults()

    def told_at(self, instants: Numbers) -> Numbers:
        """Return those instants [s since 1970] at which it tells anything."""
        is_told = np.ones(len(instants), np.bool_)
        days = instants // _DAY_S
        for day in np.unique(np.concatenate((days, days - 1))):  # a gap may last over midnight
            chance, begin, length = np.random.default_rng((self.seed, self.number, _GAP, int(day))).random(3)
            if chance < self.faults.gaps_per_week / _WEEK_DAYS:
                start = day * _DAY_S + begin * _DAY_S
                is_told &= (instants < start) | (instants >= start + 600 + length * 21_000)
        return instants[is_told]

    def counter(self, mains: Steps, instants: Numbers) -> Array:
        """Return the stand of the counter [kWh], to a watt-hour, at instants.

        Args:
            mains: the power at the meter since it had its first stand.
            instants: when it is read [s since 1970].
        """
        drawn = mains.drawn()
        stand = self.first_kwh + drawn.kwh_until(instants)
        for reset in sorted(self.faults.resets):
            since = drawn.kwh_until(instants) - drawn.kwh_until(np.array([reset]))
            stand = np.where(instants >= reset, since, stand)
        if self.faults.rolls_over_at_kwh is not None:
            stand = np.mod(stand, self.faults.rolls_over_at_kwh)
        return np.floor(1000 * stand) / 1000
