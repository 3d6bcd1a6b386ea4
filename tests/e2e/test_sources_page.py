"""Sources added through the page, each against a stand-in of it, and what is said where one does not answer."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import sin
from typing import TYPE_CHECKING, Any

import pytest
from e2e.looks import check_look, go_to
from e2e.served import up
from fakes.home_assistant import TOKEN, FakeHomeAssistant, home_assistant, metadata
from fakes.server import Answer, Request, as_json, serve
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.served import Served
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of own servers")]

HOUR = timedelta(hours=1)
GRID = "sensor.grid_import"
DAYS = 30
NOBODY = "127.0.0.1:9"
LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    {"viewport": {"width": 1280, "height": 900}},
]


@pytest.fixture(scope="module")
def homes(browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Homes in which nothing is measured yet, of a server that listens."""
    del browser_type_launch_args  # without a browser no server is needed
    home = tmp_path_factory.mktemp("sources")
    (home / "watthour.toml").write_text("regions = []\nsimulate = false\n", encoding="utf-8")
    with up(home) as served:
        for name in ("Flat", "Attic", "Cabin", "Cellar"):
            served.tell("/api/v1/homes", {"name": name, "time_zone": "Europe/Paris"})
        yield served


@contextmanager
def opened(browser: Browser, address: str, look: dict[str, Any]) -> Iterator[Page]:
    with browser.new_context(**look, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(address)
        yield page


def check_fault(page: Page, field: Locator, words: str, cure: str) -> None:
    """Test what was typed: the field to blame says why and what to do, has the focus, and stays what it was."""
    page.get_by_role("button", name="Test", exact=True).click()
    expect(field).to_have_accessible_description(re.compile(f"{words}.*{cure}"))
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.get_by_role("button", name="Add without a test")).to_be_enabled()
    check_look(page)


def made_assistant(now: datetime) -> dict[str, Any]:
    """What a Home Assistant knows that counts the grid's energy for some weeks."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    count = 24 * DAYS
    past = [(hour - (count - n) * HOUR, 0.5 * n + 0.1 * sin(n)) for n in range(count)]
    fine = [(hour + timedelta(minutes=5 * n - 120), 0.5 * (count - 2) + n / 24) for n in range(24)]
    return {
        "listed": [metadata(GRID, "kWh", "energy", counts=True)],
        "preferences": {"energy_sources": [{"type": "grid", "stat_energy_from": GRID}], "device_consumption": []},
        "rows": {("hour", GRID): past, ("5minute", GRID): fine},
    }


@pytest.fixture
def assistant() -> Iterator[FakeHomeAssistant]:
    with home_assistant(**made_assistant(datetime.now(UTC))) as found:
        yield found


def test_home_assistant_is_added_by_address_and_token_and_its_readings_are_on_the_page_of_the_home(
    browser: Browser, homes: Served, assistant: FakeHomeAssistant
) -> None:
    with opened(browser, f"{homes.url}/home/flat", LOOKS[0]) as page:
        page.get_by_role("link", name="Bring its readings in").click()
        page.get_by_role("button", name="Home Assistant By its address").click()
        url, token = page.get_by_label("Address of Home Assistant"), page.get_by_label("Long-lived access token")
        expect(url).to_be_in_viewport()
        token.fill("a-wrong-one-a1b2c3")
        url.fill("homeassistant")
        check_fault(page, url, "It is no address of Home Assistant", "Such as http://homeassistant.local:8123")
        url.fill(f"http://{NOBODY}")
        check_fault(page, url, "cannot be reached", "Check its address, and that Home Assistant runs")
        url.fill(assistant.url)
        check_fault(page, token, "^Home Assistant does not accept the token", "Make a new long-lived access token")
        token.fill(TOKEN)
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text(f"1 sensor is recorded there, the grid's meter is {GRID}.")).to_be_visible()
        check_look(page)
        page.get_by_role("button", name="Add", exact=True).click()
        meter = page.get_by_role("listitem").filter(has_text=GRID)
        meter.get_by_role("button", name="It measures the whole home").click()
        expect(page.get_by_text(re.compile(r"^\d+ readings were new"))).to_be_visible()
        expect(page.get_by_text("Tomorrow most:")).to_be_visible()
        check_look(page)
        page.get_by_role("button", name="Open Flat").click()
        expect(page.locator("[data-figure=today]")).to_contain_text("kWh")
        expect(page.get_by_text(re.compile(r"^Rests on (29|30) days of readings"))).to_be_visible()
        check_look(page)
        go_to(page, "Sources")
        source = page.get_by_role("listitem").filter(has_text="Home Assistant: its statistics")
        expect(source).to_contain_text("Connected; 1 device speaks.")


def test_influxdb_is_added_with_its_token_and_its_readings_are_on_the_page_of_the_home(
    browser: Browser, homes: Served
) -> None:
    pytest.importorskip("influxdb_client_3", reason="needs the extra iot")
    from fakes.influxdb import TOKEN as DATABASE_TOKEN
    from fakes.influxdb import influxdb

    now = datetime.now(UTC)
    tags = {
        "domain": "sensor",
        "entity_id": "grid",
        "device_class_str": "energy",
        "state_class_str": "total_increasing",
    }
    rows = [{"time": now - n * HOUR, "value": 900 - n / 2, **tags} for n in range(24 * DAYS)]
    with influxdb() as database, opened(browser, f"{homes.url}/start?home=attic", LOOKS[1]) as page:
        database.write("kWh", rows)
        page.get_by_role("button", name="InfluxDB 3").click()
        url, token = page.get_by_label("Address of the server"), page.get_by_label("Token that may read the database")
        name = page.get_by_label("Name of the database (optional)")
        url.fill(f"http://{NOBODY}")
        token.fill("apiv3_wrong-of-nobody")
        check_fault(page, url, "^http://127.0.0.1:9 does not answer", "Check its address, and that it runs")
        url.fill(database.url)
        check_fault(page, token, "does not accept the token", "influxdb3 create token")
        token.fill(DATABASE_TOKEN)
        name.fill("other")
        check_fault(page, name, "has no database other", "Give the name of a database that it has")
        name.fill("")
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("It answers: 1 sensor is recorded there.")).to_be_visible()
        page.get_by_role("button", name="Add", exact=True).click()
        meter = page.get_by_role("listitem").filter(has_text="sensor.grid")
        meter.get_by_role("button", name="It measures the whole home").click()
        expect(page.get_by_text("Tomorrow most:")).to_be_visible()
        check_look(page)
        page.get_by_role("button", name="Open Attic").click()
        expect(page.locator("[data-figure=today]")).to_contain_text("kWh")


def plug(request: Request) -> Answer:
    """Answer as a Shelly of the second generation."""
    return {
        "/shelly": as_json({"id": "shellyplus1pm-a8", "gen": 2, "mac": "A8"}),
        "/rpc/Shelly.GetConfig": as_json({"switch:0": {"id": 0, "name": "Freezer"}}),
        "/rpc/Shelly.GetStatus": as_json({"switch:0": {"apower": 60.0, "aenergy": {"total": 1500.0}}}),
    }.get(request.path, as_json({}, 404))


def test_a_shelly_plug_is_tested_added_and_measures_a_device(browser: Browser, homes: Served) -> None:
    with serve(plug) as device, opened(browser, f"{homes.url}/sources", LOOKS[0]) as page:
        page.get_by_role("button", name="Shelly without a broker").click()
        address = page.get_by_label("Address of the device")
        address.fill("8.8.8.8")
        check_fault(page, address, "not in the home's own network", "Give the device's address at home")
        address.fill(NOBODY)
        check_fault(page, address, f"^{NOBODY}: it cannot be reached", "Check that the device has power")
        address.fill(device.base_url.removeprefix("http://"))
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("1 device speaks here: Freezer.")).to_be_visible()
        check_look(page)
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("link", name="set up a home").click()
        page.get_by_role("button", name="Cabin").click()
        page.get_by_role("button", name="What is connected already").click()
        heard = page.get_by_role("listitem").filter(has_text="Freezer")
        expect(heard).to_contain_text("60 W")
        heard.get_by_role("button", name="It measures a device").click()
        page.get_by_label("What it is").select_option("freezer")
        page.get_by_role("button", name="Keep it").click()
        expect(heard).to_contain_text("kept as home.cabin.freezer")
        check_look(page)
        page.get_by_role("button", name="Open Cabin").click()
        page.get_by_role("link", name="Devices").first.click()
        expect(page.get_by_role("table", name="Devices")).to_contain_text("Freezer")


def green_button(path: Path, now: datetime) -> Path:
    """Write the hours of a meter as utilities of North America offer them."""
    first = int(now.replace(minute=0, second=0, microsecond=0).timestamp()) - 3600 * 24 * DAYS
    rows = "".join(
        f"<IntervalReading><timePeriod><duration>3600</duration><start>{first + 3600 * n}</start></timePeriod>"
        f"<value>{300 + 40 * (n % 24)}</value></IntervalReading>"
        for n in range(24 * DAYS)
    )
    kind = (
        "<ReadingType><flowDirection>1</flowDirection><intervalLength>3600</intervalLength><uom>72</uom></ReadingType>"
    )
    entries = (kind, f"<IntervalBlock>{rows}</IntervalBlock>")
    said = "".join(f'<entry xmlns="http://www.w3.org/2005/Atom"><content>{each}</content></entry>' for each in entries)
    text = said.replace("<ReadingType>", '<ReadingType xmlns="http://naesb.org/espi">')
    text = text.replace("<IntervalBlock>", '<IntervalBlock xmlns="http://naesb.org/espi">')
    path.write_text(f'<feed xmlns="http://www.w3.org/2005/Atom">{text}</feed>', encoding="utf-8")
    return path


def test_a_green_button_file_is_chosen_on_a_phone_and_nothing_is_asked_of_it(
    browser: Browser, homes: Served, tmp_path: Path
) -> None:
    file = green_button(tmp_path / "usage.xml", datetime.now(UTC))
    with opened(browser, f"{homes.url}/start?home=cellar", LOOKS[0]) as page:
        page.get_by_role("button", name="A file of my meter").click()
        chooser = page.get_by_label("Table of readings (CSV, Green Button XML or Parquet)")
        assert ".xml" in str(chooser.get_attribute("accept")).split(",")  # what a phone lets somebody choose
        expect(page.get_by_role("button", name="Choose a file")).to_be_in_viewport()
        chooser.set_input_files(file)
        expect(page.get_by_role("table", name="First rows as read")).to_contain_text(re.compile("CES?T"))
        expect(page.get_by_text("please choose")).to_have_count(0)
        check_look(page)
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text(f"{24 * DAYS} new rows")).to_be_visible()
        expect(page.get_by_text("Tomorrow most:")).to_be_visible()
        page.get_by_role("button", name="Open Cellar").click()
        page.get_by_text("What would make it better").click()
        expect(page.get_by_text("No weather is known, as the place of this home is not")).to_be_visible()
