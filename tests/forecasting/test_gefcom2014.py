"""The published comparison on its first weeks; the whole of it is benchmarks/gefcom2014.py."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("gefcom2014")


@pytest.fixture(scope="module")
def task(benchmark: Any, shared_data: Path) -> Any:  # noqa: ANN401 - a script's own types
    return benchmark.task(shared_data / benchmark.FILE, datetime(2015, 1, 1, tzinfo=UTC))


def test_the_seasonal_naive_has_its_published_figures(benchmark: Any, task: Any) -> None:  # noqa: ANN401 - as above
    naive = benchmark.score("seasonal_naive", task, benchmark.seasonal_naive(task))
    assert naive["mase"] == pytest.approx(1.19885, abs=5e-6)
    assert naive["wape"] == pytest.approx(0.05869, abs=5e-6)
    assert 1.07 < naive["sql"] < 1.10


def test_the_first_weeks_are_forecast_better_than_the_best_published(benchmark: Any, task: Any) -> None:  # noqa: ANN401 - as above
    weeks = replace(task, starts=task.starts[:3])
    figures = benchmark.score("ours", weeks, benchmark.ours(weeks, {}))
    assert figures["sql"] < 0.30
    assert figures["mase"] < 0.37
    assert figures["wape"] < 0.018


def test_a_planted_fall_of_the_load_is_followed_within_a_week(benchmark: Any, shared_data: Path) -> None:  # noqa: ANN401 - as above
    planted_shift = importlib.import_module("planted_shift")
    found = planted_shift.measure(shared_data / benchmark.FILE, datetime(2012, 1, 1, tzinfo=UTC), -0.08)
    (unchanged, _), (stepped, covered) = found["unchanged"], found["step"]
    assert stepped[0] > 3 * unchanged[0]
    assert stepped[7:].mean() < 1.2 * unchanged[7:].mean()
    assert covered.mean() >= 0.87
