"""The network, its training and its way to ONNX; all of it needs torch, the extra `deep`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch, the extra `deep`, is not installed")
pytest.importorskip("safetensors", reason="safetensors, of the extra `deep`, is not installed")

import torch

from watthour.core.errors import InvalidInput, ModelCorrupt, NotEnoughHistory
from watthour.nilm.artifact import Description
from watthour.nilm.houses import House
from watthour.nilm.network import Disaggregator, Sizes, features
from watthour.nilm.prepare import InMemory, Part, prepare
from watthour.nilm.train import CHECKPOINT_FILE, Plan, cycle, error_on, loss_of, train

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.nilm.windows import Batch, Windows

APPLIANCES = ("kettle", "fridge")
SIZES = Sizes(APPLIANCES, (2000.0, 100.0), (0.05, 0.4), widths=(8, 12), blocks=(1, 2), head=6)
PLAN = Plan(n_steps=64, batches=12, windows=4, look_every=4, seed=3)
N_STEPS = 64


@pytest.fixture(autouse=True)
def _one_thread() -> Any:  # noqa: ANN401 a fixture that yields nothing
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made_house(name: str, seed: int, n: int = 2000) -> House:
    rng = np.random.default_rng(seed)
    kettle = np.where(rng.random(n) < 0.05, 2500, 0).astype(np.float32)
    fridge = np.where((np.arange(n) + seed) % 40 < 15, 90, 1).astype(np.float32)
    mains = (kettle + fridge + rng.uniform(50, 60, n)).astype(np.float32)
    return House(name, 60, np.arange(n, dtype=np.int64) * 60, mains, {"kettle": kettle, "fridge": fridge})


@pytest.fixture
def windows(tmp_path: Path) -> Windows:
    parts = [
        Part(InMemory(made_house("one", 1))),
        Part(InMemory(made_house("two", 2))),
        Part(InMemory(made_house("three", 3)), role="validation"),
    ]
    return prepare(tmp_path / "windows", parts, step_s=60, appliances=APPLIANCES)


def made_mains(n_windows: int = 3) -> torch.Tensor:
    return torch.rand((n_windows, N_STEPS), generator=torch.Generator().manual_seed(1)) * 3000


def moved(network: Disaggregator) -> Disaggregator:
    """Return it with weights of which none is still zero."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.1)
    network.eval()
    return network


def test_it_answers_for_each_appliance_at_each_step() -> None:
    logit, power = Disaggregator(SIZES)(made_mains())
    assert logit.shape == power.shape == (3, 2, N_STEPS)
    assert bool((power >= 0).all())


def test_a_head_begins_at_how_often_its_appliance_is_on() -> None:
    logit, _ = Disaggregator(SIZES).eval()(made_mains())
    assert torch.sigmoid(logit).mean(dim=(0, 2)).tolist() == pytest.approx([0.05, 0.4], rel=0.6)


def test_one_window_does_not_change_the_answers_of_another() -> None:
    network, mains = moved(Disaggregator(SIZES)), made_mains()
    alone = network(mains[1:2])[1]
    assert torch.allclose(alone, network(mains)[1][1:2], rtol=1e-4, atol=1e-3)


def test_patches_are_folded_back_in_their_order() -> None:
    """What happens at the end of a window moves the answers there, and not those at its beginning."""
    network = moved(Disaggregator(replace(SIZES, widths=(8,), blocks=(1,))))
    mains = made_mains(1)
    later = mains.clone()
    later[0, -4:] += 500  # the lowest around stays as it was
    apart = (network(later)[1] - network(mains)[1]).abs().amax(dim=(0, 1)).detach()
    far_from_normalisation = apart[-8:].mean() / apart[:16].mean()
    assert float(far_from_normalisation) > 5


def test_the_features_keep_the_scale_and_tell_what_is_above_the_lowest() -> None:
    mains = torch.full((1, 200), 300.0)
    mains[0, 100] = 2300.0
    power, above, lowest, steps = features(mains)[0]
    assert power[100] == pytest.approx(2.3)
    assert above[0] == 0
    assert above[100] == pytest.approx(float(np.arcsinh(2000 / 50)) / 3, rel=1e-5)
    assert lowest.tolist() == pytest.approx([float(np.arcsinh(300 / 200)) / 2] * 200)
    assert steps[100] == pytest.approx(-float(steps[101]))
    assert steps[0] == 0


def test_sizes_are_read_as_they_were_written() -> None:
    assert Sizes.from_json(SIZES.as_json()) == SIZES
    with pytest.raises(InvalidInput, match="power_w"):
        replace(SIZES, power_w=(1.0,))


def test_the_loss_is_least_at_the_truth_and_passes_over_what_is_unknown() -> None:
    true_power = torch.tensor([[[0.0, 2000.0, 0.0, 0.0]]])
    draws, known = (true_power > 0).float(), torch.ones_like(true_power)

    def loss(gate: list[float], power: list[float], counted: torch.Tensor = known) -> float:
        logit = torch.tensor([[gate]], dtype=torch.float32)
        said = torch.tensor([[power]], dtype=torch.float32)
        return float(
            loss_of(
                logit,
                said,
                true_power,
                draws,
                counted,
                unit_w=torch.tensor([500.0]),
                states_count=0.3,
                levels_count=0.5,
            )
        )

    right = loss([-9, 9, -9, -9], [2000] * 4)
    assert right < 0.02
    assert loss([-9] * 4, [2000] * 4) > 1
    assert loss([-9, 9, -9, 9], [2000] * 4) > 1
    last_unknown = torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])
    assert loss([-9, 9, -9, 9], [2000] * 4, last_unknown) == loss([-9, 9, -9, -9], [2000] * 4, last_unknown)


def test_training_makes_the_error_smaller_than_saying_nothing(windows: Windows, tmp_path: Path) -> None:
    plan = replace(PLAN, batches=150, windows=16, look_every=50, averaging=0.9, learning_rate=1e-2)
    trained = train(windows, SIZES, plan, tmp_path / "run")
    house = windows.house("three")
    always_off = float(np.asarray(house.values[:, 1:]).mean())
    assert trained.mae_w is not None
    assert trained.mae_w < 0.75 * always_off
    assert error_on(trained.network, [house], plan) == pytest.approx(trained.mae_w)


def weights_of(network: Disaggregator) -> list[float]:
    return [float(value) for weight in network.parameters() for value in weight.detach().flatten()]


def test_the_same_seed_trains_the_same_network(windows: Windows, tmp_path: Path) -> None:
    first, again, other = (
        train(windows, SIZES, replace(PLAN, seed=seed), tmp_path / name)
        for seed, name in ((3, "first"), (3, "again"), (4, "other"))
    )
    assert weights_of(first.network) == weights_of(again.network)
    assert weights_of(first.network) != weights_of(other.network)


class _Interrupted(Exception):
    pass


def test_an_interrupted_training_ends_as_one_that_was_not(windows: Windows, tmp_path: Path) -> None:
    whole = train(windows, SIZES, PLAN, tmp_path / "whole")
    met = 0

    def interrupt(batch: Batch, rng: np.random.Generator) -> Batch:  # noqa: ARG001 an augmentation has a generator
        nonlocal met
        met += 1
        if met == 7:
            raise _Interrupted
        return batch

    with pytest.raises(_Interrupted):
        train(windows, SIZES, PLAN, tmp_path / "parts", augment=interrupt)
    told: list[str] = []
    resumed = train(windows, SIZES, PLAN, tmp_path / "parts", tell=told.append)
    assert told[0] == "goes on after 4 batches"
    assert weights_of(resumed.network) == weights_of(whole.network)
    assert resumed.looks == whole.looks


def test_training_stops_when_the_validation_houses_gain_no_more(windows: Windows, tmp_path: Path) -> None:
    plan = replace(PLAN, batches=400, look_every=1, patience=3, learning_rate=0.0)
    trained = train(windows, SIZES, plan, tmp_path / "run")
    assert len(trained.looks) == 4
    assert trained.batches == 1


def test_a_folder_of_another_training_is_refused_and_a_new_one_does(windows: Windows, tmp_path: Path) -> None:
    train(windows, SIZES, PLAN, tmp_path / "run")
    with pytest.raises(InvalidInput, match="name another folder"):
        train(windows, SIZES, replace(PLAN, seed=9), tmp_path / "run")
    train(windows, SIZES, replace(PLAN, seed=9), tmp_path / "another")


def test_a_broken_checkpoint_is_named(windows: Windows, tmp_path: Path) -> None:
    train(windows, SIZES, PLAN, tmp_path / "run")
    (tmp_path / "run" / CHECKPOINT_FILE).write_bytes(b"no tensors")
    with pytest.raises(ModelCorrupt, match="Delete"):
        train(windows, SIZES, PLAN, tmp_path / "run")


def test_what_cannot_be_trained_is_said_with_its_cure(windows: Windows, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"n_steps.*Choose 56") as error:
        train(windows, SIZES, replace(PLAN, n_steps=60), tmp_path / "run")
    assert error.value.field == "n_steps"
    train(windows, SIZES, replace(PLAN, n_steps=56), tmp_path / "cured")
    with pytest.raises(InvalidInput, match="kettle, fridge"):
        train(windows, replace(SIZES, appliances=("fridge", "kettle")), PLAN, tmp_path / "run")
    with pytest.raises(NotEnoughHistory, match="4000 steps"):
        train(windows, SIZES, replace(PLAN, n_steps=4000), tmp_path / "run")


def test_the_learning_rate_rises_and_falls_once() -> None:
    rates = [cycle(share) for share in np.linspace(0, 1, 101)]
    top = rates.index(max(rates))
    assert rates[top] == 1.0
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_onnx_gives_the_answers_of_torch(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx, of the extra `deep`, is not installed")
    pytest.importorskip("onnxruntime", reason="ONNX Runtime, of the extra `deep`, is not installed")
    from watthour.nilm.export import exported
    from watthour.nilm.serve import ServedNetwork

    network = moved(Disaggregator(SIZES))
    description = Description(APPLIANCES, 60, N_STEPS, SIZES.multiple, (0.5, 0.5))
    files = exported(network, description, rng=np.random.default_rng(1))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    served = ServedNetwork.from_files({name: (tmp_path / name).read_bytes() for name in files})
    assert served.description == description
    mains = made_mains(5)
    chance, power = served.windows(mains.numpy())
    logit, drawn = (each.detach().transpose(1, 2) for each in network(mains))
    assert chance == pytest.approx(torch.sigmoid(logit).numpy(), abs=1e-4)
    assert power == pytest.approx((torch.sigmoid(logit) * drawn).numpy(), abs=1e-3 * 3000)
