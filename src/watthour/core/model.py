"""What is written beside every saved model."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from watthour.core.window import Window  # noqa: TC001 - dataclass field types are read at run time by the registry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model's birth certificate: what it is, what it saw, how it scored, and the hash of each of its files."""

    name: str  # what it forecasts, such as "grid.ny.demand"
    version: str  # sortable, unique under its name
    recipe: str  # the catalogue's name
    parameters: Mapping[str, object]
    features: tuple[str, ...]
    splits: Mapping[str, Window]  # "train", "validation", "calibration", ...
    data_fingerprint: str
    metrics: Mapping[str, float]
    created_at: datetime
    hashes: Mapping[str, str] = field(default_factory=dict)  # file name -> sha256


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    return sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of champion: which version serves from then on, and why."""

    version: str
    promoted_at: datetime
    reason: str
    is_rollback: bool = False
