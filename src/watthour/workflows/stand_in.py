"""An invented home, shown while nothing real is there: described, given a past, and its uses kept as they end."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.channel import SiteKind
from watthour.core.ports import Source
from watthour.core.window import DAY, Window, local_instant
from watthour.workflows.equipment import set_equipment
from watthour.workflows.ingest import IngestReport, ingest
from watthour.workflows.links import Link, Links
from watthour.workflows.planned_runs import planned_runs
from watthour.workflows.tariffs import set_tariff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import dataframely as dy

    from watthour.core.channel import Device, Site, Zone
    from watthour.core.forecast import Context
    from watthour.core.frames import Events
    from watthour.core.ports import Store
    from watthour.workflows.equipment import EquipmentFile
    from watthour.workflows.kept_tariffs import Tariffs
    from watthour.workflows.planned_runs import PlannedRun

PAST = timedelta(days=35)  # five weeks: enough to see habits and to forecast
_PLANNED_DAYS = 5  # the last ones, that were lived by plans
_PLANNED_AT = time(5, 0)  # as a day of the home begins


class StandInHome(Source, Protocol):
    """A source that also knows the rooms and devices of its home, and when they were used."""

    def zones(self) -> Sequence[Zone]:
        """Return its rooms."""
        ...

    def devices(self) -> Sequence[Device]:
        """Return what is in it."""
        ...

    def uses(self, window: Window, *, now: datetime) -> dy.DataFrame[Events]:
        """Return the uses of devices that began in the window and have ended by ``now``."""
        ...

    def tariff(self) -> Mapping[str, Any]:
        """Return what energy costs in it, as a person would say it."""
        ...

    def equipment(self) -> Mapping[str, Any]:
        """Return what can be shifted in it, as a person would say it."""
        ...


class FixedLinks(Links):
    """Links that nobody changes, beside those of a person, which are in a file.

    Args:
        home: the directory.
        links: by key of the thing.
    """

    def __init__(self, home: Path, links: Mapping[str, Link]) -> None:
        super().__init__(home)
        self._fixed = links

    def all(self) -> Mapping[str, Link]:
        """Return the links, by key of the thing."""
        return self._fixed


def is_wanted(store: Store, followed: Sequence[Context], *, has_lines: bool) -> bool:
    """Tell whether an invented home is shown: beside an invented region, and where no real home or device is known.

    Args:
        store: with the homes that people have added.
        followed: the sites whose sources are asked.
        has_lines: the settings name a broker or a device.
    """
    has_home = any(site.kind is SiteKind.HOME and not site.is_simulated for site in store.sites())
    return any(context.site.is_simulated for context in followed) and not has_lines and not has_home


def describe(store: Store, home: StandInHome) -> None:
    """Let the store know the home, so that what it tells can be kept."""
    store.register(home.sites(), home.channels(), zones=home.zones(), devices=home.devices())


def furnish(store: Store, tariffs: Tariffs, equipment_file: EquipmentFile, home: StandInHome, *, now: datetime) -> None:
    """Give the home a tariff and equipment, unless a person has said others."""
    for site in home.sites():
        if tariffs.said(site.id) is None:
            set_tariff(store, tariffs, site, home.tariff(), now=now)
        if equipment_file.said(site.id) is None:
            set_equipment(store, equipment_file, site, home.equipment())


def runs_of_plans(store: Store, home: str, window: Window) -> list[PlannedRun]:
    """Return the runs of devices that the plans of a home hold, of those that may begin in a window."""
    runs = planned_runs(store, home, window)
    return [each for each in runs if each.device is not None and each.earliest in window]


def fill_past(
    store: Store, home: StandInHome, *, now: datetime, plan: Callable[[Site, datetime], object] | None = None
) -> IngestReport:
    """Give the home the past it lacks, up to the interval that has begun; what it told by itself stays as it is.

    Args:
        store: where it is kept.
        home: the home.
        now: the present.
        plan: makes a plan at an instant, from what was known then. Of the last days each that is lacking is lived after
            its plan was made, also where an earlier fill was killed among them; None: without plans.
    """
    main = home.channels()[0]
    kept = store.read([main.id], Window(now - PAST, now)).filter(pl.col("value").is_not_null())
    last: datetime | None = kept["time"].max()  # type: ignore[assignment]  # an instant, or none of no rows
    start = now - PAST if last is None else last + main.resolution
    end = datetime.fromtimestamp(now.timestamp() // main.resolution.total_seconds() * main.resolution.seconds, UTC)
    if start >= end:
        return IngestReport(0, 0)
    site = home.sites()[0]
    lacking = [] if plan is None else [at for at in _mornings(site, now) if start <= at < end]
    # One that was planned since, as by the rounds, has its plan.
    mornings = [at for at in lacking if not store.plans(site.id, Window(at, now), limit=1)]
    n_new = n_refused = 0
    for first, after in pairwise([start, *mornings, end]):
        if first < after:
            report = ingest(home, store, Window(first, after), now=now)
            keep_uses(store, home, now=after)
            n_new, n_refused = n_new + report.new_rows, n_refused + report.refused_rows
        if plan is not None and after in mornings:
            plan(site, after)
    return IngestReport(n_new, n_refused)


def _mornings(home: Site, now: datetime) -> list[datetime]:
    """Return when the plans of the last days were made."""
    zone = home.place.time_zone
    today = now.astimezone(ZoneInfo(zone)).date()
    return [local_instant(today - n * DAY, _PLANNED_AT, zone) for n in range(_PLANNED_DAYS, 0, -1)]


def keep_uses(store: Store, home: StandInHome, *, now: datetime) -> int:
    """Keep the uses that have ended lately, or in all of the past where there are none; return how many were new."""
    window = Window(now - PAST, now)
    has_some = not store.events([device.id for device in home.devices()], window).is_empty()
    return store.append_events(home.uses(Window(now - 2 * DAY, now) if has_some else window, now=now))
