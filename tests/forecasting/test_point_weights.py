from __future__ import annotations

import numpy as np
import pytest

from watthour.core.place import Place
from watthour.forecasting.gaussian_process.day_process.calendar import calendar
from watthour.forecasting.gaussian_process.day_process.point_weights import learned_shares

DAYS = np.arange(18_000, 18_760)
CALENDAR = calendar(DAYS, Place("Europe/Paris"))


def weather_and_load(shares: np.ndarray, noise: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Return two years at three points, and a load that follows their heat and cold with these shares."""
    rng = np.random.default_rng(7)
    season = 14 - 11 * np.cos(2 * np.pi * (DAYS - 18_015) / 365.25)
    common = season[:, None] + rng.normal(0, 3, (len(DAYS), 1)) + rng.normal(0, 3, (len(DAYS), 3))
    weather = np.stack([common + 5, common - 5, common + 2, common - 6], axis=-1)
    at_points = 0.02 * np.maximum(common - 15.6, 0) + 0.01 * np.maximum(15.6 - common, 0)
    daily = at_points @ shares + 0.1 * (DAYS % 7 >= 5) + rng.normal(0, noise, len(DAYS))
    return weather, 9 + daily[:, None] + np.zeros((len(DAYS), 24))


def test_shares_that_were_far_off_are_learnt_from_the_load() -> None:
    true, given = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.2, 0.7])
    weather, load = weather_and_load(true)
    found = learned_shares(CALENDAR, load, weather, given)
    assert found.sum() == pytest.approx(1)
    assert np.abs(found - true).sum() < 0.3 * np.abs(given - true).sum()


def test_shares_that_explain_the_load_as_well_stay_as_they_were_given() -> None:
    true = np.array([0.5, 0.3, 0.2])
    given = np.array([0.48, 0.32, 0.2])
    weather, load = weather_and_load(true)
    assert learned_shares(CALENDAR, load, weather, given) is given


def test_a_load_that_does_not_follow_the_weather_moves_no_share() -> None:
    given = np.array([0.5, 0.3, 0.2])
    weather, load = weather_and_load(np.zeros(3), noise=0.05)
    assert learned_shares(CALENDAR, load, weather, given) is given


@pytest.mark.parametrize("n_days", [0, 300, 729])
def test_from_less_than_two_years_nothing_is_learnt(n_days: int) -> None:
    weather, load = weather_and_load(np.array([0.7, 0.2, 0.1]))
    given = np.array([0.1, 0.2, 0.7])
    some = calendar(DAYS[:n_days], Place("Europe/Paris"))
    assert learned_shares(some, load[:n_days], weather[:n_days], given) is given


def test_later_years_do_not_move_what_was_learnt() -> None:
    weather, load = weather_and_load(np.array([0.7, 0.2, 0.1]))
    given = np.array([0.1, 0.2, 0.7])
    early = learned_shares(calendar(DAYS[:735], Place("Europe/Paris")), load[:735], weather[:735], given)
    assert np.array_equal(early, learned_shares(CALENDAR, load, weather, given))


def test_a_point_that_was_never_known_keeps_everything_as_given() -> None:
    weather, load = weather_and_load(np.array([0.7, 0.2, 0.1]))
    weather[:, 1] = np.nan
    given = np.array([0.1, 0.2, 0.7])
    assert learned_shares(CALENDAR, load, weather, given) is given
