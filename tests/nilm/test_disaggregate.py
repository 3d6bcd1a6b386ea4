"""From windows to a house: averages, limits, states, and what is left."""

from __future__ import annotations

import numpy as np
import pytest

from watthour.core.errors import InvalidInput
from watthour.nilm.disaggregate import Answer, Blend, answer, taper, window_starts

APPLIANCES = ("kettle", "fridge")


def told(mains: list[float], *power: tuple[float, float], segments: list[slice] | None = None) -> Answer:
    powers = np.array(power, dtype=np.float32)
    line = np.array(mains, dtype=np.float32)
    return answer(line, segments or [slice(0, len(line))], powers, np.full_like(powers, 0.5), APPLIANCES, 60)


def test_windows_that_agree_are_averaged_to_what_they_say() -> None:
    truth = np.random.default_rng(0).uniform(0, 100, (50, 2)).astype(np.float32)
    starts = window_starts([slice(0, 50)], 16, 5)
    blend = Blend(50, 16, 2)
    blend.add(starts, np.stack([truth[start : start + 16] for start in starts]))
    assert blend.mean() == pytest.approx(truth, abs=1e-3)


def test_a_step_counts_most_in_the_middle_of_its_window() -> None:
    blend = Blend(6, 4, 1)
    blend.add(np.array([0, 2]), np.array([[[10.0]] * 4, [[20.0]] * 4], dtype=np.float32))
    weight = taper(4)
    expected = (10 * weight[2] + 20 * weight[0]) / (weight[2] + weight[0])
    assert blend.mean()[:, 0].tolist() == pytest.approx([10, 10, expected, 30 - expected, 20, 20])
    assert 10 < expected < 15
    assert (taper(9) > 0).all()
    assert taper(9).tolist() == pytest.approx(taper(9)[::-1].tolist())


def test_windows_cover_each_stretch_to_its_end_and_cross_no_gap() -> None:
    segments = [slice(0, 10), slice(10, 13), slice(13, 17)]
    starts = window_starts(segments, 4, 3)
    assert starts.tolist() == [0, 3, 6, 13]
    blend = Blend(17, 4, 1)
    blend.add(starts, np.ones((4, 4, 1), dtype=np.float32))
    assert np.isnan(blend.mean()[:, 0]).tolist() == [10 <= step < 13 for step in range(17)]
    assert window_starts([slice(0, 9)], 4, 3).tolist() == [0, 3, 5]
    assert window_starts([slice(0, 4)], 4, 3).tolist() == [0]
    assert window_starts([], 4, 3).tolist() == []
    assert window_starts([slice(0, 9), slice(10, 20)], 4, 3, begins=[4, 20]).tolist() == [0, 2, 5, 10, 11, 14, 16]
    assert window_starts([slice(0, 9)], 4, 3, begins=[6], has_end=False).tolist() == [0, 3]


def test_where_no_window_fits_nothing_is_told() -> None:
    found = told([100, 100, 100], (np.nan, np.nan), (50, 10), (50, 10))
    assert found.is_told.tolist() == [False, True, True]
    assert np.isnan(found.power[0]).all()
    assert np.isnan(found.other[0])
    assert not found.is_on[0].any()


def test_a_power_is_between_zero_and_the_mains() -> None:
    found = told([2000, 100], (-5, 3000), (150, 0))
    assert found.power.tolist() == [[0, 2000], [100, 0]]
    assert found.other.tolist() == [0, 0]


def test_what_is_left_is_other_and_is_not_shared_out() -> None:
    found = told([500], (100, 50))
    assert found.power.tolist() == [[100, 50]]
    assert found.other.tolist() == [350]


def test_appliances_that_exceed_the_mains_are_all_scaled_by_the_same() -> None:
    found = told([1000], (900, 600))
    assert found.power[0].tolist() == pytest.approx([600, 400])
    assert found.other.tolist() == [0]


def test_powers_and_other_sum_up_to_the_mains_whatever_is_told() -> None:
    rng = np.random.default_rng(3)
    mains = rng.uniform(0, 3000, 2000).astype(np.float32)
    mains[::50] = 0
    power = rng.uniform(-500, 3000, (2000, 2)).astype(np.float32)
    found = answer(mains, [slice(0, 2000)], power, np.zeros_like(power), APPLIANCES, 60)
    assert found.power.sum(axis=1) + found.other == pytest.approx(mains, abs=1e-3)
    assert (found.power >= 0).all()
    assert (found.other >= 0).all()


def test_states_are_by_the_rule_and_cross_no_gap() -> None:
    washing = np.array([[0.0], *[[100.0]] * 40, [0.0]], dtype=np.float32)
    mains = np.full(42, 200, dtype=np.float32)
    for segments, is_on in (([slice(0, 42)], True), ([slice(0, 20), slice(20, 42)], False)):
        found = answer(mains, segments, washing, (washing / 100).astype(np.float32), ["washing machine"], 60)
        assert found.is_on[1:41].all() == is_on
        assert found.is_on.any() == is_on
    assert found.appliances == ("washing_machine",)
    assert found.probability.max() == 1


def test_shapes_that_do_not_fit_are_refused() -> None:
    blend = Blend(10, 4, 2)
    with pytest.raises(InvalidInput, match="told"):
        blend.add(np.array([0]), np.zeros((1, 5, 2), dtype=np.float32))
    with pytest.raises(InvalidInput, match="starts = 7"):
        blend.add(np.array([7]), np.zeros((1, 4, 2), dtype=np.float32))
    with pytest.raises(InvalidInput, match="power"):
        answer(np.zeros(3, np.float32), [], np.zeros((2, 2), np.float32), np.zeros((3, 2), np.float32), APPLIANCES, 60)
