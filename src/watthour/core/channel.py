"""Sites and the channels of readings they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from watthour.core.window import HOUR

if TYPE_CHECKING:
    from datetime import timedelta

    from watthour.core.units import Quantity, Unit

_CHANNEL_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


class SiteKind(StrEnum):
    """What a site is."""

    HOME = "home"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Site:
    """A home or a region: a place with a time zone."""

    id: str
    name: str
    kind: SiteKind
    time_zone: str
    latitude: float | None = None  # [degrees north]
    longitude: float | None = None  # [degrees east]
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """A thing at a site that uses, makes or stores energy."""

    id: str
    site: str
    name: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity at one place, such as ``grid.ny.demand``; its unit holds for every reading and forecast of it."""

    id: str
    site: str
    quantity: Quantity
    unit: Unit
    resolution: timedelta = HOUR
    device: str | None = None
    is_simulated: bool = False

    def __post_init__(self) -> None:
        if not _CHANNEL_ID.fullmatch(self.id):
            message = f"a channel id is lower-case words joined by dots, got {self.id!r}"
            raise ValueError(message)
