"""A network that nobody trained: simple rules as a graph, so that what it must answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto, helper

from watthour.nilm.artifact import Description, as_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KETTLE, FRIDGE = "kettle", "fridge"
N_STEPS = 128


def made_files(*, step_s: int = 60, n_steps: int = N_STEPS) -> dict[str, bytes]:
    """Return a network that tells a kettle where the mains are above 1500 W, and a fridge of 90 W at any time."""
    constants: Mapping[str, list[float]] = {
        "chance_slope": [0.1, 0.0],
        "chance_level": [-150.0, 10.0],
        "power_slope": [1.0, 0.0],
        "power_level": [-250.0, 90.0],
    }
    line = [helper.make_tensor(name, TensorProto.FLOAT, (1, 1, 2), values) for name, values in constants.items()] + [
        helper.make_tensor("last", TensorProto.INT64, (1,), [2])
    ]
    nodes = [
        helper.make_node("Unsqueeze", ["mains", "last"], ["column"]),
        helper.make_node("Mul", ["column", "chance_slope"], ["chance_part"]),
        helper.make_node("Add", ["chance_part", "chance_level"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["chance"]),
        helper.make_node("Mul", ["column", "power_slope"], ["power_part"]),
        helper.make_node("Add", ["power_part", "power_level"], ["any_power"]),
        helper.make_node("Relu", ["any_power"], ["power"]),
    ]
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("B", "T", 2)) for name in ("chance", "power")]
    mains = helper.make_tensor_value_info("mains", TensorProto.FLOAT, ("B", "T"))
    graph = helper.make_graph(nodes, "made", [mains], told, line)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    description = Description((KETTLE, FRIDGE), step_s, n_steps, 1, (0.5, 0.5), ("a made house, CC0",))
    return as_files(description, model.SerializeToString())


def write_network(folder: Path, **words: int) -> Path:
    """Write it as `watthour nilm export` does."""
    folder.mkdir(parents=True)
    for name, content in made_files(**words).items():
        (folder / name).write_bytes(content)
    return folder
