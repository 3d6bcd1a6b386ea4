"""A trained network written as ONNX, and compared with itself before it leaves."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import MissingExtra, ModelFailed
from watthour.nilm.artifact import as_files
from watthour.nilm.serve import ServedNetwork

try:
    import torch
    from torch import nn
except ImportError as error:
    raise MissingExtra("torch", "deep") from error

if TYPE_CHECKING:
    from torch import Tensor

    from watthour.nilm.artifact import Description
    from watthour.nilm.network import Disaggregator

TOLERANCE = 1e-3  # of the highest of the mains that are compared on
_OPSET = 17
_COMPARED = 8  # windows
_SWITCHED = 0.05  # chance that something is, at a step of what they are compared on


class _Answers(nn.Module):
    """The chance of drawing power, and what it is said to draw: the product of chance and power."""

    def __init__(self, network: Disaggregator) -> None:
        super().__init__()
        self.network = network

    def forward(self, mains: Tensor) -> tuple[Tensor, Tensor]:
        """Return chance and power [W], each (B, T, A), of mains (B, T) [W]."""
        logit, power = self.network(mains)
        chance = torch.sigmoid(logit)
        return chance.transpose(1, 2), (chance * power).transpose(1, 2)


def exported(network: Disaggregator, description: Description, *, rng: np.random.Generator) -> dict[str, bytes]:
    """Return a network's files, after ONNX Runtime has given the same answers as torch.

    Raises:
        ModelFailed: the answers differ by more than ``TOLERANCE``.
        MissingExtra: ONNX or its runtime is not installed.
    """
    answers = _Answers(network).eval()
    files = as_files(description, _graph(answers, description.n_steps))
    mains = _made_mains(rng, description.n_steps)
    with torch.no_grad():
        expected = [each.numpy() for each in answers(torch.from_numpy(mains))]
    got = ServedNetwork.from_files(files).windows(mains)
    apart = max(
        float(np.abs(got[0] - expected[0]).max()), float(np.abs(got[1] - expected[1]).max()) / float(mains.max())
    )
    if not apart <= TOLERANCE:
        problem = f"ONNX Runtime and torch differ by {apart:.2g} of the scale of the mains"
        raise ModelFailed(problem, remedy="Export it with the versions of torch and onnx that it was trained with.")
    return files


def _graph(answers: _Answers, n_steps: int) -> bytes:
    try:
        import onnx  # noqa: F401 torch writes by it
    except ImportError as error:
        raise MissingExtra("onnx", "deep") from error
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no more packages says that it is the older one
        torch.onnx.export(
            answers,
            (torch.zeros(2, n_steps),),
            written,
            input_names=["mains"],
            output_names=["chance", "power"],
            dynamic_axes={name: {0: "windows"} for name in ("mains", "chance", "power")},
            opset_version=_OPSET,
            dynamo=False,
        )
    return written.getvalue()


def _made_mains(rng: np.random.Generator, n_steps: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return windows (B, T) in which something is switched now and then, from a few watts to many kilowatts."""
    switched = np.where(
        rng.random((_COMPARED, n_steps)) < _SWITCHED, rng.uniform(-2500, 2500, (_COMPARED, n_steps)), 0.0
    )
    level = rng.uniform(20, 400, (_COMPARED, 1))
    return np.asarray(level + np.abs(np.cumsum(switched, axis=1)) % 9000, dtype=np.float32)
