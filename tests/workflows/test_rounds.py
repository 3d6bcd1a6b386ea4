"""What `watthour up` does again and again, without its clock."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
import street
from builders import demand_channel, readings, region_site

from watthour.core.channel import Limits
from watthour.core.errors import NotEnoughHistory, SourceUnavailable
from watthour.core.frames import Readings
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.sources.elia import contexts
from watthour.store.memory import MemoryStore
from watthour.workflows.asking import fill
from watthour.workflows.rounds import (
    FIRST_PAST,
    SIMULATED_PAST,
    first_window,
    followed,
    homes_training_is_due,
    issue,
    last_begun,
    note_failure,
    note_recovery,
    own_rounds,
    pasts,
    prepare,
    retrain,
    training_is_due,
)
from watthour.workflows.sites import contexts as own_sites

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
    assert first_window(SIMTOWN, NOW) == Window(NOW - SIMULATED_PAST, NOW)


def test_a_past_that_is_there_is_not_asked_for_again() -> None:
    store, source = MemoryStore(), SimulatedRegion()
    window = Window(NOW - timedelta(days=100), NOW)
    told = list(fill([source], store, window, clock=lambda: NOW))
    assert all(filled.report is not None for filled in told)
    assert list(fill([source], store, window, clock=lambda: NOW)) == []
    (past,) = pasts([source], store, SIMTOWN, NOW)
    assert past.holes == (Window(NOW - SIMULATED_PAST, NOW - timedelta(days=100)),)


def test_filling_tells_each_piece_of_each_source_newest_first() -> None:
    window = Window(NOW - timedelta(days=100), NOW)
    told = list(fill([SimulatedRegion()], MemoryStore(), window, clock=lambda: NOW))
    assert {filled.source for filled in told} == {"simulation:simtown"}
    assert [filled.window.start for filled in told] == sorted((filled.window.start for filled in told), reverse=True)
    assert (told[0].window.end, told[-1].window.start) == (window.end, window.start)


def test_a_site_is_filled_refreshed_trained_and_refreshed_again(registry: FileRegistry) -> None:
    steps: list[str] = []
    prepare(
        MemoryStore(),
        registry,
        SIMTOWN,
        clock=lambda: NOW,
        fill_past=lambda: steps.append("fill"),
        refresh=lambda: steps.append("refresh"),
        train_first=lambda: steps.append("train"),
    )
    assert steps == ["fill", "refresh", "train", "refresh"]


def test_a_first_training_that_failed_is_not_repeated_every_hour(registry: FileRegistry) -> None:
    store, tried, source = MemoryStore(), list[datetime](), SimulatedRegion()

    def prepared(now: datetime, fill_past: Callable[[], None] = lambda: None) -> None:
        def train_first() -> None:
            tried.append(now)
            trained_at(store, SIMTOWN.channel.id, now, RunState.FAILED)

        def refresh() -> None:
            list(fill([source], store, Window(now - 2 * DAY, now), clock=lambda: now))

        prepare(
            store, registry, SIMTOWN, clock=lambda: now, fill_past=fill_past, refresh=refresh, train_first=train_first
        )

    for hours in (0, 1, 23):  # what is new each hour does not make it enough
        prepared(NOW + hours * HOUR)
    assert tried == [NOW]
    older = Window(NOW - 9 * DAY, NOW - 5 * DAY)
    prepared(NOW + 23.5 * HOUR, lambda: list(fill([source], store, older, clock=lambda: NOW)).clear())
    assert tried == [NOW, NOW + 23.5 * HOUR]
    prepared(NOW + 47 * HOUR)
    assert len(tried) == 2
    prepared(NOW + 48 * HOUR)
    assert len(tried) == 3


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


def trained_at(store: MemoryStore, channel: str, instant: datetime, state: RunState = RunState.OK) -> None:
    store.note_run(SourceRun(f"train:{channel}", instant, instant, Window(instant, instant + DAY), state, 0))


WEEKLY = timedelta(days=7)


def test_a_training_is_due_by_the_last_one_and_not_by_the_start_of_the_process(registry: FileRegistry) -> None:
    store, channel = MemoryStore(), SIMTOWN.channel.id
    assert training_is_due(store, registry, SIMTOWN, now=NOW, every=WEEKLY)
    trained_at(store, channel, NOW)
    assert not training_is_due(store, registry, SIMTOWN, now=NOW + timedelta(days=6), every=WEEKLY)
    assert training_is_due(store, registry, SIMTOWN, now=NOW + WEEKLY, every=WEEKLY)


def test_a_training_that_failed_is_tried_again_the_next_day(registry: FileRegistry) -> None:
    store = MemoryStore()
    trained_at(store, SIMTOWN.channel.id, NOW, RunState.FAILED)
    assert not training_is_due(store, registry, SIMTOWN, now=NOW + DAY / 2, every=WEEKLY)
    assert training_is_due(store, registry, SIMTOWN, now=NOW + DAY, every=WEEKLY)


def test_a_champion_that_cannot_be_read_is_trained_anew_the_next_day(
    store: MemoryStore, registry: FileRegistry, now: datetime, tmp_path: Path
) -> None:
    channel = SIMTOWN.channel.id
    first = retrain(store, registry, SIMTOWN, recipe("persistence_ensemble"), now=now, frozen_days=28, issue_hour=8)
    assert not training_is_due(store, registry, SIMTOWN, now=now + DAY, every=WEEKLY)
    foreign = replace(first.manifest, version="of-another-program", recipe="gradient_boosting", hashes={})
    registry.save(foreign, {"model.json": b"{}"})
    registry.promote(channel, foreign.version, now=now, reason="an older Watthour read it")
    assert not training_is_due(store, registry, SIMTOWN, now=now + DAY / 2, every=WEEKLY)
    assert training_is_due(store, registry, SIMTOWN, now=now + DAY, every=WEEKLY)  # though the first one stands in
    shutil.rmtree(tmp_path / "models" / channel / first.manifest.version)
    assert training_is_due(store, registry, SIMTOWN, now=now + DAY, every=WEEKLY)


def test_training_on_a_price_does_not_advise_to_choose_a_model_that_nobody_chose(
    delivery: Delivery, registry: FileRegistry, now: datetime
) -> None:
    store, said = MemoryStore(), list[str]()
    store.register([SIMTOWN.site], [replace(SIMTOWN.channel, limits=Limits())])
    mine = delivery.readings.filter(pl.col("channel") == SIMTOWN.channel.id)
    store.append(Readings.cast(mine.with_columns(value=pl.col("value") - pl.col("value").mean())))
    found = retrain(
        *(store, registry, SIMTOWN, recipe("persistence_ensemble")),
        now=now,
        frozen_days=28,
        issue_hour=8,
        progress=said.append,
    )
    (words,) = [each for each in said if each.startswith("no model for POST /predict")]
    assert "zero or negative" in words
    assert "Choose" not in words
    assert registry.champion(SIMTOWN.channel.id) == found.manifest.version


def test_a_run_that_a_wrong_clock_put_into_the_future_counts_for_nothing(registry: FileRegistry) -> None:
    store = MemoryStore()
    trained_at(store, SIMTOWN.channel.id, NOW + 400 * DAY)
    assert training_is_due(store, registry, SIMTOWN, now=NOW, every=WEEKLY)
    assert last_begun(store, f"train:{SIMTOWN.channel.id}", now=NOW) is None


def test_a_site_of_ones_own_is_trained_and_forecast_when_readings_were_imported(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    later = now + timedelta(minutes=5)
    wanted = own_rounds(store, registry, SIMTOWN, now=later, every=WEEKLY)
    assert wanted.trains
    assert wanted.forecasts
    trained_at(store, SIMTOWN.channel.id, later)
    issue(store, registry, SIMTOWN, now=later)
    for days in (0, 8):  # nothing new has come
        wanted = own_rounds(store, registry, SIMTOWN, now=later + days * DAY, every=WEEKLY)
        assert not wanted.trains
        assert not wanted.forecasts


def test_an_archive_of_ones_own_is_trained_once_and_never_forecast(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    later = now + 300 * DAY
    wanted = own_rounds(store, registry, SIMTOWN, now=later, every=WEEKLY)
    assert wanted.trains
    assert not wanted.forecasts
    trained_at(store, SIMTOWN.channel.id, later)
    assert not own_rounds(store, registry, SIMTOWN, now=later + 30 * DAY, every=WEEKLY).trains


def test_homes_are_trained_together_each_week_in_which_something_is_new() -> None:
    store = MemoryStore()
    street.add(store, "New", 20)
    homes = own_sites(store, [], [])
    now = street.NOW

    def due(instant: datetime) -> bool:
        return homes_training_is_due(store, homes, now=instant, every=WEEKLY)

    assert not due(now)  # too little is known of it
    street.add(store, "Oak", 126)
    homes = own_sites(store, [], [])
    assert due(now)
    trained_at(store, "homes", now + HOUR)
    assert not due(now + 8 * DAY)  # nothing is new
    later = now + 5 * DAY
    store.append(street.hourly("home.new.power", [0.3], end=later))
    assert not due(later)
    assert due(now + 8 * DAY)
    trained_at(store, "homes", now + 8 * DAY, RunState.FAILED)
    store.append(street.hourly("home.new.power", [0.3], end=now + 8 * DAY + HOUR))
    assert not due(now + 8 * DAY + 2 * HOUR)
    assert due(now + 9 * DAY)


def test_a_file_of_a_home_that_is_still_being_imported_is_not_learned_from() -> None:
    store = MemoryStore()
    street.add(store, "Oak", 126)
    homes = own_sites(store, [], [])
    old = street.hourly("home.oak.power", [0.3], end=street.NOW - 300 * DAY)
    end = street.NOW + 30 * DAY
    store.append(Readings.validate(old.with_columns(recorded_at=pl.lit(end))))
    assert not homes_training_is_due(store, homes, now=end, every=WEEKLY)
    assert homes_training_is_due(store, homes, now=end + timedelta(minutes=2), every=WEEKLY)
