"""Strange files on the command line: `watthour import` and `watthour train` answer, or say what helps, and it does."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from watthour.cli.context import opened
from watthour.core.ports import RunState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

HOUR = timedelta(hours=1)
DAYS = 115
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def load(n: int) -> float:
    return 900 + 200 * math.sin(n / 24 * 2 * math.pi) + random.Random(n).gauss(0, 10)  # noqa: S311 - noise of a test


def price(n: int) -> float:
    return 3000.0 if n == DAYS * 24 - 60 else load(n) - 900


def lines(value: Callable[[int], float], days: int = DAYS, step: timedelta = HOUR) -> list[str]:
    start = END - timedelta(days=days)
    return [f"{start + n * step:%Y-%m-%dT%H:%MZ},{value(n):.3f}" for n in range(timedelta(days=days) // step)]


def imported(watthour: Callable[..., Outcome], folder: Path, rows: list[str]) -> Outcome:
    path = folder / "meter.csv"
    path.write_text("\n".join(["time,load (MW)", *rows]) + "\n", encoding="utf-8")
    return watthour("import", str(path), "--yes", "--site", "town", "--time-zone", "UTC", "--unit", "MW", "--json")


@pytest.mark.parametrize(
    ("value", "problem"),
    [(lambda _: 0.0, "100% of its readings are zero or negative"), (price, "% of its readings are zero or negative")],
    ids=["zeros", "prices with a spike"],
)
def test_what_has_no_logarithm_is_refused_by_name_and_another_model_learns_it(
    watthour: Callable[..., Outcome], tmp_path: Path, value: Callable[[int], float], problem: str
) -> None:
    assert imported(watthour, tmp_path, lines(value)).code == 0
    refused = watthour("train", "town", "--recipe", "day_process")
    assert refused.code == 2
    assert problem in refused.err
    assert "Choose another model than day_process: combination, day_regression, gradient_boosting" in refused.err
    last = (END - timedelta(days=3)).date().isoformat()
    tried = watthour("backtest", "town", "--from", last, "--to", last, "--json")  # the settings' recipe refuses
    assert tried.code == 0, tried.err
    found = json.loads(tried.out)
    assert [(row["recipe"], row["mape_percent"]) for row in found["rows"]] == [("seasonal_naive", None)]
    assert found["notes"][0].startswith("day_process is left out.")
    assert found["notes"][0].endswith("forecasts logarithms.")
    trained = watthour("train", "town", "--past-days", "0")  # as `watthour up` does
    assert trained.code == 0, trained.err
    assert "combination is trained instead" in trained.err
    with opened() as app:  # the kind that was named has failed, the usual one was not wanted
        runs = [run.state for run in app.store.runs(limit=50) if run.source.startswith("train:")]
    assert runs == [RunState.OK, RunState.FAILED]
    points = json.loads(watthour("forecast", "town", "--json").out)["points"]
    assert all(abs(point["value"]) < 300 for point in points)
    assert all(point["upper"] - point["lower"] < 300 for point in points)
    for table in (trained.out, watthour("scores", "town").out, watthour("scores", "town", "--by", "day").out):
        head, *rows = [line.split("\t") for line in table.splitlines() if "\t" in line]
        assert rows or problem.startswith("100%")  # zeros for months are doubted, and not scored
        assert {row[head.index("MAPE [%]")] for row in rows} <= {"-"}
    (kept,) = json.loads(watthour("models", "list", "--json").out)
    assert "mape_percent" not in kept["metrics"]


def test_one_value_and_three_days_say_how_much_is_needed(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    assert imported(watthour, tmp_path, lines(load, 3)).code == 0
    few = watthour("train", "town")
    assert few.code == 6
    assert "60 and 14 are needed. Add more readings with `watthour import`" in few.err
    points = json.loads(watthour("forecast", "town", "--json").out)["points"]
    assert all(abs(point["value"] - 900) < 300 for point in points)
    assert imported(watthour, tmp_path, lines(lambda _: 5.0)).code == 0
    assert watthour("train", "town", "--recipe", "persistence_ensemble").code == 0
    assert {round(p["value"], 3) for p in json.loads(watthour("forecast", "town", "--json").out)["points"]} == {5.0}


def test_a_time_that_stands_twice_is_kept_once_and_counted(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    rows = lines(load, 40)
    twice = imported(watthour, tmp_path, rows + lines(lambda n: 2 * load(n), 40))
    assert twice.code == 0, twice.err
    (report,) = json.loads(twice.out)
    assert (report["new_rows"], report["refused_rows"]) == (len(rows), len(rows))
    points = json.loads(watthour("forecast", "town", "--json").out)["points"]
    assert all(abs(point["value"] - 900) < 300 for point in points)


@pytest.mark.parametrize(
    ("step", "value", "cure"),
    [(timedelta(minutes=7), "7 minutes", "15 minutes"), (timedelta(days=7), "7 days", "notebook")],
)
def test_a_step_that_a_day_is_not_made_of_is_refused(
    watthour: Callable[..., Outcome], tmp_path: Path, step: timedelta, value: str, cure: str
) -> None:
    refused = imported(watthour, tmp_path, lines(load, 70, step))
    assert refused.code == 2
    assert f"step = '{value}'" in refused.err
    assert cure in refused.err
    assert imported(watthour, tmp_path, lines(load, 70, timedelta(minutes=15))).code == 0
