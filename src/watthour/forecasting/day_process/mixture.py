"""Several ways to expect a day, mixed by how well each did lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from watthour.forecasting.day_process.process import Later, Process
from watthour.forecasting.day_process.spread import running_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.day_process.asks import Mask
    from watthour.forecasting.day_process.kernel import DayInputs
    from watthour.forecasting.day_process.process import Kernel
    from watthour.forecasting.vintages import Array, Instants

_HALFLIFE = 60.0  # days of the mean errors that weigh the members
_POWER = 8.0  # a member whose mean error is a tenth larger counts half
_LEVEL_HALFLIFE = 21.0  # days of the operator's habitual error
_SLOPE_HALFLIFE = 200.0  # days
_SLOPE_PRIOR, _SLOPE_STRENGTH = 0.5, 30.0  # where it begins, and how many days of evidence that is worth


class Member(Protocol):
    """One way to expect a day."""

    def online(self, lag: int) -> Array:
        """Return what would have been expected of each training day from those ``lag`` days before, (n, 24)."""
        ...

    def predict(self, asked: DayInputs, n_known: Instants, later: Later) -> Array:
        """Return the expectation of each asked day from what it may know, (m, 24)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Members weighed by a power of their mean errors, as far as each ask may know them."""

    members: Sequence[Member]
    index: Array  # (n,) day numbers of the training days
    sizes: Array  # (n, k) mean absolute online error of each member

    @classmethod
    def of(cls, members: Sequence[Member], index: Array, values: Array, lag: int) -> Mixture:
        """Weigh members by their online errors."""
        sizes = [np.abs(values - member.online(lag)).mean(axis=1) for member in members]
        return cls(members, index, np.stack(sizes, axis=1))

    def online(self, lag: int) -> Array:
        """Return what would have been expected of each training day from those ``lag`` days before, (n, 24)."""
        weights = self._weights(self.index, self.index[None, :] <= self.index[:, None] - lag)
        return _weighted(weights, [member.online(lag) for member in self.members])

    def predict(self, asked: DayInputs, n_known: Instants, later: Later) -> Array:
        """Return the expectation of each asked day from what it may know, (m, 24)."""
        weights = self._weights(asked.calendar.index, np.arange(len(self.index))[None, :] < n_known[:, None])
        return _weighted(weights, [member.predict(asked, n_known, later) for member in self.members])

    def _weights(self, asked: Array, known: Mask) -> Array:
        losses = running_mean(asked, self.sizes, known, self.index, _HALFLIFE)
        weights = (losses.min(axis=1, keepdims=True) / losses) ** _POWER
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Leaning:
    """The operator's error as a share of our gap to it, learnt by decaying least squares, and a process of the rest."""

    process: Process
    values: Array  # (n, 24) the operator's errors
    lag: int

    @classmethod
    def fit(cls, kernel: Kernel, days: DayInputs, values: Array, lag: int) -> Leaning:
        """Learn the share as it could have been known day by day, then the process of what it leaves."""
        index = days.calendar.index
        share = _share(index, index[None, :] <= index[:, None] - lag, days, values, lag)
        rest = values - share[:, None] * days.gap
        return cls(Process.fit(kernel, days, rest, rest.mean(axis=0)), values, lag)

    def online(self, lag: int) -> Array:
        """Return what would have been expected of each training day from those ``lag`` days before, (n, 24)."""
        index = self.process.days.calendar.index
        share = self._share(index, index[None, :] <= index[:, None] - lag)
        return self.process.online(lag) + share[:, None] * self.process.days.gap

    def predict(self, asked: DayInputs, n_known: Instants, later: Later) -> Array:
        """Return the expectation of each asked day from what it may know, (m, 24)."""
        n_days = len(self.values)
        share = self._share(asked.calendar.index, np.arange(n_days)[None, :] < n_known[:, None])
        latest = self._share(later.days.calendar.index, np.ones((later.known.shape[1], n_days), dtype=bool))
        rest = later.values - latest[:, None] * later.days.gap
        return self.process.predict(asked, n_known, Later(later.days, rest, later.known)) + share[:, None] * asked.gap

    def _share(self, asked: Array, known: Mask) -> Array:
        return _share(asked, known, self.process.days, self.values, self.lag)


def _share(asked: Array, known: Mask, days: DayInputs, values: Array, lag: int) -> Array:
    """Return how much of our gap to believe, from the days each ask may know, (m,) in [0, 1]."""
    index = days.calendar.index
    level = running_mean(index, values, index[None, :] <= index[:, None] - lag, index, _LEVEL_HALFLIFE)
    level[0] = 0.0
    error, gap = values - level, days.gap - level
    products = np.stack([(error * gap).mean(axis=1), (gap * gap).mean(axis=1)], axis=1)
    along, own = running_mean(asked, products, known, index, _SLOPE_HALFLIFE).T
    count = (known * 0.5 ** (np.maximum(asked[:, None] - index[None, :], 0) / _SLOPE_HALFLIFE)).sum(axis=1)
    share = (count * along / np.maximum(own, 1e-12) + _SLOPE_PRIOR * _SLOPE_STRENGTH) / (count + _SLOPE_STRENGTH)
    return np.asarray(np.clip(share, 0, 1))


def _weighted(weights: Array, values: Sequence[Array]) -> Array:
    return np.asarray(np.einsum("mk,kmh->mh", weights, np.stack(values)))
