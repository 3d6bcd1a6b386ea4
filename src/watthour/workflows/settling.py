"""The samples that came, whoever sent them, become readings soon after: one way for devices and for HTTP."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import structlog

from watthour.core.channel import FEEDS_IN, may_feed_in
from watthour.core.errors import WatthourError
from watthour.core.frames import Measure, measures_of
from watthour.core.metering import MeterRules
from watthour.core.window import HOUR
from watthour.workflows.intervals import NEAR_STEPS, Due, make_readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from watthour.core.channel import Channel
    from watthour.core.ports import Store
    from watthour.workflows.links import Link, Links

LATE = HOUR  # samples that are older than this when they come become readings before they are acknowledged
LOOK_EVERY_S = 1.0
SHORTEST_TURN = timedelta(seconds=1)  # of a channel
TURNS = 15  # in a step, beside one whenever an interval has ended
SHORTEST_LOOK = timedelta(minutes=1)  # between such turns: each costs 20 ms, and thousands of channels have short steps
LONGEST_WAIT_S = 10.0
MOST_AT_ONCE = 50  # channels whose readings are made and kept together
_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Span:
    """The first and the last instant of samples."""

    first: datetime
    last: datetime

    def joined(self, other: _Span | None) -> _Span:
        return self if other is None else _Span(min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True)
class _Made:
    """When readings of a channel were made last, up to which sample, and the step of the channel."""

    at: datetime
    last: datetime
    step: timedelta
    has_no_counter: bool  # in the time that was looked at


class Settler:
    """Makes the readings of the intervals that samples end or change; threads may share it.

    Args:
        store: where samples and readings are.
        links: which thing fills which channel, and how often it is heard at least.
    """

    def __init__(self, store: Store, links: Links) -> None:
        self._store = store
        self._links = links
        self._log = structlog.get_logger("watthour.settling")
        self._working = threading.Lock()  # one thread makes readings at a time
        self._lock = threading.Lock()  # guards what follows
        self._waiting: dict[str, _Span] = {}  # per channel, samples that its readings do not count yet
        self._made: dict[str, _Made] = {}
        self._is_taken_up = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, clock: Callable[[], datetime]) -> None:
        """Begin to make readings in a thread, first those that an earlier process left to do."""

        def work() -> None:
            self._guard(lambda: self.take_up(clock()))
            while not self._stopping.wait(LOOK_EVERY_S):
                self._guard(lambda: self.settle(clock()))
            self._guard(lambda: self.settle(clock(), is_last=True))

        self._stopping.clear()
        self._thread = threading.Thread(target=work, name="watthour-settle", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make what can be made now and end the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LONGEST_WAIT_S)

    def came(self, samples: pl.DataFrame, now: datetime) -> None:
        """Remember that samples came, which are kept; readings of late ones are made before it returns.

        A process that ends forgets what it had still to do. The next one looks at what came since the last reading, and
        a little before: late samples would be missed.

        Raises:
            StoreError: the readings of late samples cannot be kept now.
        """
        spans = samples.group_by("channel").agg(pl.col("time").min(), last=pl.col("time").max())
        late = []
        with self._lock:
            for name, first, last in spans.iter_rows():
                self._waiting[name] = _Span(first, last).joined(self._waiting.get(name))
                if first < now - LATE:
                    late.append(name)
        if late:
            self.settle(now, only=late)

    def take_up(self, now: datetime) -> None:
        """Look again at the last samples: a process may have ended before their readings were made."""
        with self._lock:
            if self._is_taken_up:
                return
            self._is_taken_up = True
        spans = self._store.spans()
        for channel in self._store.channels():
            if not measures_of(channel.quantity) or channel.variable is not None or channel.is_simulated:
                continue
            first = min(spans[channel.id][1], now) - 2 * LATE if channel.id in spans else _EPOCH
            with self._lock:
                self._waiting[channel.id] = _Span(first, first).joined(self._waiting.get(channel.id))

    def settle(self, now: datetime, *, is_last: bool = False, only: Iterable[str] | None = None) -> int:
        """Make the readings that new samples end or change; return how many versions were new.

        A channel has its turn when an interval has ended, and each fifteenth of its step, so that long steps are not
        looked at all the time.

        Args:
            now: the present.
            is_last: every channel has its turn.
            only: these channels have their turn, and no others.

        Raises:
            StoreError: some could not be made; they are made the next time.
        """
        with self._working:
            with self._lock:
                named = self._waiting.keys() if only is None else self._waiting.keys() & set(only)
                turns = sorted(name for name in named if is_last or only is not None or self._has_turn(name, now))
            return self._make(turns, now) if turns else 0

    def _has_turn(self, name: str, now: datetime) -> bool:
        made, span = self._made.get(name), self._waiting[name]
        if made is None:
            return True
        passed, begun = now - made.at, _interval(made.last, made.step)
        if passed < SHORTEST_TURN:
            return False
        return (
            passed >= max(made.step / TURNS, SHORTEST_LOOK)
            or _interval(span.last, made.step) > begun
            or span.first < begun
        )

    def _make(self, names: list[str], now: datetime) -> int:
        rules = rules_of(self._store, names, self._links.all())
        n_made, failures = 0, []
        for begin in range(0, len(names), MOST_AT_ONCE):
            together = names[begin : begin + MOST_AT_ONCE]
            with self._lock:
                spans = {name: self._waiting.pop(name) for name in together}  # what comes now has a turn of its own
            due = {name: self._due(*rules[name], spans[name]) for name in together if name in rules}  # others are gone
            try:
                n_made += self._make_together(list(due.values()), spans, now)
            except Exception:  # noqa: BLE001 - each is tried by itself
                for name, each in due.items():
                    try:
                        n_made += self._make_together([each], spans, now)
                    except Exception as error:  # noqa: BLE001 - raised below; the other channels are made all the same
                        failures.append(error)
                        with self._lock:
                            self._waiting[name] = spans[name].joined(self._waiting.get(name))
        if failures:
            raise failures[-1]
        return n_made

    def _due(self, channel: Channel, rules: MeterRules, span: _Span) -> Due:
        """Return what is to be done for a channel: from the last sample that counted on, as silence may follow it.

        Less is looked at where no counter was seen up to just before what is new.
        """
        made = self._made.get(channel.id)
        if made is None:
            return Due(channel, rules, span.first)
        since = min(span.first, made.last)
        is_plain = made.has_no_counter and since - NEAR_STEPS * rules.step <= made.at
        return Due(channel, rules, since, has_no_counter=is_plain)

    def _make_together(self, due: list[Due], spans: Mapping[str, _Span], now: datetime) -> int:
        if not due:
            return 0
        n_made, plain = make_readings(self._store, due, now=now)
        for each in due:
            name = each.channel.id
            self._made[name] = _Made(now, spans[name].last, each.channel.resolution, name in plain)
        return n_made

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            work()
        except WatthourError as error:
            self._log.warning("not_settled", problem=error.problem, remedy=error.remedy)
        except Exception:  # noqa: BLE001 - the next look comes, whatever one met
            self._log.exception("settling_failed")


def _interval(instant: datetime, step: timedelta) -> datetime:
    """Return about when the interval of an instant began; local days begin a little apart."""
    return _EPOCH + (instant - _EPOCH) // step * step


def by_channel(links: Iterable[Link]) -> dict[str, Link]:
    """Return one link for each channel: where several things fill it, what holds for all of them."""
    found: dict[str, Link] = {}
    for link in links:
        other = found.get(link.channel, link)
        beats = (link.heartbeat_s, other.heartbeat_s)
        slowest = None if None in beats else max(beat for beat in beats if beat is not None)
        found[link.channel] = replace(link, heartbeat_s=slowest)
    return found


def rules_of(store: Store, names: Iterable[str], links: Mapping[str, Link]) -> dict[str, tuple[Channel, MeterRules]]:
    """Return channels by id, each with how its samples become readings; unknown names have none."""
    link_of = by_channel(links.values())
    zones = {site.id: site.place.time_zone for site in store.sites()}
    devices = {device.id: device for device in store.devices()}
    feeding = {device.site for device in devices.values() if device.kind in FEEDS_IN}
    wanted = set(names)
    found = {}
    for channel in store.channels():
        if channel.id in wanted:
            is_signed = may_feed_in(devices.get(channel.device or ""), is_fed_home=channel.site in feeding)
            rules = meter_rules(channel, link_of.get(channel.id), zones[channel.site], is_signed=is_signed)
            found[channel.id] = (channel, rules)
    return found


def meter_rules(channel: Channel, link: Link | None, time_zone: str, *, is_signed: bool) -> MeterRules:
    """Return how the samples of a channel become readings: what was told holds until the next is told.

    Where no thing fills the channel, somebody sends its samples and promises nothing. A sensor has rules of its own.
    """
    heartbeat = None if link is None or link.heartbeat_s is None else timedelta(seconds=link.heartbeat_s)
    measure = measures_of(channel.quantity)[0]
    if measure is not Measure.POWER:
        return MeterRules.sensed(channel.resolution, heartbeat, measure, time_zone=time_zone)
    return MeterRules.on_change(channel.resolution, heartbeat, time_zone=time_zone, is_signed=is_signed)
