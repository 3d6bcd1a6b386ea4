"""Bring readings and forecasts in: once, again, or years back are the same work."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, cast

import polars as pl

from watthour.core.errors import PayloadChanged, WatthourError
from watthour.core.frames import Forecasts, Quality, Readings, Refused
from watthour.core.ports import RunState, SourceRun
from watthour.core.quality import compared_with, count_doubts, flag, flag_forecasts, is_trusted, look_back
from watthour.core.units import Quantity
from watthour.core.window import Window
from watthour.workflows.carbon import derive_intensity
from watthour.workflows.corrections import as_corrections
from watthour.workflows.runs import CHUNK, asker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.ports import Delivery, Source, Store

CLOCK_AHEAD = timedelta(minutes=5)  # that a sender's clock may be wrong by
KNOWN_AHEAD = (Quantity.PRICE, Quantity.CARBON_INTENSITY)  # told before their time comes
LONGEST_PROBLEM = 500  # [characters] of what a source's failure says


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ingestion changed."""

    new_rows: int
    refused_rows: int
    doubted: Mapping[str, int] = field(default_factory=dict)  # readings kept but not used, by the flag of doubt

    def __add__(self, other: IngestReport) -> IngestReport:
        doubted = {
            rule: self.doubted.get(rule, 0) + other.doubted.get(rule, 0) for rule in {**self.doubted, **other.doubted}
        }
        return IngestReport(self.new_rows + other.new_rows, self.refused_rows + other.refused_rows, doubted)


def ingest(
    source: Source,
    store: Store,
    window: Window,
    *,
    now: datetime,
    live: bool = False,
    corrects: bool = False,
    file: str | None = None,
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
        file: name of the file that the source is; the run is noted with it and with the channels it brought rows of.

    The run is noted when it begins, so that one whose process died can be told from one that never was.

    Raises:
        SourceError: the source failed, in all or in a part of what was asked, or its answer made our reading fail; the
            failure is logged in the store, with the rows that had been kept before it.
        InvalidInput: a file that a person gave cannot be read.
        StoreError: what came cannot be kept.
    """
    begun = monotonic()

    running = SourceRun(source.name, now, now, window, RunState.RUNNING, 0, problem=asker(), file=file)
    fills: tuple[str, ...] = ()

    def note(state: RunState, report: IngestReport, problem: str | None = None) -> None:
        ended_at = now + timedelta(seconds=monotonic() - begun)
        new_rows, refused_rows = report.new_rows, report.refused_rows
        ended = replace(running, ended_at=ended_at, state=state, new_rows=new_rows, refused_rows=refused_rows)
        store.note_run(replace(ended, problem=problem, fills=fills))

    store.note_run(running)
    report = IngestReport(0, 0)
    try:
        delivery = source.fetch(window, now=now, watched_from=store.watched_from(source.name))
        delivery = _begun(delivery, source, now) if file is not None else delivery
        store.register(source.sites(), source.channels())
        fills = _filled(delivery) if file is not None else ()
        report = _keep(delivery, source, store, corrects=corrects)
        derive_intensity(store, source.sites(), delivery.readings, now=now)
    except WatthourError as error:
        note(RunState.FAILED, report, plain(str(error)))
        raise
    except MemoryError:
        note(RunState.FAILED, report, "the memory of this machine did not suffice for its answer")
        raise
    except Exception as error:  # whatever an answer makes our reading do ends this source alone
        failure = _unreadable(source.name, error)
        note(RunState.FAILED, report, str(failure))
        raise failure from error
    if live:
        store.watch(source.name, now)
    if delivery.failure is not None:  # what did come is kept; the rest is asked for again
        note(RunState.FAILED, report, plain(str(delivery.failure)))
        raise delivery.failure
    if not (delivery.readings.is_empty() and delivery.forecasts.is_empty()):
        note(RunState.OK, report)
    elif delivery.refused.is_empty():
        note(RunState.EMPTY, report)
    else:  # so that it is asked for again
        note(RunState.FAILED, report, _all_refused(delivery.refused))
    return report


def _begun(delivery: Delivery, source: Source, now: datetime) -> Delivery:
    """Refuse measurements of hours to come, as a wrong time zone makes them of a file; empty ones say nothing."""
    told_ahead = [channel.id for channel in source.channels() if channel.quantity in KNOWN_AHEAD]
    is_to_come = ~pl.col("channel").is_in(told_ahead) & (pl.col("time") > now + CLOCK_AHEAD)
    to_come = delivery.readings.filter(is_to_come)
    if to_come.is_empty():
        return delivery
    refused = to_come.filter(pl.col("value").is_not_null()).select(
        source=pl.lit(source.name),
        channel="channel",
        rule=pl.lit("interval_has_begun"),
        row=pl.struct(pl.col("time").dt.to_string("iso:strict"), "value").struct.json_encode(),
        recorded_at="recorded_at",
    )
    return replace(
        delivery,
        readings=Readings.cast(delivery.readings.filter(~is_to_come)),
        refused=Refused.cast(pl.concat([delivery.refused, refused])),
    )


def _filled(delivery: Delivery) -> tuple[str, ...]:
    """Return the channels that rows came of."""
    return tuple(sorted({*delivery.readings["channel"].unique(), *delivery.forecasts["channel"].unique()}))


def plain(text: str) -> str:
    """Return a text as every store and terminal can keep it: one line, not too long, no half characters."""
    return " ".join(text.encode("utf-8", "replace").decode().split())[:LONGEST_PROBLEM]


def _all_refused(refused: dy.DataFrame[Refused]) -> str:
    """Return the rule that most of the rows broke, in words."""
    rule, n_rows = refused["rule"].value_counts(sort=True).row(0)
    return plain(f"all {refused.height} rows were refused, {n_rows} of them by the rule {rule}")


def _unreadable(source: str, error: Exception) -> PayloadChanged:
    problem = plain(f"its answer could not be read ({type(error).__name__}: {error})")
    return PayloadChanged(source, problem, remedy="It is asked again; if it stays so, update Watthour or report it.")


def backfill(
    source: Source,
    store: Store,
    window: Window,
    *,
    now: datetime,
    chunk: timedelta = CHUNK,
    corrects: bool = False,
    file: str | None = None,
    progress: Callable[[Window, IngestReport], None] | None = None,
) -> IngestReport:
    """Bring a long window in, oldest first and piece by piece, so that what is done survives an interruption."""
    total = IngestReport(0, 0)
    start = window.start
    while start < window.end:
        piece = Window(start, min(start + chunk, window.end))
        report = ingest(source, store, piece, now=now, corrects=corrects, file=file)
        total += report
        if progress is not None:
            progress(piece, report)
        start = piece.end
    return total


def _keep(delivery: Delivery, source: Source, store: Store, *, corrects: bool = False) -> IngestReport:
    new_rows = 0
    doubted: dict[str, int] = {}
    if not delivery.readings.is_empty():
        readings = flagged(delivery.readings, source.channels(), store)
        for (_channel, quality), count in count_doubts(readings).items():
            rule = str(quality.name).lower()
            doubted[rule] = doubted.get(rule, 0) + count
        readings = as_corrections(readings, store) if corrects else readings
        new_rows += store.append(readings)
    if not delivery.forecasts.is_empty():
        new_rows += store.append_forecasts(_checked(delivery.forecasts, source.channels(), store))
    store.quarantine(delivery.refused)
    return IngestReport(new_rows, delivery.refused.height, doubted)


def _checked(forecasts: dy.DataFrame[Forecasts], channels: Sequence[Channel], store: Store) -> dy.DataFrame[Forecasts]:
    """Return forecasts with the doubts that follow from what the store knows of their channels."""
    readings, before = [Readings.create_empty()], [Forecasts.create_empty()]
    first = cast("datetime", forecasts["time"].min())
    for needed in compared_with(forecasts, channels):
        readings.append(store.read(needed.channels, needed.window))
        if needed.has_runs:
            before.append(store.forecasts(needed.channels, needed.window, latest_issue=True))
        else:
            stored = store.forecasts(needed.channels, Window(first, needed.window.end))
            forecasts = _with_corrections(forecasts, stored)
    return flag_forecasts(
        forecasts, channels, readings=Readings.cast(pl.concat(readings)), before=Forecasts.cast(pl.concat(before))
    )


def _with_corrections(forecasts: dy.DataFrame[Forecasts], stored: dy.DataFrame[Forecasts]) -> dy.DataFrame[Forecasts]:
    """Return forecasts in which those that replace doubted ones of the same issue became known when they were fetched.

    The first value of an issue stays in the store; without an instant of its own, the better one would be lost.
    """
    doubted = stored.filter(~is_trusted())
    if doubted.is_empty():
        return forecasts
    key = ["channel", "time", "model", "level"]
    newest = stored.sort("issued_at").unique(key, keep="last").select(*key, newest="value")
    first_said = doubted.select(*key, "issued_at", doubted="value")
    beside = forecasts.join(first_said, on=[*key, "issued_at"], how="left", maintain_order="left")
    beside = beside.join(newest, on=key, how="left", maintain_order="left")
    is_new = (pl.col("value") != pl.col("doubted")) & pl.col("value").ne_missing(pl.col("newest"))
    is_new = is_new.fill_null(value=False)
    observed = (pl.col("quality") & ~int(Quality.ASSUMED)).cast(pl.Int16)
    return Forecasts.cast(
        beside.with_columns(
            pl.when(is_new).then("recorded_at").otherwise(name).alias(name) for name in ("issued_at", "available_at")
        )
        .with_columns(quality=pl.when(is_new).then(observed).otherwise("quality"))
        .select(Forecasts.column_names())
    )


def flagged(readings: dy.DataFrame[Readings], channels: Sequence[Channel], store: Store) -> dy.DataFrame[Readings]:
    """Return readings with the doubts that follow from their channels and from what is known just before them."""
    begins = readings.group_by("channel").agg(begin=pl.col("time").min())
    named = begins["channel"].to_list()
    first, last = cast("tuple[datetime, datetime]", (begins["begin"].min(), begins["begin"].max()))
    kept = store.read(named, Window(first - look_back(each for each in channels if each.id in named), last))
    before = kept.join(begins, on="channel").filter(pl.col("time") < pl.col("begin")).drop("begin")
    return flag(readings, channels, Readings.cast(before))
