"""The pages of devices, in a real browser over the simulated home and over one of one's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from e2e.looks import check_look, kept
from e2e.served import up, watthour
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.served import Served
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of regions")]

LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    {"viewport": {"width": 320, "height": 640}},
]
HOME = "simtown_home"


@pytest.fixture(scope="module")
def flat(browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A home of one's own without devices."""
    del browser_type_launch_args
    home = tmp_path_factory.mktemp("flat")
    watthour(home, "home", "add", "Flat", "--time-zone", "Europe/Paris", "--channel", "power:kW:15min")
    with up(home, "--no-follow") as served:
        yield served


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark-phone", "narrow"])
def test_the_simulated_home_lists_its_devices_and_shows_one(
    browser: Browser, simulated: Served, look: dict[str, Any]
) -> None:
    with browser.new_context(**look, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(f"{simulated.url}/devices/{HOME}")
        expect(page.get_by_text("Simulated: every number here is invented")).to_be_visible()
        table = page.get_by_role("table", name="Devices")
        known = simulated.ask(f"/api/v1/homes/{HOME}/devices")["devices"]
        expect(table.get_by_role("rowheader")).to_have_count(len(known))
        check_look(page)
        table.get_by_role("link", name="Fridge").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Fridge")
        tomorrow = page.locator("section").filter(has=page.get_by_text(re.compile("^Rests on"))).first
        expect(tomorrow.get_by_role("slider")).to_be_visible()
        insights = page.get_by_role("region", name="Insights")
        expect(insights.get_by_text("What is odd")).to_be_visible()
        past = page.get_by_role("region", name="Past", exact=True)  # all is there, and nothing moves under the mouse
        past.get_by_role("radio", name="Week").click()
        expect(past.get_by_text(re.compile(r"^Mean power of each hour"))).to_be_visible()
        with page.expect_response(re.compile(r"/history\?.*device=fridge")) as told:
            past.get_by_role("radio", name="Month").click()
        expect(past.get_by_text("Energy of each day in kWh")).to_be_visible()
        chart = past.get_by_role("slider")
        chart.focus()
        page.keyboard.press("ArrowLeft")
        expect(chart).to_have_attribute("aria-valuetext", re.compile(r"^\w{3} \d+ \w{3}, [\d.]+\skWh$"))
        past.get_by_role("radio", name="Table of the past").click()
        shown = past.get_by_role("row").last.get_by_role("cell").first.inner_text()
        assert float(shown) == pytest.approx(told.value.json()["spans"][-1]["kwh"], abs=0.01)
        check_look(page)


def test_a_device_is_added_changed_and_removed(browser: Browser, flat: Served) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(f"{flat.url}/devices/flat")
        expect(page.get_by_text("No devices yet")).to_be_visible()
        page.get_by_label("New zone").fill("Kitchen")
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_role("list", name="Zones")).to_contain_text("Kitchen")
        page.get_by_label("Name", exact=True).fill("Tumble dryer")
        page.get_by_label("What it is").select_option("tumble_dryer")
        page.get_by_label("Where it stands").select_option(label="Kitchen")
        page.get_by_role("button", name="Add the device").click()
        page.get_by_role("link", name="Look at it").click()
        expect(page.get_by_text("Nothing measures Tumble dryer yet.")).to_be_visible()
        expect(page.get_by_text("No forecast yet")).to_be_visible()
        page.get_by_role("button", name="Change Tumble dryer").click()
        page.get_by_label("Name", exact=True).fill("Dryer")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Dryer")
        (kept,) = flat.ask("/api/v1/homes/flat/devices")["devices"]
        assert (kept["name"], kept["kind"], kept["zone"]) == ("Dryer", "tumble_dryer", "home.flat.kitchen")
        page.get_by_role("button", name="Remove Dryer").click()
        page.get_by_role("button", name="Remove it", exact=True).click()
        expect(page.get_by_text("No devices yet")).to_be_visible()
        assert flat.ask("/api/v1/homes/flat/devices")["devices"] == []


def test_a_device_without_a_network_stands_as_it_was_last_known(browser: Browser, simulated: Served) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(f"{simulated.url}/devices/{HOME}/fridge")
        page.evaluate("navigator.serviceWorker.ready")
        page.reload()  # once more, now that all answers are kept
        answer = page.get_by_text(re.compile("^Fridge (draws|drew)"))
        expect(answer).to_be_visible()
        expect(page.get_by_role("region", name="Insights").get_by_text("What is odd")).to_be_visible()
        expect(page.get_by_role("region", name="Past", exact=True).get_by_role("slider")).to_be_visible()
        kept(page, "/status", f"/homes/{HOME}/devices", f"/homes/{HOME}/history")
        context.set_offline(True)
        page.reload()
        expect(page.get_by_text(re.compile("^Offline: as of"))).to_be_visible()
        expect(answer).to_be_visible()
        expect(page.get_by_role("region", name="Past", exact=True).get_by_role("slider")).to_be_visible()
        expect(page.get_by_text(re.compile("Not live since|Connecting"))).to_be_visible()
