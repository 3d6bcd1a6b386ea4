"""The log of runs, read: who is asking now, and which parts of the past have not been brought in."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from watthour.core.ports import RunState
from watthour.core.window import DAY, HOUR, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from watthour.core.ports import SourceRun, Store

TRAIN_PREFIX = "train:"  # trainings and scorings stand in the log of runs under these and their channel
HOMES_RUN = f"{TRAIN_PREFIX}homes"  # the trainings of all homes together
SCORE_PREFIX = "score:"
INTERRUPTED = "interrupted"  # how a run is shown whose process ended before it did
LONGEST_RUN = timedelta(minutes=30)  # a run that began earlier and is not ended belongs to a process that died
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = timedelta(days=92)  # a season; about 2,200 hours per series, within one page of EIA's answers
SHORTEST_HOLE = DAY  # a shorter one is closed by the regular rounds
EMPTY_FOR = timedelta(days=30)  # a source that has nothing of a window is not asked for it again for so long
LONGEST_WAIT = timedelta(days=7)  # between two askings for a window that keeps failing
RUNS_OF_A_SOURCE = 200_000  # twenty years of hourly askings


@dataclass(frozen=True, slots=True)
class Fill:
    """How much of the past of one source has been asked for with success."""

    source: str
    wanted: Window
    holes: tuple[Window, ...]  # not brought in yet, oldest first
    empty: tuple[Window, ...]  # the source answered that it has nothing of these

    @property
    def share(self) -> float:
        """What is done, 0 to 1."""
        return 1.0 - sum((hole.end - hole.start for hole in self.holes), timedelta()) / (
            self.wanted.end - self.wanted.start
        )


def asker() -> str:
    """Return the process that asks, as a run that has not ended names it."""
    return f"asked by process {os.getpid()} on {socket.gethostname()}"


def state_of(run: SourceRun, *, now: datetime, process: str | None = None) -> str:
    """Return how a run is shown: its state, or ``interrupted`` where the process that began it is gone.

    Args:
        run: of the log.
        now: the present.
        process: the present process as ``asker`` names it; None means this one.
    """
    if run.state is not RunState.RUNNING:
        return str(RunState.OK if run.state is RunState.EMPTY else run.state)
    if now - run.started_at > LONGEST_RUN or run.started_at - now > LONGEST_RUN or _is_gone(run.problem, process):
        return INTERRUPTED
    return str(RunState.RUNNING)


def fill_of(source: str, store: Store, wanted: Window, *, now: datetime, since: datetime = EPOCH) -> Fill:
    """Return what has been brought in of the past of a source, by the log of runs.

    Args:
        source: its name.
        store: with the log.
        wanted: the past that there should be.
        now: the present; what a wrong clock put after it counts for nothing.
        since: runs before it count for nothing, as what they brought was of another place.
    """
    runs = [run for run in store.runs(source, limit=RUNS_OF_A_SOURCE) if since <= run.started_at <= now]
    answered = [_asked(run) for run in runs if run.state is RunState.OK]
    empty = [_asked(run) for run in runs if run.state is RunState.EMPTY and now - run.started_at < EMPTY_FOR]
    answered_windows = [window for window in answered if window is not None]
    empty_windows = [window for window in empty if window is not None]
    holes = _long(without([wanted], [*answered_windows, *empty_windows]))
    return Fill(source, wanted, tuple(holes), tuple(_long(_within(without(empty_windows, answered_windows), wanted))))


def due(source: str, store: Store, wanted: Window, *, now: datetime, since: datetime = EPOCH) -> list[Window]:
    """Return the windows of a source to ask for now, oldest first; arguments as in ``fill_of``.

    A window whose last asking failed rests: after a first failure until the next round, then for as long as it has been
    failing, a week at most.
    """
    holes = fill_of(source, store, wanted, now=now, since=since).holes
    resting = _resting(store.runs(source, limit=RUNS_OF_A_SOURCE), now)
    return _long(without(holes, resting), HOUR)


def pieces(windows: Iterable[Window], chunk: timedelta = CHUNK) -> list[Window]:
    """Cut windows into pieces that a source is asked for at once, newest first; the cuts are the same at any time.

    >>> from datetime import UTC, datetime
    >>> cut = pieces([Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC))])
    >>> [f"{piece.start:%m-%d} to {piece.end:%m-%d}" for piece in cut]
    ['04-07 to 06-01', '01-06 to 04-07', '01-01 to 01-06']
    """
    found: list[Window] = []
    for window in merged(windows):
        start = window.start
        while start < window.end:
            end = min(EPOCH + ((start - EPOCH) // chunk + 1) * chunk, window.end)
            found.append(Window(start, end))
            start = end
    return found[::-1]


def without(windows: Iterable[Window], taken: Iterable[Window]) -> list[Window]:
    """Return what is left of windows when others are taken away, in order and merged.

    >>> from datetime import UTC, datetime
    >>> day = lambda n: datetime(2024, 1, n, tzinfo=UTC)
    >>> [(w.start.day, w.end.day) for w in without([Window(day(1), day(9))], [Window(day(3), day(5))])]
    [(1, 3), (5, 9)]
    """
    left = merged(windows)
    for gone in merged(taken):
        rest: list[Window] = []
        for window in left:
            if gone.end <= window.start or window.end <= gone.start:
                rest.append(window)
                continue
            if window.start < gone.start:
                rest.append(Window(window.start, gone.start))
            if gone.end < window.end:
                rest.append(Window(gone.end, window.end))
        left = rest
    return left


def merged(windows: Iterable[Window]) -> list[Window]:
    """Return windows in order, those that touch as one."""
    found: list[Window] = []
    for window in sorted(windows, key=lambda each: each.start):
        if found and window.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, window.end))
        else:
            found.append(window)
    return found


def _asked(run: SourceRun) -> Window | None:
    """Return the part of a run's window that was past when it was asked for."""
    end = min(run.window.end, run.started_at)
    return Window(run.window.start, end) if run.window.start < end else None


def _resting(newest_first: Sequence[SourceRun], now: datetime) -> list[Window]:
    """Return the windows that have failed and are not to be asked for yet."""
    failures: dict[int, list[SourceRun]] = {}
    for run in newest_first:
        if run.state is RunState.FAILED:
            failures.setdefault((run.window.start - EPOCH) // CHUNK, []).append(run)
    return [
        runs[0].window
        for runs in failures.values()
        if now < runs[0].ended_at + min(runs[0].started_at - runs[-1].started_at, LONGEST_WAIT)
    ]


def _within(windows: Iterable[Window], wanted: Window) -> list[Window]:
    return [
        Window(max(each.start, wanted.start), min(each.end, wanted.end))
        for each in windows
        if each.start < wanted.end and wanted.start < each.end
    ]


def _long(windows: Iterable[Window], shortest: timedelta = SHORTEST_HOLE) -> list[Window]:
    return [window for window in windows if window.end - window.start >= shortest]


def _is_gone(asked_by: str | None, process: str | None) -> bool:
    """Tell whether a process of this machine has ended; of another machine's nothing is known."""
    words, mine = (asked_by or "").split(), (process or asker()).split()
    if len(words) != len(mine) or words[-1] != mine[-1] or words == mine or os.name == "nt":
        return False
    try:
        os.kill(int(words[-3]), 0)  # asks only whether there is such a process
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False
