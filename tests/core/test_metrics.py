from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

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


@pytest.mark.parametrize("low", [0.0, -3.0, 0.2])
def test_errors_in_per_cent_are_no_score_of_what_comes_near_zero_or_below(low: float) -> None:
    actual = [low, low, *[30.0] * 18]
    assert math.isnan(metrics.scores(actual, [9.0] * 20, unit="MW")["mape_percent"])
    assert "mape_percent" not in metrics.known(metrics.scores(actual, [9.0] * 20, unit="MW"))
    shifted = [value + 20 for value in actual]
    assert metrics.scores(shifted, [9.0] * 20, unit="MW")["mape_percent"] == metrics.mape(shifted, [9.0] * 20)


@pytest.mark.parametrize(
    ("values", "has"),
    [
        ([90.0, 100.0, None, 110.0], True),
        ([-90.0, -100.0, -110.0], False),
        ([20.0, -20.0, 20.0, -20.0], False),
        ([0.01, 100.0, 120.0, 110.0], False),
        ([0.0, 0.0], False),
        ([None, math.nan], False),
    ],
)
def test_values_near_zero_or_below_have_no_errors_in_per_cent(values: list[float | None], *, has: bool) -> None:
    assert metrics.has_percent(values) is has


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


def test_scores_carry_the_public_names() -> None:
    quantiles = np.column_stack([np.array(PREDICTED) - 2, PREDICTED, np.array(PREDICTED) + 2])
    found = metrics.scores(
        ACTUAL,
        PREDICTED,
        quantiles[:, 0],
        quantiles[:, 2],
        unit="MWh",
        quantiles=quantiles,
        levels=(0.05, 0.5, 0.95),
        reference=[10.0, 20.0, 30.0, 54.0],
    )
    assert found["n"] == 4
    assert found["mae"] == found["mae_mwh"] == metrics.mae(ACTUAL, PREDICTED)
    assert found["rmse"] == found["rmse_mwh"] == metrics.rmse(ACTUAL, PREDICTED)
    assert found["bias"] == found["bias_mwh"] == metrics.bias(ACTUAL, PREDICTED)
    assert found["mape_percent"] == metrics.mape(ACTUAL, PREDICTED)
    assert found["coverage90_percent"] == 75
    assert found["winkler90"] == pytest.approx(4 + 20 / 4)
    assert found["pinball"] == metrics.mean_pinball(ACTUAL, quantiles, (0.05, 0.5, 0.95))
    assert found["skill_percent"] == pytest.approx(50)


def test_scores_leave_out_what_was_not_given_and_mwh_of_other_units() -> None:
    assert list(metrics.scores(ACTUAL, PREDICTED, unit="kW")) == ["n", "mae", "mape_percent", "rmse", "bias"]


def test_skill_is_measured_on_the_rows_both_have() -> None:
    found = metrics.scores([10.0, 20.0, None], [12.0, 90.0, 5.0], unit="kW", reference=[14.0, None, 5.0])
    assert found["n"] == 2
    assert found["skill_percent"] == pytest.approx(50)
