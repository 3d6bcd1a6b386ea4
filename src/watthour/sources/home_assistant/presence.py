"""Presence, of which Home Assistant keeps every change, for as many days as its recorder keeps: ten by default.

Source: ``homeassistant/components/history/websocket_api.py``. A row has the state (``s``) and the second since 1970 in
which it was true (``lu``); the first one is the state at the beginning of what was asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from watthour.core.heard import Tells, Thing
from watthour.sources.home_assistant.connection import NAME
from watthour.sources.mqtt.home_assistant import PRESENCE
from watthour.sources.mqtt.message import read_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from watthour.sources.mqtt.message import Answer

_WRITTEN_AFTER = timedelta(minutes=1)  # the recorder writes a change within seconds
_UNKNOWN = ("unavailable", "unknown")


def presence_sensors(states: Iterable[Mapping[str, object]]) -> Iterator[tuple[Thing, str, object]]:
    """Yield the things that tell whether somebody is there, each with the id of its entity and its present state."""
    for state in states:
        name, attributes = state.get("entity_id"), state.get("attributes")
        if not isinstance(name, str) or not name.startswith("binary_sensor.") or not isinstance(attributes, dict):
            continue
        if attributes.get("device_class") in PRESENCE:
            shown = str(attributes.get("friendly_name") or name)
            yield Thing(f"{NAME}/{name}", f"{NAME}/{name}", shown), name, known_state(state.get("state"))


def known_state(said: object) -> object:
    """Return a state, None where the sensor does not know it."""
    return None if said in _UNKNOWN else said


def tell_presence(answer: Answer, thing: Thing, changes: Iterable[Mapping[str, object]], *, until: datetime) -> None:
    """Note each change of a sensor, and that the last one held until an instant by which it is surely written."""
    said, at = None, None
    for row in changes:
        at = read_instant(row.get("lu", row.get("lc")))
        if at is None:
            answer.refuse("row_has_its_time")
            continue
        said = known_state(row.get("s"))
        answer.tell(thing, Tells.OCCUPANCY, said, at=at)
    held_until = until - _WRITTEN_AFTER
    if at is not None and at < held_until:
        answer.tell(thing, Tells.OCCUPANCY, said, at=held_until)
