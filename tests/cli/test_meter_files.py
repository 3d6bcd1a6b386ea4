"""Files of a home on the command line: what is understood, asked and kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

START = datetime(2024, 3, 1, tzinfo=UTC)
HEADER = "device_id,device_type,power_rating_watt,timestamp,duration_minutes,power_consumption_kwh"


def counter(folder: Path) -> Path:
    path = folder / "meter.csv"
    rows = [f"{START + k * timedelta(minutes=15):%Y-%m-%dT%H:%MZ},{5000 + 0.1 * k:.1f}\n" for k in range(60)]
    path.write_text("time,kWh\n" + "".join(rows))
    return path


def test_a_counter_is_shown_as_understood_and_imported(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    words = ("import", str(counter(tmp_path)), "--home", "Flat", "--time-zone", "Europe/Brussels")
    looked = watthour(*words, "--dry-run")
    assert looked.code == 0
    assert "stands of a counter" in looked.out
    kept = watthour(*words, "--yes")
    assert kept.code == 0
    assert "csv:meter.csv\t59\t0" in kept.out
    assert "csv:meter.csv\t0\t0" in watthour(*words, "--yes").out


def test_values_that_a_home_cannot_draw_are_counted(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    path = tmp_path / "net.csv"
    rows = [f"{START + k * timedelta(minutes=15):%Y-%m-%dT%H:%MZ},{450 if k < 2 else k % 5 + 1}\n" for k in range(60)]
    path.write_text("time,kW\n" + "".join(rows))
    kept = watthour("import", str(path), "--home", "Flat", "--time-zone", "Europe/Brussels", "--yes")
    assert "2 readings of csv:net.csv are kept but not used: outside what is possible." in kept.err


def test_negative_values_are_refused_with_the_cure_and_kept_where_it_is_solar(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = tmp_path / "net.csv"
    rows = [f"{START + k * timedelta(minutes=15):%Y-%m-%dT%H:%MZ},{(k % 5) - 2}\n" for k in range(60)]
    path.write_text("time,kW\n" + "".join(rows))
    words = ("import", str(path), "--home", "Flat", "--time-zone", "Europe/Brussels", "--yes")
    refused = watthour(*words)
    assert refused.code == 2
    assert "Use --solar if energy is also fed in" in refused.err
    assert "csv:net.csv\t60\t0" in watthour(*words, "--solar").out


@pytest.mark.parametrize("is_dry", [True, False])
def test_uses_of_devices_are_kept_as_uses(watthour: Callable[..., Outcome], tmp_path: Path, *, is_dry: bool) -> None:
    path = tmp_path / "events.csv"
    first, second, last = (f"WM_01,WashingMachine,500,2024-07-{day} 21:00:00,60,0.4" for day in ("01", "02", "03"))
    rows = (first, second, "WM_01,WashingMachine,500,soon,60,0.4", last)
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    assert "Name the home with --home" in watthour("import", str(path)).err
    assert watthour("home", "add", "Flat", "--time-zone", "Europe/Brussels").code == 0
    words = ("import", str(path), "--home", "Flat", "--json", *(["--dry-run"] if is_dry else ["--yes"]))
    (told,) = json.loads(watthour(*words).out)
    assert (told["uses"], told["refused"], told["new_rows"]) == (3, {"time_is_readable": 1}, 0 if is_dry else 3)
    shown = watthour("home", "show", "flat", "--json").out
    assert ("home.flat.wm_01" in shown) is not is_dry
