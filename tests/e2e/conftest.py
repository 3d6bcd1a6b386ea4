"""A real server and a real browser."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest
from e2e.looks import PATIENCE_MS
from e2e.served import LONGEST_S, SIMULATED, Served, up, watthour
from playwright.sync_api import expect

from watthour.api.web import STATIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session", autouse=True)
def _patience() -> None:
    """Wait long for what should come: what is tested is that it does, not when.

    The setting is one for all files: one that puts it back would take it from those that follow.
    """
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def base_url() -> str:
    """Say that addresses are given in full; the plugin's own fixture warns under pytest 9."""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: install it to see the pages tested")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the pages are not built: run `make web`")
    return {**browser_type_launch_args, "executable_path": chromium, "args": list(CHROMIUM_FLAGS)}


@pytest.fixture(scope="session")
def simulated(browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Watthour as a first start leaves it: without key, without data, with a simulated region."""
    del browser_type_launch_args  # without a browser no server is needed
    home = tmp_path_factory.mktemp("simulated")
    with up(home):
        pass  # the region is made before it listens; the rounds that follow would only move the numbers
    with up(home, "--no-follow") as served:
        yield served


@pytest.fixture(scope="session")
def living(browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The simulated home, which goes on living while it is looked at."""
    del browser_type_launch_args  # without a browser no server is needed
    with up(tmp_path_factory.mktemp("living")) as served:
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline:
            homes = served.ask("/api/v1/homes")["homes"]
            if homes and served.ask(f"/api/v1/homes/{SIMULATED}/usage")["parts"][0]["yesterday_kwh"] is not None:
                break
            time.sleep(0.2)
        else:
            pytest.fail(f"the simulated home did not begin to live within {LONGEST_S} s")
        yield served


@pytest.fixture(scope="session")
def judged(browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The simulated region with a trained model whose forecasts of the last weeks were kept."""
    del browser_type_launch_args
    home = tmp_path_factory.mktemp("judged")
    watthour(home, "backfill", "simtown")
    train = ("train", "simtown", "--recipe", "persistence_ensemble", "--past-days")
    watthour(home, *train, "0")
    (model,) = json.loads(watthour(home, "models", "list", "simtown", "--json"))
    # Whether its band holds depends on the day on which this runs; here it serves in any case.
    watthour(home, "models", "promote", "simtown", model["version"])
    watthour(home, *train, "60")
    with up(home, "--no-follow") as served:
        yield served


@pytest.fixture(scope="session")
def new_york(
    browser_type_launch_args: dict[str, Any], shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Watthour with the real demand of New York and the operator's forecasts of it."""
    del browser_type_launch_args
    home = tmp_path_factory.mktemp("new_york")
    watthour(home, "import", str(shared_data / "grid" / "ny_demand.parquet"), "--region", "ny")
    with up(home, "--no-follow") as served:
        yield served
