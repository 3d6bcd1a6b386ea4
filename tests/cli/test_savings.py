"""`watthour home savings`: a table, JSON and a file."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from priced_home import NOW
from saving_home import DAY_AND_NIGHT, EQUIPMENT, N_PLANNED, N_UNPLANNED, furnish

from watthour.store.sql import open_store
from watthour.workflows.equipment import EquipmentFile
from watthour.workflows.kept_tariffs import Tariffs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome


@pytest.fixture
def flat(watthour: Callable[..., Outcome], home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    monkeypatch.setattr("watthour.cli.home_savings.utc_now", lambda: NOW)
    assert watthour("home", "list").code == 0  # makes the directory
    home.mkdir(exist_ok=True)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    furnish(store)
    store.close()
    Tariffs(home).keep("flat", DAY_AND_NIGHT)
    return watthour


def test_savings_are_shown_run_by_run_with_their_sum(flat: Callable[..., Outcome], home: Path, tmp_path: Path) -> None:
    bare = flat("home", "savings", "flat")
    assert (bare.code, "watthour home equip flat" in bare.err) == (2, True)
    EquipmentFile(home).keep("flat", EQUIPMENT)
    shown = flat("home", "savings", "flat")
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert len(lines) == 1 + N_PLANNED + N_UNPLANNED + 1
    assert lines[-2].split("\t")[:4] == ["dishwasher", "2026-11-21 02:00", "1.20", "0.168"]
    assert lines[-1].startswith("total\t\t24.0")
    assert "16 of 20 runs and days of batteries were in no plan" in shown.err
    by_month = flat("home", "savings", "flat", "--by", "month", "--from", "2026-10-01")
    assert [line.split("\t")[:2] for line in by_month.out.splitlines()[1:]] == [
        ["31 runs", "2026-10"],
        ["20 runs", "2026-11"],
        ["total", ""],
    ]
    told = json.loads(flat("home", "savings", "flat", "--json").out)
    assert told["total"]["saved_money"] == pytest.approx(N_PLANNED * 0.24)
    file = tmp_path / "saved.csv"
    assert flat("home", "savings", "flat", "--from", "2026-11-18", "--csv", str(file)).code == 0
    with file.open(newline="") as opened:
        assert [row["day"] for row in csv.DictReader(opened)] == [f"2026-11-{n}" for n in (18, 19, 20, 21)]


def test_what_cannot_be_is_refused_with_the_cure(flat: Callable[..., Outcome], home: Path, tmp_path: Path) -> None:
    EquipmentFile(home).keep("flat", EQUIPMENT)
    swapped = flat("home", "savings", "flat", "--from", "2026-11-20", "--to", "2026-11-18")
    assert (swapped.code, "the first first" in swapped.err) == (2, True)
    nowhere = flat("home", "savings", "flat", "--csv", str(tmp_path / "none" / "saved.csv"))
    assert nowhere.code == 2
    assert "a folder that is there" in nowhere.err
    assert flat("home", "savings", "flat", "--from", "2026-12-24").code == 2
