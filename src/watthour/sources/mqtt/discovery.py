"""Our homes in Home Assistant's words: one device for each home, announced by MQTT discovery.

Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. The values of a home stand in one
JSON object, of which each part takes its own; null is rendered as ``None``, which Home Assistant shows as unknown.
A forecast has no ``state_class``: only what was measured goes into the statistics.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from watthour.core.bulletin import ORIGIN, Matter
from watthour.core.names import id_for, marked_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.bulletin import Bulletin, Entry

TOLD_BY = "told_by"  # an attribute of all our entities, by which we leave them where they come back to us
ENTITY_PREFIX = "watthour_"
ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"
LARGEST_ATTRIBUTES = 16_384  # bytes; Home Assistant's recorder keeps no more of an entity
_SWITCHES = frozenset({Matter.ACCEPT, Matter.SKIP})

_AS: Mapping[Matter, Mapping[str, object]] = {
    Matter.POWER_AHEAD: {
        "device_class": "power",
        "unit_of_measurement": "kW",
        "suggested_display_precision": 2,
    },
    Matter.ENERGY_AHEAD: {
        "device_class": "energy",
        "unit_of_measurement": "kWh",
        "suggested_display_precision": 1,
    },
    Matter.PRICE: {"state_class": "measurement", "icon": "mdi:cash-clock", "suggested_display_precision": 4},
    Matter.CARBON: {  # its class for CO2 is a concentration in air
        "state_class": "measurement",
        "icon": "mdi:molecule-co2",
        "suggested_display_precision": 0,
    },
    Matter.ENERGY: {
        "device_class": "energy",
        "state_class": "total",
        "unit_of_measurement": "kWh",
        "suggested_display_precision": 1,
    },
    Matter.COST: {"device_class": "monetary", "state_class": "total", "suggested_display_precision": 2},
    Matter.EMISSIONS: {
        "device_class": "weight",
        "state_class": "total",
        "unit_of_measurement": "kg",
        "icon": "mdi:molecule-co2",
        "suggested_display_precision": 1,
    },
    Matter.SAVING: {
        "device_class": "monetary",
        "state_class": "total",
        "icon": "mdi:piggy-bank-outline",
        "suggested_display_precision": 2,
    },
    Matter.SAVED_EMISSIONS: {
        "device_class": "weight",
        "state_class": "total",
        "unit_of_measurement": "kg",
        "icon": "mdi:leaf",
        "suggested_display_precision": 1,
    },
    Matter.START: {"device_class": "timestamp", "icon": "mdi:timer-play-outline"},
    Matter.PLAN: {"device_class": "timestamp", "icon": "mdi:calendar-clock"},
    Matter.ACCEPT: {"icon": "mdi:check-circle-outline"},
    Matter.SKIP: {"icon": "mdi:skip-next-circle-outline"},
}


@dataclass(frozen=True, slots=True)
class Topics:
    """Where what is told stands at the broker; any name of a home makes a topic that is one."""

    installation: str
    prefix: str = "homeassistant"

    @property
    def base(self) -> str:
        """How all topics of ours begin, but for the announcements."""
        return f"watthour/{self.installation}"

    @property
    def availability(self) -> str:
        """Whether we are there."""
        return f"{self.base}/status"

    @property
    def birth(self) -> str:
        """Where Home Assistant tells that it has begun."""
        return f"{self.prefix}/status"

    @property
    def orders(self) -> str:
        """Where all orders come."""
        return f"{self.base}/+/+/set"

    def node(self, home: str) -> str:
        """Return the id of a home among all devices of a Home Assistant."""
        return f"watthour_{self.installation}_{marked_id(home)}"

    def config(self, home: str) -> str:
        """Return where a home is announced."""
        return f"{self.prefix}/device/{self.node(home)}/config"

    def state(self, home: str) -> str:
        """Return where the values of a home stand."""
        return f"{self.base}/{marked_id(home)}/state"

    def attributes(self, home: str, key: str) -> str:
        """Return where the rest of what is told with a value stands."""
        return f"{self.base}/{marked_id(home)}/{key}/attributes"

    def order(self, home: str, key: str) -> str:
        """Return where orders to a switch come."""
        return f"{self.base}/{marked_id(home)}/{key}/set"

    def left(self, config: str, parts: Mapping[str, str]) -> list[str]:
        """Return the topics beside an announcement that hold something as long as it stands."""
        home = config.removesuffix("/config").rpartition("/")[2].removeprefix(f"watthour_{self.installation}_")
        return [self.state(home), *(self.attributes(home, key) for key in parts)]


def is_our_entity(entity: str) -> bool:
    """Tell whether an entity of Home Assistant has the id that we ask for.

    >>> is_our_entity("sensor.watthour_flat_price"), is_our_entity("sensor.washer_power")
    (True, False)
    """
    return entity.partition(".")[2].startswith(ENTITY_PREFIX)


def is_ours(config: Mapping[str, object]) -> bool:
    """Tell whether a discovery comes from a Watthour, this one or another: it is no meter."""
    origin = config.get("origin")
    return isinstance(origin, dict) and origin.get("name") == ORIGIN


def told_by_us(attributes: object) -> bool:
    """Tell whether the attributes of an entity say that a Watthour tells it, whatever id a person gave it."""
    return isinstance(attributes, dict) and attributes.get(TOLD_BY) == ORIGIN


def config_of(bulletin: Bulletin, topics: Topics, gone: Mapping[str, str] | None = None) -> str:
    """Return the announcement of a home.

    Args:
        bulletin: what is told of it.
        topics: where.
        gone: parts that Home Assistant shall forget, each with its kind.
    """
    node = topics.node(bulletin.home)
    parts = {entry.key: _part(bulletin, entry, topics) for entry in bulletin.entries}
    removed = {key: {"platform": kind} for key, kind in (gone or {}).items() if key not in parts}
    config = {
        "device": {
            "identifiers": [node],
            "name": bulletin.name,
            "manufacturer": ORIGIN,
            "model": "Home",
        },
        "origin": {"name": ORIGIN},
        "availability_topic": topics.availability,
        "state_topic": topics.state(bulletin.home),
        "qos": 1,
        "components": {**parts, **removed},
    }
    return _json(config)


def kinds_of(bulletin: Bulletin) -> dict[str, str]:
    """Return the parts of an announcement, each with its kind."""
    return {entry.key: _kind(entry) for entry in bulletin.entries}


def state_of(bulletin: Bulletin) -> str:
    """Return the values of a home; what is not known is null."""
    state: dict[str, object] = {}
    for entry in bulletin.entries:
        state[entry.key] = _value(entry)
        if entry.since is not None:
            state[f"{entry.key}_since"] = _instant(entry.since)
    return _json(state)


def attributes_of(entry: Entry) -> str:
    """Return the rest of what is told with a value; what is too long to be kept is left out and named."""
    told = {TOLD_BY: ORIGIN, **entry.more}
    for name in sorted(told, key=lambda name: -len(_json(told[name]))):
        if len(_json(told).encode()) <= LARGEST_ATTRIBUTES:
            break
        told[name] = "left out: too long for Home Assistant's recorder"
    return _json(told)


def messages_of(bulletin: Bulletin, topics: Topics) -> dict[str, str]:
    """Return what stands at the broker of a home beside its announcement, by topic."""
    said = {topics.attributes(bulletin.home, entry.key): attributes_of(entry) for entry in bulletin.entries}
    return {**said, topics.state(bulletin.home): state_of(bulletin)}


def _part(bulletin: Bulletin, entry: Entry, topics: Topics) -> dict[str, Any]:
    kind = _kind(entry)
    part: dict[str, Any] = {
        "platform": kind,
        "unique_id": f"{topics.node(bulletin.home)}_{entry.key}",
        "default_entity_id": f"{kind}.{ENTITY_PREFIX}{marked_id(bulletin.home)}_{id_for(entry.name)}",
        "name": entry.name,
        "value_template": f"{{{{ value_json.{entry.key} }}}}",
        "json_attributes_topic": topics.attributes(bulletin.home, entry.key),
        **_AS[entry.matter],
    }
    if entry.unit is not None:
        part["unit_of_measurement"] = entry.unit
    if part.get("state_class") == "total":
        part["last_reset_value_template"] = f"{{{{ value_json.{entry.key}_since }}}}"
    if kind == "switch":
        part |= {"command_topic": topics.order(bulletin.home, entry.key), "payload_on": ON, "payload_off": OFF}
    return part


def _kind(entry: Entry) -> str:
    return "switch" if entry.matter in _SWITCHES else "sensor"


def _value(entry: Entry) -> object:
    if isinstance(entry.value, bool):
        return ON if entry.value else OFF
    return _instant(entry.value) if isinstance(entry.value, datetime) else entry.value


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def _json(said: object) -> str:
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
