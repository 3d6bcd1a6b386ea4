"""The page Grid, as a person meets it."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from e2e.served import up
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.served import Served
    from playwright.sync_api import Browser, ConsoleMessage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FORECAST, RANGE, OPERATOR, ACTUAL, LAST_WEEK = range(5)
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
DASH = "\N{EN DASH}"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    yield page
    assert complaints == []


def written(value: float | None) -> str:
    """Write a number as the page does."""
    return DASH if value is None else f"{Decimal(value).quantize(Decimal(1), ROUND_HALF_UP):,}"


def open_table(page: Page) -> list[tuple[str, list[str]]]:
    """Return the intervals of the day with their cells, from the chart's table view."""
    page.get_by_role("radio", name="Table").click()
    table = page.get_by_role("table", name="The day in numbers")
    expect(table).to_be_visible()
    rows = table.locator("tbody tr").all()
    return [(row.get_by_role("rowheader").inner_text(), row.get_by_role("cell").all_inner_texts()) for row in rows]


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_first_start_opens_on_the_simulated_region_and_says_so(page: Page, simulated: Served) -> None:
    page.goto(simulated.url)
    expect(page).to_have_url(f"{simulated.url}/grid/simtown")
    expect(page.get_by_role("status").filter(has_text="Simulated region: invented weather and demand")).to_be_visible()
    expect(page.get_by_role("heading", name="Connect real data")).to_be_visible()
    expect(page.get_by_text("EIA_API_KEY=... watthour up")).to_be_visible()


def test_the_answer_of_the_api_stands_first(page: Page, simulated: Served) -> None:
    page.goto(simulated.url)
    headline = simulated.ask("/api/v1/grid/simtown/forecast")["headline"]
    expect(page.get_by_text(headline)).to_be_visible()


def test_the_table_shows_what_the_api_says(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    rows = open_table(page)
    points = simulated.ask("/api/v1/grid/simtown/forecast")["points"]
    assert [cells[FORECAST] for _hour, cells in rows] == [written(point["value"]) for point in points]
    assert [cells[RANGE] for _hour, cells in rows] == [
        written(point["lower"]) + DASH + written(point["upper"]) for point in points
    ]
    assert [cells[LAST_WEEK] for _hour, cells in rows] == [written(point["seasonal_naive"]) for point in points]


def test_the_chart_is_drawn_and_arrow_keys_choose_an_interval(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    chart = page.get_by_role("slider")
    expect(chart.locator("svg text").filter(has_text="Forecast")).to_be_visible()
    chart.focus()
    page.keyboard.press("End")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"23:00.00:00.*Forecast"))
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"22:00.23:00.*Forecast"))


def test_the_previous_day_opens_as_it_was_known_then(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    tomorrow = page.get_by_label("Day shown").input_value()
    for _day in range(3):
        shown = page.get_by_label("Day shown").input_value()
        page.get_by_role("button", name="Previous day").click()
        expect(page.get_by_label("Day shown")).not_to_have_value(shown)
    expect(page.get_by_text("As known then")).to_be_visible()
    page.get_by_role("button", name="Latest").click()
    expect(page.get_by_label("Day shown")).to_have_value(tomorrow)
    expect(page.get_by_role("button", name="Next day")).to_be_disabled()


def test_the_file_holds_the_same_numbers_and_says_they_are_simulated(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    with Path(download.value.path()).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "day"]
    points = simulated.ask("/api/v1/grid/simtown/forecast")["points"]
    assert [float(row["forecast_mwh"]) for row in rows] == pytest.approx([point["value"] for point in points])
    assert {row["simulated"] for row in rows} == {"true"}


def test_an_unknown_region_is_a_problem_with_its_cure(browser: Browser, simulated: Served) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{simulated.url}/grid/nyy")
        expect(page.get_by_role("alert").first).to_contain_text("nyy")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_in_light_or_dark_never_scrolls_sideways(browser: Browser, simulated: Served, scheme: str) -> None:
    with browser.new_context(viewport=PHONE, color_scheme=scheme, has_touch=True) as context:  # type: ignore[arg-type]  # playwright wants a Literal
        page = context.new_page()
        page.goto(f"{simulated.url}/grid/simtown")
        expect(page.get_by_role("slider").locator("svg")).to_be_visible()
        assert has_no_sideways_scroll(page)
        open_table(page)
        assert has_no_sideways_scroll(page)
        assert page.locator("html").get_attribute("data-theme") == scheme


def test_the_choice_of_light_or_dark_outlives_a_reload(browser: Browser, simulated: Served) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto(simulated.url)
        dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        page.get_by_role("button", name="Switch to light").click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != dark


@pytest.mark.shared_data
def test_a_real_day_shows_the_published_demand_and_the_operators_forecast(
    page: Page, new_york: Served, shared_data: Path
) -> None:
    page.goto(f"{new_york.url}/grid/ny?day=2019-07-20")
    afternoon = dict(open_table(page))[f"17:00{DASH}18:00"]
    published = (
        pl.read_parquet(shared_data / "grid" / "ny_demand.parquet")
        .with_columns(pl.col("period").cast(pl.Datetime("us", "UTC")))  # names the end of the hour
        .filter(pl.col("period") == datetime(2019, 7, 20, 22, tzinfo=UTC))
        .row(0, named=True)
    )
    assert afternoon[ACTUAL] == written(published["demand_mwh"])
    assert afternoon[OPERATOR] == written(published["day_ahead_forecast_mwh"])
    point = new_york.ask("/api/v1/grid/ny/forecast?day=2019-07-20")["points"][17]
    assert afternoon[:2] == [
        written(point["value"]),
        written(point["lower"]) + DASH + written(point["upper"]),
    ]
    expect(page.get_by_text("Simulated region")).to_have_count(0)
    expect(page.get_by_text("Reconstructed")).to_be_visible()


@pytest.mark.shared_data
@pytest.mark.parametrize(("day", "hours"), [("2019-03-10", 23), ("2019-11-03", 25)])
def test_real_days_of_23_and_25_hours_have_as_many_rows(page: Page, new_york: Served, day: str, hours: int) -> None:
    page.goto(f"{new_york.url}/grid/ny?day={day}")
    names = [hour for hour, _cells in open_table(page)]
    assert len(set(names)) == hours


@pytest.mark.shared_data
def test_a_published_zero_is_kept_and_doubted(page: Page, new_york: Served) -> None:
    page.goto(f"{new_york.url}/grid/ny?day=2019-04-17")
    doubted = page.get_by_role("table", name="The day in numbers").get_by_text("a zero, which cannot be here")
    open_table(page)
    expect(doubted).to_have_count(1)


@pytest.mark.shared_data
def test_old_data_is_said_to_be_stale_with_its_age(page: Page, new_york: Served) -> None:
    page.goto(f"{new_york.url}/grid/ny")
    expect(page.get_by_text(re.compile(r"^stale, [\d,]+\sdays old$"))).to_be_visible()
    expect(page.get_by_text("last value Sun 31 Dec 2023, 17:00 EST")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["Picture", "Table"])
def test_the_page_breaks_no_rule_of_accessibility(browser: Browser, simulated: Served, scheme: str, view: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `npm ci` in web")
    with browser.new_context(viewport=PHONE, color_scheme=scheme, bypass_csp=True) as context:  # type: ignore[arg-type]  # as above
        page = context.new_page()
        page.goto(f"{simulated.url}/grid/simtown")
        expect(page.get_by_role("slider").locator("svg")).to_be_visible()
        expect(page.get_by_role("table", name="Scores over all lead times")).to_be_visible()
        page.get_by_role("radio", name=view).click()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []


def test_an_empty_store_offers_to_connect_and_a_file_brings_a_region(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "EIA930_BALANCE_2020_Jul_Dec.csv"
    file.write_text("\r\n".join(balance_rows(days=35)), encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    with up(home, "--no-follow") as served:
        page.goto(served.url)
        expect(page.get_by_text("No readings of New York yet")).to_be_visible()
        page.get_by_label("Table of loads (CSV or Parquet)").set_input_files(file)
        expect(page.get_by_text("A file of a known layout")).to_be_visible()
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page).to_have_url(f"{served.url}/grid/ny")
        expect(page.get_by_label("Day shown")).to_have_value("2020-08-05")
        expect(page.get_by_text("A simpler forecast stands in")).to_be_visible()


def balance_rows(days: int) -> Iterator[str]:
    """Write New York's demand as EIA's six-month files do, hours named by their end."""
    yield (
        '"Balancing Authority","Data Date","Hour Number","Local Time at End of Hour","UTC Time at End of Hour",'
        '"Demand Forecast (MW)","Demand (MW)","Region"'
    )
    for hour in range(24 * days):
        local = datetime(2020, 7, 1, tzinfo=UTC) + timedelta(hours=hour + 1)
        demand = 16_000 + 250 * (hour % 24)
        ends = [f"{end:%m/%d/%Y} {end:%I:%M:%S %p}" for end in (local, local + timedelta(hours=4))]
        day = local - timedelta(hours=1)
        yield f"NYIS,{day:%m/%d/%Y},{hour % 24 + 1},{ends[0]},{ends[1]},{demand + 300},{demand},NY"
