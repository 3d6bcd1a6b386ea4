"""A training as a file of TOML says it: which houses, which network, how to learn, and what to add to the mains."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.core.errors import InvalidInput, MissingExtra
from watthour.nilm.artifact import Description
from watthour.nilm.export import exported
from watthour.nilm.kept_runs import attributions_of_runs, open_bank
from watthour.nilm.network import Sizes
from watthour.nilm.train import LEAST_CHANCE, Plan, best_so_far, train
from watthour.nilm.variation import Variation
from watthour.nilm.windows import open_windows

try:
    import torch
except ImportError as error:
    raise MissingExtra("torch", "deep") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from watthour.nilm.train import Trained
    from watthour.nilm.windows import Windows

_OF_FILE = {"houses", "into", "network", "plan", "vary", "silent_below"}
_LEAST_POWER_W, _LEAST_SHARE = 1.0, 0.01


@dataclass(frozen=True, slots=True)
class Training:
    """All that a training needs."""

    windows: Windows
    sizes: Sizes
    plan: Plan
    folder: Path
    variation: Variation | None
    silent_below: tuple[float, ...]  # chance of drawing power below which an appliance is said to draw none

    def best(self) -> Trained:
        """Return what was learned best until now, without learning on."""
        return best_so_far(self.windows, self.sizes, self.plan, self.folder)

    def run(self, *, tell: Callable[[str], None] = lambda _: None) -> Trained:
        """Train, or go on where it was interrupted."""
        return train(self.windows, self.sizes, self.plan, self.folder, augment=self.variation, tell=tell)

    def files(self, trained: Trained) -> dict[str, bytes]:
        """Return the files of the network, described with the houses that it learned from.

        Raises:
            ModelFailed: ONNX Runtime does not answer as torch does.
            MissingExtra: ONNX is not installed.
        """
        houses = [each for each in self.windows.manifest()["houses"] if each["role"] == "training"]
        has_runs = self.variation is not None and self.variation.bank is not None
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
    """Say how many threads of the processor a training takes.

    Raises:
        InvalidInput: it is no such number.
    """
    if count < 1:
        raise InvalidInput("threads", count, "it is at least 1", remedy="Give a whole number above 0.")
    torch.set_num_threads(count)


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
    add = said.get("vary", {})
    _only(add, {each.name for each in fields(Variation)} - {"appliances", "step_s", "bank"}, "[vary]")
    _only(said.get("plan", {}), {each.name for each in fields(Plan)}, "[plan]")
    known = {each.name for each in fields(Sizes)} - {"appliances"}
    _only(said.get("network", {}), known, "[network]")
    variation = None
    if add:
        words = {**add, "scales": tuple(add["scales"])} if "scales" in add else add
        bank = open_bank(houses) if add.get("chances") else None
        variation = Variation(windows.appliances, windows.step_s, bank, **words)
    silent = said.get("silent_below", {})
    _only(silent, set(windows.appliances), "[silent_below]")
    return Training(
        windows,
        sizes_for(windows, said.get("network", {})),
        Plan(**said.get("plan", {})),
        path.parent / said["into"],
        variation,
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
