"""Runs of appliances on disk: one line of powers, and beside it of whom each part is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.core.lock import write_whole
from watthour.nilm.augment import Bank, Run, bank_of, runs_of_device
from watthour.nilm.kept_houses import MANIFEST, content_hash, file_hash, read_json, remedy_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from watthour.nilm.windows import KeptHouse, Windows

VALUES, RUNS = "runs.npy", "runs.json"


def runs_of_kept(windows: Windows) -> tuple[Run, ...]:
    """Cut the runs of the houses to learn from; those of validation and test stay unseen."""
    return tuple(run for house in windows.of_role("training") for run in _runs_of(house, windows.appliances))


def _runs_of(house: KeptHouse, appliances: Sequence[str]) -> list[Run]:
    found: list[Run] = []
    for place, name in enumerate(appliances):
        for first, n_rows, begin in house.segments.tolist():
            power = np.array(house.values[first : first + n_rows, 1 + place])
            time = begin + np.arange(n_rows, dtype=np.int64) * house.step_s
            found += runs_of_device(name, f"{house.home}/{name}", house.step_s, time, power)
    return found


def write_bank(folder: Path, bank: Bank, attributions: Sequence[str] = ()) -> None:
    """Write runs beside the houses that they are to be added to, with licence and origin of those from elsewhere."""
    found = [run for devices in bank.runs.values() for of in devices.values() for run in of]
    empty = np.empty(0, dtype=np.float32)
    np.save(folder / VALUES, np.concatenate([empty, *(run.power for run in found)]))
    said: dict[str, object] = {
        "runs": [[run.kind, run.device, run.step_s, len(run.power)] for run in found],
        "attributions": list(attributions),
        "houses": _hash_of_houses(folder),
        "sha256": file_hash(folder / VALUES),
    }
    said["hash"] = content_hash(said)
    write_whole(folder / RUNS, json.dumps(said))


def open_bank(folder: Path) -> Bank:
    """Load the runs of a folder of houses.

    Raises:
        InvalidInput: there are none, they were changed, or they are of houses that were prepared anew since.
    """
    path = folder / RUNS
    if not path.exists():
        raise InvalidInput("folder", str(folder), "it holds no runs", remedy=remedy_for(folder))
    said = read_json(path)
    is_whole = said.get("hash") == content_hash(said) and (folder / VALUES).exists()
    if not is_whole or file_hash(folder / VALUES) != said["sha256"]:
        problem = "the runs beside it differ from the hash within it"
        raise InvalidInput("file", str(path), problem, remedy=remedy_for(folder))
    if said["houses"] != _hash_of_houses(folder):
        problem = "its runs were cut before the houses were prepared anew"
        raise InvalidInput("file", str(path), problem, remedy=remedy_for(folder))
    values, first, found = np.load(folder / VALUES), 0, []
    for kind, device, step_s, length in said["runs"]:
        found.append(Run(kind, device, step_s, values[first : first + length]))
        first += length
    return bank_of(found)


def attributions_of_runs(folder: Path) -> tuple[str, ...]:
    """Return licence and origin of the runs of a folder that come from elsewhere."""
    return tuple(str(each) for each in read_json(folder / RUNS).get("attributions", ()))


def _hash_of_houses(folder: Path) -> object:
    """Return the hash of the manifest of a folder's houses, which is that of all that is in it."""
    path = folder / MANIFEST
    if not path.exists():
        problem = "it holds no prepared houses that runs could be added to"
        raise InvalidInput("folder", str(folder), problem, remedy="Name the folder that `watthour nilm prepare` wrote.")
    return read_json(path).get("hash")
