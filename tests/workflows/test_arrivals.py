"""A feed that slips by an hour, from the store to the words a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from watthour.core.frames import Forecasts, Readings
from watthour.core.ports import Delivery
from watthour.core.window import DAY, Window
from watthour.grid.regions import Regions
from watthour.simulation.simtown import DEMAND, SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.store.memory import MemoryStore
from watthour.workflows import view
from watthour.workflows.arrivals import after_import, arrivals
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Channel

NOW = datetime(2024, 10, 7, 12, 20, tzinfo=UTC)
FROM = datetime(2024, 9, 20, 4, tzinfo=UTC)  # midnight in Simtown


@dataclass(frozen=True)
class Town(SimulatedRegion):
    """Simtown's load and its operator; from a day on the load comes an hour late."""

    is_late: bool = False

    def channels(self) -> Sequence[Channel]:
        return (DEMAND,)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        told = super().fetch(window, now=now, watched_from=watched_from)
        before = pl.col("value").shift(1).over("channel", order_by="time")
        late = pl.when((pl.col("time") >= FROM) & self.is_late).then(before).otherwise("value")
        ours = [rows.filter(channel=DEMAND.id) for rows in (told.readings, told.forecasts)]
        return Delivery(Readings.cast(ours[0].with_columns(value=late)), Forecasts.cast(ours[1]), told.refused)


def store_of(*, is_late: bool) -> MemoryStore:
    store = MemoryStore()
    ingest(Town(is_late=is_late), store, Window(NOW - 100 * DAY, NOW), now=NOW)
    return store


@pytest.fixture(scope="module")
def late() -> MemoryStore:
    return store_of(is_late=True)


def test_an_honest_feed_is_not_spoken_of() -> None:
    assert arrivals(store_of(is_late=False), SIMTOWN) == []


def test_a_load_that_slipped_by_an_hour_is_told_with_its_day_and_a_cure(late: MemoryStore) -> None:
    (found,) = arrivals(late, SIMTOWN)
    assert (found.first, found.last) == (date(2024, 9, 20), None)
    assert found.words.startswith("since 2024-09-20, the values of the readings come about an hour later than before")
    assert "--named-by end" in found.cure


def test_the_status_shows_it_and_no_value_is_changed(late: MemoryStore) -> None:
    window = Window(FROM, FROM + DAY)
    kept = late.read([DEMAND.id], window)
    (shown,) = view.arrival_findings(late, [SIMTOWN])
    assert (shown["fault"], shown["side"], shown["first_day"]) == ("shift", "readings", "2024-09-20")
    assert str(shown["words"]).startswith("Since 2024-09-20, the values")
    assert str(shown["words"]).endswith("of the difference between the two.")
    assert late.read([DEMAND.id], window).equals(kept)


def test_an_import_answers_with_it(late: MemoryStore) -> None:
    (words,) = after_import(late, [Regions()], SIMTOWN.site.id)
    assert words.startswith(f"{DEMAND.id}: since 2024-09-20")
    assert after_import(late, [Regions()], "elsewhere") == []


def test_a_site_without_readings_has_nothing_to_find() -> None:
    assert arrivals(MemoryStore(), SIMTOWN) == []
