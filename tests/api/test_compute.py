from __future__ import annotations

import asyncio
import itertools
import threading
from typing import TYPE_CHECKING

import pytest
from loops import run_apart

from watthour.api.compute import Compute, Limits, Warm
from watthour.api.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def compute() -> Iterator[Compute]:
    made = Compute(Limits(timeout_s=0.05, workers=2, waiting=3))
    yield made
    made.close()


def test_work_runs_beside_the_event_loop(compute: Compute) -> None:
    async def ask() -> str:
        return await compute.run(lambda: threading.current_thread().name)

    assert run_apart(ask()).startswith("watthour-api")


def test_work_that_takes_too_long_is_a_504_that_invites_again(compute: Compute) -> None:
    release = threading.Event()

    async def ask() -> Refusal:
        try:
            with pytest.raises(Refusal) as refused:
                await compute.run(lambda: release.wait(5))
            return refused.value
        finally:
            release.set()

    refusal = run_apart(ask())
    assert refusal.problem.status == 504
    assert "Retry-After" in refusal.headers


def test_who_waits_for_room_begins_when_something_has_ended(compute: Compute) -> None:
    release, order = threading.Event(), []

    async def patient() -> None:
        await compute.room()
        order.append("begun")
        await compute.run(lambda: None, timeout_s=5)

    async def ask() -> None:
        await compute.room()  # at once
        waiting = [compute.start(lambda: release.wait(5)) for _ in range(3)]
        others = [asyncio.create_task(patient()) for _ in range(3)]
        await asyncio.sleep(0.02)
        order.append("released")
        release.set()
        await asyncio.gather(*waiting, *others)

    run_apart(ask())
    assert order == ["released", "begun", "begun", "begun"]


def test_too_many_waiting_are_turned_away_with_503(compute: Compute) -> None:
    release = threading.Event()

    async def ask() -> Refusal:
        waiting = [compute.start(lambda: release.wait(5)) for _ in range(3)]
        try:
            with pytest.raises(Refusal) as refused:
                compute.start(lambda: None)
            return refused.value
        finally:
            release.set()
            await asyncio.gather(*waiting)

    assert run_apart(ask()).problem.status == 503


@pytest.mark.parametrize("is_freed", [True, False])
def test_who_has_patience_is_turned_away_only_where_there_is_no_room_in_time(
    compute: Compute, *, is_freed: bool
) -> None:
    release = threading.Event()

    async def ask() -> list[str | BaseException]:
        waiting = [compute.start(lambda: release.wait(5)) for _ in range(3)]
        patience_s = 5 if is_freed else 0.02
        asked = [asyncio.create_task(compute.run(lambda: "done", timeout_s=5, patience_s=patience_s)) for _ in range(6)]
        await asyncio.sleep(0.1)
        release.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await asyncio.gather(*waiting)
        return answers

    answers = run_apart(ask())
    if is_freed:
        assert answers == ["done"] * 6
    else:
        assert [each.problem.status for each in answers if isinstance(each, Refusal)] == [503] * 6


def test_an_error_in_a_thread_reaches_the_caller(compute: Compute) -> None:
    async def ask() -> None:
        await compute.run(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run_apart(ask())


def test_a_stop_iteration_in_a_thread_is_an_error_and_takes_no_room(compute: Compute) -> None:
    async def ask() -> str:
        for _ in range(5):  # three may wait
            with pytest.raises(RuntimeError, match="StopIteration"):
                await compute.run(lambda: next(iter(())), timeout_s=5)
        return await compute.run(lambda: "good", timeout_s=5)

    assert run_apart(ask()) == "good"


def test_a_kept_answer_is_not_made_again_until_it_expires(compute: Compute) -> None:
    clock = [0.0]
    numbers = itertools.count(1)

    async def ask() -> list[int]:
        warm = Warm(compute, clock=lambda: clock[0])
        answers = []
        for at in (0.0, 9.0, 10.0):
            clock[0] = at
            answers.append(await warm.get("key", lambda: next(numbers), lifetime_s=10))
        return answers

    assert run_apart(ask()) == [1, 1, 2]


def test_callers_who_ask_at_once_share_one_computation(compute: Compute) -> None:
    numbers = itertools.count(1)

    async def ask() -> list[int]:
        warm = Warm(compute)
        return await asyncio.gather(*(warm.get("key", lambda: next(numbers), lifetime_s=10) for _ in range(20)))

    assert run_apart(ask()) == [1] * 20


def test_an_answer_that_came_too_late_is_kept_for_the_next_caller(compute: Compute) -> None:
    release = threading.Event()

    async def ask() -> bool:
        warm = Warm(compute)
        with pytest.raises(Refusal):
            await warm.get("key", lambda: release.wait(5), lifetime_s=60)
        release.set()
        await asyncio.sleep(0.05)
        return await warm.get("key", lambda: pytest.fail("made again"), lifetime_s=60)

    assert run_apart(ask()) is True


def test_an_answer_begun_before_a_drop_is_not_kept(compute: Compute) -> None:
    release = threading.Event()

    async def ask() -> str:
        warm = Warm(compute)
        first = asyncio.ensure_future(warm.get("key", lambda: (release.wait(5), "old")[1], lifetime_s=60))
        await asyncio.sleep(0)
        warm.drop()
        release.set()
        assert await first == "old"
        return await warm.get("key", lambda: "new", lifetime_s=60)

    assert run_apart(ask()) == "new"


def test_a_failure_is_not_kept(compute: Compute) -> None:
    async def ask() -> str:
        warm = Warm(compute)
        with pytest.raises(ZeroDivisionError):
            await warm.get("key", lambda: str(1 / 0), lifetime_s=60)
        return await warm.get("key", lambda: "good", lifetime_s=60)

    assert run_apart(ask()) == "good"


def test_only_so_many_answers_are_kept(compute: Compute) -> None:
    async def ask() -> int:
        warm = Warm(compute, most=2)
        for key in range(5):
            await warm.get(key, lambda: None, lifetime_s=60)
        await asyncio.sleep(0)
        return len(warm._kept)

    assert run_apart(ask()) == 2


def test_an_answer_made_from_another_state_is_dropped_and_each_outcome_counted(compute: Compute) -> None:
    told: list[str] = []
    numbers = itertools.count(1)
    clock = [0.0]

    async def ask() -> list[int]:
        warm = Warm(compute, clock=lambda: clock[0], count=lambda name, outcome: told.append(f"{name} {outcome}"))
        states = ("old", "old", "new", "new")
        answers = [
            await warm.get("key", lambda: next(numbers), lifetime_s=10, state=each, name="ahead") for each in states
        ]
        clock[0] = 11.0
        answers.append(await warm.get("key", lambda: next(numbers), lifetime_s=10, state="new", name="ahead"))
        warm.drop()
        await warm.get("uncounted", lambda: 0, lifetime_s=10)
        return answers

    assert run_apart(ask()) == [1, 1, 2, 2, 3]
    assert told == [
        "ahead miss",
        "ahead hit",
        "ahead dropped",
        "ahead miss",
        "ahead hit",
        "ahead dropped",
        "ahead miss",
        "ahead dropped",
    ]


def test_an_answer_that_is_made_from_an_old_state_is_not_given_to_who_knows_of_a_new_one(compute: Compute) -> None:
    release = threading.Event()

    async def ask() -> tuple[str, str]:
        warm = Warm(compute)
        old = asyncio.ensure_future(
            warm.get("key", lambda: (release.wait(5), "old")[1], lifetime_s=60, state=1)  # still at work
        )
        await asyncio.sleep(0)
        new = await warm.get("key", lambda: "new", lifetime_s=60, state=2)
        release.set()
        await asyncio.wait({old})
        return new, await warm.get("key", lambda: "newest", lifetime_s=60, state=2)

    assert run_apart(ask())[0] == "new"


def test_queued_work_is_taken_back_when_its_callers_time_is_over() -> None:
    compute = Compute(Limits(timeout_s=0.05, workers=1, waiting=3))
    release, done = threading.Event(), []

    async def ask() -> None:
        compute.start(lambda: release.wait(5))
        try:
            with pytest.raises(Refusal):
                await compute.run(lambda: done.append("too late"))
        finally:
            release.set()
        await compute.run(lambda: done.append("in time"), timeout_s=5)

    run_apart(ask())
    compute.close()
    assert done == ["in time"]
