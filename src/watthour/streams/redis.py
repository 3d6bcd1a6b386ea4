"""The stream of several processes or machines: a stream of Redis 6.2 or later, read by one group of consumers.

What was added is kept as far as the server keeps anything: with ``appendonly yes`` also when the server is killed.
Commands: https://redis.io/docs/latest/develop/data-types/streams/
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from watthour.core.errors import InvalidInput, MissingExtra, NotConfigured, StoreError
from watthour.core.notice import Handed, Notice
from watthour.streams.memory import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from redis import Redis

_NAME, _REFUSED, _GROUP, _FIELD = "watthour:readings", "watthour:readings:refused", "watthour", "notice"
_MOST_WAITING = 1_000_000  # then the oldest are dropped; workers find in the store what they were not told of
_MOST_REFUSED = 1000
_ANSWER_S = 5.0  # that a command may take
_REMEDY = "Check REDIS_URL, and that the server runs and accepts your user."

_Messages = list[tuple[bytes, dict[bytes, bytes] | None]]


class RedisStream:
    """Notices in a stream of Redis, for workers of any number of processes.

    Args:
        url: of the server, such as redis://localhost:6379/0; what it holds of a password is never shown.
        patience_s: how long a worker may have a notice before another is handed it.

    Raises:
        NotConfigured: the URL is none of a Redis server.
        MissingExtra: the extra ``scale`` is not installed.
        StoreError: the server does not answer, or does not know streams.
    """

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_ms = round(1000 * patience_s)
        self._redis = _connected(url)
        self._begin()

    def add(self, notices: Sequence[Notice]) -> None:
        """Keep notices for the workers."""
        with _told(), self._redis.pipeline(transaction=False) as pipeline:
            for each in notices:
                pipeline.xadd(_NAME, {_FIELD: each.encoded()}, maxlen=_MOST_WAITING, approximate=True)
            pipeline.execute()

    def take(self, worker: str, *, most: int, wait_s: float = 0.0) -> list[Handed]:
        """Hand out notices: those that were left undone first, then new ones."""
        with _told():
            left = self._in_group(lambda: self._left(worker, most))
            if len(left) >= most:
                return left
            block = None if left or wait_s <= 0 else max(1, round(1000 * min(wait_s, _ANSWER_S / 2)))
            return left + self._in_group(lambda: self._new(worker, most - len(left), block))

    def done(self, handed: Sequence[Handed]) -> None:
        """Report that notices need not be handed out again."""
        if handed:
            self._drop([each.key for each in handed])

    def waiting(self) -> int:
        """Return how many notices are not done yet."""
        with _told():
            return self._redis.xlen(_NAME)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def _begin(self) -> None:
        from redis.exceptions import ResponseError

        with _told():
            try:
                self._redis.xgroup_create(_NAME, _GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def _in_group(self, ask: Callable[[], list[Handed]]) -> list[Handed]:
        """Ask the group, made anew where somebody has emptied the database."""
        from redis.exceptions import ResponseError

        try:
            return ask()
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self._begin()
            return ask()

    def _left(self, worker: str, most: int) -> list[Handed]:
        answer = cast("Any", self._redis.xautoclaim(_NAME, _GROUP, worker, self._patience_ms, count=most))
        claimed: _Messages = answer[1]
        if not claimed:
            return []
        with self._redis.pipeline(transaction=False) as pipeline:
            for key, _ in claimed:
                pipeline.xpending_range(_NAME, _GROUP, cast("Any", key), cast("Any", key), 1)
            pending = cast("Any", pipeline.execute())
        times = {each["message_id"]: int(each["times_delivered"]) for found in pending for each in found}
        return self._read(claimed, times)

    def _new(self, worker: str, most: int, block: int | None) -> list[Handed]:
        answer = cast("Any", self._redis.xreadgroup(_GROUP, worker, {_NAME: ">"}, count=most, block=block))
        return self._read(answer[0][1], {}) if answer else []

    def _read(self, messages: _Messages, times: dict[bytes, int]) -> list[Handed]:
        """Return what messages say; one that says nothing to us is put aside, and no worker is handed it again."""
        found: list[Handed] = []
        for key, content in messages:
            said = (content or {}).get(_FIELD.encode(), b"")
            try:
                found.append(Handed(key.decode(), Notice.decoded(said), times.get(key, 1)))
            except InvalidInput:
                if content:  # else it was dropped from the stream while a worker had it
                    self._redis.xadd(_REFUSED, cast("Any", content), maxlen=_MOST_REFUSED, approximate=True)
                self._drop([key.decode()])
        return found

    def _drop(self, keys: Sequence[str]) -> None:
        with _told(), self._redis.pipeline() as pipeline:
            pipeline.xack(_NAME, _GROUP, *keys)
            pipeline.xdel(_NAME, *keys)
            pipeline.execute()


def _connected(url: str) -> Redis:
    try:
        from redis import Redis
    except ImportError as error:
        raise MissingExtra("redis", "scale") from error
    try:
        return Redis.from_url(url, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S)
    except ValueError as error:
        remedy = "Give one such as redis://localhost:6379/0."
        raise NotConfigured("REDIS_URL", None, "it is no URL of a Redis server", remedy=remedy) from error


@contextmanager
def _told() -> Iterator[None]:
    """Tell what a server refuses in our own words; none of them holds the URL."""
    from redis.exceptions import RedisError

    try:
        yield
    except RedisError as error:
        raise StoreError(f"Redis does not do what it is asked ({type(error).__name__})", remedy=_REMEDY) from error
