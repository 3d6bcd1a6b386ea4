"""What was announced at a broker: remembered in a file, so that it can be taken away again, also after a restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from watthour.core.kept_file import KeptFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = "announced.json"
_INSTALLATION = "installation"
_BROKERS = "brokers"


class Announced:
    """What stands at one broker because of us; a change by another process is seen at once.

    Args:
        home: the directory of the file.
        target: the broker, and where there.
    """

    def __init__(self, home: Path, target: str) -> None:
        remedy = (
            "Put back an older copy. Or remove it: all is announced anew under other ids, and what stands in "
            "Home Assistant from before is removed there by hand."
        )
        self._file: KeptFile[Any] = KeptFile(
            home / FILE_NAME, _decoded, _encoded, what="file of announcements", remedy=remedy
        )
        self._target = target

    @property
    def target(self) -> str:
        """The broker, and where there."""
        return self._target

    def installation(self) -> str:
        """Return the id of this installation: made once, and the same at every broker and after every restart.

        Raises:
            InvalidInput: the file is damaged.
        """
        known = self._file.all().get(_INSTALLATION)
        if known is not None:
            return str(known)
        with self._file.changing() as kept:
            return str(kept.setdefault(_INSTALLATION, uuid4().hex[:8]))

    def all(self) -> Mapping[str, Mapping[str, str]]:
        """Return what stands there: by the topic of an announcement its parts, each with its kind.

        Raises:
            InvalidInput: the file is damaged.
        """
        found: Mapping[str, Mapping[str, str]] = self._file.all().get(_BROKERS, {}).get(self._target, {})
        return found

    def note(self, topic: str, parts: Mapping[str, str] | None) -> None:
        """Remember the parts of an announcement; None: it is gone.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._file.changing() as kept:
            here = {**kept.get(_BROKERS, {}).get(self._target, {})}
            if parts is None:
                here.pop(topic, None)
            else:
                here[topic] = dict(parts)
            others = {name: there for name, there in kept.get(_BROKERS, {}).items() if name != self._target}
            kept[_BROKERS] = {**others, self._target: here} if here else others


def _decoded(content: bytes) -> dict[str, Any]:
    kept = json.loads(content)
    brokers = {
        str(target): {
            str(topic): {str(key): str(kind) for key, kind in parts.items()} for topic, parts in topics.items()
        }
        for target, topics in kept[_BROKERS].items()
    }
    return {_INSTALLATION: str(kept[_INSTALLATION]), _BROKERS: brokers}


def _encoded(kept: Mapping[str, Any]) -> str:
    said = {"version": 1, _INSTALLATION: kept[_INSTALLATION], _BROKERS: kept.get(_BROKERS, {})}
    return json.dumps(said, indent=2)
