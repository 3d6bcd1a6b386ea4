"""The first five minutes of a household on a phone, and a source that is unplugged."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from math import sin
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from e2e.looks import check_look
from e2e.served import up
from fakes.server import Answer, Request, as_json, serve
from places import ANSWER
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of own servers")]

HOUR = timedelta(hours=1)
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True) as context:
        yield context.new_page()


def empty_home(folder: Path, *lines: str) -> Path:
    """Return a home directory in which nothing is known and nothing is simulated."""
    home = folder / "home"
    home.mkdir()
    (home / "watthour.toml").write_text("\n".join(("regions = []", "simulate = false", *lines)), encoding="utf-8")
    return home


def meter_file(path: Path, now: datetime, days: int) -> int:
    """Write the hours of a meter up to today's midnight as a French supplier's spreadsheet has them; return how many.

    The days in which the clocks change have 23 and 25 hours.
    """
    today = now.astimezone(PARIS).date()
    begin, end = (datetime.combine(day, time(), PARIS).astimezone(UTC) for day in (today - timedelta(days=days), today))
    rows = []
    for number in range((end - begin) // HOUR):
        local = (begin + number * HOUR).astimezone(PARIS)
        value = 0.3 + 0.8 * (18 <= local.hour < 22) + 0.05 * sin(number)
        rows.append(f"{local:%d/%m/%Y %H:%M};{value:.3f}".replace(".", ","))
    path.write_text("\n".join(("Date et heure;Consommation (kWh)", *rows)), encoding="utf-8")
    return len(rows)


def test_a_household_without_anything_imports_its_meters_file_and_sees_tomorrow(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "consommation.csv"
    n_hours = meter_file(file, datetime.now(UTC), days=24)
    with (
        serve(lambda _request: as_json(ANSWER)) as towns,
        up(
            empty_home(tmp_path, "[sources.open_meteo]", f'url = "{towns.base_url}"'),
            "--no-follow",
        ) as served,
    ):
        page.goto(served.url)
        page.get_by_role("link", name="Add a home").first.click()
        expect(page).to_have_url(f"{served.url}/start")
        page.get_by_label("Name of the home").fill("Our flat")
        page.get_by_label("Town").fill("Lyon")
        page.get_by_role("button", name="Look it up").click()
        check_look(page)
        page.get_by_role("button", name="Lyon, Auvergne-Rhône-Alpes, France").click()
        expect(page.get_by_text("Europe/Paris, 45.7°, 4.8°, holidays of FR")).to_be_visible()
        page.get_by_role("button", name="A file of my meter").click()
        page.get_by_label("Table of readings (CSV, Green Button XML or Parquet)").set_input_files(file)
        expect(page.get_by_role("table", name="First rows as read")).to_be_visible()
        expect(page.get_by_label("Name of the place or home")).to_have_count(0)
        check_look(page)
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text(f"{n_hours} new rows")).to_be_visible()
        expect(page.get_by_text("It rests on 24 days of readings")).to_be_visible()
        expect(page.get_by_text("Tomorrow most:")).to_be_visible()
        check_look(page)
        (home,) = served.ask("/api/v1/homes")["homes"]
        assert (home["id"], home["main_channel"]) == ("our_flat", home["channels"][0]["id"])
        page.get_by_role("button", name="Open Our flat").click()
        expect(page).to_have_url(f"{served.url}/home/our_flat")


def p1(request: Request) -> Answer:
    """Answer as a HomeWizard P1 meter."""
    return {
        "/api": as_json({"serial": "3c39e7aabbcc", "product_type": "HWE-P1", "product_name": "P1 meter"}),
        "/api/v1/data": as_json({"active_power_w": 543.0, "total_power_import_kwh": 13779.3}),
    }.get(request.path, as_json({}, 404))


def test_a_meter_is_connected_and_heard_and_unplugged_it_is_said(page: Page, tmp_path: Path) -> None:
    with up(empty_home(tmp_path)) as served:
        with serve(p1) as meter:
            page.goto(f"{served.url}/start")
            page.get_by_role("button", name="Without a town").click()
            page.get_by_label("Latitude").fill("45.76")
            page.get_by_label("Longitude").fill("4.83")
            page.get_by_label("Time zone").select_option("Europe/Paris")
            page.get_by_role("button", name="Add the home").click()
            expect(page.get_by_text("Europe/Paris, 45.8°, 4.8°, holidays of FR")).to_be_visible()
            page.get_by_role("button", name="A P1 reader at the meter").click()
            page.get_by_label("Address of the device").fill(meter.base_url.removeprefix("http://"))
            page.get_by_role("button", name="Test", exact=True).click()
            expect(page.get_by_text("1 device speaks here: P1 meter.")).to_be_visible()
            page.get_by_role("button", name="Add", exact=True).click()
            counter = page.get_by_role("listitem").filter(has_text="P1 meter import")
            expect(counter).to_contain_text("13,779.3 kWh")
            check_look(page)
            counter.get_by_role("button", name="It measures the whole home").click()
            expect(counter).to_contain_text("kept as home.home.energy")
            expect(page.get_by_text("Tomorrow cannot be forecast yet")).to_be_visible()
            page.goto(f"{served.url}/sources")
            expect(page.get_by_text("One source, and it does what it should.")).to_be_visible()
            expect(page.get_by_text("Connected; 1 device speaks.")).to_be_visible()
            check_look(page)
        expect(page.get_by_text("1 of 1 needs you: HomeWizard")).to_be_visible()
        expect(page.get_by_text("Check that the device has power")).to_be_visible()
        check_look(page)
        page.get_by_role("button", name="Remove").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_text("Nothing is connected yet.")).to_be_visible()
