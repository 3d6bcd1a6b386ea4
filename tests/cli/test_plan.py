"""`watthour plan`, on the file of the guide."""

from __future__ import annotations

import json
import operator
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from watthour.bootstrap import App, open_registry, open_store
from watthour.cli.scheduler import Scheduler
from watthour.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "plan-a-day.md"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = re.search(r"```toml\n(start.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    path = tmp_path / "tomorrow.toml"
    path.write_text(found[1], encoding="utf-8")
    return path


def test_the_file_of_the_guide_is_planned_with_reasons(watthour: Callable[..., Outcome], file: Path) -> None:
    told = watthour("plan", str(file), "--choices", "--steps")
    assert told.code == 0
    rows = dict(line.split("\t")[:2] for line in told.out.splitlines() if "\t" in line)
    assert rows["dishwasher"].startswith("starts 02:00: cheapest 2 h before 07:00")
    assert rows["car"].startswith("gets 12.0 kWh")
    assert "the cheapest" in rows
    assert "2026-11-23 07:00" in rows
    assert "This is the best plan" in told.err


def test_json_holds_the_same(watthour: Callable[..., Outcome], file: Path) -> None:
    told = json.loads(watthour("plan", str(file), "--json").out)
    assert [each["name"] for each in told["things"]] == ["dishwasher", "car", "battery"]
    assert len(told["import_kw"]) == 14


@pytest.mark.parametrize(
    ("line", "mended", "words"),
    [
        ("import_limit_kw = 11", "import_limit_kw = 0.5", "import_limit_kw ="),
        ("energy_kwh = 12", "energy_kwh = 200", "kWh or less"),
        ("energy_kwh = 12", "energy_mwh = 12", "plan-a-day"),
        ("step_minutes = 60", "step_minutes = ", "no TOML"),
        ("stored_kwh = 4", "stored_kwh = 40", "from 0 to 10"),
    ],
)
def test_a_file_that_cannot_be_planned_is_refused_with_the_cure(
    watthour: Callable[..., Outcome], file: Path, line: str, mended: str, words: str
) -> None:
    content = file.read_text(encoding="utf-8")
    assert line in content
    file.write_text(content.replace(line, mended), encoding="utf-8")
    refused = watthour("plan", str(file))
    assert (refused.code, words in refused.err) == (2, True), refused.err


def test_a_file_that_is_not_there_is_said(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    refused = watthour("plan", str(tmp_path / "nowhere.toml"))
    assert (refused.code, "nowhere.toml" in refused.err, "it cannot be read" in refused.err) == (2, True, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a = " + "[" * 20_000 + "]" * 20_000, "it is damaged"),
        ("step_minutes = " + "9" * 6000, "it is damaged"),
        ("import_price = [" + "0.1, " * 300_000 + "]", "too large to be a plan"),
    ],
    ids=["deep", "long number", "large"],
)
def test_a_strange_file_is_refused_as_what_it_is(
    watthour: Callable[..., Outcome], tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "strange.toml"
    path.write_text(content, encoding="utf-8")
    refused = watthour("plan", str(path))
    assert (refused.code, words in refused.err) == (2, True), refused.err[:300]
    assert "plan-a-day.md shows a whole file" in refused.err


def test_a_file_with_a_mark_before_its_first_letter_is_read(watthour: Callable[..., Outcome], file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert watthour("plan", str(file)).code == 0


EQUIPMENT = """
[[appliances]]
name = "dishwasher"
power_kw = 1.2
minutes = 105
earliest = "21:00"
deadline = "07:00"
"""


def test_a_home_is_equipped_and_planned_by_command(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    added = watthour("home", "add", "Flat", "--time-zone", "Europe/Berlin", "--channel", "energy:kWh:1h")
    assert added.code == 0
    file, tariff = tmp_path / "equipment.toml", tmp_path / "tariff.json"
    file.write_text(EQUIPMENT)
    tariff.write_text(json.dumps({"name": "Flat", "currency": "EUR", "import": {"kind": "flat", "price": 0.25}}))
    unset = watthour("home", "plan", "flat")
    assert (unset.code, "watthour home equip flat" in unset.err) == (2, True)
    equipped = watthour("home", "equip", "flat", str(file))
    assert (equipped.code, "dishwasher" in equipped.err) == (0, True)
    assert json.loads(watthour("home", "equip", "flat").out)["appliances"][0]["deadline"] == "07:00"
    unset = watthour("home", "plan", "flat")
    assert (unset.code, "watthour tariff set flat" in unset.err) == (2, True)
    assert watthour("tariff", "set", "flat", str(tariff)).code == 0

    told = watthour("home", "plan", "flat")
    assert told.code == 0, told.err
    assert "dishwasher-" in told.out
    assert "all at once" in told.out
    assert "cannot be foreseen" in told.err  # nothing was metered yet
    found = json.loads(watthour("home", "plan", "flat", "--json").out)
    assert found["runs"][0]["energy_kwh"] == pytest.approx(2.1)
    assert json.loads(watthour("home", "plan", "flat", "--new", "--json").out)["made_at"] > found["made_at"]

    assert "watthour site change flat --zone" in told.err
    assert watthour("site", "change", "flat", "--zone", "BE").code == 0

    wrong = tmp_path / "wrong.toml"
    wrong.write_text(EQUIPMENT.replace('"07:00"', '"7 pm"'))
    refused = watthour("home", "equip", "flat", str(wrong))
    assert (refused.code, "deadline" in refused.err) == (2, True)
    assert watthour("home", "equip", "flat", str(file), "--remove").code == 2
    assert watthour("home", "equip", "flat", "--remove").code == 0
    assert watthour("home", "plan", "flat").code == 2


def test_a_running_server_plans_a_home_each_half_hour_and_as_its_tariff_changes(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    file = tmp_path / "equipment.toml"
    file.write_text(EQUIPMENT)
    watthour("home", "add", "Flat", "--time-zone", "Europe/Berlin", "--channel", "energy:kWh:1h")
    watthour("home", "equip", "flat", str(file))
    now = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    settings = load_settings()
    with App(settings, open_store(settings), open_registry(settings)) as app:

        def round_at(minutes: float) -> list[datetime]:
            scheduler._now = lambda: now + timedelta(minutes=minutes)
            scheduler._plans()
            return [datetime.fromisoformat(kept.content["made_at"]) for kept in app.store.plans("flat")]

        scheduler = Scheduler(app, clock=lambda: now)
        assert round_at(0) == []  # without a tariff nothing can be planned
        set_tariff(app, 0.25)
        assert round_at(1) == [now + timedelta(minutes=1)]
        assert round_at(30) == [now + timedelta(minutes=1)]
        assert round_at(31) == [now + timedelta(minutes=31)]  # in place of the first: its runs are the same
        set_tariff(app, 0.3)
        assert round_at(32)[0] == now + timedelta(minutes=32)


def test_a_home_that_cannot_be_planned_is_told_and_tried_again_later(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    watthour("home", "add", "Flat", "--time-zone", "Europe/Berlin", "--channel", "energy:kWh:1h")
    file = tmp_path / "equipment.toml"
    file.write_text(
        EQUIPMENT + "[[cars]]\nenergy_kwh = 12\nmax_charge_kw = 11\narrival = '18:00'\ndeparture = '07:00'\n"
    )
    text = file.read_text()
    file.write_text("import_limit_kw = 0.5\n" + text)
    watthour("home", "equip", "flat", str(file))
    now = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    settings = load_settings()
    with App(settings, open_store(settings), open_registry(settings)) as app:
        set_tariff(app, 0.25)
        scheduler = Scheduler(app, clock=lambda: now)
        for minutes in (0, 1, 2, 11):
            scheduler._now = partial(operator.add, now, timedelta(minutes=minutes))
            scheduler._plans()
        failed = app.store.runs("plan:flat")
        assert [run.started_at - now for run in failed] == [timedelta(minutes=11), timedelta(0)]
        assert "import limit of 0.5 kW" in f"{failed[0].problem}"
        file.write_text(text)
        watthour("home", "equip", "flat", str(file))
        scheduler._now = lambda: now + timedelta(minutes=22)
        scheduler._plans()
        assert app.store.runs("plan:flat")[0].problem is None


def test_a_damaged_file_of_equipment_ends_no_round_and_is_told_of_each_home(
    watthour: Callable[..., Outcome], home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "equipment.toml"
    file.write_text(EQUIPMENT)
    for name in ("Attic", "Flat"):
        watthour("home", "add", name, "--time-zone", "Europe/Berlin", "--channel", "energy:kWh:1h")
        watthour("home", "equip", name.lower(), str(file))
    now = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    settings = load_settings()
    with App(settings, open_store(settings), open_registry(settings)) as app:
        for name in ("attic", "flat"):
            app.tariffs.keep(name, {"name": "Flat", "currency": "EUR", "import": {"kind": "flat", "price": 0.25}})
        (home / "equipment.json").write_text("{")
        Scheduler(app, clock=lambda: now)._plans()
        for name in ("attic", "flat"):
            (failed,) = app.store.runs(f"plan:{name}")
            assert "equipment.json" in f"{failed.problem}"


def set_tariff(app: App, price: float) -> None:
    said = {"name": "Flat", "currency": "EUR", "import": {"kind": "flat", "price": price}}
    app.tariffs.keep("flat", said)
