"""The page Home, as a household meets it."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from e2e.looks import SMALL_PHONE, check_look, check_rules, is_narrow
from e2e.served import LONGEST_S, SIMULATED, up, watthour
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.served import Served
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of the home")]


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")


@pytest.fixture
def flat(browser_type_launch_args: dict[str, Any], tmp_path: Path) -> Iterator[Served]:
    """A home without devices whose meter tells a power now and then."""
    del browser_type_launch_args
    watthour(tmp_path, "home", "add", "Flat", "--time-zone", "Europe/Paris", "--channel", "power:kW:1h")
    with up(tmp_path, "--no-follow") as served:
        yield served


def open_living(page: Page, served: Served) -> None:
    page.goto(served.url)
    expect(page).to_have_url(f"{served.url}/home/{SIMULATED}")
    expect(
        page.get_by_role("slider", name=re.compile("^Chart of ")).locator("svg [data-shape=forecast]")
    ).to_be_visible()
    expect(page.get_by_role("table", name="Energy of each device")).to_be_visible()


def test_a_power_that_is_sent_is_on_the_page_without_a_reload(page: Page, flat: Served) -> None:
    page.goto(f"{flat.url}/home/flat")
    expect(page.get_by_text("No readings of Flat yet")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    now = datetime.now(UTC).replace(microsecond=0)
    hour = now.replace(minute=0, second=0)
    hours = [
        {"channel": "home.flat.power", "time": text(hour - timedelta(hours=n)), "value": 0.4} for n in range(1, 49)
    ]
    flat.tell("/api/v1/readings", {"readings": hours})
    figure = page.locator("[data-figure=now]")
    expect(figure).to_have_text("400\N{NO-BREAK SPACE}W")
    for watts, shown in ((615.0, "615\N{NO-BREAK SPACE}W"), (2480.0, "2.48\N{NO-BREAK SPACE}kW")):
        sample = {"channel": "home.flat.power", "time": text(datetime.now(UTC)), "measure": "power", "value": watts}
        flat.tell("/api/v1/readings", {"samples": [sample]})
        expect(figure).to_have_text(shown)
        page.wait_for_timeout(1100)  # a later one has a later second
    expect(page.get_by_role("region", name="Tomorrow")).to_be_visible()


def test_the_first_page_is_the_simulated_home_and_the_others_are_reached_by_keyboard(
    page: Page, living: Served
) -> None:
    open_living(page, living)
    expect(page.get_by_role("status").filter(has_text="Simulated: every number here is invented")).to_be_visible()
    expect(page.get_by_role("heading", name="Home in Simtown")).to_be_visible()
    for name in ("Now", "Today", "Tomorrow", "Top consumers", "Standby", "What is odd"):
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Rests on 3\d days of readings, known until "))).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    names = []
    for _press in range(9):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert names == ["Watthour", "Home", "Plan", "Savings", "Devices", "Carbon", "Sources", "Grid", "Sites"]
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{living.url}/sites")


def test_the_simulated_home_tells_its_power_every_few_seconds(page: Page, living: Served) -> None:
    heard: list[str] = []

    def note(frame: str | bytes) -> None:
        said = json.loads(frame)
        if said["type"] == "samples" and said["channel"] == f"home.{SIMULATED}.power":
            heard.extend(row["time"] for row in said["rows"])

    page.on("websocket", lambda line: line.on("framereceived", note))
    open_living(page, living)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    deadline = time.monotonic() + LONGEST_S
    while len(heard) < 2 and time.monotonic() < deadline:
        page.wait_for_timeout(250)
    assert len(heard) >= 2  # samples come every five seconds, and the answer itself is asked for every thirty
    expect(page.get_by_text(re.compile(r"^measured 1?\d\ss ago$"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_small_phone_shows_and_reaches_everything(browser: Browser, living: Served, scheme: str) -> None:
    with browser.new_context(viewport=SMALL_PHONE, color_scheme=scheme, has_touch=True, bypass_csp=True) as context:  # type: ignore[arg-type]  # playwright wants a Literal
        page = context.new_page()
        open_living(page, living)
        assert page.locator("html").get_attribute("data-theme") == scheme
        check_look(page)
        page.get_by_role("button", name=re.compile("more devices$")).click()
        page.get_by_text("What would make it better").click()
        page.get_by_role("radio", name="Table", exact=True).click()
        expect(page.get_by_role("table", name="The day in numbers")).to_be_visible()
        check_look(page)
        navigation = page.get_by_role("navigation", name="Pages")
        links = navigation.get_by_role("link")
        for name, address in (("Devices", f"/devices/{SIMULATED}"), ("Sources", "/sources")):
            if not links.filter(has_text=name).is_visible():
                navigation.get_by_role("button", name="More").tap()
                check_rules(page, "nav[aria-label=Pages]")  # what lies below it is reached once it is shut
            expect(links.filter(has_text=name)).to_be_in_viewport(ratio=1)
            links.filter(has_text=name).tap()
            expect(page).to_have_url(living.url + address)
            assert is_narrow(page)
