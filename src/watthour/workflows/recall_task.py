"""The past of things is brought in beside other work: whoever asked goes on, and sees how far it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Literal

import structlog

from watthour.core.errors import WatthourError
from watthour.core.window import DAY, Window
from watthour.workflows.ingest import plain
from watthour.workflows.recall import asked_archives, fill_past

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from watthour.core.ports import Archive, Store, Subscription
    from watthour.workflows.links import Link, Links
    from watthour.workflows.recall import Filled

LONGEST_GOODBYE_S = 5.0

RecallState = Literal["idle", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Recall:
    """How far the past is brought in."""

    state: RecallState = "idle"
    window: Window | None = None  # that was asked for
    share: float = 0.0  # of it that is done, from 0 to 1
    filled: tuple[Filled, ...] = ()  # by channel, so far
    problem: str | None = None  # why it failed; what came before is kept
    remedy: str | None = None


class RecallIsRunning(WatthourError):
    """One at a time, as whoever has recorded would be asked for the same twice."""


class Recalls:
    """The past that one process brings in, in the background; one run at a time.

    Args:
        store: where readings are kept.
        links: which thing fills which channel.
        lines: tells who can be asked.
    """

    def __init__(self, store: Store, links: Links, lines: Callable[[], Sequence[Subscription]]) -> None:
        self._store = store
        self._links = links
        self._lines = lines
        self._log = structlog.get_logger("watthour.recall")
        self._stopping = Event()
        self._lock = Lock()  # guards what follows
        self._last = Recall()
        self._thread: Thread | None = None

    @property
    def last(self) -> Recall:
        """The run that was begun last."""
        return self._last

    def start(self, days: int, thing: str | None = None, *, now: datetime) -> Recall:
        """Begin to bring in the last days and return at once.

        Args:
            days: how many.
            thing: its key; None: everything that was added and has a past.
            now: the present.

        Raises:
            RecallIsRunning: another run is not done.
            InvalidInput: nothing was added whose past can be asked for, or nobody has recorded this thing.
            UnknownName: this thing fills no channel.
        """
        links = self._links.all()
        asked = asked_archives(self._lines(), links, thing)
        with self._lock:
            if self._last.state == "running":
                remedy = "Wait until it is done; GET /api/v1/listening/past tells how far it is."
                raise RecallIsRunning("the past is being brought in already", remedy=remedy)
            self._last = Recall("running", Window(now - days * DAY, now))
            self._thread = Thread(target=self._run, args=(asked, links, now), name="watthour-recall", daemon=True)
            self._thread.start()
            return self._last

    def stop(self) -> None:
        """End what runs; what came before is kept."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LONGEST_GOODBYE_S)

    def _run(self, asked: Mapping[str, tuple[Archive, list[str]]], links: Mapping[str, Link], now: datetime) -> None:
        window = self._last.window
        assert window is not None  # noqa: S101 - `start` has set it
        n_channels = sum(len({links[key].channel for key in keys}) for _archive, keys in asked.values())
        whole_s = (window.end - window.start).total_seconds() * n_channels
        done_s = 0.0

        def tell(part: Window, so_far: Filled) -> None:
            nonlocal done_s
            if self._stopping.is_set():
                raise InterruptedError
            done_s += (part.end - part.start).total_seconds()
            others = [each for each in self._last.filled if each.channel != so_far.channel]
            self._last = replace(self._last, share=min(1.0, done_s / whole_s), filled=(*others, so_far))

        try:
            for archive, keys in asked.values():
                fill_past(self._store, links, archive, keys, window, now=now, progress=tell)
        except WatthourError as error:
            self._last = replace(self._last, state="failed", problem=plain(str(error.problem)), remedy=error.remedy)
        except InterruptedError:
            self._last = replace(self._last, state="failed", problem="it was stopped", remedy="Ask for it again.")
        except Exception as error:  # noqa: BLE001 - whatever an answer makes our reading do ends this run alone
            self._log.exception("recall_failed")
            problem = f"it could not be brought in ({type(error).__name__})"
            remedy = "Ask for it again; if that fails too, report it."
            self._last = replace(self._last, state="failed", problem=problem, remedy=remedy)
        else:
            self._last = replace(self._last, state="done", share=1.0)
