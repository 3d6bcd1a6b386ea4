from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watthour.core.frames import LEVELS
from watthour.forecasting.calibrate import Spread, between_levels, sorted_quantiles, wider
from watthour.forecasting.vintages import HOUR_US

START = int(datetime(2022, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
TIMES = START + HOUR_US * np.arange(24 * 700)


def test_quantiles_of_unseen_errors_cover_what_they_say() -> None:
    rng = np.random.default_rng(5)
    hour = np.arange(len(TIMES)) % 24
    errors = rng.normal(0, 1 + 0.1 * hour)
    spread = Spread.learn(errors[::2], TIMES[::2], "UTC", LEVELS)
    quantiles = spread.at(TIMES[1::2], "UTC")
    unseen = errors[1::2]
    share = (unseen[:, None] <= quantiles).mean(axis=0)
    assert share == pytest.approx(np.array(LEVELS), abs=0.02)


def test_hours_and_seasons_have_widths_of_their_own() -> None:
    rng = np.random.default_rng(5)
    month = ((TIMES - START) // (30 * 24 * HOUR_US)) % 12
    summer = (month > 4) & (month < 8)
    noon = np.abs(np.arange(len(TIMES)) % 24 - 12) < 3
    spread = Spread.learn(rng.normal(0, np.where(summer & noon, 5.0, 1.0)), TIMES, "UTC", [0.05, 0.95])
    width = spread.table[:, :, 1] - spread.table[:, :, 0]
    assert width[12, 6] > 2.5 * width[0, 6]
    assert width[12, 6] > 2.5 * width[12, 0]


def test_few_errors_give_one_width_for_all() -> None:
    spread = Spread.learn(np.array([-1.0, 0.0, 1.0]), TIMES[:3], "UTC", [0.05, 0.5, 0.95])
    assert spread.table[:, :, 1] == pytest.approx(0)
    assert (spread.table == spread.table[0, 0]).all()


def test_unknown_errors_teach_nothing() -> None:
    errors = np.where(np.arange(len(TIMES)) % 3 == 0, np.nan, 1.0)
    assert Spread.learn(errors, TIMES, "UTC", [0.5]).table == pytest.approx(1)


def test_a_spread_survives_json() -> None:
    spread = Spread.learn(np.random.default_rng(1).normal(size=500), TIMES[:500], "UTC", LEVELS)
    again = Spread.from_json(spread.as_json())
    assert again.levels == LEVELS
    assert again.n_errors == 500
    assert again.table == pytest.approx(spread.table, abs=1e-7)


@given(arrays(np.float64, (6, 3), elements=st.floats(-1e6, 1e6)))
@settings(deadline=None)  # other work on the machine is no failure of ours
def test_quantiles_never_cross(rows: np.ndarray) -> None:
    ordered = between_levels(sorted_quantiles(rows), [0.05, 0.5, 0.95], LEVELS)
    assert (np.diff(ordered, axis=1) >= -1e-9 * np.abs(rows).max()).all()


def test_levels_between_lie_on_the_normal_curve() -> None:
    """The 5 %, 50 % and 95 % points of N(0, 1) give back its other quantiles: 1.2816 at 90 %, -0.8416 at 20 %."""
    found = between_levels(np.array([[-1.6448536, 0.0, 1.6448536]]), [0.05, 0.5, 0.95], LEVELS)[0]
    assert found[LEVELS.index(0.9)] == pytest.approx(1.2815516, abs=1e-6)
    assert found[LEVELS.index(0.2)] == pytest.approx(-0.8416212, abs=1e-6)


def test_wider_takes_the_outer_of_two() -> None:
    outer = wider(np.array([[-1.0, 0.0, 1.0]]), np.array([[-0.5, 0.1, 3.0]]), [0.05, 0.5, 0.95])
    assert outer.tolist() == [[-1.0, 0.1, 3.0]]
