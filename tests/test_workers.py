"""How tests are shared out among workers, which is what keeps the whole suite short."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def costly() -> None:
    """Stand for what a file makes once."""


def told(request: pytest.FixtureRequest) -> str:
    """Return the name by which a test is handed to a worker; that of a group comes last."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("all tests run in one process: `make test` shares them out")
    return str(request.node.nodeid)


@pytest.mark.xdist_group("named")
def test_a_test_of_a_group_is_handed_out_with_its_group(request: pytest.FixtureRequest) -> None:
    assert told(request).endswith("@named")


@pytest.mark.usefixtures("costly")
def test_a_file_that_makes_something_once_is_a_group(request: pytest.FixtureRequest) -> None:
    assert told(request).endswith("@tests/test_workers")


def test_a_test_that_needs_nothing_of_others_goes_to_any_worker(request: pytest.FixtureRequest) -> None:
    assert "@" not in told(request)
