"""Windows as they might have been: what changes, what stays, and that the truth goes with the mains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watthour.core.errors import InvalidInput
from watthour.nilm.variation import Variation, with_loads, with_other_powers
from watthour.nilm.windows import Batch

VARIATION = Variation(("kettle", "fridge"), 60, scaled=0.5, removed=0.2, loads_per_day=5.0, shifted=0.5)


def made_batch(n_windows: int = 60) -> Batch:
    power = np.zeros((n_windows, 512, 2), dtype=np.float32)
    power[:, 100:103, 0] = 2400
    power[:, ::40, 1] = 90
    known = np.ones(power.shape, dtype=bool)
    known[:, 300:, 1] = False
    power[~known] = 0
    mains = 150 + power.sum(axis=2)
    return Batch(np.zeros(n_windows, dtype=np.int64), mains, power, power > 50, known)


def test_mains_and_truth_change_by_the_same() -> None:
    batch = made_batch()
    changed = with_other_powers(batch, np.random.default_rng(1), scaled=0.5, removed=0.2, scales=(0.8, 1.2))
    rest = changed.mains - changed.power.sum(axis=2)
    assert rest == pytest.approx(np.full(rest.shape, 150), abs=1e-3)
    factors = changed.power[:, 101, 0] / 2400
    assert 0.05 < (factors == 0).mean() < 0.4
    assert 0.2 < (factors == 1).mean() < 0.5
    others = factors[(factors != 0) & (factors != 1)]
    assert (others >= 0.8).all()
    assert (others <= 1.2).all()
    assert (changed.is_on[:, 101, 0] == (factors > 0)).all()


def test_the_same_generator_changes_the_same_and_what_is_given_stays() -> None:
    batch, before = made_batch(), made_batch()
    first, again = (VARIATION(batch, np.random.default_rng(3)) for _ in range(2))
    for name in ("mains", "power", "is_on", "is_known"):
        assert (getattr(first, name) == getattr(again, name)).all()
        assert (getattr(batch, name) == getattr(before, name)).all()
    assert (first.is_known == batch.is_known).all()


def test_the_mains_are_never_below_what_is_known_to_be_drawn() -> None:
    changed = replace(VARIATION, shifted=1.0)(
        replace(made_batch(), mains=made_batch().power.sum(axis=2)), np.random.default_rng(1)
    )
    assert (changed.mains - changed.power.sum(axis=2)).min() >= -1e-3


def test_without_chances_nothing_changes() -> None:
    batch = made_batch()
    same = Variation(("kettle", "fridge"), 60)(batch, np.random.default_rng(1))
    assert (same.mains == batch.mains).all()
    assert (same.power == batch.power).all()


def test_loads_are_added_to_the_mains_alone() -> None:
    mains = np.full((50, 512), 100, dtype=np.float32)
    added = with_loads(mains, 60, 5.0, np.random.default_rng(1)) - mains
    assert (mains == 100).all()
    assert added.min() == 0
    assert 0.3 < (added.max(axis=1) > 0).mean() < 1  # 5 a day are 1.8 in a window
    assert (added[added > 0] > 199).all()
    assert (with_loads(mains, 60, 0.0, np.random.default_rng(1)) == mains).all()


@pytest.mark.parametrize(
    ("words", "field"),
    [({"scaled": 1.5}, "scaled"), ({"scales": (1.2, 0.8)}, "scales"), ({"loads_per_day": -1.0}, "loads_per_day")],
)
def test_what_cannot_be_is_named(words: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Variation(("kettle",), 60, **words)  # type: ignore[arg-type]  # some are wrong on purpose
    assert error.value.field == field
