"""Answers of a network whose rules are known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from nilm.made_network import made_files

from watthour.core.errors import InvalidInput, ModelCorrupt
from watthour.nilm.serve import ServedNetwork


@pytest.fixture
def network() -> ServedNetwork:
    return ServedNetwork.from_files(made_files())


def mains(n: int) -> np.ndarray:
    """Return mains with a kettle for two minutes every hour, above a fridge and a standby of 250 W."""
    power = np.full(n, 250, np.float32)
    for minute in (30, 31):
        power[minute::60] = 2250
    return power


def test_each_step_is_told_and_nothing_is_lost(network: ServedNetwork) -> None:
    whole = mains(600)
    told = network.tell(whole, [slice(0, 600)])
    assert told.appliances == ("kettle", "fridge")
    assert told.is_told.all()
    assert np.allclose(told.power.sum(axis=1) + told.other, whole, atol=0.01)
    assert np.allclose(told.power[30::60, 0], 2000, atol=1)
    assert np.allclose(told.power[:30, 0], 0)
    assert np.allclose(told.power[:, 1], 90, atol=0.1)
    assert told.is_on[:, 0].sum() == 20
    assert told.is_on[:, 1].all()


def test_no_answer_crosses_a_gap_or_is_given_where_no_window_fits(network: ServedNetwork) -> None:
    whole = mains(400)
    told = network.tell(whole, [slice(0, 250), slice(250, 350), slice(350, 400)])
    assert told.is_told[:250].all()
    assert not told.is_told[250:].any()


@pytest.mark.parametrize("stride", [1, 17, 64, 128])
def test_however_windows_overlap_the_rules_are_the_same(network: ServedNetwork, stride: int) -> None:
    whole = mains(400)
    told = network.tell(whole, [slice(0, 400)], stride=stride)
    assert np.allclose(told.power, network.tell(whole, [slice(0, 400)]).power, atol=0.01)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((1, 100), 200, np.float32), "128 steps of 60 s"),
        (np.full((1, 128), np.nan, np.float32), "not known"),
        (np.full((1, 128), -300, np.float32), "subtracts what is fed in"),
        (np.full((1, 128), 200_000, np.float32), "no home draws as much"),
        (np.full(128, 200, np.float32), "128 steps of 60 s"),
    ],
)
def test_windows_that_cannot_be_are_refused_with_the_cure(
    network: ServedNetwork,
    values: np.ndarray,
    said: str,
) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        network.windows(values)
    assert refused.value.remedy


@pytest.mark.parametrize("damage", ["graph", "hash", "heads", "description", "missing"])
def test_files_that_do_not_belong_together_are_no_network(damage: str) -> None:
    files = made_files()
    if damage == "graph":
        files["network.onnx"] += b"x"
    elif damage == "hash":
        files["network.json"] = files["network.json"].replace(b'"graph_sha256": "', b'"graph_sha256": "0')
    elif damage == "heads":
        said = json.loads(files["network.json"])
        said |= {"appliances": ["kettle", "fridge", "microwave"], "silent_below": [0.5] * 3}
        files["network.json"] = json.dumps(said).encode()
    elif damage == "description":
        files["network.json"] = files["network.json"].replace(b'"fridge"', b'"fridge", "microwave"')
    else:
        del files["network.onnx"]
    with pytest.raises(ModelCorrupt) as refused:
        ServedNetwork.from_files(files)
    assert refused.value.remedy
