"""The stream of one process: it needs no server, and ends with the process."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from threading import Condition
from typing import TYPE_CHECKING

from watthour.core.notice import Handed, Notice
from watthour.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE_S = 60.0  # a worker that has a notice for longer is taken to be gone


@dataclass(slots=True)
class _Out:
    handed: Handed
    until: float  # the worker's patience, by the clock


class MemoryStream:
    """Notices in memory, for threads of one process.

    Notices of a channel that nobody was handed yet are joined into one, so that they never outgrow the memory.

    Args:
        patience_s: how long a worker may have a notice before another is handed it.
        clock: monotonic seconds.
    """

    def __init__(self, *, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience_s, self._clock = patience_s, clock
        self._new: dict[str, Notice] = {}  # by channel, oldest first
        self._out: dict[str, _Out] = {}  # by key
        self._keys = itertools.count()
        self._changed = Condition()

    def add(self, notices: Sequence[Notice]) -> None:
        """Keep notices for the workers."""
        with self._changed:
            for each in notices:
                before = self._new.get(each.channel)
                self._new[each.channel] = each if before is None else _joined(before, each)
            self._changed.notify_all()

    def take(self, worker: str, *, most: int, wait_s: float = 0.0) -> list[Handed]:
        """Hand out notices: those that were left undone first, then new ones."""
        del worker  # within a process it is not asked who left something undone
        until = time.monotonic() + wait_s
        with self._changed:
            while not (handed := self._taken(most)):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    return []
                self._changed.wait(left_s)
            return handed

    def done(self, handed: Sequence[Handed]) -> None:
        """Report that notices need not be handed out again."""
        with self._changed:
            for each in handed:
                self._out.pop(each.key, None)

    def waiting(self) -> int:
        """Return how many notices are not done yet."""
        with self._changed:
            return len(self._new) + len(self._out)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _taken(self, most: int) -> list[Handed]:
        now = self._clock()
        left = [out for out in self._out.values() if out.until <= now][:most]
        handed = [replace(out.handed, times=out.handed.times + 1) for out in left]
        new = list(self._new)[: most - len(handed)]
        handed += [Handed(str(next(self._keys)), self._new.pop(channel), 1) for channel in new]
        self._out |= {each.key: _Out(each, now + self._patience_s) for each in handed}
        return handed


def _joined(before: Notice, after: Notice) -> Notice:
    both = (before.window, after.window)
    return Notice(before.channel, Window(min(each.start for each in both), max(each.end for each in both)))
