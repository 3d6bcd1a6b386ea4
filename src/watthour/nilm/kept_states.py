"""States of kept houses, and what is known of those to learn from: both made block by block, of files of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from watthour.nilm.appliances import states

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from watthour.nilm.appliances import Appliance

    Said: TypeAlias = dict[str, Any]

OFF, ON, UNKNOWN = 0, 1, 2  # of states.npy
_BLOCK = 1 << 16  # rows that are in memory at once


def write_states(folder: Path, segments: Sequence[Sequence[int]], rules: Sequence[Appliance], step_s: int) -> None:
    """Write the states of each appliance, block by block.

    A block is judged with so many steps on both sides that no pause and no run at its edges is cut.
    """
    values = np.load(folder / "values.npy", mmap_mode="r")
    margin_s = max(rule.shortest_on_s + 2 * rule.shortest_off_s for rule in rules)
    margin = -(-margin_s // step_s) + 1
    kept = np.lib.format.open_memmap(folder / "states.npy", mode="w+", dtype=np.uint8, shape=(len(values), len(rules)))
    for first, n_rows, _ in segments:
        for begin in range(first, first + n_rows, _BLOCK):
            end = min(begin + _BLOCK, first + n_rows)
            from_, to = max(begin - margin, first), min(end + margin, first + n_rows)
            for place, rule in enumerate(rules):
                power = np.array(values[from_:to, 1 + place])
                is_on = states(power, rule, step_s)
                said = np.where(np.isfinite(power), np.where(is_on, ON, OFF), UNKNOWN)
                kept[begin:end, place] = said[begin - from_ : end - from_]
    kept.flush()


def statistics_of(folder: Path, said: Sequence[Said], rules: Sequence[Appliance]) -> Said:
    """Return scales and class balance, of the training houses alone."""
    sums = _Sums(len(rules))
    training = [each for each in said if each["role"] == "training"]
    for each in training:
        values = np.load(folder / each["folder"] / "values.npy", mmap_mode="r")
        is_on = np.load(folder / each["folder"] / "states.npy", mmap_mode="r")
        for begin in range(0, len(values), _BLOCK):
            sums.add(np.array(values[begin : begin + _BLOCK], dtype=np.float64), is_on[begin : begin + _BLOCK] == ON)
    mean = sums.mains / sums.n_rows
    deviation = np.sqrt(max(sums.squares / sums.n_rows - mean**2, 0.0))
    return {
        "houses": [each["name"] for each in training],
        "mains": {"rows": sums.n_rows, "mean_w": float(mean), "deviation_w": float(deviation)},
        "appliances": {rule.name: sums.of(place) for place, rule in enumerate(rules)},
    }


class _Sums:
    """Sums over blocks of houses."""

    def __init__(self, n_appliances: int) -> None:
        self.n_rows, self.mains, self.squares = 0, 0.0, 0.0
        self.known, self.power, self.on, self.power_on, self.squares_on = np.zeros((5, n_appliances))

    def add(self, values: NDArray[np.float64], is_on: NDArray[np.bool_]) -> None:
        mains, power = values[:, 0], np.nan_to_num(values[:, 1:])
        self.n_rows += len(values)
        self.mains += float(mains.sum())
        self.squares += float((mains**2).sum())
        self.known += np.isfinite(values[:, 1:]).sum(axis=0)
        self.power += power.sum(axis=0)
        self.on += is_on.sum(axis=0)
        self.power_on += (power * is_on).sum(axis=0)
        self.squares_on += (power**2 * is_on).sum(axis=0)

    def of(self, place: int) -> Said:
        """Return what is known of an appliance; None: it was never metered, or never on."""
        known, on = float(self.known[place]), float(self.on[place])
        mean_on = float(self.power_on[place]) / on if on else None
        spread = None if mean_on is None else max(float(self.squares_on[place]) / on - mean_on**2, 0.0) ** 0.5
        return {
            "rows": int(known),
            "mean_w": float(self.power[place]) / known if known else None,
            "share_on": on / known if known else None,
            "mean_on_w": mean_on,
            "deviation_on_w": spread,
        }
