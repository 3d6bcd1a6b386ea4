"""What is told others of a home: hours ahead, price, carbon, totals and the plan, in no other program's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ORIGIN = "Watthour"  # who says so; by it we know our own words again wherever they come back to us

Decision = Literal["accept", "skip", "undo"]


class Matter(StrEnum):
    """What an entry speaks of, and so its unit."""

    POWER_AHEAD = "power_ahead"  # mean of an hour to come [kW]
    ENERGY_AHEAD = "energy_ahead"  # of a time to come [kWh]
    PRICE = "price"  # of one more kWh now
    CARBON = "carbon"  # intensity now
    ENERGY = "energy"  # drawn since an instant [kWh]
    COST = "cost"  # of a time since an instant
    EMISSIONS = "emissions"  # of what was drawn since an instant [kg]
    SAVING = "saving"  # money that plans have saved since an instant
    SAVED_EMISSIONS = "saved_emissions"  # likewise [kg]
    START = "start"  # when a thing begins next
    PLAN = "plan"  # when the plan in force was made
    ACCEPT = "accept"  # whether a run was accepted, which may be ordered
    SKIP = "skip"  # whether a run is left out, which may be ordered


@dataclass(frozen=True, slots=True)
class Entry:
    """One value that is told; what is not known is None, and never zero."""

    key: str  # of a home, the same for ever: letters a to z, digits and _
    name: str  # as people read it
    matter: Matter
    value: float | datetime | bool | None
    unit: str | None = None  # of a price, an amount of money or an intensity; what else there is has one unit
    since: datetime | None = None  # from when a total counts
    run: str | None = None  # id of the run that an order is about; None: there is none now
    more: Mapping[str, object] = field(default_factory=dict)  # JSON-ready, such as the hours ahead


@dataclass(frozen=True, slots=True)
class Bulletin:
    """All that is told of a home at an instant."""

    home: str  # id
    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a person decided about a run where the bulletin is shown."""

    home: str  # id
    run: str  # id
    decision: Decision


@dataclass(frozen=True, slots=True)
class BoardState:
    """How it goes with telling others."""

    name: str
    is_connected: bool = False
    problem: str | None = None  # of the last try; None: it went well, or there was none
    remedy: str | None = None
    connected_at: datetime | None = None
    last_success_at: datetime | None = None
    n_messages: int = 0  # told since the process began
    n_failures: int = 0  # of connections and of orders, since then
