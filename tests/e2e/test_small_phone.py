"""Every page of the app on the smallest phone, in the dark and by day."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.looks import SMALL_PHONE, check_look
from e2e.served import SIMULATED
from playwright.sync_api import expect

if TYPE_CHECKING:
    from e2e.served import Served
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of the home")]

ROUTER = Path(__file__).parents[2] / "web" / "src" / "app" / "router.tsx"
_ADDRESSES = re.findall(r"^  path: '/(\S*)',$", ROUTER.read_text(encoding="utf-8"), re.MULTILINE)
# The first, and those without a name, lead to one with the name of the first home or region.
PAGES = [each for each in _ADDRESSES if each and not any(other.startswith(f"{each}/$") for other in _ADDRESSES)]
PAGES += [f"{each}/$home" for each in _ADDRESSES if f"{each}/$home/$device" in _ADDRESSES]
NAMES = {"$home": SIMULATED, "$device": "washing_machine", "$region": "simtown"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", PAGES)
def test_nothing_is_wider_than_the_screen_or_too_small_for_a_thumb(
    browser: Browser, living: Served, address: str, scheme: str
) -> None:
    for name, value in NAMES.items():
        address = address.replace(name, value)
    assert "$" not in address, f"say in NAMES what the address {address} may be"
    with browser.new_context(viewport=SMALL_PHONE, color_scheme=scheme, has_touch=True, bypass_csp=True) as context:  # type: ignore[arg-type]  # playwright wants a Literal
        page = context.new_page()
        page.goto(f"{living.url}/{address}", wait_until="networkidle")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("status", name=re.compile("^Loading"))).to_have_count(0)
        folds = page.locator("main details:not([open]) > summary")
        while folds.count():
            folds.first.tap()
        check_look(page)


def test_every_page_is_looked_at() -> None:
    assert {
        "home/$home",
        "plan/$home",
        "savings/$home",
        "devices/$home",
        "devices/$home/$device",
        "sources",
        "start",
        "grid/$region",
    } <= set(PAGES)


def test_all_pages_are_reached_from_the_bottom_by_thumb_and_by_keyboard(browser: Browser, living: Served) -> None:
    with browser.new_context(viewport=SMALL_PHONE, has_touch=True) as context:  # type: ignore[arg-type]  # as above
        page = context.new_page()
        page.goto(f"{living.url}/carbon/simtown")
        navigation = page.get_by_role("navigation", name="Pages")
        more, links = navigation.get_by_role("button", name="More"), navigation.get_by_role("link")
        expect(more).to_be_in_viewport(ratio=1)
        expect(links).to_have_count(5)
        more.press("Enter")
        expect(links).to_have_count(8)
        page.keyboard.press("Tab")
        expect(links.filter(has_text="Sources")).to_be_focused()
        page.keyboard.press("Escape")
        expect(links).to_have_count(5)
        expect(more).to_be_focused()
        more.tap()
        for link in links.all():
            expect(link).to_be_in_viewport(ratio=1)
        links.filter(has_text="Sites").tap()
        expect(page).to_have_url(f"{living.url}/sites")
        expect(links).to_have_count(5)
        expect(more).to_have_accessible_name("More (Sites is open)")


def test_the_energy_of_each_use_is_seen_without_scrolling_its_table(browser: Browser, living: Served) -> None:
    with browser.new_context(viewport=SMALL_PHONE, has_touch=True) as context:  # type: ignore[arg-type]  # as above
        page = context.new_page()
        page.goto(f"{living.url}/devices/{SIMULATED}/washing_machine")
        uses = page.get_by_role("region", name="Each use")
        expect(uses).to_be_visible()
        assert uses.evaluate("(box) => box.scrollWidth <= box.clientWidth")
