"""Metered houses kept on disk, from which windows of any length are read without loading what is around them.

A folder has a manifest, and for each house a folder of three files: ``values.npy`` (n, 1 + A) float32 with the mains
and each appliance [W], NaN where an appliance was not metered; ``states.npy`` (n, A) uint8, 0 off, 1 on, 2 not
metered; and ``segments.npy`` (k, 3) int64 with the first row, the number of rows and the begin [s since 1970, UTC] of
each stretch between gaps. Docs: docs/reference/nilm.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput, UnknownName
from watthour.nilm.disaggregate import window_starts
from watthour.nilm.houses import House
from watthour.nilm.kept_houses import HOUSE_FILES, MANIFEST, content_hash, file_hash, read_json, remedy_for
from watthour.nilm.kept_states import ON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[np.int64]

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some windows: B of them, of T steps, with A appliances."""

    time: NDArray[np.int64]  # (B,) begin of each [s since 1970, UTC]
    mains: NDArray[np.float32]  # (B, T) [W]
    power: NDArray[np.float32]  # (B, T, A) 0 where not known [W]
    is_on: NDArray[np.bool_]  # (B, T, A) False where not known
    is_known: NDArray[np.bool_]  # (B, T, A) the mask of a loss: whether the appliance was metered


@dataclass(frozen=True, slots=True, eq=False)
class KeptHouse:
    """A house on disk; its arrays are mapped, not loaded."""

    name: str
    role: str  # training, validation or test
    step_s: int
    values: NDArray[np.float32]  # (n, 1 + A) mains and appliances [W]
    states: NDArray[np.uint8]  # (n, A)
    segments: NDArray[np.int64]  # (k, 3) first row, rows, begin [s since 1970]
    home: str = ""  # whose devices its appliances are; several parts of one home have the same

    def starts(self, length: int, stride: int, *, has_end: bool = False) -> Rows:
        """Return the first rows of windows, none of which crosses a gap.

        Args:
            length: of a window [steps].
            stride: from one window to the next [steps].
            has_end: whether each stretch also has a window that ends with it, so that all of it is covered.
        """
        parts = [slice(first, first + n_rows) for first, n_rows, _ in self.segments.tolist()]
        return window_starts(parts, length, stride, has_end=has_end)

    def read(self, starts: Rows, length: int) -> Batch:
        """Load some windows.

        Args:
            starts: (B,) first row of each, as ``starts`` returns them.
            length: of each [steps].
        """
        rows = np.asarray(starts, dtype=np.int64)[:, None] + np.arange(length)
        values, states = self.values[rows], self.states[rows]
        power = values[..., 1:]
        is_known = np.isfinite(power)
        return Batch(
            time=self.times(np.asarray(starts, dtype=np.int64)),
            mains=np.ascontiguousarray(values[..., 0]),
            power=np.where(is_known, power, np.float32(0)),
            is_on=states == ON,
            is_known=is_known,
        )

    def loaded(self, appliances: Sequence[str]) -> House:
        """Load it whole, with those of its appliances that are metered at any time."""
        values = np.asarray(self.values)
        powers = {
            name: np.ascontiguousarray(values[:, 1 + place])
            for place, name in enumerate(appliances)
            if np.isfinite(values[:, 1 + place]).any()
        }
        times = self.times(np.arange(len(values)))
        return House(self.name, self.step_s, times, np.ascontiguousarray(values[:, 0]), powers)

    def times(self, rows: Rows) -> NDArray[np.int64]:
        """Return when rows begin [s since 1970, UTC]."""
        place = np.searchsorted(self.segments[:, 0], rows, side="right") - 1
        first, _, begin = self.segments[place].T
        return np.asarray(begin + (rows - first) * self.step_s)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Prepared houses, and what is known of those to learn from."""

    folder: Path
    step_s: int
    appliances: tuple[str, ...]
    houses: Mapping[str, KeptHouse]
    statistics: Mapping[str, object]  # of training houses only
    hash: str  # of the manifest, and by it of everything

    def manifest(self) -> dict[str, Any]:
        """Return all that is said of the folder."""
        return read_json(self.folder / MANIFEST)

    def of_role(self, role: str) -> tuple[KeptHouse, ...]:
        """Return the houses to train on, to validate with or to test on."""
        return tuple(house for house in self.houses.values() if house.role == role)

    def house(self, name: str) -> KeptHouse:
        """Return a house by its name.

        Raises:
            UnknownName: there is none of this name.
        """
        if name not in self.houses:
            hint = f"It holds {', '.join(self.houses)}."
            raise UnknownName("house", name, "no house of this name was prepared", remedy=hint)
        return self.houses[name]


def open_windows(folder: Path, *, checks_content: bool = True) -> Windows:
    """Open prepared houses; nothing of them is loaded.

    Args:
        folder: that ``prepare`` has written.
        checks_content: whether each file is read once and compared with its hash; else its size alone is.

    Raises:
        InvalidInput: it is no such folder, it is not complete, or a file of it was changed.
    """
    path = folder / MANIFEST
    if not path.exists():
        problem = "it holds no prepared houses, or preparing them did not end"
        remedy = "Name the folder that `watthour nilm prepare` wrote, or let it go on: ask it again."
        raise InvalidInput("folder", str(folder), problem, remedy=remedy)
    manifest = read_json(path)
    if manifest.get("hash") != content_hash(manifest):
        raise _changed(path, "it differs from the hash within it", folder)
    if manifest["format"] > FORMAT:
        problem = "it was written by a newer version of Watthour"
        raise InvalidInput("folder", str(folder), problem, remedy="Update Watthour.")
    names = tuple(each["name"] for each in manifest["appliances"])
    houses = {}
    for said in manifest["houses"]:
        _check_files(folder, said, checks_content=checks_content)
        arrays = [np.load(folder / said["folder"] / file, mmap_mode="r") for file in HOUSE_FILES[:2]]
        segments = np.load(folder / said["folder"] / HOUSE_FILES[2])
        houses[said["name"]] = KeptHouse(
            said["name"], said["role"], manifest["step_s"], arrays[0], arrays[1], segments, said["home"]
        )
    return Windows(folder, manifest["step_s"], names, houses, manifest["statistics"], manifest["hash"])


def _check_files(folder: Path, said: Mapping[str, Any], *, checks_content: bool) -> None:
    for name, kept in said["files"].items():
        path = folder / said["folder"] / name
        if not path.exists():
            raise _changed(path, "it is missing", folder)
        if path.stat().st_size != kept["bytes"] or (checks_content and file_hash(path) != kept["sha256"]):
            raise _changed(path, "it differs from the hash in the manifest", folder)


def _changed(path: Path, problem: str, folder: Path) -> InvalidInput:
    return InvalidInput("file", str(path), problem, remedy=remedy_for(folder))
