"""A file of one's own on the page: chosen, shown as understood, imported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from e2e.looks import check_rules, is_narrow
from e2e.served import up
from layouts import Layout, write
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of own servers")]

HOUR = timedelta(hours=1)


def test_a_german_spreadsheet_is_shown_asked_about_and_imported(browser: Browser, tmp_path: Path) -> None:
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
        check_rules(page, "form")
        assert is_narrow(page)
        button.click()
        expect(page).to_have_url(f"{served.url}/grid/bremen")
