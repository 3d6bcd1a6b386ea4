"""When a run is best: its places, its differences, and how sure they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watthour.core.errors import InvalidInput
from watthour.core.window import HOUR
from watthour.workflows.best_window import Course, best_window

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
FLAT = [300.0] * 24


def course(values: list[float], paths: np.ndarray | None = None) -> Course:
    times = [MIDNIGHT + n * HOUR for n in range(len(values))]
    return Course(times, HOUR, np.array(values), paths)


def test_a_run_is_placed_where_its_mean_is_least_and_ends_by_the_deadline() -> None:
    values = [*FLAT[:10], 100.0, 120.0, 110.0, *FLAT[:11]]

    found = best_window(course(values), 3 * HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 24 * HOUR)

    assert found.best.start == MIDNIGHT + 10 * HOUR
    assert found.best.mean == pytest.approx(110.0)
    assert found.at_once is not None
    assert found.at_once.mean == 300.0
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(190.0)
    early = best_window(course(values), 3 * HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 12 * HOUR)
    assert early.best.end == MIDNIGHT + 12 * HOUR


def test_a_run_that_is_no_whole_number_of_steps_may_end_with_one() -> None:
    values = [300.0, 300.0, 200.0, 100.0, 300.0]

    found = best_window(course(values), timedelta(minutes=90), earliest=MIDNIGHT, deadline=MIDNIGHT + 5 * HOUR)

    assert found.best.start == MIDNIGHT + timedelta(hours=2, minutes=30)
    assert found.best.mean == pytest.approx((0.5 * 200 + 100) / 1.5)


def test_a_run_never_lies_in_hours_that_are_not_forecast() -> None:
    values = [300.0, 250.0, float("nan"), 10.0, 280.0]

    found = best_window(course(values), 2 * HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 5 * HOUR)

    assert found.best.start == MIDNIGHT + 3 * HOUR
    gone = course([float("nan")] * 5)
    with pytest.raises(InvalidInput, match="hours that are forecast"):
        best_window(gone, 2 * HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 5 * HOUR)


def test_the_runner_up_does_not_overlap_the_best() -> None:
    values = [300.0, 100.0, 100.0, 290.0, 150.0, 150.0]

    found = best_window(course(values), 2 * HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 6 * HOUR)

    assert found.runner_up is not None
    assert (found.best.start, found.runner_up.start) == (MIDNIGHT + HOUR, MIDNIGHT + 4 * HOUR)
    assert found.ahead_of_runner_up is not None
    assert found.ahead_of_runner_up.expected == pytest.approx(50.0)


def test_a_deadline_that_is_too_early_is_refused_and_its_cure_helps() -> None:
    values, wish = FLAT, {"earliest": MIDNIGHT + 5 * HOUR}
    with pytest.raises(InvalidInput, match="does not end before the deadline") as refused:
        best_window(course(values), 3 * HOUR, **wish, deadline=MIDNIGHT + 7 * HOUR)
    assert refused.value.remedy.startswith("Give a later deadline")
    assert best_window(course(values), 3 * HOUR, **wish, deadline=MIDNIGHT + 8 * HOUR).best.start == wish["earliest"]


@pytest.mark.parametrize(
    ("moved", "certainty"),
    [(60.0, "sure"), (12.0, "likely"), (2.0, "unsure")],
)
def test_how_sure_a_difference_is_follows_the_joint_paths(moved: float, certainty: str) -> None:
    rng = np.random.default_rng(1)
    low = rng.normal(200.0, 20.0, 400)
    now = low + rng.normal(moved, 20.0, 400)
    paths = np.stack([now, low], axis=1)

    found = best_window(course(list(paths.mean(axis=0)), paths), HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 2 * HOUR)

    assert found.certainty == certainty
    assert found.saving is not None
    assert found.saving.probability == pytest.approx((now > low).mean())
    assert found.saving.lower is not None
    assert found.saving.upper is not None
    assert found.saving.lower < found.saving.expected < found.saving.upper


def test_hours_that_go_together_make_a_small_difference_sure() -> None:
    level = np.random.default_rng(1).normal(0.0, 50.0, 200)
    together = np.stack([300.0 + level, 290.0 + level], axis=1)
    apart = np.stack([300.0 + level, 290.0 - level], axis=1)
    wish = {"earliest": MIDNIGHT, "deadline": MIDNIGHT + 2 * HOUR}

    assert best_window(course([300.0, 290.0], together), HOUR, **wish).certainty == "sure"
    assert best_window(course([300.0, 290.0], apart), HOUR, **wish).certainty == "unsure"


def test_without_joint_paths_nothing_is_said_of_how_sure_it_is() -> None:
    found = best_window(course([300.0, 200.0]), HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 2 * HOUR)

    assert found.certainty == "unknown"
    assert found.saving is not None
    assert (found.saving.lower, found.saving.probability) == (None, None)


def test_where_nothing_later_is_cleaner_the_run_begins_at_once() -> None:
    found = best_window(course([100.0, 200.0]), HOUR, earliest=MIDNIGHT, deadline=MIDNIGHT + 2 * HOUR)
    assert (found.certainty, found.saving) == ("now", None)


@given(
    st.lists(st.floats(0, 1000), min_size=4, max_size=30),
    st.integers(1, 180),
    st.integers(0, 59),
)
def test_no_start_to_the_minute_is_better(values: list[float], minutes: int, first: int) -> None:
    earliest, duration = MIDNIGHT + timedelta(minutes=first), timedelta(minutes=minutes)
    here = course(values)

    found = best_window(here, duration, earliest=earliest, deadline=here.end)

    room = (here.end - duration - earliest) // timedelta(minutes=1)
    means = [here.mean(earliest + timedelta(minutes=n), duration) for n in range(0, room + 1, 7)]
    assert found.best.mean <= min(means) + 1e-9
