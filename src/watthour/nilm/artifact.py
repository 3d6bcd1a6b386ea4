"""A trained network as files: what it answers, as JSON, and its graph, as ONNX; neither needs torch to be read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from watthour.core.errors import InvalidInput, ModelCorrupt
from watthour.core.model import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTION_FILE, GRAPH_FILE = "network.json", "network.onnx"
_CURE = "Export the network again: both files are written together."


@dataclass(frozen=True, slots=True)
class Description:
    """What a network reads and answers."""

    appliances: tuple[str, ...]  # in the order of its answers
    step_s: int  # of the mains it was trained on [s]
    n_steps: int  # of the windows it was trained on
    multiple: int  # every length it reads is a multiple of this
    silent_below: tuple[float, ...]  # chance of drawing power below which an appliance is said to draw none
    trained_on: tuple[str, ...] = ()  # the houses and collections, with their licences

    def __post_init__(self) -> None:
        if len(self.silent_below) != len(self.appliances):
            problem = f"it needs one value for each of {', '.join(self.appliances)}"
            raise InvalidInput("silent_below", self.silent_below, problem, remedy="Give as many.")
        if self.n_steps % self.multiple:
            problem = f"a window of this network has a multiple of {self.multiple} steps"
            cure = f"Choose {max(self.multiple, self.n_steps // self.multiple * self.multiple)} steps."
            raise InvalidInput("n_steps", self.n_steps, problem, remedy=cure)


def as_files(description: Description, graph: bytes) -> dict[str, bytes]:
    """Return the files of a network, as a registry keeps them."""
    said = {**asdict(description), "graph_sha256": digest(graph)}
    return {DESCRIPTION_FILE: json.dumps(said, indent=2).encode(), GRAPH_FILE: graph}


def from_files(files: Mapping[str, bytes]) -> tuple[Description, bytes]:
    """Return what ``as_files`` wrote.

    Raises:
        ModelCorrupt: a file is missing or cannot be read, or the graph is another one than described.
    """
    for name in (DESCRIPTION_FILE, GRAPH_FILE):
        if name not in files:
            raise ModelCorrupt(f"{name} is missing from the network's files", remedy=_CURE)
    try:
        said: dict[str, Any] = json.loads(files[DESCRIPTION_FILE])
        expected = said.pop("graph_sha256")
        description = Description(**{key: _tuple_of(value) for key, value in said.items()})
    except (InvalidInput, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelCorrupt(f"{DESCRIPTION_FILE} does not describe a network ({error})", remedy=_CURE) from error
    if digest(files[GRAPH_FILE]) != expected:
        raise ModelCorrupt(f"{GRAPH_FILE} differs from the hash in {DESCRIPTION_FILE}", remedy=_CURE)
    return description, files[GRAPH_FILE]


def _tuple_of(value: object) -> Any:  # noqa: ANN401 JSON knows lists alone, the description tuples
    return tuple(value) if isinstance(value, list) else value
