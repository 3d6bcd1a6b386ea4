"""Rows that somebody sends: readings of intervals and samples of instants, checked one by one and kept together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.channel import FEEDS_IN, DeviceKind, SiteKind, may_feed_in
from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT, Measure, Readings, Refused, Samples, measures_of
from watthour.core.quality import DOUBTS, count_doubts
from watthour.core.units import Quantity
from watthour.core.vintage import stamp
from watthour.core.window import Window, local_midnight, step_in_words
from watthour.workflows.ingest import CLOCK_AHEAD, KNOWN_AHEAD, flagged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import dataframely as dy

    from watthour.core.channel import Channel, Device, Site
    from watthour.core.frames import Quality
    from watthour.core.ports import Store
    from watthour.workflows.settling import Settler

SENDER = "http"  # as refused rows and the beginning of watching name it
MOST_LOOKED_UP = 20  # ids of one request for which near ones are looked for
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_LOADS = (Quantity.POWER, Quantity.ENERGY)
_POSSIBLE: Mapping[object, tuple[float, float]] = {
    Measure.TEMPERATURE: (-90.0, 200.0),  # [degC]
    Measure.HUMIDITY: (0.0, 100.0),  # [%]
    Measure.OCCUPANCY: (0.0, 1.0),
}
_MEASURES = tuple(str(measure) for measure in Measure)
_FITTING = {quantity: tuple(str(measure) for measure in measures_of(quantity)) for quantity in Quantity}
_READING_FIELDS = ("channel", "time", "value", "available_at")
_SAMPLE_FIELDS = ("channel", "time", "measure", "value")
_LONGEST_ROW = 2000  # characters of a refused row that are kept


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not kept: which one, what is wrong with it, and the cure."""

    table: str  # readings or samples
    row: int  # its place there, from 0
    field: str
    value: object
    rule: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DoubtedRows:
    """Readings of a channel that are kept but not used, as they cannot be right."""

    channel: str
    rule: str  # as the quality of a reading names it
    count: int
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Received:
    """What became of the rows that were sent."""

    accepted: int
    new: int
    refused: Sequence[RefusedRow]
    doubted: Sequence[DoubtedRows] = ()  # of the accepted readings; samples are judged when readings are made of them


def receive(
    store: Store,
    *,
    readings: Sequence[Mapping[str, object]] = (),
    samples: Sequence[Mapping[str, object]] = (),
    now: datetime,
    settler: Settler | None = None,
) -> Received:
    """Keep what can be kept, durably, before returning; sending the same again changes nothing.

    Refused rows go to the quarantine with their rule; the others are kept all the same. A reading without
    ``available_at`` is known from now on; where its interval ended before this sender was first heard of, it is assumed
    to have been known at its end.

    Args:
        store: where they are kept.
        readings: rows of channel, time, value and perhaps available_at; a null value is a gap.
        samples: rows of channel, time, measure and value.
        now: the present.
        settler: makes readings of the samples soon; None: the next process that has one does.
    """
    known = _Known.of(store)
    good, refused = _checked("readings", readings, lambda row: _reading(row, known, now))
    told, more = _checked("samples", samples, lambda row: _sample(row, known, now))
    good, twice = _once("readings", good, ("channel", "time"))
    told, again = _once("samples", told, ("channel", "time", "measure"))
    refused = [*refused, *twice, *more, *again]
    new, doubted = _keep_readings(store, known, [row for _place, row in good], now) if good else (0, [])
    if told:
        n_new, other = _keep_samples(store, told, now, settler)
        new += n_new
        refused += other
    if refused:
        store.quarantine(_quarantined(refused, {"readings": readings, "samples": samples}, known, now))
    refused = sorted(refused, key=lambda each: (each.table, each.row))
    return Received(len(readings) + len(samples) - len(refused), new, refused, doubted)


class _Broken(InvalidInput):
    """A row breaks a rule, under whose name it goes to the quarantine."""

    def __init__(self, rule: str, field: str, value: object, problem: str, *, remedy: str) -> None:
        self.rule = rule
        self.bare = problem
        super().__init__(field, value, problem, remedy=remedy)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is described, read once for all rows."""

    sites: Mapping[str, Site]
    channels: Mapping[str, Channel]
    devices: Mapping[str, Device]
    feeding: frozenset[str]  # homes that have something that feeds in
    remedies: dict[str, str] = field(default_factory=dict)  # of ids that nobody knows

    @classmethod
    def of(cls, store: Store) -> _Known:
        devices = {device.id: device for device in store.devices()}
        return cls(
            {site.id: site for site in store.sites()},
            {channel.id: channel for channel in store.channels()},
            devices,
            frozenset(device.site for device in devices.values() if device.kind in FEEDS_IN),
        )

    def channel(self, name: object) -> Channel:
        found = self.channels.get(name) if isinstance(name, str) else None
        if found is None:
            raise _Broken("channel_is_known", "channel", name, "there is no such channel", remedy=self._near(str(name)))
        if found.is_simulated:
            remedy = "Add a home of your own; invented and measured values are never mixed."
            raise _Broken("channel_is_real", "channel", name, "this channel is simulated", remedy=remedy)
        if found.variable is not None:
            remedy = "Weather is fetched by itself; give a thermometer of yours a channel of its own."
            raise _Broken(
                "channel_is_measured", "channel", name, "this channel holds forecasts of the weather", remedy=remedy
            )
        return found

    def _near(self, name: str) -> str:
        """Return the cure of an id that nobody knows, with those that somebody may have meant."""
        if name not in self.remedies and len(self.remedies) < MOST_LOOKED_UP:
            meant = [each.id for each in self.channels.values() if name in (each.device, each.zone)]
            device = self.devices.get(name)
            if device is not None and not meant:
                command = f"watthour home device change {device.site} {device.id} --channel power:W:1min"
                hint = f"This is a device without a channel: `{command}` gives it one. "
            else:
                meant = meant or get_close_matches(name, self.channels, n=3, cutoff=0.8)
                hint = f"Did you mean {' or '.join(meant)}? " if meant else ""
            self.remedies[name] = f"{hint}/api/v1/channels lists all channels."
        return self.remedies.get(name, "/api/v1/channels lists all channels.")

    def check_feed_in(self, channel: Channel, value: float, field: str = "value") -> None:
        """Refuse power that a home gives where nothing in it can: a meter connected the wrong way round."""
        if value >= 0 or self.sites[channel.site].kind is not SiteKind.HOME:
            return
        device = self.devices.get(channel.device or "")
        if not may_feed_in(device, is_fed_home=channel.site in self.feeding):
            command = f"watthour home device add {channel.site} Solar --kind solar"
            if device is not None and device.kind is not DeviceKind.CIRCUIT:
                command = f"watthour home device change {device.site} {device.id} --kind solar"
            remedy = f"Turn the meter or the sign round; or, where solar power is fed in, say so: `{command}`."
            problem = f"nothing at {channel.id} is known to feed in"
            raise _Broken("power_can_be_negative", field, value, problem, remedy=remedy)


def _checked(
    table: str, rows: Sequence[Mapping[str, object]], check: Callable[[Mapping[str, object]], dict[str, object]]
) -> tuple[list[tuple[int, dict[str, object]]], list[RefusedRow]]:
    good: list[tuple[int, dict[str, object]]] = []
    refused: list[RefusedRow] = []
    for place, row in enumerate(rows):
        try:
            good.append((place, check(row)))
        except _Broken as error:
            refused.append(
                RefusedRow(table, place, _plain(error.field), error.value, error.rule, error.bare, _plain(error.remedy))
            )
    return good, refused


def _reading(row: Mapping[str, object], known: _Known, now: datetime) -> dict[str, object]:
    _check_fields(row, _READING_FIELDS, optional=("available_at",))
    channel = known.channel(row["channel"])
    time = _instant("time", row["time"])
    _check_start(channel, time, known.sites[channel.site].place.time_zone)
    is_ahead = channel.quantity in KNOWN_AHEAD
    if not is_ahead and time > now + CLOCK_AHEAD:
        remedy = "Check the sender's clock and the offset of its times: they must say their zone, such as Z or +02:00."
        raise _Broken("interval_has_begun", "time", row["time"], "this interval has not begun yet", remedy=remedy)
    value = None if row["value"] is None else _number(row["value"])
    if value is not None and channel.quantity in _LOADS:
        known.check_feed_in(channel, value)
    said = row.get("available_at")
    available_at = None if said is None else _instant("available_at", said)
    if available_at is not None and available_at > now + CLOCK_AHEAD:
        remedy = "Give the instant at which the value could first be read, or leave it out."
        raise _Broken("available_at_has_come", "available_at", said, "this instant has not come yet", remedy=remedy)
    if available_at is not None and not is_ahead and available_at < time:
        remedy = "Give the instant at which the value could first be read, or leave it out."
        raise _Broken(
            "known_only_after_it_began", "available_at", said, "the interval had not begun by then", remedy=remedy
        )
    return {"channel": channel.id, "time": time, "value": value, "available_at": available_at}


def _sample(row: Mapping[str, object], known: _Known, now: datetime) -> dict[str, object]:
    _check_fields(row, _SAMPLE_FIELDS)
    channel = known.channel(row["channel"])
    fitting = _FITTING[channel.quantity]
    if row["measure"] not in _MEASURES:
        raise _Broken(
            "measure_is_known",
            "measure",
            row["measure"],
            "there is no such measure",
            remedy=f"Use one of {', '.join(_MEASURES)}.",
        )
    if row["measure"] not in fitting:
        remedy = "Send it as a reading of its interval (`readings`)."
        if fitting:
            remedy = f"Use {' or '.join(fitting)}, or name another channel."
        problem = f"{channel.id} holds {channel.quantity}"
        raise _Broken("measure_fits_channel", "measure", row["measure"], problem, remedy=remedy)
    time = _instant("time", row["time"])
    if time > now + CLOCK_AHEAD:
        remedy = "Check the sender's clock and the offset of its times: they must say their zone, such as Z or +02:00."
        raise _Broken("time_has_come", "time", row["time"], "this instant has not come yet", remedy=remedy)
    value = _number(row["value"])
    if row["measure"] == Measure.POWER:
        known.check_feed_in(channel, value)
    elif row["measure"] == Measure.COUNTER and value < 0:
        remedy = "Send the reading of the meter [kWh], which counts from zero, or the power with measure = power."
        raise _Broken("counter_is_not_negative", "value", value, "a counter is never below zero", remedy=remedy)
    elif row["measure"] in _POSSIBLE and not _POSSIBLE[row["measure"]][0] <= value <= _POSSIBLE[row["measure"]][1]:
        low, high = _POSSIBLE[row["measure"]]
        remedy = f"Send {row['measure']} from {low:g} to {high:g}; what cannot be measured is left out."
        raise _Broken("value_is_possible", "value", value, f"{row['measure']} cannot be that", remedy=remedy)
    return {"channel": channel.id, "time": time, "measure": row["measure"], "value": value}


def _check_fields(row: Mapping[str, object], fields: Sequence[str], *, optional: Sequence[str] = ()) -> None:
    if len(row) == len(fields) and all(field in row for field in fields):
        return
    if missing := next((field for field in fields if field not in row and field not in optional), None):
        raise _Broken("fields_are_complete", missing, None, "it is missing", remedy=f"A row has {', '.join(fields)}.")
    if other := next((field for field in row if field not in fields), None):
        raise _Broken(
            "fields_are_known",
            str(other)[:100],
            row[other],
            "there is no such field",
            remedy=f"A row has {', '.join(fields)}.",
        )


@lru_cache(maxsize=4096)
def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _instant(field: str, said: object) -> datetime:
    instant = _parsed(said) if isinstance(said, str) and len(said) <= 40 else None  # noqa: PLR2004 - longest ISO text
    if instant is None:
        remedy = "Write it by ISO 8601 with its offset, such as 2026-11-20T08:15:00Z or 2026-11-20T09:15:00+01:00."
        raise _Broken("time_is_readable", field, said, "it is not an instant", remedy=remedy)
    if instant.tzinfo is None:
        remedy = "Write its offset too, such as Z for UTC or +01:00: local times are ambiguous when clocks change."
        raise _Broken("time_has_an_offset", field, said, "it has no offset from UTC", remedy=remedy)
    try:
        instant = instant.astimezone(UTC)
    except OverflowError:
        instant = LATEST
    if not EARLIEST <= instant < LATEST:
        problem = f"it does not lie between {EARLIEST.year} and {LATEST.year}"
        raise _Broken("time_is_likely", field, said, problem, remedy="Check the sender's clock.")
    return instant


def _number(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        remedy = (
            "Send a JSON number without quotes, such as 0.25; a gap is null in `readings` and left out of `samples`."
        )
        raise _Broken("value_is_a_number", "value", said, "it is not a number", remedy=remedy)
    try:
        value = float(said)
    except OverflowError:
        value = float("inf")
    if not isfinite(value):
        remedy = "Send a finite number; a gap is null in `readings` and left out of `samples`."
        raise _Broken("value_is_finite", "value", str(said)[:40], "it is not a finite number", remedy=remedy)
    return value


@lru_cache(maxsize=4096)
def _day_start(year: int, month: int, day: int, zone: str) -> datetime:
    return local_midnight(datetime(year, month, day, tzinfo=UTC).date(), zone)


def _check_start(channel: Channel, time: datetime, zone: str) -> None:
    """Refuse a time at which no interval of the channel begins."""
    local = time.astimezone(ZoneInfo(zone))
    if (time - _day_start(local.year, local.month, local.day, zone)) % channel.resolution:
        step = step_in_words(channel.resolution)
        problem = f"no interval of {channel.id} begins then: its step is {step}"
        remedy = "Send the start of the interval; what a meter tells at any instant goes into `samples`."
        raise _Broken("time_is_a_start", "time", time.isoformat(), problem, remedy=remedy)


def _once(
    table: str, rows: list[tuple[int, dict[str, object]]], key: Sequence[str]
) -> tuple[list[tuple[int, dict[str, object]]], list[RefusedRow]]:
    """Return each key once; the same row again is no fault, another value under the same key is."""
    kept: dict[tuple[object, ...], tuple[int, dict[str, object]]] = {}
    refused: list[RefusedRow] = []
    for place, row in rows:
        name = tuple(row[field] for field in key)
        first = kept.setdefault(name, (place, row))
        if first[1]["value"] != row["value"]:
            problem = f"row {first[0]} says {first[1]['value']} of the same {' and '.join(key)}"
            remedy = "Send one value; a later correction of a reading may come in another request."
            refused.append(
                RefusedRow(table, place, "value", row["value"], "value_differs_within_request", problem, remedy)
            )
    return list(kept.values()), refused


def _keep_readings(
    store: Store, known: _Known, rows: Sequence[Mapping[str, object]], now: datetime
) -> tuple[int, list[DoubtedRows]]:
    """Keep readings and return how many were new, and which are doubted."""
    new, doubted = 0, []
    schema = {"channel": pl.String(), "time": INSTANT, "value": pl.Float64(), "available_at": INSTANT}
    frame = pl.DataFrame([[row[name] for name in schema] for row in rows], schema=schema, orient="row")
    channels = [known.channels[name] for name in frame["channel"].unique()]
    steps = {channel.id: channel.resolution for channel in channels}
    sites = {channel.id: channel.site for channel in channels}
    frame = frame.rename({"available_at": "said"}).with_columns(
        published=pl.col("time") + pl.col("channel").replace_strict(steps, return_dtype=pl.Duration("us"))
    )
    for site in sorted(set(sites.values())):
        sender = f"{SENDER}:{site}"
        part = frame.filter(pl.col("channel").is_in([name for name in sites if sites[name] == site]))
        stamped = stamp(part, pl.col("published"), now=now, watched_from=store.watched_from(sender))
        is_said = pl.col("said").is_not_null()
        is_ahead = pl.col("channel").is_in([each.id for each in channels if each.quantity in KNOWN_AHEAD])
        begun = pl.max_horizontal("available_at", "time")  # a clock may be a little ahead
        stamped = stamped.with_columns(
            available_at=pl.coalesce("said", pl.when(is_ahead).then("available_at").otherwise(begun)),
            quality=pl.when(is_said).then(pl.lit(0, pl.Int16)).otherwise("quality"),
        )
        checked = Readings.validate(stamped.select(Readings.column_names()).sort("channel", "time"))
        judged = flagged(checked, [each for each in channels if each.site == site], store)
        new += store.append(judged)
        store.watch(sender, now)
        doubted += [
            _doubted(known.channels[name], quality, count) for (name, quality), count in count_doubts(judged).items()
        ]
    return new, doubted


def _doubted(channel: Channel, quality: Quality, count: int) -> DoubtedRows:
    remedy = (
        f"They are kept, and neither shown as used nor learned from. {channel.id} is in {channel.unit_in_words}: if "
        "they are in another unit, send the same intervals again in this one."
    )
    return DoubtedRows(channel.id, str(quality.name).lower(), count, DOUBTS[quality], remedy)


def _keep_samples(
    store: Store, rows: Sequence[tuple[int, dict[str, object]]], now: datetime, settler: Settler | None
) -> tuple[int, list[RefusedRow]]:
    """Keep samples and return how many were new, and those that contradict what is kept of their instant."""
    places = [place for place, _row in rows]
    schema = {"channel": pl.String(), "time": INSTANT, "measure": pl.String(), "value": pl.Float64()}
    frame = pl.DataFrame([[row[name] for name in schema] for _place, row in rows], schema=schema, orient="row")
    complete = frame.with_columns(recorded_at=pl.lit(now).cast(INSTANT))
    n_new = store.append_samples(Samples.validate(complete.select(Samples.column_names())))
    if settler is not None:
        settler.came(frame, now)  # also of those that were kept before: whoever sent them may not have heard of it
    if n_new == frame.height:
        return n_new, []
    first, last = frame.select(pl.col("time").min(), last=pl.col("time").max()).row(0)
    window = Window(first, last + timedelta(microseconds=1))
    key = ["channel", "time", "measure"]
    kept = store.samples(frame["channel"].unique().to_list(), window).select(*key, kept="value")
    beside = frame.with_columns(place=pl.Series(places)).join(kept, on=key, how="left")
    others = beside.filter(pl.col("value") != pl.col("kept"))
    remedy = "A meter tells one value at an instant: send a later one with its own time."
    return n_new, [
        RefusedRow(
            "samples",
            row["place"],
            "value",
            row["value"],
            "instant_is_taken",
            f"{row['kept']} is kept of this instant",
            remedy,
        )
        for row in others.iter_rows(named=True)
    ]


def _plain(text: str) -> str:
    """Return a text as every store and answer can hold it: without halves of characters and without zeros."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def _quarantined(
    refused: Sequence[RefusedRow], sent: Mapping[str, Sequence[Mapping[str, object]]], known: _Known, now: datetime
) -> dy.DataFrame[Refused]:
    rows = []
    for each in refused:
        row = sent[each.table][each.row]
        name = row.get("channel")
        channel = known.channels.get(name) if isinstance(name, str) else None
        sender = f"{SENDER}:{channel.site}" if channel is not None else SENDER
        text = json.dumps(row, default=str)[:_LONGEST_ROW]
        rows.append((sender, _plain(str(name))[:200] if name is not None else None, each.rule, text, now))
    return Refused.validate(pl.DataFrame(rows, schema=Refused.create_empty().schema, orient="row"))
