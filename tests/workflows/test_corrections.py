"""A table that is imported again, mended."""

from __future__ import annotations

from datetime import timedelta

from builders import DEMAND, demand_channel, hour, hours, readings, region_site

from watthour.core.frames import Quality
from watthour.store.memory import MemoryStore
from watthour.workflows.corrections import as_corrections

EVER = hours(-1, 1000)
MICROSECOND = timedelta(microseconds=1)


def filled() -> MemoryStore:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    return store


def bring(store: MemoryStore, value: float, recorded: float) -> int:
    said = readings(value, available_at=hour(3), recorded_at=hour(recorded), quality=Quality.ASSUMED)
    return store.append(as_corrections(said, store))


def test_the_last_import_wins_and_a_backtest_sees_it() -> None:
    store = filled()
    for value, recorded in ((1.0, 100), (1000.0, 200), (1.0, 300)):
        assert bring(store, value, recorded) == 1
        assert bring(store, value, recorded + 1) == 0
        assert store.read([DEMAND], EVER)["value"].to_list() == [value]
        assert store.read([DEMAND], EVER, as_of=hour(4))["value"].to_list() == [value]
    versions = store.versions([DEMAND], EVER)
    assert versions["value"].to_list() == [1.0, 1000.0, 1.0]  # nothing is rewritten
    assert versions["available_at"].to_list() == [hour(3), hour(3) + MICROSECOND, hour(3) + 2 * MICROSECOND]


def test_what_was_observed_stays_known_as_it_was() -> None:
    store = filled()
    store.append(readings(1.0, available_at=hour(4), recorded_at=hour(4)))
    assert bring(store, 2.0, 100) == 1
    assert store.read([DEMAND], EVER, as_of=hour(99))["value"].to_list() == [1.0]
    assert store.read([DEMAND], EVER, as_of=hour(100))["value"].to_list() == [2.0]
