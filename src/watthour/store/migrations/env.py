"""Alembic's door: the connection is handed in by `watthour.store.migrate`, and its transaction is the caller's."""

from alembic import context

from watthour.store.migrate import VERSION_TABLE
from watthour.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
