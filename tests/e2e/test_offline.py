"""The installed app where there is no network, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from e2e.looks import is_narrow, kept
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.served import Served
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of regions")]

PHONE = {"width": 390, "height": 844}
AGE = re.compile(r"Offline: as of \d\d:\d\d, \d+\s(min|h) ago")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]  # playwright wants a ViewportSize
        yield context


def visited(context: BrowserContext, address: str, *awaited: str) -> Page:
    """Open a page and wait until answers of the API with these words in their addresses are kept."""
    page = context.new_page()
    page.goto(address)
    kept(page, *awaited)
    return page


def test_without_a_network_the_last_state_stands_with_its_age_and_fresh_comes_back(
    context: BrowserContext, simulated: Served
) -> None:
    page = visited(context, f"{simulated.url}/grid/simtown", "/status", "/grid/simtown/forecast")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Simtown")
    expect(page.get_by_text("Offline:")).to_have_count(0)
    context.set_offline(True)
    page.reload()
    expect(heading).to_contain_text("Simtown")
    expect(page.get_by_role("status").filter(has_text=AGE)).to_be_visible()
    assert is_narrow(page)
    refused = page.evaluate(
        "fetch('/api/v1/readings', {method: 'POST', body: '{}'}).then((answer) => answer.status, () => 'not reached')"
    )
    assert refused == "not reached"
    context.set_offline(False)
    expect(page.get_by_text("Offline:")).to_have_count(0)
    expect(heading).to_contain_text("Simtown")


def test_a_page_that_was_never_opened_says_without_a_network_that_nothing_is_known(
    context: BrowserContext, simulated: Served
) -> None:
    page = visited(context, f"{simulated.url}/grid/simtown", "/status")
    context.set_offline(True)
    page.goto(f"{simulated.url}/grid/nowhere")
    expect(page.get_by_role("alert").filter(has_text="this was never loaded here before")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=AGE)).to_be_visible()  # of what stands around it


def test_what_is_no_page_of_the_app_and_no_json_is_never_kept(context: BrowserContext, simulated: Served) -> None:
    page = visited(context, f"{simulated.url}/grid/simtown", "/status")
    page.evaluate("fetch('/api/v1/readings?channel=grid.simtown.demand&format=csv').then((answer) => answer.text())")
    page.evaluate("fetch('/api/v1/channels', {headers: {'X-API-Key': 'secret'}}).then((answer) => answer.text())")
    page.evaluate("fetch('/health').then((answer) => answer.text())")
    page.evaluate("fetch('/api/v1/places?name=').then((answer) => answer.text())")  # a problem
    page.evaluate("fetch('/api/v1/health').then((answer) => answer.text())")
    assert not kept(page, "/api/v1/health") & {"/api/v1/readings", "/api/v1/channels", "/health", "/api/v1/places"}
