"""Work that takes longer than a blink runs beside the event loop, with an end, and its answers are kept warm."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, TypeVar, cast

from watthour.api.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from concurrent.futures import Future

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much the API computes for its callers."""

    timeout_s: float = 30.0
    import_timeout_s: float = 600.0
    workers: int = 4
    waiting: int = 64  # computations that may queue before callers are turned away
    receivers: int = 4  # threads that keep what is sent; what waits while one writes is written together
    received: int = 32  # messages of rows that may wait, each of up to 4 MB
    planners: int = 1  # threads that plan, each of which fills a core
    planned: int = 3  # plans that run or wait; each takes up to 8 s, so that the last of them is made in time
    planning_patience_s: float = 5.0  # that a caller waits to be one of them
    answer_lifetime_s: float = 60.0  # ages of readings are part of an answer
    samples_lifetime_s: float = 10.0  # of answers made from samples: so much later is a silent device told at most
    state_lifetime_s: float = 1.0  # so much later than new data at most, a warm answer is dropped
    gauges_lifetime_s: float = 60.0
    models: int = 4  # loaded at once; the factors of a large day process take a hundred megabytes
    live_lines: int = 100  # open at once
    live_news: int = 256  # messages that wait for a line whose caller reads slowly
    live_patience_s: float = 5.0  # that a caller with a full queue may read nothing
    is_warmed_up: bool = True  # load models and make tomorrow's answers before anybody asks


class Compute:
    """A few threads, and a clear word when they do not finish in time.

    Args:
        limits: how long, and how much.
        name: of the threads.
    """

    def __init__(self, limits: Limits, *, name: str = "watthour-api") -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix=name)
        self._running = 0
        self._has_room = asyncio.Event()

    async def room(self) -> None:
        """Wait until work can be begun; it must be begun before anything else is awaited."""
        while self._running >= self._limits.waiting:
            self._has_room.clear()
            await self._has_room.wait()

    def start(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Begin work in a thread; it runs to its end even if nobody waits any more.

        Raises:
            Refusal: too much is waiting already.
        """
        return self._begun(work)[1]

    async def run(self, work: Callable[[], T], *, timeout_s: float | None = None, patience_s: float = 0.0) -> T:
        """Do work in a thread and wait for it; what has not begun when its caller's time is over is never done.

        Where too much is waiting already, it waits for room so long as its patience lasts.
        """
        if patience_s:
            with suppress(TimeoutError):  # then it is refused below
                async with asyncio.timeout(patience_s):
                    await self.room()
        queued, future = self._begun(work)
        try:
            return await self.wait(future, timeout_s=timeout_s)
        finally:
            queued.cancel()  # of work that has begun or ended it changes nothing

    def _begun(self, work: Callable[[], T]) -> tuple[Future[T], asyncio.Future[T]]:
        if self._running >= self._limits.waiting:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                "The server is busy: too many requests are waiting.",
                remedy="Try again in a few seconds.",
                headers={"Retry-After": "5"},
            )
        loop = asyncio.get_running_loop()

        def ended(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop is closed, so that nobody waits for room any more
                loop.call_soon_threadsafe(self._freed)

        self._running += 1
        queued = self._pool.submit(_without_stop, work)
        queued.add_done_callback(ended)
        future = asyncio.wrap_future(queued)
        future.add_done_callback(_looked_at)
        return queued, future

    async def wait(self, future: asyncio.Future[T], *, timeout_s: float | None = None) -> T:
        """Wait for begun work.

        Raises:
            Refusal: it did not end in time; what was begun by `start` goes on, so that a later caller may find its
                answer.
        """
        limit = self._limits.timeout_s if timeout_s is None else timeout_s
        done, _ = await asyncio.wait({future}, timeout=limit)
        if not done:
            raise Refusal(
                HTTPStatus.GATEWAY_TIMEOUT,
                "timeout",
                f"The computation took longer than {limit:g} s.",
                remedy="Try again in a moment: the server is busy, or this is asked for the first time.",
                headers={"Retry-After": "10"},
            )
        return future.result()

    def close(self) -> None:
        """Begin nothing new and let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _freed(self) -> None:
        self._running -= 1
        self._has_room.set()


def _without_stop(work: Callable[[], T]) -> T:
    """Do work; a StopIteration, which no asyncio future can hold, is an error like any other."""
    try:
        return work()
    except StopIteration as error:
        message = "work in a thread ended with StopIteration"
        raise RuntimeError(message) from error


def _looked_at(future: asyncio.Future[T]) -> None:
    """Look at an error, so that one nobody waited for is no warning."""
    if not future.cancelled():
        future.exception()


class Outcome(StrEnum):
    """What became of an answer that is kept warm."""

    HIT = "hit"  # it was there, or somebody else had begun it
    MISS = "miss"  # it was made
    DROPPED = "dropped"  # it had expired, or something new was known; told when it is next asked for, or room is needed


@dataclass(frozen=True, slots=True)
class _Kept:
    ends_at: float
    state: Hashable
    name: str | None
    answer: object


class Warm:
    """Answers kept for a while; callers who ask for the same at once share one computation.

    Args:
        compute: where answers are made.
        clock: seconds that pass.
        most: answers that are kept at once.
        count: told of each answer that has a name, and what became of it.
    """

    def __init__(
        self,
        compute: Compute,
        *,
        clock: Callable[[], float] = monotonic,
        most: int = 512,
        count: Callable[[str, Outcome], None] = lambda _name, _outcome: None,
    ) -> None:
        self._compute = compute
        self._clock = clock
        self._most = most
        self._count = count
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[object]] = {}
        self._era = 0

    async def get(
        self,
        key: Hashable,
        make: Callable[[], T],
        *,
        lifetime_s: float,
        state: Hashable = None,
        name: str | None = None,
    ) -> T:
        """Return the kept answer, or make it in a thread and keep it.

        Args:
            key: what is asked.
            make: makes the answer.
            lifetime_s: for so long it is kept.
            state: what it was made from; an answer made from another state is dropped.
            name: under which it is counted; None: it is not.
        """
        kept = self._kept.get(key)
        if kept is not None and (kept.state != state or kept.ends_at <= self._clock()):
            del self._kept[key]
            self._counted(kept.name, Outcome.DROPPED)
        elif kept is not None:
            self._counted(name, Outcome.HIT)
            return cast("T", kept.answer)  # what was made under this key
        future = self._making.get((key, state))
        self._counted(name, Outcome.MISS if future is None else Outcome.HIT)
        if future is None:
            future = self._begin(key, make, lifetime_s, state, name)
        return cast("T", await self._compute.wait(future))

    def drop(self) -> None:
        """Forget everything, also what is being made."""
        self._era += 1
        for kept in self._kept.values():
            self._counted(kept.name, Outcome.DROPPED)
        self._kept.clear()
        self._making.clear()

    def _begin(
        self, key: Hashable, make: Callable[[], object], lifetime_s: float, state: Hashable, name: str | None
    ) -> asyncio.Future[object]:
        future = self._compute.start(make)
        self._making[key, state] = future
        era = self._era

        def keep(done: asyncio.Future[object]) -> None:
            if era != self._era:
                return
            self._making.pop((key, state), None)
            if done.cancelled() or done.exception() is not None:
                return
            self._kept[key] = _Kept(self._clock() + lifetime_s, state, name, done.result())
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._counted(oldest.name, Outcome.DROPPED)

        future.add_done_callback(keep)
        return future

    def _counted(self, name: str | None, outcome: Outcome) -> None:
        if name is not None:
            self._count(name, outcome)
