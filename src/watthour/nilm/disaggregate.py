"""From what is told of windows to what is told of a house: one answer for each step, and what is left as ``other``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.nilm.appliances import appliance_named, states

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float32]
    Rows: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

_LEAST_WEIGHT = 0.05  # of the outermost step of a window, against 1 in its middle


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is told of a house: n steps of A appliances; NaN where nothing is told, as no window fits there.

    In each step the powers and ``other`` sum up to the mains, and none is below zero.
    """

    appliances: tuple[str, ...]
    power: Array  # (n, A) [W]
    probability: Array  # (n, A) of being on
    is_on: Mask  # (n, A) by the rule of the truth, of the power told
    other: Array  # (n,) what of the mains no appliance accounts for [W]

    @property
    def is_told(self) -> Mask:
        """Which steps have an answer, (n,)."""
        return np.isfinite(self.other)


class Blend:
    """Averages windows that overlap, each step counting most in the middle of its window."""

    def __init__(self, n: int, length: int, n_appliances: int) -> None:
        self._weight = taper(length)
        self._sum = np.zeros((n, n_appliances), dtype=np.float64)
        self._weights = np.zeros(n, dtype=np.float64)

    def add(self, starts: Rows, told: Array) -> None:
        """Add windows (B, T, A) that begin at some steps (B,)."""
        length = len(self._weight)
        if told.shape != (len(starts), length, self._sum.shape[1]):
            problem = f"expected {(len(starts), length, self._sum.shape[1])}: windows, steps, appliances"
            raise InvalidInput("told", told.shape, problem, remedy="Give what is told of each window once.")
        for start, window in zip(np.asarray(starts).tolist(), told, strict=True):
            if not 0 <= start <= len(self._sum) - length:
                problem = f"a window of {length} steps must lie within the {len(self._sum)} of the house"
                raise InvalidInput("starts", start, problem, remedy="Take them from `window_starts`.")
            self._sum[start : start + length] += self._weight[:, None] * window
            self._weights[start : start + length] += self._weight

    def mean(self) -> Array:
        """Return the averages (n, A), NaN where no window was."""
        weights = np.where(self._weights > 0, self._weights, np.nan)
        return (self._sum / weights[:, None]).astype(np.float32)


def taper(length: int) -> NDArray[np.float64]:
    """Return the weights of a window's steps: a raised cosine, for at its edges a network sees one side alone.

    >>> taper(5).round(2).tolist()
    [0.29, 0.76, 1.0, 0.76, 0.29]
    """
    weights = np.sin(np.pi * (np.arange(length) + 1) / (length + 1)) ** 2
    return np.asarray(_LEAST_WEIGHT + (1 - _LEAST_WEIGHT) * weights)


def window_starts(
    segments: Iterable[slice],
    length: int,
    stride: int,
    *,
    has_end: bool = True,
    begins: Iterable[int] | None = None,
) -> Rows:
    """Return the first steps of windows that lie within each stretch between gaps; none crosses a gap.

    A stretch shorter than a window has none, and no answer.

    Args:
        segments: the stretches.
        length: of a window [steps].
        stride: from one window to the next [steps].
        has_end: whether each stretch also has a window that ends with it, so that all of it is covered.
        begins: of each stretch, in steps since 1970: then windows begin at the same instants wherever a stretch does,
            but for the ones at its begin and its end. None: each stretch counts from its own begin.
    """
    for field, value in (("length", length), ("stride", stride)):
        if value < 1:
            raise InvalidInput(field, value, "it is 1 step at least", remedy="Give a number of steps.")
    parts = list(segments)
    found = [np.empty(0, dtype=np.int64)]
    for part, begin in zip(parts, begins if begins is not None else [0] * len(parts), strict=True):
        last = part.stop - length
        if last >= part.start:
            even = np.arange(part.start + -begin % stride, last + 1, stride, dtype=np.int64)
            found.append(np.unique([part.start, *even, *([last] if has_end else [])]))
    return np.concatenate(found)


def answer(
    mains: Array,
    segments: Sequence[slice],
    power: Array,
    probability: Array,
    appliances: Sequence[str],
    step_s: int,
) -> Answer:
    """Make an answer of averaged windows.

    A power is between 0 and the mains. Where the appliances together exceed the mains, all are scaled down by the same
    factor so that they sum up to them: which of them is wrong is not known. What is left is ``other``, never below
    zero and never forced to a share.

    Args:
        mains: (n,) of the house [W].
        segments: its stretches between gaps.
        power: (n, A) as ``Blend.mean`` returns it [W].
        probability: (n, A) likewise.
        appliances: (A,) their names.
        step_s: length of a step [s].
    """
    rules = [appliance_named(name) for name in appliances]
    expected = (len(mains), len(rules))
    for field, values in (("power", power), ("probability", probability)):
        if values.shape != expected:
            problem = f"expected {expected}: steps, appliances"
            raise InvalidInput(field, values.shape, problem, remedy="Give a value for each step and appliance.")
    told = np.clip(power, 0, mains[:, None])
    total = told.sum(axis=1, keepdims=True)
    factor = np.minimum(mains[:, None] / np.where(total > 0, total, 1), 1)
    told = np.where(total > mains[:, None], told * factor, told).astype(np.float32)
    is_on = np.zeros(expected, dtype=np.bool_)
    for place, rule in enumerate(rules):
        for part in segments:
            is_on[part, place] = states(told[part, place], rule, step_s)
    other = np.maximum(mains - told.sum(axis=1), 0).astype(np.float32)  # what rounding leaves below zero is zero
    chance = np.clip(probability, 0, 1).astype(np.float32)
    return Answer(tuple(rule.name for rule in rules), told, chance, is_on, other)
