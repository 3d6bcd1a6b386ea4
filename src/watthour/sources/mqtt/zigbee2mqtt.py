"""Zigbee2MQTT: one JSON object per device at ``zigbee2mqtt/<name>``, in W, kWh, degC and %.

Source: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html. The name may hold slashes. ``last_seen``,
where a person has switched it on, is the instant of the device's own message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watthour.core.heard import Tells, Thing
from watthour.sources.mqtt.message import Answer

if TYPE_CHECKING:
    from watthour.core.heard import Heard
    from watthour.sources.mqtt.message import Message

TOPICS = ("zigbee2mqtt/+", "zigbee2mqtt/+/+")

_TOPIC = re.compile(r"zigbee2mqtt/(?!bridge/)(.+)")
_COMMANDS = frozenset({"availability", "set", "get", "action"})
_ENDPOINT = r"(?:_(l?\d+|ch\d+|left|right|center|top|bottom|phase_[abc]|[abc]))?"
_LOAD = re.compile(rf"(power|energy|produced_energy){_ENDPOINT}")
_PRESENCE = frozenset({"occupancy", "presence"})
_TEMPERATURES = frozenset({"temperature", "local_temperature"})  # ``device_temperature`` is the device's own heat


def read(message: Message) -> Heard | None:
    """Return what a Zigbee device tells in a message, None where it is not one of its topics.

    Raises:
        Broken: the payload cannot be read.
    """
    topic = _TOPIC.fullmatch(message.topic)
    if topic is None or topic[1].rpartition("/")[2] in _COMMANDS or not message.payload:
        return None
    name = topic[1]
    answer = Answer(message)
    said = message.mapping()
    own_time = said.get("last_seen")
    for prop, raw in said.items():
        if (load := _LOAD.fullmatch(prop)) is not None:
            tells = Tells.POWER if load[1] == "power" else Tells.COUNTER
            part = load[2] or "main"
            part += "/export" if load[1] == "produced_energy" else ""
            thing = _thing(name, part, load[2], kind="plug")
            answer.tell(thing, tells, raw, "W" if tells is Tells.POWER else "kWh", own_time=own_time)
        elif prop in _TEMPERATURES:
            answer.tell(_thing(name, prop, prop), Tells.TEMPERATURE, raw, "C", own_time=own_time)
        elif prop == "humidity":
            answer.tell(_thing(name, prop, prop), Tells.HUMIDITY, raw, "%", own_time=own_time)
        elif prop in _PRESENCE:
            answer.tell(_thing(name, prop, prop), Tells.OCCUPANCY, raw, own_time=own_time)
    return answer.heard()


def _thing(name: str, part: str, shown: str | None, *, kind: str = "sensor") -> Thing:
    label = f"{name} {shown.replace('_', ' ')}" if shown else name
    return Thing(f"zigbee2mqtt/{name}/{part}", f"zigbee2mqtt/{name}", label, kind)
