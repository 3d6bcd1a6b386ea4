"""The tables of the store. Instants are microseconds since 1970 UTC; long names are kept once and meant by number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Return an instant as the store keeps it.

    >>> microseconds(datetime(1970, 1, 1, 1, tzinfo=UTC))
    3600000000

    Raises:
        InvalidInput: the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise InvalidInput("instant", instant.isoformat(), "it has no time zone", remedy="Give one, such as UTC.")
    return (instant - _EPOCH) // _MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's
        """Return the number that is kept."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        """Return the instant it means."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

sites = Table(
    "sites",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("time_zone", String, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("holidays", String),
    Column("zone", String),
    Column("operator", String),
    Column("main_channel", String),
    Column("points", Text),  # JSON: where its weather is asked for, and its stations
    Column("stations", Text),
    Column("codes", Text),  # JSON: provider -> what it calls the site
    Column("is_simulated", Boolean, nullable=False),
)

zones = Table(
    "zones",
    metadata,
    Column("id", String, primary_key=True),
    Column("site", String, ForeignKey("sites.id"), nullable=False),
    Column("name", String, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("site", String, ForeignKey("sites.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("rating_w", Double),  # [W]
    Column("flexibility", String, nullable=False),
    Column("zone", String),
)

channels = Table(
    "channels",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("site", String, ForeignKey("sites.id"), nullable=False),
    Column("device", String),
    Column("quantity", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("resolution", BigInteger, nullable=False),  # [us]
    Column("is_simulated", Boolean, nullable=False),
    Column("low", Double),  # limits of what its values can be
    Column("high", Double),
    Column("is_never_constant", Boolean),
    Column("currency", String),
    Column("variable", String),  # of a covariate
    Column("point", String),
    Column("weight", Double),
    Column("zone", String),  # of a home, such as a room
    # kept up to date by every append, so that freshness needs no scan
    Column("first_time", Instant),
    Column("last_time", Instant),
    Column("last_recorded_at", Instant),
)

readings = Table(
    "readings",
    metadata,
    Column("channel", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True),
    Column("available_at", BigInteger, primary_key=True),
    Column("recorded_at", BigInteger, nullable=False),
    Column("value", Double),
    Column("quality", SmallInteger, nullable=False),
    sqlite_with_rowid=False,  # the key is the table: versions of an interval lie side by side
)

samples = Table(
    "samples",
    metadata,
    Column("channel", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True),
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),  # the place of a measure among all
    Column("recorded_at", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True),
    Column("available_at", BigInteger, primary_key=True),
    Column("recorded_at", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("energy_kwh", Double),
    Column("quality", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

forecast_series = Table(
    "forecast_series",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("channel", Integer, ForeignKey("channels.key"), nullable=False),
    Column("model", String, nullable=False),
    Column("level", Double, nullable=False),
    Column("maker", String),  # own, rival, baseline or trial
    UniqueConstraint("channel", "model", "level"),
)

forecasts = Table(
    "forecasts",
    metadata,
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True),
    Column("issued_at", BigInteger, primary_key=True),
    Column("available_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("value", Double),
    Column("quality", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

refused_rows = Table(
    "refused_rows",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("fingerprint", String, nullable=False, unique=True),  # of source, channel, rule and row
    Column("source", String, nullable=False),
    Column("channel", String),
    Column("rule", String, nullable=False),
    Column("row", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

source_runs = Table(
    "source_runs",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("new_rows", Integer, nullable=False),
    Column("refused_rows", Integer, nullable=False),
    Column("problem", Text),
    Column("file", String),
    Column("fills", Text),
    Index(None, "source", "started_at"),
    Index(None, "file"),
)

watched_sources = Table(
    "watched_sources",
    metadata,
    Column("source", String, primary_key=True),
    Column("since", Instant, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("site", String, ForeignKey("sites.id"), primary_key=True),
    Column("made_at", Instant, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),  # JSON
)
