"""Listen to things that tell by themselves: what a person has added fills its channel, the rest is shown as found."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

import polars as pl
import structlog

from watthour.core.errors import InvalidInput, UnknownName, WatthourError
from watthour.core.frames import INSTANT, Measure, Refused, Samples, measures_of
from watthour.core.heard import UNIT_OF, Heard, Tells, Thing
from watthour.core.ports import Archive, RunState, SourceRun
from watthour.core.units import Unit
from watthour.core.window import HOUR, Window
from watthour.workflows.homes import DeviceWords, add_device, home_named, zone_channel
from watthour.workflows.links import Link
from watthour.workflows.own_sites import ChannelWords, change_site
from watthour.workflows.settling import Settler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watthour.core.channel import Channel
    from watthour.core.heard import Fault, LineState, Told
    from watthour.core.ports import Store, Subscription
    from watthour.workflows.links import Links

MOST_FOUND = 2_000  # things that are remembered; a large home has a few hundred
MOST_FAULTS = 1_000  # rule and topic, each of which is quarantined once
SETTLE_EVERY_S = 15.0  # how often it is looked whether an interval has ended
NOTE_EVERY = timedelta(hours=1)  # the log of runs; a failure is noted at once
LOOK_FOR_LINES_S = 1.0  # how soon a source that was added is heard
LONGEST_WAIT_S = 10.0
_MEASURE = {tells: Measure(tells) for tells in Tells}
_QUARTER = timedelta(minutes=15)
_MINUTES_KEPT = 61
_KEPT_AS = {  # the first that a thing tells is what its channel holds
    Tells.COUNTER: ("energy", Unit.KWH),
    Tells.POWER: ("power", Unit.KW),
    Tells.TEMPERATURE: ("temperature", Unit.CELSIUS),
    Tells.HUMIDITY: ("humidity", Unit.PERCENT),
    Tells.OCCUPANCY: ("occupancy", Unit.PERCENT),
}
_LOADS = frozenset({Tells.COUNTER, Tells.POWER})
_SAMPLE = {
    "channel": pl.String(),
    "time": INSTANT,
    "measure": pl.String(),
    "recorded_at": INSTANT,
    "value": pl.Float64(),
}


@dataclass(frozen=True, slots=True)
class LastValue:
    """The last value that a thing told."""

    value: float
    heard_at: datetime
    time: datetime | None  # when it was true; None: not known


@dataclass(frozen=True, slots=True)
class Found:
    """A thing that was heard, and the channel it fills."""

    thing: Thing
    source: str
    values: Mapping[Tells, LastValue] = field(default_factory=dict)
    channel: str | None = None  # None: nobody has added it


@dataclass(frozen=True, slots=True)
class ThingWords:
    """How a person adds a thing: to a channel there is, or as a new device of a home; nothing of it is checked yet."""

    key: str
    channel: str | None = None  # id of a channel there is
    home: str | None = None  # id or name
    name: str | None = None  # of the device; None: as the thing calls itself
    kind: str | None = None  # of the device; None: a sensor where it tells no load, else other
    step: timedelta = _QUARTER
    zone: str | None = None  # id or name of the part of the home where the device stands, or of which a sensor tells
    is_main: bool = False  # it measures the whole home: its values fill the channel that is forecast


class Listener:
    """What one process hears; `start` and `stop` belong together.

    Args:
        store: where samples and readings go.
        lines: to the things.
        links: which thing fills which channel.
        settler: makes readings of the samples; None: one of its own.
        renewed: tells the lines that there should be now; None: they stay as they are.
        is_only_looking: keep nothing, only remember what was found.
        clock: tells the present.
    """

    def __init__(
        self,
        store: Store,
        lines: Sequence[Subscription],
        links: Links,
        *,
        settler: Settler | None = None,
        renewed: Callable[[], Sequence[Subscription]] | None = None,
        is_only_looking: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._is_only_looking = is_only_looking
        self._lines = list(lines)
        self._renewed = renewed
        self._links = links
        self._settler = settler or Settler(store, links)
        self._now = clock
        self._log = structlog.get_logger("watthour.listening")
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []  # beside those of the lines
        self._hearing: dict[int, tuple[threading.Thread, threading.Event]] = {}  # by line, the object
        self._lock = threading.Lock()  # guards what follows
        self._found: OrderedDict[str, Found] = OrderedDict()
        self._faults: dict[tuple[str, str], int] = {}
        self._minutes: dict[str, deque[tuple[datetime, int]]] = {}  # per line, values of each minute of the last hour
        self._counted: dict[str, tuple[int, int]] = {}  # per line, rows that were new and refused since the last note
        self._noted: dict[str, tuple[datetime, str | None]] = {}  # per line, when it was noted and its problem then

    def start(self) -> None:
        """Begin to listen, each line in a thread of its own."""
        self._settler.take_up(self._now())
        self._resume(self._lines)
        for line in self._lines:
            self._begin(line)
        works: dict[str, Callable[[], None]] = {}
        if not self._is_only_looking:
            works["intervals"] = self._keep_time
        if self._renewed is not None:
            works["lines"] = partial(self._look_for_lines, self._renewed)
        for name, work in works.items():
            thread = threading.Thread(target=work, name=f"watthour-listen-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _resume(self, lines: Sequence[Subscription]) -> None:
        """Let lines that can be asked for the past begin where they were heard last."""
        archives = [line for line in lines if isinstance(line, Archive)]
        if not archives or self._is_only_looking:
            return
        spans = self._store.spans()
        known = {key: spans[link.channel][1] for key, link in self._links.all().items() if link.channel in spans}
        for line in archives:
            line.resume({key: since for key, since in known.items() if key.startswith(f"{line.name}/")})

    def _begin(self, line: Subscription) -> None:
        is_over = threading.Event()
        thread = threading.Thread(
            target=line.listen,
            args=(partial(self.take, line.name), is_over),
            name=f"watthour-listen-{line.name}",
            daemon=True,
        )
        self._hearing[id(line)] = (thread, is_over)
        thread.start()

    def stop(self, *, longest_s: float = LONGEST_WAIT_S) -> None:
        """End the listening; what was handed over is kept, what was not is not confirmed.

        Args:
            longest_s: how long to wait for lines that do not end at once. [s]
        """
        self._stopping.set()
        hearing = list(self._hearing.values())
        for _thread, is_over in hearing:
            is_over.set()
        give_up_at = monotonic() + longest_s
        for thread in [*self._threads, *(thread for thread, _is_over in hearing)]:
            thread.join(max(0.0, give_up_at - monotonic()))
        if self._threads and not self._is_only_looking:
            self._guard(lambda: self.settle(is_last=True))
            self._guard(lambda: self._note_lines(is_last=True))

    @property
    def is_listening(self) -> bool:
        """Whether it has begun to listen and was not ended."""
        return bool(self._threads) and not self._stopping.is_set()

    def renew(self, lines: Sequence[Subscription]) -> None:
        """Listen to these lines from now on: those that are gone end, before those that are new begin."""
        gone = [line for line in self._lines if line not in lines]
        new = [line for line in lines if line not in self._lines]
        if not gone and not new:
            return
        for line in gone:
            thread, is_over = self._hearing.pop(id(line), (None, None))
            if thread is not None and is_over is not None:
                is_over.set()
                thread.join(LONGEST_WAIT_S)
        with self._lock:
            for name in {line.name for line in gone} - {line.name for line in lines}:
                self._found = OrderedDict((key, each) for key, each in self._found.items() if each.source != name)
        self._lines = list(lines)
        self._resume(new)
        for line in new:
            self._noted.pop(line.name, None)
            if not self._stopping.is_set():
                self._begin(line)
        self._log.info("hearing", sources=[line.name for line in self._lines])

    def _look_for_lines(self, renewed: Callable[[], Sequence[Subscription]]) -> None:
        while not self._stopping.wait(LOOK_FOR_LINES_S):
            self._guard(lambda: self.renew(renewed()))

    @property
    def states(self) -> list[LineState]:
        """How each line stands."""
        return [line.state for line in list(self._lines)]

    def found(self) -> list[Found]:
        """Return what was heard lately and what fills a channel, by key."""
        links = self._links.all()
        with self._lock:
            known = dict(self._found)
        for key, link in links.items():
            device = "/".join(key.split("/")[:2])
            known.setdefault(key, Found(Thing(key, device, link.name), key.partition("/")[0]))
        return [
            replace(each, channel=links[key].channel if key in links else None) for key, each in sorted(known.items())
        ]

    def faults(self) -> dict[tuple[str, str], int]:
        """Return how often each rule was broken on each topic."""
        with self._lock:
            return dict(self._faults)

    def take(self, source: str, heard: Heard) -> None:
        """Keep what was heard; returns once it is durable.

        Raises:
            StoreError: it cannot be kept now.
            InvalidInput: the file of links is damaged.
        """
        now = self._now()
        links = self._links.all()
        rows = self._rows(heard, {} if self._is_only_looking else links, now)
        new_rows = self._append(rows)
        refused_rows = self._quarantine(source, heard.faults, now)
        with self._lock:
            for told in heard.told:
                self._remember(source, told, now)
            new, refused = self._counted.get(source, (0, 0))
            self._counted[source] = (new + new_rows, refused + refused_rows)
            self._count_minute(source, len(heard.told), now)
        self._settler.came(rows, now)

    def values_of_last_hour(self, source: str) -> int:
        """Return how many values a line has told within an hour."""
        since = self._now() - HOUR
        with self._lock:
            return sum(count for minute, count in self._minutes.get(source, ()) if minute > since)

    def _count_minute(self, source: str, n_values: int, now: datetime) -> None:
        minutes = self._minutes.setdefault(source, deque(maxlen=_MINUTES_KEPT))
        minute = now.replace(second=0, microsecond=0)
        count = minutes.pop()[1] if minutes and minutes[-1][0] == minute else 0
        minutes.append((minute, count + n_values))

    def settle(self, *, is_last: bool = False) -> int:
        """Make the readings of intervals that new samples have ended; return how many were new.

        Args:
            is_last: every channel has its turn.
        """
        return self._settler.settle(self._now(), is_last=is_last)

    def _rows(self, heard: Heard, links: Mapping[str, Link], now: datetime) -> pl.DataFrame:
        rows = [
            (links[told.thing.key].channel, told.time, str(_MEASURE[told.tells]), now, told.value)
            for told in heard.told
            if told.time is not None and told.thing.key in links
        ]
        frame = pl.DataFrame(rows, schema=_SAMPLE, orient="row")
        return frame.unique(["channel", "time", "measure"], keep="first", maintain_order=True)

    def _append(self, rows: pl.DataFrame) -> int:
        if rows.is_empty():
            return 0
        try:
            return self._store.append_samples(Samples.validate(rows))
        except InvalidInput:  # a channel was removed and its link is left
            known = [channel.id for channel in self._store.channels()]
            rest = rows.filter(pl.col("channel").is_in(known))
            if rest.height == rows.height:
                raise
            return self._store.append_samples(Samples.validate(rest)) if rest.height else 0

    def _quarantine(self, source: str, faults: Sequence[Fault], now: datetime) -> int:
        """Keep the first of each rule and topic; the next ones are counted."""
        with self._lock:
            firsts = {(fault.rule, fault.topic): fault for fault in reversed(faults)}
            room = MOST_FAULTS - len(self._faults)
            new = [fault for key, fault in firsts.items() if key not in self._faults][: max(0, room)]
        if new and not self._is_only_looking:
            rows = [
                (source, None, each.rule, json.dumps({"topic": each.topic, "payload": each.payload}), now)
                for each in new
            ]
            self._store.quarantine(
                Refused.validate(pl.DataFrame(rows, schema=Refused.create_empty().schema, orient="row"))
            )
        with self._lock:
            for fault in faults:
                key = (fault.rule, fault.topic)
                if key in self._faults or len(self._faults) < MOST_FAULTS:
                    self._faults[key] = self._faults.get(key, 0) + 1
        return len(faults)

    def _remember(self, source: str, told: Told, now: datetime) -> None:
        key = told.thing.key
        values = {**self._found[key].values} if key in self._found else {}
        values[told.tells] = LastValue(told.value, now, told.time)
        self._found[key] = Found(told.thing, source, values)
        self._found.move_to_end(key)
        if len(self._found) > MOST_FOUND:
            self._found.popitem(last=False)

    def _keep_time(self) -> None:
        while not self._stopping.wait(SETTLE_EVERY_S):
            self._guard(self.settle)
            self._guard(self._note_lines)

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            work()
        except WatthourError as error:
            self._log.warning("not_settled", problem=error.problem, remedy=error.remedy)
        except Exception:  # noqa: BLE001 - listening goes on, whatever one look met
            self._log.exception("settling_failed")

    def _note_lines(self, *, is_last: bool = False) -> None:
        """Log how each line does: at once where it fails or is well again, else now and then."""
        now = self._now()
        for state in self.states:
            noted_at, problem = self._noted.get(state.source, (now, None))
            self._noted.setdefault(state.source, (noted_at, problem))
            if not (is_last or problem != state.problem or now - noted_at >= NOTE_EVERY) or noted_at >= now:
                continue
            with self._lock:
                new, refused = self._counted.pop(state.source, (0, 0))
            how = RunState.FAILED if state.problem else RunState.OK if new or refused else RunState.EMPTY
            window = Window(noted_at, now)
            self._store.note_run(SourceRun(state.source, noted_at, now, window, how, new, refused, state.problem))
            self._noted[state.source] = (now, state.problem)


def add_thing(store: Store, links: Links, found: Sequence[Found], words: ThingWords) -> Link:
    """Let a thing fill a channel: one there is, or that of a new device of a home.

    Args:
        store: where the channel is kept.
        links: where the choice is kept.
        found: what was heard.
        words: what a person says.

    Raises:
        UnknownName: the thing was not heard, or there is no such channel or home.
        InvalidInput: it tells nothing that is kept, or something said cannot be.
    """
    heard = next((each for each in found if each.thing.key == words.key), None)
    if heard is None or not heard.values:
        near = ", ".join(each.thing.key for each in found if each.values)[:300] or "nothing"
        problem = "nothing of this name was heard"
        raise UnknownName("thing", words.key, problem, remedy=f"Wait until it tells something. Heard: {near}.")
    tells = next(each for each in _KEPT_AS if each in heard.values)
    if words.channel is not None:
        channel = _known_channel(store, words.channel, tells)
    elif words.is_main:
        channel = _main_channel(store, words, tells)
    else:
        channel = _new_channel(store, heard, words, tells)
    _check_alone(links, found, heard, channel.id)
    heartbeat = heard.thing.heartbeat
    link = Link(
        channel.id,
        words.name or heard.thing.name,
        None if heartbeat is None else heartbeat.total_seconds(),
    )
    links.add(words.key, link)
    return link


def _known_channel(store: Store, name: str, tells: Tells) -> Channel:
    channels = {channel.id: channel for channel in store.channels() if channel.variable is None}
    if name not in channels:
        listed = ", ".join(list(channels)[:10]) or "none yet"
        problem = "there is no such channel"
        raise UnknownName("channel", name, problem, remedy=f"There are: {listed}. Or name a home for a new device.")
    channel = channels[name]
    if _MEASURE[tells] not in measures_of(channel.quantity) or channel.is_simulated:
        problem = f"it holds {channel.quantity}, and the thing tells {tells}"
        if channel.is_simulated:
            problem = "it is simulated"
        raise InvalidInput("channel", name, problem, remedy="Name another channel, or a home for a new device.")
    return channel


def _main_channel(store: Store, words: ThingWords, tells: Tells) -> Channel:
    """Return the channel of the whole home, made where there is none: energy where the thing counts, else power."""
    if words.home is None:
        remedy = "Name the home that it measures."
        raise InvalidInput("home", None, "it is not said which home it measures", remedy=remedy)
    if tells not in _LOADS:
        remedy = "Add it to a room or as a device instead."
        raise InvalidInput("thing", words.key, f"it tells {tells}, not what the home draws", remedy=remedy)
    home = home_named(store, words.home)
    if home.main_channel is None:
        measured, unit = _KEPT_AS[tells]
        channel = ChannelWords(measured, str(unit), words.step)
        home = change_site(store, (), home.id, {"main": measured}, channels=[channel])
    return _known_channel(store, str(home.main_channel), tells)


def _new_channel(store: Store, heard: Found, words: ThingWords, tells: Tells) -> Channel:
    """Return the channel of the zone that a sensor tells of, else that of a new device, which a thing is."""
    if words.home is None:
        remedy = "Name a channel there is, or a home for a new device."
        raise InvalidInput("home", None, "it is not said where the values go", remedy=remedy)
    measured, unit = _KEPT_AS[tells]
    channel = ChannelWords(measured, str(unit), words.step)
    is_load = tells in _LOADS
    if words.zone is not None and words.kind is None and not is_load:
        return zone_channel(store, words.home, words.zone, channel)
    name = words.name or heard.thing.name
    kind = words.kind or ("other" if is_load else "sensor")
    device = add_device(store, words.home, DeviceWords(name, kind, zone=words.zone, channels=[channel]))
    return next(each for each in store.channels() if each.device == device.id)


def _check_alone(links: Links, found: Sequence[Found], heard: Found, channel: str) -> None:
    """Refuse a second thing that tells the same of one channel: their values would be mixed."""
    others = {key for key, link in links.all().items() if link.channel == channel and key != heard.thing.key}
    for each in found:
        if each.thing.key in others and (both := each.values.keys() & heard.values.keys()):
            problem = f"{each.thing.key} fills {channel} already with its {min(both)}"
            remedy = "Add this one to another channel, or remove the other first."
            raise InvalidInput("thing", heard.thing.key, problem, remedy=remedy)


def shown_value(tells: Tells, value: float) -> str:
    """Return a value in words.

    >>> shown_value(Tells.POWER, 20.5), shown_value(Tells.OCCUPANCY, 1.0)
    ('20.5 W', 'somebody')
    >>> shown_value(Tells.COUNTER, 13580.458333)
    '13,580.458 kWh'
    """
    if tells is Tells.OCCUPANCY:
        return "somebody" if value else "nobody"
    return f"{round(value, 3):,.10g} {UNIT_OF[tells]}"
