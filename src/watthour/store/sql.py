"""The store in a SQL database: SQLite by default, PostgreSQL where many share it."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from sqlalchemy import delete, func, insert, make_url, or_, select, update
from sqlalchemy.exc import ArgumentError

from watthour.core.errors import InvalidInput
from watthour.core.forecast import History
from watthour.core.frames import Events, Forecasts, Maker, Readings, Refused, Samples
from watthour.core.ports import RunState
from watthour.store import bulk, migrate, tables
from watthour.store.described import Described, by_id
from watthour.store.plans import drop_plans, kept_plans, plan_text, put_plan
from watthour.store.records import (
    channel_of,
    channel_row,
    device_of,
    device_row,
    run_of,
    run_row,
    site_of,
    site_row,
    zone_of,
)
from watthour.store.together import Together
from watthour.store.versions import (
    ISSUE,
    as_events,
    as_versions,
    check_empty,
    check_instants,
    check_known,
    check_unused,
    last_issues,
    last_versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import dataframely as dy
    from sqlalchemy import Connection, Row, Table

    from watthour.core.channel import Channel, Device, Site, Zone
    from watthour.core.forecast import Context
    from watthour.core.ports import KeptPlan, SourceRun
    from watthour.core.window import Window
    from watthour.store.database import Database


PROBE_PATIENCE_S = 1.0  # for other writers, when only asked whether one could write
MOST_PARAMETERS = 10_000  # of one statement; SQLite takes 32,766


def open_store(url: str) -> SqlStore:
    """Open the store at a URL, making or upgrading its tables.

    Raises:
        InvalidInput: the URL names no database we know.
        StoreTooNew: a newer version of Watthour wrote it.
        StoreError: it cannot be reached, read or written.
        MissingExtra: the driver of PostgreSQL is not installed.
    """
    return SqlStore(url)


class SqlStore:
    """All that the port promises, in the tables of ``tables.py``; threads and processes may share it."""

    def __init__(self, url: str) -> None:
        self._database = _database(url)
        self._together = Together(self._database)
        self._described: tuple[int, Described] | None = None  # as last read, and the version it has there
        try:
            self._make_current()
        except BaseException:
            self._database.close()
            raise

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
        said = Described(by_id(sites), by_id(zones), by_id(devices), by_id(channels))
        if not said.new_to(self._known(), are_new=are_new).is_empty():
            with self._database.writing() as connection:
                _register(connection, said, are_new=are_new)
                self._database.note_described(connection)

    def sites(self) -> list[Site]:
        """Return all known sites, sorted by id."""
        return list(self._known().sites.values())

    def channels(self) -> list[Channel]:
        """Return all known channels, sorted by id."""
        return list(self._known().channels.values())

    def zones(self) -> list[Zone]:
        """Return all known zones, sorted by id."""
        return list(self._known().zones.values())

    def devices(self) -> list[Device]:
        """Return all known devices, sorted by id."""
        return list(self._known().devices.values())

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
        with self._database.writing() as connection:
            leaving = _Leaving(set(channels), set(sites), set(zones), set(devices))
            _forget(connection, leaving, with_readings=with_readings)
            self._database.note_described(connection)

    def append(self, readings: dy.DataFrame[Readings]) -> int:
        """Keep what is new, durably, and return how many versions that was."""
        if readings.is_empty():
            return 0
        rows = readings.select(Readings.column_names())
        return self._together.write(lambda connection: bulk.append_readings(self._database, connection, rows))

    def read(self, channels: Sequence[str], window: Window, as_of: datetime | None = None) -> dy.DataFrame[Readings]:
        """Return the last version of each interval that was known at ``as_of``, sorted by channel and time."""
        return Readings.cast(last_versions(self.versions(channels, window, as_of)))

    def versions(
        self, channels: Sequence[str], window: Window, as_of: datetime | None = None
    ) -> dy.DataFrame[Readings]:
        """Return every version known at ``as_of``, sorted by channel, time and available_at."""
        with self._database.reading() as connection:
            return Readings.cast(bulk.read_readings(self._database, connection, channels, window, as_of))

    def recorded_since(self, channel: str, since: datetime) -> dy.DataFrame[Readings]:
        """Return the last version of each interval of which one was recorded at an instant or later, sorted by time."""
        with self._database.reading() as connection:
            found = bulk.read_recorded(self._database, connection, channel, since)
        return Readings.cast(last_versions(found))

    def spans(self) -> Mapping[str, tuple[datetime, datetime, datetime]]:
        """Return, per channel with readings, its first and last interval start and the last ``recorded_at``."""
        columns = tables.channels.c
        filled = (
            select(columns.id, columns.first_time, columns.last_time, columns.last_recorded_at)
            .where(columns.first_time.is_not(None))
            .order_by(columns.id)
        )
        with self._database.reading() as connection:
            return {name: (first, last, at) for name, first, last, at in connection.execute(filled)}

    def append_samples(self, samples: dy.DataFrame[Samples]) -> int:
        """Keep what is new, durably, and return how many rows that was; the first value of a key stays."""
        if samples.is_empty():
            return 0
        rows = samples.select(Samples.column_names())
        return self._together.write(lambda connection: bulk.append_samples(self._database, connection, rows))

    def samples(self, channels: Sequence[str], window: Window) -> dy.DataFrame[Samples]:
        """Return what was told at the instants of a window, sorted by channel, time and measure."""
        with self._database.reading() as connection:
            return Samples.cast(bulk.read_samples(self._database, connection, channels, window))

    def append_events(self, events: dy.DataFrame[Events]) -> int:
        """Keep what is new of uses, durably, and return how many versions that was."""
        if events.is_empty():
            return 0
        with self._database.writing() as connection:
            return bulk.append_events(self._database, connection, events.select(Events.column_names()))

    def events(self, devices: Sequence[str], window: Window, as_of: datetime | None = None) -> dy.DataFrame[Events]:
        """Return uses that began in a window, each as it was known at ``as_of``, sorted by device and start."""
        with self._database.reading() as connection:
            versions = bulk.read_events(self._database, connection, devices, window, as_of)
        return Events.cast(as_events(last_versions(as_versions(versions))))

    def quarantine(self, refused: dy.DataFrame[Refused]) -> int:
        """Keep refused rows with the rule they broke; the same row twice is kept once."""
        if refused.is_empty():
            return 0
        identity = ["source", "channel", "rule", "row"]
        incoming = {
            sha256(repr(tuple(row[name] for name in identity)).encode()).hexdigest(): row
            for row in reversed(refused.select(Refused.column_names()).to_dicts())
        }
        marks = list(reversed(incoming))
        n_new = 0
        with self._database.writing() as connection:
            for start in range(0, len(marks), MOST_PARAMETERS):
                n_new += _quarantine(
                    connection, {mark: incoming[mark] for mark in marks[start : start + MOST_PARAMETERS]}
                )
        return n_new

    def quarantined(self, limit: int = 1000) -> dy.DataFrame[Refused]:
        """Return the newest refused rows first."""
        columns = tables.refused_rows.c
        newest = (
            select(*(columns[name] for name in Refused.column_names()))
            .order_by(columns.recorded_at.desc(), columns.key.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = [tuple(row) for row in connection.execute(newest)]
        return Refused.cast(pl.DataFrame(rows, schema=Refused.create_empty().schema, orient="row"))

    def note_run(self, run: SourceRun) -> None:
        """Log one asking of a source; the end of a run takes the place of its beginning."""
        columns, row = tables.source_runs.c, run_row(run)
        same = [columns[name] == row[name] for name in ("source", "started_at", "window_start", "window_end")]
        with self._database.writing() as connection:
            connection.execute(delete(tables.source_runs).where(*same, columns.state == str(RunState.RUNNING)))
            connection.execute(insert(tables.source_runs).values(row))

    def runs(self, source: str | None = None, limit: int = 100) -> list[SourceRun]:
        """Return the newest runs first."""
        columns = tables.source_runs.c
        newest = select(tables.source_runs).order_by(columns.started_at.desc(), columns.key.desc()).limit(limit)
        if source is not None:
            newest = newest.where(columns.source == source)
        with self._database.reading() as connection:
            return [run_of(row) for row in connection.execute(newest)]

    def file_runs(self) -> list[SourceRun]:
        """Return the newest run of each file that was brought in, apart for what it fills, the newest first."""
        columns = tables.source_runs.c
        of_files = select(func.max(columns.key)).where(columns.file.is_not(None)).group_by(columns.file, columns.fills)
        newest = select(tables.source_runs).where(columns.key.in_(of_files))
        with self._database.reading() as connection:
            return [
                run_of(row)
                for row in connection.execute(newest.order_by(columns.started_at.desc(), columns.key.desc()))
            ]

    def watched_from(self, source: str) -> datetime | None:
        """Return when live polling of a source began, or None."""
        columns = tables.watched_sources.c
        with self._database.reading() as connection:
            return connection.execute(select(columns.since).where(columns.source == source)).scalar_one_or_none()

    def watch(self, source: str, since: datetime) -> None:
        """Remember that live polling began; only the first call per source counts."""
        check_instants(since=since)
        columns = tables.watched_sources.c
        if self.watched_from(source) is not None:
            return
        with self._database.writing() as connection:
            if connection.execute(select(columns.since).where(columns.source == source)).first() is None:
                connection.execute(insert(tables.watched_sources).values(source=source, since=since))

    def append_forecasts(self, forecasts: dy.DataFrame[Forecasts]) -> int:
        """Keep what is new, durably, and return how many rows that was; the first value of a key stays."""
        if forecasts.is_empty():
            return 0
        with self._database.writing() as connection:
            return bulk.append_forecasts(self._database, connection, forecasts.select(Forecasts.column_names()))

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
        with self._database.reading() as connection:
            found = bulk.read_forecasts(
                self._database, connection, channels, window, as_of=as_of, models=models, makers=makers, levels=levels
            )
        return Forecasts.cast(last_issues(found) if latest_issue else found)

    def models_of(self, channel: str) -> dict[str, Maker]:
        """Return which models have forecast this channel and who made them, sorted by model."""
        columns = tables.forecast_series.c
        makers = (
            select(columns.model, columns.maker)
            .join_from(tables.forecast_series, tables.channels)
            .where(tables.channels.c.id == channel)
            .distinct()
        )
        with self._database.reading() as connection:
            return {model: Maker(maker) for model, maker in sorted(tuple(row) for row in connection.execute(makers))}

    def keep_plan(self, home: str, made_at: datetime, content: Mapping[str, Any]) -> None:
        """Keep a plan of a home, durably; one that was made at the same instant is replaced."""
        text = plan_text(made_at, content)
        with self._database.writing() as connection:
            check_known([home], connection.execute(select(tables.sites.c.id)).scalars(), "home")
            put_plan(connection, home, made_at, text)

    def plans(self, home: str, window: Window | None = None, *, limit: int | None = None) -> list[KeptPlan]:
        """Return the plans of a home that were made in a window, the latest first; without a window all of them."""
        with self._database.reading() as connection:
            return kept_plans(connection, home, window, limit)

    def forget_plans(self, home: str, window: Window) -> None:
        """Forget the plans of a home that were made in a window, as by a clock that was wrong."""
        with self._database.writing() as connection:
            drop_plans(connection, home, window)

    def history(self, context: Context, window: Window, as_of: datetime) -> History:
        """Return all versions known at ``as_of`` of the context's channels and its rivals' forecasts."""
        channel, covariates = context.channel.id, [covariate.channel for covariate in context.covariates]
        beside = [*(each.channel for each in context.similar), *context.companions]
        with self._database.reading() as connection:
            readings = bulk.read_readings(self._database, connection, [channel, *covariates, *beside], window, as_of)
            parts = [
                bulk.read_forecasts(self._database, connection, [channel], window, as_of=as_of, models=context.rivals),
                bulk.read_forecasts(self._database, connection, covariates, window, as_of=as_of),
            ]
        return History(
            as_of=as_of,
            context=context,
            readings=Readings.cast(readings),
            forecasts=Forecasts.cast(pl.concat(parts).sort(ISSUE)),
        )

    def check_writable(self) -> None:
        """Write and change nothing, waiting no longer than a second for other writers."""
        if self._database.is_writing():
            return
        self._database.check_space()
        with self._database.writing(patience_s=PROBE_PATIENCE_S) as connection:
            connection.execute(update(migrate.VERSION).values(version_num=migrate.VERSION.c.version_num))

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    def _known(self) -> Described:
        """Return what is described, read anew only where somebody has changed it since."""
        with self._database.reading() as connection:
            version = self._database.described_version(connection)
            kept = self._described
            if version is not None and kept is not None and kept[0] == version:
                return kept[1]
            described = _described(connection)
        if version is not None:
            self._described = (version, described)
        return described

    def _make_current(self) -> None:
        with self._database.reading() as connection:
            is_current = migrate.is_current(connection)
        if not is_current:
            with self._database.writing() as connection:
                migrate.upgrade(connection)


def _database(url: str) -> Database:
    remedy = "Use sqlite:///path/to/watthour.db or postgresql://user:password@host/database."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInput(
            "url", "(hidden)", "this is not a database URL", remedy=remedy
        ) from None  # may hold a password
    match parsed.get_backend_name():
        case "sqlite":
            from watthour.store.sqlite import Sqlite

            return Sqlite(parsed)
        case "postgresql" | "postgres":
            from watthour.store.postgres import Postgres

            return Postgres(parsed)
        case other:
            raise InvalidInput("url", other, "this kind of database is not supported", remedy=remedy)


def _sorted(connection: Connection, table: Table) -> list[Row[Any]]:
    """Return the rows of a table by their ids; here, as databases sort by their own rules."""
    return sorted(connection.execute(select(table)), key=lambda row: row.id)


def _described(connection: Connection) -> Described:
    """Return what is described, each by its id in their order."""
    return Described(
        by_id(site_of(row) for row in _sorted(connection, tables.sites)),
        by_id(zone_of(row) for row in _sorted(connection, tables.zones)),
        by_id(device_of(row) for row in _sorted(connection, tables.devices)),
        by_id(channel_of(row) for row in _sorted(connection, tables.channels)),
    )


def _register(connection: Connection, said: Described, *, are_new: bool) -> None:
    kept = _described(connection)
    new = said.new_to(kept, are_new=are_new)
    for name, site in new.sites.items():
        _put(connection, tables.sites, site_row(site), is_new=name not in kept.sites)
    for name, zone in new.zones.items():
        _put(connection, tables.zones, asdict(zone), is_new=name not in kept.zones)
    for name, device in new.devices.items():
        _put(connection, tables.devices, device_row(device), is_new=name not in kept.devices)
    for name, channel in new.channels.items():
        _put(connection, tables.channels, channel_row(channel), is_new=name not in kept.channels)


def _put(connection: Connection, table: Table, row: Mapping[str, Any], *, is_new: bool) -> None:
    connection.execute((insert(table) if is_new else update(table).where(table.c.id == row["id"])).values(row))


class _Leaving(NamedTuple):
    """The ids of what is to be removed."""

    channels: set[str]
    sites: set[str]
    zones: set[str]
    devices: set[str]


def _forget(connection: Connection, leaving: _Leaving, *, with_readings: bool) -> None:
    channel, device, zone = tables.channels.c, tables.devices.c, tables.zones.c
    names = leaving.channels
    is_left = channel.id.not_in(names)
    for site in sorted(leaving.sites):
        check_unused(
            "site", site, connection.execute(select(channel.id).where(channel.site == site, is_left)).scalars()
        )
    for each in sorted(leaving.devices):
        check_unused(
            "device", each, connection.execute(select(channel.id).where(channel.device == each, is_left)).scalars()
        )
    going = or_(device.id.in_(leaving.devices), device.site.in_(leaving.sites))
    of_devices = list(connection.execute(select(device.key).where(going)).scalars())
    keys = list(connection.execute(select(channel.key).where(channel.id.in_(names))).scalars())
    if not with_readings:
        _check_empty(connection, keys, of_devices)
    of_them = select(tables.forecast_series.c.key).where(tables.forecast_series.c.channel.in_(keys))
    connection.execute(delete(tables.forecasts).where(tables.forecasts.c.series.in_(of_them)))
    for table in (tables.forecast_series, tables.readings, tables.samples):
        connection.execute(delete(table).where(table.c.channel.in_(keys)))
    connection.execute(delete(tables.channels).where(channel.key.in_(keys)))
    connection.execute(delete(tables.events).where(tables.events.c.device.in_(of_devices)))
    connection.execute(delete(tables.devices).where(device.key.in_(of_devices)))
    for table in (tables.devices, tables.channels):
        connection.execute(update(table).where(table.c.zone.in_(leaving.zones)).values(zone=None))
    connection.execute(delete(tables.zones).where(or_(zone.id.in_(leaving.zones), zone.site.in_(leaving.sites))))
    connection.execute(delete(tables.plans).where(tables.plans.c.site.in_(leaving.sites)))
    connection.execute(delete(tables.sites).where(tables.sites.c.id.in_(leaving.sites)))


def _check_empty(connection: Connection, channels: Sequence[int], devices: Sequence[int]) -> None:
    """Refuse to remove channels and devices, by key, that hold what nobody can fetch or compute again."""
    channel, series, sample = tables.channels.c, tables.forecast_series.c, tables.samples.c
    loads = select(channel.id).where(channel.key.in_(channels), channel.variable.is_(None))
    rivals = loads.join_from(tables.channels, tables.forecast_series).where(series.maker == str(Maker.RIVAL))
    filled = loads.where(channel.first_time.is_not(None))
    told = loads.where(select(sample.time).where(sample.channel == channel.key).exists())
    used = (
        select(tables.devices.c.id)
        .where(tables.devices.c.key.in_(devices))
        .where(select(tables.events.c.start).where(tables.events.c.device == tables.devices.c.key).exists())
    )
    check_empty(
        {name for query in (filled, rivals, told) for name in connection.execute(query).scalars()},
        connection.execute(used).scalars(),
    )


def _quarantine(connection: Connection, rows: Mapping[str, Mapping[str, object]]) -> int:
    mark = tables.refused_rows.c.fingerprint
    known = set(connection.execute(select(mark).where(mark.in_(rows))).scalars())
    new = [{"fingerprint": mark, **row} for mark, row in rows.items() if mark not in known]
    if new:
        connection.execute(insert(tables.refused_rows), new)
    return len(new)
