"""A training as a file says it, and what it adds to the mains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch, the extra `deep`, is not installed")
pytest.importorskip("safetensors", reason="safetensors, of the extra `deep`, is not installed")

from watthour.core.errors import InvalidInput
from watthour.nilm.augment import bank_of
from watthour.nilm.houses import House
from watthour.nilm.kept_runs import runs_of_kept, write_bank
from watthour.nilm.prepare import InMemory, Part, prepare
from watthour.nilm.training_file import read_training

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
houses = "prepared"
into = "run"

[network]
widths = [8, 12]
blocks = [1, 1]
head = 6

[plan]
n_steps = 64
batches = 4
windows = 4
look_every = 2

[plan.draws_w]
kettle = 60

[silent_below]
kettle = 0.7

[vary]
chances = { kettle = 0.5 }
scales = [0.9, 1.1]
loads_per_day = 20
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    kettle = np.where(rng.random(1500) < 0.05, 2500, 0).astype(np.float32)
    house = House("one", 60, np.arange(1500, dtype=np.int64) * 60, kettle + np.float32(80), {"kettle": kettle})
    windows = prepare(tmp_path / "prepared", [Part(InMemory(house))], step_s=60, appliances=("kettle", "fridge"))
    write_bank(tmp_path / "prepared", bank_of(runs_of_kept(windows)))
    return tmp_path


def test_a_file_says_all_that_a_training_needs(place: Path) -> None:
    (place / "training.toml").write_text(FILE)
    training = read_training(place / "training.toml")
    assert training.sizes.widths == (8, 12)
    assert training.sizes.power_w == pytest.approx((2500, 1))  # from the house; a fridge was never met
    assert training.sizes.share_on[0] == pytest.approx(0.05, abs=0.02)
    assert training.plan.draws_w == {"kettle": 60}
    told: list[str] = []
    trained = training.run(tell=told.append)
    assert trained.batches == 4
    assert len(told) == 2
    assert (place / "run" / "best.safetensors").exists()


def test_what_was_trained_is_written_as_a_network_that_answers(place: Path) -> None:
    from watthour.nilm.serve import ServedNetwork

    (place / "training.toml").write_text(FILE)
    training = read_training(place / "training.toml")
    served = ServedNetwork.from_files(training.files(training.run()))
    assert served.description.silent_below == (0.7, 0.5)
    assert served.description.trained_on == ("one",)
    told = served.tell(np.full(100, 2600, dtype=np.float32), [slice(0, 100)])
    assert told.is_told.all()
    assert told.power.sum(axis=1) + told.other == pytest.approx(np.full(100, 2600.0))


@pytest.mark.parametrize(
    ("old", "new", "field", "cure"),
    [
        ('into = "run"', "", "into", 'into = "run"'),
        ("batches = 4", "epochs = 4", "epochs", "batches = 4"),
        ("head = 6", "heads = 6", "heads", "head = 6"),
        ("scales =", "scale =", "scale", "scales ="),
        ("[plan]", "[plans]", "plans", "[plan]"),
    ],
)
def test_an_unknown_or_missing_word_is_named_and_its_cure_does(
    place: Path, old: str, new: str, field: str, cure: str
) -> None:
    wrong = FILE.replace(old, new, 1)
    (place / "training.toml").write_text(wrong)
    with pytest.raises(InvalidInput) as error:
        read_training(place / "training.toml")
    assert error.value.field == field
    (place / "training.toml").write_text(wrong.replace(new, cure, 1) if new else FILE)
    assert read_training(place / "training.toml").plan.batches == 4


def test_a_file_that_is_none_is_named(place: Path) -> None:
    with pytest.raises(InvalidInput, match="Name a file of TOML"):
        read_training(place / "missing.toml")
