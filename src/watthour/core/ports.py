"""The few interfaces behind which every adapter hides; each has one contract suite that all of them pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from threading import Event

    import dataframely as dy

    from watthour.core.bulletin import BoardState, Bulletin, Order
    from watthour.core.channel import Channel, Device, Site, Zone
    from watthour.core.errors import ModelCorrupt, SourceError
    from watthour.core.forecast import Context, History
    from watthour.core.frames import Events, Forecasts, Maker, Readings, Refused, Samples
    from watthour.core.heard import Heard, LineState, Recalled
    from watthour.core.model import Manifest, Promotion, Trial
    from watthour.core.notice import Handed, Notice
    from watthour.core.place import FoundPlace
    from watthour.core.window import Window


class RunState(StrEnum):
    """How one asking of a source ended, or that it has not ended yet."""

    RUNNING = "running"
    OK = "ok"
    EMPTY = "empty"  # the source answered that it has nothing of this window
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One asking of a source, kept so that freshness and failures can be shown.

    ``problem`` says why it failed; of one that is running, which process asks. ``fills`` are the channels of which a
    file has brought rows, or the devices of whose uses it tells.
    """

    source: str
    started_at: datetime
    ended_at: datetime
    window: Window
    state: RunState
    new_rows: int
    refused_rows: int = 0
    problem: str | None = None
    file: str | None = None  # name of the file that a person gave
    fills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one fetch brought: either kind of rows may be empty.

    ``failure`` is why a part of what was asked did not come; the rows are those of the other parts.
    """

    readings: dy.DataFrame[Readings]
    forecasts: dy.DataFrame[Forecasts]
    refused: dy.DataFrame[Refused]
    failure: SourceError | None = None


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan that was in force from ``made_at`` until the next one of the same home.

    ``content`` is what JSON can say, and belongs to whoever keeps it.
    """

    home: str
    made_at: datetime
    content: Mapping[str, Any]


class Source(Protocol):
    """Somewhere readings and forecasts come from."""

    @property
    def name(self) -> str:
        """Short name, as in the settings and in error messages."""
        ...

    def sites(self) -> Sequence[Site]:
        """Return the sites its channels belong to."""
        ...

    def channels(self) -> Sequence[Channel]:
        """Return the channels it can fill."""
        ...

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return everything whose interval starts in the window; see ``core.vintage`` for the two instants.

        Raises:
            SourceUnavailable: asking later can heal it.
            SourceRejected: the user must act.
            PayloadChanged: the answer has a shape this version does not know.
        """
        ...


class Subscription(Protocol):
    """Things that tell by themselves: devices of a home by a broker, or a meter that is asked every few seconds."""

    @property
    def name(self) -> str:
        """Short name, as in the settings and in error messages."""
        ...

    @property
    def state(self) -> LineState:
        """How the connection stands."""
        ...

    def listen(self, take: Callable[[Heard], None], stopping: Event) -> None:
        """Hand over what is told until ``stopping`` is set; a connection that breaks is made again.

        Args:
            take: returns once what it got is kept, and only then is it confirmed to whoever told it. Where it raises a
                WatthourError it is asked again with the same.
            stopping: ends it within a few seconds.
        """
        ...


@runtime_checkable
class Archive(Subscription, Protocol):
    """Things that were recorded by somebody who can also be asked for their past, such as a database of a home."""

    def resume(self, since: Mapping[str, datetime]) -> None:
        """Let `listen` begin, for the things of these keys, where they were heard last."""
        ...

    def look(self) -> Heard:
        """Return the last value of everything there is, once.

        Raises:
            SourceError: it cannot be asked.
        """
        ...

    def past(self, keys: Collection[str], window: Window) -> Iterator[Recalled]:
        """Yield what things told in a window, in pieces of bounded size, oldest first.

        Raises:
            SourceError: it cannot be asked.
        """
        ...


class Board(Protocol):
    """Somewhere homes are told of, such as the broker of a Home Assistant, and from where orders come."""

    @property
    def name(self) -> str:
        """Short name, as in health and in logs."""
        ...

    @property
    def state(self) -> BoardState:
        """How it goes."""
        ...

    @property
    def target(self) -> str:
        """What is told, without any secret."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether all was to be taken away, and has been."""
        ...

    def show(self, bulletins: Sequence[Bulletin]) -> None:
        """Let this be told from now on; what is no part of it any more is taken away."""
        ...

    def withdraw(self) -> None:
        """Take all away that was told."""
        ...

    def tell(self, take: Callable[[Order], None], stopping: Event) -> None:
        """Tell what is shown until ``stopping`` is set; a connection that breaks is made again.

        Args:
            take: carries out an order; a WatthourError that it raises is noted, and the order is over.
            stopping: ends it within a few seconds.
        """
        ...


class Sink(Protocol):
    """Somewhere readings are written to beside the store."""

    @property
    def name(self) -> str:
        """Short name, as in the settings and in error messages."""
        ...

    @property
    def target(self) -> str:
        """What is written to, without any secret: another one begins anew."""
        ...

    def write(self, channel: Channel, readings: dy.DataFrame[Readings]) -> None:
        """Write readings of a channel, durably; the same again changes nothing, and a gap is not written.

        Raises:
            SourceUnavailable: trying later can heal it.
            SourceRejected: the user must act; ``status`` says whether it is about these rows.
        """
        ...

    def check(self) -> None:
        """Ask whether it is there and lets us in; raises as ``write``."""
        ...


class Gazetteer(Protocol):
    """Who knows where towns are."""

    def named(self, name: str) -> list[FoundPlace]:
        """Return the places of a name, the largest first; none where nobody knows it.

        Raises:
            SourceError: it cannot be asked.
        """
        ...


class ReadingStore(Protocol):
    """Readings and uses with all their versions, samples, what they belong to, and the log of who brought them."""

    def register(
        self,
        sites: Iterable[Site],
        channels: Iterable[Channel],
        *,
        zones: Iterable[Zone] = (),
        devices: Iterable[Device] = (),
        are_new: bool = False,
    ) -> None:
        """Make sites, zones, devices and channels known, all or none; saying it twice changes nothing.

        A channel that names no zone or no device keeps the one it has; a new one belongs to that with whose id its own
        begins.

        Raises:
            InvalidInput: what is kept has another meaning, or one belongs to a site, zone or device that is unknown;
                or, with ``are_new``, a site, zone or device is kept already, whoever else adds it at the same moment.
        """
        ...

    def sites(self) -> list[Site]:
        """Return all known sites, sorted by id."""
        ...

    def channels(self) -> list[Channel]:
        """Return all known channels, sorted by id."""
        ...

    def zones(self) -> list[Zone]:
        """Return all known zones, sorted by id."""
        ...

    def devices(self) -> list[Device]:
        """Return all known devices, sorted by id."""
        ...

    def forget(
        self,
        channels: Iterable[str],
        sites: Iterable[str] = (),
        *,
        zones: Iterable[str] = (),
        devices: Iterable[str] = (),
        with_readings: bool = False,
    ) -> None:
        """Remove channels, devices and what is kept of them, then zones and sites; all or, if one is refused, nothing.

        Weather and forecasts made for a channel, and samples, go with it; uses go with their device, zones, devices and
        plans with their site. What was in a zone that goes stays, in no zone. Unknown names change nothing.

        Raises:
            InvalidInput: a channel has readings, samples or a rival's forecasts, or a device has uses, and
                ``with_readings`` is not said; or a site or a device still has another channel.
        """
        ...

    def append(self, readings: dy.DataFrame[Readings]) -> int:
        """Keep what is new, durably, and return how many versions that was.

        A row whose value and quality equal what was already known of its interval at its ``available_at`` (the ASSUMED
        flag aside) changes nothing. A changed value is a new version; if its ``available_at`` is already taken, it
        became known when it was recorded, and so did a first value that comes again after its revision.
        Raises InvalidInput for channels that are not registered.
        """
        ...

    def read(self, channels: Sequence[str], window: Window, as_of: datetime | None = None) -> dy.DataFrame[Readings]:
        """Return the last version of each interval that was known at ``as_of``, sorted by channel and time."""
        ...

    def versions(
        self, channels: Sequence[str], window: Window, as_of: datetime | None = None
    ) -> dy.DataFrame[Readings]:
        """Return every version known at ``as_of``, sorted by channel, time and available_at."""
        ...

    def recorded_since(self, channel: str, since: datetime) -> dy.DataFrame[Readings]:
        """Return the last version of each interval of which one was recorded at an instant or later, sorted by time."""
        ...

    def spans(self) -> Mapping[str, tuple[datetime, datetime, datetime]]:
        """Return, per channel with readings, its first and last interval start and the last ``recorded_at``."""
        ...

    def append_samples(self, samples: dy.DataFrame[Samples]) -> int:
        """Keep what is new, durably, and return how many rows that was; the first value of a key stays.

        Raises InvalidInput for channels that are not registered.
        """
        ...

    def samples(self, channels: Sequence[str], window: Window) -> dy.DataFrame[Samples]:
        """Return what was told at the instants of a window, sorted by channel, time and measure."""
        ...

    def append_events(self, events: dy.DataFrame[Events]) -> int:
        """Keep what is new of uses, durably, and return how many versions that was; versions as in ``append``.

        Raises InvalidInput for devices that are not registered.
        """
        ...

    def events(self, devices: Sequence[str], window: Window, as_of: datetime | None = None) -> dy.DataFrame[Events]:
        """Return uses that began in a window, each as it was known at ``as_of``, sorted by device and start."""
        ...

    def quarantine(self, refused: dy.DataFrame[Refused]) -> int:
        """Keep refused rows with the rule they broke; the same row twice is kept once."""
        ...

    def quarantined(self, limit: int = 1000) -> dy.DataFrame[Refused]:
        """Return the newest refused rows first."""
        ...

    def note_run(self, run: SourceRun) -> None:
        """Log one asking of a source; the end of a run takes the place of its beginning.

        The beginning is the run with state RUNNING and the same source, start and window.
        """
        ...

    def runs(self, source: str | None = None, limit: int = 100) -> list[SourceRun]:
        """Return the newest runs first."""
        ...

    def file_runs(self) -> list[SourceRun]:
        """Return the newest run of each file that was brought in, apart for what it fills, the newest first."""
        ...

    def watched_from(self, source: str) -> datetime | None:
        """Return when live polling of a source began, or None."""
        ...

    def watch(self, source: str, since: datetime) -> None:
        """Remember that live polling began; only the first call per source counts."""
        ...


class ForecastStore(Protocol):
    """Forecasts of anybody, kept by issue time."""

    def append_forecasts(self, forecasts: dy.DataFrame[Forecasts]) -> int:
        """Keep what is new, durably, and return how many rows that was; the first value of a key stays."""
        ...

    def forecasts(
        self,
        channels: Sequence[str],
        window: Window,
        *,
        as_of: datetime | None = None,
        models: Sequence[str] | None = None,
        makers: Sequence[Maker] | None = None,
        levels: Sequence[float] | None = None,
        latest_issue: bool = False,
    ) -> dy.DataFrame[Forecasts]:
        """Return forecasts of intervals in the window that were available at ``as_of``, sorted by their key.

        With ``latest_issue`` only the last issue per channel, time and model.
        """
        ...

    def models_of(self, channel: str) -> Mapping[str, Maker]:
        """Return which models have forecast this channel and who made them, sorted by model."""
        ...


class PlanStore(Protocol):
    """The plans of homes that were in force, as what was planned is told beside what was done."""

    def keep_plan(self, home: str, made_at: datetime, content: Mapping[str, Any]) -> None:
        """Keep a plan of a home, durably; one that was made at the same instant is replaced.

        Raises:
            InvalidInput: the home is not registered, or JSON cannot say the content.
        """
        ...

    def plans(self, home: str, window: Window | None = None, *, limit: int | None = None) -> list[KeptPlan]:
        """Return the plans of a home that were made in a window, the latest first; without a window all of them."""
        ...

    def forget_plans(self, home: str, window: Window) -> None:
        """Forget the plans of a home that were made in a window, as by a clock that was wrong."""
        ...


class Store(ReadingStore, ForecastStore, PlanStore, Protocol):
    """All parts, as one connection."""

    def history(self, context: Context, window: Window, as_of: datetime) -> History:
        """Return all versions known at ``as_of`` of the context's channels and its rivals' forecasts.

        The channels are the one that is forecast, its covariates, its companions and those it names as similar.
        """
        ...

    def check_writable(self) -> None:
        """Write and change nothing, waiting no longer than a second for other writers.

        Raises:
            StoreFull: no space is left.
            StoreLocked: another process holds the right to write.
            StoreReadOnly: nothing may be written.
            StoreError: it cannot be written for another reason.
        """
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class Stream(Protocol):
    """Notices of readings, shared by workers: each is handed out again until one of them has reported it done.

    A worker may be handed what another has done just now, and two notices of one channel in any order: what it writes
    must be the same the second time.
    """

    def add(self, notices: Sequence[Notice]) -> None:
        """Keep notices for the workers.

        Raises:
            StoreError: they cannot be kept.
        """

    def take(self, worker: str, *, most: int, wait_s: float = 0.0) -> list[Handed]:
        """Hand out notices: those that a worker has left undone for longer than its patience first, then new ones.

        Args:
            worker: who takes them, so that it is known who left them.
            most: how many at once.
            wait_s: how long to wait where there are none.

        Raises:
            StoreError: the stream cannot be read.
        """

    def done(self, handed: Sequence[Handed]) -> None:
        """Report that notices need not be handed out again; those that were done already are passed over.

        Raises:
            StoreError: it cannot be kept.
        """

    def waiting(self) -> int:
        """Return how many notices are not done yet, handed out or not.

        Raises:
            StoreError: the stream cannot be read.
        """

    def close(self) -> None:
        """Give the connection back; nothing of the stream is lost by that unless it is one in memory."""


class ModelRegistry(Protocol):
    """Saved models by name and version, and which of them is champion."""

    def save(self, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """Keep a model durably; return its manifest with the file hashes filled in."""
        ...

    def load(self, name: str, version: str | None = None) -> tuple[Manifest, Mapping[str, bytes]]:
        """Return a model's manifest and files, hashes checked; no version means the champion.

        Raises:
            ModelNotFound: no such name or version, or no champion yet.
            ModelCorrupt: a file differs from its hash.
        """
        ...

    def manifests(self, name: str | None = None) -> list[Manifest]:
        """Return what is kept and can be read, newest first."""
        ...

    def damaged(self, name: str | None = None) -> list[ModelCorrupt]:
        """Return what is kept but cannot be read: one error each, with its cure."""
        ...

    def champion(self, name: str) -> str | None:
        """Return the version that serves, if any.

        Raises:
            ModelError: the registry cannot be asked.
        """
        ...

    def promote(self, name: str, version: str, *, now: datetime, reason: str) -> None:
        """Make a version the champion; the one before it is remembered."""
        ...

    def rollback(self, name: str, *, now: datetime) -> str:
        """Make the champion before this one champion again and return its version."""
        ...

    def promotions(self, name: str) -> list[Promotion]:
        """Return every change of champion, oldest first."""
        ...

    def trial(self, name: str) -> Trial | None:
        """Return the last A/B trial; it runs while its ``until`` is None.

        Raises:
            ModelError: the registry cannot be asked.
        """
        ...

    def begin_trial(self, name: str, version: str, *, share: float, now: datetime, asked_by: str) -> Trial:
        """Let a version forecast beside the champion; a trial that runs ends, unless only its share changes.

        Raises:
            ModelNotFound: no such version, or no champion to try it against.
            InvalidInput: it is the champion, or the share is not from 0 to 1.
        """
        ...

    def end_trial(self, name: str, *, now: datetime) -> Trial:
        """End the trial that runs and return it; another champion ends it too.

        Raises:
            ModelNotFound: none runs.
        """
        ...
