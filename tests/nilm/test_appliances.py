"""When an appliance is on: by one rule for truth and answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watthour.core.errors import InvalidInput, UnknownName
from watthour.nilm.appliances import KNOWN, Appliance, appliance_named, known_name, runs, states

WASHER = Appliance("washing_machine", on_w=20, shortest_on_s=30, shortest_off_s=20, most_w=2500)
NAN = np.nan


def on(*power: float, rule: Appliance = WASHER, step_s: float = 10) -> list[int]:
    return [int(each) for each in states(np.array(power), rule, step_s)]


def test_it_is_on_from_the_threshold_upwards() -> None:
    rule = replace(WASHER, shortest_on_s=0)
    assert on(19.9, 20, 2000, 0, rule=rule) == [0, 1, 1, 0]


def test_a_pause_shorter_than_the_shortest_belongs_to_the_run() -> None:
    assert on(0, 50, 50, 0, 50, 0, 0) == [0, 1, 1, 1, 1, 0, 0]


def test_a_pause_as_long_as_the_shortest_ends_the_run() -> None:
    assert on(50, 50, 50, 0, 0, 50, 50, 50) == [1, 1, 1, 0, 0, 1, 1, 1]


def test_pauses_are_filled_before_short_runs_are_dropped() -> None:
    # Neither part lasts 30 s; together with their pause they do.
    assert on(50, 0, 50) == [1, 1, 1]
    assert on(50, 0, 0, 50) == [0, 0, 0, 0]


def test_a_run_shorter_than_the_shortest_is_dropped_and_one_as_long_stays() -> None:
    assert on(0, 50, 50, 0) == [0, 0, 0, 0]
    assert on(0, 50, 50, 50, 0) == [0, 1, 1, 1, 0]


def test_time_off_at_either_end_is_no_pause() -> None:
    assert on(0, 50, 50, 50, 0) == [0, 1, 1, 1, 0]


def test_what_is_unknown_is_not_on_and_bridges_nothing() -> None:
    assert on(50, 50, 50, NAN, 50, 50, 50) == [1, 1, 1, 0, 1, 1, 1]
    assert on(50, 50, NAN, 50, 50) == [0, 0, 0, 0, 0]
    assert on(50, 50, 50, NAN, 0, 50, 50, 50) == [1, 1, 1, 0, 0, 1, 1, 1]
    assert on(NAN, NAN) == [0, 0]


def test_the_durations_are_seconds_whatever_the_step() -> None:
    assert on(50, rule=WASHER, step_s=30) == [1]
    assert on(50, rule=WASHER, step_s=29) == [0]


def test_rows_know_nothing_of_each_other() -> None:
    rows = np.array([[0, 50, 50], [50, 0, 50], [0, 0, 50]])
    assert states(rows, WASHER, 10).tolist() == [[False] * 3, [True] * 3, [False] * 3]
    assert states(rows[None], WASHER, 10).shape == (1, 3, 3)


def test_no_intervals_have_no_states() -> None:
    assert states(np.array([]), WASHER, 10).shape == (0,)
    assert runs(np.array([], dtype=bool)).shape == (0, 2)


def test_long_series_agree_with_a_plain_loop() -> None:
    rng = np.random.default_rng(4)
    power = np.where(rng.random(4000) < 0.6, 60.0, 0.0)
    power[rng.random(4000) < 0.02] = NAN
    assert states(power, WASHER, 10).tolist() == _by_loop(power, WASHER, 10)


def _by_loop(power: np.ndarray, rule: Appliance, step_s: float) -> list[bool]:
    level: list[bool | None] = [None if np.isnan(value) else bool(value >= rule.on_w) for value in power]
    for wanted, new, least in ((False, True, rule.shortest_off_s), (True, False, rule.shortest_on_s)):
        place = 0
        while place < len(level):
            end = place
            while end < len(level) and level[end] is level[place]:
                end += 1
            is_between = place > 0 and end < len(level) and level[place - 1] is True and level[end] is True
            if level[place] is wanted and (end - place) * step_s < least and (is_between or wanted):
                level[place:end] = [new] * (end - place)
            place = end
    return [each is True for each in level]


def test_runs_have_their_begin_and_their_end() -> None:
    assert runs(np.array([1, 1, 0, 1, 0], dtype=bool)).tolist() == [[0, 2], [3, 4]]


def test_the_five_of_the_field_have_its_thresholds() -> None:
    five = ("kettle", "fridge", "washing_machine", "microwave", "dishwasher")
    assert [(KNOWN[name].on_w, KNOWN[name].shortest_on_s, KNOWN[name].shortest_off_s) for name in five] == [
        (2000, 12, 0),
        (50, 60, 12),
        (20, 1800, 160),
        (200, 12, 30),
        (10, 1800, 1800),
    ]


def test_appliances_are_found_by_what_data_sets_call_them() -> None:
    for text, name in (
        ("dish washer", "dishwasher"),
        ("Dishwaser", "dishwasher"),
        ("WaterKettle", "kettle"),
        ("TV-LCD", "television"),
        ("fridge_freezer1", "fridge"),
    ):
        assert known_name(text) == name
        assert appliance_named(text).name == name


def test_an_unknown_appliance_is_refused_with_names_near_it() -> None:
    with pytest.raises(UnknownName, match="Did you mean kettle") as refused:
        appliance_named("ketle")
    assert refused.value.value == "ketle"
    with pytest.raises(UnknownName, match="Choose among kettle, fridge"):
        appliance_named("aquarium")


def test_a_rule_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="on_w = 0"):
        Appliance("kettle", 0, 12, 0, 3100)
    with pytest.raises(InvalidInput, match="shortest_on_s = -1"):
        Appliance("kettle", 2000, -1, 0, 3100)
    with pytest.raises(InvalidInput, match="step_s = 0"):
        states(np.array([1.0]), WASHER, 0)
