"""The past of things that somebody else has recorded becomes readings of the channels they fill."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput, UnknownName, WatthourError
from watthour.core.frames import INSTANT, Measure, Quality, Readings, Samples
from watthour.core.metering import Between, meter
from watthour.core.ports import Archive, RunState, SourceRun
from watthour.core.window import Window
from watthour.workflows.ingest import flagged, plain
from watthour.workflows.settling import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.heard import Recalled
    from watthour.core.metering import Finding, MeterRules
    from watthour.core.ports import Store, Subscription
    from watthour.workflows.links import Link


@dataclass(frozen=True, slots=True)
class Filled:
    """What the past has brought to a channel."""

    channel: str
    new: int  # readings
    refused: int  # values
    findings: tuple[Finding, ...] = ()


def archive_of(lines: Sequence[Subscription], keys: Collection[str]) -> dict[str, tuple[Archive, list[str]]]:
    """Return the lines that can be asked for the past of these things, by name, each with its own.

    The key of a thing begins with the name of the line that tells it.
    """
    archives = {line.name: line for line in lines if isinstance(line, Archive)}
    found: dict[str, tuple[Archive, list[str]]] = {}
    for key in sorted(keys):
        if (archive := archives.get(key.partition("/")[0])) is not None:
            found.setdefault(archive.name, (archive, []))[1].append(key)
    return found


def asked_archives(
    lines: Sequence[Subscription], links: Mapping[str, Link], thing: str | None = None
) -> dict[str, tuple[Archive, list[str]]]:
    """Return the lines to be asked for the past of what was added, or of one thing of it, each with its things.

    Raises:
        UnknownName: this thing fills no channel.
        InvalidInput: nothing was added whose past can be asked for, or nobody has recorded this thing.
    """
    if thing is not None and thing not in links:
        listed = ", ".join(sorted(links)[:10]) or "none"
        raise UnknownName("thing", thing, "it fills no channel", remedy=f"These do: {listed}.")
    found = archive_of(lines, links if thing is None else [thing])
    if not found and thing is not None:
        remedy = "Home Assistant's statistics and InfluxDB have a past; a broker and most devices have none."
        raise InvalidInput("thing", thing, "its past cannot be asked for", remedy=remedy)
    if not found:
        remedy = (
            "Add Home Assistant or InfluxDB (the page Sources, or `watthour source add`), then say what one of its "
            "sensors measures (the page Add a home, or `watthour listen --add`)."
        )
        raise InvalidInput("thing", None, "nothing was added whose past can be asked for", remedy=remedy)
    return found


def fill_past(
    store: Store,
    links: Mapping[str, Link],
    archive: Archive,
    keys: Sequence[str],
    window: Window,
    *,
    now: datetime,
    progress: Callable[[Window, Filled], None] | None = None,
) -> list[Filled]:
    """Bring in what things told in a window, as readings of the channels they fill; return what was new in each.

    Readings that are there stay, gaps among them are filled. They count as known when the last value that each needs
    was told, and are marked as assumed. Where the past is kept as means of longer times than the steps of a channel,
    they are marked as estimated too. Doing it twice changes nothing.

    Args:
        store: where readings are kept.
        links: which thing fills which channel.
        archive: that is asked.
        keys: of the things, all of which fill a channel.
        window: of instants.
        now: the present.
        progress: is told each part that is done, with what has come to its channel so far.

    Raises:
        SourceError: it cannot be asked; what came before is kept.
        InvalidInput: a channel of theirs is gone.
    """
    by_channel: dict[str, list[str]] = {}
    for key in keys:
        by_channel.setdefault(links[key].channel, []).append(key)
    rules = rules_of(store, by_channel, links)
    done: list[Filled] = []
    problem: str | None = None
    try:
        for name, things in by_channel.items():
            if name not in rules:
                remedy = f"Add it again: `watthour listen --remove {things[0]}`, then --add."
                raise InvalidInput("channel", name, f"the channel that {things[0]} fills is gone", remedy=remedy)
            done.append(_filled(store, archive, things, *rules[name], window, now=now, progress=progress))
    except WatthourError as error:
        problem = plain(str(error))
        raise
    finally:
        n_new = sum(each.new for each in done)
        how = RunState.FAILED if problem else RunState.OK if n_new else RunState.EMPTY
        n_refused = sum(each.refused for each in done)
        store.note_run(SourceRun(archive.name, now, now, window, how, n_new, n_refused, problem))
    return done


def _filled(
    store: Store,
    archive: Archive,
    keys: Sequence[str],
    channel: Channel,
    rules: MeterRules,
    window: Window,
    *,
    now: datetime,
    progress: Callable[[Window, Filled], None] | None,
) -> Filled:
    filled, rest = Filled(channel.id, 0, 0), None
    findings: dict[str, Finding] = {}
    for part in archive.past(keys, window):
        made = meter(_samples(part, channel, now), channel, _of_means(rules, part), rest=rest, is_observed=False)
        rest = made.rest
        if made.refused.height:
            store.quarantine(made.refused)
        readings: pl.DataFrame = made.readings
        if part.every is not None and part.every > channel.resolution:
            readings = readings.with_columns(pl.col("quality") | int(Quality.ESTIMATED))
        new = _keep(store, channel, Readings.cast(readings)) if readings.height else 0
        for each in made.findings:
            first = findings.get(each.found)
            findings[each.found] = each if first is None else replace(first, n_samples=first.n_samples + each.n_samples)
        refused = filled.refused + made.refused.height + len(part.heard.faults)
        filled = Filled(channel.id, filled.new + new, refused, tuple(findings.values()))
        if progress is not None:
            progress(part.window, filled)
    return filled


def _of_means(rules: MeterRules, part: Recalled) -> MeterRules:
    """Return the rules of values that each stand for a time: for that time, and no longer."""
    if part.every is None:
        return rules
    uncounted = max(part.every, rules.longest_uncounted or 2 * rules.step)
    return replace(rules, between=Between.HOLD, longest_silence=part.every, longest_uncounted=uncounted)


def _samples(part: Recalled, channel: Channel, now: datetime) -> dy.DataFrame[Samples]:
    rows = [
        (channel.id, told.time, str(Measure(told.tells)), now, told.value)
        for told in part.heard.told
        if told.time is not None
    ]
    schema = {
        "channel": pl.String(),
        "time": INSTANT,
        "measure": pl.String(),
        "recorded_at": INSTANT,
        "value": pl.Float64(),
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Samples.validate(frame.unique(["channel", "time", "measure"], keep="first", maintain_order=True))


def _keep(store: Store, channel: Channel, readings: dy.DataFrame[Readings]) -> int:
    """Keep the readings of intervals of which nothing is known yet; return how many."""
    first, last = readings.select(pl.col("time").min(), last=pl.col("time").max()).row(0)
    kept = store.read([channel.id], Window(first, last + channel.resolution)).drop_nulls("value")
    new = readings.join(kept, on="time", how="anti")
    return store.append(flagged(Readings.cast(new), [channel], store)) if new.height else 0
