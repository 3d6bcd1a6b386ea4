"""All languages together: which of them reads a message, and what discovery has announced so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.heard import Heard
from watthour.sources.mqtt import home_assistant, shelly, tasmota, zigbee2mqtt
from watthour.sources.mqtt.message import Answer, Broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.sources.mqtt.home_assistant import Attributes, Entity
    from watthour.sources.mqtt.message import Message

LANGUAGES = (shelly, tasmota, zigbee2mqtt, home_assistant)
TOPICS = tuple(topic for each in LANGUAGES for topic in each.TOPICS)
MOST_ENTITIES = 5_000  # announced or streamed; a large home has a few hundred

_NATIVE: tuple[Callable[[Message], Heard | None], ...] = (shelly.read, tasmota.read, zigbee2mqtt.read)


class Reader:
    """Reads messages; what discovery and statestream say of a topic is remembered for the next ones.

    A device's own language goes before what Home Assistant announces of it, so that its things keep their keys whether
    or not discovery is switched on.
    """

    def __init__(self) -> None:
        self._announced: dict[str, tuple[Entity, ...]] = {}  # by topic of the announcement
        self._by_topic: dict[str, list[Entity]] = {}
        self._streamed: dict[str, Attributes] = {}

    def read(self, message: Message) -> Heard:
        """Return what a message tells; nothing where it is no language of ours."""
        try:
            return self._read(message)
        except Broken as broken:
            answer = Answer(message)
            answer.refuse(broken.rule)
            return answer.heard()

    def state_topics(self) -> frozenset[str]:
        """Return the topics that discovery has announced."""
        return frozenset(self._by_topic)

    def _read(self, message: Message) -> Heard:
        for read in _NATIVE:
            if (heard := read(message)) is not None:
                return heard
        if home_assistant.is_config(message.topic):
            return self._announce(message)
        if (entities := self._by_topic.get(message.topic)) is not None:
            answer = Answer(message)
            for entity in entities:
                entity.note(answer)
            return answer.heard()
        return self._stream(message)

    def _announce(self, message: Message) -> Heard:
        entities, broken = home_assistant.read_config(message)
        for gone in self._announced.pop(message.topic, ()):
            left = [each for each in self._by_topic.pop(gone.topic) if each is not gone]
            if left:
                self._by_topic[gone.topic] = left
        if entities and len(self._announced) >= MOST_ENTITIES:
            broken.append("fewer_entities")
        elif entities:
            self._announced[message.topic] = tuple(entities)
            for each in entities:
                self._by_topic.setdefault(each.topic, []).append(each)
        answer = Answer(message)
        for rule in broken:
            answer.refuse(rule)
        return answer.heard()

    def _stream(self, message: Message) -> Heard:
        found = home_assistant.read_stream(message, self._streamed)
        if found is None:
            return Heard()
        heard, entity, attributes = found
        if entity in self._streamed or len(self._streamed) < MOST_ENTITIES:
            self._streamed[entity] = attributes
        return Heard() if heard is None else heard
