"""What `watthour up` does again and again, without its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from builders import demand_channel, readings, region_site

from watthour.core.errors import NotEnoughHistory, SourceUnavailable
from watthour.core.ports import RunState
from watthour.core.window import DAY, Window
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.sources.elia import contexts
from watthour.store.memory import MemoryStore
from watthour.workflows.rounds import (
    FIRST_PAST,
    SIMULATED_PAST,
    fill,
    first_window,
    followed,
    issue,
    missing_past,
    note_failure,
    note_recovery,
    prepare,
)

if TYPE_CHECKING:
    from watthour.core.ports import Delivery
    from watthour.registry.files import FileRegistry

NOW = datetime(2024, 7, 10, 16, 20, tzinfo=UTC)
(BELGIUM,) = contexts()


def test_what_can_be_asked_is_followed_and_nothing_invented_beside_it() -> None:
    found = followed([BELGIUM], MemoryStore(), can_follow=lambda _context: True, stand_in=SIMTOWN)
    assert found == [BELGIUM]


def test_while_nothing_can_be_asked_the_stand_in_is_shown_if_one_is_wanted() -> None:
    store = MemoryStore()
    assert followed([BELGIUM], store, can_follow=lambda _context: False, stand_in=SIMTOWN) == [SIMTOWN]
    assert followed([BELGIUM], store, can_follow=lambda _context: False, stand_in=None) == []


def test_beside_real_load_nothing_is_invented() -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(1.0, 2.0))
    assert followed([BELGIUM], store, can_follow=lambda _context: False, stand_in=SIMTOWN) == []


def test_a_followed_site_begins_with_a_past() -> None:
    assert first_window(BELGIUM, NOW) == Window(NOW - FIRST_PAST, NOW)
    assert missing_past(MemoryStore(), SIMTOWN, NOW) == Window(NOW - SIMULATED_PAST, NOW)


def test_a_past_that_is_there_is_not_asked_for_again() -> None:
    store = MemoryStore()
    source = SimulatedRegion()
    for filled in fill([source], store, Window(NOW - SIMULATED_PAST, NOW - SIMULATED_PAST + DAY), clock=lambda: NOW):
        assert filled.report.new_rows > 0
    assert missing_past(store, SIMTOWN, NOW) is None


def test_filling_tells_each_piece_and_each_source() -> None:
    told: list[tuple[str, int]] = []
    window = Window(NOW - timedelta(days=100), NOW)
    done = [
        filled.source
        for filled in fill(
            [SimulatedRegion()],
            MemoryStore(),
            window,
            clock=lambda: NOW,
            progress=lambda source, piece: told.append((source, (piece.end - piece.start).days)),
        )
    ]
    assert told == [("simulation:simtown", 92), ("simulation:simtown", 8)]
    assert done == ["simulation:simtown"]


def test_a_site_is_filled_refreshed_trained_and_refreshed_again(registry: FileRegistry) -> None:
    steps: list[str] = []
    prepare(
        MemoryStore(),
        registry,
        SIMTOWN,
        now=NOW,
        fill_past=lambda window: steps.append(f"fill {(window.end - window.start).days}"),
        refresh=lambda: steps.append("refresh"),
        train_first=lambda: steps.append("train"),
    )
    assert steps == ["fill 400", "refresh", "train", "refresh"]


def test_a_site_whose_load_keeps_coming_is_forecast(
    store: MemoryStore, registry: FileRegistry, now: datetime, delivery: Delivery
) -> None:
    assert delivery.refused.is_empty()
    assert issue(store, registry, SIMTOWN, now=now).new_rows > 0
    with pytest.raises(NotEnoughHistory, match="too old"):
        issue(store, registry, SIMTOWN, now=now + 60 * DAY)


def test_a_failure_is_noted_and_ended_once() -> None:
    store = MemoryStore()
    note_recovery(store, "score:x", now=NOW)
    assert store.runs() == []
    note_failure(store, "score:x", SourceUnavailable("eia", "it is down", remedy="Ask later."), now=NOW)
    note_recovery(store, "score:x", now=NOW + DAY)
    note_recovery(store, "score:x", now=NOW + 2 * DAY)
    assert [run.state for run in store.runs("score:x")] == [RunState.OK, RunState.FAILED]
