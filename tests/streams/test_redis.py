"""What is particular to Redis: workers and servers that are killed, other programs, and faults told with a cure."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from processes import take_until_killed
from redis import Redis
from streams.redis_server import RedisServer

from watthour.core.errors import NotConfigured, StoreError
from watthour.core.notice import Notice
from watthour.core.window import HOUR, Window
from watthour.streams.redis import RedisStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOTICES = [
    Notice("home.flat.power", Window(START + hour * HOUR, START + (hour + 1) * HOUR)) for hour in range(20)
]  # as Redis keeps them: one by one


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path)
    made.start()
    yield made
    made.kill()


def test_what_a_killed_worker_had_is_done_by_another(server: RedisServer, fresh: ForkServerContext) -> None:
    stream = RedisStream(server.url, patience_s=0.2)
    stream.add(NOTICES)
    heard, said = fresh.Pipe(duplex=False)
    worker = fresh.Process(target=take_until_killed, args=(server.url, said))
    worker.start()
    assert heard.poll(60)
    assert heard.recv() == 15
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(20)
    time.sleep(0.3)
    done: list[Notice] = []
    while handed := stream.take("other", most=4):
        done += [each.notice for each in handed]
        stream.done(handed)
    assert sorted(done, key=NOTICES.index) == NOTICES[5:]
    assert stream.waiting() == 0


def test_a_killed_server_has_all_that_it_acknowledged_and_is_found_again(server: RedisServer) -> None:
    stream = RedisStream(server.url, patience_s=0.2)
    stream.add(NOTICES)
    stream.done(stream.take("a", most=3))
    server.kill()
    with pytest.raises(StoreError, match=r"ConnectionError.*Check REDIS_URL"):
        stream.take("a", most=1)
    with pytest.raises(StoreError, match="Check REDIS_URL"):
        stream.add(NOTICES[:1])
    server.start()
    assert [each.notice for each in stream.take("a", most=50)] == NOTICES[3:]


def test_a_database_that_was_emptied_begins_anew(server: RedisServer) -> None:
    stream = RedisStream(server.url)
    stream.add(NOTICES[:2])
    with Redis.from_url(server.url) as other:
        other.flushall()
    assert stream.take("a", most=1) == []
    stream.add(NOTICES[:1])
    assert [each.notice for each in stream.take("a", most=1)] == NOTICES[:1]


@pytest.mark.parametrize("said", [{"notice": "{"}, {"notice": '{"channel": "x"}'}, {"other": "1"}], ids=str)
def test_what_others_write_into_the_stream_is_put_aside_and_holds_nobody_up(
    server: RedisServer, said: dict[str, str]
) -> None:
    stream = RedisStream(server.url)
    with Redis.from_url(server.url, decode_responses=True) as other:
        other.xadd("watthour:readings", said)
        stream.add(NOTICES[:1])
        assert [each.notice for each in stream.take("a", most=5)] == NOTICES[:1]
        assert stream.waiting() == 1
        assert [content for _, content in other.xrange("watthour:readings:refused")] == [said]


def test_a_key_of_another_kind_is_an_error_with_a_cure(server: RedisServer) -> None:
    with Redis.from_url(server.url) as other:
        other.set("watthour:readings", "taken")
    with pytest.raises(StoreError, match="Check REDIS_URL"):
        RedisStream(server.url)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://localhost:secret"])
def test_what_is_no_url_of_a_server_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(NotConfigured, match=r"REDIS_URL.*redis://localhost:6379/0") as refused:
        RedisStream(url)
    assert "secret" not in f"{refused.value}"


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(StoreError, match="Check REDIS_URL") as refused:
        RedisStream("redis://:hunter2@127.0.0.1:1/0")
    assert "hunter2" not in f"{refused.value}"
