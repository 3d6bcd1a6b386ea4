"""A training as a file of TOML says it: which houses, which network, how to learn, and what to add to the mains."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.core.errors import InvalidInput, MissingExtra
from watthour.nilm.artifact import Description
from watthour.nilm.augment import add_runs
from watthour.nilm.export import exported
from watthour.nilm.kept_runs import attributions_of_runs, open_bank
from watthour.nilm.network import Sizes
from watthour.nilm.train import LEAST_CHANCE, Plan, best_so_far, train
from watthour.nilm.windows import open_windows

try:
    import torch
except ImportError as error:
    raise MissingExtra("torch", "deep") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from watthour.nilm.augment import Bank
    from watthour.nilm.train import Trained
    from watthour.nilm.windows import Batch, Windows

_OF_FILE = {"houses", "into", "network", "plan", "add", "silent_below"}
_OF_ADD = {"chances", "scales", "loads_per_day"}
_LEAST_POWER_W, _LEAST_SHARE = 1.0, 0.01
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Training:
    """All that a training needs."""

    windows: Windows
    sizes: Sizes
    plan: Plan
    folder: Path
    additions: Additions | None
    silent_below: tuple[float, ...]  # chance of drawing power below which an appliance is said to draw none

    def best(self) -> Trained:
        """Return what was learned best until now, without learning on."""
        return best_so_far(self.windows, self.sizes, self.plan, self.folder)

    def run(self, *, tell: Callable[[str], None] = lambda _: None) -> Trained:
        """Train, or go on where it was interrupted."""
        return train(self.windows, self.sizes, self.plan, self.folder, augment=self.additions, tell=tell)

    def files(self, trained: Trained) -> dict[str, bytes]:
        """Return the files of the network, described with the houses that it learned from.

        Raises:
            ModelFailed: ONNX Runtime does not answer as torch does.
        """
        houses = [each for each in self.windows.manifest()["houses"] if each["role"] == "training"]
        has_runs = self.additions is not None and self.additions.bank is not None
        description = Description(
            self.windows.appliances,
            self.windows.step_s,
            self.plan.n_steps,
            self.sizes.multiple,
            self.silent_below,
            (
                *(f"{each['name']}: {each['attribution']}".rstrip(": ") for each in houses),
                *(attributions_of_runs(self.windows.folder) if has_runs else ()),
            ),
        )
        return exported(trained.network, description, rng=np.random.default_rng(self.plan.seed))


def use_threads(count: int) -> None:
    """Say how many threads of the processor a training takes."""
    if count < 1:
        raise InvalidInput("threads", count, "it is at least 1", remedy="Give a whole number above 0.")
    torch.set_num_threads(count)


@dataclass(frozen=True, slots=True)
class Additions:
    """What is added to the mains that are learned from: runs of known appliances, and loads that nobody told of."""

    appliances: tuple[str, ...]
    step_s: int
    bank: Bank | None
    chances: Mapping[str, float]  # of each kind, that a window gets a run of it
    scales: tuple[float, float] = (0.8, 1.25)
    loads_per_day: float = 0.0

    def __call__(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return the batch with what is added; the one that is given stays as it is."""
        if self.bank is not None:
            scales, chances = self.scales, self.chances
            batch = add_runs(batch, self.appliances, self.bank, self.step_s, rng, chances=chances, scales=scales)
        return replace(batch, mains=with_loads(batch.mains, self.step_s, self.loads_per_day, rng))


def with_loads(
    mains: np.ndarray[Any, np.dtype[np.float32]], step_s: int, per_day: float, rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return mains (B, T) with heaters, hobs and irons that might have been: on for minutes, some in cycles.

    They teach what is none of the appliances, so that an unmetered shower is not said to be a kettle.
    """
    n_windows, n_steps = mains.shape
    added = mains.copy()
    for window, count in enumerate(rng.poisson(per_day * n_steps * step_s / _DAY_S, n_windows).tolist()):
        for _ in range(count):
            first = int(rng.integers(n_steps))
            length = max(round(60 * float(np.exp(rng.uniform(0, 4.5))) / step_s), 1)  # 1 to 90 minutes
            load = np.full(min(length, n_steps - first), np.exp(rng.uniform(5.3, 8.2)), np.float32)  # 200 to 3600 W
            if rng.random() < 0.5:  # noqa: PLR2004 half of them go on and off
                period = int(rng.integers(3, 20))
                load[(np.arange(len(load)) + rng.integers(period)) % period >= rng.integers(1, period)] = 0
            added[window, first : first + len(load)] += load
    return added


def read_training(path: Path) -> Training:
    """Read what to train from a file of TOML; its folders are relative to it.

    Raises:
        InvalidInput: a word is unknown or missing, or what it names cannot be read.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput("file", str(path), f"it cannot be read ({error})", remedy="Name a file of TOML.") from error
    _only(said, _OF_FILE, "the file")
    for word in ("houses", "into"):
        if not isinstance(said.get(word), str):
            raise InvalidInput(word, said.get(word), "it names a folder", remedy=f'Write {word} = "..." at the top.')
    houses = path.parent / said["houses"]
    windows = open_windows(houses)
    add = said.get("add", {})
    _only(add, _OF_ADD, "[add]")
    _only(said.get("plan", {}), {each.name for each in fields(Plan)}, "[plan]")
    known = {each.name for each in fields(Sizes)} - {"appliances"}
    _only(said.get("network", {}), known, "[network]")
    additions = None
    if add:
        chances = {str(kind): float(chance) for kind, chance in add.get("chances", {}).items()}
        low, high = add.get("scales", (0.8, 1.25))
        additions = Additions(
            windows.appliances,
            windows.step_s,
            open_bank(houses) if chances else None,
            chances,
            (float(low), float(high)),
            float(add.get("loads_per_day", 0.0)),
        )
    silent = said.get("silent_below", {})
    _only(silent, set(windows.appliances), "[silent_below]")
    return Training(
        windows,
        sizes_for(windows, said.get("network", {})),
        Plan(**said.get("plan", {})),
        path.parent / said["into"],
        additions,
        tuple(float(silent.get(name, LEAST_CHANCE)) for name in windows.appliances),
    )


def sizes_for(windows: Windows, said: Mapping[str, Any]) -> Sizes:
    """Return the sizes of a network: as said, and what is not said from the houses to train on."""
    found: dict[str, list[float]] = {"power_w": [], "share_on": []}
    of_appliances: Any = windows.statistics["appliances"]
    for name in windows.appliances:
        met = of_appliances[name]
        found["power_w"].append(max(met.get("mean_on_w") or _LEAST_POWER_W, _LEAST_POWER_W))
        found["share_on"].append(min(max(met.get("share_on") or _LEAST_SHARE, _LEAST_SHARE), 1 - _LEAST_SHARE))
    return Sizes.from_json({"appliances": list(windows.appliances), **found, **said})


def _only(said: object, known: set[str], where: str) -> None:
    if not isinstance(said, dict):
        raise InvalidInput(where, said, "it is a table", remedy=f"It has {', '.join(sorted(known))}.")
    unknown = sorted(set(said) - known)
    if unknown:
        problem = f"{where} has no such word"
        raise InvalidInput(unknown[0], said[unknown[0]], problem, remedy=f"It has {', '.join(sorted(known))}.")
