"""Files that several processes change: locks that the operating system frees with their holder, and whole writes."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that a file stands for; others wait. A holder that is killed lets go of it.

    Args:
        path: of the file, which is made where it is absent, and stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:  # opened anew each time: the lock belongs to this opening, not to the process
        _take(file)
        try:
            yield
        finally:
            _give(file)


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock that a file stands for, if nobody else does; yield whether we do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        is_ours = _try(file)
        try:
            yield is_ours
        finally:
            if is_ours:
                _give(file)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file anew in one step, for its owner alone; whoever reads meanwhile finds the old one or the new one.

    Args:
        path: of the file; two processes that write it at the same time hold a lock of it.
        content: text is written as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)  # of a process that was killed
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        while True:
            file.seek(0)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # gives up after ten seconds
            except OSError:
                continue
            return

    def _try(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _give(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _give(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
