"""What is particular to PostgreSQL: other programs beside us, writers that meet, and its faults told with a cure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from builders import DEMAND, demand_channel, hours, readings, region_site
from sqlalchemy import create_engine, make_url

from watthour.core.errors import StoreError, StoreFull, StoreTooNew
from watthour.store import migrate
from watthour.store.postgres import Postgres
from watthour.store.sql import open_store
from watthour.store.tables import metadata

pytestmark = pytest.mark.postgres


def test_a_new_store_has_the_tables_the_code_speaks_to(postgres_url: str) -> None:
    open_store(postgres_url).close()
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        options = {"version_table": migrate.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()


def test_it_lives_beside_the_tables_of_other_programs(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("CREATE TABLE alembic_version (version_num varchar)")
        other.execute("INSERT INTO alembic_version VALUES ('theirs')")
        open_store(postgres_url).close()
        open_store(postgres_url).close()
        assert other.execute("SELECT version_num FROM alembic_version").fetchall() == [("theirs",)]


def test_a_store_from_a_newer_version_is_left_alone(postgres_url: str) -> None:
    open_store(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("UPDATE watthour_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew, match=r"version 9999.*Upgrade Watthour"):
        open_store(postgres_url)


def test_writers_that_open_and_append_the_same_at_once_keep_it_once(postgres_url: str) -> None:
    def write(_: int) -> int:
        with closing(open_store(postgres_url)) as store:
            store.register([region_site()], [demand_channel()])
            return sum(store.append(readings(*map(float, range(n)))) for n in (10, 30, 50))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(write, range(4))) == 50
    with closing(open_store(postgres_url)) as store:
        assert store.versions([DEMAND], hours(0, 99))["value"].to_list() == [float(hour) for hour in range(50)]


def test_both_spellings_of_its_name_are_understood(postgres_url: str) -> None:
    open_store(postgres_url.replace("postgresql://", "postgres://")).close()


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(StoreError, match="Check DATABASE_URL") as caught:
        open_store("postgresql://watt:hour-secret@127.0.0.1:1/watthour?connect_timeout=2")
    assert "hour-secret" not in str(caught.value)


def test_a_full_disk_is_told() -> None:
    database = Postgres(make_url("postgresql://host/watthour"))
    with pytest.raises(StoreFull, match="Free some space"), database._translated():
        raise psycopg.errors.DiskFull("could not extend file")
