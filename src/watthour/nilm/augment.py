"""Runs of appliances, cut from what was metered, and added to the mains of other houses to learn from.

A house has few kettles; adding runs of others to its mains makes houses that might have been. Only what is learned from
is changed so, never what is validated with or tested on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.nilm.appliances import KNOWN, Appliance, appliance_named, runs, states
from watthour.nilm.houses import segments_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from watthour.nilm.houses import House
    from watthour.nilm.windows import Batch

    Times: TypeAlias = NDArray[np.int64]
    Powers: TypeAlias = NDArray[np.float32]
    Mask: TypeAlias = NDArray[np.bool_]

_MOST_OF_KIND = 1.2  # of what an appliance of its kind hardly exceeds; a run above that is a fault of the meter


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A whole run of an appliance, with a step of its pause on both sides, in which it began and ended."""

    kind: str
    device: str  # that it is of; all runs of a device belong on one side of a split
    step_s: int
    power: Powers  # (n,) [W]

    def at_step(self, step_s: int, shift: int = 0) -> Powers:
        """Return its means over longer steps, the first of which began ``shift`` of its own steps before it."""
        if step_s % self.step_s:
            problem = f"a run of {self.device} has steps of {self.step_s} s, of which it is no multiple"
            raise InvalidInput("step_s", step_s, problem, remedy=f"Choose a multiple of {self.step_s} s.")
        n = step_s // self.step_s
        behind = -(len(self.power) + shift) % n
        padded = np.pad(self.power, (shift, behind)).reshape(-1, n)
        return np.asarray(padded.mean(axis=1), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Runs by kind of appliance and by device."""

    runs: Mapping[str, Mapping[str, tuple[Run, ...]]]

    @property
    def devices(self) -> Mapping[str, tuple[str, ...]]:
        """The devices of each kind."""
        return {kind: tuple(devices) for kind, devices in self.runs.items()}

    def of_devices(self, devices: Collection[str]) -> Bank:
        """Return the runs of some devices alone: one side of a split."""
        kept = {kind: {each: of[each] for each in of if each in devices} for kind, of in self.runs.items()}
        return Bank({kind: of for kind, of in kept.items() if of})

    def without_devices(self, devices: Collection[str]) -> Bank:
        """Return the runs of all devices but some: the other side."""
        return self.of_devices({each for of in self.runs.values() for each in of} - set(devices))

    def draw(self, kind: str, rng: np.random.Generator) -> Run:
        """Draw a run: a device first, so that one that was metered for long does not stand for all."""
        devices = self.runs[kind]
        of = devices[list(devices)[int(rng.integers(len(devices)))]]
        return of[int(rng.integers(len(of)))]


def bank_of(found: Iterable[Run]) -> Bank:
    """Sort runs by kind and device."""
    kept: dict[str, dict[str, list[Run]]] = {}
    for run in found:
        kept.setdefault(run.kind, {}).setdefault(run.device, []).append(run)
    return Bank({kind: {name: tuple(of) for name, of in devices.items()} for kind, devices in kept.items()})


def runs_of_house(house: House, kinds: Collection[str] | None = None) -> tuple[Run, ...]:
    """Cut the runs of a house's appliances; its devices are named ``house/appliance``."""
    found: list[Run] = []
    for name, power in house.appliances.items():
        if kinds is None or name in kinds:
            found += runs_of_device(name, f"{house.name}/{name}", house.step_s, house.time, power)
    return tuple(found)


def runs_of_device(kind: str, device: str, step_s: int, time: Times, power: Powers) -> tuple[Run, ...]:
    """Cut whole runs by the rule of the kind, without those that a gap or an unknown value cuts or that are too strong.

    Args:
        kind: of the appliance, by any of its names.
        device: what it is called; unique over all that is in a bank.
        step_s: length of a step [s].
        time: (n,) begin of each step [s since 1970].
        power: (n,) mean power, NaN where unknown [W].
    """
    rule = appliance_named(kind)
    found: list[Run] = []
    for part in segments_of(time, step_s):
        line = power[part]
        for begin, end in runs(states(line, rule, step_s)).tolist():
            cut = line[begin - 1 : end + 1] if begin else line[:0]
            is_whole = len(cut) == end - begin + 2 and bool(np.isfinite(cut).all())
            if is_whole and cut.max() <= _MOST_OF_KIND * rule.most_w:
                found.append(Run(rule.name, device, step_s, np.array(cut, dtype=np.float32)))
    return tuple(found)


def add_runs(
    batch: Batch,
    appliances: Sequence[str],
    bank: Bank,
    step_s: int,
    rng: np.random.Generator,
    *,
    chances: Mapping[str, float],
    scales: tuple[float, float] = (0.8, 1.2),
) -> Batch:
    """Return windows to which runs were added, each at a random time and scale; the same generator adds the same.

    Mains and truth grow by the same, so that what neither of them tells of stays as it was. Where the appliance was not
    metered its mains grow and its truth stays unknown. A kind that is not told, such as a toaster, is added to the
    mains alone.

    Args:
        batch: to learn from; it is not changed.
        appliances: (A,) that the batch tells of.
        bank: what is added.
        step_s: length of a step of the batch [s].
        rng: draws everything.
        chances: of each kind, that a window gets a run of it.
        scales: of the power, lowest and highest.
    """
    for kind, chance in chances.items():
        if not 0 <= chance <= 1:
            raise InvalidInput("chances", {kind: chance}, "a chance is between 0 and 1", remedy="Try 0.3.")
        if chance and kind not in bank.runs:
            hint = f"Leave it out; it has {', '.join(bank.runs) or 'no runs at all'}."
            raise InvalidInput("chances", {kind: chance}, "the bank has no run of this kind", remedy=hint)
    if not 0 < scales[0] <= scales[1]:
        raise InvalidInput(
            "scales", scales, "the lowest is above 0 and not above the highest", remedy="Try (0.8, 1.2)."
        )
    mains, power, is_on = batch.mains.copy(), batch.power.copy(), batch.is_on.copy()
    for kind, chance in chances.items():
        place = appliances.index(kind) if kind in appliances else None
        for window in np.flatnonzero(rng.random(len(mains)) < chance).tolist():
            added, added_on = _drawn(bank.draw(kind, rng), KNOWN[kind], step_s, rng, scales)
            first = int(rng.integers(1 - len(added), mains.shape[1]))
            there = slice(max(first, 0), min(first + len(added), mains.shape[1]))
            here = slice(there.start - first, there.stop - first)
            mains[window, there] += added[here]
            if place is not None:
                known = batch.is_known[window, there, place]
                power[window, there, place] += np.where(known, added[here], np.float32(0))
                is_on[window, there, place] |= known & added_on[here]
    return replace(batch, mains=mains, power=power, is_on=is_on)


def _drawn(
    run: Run, rule: Appliance, step_s: int, rng: np.random.Generator, scales: tuple[float, float]
) -> tuple[Powers, Mask]:
    """Return power and states of a run at another step and scale; the states are those of the whole run."""
    shift = int(rng.integers(max(step_s // run.step_s, 1)))
    scaled = (run.at_step(step_s, shift) * rng.uniform(*scales)).astype(np.float32)
    return scaled, states(scaled, rule, step_s)
