"""What a home, its zones and its devices draw now, and what they used today: what was told, and nothing guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.channel import FEEDS_IN, home_limits, may_feed_in
from watthour.core.counter import CounterRules, count
from watthour.core.errors import InvalidInput
from watthour.core.frames import Measure
from watthour.core.loads import loads_of_device, loads_of_zone, main_load
from watthour.core.quality import is_trusted
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import DAY, HOUR, Window, local_instant, local_midnight, step_in_words
from watthour.workflows.homes import channels_of, devices_of, part_named, zones_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.channel import Channel, DeviceKind, Site
    from watthour.core.ports import Store

PartKind = Literal["home", "zone", "device"]
PastStep = Literal["interval", "hour", "day"]

_LOOKED_BACK = (timedelta(minutes=15), DAY, 14 * DAY)  # for the newest sample, until there is one
_MOST_W = home_limits(Unit.W, HOUR).high or float("inf")  # more is no power of a home, but a fault of the sender
_COUNTED = timedelta(minutes=5)  # a counter's power is its mean over at least so long
_LONGEST_COUNTED = HOUR
_NEVER_LATE = timedelta(minutes=1)  # however often something is heard
_SPACING_DAYS = 7  # that tell how often something is heard
_USUAL_SHARE = 0.95  # of that time lies within spacings that are no longer
_INSTANT = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PATIENCE = 2.0  # usual spacings after which something is late
_STEPS_UNTIL_LATE = 3  # where nothing tells how often readings come


@dataclass(frozen=True, slots=True)
class PartUsage:
    """What a home, a zone or a device draws now and used today; None: it is not known."""

    id: str
    kind: PartKind
    name: str
    device_kind: DeviceKind | None = None
    channel: str | None = None  # None: none, or the sum of several
    power_w: float | None = None  # negative: it is fed in
    heard_at: datetime | None = None  # instant of that power: of a sample, or the end of an interval
    is_late: bool = False  # it should have been heard again by now
    today_kwh: float | None = None  # of those intervals since the local midnight that are known
    today_until: datetime | None = None  # end of the last of them
    yesterday_same_time_kwh: float | None = None  # up to the same local clock the day before
    yesterday_kwh: float | None = None
    known_share_today: float | None = None  # of the intervals that ended since midnight; None: none did


@dataclass(frozen=True, slots=True)
class HomeUsage:
    """What a home and all in it draws now and used today."""

    at: datetime
    parts: tuple[PartUsage, ...]


@dataclass(frozen=True, slots=True)
class _Now:
    """The newest that is known of the power of a channel."""

    power_w: float
    heard_at: datetime
    is_late: bool


@dataclass(frozen=True, slots=True)
class _Days:
    """The local days that are told of."""

    midnight: datetime  # of today
    yesterday: date
    time_zone: str
    now: datetime

    @classmethod
    def of(cls, now: datetime, time_zone: str) -> _Days:
        today = now.astimezone(ZoneInfo(time_zone)).date()
        return cls(local_midnight(today, time_zone), today - DAY, time_zone, now)

    @property
    def past(self) -> Window:
        """Yesterday and today up to now."""
        return Window(self.midnight_before, max(self.now, self.midnight + _INSTANT))

    @property
    def midnight_before(self) -> datetime:
        return local_midnight(self.yesterday, self.time_zone)

    def a_day_before(self, instant: datetime) -> datetime:
        """Return the instant at which the local clock showed the same the day before."""
        clock = instant.astimezone(ZoneInfo(self.time_zone)).time().replace(fold=0)
        return local_instant(self.yesterday, clock, self.time_zone)


@dataclass(frozen=True, slots=True)
class _Energy:
    """The intervals of a channel whose energy is known: ``time`` (start), ``end`` and ``kwh``.

    An interval belongs to the span in which it starts.
    """

    table: pl.DataFrame
    step: timedelta

    def until(self, start: datetime, end: datetime) -> datetime | None:
        """Return the end of the last interval of a span."""
        last: datetime | None = self._inside(start, end)["end"].max()  # type: ignore[assignment]  # of instants
        return last

    def kwh(self, start: datetime, end: datetime) -> float | None:
        """Return the energy of the known intervals of a span; None where none is known."""
        inside = self._inside(start, end)
        return float(inside["kwh"].sum()) if inside.height else None

    def all_kwh(self, start: datetime, end: datetime) -> float | None:
        """Return the energy of a span of which each interval is known, else None."""
        inside = self._inside(start, end)
        return float(inside["kwh"].sum()) if inside.height >= max(1, self._n_starting(start, end)) else None

    def share(self, start: datetime, now: datetime) -> float | None:
        """Return which share of the intervals that ended since an instant is known; None: none did."""
        n_due = self._n_starting(start, now - self.step + _INSTANT)
        return min(1.0, self._inside(start, now).height / n_due) if n_due > 0 else None

    def _inside(self, start: datetime, end: datetime) -> pl.DataFrame:
        return self.table.filter(pl.col("time").is_between(start, end, closed="left"))

    def _n_starting(self, start: datetime, end: datetime) -> int:
        """Return how many intervals start in a span; those of a day may last 23 or 25 hours."""
        if self.step >= DAY:
            return max(0, round((end - start) / DAY)) if self.step == DAY else 0
        origin = self.table["time"].min()  # steps of hours begin at local midnights, whatever the offset of the place
        first = start + ((origin if isinstance(origin, datetime) else _EPOCH) - start) % self.step
        return max(0, -((first - end) // self.step))


@dataclass(frozen=True, slots=True)
class _Part:
    """Something whose usage is told, and the channels whose sum it is."""

    id: str
    kind: PartKind
    name: str
    channels: tuple[Channel, ...]
    device_kind: DeviceKind | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store tells of the channels of a home."""

    now: Mapping[str, _Now]
    energy: Mapping[str, _Energy]


def home_usage(store: Store, home: Site, *, now: datetime) -> HomeUsage:
    """Return what a home, each zone and each device draws now, and what it used today and yesterday.

    The power is that of the newest sample, of the rise of the counter over the last minutes, or else the mean of the
    newest interval that is known. The load of a zone is the sum of what is measured in it; where one of its channels is
    not known the sum is not known either.

    Args:
        store: with its readings and samples.
        home: which.
        now: the present.
    """
    parts = _parts(store, home)
    channels = list({channel.id: channel for part in parts for channel in part.channels}.values())
    days = _Days.of(now, home.place.time_zone)
    energy = _energy(store, channels, days)
    known = _Known(_powers(store, home, channels, energy, now), energy)
    return HomeUsage(now, tuple(_usage(part, known, days) for part in parts))


def _parts(store: Store, home: Site) -> list[_Part]:
    """Return the home, its zones and its devices with the channels of their loads."""
    channels = channels_of(store, home)
    devices = devices_of(store, home)
    main = main_load(home, channels)
    parts = [_Part(home.id, "home", home.name, () if main is None else (main,))]
    parts += [
        _Part(zone.id, "zone", zone.name, tuple(loads_of_zone(zone, devices, channels)))
        for zone in zones_of(store, home)
    ]
    parts += [
        _Part(each.id, "device", each.name, tuple(loads_of_device(each, channels)), each.kind) for each in devices
    ]
    return parts


def _usage(part: _Part, known: _Known, days: _Days) -> PartUsage:
    """Add up what is known of the channels of a part."""
    usage = PartUsage(part.id, part.kind, part.name, part.device_kind)
    if not part.channels:
        return usage
    told = [known.now.get(channel.id) for channel in part.channels]
    heard = [each for each in told if each is not None]
    energy = [known.energy[channel.id] for channel in part.channels]
    midnight, now = days.midnight, days.now
    ends = [each.until(midnight, now) for each in energy]
    until = None if None in ends else min(end for end in ends if end is not None)
    shares = [each.share(midnight, now) for each in energy]
    due = [share for share in shares if share is not None]
    today = yesterday_then = None
    if until is not None:
        today = _sum([each.kwh(midnight, until) for each in energy])
        then = days.a_day_before(until)
        if then > days.midnight_before:
            yesterday_then = _sum([each.all_kwh(days.midnight_before, then) for each in energy])
    return PartUsage(
        part.id,
        part.kind,
        part.name,
        part.device_kind,
        part.channels[0].id if len(part.channels) == 1 else None,
        _sum([None if each is None else each.power_w for each in told]),
        min(each.heard_at for each in heard) if len(heard) == len(told) else None,
        any(each.is_late for each in heard),
        today,
        until if today is not None else None,
        yesterday_then,
        _sum([each.all_kwh(days.midnight_before, midnight) for each in energy]),
        sum(due) / len(due) if due else None,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum of values that are all known, else None."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _energy(store: Store, channels: Sequence[Channel], days: _Days) -> dict[str, _Energy]:
    """Return the known intervals of yesterday and today of each channel."""
    tables = energy_tables(store, channels, days.past, days.time_zone, days.now)
    return {channel.id: _Energy(tables[channel.id], channel.resolution) for channel in channels}


def energy_tables(
    store: Store, channels: Sequence[Channel], window: Window, time_zone: str, now: datetime
) -> dict[str, pl.DataFrame]:
    """Return the known intervals of each channel that start in a window and have ended: ``time``, ``end``, ``kwh``.

    A channel with steps of weeks or months has none, as they are of no day.
    """
    names = [channel.id for channel in channels]
    rows = _trusted(pl.DataFrame(store.read(names, window, now))) if names else pl.DataFrame()
    tables = {channel.id: _with_kwh(rows, channel, time_zone) for channel in channels}
    tables |= {each.id: tables[each.id].clear() for each in channels if each.resolution > DAY}
    return {name: table.filter(pl.col("end") <= now) for name, table in tables.items()}


def _trusted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(is_trusted()).drop_nulls("value")


def _with_kwh(rows: pl.DataFrame, channel: Channel, time_zone: str) -> pl.DataFrame:
    """Return the intervals of a channel with their ends and their energy."""
    start = pl.col("time")
    end = start + channel.resolution
    if channel.resolution == DAY:
        end = start.dt.convert_time_zone(time_zone).dt.offset_by("1d").dt.convert_time_zone("UTC")
    if channel.quantity is Quantity.ENERGY:
        kwh = pl.col("value") * conversion(channel.unit, Unit.KWH)[0]
    else:
        hours = (end - start).dt.total_microseconds() / (HOUR / _INSTANT)
        kwh = pl.col("value") * conversion(channel.unit, Unit.KW)[0] * hours
    return rows.filter(pl.col("channel") == channel.id).select("time", end.alias("end"), kwh.alias("kwh"))


def _powers(
    store: Store, home: Site, channels: Sequence[Channel], energy: Mapping[str, _Energy], now: datetime
) -> dict[str, _Now]:
    """Return the newest power of each channel of which one is known."""
    devices = {device.id: device for device in devices_of(store, home)}
    is_fed_home = any(device.kind in FEEDS_IN for device in devices.values())
    found: dict[str, _Now] = {}
    waiting = {channel.id: channel for channel in channels}
    for back in _LOOKED_BACK:
        if not waiting:
            break
        window = Window(now - back, now + _INSTANT)
        samples = pl.DataFrame(store.samples(list(waiting), window))
        for (name,), rows in samples.partition_by("channel", as_dict=True).items():
            channel = waiting[str(name)]
            is_signed = may_feed_in(devices.get(channel.device or ""), is_fed_home=is_fed_home)
            if (told := _told_power(rows, is_signed=is_signed)) is not None:
                power, heard_at = told
                del waiting[channel.id]
                is_late = now - heard_at > _patience_of_samples(store, channel, heard_at, now)
                found[channel.id] = _Now(power, heard_at, is_late)
    spans = store.spans()
    for channel in waiting.values():
        if channel.id in spans:
            last = _newest_interval(store, channel, energy[channel.id], spans[channel.id][1], home, now)
            if last is not None:
                found[channel.id] = last
    return found


def _told_power(rows: pl.DataFrame, *, is_signed: bool) -> tuple[float, datetime] | None:
    """Return the power that the samples of a channel tell last, and when; None: they tell none."""
    power = rows.filter(pl.col("measure") == str(Measure.POWER), pl.col("value").abs() <= _MOST_W)
    if not is_signed:  # a device that cannot feed in: such samples do not count
        power = power.filter(pl.col("value") >= 0)
    if power.height:
        return float(power["value"][-1]), power["time"][-1]
    stands = rows.filter(pl.col("measure") == str(Measure.COUNTER))
    counted = count(
        stands["time"].to_physical().to_numpy(), stands["value"].to_numpy(), CounterRules(is_signed=is_signed)
    )
    if len(counted.time) < 2:  # noqa: PLR2004 - a rise has two ends
        return None
    since = counted.time[-1] - counted.time[:-1]
    enough = np.flatnonzero(since >= _COUNTED / _INSTANT)
    first = int(enough[-1]) if len(enough) else 0
    elapsed = int(since[first])
    if elapsed > _LONGEST_COUNTED / _INSTANT:
        return None
    kwh = float(counted.rise[first + 1 :].sum())
    if np.isnan(kwh):
        return None
    heard: datetime = stands["time"][int(counted.place[-1])]
    return kwh * 1000 / (elapsed * _INSTANT / HOUR), heard


def _newest_interval(
    store: Store, channel: Channel, energy: _Energy, last: datetime, home: Site, now: datetime
) -> _Now | None:
    """Return the mean power of the newest interval that is known."""
    table = energy.table.sort("time")
    if table.is_empty():
        before = Window(min(last, now) - _SPACING_DAYS * DAY, min(last, now) + channel.resolution)
        rows = _trusted(pl.DataFrame(store.read([channel.id], before, now)))
        table = _with_kwh(rows, channel, home.place.time_zone).filter(pl.col("end") <= now).sort("time")
    if table.is_empty():
        return None
    start, end, kwh = table.row(-1)
    age = now - end
    is_late = age > _STEPS_UNTIL_LATE * channel.resolution and age > _patience_of_readings(store, channel, end, now)
    return _Now(kwh * 1000 / ((end - start) / HOUR), end, is_late)


def _patience_of_samples(store: Store, channel: Channel, heard_at: datetime, now: datetime) -> timedelta:
    """Return how long a channel with samples may be silent, from how long it was in the week before."""
    if now - heard_at <= _NEVER_LATE:
        return _NEVER_LATE
    window = Window(heard_at - _SPACING_DAYS * DAY, heard_at + _INSTANT)
    times = store.samples([channel.id], window)["time"].unique().sort()
    usual = _usual(times.diff().drop_nulls()) or channel.resolution
    return max(_NEVER_LATE, _PATIENCE * usual)


def _patience_of_readings(store: Store, channel: Channel, end: datetime, now: datetime) -> timedelta:
    """Return how old the newest reading may become, from how old each was when the next came."""
    window = Window(end - _SPACING_DAYS * DAY - channel.resolution, end)
    rows = pl.DataFrame(store.versions([channel.id], window, now))
    came = (
        rows.group_by("time")
        .agg(pl.col("available_at").min())
        .group_by("available_at")
        .agg(end=pl.col("time").max() + channel.resolution)
        .sort("available_at")
        .with_columns(pl.col("end").cum_max())
    )
    ages = (came["available_at"].shift(-1) - came["end"]).drop_nulls()
    usual = _usual(ages.filter(ages > timedelta(0)))
    return timedelta(0) if usual is None else _PATIENCE * usual


def _usual(spacings: pl.Series) -> timedelta | None:
    """Return the spacing in or below which nearly all of the time lies; None where there is no spacing."""
    if spacings.is_empty():
        return None
    ordered = spacings.dt.total_microseconds().sort()
    share = ordered.cum_sum() / ordered.sum()
    place = int((share < _USUAL_SHARE).sum())
    return timedelta(microseconds=int(ordered[place]))


MOST_SPANS = 10_000
_HOURS_UP_TO_DAYS = 8  # longer pasts are told day by day, if nobody says otherwise


@dataclass(frozen=True, slots=True)
class SpanUse:
    """What something used in an interval, an hour or a day."""

    start: datetime
    end: datetime
    kwh: float | None  # of the part that is known; None: nothing is
    power_w: float | None  # mean over the part that is known
    known_share: float  # of the part that has passed


@dataclass(frozen=True, slots=True)
class PastUse:
    """What a home, a zone or a device used over some days."""

    id: str
    kind: PartKind
    name: str
    channels: tuple[str, ...]
    is_simulated: bool
    step: timedelta
    spans: tuple[SpanUse, ...]


def past_use(
    store: Store,
    home: Site,
    *,
    first: date,
    last: date,
    now: datetime,
    device: str | None = None,
    zone: str | None = None,
    step: PastStep | None = None,
) -> PastUse:
    """Return what a home, or a device or a zone in it, used over local days.

    Spans of which no interval has ended yet are left out, as nothing of them can be known.

    Args:
        store: with its readings.
        home: which.
        first: first local day.
        last: last one.
        now: the present.
        device: id or name of a device.
        zone: id or name of a zone; where neither is named, the home.
        step: how finely; by default the channel's own intervals for one day, hours for a week, else days.

    Raises:
        UnknownName: the home has no such part.
        InvalidInput: both a device and a zone are named, or the days cannot be.
    """
    if device is not None and zone is not None:
        raise InvalidInput("zone", zone, "a device is named too", remedy="Name a device or a zone.")
    if last < first:
        raise InvalidInput("start", f"{first}", f"it must not be later than end = {last}", remedy="Swap them.")
    part = _part_asked(store, home, device, zone)
    finest = max((channel.resolution for channel in part.channels), default=HOUR)
    days = (last - first) // DAY + 1
    asked = step or ("interval" if days == 1 else "hour" if days <= _HOURS_UP_TO_DAYS else "day")
    length = max(finest, {"interval": finest, "hour": HOUR, "day": DAY}[asked])
    if days * (DAY / length) > MOST_SPANS:
        problem = f"{days} days in steps of {step_in_words(length)} are too many values"
        raise InvalidInput("step", asked, problem, remedy="Ask for fewer days, or for step=day.")
    window = Window(local_midnight(first, home.place.time_zone), local_midnight(last + DAY, home.place.time_zone))
    tables = energy_tables(store, part.channels, window, home.place.time_zone, now)
    edges = _edges(first, last, length, home.place.time_zone)
    spans = _spans(edges, [(tables[channel.id], channel.resolution) for channel in part.channels], now)
    names = tuple(channel.id for channel in part.channels)
    is_simulated = home.is_simulated or any(channel.is_simulated for channel in part.channels)
    return PastUse(part.id, part.kind, part.name, names, is_simulated, length, spans)


def _part_asked(store: Store, home: Site, device: str | None, zone: str | None) -> _Part:
    wanted = home.id
    if device is not None:
        wanted = part_named("device", device, devices_of(store, home)).id
    elif zone is not None:
        wanted = part_named("zone", zone, zones_of(store, home)).id
    return next(part for part in _parts(store, home) if part.id == wanted)


def _edges(first: date, last: date, length: timedelta, time_zone: str) -> list[datetime]:
    """Return where spans begin, and where the last ends: each day begins anew at its midnight."""
    edges = []
    for n in range((last - first) // DAY + 1):
        start, end = (local_midnight(first + (n + more) * DAY, time_zone) for more in (0, 1))
        count = 1 if length >= DAY else -((start - end) // length)
        edges += [start + k * length for k in range(count)]
    return [*edges, local_midnight(last + DAY, time_zone)]


def _spans(
    edges: Sequence[datetime], tables: Sequence[tuple[pl.DataFrame, timedelta]], now: datetime
) -> tuple[SpanUse, ...]:
    """Add up the intervals of each channel that start in a span, and the channels of what is asked."""
    micros = np.array([(edge - _EPOCH) // _INSTANT for edge in edges])
    n_spans = len(edges) - 1
    kwh, watts, shares, is_due = np.zeros(n_spans), np.zeros(n_spans), np.zeros(n_spans), np.zeros(n_spans, bool)
    hour, present = HOUR / _INSTANT, (now - _EPOCH) // _INSTANT
    for table, step in tables:
        start = table["time"].dt.epoch("us").to_numpy()
        length = table["end"].dt.epoch("us").to_numpy() - start
        place = np.searchsorted(micros, start, side="right") - 1
        hours = np.bincount(place, length / hour, n_spans)
        energy = np.bincount(place, table["kwh"].to_numpy(), n_spans)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(hours > 0, energy * 1000 / hours, np.nan)
        passed = np.minimum(micros[1:], present) - micros[:-1]
        # Of a span that is not over, the interval that is running cannot be known yet.
        due = np.where(micros[1:] <= present, passed, passed // (step // _INSTANT) * (step // _INSTANT))
        is_due |= due > 0
        kwh += np.where(hours > 0, energy, np.nan)
        watts += mean
        shares += np.clip(hours * hour / np.maximum(due, 1), 0, 1) / len(tables)
    return tuple(
        SpanUse(edges[n], edges[n + 1], _known(kwh[n]), _known(watts[n]), float(shares[n]))
        for n in np.flatnonzero(is_due).tolist()
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
