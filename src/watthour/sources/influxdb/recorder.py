"""Tables of InfluxDB 3, asked by SQL: names of tables and columns are quoted, values go as parameters.

Home Assistant's integration writes one table for each unit, such as ``kWh``, with the tags ``domain`` and ``entity_id``
and the field ``value``, a row for each change of a state; attributes are fields beside it, texts with ``_str`` at the
end of their name. Source: https://www.home-assistant.io/integrations/influxdb/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl

from watthour.core.bulletin import ORIGIN
from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.heard import Heard, Recalled, Tells, Thing
from watthour.core.window import Window
from watthour.sources.mqtt.discovery import TOLD_BY, is_our_entity
from watthour.sources.mqtt.message import UNITS, Answer, Message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

NAME = "influxdb"
_MOST_ROWS = 20_000  # of a table in one answer
_MOST_THINGS = 2_000  # of a table
_LONGEST_NAME = 200
_PATIENCE_MS = 30_000
_LOOK_BACK = timedelta(days=2)  # for the last value; InfluxDB 3 Core refuses much longer looks
_US = timedelta(microseconds=1)
_TAGS = ("domain", "entity_id")  # of Home Assistant's layout
_CLASS, _STATE_CLASS, _FRIENDLY = "device_class_str", "state_class_str", "friendly_name_str"
_TOLD_BY = f"{TOLD_BY}_str"
_OF_MANY = frozenset({"K", "%"})  # units of other things too
_CLASS_OF = {
    Tells.POWER: "power",
    Tells.COUNTER: "energy",
    Tells.TEMPERATURE: "temperature",
    Tells.HUMIDITY: "humidity",
}


class Database:
    """A database, asked by the client of InfluxDB.

    Args:
        url: of the server.
        name: of the database.
        token: that may read it.
        ca_file: certificate that signed the server's; None: the system's.
    """

    def __init__(self, url: str, name: str, token: str, *, ca_file: Path | None = None) -> None:
        self.url = url
        self.name = name
        self._token = token
        self._ca_file = ca_file
        self._client: Any = None

    def rows(self, sql: str, parameters: Mapping[str, str] | None = None) -> pl.DataFrame:
        """Return what a query finds.

        Raises:
            SourceUnavailable: the server does not answer.
            SourceRejected: it does not accept the token, or the database is not there.
            PayloadChanged: it does not understand the query.
        """
        from influxdb_client_3.exceptions.exceptions import InfluxDB3ClientError
        from pyarrow import ArrowException

        try:
            if self._client is None:
                self._client = self._opened()
            table = self._client.query(sql, language="sql", mode="all", query_parameters=dict(parameters or {}))
            found = pl.from_arrow(table)
        except (InfluxDB3ClientError, ArrowException, OSError) as error:
            raise self._explained(error) from None
        assert isinstance(found, pl.DataFrame)  # noqa: S101 - a table is one
        return found

    def close(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _opened(self) -> Any:  # noqa: ANN401 - the library has no types of its own
        from influxdb_client_3 import InfluxDBClient3

        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 8181)
        more = {} if self._ca_file is None else {"ssl_ca_cert": str(self._ca_file)}
        return InfluxDBClient3(  # type: ignore[no-untyped-call]  # the library has no types
            host=self.url,
            database=self.name,
            token=self._token,
            query_port_overwrite=port,
            query_timeout=_PATIENCE_MS,
            **more,
        )

    def _explained(self, error: Exception) -> Exception:
        from pyarrow import flight

        cause = error.__cause__ or error.__context__ or error
        text = " ".join(str(error).replace(self._token, "***").split())[:300]
        if isinstance(error, FileNotFoundError):
            cure = "Correct ca_file under [sources.influxdb] in watthour.toml."
            return SourceRejected(NAME, f"there is no file {self._ca_file}", remedy=cure)
        if isinstance(cause, flight.FlightUnauthenticatedError | flight.FlightUnauthorizedError):
            problem = f"{self.url} does not accept the token for the database {self.name}"
            cure = "Give a token that may read it: `influxdb3 create token`."
            return SourceRejected(NAME, problem, remedy=cure, option="token")
        if isinstance(cause, flight.FlightTimedOutError | flight.FlightUnavailableError | OSError):
            problem = f"{self.url} does not answer"
            return SourceUnavailable(NAME, problem, remedy="Check its address, and that it runs.", option="url")
        if "not found" in text.casefold() and "database" in text.casefold():
            problem = f"{self.url} has no database {self.name}"
            cure = "Give the name of a database that it has (database)."
            return SourceRejected(NAME, problem, remedy=cure, option="database")
        remedy = "Check that it is InfluxDB 3, and the tables under [sources.influxdb]; else report it."
        return PayloadChanged(NAME, f"{self.url} does not answer a query: {text}", remedy=remedy)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is read."""

    table: str
    unit: str
    value: str = "value"
    names: tuple[str, ...] = _TAGS
    columns: frozenset[str] = frozenset()  # that it has beside these

    @property
    def tells(self) -> Tells:
        """What its values say."""
        return UNITS[self.unit][0]

    @property
    def selected(self) -> str:
        """The columns that are asked for, as they stand in SQL."""
        more = [name for name in (_CLASS, _STATE_CLASS, _FRIENDLY, _TOLD_BY) if name in self.columns]
        return ", ".join(quoted(name) for name in (*self.names, self.value, "time", *more))


class Tables:
    """The tables of a database that hold what we can read.

    Args:
        database: which.
        layouts: of tables that have another layout than Home Assistant's.
        heartbeat: each thing is written at least so often; None: nobody promises.
    """

    fine_for = timedelta(days=3650)
    piece = timedelta(days=1)
    late = timedelta(minutes=2)

    def __init__(self, database: Database, layouts: Sequence[Layout] = (), heartbeat: timedelta | None = None) -> None:
        self._database = database
        self._own = tuple(layouts)
        self._heartbeat = heartbeat
        self._layouts: dict[str, Layout] = {}
        self._things: dict[str, Thing] = {}

    def latest(self, now: datetime) -> Heard:
        """Return the last value of every thing that was written in the last days."""
        self._layouts = {each.table: each for each in self._found()}
        answer = Answer(Message(NAME, b"", now))
        for layout in self._layouts.values():
            columns = layout.selected
            apart = ", ".join(quoted(name) for name in layout.names)
            inner = (
                f"SELECT {columns}, row_number() OVER (PARTITION BY {apart} ORDER BY time DESC) AS newest "  # noqa: S608 - quoted
                f"FROM {quoted(layout.table)} WHERE {_during(Window(now - _LOOK_BACK, now + _LOOK_BACK))} "
                f"AND {quoted(layout.value)} IS NOT NULL"
            )
            sql = f"SELECT {columns} FROM ({inner}) AS recent WHERE newest = 1 ORDER BY {apart} LIMIT {_MOST_THINGS}"  # noqa: S608 - quoted
            for row in self._database.rows(sql).iter_rows(named=True):
                self._tell(answer, layout, row)
        return answer.heard()

    def told(self, keys: Collection[str] | None, window: Window, *, is_past: bool) -> Recalled:
        """Return the rows of a window, or of its beginning where there are too many for one answer."""
        if not self._layouts:
            self._layouts = {each.table: each for each in self._found()}
        wanted = None if keys is None else self._wanted(keys, is_past=is_past)
        tables = self._layouts.values() if wanted is None else [self._layouts[name] for name in wanted]
        found: list[tuple[Layout, pl.DataFrame]] = []
        end = window.end
        for layout in tables:
            chosen, parameters = ("", {}) if wanted is None else _chosen(layout, wanted[layout.table])
            sql = (
                f"SELECT {layout.selected} FROM {quoted(layout.table)} WHERE {_during(window)} "  # noqa: S608 - quoted
                f"AND {quoted(layout.value)} IS NOT NULL{chosen} ORDER BY time LIMIT {_MOST_ROWS}"
            )
            rows = self._database.rows(sql, parameters)
            if rows.height >= _MOST_ROWS:
                last = _instant(rows["time"][-1])
                end = min(end, last if last > window.start else last + _US)
            found.append((layout, rows))
        answer = Answer(Message(NAME, b"", end))
        for layout, rows in found:
            for row in rows.iter_rows(named=True):
                if _instant(row["time"]) < end:
                    self._tell(answer, layout, row, is_chosen=wanted is not None)
        return Recalled(Window(window.start, end), answer.heard())

    def close(self) -> None:
        """End the connection; the next question opens another."""
        self._database.close()

    def _found(self) -> Iterator[Layout]:
        """Yield the tables of the settings, then those that have Home Assistant's layout."""
        sql = (
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'iox' ORDER BY table_name, column_name"
        )
        columns: dict[str, set[str]] = {}
        for table, column in self._database.rows(sql).select("table_name", "column_name").iter_rows():
            columns.setdefault(str(table), set()).add(str(column))
        for own in self._own:
            missing = {own.value, "time", *own.names} - columns.get(own.table, set())
            if missing:
                problem = f"the database {self._database.name} has no table {own.table}"
                if own.table in columns:
                    problem = f"the table {own.table} has no column {min(missing)}"
                remedy = (
                    f"Correct tables under [sources.influxdb]. There are: {', '.join(list(columns)[:20]) or 'none'}."
                )
                raise SourceRejected(NAME, problem, remedy=remedy)
            yield own
        mine = {own.table for own in self._own}
        for table, names in columns.items():
            if table in UNITS and table not in mine and {"value", "time", *_TAGS} <= names and _is_name(table):
                yield Layout(table, table, columns=frozenset(names))

    def _wanted(self, keys: Collection[str], *, is_past: bool) -> dict[str, list[tuple[str, ...]]]:
        """Return the tags of things, by table; what is followed may be gone, whose past is asked for must be there."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for key in sorted(keys):
            entity, _, table = key.removeprefix(f"{NAME}/").rpartition("/")
            layout = self._layouts.get(table)
            tags = () if layout is None else tuple(entity.split(".", len(layout.names) - 1))
            if layout is None or len(tags) != len(layout.names):
                if not is_past:
                    continue
                remedy = "Was it renamed, or removed? `watthour listen --found` lists what there is."
                problem = f"the database {self._database.name} has nothing that is called {entity} [{table}]"
                raise SourceRejected(NAME, problem, remedy=remedy)
            found.setdefault(table, []).append(tags)
        return found

    def _tell(self, answer: Answer, layout: Layout, row: Mapping[str, Any], *, is_chosen: bool = False) -> None:
        tags = [row[name] for name in layout.names]
        if any(tag is None for tag in tags):
            answer.refuse("row_has_its_name")
            return
        entity = ".".join(str(tag) for tag in tags)
        key = f"{NAME}/{entity}/{layout.table}"
        if layout.columns and not is_chosen and (is_our_entity(entity) or not _is_meant(layout, row)):
            return
        if key not in self._things or row.get(_FRIENDLY):
            kind = "meter" if layout.tells in {Tells.POWER, Tells.COUNTER} else "sensor"
            self._things[key] = Thing(key, f"{NAME}/{entity}", str(row.get(_FRIENDLY) or entity), kind, self._heartbeat)
        answer.tell(self._things[key], layout.tells, row[layout.value], layout.unit, at=_instant(row["time"]))


def _is_meant(layout: Layout, row: Mapping[str, Any]) -> bool:
    """Tell whether a thing in a table of Home Assistant's is what its unit says: a battery is no humidity.

    What we have told Home Assistant ourselves is no meter.
    """
    if row.get(_TOLD_BY) == ORIGIN:
        return False
    if layout.tells is Tells.COUNTER and row.get(_STATE_CLASS) == "measurement":
        return False  # what is stored, and not what was counted
    said = row.get(_CLASS)
    return said == _CLASS_OF[layout.tells] or (said is None and layout.unit not in _OF_MANY)


def quoted(name: str) -> str:
    """Return the name of a table or a column as it stands in SQL.

    >>> quoted('kWh'), quoted('a"; DROP TABLE b --')
    ('"kWh"', '"a""; DROP TABLE b --"')

    Raises:
        SourceRejected: it can be no such name.
    """
    if not _is_name(name):
        raise SourceRejected(NAME, f"{name[:50]!r} can be no name of a table", remedy="Rename it in the database.")
    return '"' + name.replace('"', '""') + '"'


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable()


def _during(window: Window) -> str:
    begin, end = (at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for at in (window.start, window.end))
    return f"time >= '{begin}' AND time < '{end}'"


def _chosen(layout: Layout, wanted: Sequence[tuple[str, ...]]) -> tuple[str, dict[str, str]]:
    """Return the condition that only these things are meant, and its parameters."""
    parameters: dict[str, str] = {}
    each_is = []
    for number, tags in enumerate(wanted):
        parts = []
        for place, (name, tag) in enumerate(zip(layout.names, tags, strict=True)):
            parameters[f"t{number}_{place}"] = tag
            parts.append(f"{quoted(name)} = $t{number}_{place}")
        each_is.append(f"({' AND '.join(parts)})")
    return f" AND ({' OR '.join(each_is)})", parameters


def _instant(said: object) -> datetime:
    """Return an instant of the database, which means UTC where it names no zone."""
    if not isinstance(said, datetime):
        raise PayloadChanged(NAME, "the column time holds no instants", remedy="Update Watthour or report it.")
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
