"""What every store promises of the plans of homes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import home_site, hour

from watthour.core.errors import InvalidInput
from watthour.core.ports import KeptPlan
from watthour.core.window import Window
from watthour.store.telling import TellingStore

if TYPE_CHECKING:
    from watthour.core.ports import Store

CONTENT = {"cost": 1.25, "runs": [{"name": "Spülmaschine", "start": None}], "is_whole": True}


@pytest.fixture
def home(store: Store) -> Store:
    """Return a store that knows two homes."""
    store.register([home_site(), home_site("barn")], [])
    return store


def test_a_plan_comes_back_as_it_was_kept(home: Store) -> None:
    made_at = hour(3) + timedelta(microseconds=1)
    home.keep_plan("flat", made_at, CONTENT)
    assert home.plans("flat") == [KeptPlan("flat", made_at, CONTENT)]


def test_the_latest_plan_comes_first_and_a_limit_keeps_the_latest(home: Store) -> None:
    for k in (2, 1, 3):
        home.keep_plan("flat", hour(k), {"k": k})
    assert [plan.content["k"] for plan in home.plans("flat")] == [3, 2, 1]
    assert [plan.content["k"] for plan in home.plans("flat", limit=1)] == [3]


def test_a_window_of_plans_excludes_its_end(home: Store) -> None:
    for k in range(4):
        home.keep_plan("flat", hour(k), {"k": k})
    assert [plan.content["k"] for plan in home.plans("flat", Window(hour(1), hour(3)))] == [2, 1]


def test_a_plan_of_the_same_instant_takes_the_place_of_the_one_before(home: Store) -> None:
    home.keep_plan("flat", hour(1), {"k": 1})
    home.keep_plan("flat", hour(1), {"k": 2})
    assert home.plans("flat") == [KeptPlan("flat", hour(1), {"k": 2})]


def test_plans_of_a_window_are_forgotten_and_those_of_another_home_stay(home: Store) -> None:
    for k in range(4):
        home.keep_plan("flat", hour(k), {"k": k})
    home.keep_plan("barn", hour(1), CONTENT)
    home.forget_plans("flat", Window(hour(1), hour(3)))
    assert [plan.content["k"] for plan in home.plans("flat")] == [3, 0]
    assert len(home.plans("barn")) == 1


def test_each_home_has_its_own_plans(home: Store) -> None:
    home.keep_plan("flat", hour(1), {"k": 1})
    assert home.plans("barn") == []


def test_plans_go_with_their_home(home: Store) -> None:
    home.keep_plan("flat", hour(1), CONTENT)
    home.keep_plan("barn", hour(1), CONTENT)
    home.forget([], ["flat"])
    assert home.plans("flat") == []
    assert len(home.plans("barn")) == 1
    home.register([home_site()], [])
    assert home.plans("flat") == []


def test_a_home_that_is_described_anew_keeps_its_plans(home: Store) -> None:
    home.keep_plan("flat", hour(1), CONTENT)
    home.register([replace(home_site(), name="Another name")], [])
    assert len(home.plans("flat")) == 1


def test_a_plan_of_an_unknown_home_is_refused(home: Store) -> None:
    with pytest.raises(InvalidInput, match=r"attic.*not registered"):
        home.keep_plan("attic", hour(1), CONTENT)


def test_a_plan_made_at_an_instant_without_time_zone_is_refused(home: Store) -> None:
    with pytest.raises(InvalidInput, match=r"made_at.*no time zone"):
        home.keep_plan("flat", hour(1).replace(tzinfo=None), CONTENT)


@pytest.mark.parametrize("content", [{"cost": float("nan")}, {"at": hour(1)}])
def test_what_json_cannot_say_is_refused_and_nothing_is_kept(home: Store, content: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="content"):
        home.keep_plan("flat", hour(1), content)
    assert home.plans("flat") == []


def test_a_kept_plan_counts_as_new(home: Store) -> None:
    telling = TellingStore(home, lambda _kept: None)
    telling.keep_plan("flat", hour(1), CONTENT)
    assert telling.n_told == 1
