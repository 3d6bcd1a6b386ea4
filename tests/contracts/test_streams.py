"""What every stream of notices promises to those who bring readings and to the workers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from streams.redis_server import RedisServer

from watthour.core.notice import Notice
from watthour.core.window import HOUR, Window
from watthour.streams.memory import MemoryStream
from watthour.streams.redis import RedisStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watthour.core.ports import Stream

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
PATIENCE_S = 0.3


def notice(number: int = 0, channel: str = "") -> Notice:
    start = START + number * HOUR
    return Notice(channel or f"home.flat{number}.power", Window(start, start + HOUR))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(params=["memory", "redis"])
def open_stream(request: pytest.FixtureRequest) -> Iterator[Callable[[], Stream]]:
    """Open the stream as each process does that shares it."""
    opened: list[Stream] = []
    memory = MemoryStream(patience_s=PATIENCE_S)

    def start() -> Stream:
        if request.param == "memory":
            return memory
        opened.append(RedisStream(request.getfixturevalue("server").url, patience_s=PATIENCE_S))
        return opened[-1]

    if request.param == "redis":
        with Redis.from_url(request.getfixturevalue("server").url) as emptied:
            emptied.flushall()
    yield start
    for each in opened:
        each.close()


@pytest.fixture
def stream(open_stream: Callable[[], Stream]) -> Stream:
    return open_stream()


def test_notices_are_handed_out_in_the_order_in_which_they_came(stream: Stream) -> None:
    stream.add([notice(0), notice(1)])
    stream.add([notice(2)])
    assert stream.waiting() == 3
    first = stream.take("a", most=2)
    assert [each.notice for each in first] == [notice(0), notice(1)]
    assert [each.times for each in first] == [1, 1]
    assert [each.notice for each in stream.take("b", most=2)] == [notice(2)]
    assert stream.take("b", most=2) == []
    assert stream.waiting() == 3


def test_what_is_done_is_gone_and_may_be_reported_twice(stream: Stream) -> None:
    stream.add([notice(0), notice(1)])
    handed = stream.take("a", most=5)
    stream.done(handed[:1])
    assert stream.waiting() == 1
    stream.done(handed)
    stream.done(handed)
    stream.done([])
    assert stream.waiting() == 0
    time.sleep(1.2 * PATIENCE_S)
    assert stream.take("a", most=5) == []


def test_what_a_worker_left_is_handed_to_another_one_and_counted(open_stream: Callable[[], Stream]) -> None:
    stream, other = open_stream(), open_stream()
    stream.add([notice(0), notice(1)])
    assert len(stream.take("gone", most=5)) == 2
    assert other.take("b", most=5) == []  # it may still be at work
    time.sleep(1.2 * PATIENCE_S)
    stream.add([notice(2)])
    again = other.take("b", most=3)
    assert [(each.notice, each.times) for each in again] == [(notice(0), 2), (notice(1), 2), (notice(2), 1)]
    time.sleep(1.2 * PATIENCE_S)
    assert [each.times for each in stream.take("c", most=2)] == [3, 3]


def test_no_more_are_handed_out_than_asked_for(stream: Stream) -> None:
    stream.add([notice(number) for number in range(5)])
    assert len(stream.take("a", most=3)) == 3
    time.sleep(1.2 * PATIENCE_S)
    assert [each.times for each in stream.take("b", most=4)] == [2, 2, 2, 1]


def test_a_worker_waits_for_what_comes(stream: Stream) -> None:
    begun = time.monotonic()
    assert stream.take("a", most=1, wait_s=0.2) == []
    assert time.monotonic() - begun >= 0.15
    late = threading.Timer(0.2, stream.add, ([notice(7)],))
    late.start()
    try:
        assert [each.notice for each in stream.take("a", most=1, wait_s=2.0)] == [notice(7)]
    finally:
        late.join()


def test_workers_side_by_side_share_the_work_and_nothing_is_left(open_stream: Callable[[], Stream]) -> None:
    notices = [notice(number) for number in range(60)]

    def work(name: str) -> list[Notice]:
        stream, found = open_stream(), []
        while handed := stream.take(name, most=4, wait_s=0.05):
            found += [each.notice for each in handed]
            stream.done(handed)
        return found

    stream = open_stream()
    stream.add(notices)
    with ThreadPoolExecutor(3) as workers:
        shares = list(workers.map(work, "abc"))
    done = [each for share in shares for each in share]
    assert set(done) == set(notices)
    assert stream.waiting() == 0


def test_a_window_of_local_times_is_told_in_utc_and_read_back(stream: Stream) -> None:
    from zoneinfo import ZoneInfo

    start = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    told = Notice("home.flat.power", Window(start, start.astimezone(UTC) + HOUR))
    stream.add([told])
    (handed,) = stream.take("a", most=1)
    assert handed.notice.window.start == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
