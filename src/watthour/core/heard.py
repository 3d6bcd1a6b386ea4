"""What things tell by themselves: a plug, a meter or a sensor, at an instant, whatever language it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from watthour.core.window import Window


class Tells(StrEnum):
    """What a value says; it was converted to this unit once, where it came in."""

    POWER = "power"  # drawn at this instant [W]; negative where it is fed in
    COUNTER = "counter"  # energy counted since some day long ago [kWh]; it may be reset or roll over
    TEMPERATURE = "temperature"  # [degC]
    OCCUPANCY = "occupancy"  # 1: somebody is there, 0: nobody
    HUMIDITY = "humidity"  # relative [%]


UNIT_OF = {
    Tells.POWER: "W",
    Tells.COUNTER: "kWh",
    Tells.TEMPERATURE: "degC",
    Tells.OCCUPANCY: "",
    Tells.HUMIDITY: "%",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """What tells something, such as one socket of a power strip; the same one has the same key for ever."""

    key: str  # language, device and part, such as "shelly/shellyplus1pm-aabbccddeeff/switch:0"
    device: str  # the part of the key that all parts of a device share
    name: str  # as a person would know it
    kind: str = "sensor"  # plug, meter, light, blind or sensor
    heartbeat: timedelta | None = None  # it is heard at least so often; None: it may tell changes alone
    is_grid_meter: bool = False  # it is known to count what the home draws from the grid, or a part of it


@dataclass(frozen=True, slots=True)
class Told:
    """One value of a thing."""

    thing: Thing
    tells: Tells
    value: float  # in the unit of ``UNIT_OF``
    time: datetime | None  # None: it is not known when this was true, as of a message that a broker kept for us


@dataclass(frozen=True, slots=True)
class Fault:
    """What could not be read, and the rule it broke."""

    topic: str  # or address
    rule: str
    payload: str  # its beginning


@dataclass(frozen=True, slots=True)
class Heard:
    """What was told at once, to be kept together."""

    told: tuple[Told, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """What things told in a part of the past."""

    window: Window  # all of it was answered
    heard: Heard
    every: timedelta | None = None  # each value stands for so long a time; None: for an instant


@dataclass(frozen=True, slots=True)
class LineState:
    """How a connection to things that tell by themselves stands."""

    source: str
    is_connected: bool = False
    problem: str | None = None  # why it is not connected, or why what it hears cannot be kept
    remedy: str | None = None
    option: str | None = None  # the setting of the source that is to blame, where it is known
    connected_at: datetime | None = None
    last_heard_at: datetime | None = None
    n_messages: int = 0
    n_faults: int = 0

    @property
    def sentence(self) -> str | None:
        """The problem as a person reads it beside the source's name.

        >>> LineState("influxdb", problem="influxdb: the server does not answer").sentence
        'The server does not answer.'
        """
        if self.problem is None:
            return None
        text = self.problem.removeprefix(f"{self.source}: ").rstrip(".")
        is_address = any(mark in text.partition(" ")[0] for mark in ":.")
        return f"{text if is_address else text[:1].upper() + text[1:]}."
