"""A stranger with a spreadsheet: from an empty home to tomorrow's forecast with a band, on the command line."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from layouts import NARROW, Layout, local_hours, write

from watthour.cli import main

if TYPE_CHECKING:
    from pathlib import Path

FEW_DAYS = 40
HOUR = timedelta(hours=1)
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
STRANGERS = {
    "lubbock": ("America/Chicago", HOUR, Layout(date="%m/%d/%Y", clock="%I:%M %p", thousands=",")),
    "lyon": ("Europe/Paris", HOUR / 2, Layout(";", ",", NARROW, date="%d/%m/%Y", columns="two", encoding="utf-8-sig")),
    "bremen": (
        "Europe/Berlin",
        HOUR,
        Layout(";", ",", ".", date="%d.%m.%Y", above=("Netzlast", ""), below=("Summe;123",), encoding="cp1252"),
    ),
    "namur": ("Europe/Brussels", HOUR / 4, Layout(date="%d.%m.%Y", columns="interval")),
    "perth": ("Australia/Perth", HOUR / 2, Layout("\t", date="%d/%m/%Y", columns="wide", encoding="utf-16")),
}
TRAINED = {"namur": 200}  # days of history; the others have few, and the baseline stands in


def spreadsheet(folder: Path, name: str) -> Path:
    """Write a load with a day, a week and some noise in it, up to today."""
    zone, step, layout = STRANGERS[name]
    days = timedelta(days=TRAINED.get(name, FEW_DAYS))
    first = local_hours(END, 1, step, zone)[0].replace(hour=0) - days
    times = local_hours(first, int(days / step), step, zone)
    chance = random.Random(name)  # noqa: S311 - weather of a test
    values = [
        900.0 + 200 * math.sin((time.hour - 9) / 12 * math.pi) - 100 * (time.weekday() > 4) + chance.gauss(0, 20)
        for time in times
    ]
    return write(folder / f"{name}.csv", layout, times, values, step)


def watthour(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize("name", STRANGERS)
def test_a_spreadsheet_of_any_place_becomes_a_forecast_with_a_band(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WATTHOUR_FROZEN_DAYS", "14")
    monkeypatch.chdir(tmp_path)
    zone, step, _layout = STRANGERS[name]
    path = spreadsheet(tmp_path, name)

    code, _out, problem = watthour(capsys, "import", str(path))
    assert code == 2
    assert f"--channel grid.{name}.demand" in problem

    unit = [] if name != "perth" else ["--unit", "MW"]
    words = ["import", str(path), "--yes", "--site", name, "--time-zone", zone, *unit, "--json"]
    code, out, problem = watthour(capsys, *words)
    assert code == 0, problem
    (report,) = json.loads(out)
    assert (report["new_rows"], report["refused_rows"]) == (int(timedelta(days=TRAINED.get(name, FEW_DAYS)) / step), 0)

    if name in TRAINED:
        code, _out, problem = watthour(capsys, "train", name)
        assert code == 0, problem
    code, out, problem = watthour(capsys, "forecast", name, "--json")
    assert code == 0, problem
    page = json.loads(out)
    assert (page["unit"], page["region"]["resolution_seconds"]) == ("MW", step.total_seconds())
    points = page["points"]
    assert len(points) >= timedelta(hours=23) / step
    assert all(point["lower"] < point["value"] < point["upper"] for point in points)
    assert all(500 < point["value"] < 1300 for point in points)
    assert (page["fallback"] is None) is (name in TRAINED)
