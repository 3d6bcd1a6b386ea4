"""Clock times and lengths of time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watthour.core.errors import InvalidInput
from watthour.workflows.asked_times import duration_of, moment

NEW_YORK = "America/New_York"
NOON = datetime(2026, 11, 21, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("3h", 180), ("90min", 90), ("90m", 90), ("1h30", 90), ("1h 30min", 90), ("0:45", 45), ("2.5h", 150)],
)
def test_a_length_of_time_is_read_as_people_write_it(text: str, minutes: int) -> None:
    assert duration_of(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "3",
        "0h",
        "-1h",
        "97h",
        "three hours",
        "nan",
        "1h-30",
        "1h90",
        "1h 60min",
        "02:60",
        "\u0663h",
        "\uff11:30",
    ],
)
def test_what_is_no_length_is_refused_with_examples_that_work(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        duration_of(text)
    assert refused.value.field == "duration"
    assert [duration_of(each) for each in ("3h", "90min", "1h30")] == [
        timedelta(hours=3),
        timedelta(minutes=90),
        timedelta(minutes=90),
    ]
    assert "3h, 90min or 1h30" in refused.value.remedy


def test_a_clock_time_is_the_next_time_it_is_so_late() -> None:
    assert moment("deadline", "13:00", NEW_YORK, NOON) == datetime(2026, 11, 21, 18, tzinfo=UTC)
    assert moment("deadline", "07:00", NEW_YORK, NOON) == datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_an_instant_without_an_offset_is_local() -> None:
    assert moment("deadline", "2026-11-22T07:00", NEW_YORK, NOON) == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert moment("deadline", "2026-11-22T07:00Z", NEW_YORK, NOON) == datetime(2026, 11, 22, 7, tzinfo=UTC)
    assert moment("deadline", None, NEW_YORK, NOON) is None


def test_clock_changes_have_one_answer_each() -> None:
    spring = datetime(2026, 3, 8, 3, tzinfo=UTC)  # 22:00 on the eve of the change
    autumn = datetime(2026, 11, 1, 2, tzinfo=UTC)

    assert moment("deadline", "02:30", NEW_YORK, spring) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)  # it is skipped
    assert moment("deadline", "01:30", NEW_YORK, autumn) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # the first


@pytest.mark.parametrize(
    "text",
    [
        *("25:00", "soon", "2026-13-01", "07", "\u0660\u0667:\u0660\u0660"),
        *("0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "9999-12-31T23:59"),
    ],
)
def test_what_is_no_time_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(InvalidInput, match="no time") as refused:
        moment("--deadline", text, NEW_YORK, NOON)
    assert refused.value.field == "--deadline"
    assert moment("--deadline", "07:00", NEW_YORK, NOON) is not None
