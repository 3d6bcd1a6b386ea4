"""The log of runs, read: what has been brought in of the past, what is missing, what rests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.store.memory import MemoryStore
from watthour.workflows.runs import EMPTY_FOR, asker, due, fill_of, pieces, state_of

NOW = datetime(2024, 7, 10, 12, tzinfo=UTC)
PAST = Window(NOW - 400 * DAY, NOW)


def note(
    store: MemoryStore, first: int, last: int, state: RunState = RunState.OK, *, at: datetime = NOW - HOUR
) -> None:
    """Note a run whose window lies so many days before now."""
    store.note_run(SourceRun("meter", at, at, Window(NOW - first * DAY, NOW - last * DAY), state, 0))


def missing(store: MemoryStore, now: datetime = NOW) -> list[tuple[int, int]]:
    return [((NOW - window.start).days, (NOW - window.end).days) for window in due("meter", store, PAST, now=now)]


def test_what_was_never_asked_for_is_missing_in_the_middle_as_well() -> None:
    store = MemoryStore()
    note(store, 400, 300)
    note(store, 100, 50)
    note(store, 60, 0)
    assert missing(store) == [(300, 100)]
    assert fill_of("meter", store, PAST, now=NOW).share == 0.5
    assert [(hole.start, hole.end) for hole in fill_of("meter", store, PAST, now=NOW).holes] == [
        (NOW - 300 * DAY, NOW - 100 * DAY)
    ]


def test_another_sources_runs_fill_nothing() -> None:
    store = MemoryStore()
    store.note_run(SourceRun("weather", NOW, NOW, PAST, RunState.OK, 1))
    assert missing(store) == [(400, 0)]


def test_a_window_that_lay_ahead_when_it_was_asked_for_is_asked_for_again() -> None:
    store = MemoryStore()
    note(store, 400, 0, at=NOW - 30 * DAY)
    assert missing(store) == [(30, 0)]


def test_a_run_that_never_ended_fills_nothing() -> None:
    store = MemoryStore()
    note(store, 400, 0, RunState.RUNNING)
    assert missing(store) == [(400, 0)]


def test_a_source_that_has_nothing_of_a_span_is_asked_again_only_after_a_month() -> None:
    store = MemoryStore()
    note(store, 300, 0)
    note(store, 400, 300, RunState.EMPTY)
    assert missing(store) == []
    fill = fill_of("meter", store, PAST, now=NOW)
    assert fill.empty == (Window(NOW - 400 * DAY, NOW - 300 * DAY),)
    assert fill.share == 1.0
    assert missing(store, NOW + EMPTY_FOR)[0] == (400, 300)


def test_a_window_that_keeps_failing_rests_longer_each_time() -> None:
    store = MemoryStore()
    note(store, 300, 0)
    first = NOW - 10 * DAY
    note(store, 400, 300, RunState.FAILED, at=first)
    assert missing(store) == [(400, 300)]
    assert due("meter", store, PAST, now=first + HOUR)
    note(store, 400, 300, RunState.FAILED, at=first + 2 * DAY)
    rested = [day for day in range(3, 6) if any(w.start == PAST.start for w in due_at(store, first + day * DAY))]
    assert rested == [4, 5]


def due_at(store: MemoryStore, now: datetime) -> list[Window]:
    return due("meter", store, PAST, now=now)


def test_pieces_are_the_same_at_any_hour_and_the_newest_comes_first() -> None:
    now, later = pieces([PAST]), pieces([Window(PAST.start + HOUR, PAST.end + HOUR)])
    assert now[1:-1] == later[1:-1]
    assert now[0].end == PAST.end
    assert all(after.start == before.end for before, after in zip(now[1:], now[:-1], strict=True))


def test_a_run_whose_process_has_died_is_shown_as_interrupted() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    died = asker().replace(str(os.getpid()), str(ended.pid))

    def shown(asked_by: str, at: datetime = NOW) -> str:
        return state_of(SourceRun("meter", at, at, PAST, RunState.RUNNING, 0, problem=asked_by), now=NOW)

    assert shown(asker()) == "running"
    assert shown(died) == "interrupted"
    assert shown(asker(), NOW - timedelta(hours=2)) == "interrupted"
    assert shown(died.replace(socket.gethostname(), "elsewhere")) == "running"
    assert state_of(SourceRun("meter", NOW, NOW, PAST, RunState.EMPTY, 0), now=NOW) == "ok"
