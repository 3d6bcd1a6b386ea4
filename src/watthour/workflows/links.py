"""Which thing fills which channel: said by a person, kept in one small file of the home directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from watthour.core.errors import UnknownName
from watthour.core.kept_file import KeptFile

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FILE_NAME = "things.json"


@dataclass(frozen=True, slots=True)
class Link:
    """Where the values of a thing go, and how they become readings."""

    channel: str  # id
    name: str  # of the thing, as it was when it was added
    heartbeat_s: float | None = None  # it is heard at least so often; None: it may tell changes alone


class Links:
    """The links of a home directory; a change by another process is seen at once.

    Args:
        home: the directory.
    """

    def __init__(self, home: Path) -> None:
        remedy = "Mend it, or remove it and add the things again: `watthour listen --found` lists them."
        self._file = KeptFile(home / FILE_NAME, _decoded, _encoded, what="things file", remedy=remedy)

    def all(self) -> Mapping[str, Link]:
        """Return the links, by key of the thing.

        Raises:
            InvalidInput: the file is damaged.
        """
        return self._file.all()

    def add(self, key: str, link: Link) -> None:
        """Keep a link, in place of one that the thing had.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._file.changing() as links:
            links[key] = link

    def remove(self, key: str) -> Link:
        """Take a link away; what the channel has stays.

        Raises:
            UnknownName: the thing has none.
        """
        with self._file.changing() as links:
            if key not in links:
                listed = ", ".join(sorted(links)[:10]) or "none"
                raise UnknownName("thing", key, "it fills no channel", remedy=f"These do: {listed}.")
            return links.pop(key)

    def forget(self, channels: Collection[str]) -> None:
        """Take away the links to channels that are gone: whatever filled them can be added anew.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._file.changing() as links:
            for key in [key for key, link in links.items() if link.channel in channels]:
                del links[key]


def _decoded(content: bytes) -> dict[str, Link]:
    return {str(key): Link(**link) for key, link in json.loads(content)["things"].items()}


def _encoded(links: Mapping[str, Link]) -> str:
    content = {"version": 1, "things": {key: asdict(link) for key, link in sorted(links.items())}}
    return json.dumps(content, indent=2, ensure_ascii=False)
