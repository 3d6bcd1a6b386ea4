"""What is particular to the stream in memory."""

from __future__ import annotations

from datetime import UTC, datetime

from watthour.core.notice import Notice
from watthour.core.window import HOUR, Window
from watthour.streams.memory import MemoryStream

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_notices_of_a_channel_are_joined_until_somebody_takes_them() -> None:
    stream = MemoryStream()
    hours = [Window(START + number * HOUR, START + (number + 1) * HOUR) for number in (2, 0, 1)]
    stream.add([Notice("home.flat.power", hour) for hour in hours])
    stream.add([Notice("home.attic.power", hours[0])])
    assert stream.waiting() == 2
    first = stream.take("a", most=1)
    assert [each.notice for each in first] == [Notice("home.flat.power", Window(START, START + 3 * HOUR))]
    stream.add([Notice("home.flat.power", hours[0])])  # it may have come too late for the worker
    assert stream.waiting() == 3
