"""A small network that says all quantiles of an interval at once, learned by their own loss.

Source: Kingma and Ba, Adam, ICLR (2015), arXiv:1412.6980; Koenker and Bassett, Econometrica 46 (1978), for the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from watthour.core.frames import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Array

Single: TypeAlias = NDArray[np.float32]

_LEAK = np.float32(0.01)  # slope of a unit that is off
_FURTHEST = 4.0  # deviations from the mean that an input counts at most
_DECAY = 1e-3  # of the weights, per step and learning rate
_BATCH = 1024
_FEWEST_BATCHES = 8  # that all rows are divided into
_FEWEST_STEPS = 300  # with fewer, quantiles stay near the reference they begin at
_FIRST, _SECOND = 0.1, 0.001  # shares by which the two moments of Adam move
_TINY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Layers of weights and offsets, and how inputs are put on one scale."""

    centre: Single  # (F,)
    width: Single  # (F,)
    layers: tuple[Single, ...]  # weights and offsets in turn

    def quantiles(self, inputs: Array) -> Array:
        """Return (n, ``LEVELS``) departures from the reference, of (n, F) inputs; one that is unknown is usual."""
        return np.asarray(_passed(self.layers, scaled(inputs, self.centre, self.width))[-1], dtype=np.float64)

    def arrays(self, prefix: str) -> dict[str, Single]:
        """Return it as named arrays."""
        named = {f"{prefix}layer_{k}": layer for k, layer in enumerate(self.layers)}
        return {f"{prefix}centre": self.centre, f"{prefix}width": self.width, **named}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Single], prefix: str) -> Self:
        """Build it again from ``arrays``."""
        n_layers = sum(name.startswith(f"{prefix}layer_") for name in arrays)
        layers = tuple(arrays[f"{prefix}layer_{k}"] for k in range(n_layers))
        return cls(arrays[f"{prefix}centre"], arrays[f"{prefix}width"], layers)


def scaled(inputs: Array, centre: Single, width: Single) -> Single:
    """Return inputs around their mean in parts of their deviation."""
    return np.nan_to_num(np.clip((inputs - centre) / width, -_FURTHEST, _FURTHEST)).astype(np.float32)


def train(
    inputs: Array,
    target: Array,
    weight: Array,
    *,
    units: tuple[int, ...],
    n_epochs: float,
    pace: float,
    rng: np.random.Generator,
) -> Network:
    """Learn the quantiles of a target.

    Args:
        inputs: (n, F); NaN is unknown.
        target: (n,)
        weight: (n,) of each row.
        units: of each layer between.
        n_epochs: how many times every row is looked at.
        pace: the largest step.
        rng: of the first weights and the order of the rows.
    """
    known = np.isfinite(inputs)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, inputs, 0).sum(axis=0) / count
    width = np.sqrt(np.where(known, (inputs - centre) ** 2, 0).sum(axis=0) / count)
    network = Network(
        centre.astype(np.float32),
        np.maximum(width, _TINY).astype(np.float32),
        _first_layers((inputs.shape[1], *units, len(LEVELS)), rng),
    )
    x, y, w = scaled(inputs, network.centre, network.width), target.astype(np.float32), weight.astype(np.float32)
    levels = np.array(LEVELS, dtype=np.float32)
    layers = [layer.copy() for layer in network.layers]
    moments = [(np.zeros_like(layer), np.zeros_like(layer)) for layer in layers]
    batch = min(_BATCH, max(len(y) // _FEWEST_BATCHES, 1))
    order, place = rng.permutation(len(y)), 0
    n_steps = max(_FEWEST_STEPS, round(n_epochs * len(y) / batch))
    for n_done in range(1, n_steps + 1):
        if place + batch > len(y):
            order, place = rng.permutation(len(y)), 0
        rows, place = order[place : place + batch], place + batch
        values = _passed(layers, x[rows])
        above = y[rows, None] > values[-1]
        slope = np.where(above, -levels, 1 - levels) * (w[rows, None] / batch)
        speed = np.float32(pace * 0.5 * (1 + np.cos(np.pi * n_done / (n_steps + 1))))
        _move(layers, moments, values, slope.astype(np.float32), speed, n_done)
    return Network(network.centre, network.width, tuple(layers))


def _first_layers(sizes: tuple[int, ...], rng: np.random.Generator) -> tuple[Single, ...]:
    layers: list[Single] = []
    for k, (n_in, n_out) in enumerate(pairwise(sizes)):
        small = 0.1 if k == len(sizes) - 2 else 1.0
        layers.append((small * rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)).astype(np.float32))
        layers.append(np.zeros(n_out, dtype=np.float32))
    return tuple(layers)


def _passed(layers: tuple[Single, ...] | list[Single], inputs: Single) -> list[Single]:
    """Return the inputs, what each layer makes of them, and at last the quantiles."""
    values = [inputs]
    for weights, offsets in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        raw = values[-1] @ weights + offsets
        values.append(np.maximum(raw, _LEAK * raw))
    values.append(values[-1] @ layers[-2] + layers[-1])
    return values


def _move(
    layers: list[Single],
    moments: list[tuple[Single, Single]],
    values: list[Single],
    slope: Single,
    speed: np.float32,
    n_done: int,
) -> None:
    """Move every layer one step of Adam against the slope of the loss at the last one, in place."""
    for k in range(len(layers) - 2, -1, -2):
        before = values[k // 2]
        slopes = (before.T @ slope, slope.sum(axis=0))
        if k:
            slope = (slope @ layers[k].T) * np.where(before > 0, np.float32(1), _LEAK)
        for layer, (first, second), mine in zip(layers[k : k + 2], moments[k : k + 2], slopes, strict=True):
            np.add(first, np.float32(_FIRST) * (mine - first), out=first)
            np.add(second, np.float32(_SECOND) * (mine * mine - second), out=second)
            size = np.sqrt(second / np.float32(1 - (1 - _SECOND) ** n_done)) + np.float32(1e-8)
            step = (first / np.float32(1 - (1 - _FIRST) ** n_done)) / size
            if layer.ndim > 1:
                step = step + np.float32(_DECAY) * layer
            np.subtract(layer, speed * step, out=layer)
