"""Which thing fills which channel: said by a person, kept in one small file of the home directory."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput, UnknownName
from watthour.core.lock import locked, write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
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
        self._path = home / FILE_NAME
        self._lock = Lock()
        self._read_at: tuple[int, int, int] | None = None  # file, change and size of what was read
        self._links: dict[str, Link] = {}

    def all(self) -> Mapping[str, Link]:
        """Return the links, by key of the thing.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._lock:
            return dict(self._fresh())

    def add(self, key: str, link: Link) -> None:
        """Keep a link, in place of one that the thing had.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._changing() as links:
            links[key] = link

    def remove(self, key: str) -> Link:
        """Take a link away; what the channel has stays.

        Raises:
            UnknownName: the thing has none.
        """
        with self._changing() as links:
            if key not in links:
                listed = ", ".join(sorted(links)[:10]) or "none"
                raise UnknownName("thing", key, "it fills no channel", remedy=f"These do: {listed}.")
            return links.pop(key)

    def forget(self, channels: Collection[str]) -> None:
        """Take away the links to channels that are gone: whatever filled them can be added anew.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._changing() as links:
            for key in [key for key, link in links.items() if link.channel in channels]:
                del links[key]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Link]]:
        """Let the links be changed, and keep them: no other process changes them meanwhile."""
        with self._lock, locked(self._path.with_suffix(".lock")):
            self._read_at = None  # the clock of a disk may not tell two changes apart
            before = self._fresh()
            links = dict(before)
            yield links
            if links != before:
                self._write(links)

    def _fresh(self) -> dict[str, Link]:
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            self._read_at, self._links = None, {}
            return self._links
        stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
        if stamp != self._read_at:
            self._links = self._decoded(self._path.read_bytes())
            self._read_at = stamp
        return self._links

    def _decoded(self, content: bytes) -> dict[str, Link]:
        try:
            return {str(key): Link(**link) for key, link in json.loads(content)["things"].items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            problem = f"it cannot be read ({type(error).__name__}: {error})"
            remedy = "Mend it, or remove it and add the things again: `watthour listen --found` lists them."
            raise InvalidInput("things file", str(self._path), problem, remedy=remedy) from error

    def _write(self, links: Mapping[str, Link]) -> None:
        content = {"version": 1, "things": {key: asdict(link) for key, link in sorted(links.items())}}
        write_whole(self._path, json.dumps(content, indent=2, ensure_ascii=False))
