"""What several threads write at the same time becomes one transaction: one wait for the disk, not one for each."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from watthour.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from watthour.store.database import Database


@dataclass(frozen=True, slots=True)
class _Part:
    """What one thread writes, and how many rows of it were new once they are on the disk."""

    write: Callable[[Connection], int]
    n_new: Future[int] = field(default_factory=Future)


class Together:
    """Commits what waits, together; a thread goes on only once its own part is on the disk.

    Args:
        database: where it is written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = Lock()  # of the thread that writes; the others come to wait meanwhile
        self._lock = Lock()  # guards what waits
        self._waiting: list[_Part] = []

    def write(self, write: Callable[[Connection], int]) -> int:
        """Write in a transaction, perhaps with what other threads write, and return how many rows were new.

        Raises:
            StoreError: nothing of the transaction was kept.
        """
        part = _Part(write)
        with self._lock:
            self._waiting.append(part)
        with self._turn:
            if not part.n_new.done():  # nobody took it along
                with self._lock:
                    parts, self._waiting = self._waiting, []
                self._commit(parts)
        return part.n_new.result()

    def _commit(self, parts: Sequence[_Part]) -> None:
        try:
            with self._database.writing() as connection:
                n_new = [part.write(connection) for part in parts]
        except BaseException as error:
            if len(parts) > 1 and isinstance(error, Exception) and not isinstance(error, StoreError):
                try:
                    for part in parts:  # what is wrong with one is no reason to refuse the others
                        self._commit([part])
                except BaseException as end:  # of this thread; the others must not wait for it
                    _fail([part for part in parts if not part.n_new.done()], end)
                    raise
                return
            _fail(parts, error)
            if not isinstance(error, Exception):
                raise
        else:
            for part, count in zip(parts, n_new, strict=True):
                part.n_new.set_result(count)


def _fail(parts: Sequence[_Part], error: BaseException) -> None:
    for part in parts:
        part.n_new.set_exception(error)
