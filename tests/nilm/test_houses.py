"""Metered houses: gaps, longer steps, and what of a meter cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from watthour.core.errors import InvalidInput, UnknownName
from watthour.nilm.houses import House, checked_house
from watthour.nilm.sampling import from_samples, step_means

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

NAN = float("nan")


def f32(values: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def times(*seconds: int) -> NDArray[np.int64]:
    return np.array(seconds, dtype=np.int64)


def house(time: Sequence[int], mains: Sequence[float], step_s: int = 10, **appliances: Sequence[float]) -> House:
    return checked_house("home", step_s, times(*time), f32(mains), {each: f32(v) for each, v in appliances.items()})


def day(n: int = 8640, **columns: NDArray[np.float64]) -> tuple[NDArray[np.int64], Mapping[str, NDArray[np.float32]]]:
    rng = np.random.default_rng(0)
    made = {"mains": 300 + 50 * rng.random(n), **columns}
    return np.arange(n, dtype=np.int64) * 10, {name: f32(values) for name, values in made.items()}


def said(made: House) -> tuple[str, ...]:
    return tuple(str(remark) for remark in made.remarks)


def test_a_jump_in_time_is_a_gap() -> None:
    assert house([0, 10, 40, 50, 60], [1, 2, 3, 4, 5]).segments() == (slice(0, 2), slice(2, 5))
    assert house([0, 10], [1, 2]).segments() == (slice(0, 2),)
    empty = House("home", 10, times(), f32([]), {})
    assert empty.segments() == ()
    assert empty.resampled(60).segments() == ()


def test_steps_without_mains_are_gaps() -> None:
    made = house([0, 10, 20], [1, NAN, 3], kettle=[0, 1, 2])
    assert made.time.tolist() == [0, 20]
    assert made.appliances["kettle"].tolist() == [0, 2]
    assert len(made.segments()) == 2


def test_no_run_of_an_appliance_crosses_a_gap() -> None:
    two_minutes = [50.0] * 3
    joined = house([0, 10, 20, 30, 40, 50], [60] * 6, fridge=two_minutes * 2)
    assert joined.states("fridge").all()
    apart = house([0, 10, 20, 60, 70, 80], [60] * 6, fridge=two_minutes * 2)
    assert not apart.states("fridge").any()


def test_a_longer_step_has_the_mean_of_its_whole_bin() -> None:
    made = house([0, 10, 20, 30, 40, 50], [1, 2, 3, 4, 5, 9], kettle=[0, 0, 3, NAN, 3, 3]).resampled(30)
    assert made.time.tolist() == [0, 30]
    assert made.mains.tolist() == [2, 6]
    assert made.appliances["kettle"].tolist() == [1, 3]
    assert made.step_s == 30


def test_a_bin_with_less_than_half_of_its_samples_is_a_gap() -> None:
    made = house([0, 10, 20, 60, 70, 120], [1, 2, 3, 4, 5, 6]).resampled(60)
    assert made.time.tolist() == [0]
    made = house([0, 10, 20, 30, 40, 50], [6] * 6, kettle=[1, 1, NAN, NAN, NAN, NAN]).resampled(60)
    assert np.isnan(made.appliances["kettle"]).tolist() == [True]


def test_bins_are_counted_from_midnight_and_not_from_the_first_sample() -> None:
    assert house([30, 40, 50, 60, 70, 80], [1, 1, 1, 4, 4, 4]).resampled(60).mains.tolist() == [1, 4]


def test_energy_is_the_same_at_every_step() -> None:
    time, columns = day()
    made = checked_house("home", 10, time, columns["mains"], {})
    for step_s in (20, 30, 60, 600):
        assert made.resampled(step_s).mains.mean() == pytest.approx(made.mains.mean(), rel=1e-6)


def test_a_step_that_is_no_multiple_is_refused_and_one_it_names_is_not() -> None:
    made = house([0, 10, 20, 30, 40, 50], [1] * 6)
    with pytest.raises(InvalidInput, match="step_s = 25") as refused:
        made.resampled(25)
    named = str(refused.value).rsplit(" ", 1)[-1].rstrip(".")
    assert made.resampled(int(named)).step_s == int(named)
    with pytest.raises(InvalidInput, match="no multiple"):
        made.resampled(5)
    assert made.resampled(10) is made


def test_a_span_excludes_its_end() -> None:
    made = house([0, 10, 20, 30], [1, 2, 3, 4], kettle=[0, 1, 2, 3])
    part = made.between(datetime.fromtimestamp(10, UTC), datetime.fromtimestamp(30, UTC))
    assert part.mains.tolist() == [2, 3]
    assert part.appliances["kettle"].tolist() == [1, 2]
    with pytest.raises(InvalidInput, match="time zone"):
        made.between(datetime(1970, 1, 1), datetime(1971, 1, 1))  # noqa: DTZ001 - naive is what is refused


def test_some_of_its_appliances_are_picked() -> None:
    made = house([0, 10], [5, 5], kettle=[0, 1], fridge=[1, 1])
    assert list(made.with_appliances(["fridge", "dishwasher"]).appliances) == ["fridge"]


def test_mains_in_kw_are_refused_and_taken_when_multiplied() -> None:
    time, columns = day()
    kw = f32(columns["mains"] / 1000)
    with pytest.raises(InvalidInput, match="seem to be kW") as refused:
        checked_house("home", 10, time, kw, {})
    assert refused.value.field == "mains"
    assert "Multiply all powers by 1000" in str(refused.value)
    assert checked_house("home", 10, time, f32(kw * 1000), {}).days == 1


def test_mains_below_zero_are_refused_and_taken_with_the_solar_power_added() -> None:
    time, columns = day()
    solar = f32(np.where(time > 43_200, 1000.0, 0.0))
    net = columns["mains"] - solar
    with pytest.raises(InvalidInput, match=r"subtracts what is fed in\. Name the power of the solar panels"):
        checked_house("home", 10, time, net, {})
    made = checked_house("home", 10, time, net, {}, solar=solar)
    assert made.mains == pytest.approx(columns["mains"], abs=1e-3)
    with pytest.raises(InvalidInput, match="check that both are W"):
        checked_house("home", 10, time, net, {}, solar=f32(solar / 1000))


def test_a_few_values_below_zero_are_left_out_and_said() -> None:
    time, columns = day()
    columns["mains"][[5, 9]] = -3
    made = checked_house("home", 10, time, columns["mains"], {})
    assert len(made) == 8638
    assert said(made) == ("home: 2 values of the mains were left out that are below zero",)


def test_what_an_appliance_draws_below_zero_is_unknown() -> None:
    assert np.isnan(house([0, 10], [5, 5], kettle=[-1, 1]).appliances["kettle"]).tolist() == [True, False]


def test_mains_that_repeat_themselves_for_hours_are_left_out_and_said() -> None:
    time, columns = day()
    columns["mains"][1000:4000] = 321.0
    made = checked_house("home", 10, time, columns["mains"], {})
    assert len(made) == 8640 - 3000
    assert "3,000 steps in which it stayed the same" in said(made)[0]
    assert len(made.segments()) == 2


def test_an_appliance_may_be_off_for_days_and_not_on_for_days_to_the_digit() -> None:
    time, columns = day(3 * 8640, kettle=np.zeros(3 * 8640), fridge=np.full(3 * 8640, 90.0))
    made = checked_house("home", 10, time, columns["mains"], {"kettle": columns["kettle"], "fridge": columns["fridge"]})
    assert np.isfinite(made.appliances["kettle"]).all()
    assert np.isnan(made.appliances["fridge"]).all()
    assert said(made) == ("home: fridge was left out for 25,920 steps in which it stayed the same to the digit",)


def test_a_few_times_that_repeat_or_go_backward_are_left_out_and_said() -> None:
    time, columns = day()
    time[100], time[200] = time[99], time[150]
    made = checked_house("home", 10, time, columns["mains"], {})
    assert len(made) == 8638
    assert said(made) == ("home: 2 samples were left out whose time repeats or goes backward",)


def test_times_in_disorder_are_refused_and_taken_when_sorted() -> None:
    time, columns = day()
    mixed = np.random.default_rng(1).permutation(len(time))
    with pytest.raises(InvalidInput, match="Sort the samples by time"):
        checked_house("home", 10, time[mixed], columns["mains"], {})
    order = np.argsort(time[mixed])
    assert len(checked_house("home", 10, time[mixed][order], columns["mains"], {})) == 8640


def test_mains_of_which_nothing_is_known_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no value of the mains is known"):
        house([0, 10], [NAN, NAN])


def test_two_meters_of_a_kind_are_one_appliance_and_an_unknown_name_is_refused() -> None:
    made = checked_house(
        "home", 10, times(0, 10), f32([5, 5]), {"fridge": f32([1, 2]), "fridge_freezer": f32([3, NAN])}
    )
    assert made.appliances["fridge"][0] == 4
    assert np.isnan(made.appliances["fridge"][1])
    with pytest.raises(UnknownName, match="aquarium"):
        house([0, 10], [5, 5], aquarium=[1, 1])


def test_a_house_that_was_not_checked_is_refused() -> None:
    for time, mains in (([0, 5], [1, 1]), ([10, 0], [1, 1]), ([0, 0], [1, 1]), ([0, 10], [1, NAN]), ([0], [1, 1])):
        with pytest.raises(InvalidInput, match="home"):
            House("home", 10, times(*time), f32(mains), {})
    with pytest.raises(InvalidInput, match="float64"):
        House("home", 10, times(0), np.array([1.0]), {})
    with pytest.raises(InvalidInput, match="step_s = 0"):
        House("home", 0, times(0), f32([1]), {})


def test_a_sample_holds_until_the_next_and_not_for_long() -> None:
    time, mean = step_means(times(0, 7, 13, 21, 100, 106), f32([100, 200, 300, 400, 50, 60]), 10, 12)
    assert time.tolist() == [0, 10, 20, 100, 110]  # of that at 30 only 3 s are known
    assert mean[0] == pytest.approx((7 * 100 + 3 * 200) / 10)
    assert mean[1] == pytest.approx((3 * 200 + 7 * 300) / 10)
    assert mean[2] == pytest.approx((1 * 300 + 9 * 400) / 10)
    assert mean[-1] == pytest.approx(60)
    assert mean[3] == pytest.approx((6 * 50 + 4 * 60) / 10)


def test_means_of_samples_agree_with_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    time = np.cumsum(rng.choice([1, 5, 6, 7, 40], 300)).astype(np.int64)
    power = f32(rng.uniform(0, 3000, 300))
    power[rng.random(300) < 0.1] = NAN
    second = np.full(int(time[-1]) + 100, np.nan)
    for begin, until, value in zip(time, np.append(time[1:], time[-1] + 99), power, strict=True):
        second[begin : min(until, begin + 12)] = value
    begins, means = step_means(time, power, 10, 12)
    expected = {
        start: np.nanmean(second[start : start + 10])
        for start in range(0, len(second) - 10, 10)
        if np.isfinite(second[start : start + 10]).sum() >= 5
    }
    assert begins.tolist() == list(expected)
    assert means == pytest.approx(np.array(list(expected.values())), rel=1e-5)


def test_meters_that_sample_apart_come_onto_the_steps_of_the_mains() -> None:
    time, columns = from_samples(
        {
            "mains": (times(0, 10, 20), f32([5, 6, 7])),
            "kettle": (times(3, 23, 40), f32([1, 2, 3])),
            "fridge": (times(), f32([])),
        },
        10,
        10,
    )
    assert time.tolist() == [0, 10, 20]
    assert columns["mains"].tolist() == [5, 6, 7]
    assert columns["kettle"][[0, 2]].tolist() == [1, 2]
    assert np.isnan(columns["kettle"][1])
    assert np.isnan(columns["fridge"]).all()
