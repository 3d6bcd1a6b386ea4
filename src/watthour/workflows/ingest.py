"""Bring readings and forecasts in: once, again, or years back are the same work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from watthour.core.errors import SourceError
from watthour.core.ports import RunState, SourceRun
from watthour.core.quality import flag, flag_forecasts, look_back
from watthour.core.window import Window
from watthour.workflows.corrections import as_corrections

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import dataframely as dy

    from watthour.core.frames import Readings
    from watthour.core.ports import Delivery, Source, Store

CHUNK = timedelta(days=92)  # a season; about 2,200 hours per series, within one page of EIA's answers


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ingestion changed."""

    new_rows: int
    refused_rows: int

    def __add__(self, other: IngestReport) -> IngestReport:
        return IngestReport(self.new_rows + other.new_rows, self.refused_rows + other.refused_rows)


def ingest(
    source: Source, store: Store, window: Window, *, now: datetime, live: bool = False, corrects: bool = False
) -> IngestReport:
    """Fetch one window and keep it; asking twice changes nothing.

    Args:
        source: where to ask.
        store: where to keep it.
        window: the intervals asked for.
        now: the instant of asking.
        live: this is regular polling, so from the first such call on rows are known when we saw them, not when the
            source's rule says.
        corrects: values that differ from what is kept are the right ones, see ``workflows.corrections``.

    Raises:
        SourceError: the source failed; the failure is logged in the store, nothing else changes.
    """
    begun = monotonic()

    def note(state: RunState, report: IngestReport, problem: str | None = None) -> None:
        ended_at = now + timedelta(seconds=monotonic() - begun)
        store.note_run(
            SourceRun(source.name, now, ended_at, window, state, report.new_rows, report.refused_rows, problem)
        )

    try:
        delivery = source.fetch(window, now=now, watched_from=store.watched_from(source.name))
    except SourceError as error:
        note(RunState.FAILED, IngestReport(0, 0), str(error))
        raise
    store.register(source.sites(), source.channels())
    report = _keep(delivery, source, store, corrects=corrects)
    if live:
        store.watch(source.name, now)
    note(RunState.OK, report)
    return report


def backfill(
    source: Source,
    store: Store,
    window: Window,
    *,
    now: datetime,
    chunk: timedelta = CHUNK,
    corrects: bool = False,
    progress: Callable[[Window, IngestReport], None] | None = None,
) -> IngestReport:
    """Bring a long window in, oldest first and piece by piece, so that what is done survives an interruption."""
    total = IngestReport(0, 0)
    start = window.start
    while start < window.end:
        piece = Window(start, min(start + chunk, window.end))
        report = ingest(source, store, piece, now=now, corrects=corrects)
        total += report
        if progress is not None:
            progress(piece, report)
        start = piece.end
    return total


def _keep(delivery: Delivery, source: Source, store: Store, *, corrects: bool = False) -> IngestReport:
    new_rows = 0
    if not delivery.readings.is_empty():
        readings = flag(delivery.readings, source.channels(), _before(delivery.readings, source, store))
        readings = as_corrections(readings, store) if corrects else readings
        new_rows += store.append(readings)
    if not delivery.forecasts.is_empty():
        new_rows += store.append_forecasts(flag_forecasts(delivery.forecasts, source.channels()))
    store.quarantine(delivery.refused)
    return IngestReport(new_rows, delivery.refused.height)


def _before(readings: dy.DataFrame[Readings], source: Source, store: Store) -> dy.DataFrame[Readings]:
    """Return what is known of the time just before a delivery, in which a frozen value may have begun."""
    first: datetime = readings["time"].min()  # type: ignore[assignment]  # not empty, so an instant
    channels = readings["channel"].unique().to_list()
    return store.read(channels, Window(first - look_back(source.channels()), first))
