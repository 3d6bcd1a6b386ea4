"""Who tells others of the homes: takes up what is set, keeps on whatever fails, and lets a failure be seen."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from watthour.core.bulletin import BoardState, Bulletin, Entry, Matter, Order
from watthour.core.errors import InvalidInput, StoreLocked, UnknownName
from watthour.core.ports import RunState
from watthour.store.memory import MemoryStore
from watthour.workflows.telling import RUN, Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from threading import Event

FLAT = Bulletin("flat", "Flat", (Entry("price", "Price now", Matter.PRICE, 0.25, "EUR/kWh"),))


class Shown:
    """A board in memory."""

    name = "board"

    def __init__(self, target: str) -> None:
        self.target = target
        self.state = BoardState(self.name)
        self.shown: list[list[Bulletin]] = []
        self.is_over = self.is_told = self.has_withdrawn = False
        self.take: Callable[[Order], None] | None = None

    def show(self, bulletins: Sequence[Bulletin]) -> None:
        self.shown.append(list(bulletins))

    def withdraw(self) -> None:
        self.has_withdrawn = self.is_over = True

    def tell(self, take: Callable[[Order], None], stopping: Event) -> None:
        self.take, self.is_told = take, True
        self.state = replace(self.state, is_connected=True)
        stopping.wait()
        self.is_told = False


class Desk:
    """What the teller is given: what is set, what is written, what was decided."""

    def __init__(self) -> None:
        self.board: Shown | None = None
        self.fault: Exception | None = None
        self.bulletins = [FLAT]
        self.decided: list[Order] = []
        self.store = MemoryStore()

    def wanted(self) -> Shown | None:
        if isinstance(self.fault, InvalidInput):
            raise self.fault
        return self.board

    def write(self, _now: datetime) -> list[Bulletin]:
        if self.fault is not None:
            raise self.fault
        return list(self.bulletins)

    def decide(self, order: Order) -> None:
        if order.run == "gone":
            raise UnknownName("run", order.run, "the plan has no such run", remedy="Look at the plan.")
        self.decided.append(order)
        self.bulletins = []


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def teller(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Teller]:
    monkeypatch.setattr("watthour.workflows.telling.LOOK_S", 0.02)
    found = Teller(desk.wanted, desk.write, desk.decide, desk.store, every_s=0.1)
    with capture_logs():
        found.start()
        yield found
        found.stop()


def until(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + 10
    while not is_so():
        assert monotonic() < ends_at, "it did not come to pass"
        sleep(0.005)


def test_a_board_that_is_set_up_meanwhile_is_told_and_health_says_so(teller: Teller, desk: Desk) -> None:
    until(lambda: teller.state is None)
    desk.board = board = Shown("broker a")
    until(lambda: board.shown != [])
    assert board.shown[0] == [FLAT]
    state = teller.state
    assert state is not None
    assert (state.name, state.is_running, state.problem) == ("board", True, None)


def test_one_with_another_password_is_told_on_and_one_elsewhere_begins_anew(teller: Teller, desk: Desk) -> None:
    desk.board = first = Shown("broker a")
    until(lambda: first.shown != [])
    desk.board = second = Shown("broker a")
    until(lambda: second.shown != [])
    assert (first.is_told, first.has_withdrawn) == (False, False)  # else what people set at it would be forgotten
    desk.board = third = Shown("broker b")
    until(lambda: third.shown != [])
    assert (second.is_told, second.has_withdrawn) == (False, True)
    desk.board = None
    until(lambda: teller.state is None)
    assert (third.is_told, third.has_withdrawn) == (False, True)


def test_what_cannot_be_written_leaves_what_is_shown_and_is_seen_until_it_is_over(teller: Teller, desk: Desk) -> None:
    desk.board = board = Shown("broker a")
    until(lambda: board.shown != [])
    desk.fault = StoreLocked("another process is writing", remedy="Wait.")
    until(lambda: teller.problem is not None)
    n_shown = len(board.shown)
    until(lambda: [run.state for run in desk.store.runs(RUN, limit=1)] == [RunState.FAILED])
    assert "another process is writing. Wait." in str(desk.store.runs(RUN, limit=1)[0].problem)
    desk.fault = ValueError("a fault of ours")
    until(lambda: "ValueError" in str(teller.problem))
    assert len(board.shown) == n_shown
    assert board.is_told
    board.state = replace(board.state, last_success_at=desk.store.runs(RUN, limit=1)[0].started_at)
    desk.fault = None
    until(lambda: [run.state for run in desk.store.runs(RUN, limit=1)] == [RunState.OK])
    assert teller.problem is None


def test_settings_that_cannot_be_read_leave_the_board_there_is(teller: Teller, desk: Desk) -> None:
    desk.board = board = Shown("broker a")
    until(lambda: board.shown != [])
    desk.fault = InvalidInput("sources file", "x", "it cannot be read", remedy="Mend it.")
    until(lambda: "it cannot be read" in str(teller.problem))
    assert board.is_told


def test_an_order_is_carried_out_and_what_it_changed_is_told_at_once(desk: Desk) -> None:
    desk.board = board = Shown("broker a")
    slow = Teller(desk.wanted, desk.write, desk.decide, desk.store, every_s=3600.0)
    slow.start()
    until(lambda: board.shown != [] and board.take is not None)
    assert board.take is not None
    board.take(Order("flat", "run-1", "skip"))
    until(lambda: len(board.shown) == 2)
    assert (desk.decided, board.shown[-1]) == ([Order("flat", "run-1", "skip")], [])
    with pytest.raises(UnknownName, match="no such run"):
        board.take(Order("flat", "gone", "skip"))
    slow.stop()
    assert not board.is_told
    assert not board.has_withdrawn  # it stays announced, as gone


def test_a_failure_of_an_earlier_process_is_over_once_others_are_told(teller: Teller, desk: Desk) -> None:
    desk.fault = StoreLocked("another process is writing", remedy="Wait.")
    desk.board = board = Shown("broker a")
    until(lambda: bool(desk.store.runs(RUN, limit=1)))
    teller.stop()
    desk.fault = None
    later = Teller(desk.wanted, desk.write, desk.decide, desk.store)
    later.start()
    until(lambda: len(board.shown) > 0)
    assert desk.store.runs(RUN, limit=1)[0].state is RunState.FAILED  # nothing has reached anybody yet
    board.state = replace(board.state, last_success_at=desk.store.runs(RUN, limit=1)[0].started_at)
    until(lambda: desk.store.runs(RUN, limit=1)[0].state is RunState.OK)
    later.stop()
