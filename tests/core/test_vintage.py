from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from watthour.core.frames import Quality
from watthour.core.vintage import stamp

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
HOURS = [NOW - timedelta(hours=hours) for hours in (48, 6, 1)]
PUBLISHED = pl.col("time") + timedelta(hours=3)


def stamped(watched_from: datetime | None) -> pl.DataFrame:
    frame = pl.DataFrame({"time": HOURS}, schema={"time": pl.Datetime("us", "UTC")})
    return stamp(frame, PUBLISHED, now=NOW, watched_from=watched_from)


def test_a_backfilled_row_was_known_when_its_source_says() -> None:
    assert stamped(None)["available_at"].to_list() == [
        HOURS[0] + timedelta(hours=3),
        HOURS[1] + timedelta(hours=3),
        NOW,
    ]
    assert (stamped(None)["quality"] == Quality.ASSUMED).all()


def test_a_row_due_while_we_watched_was_known_when_we_saw_it() -> None:
    rows = stamped(watched_from=NOW - timedelta(hours=4))
    assert rows["available_at"].to_list() == [HOURS[0] + timedelta(hours=3), NOW, NOW]
    assert rows["quality"].to_list() == [Quality.ASSUMED, Quality.GOOD, Quality.GOOD]


def test_when_we_wrote_it_is_always_now() -> None:
    assert (stamped(None)["recorded_at"] == NOW).all()
