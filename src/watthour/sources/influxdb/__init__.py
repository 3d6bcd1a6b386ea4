"""InfluxDB 3: what Home Assistant, or whoever else, keeps of a home in a database of time series."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads annotations at run time
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from watthour.core.errors import MissingExtra
from watthour.sources.options import Options, address_of, secret_of

if TYPE_CHECKING:
    from watthour.sources.recorded import Recorded

TOKEN = "INFLUXDB_TOKEN"  # noqa: S105 - the name of a variable
_REMEDY = (
    "Make a token that may read the database (`influxdb3 create token`). Set it as INFLUXDB_TOKEN, "
    "or give it where the source is added."
)
_NAME = re.compile(r"[\w.°%/ -]{1,100}")


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no plain name of a table or column"
        raise ValueError(message)
    return name


class TableBlock(BaseModel):
    """One of ``tables``: a table that has another layout than Home Assistant's."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    table: str
    unit: str  # such as W, kWh, °C or %
    value: str = "value"  # column of the values
    names: tuple[str, ...] = Field(min_length=1, max_length=4)  # columns that tell the things apart

    @field_validator("table", "value", mode="after")
    @classmethod
    def _is_plain(cls, name: str) -> str:
        return _plain(name)

    @field_validator("names", mode="after")
    @classmethod
    def _are_plain(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_plain(name) for name in names)

    @field_validator("unit", mode="after")
    @classmethod
    def _is_known(cls, unit: str) -> str:
        from watthour.sources.mqtt.message import UNITS

        if unit not in UNITS:
            message = f"there is no such unit; there are {', '.join(UNITS)}"
            raise ValueError(message)
        return unit


class InfluxdbOptions(Options):
    """The block ``[sources.influxdb]``."""

    url: str | None = None  # such as http://192.168.1.10:8181; without it nothing is asked
    database: str = "homeassistant"
    token: SecretStr | None = None
    token_file: Path | None = None  # that only its owner can read
    ca_file: Path | None = None  # of a server with a certificate of one's own making
    every_s: float = Field(default=30.0, ge=5.0, le=3600.0)
    heartbeat_s: float | None = Field(default=None, gt=0.0, le=86_400.0)  # each thing is written at least so often
    tables: tuple[TableBlock, ...] = ()  # of another layout; those of Home Assistant's are found by themselves

    @field_validator("url", mode="after")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return address_of(value, of="an InfluxDB", example="http://192.168.1.10:8181")

    @field_validator("database", mode="after")
    @classmethod
    def _is_plain(cls, name: str) -> str:
        return _plain(name)


def open_line(options: InfluxdbOptions, **_of_brokers: object) -> Recorded | None:
    """Return the line to the database that the settings name, not opened yet; None where they name none.

    Raises:
        NotConfigured: there is no token.
        MissingExtra: the library for InfluxDB is not installed.
    """
    if options.url is None or not options.enabled:
        return None
    from importlib.util import find_spec

    from watthour.sources.influxdb.recorder import Database, Layout, Tables
    from watthour.sources.recorded import Recorded

    if find_spec("influxdb_client_3") is None:
        raise MissingExtra("influxdb3-python", "iot")
    token = secret_of(options.token, options.token_file, name=TOKEN, remedy=_REMEDY)
    database = Database(options.url, options.database, token, ca_file=options.ca_file)
    layouts = [Layout(each.table, each.unit, each.value, each.names) for each in options.tables]
    heartbeat = None if options.heartbeat_s is None else timedelta(seconds=options.heartbeat_s)
    return Recorded("influxdb", Tables(database, layouts, heartbeat), timedelta(seconds=options.every_s))
