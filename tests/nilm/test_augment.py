"""Runs that are cut from houses and added to others."""

from __future__ import annotations

import numpy as np
import pytest

from watthour.core.errors import InvalidInput
from watthour.nilm.augment import Bank, Run, add_runs, bank_of, runs_of_device, runs_of_house
from watthour.nilm.houses import House
from watthour.nilm.windows import Batch

APPLIANCES = ("kettle", "fridge")
NAN = float("nan")


def cut(*power: float, kind: str = "kettle", step_s: int = 60, gap_after: int | None = None) -> list[list[float]]:
    time = np.arange(len(power), dtype=np.int64) * step_s
    if gap_after is not None:
        time[gap_after:] += step_s
    found = runs_of_device(kind, "one", step_s, time, np.array(power, dtype=np.float32))
    return [run.power.tolist() for run in found]


def bank() -> Bank:
    kettles = [Run("kettle", f"kettle {n}", 10, np.full(18, 2400, dtype=np.float32)) for n in range(3)]
    toaster = Run("toaster", "toaster", 60, np.array([0, 800, 700, 0], dtype=np.float32))
    fridge = Run("fridge", "fridge", 60, np.array([0, *[80] * 20, 0], dtype=np.float32))
    return bank_of([*kettles, toaster, fridge])


def batch(n: int = 40, length: int = 64) -> Batch:
    rng = np.random.default_rng(5)
    power = rng.uniform(0, 100, (n, length, 2)).astype(np.float32)
    is_known = np.ones((n, length, 2), dtype=bool)
    is_known[::2, :, 1] = False  # every second house has no meter at its fridge
    power[~is_known] = 0
    mains = (power.sum(axis=2) + 200).astype(np.float32)
    return Batch(np.zeros(n, dtype=np.int64), mains, power, power > 1900, is_known)


def test_a_run_is_cut_with_a_step_on_both_sides() -> None:
    assert cut(1, 900, 2400, 2300, 600, 1) == [[900, 2400, 2300, 600]]


def test_a_run_that_is_cut_by_the_end_a_gap_or_an_unknown_value_is_left_out() -> None:
    assert cut(2400, 2400, 0, 0) == []
    assert cut(0, 0, 2400) == []
    assert cut(0, 2400, 0, gap_after=2) == []
    assert cut(NAN, 2400, 0) == []
    assert cut(0, 2400, NAN) == []


def test_a_run_stronger_than_its_kind_is_left_out() -> None:
    assert cut(0, 9000, 0) == []


def test_the_devices_of_a_house_carry_its_name() -> None:
    power = np.array([0, 2400, 0, 2300, 0], dtype=np.float32)
    house = House("a", 60, np.arange(5, dtype=np.int64) * 60, power + 5, {"kettle": power, "microwave": power})
    assert bank_of(runs_of_house(house)).devices == {"kettle": ("a/kettle",), "microwave": ("a/microwave",)}
    assert [run.kind for run in runs_of_house(house, ["kettle"])] == ["kettle", "kettle"]


def test_a_device_is_on_one_side_of_a_split() -> None:
    train, rest = bank().without_devices({"kettle 1", "fridge"}), bank().of_devices({"kettle 1", "fridge"})
    assert train.devices == {"kettle": ("kettle 0", "kettle 2"), "toaster": ("toaster",)}
    assert rest.devices == {"kettle": ("kettle 1",), "fridge": ("fridge",)}


def test_a_run_keeps_its_energy_at_a_longer_step_wherever_it_begins_within() -> None:
    run = Run("kettle", "one", 10, np.array([0, 2400, 2400, 2400, 2400, 2400, 2400, 0], dtype=np.float32))
    for shift in range(6):
        longer = run.at_step(60, shift)
        assert longer.sum() * 60 == pytest.approx(run.power.sum() * 10)
    assert run.at_step(60, 0).tolist() == [2000, 400]
    with pytest.raises(InvalidInput, match="step_s = 25"):
        run.at_step(25)


def test_what_neither_mains_nor_truth_tell_of_stays_as_it_was() -> None:
    before = batch()
    after = add_runs(before, APPLIANCES, bank(), 60, np.random.default_rng(1), chances={"kettle": 1, "fridge": 1})
    known = before.is_known.all(axis=(1, 2))
    rest_before = (before.mains - before.power.sum(axis=2))[known]
    rest_after = (after.mains - after.power.sum(axis=2))[known]
    assert rest_after == pytest.approx(rest_before, abs=1e-3)
    assert (after.power[known] - before.power[known]).max() > 1900


def test_where_it_was_not_metered_the_mains_grow_and_the_truth_stays_unknown() -> None:
    before = batch()
    after = add_runs(before, APPLIANCES, bank(), 60, np.random.default_rng(1), chances={"fridge": 1})
    unknown = ~before.is_known[:, 0, 1]
    grew = (after.mains[unknown] > before.mains[unknown]).any(axis=1)
    assert grew.mean() > 0.9  # of some the first pause alone lies within the window
    assert (after.power[unknown, :, 1] == 0).all()
    assert not after.is_on[unknown, :, 1].any()
    assert (after.is_known == before.is_known).all()
    assert after.is_on[~unknown, :, 1].any()


def test_a_kind_that_is_not_told_grows_the_mains_alone() -> None:
    before = batch()
    after = add_runs(before, APPLIANCES, bank(), 60, np.random.default_rng(1), chances={"toaster": 1})
    assert (after.power == before.power).all()
    assert (after.mains - before.mains).max() > 500


def test_the_same_generator_adds_the_same_and_the_batch_is_not_changed() -> None:
    before = batch()
    kept = before.mains.copy()
    chances = {"kettle": 0.5, "toaster": 0.3}
    first = add_runs(before, APPLIANCES, bank(), 60, np.random.default_rng(7), chances=chances)
    again = add_runs(before, APPLIANCES, bank(), 60, np.random.default_rng(7), chances=chances)
    other = add_runs(before, APPLIANCES, bank(), 60, np.random.default_rng(8), chances=chances)
    assert (first.mains == again.mains).all()
    assert (first.is_on == again.is_on).all()
    assert (first.mains != other.mains).any()
    assert (before.mains == kept).all()


def test_scales_and_chances_are_kept_to() -> None:
    before = batch(n=400)
    after = add_runs(
        before, APPLIANCES, bank(), 10, np.random.default_rng(3), chances={"kettle": 0.25}, scales=(0.5, 0.9)
    )
    added = after.power[..., 0] - before.power[..., 0]
    strongest = added.max(axis=1)
    assert 0.18 < (strongest > 1).mean() < 0.32
    assert 0.5 * 2400 - 1 <= strongest[strongest > 1].min() < strongest.max() <= 0.9 * 2400 + 1
    # A kettle on is 2,000 W and more: at 0.8 of 2,400 W it is not, by the rule of truth and answers alike.
    on = (after.is_on & ~before.is_on)[..., 0]
    assert on.any()
    assert (added[on] >= 2000 - 1).all()


def test_every_device_is_drawn_alike_however_many_runs_it_has() -> None:
    many = [Run("kettle", "often", 60, np.zeros(3, dtype=np.float32))] * 99
    few = [Run("kettle", "seldom", 60, np.zeros(3, dtype=np.float32))]
    drawn, rng = bank_of([*many, *few]), np.random.default_rng(0)
    share = np.mean([drawn.draw("kettle", rng).device == "seldom" for _ in range(400)])
    assert 0.4 < share < 0.6


def test_chances_and_scales_that_cannot_be_are_refused() -> None:
    for chances, scales, problem in (
        ({"kettle": 1.5}, (1, 1), "between 0 and 1"),
        ({"dishwasher": 0.5}, (1, 1), "no run of this kind"),
        ({"kettle": 0.5}, (1, 0.5), "scales"),
    ):
        with pytest.raises(InvalidInput, match=problem):
            add_runs(batch(), APPLIANCES, bank(), 60, np.random.default_rng(0), chances=chances, scales=scales)
