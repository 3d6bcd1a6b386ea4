"""What is one for each installation: who does a thing while others wait, and its name at brokers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Worker(Protocol):
    """What goes on beside a process until it is stopped."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, and wait until it has ended."""


@contextmanager
def working(lock: Path, worker: Callable[[], Worker]) -> Iterator[bool]:
    """Let a worker work while the block runs, unless another process has the lock; yield whether ours works.

    Args:
        lock: a file.
        worker: opens it; is not called where another process works.
    """
    from watthour.core.lock import locked_if_free

    with locked_if_free(lock) as is_ours:
        if not is_ours:
            yield False
            return
        ours = worker()
        ours.start()
        try:
            yield True
        finally:
            ours.stop()


def client_id(home: Path) -> str:
    """Return the name by which a broker knows this installation again: the same at every start."""
    from hashlib import sha256
    from socket import gethostname

    return f"watthour-{sha256(f'{gethostname()}:{home}'.encode()).hexdigest()[:12]}"


def passing_id() -> str:
    """Return a name for a broker that shall not know us again."""
    from uuid import uuid4

    return f"watthour-{uuid4().hex[:12]}"
