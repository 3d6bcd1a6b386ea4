"""The page Carbon, as a person meets it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from e2e.looks import check_look
from playwright.sync_api import expect

if TYPE_CHECKING:
    from e2e.served import Served
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of regions")]

LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}},
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
]


def test_a_first_start_says_when_a_run_is_cleanest_and_that_it_is_simulated(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/carbon")
    expect(page).to_have_url(f"{simulated.url}/carbon/simtown")
    expect(page.get_by_role("status").filter(has_text="Simulated: every number here is invented")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Cleanest 3 hours in the next 24 hours: "))).to_be_visible()
    expect(page.get_by_text("A simpler forecast is shown")).to_be_visible()  # no model is trained yet
    expect(page.get_by_role("region", name="Now")).to_contain_text("gCO2e/kWh")


def test_another_duration_and_deadline_have_another_answer(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/carbon/simtown")
    page.get_by_role("combobox", name="It takes").select_option("1 hour")
    page.get_by_role("combobox", name="It must be done").select_option("within 4 days")
    expect(page.get_by_text(re.compile(r"^Cleanest hour in the next 96 hours: "))).to_be_visible()
    found = simulated.ask("/api/v1/carbon/simtown/best-window?duration=1h&hours=96")
    row = page.get_by_role("table", name="Best times for the run").get_by_role("row").nth(1)
    expect(row).to_contain_text(found["best"]["local_start"][11:16])


def test_the_table_of_the_hours_ahead_holds_what_the_api_says(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/carbon/simtown")
    ahead = page.get_by_role("region", name="The hours ahead")
    ahead.get_by_role("radio", name="24 h").click()
    ahead.get_by_role("radio", name="Table").click()
    points = simulated.ask("/api/v1/carbon/simtown/forecast?hours=24")["points"]
    forecast = page.get_by_role("table", name="The hours ahead in numbers").locator("tbody tr td:nth-child(2)")
    shown = [text for text in forecast.all_inner_texts() if text != "\N{EN DASH}"]
    assert shown == [f"{point['value']:.0f}" for point in points]


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "phone", "small"])
def test_everybody_can_read_it(browser: Browser, simulated: Served, look: dict[str, Any]) -> None:
    context = browser.new_context(**look, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{simulated.url}/carbon/simtown")
    expect(page.get_by_role("table", name="Best times for the run")).to_be_visible()
    expect(page.get_by_role("slider", name=re.compile("Chart of the carbon intensity ahead"))).to_be_visible()
    expect(page.get_by_role("slider", name=re.compile("Chart of the past"))).to_be_visible()
    check_look(page)
    context.close()
