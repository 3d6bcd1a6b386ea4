"""A home's own table beside the simulated region: every command goes on for both, in each one's unit and step."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

DAYS = 220
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def table(path: Path, step: timedelta, value: Callable[[int], float]) -> Path:
    start, n_rows = END - DAYS * timedelta(days=1), int(DAYS * timedelta(days=1) / step)
    rows = (f"{start + n * step:%Y-%m-%dT%H:%MZ},{value(n):.3f}\n" for n in range(n_rows))
    path.write_text("time,power\n" + "".join(rows))
    return path


@pytest.fixture
def with_home(town: Callable[..., Outcome], tmp_path: Path) -> Callable[..., Outcome]:
    """The town's store with a home of half hours in it."""
    half_hours = table(
        tmp_path / "home.csv", timedelta(minutes=30), lambda n: 0.5 + 0.3 * math.sin(n / 48 * 2 * math.pi)
    )
    ended = town("import", str(half_hours), "--channel", "home.main.power", "--unit", "kW", "--time-zone", "UTC")
    assert ended.code == 0, ended.err
    assert "New home: main" in ended.err
    return town


def test_a_home_is_shown_forecast_and_scored_in_its_unit_and_step(with_home: Callable[..., Outcome]) -> None:
    page = json.loads(with_home("forecast", "main", "--json").out)
    assert (page["unit"], page["region"]["resolution_seconds"], len(page["points"])) == ("kW", 1800, 48)
    assert " kW" in page["headline"]
    assert with_home("doctor").code == 0
    assert with_home("scores", "main", "--json").code == 0
    assert json.loads(with_home("forecast", "simtown", "--json").out)["unit"] == "MWh"


def test_the_hours_ahead_of_a_home_and_of_its_devices_are_shown(with_home: Callable[..., Outcome]) -> None:
    ended = with_home("forecast", "main", "--hours", "168")
    assert ended.code == 0, ended.err
    header, *rows = ended.out.splitlines()
    assert (header.split("\t"), len(rows)) == (["local time", "kW", "5 %", "95 %", "last week"], 336)
    assert "readings known to" in ended.err
    assert with_home("home", "device", "add", "main", "Fridge").code == 0
    empty = with_home("forecast", "main", "--device", "fridge")
    assert (empty.code, "nothing measures the power or energy of Fridge" in empty.err) == (2, True)
    page = json.loads(with_home("forecast", "main", "--channel", "power", "--json").out)
    assert [each["id"] for each in page["forecasts"]] == ["home.main.power"]
    both = with_home("forecast", "main", "--hours", "24", "--day", "2024-07-01")
    assert (both.code, "Leave one of them out." in both.err) == (2, True)
    assert "Ask for 24, 48 or 168." in with_home("forecast", "main", "--hours", "0").err
    assert "\tkW\t" in with_home("forecast", "--hours", "3").out  # what is real comes before what is simulated


def test_a_backtest_of_a_site_without_a_rival_asks_for_none(with_home: Callable[..., Outcome]) -> None:
    last = (END - timedelta(days=2)).date()
    ended = with_home("backtest", "main", "--from", str(last - timedelta(days=3)), "--to", str(last), "--json")
    assert ended.code == 0, ended.err
    rows = json.loads(ended.out)["rows"]
    assert [row["recipe"] for row in rows] == ["seasonal_naive", "day_process"]
    assert "mae_mwh" not in rows[0]


def test_a_rival_that_a_site_does_not_have_is_left_out_of_a_backtest_and_said(
    with_home: Callable[..., Outcome],
) -> None:
    last = (END - timedelta(days=2)).date()
    words = ["backtest", "main", "--from", str(last - timedelta(days=3)), "--to", str(last), "--recipe", "operator"]
    ended = with_home(*words, "--recipe", "seasonal_naive")
    assert ended.code == 0, ended.err
    assert "operator is left out. A forecast by anybody else of home.main.power" in ended.err
    assert "is left out" not in ended.out
    alone = with_home(*words)
    assert alone.code == 6
    assert "watthour backfill" in alone.err


def test_a_site_that_cannot_be_trained_does_not_stop_the_others(
    with_home: Callable[..., Outcome], tmp_path: Path
) -> None:
    days = table(tmp_path / "days.csv", timedelta(days=1), lambda n: 10.0 + n % 7)
    words = ["--channel", "home.daily.energy", "--unit", "kWh", "--time-zone", "UTC"]
    assert with_home("import", str(days), *words).code == 0
    ended = with_home("train", "daily", "main", "--recipe", "day_process", "--json")
    assert ended.code == 2
    assert "resolution" in ended.err
    assert [each["region"] for each in json.loads(ended.out)] == ["main"]


def test_a_home_of_a_day_is_forecast_beside_homes_that_were_imported_before(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    """It was forecast as its last day again, with a band that covered half of what came."""

    def value(n: int) -> float:
        return 0.4 + math.exp(-0.5 * ((n % 24 - 19) / 2) ** 2) + 0.1 * math.sin(n * 1.7)

    for number, days in enumerate((DAYS, DAYS, 1)):
        rows = table(tmp_path / f"{number}.csv", timedelta(hours=1), lambda n, size=1 + number: size * value(n))  # type: ignore[misc]  # bound now
        kept = rows.read_text().splitlines()
        rows.write_text("\n".join([kept[0], *kept[-24 * days :]]) + "\n")
        words = ["--channel", f"home.house{number}.power", "--unit", "kW", "--time-zone", "UTC"]
        assert watthour("import", str(rows), *words).code == 0
    ended = watthour("forecast", "house2", "--json")
    assert ended.code == 0, ended.err
    page = json.loads(ended.out)
    assert page["model_version"] == "similar_series"
    assert "This rests on 24 hours of its own past and on 2 similar series: " in page["missing_inputs"][0]
    assert max(page["points"], key=lambda point: point["value"])["time"][11:13] in {"18", "19", "20"}
    assert "Similar series answers" in watthour("forecast", "house2").err
