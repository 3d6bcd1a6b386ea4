"""The page Sites, as a person meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.looks import check_look, go_to
from e2e.served import up
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from e2e.served import Served
    from playwright.sync_api import Browser, Geolocation

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of own servers")]

LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}},
]


@pytest.fixture(scope="module")
def nothing(browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Watthour over an empty store."""
    del browser_type_launch_args
    with up(tmp_path_factory.mktemp("nothing"), "--no-follow") as served:
        yield served


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "phone"])
def test_a_site_is_added_where_the_person_is_and_can_be_read_by_all(
    browser: Browser, nothing: Served, look: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    name = f"Zoé's flat {request.node.callspec.id}"
    here: Geolocation = {"latitude": 48.8512, "longitude": 2.3456}
    context = browser.new_context(
        **look, timezone_id="Europe/Paris", geolocation=here, permissions=["geolocation"], bypass_csp=True
    )
    page = context.new_page()
    page.goto(nothing.url)
    go_to(page, "Sites")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Paris")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_label("Latitude")).to_have_value("48.8512")
    page.get_by_role("button", name="France", exact=True).click()
    page.get_by_label("Unit of its readings").select_option("kW")
    page.get_by_role("button", name="Add the site").click()
    expect(page.get_by_text(f"{name} is added")).to_be_visible()
    kept = next(each for each in nothing.ask("/api/v1/sites")["sites"] if each["name"] == name)
    assert (kept["latitude"], kept["holidays"], kept["weather"]) == (48.9, "FR", "awaited")
    page.get_by_role("button", name=f"Change {name}").click()
    check_look(page)
    context.close()
