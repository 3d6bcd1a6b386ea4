"""Tell others of the homes, in the background: what is new within a minute, and orders carried out as they come."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from watthour.core.errors import WatthourError
from watthour.workflows.forward import SinkState
from watthour.workflows.rounds import note_failure, note_recovery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watthour.core.bulletin import Bulletin, Order
    from watthour.core.ports import Board, Store

RUN = "announce"  # how it is called in the log of runs
EVERY_S = 60.0  # how often bulletins are written anew
LOOK_S = 1.0  # how soon a board that was set up is told
LONGEST_GOODBYE_S = 5.0


class Teller:
    """Tells one board of all homes; `start` and `stop` belong together.

    Args:
        board: returns the board that there should be now, the same as long as nothing changes; None: there is none.
        write: returns the bulletins of an instant.
        decide: carries out an order.
        store: with the log of runs, where a failure stands until it is over.
        clock: tells the present.
        every_s: how often bulletins are written. [s]
    """

    def __init__(
        self,
        board: Callable[[], Board | None],
        write: Callable[[datetime], Sequence[Bulletin]],
        decide: Callable[[Order], None],
        store: Store,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        every_s: float = EVERY_S,
    ) -> None:
        self._wanted, self._write, self._decide, self._store = board, write, decide, store
        self._now, self._every_s = clock, every_s
        self._log = structlog.get_logger("watthour.telling")
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._board: Board | None = None
        self._line: tuple[threading.Thread, threading.Event] | None = None
        self._problem: str | None = None  # why the last bulletins could not be written
        self._noted: str | None = (
            ""  # the failure that stands in the log of runs; empty: of an earlier process, perhaps
        )

    @property
    def problem(self) -> str | None:
        """Why others are not told, or were not at the last try; None: they were, or there is nobody."""
        board = self._board
        if board is not None and board.state.problem is not None:
            return f"{board.state.problem.rstrip('.')}. {board.state.remedy or ''}".strip()
        return self._problem

    @property
    def state(self) -> SinkState | None:
        """How it goes; None where nobody is to be told."""
        board = self._board if self._thread is not None else self._looked_up()
        if board is None:
            return None
        told, is_running = board.state, self._line is not None
        return SinkState(board.name, is_running, told.n_messages, told.n_failures, told.last_success_at, self.problem)

    def start(self) -> None:
        """Begin to tell, in threads of their own."""
        self._thread = threading.Thread(target=self._work, name="watthour-tell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the telling: others see that we are gone, and what was announced stays."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(LONGEST_GOODBYE_S)
        self._end()

    def carry_out(self, order: Order) -> None:
        """Carry out an order, and tell at once what it has changed.

        Raises:
            WatthourError: it cannot be.
        """
        self._decide(order)
        self._wake.set()

    def _work(self) -> None:
        write_at, is_woken = monotonic(), False
        while not self._stopping.is_set():
            if self._renew() or is_woken:
                write_at = monotonic()
            if self._board is not None and monotonic() >= write_at:
                self._show(self._board)
                write_at = monotonic() + self._every_s
            self._log_run()
            if is_woken := self._wake.wait(LOOK_S):
                self._wake.clear()  # before the next bulletins are written, so that no change is missed

    def _renew(self) -> bool:
        """Take up the board that there should be now; return whether it is another one."""
        board = self._looked_up()
        if board is self._board:
            return False
        before = self._board
        if before is not None:
            if board is None or board.target != before.target:  # else Home Assistant would forget what people set there
                self._take_away(before)
            self._end()
        self._board = board
        if board is None:
            return False
        is_over = threading.Event()
        thread = threading.Thread(
            target=board.tell, args=(self.carry_out, is_over), name=f"watthour-tell-{board.name}", daemon=True
        )
        self._line = (thread, is_over)
        thread.start()
        self._log.info("telling", to=board.name, at=board.target)
        return True

    def _take_away(self, board: Board) -> None:
        board.withdraw()
        give_up_at = monotonic() + LONGEST_GOODBYE_S
        while not board.is_over and not self._stopping.wait(0.1):
            if monotonic() > give_up_at:
                self._log.warning("not_withdrawn", to=board.name, at=board.target, why=board.state.problem)
                return

    def _show(self, board: Board) -> None:
        try:
            bulletins = self._write(self._now())
        except WatthourError as error:
            self._note(str(error))
        except Exception as error:  # noqa: BLE001 - the next bulletins come, whatever these met
            self._log.exception("bulletins_failed")
            self._note(f"it broke down ({type(error).__name__}: {error})")
        else:
            board.show(bulletins)
            self._note(None)

    def _looked_up(self) -> Board | None:
        """Return the board that there should be; where that cannot be told, the one there is."""
        try:
            return self._wanted()
        except WatthourError as error:
            self._note(str(error))
            return self._board

    def _note(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            self._log.warning("not_told", problem=problem)
        self._problem = problem

    def _log_run(self) -> None:
        """Let a failure stand in the log of runs, where the status and the doctor see it, until it is over."""
        problem, board = self.problem, self._board
        is_untried = board is not None and board.state.last_success_at is None
        if problem == self._noted or (problem is None and is_untried):
            return
        try:
            if problem is None:
                note_recovery(self._store, RUN, now=self._now())
            else:
                note_failure(self._store, RUN, problem, now=self._now())
        except WatthourError as error:
            self._log.warning("not_noted", problem=error.problem)
        self._noted = problem

    def _end(self) -> None:
        if self._line is None:
            return
        thread, is_over = self._line
        is_over.set()
        thread.join(LONGEST_GOODBYE_S)
        self._line = None
