"""How much a rival's forecast counts beside our own, learned online from what came."""

from __future__ import annotations

import numpy as np
import pytest

from watthour.forecasting.gaussian_process.day_process.rival_layer import OnlineShare, OnlineWeights, rival_members

DAYS = np.arange(19_000.0, 19_300.0)


def errors_and_members(n_intervals: int, *, own_noise: float, process_noise: float) -> tuple[np.ndarray, np.ndarray]:
    """A rival's errors of 300 days, and two forecasts of them, each as far off as is said."""
    rng = np.random.default_rng(5)
    errors = rng.normal(0, 0.02, (len(DAYS), n_intervals))
    own = errors + rng.normal(0, own_noise, errors.shape)
    process = errors + rng.normal(0, process_noise, errors.shape)
    nothing = np.zeros_like(errors)
    return errors, np.stack([process, own, nothing, nothing], axis=2)


def mean_error(errors: np.ndarray, members: np.ndarray) -> float:
    expected = OnlineWeights.fit(DAYS, errors, members).expected(DAYS - 2, members)
    return float(np.abs(expected - errors)[150:].mean())


@pytest.mark.parametrize("n_intervals", [24, 36, 48, 96])
def test_the_forecast_that_was_right_counts_and_the_other_does_not(n_intervals: int) -> None:
    for own, process in ((0.001, 0.05), (0.05, 0.001)):
        errors, members = errors_and_members(n_intervals, own_noise=own, process_noise=process)
        assert mean_error(errors, members) < 0.003


def test_two_forecasts_that_err_by_themselves_are_better_together() -> None:
    errors, members = errors_and_members(24, own_noise=0.02, process_noise=0.02)
    alone = np.abs(members[150:, :, 0] - errors[150:]).mean()
    assert mean_error(errors, members) < 0.75 * alone


def test_each_hour_of_the_day_has_weights_of_its_own() -> None:
    errors, members = errors_and_members(24, own_noise=0.001, process_noise=0.05)
    other_errors, others = errors_and_members(24, own_noise=0.05, process_noise=0.001)
    errors[:, 12:], members[:, 12:] = other_errors[:, 12:], others[:, 12:]
    assert mean_error(errors, members) < 0.006  # one weight for all hours leaves 0.013


def test_weights_know_no_later_day() -> None:
    errors, members = errors_and_members(24, own_noise=0.01, process_noise=0.02)
    until = len(DAYS) - 100
    early = OnlineWeights.fit(DAYS[:until], errors[:until], members[:until])
    errors[until:] = 1.0
    late = OnlineWeights.fit(DAYS, errors, members)
    grown = early.extended(DAYS[until:], errors[until:], members[until:])
    known = np.full(3, DAYS[until - 1])
    assert np.array_equal(early.expected(known, members[:3]), late.expected(known, members[:3]))
    assert np.allclose(grown.expected(DAYS, members), late.expected(DAYS, members), rtol=1e-12)


def test_before_any_day_is_known_the_weights_are_the_usual_ones() -> None:
    errors, members = errors_and_members(24, own_noise=0.01, process_noise=0.02)
    expected = OnlineWeights.fit(DAYS, errors, members).expected(np.full(3, DAYS[0] - 1), members[:3])
    assert np.allclose(expected, 0.7 * members[:3, :, 0] + 0.3 * members[:3, :, 1])


def test_a_day_with_missing_intervals_teaches_with_the_others() -> None:
    errors, members = errors_and_members(24, own_noise=0.001, process_noise=0.05)
    errors[::2, 5] = np.nan
    members[::3, :, 1] = np.nan
    weights = OnlineWeights.fit(DAYS, errors, members)
    expected = weights.expected(np.full(1, DAYS[-1]), members[[-1]])
    assert np.abs(expected - errors[-1])[0].max() < 0.006


@pytest.mark.parametrize("n_intervals", [24, 48, 96])
def test_a_rival_that_sits_half_an_hour_late_is_moved_back(n_intervals: int) -> None:
    clock = np.arange(n_intervals + n_intervals // 12) / n_intervals * 24
    rng = np.random.default_rng(8)
    size = rng.uniform(0.5, 1.5, (len(DAYS), 1))

    def load(at: np.ndarray) -> np.ndarray:
        return np.asarray(size * 0.2 * np.sin((at[:n_intervals] - 7) / 24 * 2 * np.pi))

    log_load, log_rival = load(clock), load(clock - 0.5)
    errors, nothing = log_load - log_rival, np.zeros_like(log_load)
    members = rival_members(nothing, log_rival, log_rival)
    expected = OnlineWeights.fit(DAYS, errors, members).expected(DAYS - 2, members)
    assert np.abs(expected - errors)[150:].mean() < 0.35 * np.abs(errors[150:]).mean()


def share_of(errors: np.ndarray, first: np.ndarray, other: np.ndarray) -> OnlineShare:
    return OnlineShare.fit(DAYS, errors - first, other - first)


def test_we_go_over_to_our_own_forecast_where_the_rival_misleads() -> None:
    errors, members = errors_and_members(24, own_noise=0.005, process_noise=0.03)
    share = share_of(errors, members[:, :, 0], members[:, :, 1]).of(DAYS[[150, 299]], only_better=False)
    assert (share > 0.8).all()
    assert (share <= 1).all()


def test_we_stay_with_the_rival_where_it_is_the_better_one() -> None:
    errors, members = errors_and_members(24, own_noise=0.03, process_noise=0.005)
    assert (share_of(errors, members[:, :, 0], members[:, :, 1]).of(DAYS[[150, 299]], only_better=False) < 0.1).all()


def test_what_was_right_lately_counts_more_than_what_was_right_long_ago() -> None:
    errors, members = errors_and_members(24, own_noise=0.03, process_noise=0.005)
    members[150:] = members[150:, :, [1, 0, 2, 3]]
    before, after = share_of(errors, members[:, :, 0], members[:, :, 1]).of(DAYS[[149, 299]], only_better=False)
    assert before < 0.1
    assert after > 0.6  # 0.5 where all days count alike


def test_a_forecast_that_is_worse_by_itself_may_count_for_nothing() -> None:
    errors, members = errors_and_members(24, own_noise=0.02, process_noise=0.015)
    share = share_of(errors, members[:, :, 0], members[:, :, 1])
    assert (share.of(DAYS[[150, 299]], only_better=False) > 0.2).all()
    assert share.of(DAYS[[150, 299]], only_better=True).tolist() == [0.0, 0.0]


def test_the_share_begins_with_nothing_and_knows_no_later_day() -> None:
    errors, members = errors_and_members(24, own_noise=0.01, process_noise=0.02)
    first, apart, until = errors - members[:, :, 0], members[:, :, 1] - members[:, :, 0], len(DAYS) - 100
    early = OnlineShare.fit(DAYS[:until], first[:until], apart[:until])
    first[until:] = 1.0
    late = OnlineShare.fit(DAYS, first, apart)
    grown = early.extended(DAYS[until:], first[until:], apart[until:])
    assert late.of(DAYS[[0]] - 1, only_better=False).tolist() == [0.0]
    assert np.array_equal(early.of(DAYS[:until], only_better=False), late.of(DAYS[:until], only_better=False))
    assert np.allclose(grown.of(DAYS, only_better=False), late.of(DAYS, only_better=False), rtol=1e-12)
