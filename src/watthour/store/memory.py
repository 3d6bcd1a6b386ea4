"""The reference store: plain frames in memory, and the fake of every other test."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from watthour.core.forecast import History
from watthour.core.frames import Events, Forecasts, Maker, Readings, Refused, Samples
from watthour.core.ports import KeptPlan, RunState
from watthour.store.described import Described, by_id
from watthour.store.plans import plan_text
from watthour.store.versions import (
    INTERVAL,
    ISSUE,
    VERSION,
    as_events,
    as_versions,
    check_empty,
    check_instants,
    check_known,
    check_unused,
    last_issues,
    last_versions,
    new_versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel, Device, Site, Zone
    from watthour.core.forecast import Context
    from watthour.core.ports import SourceRun
    from watthour.core.window import Window


_Part = TypeVar("_Part", "Channel", "Device")


class MemoryStore:
    """Everything the port promises but durability."""

    def __init__(self) -> None:
        self._described = Described()
        self._readings: pl.DataFrame = Readings.create_empty()
        self._samples: pl.DataFrame = Samples.create_empty()
        self._events: pl.DataFrame = Events.create_empty()  # all versions
        self._forecasts: pl.DataFrame = Forecasts.create_empty()
        self._refused: pl.DataFrame = Refused.create_empty()
        self._runs: list[SourceRun] = []
        self._watched: dict[str, datetime] = {}
        self._plans: dict[tuple[str, datetime], str] = {}
        self._writing = RLock()

    def register(
        self,
        sites: Iterable[Site],
        channels: Iterable[Channel],
        *,
        zones: Iterable[Zone] = (),
        devices: Iterable[Device] = (),
        are_new: bool = False,
    ) -> None:
        """Make sites, zones, devices and channels known, all or none; saying it twice changes nothing."""
        with self._writing:
            said = Described(by_id(sites), by_id(zones), by_id(devices), by_id(channels))
            self._described |= said.new_to(self._described, are_new=are_new)

    def sites(self) -> list[Site]:
        """Return all known sites, sorted by id."""
        return [self._described.sites[key] for key in sorted(self._described.sites)]

    def channels(self) -> list[Channel]:
        """Return all known channels, sorted by id."""
        return [self._described.channels[key] for key in sorted(self._described.channels)]

    def zones(self) -> list[Zone]:
        """Return all known zones, sorted by id."""
        return [self._described.zones[key] for key in sorted(self._described.zones)]

    def devices(self) -> list[Device]:
        """Return all known devices, sorted by id."""
        return [self._described.devices[key] for key in sorted(self._described.devices)]

    def forget(
        self,
        channels: Iterable[str],
        sites: Iterable[str] = (),
        *,
        zones: Iterable[str] = (),
        devices: Iterable[str] = (),
        with_readings: bool = False,
    ) -> None:
        """Remove channels, devices and what is kept of them, then zones and sites; all of it or nothing."""
        with self._writing:
            known, gone = self._described, set(channels)
            of_sites, of_zones, of_devices = set(sites), set(zones), set(devices)
            left = {name: channel for name, channel in known.channels.items() if name not in gone}
            for site in of_sites:
                check_unused("site", site, (each.id for each in left.values() if each.site == site))
            for device in of_devices:
                check_unused("device", device, (each.id for each in left.values() if each.device == device))
            of_devices |= {each.id for each in known.devices.values() if each.site in of_sites}
            if not with_readings:
                rivals = self._forecasts.filter(pl.col("maker") == str(Maker.RIVAL))
                filled = {name for rows in (self._readings, self._samples, rivals) for name in rows["channel"].unique()}
                loads = {each.id for each in known.channels.values() if each.variable is None}
                check_empty(gone & loads & filled, of_devices & set(self._events["device"]))
            is_gone = pl.col("channel").is_in(sorted(gone))
            self._readings = self._readings.filter(~is_gone)
            self._samples = self._samples.filter(~is_gone)
            self._forecasts = self._forecasts.filter(~is_gone)
            self._events = self._events.filter(~pl.col("device").is_in(sorted(of_devices)))
            self._plans = {key: text for key, text in self._plans.items() if key[0] not in of_sites}
            self._described = Described(
                by_id(each for each in known.sites.values() if each.id not in of_sites),
                by_id(each for each in known.zones.values() if each.id not in of_zones and each.site not in of_sites),
                by_id(_outside(each, of_zones) for each in known.devices.values() if each.id not in of_devices),
                by_id(_outside(each, of_zones) for each in left.values()),
            )

    def append(self, readings: dy.DataFrame[Readings]) -> int:
        """Keep what is new and return how many versions that was."""
        with self._writing:
            incoming = readings.select(Readings.column_names())
            check_known(incoming["channel"].unique(), self._described.channels)
            existing = self._readings.join(incoming.select("channel", "time"), on=["channel", "time"], how="semi")
            new = new_versions(incoming, existing)
            self._readings = pl.concat([self._readings, new]).sort(VERSION)
            return new.height

    def read(self, channels: Sequence[str], window: Window, as_of: datetime | None = None) -> dy.DataFrame[Readings]:
        """Return the last version of each interval that was known at ``as_of``, sorted by channel and time."""
        return Readings.cast(last_versions(self.versions(channels, window, as_of)))

    def versions(
        self, channels: Sequence[str], window: Window, as_of: datetime | None = None
    ) -> dy.DataFrame[Readings]:
        """Return every version known at ``as_of``, sorted by channel, time and available_at."""
        return Readings.cast(self._readings.filter(_asked(channels, window, as_of)))

    def recorded_since(self, channel: str, since: datetime) -> dy.DataFrame[Readings]:
        """Return the last version of each interval of which one was recorded at an instant or later, sorted by time."""
        mine = self._readings.filter(pl.col("channel") == channel)
        changed = mine.filter(pl.col("recorded_at") >= since).select("time").unique()
        return Readings.cast(last_versions(mine.join(changed, on="time", how="semi", maintain_order="left")))

    def spans(self) -> Mapping[str, tuple[datetime, datetime, datetime]]:
        """Return, per channel with readings, its first and last interval start and the last ``recorded_at``."""
        spans = self._readings.group_by("channel").agg(
            first=pl.col("time").min(), last=pl.col("time").max(), recorded=pl.col("recorded_at").max()
        )
        return {channel: (first, last, recorded) for channel, first, last, recorded in spans.sort("channel").rows()}

    def append_samples(self, samples: dy.DataFrame[Samples]) -> int:
        """Keep what is new and return how many rows that was; the first value of a key stays."""
        key = ["channel", "time", "measure"]
        with self._writing:
            incoming = samples.select(Samples.column_names())
            check_known(incoming["channel"].unique(), self._described.channels)
            new = incoming.join(self._samples, on=key, how="anti")
            self._samples = pl.concat([self._samples, new]).sort(key)
            return new.height

    def samples(self, channels: Sequence[str], window: Window) -> dy.DataFrame[Samples]:
        """Return what was told at the instants of a window, sorted by channel, time and measure."""
        return Samples.cast(self._samples.filter(_asked(channels, window, None)))

    def append_events(self, events: dy.DataFrame[Events]) -> int:
        """Keep what is new of uses and return how many versions that was."""
        with self._writing:
            check_known(events["device"].unique(), self._described.devices, "device")
            incoming, kept = as_versions(events), as_versions(self._events)
            new = new_versions(incoming, kept.join(incoming.select(INTERVAL), on=INTERVAL, how="semi"))
            self._events = as_events(pl.concat([kept, new]).sort(VERSION))
            return new.height

    def events(self, devices: Sequence[str], window: Window, as_of: datetime | None = None) -> dy.DataFrame[Events]:
        """Return uses that began in a window, each as it was known at ``as_of``, sorted by device and start."""
        known = as_versions(self._events).filter(_asked(devices, window, as_of))
        return Events.cast(as_events(last_versions(known)))

    def quarantine(self, refused: dy.DataFrame[Refused]) -> int:
        """Keep refused rows with the rule they broke; the same row twice is kept once."""
        identity = ["source", "channel", "rule", "row"]
        with self._writing:
            new = (
                refused.select(Refused.column_names())
                .unique(identity, keep="first", maintain_order=True)
                .join(self._refused, on=identity, how="anti", nulls_equal=True, maintain_order="left")
            )
            self._refused = pl.concat([self._refused, new])
            return new.height

    def quarantined(self, limit: int = 1000) -> dy.DataFrame[Refused]:
        """Return the newest refused rows first."""
        newest = self._refused.reverse().sort("recorded_at", descending=True, maintain_order=True)
        return Refused.cast(newest.head(limit))

    def note_run(self, run: SourceRun) -> None:
        """Log one asking of a source; the end of a run takes the place of its beginning."""
        with self._writing:
            self._runs = [kept for kept in self._runs if not _is_beginning(kept, run)] + [run]

    def runs(self, source: str | None = None, limit: int = 100) -> list[SourceRun]:
        """Return the newest runs first."""
        asked = [run for run in reversed(self._runs) if source is None or run.source == source]
        return sorted(asked, key=lambda run: run.started_at, reverse=True)[:limit]

    def file_runs(self) -> list[SourceRun]:
        """Return the newest run of each file that was brought in, apart for what it fills, the newest first."""
        of_files = [run for run in reversed(self._runs) if run.file is not None]
        newest: dict[tuple[str | None, tuple[str, ...]], SourceRun] = {}
        for run in of_files:
            newest.setdefault((run.file, run.fills), run)
        return sorted(newest.values(), key=lambda run: run.started_at, reverse=True)

    def watched_from(self, source: str) -> datetime | None:
        """Return when live polling of a source began, or None."""
        return self._watched.get(source)

    def watch(self, source: str, since: datetime) -> None:
        """Remember that live polling began; only the first call per source counts."""
        check_instants(since=since)
        with self._writing:
            self._watched.setdefault(source, since)

    def append_forecasts(self, forecasts: dy.DataFrame[Forecasts]) -> int:
        """Keep what is new and return how many rows that was; the first value of a key stays."""
        with self._writing:
            incoming = forecasts.select(Forecasts.column_names())
            check_known(incoming["channel"].unique(), self._described.channels)
            new = incoming.join(self._forecasts, on=ISSUE, how="anti")
            self._forecasts = pl.concat([self._forecasts, new]).sort(ISSUE)
            return new.height

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
        """Return forecasts of intervals in the window that were available at ``as_of``, sorted by their key."""
        asked = _asked(channels, window, as_of)
        if models is not None:
            asked &= pl.col("model").is_in(list(models))
        if makers is not None:
            asked &= pl.col("maker").is_in([str(maker) for maker in makers])
        if levels is not None:
            asked &= pl.col("level").is_in(list(levels))
        found = self._forecasts.filter(asked)
        return Forecasts.cast(last_issues(found) if latest_issue else found)

    def models_of(self, channel: str) -> dict[str, Maker]:
        """Return which models have forecast this channel and who made them, sorted by model."""
        makers = self._forecasts.filter(pl.col("channel") == channel).select("model", "maker").unique("model")
        return {model: Maker(maker) for model, maker in makers.sort("model").iter_rows()}

    def keep_plan(self, home: str, made_at: datetime, content: Mapping[str, Any]) -> None:
        """Keep a plan of a home; one that was made at the same instant is replaced."""
        text = plan_text(made_at, content)
        with self._writing:
            check_known([home], self._described.sites, "home")
            self._plans[home, made_at] = text

    def plans(self, home: str, window: Window | None = None, *, limit: int | None = None) -> list[KeptPlan]:
        """Return the plans of a home that were made in a window, the latest first; without a window all of them."""
        made = sorted((at for whose, at in list(self._plans) if whose == home), reverse=True)
        asked = [at for at in made if window is None or window.start <= at < window.end]
        return [KeptPlan(home, at, json.loads(self._plans[home, at])) for at in asked[:limit]]

    def forget_plans(self, home: str, window: Window) -> None:
        """Forget the plans of a home that were made in a window, as by a clock that was wrong."""
        with self._writing:
            for whose, at in list(self._plans):
                if whose == home and window.start <= at < window.end:
                    del self._plans[whose, at]

    def history(self, context: Context, window: Window, as_of: datetime) -> History:
        """Return all versions known at ``as_of`` of the context's channels and its rivals' forecasts."""
        channel, covariates = context.channel.id, [covariate.channel for covariate in context.covariates]
        beside = [*(each.channel for each in context.similar), *context.companions]
        parts = [
            self.forecasts([channel], window, as_of=as_of, models=context.rivals),
            self.forecasts(covariates, window, as_of=as_of),
        ]
        return History(
            as_of=as_of,
            context=context,
            readings=self.versions([channel, *covariates, *beside], window, as_of),
            forecasts=Forecasts.cast(pl.concat(parts).sort(ISSUE)),
        )

    def check_writable(self) -> None:
        """Nothing can be in the way."""

    def close(self) -> None:
        """Nothing to give back; what was kept stays readable."""


def _outside(part: _Part, zones: set[str]) -> _Part:
    """Return a channel or device in no zone, if its zone goes."""
    return replace(part, zone=None) if part.zone in zones else part


def _is_beginning(kept: SourceRun, run: SourceRun) -> bool:
    same = (kept.source, kept.started_at, kept.window) == (run.source, run.started_at, run.window)
    return same and kept.state is RunState.RUNNING


def _asked(channels: Sequence[str], window: Window, as_of: datetime | None) -> pl.Expr:
    check_instants(as_of=as_of)
    asked = pl.col("channel").is_in(list(channels)) & (pl.col("time") >= window.start) & (pl.col("time") < window.end)
    return asked if as_of is None else asked & (pl.col("available_at") <= as_of)
