"""The files of a network, and what a served network refuses; the graph itself is of no matter here."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from watthour.core.errors import InvalidInput, ModelCorrupt
from watthour.nilm.artifact import DESCRIPTION_FILE, GRAPH_FILE, Description, as_files, from_files
from watthour.nilm.serve import ServedNetwork

if TYPE_CHECKING:
    from numpy.typing import NDArray

DESCRIPTION = Description(("kettle", "fridge"), 60, 64, 8, (0.5, 0.3), ("a house, CC BY 4.0",))


def run(_: object, inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Answer 0.4 and half of the mains for everything."""
    both = np.repeat(inputs["mains"][..., None], 2, axis=2)
    return [np.full_like(both, 0.4), both / np.float32(2)]


SERVED = ServedNetwork(DESCRIPTION, SimpleNamespace(run=run))


def test_files_are_read_as_they_were_written() -> None:
    assert from_files(as_files(DESCRIPTION, b"graph")) == (DESCRIPTION, b"graph")


def test_a_graph_of_another_description_is_not_loaded() -> None:
    files = {**as_files(DESCRIPTION, b"graph"), GRAPH_FILE: b"another"}
    with pytest.raises(ModelCorrupt, match="differs from the hash"):
        from_files(files)


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"graph_sha256": "x", "colour": "red"}', b'{"appliances": []}'])
def test_what_describes_no_network_is_named(content: bytes) -> None:
    with pytest.raises(ModelCorrupt, match=DESCRIPTION_FILE):
        from_files({DESCRIPTION_FILE: content, GRAPH_FILE: b"graph"})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelCorrupt, match=GRAPH_FILE):
        from_files({DESCRIPTION_FILE: b"{}"})


def test_a_description_that_contradicts_itself_cannot_be_made() -> None:
    with pytest.raises(InvalidInput, match="silent_below"):
        replace(DESCRIPTION, silent_below=(0.5,))
    with pytest.raises(InvalidInput, match="Choose 56 steps"):
        replace(DESCRIPTION, n_steps=60)
    assert replace(DESCRIPTION, n_steps=56).n_steps == 56


def test_an_appliance_that_is_unlikely_to_draw_power_draws_none() -> None:
    mains = np.full(200, 100, dtype=np.float32)
    told = SERVED.tell(mains, [slice(0, 120), slice(120, 180), slice(180, 200)])
    assert told.power[:120, 0].tolist() == [0] * 120  # 0.4 is below the 0.5 of the kettle
    assert told.power[:120, 1].tolist() == pytest.approx([50] * 120)
    assert told.probability[:120, 0].tolist() == pytest.approx([0.4] * 120)
    assert told.other[:120].tolist() == pytest.approx([50] * 120)
    assert not told.is_told[120:].any()  # stretches shorter than a window


@pytest.mark.parametrize(
    ("mains", "problem"),
    [
        (np.full((1, 60), 100), "windows of 64 steps of 60 s"),
        (np.full(64, 100), "shape"),
        (np.full((1, 64), np.nan), "never across them"),
        (np.full((1, 64), -20), "solar panels"),
        (np.full((1, 64), 3e5), "Give mains in W"),
    ],
)
def test_mains_that_cannot_be_are_refused(mains: Any, problem: str) -> None:  # noqa: ANN401 some are of a wrong shape
    with pytest.raises(InvalidInput, match=problem) as error:
        SERVED.windows(mains.astype(np.float32))
    assert error.value.field == "mains"


def test_a_graph_that_is_none_is_named() -> None:
    with pytest.raises(ModelCorrupt, match=GRAPH_FILE):
        ServedNetwork.from_files(as_files(DESCRIPTION, b"graph"))


def test_the_description_is_json_that_a_person_can_read() -> None:
    said = json.loads(as_files(DESCRIPTION, b"graph")[DESCRIPTION_FILE])
    assert said["appliances"] == ["kettle", "fridge"]
    assert said["step_s"] == 60
