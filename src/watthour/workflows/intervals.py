"""From the samples of channels to their readings: those intervals anew that samples which came late may change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import INSTANT, Measure, Quality, Readings, Samples
from watthour.core.metering import meter_channels
from watthour.core.window import HOUR, Window
from watthour.workflows.ingest import flagged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.metering import MeterRules
    from watthour.core.ports import Store

_AHEAD = timedelta(minutes=2)  # clocks of devices differ
_TOGETHER = timedelta(minutes=10)  # looks that begin so near each other are one
NEAR_STEPS = 3  # before the first new sample, in which those lie that it continues, if they come at least each step
LONGEST_NEAR_STEP = HOUR  # local days are not all of one length


@dataclass(frozen=True, slots=True)
class Due:
    """A channel whose readings new samples make or change."""

    channel: Channel
    rules: MeterRules
    since: datetime  # the first sample that is new
    has_no_counter: bool = False  # in the time before: then the samples just before the new ones are all that matters


def make_readings(store: Store, due: Sequence[Due], *, now: datetime) -> tuple[int, set[str]]:
    """Make the readings that new samples make or change, of several channels at once.

    Doing it twice changes nothing. Samples before the new ones are looked at as far back as they matter.

    Args:
        store: with the samples.
        due: the channels, each once.
        now: the present.

    Returns:
        How many versions of readings were new, and the ids of the channels that have no counter in the time looked at.
    """
    found, firsts = _near_samples(store, [each for each in due if each.has_no_counter], now)
    far = [each for each in due if each.channel.id not in firsts]
    found += [samples for samples, _group in _looks(store, [(_far_start(each), each) for each in far], now)]
    firsts |= {each.channel.id: each.since - _longest(each.rules) for each in far}
    samples = Samples.cast(pl.concat(found).sort("channel", "time", "measure"))
    counted = set(samples.filter(pl.col("measure") == str(Measure.COUNTER))["channel"])
    plain = {each.channel.id for each in due} - counted
    wanted = {each.channel.id: (each.channel, each.rules) for each in due}
    readings, refused = meter_channels(samples, wanted)
    if refused.height:
        store.quarantine(refused)
    first = pl.col("channel").replace_strict(firsts, return_dtype=INSTANT)
    changed = readings.filter(pl.col("time") >= first)
    if changed.is_empty():
        return 0, plain
    channels = [each.channel for each in due]
    is_simulated = pl.col("channel").is_in([channel.id for channel in channels if channel.is_simulated])
    marked = changed.with_columns(
        quality=pl.when(is_simulated).then(pl.col("quality") | int(Quality.SIMULATED)).otherwise("quality")
    )
    return store.append(flagged(Readings.cast(marked), channels, store)), plain


def _longest(rules: MeterRules) -> timedelta:
    """Return how far before a new sample the interval may begin in which the sample before it lies."""
    return max(rules.longest_silence, rules.longest_uncounted or 2 * rules.step) + rules.step


def _far_start(due: Due) -> datetime:
    return due.since - 3 * _longest(due.rules)


def _near_samples(
    store: Store, due: Sequence[Due], now: datetime
) -> tuple[list[dy.DataFrame[Samples]], dict[str, datetime]]:
    """Return the samples of those channels of which few are enough, and from when on the intervals of each may change.

    They are enough where one lies before the interval that holds the last sample before the new ones, so that all the
    samples of that interval and the one that it begins with are there, and none is of a counter.
    """
    short = [each for each in due if each.rules.step <= LONGEST_NEAR_STEP]
    found: list[dy.DataFrame[Samples]] = [Samples.create_empty()]
    firsts: dict[str, datetime] = {}
    for samples, group in _looks(store, [(each.since - NEAR_STEPS * each.rules.step, each) for each in short], now):
        since, step = (
            pl.col("channel").replace_strict(values, return_dtype=kind)
            for values, kind in (
                ({each.channel.id: each.since for each in group}, INSTANT),
                ({each.channel.id: each.rules.step for each in group}, pl.Duration("us")),
            )
        )
        ends = (
            samples.with_columns(since=since, step=step)
            .group_by("channel")
            .agg(
                first=pl.col("time").min(),
                begin=pl.col("time").filter(pl.col("time") < pl.col("since")).max() - pl.col("step").first(),
                is_counted=(pl.col("measure") == str(Measure.COUNTER)).any(),
            )
        )
        enough = ends.filter((pl.col("first") <= pl.col("begin")) & ~pl.col("is_counted"))
        firsts |= dict(enough.select("channel", "begin").iter_rows())
        found.append(Samples.cast(samples.filter(pl.col("channel").is_in(enough["channel"].to_list()))))
    return found, firsts


def _looks(
    store: Store, starts: Iterable[tuple[datetime, Due]], now: datetime
) -> Iterator[tuple[dy.DataFrame[Samples], list[Due]]]:
    """Return the samples of channels from about when each shall begin, and of which channels they are."""
    group: list[tuple[datetime, Due]] = []
    ordered = sorted(starts, key=lambda each: each[0])
    for place, (start, due) in enumerate(ordered):
        group.append((start, due))
        if place + 1 < len(ordered) and ordered[place + 1][0] - group[0][0] <= _TOGETHER:
            continue
        together = [each for _start, each in group]
        window = Window(group[0][0], max(now, *(each.since for each in together)) + _AHEAD)
        yield store.samples([each.channel.id for each in together], window), together
        group = []
