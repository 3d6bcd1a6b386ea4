"""Threads that are committed together: none waits for one that ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from watthour.store.together import Together, _Part

if TYPE_CHECKING:
    from collections.abc import Iterator


class Disk:
    @contextmanager
    def writing(self) -> Iterator[None]:
        yield


def raising(error: BaseException) -> _Part:
    def write(_connection: object) -> int:
        raise error

    return _Part(write)


def test_who_waits_behind_a_thread_that_is_ended_is_told() -> None:
    disk: Any = Disk()
    parts = [raising(ValueError("odd")), raising(KeyboardInterrupt()), _Part(lambda _connection: 1)]
    with pytest.raises(KeyboardInterrupt):
        Together(disk)._commit(parts)
    assert [type(each.n_new.exception(timeout=0)) for each in parts] == [
        ValueError,
        KeyboardInterrupt,
        KeyboardInterrupt,
    ]
