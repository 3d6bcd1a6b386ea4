"""The pages Plan and Savings, over the simulated home and over one that says its tariff and equipment there."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from e2e.looks import check_look
from e2e.served import SIMULATED, up, watthour
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.served import Served
    from playwright.sync_api import Browser, Locator, Page, Response

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser of the home")]

LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}},
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
]
PLAN = f"/api/v1/homes/{SIMULATED}/plan"
UNDONE = re.compile(r"^The new plan is in force.*Undone: ")  # while it is planned, the words are there already


@pytest.fixture(scope="module")
def flat(browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A home of which nothing is known but its name."""
    del browser_type_launch_args
    home = tmp_path_factory.mktemp("flat")
    watthour(home, "home", "add", "Flat", "--time-zone", "Europe/Paris", "--channel", "power:kW:15min")
    with up(home, "--no-follow") as served:
        yield served


def movable(served: Served, kind: str) -> dict[str, Any]:
    """Return a run of the plan in force that is yet to come."""
    runs = served.ask(PLAN)["runs"]
    return next(run for run in runs if run["kind"] == kind and run["state"] == "planned")


def is_new_plan(response: Response) -> bool:
    return response.request.method == "POST" and response.url.endswith("/plan")


def row_of(page: Page, run: str) -> Locator:
    return page.locator(f"[data-run='{run}']")


def clock(instant: str, zone: str) -> str:
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).strftime("%H:%M")


def test_the_plan_of_the_simulated_home_says_what_is_next_why_and_what_it_saves(page: Page, living: Served) -> None:
    page.goto(f"{living.url}/plan")
    expect(page).to_have_url(f"{living.url}/plan/{SIMULATED}")
    expect(page.get_by_role("status").filter(has_text="Simulated: every number here is invented")).to_be_visible()
    run = movable(living, "appliance")
    row = row_of(page, run["id"])
    expect(row).to_contain_text(clock(run["start"], living.ask(PLAN)["time_zone"]))
    expect(row).to_contain_text(run["reason"])
    expect(page.get_by_text(re.compile(r"^Expected beside starting everything at once: "))).to_be_visible()
    chart = page.get_by_role("slider", name=re.compile("^Chart of the plan"))
    expect(chart.locator("[data-shape=price]")).to_be_visible()
    expect(chart.locator("[data-shape=carbon]")).to_be_visible()
    expect(chart.locator("[data-mark=now]")).to_have_count(1)
    expect(chart.locator("rect[data-bar]").first).to_be_visible()


def test_another_deadline_gives_another_plan_at_once_and_is_undone_by_a_press(page: Page, living: Served) -> None:
    page.goto(f"{living.url}/plan/{SIMULATED}")
    zone = living.ask(PLAN)["time_zone"]
    run = movable(living, "appliance")
    row = row_of(page, run["id"])
    deadline = row.get_by_role("combobox")
    before = deadline.input_value()
    choices = deadline.locator("option").evaluate_all("(options) => options.map(({ value }) => value)")
    wanted = next(each for each in reversed(choices) if each != before)
    with page.expect_response(is_new_plan) as told:
        deadline.select_option(wanted)
    new = next(each for each in told.value.json()["runs"] if each["id"] == run["id"])
    assert datetime.fromisoformat(new["deadline"]).timestamp() * 1000 == float(wanted)
    expect(page.get_by_text("The new plan is in force")).to_be_visible()
    expect(row).to_contain_text(clock(new["start"], zone))
    kept = next(each for each in living.ask(PLAN)["runs"] if each["id"] == run["id"])
    assert (kept["deadline"], kept["start"]) == (new["deadline"], new["start"])
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("status", name="Your last change")).to_contain_text(UNDONE)
    expect(deadline).to_have_value(before)
    kept = next(each for each in living.ask(PLAN)["runs"] if each["id"] == run["id"])
    assert kept["deadline"] == run["deadline"]


def test_a_run_is_skipped_on_the_page_and_runs_after_all(page: Page, living: Served) -> None:
    page.goto(f"{living.url}/plan/{SIMULATED}")
    run = movable(living, "appliance")
    row = row_of(page, run["id"])
    row.get_by_role("button", name="Skip").click()
    expect(row.get_by_text("It does not run.")).to_be_visible()
    (kept,) = (each for each in living.ask(PLAN)["runs"] if each["id"] == run["id"])
    assert (kept["state"], kept["start"]) == ("skipped", None)
    row.get_by_role("button", name="Run after all").click()
    expect(row.get_by_role("button", name="Skip")).to_be_visible()
    (kept,) = (each for each in living.ask(PLAN)["runs"] if each["id"] == run["id"])
    assert kept["state"] == "planned"


def test_a_cleaner_plan_is_chosen_on_the_slider_and_taken_back(page: Page, living: Served) -> None:
    page.goto(f"{living.url}/plan/{SIMULATED}")
    weights = living.ask(PLAN)["weights"]
    page.get_by_role("button", name="Compare plans").click()
    slider = page.get_by_role("slider", name="From the cheapest to the cleanest")
    expect(slider).to_be_visible()
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^Beside the cheapest: .* less CO2$"))
    page.get_by_role("button", name="Plan so from now on").click()
    expect(page.get_by_text("The new plan is in force")).to_be_visible()
    assert living.ask(PLAN)["weights"]["carbon"] > weights["carbon"]
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("status", name="Your last change")).to_contain_text(UNDONE)
    assert living.ask(PLAN)["weights"] == weights


def test_the_table_of_the_plan_holds_what_the_api_says(page: Page, living: Served) -> None:
    with page.expect_response(re.compile(r"/plan$")) as told:
        page.goto(f"{living.url}/plan/{SIMULATED}")
    plan = told.value.json()
    page.get_by_role("region", name="The hours ahead").get_by_role("radio", name="Table").click()
    table = page.get_by_role("table", name="The plan in numbers")
    expect(table.locator("tbody tr[data-time]")).to_have_count(len(plan["time"]))
    first = table.locator("tbody tr[data-time] td:nth-child(2)").all_inner_texts()
    assert [float(re.split(r"\s", text)[0]) for text in first] == pytest.approx(plan["import_price"], abs=0.001)


def test_a_home_says_its_tariff_and_its_dishwasher_on_the_page_and_is_planned(page: Page, flat: Served) -> None:
    page.goto(f"{flat.url}/plan/flat")
    expect(page.get_by_text("No plan yet")).to_be_visible()
    page.get_by_role("button", name="Dishwasher").click()
    page.get_by_role("form", name="Dishwasher").get_by_role("button", name="Add dishwasher").click()
    page.get_by_label("Price by day, per kWh").fill("0,31")
    page.get_by_label("Price by night, per kWh").fill("0.22")
    page.get_by_role("button", name="Keep this tariff").click()
    runs = page.get_by_role("list", name="Runs")
    expect(runs.get_by_role("heading", name="dishwasher").first).to_be_visible()
    expect(page.get_by_text(re.compile("^Planned by money alone"))).to_be_visible()  # nobody tells the carbon there
    check = flat.ask("/api/v1/homes/flat/plan")
    assert {run["name"] for run in check["runs"]} == {"dishwasher"}
    assert set(check["import_price"]) == {0.31, 0.22}
    page.goto(f"{flat.url}/savings/flat")
    expect(page.get_by_text("Nothing was run in this time yet")).to_be_visible()
    page.goto(f"{flat.url}/plan/flat")
    page.get_by_role("button", name="Remove dishwasher").click()
    expect(page.get_by_text("No plan yet")).to_be_visible()


def test_savings_of_the_simulated_home_stand_beside_both_times_and_as_a_file(page: Page, living: Served) -> None:
    page.goto(f"{living.url}/savings")
    expect(page).to_have_url(f"{living.url}/savings/{SIMULATED}")
    page.get_by_role("radio", name="This year").click()
    with page.expect_response(re.compile(r"/savings\?by=day")) as told:
        page.get_by_role("radio", name="Days").click()
    savings = told.value.json()
    assert savings["is_simulated"]
    table = page.get_by_role("table", name="Savings in numbers")
    expect(table.locator("tbody tr")).to_have_count(len(savings["rows"]))
    assert table.locator("tbody tr").first.get_attribute("data-day") == savings["rows"][-1]["day"]
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download savings as CSV").click()
    rows = list(csv.DictReader(Path(downloaded.value.path()).read_text(encoding="utf-8").splitlines()))
    assert [row["day"] for row in rows] == [row["day"] for row in savings["rows"]]


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "phone", "small"])
def test_everybody_can_read_them(browser: Browser, living: Served, look: dict[str, Any]) -> None:
    with browser.new_context(**look, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(f"{living.url}/plan/{SIMULATED}")
        expect(page.get_by_role("list", name="Runs")).to_be_visible()
        expect(page.get_by_role("slider", name=re.compile("^Chart of the plan"))).to_be_visible()
        page.get_by_role("button", name="Car", exact=True).click()
        check_look(page)
        page.get_by_role("region", name="The hours ahead").get_by_role("radio", name="Table").click()
        expect(page.get_by_role("table", name="The plan in numbers")).to_be_visible()
        check_look(page)
        page.goto(f"{living.url}/savings/{SIMULATED}")
        expect(page.get_by_role("radio", name="Runs")).to_be_visible()
        expect(page.get_by_role("status", name=re.compile("^Loading"))).to_have_count(0)
        check_look(page)
