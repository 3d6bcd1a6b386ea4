"""Fixtures every test may use."""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Images of containers set it to be small: then each of the many processes compiles every library anew, for seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.hookimpl(tryfirst=True)  # before the tests are handed to workers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file that share something on one worker, so that it is made once and not by each."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None:
            shared = (made for named in item._fixtureinfo.name2fixturedefs.values() for made in named)
            if any(made.scope == "module" for made in shared):
                item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}/{item.path.stem}"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout, or a skip that says so."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("WATTHOUR_DATA", beside))
    if not path.is_dir():
        pytest.skip(f"no real data at {path}: set WATTHOUR_DATA to run this test")
    return path


@pytest.fixture(scope="module")
def fresh() -> Iterator[ForkServerContext]:
    """Return a starter of processes that share nothing with this one but what they are told."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["pytest", "processes"])  # so that one starts in milliseconds
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # the fork server is not told where to look
        environment.setenv("POLARS_MAX_THREADS", "1")
        yield context
