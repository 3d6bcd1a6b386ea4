"""Windows as they might have been: other runs, other powers, other loads; only what is learned from is changed so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.nilm.augment import add_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from watthour.nilm.augment import Bank
    from watthour.nilm.windows import Batch

    Powers: TypeAlias = NDArray[np.float32]

_DAY_S = 86_400
_LOAD_MINUTES = (1, 90)
_LOAD_W = (200, 3600)
_IN_CYCLES = 0.5  # share of the loads
_LEVEL_W = (-60, 200)  # by which what is always on may differ


@dataclass(frozen=True, slots=True)
class Variation:
    """What is changed in the windows that are learned from; called with a batch it returns another one."""

    appliances: tuple[str, ...]
    step_s: int
    bank: Bank | None = None
    chances: Mapping[str, float] | None = None  # of each kind, that a window gets a run of it
    scales: tuple[float, float] = (0.75, 1.25)  # of the power of runs, those that are added and those that are there
    scaled: float = 0.0  # chance that an appliance of a window draws another power
    removed: float = 0.0  # chance that it draws none
    loads_per_day: float = 0.0  # that nobody told of
    shifted: float = 0.0  # chance that what is always on is another power

    def __post_init__(self) -> None:
        if not 0 < self.scales[0] <= self.scales[1]:
            problem = "the lowest is above 0 and not above the highest"
            raise InvalidInput("scales", self.scales, problem, remedy="Try [0.75, 1.25].")
        for field in ("scaled", "removed", "shifted"):
            if not 0 <= getattr(self, field) <= 1:
                problem = "a chance is between 0 and 1"
                raise InvalidInput(field, getattr(self, field), problem, remedy="Try 0.3.")
        if not 0 <= self.loads_per_day < np.inf:
            raise InvalidInput("loads_per_day", self.loads_per_day, "it is 0 or more", remedy="Try 1.5.")

    def __call__(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return the batch with all that is changed; the one that is given stays as it is."""
        batch = with_other_powers(batch, rng, scaled=self.scaled, removed=self.removed, scales=self.scales)
        if self.bank is not None and self.chances:
            scales, chances = self.scales, self.chances
            batch = add_runs(batch, self.appliances, self.bank, self.step_s, rng, chances=chances, scales=scales)
        mains = with_loads(batch.mains, self.step_s, self.loads_per_day, rng)
        shift = rng.uniform(*_LEVEL_W, len(mains)) * (rng.random(len(mains)) < self.shifted)
        mains = np.maximum(mains + shift[:, None].astype(np.float32), batch.power.sum(axis=2))
        return replace(batch, mains=mains)


def with_other_powers(
    batch: Batch, rng: np.random.Generator, *, scaled: float, removed: float, scales: tuple[float, float]
) -> Batch:
    """Return windows in some of which an appliance draws more, less or nothing; the mains change by the same.

    Args:
        batch: to learn from; it is not changed.
        rng: draws everything.
        scaled: chance that an appliance of a window draws another power.
        removed: chance that it draws none.
        scales: of its power, lowest and highest.
    """
    n_windows, _, n_appliances = batch.power.shape
    drawn = rng.random((n_windows, 1, n_appliances))
    other = rng.uniform(*scales, (n_windows, 1, n_appliances))
    factor = np.where(drawn < removed, 0.0, np.where(drawn < removed + scaled, other, 1.0)).astype(np.float32)
    power = batch.power * factor
    mains = np.maximum(batch.mains + (power - batch.power).sum(axis=2), 0).astype(np.float32)
    return replace(batch, mains=mains, power=power, is_on=batch.is_on & (factor > 0))


def with_loads(mains: Powers, step_s: int, per_day: float, rng: np.random.Generator) -> Powers:
    """Return mains (B, T) with heaters, hobs and irons that might have been: on for minutes, some in cycles.

    They teach what is none of the appliances, so that an unmetered shower is not said to be a kettle.
    """
    n_windows, n_steps = mains.shape
    added = mains.copy()
    for window, count in enumerate(rng.poisson(per_day * n_steps * step_s / _DAY_S, n_windows).tolist()):
        for _ in range(count):
            load = _load(step_s, rng)
            first = int(rng.integers(n_steps))
            added[window, first : first + len(load)] += load[: n_steps - first]
    return added


def _load(step_s: int, rng: np.random.Generator) -> Powers:
    length = max(round(60 * float(np.exp(rng.uniform(*np.log(_LOAD_MINUTES)))) / step_s), 1)
    load = np.full(length, np.exp(rng.uniform(*np.log(_LOAD_W))), dtype=np.float32)
    if rng.random() < _IN_CYCLES:
        period = int(rng.integers(3, 20))
        load[(np.arange(length) + rng.integers(period)) % period >= rng.integers(1, period)] = 0
    return load
