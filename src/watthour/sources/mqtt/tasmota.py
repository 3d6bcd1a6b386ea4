"""Tasmota: ``tele/<device>/SENSOR`` every few minutes, ``stat/<device>/STATUS8`` or ``STATUS10`` when asked.

Source: https://tasmota.github.io/docs/MQTT. ``ENERGY.Total`` is kWh, ``ENERGY.Power`` W; both are lists where a device
has several phases or sockets. ``Time`` is the device's local clock without an offset, so that it names no instant,
unless a person has set the offset to be told.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from watthour.core.heard import Tells, Thing
from watthour.sources.mqtt.message import Answer, as_object

if TYPE_CHECKING:
    from watthour.core.heard import Heard
    from watthour.sources.mqtt.message import Message

TOPICS = ("tele/+/SENSOR", "stat/+/STATUS8", "stat/+/STATUS10", "+/tele/SENSOR", "+/stat/STATUS8", "+/stat/STATUS10")

_TOPIC = re.compile(r"(?:(?:tele|stat)/(.+)|(.+)/(?:tele|stat))/(SENSOR|STATUS8|STATUS10)")
_HEARTBEAT = timedelta(minutes=5)  # Tasmota's TelePeriod, unless a person changes it
_NO_ROOM = frozenset({"ESP32", "ENERGY"})  # the heat of the device's own chip is not that of a room


def read(message: Message) -> Heard | None:
    """Return what a Tasmota device tells in a message, None where it is not one of its topics.

    Raises:
        Broken: the payload cannot be read.
    """
    topic = _TOPIC.fullmatch(message.topic)
    if topic is None:
        return None
    device = topic[1] or topic[2]
    answer = Answer(message)
    said = message.mapping()
    said = said if topic[3] == "SENSOR" else as_object(said.get("StatusSNS"))
    own_time = said.get("Time")
    name = str(said.get("Name") or device)
    if "ENERGY" in said:
        energy = as_object(said["ENERGY"])
        _read_parts(answer, device, name, Tells.POWER, energy.get("Power"), own_time)
        _read_parts(answer, device, name, Tells.COUNTER, energy.get("Total"), own_time)
        _read_parts(answer, device, name, Tells.COUNTER, energy.get("ExportActive"), own_time, suffix="/export")
    unit = str(said.get("TempUnit", "C"))
    for sensor, values in said.items():
        if isinstance(values, dict) and sensor not in _NO_ROOM:
            thing = Thing(f"tasmota/{device}/{sensor}", f"tasmota/{device}", f"{name} {sensor}", heartbeat=_HEARTBEAT)
            answer.tell(thing, Tells.TEMPERATURE, values.get("Temperature"), unit, own_time=own_time)
            damp = replace(thing, key=f"{thing.key}/humidity", name=f"{thing.name} humidity")
            answer.tell(damp, Tells.HUMIDITY, values.get("Humidity"), "%", own_time=own_time)
    return answer.heard()


def _read_parts(
    answer: Answer, device: str, name: str, tells: Tells, raw: object, own_time: object, *, suffix: str = ""
) -> None:
    """Note a value, or each of several and, where all are numbers, their sum."""
    unit = "W" if tells is Tells.POWER else "kWh"
    base = Thing(f"tasmota/{device}/energy{suffix}", f"tasmota/{device}", name, "plug", _HEARTBEAT)
    if not isinstance(raw, list):
        answer.tell(base, tells, raw, unit, own_time=own_time)
        return
    for number, value in enumerate(raw, start=1):
        part = Thing(f"tasmota/{device}/energy/{number}{suffix}", base.device, f"{name} {number}", "plug", _HEARTBEAT)
        answer.tell(part, tells, value, unit, own_time=own_time)
    if raw and all(isinstance(value, int | float) for value in raw):
        answer.tell(base, tells, sum(raw), unit, own_time=own_time)
