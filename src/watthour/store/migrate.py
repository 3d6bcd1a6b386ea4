"""Bring a store's tables to what this version knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, inspect, select

from watthour.core.errors import StoreTooNew

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0006"  # the newest migration; a test compares it with the folder
VERSION_TABLE = "watthour_version"  # MLflow and Prefect keep an `alembic_version` and may share the database
VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", String))
MIGRATIONS = Path(__file__).parent / "migrations"


def kept_version(connection: Connection) -> str | None:
    """Return the version of the tables, None where there are none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(VERSION.c.version_num)).scalar_one_or_none()


def is_current(connection: Connection) -> bool:
    """Say whether the tables are those of this version.

    Raises:
        StoreTooNew: a newer version wrote them.
    """
    version = kept_version(connection)
    if version is not None and version > HEAD:
        raise StoreTooNew(
            f"the store has tables of version {version}, this Watthour knows them up to {HEAD}",
            remedy="Upgrade Watthour (pip install --upgrade watthour), or point it at another store; nothing changed.",
        )
    return version == HEAD


def upgrade(connection: Connection, *, to: str = HEAD) -> None:
    """Run the migrations that are missing, inside the transaction of the connection."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, to)
