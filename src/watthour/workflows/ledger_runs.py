"""The runs of a thing that were done, each with how its energy adds up and the planned run that it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import Quality
from watthour.core.loads import loads_of_device
from watthour.core.window import DAY, HOUR, Window
from watthour.planning.ledger import Course, Done
from watthour.workflows.device_runs import device_runs
from watthour.workflows.homes import channels_of
from watthour.workflows.tariffs import metered_kw
from watthour.workflows.usage import energy_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.assets import Array, Mask
    from watthour.core.channel import Channel, Device, Site
    from watthour.core.ports import Store
    from watthour.planning.ledger import Kind
    from watthour.workflows.planned_runs import PlannedRun

_AROUND = 2 * DAY  # that a planned run may begin before the time that is told of, and end after it
_MICROSECOND = timedelta(microseconds=1)
_HOUR_US = HOUR / _MICROSECOND
_TOLERANCE = 1e-6  # [h]
_NO_ENERGY = "Its energy is not known."
_GAP = "Readings are missing while it ran, so its energy is not known."


@dataclass(frozen=True, slots=True)
class Thing:
    """Something whose runs are told of."""

    kind: Kind
    name: str
    device: Device
    can_pause: bool = False
    most_kw: float | None = None  # of what can pause
    least_kwh: float = 0.0  # of a run; what uses less is none that was planned, such as a door that was opened


@dataclass(frozen=True, slots=True)
class Matched:
    """A run that was done, and the planned run that it was; None: no plan held it."""

    done: Done
    planned: PlannedRun | None


def runs_done(
    store: Store, home: Site, thing: Thing, planned: Sequence[PlannedRun], window: Window, *, now: datetime
) -> list[Matched]:
    """Return the runs of a thing that began in a window and are over, oldest first.

    Each planned run is the one done within its time that began closest to when a later plan saw it begin, else to when
    the plan in force said. Of something that can pause, all that is done in that time is one run.
    """
    around = Window(window.start - _AROUND, window.end + _AROUND)
    found = device_runs(store, home, thing.device, around, now=now).runs
    spans = [(each.start, each.end, each.energy_kwh) for each in found if each.is_over]
    matches = _matched(spans, planned, thing)
    if thing.can_pause:
        matches = _joined(matches, now)
    inside = [each for each in matches if each[0][0] in window]
    if not inside:
        return []
    energy = _energy_of(store, home, thing.device, inside, now)
    done = (Done(thing.kind, thing.name, thing.device.id, start, end, None) for (start, end, _kwh), _ in inside)
    return [Matched(energy.done(each), run) for each, (_, run) in zip(done, inside, strict=True)]


_Span = tuple["datetime", "datetime", float | None]  # begin, end and energy [kWh]
_Match = tuple[_Span, "PlannedRun | None"]


def _matched(spans: Sequence[_Span], planned: Sequence[PlannedRun], thing: Thing) -> list[_Match]:
    """Give each run that was done the planned run that it was, the closest pairs first."""
    pairs = sorted(
        (abs((start - (run.begun_at or run.start_in_force(start) or run.at_once)).total_seconds()), n, k)
        for n, (start, _end, kwh) in enumerate(spans)
        for k, run in enumerate(planned)
        if run.holds(start) and (kwh is None or kwh >= thing.least_kwh)
    )
    chosen: dict[int, int] = {}
    for _away, n, k in pairs:
        if n not in chosen and (thing.can_pause or k not in chosen.values()):
            chosen[n] = k
    return [(span, planned[chosen[n]] if n in chosen else None) for n, span in enumerate(spans)]


def _joined(matches: list[_Match], now: datetime) -> list[_Match]:
    """Join what was done of the same planned run; while it may go on it is not told yet."""
    found: list[_Match] = []
    for span, run in matches:
        if run is not None and run.deadline > now:
            continue
        if found and run is not None and found[-1][1] is run:
            (start, _end, before), _ = found.pop()
            kwh = None if before is None or span[2] is None else before + span[2]
            found.append(((start, span[1], kwh), run))
        else:
            found.append((span, run))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Metered:
    """The energy of a device in the intervals that all its channels know."""

    since: datetime  # from which hours count
    begin: Array  # (n,) of intervals [h]
    end: Array  # (n,) [h]
    kwh: Array  # (n,)
    is_estimated: Mask  # (n,)

    @classmethod
    def of(cls, store: Store, home: Site, channels: Sequence[Channel], window: Window, now: datetime) -> _Metered:
        tables = energy_tables(store, channels, window, home.place.time_zone, now)
        both = reduce(
            lambda one, other: one.join(other, on=["time", "end"]).select(
                "time", "end", kwh=pl.sum_horizontal("^kwh.*$")
            ),
            tables.values(),
        ).sort("time")
        readings = pl.DataFrame(store.read([each.id for each in channels], window, now))
        estimated = readings.filter((pl.col("quality") & int(Quality.ESTIMATED)) != 0)["time"]
        begin, end = (
            (both[name] - window.start).dt.total_microseconds().to_numpy() / _HOUR_US for name in ("time", "end")
        )
        return cls(window.start, begin, end, both["kwh"].to_numpy(), both["time"].is_in(estimated.implode()).to_numpy())

    def done(self, done: Done) -> Done:
        """Return a run with how its energy adds up; none where an interval of it is missing."""
        start, end = (done.start - self.since) / HOUR, (done.end - self.since) / HOUR
        inside = slice(
            int(np.searchsorted(self.begin, start - _TOLERANCE)), int(np.searchsorted(self.end, end + _TOLERANCE))
        )
        begins, ends = self.begin[inside], self.end[inside]
        edges = np.concatenate([[start], ends])
        if len(begins) == 0 or np.abs(edges[:-1] - begins).max() > _TOLERANCE or abs(edges[-1] - end) > _TOLERANCE:
            return replace(done, remark=_GAP)
        used = np.concatenate([[0.0], np.cumsum(np.maximum(self.kwh[inside], 0.0))])
        return replace(done, course=Course(edges - start, used), is_estimated=bool(self.is_estimated[inside].any()))


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """The uses of a device that a log tells, each taken to have the same power throughout."""

    uses: pl.DataFrame  # start, end, energy_kwh

    def done(self, done: Done) -> Done:
        """Return a run with how its energy adds up; none where that of one of its uses is not told."""
        hours, used = [0.0], [0.0]
        for row in self.uses.filter(pl.col("start") >= done.start, pl.col("end") <= done.end).iter_rows(named=True):
            if row["energy_kwh"] is None:
                return replace(done, remark=_NO_ENERGY)
            for at, more in ((row["start"], 0.0), (row["end"], row["energy_kwh"])):
                hours.append(max((at - done.start) / HOUR, hours[-1]))
                used.append(used[-1] + more)
        return replace(done, course=Course(np.array(hours), np.array(used)), is_estimated=True)


def _energy_of(store: Store, home: Site, device: Device, matches: Sequence[_Match], now: datetime) -> _Metered | _Told:
    """Return what tells how the energy of some runs adds up."""
    window = Window(min(span[0] for span, _ in matches), max(span[1] for span, _ in matches) + _MICROSECOND)
    channels, spans = loads_of_device(device, channels_of(store, home)), store.spans()
    if any(channel.id in spans for channel in channels):
        return _Metered.of(store, home, channels, window, now)
    return _Told(pl.DataFrame(store.events([device.id], window, now)).sort("start"))


def device_kw(
    store: Store, home: Site, device: Device, window: Window, step: timedelta, *, now: datetime
) -> Array | None:
    """Return the mean power of a device in each step of a window, NaN where not known; None: it has no readings. [kW].

    It is negative where the device feeds in.
    """
    spans = store.spans()
    channels = [each for each in loads_of_device(device, channels_of(store, home)) if each.id in spans]
    powers = [metered_kw(store, each, window, step, now) for each in channels]
    return np.sum(powers, axis=0) if powers else None
