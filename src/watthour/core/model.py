"""What is written beside every saved model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
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
    n_series: int = 1  # learned from together


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


@dataclass(frozen=True, slots=True)
class Trial:
    """An A/B trial: a challenger forecasts beside the champion and answers a share of the hours in its place."""

    challenger: str
    champion: str
    share: float  # of the hours of issue that the challenger answers, 0 to 1
    since: datetime
    asked_by: str  # who began it, in words
    until: datetime | None = None  # when it was stopped, or another version became the champion; None: it runs

    def is_challengers_turn(self, name: str, at: datetime) -> bool:
        """Tell whether the challenger answers what is issued in an hour: always the same of a name and an hour."""
        hour = at.astimezone(UTC).strftime("%Y-%m-%dT%H")
        drawn = int.from_bytes(sha256(f"{name} {hour}".encode()).digest()[:8]) / 2**64
        return self.until is None and drawn < self.share
