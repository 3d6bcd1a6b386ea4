"""Ask the sources of a site side by side: for what is new, and for what their past lacks."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from watthour.core.errors import SourceError, SourceUnavailable, StoreError, WatthourError
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import Window
from watthour.workflows.ingest import ingest
from watthour.workflows.runs import due, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from watthour.core.ports import Source, Store
    from watthour.workflows.ingest import IngestReport

Answer = TypeVar("Answer")
LOOK_BACK = timedelta(days=5)  # late hours and revisions of the last days are asked for again
LONGEST_GAP = timedelta(days=90)  # a longer absence is a backfill
LOOK_AHEAD = timedelta(days=4)  # how far the weather and the operator are asked ahead
FAILURES_IN_A_ROW = 2  # of one source, after which its past is left until the next time
BUDGET_S = 150.0  # of a round; a source that takes longer goes on, and the round without it [s]
WORKER_NAME = "watthour-ask"
_LATE = "The other sources do not wait for it. It is asked again after that request has ended."


@dataclass(frozen=True, slots=True)
class Polled:
    """How asking one source went: a report, or the error it ended with."""

    source: str
    report: IngestReport | None
    error: WatthourError | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """One piece of the past of a source: brought in, or the error it ended with."""

    source: str
    window: Window
    report: IngestReport | None
    error: SourceError | None = None


def fill(
    sources: Sequence[Source],
    store: Store,
    wanted: Window,
    *,
    clock: Callable[[], datetime],
    is_stopping: Callable[[], bool] = lambda: False,
    patience_s: float | None = None,
    workers: Workers | None = None,
) -> Iterator[Filled]:
    """Bring in what the past lacks, newest first, each source by itself; yields each piece as it has ended.

    What is lacking is read from the log of runs, so that a fill that was stopped goes on where it was. A source that
    has failed twice in a row is left until the next time; the others go on.

    Args:
        sources: asked for the past.
        store: where it is kept.
        wanted: the past that there should be.
        clock: tells the instant of asking, as filling takes long.
        is_stopping: whether no further piece shall be asked for.
        patience_s: without a piece for so long, those who are still being asked go on alone; None waits for all. [s]
        workers: who is still filling from an earlier call, and is not begun again.
    """
    workers = workers or Workers()
    ended: SimpleQueue[Filled | Exception | None] = SimpleQueue()
    begun = [
        workers.start(source.name, partial(_fill_one, source, store, wanted, clock, is_stopping, ended))
        for source in sources
    ]
    n_running, failure = sum(each is not None for each in begun), None
    while n_running:
        try:
            news = ended.get(timeout=patience_s)
        except Empty:
            break
        match news:
            case None:
                n_running -= 1
            case Filled() as filled:
                yield filled
            case Exception() as error:  # the other sources go on; it is raised at the end
                failure = error
    if failure is not None:
        raise failure


def _fill_one(
    source: Source,
    store: Store,
    wanted: Window,
    clock: Callable[[], datetime],
    is_stopping: Callable[[], bool],
    ended: SimpleQueue[Filled | Exception | None],
) -> None:
    n_failed = 0
    try:
        for piece in pieces(due(source.name, store, wanted, now=clock())):
            if is_stopping() or n_failed == FAILURES_IN_A_ROW:
                return
            try:
                report = ingest(source, store, piece, now=clock())
            except SourceError as error:
                n_failed += 1
                ended.put(Filled(source.name, piece, None, error))
            else:
                n_failed = 0
                ended.put(Filled(source.name, piece, report))
    except Exception as error:  # noqa: BLE001 - handed on to the thread that waits
        ended.put(error)
    finally:
        ended.put(None)


class Workers:
    """The sources that are being asked, each in a thread of its own; one that does not end is not asked again."""

    def __init__(self) -> None:
        self._asking: dict[str, Future[Any]] = {}
        self._lock = Lock()

    def start(self, name: str, ask: Callable[[], Answer]) -> Future[Answer] | None:
        """Begin to ask a source; None where an earlier asking has not ended."""
        with self._lock:
            kept = self._asking.get(name)
            if kept is not None and not kept.done():
                return None
            future: Future[Answer] = Future()
            self._asking[name] = future

        def work() -> None:
            try:
                future.set_result(ask())
            except Exception as error:  # noqa: BLE001 - handed on to the thread that waits
                future.set_exception(error)

        Thread(target=work, name=f"{WORKER_NAME} {name}", daemon=True).start()
        return future


def poll(
    sources: Sequence[Source],
    store: Store,
    *,
    now: datetime,
    workers: Workers | None = None,
    budget_s: float = BUDGET_S,
) -> list[Polled]:
    """Ask every source for what is new, all at once; one that fails is noted in the store and does not stop the others.

    Args:
        sources: asked, each in a thread of its own.
        store: where it is kept.
        now: the instant of asking.
        workers: who is still being asked from an earlier round.
        budget_s: how long the round waits; a source that has not ended by then is noted as late and goes on. [s]
    """
    workers = workers or Workers()
    windows = {source.name: _since_last(source, store, now) for source in sources}
    asked = {
        source.name: workers.start(
            source.name, partial(ingest, source, store, windows[source.name], now=now, live=True)
        )
        for source in sources
    }
    give_up_at = monotonic() + budget_s
    return [_ended(name, future, store, windows[name], now, give_up_at) for name, future in asked.items()]


def _ended(
    name: str, future: Future[IngestReport] | None, store: Store, window: Window, now: datetime, give_up_at: float
) -> Polled:
    if future is None:
        late = SourceUnavailable(name, "it is still answering an earlier request", remedy=_LATE)
    else:
        try:
            return Polled(name, future.result(max(0.0, give_up_at - monotonic())))
        except StoreError:
            raise
        except WatthourError as error:
            return Polled(name, None, error)
        except TimeoutError:
            late = SourceUnavailable(name, "it did not finish its answer in time", remedy=_LATE)
    store.note_run(SourceRun(name, now, now, window, RunState.FAILED, 0, problem=str(late)))
    return Polled(name, None, late)


def _since_last(source: Source, store: Store, now: datetime) -> Window:
    spans = store.spans()
    lasts = [spans[channel.id][1] for channel in source.channels() if channel.id in spans]
    start = min([now - LOOK_BACK, *lasts])
    return Window(max(start, now - LONGEST_GAP), now + LOOK_AHEAD)
