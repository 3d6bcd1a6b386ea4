from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watthour.core import metrics
from watthour.core.frames import LEVELS

ACTUAL = [10.0, 20.0, 30.0, 40.0]
PREDICTED = [12.0, 18.0, 33.0, 40.0]


def test_errors_by_hand() -> None:
    assert metrics.mae(ACTUAL, PREDICTED) == pytest.approx(7 / 4)
    assert metrics.rmse(ACTUAL, PREDICTED) == pytest.approx(math.sqrt(17 / 4))
    assert metrics.bias(ACTUAL, PREDICTED) == pytest.approx(3 / 4)
    assert metrics.mape(ACTUAL, PREDICTED) == pytest.approx(100 * (0.2 + 0.1 + 0.1 + 0) / 4)
    assert metrics.wape(ACTUAL, PREDICTED) == pytest.approx(7 / 100)


def test_a_zero_actual_has_no_percentage() -> None:
    assert metrics.mape([0.0, 10.0], [5.0, 11.0]) == pytest.approx(10)


def test_missing_pairs_are_ignored_and_counted() -> None:
    actual: list[float | None] = [10.0, None, 30.0, 40.0]
    predicted = [12.0, 18.0, math.nan, 40.0]
    assert metrics.mae(actual, predicted) == pytest.approx(1)
    assert metrics.n_ignored(actual, predicted) == 2
    assert metrics.n_ignored(ACTUAL, PREDICTED) == 0


def test_a_score_of_nothing_is_not_a_number() -> None:
    for score in (metrics.mae, metrics.rmse, metrics.bias, metrics.mape, metrics.wape):
        assert math.isnan(score([None], [1.0]))


def test_mase_of_the_textbook() -> None:
    """Hyndman and Koehler: a forecast as good as the in-sample naive one scores one."""
    history = [1.0, 3.0, 2.0, 5.0]
    scale = metrics.seasonal_error(history, 1)
    assert scale == pytest.approx((2 + 1 + 3) / 3)
    assert metrics.mase([5.0, 5.0], [7.0, 7.0], scale) == pytest.approx(1)
    assert math.isnan(metrics.seasonal_error([1.0], 24))


def test_pinball_weighs_the_two_sides_by_the_level() -> None:
    assert metrics.pinball([10.0], [8.0], 0.9) == pytest.approx(1.8)
    assert metrics.pinball([10.0], [12.0], 0.9) == pytest.approx(0.2)
    assert metrics.pinball(ACTUAL, PREDICTED, 0.5) == pytest.approx(metrics.mae(ACTUAL, PREDICTED) / 2)


def test_scaled_quantile_loss_of_a_point_forecast_is_its_mase() -> None:
    """With every quantile equal to the point, twice the mean pinball over symmetric levels is the absolute error."""
    levels = [0.1, 0.3, 0.5, 0.7, 0.9]
    quantiles = np.repeat(np.array(PREDICTED)[:, None], len(levels), axis=1)
    assert metrics.sql(ACTUAL, quantiles, levels, 2.0) == pytest.approx(metrics.mase(ACTUAL, PREDICTED, 2.0))


def test_crps_of_the_standard_normal_at_its_centre() -> None:
    """Gneiting and Raftery (2007), equation 21: crps(N(0, 1), 0) = 2 phi(0) - 1/sqrt(pi) = 0.23369."""
    levels = [(k + 0.5) / 400 for k in range(400)]
    quantiles = [[NormalDist().inv_cdf(level) for level in levels]]
    assert metrics.crps([0.0], quantiles, levels) == pytest.approx(
        2 / math.sqrt(2 * math.pi) - 1 / math.sqrt(math.pi), rel=1e-3
    )


def test_crps_of_a_point_forecast_is_its_absolute_error() -> None:
    assert metrics.crps([10.0], [[7.0] * len(LEVELS)], LEVELS) == pytest.approx(3, rel=0.02)


def test_coverage_includes_both_ends() -> None:
    assert metrics.coverage([1.0, 2.0, 3.0, 9.0], [1.0, 0.0, 0.0, 0.0], [5.0, 2.0, 1.0, None]) == pytest.approx(2 / 3)


def test_winkler_charges_width_and_misses() -> None:
    """Gneiting and Raftery (2007), equation 43, alpha = 0.1: width 4, and 2/0.1 times the distance of 1 outside."""
    assert metrics.winkler([5.0], [2.0], [6.0], 0.9) == pytest.approx(4)
    assert metrics.winkler([7.0], [2.0], [6.0], 0.9) == pytest.approx(4 + 20)


def test_skill_is_the_share_of_the_rivals_loss_saved() -> None:
    assert metrics.skill(3.0, 4.0) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("t", "degrees", "probability"),
    [(1.812461, 10, 0.95), (-2.228139, 10, 0.025), (0.0, 3, 0.5), (6.313752, 1, 0.95), (1.650971, 250, 0.95)],
)
def test_student_t_as_tabulated(t: float, degrees: int, probability: float) -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2."""
    assert metrics.student_t_cdf(t, degrees) == pytest.approx(probability, abs=2e-5)


def test_diebold_mariano_of_one_step_is_the_corrected_paired_t_test() -> None:
    """With horizon 1 the correction turns the variance over n into one over n - 1: the paired t test."""
    a, b = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 2.5, 3.0, 6.0, 7.0])
    difference = a - b
    t = difference.mean() / (difference.std(ddof=1) / math.sqrt(5))
    statistic, p_value = metrics.diebold_mariano(a, b)
    assert statistic == pytest.approx(t)
    assert p_value == pytest.approx(metrics.student_t_cdf(t, 4))
    assert p_value < 0.05


def test_diebold_mariano_knows_which_side_is_better() -> None:
    rng = np.random.default_rng(3)
    good, bad = np.abs(rng.normal(0, 1.0, 300)), np.abs(rng.normal(0, 1.5, 300))
    assert metrics.diebold_mariano(good, bad, horizon=2)[1] < 0.01
    assert metrics.diebold_mariano(bad, good, horizon=2)[1] > 0.99


def test_equal_losses_are_no_evidence() -> None:
    assert metrics.diebold_mariano([1.0, 2.0], [1.0, 2.0]) == (0.0, 0.5)


def test_a_constant_gain_is_certain() -> None:
    assert metrics.diebold_mariano([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]) == (-math.inf, 0.0)


def test_one_pair_proves_nothing() -> None:
    assert all(math.isnan(value) for value in metrics.diebold_mariano([1.0], [2.0]))


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=3, max_size=40))
@settings(deadline=None)  # other work on the machine is no failure of ours
def test_swapping_the_rivals_turns_the_test_round(pairs: list[tuple[float, float]]) -> None:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    one, other = metrics.diebold_mariano(a, b), metrics.diebold_mariano(b, a)
    assert one[0] == pytest.approx(-other[0], nan_ok=True)
    assert one[1] + other[1] == pytest.approx(1, nan_ok=True)
