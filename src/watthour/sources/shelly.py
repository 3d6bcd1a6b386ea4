"""Shelly's devices of any generation, asked in the home's own network where no broker is.

Source: https://shelly-api-docs.shelly.cloud (``/shelly``; ``/status`` of the first generation; ``Shelly.GetStatus`` and
``Shelly.GetConfig`` of the later ones). A device has the same keys here as by MQTT with its usual prefix. What it
answers is true when it comes, so that its clock is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from watthour.core.errors import PayloadChanged
from watthour.core.heard import Heard
from watthour.sources.mqtt.message import Answer, Broken, Message, as_object
from watthour.sources.mqtt.shelly import read_components, read_first_status
from watthour.sources.polling import HttpDevice, Polled, PolledOptions, open_devices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

_NAME = "shelly"


class ShellyOptions(PolledOptions):
    """The block ``[sources.shelly]``."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which device it is."""

    id: str
    generation: int
    names: Mapping[str, str] = field(default_factory=dict)  # of its parts, as a person chose them; "" is the device's


def read_status(identity: Identity, said: object, *, now: datetime, every: timedelta) -> Heard:
    """Return what the status of a device tells."""
    answer = Answer(Message(f"{_NAME}/{identity.id}", b"", now))
    try:
        status = as_object(said)
        if identity.generation == 1:
            read_first_status(answer, identity.id, identity.names.get(""), status)
        else:
            read_components(answer, identity.id, status, names=identity.names)
    except Broken as broken:
        answer.refuse(broken.rule)
    heard = answer.heard()
    told = tuple(replace(each, thing=replace(each.thing, heartbeat=every)) for each in heard.told)
    return Heard(told, heard.faults)


def read_names(config: object) -> dict[str, str]:
    """Return the names of the parts of a device of the second generation or later."""
    parts = config if isinstance(config, dict) else {}
    named = {part: said["name"] for part, said in parts.items() if isinstance(said, dict) and said.get("name")}
    return {part: str(name) for part, name in named.items()}


class Shelly(HttpDevice[Identity]):
    """One device at its address."""

    source = _NAME
    cure_of_refusal = "Take the password of its web page away, or let it speak by MQTT: a password is not sent to it."

    def _who(self) -> Identity:
        said = self.client.get_json("/shelly")
        if not isinstance(said, dict) or not (said.get("id") or said.get("mac")):
            raise PayloadChanged(_NAME, f"{self.host} names no id", remedy="Check that it is a Shelly device.")
        generation = said.get("gen", 1)
        if generation == 1:
            settings = self.client.get_json("/settings")
            device = settings.get("device") if isinstance(settings, dict) else None
            hostname = device.get("hostname") if isinstance(device, dict) else None
            name = said.get("name")
            return Identity(str(hostname or said["mac"]), 1, {"": str(name)} if name else {})
        return Identity(str(said["id"]), 2, read_names(self.client.get_json("/rpc/Shelly.GetConfig")))

    def _tell(self, identity: Identity, now: datetime) -> Heard:
        path = "/status" if identity.generation == 1 else "/rpc/Shelly.GetStatus"
        return read_status(identity, self.client.get_json(path), now=now, every=self.every)


def open_line(options: ShellyOptions, **_of_brokers: object) -> Polled | None:
    """Return the devices that the settings name, not asked yet; None where they name none."""
    return open_devices(options, Shelly)
