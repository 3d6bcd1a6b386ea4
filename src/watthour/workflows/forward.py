"""Write what the store keeps of some channels to a database beside it, in the background.

The store is where readings are safe; from it they are taken, so that a database that is slow, full or away for a week
costs nothing but its own delay. How far each channel has been written stands in a file. After a restart the last hour
is written once more, which changes nothing there.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import polars as pl
import structlog

from watthour.core.errors import SourceError, SourceRejected, WatthourError
from watthour.core.frames import Readings
from watthour.core.lock import write_whole
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.ports import Sink, Store

LOOK_EVERY_S = 30.0  # at what other processes have kept; what this one keeps is written at once
LONGEST_PAUSE_S = 300.0  # between two tries while it fails
LONGEST_WAIT_S = 5.0  # for a write that runs at the end
OVERLAP = HOUR  # by which rows may come later into the store than they say they were recorded
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_THESE_ROWS = frozenset({400, 413, 422})  # refused because of what is written, so that other channels go on
_SAME = ["time", "value", "quality"]


@dataclass(frozen=True, slots=True)
class SinkState:
    """How writing to a database beside the store goes."""

    name: str
    is_running: bool = False  # in this process
    n_points: int = 0  # written since the process began
    n_failures: int = 0  # of requests, since then
    last_success_at: datetime | None = None
    problem: str | None = None  # of the last try; None: it went well, or there was none


class Forwarder:
    """Writes the channels of some patterns; `start` and `stop` belong together.

    Args:
        store: read from.
        sink: written to.
        patterns: of the ids of channels, such as ``*.carbon.*``.
        marks: file that says how far each channel has been written.
        clock: tells the present.
        first_pause_s: before the next try after a failure; doubles with each. [s]
    """

    def __init__(
        self,
        store: Store,
        sink: Sink,
        patterns: Sequence[str],
        marks: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        first_pause_s: float = 5.0,
    ) -> None:
        self._store, self._sink, self._patterns, self._path = store, sink, tuple(patterns), marks
        self._now = clock
        self._first_pause_s = first_pause_s
        self._log = structlog.get_logger("watthour.forward")
        self._lock = threading.Lock()  # guards state and news
        self._state = SinkState(sink.name)
        self._news: set[str] = set()  # channels of which something was kept in this process
        self._sent: dict[str, pl.DataFrame] = {}  # what of the last hour has been written, by channel
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> SinkState:
        """How it goes."""
        with self._lock:
            return self._state

    def wants(self, channel: Channel) -> bool:
        """Tell whether a channel is written."""
        return any(fnmatchcase(channel.id, pattern) for pattern in self._patterns)

    def take(self, messages: Sequence[str]) -> None:
        """Hear that something was kept; it is looked up in the store, so that nothing here can be lost."""
        named = {str(json.loads(message)["channel"]) for message in messages}
        with self._lock:
            self._news |= named
        self._wake.set()

    def start(self) -> None:
        """Begin to write, in a thread of its own."""
        self._change(is_running=True)
        self._thread = threading.Thread(target=self._work, name="watthour-forward", daemon=True)
        self._thread.start()

    def stop(self, *, longest_s: float = LONGEST_WAIT_S) -> None:
        """End the writing; what is not written yet is written after the next start."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(longest_s)
        self._change(is_running=False)

    def forward(self) -> None:
        """Write what is new of every channel that is wanted; one that is refused holds no other up.

        Raises:
            SourceError: the first failure, once the others were tried that can be.
        """
        marks = self._marks()
        before = dict(marks)
        failure: SourceError | None = None
        spans = self._store.spans()
        try:
            for channel in self._store.channels():
                if self._stopping.is_set():
                    break
                if channel.id not in spans or not self.wants(channel):
                    continue
                try:
                    self._forward(channel, spans[channel.id][2], marks)
                except SourceError as error:
                    self._failed(error)
                    failure = failure or error
                    if not (isinstance(error, SourceRejected) and error.status in _OF_THESE_ROWS):
                        break
        finally:
            if marks != before:
                said = {name: mark.isoformat() for name, mark in sorted(marks.items())}
                write_whole(self._path, json.dumps({"target": self._sink.target, "written_until": said}, indent=1))
        if failure is not None:
            raise failure

    def _forward(self, channel: Channel, recorded: datetime, marks: dict[str, datetime]) -> None:
        with self._lock:
            is_news = channel.id in self._news
            self._news.discard(channel.id)
        mark = marks.get(channel.id)
        if mark is not None and recorded <= mark and not is_news and channel.id in self._sent:
            return
        try:
            rows = self._store.recorded_since(channel.id, EPOCH if mark is None else mark - OVERLAP)
            sent = self._sent.get(channel.id)
            fresh = rows if sent is None else rows.join(sent, on=_SAME, how="anti", nulls_equal=True)
            if fresh.height:
                self._sink.write(channel, Readings.cast(fresh))
                self._succeeded(fresh)
        except BaseException:
            with self._lock:
                self._news.add(channel.id)
            raise
        marks[channel.id] = max(recorded, mark or recorded)
        self._sent[channel.id] = rows.filter(pl.col("recorded_at") >= marks[channel.id] - OVERLAP).select(_SAME)

    def _marks(self) -> dict[str, datetime]:
        """Return until when what was recorded of each channel has been written; none where the target is new."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            if kept["target"] == self._sink.target:
                return {str(name): datetime.fromisoformat(mark) for name, mark in kept["written_until"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # all is written anew
            self._log.warning("marks_unreadable", file=str(self._path), problem=type(error).__name__)
        return {}

    def _work(self) -> None:
        n_failed = 0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.forward()
            except WatthourError as error:
                n_failed += 1
                self._log.warning("not_written", problem=error.problem, remedy=error.remedy)
                if not isinstance(error, SourceError):
                    self._failed(error)
            except Exception as error:  # noqa: BLE001 - whatever it meets, the next try comes, and ingestion goes on
                n_failed += 1
                self._log.exception("not_written")
                self._failed(error)
            else:
                n_failed = 0
            if n_failed:
                self._stopping.wait(min(self._first_pause_s * 2 ** min(n_failed - 1, 16), LONGEST_PAUSE_S))
            else:
                self._wake.wait(LOOK_EVERY_S)

    def _succeeded(self, rows: dy.DataFrame[Readings] | pl.DataFrame) -> None:
        n_points = self.state.n_points + rows["value"].count()
        self._change(n_points=n_points, last_success_at=self._now(), problem=None)

    def _failed(self, error: Exception) -> None:
        said = str(error) if isinstance(error, WatthourError) else f"it failed ({type(error).__name__})"
        self._change(n_failures=self.state.n_failures + 1, problem=said)

    def _change(self, **values: object) -> None:
        with self._lock:
            self._state = replace(self._state, **values)  # type: ignore[arg-type]  # names and types as in the state
