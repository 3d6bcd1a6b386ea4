"""What the mains of a house tell, summed up by appliance: energy, share, runs and hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.nilm.appliances import runs
from watthour.nilm.evaluate import check_step

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from watthour.nilm.disaggregate import Answer
    from watthour.nilm.houses import House
    from watthour.nilm.prepare import HouseSource
    from watthour.nilm.serve import ServedNetwork

    Powers: TypeAlias = NDArray[np.float32]

OTHER = "other"
_J_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Used:
    """What one appliance used, or what is left as ``other``."""

    name: str
    energy_kwh: float
    share_percent: float | None  # of the mains in the steps that have an answer; None: the mains used nothing
    runs: int | None  # None: of what is left it is not known
    hours_on: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """The mains of a house and what a network tells of them."""

    house: House  # its mains alone
    answer: Answer

    @property
    def days_told(self) -> float:
        """How long it has an answer [days]."""
        return float(self.answer.is_told.sum()) * self.house.step_s / 86_400

    def between(self, start: datetime, end: datetime) -> Told:
        """Return what is told of ``[start, end)``."""
        first, last = np.searchsorted(self.house.time, [start.timestamp(), end.timestamp()]).tolist()
        rows = slice(first, last)
        answer = replace(
            self.answer,
            power=self.answer.power[rows],
            probability=self.answer.probability[rows],
            is_on=self.answer.is_on[rows],
            other=self.answer.other[rows],
        )
        return Told(self.house.between(start, end), answer)

    def used(self) -> list[Used]:
        """Return what each appliance used in the steps that have an answer, and what is left."""
        told, step_s = self.answer.is_told, self.house.step_s
        whole = _kwh(self.house.mains[told], step_s)
        found = []
        for place, name in enumerate(self.answer.appliances):
            energy = _kwh(self.answer.power[told, place], step_s)
            on = self.answer.is_on[:, place]
            n_runs = sum(len(runs(on[part])) for part in self.house.segments())
            found.append(Used(name, energy, _percent(energy, whole), n_runs, float(on.sum()) * step_s / 3600))
        left = _kwh(self.answer.other[told], step_s)
        return [*found, Used(OTHER, left, _percent(left, whole), None, None)]


def told_of(network: ServedNetwork, source: HouseSource) -> Told:
    """Let a network tell what the mains of a house are made of.

    Args:
        network: that tells.
        source: of the mains; appliances that are metered beside them are not looked at.

    Raises:
        InvalidInput: the mains cannot be read, or their samples are rarer than the steps that the network reads.
        NotEnoughHistory: nowhere are they known for as long as a window.
    """
    pieces = [replace(piece, appliances={}) for piece in source.pieces(network.description.step_s)]
    if not pieces:
        remedy = "Give a file in which the mains are known."
        raise NotEnoughHistory(f"{source.name}: no mains are known", remedy=remedy)
    house = replace(
        pieces[0],
        time=np.concatenate([each.time for each in pieces]),
        mains=np.concatenate([each.mains for each in pieces]),
        remarks=tuple(dict.fromkeys(remark for each in pieces for remark in each.remarks)),
    )
    return told_of_house(network, house)


def told_of_house(network: ServedNetwork, house: House) -> Told:
    """Let a network tell what the mains of a house in memory are made of.

    Raises:
        InvalidInput: the house has other steps than the network reads.
        NotEnoughHistory: nowhere are the mains known for as long as a window.
    """
    check_step(network, house.step_s)
    answer = network.tell(house.mains, house.segments(), begins=house.begins())
    if answer.is_told.any():
        return Told(house, answer)
    longest = max((part.stop - part.start for part in house.segments()), default=0)
    needed_h = network.description.n_steps * house.step_s / 3600
    problem = (
        f"{house.name}: a network needs {needed_h:.1f} hours of mains without a gap, and the longest stretch has"
        f" {longest * house.step_s / 3600:.1f}"
    )
    raise NotEnoughHistory(problem, remedy="Give more mains, or mains with fewer gaps.")


def _kwh(power: Powers, step_s: int) -> float:
    return float(power.sum(dtype=np.float64)) * step_s / _J_PER_KWH


def _percent(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None
