"""What is particular to SQLite: faults of the file, told with a cure, and what is set on each connection."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Barrier
from time import sleep
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from builders import DEMAND, MIDNIGHT, demand_channel, hours, readings, region_site
from sqlalchemy import event

from watthour.core.errors import InvalidInput, StoreError, StoreFull, StoreLocked, StoreReadOnly, StoreTooNew
from watthour.core.window import HOUR
from watthour.store import sqlite
from watthour.store.sql import SqlStore, open_store
from watthour.store.sqlite import Sqlite
from watthour.workflows.own_sites import SiteWords, add_site, channel_words

if TYPE_CHECKING:
    from pathlib import Path

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.frames import Readings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watthour.db"


def fill(path: Path) -> SqlStore:
    store = open_store(f"sqlite:///{path}")
    store.register([region_site()], [demand_channel()])
    store.append(readings(1.0, 2.0))
    return store


def limit_pages(store: SqlStore, n_more: int) -> None:
    """Let the file grow by so many pages and no further, as on a full disk."""
    database = store._database
    assert isinstance(database, Sqlite)

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        (n_now,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {n_now + n_more}")

    database.close()
    event.listen(database.engine, "connect", limit)


def test_a_full_disk_is_told_and_nothing_acknowledged_is_lost(path: Path) -> None:
    with closing(fill(path)) as store:
        limit_pages(store, n_more=3)
        with pytest.raises(StoreFull, match=r"no space is left for .*watthour\.db\. Free some space"):
            store.append(readings(*map(float, range(10_000))))
        assert store.read([DEMAND], hours(0, 99))["value"].to_list() == [1.0, 2.0]
        assert store.spans()[DEMAND][0] == MIDNIGHT
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert store.append(readings(1.0, 2.0, 3.0)) == 1


def test_a_store_from_a_newer_version_is_left_alone(path: Path) -> None:
    fill(path).close()
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("UPDATE watthour_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=r"version 9999.*Upgrade Watthour"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("time,value\n" * 1000)
    with pytest.raises(StoreError, match="This file is not a Watthour store"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("time,value")


def test_a_directory_that_is_not_there_is_told(path: Path) -> None:
    with pytest.raises(StoreError, match="Check that its directory exists"):
        open_store(f"sqlite:///{path.parent / 'nowhere' / 'watthour.db'}")


def test_a_damaged_file_is_told(path: Path) -> None:
    fill(path).close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 20_000)
    with pytest.raises(StoreError, match="restore it from a backup"):
        open_store(f"sqlite:///{path}").channels()


def test_a_writer_that_never_ends_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path).close()
    monkeypatch.setattr(sqlite, "PATIENCE_S", 0.05)
    monkeypatch.setitem(sqlite._PRAGMAS, "busy_timeout", "50")
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(open_store(f"sqlite:///{path}")) as store,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert store.read([DEMAND], hours(0, 99)).height == 2
        with pytest.raises(StoreError, match="Another process has been writing"):
            store.append(readings(1.0, 2.0, 3.0))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/watthour", "watthour.db"])
def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"Use sqlite:///path"):
        open_store(url)


def test_a_commit_survives_a_power_cut_and_readers_never_wait(path: Path) -> None:
    store = fill(path)
    database = store._database
    assert isinstance(database, Sqlite)
    with closing(store), database.reading() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("synchronous", "journal_mode")
        }
    assert asked == {"synchronous": 2, "journal_mode": "wal"}


def test_spaces_and_odd_signs_may_be_in_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "my 100% Wärme"
    folder.mkdir()
    fill(folder / "watthour.db").close()
    assert (folder / "watthour.db").exists()


def test_a_store_that_may_be_written_is_found_so_and_not_changed(path: Path) -> None:
    with closing(fill(path)) as store:
        store.check_writable()
        assert store.read([DEMAND], hours(0, 99))["value"].to_list() == [1.0, 2.0]


def test_a_store_that_another_process_writes_is_locked_and_can_be_read(path: Path) -> None:
    with closing(fill(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match="writing for 1 s"):
            store.check_writable()
        assert store.read([DEMAND], hours(0, 99)).height == 2
        other.execute("ROLLBACK")
        store.check_writable()


def test_a_store_that_may_only_be_read_says_so(path: Path) -> None:
    with closing(fill(path)) as store:
        database = store._database
        assert isinstance(database, Sqlite)
        database.close()
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
        with pytest.raises(StoreReadOnly):
            store.check_writable()
        assert store.read([DEMAND], hours(0, 99)).height == 2


def test_a_device_without_room_is_full_before_anything_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(fill(path)) as store:
        monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1000))
        with pytest.raises(StoreFull, match="no space"):
            store.check_writable()


def asked_of(store: SqlStore) -> list[str]:
    """Return a list to which every statement that a store sends from now on is added."""
    statements: list[str] = []
    database = store._database
    assert isinstance(database, Sqlite)
    event.listen(
        database.engine, "before_cursor_execute", lambda _connection, _cursor, text, *_rest: statements.append(text)
    )
    return statements


def test_descriptions_are_read_again_only_after_somebody_changed_them(path: Path) -> None:
    second = replace(demand_channel(), id="grid.ny.second")
    with closing(fill(path)) as store, closing(open_store(f"sqlite:///{path}")) as other:
        assert [channel.id for channel in store.channels()] == [DEMAND]
        asked = asked_of(store)
        other.append(readings(3.0, 4.0))
        assert ([each.id for each in store.sites()], store.devices(), store.zones()) == (["ny"], [], [])
        assert not [text for text in asked if "FROM channels" in text]
        other.register([], [second])
        assert [channel.id for channel in store.channels()] == [DEMAND, second.id]
        other.forget([second.id])
        assert [channel.id for channel in store.channels()] == [DEMAND]


def test_a_description_that_could_not_be_kept_is_not_remembered(path: Path) -> None:
    many = [replace(demand_channel(), id=f"grid.ny.channel_{number}") for number in range(500)]
    with closing(fill(path)) as store:
        before = store.channels()
        limit_pages(store, n_more=1)
        with pytest.raises(StoreFull):
            store.register([], many)
        assert store.channels() == before


def append_at_once(store: SqlStore, path: Path, tables: list[dy.DataFrame[Readings]]) -> list[int | str]:
    """Append tables in as many threads while another process writes; return what each was answered."""

    def append(table: dy.DataFrame[Readings]) -> int | str:
        try:
            return store.append(table)
        except InvalidInput as error:
            return error.field

    with (
        ThreadPoolExecutor(len(tables)) as pool,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        first = pool.submit(append, tables[0])
        while store._together._waiting or not store._together._turn.locked():  # it waits for the other process
            sleep(0.001)
        rest = [pool.submit(append, table) for table in tables[1:]]
        while len(store._together._waiting) < len(rest):
            sleep(0.001)
        other.execute("ROLLBACK")
        return [each.result() for each in (first, *rest)]


def test_what_comes_while_another_writes_is_committed_together(path: Path) -> None:
    with closing(fill(path)) as store:
        asked = asked_of(store)
        tables = [readings(5.0, start=MIDNIGHT + n * HOUR) for n in (2, 3, 4, 4, 5)]
        n_new = append_at_once(store, path, tables)
        assert (n_new[:2], sorted(n_new[2:4]), n_new[4]) == ([1, 1], [0, 1], 1)  # one hour came twice
        assert asked.count("BEGIN IMMEDIATE") == 2
    with closing(open_store(f"sqlite:///{path}")) as after:
        assert after.read([DEMAND], hours(0, 99))["value"].to_list() == [1.0, 2.0, 5.0, 5.0, 5.0, 5.0]


def test_what_cannot_be_kept_takes_nothing_else_with_it(path: Path) -> None:
    with closing(fill(path)) as store:
        tables = [
            readings(5.0, start=MIDNIGHT + n * HOUR, channel=name) for n, name in enumerate([DEMAND, "x", DEMAND], 2)
        ]
        assert append_at_once(store, path, tables) == [1, "channel", 1]
        assert store.read([DEMAND], hours(0, 99))["value"].to_list() == [1.0, 2.0, 5.0, 5.0]


def test_a_failed_commit_is_told_to_each_whose_rows_it_had(path: Path) -> None:
    with closing(fill(path)) as store:
        limit_pages(store, n_more=3)
        many = [readings(*map(float, range(5000)), start=MIDNIGHT + n * 5000 * HOUR) for n in range(3)]
        with ThreadPoolExecutor(3) as pool:
            done = [pool.submit(store.append, each) for each in many]
        assert all(isinstance(each.exception(), StoreFull) for each in done)
        assert store.read([DEMAND], hours(0, 99))["value"].to_list() == [1.0, 2.0]


def test_a_site_that_many_add_at_once_is_added_once(path: Path) -> None:
    together = Barrier(8)

    class AllAtOnce(SqlStore):
        """Lets everybody look before anybody adds."""

        def channels(self) -> list[Channel]:
            seen = super().channels()
            together.wait(30)
            return seen

    store = AllAtOnce(f"sqlite:///{path}")
    words = SiteWords("Barn", "home", "Europe/Paris", channels=[channel_words("power:kW:1h")])

    def add(_n: int) -> str:
        try:
            return add_site(store, [], words).id
        except InvalidInput as error:
            return f"{error.field}: {error.remedy}"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(add, range(8)))
    store.close()
    assert answers == [
        "barn",
        *["id: Choose another id, or change the existing site: `watthour site change barn`."] * 7,
    ]
