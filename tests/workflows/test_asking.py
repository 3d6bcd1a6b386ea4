"""Sources asked side by side: whatever one of them does, its neighbours go on."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import polars as pl
import pytest

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput, PayloadChanged, SourceUnavailable, StoreFull
from watthour.core.frames import Forecasts, Readings, Refused
from watthour.core.place import Place
from watthour.core.ports import Delivery, RunState
from watthour.core.units import Quantity, Unit
from watthour.core.vintage import stamp
from watthour.core.window import DAY, HOUR, Window
from watthour.store.memory import MemoryStore
from watthour.workflows.asking import Filled, Workers, fill, poll
from watthour.workflows.ingest import ingest
from watthour.workflows.runs import fill_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOW = datetime(2024, 7, 10, 12, tzinfo=UTC)
PAST = Window(NOW - 400 * DAY, NOW)


def nothing(_window: Window) -> None:
    """Let the answer come."""


@dataclass
class Meter:
    """A source that measures a one every six hours, unless a test puts something in its way."""

    name: str = "meter"
    meddle: Callable[[Window], object] = nothing  # raises, or waits
    since: datetime = NOW - 10_000 * DAY  # it has nothing older
    asked: list[Window] = field(default_factory=list)

    def sites(self) -> Sequence[Site]:
        return (Site("test", "Test", SiteKind.REGION, Place("UTC")),)

    def channels(self) -> Sequence[Channel]:
        return (Channel(f"grid.test.{self.name}", "test", Quantity.ENERGY, Unit.MWH, HOUR),)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        self.asked.append(window)
        self.meddle(window)
        times = pl.datetime_range(window.start, window.end, "6h", closed="left", eager=True, time_zone="UTC")
        times = times.dt.round("1h").alias("time")
        frame = pl.DataFrame({"time": times}).with_columns(channel=pl.lit(f"grid.test.{self.name}"), value=1.0)
        frame = frame.filter(pl.col("time") < now, pl.col("time") >= self.since).cast(
            {"time": pl.Datetime("us", "UTC")}
        )
        stamped = stamp(frame, pl.col("time") + HOUR, now=now, watched_from=watched_from)
        return Delivery(
            Readings.validate(stamped.select(Readings.column_names())), Forecasts.create_empty(), Refused.create_empty()
        )


def raising(error: Exception) -> Callable[[Window], None]:
    def meddle(_window: Window) -> None:
        raise error

    return meddle


STRANGE = [
    RecursionError("maximum recursion depth exceeded"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    BadZipFile("File is not a zip file"),
    zlib.error("Error -3 while decompressing data"),
    KeyError("period\udcff"),
    ZeroDivisionError(),
]


@pytest.mark.parametrize("error", STRANGE, ids=lambda error: type(error).__name__)
def test_whatever_reading_an_answer_raises_ends_that_source_alone_and_is_in_the_log(error: Exception) -> None:
    store = MemoryStore()
    ill, well = poll([Meter("ill", raising(error)), Meter("well")], store, now=NOW)
    assert isinstance(ill.error, PayloadChanged)
    assert type(error).__name__ in str(ill.error)
    assert well.report is not None
    assert well.report.new_rows > 0
    (run,) = store.runs("ill")
    assert run.state is RunState.FAILED
    assert run.problem is not None
    assert run.problem.encode()  # can be kept and shown


def test_what_a_person_can_mend_keeps_its_own_words() -> None:
    store = MemoryStore()
    error = InvalidInput("file", "x.csv", "it has no column of time", remedy="Name it.")
    with pytest.raises(InvalidInput, match="no column of time"):
        ingest(Meter(meddle=raising(error)), store, Window(NOW - DAY, NOW), now=NOW)
    (polled,) = poll([Meter(meddle=raising(error))], store, now=NOW)
    assert polled.error is error


def test_too_little_memory_is_no_fault_of_the_answer() -> None:
    store = MemoryStore()
    with pytest.raises(MemoryError):
        ingest(Meter(meddle=raising(MemoryError())), store, Window(NOW - DAY, NOW), now=NOW)
    assert store.runs("meter")[0].state is RunState.FAILED


def test_a_store_that_is_full_ends_the_round() -> None:
    full = StoreFull("no space is left", remedy="Free some.")
    with pytest.raises(StoreFull):
        poll([Meter(meddle=raising(full))], MemoryStore(), now=NOW)


def test_a_source_that_does_not_end_holds_nobody_and_is_not_asked_twice_at_once() -> None:
    store, go_on, workers = MemoryStore(), Event(), Workers()
    slow, well = Meter("slow", lambda _window: go_on.wait(30)), Meter("well")
    late, quick = poll([slow, well], store, now=NOW, workers=workers, budget_s=0.2)
    assert isinstance(late.error, SourceUnavailable)
    assert quick.report is not None
    assert [run.state for run in store.runs("slow")] == [RunState.FAILED]
    again, _ = poll([slow, well], store, now=NOW + HOUR, workers=workers, budget_s=0.2)
    assert "earlier request" in str(again.error)
    assert len(slow.asked) == 1
    go_on.set()
    workers._asking["slow"].result(30)
    healed, _ = poll([slow, well], store, now=NOW + 2 * HOUR, workers=workers)
    assert healed.report is not None


def test_a_run_is_in_the_log_from_its_beginning() -> None:
    store = MemoryStore()
    seen: list[RunState] = []
    ingest(Meter(meddle=lambda _window: seen.append(store.runs("meter")[0].state)), store, PAST, now=NOW)
    assert seen == [RunState.RUNNING]
    assert [run.state for run in store.runs("meter")] == [RunState.OK]


def filled(store: MemoryStore, *sources: Meter, now: datetime = NOW) -> list[Filled]:
    return list(fill(sources, store, PAST, clock=lambda: now))


def test_a_fill_that_was_stopped_goes_on_where_it_was_newest_first() -> None:
    store, source = MemoryStore(), Meter()
    stopped = fill([source], store, PAST, clock=lambda: NOW, is_stopping=lambda: len(source.asked) > 2)
    assert len(list(stopped)) == 3
    done = list(source.asked)
    assert done == sorted(done, key=lambda window: window.start, reverse=True)
    filled(store, source)
    assert not set(done) & set(source.asked[len(done) :])
    assert fill_of("meter", store, PAST, now=NOW).holes == ()
    assert filled(store, source) == []


def test_one_failure_in_a_fill_is_made_good_at_the_next_round() -> None:
    store = MemoryStore()
    down = SourceUnavailable("meter", "answered 500", remedy="Ask again later.")
    sick = NOW - 200 * DAY

    def meddle(window: Window) -> None:
        if sick in window:
            raise down

    source, neighbour = Meter(meddle=meddle), Meter("neighbour")
    told = filled(store, source, neighbour)
    assert [each.error for each in told if each.error is not None] == [down]
    assert fill_of("neighbour", store, PAST, now=NOW).holes == ()
    (hole,) = fill_of("meter", store, PAST, now=NOW).holes
    assert sick in hole
    assert hole.end - hole.start < timedelta(days=93)
    source.meddle, source.asked = nothing, []
    filled(store, source, neighbour, now=NOW + HOUR)
    assert source.asked == [hole]
    assert fill_of("meter", store, PAST, now=NOW + HOUR).holes == ()


def test_a_source_that_is_down_is_left_after_two_failures() -> None:
    source = Meter(meddle=raising(SourceUnavailable("meter", "it cannot be reached", remedy="Ask again later.")))
    assert len(filled(MemoryStore(), source)) == 2


def test_a_fill_does_not_wait_for_a_source_that_does_not_end() -> None:
    store, go_on = MemoryStore(), Event()
    slow, well = Meter("slow", lambda _window: go_on.wait(30)), Meter("well")
    told = list(fill([slow, well], store, PAST, clock=lambda: NOW, patience_s=0.5))
    go_on.set()
    assert {each.source for each in told} == {"well"}
    assert fill_of("well", store, PAST, now=NOW).holes == ()


def test_an_archive_that_begins_later_is_not_asked_for_ever() -> None:
    store, source = MemoryStore(), Meter(since=NOW - 100 * DAY)
    filled(store, source)
    n_asked = len(source.asked)
    for hours in range(1, 4):
        filled(store, source, now=NOW + hours * HOUR)
    assert len(source.asked) == n_asked
    assert fill_of("meter", store, PAST, now=NOW).empty


def test_a_fill_that_does_not_end_is_not_begun_a_second_time() -> None:
    store, go_on, workers = MemoryStore(), Event(), Workers()
    slow, well = Meter("slow", lambda _window: go_on.wait(30)), Meter("well")
    for _ in range(2):
        told = list(fill([slow, well], store, PAST, clock=lambda: NOW, patience_s=0.5, workers=workers))
        assert {filled.source for filled in told} <= {"well"}
    assert len(slow.asked) == 1
    go_on.set()
