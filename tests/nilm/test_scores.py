"""Scores of told appliances, on examples that are reckoned by hand."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest

from watthour.core.errors import InvalidInput
from watthour.nilm.houses import checked_house
from watthour.nilm.scores import Scores, average, house_scores, score

# y: 0 0 100 300, p: 0 50 100 200. Errors 0 50 0 100; on from 100 W: truth in the last two, answer in these as well.
TRUTH, ANSWER = np.array([0.0, 0, 100, 300]), np.array([0.0, 50, 100, 200])


def scored(truth: np.ndarray = TRUTH, answer: np.ndarray = ANSWER, mean_w: float | None = None) -> Scores:
    return score(truth, answer, truth >= 100, answer >= 100, training_mean_w=mean_w)


def test_the_errors_of_power() -> None:
    found = scored()
    assert found.n == 4
    assert found.mae_w == 150 / 4
    assert found.mae_on_w == 100 / 2
    assert found.sae == 50 / 400
    assert found.nde == (50**2 + 100**2) / (100**2 + 300**2)
    assert found.teca == 1 - 150 / (2 * 400)
    assert found.mr == (100 + 200) / (50 + 100 + 300)


def test_the_scores_of_states() -> None:
    truth_on = np.array([1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    answer_on = np.array([1, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
    power = np.ones(8)
    found = score(power, power, truth_on, answer_on)
    assert found.f1 == 2 * 2 / (2 * 2 + 1 + 1)
    assert found.mcc == pytest.approx((2 * 4 - 1 * 1) / math.sqrt(3 * 3 * 5 * 5))


def test_skill_is_against_always_off_and_against_the_mean_of_training() -> None:
    found = scored(mean_w=200)
    assert found.skill_always_off == 1 - 37.5 / 100
    assert found.skill_mean == 1 - 37.5 / ((200 + 200 + 100 + 100) / 4)
    assert scored().skill_mean is None


def test_a_perfect_answer_and_always_off() -> None:
    best, off = scored(answer=TRUTH), scored(answer=np.zeros(4))
    assert (best.mae_w, best.sae, best.nde, best.teca, best.mr, best.f1, best.mcc) == (0, 0, 0, 1, 1, 1, 1)
    assert (off.sae, off.nde, off.teca, off.mr, off.f1, off.mcc) == (1, 1, 0.5, 0, 0, None)
    assert off.skill_always_off == 0


def test_what_was_not_metered_counts_for_nothing_and_what_was_not_answered_is_counted() -> None:
    truth = np.array([np.nan, 0, 0, 100, 300, 50, np.nan])
    answer = np.array([900, 0, 50, 100, 200, np.nan, np.nan])
    found = scored(truth, answer)
    assert found == Scores(**{**asdict(scored()), "n_unanswered": 1})


def test_what_is_not_defined_is_none_and_never_zero() -> None:
    never = scored(np.zeros(3), np.zeros(3))
    assert (never.mae_w, never.mae_on_w, never.sae, never.nde, never.teca) == (0, None, None, None, None)
    assert (never.mr, never.f1, never.mcc, never.skill_always_off) == (None, None, None, None)
    nothing = scored(np.array([np.nan]), np.array([1.0]), mean_w=1)
    assert nothing.n == 0
    assert all(value is None for name, value in asdict(nothing).items() if name not in ("n", "n_unanswered"))
    wrong = scored(np.zeros(3), np.array([0.0, 0, 500]))
    assert (wrong.f1, wrong.mr) == (0, 0)  # it said on where nothing was: that is defined, and bad


def test_both_need_the_same_steps() -> None:
    with pytest.raises(InvalidInput, match="answer = "):
        score(TRUTH, ANSWER[:3], TRUTH > 0, ANSWER > 0)


def test_the_states_of_an_answer_are_by_the_rule_of_the_truth_and_cross_no_gap() -> None:
    time = np.array([0, 60, 120, 1200, 1260], dtype=np.int64)
    power = np.array([0, 2500, 0, 2500, 0], dtype=np.float32)
    house = checked_house("home", 60, time, power + 100, {"kettle": power, "microwave": power})
    answers = {"kettle": np.array([0, 1999, 0, 2000, 0.0]), "fridge": np.zeros(5)}
    found = house_scores(house, answers, {"kettle": 20})
    assert list(found) == ["kettle"]
    assert found["kettle"].f1 == pytest.approx(2 / 3)
    assert found["kettle"].skill_mean is not None


def test_the_average_of_appliances_has_none_where_one_has_none() -> None:
    means = average([scored(), scored(answer=TRUTH)])
    assert means["mae_w"] == 37.5 / 2
    assert means["skill_mean"] is None
    assert "n" not in means
    assert average([])["mae_w"] is None
