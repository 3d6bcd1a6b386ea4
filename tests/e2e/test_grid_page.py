"""The page Grid, as a person meets it."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from e2e.looks import check_rules, is_narrow
from e2e.served import up
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.served import Served
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Route

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of regions")]

FORECAST, RANGE, OPERATOR, ACTUAL, LAST_WEEK = range(5)
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
    yield page
    assert complaints == []


def written(value: float | None) -> str:
    """Write a number as the page does."""
    return DASH if value is None else f"{Decimal(value).quantize(Decimal(1), ROUND_HALF_UP):,}"


def open_table(page: Page) -> list[tuple[str, list[str]]]:
    """Return the intervals of the day with their cells, from the chart's table view."""
    page.get_by_role("radio", name="Table", exact=True).click()
    table = page.get_by_role("table", name="The day in numbers")
    expect(table).to_be_visible()
    rows = table.locator("tbody tr").all()
    return [(row.get_by_role("rowheader").inner_text(), row.get_by_role("cell").all_inner_texts()) for row in rows]


def chart_of(page: Page) -> Locator:
    """Return the picture of the day or week, which stands first."""
    return page.get_by_role("slider", name=re.compile(r"^Chart of the (day|week);"))


def test_a_first_start_opens_on_the_simulated_region_and_says_so(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid")
    expect(page).to_have_url(f"{simulated.url}/grid/simtown")
    expect(page.get_by_role("status").filter(has_text="Simulated: every number here is invented")).to_be_visible()
    expect(page.get_by_role("heading", name="Connect real data")).to_be_visible()
    expect(page.get_by_text("EIA_API_KEY=... watthour up")).to_be_visible()


def test_the_answer_of_the_api_stands_first(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
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
    chart = chart_of(page)
    expect(chart.locator("svg").get_by_text("Forecast", exact=True)).to_be_visible()
    chart.focus()
    page.keyboard.press("End")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"23:00.00:00.*Forecast"))
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"22:00.23:00.*Forecast"))


def test_the_previous_day_opens_as_it_was_known_then(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    day = page.get_by_label("Day shown")
    expect(day).not_to_have_value("")
    tomorrow = day.input_value()
    for _day in range(3):
        shown = day.input_value()
        page.get_by_role("button", name="Previous day").click()
        expect(day).not_to_have_value(shown)
    expect(page.get_by_text("As known then")).to_be_visible()
    page.get_by_role("button", name="Latest").click()
    expect(day).to_have_value(tomorrow)
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
        expect(chart_of(page).locator("svg")).to_be_visible()
        assert is_narrow(page)
        open_table(page)
        assert is_narrow(page)
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
    expect(page.get_by_text("Simulated:")).to_have_count(0)
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
    doubted = page.get_by_role("table", name="The day in numbers").get_by_text("a zero, which is not possible here")
    open_table(page)
    expect(doubted).to_have_count(1)


@pytest.mark.shared_data
def test_an_archive_is_told_with_its_span_and_does_not_alarm(page: Page, new_york: Served) -> None:
    page.goto(f"{new_york.url}/grid/ny")
    expect(page.get_by_text("Wed 1 Jul 2015, 00:00 EDT to Sun 31 Dec 2023, 17:00 EST")).to_be_visible()
    expect(page.get_by_text("last value Tue 31 Dec 2019, 17:00 EST")).to_be_visible()  # the operator's ended earlier
    expect(page.get_by_text("stale")).to_have_count(0)


@pytest.mark.shared_data
def test_a_large_load_is_said_in_gw_by_sentence_axis_and_readout_alike(page: Page, new_york: Served) -> None:
    page.goto(f"{new_york.url}/grid/ny?day=2019-07-20")
    expect(page.get_by_text(re.compile(r"^Saturday was expected to peak at \d\d\.\d\d\sGWh"))).to_be_visible()
    expect(chart_of(page).locator("svg").get_by_text("GWh", exact=True)).to_be_visible()
    expect(chart_of(page)).to_have_attribute("aria-valuetext", re.compile(r"Forecast \d\d\.\d\d\sGWh"))


def test_today_and_tomorrow_stand_in_one_picture(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    answer = simulated.ask("/api/v1/grid/simtown/forecast")
    chart = chart_of(page)
    expect(chart.locator("svg").get_by_text("now", exact=True)).to_be_visible()
    chart.focus()
    page.keyboard.press("Home")
    here = ZoneInfo(answer["region"]["time_zone"])
    told, made = (datetime.fromisoformat(answer[name]).astimezone(here) for name in ("known_until", "issued_at"))
    is_told = told.date() == made.date() and told.hour > 0  # in the first hours of a day nothing of it is
    begins = r", 00:00.01:00, .*Actual" if is_told else r", \d\d:00.\d\d:00, Forecast"
    expect(chart).to_have_attribute("aria-valuetext", re.compile(begins))
    assert chart.locator("[data-shape=forecast] path").get_attribute("d")
    assert answer["newest"]["points"][-1]["time"] == answer["points"][-1]["time"]


def test_a_chart_zooms_by_wheel_and_goes_back(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    chart = chart_of(page)
    whole = page.get_by_role("button", name="Show everything").first
    expect(whole).to_have_attribute("aria-disabled", "true")
    chart.focus()
    chart.hover()
    page.mouse.wheel(0, -400)
    expect(whole).to_have_attribute("aria-disabled", "false")
    whole.click()
    expect(whole).to_have_attribute("aria-disabled", "true")


def test_a_part_of_the_page_that_comes_late_hides_nothing(browser: Browser, simulated: Served) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with browser.new_context(service_workers="block") as context:
        page = context.new_page()
        part = re.compile("/assets/connect-")
        page.route(part, hold)
        with page.expect_request(part):
            page.goto(f"{simulated.url}/grid/simtown")
        chart = chart_of(page)
        chart.focus()
        for route in held:
            route.continue_()
        expect(page.get_by_role("heading", name="Connect real data")).to_be_visible()
        expect(chart).to_be_focused()


def test_the_wheel_scrolls_the_page_while_the_chart_has_no_focus(page: Page, simulated: Served) -> None:
    page.goto(f"{simulated.url}/grid/simtown")
    chart_of(page).hover()
    page.wait_for_function("document.documentElement.scrollHeight > window.innerHeight")  # the cards below have come
    page.mouse.wheel(0, 300)
    page.wait_for_function("window.scrollY > 0")
    expect(page.get_by_role("button", name="Show everything").first).to_have_attribute("aria-disabled", "true")


def test_a_week_is_shown_with_what_was_said_of_its_days(page: Page, judged: Served) -> None:
    page.goto(f"{judged.url}/grid/simtown")
    page.get_by_role("radio", name="Week").click()
    chart = page.get_by_role("slider", name=re.compile("^Chart of the week"))
    expect(chart.locator("[data-shape=actual]").first).to_be_visible()
    expect(chart.locator("[data-shape=band]")).to_be_visible()
    week = judged.ask(f"/api/v1/grid/simtown/week?end={page.get_by_label('Day shown').input_value()}")
    assert sum(day["issued_at"] is not None for day in week["days"]) >= 5


def test_the_errors_of_a_day_are_those_of_the_api(page: Page, judged: Served) -> None:
    page.goto(f"{judged.url}/grid/simtown")
    history = judged.ask("/api/v1/grid/simtown/history?days=30")
    day = next(each for each in reversed(history["days"]) if each["rows"])
    page.get_by_role("radio", name="Table of errors").click()
    row = page.get_by_role("table", name="Errors of each day").get_by_role("row").filter(has_text=day["day"])
    error = Decimal(str(day["rows"][0]["mape_percent"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
    expect(row.get_by_role("cell").first).to_have_text(f"{error}")
    expect(page.get_by_text(re.compile(r"lay inside the 90\s% band"))).to_be_visible()


def test_the_first_view_fetches_at_most_250_kb(browser: Browser, simulated: Served) -> None:
    """Counts what really crosses the wire until the picture stands: the page, its code and style, theme and icon."""
    with browser.new_context() as context:
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        names: dict[str, str] = {}
        weights: dict[str, float] = {}
        wire.on("Network.responseReceived", lambda seen: names.update({seen["requestId"]: seen["response"]["url"]}))
        wire.on("Network.loadingFinished", lambda seen: weights.update({seen["requestId"]: seen["encodedDataLength"]}))
        page.goto(f"{simulated.url}/grid/simtown")
        expect(chart_of(page).locator("svg [data-shape=forecast]")).to_be_visible()
        page.wait_for_load_state("networkidle")
    files = {url: weights[key] for key, url in names.items() if key in weights and "/api/" not in url}
    assert any(url.endswith(".js") and "/assets/" in url for url in files)
    assert sum(files.values()) <= 250 * 1024


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["Picture", "Table", "Week", "4 days"])
def test_the_page_breaks_no_rule_of_accessibility(browser: Browser, judged: Served, scheme: str, view: str) -> None:
    with browser.new_context(viewport=PHONE, color_scheme=scheme, bypass_csp=True) as context:  # type: ignore[arg-type]  # as above
        page = context.new_page()
        page.goto(f"{judged.url}/grid/simtown")
        expect(chart_of(page).locator("svg")).to_be_visible()
        expect(page.get_by_role("table", name="Scores over all lead times")).to_be_visible()
        expect(page.get_by_role("slider", name="Chart of the levels")).to_be_visible()
        page.get_by_role("radio", name=view, exact=True).click()
        for also in ("Table of errors", "Table of levels") if view == "Table" else ():
            page.get_by_role("radio", name=also).click()
        check_rules(page)


def test_an_empty_store_offers_to_connect_and_a_file_brings_a_region(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "EIA930_BALANCE_2020_Jul_Dec.csv"
    file.write_text("\r\n".join(balance_rows(days=35)), encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    with up(home, "--no-follow") as served:
        page.goto(served.url)
        expect(page.get_by_text("No readings of New York yet")).to_be_visible()
        page.get_by_label("Table of readings (CSV, Green Button XML or Parquet)").set_input_files(file)
        expect(page.get_by_text("A file of a known layout")).to_be_visible()
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page).to_have_url(f"{served.url}/grid/ny")
        expect(page.get_by_label("Day shown")).to_have_value("2020-08-05")
        expect(page.get_by_text("A simpler forecast is shown")).to_be_visible()


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
