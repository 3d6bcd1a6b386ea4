"""HomeWizard's P1 meter, kWh meters and sockets, asked in the home's own network.

Source: https://api-documentation.homewizard.com/docs/v1 (``/api`` and ``/api/v1/data``). The device says no time, and
answers only once "Local API" is switched on in HomeWizard's app.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watthour.core.errors import PayloadChanged
from watthour.core.heard import Heard, Tells, Thing
from watthour.sources.mqtt.message import Answer, Message
from watthour.sources.polling import HttpDevice, Polled, PolledOptions, open_devices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

_NAME = "homewizard"
_SOCKET = "HWE-SKT"
_P1 = "HWE-P1"
_PHASES = ("l1", "l2", "l3")
_TARIFFS = ("t1", "t2", "t3", "t4")


class HomewizardOptions(PolledOptions):
    """The block ``[sources.homewizard]``."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which device it is."""

    serial: str
    product: str  # such as HWE-P1
    name: str


def read_identity(said: object) -> Identity:
    """Return which device answers, from its ``/api``.

    Raises:
        PayloadChanged: it says no serial number.
    """
    if not isinstance(said, dict) or not isinstance(said.get("serial"), str) or not said["serial"]:
        remedy = "Check that it is a HomeWizard device."
        raise PayloadChanged(_NAME, "the answer of /api names no serial number", remedy=remedy)
    product = str(said.get("product_type", ""))
    return Identity(said["serial"], product, str(said.get("product_name") or product or said["serial"]))


def read_data(identity: Identity, said: object, *, now: datetime, every: timedelta) -> Heard:
    """Return what ``/api/v1/data`` tells: net power, and what was drawn and fed in as two counters.

    The net power of a meter is negative where the home feeds in, so that it belongs to neither counter. A socket's
    power and its counter are of one thing.

    Args:
        identity: of the device.
        said: its answer.
        now: when it came.
        every: how often it is asked.
    """
    answer = Answer(Message(f"{_NAME}/{identity.serial}/api/v1/data", b"", now))
    if not isinstance(said, dict):
        answer.refuse("payload_is_an_object")
        return answer.heard()
    is_socket = identity.product == _SOCKET

    def thing(part: str) -> Thing:
        key = f"{_NAME}/{identity.serial}"
        label = identity.name if part in {"net", "socket"} else f"{identity.name} {part.replace('/', ' ')}"
        is_grid_meter = part == "import" and identity.product == _P1
        kind = "plug" if is_socket else "meter"
        return Thing(f"{key}/{part}", key, label, kind, every, is_grid_meter=is_grid_meter)

    main = "socket" if is_socket else "net"
    answer.tell(thing(main), Tells.POWER, said.get("active_power_w"), "W")
    if not is_socket:
        for phase in _PHASES:
            answer.tell(thing(f"net/{phase}"), Tells.POWER, said.get(f"active_power_{phase}_w"), "W")
    answer.tell(thing("socket" if is_socket else "import"), Tells.COUNTER, _total(said, "import"), "kWh")
    answer.tell(thing("export"), Tells.COUNTER, _total(said, "export"), "kWh")
    return answer.heard()


def _total(said: Mapping[str, object], direction: str) -> object:
    """Return a counter, or the sum of its tariffs where an older device tells these alone."""
    if (whole := said.get(f"total_power_{direction}_kwh")) is not None:
        return whole
    parts = [said.get(f"total_power_{direction}_{tariff}_kwh") for tariff in _TARIFFS]
    numbers: list[float] = []
    for part in parts:
        if isinstance(part, int | float) and not isinstance(part, bool):
            numbers.append(part)
        elif part is not None:
            return part  # which is refused
    return sum(numbers) if numbers else None


class Homewizard(HttpDevice[Identity]):
    """One device at its address."""

    source = _NAME
    cure_of_refusal = "Switch on Local API in HomeWizard's app: the device's settings."

    def _who(self) -> Identity:
        return read_identity(self.client.get_json("/api"))

    def _tell(self, identity: Identity, now: datetime) -> Heard:
        return read_data(identity, self.client.get_json("/api/v1/data"), now=now, every=self.every)


def open_line(options: HomewizardOptions, **_of_brokers: object) -> Polled | None:
    """Return the devices that the settings name, not asked yet; None where they name none."""
    return open_devices(options, Homewizard)
