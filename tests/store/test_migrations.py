"""The migrations lead to the tables that the code speaks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from watthour.store import migrate
from watthour.store.sql import open_store
from watthour.store.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_new_store_has_the_tables_the_code_speaks_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"
    open_store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrate.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
        assert "alembic_version" not in inspect(connection).get_table_names()
    engine.dispose()


def test_the_newest_migration_is_the_one_this_version_knows() -> None:
    names = sorted(path.name for path in (migrate.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert names[-1].startswith(f"{migrate.HEAD}_")


def test_opening_a_store_again_runs_no_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"
    open_store(url).close()
    monkeypatch.setattr(migrate, "upgrade", None)
    open_store(url).close()
