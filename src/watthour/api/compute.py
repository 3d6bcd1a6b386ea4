"""Work that takes longer than a blink runs beside the event loop, with an end, and its answers are kept warm."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, TypeVar, cast

from watthour.api.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much the API computes for its callers."""

    timeout_s: float = 30.0
    import_timeout_s: float = 600.0
    workers: int = 4
    waiting: int = 64  # computations that may queue before callers are turned away
    answer_lifetime_s: float = 60.0  # ages of readings are part of an answer
    state_lifetime_s: float = 1.0  # so much later than new data at most, a warm answer is dropped
    gauges_lifetime_s: float = 60.0
    models: int = 4  # loaded at once; the factors of a large day process take a hundred megabytes
    live_lines: int = 100  # open at once
    live_news: int = 256  # messages that wait for a line whose caller reads slowly
    live_patience_s: float = 5.0  # that a caller with a full queue may read nothing
    is_warmed_up: bool = True  # load models and make tomorrow's answers before anybody asks


class Compute:
    """A few threads, and a clear word when they do not finish in time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="watthour-api")
        self._running = 0

    def start(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Begin work in a thread; it runs to its end even if nobody waits any more.

        Raises:
            Refusal: too much is waiting already.
        """
        if self._running >= self._limits.waiting:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                "The server is busy: too many requests are waiting.",
                remedy="Try again in a few seconds.",
                headers={"Retry-After": "5"},
            )
        self._running += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._finished)
        return future

    async def run(self, work: Callable[[], T], *, timeout_s: float | None = None) -> T:
        """Do work in a thread and wait for it."""
        return await self.wait(self.start(work), timeout_s=timeout_s)

    async def wait(self, future: asyncio.Future[T], *, timeout_s: float | None = None) -> T:
        """Wait for begun work.

        Raises:
            Refusal: it did not end in time; it goes on, so that a later caller may find its answer.
        """
        limit = self._limits.timeout_s if timeout_s is None else timeout_s
        done, _ = await asyncio.wait({future}, timeout=limit)
        if not done:
            raise Refusal(
                HTTPStatus.GATEWAY_TIMEOUT,
                "timeout",
                f"The computation took longer than {limit:g} s.",
                remedy="Try again: the computation goes on, and its result is kept.",
                headers={"Retry-After": "10"},
            )
        return future.result()

    def close(self) -> None:
        """Begin nothing new and let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _finished(self, future: asyncio.Future[T]) -> None:
        self._running -= 1
        if not future.cancelled():
            future.exception()  # looked at, so that an error nobody waited for is no warning


class Warm:
    """Answers kept for a while; callers who ask for the same at once share one computation."""

    def __init__(self, compute: Compute, *, clock: Callable[[], float] = monotonic, most: int = 512) -> None:
        self._compute = compute
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[float, object]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[object]] = {}
        self._era = 0

    async def get(self, key: Hashable, make: Callable[[], T], *, lifetime_s: float) -> T:
        """Return the kept answer, or make it in a thread and keep it."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock():
            return cast("T", kept[1])  # what was made under this key
        future = self._making.get(key)
        if future is None:
            future = self._begin(key, make, lifetime_s)
        return cast("T", await self._compute.wait(future))

    def drop(self) -> None:
        """Forget everything, also what is being made."""
        self._era += 1
        self._kept.clear()
        self._making.clear()

    def _begin(self, key: Hashable, make: Callable[[], object], lifetime_s: float) -> asyncio.Future[object]:
        future = self._compute.start(make)
        self._making[key] = future
        era = self._era

        def keep(done: asyncio.Future[object]) -> None:
            if era != self._era:
                return
            self._making.pop(key, None)
            if done.cancelled() or done.exception() is not None:
                return
            self._kept[key] = (self._clock() + lifetime_s, done.result())
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

        future.add_done_callback(keep)
        return future
