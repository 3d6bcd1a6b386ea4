"""A small file of the home directory that several processes read and change: what a person said, by name."""

from __future__ import annotations

from contextlib import contextmanager
from stat import S_ISREG
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from watthour.core.errors import InvalidInput
from watthour.core.lock import locked, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_Kept = TypeVar("_Kept")

MOST_BYTES = 16 * 1024 * 1024  # of a file; a few thousand things or tariffs have one megabyte


class KeptFile(Generic[_Kept]):
    """What a file holds, by name; a change by another process is seen at once.

    Args:
        path: of the file.
        decode: reads its content; any of ValueError, TypeError, KeyError, AttributeError, RecursionError and
            OverflowError means that it is damaged.
        encode: writes it.
        what: what the file is called in an error.
        remedy: what to do where it is damaged.
    """

    def __init__(
        self,
        path: Path,
        decode: Callable[[bytes], dict[str, _Kept]],
        encode: Callable[[Mapping[str, _Kept]], str],
        *,
        what: str,
        remedy: str,
    ) -> None:
        self._path, self._decode, self._encode = path, decode, encode
        self._what, self._remedy = what, remedy
        self._lock = Lock()
        self._read_at: tuple[int, int, int] | None = None  # file, change and size of what was read
        self._kept: dict[str, _Kept] = {}

    def all(self) -> Mapping[str, _Kept]:
        """Return what it holds.

        Raises:
            InvalidInput: the file is damaged, or cannot be read.
        """
        with self._lock:
            return dict(self._fresh())

    @contextmanager
    def changing(self) -> Iterator[dict[str, _Kept]]:
        """Let what it holds be changed, and keep it: no other process changes it meanwhile.

        Raises:
            InvalidInput: the file is damaged, cannot be read, or would grow too large to be read again.
        """
        with self._lock, locked(self._path.with_suffix(".lock")):
            self._read_at = None  # the clock of a disk may not tell two changes apart
            before = self._fresh()
            kept = dict(before)
            yield kept
            if kept != before:
                text = self._encode(kept)
                if len(text.encode()) > MOST_BYTES:
                    raise self._fault(f"it would hold more than {MOST_BYTES:,} bytes, and is left as it was")
                write_whole(self._path, text)

    def _fresh(self) -> dict[str, _Kept]:
        try:
            seen = self._path.stat()
            stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
            if stamp != self._read_at:
                self._kept = self._decode(self._content(seen.st_mode))
                self._read_at = stamp
        except FileNotFoundError:
            self._read_at, self._kept = None, {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise self._fault(f"it cannot be read ({type(error).__name__}: {error})") from error
        return self._kept

    def _content(self, mode: int) -> bytes:
        if not S_ISREG(mode):
            raise self._fault("it is a folder or a device, and no file")
        with self._path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise self._fault(f"it holds more than {MOST_BYTES:,} bytes")
        return content

    def _fault(self, problem: str) -> InvalidInput:
        return InvalidInput(self._what, str(self._path), problem, remedy=self._remedy)
