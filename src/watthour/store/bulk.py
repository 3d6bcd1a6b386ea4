"""Readings, uses, samples and forecasts on their way in and out of SQL tables, a million at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from sqlalchemy import bindparam, insert, select, update

from watthour.core.frames import INSTANT, Events, Forecasts, Measure, Readings, Samples
from watthour.store.tables import channels, devices, events, forecast_series, forecasts, microseconds, readings, samples
from watthour.store.versions import VERSION, as_events, as_versions, check_instants, check_known, new_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table

    from watthour.core.frames import Maker
    from watthour.core.window import Window
    from watthour.store.database import Database

_MEASURES = {str(measure): place for place, measure in enumerate(Measure)}
FEW_CHANNELS = 16  # asked one by one, their number need not be read with every row, which wins a fifth


class _Kept(NamedTuple):
    """What the channel table says of a channel's readings."""

    key: int
    first_time: datetime | None
    last_time: datetime | None
    last_recorded_at: datetime | None


def append_readings(database: Database, connection: Connection, incoming: pl.DataFrame) -> int:
    """Insert what is new and return how many versions that was."""
    kept = _kept(connection, incoming)
    keyed = incoming.select(pl.col("channel").replace_strict(_keys(kept), return_dtype=pl.Int32), pl.exclude("channel"))
    new = new_versions(keyed, _existing(database, connection, keyed, kept))
    n_inserted = database.insert(connection, readings, _numbers(new.sort(VERSION), readings), are_new=True)
    _widen(connection, new, kept)
    return n_inserted


def read_readings(
    database: Database, connection: Connection, names: Iterable[str], window: Window, as_of: datetime | None
) -> pl.DataFrame:
    """Return every version known at an instant, sorted by channel, time and available_at."""
    check_instants(as_of=as_of)
    keys = {key: name for name, key in sorted(_keys_of(connection, names).items())}  # databases sort by their own rules
    table = readings.c
    numbers = (table.time, table.available_at, table.recorded_at, table.value, table.quality)
    if len(keys) <= FEW_CHANNELS:
        parts: list[pl.DataFrame] = [Readings.create_empty()]
        for key, name in keys.items():
            alone = select(*numbers).where(table.channel == key, *_within(readings, window, as_of))
            found = database.fetch(connection, alone.order_by(table.time, table.available_at))
            parts.append(_instants(found.select(pl.lit(name).alias("channel"), pl.all())))
        return pl.concat(parts)
    together = select(table.channel, *numbers).where(table.channel.in_(keys), *_within(readings, window, as_of))
    found = _instants(database.fetch(connection, together.order_by(table.channel, table.time, table.available_at)))
    if list(keys) != sorted(keys):  # numbers were not given in the order of the names
        places = {key: place for place, key in enumerate(keys)}
        found = found.sort(pl.col("channel").replace_strict(places, return_dtype=pl.Int32), "time", "available_at")
    return found.with_columns(pl.col("channel").replace_strict(keys, return_dtype=pl.String))


def read_recorded(database: Database, connection: Connection, name: str, since: datetime) -> pl.DataFrame:
    """Return every version of the intervals of which one was recorded at an instant or later, sorted by time."""
    check_instants(since=since)
    table = readings.c
    parts: list[pl.DataFrame] = [Readings.create_empty()]
    for key in _keys_of(connection, [name]).values():
        changed = select(table.time).where(table.channel == key, table.recorded_at >= microseconds(since))
        numbers = (table.time, table.available_at, table.recorded_at, table.value, table.quality)
        rows = select(*numbers).where(table.channel == key, table.time.in_(changed))
        found = database.fetch(connection, rows.order_by(table.time, table.available_at))
        parts.append(_instants(found.select(pl.lit(name).alias("channel"), pl.all())))
    return pl.concat(parts)


def append_samples(database: Database, connection: Connection, incoming: pl.DataFrame) -> int:
    """Insert the keys that are new and return how many that was."""
    names = incoming["channel"].unique().to_list()
    keys = _keys_of(connection, names)
    check_known(names, keys)
    keyed = incoming.with_columns(
        pl.col("channel").replace_strict(keys, return_dtype=pl.Int32),
        pl.col("measure").replace_strict(_MEASURES, return_dtype=pl.Int16),
    )
    return database.insert(connection, samples, _numbers(keyed.sort("channel", "time", "measure"), samples))


def read_samples(database: Database, connection: Connection, names: Iterable[str], window: Window) -> pl.DataFrame:
    """Return what was told at the instants of a window, sorted by channel, time and measure."""
    keys = {key: name for name, key in _keys_of(connection, names).items()}
    if not keys:
        return Samples.create_empty()
    here = select(samples).where(samples.c.channel.in_(keys), *_within(samples, window, None))
    found = _instants(database.fetch(connection, here))
    measures = {place: name for name, place in _MEASURES.items()}
    named = found.with_columns(
        pl.col("channel").replace_strict(keys, return_dtype=pl.String),
        pl.col("measure").replace_strict(measures, return_dtype=pl.String),
    )
    return named.select(Samples.column_names()).sort("channel", "time", "measure")


def append_events(database: Database, connection: Connection, incoming: pl.DataFrame) -> int:
    """Insert what is new of uses and return how many versions that was."""
    names = incoming["device"].unique().to_list()
    asked = connection.execute(select(devices.c.id, devices.c.key).where(devices.c.id.in_(names)))
    keys: dict[str, int] = dict(tuple(row) for row in asked)
    check_known(names, keys, "device")
    keyed = incoming.with_columns(pl.col("device").replace_strict(keys, return_dtype=pl.Int32))
    first, last = keyed.select(pl.col("start").min(), last=pl.col("start").max()).row(0)
    starts = events.c.start.between(microseconds(first), microseconds(last))
    kept = _instants(database.fetch(connection, select(events).where(events.c.device.in_(keys.values()), starts)))
    new = as_events(new_versions(as_versions(keyed), as_versions(kept)))
    return database.insert(
        connection, events, _numbers(new.sort("device", "start", "available_at"), events), are_new=True
    )


def read_events(
    database: Database, connection: Connection, names: Iterable[str], window: Window, as_of: datetime | None
) -> pl.DataFrame:
    """Return every version of the uses that began in a window and were known at an instant, sorted by their key."""
    check_instants(as_of=as_of)
    asked = connection.execute(select(devices.c.id, devices.c.key).where(devices.c.id.in_(set(names))))
    keys = {key: name for name, key in (tuple(row) for row in asked)}
    if not keys:
        return Events.create_empty()
    here = select(events).where(events.c.device.in_(keys), *_within(events, window, as_of, time="start"))
    found = _instants(database.fetch(connection, here))
    named = found.with_columns(pl.col("device").replace_strict(keys, return_dtype=pl.String))
    return named.select(Events.column_names()).sort("device", "start", "available_at")


def append_forecasts(database: Database, connection: Connection, incoming: pl.DataFrame) -> int:
    """Insert the keys that are new and return how many that was."""
    kept = _kept(connection, incoming)
    named = ["channel", "model", "level"]
    series = _series(connection, incoming.select(*named, "maker").unique(named), _keys(kept)).drop("maker")
    keyed = incoming.join(series, on=named, how="left", maintain_order="left")
    return database.insert(connection, forecasts, _numbers(keyed.sort("series", "time", "issued_at"), forecasts))


def read_forecasts(
    database: Database,
    connection: Connection,
    names: Iterable[str],
    window: Window,
    *,
    as_of: datetime | None,
    models: Sequence[str] | None = None,
    makers: Sequence[Maker] | None = None,
    levels: Sequence[float] | None = None,
) -> pl.DataFrame:
    """Return the forecasts available at an instant, sorted by their key."""
    check_instants(as_of=as_of)
    columns = forecast_series.c
    asked = (
        select(channels.c.id, columns.model, columns.level, columns.maker, columns.key)
        .join_from(forecast_series, channels)
        .where(channels.c.id.in_(set(names)))
    )
    if models is not None:
        asked = asked.where(columns.model.in_(list(models)))
    if makers is not None:
        asked = asked.where(columns.maker.in_([str(maker) for maker in makers]))
    if levels is not None:
        asked = asked.where(columns.level.in_(list(levels)))
    schema = {
        "channel": pl.String,
        "model": pl.String,
        "level": pl.Float64,
        "maker": pl.String,
        "series": pl.Int32,
    }
    series = pl.DataFrame([tuple(row) for row in connection.execute(asked)], schema=schema, orient="row")
    if series.is_empty():
        return Forecasts.create_empty()
    series = series.sort("model", "level").with_row_index("rank").sort("channel").with_row_index("place")
    series = series.with_columns(pl.col("place").min().over("channel"))  # numbers sort faster than names
    chosen = forecasts.c.series.in_(series["series"].to_list())
    found = database.fetch(connection, select(forecasts).where(chosen, *_within(forecasts, window, as_of)))
    named = _instants(found).join(series, on="series").sort("place", "time", "issued_at", "rank")
    return named.select(Forecasts.column_names())


def _within(table: Table, window: Window, as_of: datetime | None, *, time: str = "time") -> list[ColumnElement[bool]]:
    """Return the conditions that an interval starts in a window and that its row was known at an instant."""
    conditions = [table.c[time] >= microseconds(window.start), table.c[time] < microseconds(window.end)]
    return conditions if as_of is None else [*conditions, table.c.available_at <= microseconds(as_of)]


def _keys_of(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those channels that are known."""
    asked = select(channels.c.id, channels.c.key).where(channels.c.id.in_(set(names)))
    return dict(tuple(row) for row in connection.execute(asked))


def _kept(connection: Connection, incoming: pl.DataFrame) -> dict[str, _Kept]:
    """Return what is kept of the incoming channels, all of which must be registered."""
    names = incoming["channel"].unique().to_list()
    columns = channels.c
    found = connection.execute(
        select(columns.id, columns.key, columns.first_time, columns.last_time, columns.last_recorded_at).where(
            columns.id.in_(names)
        )
    )
    kept = {row[0]: _Kept(*row[1:]) for row in found}
    check_known(names, kept)
    return kept


def _keys(kept: dict[str, _Kept]) -> dict[str, int]:
    return {name: channel.key for name, channel in kept.items()}


def _existing(
    database: Database, connection: Connection, incoming: pl.DataFrame, kept: dict[str, _Kept]
) -> pl.DataFrame:
    """Return all kept versions within the incoming spans; where none can be, the table is not asked."""
    filled = {channel.key: channel for channel in kept.values()}
    spans = incoming.group_by("channel").agg(first=pl.col("time").min(), last=pl.col("time").max())
    table = readings.c
    parts = []
    for (first, last), of_span in spans.group_by("first", "last"):
        asked = [
            key
            for key in of_span["channel"]
            if (channel := filled[key]).first_time is not None
            and channel.last_time is not None
            and channel.first_time <= last
            and channel.last_time >= first
        ]
        if asked:
            query = select(readings).where(
                table.channel.in_(asked), table.time.between(microseconds(first), microseconds(last))
            )
            parts.append(_instants(database.fetch(connection, query)))
    return pl.concat(parts) if parts else incoming.clear()


def _widen(connection: Connection, new: pl.DataFrame, kept: dict[str, _Kept]) -> None:
    """Keep the channels' spans true."""
    spans = new.group_by("channel").agg(
        first=pl.col("time").min(), last=pl.col("time").max(), recorded=pl.col("recorded_at").max()
    )
    filled = {channel.key: channel for channel in kept.values()}
    wider = [
        {
            "of_key": key,
            "first_time": min(first, filled[key].first_time or first),
            "last_time": max(last, filled[key].last_time or last),
            "last_recorded_at": max(recorded, filled[key].last_recorded_at or recorded),
        }
        for key, first, last, recorded in spans.iter_rows()
    ]
    if wider:
        values: dict[str, Any] = {name: bindparam(name) for name in wider[0] if name != "of_key"}
        connection.execute(update(channels).where(channels.c.key == bindparam("of_key")).values(values), wider)


def _series(connection: Connection, asked: pl.DataFrame, keys: dict[str, int]) -> pl.DataFrame:
    """Return the number of each channel, model and level, making those that are new."""
    columns = forecast_series.c
    found = connection.execute(
        select(columns.channel, columns.model, columns.level, columns.key).where(columns.channel.in_(keys.values()))
    )
    numbers = {(channel, model, level): key for channel, model, level, key in found}
    for name, model, level, maker in asked.iter_rows():
        if (keys[name], model, level) not in numbers:
            made = connection.execute(
                insert(forecast_series)
                .values(channel=keys[name], model=model, level=level, maker=maker)
                .returning(columns.key)
            )
            numbers[keys[name], model, level] = made.scalar_one()
    return asked.with_columns(
        series=pl.Series(
            [numbers[keys[name], model, level] for name, model, level, _maker in asked.iter_rows()], dtype=pl.Int32
        )
    )


def _instants(numbers: pl.DataFrame) -> pl.DataFrame:
    """Return fetched microseconds as instants."""
    return numbers.with_columns(pl.col("^(time|start|end|.*_at)$").cast(INSTANT))


def _numbers(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return the columns of a table as the numbers it keeps."""
    return rows.select(pl.col(column.name).to_physical() for column in table.columns)
