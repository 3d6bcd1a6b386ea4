"""When a device ran, by its readings, or where it has none by its log of uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.loads import loads_of_device
from watthour.core.window import DAY, EPOCH, HOUR, Window
from watthour.insights.load import load_of, summed
from watthour.insights.runs import runs_of_load
from watthour.workflows.homes import channels_of

if TYPE_CHECKING:
    from watthour.core.channel import Device, Site
    from watthour.core.ports import Store
    from watthour.insights.load import Load

_BEFORE = 35 * DAY  # that tell how its runs are told from the time it is off
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DoneRun:
    """One use of a device, as it was measured or told."""

    start: datetime
    end: datetime  # so far, where it is not over
    energy_kwh: float | None  # None: not known
    is_over: bool


@dataclass(frozen=True, slots=True)
class DeviceRuns:
    """The runs of a device in a window, and until when they are known; None: nothing tells of it."""

    runs: tuple[DoneRun, ...]
    known_until: datetime | None


def device_runs(store: Store, home: Site, device: Device, window: Window, *, now: datetime) -> DeviceRuns:
    """Return the runs of a device that began in a window, the first first.

    Runs less than an hour apart are one. What counts as running is told by the five weeks before as well.
    """
    load = _load(store, home, device, Window(window.start - _BEFORE, max(window.end, window.start + HOUR)), now)
    if load is not None:
        return _of_load(load, window, now)
    events = store.events([device.id], Window(window.start, min(window.end, now) + _MICROSECOND), now)
    log = store.events([device.id], Window(window.start - _BEFORE, now + _MICROSECOND), now)
    runs = tuple(
        DoneRun(row["start"], row["end"], row["energy_kwh"], is_over=True)
        for row in events.sort("start").iter_rows(named=True)
        if row["end"] <= now
    )
    last: datetime | None = log["end"].max()  # type: ignore[assignment]  # of instants
    return DeviceRuns(runs, last)


def drawn_kwh(store: Store, home: Site, device: Device, window: Window, *, now: datetime) -> float | None:
    """Return the energy that a device drew in a window, as far as it is known; None: nothing is."""
    load = _load(store, home, device, window, now)
    if load is None:
        return None
    power = load.table.drop_nulls("power_w")["power_w"].to_numpy()
    return float(np.maximum(power, 0.0).sum() / 1000 * (load.step / HOUR))


def _of_load(load: Load, window: Window, now: datetime) -> DeviceRuns:
    last = load.last
    known_until = None if last is None else last + load.step
    found = runs_of_load(load, now)
    if found is None:
        return DeviceRuns((), known_until)
    runs = []
    for k, (start, end, kwh) in enumerate(zip(found.start, found.end, found.kwh, strict=True)):
        is_over = k + 1 < len(found.start) or found.is_last_over
        if window.start <= _instant(start) < window.end:
            runs.append(DoneRun(_instant(start), _instant(end), None if np.isnan(kwh) else float(kwh), is_over))
    return DeviceRuns(tuple(runs), known_until)


def _load(store: Store, home: Site, device: Device, window: Window, now: datetime) -> Load | None:
    channels = loads_of_device(device, channels_of(store, home))
    if not channels:
        return None
    readings = store.read([each.id for each in channels], window, now)
    load = summed([load_of(readings, each, home.place.time_zone) for each in channels])
    return load if load.is_known else None


def _instant(hours: float) -> datetime:
    return EPOCH + timedelta(seconds=round(hours * 3600))
