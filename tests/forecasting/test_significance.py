from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watthour.forecasting.significance import diebold_mariano, student_t_cdf


@pytest.mark.parametrize(
    ("t", "degrees", "probability"),
    [(1.812461, 10, 0.95), (-2.228139, 10, 0.025), (0.0, 3, 0.5), (6.313752, 1, 0.95), (1.650971, 250, 0.95)],
)
def test_student_t_as_tabulated(t: float, degrees: int, probability: float) -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2."""
    assert student_t_cdf(t, degrees) == pytest.approx(probability, abs=2e-5)


def test_diebold_mariano_of_one_step_is_the_corrected_paired_t_test() -> None:
    """With horizon 1 the correction turns the variance over n into one over n - 1: the paired t test."""
    a, b = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 2.5, 3.0, 6.0, 7.0])
    difference = a - b
    t = difference.mean() / (difference.std(ddof=1) / math.sqrt(5))
    statistic, p_value = diebold_mariano(a, b)
    assert statistic == pytest.approx(t)
    assert p_value == pytest.approx(student_t_cdf(t, 4))
    assert p_value < 0.05


def test_diebold_mariano_knows_which_side_is_better() -> None:
    rng = np.random.default_rng(3)
    good, bad = np.abs(rng.normal(0, 1.0, 300)), np.abs(rng.normal(0, 1.5, 300))
    assert diebold_mariano(good, bad, horizon=2)[1] < 0.01
    assert diebold_mariano(bad, good, horizon=2)[1] > 0.99


def test_equal_losses_are_no_evidence() -> None:
    assert diebold_mariano([1.0, 2.0], [1.0, 2.0]) == (0.0, 0.5)


def test_a_constant_gain_is_certain() -> None:
    assert diebold_mariano([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]) == (-math.inf, 0.0)


def test_one_pair_proves_nothing() -> None:
    assert all(math.isnan(value) for value in diebold_mariano([1.0], [2.0]))


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=3, max_size=40))
@settings(deadline=None)  # other work on the machine is no failure of ours
def test_swapping_the_rivals_turns_the_test_round(pairs: list[tuple[float, float]]) -> None:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    one, other = diebold_mariano(a, b), diebold_mariano(b, a)
    assert one[0] == pytest.approx(-other[0], nan_ok=True)
    assert one[1] + other[1] == pytest.approx(1, nan_ok=True)
