"""The page `/docs`, as somebody who writes a program meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from e2e.looks import check_look
from playwright.sync_api import expect

if TYPE_CHECKING:
    from e2e.served import Served
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of regions")]


def test_every_address_is_listed_and_can_be_tried(page: Page, simulated: Served) -> None:
    complaints: list[str] = []
    foreign: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(simulated.url) else foreign.append(request.url))
    page.goto(f"{simulated.url}/docs")
    document = simulated.ask("/openapi.json")
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    expect(page.locator("details.operation")).to_have_count(len(names))
    asked = page.locator("#grid_forecast")
    asked.locator("summary").first.click()
    asked.get_by_role("textbox", name="region").fill("simtown")
    asked.get_by_role("button", name="Send GET").click()
    expect(asked.get_by_role("status")).to_contain_text("answered 200")
    expect(asked.get_by_role("status")).to_contain_text("grid.simtown.demand")
    expect(asked.get_by_text("quantiles", exact=True).first).to_be_attached()  # properties, also of nested ones
    assert (complaints, foreign) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_well_for_everybody(page: Page, simulated: Served, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{simulated.url}/docs#predict")
    expect(page.locator("#predict")).to_have_attribute("open", "")
    check_look(page)
