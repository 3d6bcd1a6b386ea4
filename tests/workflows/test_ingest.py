from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import builders
import polars as pl
import pytest
from builders import MIDNIGHT, demand_channel, readings, region_site

from watthour.core.channel import Channel, Limits, Site, SiteKind
from watthour.core.errors import PayloadChanged, SourceUnavailable
from watthour.core.frames import Forecasts, Quality, Readings, Refused
from watthour.core.place import Place
from watthour.core.ports import Delivery, RunState
from watthour.core.units import Quantity, Unit
from watthour.core.vintage import stamp
from watthour.core.window import DAY, HOUR, Window
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import IngestReport, backfill, flagged, ingest
from watthour.workflows.runs import due

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2024, 5, 1, tzinfo=UTC)
WINDOW = Window(START, START + 4 * HOUR)
DEMAND = "grid.test.demand"


@dataclass
class Meter:
    """A source whose values a test sets."""

    values: dict[datetime, float | None] = field(default_factory=dict)
    is_down: bool = False
    name: str = "meter"

    def sites(self) -> Sequence[Site]:
        return (Site("test", "Test", SiteKind.REGION, Place("UTC")),)

    def channels(self) -> Sequence[Channel]:
        return (Channel(DEMAND, "test", Quantity.ENERGY, Unit.MWH, HOUR, limits=Limits(is_never_constant=True)),)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        if self.is_down:
            raise SourceUnavailable(self.name, "no answer", remedy="Ask later.")
        rows = {time: value for time, value in self.values.items() if time in window}
        frame = pl.DataFrame(
            {"channel": DEMAND, "time": list(rows), "value": list(rows.values())},
            schema={"channel": pl.String, "time": pl.Datetime("us", "UTC"), "value": pl.Float64},
        )
        stamped = stamp(frame, pl.col("time") + 2 * HOUR, now=now, watched_from=watched_from)
        return Delivery(
            Readings.validate(stamped.select(Readings.column_names())),
            Forecasts.create_empty(),
            Refused.create_empty(),
        )


def meter(*values: float | None) -> Meter:
    return Meter({START + hour * HOUR: value for hour, value in enumerate(values)})


def test_asking_twice_changes_nothing() -> None:
    store, source = MemoryStore(), meter(5.0, None, 7.0, 8.0)
    assert ingest(source, store, WINDOW, now=START + 9 * HOUR).new_rows == 4
    assert ingest(source, store, WINDOW, now=START + 10 * HOUR).new_rows == 0


def test_a_gap_is_refilled_and_a_revision_is_kept_beside_the_old_value() -> None:
    store, source = MemoryStore(), meter(5.0, 6.0)
    first, second = START + 9 * HOUR, START + 30 * HOUR
    ingest(source, store, WINDOW, now=first)
    source.values |= {START: 5.5, START + 2 * HOUR: 7.0}
    assert ingest(source, store, WINDOW, now=second).new_rows == 2
    assert store.read([DEMAND], WINDOW, as_of=first)["value"].to_list() == [5.0, 6.0, 7.0]
    assert store.read([DEMAND], WINDOW, as_of=second)["value"].to_list() == [5.5, 6.0, 7.0]


def test_from_the_first_live_polling_on_rows_are_known_when_seen() -> None:
    store, source = MemoryStore(), meter(5.0)
    ingest(source, store, WINDOW, now=START + 3 * HOUR, live=True)
    source.values[START + 2 * HOUR] = 7.0  # due at START + 4 h by the source's rule, seen five hours later
    ingest(source, store, WINDOW, now=START + 9 * HOUR, live=True)
    rows = store.read([DEMAND], WINDOW)
    assert rows["available_at"].to_list() == [START + 2 * HOUR, START + 9 * HOUR]
    assert rows["quality"].to_list() == [Quality.ASSUMED, Quality.GOOD]


def test_a_source_that_fails_is_logged_and_changes_nothing() -> None:
    store = MemoryStore()
    with pytest.raises(SourceUnavailable):
        ingest(Meter(is_down=True), store, WINDOW, now=START)
    (run,) = store.runs("meter")
    assert run.state == RunState.FAILED
    assert run.problem is not None
    assert "no answer" in run.problem


def test_rows_that_were_kept_before_a_failure_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("watthour.workflows.ingest.derive_intensity", fails)
    store = MemoryStore()
    with pytest.raises(PayloadChanged):
        ingest(meter(1, 2), store, WINDOW, now=START + 9 * HOUR)
    run = next(iter(store.runs("meter")))
    assert (run.state, run.new_rows) == (RunState.FAILED, 2)


class Refusing(Meter):
    """A source none of whose rows can be kept."""

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        rows = [
            {"source": self.name, "channel": DEMAND, "rule": rule, "row": f"{number}", "recorded_at": now}
            for number, rule in enumerate(("too_early", "known_only_after_it_began", "known_only_after_it_began"))
        ]
        refused = Refused.cast(pl.DataFrame(rows, schema=Refused.create_empty().schema))
        return replace(super().fetch(window, now=now, watched_from=watched_from), refused=refused)


def test_a_past_whose_rows_are_all_refused_is_a_failure_and_asked_for_again() -> None:
    store, wanted = MemoryStore(), Window(START, START + 3 * DAY)
    now = START + 5 * DAY
    assert ingest(Refusing(), store, wanted, now=now) == IngestReport(0, 3)
    (run,) = store.runs("meter")
    assert (run.state, run.refused_rows) == (RunState.FAILED, 3)
    assert run.problem == "all 3 rows were refused, 2 of them by the rule known_only_after_it_began"
    assert due("meter", store, wanted, now=now + DAY) == [wanted]


def test_zero_demand_arrives_doubted() -> None:
    store = MemoryStore()
    ingest(meter(0.0, 6.0), store, WINDOW, now=START + 9 * HOUR)
    assert store.read([DEMAND], WINDOW)["quality"].to_list() == [Quality.ASSUMED | Quality.ZERO, Quality.ASSUMED]


def test_a_value_that_was_frozen_before_is_doubted_whatever_comes_with_it() -> None:
    store, limits = MemoryStore(), Limits(is_never_constant=True)
    channels = [replace(demand_channel(), id=name, limits=limits) for name in (builders.DEMAND, "grid.ny.second")]
    second = channels[1]
    store.register([region_site()], channels)
    store.append(readings(*[17_000.0] * 5, channel=second.id))
    earlier = readings(16_000.0, 16_500.0, start=MIDNIGHT - 10 * HOUR)
    later = readings(17_000.0, 18_000.0, channel=second.id, start=MIDNIGHT + 5 * HOUR)
    checked = flagged(Readings.cast(pl.concat([earlier, later])), channels, store)
    assert checked["quality"].to_list() == [0, 0, Quality.FROZEN, 0]


def test_a_backfill_goes_oldest_first_and_tells_how_far_it_is() -> None:
    store, seen = MemoryStore(), []

    def progress(piece: Window, report: IngestReport) -> None:
        seen.append((piece.start, report.new_rows))

    total = backfill(
        meter(1.0, 2.0, 3.0, 4.0), store, WINDOW, now=START + timedelta(days=1), chunk=3 * HOUR, progress=progress
    )
    assert seen == [(START, 3), (START + 3 * HOUR, 1)]
    assert total.new_rows == 4


def test_a_files_measurements_of_hours_to_come_are_refused_and_kept_for_a_look() -> None:
    store, meter = MemoryStore(), Meter({START + n * HOUR: 1.0 + n for n in range(4)})
    now = START + 1.5 * HOUR  # the clock of the file runs two hours ahead
    report = ingest(meter, store, WINDOW, now=now, file="load.csv")
    assert report == IngestReport(2, 2)
    assert store.read([DEMAND], WINDOW)["time"].to_list() == [START, START + HOUR]
    refused = store.quarantined()
    assert refused["rule"].to_list() == ["interval_has_begun"] * 2
    assert "2024-05-01T03:00:00" in refused["row"][0]
