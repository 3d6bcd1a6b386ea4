"""Home Assistant's two ways to speak by MQTT: discovery, which says what a topic holds, and statestream.

Sources: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery and
https://www.home-assistant.io/integrations/mqtt_statestream/. A discovery is a retained JSON object, of one entity or of
a device with all its components, with long or short names of its fields; an empty one takes the entity away.
Statestream publishes the state as plain text and, only with ``publish_attributes: true``, the unit as JSON beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from watthour.core.bulletin import ORIGIN
from watthour.core.heard import Tells, Thing
from watthour.sources.mqtt.discovery import TOLD_BY, is_our_entity, is_ours
from watthour.sources.mqtt.message import UNITS, Answer, Broken, as_object, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from watthour.core.heard import Heard
    from watthour.sources.mqtt.message import Message

TOPICS = (
    "homeassistant/sensor/+/config",
    "homeassistant/sensor/+/+/config",
    "homeassistant/binary_sensor/+/config",
    "homeassistant/binary_sensor/+/+/config",
    "homeassistant/device/+/config",
    "homeassistant/device/+/+/config",
    "homeassistant/sensor/+/state",
    "homeassistant/sensor/+/unit_of_measurement",
    "homeassistant/sensor/+/device_class",
    "homeassistant/sensor/+/state_class",
    "homeassistant/sensor/+/friendly_name",
    f"homeassistant/sensor/+/{TOLD_BY}",
    "homeassistant/binary_sensor/+/state",
    "homeassistant/binary_sensor/+/device_class",
    "homeassistant/binary_sensor/+/friendly_name",
)

_CONFIG = re.compile(r".+?/(sensor|binary_sensor|device)/(?:[^/]+/)?([^/]+)/config")
_STREAM = re.compile(
    r"(?:.+/)?((?:binary_)?sensor)/([^/]+)/(state|unit_of_measurement|device_class|state_class|friendly_name|told_by)"
)
_LONG = {
    "stat_t": "state_topic",
    "val_tpl": "value_template",
    "dev_cla": "device_class",
    "unit_of_meas": "unit_of_measurement",
    "stat_cla": "state_class",
    "uniq_id": "unique_id",
    "obj_id": "object_id",
    "pl_on": "payload_on",
    "pl_off": "payload_off",
    "dev": "device",
    "cmps": "components",
    "p": "platform",
    "o": "origin",
    "ids": "identifiers",
}
_CLASSES = {
    "power": Tells.POWER,
    "energy": Tells.COUNTER,
    "temperature": Tells.TEMPERATURE,
    "humidity": Tells.HUMIDITY,
}
# Tuples, since what is looked for may be a list, which a set cannot hold.
_OF_MANY = ("K", "%")  # units also of a lamp's colour, of a battery
PRESENCE = ("occupancy", "motion", "presence")
_COUNTERS = (None, "total", "total_increasing")
_TEMPLATE = re.compile(
    r"\{\{-?\s*(?:value|value_json((?:\.\w+|\[\s*'[^']+'\s*\]|\[\s*\"[^\"]+\"\s*\]|\[\s*\d+\s*\])*))"
    r"\s*(?:\|\s*(?:float|int|round|default)\s*(?:\([^(){}]*\))?\s*)*-?\}\}"
)
_STEP = re.compile(r"\.(\w+)|\[\s*(?:'([^']+)'|\"([^\"]+)\"|(\d+))\s*\]")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """What a discovery says of one value: where it is told, and what it means."""

    topic: str
    thing: Thing
    tells: Tells
    unit: str = ""
    path: Path | None = None  # in the payload's JSON; None: the payload is the value
    on: str | None = None  # of a binary sensor
    off: str | None = None

    def note(self, answer: Answer) -> None:
        """Note the value of a message on the entity's topic."""
        try:
            raw = self._raw(answer.message)
        except Broken as broken:
            answer.refuse(broken.rule)
        else:
            answer.tell(self.thing, self.tells, raw, self.unit)

    def _raw(self, message: Message) -> object:
        found: object = message.text() if self.path is None else message.json()
        for step in self.path or ():
            if isinstance(found, dict):
                found = found.get(str(step))
            elif isinstance(found, list) and isinstance(step, int):
                found = found[step] if step < len(found) else None
            elif found is None:
                return None
            else:
                raise Broken("payload_is_an_object")
        if self.tells is Tells.OCCUPANCY and found is not None:
            return {self.on: "on", self.off: "off"}.get(str(found), found)
        return found


@dataclass(frozen=True, slots=True)
class Attributes:
    """What statestream has said of an entity so far, beside its state."""

    unit: str | None = None
    device_class: str | None = None
    state_class: str | None = None
    name: str | None = None
    told_by: str | None = None  # of our own, also where a person gave it another id


def is_config(topic: str) -> bool:
    """Tell whether a topic is one of discovery."""
    return _CONFIG.fullmatch(topic) is not None


def read_config(message: Message) -> tuple[list[Entity], list[str]]:
    """Return the entities of a discovery that we can read, and the rules that others broke.

    An empty payload has none: what was announced there is gone. What a Watthour has announced is no meter.

    Raises:
        Broken: the payload cannot be read.
    """
    topic = _CONFIG.fullmatch(message.topic)
    if topic is None or not message.payload.strip():
        return [], []
    config = _spelled_out(message.mapping())
    if is_ours(config):
        return [], []
    found: list[Entity] = []
    broken: list[str] = []
    for kind, name, component in _components(topic[1], topic[2], config):
        try:
            entity = _entity(kind, name, component)
        except Broken as error:
            broken.append(error.rule)
        else:
            found += [] if entity is None else [entity]
    return found, broken


def read_stream(message: Message, known: Mapping[str, Attributes]) -> tuple[Heard | None, str, Attributes] | None:
    """Return what a message of statestream tells, its entity, and what is known of it from now on.

    Args:
        message: from the broker.
        known: by entity; without its unit a state cannot be read, and is left.

    Raises:
        Broken: the payload cannot be read.
    """
    topic = _STREAM.fullmatch(message.topic)
    if topic is None:
        return None
    domain, name, field = topic.groups()
    entity = f"{domain}.{name}"
    if is_our_entity(entity):
        return None
    attributes = known.get(entity, Attributes())
    if field != "state":
        said = _text_of(message.text())
        where = {"unit_of_measurement": "unit", "friendly_name": "name"}.get(field, field)
        return None, entity, replace(attributes, **{where: said})
    tells = _tells(domain, attributes.device_class, attributes.unit)
    if tells is None or attributes.told_by == ORIGIN:
        return None
    answer = Answer(message)
    if tells is Tells.COUNTER and attributes.state_class not in _COUNTERS:
        answer.refuse("state_class_is_counter")
    else:
        thing = Thing(f"statestream/{entity}", f"statestream/{entity}", attributes.name or entity, _kind(tells))
        answer.tell(thing, tells, message.text(), attributes.unit or "")
    return answer.heard(), entity, attributes


def _components(kind: str, name: str, config: Mapping[str, object]) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Yield each component of a discovery with what its device says for all."""
    if kind != "device":
        yield kind, name, config
        return
    shared = {key: value for key, value in config.items() if key != "components"}
    for part, said in as_object(config.get("components")).items():
        if isinstance(said, dict):
            component = {**shared, **_spelled_out(said)}
            yield str(component.get("platform")), f"{name}/{part}", component


def _entity(kind: str, name: str, config: Mapping[str, object]) -> Entity | None:
    """Return what a component tells, None where that is nothing for us.

    Raises:
        Broken: it tells something for us in a way that we cannot read.
    """
    topic, unit = config.get("state_topic"), config.get("unit_of_measurement")
    device_class = config.get("device_class")
    tells = _tells(kind, device_class, unit)
    if kind not in {"sensor", "binary_sensor"} or not isinstance(topic, str) or tells is None:
        return None
    if any(wildcard in topic for wildcard in "#+") or not topic:
        raise Broken("state_topic_is_one_topic")
    if tells is not Tells.OCCUPANCY and UNITS.get(str(unit), (None,))[0] is not tells:
        raise Broken("unit_is_known")
    if tells is Tells.COUNTER and config.get("state_class") not in _COUNTERS:
        raise Broken("state_class_is_counter")
    device = as_object(config.get("device") or {})
    key = f"homeassistant/{config.get('unique_id') or config.get('object_id') or name}"
    thing = Thing(key, f"homeassistant/{_device_key(device, name)}", _shown(device, config, name), _kind(tells))
    on, off = str(config.get("payload_on", "ON")), str(config.get("payload_off", "OFF"))
    return Entity(topic, thing, tells, str(unit or ""), template_path(config.get("value_template")), on, off)


def template_path(template: object) -> Path | None:
    """Return where in the JSON a template finds its value, None where the payload is the value.

    >>> template_path("{{ value_json.ENERGY['Power'] | float(0) }}"), template_path("{{ value }}")
    (('ENERGY', 'Power'), None)

    Raises:
        Broken: the template computes something; a default in place of a missing value is never taken.
    """
    if template is None:
        return None
    simple = _TEMPLATE.fullmatch(str(template).strip())
    if simple is None:
        raise Broken("template_is_simple")
    if "value_json" not in str(template):
        return None
    steps = _STEP.finditer(simple[1] or "")
    return tuple(int(each[4]) if each[4] else each[1] or each[2] or each[3] for each in steps)


def _tells(kind: str, device_class: object, unit: object) -> Tells | None:
    """Return what an entity tells: by its class, else by its unit."""
    if kind == "binary_sensor":
        return Tells.OCCUPANCY if device_class in PRESENCE else None
    if device_class is None and unit is not None and unit not in _OF_MANY:
        return UNITS.get(str(unit), (None,))[0]
    return _CLASSES.get(str(device_class))


def _spelled_out(config: Mapping[str, object]) -> dict[str, object]:
    """Return a discovery with the long names of its fields and whole topics."""
    said = {_LONG.get(key, key): value for key, value in config.items()}
    base = said.get("~")
    if isinstance(base, str) and isinstance(topic := said.get("state_topic"), str):
        said["state_topic"] = re.sub(r"^~|~$", lambda _match: base, topic)
    if isinstance(device := said.get("device"), dict):
        said["device"] = {_LONG.get(key, key): value for key, value in device.items()}
    return said


def _device_key(device: Mapping[str, object], name: str) -> str:
    known = device.get("identifiers")
    known = known[0] if isinstance(known, list) and known else known
    return str(known) if known else name.partition("/")[0]


def _shown(device: Mapping[str, object], config: Mapping[str, object], name: str) -> str:
    words = [str(word) for word in (device.get("name"), config.get("name")) if word]
    return " ".join(words) or name


def _kind(tells: Tells) -> str:
    return "meter" if tells in {Tells.POWER, Tells.COUNTER} else "sensor"


def _text_of(text: str) -> str | None:
    """Return the text of an attribute, which is written as JSON."""
    if not text.startswith('"'):
        return None if text in {"", "null"} else text
    return str(decoded(text))
