"""What somebody else has recorded of a home's things: followed as it comes, and asked for its past."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from watthour.core.errors import PayloadChanged, SourceError, WatthourError
from watthour.core.heard import LineState
from watthour.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from threading import Event

    from watthour.core.heard import Heard, Recalled

_REST_S = 60.0  # one that does not answer is asked so often at least
LONGEST_CATCH_UP = timedelta(days=30)
_FIRST_LOOK = timedelta(hours=2)


class Recorder(Protocol):
    """Who has recorded; used by one thread at a time."""

    fine_for: timedelta  # how far back it still has each value; what is older it may have as means alone
    piece: timedelta  # of the past that is asked for at once
    late: timedelta  # it may write a value so long after its instant

    def latest(self, now: datetime) -> Heard:
        """Return the last value of everything there is that we can read."""
        ...

    def told(self, keys: Collection[str] | None, window: Window, *, is_past: bool) -> Recalled:
        """Return what was told in a window, or in the beginning of it where it is too much for one answer.

        Args:
            keys: of the things; None: all.
            window: of instants.
            is_past: means of hours are enough, where they reach further back.
        """
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Recorded:
    """The line to a recorder.

    Args:
        name: of the source.
        recorder: whom to ask.
        every: how often.
        clock: tells the present.
    """

    def __init__(
        self,
        name: str,
        recorder: Recorder,
        every: timedelta,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self._recorder = recorder
        self._every_s = every.total_seconds()
        self._now = clock
        self._state = LineState(name)
        self._since: Mapping[str, datetime] | None = None  # of what was heard before this process began
        self._asked_until: datetime | None = None
        self._log = structlog.get_logger(f"watthour.{name}")

    @property
    def state(self) -> LineState:
        """How the connection stands."""
        return self._state

    def resume(self, since: Mapping[str, datetime]) -> None:
        """Let `listen` begin, for the things of these keys, where they were heard last."""
        self._since = dict(since) or None

    def listen(self, take: Callable[[Heard], None], stopping: Event) -> None:
        """Ask every so often for what is new until ``stopping`` is set; first for what was missed meanwhile."""
        steps = self._steps(take)
        while not stopping.is_set():
            try:
                is_done = next(steps)
            except WatthourError as error:
                self._note_failure(error)
            except Exception as error:  # noqa: BLE001 - whatever an answer makes our reading do ends this turn alone
                self._log.exception("asking_failed")
                problem = f"the answer could not be read ({type(error).__name__}: {error})"
                self._note_failure(PayloadChanged(self.name, problem, remedy="Update Watthour or report it."))
            else:
                self._note_answer()
                if is_done:
                    stopping.wait(self._every_s)
                continue
            steps = self._steps(take)  # a generator that raised has ended
            stopping.wait(max(self._every_s, _REST_S))
        self._recorder.close()

    def look(self) -> Heard:
        """Return the last value of everything there is, once.

        Raises:
            SourceError: it cannot be asked.
        """
        try:
            return self._recorder.latest(self._now())
        finally:
            self._recorder.close()

    def past(self, keys: Collection[str], window: Window) -> Iterator[Recalled]:
        """Yield what things told in a window, in pieces, oldest first.

        Raises:
            SourceError: it cannot be asked.
        """
        try:
            yield from self._pieces(keys, window, is_past=True)
        finally:
            self._recorder.close()

    def _steps(self, take: Callable[[Heard], None]) -> Iterator[bool]:
        """Ask once a step; yield whether all that there is has come. What was kept is not asked for again."""
        now = self._now()
        self._keep(take, self._recorder.latest(now))
        yield False
        begin, keys = (self._asked_until, None) if self._since is None else (min(self._since.values()), self._since)
        if begin is not None and begin < now - _FIRST_LOOK:
            earliest = now - min(LONGEST_CATCH_UP, self._recorder.fine_for)
            for part in self._pieces(keys, Window(max(earliest, begin), now - _FIRST_LOOK), is_past=False):
                self._keep(take, part.heard)
                self._since, self._asked_until = None, part.window.end
                yield False
        since = now - _FIRST_LOOK
        while True:
            now = max(self._now(), since)
            if now > since:
                for part in self._pieces(None, Window(since, now), is_past=False):
                    self._keep(take, part.heard)
                    yield part.window.end >= now
            since = max(since, now - self._recorder.late)
            self._since, self._asked_until = None, since

    def _pieces(self, keys: Collection[str] | None, window: Window, *, is_past: bool) -> Iterator[Recalled]:
        begin = window.start
        while begin < window.end:
            end = min(window.end, begin + self._recorder.piece)
            part = self._recorder.told(keys, Window(begin, end), is_past=is_past)
            yield part
            begin = part.window.end

    def _keep(self, take: Callable[[Heard], None], heard: Heard) -> None:
        take(heard)
        state = self._state
        self._state = replace(
            state,
            last_heard_at=self._now() if heard.told else state.last_heard_at,
            n_messages=state.n_messages + 1,
            n_faults=state.n_faults + len(heard.faults),
        )

    def _note_failure(self, error: WatthourError) -> None:
        if self._state.problem is None:
            self._log.warning("not_answered", problem=error.problem, remedy=error.remedy)
        is_ours = not isinstance(error, SourceError)  # it answers, and the store cannot keep it now
        self._state = replace(
            self._state,
            is_connected=is_ours and self._state.is_connected,
            problem=error.problem,
            remedy=error.remedy,
            option=error.option if isinstance(error, SourceError) else None,
        )
        self._recorder.close()

    def _note_answer(self) -> None:
        if self._state.problem is not None:
            self._log.info("answers_again")
        since = self._state.connected_at if self._state.is_connected else self._now()
        self._state = replace(
            self._state, is_connected=True, connected_at=since, problem=None, remedy=None, option=None
        )
