"""A file of one's own on the page: chosen, shown as understood, imported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.served import up
from layouts import Layout, write
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
HOUR = timedelta(hours=1)


def test_a_german_spreadsheet_is_shown_asked_about_and_imported(browser: Browser, tmp_path: Path) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `npm ci` in web")
    times = [datetime(2024, 3, 1, tzinfo=UTC) + number * HOUR for number in range(24 * 30)]
    layout = Layout(";", ",", ".", date="%d.%m.%Y", above=("Netzlast",))
    file = write(tmp_path / "Netz.csv", layout, times, [900.0 + time.hour for time in times], HOUR)
    home = tmp_path / "home"
    home.mkdir()
    with (
        up(home, "--no-follow") as served,
        browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True) as context,
    ):
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(served.url)
        page.get_by_label("Table of readings (CSV, Green Button XML or Parquet)").set_input_files(file)
        expect(page.get_by_role("table", name="First rows as read")).to_contain_text("01.03.2024 00:00 | 900,00")
        expect(page.get_by_label("Decimal mark")).to_have_value("comma")
        button = page.get_by_role("button", name="Import", exact=True)
        expect(button).to_be_disabled()
        page.get_by_label("Name of the place or home").fill("bremen")
        page.get_by_role("button", name="Use").click()
        page.get_by_label("Time zone").select_option("UTC")
        expect(button).to_be_enabled()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run('form')")
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        button.click()
        expect(page).to_have_url(f"{served.url}/grid/bremen")
